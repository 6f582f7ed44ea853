/** What queries and pipelines hold is counted in bytes: refused past the limit by the stage's name, and given back however they end. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MemoryBudget, MemoryPool } from '@phantom/base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Collection, DocumentModel, openCollection } from '../src/index.js';
import { type Harness, openHarness } from './harness.js';

type Any = Record<string, unknown>;

const LIMIT_BYTES = 1_000_000;
const DOCUMENTS = 30;
/** Of a document: all of them together are twice the limit. */
const TEXT_CHARS = 70_000;

let harness: Harness;
let pool: MemoryPool;
let c: Collection<Any>;

beforeAll(async () => {
  harness = await openHarness();
  pool = new MemoryPool(4 * LIMIT_BYTES);
  const memory = (): MemoryBudget => new MemoryBudget(LIMIT_BYTES, pool);
  c = openCollection<Any>(new DocumentModel({ ...harness.model.ports, memory }), 'large');
  const text = (i: number): string => String.fromCharCode(97 + (i % 26)).repeat(TEXT_CHARS);
  const documents = Array.from({ length: DOCUMENTS }, (_, i) => ({
    _id: i,
    group: i % 2,
    rank: -i,
    one: 1,
    text: text(i) + i,
  }));
  await c.insertMany(documents);
});

afterAll(() => harness.close());

const FROM_LARGE = { $lookup: { from: 'large', localField: 'one', foreignField: 'one', as: 'all' } };
const refused: readonly (readonly [string, readonly Any[]])[] = [
  ['a sort', [{ $sort: { rank: 1 } }]],
  ['$sort', [{ $set: { a: 1 } }, { $sort: { rank: 1 } }]],
  ['$group', [{ $group: { _id: null, all: { $push: '$$ROOT' } } }]],
  ['$group', [{ $group: { _id: null, all: { $addToSet: '$text' } } }]],
  ['$group', [{ $group: { _id: '$text' } }]],
  ['$group', [{ $group: { _id: '$_id', last: { $last: '$$ROOT' } } }]],
  ['$group', [{ $group: { _id: 1, top: { $topN: { n: 25, sortBy: { rank: 1 }, output: '$text' } } } }]],
  ['$group', [{ $group: { _id: 1, least: { $minN: { n: 25, input: '$text' } } } }]],
  ['$group', [{ $set: { o: [['$_id', '$text']] } }, { $group: { _id: 1, o: { $push: { a: '$text' } } } }]],
  ['$bucket', [{ $bucket: { groupBy: '$_id', boundaries: [0, 99], output: { all: { $push: '$text' } } } }]],
  ['$bucketAuto', [{ $bucketAuto: { groupBy: '$_id', buckets: 3 } }]],
  ['$sample', [{ $sample: { size: 29 } }]],
  ['$facet', [{ $facet: { count: [{ $count: 'n' }] } }]],
  ['$lookup', [FROM_LARGE]],
  ['$lookup', [{ $lookup: { from: 'large', let: { x: 1 }, pipeline: [], as: 'all' } }]],
  ['$lookup', [{ $lookup: { from: 'large', pipeline: [], as: 'all' } }]],
  [
    '$graphLookup',
    [{ $graphLookup: { from: 'large', startWith: '$one', connectFromField: 'one', connectToField: 'one', as: 'all' } }],
  ],
  ['$out', [{ $out: 'copy' }]],
  ['$merge', [{ $merge: 'copy' }]],
];

describe('what stages hold', () => {
  it.each(refused)('is refused past the limit, by the name of %s', async (stage, pipeline) => {
    const running = c.aggregate(pipeline).toArray();
    await expect(running).rejects.toMatchObject({
      code: '53200',
      message: `the query needs more than ${LIMIT_BYTES} bytes of working memory (in ${stage})`,
      hint: expect.stringContaining('memoryLimitBytes'),
    });
    expect(pool.usedBytes).toBe(0);
  });

  it('is as much as they hold at a time, not as much as passes', async () => {
    const few = { $project: { group: 1, rank: 1, one: 1 } };
    expect(await c.aggregate([{ $set: { x: '$text' } }, { $unset: 'x' }, { $skip: 1 }]).toArray()).toHaveLength(29);
    expect((await c.aggregate([few, { $sort: { rank: 1 } }, { $limit: 1 }]).toArray())[0]).toMatchObject({ _id: 29 });
    const last = {
      _id: '$group',
      last: { $last: '$text' },
      most: { $max: '$text' },
      n: { $lastN: { n: 1, input: '$text' } },
    };
    expect(await c.aggregate([{ $group: last }]).toArray()).toHaveLength(2);
    const merged = { _id: 1, all: { $mergeObjects: '$$ROOT' } };
    expect(await c.aggregate([{ $group: merged }]).toArray()).toHaveLength(1);
    const joined = { $lookup: { from: 'large', localField: '_id', foreignField: '_id', as: 'own' } };
    expect(await c.aggregate([{ $match: { _id: { $lt: 5 } } }, joined, { $unset: 'own.text' }]).toArray()).toHaveLength(
      5,
    );
    const again = {
      $lookup: {
        from: 'large',
        let: { id: '$_id' },
        pipeline: [{ $match: { $expr: { $eq: ['$_id', '$$id'] } } }],
        as: 'own',
      },
    };
    expect(await c.aggregate([{ $limit: 5 }, again, { $project: { n: { $size: '$own' } } }]).toArray()).toHaveLength(5);
    expect(pool.usedBytes).toBe(0);
  });

  it('is counted by finds and distinct, too', async () => {
    await expect(c.find().sort({ rank: 1 }).toArray()).rejects.toMatchObject({ code: '53200' });
    await expect(c.distinct('text')).rejects.toMatchObject({
      code: '53200',
      message: expect.stringContaining('(in distinct)'),
    });
    expect(pool.usedBytes).toBe(0);
    expect((await c.find().sort({ rank: 1 }).limit(3).toArray()).map(({ _id }) => _id)).toEqual([29, 28, 27]);
    expect(await c.distinct('group')).toEqual([0, 1]);
    expect(await c.find().toArray()).toHaveLength(DOCUMENTS);
    expect(pool.usedBytes).toBe(0);
  });
});

describe('what a cursor holds', () => {
  const pipeline = [{ $limit: 9 }, { $set: { a: 1 } }, { $sort: { rank: 1 } }];

  it('comes back when it is read to its end, left, closed and refused', async () => {
    for await (const document of c.aggregate(pipeline)) {
      expect(document['_id']).toBe(8);
      expect(pool.usedBytes).toBeGreaterThan(8 * TEXT_CHARS);
      break;
    }
    await new Promise(setImmediate);
    expect(pool.usedBytes).toBe(0);
    const cursor = c.find({ _id: { $lt: 9 } }).sort({ rank: 1 });
    expect(await cursor.hasNext()).toBe(true);
    expect(pool.usedBytes).toBeGreaterThan(8 * TEXT_CHARS);
    cursor.close();
    expect(pool.usedBytes).toBe(0);
    expect(await c.aggregate(pipeline).toArray()).toHaveLength(9);
    expect(pool.usedBytes).toBe(0);
  });

  it('is refused where others have it all', async () => {
    const open = Array.from({ length: 6 }, () => c.aggregate(pipeline));
    for (const cursor of open) await cursor.next();
    await expect(c.aggregate([...pipeline, { $count: 'n' }]).toArray()).rejects.toMatchObject({
      code: '53200',
      message: expect.stringContaining('all queries together'),
    });
    for (const cursor of open) cursor.close();
    await new Promise(setImmediate);
    expect(pool.usedBytes).toBe(0);
  });

  it('comes back when nobody knows the cursor any more', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const leave = async (): Promise<void> => {
      for (const cursor of [c.aggregate(pipeline), c.find({ _id: { $lt: 9 } }).sort({ rank: 1 })]) await cursor.next();
    };
    await leave();
    expect(pool.usedBytes).toBeGreaterThan(16 * TEXT_CHARS);
    for (let turn = 0; turn < 50 && pool.usedBytes > 0; turn++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(pool.usedBytes).toBe(0);
  });
});

it('large documents come in small batches, and those that one becomes do, too', async () => {
  const big = harness.collection<Any>('big');
  await big.insertMany(Array.from({ length: 4 }, (_, i) => ({ _id: i, text: 'x'.repeat(3_000_000) })));
  const items = harness.collection<Any>('items');
  await items.insertOne({ _id: 1, list: Array.from({ length: 2500 }, (_, i) => i) });
  expect(await big.find().toArray()).toHaveLength(4);
  expect(await big.find().sort({ _id: -1 }).toArray()).toHaveLength(4);
  const unwound = await items.aggregate([{ $unwind: '$list' }]).toArray();
  expect(unwound.map(({ list }) => list)).toEqual(Array.from({ length: 2500 }, (_, i) => i));
});
