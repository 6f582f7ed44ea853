/** Different values and counts, by an index as without one. */
import { Decimal } from '@phantom/codec';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DocumentLayout } from '../src/document-layout.js';
import type { Collection, IndexKeys, IndexOptions } from '../src/index.js';
import { document as documents } from './arbitraries.js';
import { type Harness, openHarness } from './harness.js';
import { runs } from './oracle.js';

let harness: Harness;

beforeEach(async () => {
  harness = await openHarness();
});

afterEach(async () => {
  vi.restoreAllMocks();
  await harness.close();
});

/** Calls of a function that decodes some fields of a document. */
const decodesOf = async (work: () => Promise<unknown>): Promise<number> => {
  const parts = vi.spyOn(DocumentLayout.prototype, 'decodeFields');
  const whole = vi.spyOn(DocumentLayout.prototype, 'decode');
  await work();
  expect(whole).not.toHaveBeenCalled();
  return parts.mock.calls.length;
};

it('finds the same values by an index as without one', async () => {
  const plain = harness.collection('plain');
  const definitions: [IndexKeys, IndexOptions][] = [
    [{ a: 1 }, {}],
    [{ a: -1, _id: 1 }, {}],
    [{ b: 1 }, { sparse: true }],
    [{ 'a.b': 1 }, {}],
    [{ c: -1 }, { partialFilterExpression: { a: { $gt: 0 } } }],
  ];
  const indexed = await Promise.all(
    definitions.map(async ([keys, options], i): Promise<Collection<Record<string, unknown>>> => {
      const c = harness.collection(`c${i}`);
      await c.createIndex(keys, options);
      return c;
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(documents, { maxLength: 12 }), async (given) => {
      for (const c of [plain, ...indexed]) {
        await c.deleteMany({});
        await c.insertMany(given.map((one, i) => ({ ...one, _id: i })));
      }
      for (const path of ['a', 'b', 'c', 'a.b', 'missing']) {
        const wanted = await plain.distinct(path);
        for (const c of indexed) expect(await c.distinct(path)).toEqual(wanted);
      }
    }),
    runs(60, 17),
  );
});

it('gives equal numbers of different types once, and null only where it is stored', async () => {
  for (const keys of [undefined, { v: 1 }] as const) {
    const c = harness.collection(keys === undefined ? 'walked' : 'skipped');
    if (keys !== undefined) await c.createIndex(keys);
    await c.insertMany([{ v: 2n }, { v: 2 }, {}, { v: [] }, { v: [Decimal.parse('2.0'), 'x', [1]] }, { v: NaN }]);
    expect(await c.distinct('v')).toEqual([NaN, 2n, 'x', [1]]);
    await c.insertMany([{ v: [null, false] }, { v: { o: 1 } }]);
    expect(await c.distinct('v')).toEqual([null, NaN, 2n, 'x', { o: 1 }, [1], false]);
    expect(await c.distinct('v', { v: { $type: 'string' } })).toEqual([Decimal.parse('2.0'), 'x', [1]]);
  }
});

it('looks at one document of each value, and at all where that costs less', async () => {
  const c = harness.collection('c');
  await c.createIndex({ kind: 1 });
  await c.createIndex({ own: 1 });
  await c.insertMany(Array.from({ length: 2000 }, (_, i) => ({ _id: i, kind: `k${i % 7}`, own: i })));
  expect(await decodesOf(async () => expect(await c.distinct('kind')).toHaveLength(7))).toBe(7);
  vi.restoreAllMocks();
  expect(await decodesOf(async () => expect(await c.distinct('own')).toHaveLength(2000))).toBeLessThan(2300);
  vi.restoreAllMocks();
  expect(await decodesOf(async () => expect(await c.distinct('kind', { own: { $lt: 5 } })).toHaveLength(5))).toBe(5);
});

it('goes on where it was when others had a turn', async () => {
  const c = harness.collection('c');
  await c.createIndex({ kind: 1 });
  await c.insertMany(Array.from({ length: 500 }, (_, i) => ({ kind: i % 50 })));
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (now += 7));
  expect(await c.distinct('kind')).toEqual(Array.from({ length: 50 }, (_, i) => i));
});

it('counts by entries alone what an index decides', async () => {
  const c = harness.collection('c');
  await c.createIndex({ n: 1, s: -1 });
  await c.createIndex({ tags: 1 });
  await c.insertMany(
    Array.from({ length: 1000 }, (_, i) => ({
      n: i % 4 === 0 ? BigInt(i) : i % 97 === 0 ? NaN : i + 0.5,
      s: `s${i % 10}`,
      tags: [i % 3, 'x'],
    })),
  );
  const filters = [
    [{ n: { $gte: 100, $lt: 104 } }, 0],
    [{ n: { $gt: 996 } }, 0],
    [{ n: { $in: [4, 8, 'none'] }, s: { $gt: 's3' } }, 0],
    [{ n: { $lte: 100 } }, 0],
    // The second part is not reached, an array may satisfy both by two elements, null is also what is missing.
    [{ n: { $gt: 990 }, s: 's4' }, 10],
    [{ tags: { $gte: 2 } }, 333],
    [{ n: null }, 1],
  ] as const;
  for (const [filter, decodesMax] of filters) {
    const wanted = await c.countDocuments(filter, { hint: '$natural' });
    expect(await decodesOf(async () => expect(await c.countDocuments(filter)).toBe(wanted))).toBeLessThanOrEqual(
      decodesMax,
    );
    vi.restoreAllMocks();
  }
  expect(await c.countDocuments({ n: { $gt: 990 } }, { skip: 2, limit: 4 })).toBe(4);
  expect(await c.find({ n: { $gt: 990 } }).toArray()).toHaveLength(10);
});
