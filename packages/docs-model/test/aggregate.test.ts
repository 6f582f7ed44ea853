/** Pipelines: cases, and mingo's answers over random documents. */
import fc from 'fast-check';
import { aggregate as mingoAggregate } from 'mingo';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compareValues } from '../src/order.js';
import { document, filter } from './arbitraries.js';
import { type Harness, openHarness } from './harness.js';
import { runs } from './oracle.js';

/** Fields by name, so that their order does not decide the documents' order. */
const plain = (value: unknown): unknown =>
  Object.fromEntries(Object.entries(value as object).sort(([a], [b]) => (a < b ? -1 : 1)));

describe('a pipeline', () => {
  it('explains how its collection was asked, and does not run what comes behind', async () => {
    const sales = harness.collection('sales');
    await sales.createIndex({ item: 1 });
    const pipeline = [{ $match: { item: 'a' } }, { $group: { _id: '$item', n: { $sum: '$n' } } }, { $out: 'sums' }];
    expect(await sales.aggregate(pipeline).explain()).toMatchObject({
      stage: 'IXSCAN',
      index: 'sales_item_1',
      keysExamined: 2,
      documentsExamined: 2,
      returned: 2,
      stagesBehind: ['$group', '$out'],
    });
    expect(await harness.collection('sums').countDocuments()).toBe(0);
    expect(await sales.aggregate([{ $sort: { n: 1 } }, { $limit: 2 }]).explain()).toMatchObject({
      stage: 'COLLSCAN',
      sort: true,
      stagesBehind: [],
    });
    expect(await harness.collection('none').aggregate([]).explain()).toMatchObject({ returned: 0 });
    await expect(sales.aggregate('x' as never).explain()).rejects.toMatchObject({ code: '22023' });
  });

  let harness: Harness;

  beforeEach(async () => {
    harness = await openHarness();
    await harness.collection('sales').insertMany([
      { _id: 1, item: 'a', n: 2, price: 10, tags: ['x', 'y'], at: new Date(0) },
      { _id: 2, item: 'b', n: 1, price: 20, tags: ['y'], at: new Date(1) },
      { _id: 3, item: 'a', n: 5, price: 5, tags: [], at: new Date(2) },
      { _id: 4, item: 'c', n: 3, price: 7, at: new Date(3) },
    ]);
    await harness.collection('items').insertMany([
      { _id: 'a', name: 'Apple', kinds: ['x'] },
      { _id: 'b', name: 'Bread', kinds: ['y', 'x'] },
    ]);
  });

  afterEach(() => harness.close());

  const run = (pipeline: readonly Record<string, unknown>[]): Promise<Record<string, unknown>[]> =>
    harness.collection('sales').aggregate(pipeline).toArray();

  it('matches, groups and sorts', async () => {
    expect(
      await run([
        { $match: { n: { $gte: 1 } } },
        {
          $group: {
            _id: '$item',
            total: { $sum: { $multiply: ['$n', '$price'] } },
            ids: { $push: '$_id' },
            count: { $count: {} },
          },
        },
        { $sort: { _id: 1 } },
      ]),
    ).toEqual([
      { _id: 'a', total: 45, ids: [1, 3], count: 2 },
      { _id: 'b', total: 20, ids: [2], count: 1 },
      { _id: 'c', total: 21, ids: [4], count: 1 },
    ]);
  });

  it('knows every accumulator', async () => {
    const [all] = await run([
      { $sort: { _id: 1 } },
      {
        $group: {
          _id: null,
          avg: { $avg: '$n' },
          min: { $min: '$price' },
          max: { $max: '$price' },
          first: { $first: '$item' },
          last: { $last: '$item' },
          set: { $addToSet: '$item' },
          merged: { $mergeObjects: { k: '$item' } },
          pop: { $stdDevPop: '$n' },
          samp: { $stdDevSamp: '$n' },
          top: { $top: { sortBy: { n: -1 }, output: '$_id' } },
          top2: { $topN: { sortBy: { n: -1 }, output: '$_id', n: 2 } },
          bottom: { $bottom: { sortBy: { n: -1 }, output: '$_id' } },
          bottom2: { $bottomN: { sortBy: { n: -1 }, output: '$_id', n: 2 } },
          max2: { $maxN: { input: '$n', n: 2 } },
          min2: { $minN: { input: '$n', n: 2 } },
          first2: { $firstN: { input: '$n', n: 2 } },
          last2: { $lastN: { input: '$n', n: 2 } },
        },
      },
    ]);
    expect(all).toMatchObject({
      avg: 2.75,
      min: 5,
      max: 20,
      first: 'a',
      last: 'c',
      set: ['a', 'b', 'c'],
      merged: { k: 'c' },
      top: 3,
      top2: [3, 4],
      bottom: 2,
      bottom2: [1, 2],
      max2: [5, 3],
      min2: [1, 2],
      first2: [2, 1],
      last2: [5, 3],
    });
    expect(all?.['pop']).toBeCloseTo(1.479, 3);
    expect(all?.['samp']).toBeCloseTo(1.708, 3);
  });

  it('reshapes documents', async () => {
    expect(
      await run([
        { $addFields: { 'o.total': { $multiply: ['$n', '$price'] }, gone: '$$REMOVE' } },
        { $set: { n: { $add: ['$n', 1] } } },
        { $unset: ['tags', 'at'] },
        { $project: { _id: 0, item: 1, n: 1, total: '$o.total' } },
        { $skip: 1 },
        { $limit: 1 },
      ]),
    ).toEqual([{ item: 'b', n: 2, total: 20 }]);
    expect(await run([{ $match: { _id: 1 } }, { $replaceRoot: { newRoot: { i: '$item' } } }])).toEqual([{ i: 'a' }]);
    expect(await run([{ $match: { _id: 1 } }, { $replaceWith: { i: '$item' } }])).toEqual([{ i: 'a' }]);
  });

  it('unwinds', async () => {
    expect(await run([{ $unwind: '$tags' }, { $project: { tags: 1 } }])).toEqual([
      { _id: 1, tags: 'x' },
      { _id: 1, tags: 'y' },
      { _id: 2, tags: 'y' },
    ]);
    const kept = { path: '$tags', preserveNullAndEmptyArrays: true, includeArrayIndex: 'i' };
    expect(await run([{ $unwind: kept }, { $project: { tags: 1, i: 1 } }])).toEqual([
      { _id: 1, tags: 'x', i: 0 },
      { _id: 1, tags: 'y', i: 1 },
      { _id: 2, tags: 'y', i: 0 },
      { _id: 3, i: null },
      { _id: 4, i: null },
    ]);
  });

  it('looks up by fields, by a pipeline, by both', async () => {
    const byField = { from: 'items', localField: 'item', foreignField: '_id', as: 'found' };
    const found = await run([{ $lookup: byField }, { $project: { found: '$found.name' } }]);
    expect(found.map((one) => one['found'])).toEqual([['Apple'], ['Bread'], ['Apple'], []]);
    const arrays = await run([
      { $lookup: { from: 'items', localField: 'tags', foreignField: 'kinds', as: 'k' } },
      { $project: { k: '$k._id' } },
    ]);
    expect(arrays.map((one) => one['k'])).toEqual([['a', 'b'], ['b'], [], []]);
    const correlated = await run([
      {
        $lookup: {
          from: 'items',
          let: { item: '$item' },
          pipeline: [{ $match: { $expr: { $eq: ['$_id', '$$item'] } } }, { $project: { _id: 0, name: 1 } }],
          as: 'found',
        },
      },
      { $project: { found: 1 } },
    ]);
    expect(correlated.map((one) => one['found'])).toEqual([
      [{ name: 'Apple' }],
      [{ name: 'Bread' }],
      [{ name: 'Apple' }],
      [],
    ]);
    // More than a call takes of arguments.
    const many = { $set: { ids: { $map: { input: { $range: [0, 200_000] }, in: { $mod: ['$$this', 3] } } } } };
    const joined = { $lookup: { from: 'items', localField: 'ids', foreignField: 'absent', as: 'none' } };
    expect(await run([{ $limit: 1 }, many, joined, { $project: { _id: 0, none: 1 } }])).toEqual([{ none: [] }]);
    const all = await run([{ $limit: 1 }, { $lookup: { from: 'items', pipeline: [{ $count: 'n' }], as: 'c' } }]);
    expect(all[0]?.['c']).toEqual([{ n: 2 }]);
    const both = await run([{ $limit: 2 }, { $lookup: { ...byField, pipeline: [{ $match: { name: 'Bread' } }] } }]);
    expect(both.map((one) => (one['found'] as unknown[]).length)).toEqual([0, 1]);
  });

  it('counts, buckets, facets, unites, samples', async () => {
    expect(await run([{ $match: { item: 'a' } }, { $count: 'n' }])).toEqual([{ n: 2 }]);
    expect(await run([{ $bucket: { groupBy: '$price', boundaries: [0, 10, 20], default: 'more' } }])).toEqual([
      { _id: 0, count: 2 },
      { _id: 10, count: 1 },
      { _id: 'more', count: 1 },
    ]);
    expect(await run([{ $bucketAuto: { groupBy: '$n', buckets: 2 } }])).toEqual([
      { _id: { min: 1, max: 3 }, count: 2 },
      { _id: { min: 3, max: 5 }, count: 2 },
    ]);
    expect(await run([{ $sortByCount: '$item' }, { $limit: 1 }])).toEqual([{ _id: 'a', count: 2 }]);
    expect(
      await run([{ $facet: { n: [{ $count: 'n' }], cheap: [{ $match: { price: 5 } }, { $project: { _id: 1 } }] } }]),
    ).toEqual([{ n: [{ n: 4 }], cheap: [{ _id: 3 }] }]);
    expect(
      await run([
        { $match: { _id: 1 } },
        { $unionWith: { coll: 'items', pipeline: [{ $match: { _id: 'b' } }] } },
        { $project: { _id: 1 } },
      ]),
    ).toEqual([{ _id: 1 }, { _id: 'b' }]);
    expect(await run([{ $sample: { size: 2 } }])).toHaveLength(2);
  });

  it('writes into another collection: replaced whole, or merged', async () => {
    await harness.collection('totals').insertOne({ _id: 'old' });
    const grouping = { $group: { _id: '$item', total: { $sum: '$n' } } };
    expect(await run([grouping, { $out: 'totals' }])).toEqual([]);
    const totals = harness.collection('totals');
    expect(await totals.find({}, { sort: { _id: 1 } }).toArray()).toEqual([
      { _id: 'a', total: 7 },
      { _id: 'b', total: 1 },
      { _id: 'c', total: 3 },
    ]);
    await totals.updateOne({ _id: 'a' }, { $set: { note: 1 } });
    await totals.deleteOne({ _id: 'c' });
    await run([grouping, { $merge: { into: 'totals', whenNotMatched: 'discard' } }]);
    expect(await totals.find({}, { sort: { _id: 1 } }).toArray()).toEqual([
      { _id: 'a', total: 7, note: 1 },
      { _id: 'b', total: 1 },
    ]);
    await run([grouping, { $merge: { into: 'totals', whenMatched: 'replace' } }]);
    expect(await totals.findOne({ _id: 'a' })).toEqual({ _id: 'a', total: 7 });
    await expect(run([grouping, { $merge: { into: 'totals', whenMatched: 'fail' } }])).rejects.toMatchObject({
      code: '23505',
    });
    await run([
      { $project: { item: 1, n: 1 } },
      { $merge: { into: 'totals', on: ['_id'], whenMatched: 'keepExisting' } },
    ]);
    expect(await totals.countDocuments()).toBe(7);
  });

  it('knows the variables of a join in every stage of its pipeline', async () => {
    const rows = harness.collection('rows');
    await rows.insertMany([
      { _id: 1, n: 1 },
      { _id: 2, n: 2 },
    ]);
    const times = { $multiply: ['$n', '$$by'] };
    const joined = async (...stages: readonly Record<string, unknown>[]): Promise<unknown> => {
      const $lookup = { from: 'rows', let: { by: '$_id' }, pipeline: stages, as: 'found' };
      return (await rows.aggregate([{ $match: { _id: 2 } }, { $lookup }]).toArray())[0]?.['found'];
    };
    const output = { $topN: { n: 1, sortBy: { n: -1 }, output: times } };
    expect(
      await joined({
        $group: { _id: null, sum: { $sum: times }, top: output, two: { $maxN: { n: 1, input: times } } },
      }),
    ).toEqual([{ _id: null, sum: 6, top: [4], two: [4] }]);
    expect(
      await joined({ $bucket: { groupBy: times, boundaries: [0, 3, 9], output: { all: { $push: times } } } }),
    ).toEqual([
      { _id: 0, all: [2] },
      { _id: 3, all: [4] },
    ]);
    expect(await joined({ $bucketAuto: { groupBy: times, buckets: 1, output: { all: { $push: times } } } })).toEqual([
      { _id: { min: 2, max: 4 }, all: [2, 4] },
    ]);
  });

  it('unwinds more than it holds at once', async () => {
    const lists = harness.collection('lists');
    await lists.insertMany([1, 2, 3].map((_id) => ({ _id, list: Array.from({ length: 900 }, (_, i) => i) })));
    const unwound = lists.aggregate<{ _id: number; list: number }>([
      { $unwind: '$list' },
      { $match: { list: { $gte: 898 } } },
    ]);
    expect(await unwound.toArray()).toEqual([1, 2, 3].flatMap((_id) => [898, 899].map((list) => ({ _id, list }))));
    expect(await lists.aggregate([{ $unwind: '$list' }, { $count: 'n' }]).toArray()).toEqual([{ n: 2700 }]);
  });

  it('merges by a pipeline over what is there, and by the paths of a unique index', async () => {
    const totals = harness.collection('totals');
    await totals.insertMany([
      { _id: 1, day: 'mon', sum: 10 },
      { _id: 2, day: 'tue', sum: 1 },
    ]);
    const coming = [
      { $match: { _id: { $lte: 2 } } },
      { $project: { _id: 0, day: { $cond: [{ $eq: ['$_id', 1] }, 'mon', 'wed'] }, sum: { $literal: 5 } } },
    ];
    const adding = {
      into: { coll: 'totals' },
      on: 'day',
      let: { by: '$sum' },
      whenMatched: [{ $set: { sum: { $add: ['$sum', '$$new.sum', '$$by'] } } }, { $unset: 'old' }],
    };
    await expect(run([...coming, { $merge: adding }])).rejects.toMatchObject({
      code: '22023',
      message: expect.stringContaining('no unique index') as string,
    });
    await totals.createIndex({ day: 1 }, { unique: true, partialFilterExpression: { sum: { $gt: 0 } }, name: 'some' });
    await expect(run([...coming, { $merge: adding }])).rejects.toMatchObject({
      code: '22023',
      message: expect.stringContaining('no unique index') as string,
    });
    await totals.createIndex({ day: 1 }, { unique: true });
    await run([...coming, { $merge: adding }]);
    expect(await totals.find({}, { sort: { day: 1 }, projection: { _id: 0 } }).toArray()).toEqual([
      { day: 'mon', sum: 20 },
      { day: 'tue', sum: 1 },
      { day: 'wed', sum: 5 },
    ]);
    for (const day of [{ $literal: null }, { $literal: ['mon'] }, '$none']) {
      const merging = run([{ $project: { _id: 0, day } }, { $merge: { into: 'totals', on: 'day' } }]);
      await expect(merging).rejects.toMatchObject({
        code: '22023',
        message: expect.stringContaining('identifies none') as string,
      });
    }
    const changing = { into: 'totals', whenMatched: [{ $set: { _id: 9 } }] };
    await expect(run([{ $merge: changing }])).rejects.toMatchObject({
      code: '22023',
      message: expect.stringContaining('_id') as string,
    });
  });

  it('uses indexes for what it asks first, and streams', async () => {
    const big = harness.collection('big');
    await big.insertMany(Array.from({ length: 5000 }, (_, i) => ({ _id: i, g: i % 3 })));
    const cursor = big.aggregate([{ $match: { g: 1 } }, { $project: { g: 1 } }]);
    expect(await cursor.next()).toEqual({ _id: 1, g: 1 });
    cursor.close();
    expect(await cursor.next()).toBeNull();
    expect(harness.mvcc.stats().live).toBe(0);
    expect(
      await big.aggregate([{ $match: { _id: { $lt: 10 } } }, { $group: { _id: '$g', n: { $sum: 1 } } }]).toArray(),
    ).toHaveLength(3);
  });

  it('refuses what is none', async () => {
    const wrong: readonly unknown[] = [
      5,
      [{}],
      [{ $match: {}, $limit: 1 }],
      [{ $foo: 1 }],
      [{ $limit: 0 }],
      [{ $skip: -1 }],
      [{ $group: {} }],
      [{ $group: { _id: 1, a: 5 } }],
      [{ $group: { _id: 1, a: { $foo: 1 } } }],
      [{ $group: { _id: 1, 'a.b': { $sum: 1 } } }],
      [{ $group: { _id: 1, $sum: { $sum: 1 } } }],
      [{ $unwind: 'tags' }],
      [{ $count: '$a' }],
      [{ $lookup: { from: 'x', as: 'y' } }],
      [{ $lookup: { from: 'x', as: 'y', localField: 'a' } }],
      [{ $out: 'x' }, { $limit: 1 }],
      [{ $facet: { a: [{ $out: 'x' }] } }],
      [{ $bucket: { groupBy: '$a', boundaries: [2, 1] } }],
      [{ $bucket: { groupBy: '$n', boundaries: [100, 200] } }],
      [{ $replaceWith: 5 }],
      [{ $project: {} }],
      [{ $project: { a: 1, b: 0 } }],
      [{ $project: { a: 1, 'a.b': 1 } }],
      [{ $skip: 1 }, { $match: { $text: { $search: 'x' } } }],
      [{ $merge: { into: 'x', whenMatched: 'y' } }],
      [{ $merge: { into: 'x', whenMatched: [] } }],
      [{ $merge: { into: 'x', whenMatched: [{ $group: { _id: 1 } }] } }],
      [{ $merge: { into: 'x', whenMatched: [{ $set: { a: 1 } }], let: { new: 1 } } }],
      [{ $merge: { into: 'x', let: { a: 1 } } }],
      [{ $merge: { into: 'x', whenNotMatched: 'y' } }],
      [{ $merge: { into: 'x', on: [] } }],
      [{ $merge: { into: 'x', on: ['a', 'a'] } }],
      [{ $merge: { into: 'x', on: 5 } }],
      [{ $merge: { into: 5 } }],
      [{ $out: { coll: 'x', timeseries: {} } }],
    ];
    for (const pipeline of wrong) {
      const running = (async () => run(pipeline as Record<string, unknown>[]))();
      await expect(running, JSON.stringify(pipeline)).rejects.toMatchObject({ code: '22023' });
    }
    for (const stage of [
      { $densify: {} },
      { $out: { db: 'y', coll: 'x' } },
      { $merge: { into: { db: 'y', coll: 'x' } } },
    ]) {
      await expect(run([stage]), JSON.stringify(stage)).rejects.toMatchObject({ code: '0A000' });
    }
  });

  it('agrees with mingo on random documents', async () => {
    const value = fc.constantFrom('$a', '$b', '$c');
    const typeOf = value.map((path) => ({ $type: path }));
    // Left out where mingo and MongoDB part ways (mingo-differences.test.ts): $eq of null or an array, $count of nothing, $unwind of an empty object, $push of what is missing, $max of arrays, the
    // order of objects.
    const stage = fc.oneof(
      filter.map(($match) => ({ $match })),
      fc.record({ $project: fc.constantFrom({ a: 1 }, { a: 0, _id: 0 }, { b: 1, _id: 0 }, { x: '$a' }) }),
      fc.record({
        $addFields: fc.record({
          x: fc.oneof(
            value,
            fc.record({ $eq: fc.tuple(typeOf, typeOf) }),
            fc.record({ $ifNull: fc.tuple(value, fc.constant(0)) }),
          ),
        }),
      }),
      fc.record({
        $group: fc.record({ _id: fc.constant('$c'), n: fc.constant({ $sum: 1 }), s: fc.constant({ $sum: '$a' }) }),
      }),
      fc.constant({ $sort: { _id: 1 } }),
      fc.constant({ $limit: 3 }),
      fc.constant({ $skip: 1 }),
      fc.constant({ $unset: 'b' }),
      fc.constant({ $replaceRoot: { newRoot: { $mergeObjects: [{ z: '$b' }, { _id: '$_id' }] } } }),
      fc.constant({
        $group: { _id: '$b', n: { $sum: 1 }, all: { $push: { $ifNull: ['$n', 0] } } },
      }),
      fc.constant({ $facet: { all: [{ $group: { _id: null, n: { $sum: 1 } } }], none: [{ $match: { _id: 'x' } }] } }),
    );
    const c = harness.collection('random');
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(document, { minLength: 3, maxLength: 8 }),
        fc.array(stage, { minLength: 1, maxLength: 3 }),
        async (bare, stages) => {
          const documents = bare.map((one, _id) => ({ _id, ...one }));
          await c.deleteMany({});
          await c.insertMany(documents);
          let theirs: unknown[];
          try {
            theirs = mingoAggregate(structuredClone(documents) as never, stages as never);
          } catch {
            return;
          }
          const ours = await c.aggregate(stages).toArray();
          const sorted = (list: readonly unknown[]): unknown[] =>
            [...list].sort((a, b) => compareValues(plain(a), plain(b)));
          expect(sorted(ours)).toEqual(sorted(theirs));
          compared++;
        },
      ),
      runs(300, 10),
    );
    expect(compared).toBeGreaterThan(200);
  });
});
