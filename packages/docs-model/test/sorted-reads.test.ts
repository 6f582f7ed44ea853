/** Sorting in memory: what is decoded, held and refused. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DocumentLayout } from '../src/document-layout.js';
import type { Collection } from '../src/index.js';
import { type Harness, openHarness } from './harness.js';

let harness: Harness;
let c: Collection<Record<string, unknown>>;
const COUNT = 3000;

beforeEach(async () => {
  harness = await openHarness();
  c = harness.collection('c');
  const documents = Array.from({ length: COUNT }, (_, i) => ({
    _id: i,
    score: (i * 7919) % 500,
    list: i % 3 === 0 ? [i % 11, 20 - (i % 13)] : i % 7,
    text: 'x'.repeat(i % 50),
  }));
  await c.insertMany(documents);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await harness.close();
});

it('decodes whole only what it hands out', async () => {
  const all = await c.find().toArray();
  const byScore = all.sort((a, b) => Number(b['score']) - Number(a['score']) || Number(a['_id']) - Number(b['_id']));
  const whole = vi.spyOn(DocumentLayout.prototype, 'decode');
  expect(await c.find().sort({ score: -1 }).limit(10).toArray()).toEqual(byScore.slice(0, 10));
  expect(whole).toHaveBeenCalledTimes(10);
  const some = c
    .find({ score: { $lt: 100 } })
    .sort({ score: -1 })
    .skip(5)
    .limit(20);
  expect(await some.toArray()).toEqual(byScore.filter(({ score }) => Number(score) < 100).slice(5, 25));
  expect(whole).toHaveBeenCalledTimes(10 + 25);
  expect(await c.find().sort({ score: -1 }).toArray()).toEqual(byScore);
  expect(whole).toHaveBeenCalledTimes(10 + 25 + COUNT);
  expect(await c.find().sort({ score: -1 }).limit(3).project({ text: 1 }).toArray()).toEqual(
    byScore.slice(0, 3).map(({ _id, text }) => ({ _id, text })),
  );
  expect(whole).toHaveBeenCalledTimes(10 + 25 + COUNT);
});

it('sorts the same with a limit as without, through arrays and by several paths', async () => {
  for (const sort of [{ list: 1 }, { list: -1, score: 1 }, { text: 1, list: -1 }] as const) {
    const whole = await c.find().sort(sort).toArray();
    for (const [skip, limit] of [
      [0, 1],
      [7, 400],
      [1100, 300],
    ] as const) {
      expect(await c.find().sort(sort).skip(skip).limit(limit).toArray()).toEqual(whole.slice(skip, skip + limit));
    }
    const asked = { $expr: { $lt: ['$score', 250] } };
    const found = await c.find(asked).sort(sort).limit(50).toArray();
    expect(found).toEqual(whole.filter(({ score }) => Number(score) < 250).slice(0, 50));
  }
});

it('is refused past its memory, and not where few are wanted', async () => {
  vi.spyOn(DocumentLayout.prototype, 'documentBytes').mockReturnValue(100_000);
  await expect(c.find().sort({ score: 1 }).toArray()).rejects.toMatchObject({ code: '53200' });
  expect(await c.find().sort({ score: 1 }).limit(100).toArray()).toHaveLength(100);
});
