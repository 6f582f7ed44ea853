/** Update operators by tables of cases, and what the operations around them tell. */
import fc from 'fast-check';
import { updateOne as mingoUpdateOne } from 'mingo';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compileFilter } from '../src/filter/filter.js';
import { Decimal } from '../src/index.js';
import { compareValues } from '../src/order.js';
import { compileUpdate } from '../src/update/update.js';
import { document } from './arbitraries.js';
import { type Harness, openHarness } from './harness.js';
import { runs } from './oracle.js';

const now = new Date(1e12);

function updated(before: object, update: object, options: { filter?: object; arrayFilters?: object[] } = {}): unknown {
  const filter = compileFilter(options.filter ?? {});
  // A write to what it was made from throws.
  freeze(before);
  return compileUpdate(update, options.arrayFilters, { nowMs: () => now.getTime() }).apply(
    before as Record<string, unknown>,
    {
      filter,
      inserting: false,
    },
  );
}

function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return;
  Object.freeze(value);
  Object.values(value).forEach(freeze);
}

type Case = readonly [
  before: object,
  update: object,
  after: object,
  options?: { filter?: object; arrayFilters?: object[] },
];

const cases: Readonly<Record<string, Case>> = {
  '$set makes what is missing': [{ a: 1 }, { $set: { 'b.c': 2, a: 3 } }, { a: 3, b: { c: 2 } }],
  '$set keeps the order of fields': [{ b: 1, a: 2 }, { $set: { b: 3 } }, { b: 3, a: 2 }],
  '$set of an element, and behind the end': [{ a: [1] }, { $set: { 'a.0': 5, 'a.2': 7 } }, { a: [5, null, 7] }],
  '$set inside of an element': [{ a: [{ x: 1 }] }, { $set: { 'a.0.x': 2 } }, { a: [{ x: 2 }] }],
  $unset: [{ a: 1, b: { c: 1, d: 2 } }, { $unset: { a: '', 'b.c': 1, z: 1 } }, { b: { d: 2 } }],
  '$unset of an element leaves null': [{ a: [1, 2] }, { $unset: { 'a.0': 1 } }, { a: [null, 2] }],
  '$inc and $mul, missing counts as zero': [{ a: 1 }, { $inc: { a: 2, b: 3 }, $mul: { c: 4 } }, { a: 3, b: 3, c: 0 }],
  '$inc of 64 bits and decimals': [
    { a: 9007199254740993n, b: Decimal.fromString('0.10') },
    { $inc: { a: 1, b: Decimal.fromString('0.20') } },
    { a: 9007199254740994n, b: Decimal.fromString('0.30') },
  ],
  '$min and $max by the order of values': [
    { a: 5, b: 5, c: 'x' },
    { $min: { a: 3, d: 1 }, $max: { b: 3, c: 9 } },
    { a: 3, b: 5, c: 'x', d: 1 },
  ],
  $rename: [{ a: 1, b: { c: 2 } }, { $rename: { a: 'b.d', 'b.c': 'e', z: 'y' } }, { b: { d: 1 }, e: 2 }],
  $currentDate: [{}, { $currentDate: { a: true, b: { $type: 'date' } } }, { a: now, b: now }],
  '$setOnInsert does nothing here': [{ a: 1 }, { $setOnInsert: { a: 2 } }, { a: 1 }],
  $push: [{ a: [1] }, { $push: { a: 2, b: [3] } }, { a: [1, 2], b: [[3]] }],
  '$push with modifiers': [{ a: [5, 1] }, { $push: { a: { $each: [4, 2], $sort: -1, $slice: 3 } } }, { a: [5, 4, 2] }],
  '$push at a position': [{ a: [1, 4] }, { $push: { a: { $each: [2, 3], $position: 1 } } }, { a: [1, 2, 3, 4] }],
  '$push sorted by a field, the last kept': [
    { a: [{ s: 3 }, { s: 1 }] },
    { $push: { a: { $each: [{ s: 2 }], $sort: { s: 1 }, $slice: -2 } } },
    { a: [{ s: 2 }, { s: 3 }] },
  ],
  $addToSet: [{ a: [1, { x: 1 }] }, { $addToSet: { a: { $each: [1, { x: 1 }, 2, 2] } } }, { a: [1, { x: 1 }, 2] }],
  '$pull by value, operator and filter': [
    { a: [1, 2, 3], b: [1, 5, 9], c: [{ x: 1, y: 2 }, { x: 2 }] },
    { $pull: { a: 2, b: { $gte: 5 }, c: { x: 1 } } },
    { a: [1, 3], b: [1], c: [{ x: 2 }] },
  ],
  $pullAll: [{ a: [1, 2, 1, 3] }, { $pullAll: { a: [1, 3] } }, { a: [2] }],
  $pop: [{ a: [1, 2, 3], b: [1, 2] }, { $pop: { a: 1, b: -1, c: 1 } }, { a: [1, 2], b: [2] }],
  $bit: [{ a: 13, b: 5n }, { $bit: { a: { and: 10 }, b: { or: 2 } } }, { a: 8, b: 7n }],
  'the matched element': [{ a: [1, 5, 7] }, { $set: { 'a.$': 0 } }, { a: [1, 0, 7] }, { filter: { a: { $gt: 4 } } }],
  'a field of the matched element': [
    { a: [{ x: 1 }, { x: 2, y: 1 }] },
    { $inc: { 'a.$.y': 5 } },
    { a: [{ x: 1 }, { x: 2, y: 6 }] },
    { filter: { 'a.x': 2 } },
  ],
  'the element of $elemMatch': [
    {
      a: [
        { x: 1, y: 1 },
        { x: 1, y: 2 },
      ],
    },
    { $set: { 'a.$.z': 1 } },
    {
      a: [
        { x: 1, y: 1 },
        { x: 1, y: 2, z: 1 },
      ],
    },
    { filter: { a: { $elemMatch: { x: 1, y: 2 } } } },
  ],
  'every element': [{ a: [{ x: 1 }, { x: 2 }] }, { $inc: { 'a.$[].x': 10 } }, { a: [{ x: 11 }, { x: 12 }] }],
  'elements that an array filter matches': [
    {
      a: [
        { x: 1, y: [1, 9] },
        { x: 2, y: [9] },
      ],
    },
    { $set: { 'a.$[e].y.$[n]': 0 } },
    {
      a: [
        { x: 1, y: [1, 9] },
        { x: 2, y: [0] },
      ],
    },
    { arrayFilters: [{ 'e.x': { $gte: 2 } }, { n: 9 }] },
  ],
  'array filters ask the document as it was': [
    { a: [{ x: 0, y: 0 }, { x: 1 }] },
    { $set: { 'a.$[e].x': 1 }, $inc: { 'a.$[f].y': 5 } },
    { a: [{ x: 1, y: 5 }, { x: 1 }] },
    { arrayFilters: [{ 'e.x': 0 }, { 'f.x': 0 }] },
  ],
  'several elements, each by one operator': [
    { a: [1, 5, 9] },
    { $set: { 'a.$[e]': 0, 'a.2': 7 }, $inc: { 'a.$[f]': 1 } },
    { a: [0, 6, 7] },
    { arrayFilters: [{ e: 1 }, { f: 5 }] },
  ],
  'a field named __proto__': [
    {},
    JSON.parse('{"$set": {"__proto__.x": 1}}') as object,
    JSON.parse('{"__proto__": {"x": 1}}') as object,
  ],
};

const hasRepeats = (value: unknown): boolean =>
  Array.isArray(value) && value.some((one, i) => value.slice(0, i).some((other) => compareValues(one, other) === 0));

describe('an update', () => {
  for (const [name, [before, update, after, options]] of Object.entries(cases)) {
    it(name, () => {
      const result = updated(before, update, options) as object;
      expect(result).toEqual(after);
      expect(Object.keys(result).sort()).toEqual(Object.keys(after).sort());
    });
  }

  it('refuses what is none', () => {
    const wrong: readonly (readonly [object, object, object[]?])[] = [
      [{}, { a: 1 }],
      [{}, { $foo: { a: 1 } }],
      [{}, { $set: 5 }],
      [{}, { $set: { a: 1, 'a.b': 2 } }],
      [{}, { $set: { a: 1 }, $inc: { a: 2 } }],
      [{}, { $set: { a: undefined } }],
      [{}, { $inc: { a: 'x' } }],
      [{ a: 'x' }, { $inc: { a: 1 } }],
      [{ a: 1 }, { $push: { a: 1 } }],
      [{ a: 1 }, { $set: { 'a.b': 1 } }],
      [{ a: [] }, { $set: { 'a.b': 1 } }],
      [{ a: [] }, { $set: { 'a.99999': 1 } }],
      [{ a: [1] }, { $set: { 'a.$': 1 } }],
      [{ a: 1 }, { $set: { 'a.$[]': 1 } }],
      [{}, { $set: { 'a.$[e]': 1 } }],
      [{}, { $set: { a: 1 } }, [{ e: 1 }]],
      [{}, { $set: { 'a.$[e]': 1 } }, [{ e: 1, f: 1 }]],
      [{}, { $set: { $a: 1 } }],
      [{ a: [1, 2] }, { $set: { 'a.$[]': 1, 'a.0': 2 } }],
      [{ a: [1, 2] }, { $set: { 'a.$[e]': 1, 'a.$[f]': 2 } }, [{ e: 1 }, { f: { $lt: 3 } }]],
      [{ a: [{ x: 1 }] }, { $unset: { 'a.$[]': 1 }, $set: { 'a.0.x': 2 } }],
      [{ a: [{ x: 1 }] }, { $rename: { 'a.0.x': 'b' } }],
      [{ a: [{ x: 1 }], b: 1 }, { $rename: { b: 'a.0.y' } }],
      [{}, { $push: { a: { $each: 5 } } }],
      [{}, { $push: { a: { $each: [], $foo: 1 } } }],
      [{}, { $push: { a: { $each: [], $slice: 1.5 } } }],
      [{}, { $pop: { a: 2 } }],
      [{}, { $pullAll: { a: 1 } }],
      [{}, { $bit: { a: { nand: 1 } } }],
      [{}, { $rename: { a: 5 } }],
      [{}, { $currentDate: { a: 'time' } }],
      [{ _id: 1 }, { $set: { _id: 2 } }],
      [{ _id: 1 }, { $unset: { _id: 1 } }],
    ];
    for (const [before, update, arrayFilters] of wrong) {
      const run = (): unknown => updated(before, update, arrayFilters === undefined ? {} : { arrayFilters });
      expect(run, JSON.stringify(update)).toThrow(expect.objectContaining({ code: '22023' }));
    }
  });

  it('agrees with mingo on random documents', () => {
    const value = fc.oneof(
      fc.integer({ min: -3, max: 3 }),
      fc.constantFrom('x', true),
      fc.array(fc.integer({ max: 3 }), { maxLength: 2 }),
    );
    const field = fc.constantFrom('a', 'b', 'c', 'd.e');
    const one = fc.oneof(
      fc.record({ $set: fc.dictionary(field, value, { minKeys: 1, maxKeys: 2, noNullPrototype: true }) }),
      fc.record({ $unset: fc.dictionary(field, fc.constant(''), { minKeys: 1, maxKeys: 2, noNullPrototype: true }) }),
      fc.record({
        $inc: fc.dictionary(field, fc.integer({ min: -3, max: 3 }), { minKeys: 1, maxKeys: 1, noNullPrototype: true }),
      }),
      fc.record({
        $addToSet: fc.dictionary(field, fc.integer({ max: 3 }), { minKeys: 1, maxKeys: 1, noNullPrototype: true }),
      }),
      fc.record({
        $pull: fc.dictionary(field, fc.integer({ max: 3 }), { minKeys: 1, maxKeys: 1, noNullPrototype: true }),
      }),
    );
    let compared = 0;
    fc.assert(
      fc.property(document, one, (before, update) => {
        // mingo takes out what an array has twice (mingo-differences.test.ts).
        fc.pre(!('$addToSet' in update) || !Object.values(before).some(hasRepeats));
        let ours: unknown;
        try {
          ours = updated(before, update);
        } catch {
          return;
        }
        const theirs = [structuredClone(before)];
        try {
          mingoUpdateOne(theirs as never, {}, structuredClone(update) as never);
        } catch {
          return;
        }
        compared++;
        expect(ours).toEqual(theirs[0]);
      }),
      runs(1000, 9),
    );
    expect(compared).toBeGreaterThan(300);
  });
});

describe('updating and deleting', () => {
  let harness: Harness;

  beforeEach(async () => {
    harness = await openHarness();
    await harness.collection('c').insertMany([1, 2, 3, 4].map((_id) => ({ _id, n: _id, tag: _id % 2 })));
  });

  afterEach(() => harness.close());

  it('tells what was matched and what was modified', async () => {
    const c = harness.collection('c');
    expect(await c.updateOne({ tag: 1 }, { $inc: { n: 10 } })).toMatchObject({ matchedCount: 1, modifiedCount: 1 });
    expect(await c.updateMany({}, { $set: { tag: 1 } })).toMatchObject({ matchedCount: 4, modifiedCount: 2 });
    expect(await c.updateMany({ _id: 99 }, { $set: { tag: 1 } })).toMatchObject({ matchedCount: 0, modifiedCount: 0 });
    expect(await c.replaceOne({ _id: 2 }, { x: 1 })).toMatchObject({ matchedCount: 1 });
    expect(await c.findOne({ _id: 2 })).toEqual({ _id: 2, x: 1 });
    expect(await c.deleteOne({ tag: 1 })).toEqual({ deletedCount: 1 });
    expect(await c.deleteMany({ tag: 1 })).toEqual({ deletedCount: 2 });
    expect(await c.countDocuments()).toBe(1);
    expect(await harness.collection('none').updateOne({}, { $set: { a: 1 } })).toMatchObject({ matchedCount: 0 });
    await expect(c.replaceOne({ _id: 2 }, { $set: { a: 1 } })).rejects.toMatchObject({ code: '22023' });
    await expect(c.replaceOne({ _id: 2 }, { _id: 3 })).rejects.toMatchObject({ code: '22023' });
  });

  it('computes documents by a pipeline', async () => {
    const c = harness.collection('pipelines');
    await c.insertMany([
      { _id: 1, price: 10, tax: 2, note: 'x', tags: ['a'] },
      { _id: 2, price: 20, note: 'y' },
    ]);
    const total = [{ $set: { total: { $add: ['$price', { $ifNull: ['$tax', 0] }] } } }, { $unset: 'note' }];
    expect(await c.updateMany({}, total)).toMatchObject({ matchedCount: 2, modifiedCount: 2 });
    expect(await c.updateMany({}, total)).toMatchObject({ matchedCount: 2, modifiedCount: 0 });
    expect(await c.find().sort({ _id: 1 }).toArray()).toEqual([
      { _id: 1, price: 10, tax: 2, tags: ['a'], total: 12 },
      { _id: 2, price: 20, total: 20 },
    ]);
    await c.updateOne({ _id: 1 }, [
      { $replaceWith: { double: { $multiply: ['$total', 2] } } },
      { $addFields: { n: '$double' } },
    ]);
    expect(await c.findOne({ _id: 1 })).toEqual({ _id: 1, double: 24, n: 24 });
    const shown = await c.findOneAndUpdate({ _id: 2 }, [{ $project: { total: 1 } }], { returnDocument: 'after' });
    expect(shown).toEqual({ _id: 2, total: 20 });
    await c.updateOne({ _id: 3, kind: 'new' }, [{ $replaceRoot: { newRoot: { was: '$kind' } } }], { upsert: true });
    expect(await c.findOne({ _id: 3 })).toEqual({ _id: 3, was: 'new' });
    await c.bulkWrite([{ updateOne: { filter: { _id: 3 }, update: [{ $set: { was: 'old' } }] } }]);
    expect(await c.findOne({ _id: 3 })).toEqual({ _id: 3, was: 'old' });
    for (const wrong of [
      [],
      [{ $set: { _id: 9 } }],
      [{ $match: {} }],
      [{ $group: {} }],
      [{ $inc: { a: 1 } }],
      [7],
      [{ $set: 1 }],
    ])
      await expect(c.updateOne({ _id: 1 }, wrong as never)).rejects.toMatchObject({ code: '22023' });
    const arrayFilters = [{ x: 1 }];
    await expect(c.updateOne({ _id: 1 }, total, { arrayFilters })).rejects.toMatchObject({ code: '22023' });
  });

  it('upserts with the equalities of the filter', async () => {
    const c = harness.collection('c');
    const first = await c.updateOne(
      { name: 'x', n: { $gt: 100 }, 'a.b': 1 },
      { $set: { n: 101 }, $setOnInsert: { made: true } },
      { upsert: true },
    );
    expect(first).toMatchObject({ matchedCount: 0, upsertedCount: 1 });
    expect(await c.findOne({ _id: first.upsertedId })).toMatchObject({ name: 'x', n: 101, a: { b: 1 }, made: true });
    const again = await c.updateOne({ name: 'x' }, { $set: { n: 5 }, $setOnInsert: { made: false } }, { upsert: true });
    expect(again).toMatchObject({ matchedCount: 1, upsertedCount: 0 });
    expect(await c.updateOne({ _id: 77 }, { $inc: { n: 1 } }, { upsert: true })).toMatchObject({ upsertedId: 77 });
    expect(await c.replaceOne({ _id: 78 }, { y: 1 }, { upsert: true })).toMatchObject({ upsertedId: 78 });
    expect(await c.findOne({ _id: 78 })).toEqual({ _id: 78, y: 1 });
    expect(await c.replaceOne({ _id: null, z: 1 }, { y: 2 }, { upsert: true })).toMatchObject({ upsertedId: null });
    await c.updateOne({ $or: [{ $and: [{ kind: 'or' }, { 'a.c': 2 }] }] }, { $inc: { n: 1 } }, { upsert: true });
    expect(await c.findOne({ kind: 'or' })).toMatchObject({ kind: 'or', a: { c: 2 }, n: 1 });
  });

  it('refuses upserts whose filter leaves open what to make, or whose document would have another _id than it asks for', async () => {
    const c = harness.collection('c');
    const before = await c.countDocuments();
    const upsert = { upsert: true };
    const wrong: readonly (() => Promise<unknown>)[] = [
      ...[{ k: { $all: [1, 2] } }, { $and: [{ k: 1 }, { k: 1 }] }, { 'k.a': 1, k: { b: 2 } }].map(
        (filter) => () => c.updateOne(filter, { $set: { n: 1 } }, upsert),
      ),
      () => c.updateOne({ _id: 900 }, { $set: { _id: 901 } }, upsert),
      () => c.updateOne({ _id: 900 }, { $setOnInsert: { _id: 901 } }, upsert),
      () => c.updateOne({ _id: 900 }, [{ $set: { _id: 901 } }], upsert),
      () => c.replaceOne({ _id: 900 }, { _id: 901 }, upsert),
    ];
    for (const run of wrong) await expect(run()).rejects.toMatchObject({ code: '22023' });
    expect(await c.countDocuments()).toBe(before);
    // A replacement takes but the _id of the filter.
    expect(await c.replaceOne({ _id: 902, 'k.a': 1, k: { b: 2 } }, { n: 1 }, upsert)).toMatchObject({
      upsertedId: 902,
    });
    expect(await c.updateOne({ k: 'none' }, { $setOnInsert: { _id: 903 } }, upsert)).toMatchObject({ upsertedId: 903 });
  });

  it('upserts one document from many callers at once', async () => {
    const c = harness.collection('c');
    await Promise.all(
      Array.from({ length: 20 }, () => c.updateOne({ _id: 500 }, { $inc: { n: 1 } }, { upsert: true })),
    );
    expect(await c.findOne({ _id: 500 })).toEqual({ _id: 500, n: 20 });
  });

  it('counts exactly when many change one document', async () => {
    const c = harness.collection('c');
    await Promise.all(Array.from({ length: 50 }, () => c.updateOne({ n: { $gte: 0 }, _id: 1 }, { $inc: { n: 1 } })));
    expect(await c.findOne({ _id: 1 })).toMatchObject({ n: 51 });
  });

  it('finds one and changes it', async () => {
    const c = harness.collection('c');
    const sort = { n: -1 } as const;
    expect(await c.findOneAndUpdate({ tag: 1 }, { $inc: { n: 1 } }, { sort })).toEqual({ _id: 3, n: 3, tag: 1 });
    expect(
      await c.findOneAndUpdate({ tag: 1 }, { $inc: { n: 1 } }, { sort, returnDocument: 'after', projection: { n: 1 } }),
    ).toEqual({ _id: 3, n: 5 });
    expect(await c.findOneAndReplace({ _id: 1 }, { z: 1 }, { returnDocument: 'after' })).toEqual({ _id: 1, z: 1 });
    expect(await c.findOneAndDelete({}, { sort: { _id: -1 } })).toMatchObject({ _id: 4 });
    expect(await c.findOneAndDelete({ _id: 4 })).toBeNull();
    expect(await c.findOneAndUpdate({ _id: 9 }, { $set: { a: 1 } }, { upsert: true, returnDocument: 'after' })).toEqual(
      { _id: 9, a: 1 },
    );
  });

  it('writes in bulk, ordered as one, unordered what fits', async () => {
    const c = harness.collection('c');
    const result = await c.bulkWrite([
      { insertOne: { document: { _id: 10, n: 0 } } },
      { updateOne: { filter: { _id: 10 }, update: { $inc: { n: 5 } } } },
      { updateMany: { filter: { tag: 0 }, update: { $set: { even: true } } } },
      { replaceOne: { filter: { _id: 11 }, replacement: { n: 1 }, upsert: true } },
      { deleteOne: { filter: { _id: 1 } } },
      { deleteMany: { filter: { even: true } } },
    ]);
    expect(result).toEqual({
      insertedCount: 1,
      matchedCount: 3,
      modifiedCount: 3,
      deletedCount: 3,
      upsertedCount: 1,
      insertedIds: { 0: 10 },
      upsertedIds: { 3: 11 },
      writeErrors: [],
    });
    const failing = [
      { insertOne: { document: { _id: 20 } } },
      { insertOne: { document: { _id: 10 } } },
      { deleteOne: { filter: { _id: 3 } } },
    ];
    await expect(c.bulkWrite(failing)).rejects.toMatchObject({ code: '23505', index: 1 });
    expect(await c.findOne({ _id: 20 })).toBeNull();
    const partial = await c.bulkWrite(failing, { ordered: false });
    expect(partial).toMatchObject({ insertedCount: 1, deletedCount: 1 });
    expect(partial.writeErrors.map(({ index }) => index)).toEqual([1]);
    await expect(c.bulkWrite([{ foo: {} } as never])).rejects.toMatchObject({ code: '22023' });
  });
});
