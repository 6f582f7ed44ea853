import { compareKeys } from '@phantom/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EntrySorter, NewEntries } from '../src/index.js';

type Entry = readonly [key: Uint8Array, value: Uint8Array];

function addAll(sorter: EntrySorter, entries: readonly Entry[]): void {
  for (const [key, value] of entries) sorter.add(key, 0, key.length, value, 0, value.length);
}

function drained(sorter: EntrySorter): Entry[] {
  const entries: Entry[] = [];
  sorter.drain((key, keyStart, keyEnd, value, valueStart, valueEnd) =>
    entries.push([key.slice(keyStart, keyEnd), value.slice(valueStart, valueEnd)]),
  );
  return entries;
}

/** Few different bytes, so that keys share beginnings, repeat and end where others go on. */
const keys = fc.array(fc.uint8Array({ maxLength: 12, max: 2 }), { maxLength: 200 });

describe('EntrySorter', () => {
  it('hands out entries by their keys, those of one key as they came', () => {
    fc.assert(
      fc.property(keys, fc.uint8Array({ maxLength: 8 }), (some, prefix) => {
        const entries = some.map((key, i): Entry => [Uint8Array.of(...prefix, ...key), Uint8Array.of(i)]);
        const sorter = new EntrySorter(1024 * 1024);
        addAll(sorter, entries);
        expect(drained(sorter)).toEqual([...entries].sort(([a], [b]) => compareKeys(a, b)));
      }),
      { seed: 5, numRuns: 200 },
    );
  });

  it('tells many keys with one beginning apart by what is behind it', () => {
    // Some end there, some go on with zeros, some are there twice.
    const ends = fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: 9 });
    fc.assert(
      fc.property(fc.array(ends, { minLength: 100, maxLength: 200 }), (some) => {
        const entries = some.map((end, i): Entry => [Uint8Array.of(i % 3, 1, 2, 3, 4, 5, 6, ...end), Uint8Array.of(i)]);
        const sorter = new EntrySorter(1024 * 1024);
        addAll(sorter, entries);
        expect(sorter.count).toBe(entries.length);
        expect(sorter.memoryBytes).toBeGreaterThan(sorter.waitingBytes);
        expect(drained(sorter)).toEqual([...entries].sort(([a], [b]) => compareKeys(a, b)));
      }),
      { seed: 6, numRuns: 100 },
    );
  });

  it('takes as many as it was told to expect without growing, and others', () => {
    const entry = (i: number): Entry => [new TextEncoder().encode(`k${(i * 7919) % 5000}`), Uint8Array.of(i)];
    const sorter = new EntrySorter(1024 * 1024);
    sorter.expect(1000);
    addAll(
      sorter,
      Array.from({ length: 10 }, (_, i) => entry(i)),
    );
    sorter.expect(4990);
    const { memoryBytes } = sorter;
    addAll(
      sorter,
      Array.from({ length: 4990 }, (_, i) => entry(i + 10)),
    );
    expect(sorter.memoryBytes - memoryBytes).toBe(4990 * 8);
    sorter.expect(Number.MAX_SAFE_INTEGER);
    addAll(sorter, [entry(5000)]);
    expect(sorter.memoryBytes).toBeLessThan(16 * 1024 * 1024);
    const all = Array.from({ length: 5001 }, (_, i) => entry(i));
    expect(drained(sorter)).toEqual(all.sort(([a], [b]) => compareKeys(a, b)));
  });

  it('is full past its bytes, and takes other entries once they are handed out', () => {
    const sorter = new EntrySorter(6);
    addAll(sorter, [[Uint8Array.of(9, 1), Uint8Array.of(1)]]);
    expect(sorter.isFull).toBe(false);
    addAll(sorter, [[Uint8Array.of(9, 0), Uint8Array.of(2)]]);
    expect(sorter.isFull).toBe(true);
    expect(drained(sorter)).toEqual([
      [Uint8Array.of(9, 0), Uint8Array.of(2)],
      [Uint8Array.of(9, 1), Uint8Array.of(1)],
    ]);
    expect(sorter.isFull).toBe(false);
    addAll(sorter, [[Uint8Array.of(3), Uint8Array.of(3)]]);
    expect(drained(sorter)).toEqual([[Uint8Array.of(3), Uint8Array.of(3)]]);
    expect(drained(sorter)).toEqual([]);
  });
});

describe('entries of a statement', () => {
  it('go and come in order when it ends, at once when none waits', () => {
    const calls: string[] = [];
    const text = (bytes: Uint8Array, start: number, end: number): string =>
      Buffer.from(bytes.subarray(start, end)).toString();
    const target = {
      put: (key: Uint8Array, start: number, end: number): void => void calls.push(`+${text(key, start, end)}`),
      remove: (key: Uint8Array, start: number, end: number): void => void calls.push(`-${text(key, start, end)}`),
    };
    const entries = new NewEntries(target, target);
    const put = (key: string): void => entries.put(Buffer.from(key), 0, key.length, Buffer.from('v'), 0, 1);
    const remove = (key: string): void => entries.remove(Buffer.from(key), 0, key.length);
    remove('z');
    put('y');
    entries.gather();
    for (const key of ['d', 'b']) {
      remove(key);
      put(`${key}2`);
    }
    expect(calls).toEqual(['-z', '+y']);
    expect(entries.waitingBytes).toBe(8);
    entries.putGathered();
    expect(calls).toEqual(['-z', '+y', '-b', '-d', '+b2', '+d2']);
    remove('c');
    entries.drop();
    entries.putGathered();
    remove('a');
    expect(calls.slice(6)).toEqual(['-a']);
  });
});
