/** What is known to be empty is empty, and ascending keys are not looked up one by one. */
import { Random } from '@phantom/base';
import { ByteSlot } from '@phantom/kv';
import type { StoreView } from '@phantom/store';
import { describe, expect, it } from 'vitest';
import { AscendingGaps } from '../src/ascending-gaps.js';
import { createMvcc } from '../src/index.js';
import { keyOf, openMemoryStore, openMvcc, put, read, seed } from './support.js';

const name = (i: number): string => `k${String(i).padStart(5, '0')}`;

/** A view that counts what it is asked. */
function counted(view: StoreView): { readonly view: StoreView; readonly asked: { gets: number; cursors: number } } {
  const asked = { gets: 0, cursors: 0 };
  return {
    asked,
    view: {
      seq: view.seq,
      get: (key, start, end, value) => (asked.gets++, view.get(key, start, end, value)),
      cursor: (range) => (asked.cursors++, view.cursor(range)),
      release: () => view.release(),
      retain: () => view.retain(),
    },
  };
}

/** Asks as a transaction does. */
function isThere(gaps: AscendingGaps, view: StoreView, keyName: string): boolean {
  const key = keyOf(keyName);
  if (gaps.covers(view, key, 0, key.length)) return false;
  const isFound = view.get(key, 0, key.length, new ByteSlot());
  if (!isFound) gaps.missed(view, key, 0, key.length);
  return isFound;
}

/** The numbers from `first` up to `end` whose keys are there, asked for one after the other. */
function found(gaps: AscendingGaps, view: StoreView, first: number, end: number): number[] {
  const numbers: number[] = [];
  for (let i = first; i < end; i++) if (isThere(gaps, view, name(i))) numbers.push(i);
  return numbers;
}

async function viewOf(names: readonly string[]): Promise<StoreView> {
  const store = await openMemoryStore();
  const transaction = createMvcc(store).begin();
  for (const name of names) put(transaction, name, 'there');
  await transaction.commit();
  return store.view();
}

describe('ascending gaps', () => {
  it('answers for a long gap with one cursor', async () => {
    const { view, asked } = counted(await viewOf([name(0), name(5000)]));
    const gaps = new AscendingGaps();
    expect(found(gaps, view, 1, 9000)).toEqual([5000]);
    expect(asked.gets).toBeLessThan(20);
    expect(asked.cursors).toBe(2);
  });

  it('gives up asking ahead where gaps are narrow', async () => {
    const thirds = Array.from({ length: 1000 }, (_, i) => 3 * i);
    const { view, asked } = counted(await viewOf(thirds.map(name)));
    const gaps = new AscendingGaps();
    expect(found(gaps, view, 0, 3000)).toEqual(thirds);
    expect(asked.cursors).toBeLessThan(20);
  });

  it('never says that something is missing which is there', async () => {
    const random = new Random(7);
    const { mvcc } = await openMvcc();
    const there = new Set<string>();
    const reader = mvcc.begin();
    let next = 0;
    for (let round = 0; round < 60; round++) {
      // Others commit in between: what they wrote must be found, by whoever asks for the newest.
      const added = name(random.below(2000));
      there.add(added);
      await seed(mvcc, { [added]: 'there' });
      for (let i = 0; i < 40; i++) {
        next = random.below(8) === 0 ? random.below(2000) : next + 1;
        expect(read(reader, name(next), 'getNewest') !== undefined).toBe(there.has(name(next)));
      }
    }
    reader.rollback();
  });
});
