/** Documents kept decoded: the same answers as without, whoever writes meanwhile; kept when asked for again, put out when others need the room. */
import { MetricsRegistry } from '@phantom/base';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type CacheItem,
  type Collection,
  DocumentCache,
  DocumentModel,
  type SharedCache,
  openCollection,
} from '../src/index.js';
import { type Harness, type OpenIsolation, type OpenTransaction, beginIn, openHarness } from './harness.js';

type Any = Record<string, unknown>;

/** Puts out what came first. */
class FirstOut implements SharedCache {
  readonly items = new Set<CacheItem>();
  readonly itemsMax: number;

  constructor(itemsMax: number) {
    this.itemsMax = itemsMax;
  }

  insert(item: CacheItem): boolean {
    if (this.itemsMax === 0) return false;
    if (this.items.size === this.itemsMax) this.evict();
    this.items.add(item);
    return true;
  }

  remove(item: CacheItem): void {
    this.items.delete(item);
  }

  evict(): void {
    const [first] = this.items;
    if (first === undefined) return;
    this.items.delete(first);
    first.evicted();
  }
}

let harness: Harness;
let shared: FirstOut;
let cache: DocumentCache;
let posts: Collection<Any>;

function open(groups: number): void {
  shared = new FirstOut(groups);
  cache = new DocumentCache(shared, harness.mvcc, new MetricsRegistry());
  posts = openCollection(new DocumentModel({ ...harness.model.ports, cache }), 'posts');
}

beforeEach(async () => {
  harness = await openHarness();
  open(1000);
});

afterEach(() => harness.close());

const transaction = (isolation?: OpenIsolation): OpenTransaction => beginIn(harness, isolation);

async function fill(count = 20): Promise<void> {
  await posts.insertMany(Array.from({ length: count }, (_, i) => ({ _id: i, a: i % 5, tags: ['x'], o: { n: i } })));
  await posts.createIndex({ a: 1 });
}

/** Asks until everything is kept. */
async function warm(filter: Any): Promise<Any[]> {
  for (let i = 0; i < 3; i++) await posts.find(filter).toArray();
  return posts.find(filter).toArray();
}

describe('documents kept decoded', () => {
  it('fit a search as well kept as not, each search by itself', async () => {
    await posts.createIndex({ title: 'text' });
    await posts.insertMany([
      { _id: 1, title: 'fox' },
      { _id: 2, title: 'one fox, two foxes and a long tail of other words' },
      { _id: 3, title: 'tail' },
    ]);
    const score = { $meta: 'textScore' };
    const scored = (search: string): Promise<unknown> =>
      posts.find({ $text: { $search: search } }, { projection: { title: 0, score }, sort: { score } }).toArray();
    const stages = [{ $project: { title: 0 } }, { $addFields: { score } }, { $sort: { score } }];
    const piped = (search: string): Promise<unknown> =>
      posts.aggregate([{ $match: { $text: { $search: search } } }, ...stages]).toArray();
    const first = await scored('fox');
    expect(first).toMatchObject([{ _id: 2 }, { _id: 1 }]);
    const tail = await scored('tail');
    for (let i = 0; i < 3; i++) {
      expect(await scored('fox')).toEqual(first);
      expect(await piped('fox')).toEqual(first);
      expect(await scored('tail')).toEqual(tail);
    }
    const left = posts.find({ $text: { $search: 'fox' } }, { projection: { title: 0, score }, sort: { score } });
    const met = [await left.next()];
    await scored('tail');
    expect([...met, ...(await left.toArray())]).toEqual(first);
  });

  it('are those asked for a second time, by their id or through an index', async () => {
    await fill();
    await posts.findOne({ _id: 1 });
    expect(cache.count).toBe(0);
    await posts.findOne({ _id: 1 });
    expect([cache.count, cache.hits]).toEqual([1, 0]);
    expect(await posts.findOne({ _id: 1 })).toEqual({ _id: 1, a: 1, tags: ['x'], o: { n: 1 } });
    expect([cache.count, cache.hits]).toEqual([1, 1]);
    await posts.find({ a: 2 }).toArray();
    expect([cache.count, cache.lookupCount]).toEqual([1, 0]);
    await posts.find({ a: 2 }).toArray();
    expect([cache.count, cache.lookupCount]).toEqual([5, 1]);
    expect((await posts.find({ a: 2 }).toArray()).map(({ _id }) => _id)).toEqual([2, 7, 12, 17]);
    expect(cache.hits).toBe(2);
  });

  it('are the whole of a look-up where no more than they was wanted', async () => {
    await fill(5);
    for (let i = 0; i < 2; i++) expect(await posts.findOne({ a: 3 })).toMatchObject({ _id: 3 });
    expect([cache.count, cache.lookupCount]).toEqual([1, 1]);
    await posts.insertOne({ _id: 8, a: 3 });
    for (let i = 0; i < 3; i++) expect(await posts.findOne({ a: 3 })).toMatchObject({ _id: 3 });
    expect([cache.count, cache.lookupCount]).toEqual([1, 0]);
    expect((await posts.find({ a: 3 }).toArray()).map(({ _id }) => _id)).toEqual([3, 8]);
  });

  it('are not those of walks through the collection', async () => {
    await fill();
    for (let i = 0; i < 4; i++) await posts.find({}).toArray();
    expect(cache.count).toBe(0);
  });

  it('are handed out as copies that the caller may change', async () => {
    await fill();
    for (let i = 0; i < 4; i++) {
      const found = (await posts.findOne({ _id: 3 })) as Any;
      expect(found).toEqual({ _id: 3, a: 3, tags: ['x'], o: { n: 3 } });
      (found['tags'] as unknown[]).push('y');
      (found['o'] as Any)['n'] = -1;
      delete found['a'];
    }
    for (const found of await warm({ a: 3 })) (found['o'] as Any)['n'] = -1;
    expect((await posts.find({ a: 3 }).toArray()).map(({ o }) => (o as Any)['n'])).toEqual([3, 8, 13, 18]);
  });

  it('serve filters, sorts, projections, counts and pipelines', async () => {
    await fill();
    await warm({ a: 1 });
    const { hits } = cache;
    const query = posts.find({ a: 1, 'o.n': { $gt: 1 } }, { sort: { 'o.n': -1 }, projection: { 'o.n': 1, _id: 0 } });
    expect(await query.toArray()).toEqual([{ o: { n: 16 } }, { o: { n: 11 } }, { o: { n: 6 } }]);
    expect(await posts.countDocuments({ a: 1, 'o.n': { $gt: 1 } })).toBe(3);
    expect(await posts.find({ a: 1 }).limit(1).skip(1).toArray()).toMatchObject([{ _id: 6 }]);
    expect(
      await posts.aggregate([{ $match: { a: 1 } }, { $group: { _id: '$a', n: { $sum: '$o.n' } } }]).toArray(),
    ).toEqual([{ _id: 1, n: 34 }]);
    expect((await posts.find({ $or: [{ a: 1 }, { _id: 2 }] }).toArray()).map(({ _id }) => _id)).toEqual([
      1, 6, 11, 16, 2,
    ]);
    expect(cache.hits).toBeGreaterThanOrEqual(hits + 5);
    expect(await posts.find({ a: 1 }).explain()).toMatchObject({ stage: 'IXSCAN', documentsExamined: 4, returned: 4 });
  });

  it('go when they are written, with the look-ups that have them', async () => {
    await fill();
    await warm({ a: 1 });
    await posts.updateOne({ _id: 6 }, { $set: { o: 'new' } });
    expect([cache.count, cache.lookupCount]).toEqual([3, 0]);
    expect(await posts.findOne({ _id: 6 })).toMatchObject({ o: 'new' });
    expect((await posts.find({ a: 1 }).toArray()).map(({ o }) => o)).toEqual([{ n: 1 }, 'new', { n: 11 }, { n: 16 }]);
    await warm({ a: 1 });
    await posts.deleteOne({ _id: 1 });
    await posts.updateOne({ _id: 11 }, { $set: { a: 2 } });
    expect((await posts.find({ a: 1 }).toArray()).map(({ _id }) => _id)).toEqual([6, 16]);
  });

  it('leave look-ups when others come to have their values, and come to those that had none', async () => {
    await fill();
    await warm({ a: 1 });
    await warm({ a: 9 });
    expect(cache.lookupCount).toBe(2);
    await posts.insertOne({ _id: 100, a: 9 });
    expect(cache.lookupCount).toBe(1);
    expect(await posts.find({ a: 9 }).toArray()).toEqual([{ _id: 100, a: 9 }]);
    await posts.updateOne({ _id: 3 }, { $set: { a: 1 } });
    expect((await posts.find({ a: 1 }).toArray()).map(({ _id }) => _id)).toEqual([1, 3, 6, 11, 16]);
    await warm({ a: 1 });
    await posts.insertOne({ _id: 101, a: [1, 7] });
    expect((await posts.find({ a: 1 }).toArray()).map(({ _id }) => _id)).toEqual([1, 3, 6, 11, 16, 101]);
  });

  it('go with unique values that others are given, missing ones among them', async () => {
    await posts.createIndex({ slug: 1 }, { unique: true });
    await posts.insertMany([
      { _id: 1, slug: 'a' },
      { _id: 2, slug: 'b' },
    ]);
    await warm({ slug: 'c' });
    await warm({ slug: 'a' });
    await posts.updateOne({ _id: 2 }, { $set: { slug: 'c' } });
    expect(await posts.find({ slug: 'c' }).toArray()).toEqual([{ _id: 2, slug: 'c' }]);
    await posts.updateOne({ _id: 1 }, { $unset: { slug: 1 } });
    expect(await warm({ slug: null })).toEqual([{ _id: 1 }]);
    expect(await posts.find({ slug: 'a' }).toArray()).toEqual([]);
  });

  it('are of no use to who sees something older, or writes himself', async () => {
    await fill();
    const old = transaction();
    expect(await posts.findOne({ _id: 1 }, { tx: old.tx })).toMatchObject({ o: { n: 1 } });
    await posts.updateOne({ _id: 1 }, { $set: { o: 'new' } });
    for (let i = 0; i < 3; i++) await posts.findOne({ _id: 1 });
    await warm({ a: 1 });
    expect(await posts.findOne({ _id: 1 }, { tx: old.tx })).toMatchObject({ o: { n: 1 } });
    expect((await posts.find({ a: 1 }, { tx: old.tx }).toArray())[0]).toMatchObject({ o: { n: 1 } });
    for (let i = 0; i < 3; i++) expect(await posts.findOne({ _id: 1 }, { tx: old.tx })).toMatchObject({ o: { n: 1 } });
    expect(await posts.findOne({ _id: 1 })).toMatchObject({ o: 'new' });

    const writing = transaction('read committed');
    await posts.updateOne({ _id: 6 }, { $set: { o: 'mine' } }, { tx: writing.tx });
    for (let i = 0; i < 3; i++) {
      expect((await posts.find({ a: 1 }, { tx: writing.tx }).toArray())[1]).toMatchObject({ o: 'mine' });
      expect((await posts.find({ _id: { $in: [6] } }, { tx: writing.tx }).toArray())[0]).toMatchObject({ o: 'mine' });
      expect((await posts.find({ a: 1 }).toArray())[1]).toMatchObject({ o: { n: 6 } });
    }
    await writing.commit();
    expect((await posts.find({ a: 1 }).toArray())[1]).toMatchObject({ o: 'mine' });
  });

  it('are not what a cursor meets after its transaction has written', async () => {
    await fill();
    for (let i = 0; i < 2; i++) {
      const writing = transaction('read committed');
      const cursor = posts.find({ a: 1 }, { tx: writing.tx });
      expect(await cursor.next()).toMatchObject({ _id: 1 });
      await posts.updateOne({ _id: 11 }, { $set: { o: 'never' } }, { tx: writing.tx });
      while ((await cursor.next()) !== null);
      writing.rollback();
    }
    expect((await posts.find({ a: 1 }).toArray()).map(({ o }) => o)).toEqual([
      { n: 1 },
      { n: 6 },
      { n: 11 },
      { n: 16 },
    ]);
  });

  it('go with their collection, and with commits too large to be looked through', async () => {
    await fill();
    await warm({ a: 1 });
    await openCollection(harness.model, 'others').insertMany(Array.from({ length: 17_000 }, (_, i) => ({ _id: i })));
    expect([cache.count, cache.lookupCount, shared.items.size]).toEqual([0, 0, 0]);
    await warm({ a: 1 });
    expect(cache.count).toBe(4);
    await posts.drop();
    expect([cache.count, cache.lookupCount]).toEqual([0, 0]);
    expect(await posts.find({ a: 1 }).toArray()).toEqual([]);
    await fill(10);
    expect((await warm({ a: 1 })).map(({ _id }) => _id)).toEqual([1, 6]);
  });
});

describe('the room of kept documents', () => {
  it('is given back, and only few are kept while they are of no use', async () => {
    open(2);
    await posts.insertMany(Array.from({ length: 100 }, (_, i) => ({ _id: i, text: `${i} `.repeat(2000) })));
    const ask = async (): Promise<void> => {
      for (let i = 0; i < 100; i++) expect(await posts.findOne({ _id: i })).toMatchObject({ _id: i });
    };
    for (let i = 0; i < 3; i++) await ask();
    expect(shared.items.size).toBe(2);
    const kept = cache.count;
    expect(kept).toBeLessThan(30);
    expect(cache.bytes).toBe(2 * 64 * 1024);
    shared.evict();
    expect(cache.count).toBeLessThan(kept);
    expect(cache.bytes).toBe(64 * 1024);
    await ask();
  });

  it('is taken again by all that was written, however often', async () => {
    await fill(400);
    for (let i = 0; i < 4; i++) {
      await warm({ a: 1 });
      expect([cache.count, cache.lookupCount]).toEqual([80, 1]);
      await posts.updateMany({ a: 1 }, { $inc: { n: 1 } });
      expect(cache.count).toBe(0);
    }
  });

  it('may be none', async () => {
    open(0);
    await fill();
    expect(await warm({ a: 1 })).toHaveLength(4);
    await posts.insertOne({ _id: 'large', text: 'x'.repeat(20_000) });
    for (let i = 0; i < 3; i++) expect(await posts.findOne({ _id: 'large' })).toMatchObject({ _id: 'large' });
    expect([cache.count, cache.bytes]).toEqual([0, 0]);
  });

  it('is given back when all in it was written', async () => {
    await fill(400);
    await warm({ a: 1 });
    await warm({ a: 2 });
    expect(shared.items.size).toBeGreaterThan(0);
    await posts.updateMany({}, { $set: { b: 1 } });
    expect([cache.count, cache.lookupCount]).toEqual([0, 0]);
    expect(shared.items.size).toBeLessThanOrEqual(1);
  });
});

/** Every other collection has arrays in its index. */
const isArrayWanted = (round: number): boolean => round % 2 === 0;

describe('answers', () => {
  it('are those of a model that keeps nothing, whatever is written', async () => {
    const id = fc.integer({ min: 0, max: 5 });
    const value = fc.integer({ min: 0, max: 2 });
    const step = fc.oneof(
      fc.record({ do: fc.constant('put' as const), id, value, by: fc.boolean() }),
      fc.record({ do: fc.constant('put' as const), id, value, by: fc.boolean(), more: value }),
      fc.record({ do: fc.constant('remove' as const), id, by: fc.boolean() }),
      fc.record({ do: fc.constant('rest' as const), id }),
      fc.record({ do: fc.constant('snapshot' as const) }),
      fc.record({ do: fc.constant('id' as const), id }),
      fc.record({ do: fc.constant('value' as const), value }),
      fc.record({ do: fc.constant('value' as const), value }),
      fc.record({ do: fc.constant('id' as const), id }),
      fc.record({ do: fc.constant('evict' as const) }),
    );
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80 }), async (steps) => {
        const name = `c${round++}`;
        const kept = openCollection<Any>(new DocumentModel({ ...harness.model.ports, cache }), name);
        const plain = openCollection<Any>(harness.model, name);
        await kept.createIndex({ a: 1 });
        let old = transaction();
        for (const one of steps) {
          switch (one.do) {
            case 'put':
              await (one.by ? kept : plain).replaceOne(
                { _id: one.id },
                { a: 'more' in one && isArrayWanted(round) ? [one.value, one.more] : one.value, x: [one.value] },
                { upsert: true },
              );
              break;
            case 'remove':
              await (one.by ? kept : plain).deleteOne({ _id: one.id });
              break;
            case 'rest':
              await plain.updateOne({ _id: one.id }, { $inc: { rest: 1 } });
              break;
            case 'snapshot':
              old = transaction();
              break;
            case 'evict':
              shared.evict();
              break;
            case 'id':
              for (const options of [{}, { tx: old.tx }]) {
                const found = await kept.findOne({ _id: one.id }, options);
                expect(found).toEqual(await plain.findOne({ _id: one.id }, options));
              }
              break;
            default:
              for (const options of [{}, { tx: old.tx }]) {
                const filter = { a: one.value };
                const found = await kept.find(filter, options).toArray();
                expect(found).toEqual(await plain.find(filter, options).toArray());
                expect(found).toEqual(await plain.find(filter, { ...options, hint: '$natural' }).toArray());
                expect(await kept.findOne(filter, options)).toEqual(found[0] ?? null);
                const shown = await plain.find(filter, { ...options, limit: 2, projection: { x: 1 } }).toArray();
                expect(shown).toEqual(found.slice(0, 2).map(({ _id, x }) => ({ _id, x })));
              }
          }
        }
      }),
      { seed: 3, numRuns: 40 },
    );
    expect(cache.hits).toBeGreaterThan(100);
  });
});
