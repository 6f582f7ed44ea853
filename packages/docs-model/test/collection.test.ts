import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Decimal, ObjectId, Uuid } from '../src/index.js';
import { type Harness, openHarness } from './harness.js';

let harness: Harness;

beforeEach(async () => {
  harness = await openHarness();
});

afterEach(() => harness.close());

describe('inserting', () => {
  it('makes ids, keeps what JSON lacks, and gives documents back as they were', async () => {
    const all = harness.collection('all');
    const document = {
      text: 'grün',
      number: 1.5,
      long: 9007199254740993n,
      decimal: Decimal.fromString('1.10'),
      when: new Date(1e12),
      bytes: new Uint8Array([1, 2]),
      uuid: new Uuid('00000000-0000-4000-8000-000000000001'),
      list: [1, [2, { a: null }]],
      nested: { b: true, a: false },
    };
    const { insertedId } = await all.insertOne(document);
    expect(insertedId).toBeInstanceOf(ObjectId);
    const found = await all.findOne({ _id: insertedId });
    expect(found).toEqual({ _id: insertedId, ...document });
    expect(Object.keys(found ?? {})).toEqual(['_id', ...Object.keys(document)]);
    expect(await all.findOne({ _id: String(insertedId) })).toBeNull();
  });

  it('inserts nothing where one of many is no document, and does not mind what becomes of the array', async () => {
    const c = harness.collection('c');
    for (const ordered of [true, false]) {
      for (const bad of [null, undefined, 'text', [1], new Date()]) {
        const many = [{ _id: 1 }, bad, { _id: 2 }] as unknown as { _id: number }[];
        await expect(c.insertMany(many, { ordered })).rejects.toMatchObject({ code: '22023' });
      }
    }
    expect(await c.countDocuments()).toBe(0);
    const many: { _id?: number }[] = [{ _id: 1 }, {}];
    const inserting = c.insertMany(many);
    many.length = 0;
    const { insertedCount, insertedIds } = await inserting;
    expect(insertedCount).toBe(2);
    expect(insertedIds).toEqual({ 0: 1, 1: expect.any(ObjectId) as ObjectId });
    expect(await c.findOne({ _id: insertedIds[1] })).toEqual({ _id: insertedIds[1] });
  });

  it('refuses a second document of an id, however the number is written', async () => {
    const c = harness.collection('c');
    await c.insertOne({ _id: 1 });
    for (const _id of [1, 1n, Decimal.fromString('1.0')]) {
      await expect(c.insertOne({ _id })).rejects.toMatchObject({ code: '23505', constraint: 'c_pkey' });
    }
    await expect(c.insertOne({ _id: [1] })).rejects.toMatchObject({ code: '22023' });
    await expect(c.insertOne({ _id: Number.NaN })).rejects.toMatchObject({ code: '22023' });
    await expect(c.insertOne([] as never)).rejects.toMatchObject({ code: '22023' });
  });

  it('inserts many ordered as all or none, unordered as those that fit', async () => {
    const c = harness.collection('c');
    await c.insertOne({ _id: 2 });
    const documents = [{ _id: 1 }, { _id: 2 }, { _id: 3 }];
    await expect(c.insertMany(documents)).rejects.toMatchObject({ code: '23505', index: 1 });
    expect(await c.countDocuments()).toBe(1);
    const result = await c.insertMany(documents, { ordered: false });
    expect(result.insertedCount).toBe(2);
    expect(result.insertedIds).toEqual({ 0: 1, 2: 3 });
    expect(result.writeErrors.map(({ index, error }) => [index, error.code])).toEqual([[1, '23505']]);
    expect(await c.find().toArray()).toEqual([{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
  });

  it('gives defined answers to bad input', async () => {
    const c = harness.collection('c');
    const refused = async (document: Record<string, unknown>, sqlState: string): Promise<void> => {
      await expect(c.insertOne(document)).rejects.toMatchObject({ code: sqlState });
    };
    await refused({ $set: 1 }, '22023');
    await refused({ a: { 'b.c': 1 } }, '22023');
    await refused({ a: '\ud800' }, '22021');
    await refused({ a: () => 1 }, '22023');
    await refused({ a: /x/ }, '22023');
    await refused({ a: 'x'.repeat(17 * 1024 * 1024) }, '54000');
    let deep: Record<string, unknown> = {};
    for (let i = 0; i < 100; i++) deep = { deep };
    await refused(deep, '54001');
    const { insertedId } = await c.insertOne({ a: undefined, b: [undefined], n: Number.NaN, z: -0 });
    expect(await c.findOne({ _id: insertedId })).toEqual({ _id: insertedId, b: [null], n: Number.NaN, z: -0 });
    await c.insertOne(
      JSON.parse('{"_id": 1, "__proto__": {"polluted": true}, "constructor": 5}') as Record<string, unknown>,
    );
    const proto = (await c.findOne({ _id: 1 })) as object;
    expect(Object.keys(proto)).toEqual(['_id', '__proto__', 'constructor']);
    expect((proto as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(await c.countDocuments({ constructor: { $exists: true } })).toBe(1);
    await c.insertOne({ _id: 2 });
    expect(await c.countDocuments({ toString: { $exists: true } })).toBe(0);
    expect(() => c.find({ a: undefined })).toThrow(expect.objectContaining({ code: '22023' }));
  });

  it('refuses names that no collection can have, and relations that are none', async () => {
    for (const name of ['', 'system.x', 'x'.repeat(64), 'a\0b']) {
      expect(() => harness.collection(name)).toThrow(expect.objectContaining({ code: '22023' }));
    }
    await harness.collection('c').insertOne({ _id: 1 });
    await expect(harness.collection('c_pkey').insertOne({})).rejects.toMatchObject({ code: '42809' });
  });
});

describe('finding', () => {
  const numbers = async (n: number): Promise<ReturnType<Harness['collection']>> => {
    const c = harness.collection('numbers');
    await c.insertMany(Array.from({ length: n }, (_, i) => ({ _id: i, mod: i % 7, half: i / 2, name: `n${i}` })));
    return c;
  };

  it('answers nothing where there is no collection', async () => {
    const c = harness.collection('nothing');
    expect(await c.find().toArray()).toEqual([]);
    expect(await c.findOne()).toBeNull();
    expect(await c.countDocuments()).toBe(0);
    expect((await c.find().explain()).documentsExamined).toBe(0);
  });

  it('sorts empty arrays before null and what is missing, with an index as without', async () => {
    const c = harness.collection('empty');
    await c.insertMany([{ _id: 1, a: null }, { _id: 2, a: [] }, { _id: 3, a: 0 }, { _id: 4 }, { _id: 5, a: [-1, 7] }]);
    const ids = async (direction: 1 | -1): Promise<unknown[]> =>
      (await c.find({}).sort({ a: direction, _id: 1 }).toArray()).map(({ _id }) => _id);
    for (let round = 0; round < 2; round++) {
      expect(await ids(1)).toEqual([2, 1, 4, 5, 3]);
      expect(await ids(-1)).toEqual([5, 3, 1, 4, 2]);
      await c.createIndex({ a: 1 });
    }
  });

  it('sorts, skips, limits and projects', async () => {
    const c = await numbers(100);
    const cursor = c.find({ mod: 3 }).sort({ half: -1 }).skip(1).limit(2).project({ name: 1, _id: 0 });
    expect(await cursor.toArray()).toEqual([{ name: 'n87' }, { name: 'n80' }]);
    expect(await c.find({ _id: { $gte: 97 } }, { sort: { _id: -1 } }).toArray()).toHaveLength(3);
    expect(
      await c.findOne(
        {},
        {
          sort: [
            ['mod', 1],
            ['_id', -1],
          ],
        },
      ),
    ).toMatchObject({ _id: 98 });
    expect(await c.countDocuments({ mod: 3 }, { skip: 2, limit: 5 })).toBe(5);
    expect(await c.distinct('mod', { _id: { $lt: 3 } })).toEqual([0, 1, 2]);
    expect(() => c.find({}, { limit: -1 })).toThrow(expect.objectContaining({ code: '22023' }));
    expect(() => c.find().sort({ a: 2 })).toThrow(expect.objectContaining({ code: '22023' }));
  });

  it('streams by batches and can be left', async () => {
    const c = await numbers(1000);
    const seen: unknown[] = [];
    const cursor = c.find();
    for await (const document of cursor) {
      seen.push(document);
      if (seen.length === 300) break;
    }
    expect(seen).toHaveLength(300);
    expect(() => cursor.sort({ a: 1 })).toThrow(expect.objectContaining({ code: '22023' }));
    expect(harness.mvcc.stats().live).toBe(0);
    const one = c.find({ _id: 5 });
    expect(await one.next()).toMatchObject({ _id: 5 });
    expect(await one.next()).toBeNull();
    expect(harness.mvcc.stats().live).toBe(0);
  });

  it('looks a document up by its id without a transaction', async () => {
    const c = await numbers(10);
    // In a turn that has lasted long look-ups wait for the next one, and then read in a snapshot.
    const inNewTurn = async (read: () => Promise<unknown>): Promise<unknown> => {
      await new Promise(setImmediate);
      const { begun } = harness.mvcc.stats();
      const found = read();
      expect(harness.mvcc.stats().begun).toBe(begun);
      return found;
    };
    expect(await inNewTurn(() => c.findOne({ _id: 5 }, { projection: { mod: 1 } }))).toEqual({ _id: 5, mod: 5 });
    expect(await inNewTurn(() => c.findOne({ _id: 10 }))).toBeNull();
    expect(await inNewTurn(() => harness.collection('absent').findOne({ _id: 1 }))).toBeNull();
    const tooLong = inNewTurn(() => c.findOne({ _id: 'x'.repeat(70_000) }));
    await expect(tooLong).rejects.toMatchObject({ code: '54000' });
  });

  it('reads one moment, whatever is written meanwhile', async () => {
    const c = await numbers(600);
    const cursor = c.find();
    expect(await cursor.next()).toMatchObject({ _id: 0 });
    await c.insertMany(Array.from({ length: 100 }, (_, i) => ({ _id: 1000 + i })));
    let rest = 0;
    for await (const _ of cursor) rest++;
    expect(rest).toBe(599);
  });

  it('finds by id with one look, by a range of ids in the space', async () => {
    const c = await numbers(500);
    expect(await c.find({ _id: 77, mod: 0 }).explain()).toMatchObject({
      stage: 'IDHACK',
      documentsExamined: 1,
      returned: 1,
    });
    expect(await c.find({ _id: { $in: [1, 2, 2, 9999, 'x'] } }).explain()).toMatchObject({ documentsExamined: 2 });
    expect(await c.find({ _id: { $gt: 10, $lte: 20 } }).explain()).toMatchObject({
      documentsExamined: 11,
      returned: 10,
    });
    expect(await c.find({}, { sort: { _id: -1 }, limit: 3 }).explain()).toMatchObject({
      sort: false,
      direction: 'backward',
      documentsExamined: 3,
    });
    await c.insertOne({ _id: 'text' });
    expect(await c.find({}, { sort: { _id: 1 }, limit: 3 }).explain()).toMatchObject({ sort: true });
  });
});

describe('what drivers offer besides', () => {
  it('cursors that look ahead, call back and change what they give', async () => {
    const c = harness.collection('c');
    await c.insertMany(Array.from({ length: 600 }, (_, i) => ({ _id: i })));
    const ahead = c.find().limit(3);
    expect([await ahead.hasNext(), await ahead.hasNext()]).toEqual([true, true]);
    expect(await ahead.next()).toEqual({ _id: 0 });
    expect(await ahead.hasNext()).toBe(true);
    expect(await ahead.toArray()).toEqual([{ _id: 1 }, { _id: 2 }]);
    expect([await ahead.hasNext(), await ahead.next()]).toEqual([false, null]);
    expect(await harness.collection('none').find().hasNext()).toBe(false);

    const met: unknown[] = [];
    await c.find().forEach(({ _id }) => void met.push(_id));
    expect(met).toHaveLength(600);
    await c.find().forEach(async ({ _id }) => (met.push(_id), met.length < 602));
    expect(met.slice(600)).toEqual([0, 1]);

    const twice = c.find({ _id: { $gte: 598 } }).map(({ _id }) => Number(_id) * 2);
    expect(await twice.toArray()).toEqual([1196, 1198]);
    const sorted = c.aggregate([{ $sort: { _id: -1 } }, { $limit: 2 }]).map(({ _id }) => _id);
    for await (const id of sorted) met.push(id);
    expect(met.slice(602)).toEqual([599, 598]);
    const source = c.find();
    source.map(String);
    expect(() => source.limit(1)).toThrow(expect.objectContaining({ code: '22023' }));
    expect(harness.mvcc.stats().live).toBe(0);
  });

  it('several indexes at once, and a list of them', async () => {
    const c = harness.collection('c');
    await c.insertMany([
      { a: 1, b: 1 },
      { a: 2, b: 1 },
    ]);
    const names = await c.createIndexes([
      { key: { a: 1 }, unique: true },
      { key: { b: -1, a: 1 }, name: 'both' },
    ]);
    expect(names).toEqual(['c_a_1', 'both']);
    expect((await c.listIndexes().toArray()).map(({ name }) => name)).toEqual(['_id_', 'c_a_1', 'both']);
    expect(await c.find({ b: 1 }).explain()).toMatchObject({ index: 'both' });
    const wrong = c.createIndexes([{ key: { x: 1 } }, { key: { b: 1 }, unique: true }]);
    await expect(wrong).rejects.toMatchObject({ code: '23505' });
    await expect(c.createIndexes([{ key: { x: 1 }, uniqe: true } as never])).rejects.toMatchObject({ code: '22023' });
    expect(await c.indexes()).toHaveLength(3);
    await c.dropIndexes();
    expect((await c.indexes()).map(({ name }) => name)).toEqual(['_id_']);
    await harness.collection('none').dropIndexes();
    expect(await harness.collection('none').listIndexes().toArray()).toEqual([]);
  });

  it('an estimate of how many documents there are', async () => {
    const c = harness.collection('c');
    expect(await c.estimatedDocumentCount()).toBe(0);
    await c.insertMany(Array.from({ length: 1000 }, (_, i) => ({ _id: i })));
    const estimate = await c.estimatedDocumentCount();
    expect(estimate).toBeGreaterThan(500);
    expect(estimate).toBeLessThan(2000);
    await expect(c.estimatedDocumentCount({ limit: 1 } as never)).rejects.toMatchObject({ code: '22023' });
  });
});
