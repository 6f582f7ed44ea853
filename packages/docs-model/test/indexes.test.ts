/** Indexes: what is in them, what is used, and that no answer depends on them. */
import { ByteSlot, SPACE_BYTES, prefixRange } from '@phantom/kv';
import { SeenRows } from '../src/seen-rows.js';
import { ManualClock } from '@phantom/base';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compileFilter } from '../src/filter/filter.js';
import { type Collection, type Filter, type IndexKeys, type IndexOptions, expireDocuments } from '../src/index.js';
import { compareValues } from '../src/order.js';
import { Sorter, parseSort } from '../src/sort.js';
import { document, filter } from './arbitraries.js';
import { type Harness, openHarness } from './harness.js';
import { runs } from './oracle.js';

let harness: Harness;
let clock: ManualClock;

beforeEach(async () => {
  clock = new ManualClock(1e12);
  harness = await openHarness(clock);
});

afterEach(() => harness.close());

const many = async (n = 1000): Promise<Collection<Record<string, unknown>>> => {
  const c = harness.collection('c');
  await c.insertMany(
    Array.from({ length: n }, (_, i) => ({
      _id: i,
      a: i % 10,
      b: i,
      t: `name${i}`,
      tags: [i % 3, `x${i % 5}`],
      o: { k: i % 7 },
    })),
  );
  return c;
};

/** What lies in the index of a collection that has one, without the number of its space. */
async function entriesOf(name: string): Promise<string[]> {
  const { transaction, release } = await harness.model.openRead(undefined);
  const [index] = harness.model.find(transaction, name)?.indexes ?? [];
  const cursor = transaction.storage.cursor(prefixRange(index?.prefix ?? new Uint8Array()));
  const entries: string[] = [];
  while (cursor.next()) {
    const key = Buffer.from(cursor.key.copy()).toString('hex', SPACE_BYTES);
    entries.push(`${key} ${Buffer.from(cursor.value.copy()).toString('hex')}`);
  }
  cursor.close();
  release();
  return entries;
}

describe('the planner', () => {
  it('uses an index for equality, ranges, prefixes and points, and looks at no more than it must', async () => {
    const c = await many();
    await c.createIndex({ b: 1 });
    await c.createIndex({ t: -1 });
    const used = { stage: 'IXSCAN', index: 'c_b_1', sort: false };
    expect(await c.find({ b: 5 }).explain()).toMatchObject({ ...used, keysExamined: 1, documentsExamined: 1 });
    expect(await c.find({ b: { $gte: 5, $lt: 15 } }).explain()).toMatchObject({
      ...used,
      keysExamined: 10,
      returned: 10,
    });
    expect(await c.find({ b: { $in: [1, 3, 3, 5000] } }).explain()).toMatchObject({ ...used, keysExamined: 2 });
    expect(await c.find({ t: /^name99/ }).explain()).toMatchObject({
      index: 'c_t_-1',
      documentsExamined: 11,
      returned: 11,
    });
    expect(await c.find({ t: { $gt: 'name99' } }).explain()).toMatchObject({ index: 'c_t_-1', returned: 10 });
    expect(await c.find({ a: 5 }).explain()).toMatchObject({ stage: 'COLLSCAN', documentsExamined: 1000 });
    expect(await c.find({ b: 5 }, { hint: '$natural' }).explain()).toMatchObject({ stage: 'COLLSCAN', returned: 1 });
    await expect(c.find({ a: 1 }, { hint: 'nothing' }).toArray()).rejects.toMatchObject({ code: '22023' });
  });

  it('takes the order of an index, both ways, behind equal parts', async () => {
    const c = await many();
    await c.createIndex({ a: 1, b: -1 });
    const up = { index: 'c_a_1_b_-1', sort: false };
    expect(await c.find({ a: 3 }, { sort: { b: -1 }, limit: 2 }).explain()).toMatchObject({
      ...up,
      documentsExamined: 2,
    });
    expect(await c.find({ a: 3 }, { sort: { b: 1 }, limit: 2 }).explain()).toMatchObject({
      ...up,
      direction: 'backward',
    });
    expect(await c.find({}, { sort: { a: -1, b: 1 }, limit: 5 }).explain()).toMatchObject({
      ...up,
      documentsExamined: 5,
    });
    expect(await c.find({}, { sort: { a: 1, b: 1 }, limit: 5 }).explain()).toMatchObject({ sort: true });
    expect(await c.find({ a: 3 }, { sort: { b: 1 }, limit: 2 }).toArray()).toMatchObject([{ b: 3 }, { b: 13 }]);
  });

  it('answers $or by an index for each part', async () => {
    const c = await many();
    await c.createIndex({ b: 1 });
    await c.createIndex({ 'o.k': 1, a: 1 });
    const explanation = await c.find({ $or: [{ b: 5 }, { _id: 5 }, { b: { $gt: 997 } }] }).explain();
    expect(explanation).toMatchObject({ stage: 'OR', indexes: ['c_b_1', '_id_', 'c_b_1'], returned: 3 });
    expect(await c.find({ $or: [{ b: 5 }, { tags: 1 }] }).explain()).toMatchObject({ stage: 'COLLSCAN' });
  });

  it('finds elements of arrays, each document once, and trusts one bound alone', async () => {
    const c = await many(100);
    await c.createIndex({ tags: 1 });
    const hinted = c.find({ tags: { $in: [1, 'x1'] } }, { hint: 'c_tags_1' });
    expect(await hinted.explain()).toMatchObject({ index: 'c_tags_1', multikey: true, keysExamined: 53 });
    expect(await hinted.toArray()).toHaveLength(46);
    await c.insertOne({ _id: 'r', tags: [-5, 50] });
    expect(await c.find({ tags: { $gt: 10, $lt: 0 } }).toArray()).toMatchObject([{ _id: 'r' }]);
    expect((await c.find({}, { sort: { tags: 1 } }).explain()).sort).toBe(true);
    await expect(c.createIndex({ tags: 1, x: 1 }).then(() => c.insertOne({ tags: [1], x: [2] }))).rejects.toMatchObject(
      {
        code: '0A000',
      },
    );
  });

  it('is led by the rarest of the values that an array must have', async () => {
    const c = harness.collection('tagged');
    await c.createIndex({ tags: 1 });
    await c.insertMany(Array.from({ length: 300 }, (_, i) => ({ tags: ['all', `few${i % 50}`, 'x'] })));
    expect(await c.find({ tags: { $all: ['all', 'x', 'few7'] } }).explain()).toMatchObject({
      stage: 'IXSCAN',
      documentsExamined: 6,
      returned: 6,
    });
  });

  it('uses partial and sparse indexes only where they hold the answer', async () => {
    const c = await many();
    await c.createIndex({ b: 1 }, { name: 'late', partialFilterExpression: { b: { $gte: 900 } } });
    await c.createIndex({ rare: 1 }, { sparse: true });
    await c.insertOne({ _id: 'rare', rare: 1 });
    expect(await c.find({ b: 950 }).explain()).toMatchObject({ index: 'late', documentsExamined: 1 });
    expect(await c.find({ b: { $gt: 990 } }).explain()).toMatchObject({ index: 'late', documentsExamined: 9 });
    expect(await c.find({ b: 5 }).explain()).toMatchObject({ stage: 'COLLSCAN', returned: 1 });
    expect(await c.find({ b: { $gt: 899 } }).explain()).toMatchObject({ stage: 'COLLSCAN' });
    expect(await c.find({ rare: { $exists: true } }).explain()).toMatchObject({
      index: 'c_rare_1',
      documentsExamined: 1,
    });
    expect(await c.find({ rare: null }).explain()).toMatchObject({ stage: 'COLLSCAN', returned: 1000 });
  });

  it('uses a wildcard for any path', async () => {
    const c = await many();
    await c.createIndex({ '$**': 1 });
    expect(await c.find({ 'o.k': 3, b: 10 }).explain()).toMatchObject({ stage: 'IXSCAN', documentsExamined: 1 });
    expect(await c.find({ tags: 'x3' }).explain()).toMatchObject({ stage: 'IXSCAN', returned: 200 });
    expect(await c.find({ t: { $gte: 'name998' } }).explain()).toMatchObject({ documentsExamined: 2 });
    expect(await c.find({ nothing: null }).explain()).toMatchObject({ stage: 'COLLSCAN' });
  });

  it('searches words', async () => {
    const c = harness.collection('texts');
    await c.createIndex({ title: 'text', body: 'text' }, { weights: { title: 10 } });
    await c.insertMany([
      { _id: 1, title: 'Running databases', body: 'A log and two trees.' },
      { _id: 2, title: 'Trees', body: 'The run of a database; Cafés.' },
      { _id: 3, title: 'Other', body: 'Nothing here.' },
    ]);
    const search = async (text: string): Promise<unknown[]> =>
      (await c.find({ $text: { $search: text } }, { sort: { score: { $meta: 'textScore' } } }).toArray()).map(
        ({ _id }) => _id,
      );
    expect(await search('run')).toEqual([1, 2]);
    expect(await search('trees')).toEqual([2, 1]);
    expect(await search('databases -café')).toEqual([1]);
    expect(await search('"two trees" nothing')).toEqual([1]);
    expect(await search('cafe')).toEqual([2]);
    const score = { $meta: 'textScore' };
    const shown = (projection: Record<string, unknown>): Promise<unknown> =>
      c.findOne({ $text: { $search: 'café' } }, { projection });
    const stored = await c.findOne({ _id: 2 });
    const fit = expect.closeTo(1, 0) as number;
    expect(await shown({ score })).toEqual({ ...stored, score: fit });
    expect(await shown({ score, body: 0 })).toEqual({ _id: 2, title: 'Trees', score: fit });
    expect(await shown({ body: 0, score, _id: 0 })).toEqual({ title: 'Trees', score: fit });
    expect(await shown({ score, title: 1 })).toEqual({ _id: 2, title: 'Trees', score: fit });
    expect(await shown({ score, _id: 1 })).toEqual({ _id: 2, score: fit });
    const project = [{ $match: { $text: { $search: 'café' } } }, { $project: { score } }];
    expect(await c.aggregate(project).toArray()).toEqual([{ _id: 2, score: fit }]);
    expect(await c.find({ $text: { $search: 'run' } }).explain()).toMatchObject({
      stage: 'TEXT',
      documentsExamined: 2,
    });
    await expect(
      harness
        .collection('texts2')
        .insertOne({})
        .then(() => harness.collection('texts2').findOne({ $text: { $search: 'x' } })),
    ).rejects.toMatchObject({ code: '22023' });
  });
});

describe('an index', () => {
  it('keeps values unique, also when it is made, also against others', async () => {
    const c = await many(20);
    await c.createIndex({ b: 1 }, { unique: true });
    await expect(c.insertOne({ b: 5 })).rejects.toMatchObject({ code: '23505', constraint: 'c_b_1' });
    await expect(c.updateOne({ _id: 1 }, { $set: { b: 2 } })).rejects.toMatchObject({ code: '23505' });
    expect(await c.updateOne({ _id: 1 }, { $set: { b: 1, z: 1 } })).toMatchObject({ modifiedCount: 1 });
    await c.insertOne({ x: 1 });
    await expect(c.insertOne({ x: 2 })).rejects.toMatchObject({ code: '23505' });
    await expect(c.createIndex({ a: 1 }, { unique: true })).rejects.toMatchObject({ code: '23505' });
    expect((await c.indexes()).map(({ name }) => name)).toEqual(['_id_', 'c_b_1']);
    const racing = await Promise.allSettled([1, 2, 3].map(() => c.insertOne({ b: 100 })));
    expect(racing.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await c.deleteOne({ b: 5 });
    await c.insertOne({ b: 5 });
  });

  it('has the entries of documents that were inserted together, of those that failed none', async () => {
    const c = harness.collection('c');
    await c.createIndex({ a: 1 });
    await c.createIndex({ 'o.k': 1, a: -1 }, { sparse: true });
    await c.createIndex({ b: 1 }, { partialFilterExpression: { a: { $gt: 2 } } });
    const { writeErrors } = await c.insertMany(
      [
        { _id: 1, a: 3, b: 1 },
        { _id: 2, a: [1, 3], o: { k: 5 }, b: 1 },
        { _id: 1, a: 3, b: 1 },
        { _id: 3, a: 'x'.repeat(5000), b: 1 },
        { _id: 4, a: 2, b: 1 },
        { _id: 5, o: { k: [5, 6] } },
      ],
      { ordered: false },
    );
    expect(writeErrors.map(({ index, error }) => [index, error.code])).toEqual([
      [2, '23505'],
      [3, '54000'],
    ]);
    const found = async (filter: Filter<Record<string, unknown>>, index: string): Promise<unknown[]> => {
      const cursor = c.find(filter, { hint: index });
      return (await cursor.toArray()).map(({ _id }) => _id);
    };
    expect(await found({ a: 3 }, 'c_a_1')).toEqual([1, 2]);
    expect(await found({ a: { $gte: 1 } }, 'c_a_1')).toEqual([2, 4, 1]);
    expect(await found({ a: null }, 'c_a_1')).toEqual([5]);
    expect(await found({ 'o.k': 5 }, 'c_o.k_1_a_-1')).toEqual([2, 5]);
    expect(await found({ b: 1, a: { $gt: 2 } }, 'c_b_1')).toEqual([1, 2]);
  });

  it('has the same entries whether it is made before the documents or after them', async () => {
    const documents = Array.from({ length: 200 }, (_, i) => ({
      _id: (i * 77) % 200,
      name: `n${i % 13}`,
      o: { k: i % 3 === 0 ? [i % 5, 7, i % 5] : i },
      ...(i % 4 === 0 ? { rare: i % 2 === 0 ? null : [] } : {}),
      words: `the ${i % 3} quick brown ${i}`,
    }));
    const kinds: [IndexKeys, IndexOptions][] = [
      [{ name: 1, _id: -1 }, {}],
      [{ 'o.k': -1, name: 1 }, {}],
      [{ rare: 1 }, { sparse: true }],
      [{ name: 1 }, { partialFilterExpression: { 'o.k': { $gt: 4 } } }],
      [{ _id: 1, 'o.k': 1 }, { unique: true }],
      [{ '$**': 1 }, {}],
      [{ words: 'text' }, { weights: { words: 3 } }],
    ];
    for (const [keys, options] of kinds) {
      const [before, after] = [harness.collection('c1'), harness.collection('c2')];
      await before.createIndex(keys, { ...options, name: 'i1' });
      await before.insertMany(documents);
      await after.insertMany(documents);
      await after.createIndex(keys, { ...options, name: 'i2' });
      const entries = await entriesOf('c2');
      expect(entries).toEqual(await entriesOf('c1'));
      expect(entries.length).toBeGreaterThan(49);
      await Promise.all([before.drop(), after.drop()]);
    }
  });

  it('is not made where two of many documents have one key, and then made when they have not', async () => {
    const c = harness.collection('c');
    await c.insertMany(Array.from({ length: 3000 }, (_, i) => ({ _id: i, a: i === 2990 ? 14 : (i * 7) % 5000 })));
    const made = c.createIndex({ a: 1 }, { unique: true });
    await expect(made).rejects.toMatchObject({ code: '23505', constraint: 'c_a_1' });
    await c.deleteOne({ _id: 2990 });
    await c.createIndex({ a: 1 }, { unique: true });
    expect(await c.find({ a: 14 }).explain()).toMatchObject({ index: 'c_a_1', documentsExamined: 1 });
    await expect(c.insertOne({ a: 14 })).rejects.toMatchObject({ code: '23505' });
  });

  it('is told of, made once, and dropped', async () => {
    const c = await many(10);
    const partial = { b: { $gt: 5 } };
    await c.createIndex({ a: 1, b: -1 }, { sparse: true, partialFilterExpression: partial });
    await c.createIndex({ a: 1, b: -1 }, { sparse: true, partialFilterExpression: partial });
    await expect(c.createIndex({ a: 1, b: -1 })).rejects.toMatchObject({ code: '42P07' });
    expect(await c.indexes()).toEqual([
      { name: '_id_', keys: { _id: 1 }, unique: true, sparse: false },
      { name: 'c_a_1_b_-1', keys: { a: 1, b: -1 }, unique: false, sparse: true, partialFilterExpression: partial },
    ]);
    await c.dropIndex('c_a_1_b_-1');
    expect(await c.indexes()).toHaveLength(1);
    await expect(c.dropIndex('nothing')).rejects.toMatchObject({ code: '42704' });
    expect(await c.drop()).toBe(true);
    expect(await c.drop()).toBe(false);
    expect(await c.indexes()).toEqual([]);
  });

  it('refuses what it cannot be', async () => {
    const c = harness.collection('c');
    const refused = async (keys: object, options: object, sqlState: string): Promise<void> => {
      await expect(c.createIndex(keys as IndexKeys, options as IndexOptions)).rejects.toMatchObject({ code: sqlState });
    };
    await refused({}, {}, '22023');
    await refused({ a: 2 }, {}, '22023');
    await refused({ a: '2dsphere' }, {}, '0A000');
    await refused({ a: 1, b: 'text' }, {}, '22023');
    await refused({ '$**': 1, a: 1 }, {}, '0A000');
    await refused({ '$**': 1 }, { unique: true }, '22023');
    await refused({ a: 1, b: 1 }, { expireAfterSeconds: 1 }, '22023');
    await refused({ a: 1 }, { expireAfterSeconds: -1 }, '22023');
    await refused({ a: 1 }, { weights: { a: 1 } }, '22023');
    await refused({ a: 1 }, { collation: {} }, '0A000');
    await refused({ a: 1 }, { partialFilterExpression: { a: { $ne: 1 } } }, '0A000');
    await refused({ a: 1 }, { partialFilterExpression: { a: { $exists: false } } }, '0A000');
    await refused({ 'a..b': 1 }, {}, '22023');
  });

  it('lets documents expire', async () => {
    const c = harness.collection('sessions');
    await c.createIndex({ at: 1 }, { expireAfterSeconds: 60 });
    await c.insertMany([
      { _id: 1, at: new Date(1e12 - 61_000) },
      { _id: 2, at: new Date(1e12 - 59_000) },
      { _id: 3, at: 'never' },
      { _id: 4, at: [new Date(1e12), new Date(0)] },
      { _id: 5 },
    ]);
    expect(await expireDocuments(harness.model)).toBe(2);
    expect((await c.find().toArray()).map(({ _id }) => _id)).toEqual([2, 3, 5]);
    clock.advance(2000);
    expect(await expireDocuments(harness.model)).toBe(1);
  });
});

describe('an answer', () => {
  const sets: readonly (readonly [IndexKeys, IndexOptions?])[][] = [
    [[{ a: 1 }], [{ b: -1 }], [{ 'a.b': 1 }]],
    [[{ a: 1, b: -1 }], [{ c: -1, a: 1 }], [{ 'b.a': -1 }, { sparse: true }]],
    [[{ '$**': 1 }], [{ a: -1 }, { sparse: true }], [{ c: 1 }, { partialFilterExpression: { c: { $gt: 0 } } }]],
  ];
  const sorts = fc.constantFrom<Record<string, 1 | -1>>(
    {},
    { a: 1 },
    { a: -1, b: 1 },
    { c: 1 },
    { b: -1 },
    { _id: -1 },
  );

  for (const [i, set] of sets.entries()) {
    it(`is the same with indexes as without: set ${i + 1}`, async () => {
      let round = 0;
      let indexed = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(document, { minLength: 5, maxLength: 25 }),
          fc.array(fc.tuple(filter, sorts), { minLength: 12, maxLength: 12 }),
          async (documents, queries) => {
            const c = harness.collection(`r${i}_${round++}`);
            for (const [keys, options] of set) await c.createIndex(keys, options);
            const { writeErrors } = await c.insertMany(
              documents.map((one, _id) => ({ ...one, _id })),
              { ordered: false },
            );
            for (const { error } of writeErrors) expect(error.code).toBe('0A000');
            await c.updateMany({ a: { $type: 'number' } }, { $set: { a: 2 }, $unset: { c: 1 } });
            await c.deleteMany({ b: true });
            const all = await c.find({}, { hint: '$natural' }).toArray();
            for (const [query, sort] of queries) {
              const sorter = new Sorter(parseSort(sort));
              const { matches } = compileFilter(query);
              const expected = all.filter((one) => matches(one));
              const cursor = c.find(query, { sort });
              const found = await cursor.toArray();
              const byId = (a: Record<string, unknown>, b: Record<string, unknown>): number =>
                compareValues(a['_id'], b['_id']);
              expect([...found].sort(byId)).toEqual(expected);
              const keys = found.map((one) => sorter.keyOf(one));
              for (let k = 1; k < keys.length; k++)
                expect(sorter.compare(keys[k - 1] ?? [], keys[k] ?? [])).toBeLessThanOrEqual(0);
              const explanation = await c.find(query, { sort, hint: undefined as never }).explain();
              if (explanation.stage === 'IXSCAN' || explanation.stage === 'OR') indexed++;
            }
            await c.drop();
          },
        ),
        runs(25, 20 + i),
      );
      expect(indexed).toBeGreaterThan(20);
    });
  }
});

it('remembers what it handed out up to a limit', () => {
  const seen = new SeenRows(10);
  const slot = new ByteSlot();
  const look = (text: string): boolean => {
    slot.set(Buffer.from(text), 0, text.length);
    return seen.isNew(slot);
  };
  expect(['abc', 'abc', 'abcdef'].map(look)).toEqual([true, false, true]);
  expect(() => look('gh')).toThrow(expect.objectContaining({ code: '53200' }));
});
