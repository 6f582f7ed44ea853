/** A cursor shows what was there when it was opened, whatever its transaction writes before it is read to its end, and however it reads. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FindOptions } from '../src/index.js';
import { type Harness, beginIn, openHarness } from './harness.js';

type Any = Record<string, unknown>;

let harness: Harness;

beforeEach(async () => {
  harness = await openHarness();
});

afterEach(() => harness.close());

const QUERIES: Record<string, [Any, FindOptions, string]> = {
  walk: [{}, {}, 'COLLSCAN'],
  ids: [{ _id: { $in: [1, 3, 5, 11, 13, 15, 21] } }, {}, 'IDHACK'],
  'range of ids': [{ _id: { $gte: 1, $lte: 25 } }, {}, 'COLLSCAN'],
  value: [{ a: 1 }, {}, 'IXSCAN'],
  values: [{ a: { $in: [1, 2, 4] } }, {}, 'IXSCAN'],
  'values that others hold, backwards': [{ a: { $in: [1, 4] } }, { sort: { a: -1 }, hint: 'c_a_1' }, 'IXSCAN'],
  'order of an index': [{ n: { $gte: 3 } }, { sort: { n: -1 } }, 'IXSCAN'],
  'any of several': [{ $or: [{ a: 1 }, { n: { $gt: 25 } }] }, {}, 'OR'],
  'in memory': [{ a: 1 }, { sort: { m: 1 } }, 'IXSCAN'],
  'entries of arrays': [{ tags: { $in: ['x', 't3'] } }, { hint: 'c_tags_1' }, 'IXSCAN'],
};

describe('a cursor of a transaction that goes on', () => {
  it.each(Object.entries(QUERIES))('does not show what was written after it was opened: %s', async (_, query) => {
    const [filter, options, stage] = query;
    const c = harness.collection('c');
    await c.insertMany(
      Array.from({ length: 30 }, (__, i) => ({ _id: i, a: i % 5, n: i, m: -i, tags: ['x', `t${i % 7}`] })),
    );
    for (const path of ['a', 'n', 'tags']) await c.createIndex({ [path]: 1 });
    for (const isolation of ['read committed', 'repeatable read', 'serializable'] as const) {
      const { tx, rollback } = beginIn(harness, isolation);
      // Some of what it shows is its own, from earlier statements.
      await c.updateOne({ _id: 4 }, { $set: { a: 1 } }, { tx });
      const within = { ...options, tx };
      const expected = await c.find(filter, within).toArray();
      expect(expected.length).toBeGreaterThan(5);
      expect((await c.find(filter, within).explain()).stage).toBe(stage);
      const cursor = c.find(filter, within);
      const shown = [await cursor.next()];
      await c.updateMany({ _id: { $gte: 11 } }, { $set: { a: 4, own: true } }, { tx });
      await c.insertOne({ _id: 2.5, a: 1, n: 3.5, m: 0, tags: ['x'] }, { tx });
      shown.push(await cursor.next());
      await c.deleteMany({ _id: { $in: [13, 15, 21, 26] } }, { tx });
      if (isolation === 'read committed') await c.updateOne({ _id: 9 }, { $set: { a: 1, others: true } });
      for (let next = await cursor.next(); next !== null; next = await cursor.next()) shown.push(next);
      expect(shown, isolation).toEqual(expected);
      rollback();
      await c.updateOne({ _id: 9 }, { $set: { a: 4 }, $unset: { others: 1 } });
    }
  });
});
