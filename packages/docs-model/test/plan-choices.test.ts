/** Plans are chosen once for queries of a shape: nothing is estimated again, until the choice turns out badly or an index comes or goes. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FindOptions } from '../src/index.js';
import { type Harness, openHarness } from './harness.js';

let harness: Harness;

beforeEach(async () => {
  harness = await openHarness();
});

afterEach(() => harness.close());

describe('plans of queries that want so many documents', () => {
  it('reckon with how many satisfy the filter', async () => {
    const c = harness.collection('c');
    await c.insertMany(Array.from({ length: 3000 }, (_, i) => ({ _id: i, a: i % 100, b: (i * 7) % 3000, c: i % 3 })));
    await c.createIndex({ a: 1, b: 1 });
    await c.createIndex({ b: 1 });
    const looks = async (filter: Record<string, unknown>, options: FindOptions): Promise<unknown[]> => {
      const { stage, index, keysExamined, sort } = await c.find(filter, options).explain();
      return [index ?? stage, keysExamined, sort];
    };
    expect(await looks({ a: 1 }, { sort: { b: -1 }, limit: 10 })).toEqual(['c_a_1_b_1', 10, false]);
    expect(await looks({ b: { $gte: 1000, $lt: 1100 } }, { limit: 20 })).toEqual(['c_b_1', 20, false]);
    expect(await looks({ a: 1, b: { $gte: 1500 } }, { limit: 5 })).toEqual(['c_a_1_b_1', 5, false]);
    // A third of all satisfies what no index knows of, as far as anybody can tell.
    expect(await looks({ c: 1 }, { sort: { b: 1 }, limit: 10 })).toMatchObject(['c_b_1', expect.any(Number), false]);
    expect(await looks({}, { limit: 10 })).toEqual(['COLLSCAN', 10, false]);
    expect(await looks({}, { sort: { b: -1 }, limit: 10 })).toEqual(['c_b_1', 10, false]);
  });
});

describe('choices of plans', () => {
  it('serve queries that ask the same paths for other values', async () => {
    const c = harness.collection('c');
    await c.insertMany(Array.from({ length: 200 }, (_, i) => ({ _id: i, a: i % 50, b: i % 40 })));
    await c.createIndex({ a: 1 });
    await c.createIndex({ b: 1 });
    const estimate = vi.spyOn(harness.model.ports, 'estimate');
    expect(await c.countDocuments({ a: 1, b: 1 })).toBe(1);
    expect(estimate).toHaveBeenCalled();
    estimate.mockClear();
    expect(await c.countDocuments({ a: 2, b: 2 })).toBe(1);
    expect((await c.find({ a: 7, b: 17 }).toArray()).map(({ _id }) => _id)).toEqual([57]);
    expect(await c.updateMany({ a: 3, b: 3 }, { $set: { c: 1 } })).toMatchObject({ matchedCount: 1 });
    expect(estimate).not.toHaveBeenCalled();
    await c.find({ a: { $gt: 48 } }).toArray();
    expect(estimate).toHaveBeenCalled();
    const among = async (...values: number[]): Promise<number> => c.countDocuments({ a: { $in: values } });
    expect(await among(1, 2, 3)).toBe(12);
    estimate.mockClear();
    expect(await among(4, 5)).toBe(8);
    expect((await c.find({ a: { $in: [6, 7] } }).explain()).index).toBe('c_a_1');
    expect(estimate).not.toHaveBeenCalled();
    expect(await among(1, 2, 3, 4, 5)).toBe(20);
    expect(estimate).toHaveBeenCalled();
    expect(await c.countDocuments({ a: 8, b: { $in: [8, 18] } })).toBe(2);
    expect(await c.countDocuments({ a: 9, b: { $in: [9, 19] } })).toBe(2);
  });

  it('serve several paths, in any order, and more than the index has', async () => {
    const c = harness.collection('c');
    await c.insertMany(Array.from({ length: 200 }, (_, i) => ({ _id: i, a: i % 50, b: i % 4, tags: [i % 3] })));
    await c.createIndex({ a: 1, b: -1 });
    const ask = async (filter: Record<string, unknown>): Promise<unknown> => {
      const { index, keysExamined, bounds, returned } = await c.find(filter).explain();
      return [index, keysExamined, bounds, returned];
    };
    for (let i = 0; i < 3; i++) {
      expect(await ask({ b: 3, a: 7 })).toEqual(['c_a_1_b_-1', 2, ['a $eq 7', 'b $eq 3'], 2]);
      expect(await ask({ a: 7, b: 3, tags: 1 })).toEqual(['c_a_1_b_-1', 2, ['a $eq 7', 'b $eq 3'], 1]);
      expect(await ask({ a: 7 })).toEqual(['c_a_1_b_-1', 4, ['a $eq 7'], 4]);
    }
    await c.insertOne({ _id: 'several', a: [7, 8], b: 3 });
    expect(await ask({ b: 3, a: 7 })).toEqual(['c_a_1_b_-1', 3, ['a $eq 7', 'b $eq 3'], 3]);
    expect(await c.find({ a: 7, b: 3 }).explain()).toMatchObject({ multikey: true });
  });

  it('are not mixed up, whatever paths are called', async () => {
    const c = harness.collection('c');
    await c.insertMany(
      Array.from({ length: 200 }, (_, i) => ({ _id: i, a: i % 50, b: i % 40, 'a\0b': i, 29: i, '\x0029': 1 })),
    );
    await c.createIndex({ a: 1, c: 1 });
    await c.createIndex({ 'a\0b': 1 }, { name: 'nul' });
    for (let i = 0; i < 3; i++) {
      expect(await c.countDocuments({ a: 1, b: 1 })).toBe(1);
      expect((await c.find({ 'a\0b': 1 }).toArray()).map(({ _id }) => _id)).toEqual([1]);
      expect(await c.countDocuments({ a: { $in: [1, 2, 3, 4] } })).toBe(16);
      expect(await c.countDocuments({ a: 1, 29: 51 })).toBe(1);
      expect(await c.countDocuments({ a: 1, '\x0029': 1 })).toBe(4);
    }
  });

  it('end with the indexes that they were made among', async () => {
    const c = harness.collection('c');
    await c.insertMany(Array.from({ length: 200 }, (_, i) => ({ _id: i, a: i % 20, b: i })));
    await c.createIndex({ a: 1 });
    const used = async (): Promise<string | undefined> => (await c.find({ a: 1, b: 1 }).explain()).index;
    expect([await used(), await used()]).toEqual(['c_a_1', 'c_a_1']);
    await c.createIndex({ b: 1 });
    expect([await used(), await used()]).toEqual(['c_b_1', 'c_b_1']);
    await c.dropIndex('c_b_1');
    expect(await used()).toBe('c_a_1');
    await c.dropIndex('c_a_1');
    expect(await used()).toBeUndefined();
    expect(await c.countDocuments({ a: 1, b: 1 })).toBe(1);
  });

  it('are given up when a value is far more frequent than foreseen', async () => {
    const c = harness.collection('c');
    const documents = Array.from({ length: 2000 }, (_, i) => ({ _id: i, a: i < 1800 ? 0 : i, b: i < 200 ? i : -1 }));
    await c.insertMany(documents);
    await c.createIndex({ a: 1 });
    await c.createIndex({ b: 1 });
    const looks = async (filter: Record<string, unknown>): Promise<unknown[]> => {
      const { index, keysExamined, returned } = await c.find(filter).explain();
      return [index, keysExamined, returned];
    };
    expect(await looks({ a: 1900, b: -1 })).toEqual(['c_a_1', 1, 1]);
    expect(await looks({ a: 0, b: 7 })).toEqual(['c_a_1', 1800, 1]);
    expect(await looks({ a: 0, b: 7 })).toEqual(['c_b_1', 1, 1]);
  });
});
