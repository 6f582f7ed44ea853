import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SpareMemory } from '../src/index.js';

const BYTES = 200 * 1024;

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => vi.useRealTimers());

/** What was given back so many milliseconds ago is taken, once garbage was collected. */
async function bytesTakenAfter(spare: SpareMemory, ms: number): Promise<number | undefined> {
  vi.advanceTimersByTime(ms);
  // What a weak reference was made of, or has shown, lives until the turn ends.
  await new Promise(setImmediate);
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return spare.take(BYTES)?.length;
}

it('spare memory outlives a collection for five seconds, counted from when it was given back last', async () => {
  const spare = new SpareMemory();
  spare.giveBack(new Uint8Array(BYTES));
  expect(await bytesTakenAfter(spare, 4900)).toBe(BYTES);
  spare.giveBack(new Uint8Array(BYTES));
  expect(await bytesTakenAfter(spare, 4900)).toBe(BYTES);
});

it('spare memory that nobody takes for five seconds is left to the collector', async () => {
  const spare = new SpareMemory();
  spare.giveBack(new Uint8Array(BYTES));
  expect(await bytesTakenAfter(spare, 5000)).toBeUndefined();
});
