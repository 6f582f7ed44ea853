/** Documents whose keys are stored once: the same answers as with keys, in every query and transaction, and after any crash. */
import type { VfsOp } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it, vi } from 'vitest';
import { type Collection, type Database, openOn } from '../src/index.js';

interface Reading {
  readonly _id: number;
  readonly [field: string]: unknown;
}

/** Objects of one shape until they have a structure. */
const ENOUGH = 70;

/** A few shapes of documents, some of them nested, one rare. */
function readingOf(i: number): Reading {
  const place = { latitude: i % 7, longitude: -i, 'height above sea': i / 2 };
  const base = { _id: i, station_name: `station ${i % 5}`, temperature: (i % 40) - 10 };
  if (i % 97 === 0) return { ...base, [`remark ${i}`]: 'rare', place };
  switch (i % 3) {
    case 0:
      return { ...base, place, tags: ['a', 'b', { tag_name: 'c', tag_value: i % 4 }] };
    case 1:
      return { ...base, place: null, is_calibrated: i % 2 === 0, measurements: [{ tag_name: 'x', tag_value: i % 4 }] };
    default:
      return {
        temperature: 1.5,
        _id: i,
        station_name: `station ${i % 5}`,
        nested: { place, list_of_places: [place, place] },
      };
  }
}

async function fill(collection: Collection<Reading>, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i += 50) {
    await collection.insertMany(Array.from({ length: Math.min(50, to - i) }, (_, k) => readingOf(i + k)));
    // Structures are committed between the statements of others.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Documents carry their keys from now on. */
function learnNothing({ catalog }: Database): void {
  Object.assign(catalog.structures, { learn: () => undefined, wants: () => undefined });
}

const QUESTIONS = [
  'select _id, doc from reading order by _id',
  'select doc, count(*) from (select doc from reading union all select doc from reading) d group by doc order by doc',
  `select doc->'place' as p, count(*) from reading group by 1 order by 1`,
  `select distinct doc->'nested'->'list_of_places' as l from reading order by 1`,
  `select doc->>'station_name' as n, sum((doc->>'temperature')::numeric), max(doc->>'place') from reading group by 1 order by 1`,
  `select _id from reading where doc @> '{"place": {"latitude": 3}}' order by 1`,
  `select _id from reading where doc->'tags' @> '[{"tag_name": "c"}]' order by 1`,
  `select _id from reading where doc ? 'is_calibrated' and doc->'place' = 'null' order by 1`,
  `select _id, jsonb_object_keys(doc) as k from reading order by 1, 2`,
  `select _id, e.key, e.value from reading, jsonb_each(doc->'nested'->'place') e order by 1, 2`,
  `select _id, e.value from reading, jsonb_array_elements(doc->'nested'->'list_of_places') with ordinality e(value, n) order by 1, n`,
  `select _id, jsonb_path_query(doc, '$.**.tag_value') as v from reading order by 1, 2`,
  `select _id, doc #> '{nested,list_of_places,1,longitude}' as l, doc #>> '{tags,2}' as t from reading order by 1`,
  `select _id, jsonb_set(doc, '{place,latitude}', '9') - 'tags' as d from reading order by 1`,
  `select _id, doc || '{"more": 1}' as d, to_json(doc)::text as t, doc::text as x from reading order by 1`,
  `select a._id from reading a join reading b on a.doc->'place' = b.doc->'nested'->'list_of_places'->0 order by 1`,
  `select a._id, count(*) from reading a join reading b on a.doc = b.doc group by 1 order by 1`,
  `select jsonb_agg(doc->'place' order by _id) as a, jsonb_object_agg(_id::text, doc->'tags') as o from reading`,
  `select _id, (jsonb_populate_record(null::place, doc->'nested'->'place')).latitude as l from reading order by 1`,
  `select _id from reading where doc in (select doc from copied) order by 1`,
  `select id, doc from copied order by id`,
  `select parts from gathered`,
  `select row_number() over (partition by doc->'place' order by _id) as n, _id from reading order by 2`,
  `select _id from reading order by doc->'nested' nulls last, doc->'tags' desc, _id`,
];

const FILTERS: readonly { readonly [path: string]: unknown }[] = [
  {},
  { 'place.latitude': 3 },
  { place: { latitude: 3, longitude: -3, 'height above sea': 1.5 } },
  { 'tags.tag_value': { $gt: 1 } },
  { measurements: { $elemMatch: { tag_value: 2 } } },
  { is_calibrated: { $exists: true }, temperature: { $lt: 5 } },
  { 'nested.list_of_places.1.longitude': { $lt: -100 } },
  { $expr: { $eq: ['$place.latitude', '$temperature'] } },
];

/** What a database says to all questions, and what is left when its documents were changed in all ways. */
async function answers(db: Database): Promise<unknown[]> {
  const readings = db.collection<Reading>('reading');
  const found: unknown[] = [];
  db.exec(`create type place as (latitude int, longitude int);
    create table copied (id int primary key, doc jsonb unique);
    insert into copied select (_id::text)::int, doc from reading where (_id::text)::int % 2 = 0;
    create table gathered (parts jsonb[]);
    insert into gathered select array_agg(doc->'nested' order by _id) from reading`);
  for (const question of QUESTIONS) found.push((await db.query(question)).rows);
  db.exec('analyze reading');
  await readings.createIndex({ 'place.latitude': 1 });
  await readings.createIndex({ tags: 1 });
  db.exec(`create index reading_place on reading ((doc->'place'))`);
  for (const filter of FILTERS) {
    found.push(await readings.find(filter).sort({ _id: 1 }).toArray());
    const projection = { 'place.latitude': 1, station_name: 1, measurements: 1 };
    found.push(await readings.find(filter, { projection }).sort({ _id: 1 }).toArray());
  }
  found.push((await db.query(`select _id from reading where doc->'place' = '{"latitude": 3}' order by 1`)).rows);
  found.push(await readings.distinct('place'), await readings.distinct('nested.list_of_places'));
  const groups = [{ $group: { _id: '$place', n: { $sum: 1 }, t: { $push: '$tags' } } }, { $sort: { n: -1, _id: 1 } }];
  found.push(await readings.aggregate(groups).toArray());
  await readings.updateMany({ 'place.latitude': 2 }, { $set: { 'place.latitude': 20, temperature: 0 } });
  await readings.updateMany({ temperature: { $gt: 20 } }, { $unset: { place: 1 }, $inc: { temperature: 1 } });
  await readings.updateMany({ _id: { $mod: [5, 0] } }, { $push: { 'nested.list_of_places': { latitude: 1 } } });
  await readings.updateMany({ _id: { $mod: [7, 1] } }, { $rename: { station_name: 'name_of_station' } });
  for (let i = 200; i < 220; i++) {
    await readings.updateOne({ _id: i }, { $set: { temperature: 7 } });
    await readings.updateOne({ _id: i + 20 }, { $set: { temperature: 7, added_at: i } });
    await readings.updateOne({ _id: i + 40 }, { $unset: { station_name: 1 } });
    await readings.replaceOne({ _id: i + 60 }, { nothing_else: i });
  }
  await db.query(`update reading set doc = jsonb_set(doc, '{temperature}', '1') where (_id::text)::int % 11 = 0`);
  await db.query(`update reading r set doc = c.doc from copied c where r._id = to_jsonb(c.id) and c.id % 4 = 0`);
  found.push(await readings.find({}).sort({ _id: 1 }).toArray());
  for (const question of QUESTIONS.slice(0, 8)) found.push((await db.query(question)).rows);
  return found;
}

describe('documents of a collection', () => {
  it('answer as with keys, whatever is asked of them', async () => {
    const found: string[][] = [];
    for (const { learns, engine } of [
      { learns: false, engine: 'btree' },
      { learns: true, engine: 'btree' },
      { learns: true, engine: 'lsm' },
    ] as const) {
      const vfs = new MemoryVfs();
      const db = await openOn(vfs, '/d', { queryWorkersMax: 0 });
      if (!learns) learnNothing(db);
      await fill(db.collection<Reading>('reading', { engine }), 0, 300);
      expect(db.catalog.structures.size > 5).toBe(learns);
      found.push((await answers(db)).map((answer) => JSON.stringify(answer)));
      expect(await db.check()).toEqual([]);
      await db.close();
      if (!learns) continue;
      const again = await openOn(vfs, '/d');
      expect(again.catalog.structures.size).toBeGreaterThan(5);
      expect(await again.check()).toEqual([]);
      expect(await again.collection('reading').countDocuments()).toBe(300);
      await again.close();
    }
    expect(found[1]).toEqual(found[0]);
    expect(found[2]).toEqual(found[0]);
  });

  it.each(['btree', 'lsm'] as const)(
    'never outlive their structures, wherever the power is cut: %s',
    async (engine) => {
      const vfs = new MemoryVfs({ syncTurns: 1 });
      const cuts: { disk: MemoryVfs; acknowledged: number }[] = [];
      let acknowledged = 0;
      vfs.onOperation = ({ operation }: VfsOp) => {
        if (operation !== 'write' && operation !== 'sync' && operation !== 'rename') return;
        cuts.push({ disk: vfs.crashClone(cuts.length), acknowledged });
      };
      const options = { checkpointBytesMax: 32_768, deltaBytesMax: 1 << 20, cacheBytes: 1 << 20, queryWorkersMax: 0 };
      const db = await openOn(vfs, '/d', options);
      const readings = db.collection<Reading>('reading', { engine });
      const documentOf = (id: number): Reading => {
        const items = Array.from({ length: ENOUGH }, (_, k) => ({
          [`name of step ${id >> 2}`]: k,
          [`value ${id >> 2}`]: id,
        }));
        return { _id: id, items };
      };
      let names = 0;
      for (let id = 0; id < 24; id++) {
        await readings.insertOne(documentOf(id));
        acknowledged = id + 1;
        const undone = db.transaction(async (tx) => {
          await readings.insertMany([documentOf(1000 + id), documentOf(2000 + id)], { tx });
          throw new Error('back');
        });
        await expect(undone).rejects.toThrow('back');
        if (id % 8 === 5) await db.checkpoint();
        names = db.catalog.structures.size;
      }
      await db.close();
      vfs.onOperation = undefined;
      expect(names).toBeGreaterThan(4);
      for (const [index, { disk, acknowledged: least }] of cuts.entries()) {
        if (index % 2 === 1 && process.env['PHANTOM_SWEEP'] !== 'whole') continue;
        const after = await openOn(disk, '/d', options);
        expect([index, ...(await after.check()).filter(({ severity }) => severity === 'corruption')]).toEqual([index]);
        const found = await after.collection<Reading>('reading').find({}).sort({ _id: 1 }).toArray();
        expect(found.length).toBeGreaterThanOrEqual(least);
        expect(found).toEqual(found.map((_, id) => documentOf(id)));
        await after.close();
      }
    },
    120_000,
  );
});

describe('structures', () => {
  it('are there for a prepared transaction that is committed after a restart', async () => {
    const vfs = new MemoryVfs();
    const db = await openOn(vfs, '/d');
    await fill(db.collection<Reading>('reading'), 0, 300);
    const session = db.createSession({ database: 'phantom', user: 'phantom' });
    const script = `begin; insert into reading (_id, doc) select to_jsonb((_id::text)::int + 1000), doc - '_id' from reading; prepare transaction 'later'`;
    for (const parsed of session.parse(script)) {
      await session.portal(session.prepare(parsed, script), []).fetch(0, () => undefined);
      await session.sync();
    }
    session.close();
    const again = await openOn(vfs.killClone(), '/d');
    await again.query(`commit prepared 'later'`);
    expect(await again.check()).toEqual([]);
    expect(await again.collection<Reading>('reading').findOne({ _id: 1200 })).toEqual({ ...readingOf(200), _id: 1200 });
    await again.close();
    await db.close();
  });

  it('are missed by a check, and named', async () => {
    const vfs = new MemoryVfs();
    const db = await openOn(vfs, '/d');
    await fill(db.collection<Reading>('reading'), 0, 400);
    const { structures } = db.catalog;
    Object.assign(structures, { has: () => false });
    const findings = await db.check();
    expect(findings.length).toBeGreaterThan(2);
    for (const finding of findings)
      expect(finding).toMatchObject({
        severity: 'corruption',
        file: 'collection reading',
        message: expect.stringMatching(/[0-9a-f]{16}.*documents/),
      });
    await db.close();
  });
});

it('are checked in slices, between which others have their turns', async () => {
  const db = await openOn(new MemoryVfs(), '/d');
  await fill(db.collection<Reading>('reading'), 0, 1000);
  let turns = 0;
  let isChecking = true;
  const turn = (): void => {
    turns++;
    if (isChecking) setImmediate(turn);
  };
  let nowMs = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => nowMs++);
  try {
    setImmediate(turn);
    expect(await db.check()).toEqual([]);
  } finally {
    isChecking = false;
    clock.mockRestore();
  }
  expect(turns).toBeGreaterThan(5);
  await db.close();
});

it('are checked until their database closes', async () => {
  for (const turnsBefore of [0, 4, 20]) {
    const db = await openOn(new MemoryVfs(), '/d');
    await fill(db.collection<Reading>('reading'), 0, 1000);
    let nowMs = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => nowMs++);
    try {
      const checking = db.check().catch((error: unknown) => error);
      for (let i = 0; i < turnsBefore; i++) await new Promise((resolve) => setImmediate(resolve));
      await db.close();
      expect(await checking).toMatchObject({ code: '57P01' });
    } finally {
      clock.mockRestore();
    }
  }
});
