/** Finding by one value of an index without a plan or a transaction: what may be answered so, and that it is what a reader finds. */
import { MetricsRegistry, eventLoop } from '@phantom/base';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Collection, DocumentCache, DocumentModel, openCollection } from '../src/index.js';
import { type Harness, beginIn, openHarness } from './harness.js';

type Any = Record<string, unknown>;

let harness: Harness;
let c: Collection<Any>;

beforeEach(async () => {
  harness = await openHarness();
  c = harness.collection('c');
  await c.insertMany(Array.from({ length: 100 }, (_, i) => ({ _id: i, a: i % 10, b: { c: i }, n: i })));
  await c.createIndex({ a: 1 });
  await c.createIndex({ 'b.c': 1 });
});

afterEach(() => harness.close());

/** What the work gives, and how many transactions it has begun. */
async function begun<T>(work: () => Promise<T>): Promise<[T, number]> {
  // A turn that has lasted long makes whoever asks wait for the next one.
  await eventLoop.nextTurn();
  const before = harness.mvcc.stats().begun;
  const result = await work();
  return [result, harness.mvcc.stats().begun - before];
}

const ids = async (filter: Any): Promise<unknown[]> => (await c.find(filter).toArray()).map(({ _id }) => _id);

describe('one value of an index', () => {
  it('is read without a transaction once an index was chosen for its path', async () => {
    expect(await begun(() => ids({ a: 3 }))).toEqual([[3, 13, 23, 33, 43, 53, 63, 73, 83, 93], 1]);
    expect(await begun(() => ids({ a: 4 }))).toEqual([[4, 14, 24, 34, 44, 54, 64, 74, 84, 94], 0]);
    expect(await begun(() => ids({ a: 'none' }))).toEqual([[], 0]);
    expect(await begun(() => c.findOne({ a: 7 }))).toEqual([{ _id: 7, a: 7, b: { c: 7 }, n: 7 }, 0]);
    expect(await begun(() => c.findOne({ a: 70 }))).toEqual([null, 0]);
    expect(await c.findOne({ 'b.c': 50 })).toMatchObject({ _id: 50 });
    expect(await begun(() => c.findOne({ 'b.c': 51 }, { projection: { n: 1 } }))).toEqual([{ _id: 51, n: 51 }, 0]);
    const query = c.find({ a: 5 }).limit(2).project({ n: 1, _id: 0 });
    expect(await begun(() => query.toArray())).toEqual([[{ n: 5 }, { n: 15 }], 0]);
  });

  it('is counted so, too, and read by an index that begins with the path', async () => {
    await c.createIndex({ g: 1, n: -1 });
    await c.updateMany({}, [{ $set: { g: '$a' } }]);
    expect(await begun(() => c.countDocuments({ g: 3 }))).toEqual([10, 1]);
    expect(await begun(() => c.countDocuments({ g: 4 }))).toEqual([10, 0]);
    expect(await begun(() => c.countDocuments({ g: 'none' }))).toEqual([0, 0]);
    expect((await begun(() => c.countDocuments({ g: 4 }, { limit: 3 })))[1]).toBe(1);
    expect(await begun(() => ids({ g: 4 }))).toEqual([[94, 84, 74, 64, 54, 44, 34, 24, 14, 4], 0]);
    expect(await begun(() => c.findOne({ g: 5 }, { projection: { n: 1, _id: 0 } }))).toEqual([{ n: 95 }, 0]);
    await c.insertOne({ g: [4, 5] });
    expect(await begun(() => c.countDocuments({ g: 4 }))).toEqual([11, 1]);
    expect(await begun(() => c.countDocuments({ g: { $in: [4, 5, 6] } }))).toEqual([31, 1]);
    expect(await begun(() => harness.collection('none').countDocuments({ g: 4 }))).toEqual([0, 0]);
  });

  it('is counted by a reader where many have it', async () => {
    await c.insertMany(Array.from({ length: 1200 }, (_, i) => ({ _id: 1000 + i, a: 'many' })));
    expect(await c.countDocuments({ a: 1 })).toBe(10);
    expect(await begun(() => c.countDocuments({ a: 'many' }))).toEqual([1200, 1]);
    expect(await c.countDocuments({ a: 'many' }, { skip: 10, limit: 300 })).toBe(300);
    expect(await c.countDocuments({ a: 'many' }, { skip: 1190, limit: 300 })).toBe(10);
  });

  it('leaves a cursor at its end', async () => {
    await ids({ a: 1 });
    const cursor = c.find({ a: 1 });
    expect(await cursor.toArray()).toHaveLength(10);
    expect(await cursor.toArray()).toEqual([]);
    expect(await cursor.next()).toBeNull();
    expect(() => cursor.limit(1)).toThrow('begun to read');
    const second = c.find({ a: 1 });
    expect(await second.next()).toMatchObject({ _id: 1 });
    expect(await second.toArray()).toHaveLength(9);
  });

  it('is a matter for a reader where more is asked, or several entries may lead to one document', async () => {
    await ids({ a: 1 });
    for (const options of [{ skip: 1 }, { sort: { n: -1 } }, { hint: 'c_a_1' }] as const)
      expect((await begun(() => c.find({ a: 1 }, options).toArray()))[1]).toBe(1);
    await expect(c.find({ a: 1 }, { populate: 'n' }).toArray()).rejects.toThrow('no x-ref');
    expect((await begun(() => ids({ a: 1, n: 11 })))[1]).toBe(1);
    expect((await begun(() => ids({ a: null })))[1]).toBe(1);
    await c.insertOne({ _id: 'several', a: [1, 2, 1] });
    expect(await begun(() => ids({ a: 2 }))).toEqual([['several', 2, 12, 22, 32, 42, 52, 62, 72, 82, 92], 1]);
  });

  it('is a matter for a reader where more documents have it than are read in one go', async () => {
    await c.insertMany(Array.from({ length: 300 }, (_, i) => ({ _id: 1000 + i, a: 'many' })));
    expect(await ids({ a: 1 })).toHaveLength(10);
    expect(await begun(() => c.find({ a: 'many' }).limit(150).toArray())).toMatchObject([{ length: 150 }, 0]);
    expect(await begun(() => ids({ a: 'many' }))).toMatchObject([{ length: 300 }, 1]);
  });

  it('is planned again when its choice is used up, and when the index is gone', async () => {
    const estimate = vi.spyOn(harness.model.ports, 'estimate');
    for (let i = 0; i < 1100; i++) expect(await c.findOne({ a: i % 10 })).toMatchObject({ a: i % 10 });
    expect(estimate.mock.calls.length).toBeGreaterThan(2);
    expect(estimate.mock.calls.length).toBeLessThan(20);
    await c.dropIndex('c_a_1');
    expect(await ids({ a: 1 })).toHaveLength(10);
    await c.drop();
    expect(await begun(() => ids({ a: 1 }))).toEqual([[], 0]);
  });

  it('is what is committed, as soon as it is', async () => {
    await ids({ a: 1 });
    const { tx, commit } = beginIn(harness);
    await c.updateOne({ _id: 1 }, { $set: { a: 2 } }, { tx });
    await c.insertOne({ _id: 1000, a: 1 }, { tx });
    expect(await ids({ a: 1 })).toEqual([1, 11, 21, 31, 41, 51, 61, 71, 81, 91]);
    await commit();
    expect(await ids({ a: 1 })).toEqual([11, 21, 31, 41, 51, 61, 71, 81, 91, 1000]);
    expect(await ids({ a: 2 })).toContain(1);
  });

  it('asks for the right to read', async () => {
    await ids({ a: 1 });
    const stranger = openCollection(new DocumentModel({ ...harness.model.ports, roleOid: 99_999 }), 'c');
    await expect(stranger.find({ a: 1 }).toArray()).rejects.toMatchObject({ code: '42501' });
    await expect(stranger.countDocuments({ a: 1 })).rejects.toMatchObject({ code: '42501' });
    await expect(stranger.findOne({ a: 1 })).rejects.toMatchObject({ code: '42501' });
  });
});

describe('look-ups that are kept', () => {
  it('share documents, which lie with those of the largest, and are copied whatever their forms are', async () => {
    const shared = { insert: () => true, remove: () => undefined };
    const cache = new DocumentCache(shared, harness.mvcc, new MetricsRegistry());
    const kept = openCollection<Any>(new DocumentModel({ ...harness.model.ports, cache }), 'c');
    await kept.updateOne({ _id: 13 }, { $set: { form: 'another' } });
    const ask = async (filter: Any): Promise<Any[]> => {
      const found = await kept.find(filter).toArray();
      expect(found).toEqual(await c.find(filter, { hint: '$natural' }).toArray());
      for (const document of found) document['b'] = 'changed by whoever asked';
      return found;
    };
    for (let i = 0; i < 3; i++) await ask({ 'b.c': 3 });
    for (let i = 0; i < 3; i++) await ask({ a: 3 });
    for (let i = 0; i < 3; i++) await ask({ 'b.c': 23 });
    expect(cache.lookupCount).toBe(3);
    const { hits } = cache;
    for (const filter of [{ 'b.c': 3 }, { a: 3 }, { 'b.c': 23 }]) await ask(filter);
    expect(cache.hits).toBe(hits + 3);
    expect([await kept.countDocuments({ a: 3 }), cache.hits]).toEqual([10, hits + 4]);
    await kept.updateOne({ _id: 3 }, { $set: { n: -1 } });
    expect(await ask({ a: 3 })).toMatchObject([{ n: -1 }, ...Array.from({ length: 9 }, () => ({}))]);
    expect(await ask({ 'b.c': 3 })).toMatchObject([{ n: -1 }]);
  });
});
