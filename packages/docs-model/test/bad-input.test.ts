/** What no caller should give: each has one answer, and nothing reaches a prototype. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Collection } from '../src/index.js';
import { type Harness, openHarness } from './harness.js';

let harness: Harness;
let c: Collection<Record<string, unknown>>;

beforeAll(async () => {
  harness = await openHarness();
  c = harness.collection('c');
});

afterAll(() => harness.close());

beforeEach(async () => {
  await c.deleteMany({});
});

/** Each with an option that it does not take. */
const operations: Readonly<Record<string, (given: Collection<Record<string, unknown>>, options: object) => unknown>> = {
  insertOne: (given, options) => given.insertOne({}, options),
  insertMany: (given, options) => given.insertMany([{}], options),
  find: async (given, options) => given.find({}, options),
  findOne: (given, options) => given.findOne({ _id: 1 }, options),
  countDocuments: (given, options) => given.countDocuments({}, options),
  distinct: (given, options) => given.distinct('a', {}, options),
  updateOne: (given, options) => given.updateOne({}, { $set: { a: 1 } }, options),
  updateMany: (given, options) => given.updateMany({}, { $set: { a: 1 } }, options),
  replaceOne: (given, options) => given.replaceOne({}, {}, options),
  deleteOne: (given, options) => given.deleteOne({}, options),
  deleteMany: (given, options) => given.deleteMany({}, options),
  findOneAndUpdate: (given, options) => given.findOneAndUpdate({}, { $set: { a: 1 } }, options),
  findOneAndReplace: (given, options) => given.findOneAndReplace({}, {}, options),
  findOneAndDelete: (given, options) => given.findOneAndDelete({}, options),
  bulkWrite: (given, options) => given.bulkWrite([], options),
  'bulkWrite insertOne': (given, options) => given.bulkWrite([{ insertOne: { document: {}, ...options } }]),
  'bulkWrite updateOne': (given, options) => given.bulkWrite([{ updateOne: { filter: {}, update: {}, ...options } }]),
  'bulkWrite updateMany': (given, options) => given.bulkWrite([{ updateMany: { filter: {}, update: {}, ...options } }]),
  'bulkWrite replaceOne': (given, options) =>
    given.bulkWrite([{ replaceOne: { filter: {}, replacement: {}, ...options } }]),
  'bulkWrite deleteOne': (given, options) => given.bulkWrite([{ deleteOne: { filter: {}, ...options } }]),
  'bulkWrite deleteMany': (given, options) => given.bulkWrite([{ deleteMany: { filter: {}, ...options } }]),
  createIndex: (given, options) => given.createIndex({ a: 1 }, options),
  dropIndex: (given, options) => given.dropIndex('a', options),
  setSchema: (given, options) => given.setSchema(null, options),
  danglingReferences: async (given, options) => given.danglingReferences(undefined, options),
  indexes: (given, options) => given.indexes(options),
  drop: (given, options) => given.drop(options),
  aggregate: async (given, options) => given.aggregate([], options),
  watch: async (given, options) => given.watch([], options),
};

const cyclic: Record<string, unknown> = {};
cyclic['self'] = cyclic;
let deepArray: unknown = 1;
for (let i = 0; i < 100; i++) deepArray = [deepArray];

const refused: readonly (readonly [string, unknown, string])[] = [
  ['a key that begins with a dollar, deep inside', { a: [{ $b: 1 }] }, '22023'],
  ['a key with a dot, deep inside', { a: [{ 'b.c': 1 }] }, '22023'],
  ['an unpaired surrogate in a value', { a: 'x\udc00' }, '22021'],
  ['an unpaired surrogate in a long value', { a: `${'x'.repeat(100)}\ud800` }, '22021'],
  ['an unpaired surrogate in a key', { ['\ud800']: 1 }, '22021'],
  ['a symbol', { a: Symbol('x') }, '22023'],
  ['a class of the caller', { a: new (class Own {})() }, '22023'],
  ['a Set', { a: new Set([1]) }, '22023'],
  ['an invalid Date', { a: new Date(Number.NaN) }, '22007'],
  ['an integer of more than 64 bits', { a: 2n ** 63n }, '22003'],
  ['a cycle', cyclic, '54001'],
  ['arrays nested too deep', { a: deepArray }, '54001'],
  ['an array for an id', { _id: [1] }, '22023'],
  ['NaN for an id', { _id: Number.NaN }, '22023'],
  ['a regular expression for an id', { _id: /x/ }, '22023'],
  ['an id that is too long', { _id: 'x'.repeat(5000) }, '54000'],
  ['no object', 5, '22023'],
  ['null', null, '22023'],
  ['an array', [1], '22023'],
];

describe('a value that an option cannot have', () => {
  const wrong: readonly [name: string, options: object][] = [
    ['updateOne', { upsert: 1 }],
    ['updateMany', { arrayFilters: { x: 1 } }],
    ['replaceOne', { upsert: 'true' }],
    ['insertMany', { ordered: 0 }],
    ['bulkWrite', { ordered: null }],
    ['bulkWrite updateOne', { upsert: 1 }],
    ['find', { hint: { a: 1 } }],
    ['findOneAndUpdate', { returnDocument: 'new' }],
    ['findOneAndReplace', { returnDocument: true }],
    ['createIndex', { unique: 1 }],
    ['createIndex', { sparse: 'yes' }],
    ['createIndex', { expireAfterSeconds: '60' }],
    ['createIndex', { expireAfterSeconds: Number.NaN }],
    ['createIndex', { name: 5 }],
  ];
  it('is refused, and nothing written', async () => {
    for (const [name, options] of wrong) {
      const run = async (): Promise<unknown> => operations[name]!(c, options);
      const [option] = Object.keys(options);
      const message = expect.stringContaining(`option ${option} of ${name} must be`) as string;
      await expect(run(), name).rejects.toMatchObject({ code: '22023', message });
    }
    const indexes = [{ key: { a: 1 as const }, unique: 1 as unknown as boolean }];
    await expect(c.createIndexes(indexes)).rejects.toMatchObject({ code: '22023' });
    expect(await c.countDocuments()).toBe(0);
  });

  it('is no list where there has to be one, and no path', async () => {
    const loose = c as unknown as Record<string, (given?: unknown) => Promise<unknown>>;
    for (const name of ['insertMany', 'bulkWrite', 'createIndexes', 'distinct']) {
      for (const given of [{ a: 1 }, undefined, null, 5]) {
        await expect(loose[name]!.call(c, given), name).rejects.toMatchObject({ code: '22023' });
      }
    }
  });
});

describe('an option that an operation does not take', () => {
  it.each(Object.keys(operations))('is refused by %s', async (name) => {
    await c.insertOne({ _id: 1 });
    const run = async (options: object): Promise<unknown> => operations[name]!(c, options);
    await expect(run({ upser: true })).rejects.toThrow(
      expect.objectContaining({ code: '22023', message: `unknown option of ${name}: upser` }),
    );
    await expect(run({ collation: { locale: 'de' } })).rejects.toThrow(
      expect.objectContaining({ code: '0A000', message: `option collation of ${name} is not supported` }),
    );
    expect(await c.countDocuments()).toBe(1);
  });

  it('is refused by a handle, which then is none', () => {
    expect(() => harness.collection('d', { schma: {} } as object)).toThrow('unknown option of collection: schma');
    expect(() => c.find({}, { session: {} } as object)).toThrow(
      expect.objectContaining({ code: '0A000', hint: 'Name the transaction by the option "tx".' }),
    );
  });
});

describe('a document', () => {
  for (const [name, document, code] of refused) {
    it(`is refused: ${name}`, async () => {
      await expect((async () => c.insertOne(document as Record<string, unknown>))()).rejects.toMatchObject({ code });
      await expect(
        (async () => c.bulkWrite([{ insertOne: { document: document as Record<string, unknown> } }]))(),
      ).rejects.toMatchObject({ code });
      expect(await c.countDocuments()).toBe(0);
    });
  }

  it('is taken with what JavaScript has and JSON has not', async () => {
    const holes: unknown[] = [1];
    holes[2] = 3;
    const given = {
      _id: 1,
      holes,
      none: undefined,
      n: Number.NaN,
      i: -Infinity,
      [Symbol('s')]: 1,
      bytes: new Uint16Array([258]),
    };
    await c.insertOne(given);
    expect(await c.findOne({ _id: 1 })).toEqual({
      _id: 1,
      holes: [1, null, 3],
      n: Number.NaN,
      i: -Infinity,
      bytes: Uint8Array.of(2, 1),
    });
    await c.insertOne(
      new Map<string, unknown>([
        ['_id', 2],
        ['a', new Map([['b', 1]])],
      ]) as never,
    );
    expect(await c.findOne({ _id: 2 })).toEqual({ _id: 2, a: { b: 1 } });
  });

  it('has the last of keys that JSON text names twice', async () => {
    await c.insertOne(JSON.parse('{"_id": 3, "a": 1, "b": 2, "a": 3}') as Record<string, unknown>);
    expect(await c.findOne({ _id: 3 })).toEqual({ _id: 3, a: 3, b: 2 });
  });
});

describe('names of prototypes', () => {
  const evil = (): Record<string, unknown> =>
    JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}') as Record<
      string,
      unknown
    >;
  const clean = (): void => {
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  };

  it('are fields like others to every operation', async () => {
    await c.insertOne({ ...evil(), _id: 1, ['__proto__']: { polluted: 1 } });
    await c.updateOne({ _id: 1 }, { $set: { '__proto__.deep': 2, 'constructor.prototype.deep': 2 } });
    await c.updateOne(
      { _id: 1 },
      { $inc: { '__proto__.deep': 1 }, $rename: { 'constructor.prototype': '__proto__.moved' } },
    );
    const found = (await c.findOne({ '__proto__.deep': 3 })) as Record<string, unknown>;
    expect(JSON.stringify(found)).toBe(
      '{"_id":1,"__proto__":{"polluted":1,"deep":3,"moved":{"polluted":1,"deep":2}},"constructor":{}}',
    );
    expect(Object.hasOwn(found, '__proto__')).toBe(true);
    clean();
  });

  it('are fields like others to projections, sorts, groups and change streams', async () => {
    const stream = c.watch();
    await c.insertMany([
      { ...evil(), _id: 1 },
      { _id: 2, a: 1 },
    ]);
    await c.createIndex({ constructor: 1 } as Record<string, 1>);
    expect(await c.find({}, { sort: { constructor: -1 }, projection: { toString: 1 } }).toArray()).toEqual([
      { _id: 1 },
      { _id: 2 },
    ]);
    expect(await c.distinct('valueOf')).toEqual([]);
    expect(await c.countDocuments({ hasOwnProperty: { $exists: true } })).toBe(0);
    const grouped = await c.aggregate([{ $group: { _id: '$toString', n: { $sum: 1 } } }]).toArray();
    expect(grouped).toEqual([{ _id: null, n: 2 }]);
    await c.updateOne({ _id: 2 }, { $set: { '__proto__.polluted': 1 } });
    await stream.next();
    await stream.next();
    expect((await stream.next()).value).toHaveProperty('updateDescription.updatedFields', {
      ['__proto__']: { polluted: 1 },
    });
    stream.close();
    clean();
  });
});

describe('documents that are written into their transaction at once', () => {
  it('leave nothing of those that fail half way, with indexes and without', async () => {
    const longKey = 'k'.repeat(3000);
    const half = { name: 'x'.repeat(200), deep: { list: [1, 2, '\ud800'] } };
    for (const field of ['plain', 'indexed']) {
      const collection = harness.collection(`halves_${field}`);
      if (field === 'indexed') await collection.createIndex({ name: 1 });
      const documents: Record<string, unknown>[] = [];
      for (let i = 0; i < 300; i++) {
        documents.push({ _id: `a${i}`, name: `name ${i}`, deep: { list: [i] } });
        if (i % 50 === 7) documents.push({ _id: `b${i}`, ...half }, { _id: `c${i}`, name: longKey, deep: () => i });
      }
      const { writeErrors, insertedCount } = await collection.insertMany(documents, { ordered: false });
      expect(insertedCount).toBe(300);
      expect(new Set(writeErrors.map(({ error }) => error.message))).toEqual(
        new Set([
          'the text has an unpaired surrogate, so it has no UTF-8 form',
          'a document cannot hold a value of type function',
        ]),
      );
      await expect(collection.insertMany(documents.slice(250))).rejects.toMatchObject({ index: 0 });
      expect(await collection.find({}, { sort: { name: 1 } }).toArray()).toEqual(
        documents
          .filter(({ _id }) => String(_id).startsWith('a'))
          .sort((a, b) => (String(a['name']) < String(b['name']) ? -1 : 1)),
      );
      expect(await collection.countDocuments({ name: 'name 7' })).toBe(1);
    }
  });

  it('refuse what their getters do to other documents', async () => {
    let outcome: Promise<unknown> = Promise.resolve();
    const document = {
      _id: 1,
      get other(): number {
        outcome = c.findOne({ _id: 77 });
        outcome.catch(() => undefined);
        return 5;
      },
    };
    await c.insertOne(document);
    await expect(outcome).rejects.toMatchObject({ code: '55000' });
    expect(await c.findOne({ _id: 1 })).toEqual({ _id: 1, other: 5 });
  });
});
