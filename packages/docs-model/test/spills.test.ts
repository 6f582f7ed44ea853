/** What does not fit into memory goes to scratch files: the answers are the same, and no file is left however a query ends. */
import { inspect } from 'node:util';
import { MemoryBudget, MemoryPool, type Scratch, type ScratchFile } from '@phantom/base';
import { Decimal, ObjectId, Uuid } from '@phantom/codec';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Collection, DocumentModel, openCollection } from '../src/index.js';
import { type Harness, beginIn, openHarness } from './harness.js';

type Any = Record<string, unknown>;

const LIMIT_BYTES = 100_000;
const DOCUMENTS = 1200;

/** Files in memory. */
class MemoryScratch implements Scratch {
  readonly open = new Set<ScratchFile>();
  made = 0;
  bytesInUse = 0;
  bytesMax = Number.POSITIVE_INFINITY;

  create(): ScratchFile {
    const { open } = this;
    const take = (bytes: number): void => {
      if (this.bytesInUse + bytes > this.bytesMax) throw new Error('the disk is full');
      this.bytesInUse += bytes;
    };
    let held = new Uint8Array(0);
    const file = {
      bytes: 0,
      append(bytes: Uint8Array, start: number, end: number): number {
        take(end - start);
        const at = held.length;
        held = Buffer.concat([held, bytes.subarray(start, end)]);
        file.bytes = held.length;
        return at;
      },
      readAt(offset: number, into: Uint8Array): number {
        const found = held.subarray(offset, offset + into.length);
        into.set(found);
        return found.length;
      },
      close: () => {
        if (open.delete(file)) take(-file.bytes);
      },
    };
    this.made++;
    open.add(file);
    return file;
  }
}

const VALUES: readonly unknown[] = [
  null,
  [],
  [3, 1],
  [[]],
  0,
  -0,
  5n,
  2n ** 60n,
  1.5,
  Decimal.parse('1.50'),
  Number.NaN,
  Infinity,
  'a',
  'é😀',
  '',
  { a: 1 },
  { a: undefined },
  {},
  true,
  false,
  new Date(5),
  new Uint8Array([1, 2]),
  new ObjectId('0'.repeat(24)),
  new Uuid('00000000-0000-4000-8000-000000000000'),
];

let harness: Harness;
let plain: Collection<Any>;
let c: Collection<Any>;
const scratch = new MemoryScratch();
const pool = new MemoryPool(10 * LIMIT_BYTES);

beforeAll(async () => {
  harness = await openHarness();
  const memory = (): MemoryBudget => new MemoryBudget(LIMIT_BYTES, pool);
  plain = harness.collection<Any>('c');
  c = openCollection<Any>(new DocumentModel({ ...harness.model.ports, memory, scratch }), 'c');
  const documents = Array.from({ length: DOCUMENTS }, (_, i) => ({
    _id: i,
    rank: (i * 7919) % DOCUMENTS,
    group: i % 20,
    text: `word ${'x'.repeat(200)}`,
    ...(i % 25 === 24 ? {} : { any: VALUES[i % 25] }),
  }));
  await plain.insertMany(documents);
  await plain.createIndex({ text: 'text' });
});

afterAll(() => harness.close());

/** What is left of queries that have ended. */
const left = (): number[] => [scratch.open.size, scratch.bytesInUse, pool.usedBytes];
const NOTHING = [0, 0, 0];

/** True when something went to files. */
async function spills(run: () => Promise<unknown>): Promise<boolean> {
  const { made } = scratch;
  await run();
  return scratch.made > made;
}

const idsOf = (documents: readonly Any[]): unknown[] => documents.map(({ _id }) => _id);

const sorts: readonly (readonly [string, (of: Collection<Any>) => Promise<Any[]>])[] = [
  ['a find', (of) => of.find().sort({ rank: 1 }).toArray()],
  ['a find by values of all kinds', (of) => of.find().sort({ any: 1 }).toArray()],
  ['one the other way', (of) => of.find().sort({ any: -1, group: 1 }).toArray()],
  [
    'one that filters by a field',
    (of) =>
      of
        .find({ group: { $gt: 2 } })
        .sort({ any: 1 })
        .toArray(),
  ],
  [
    'one with a projection',
    (of) =>
      of
        .find({}, { projection: { text: 1 } })
        .sort({ rank: -1 })
        .toArray(),
  ],
  ['one with skip and limit', (of) => of.find().sort({ rank: 1 }).skip(200).limit(600).toArray()],
  [
    'a search by its score',
    (of) =>
      of
        .find({ $text: { $search: 'word' } })
        .sort({ score: { $meta: 'textScore' }, rank: 1 } as never)
        .toArray(),
  ],
  ['a front of a pipeline', (of) => of.aggregate([{ $sort: { rank: 1 } }, { $set: { a: 1 } }]).toArray()],
  ['$sort', (of) => of.aggregate([{ $set: { b: ['$any', 1n] } }, { $sort: { any: 1 } }]).toArray()],
  [
    '$sort of what was searched for',
    (of) =>
      of
        .aggregate([
          { $match: { $text: { $search: 'word' } } },
          { $set: { a: 1 } },
          { $sort: { rank: -1 } },
          { $set: { s: { $meta: 'textScore' } } },
        ])
        .toArray(),
  ],
  [
    '$sort in $facet',
    (of) =>
      of
        .aggregate([
          { $limit: 90 },
          { $facet: { a: [{ $set: { t: '$text' } }, { $sort: { rank: 1 } }, { $project: { rank: 1 } }] } },
        ])
        .toArray(),
  ],
];

describe('sorts past the memory', () => {
  it.each(sorts)('%s gives what it gives within it', async (_what, run) => {
    let found: Any[] = [];
    expect(await spills(async () => (found = await run(c)))).toBe(true);
    expect(found).toEqual(await run(plain));
    expect(left()).toEqual(NOTHING);
  });

  it('stay in memory where few are wanted', async () => {
    const first = (): Promise<Any[]> => c.find().sort({ rank: 1 }).limit(20).toArray();
    expect(await spills(first)).toBe(false);
    expect(idsOf(await first())).toEqual(idsOf(await plain.find().sort({ rank: 1 }).limit(20).toArray()));
  });

  it('are refused where files are not to be used, or cannot hold a value', async () => {
    const inMemory = { allowDiskUse: false };
    await expect(c.find({}, inMemory).sort({ rank: 1 }).toArray()).rejects.toMatchObject({ code: '53200' });
    const staged = [{ $set: { a: 1 } }, { $sort: { rank: 1 } }];
    await expect(c.aggregate(staged, inMemory).toArray()).rejects.toMatchObject({ code: '53200' });
    const patterns = [{ $set: { a: /x/ } }, { $sort: { rank: 1 } }];
    await expect(c.aggregate(patterns).toArray()).rejects.toMatchObject({ code: '53200' });
    expect(left()).toEqual(NOTHING);
    expect(() => c.find({}, { allowDiskUse: 1 as never })).toThrow(expect.objectContaining({ code: '22023' }));
  });

  it('leave no file when their cursor is left, or the disk is full', async () => {
    for await (const document of c.find().sort({ rank: 1 })) {
      expect(document['rank']).toBe(0);
      expect(scratch.open.size).toBeGreaterThan(0);
      break;
    }
    for await (const document of c.aggregate(staged('$sort'))) {
      expect(document['rank']).toBe(0);
      expect(scratch.open.size).toBeGreaterThan(0);
      break;
    }
    await new Promise(setImmediate);
    expect(left()).toEqual(NOTHING);
    scratch.bytesMax = 150_000;
    await expect(c.find().sort({ rank: 1 }).toArray()).rejects.toThrow('the disk is full');
    await expect(c.aggregate(staged('$sort')).toArray()).rejects.toThrow('the disk is full');
    expect(left()).toEqual(NOTHING);
    scratch.bytesMax = Number.POSITIVE_INFINITY;
  });

  it('leave none when their transaction ends', async () => {
    const { tx, rollback } = beginIn(harness);
    const cursor = c.aggregate(staged('$sort'), { tx });
    expect(await cursor.next()).toMatchObject({ rank: 0 });
    rollback();
    await expect(cursor.toArray()).rejects.toMatchObject({ code: '25P01' });
    expect(left()).toEqual(NOTHING);
  });
});

const ACCUMULATED = {
  sum: { $sum: '$rank' },
  long: { $sum: { $toLong: '$rank' } },
  average: { $avg: '$rank' },
  least: { $min: '$any' },
  greatest: { $max: '$any' },
  first: { $first: '$any' },
  last: { $last: '$rank' },
  all: { $push: '$rank' },
  nothing: { $push: '$absent' },
  set: { $addToSet: { $mod: ['$rank', 7] } },
  words: { $addToSet: { $toString: { $mod: ['$rank', 5] } } },
  merged: { $mergeObjects: { last: '$_id', any: '$any' } },
  deviation: { $stdDevPop: '$rank' },
  sample: { $stdDevSamp: '$rank' },
  count: { $count: {} },
  top: { $top: { sortBy: { any: -1, rank: 1 }, output: '$_id' } },
  bottom: { $bottomN: { n: 3, sortBy: { any: 1 }, output: ['$_id', '$text'] } },
  firsts: { $firstN: { n: 4, input: '$text' } },
  lasts: { $lastN: { n: 4, input: '$_id' } },
  leasts: { $minN: { n: 4, input: '$rank' } },
  greatests: { $maxN: { n: 4, input: '$rank' } },
};

/** Groups in an order, what is rounded apart. */
function tidied(groups: readonly Any[]): unknown[] {
  const tidy = ({ set, words, deviation, sample, ...others }: Any): unknown => ({
    ...others,
    sets: [set, words].map((one) => [...((one ?? []) as unknown[])].map(String).sort((a, b) => (a < b ? -1 : 1))),
    rounded: [deviation, sample].map((one) => Number(one).toFixed(6)),
  });
  return groups.toSorted((a, b) => (inspect(a['_id']) < inspect(b['_id']) ? -1 : 1)).map(tidy);
}

describe('groups past the memory', () => {
  const many = [{ $group: { _id: { a: '$rank', text: '$text' }, ids: { $push: '$_id' } } }];
  const grouped: readonly (readonly [string, readonly Any[]])[] = [
    ['many of them', [{ $group: { _id: { $toString: '$rank' }, text: { $first: '$text' }, ids: { $push: '$_id' } } }]],
    [
      'all that is accumulated',
      [{ $group: { _id: '$group', texts: { $push: '$text' }, ...ACCUMULATED } }, { $unset: 'texts' }],
    ],
    ['ids of all kinds', [{ $group: { _id: '$any', texts: { $push: '$text' }, n: { $sum: 1 } } }, { $unset: 'texts' }]],
    [
      '$sortByCount',
      [
        { $sortByCount: { $concat: ['$text', { $toString: { $mod: ['$rank', 900] } }] } },
        { $group: { _id: '$count', n: { $sum: 1 } } },
      ],
    ],
    ['$bucketAuto', [{ $bucketAuto: { groupBy: '$any', buckets: 9 } }]],
    ['$bucketAuto of few', [{ $bucketAuto: { groupBy: '$rank', buckets: 1, output: { all: { $max: '$_id' } } } }]],
    [
      'groups of groups',
      [
        { $group: { _id: { $concat: ['$text', { $toString: '$rank' }] }, g: { $first: '$group' } } },
        { $group: { _id: '$g', n: { $sum: 1 } } },
      ],
    ],
  ];

  it.each(grouped)('%s are what they are within it', async (_what, pipeline) => {
    let found: Any[] = [];
    expect(await spills(async () => (found = await c.aggregate(pipeline).toArray()))).toBe(true);
    expect(tidied(found)).toEqual(tidied(await plain.aggregate(pipeline).toArray()));
    expect(left()).toEqual(NOTHING);
  });

  it('are refused where files are not to be used, cannot hold a value, or one is too large', async () => {
    const inMemory = { allowDiskUse: false };
    await expect(c.aggregate(many, inMemory).toArray()).rejects.toMatchObject({ code: '53200' });
    const patterns = [{ $group: { _id: '$rank', text: { $first: '$text' }, x: { $first: /x/ } } }];
    await expect(c.aggregate(patterns).toArray()).rejects.toMatchObject({ code: '53200' });
    const one = [{ $group: { _id: null, all: { $push: '$text' } } }];
    await expect(c.aggregate(one).toArray()).rejects.toMatchObject({
      code: '53200',
      message: expect.stringContaining('(in $group)'),
    });
    expect(left()).toEqual(NOTHING);
  });

  it('leave no file when their cursor is left', async () => {
    for await (const group of c.aggregate(many)) {
      expect(group['ids']).toHaveLength(1);
      expect(scratch.open.size).toBeGreaterThan(0);
      break;
    }
    await new Promise(setImmediate);
    expect(left()).toEqual(NOTHING);
  });
});

function staged(name: string): Any[] {
  return [{ $set: { a: 1 } }, { [name]: { rank: 1 } }];
}
