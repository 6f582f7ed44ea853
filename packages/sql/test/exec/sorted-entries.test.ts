/** Entries in the order of their keys, whatever memory there is for them, and nothing left of what that took. */
import { compareKeys, MemoryBudget } from '@phantom/base';
import { describe, expect, it } from 'vitest';
import { SortedEntries } from '../../src/exec/spill/sorted-entries.js';
import { MemoryScratch } from '../support/memory-scratch.js';

const ENTRIES = 20_000;
const UTF8 = new TextDecoder();

interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Keys that jump about, some of them there twice, one longer than what is read of a file at once. */
const entries = Array.from({ length: ENTRIES }, (_, i): Entry => {
  const key = new TextEncoder().encode(`a beginning that all share ${(i * 7919) % 9973}`);
  return { key: i === 5 ? new Uint8Array(20_000).fill(98) : key, value: Uint8Array.of(i, i >> 8) };
});

function textOf(key: Uint8Array, value: Uint8Array): string {
  return `${UTF8.decode(key)} ${String(value)}`;
}

function sorted(memory: MemoryBudget, scratch: MemoryScratch | undefined, bytesMax = Infinity): string {
  const sorting = new SortedEntries(memory, scratch, bytesMax);
  try {
    for (const { key, value } of entries) sorting.put(key, 0, key.length, value, 0, value.length);
    const found: string[] = [];
    for (const walk = sorting.merge(); walk.next();) {
      const { buffer, keyStart, valueStart, valueEnd } = walk;
      found.push(textOf(buffer.subarray(keyStart, valueStart), buffer.subarray(valueStart, valueEnd)));
    }
    return found.join('\n');
  } finally {
    sorting.close();
  }
}

describe('SortedEntries', () => {
  const expected = entries
    .toSorted((a, b) => compareKeys(a.key, b.key))
    .map(({ key, value }) => textOf(key, value))
    .join('\n');

  it.each([
    ['in memory', 64 * 1024 * 1024, false],
    ['in pieces that stay in memory', 8 * 1024 * 1024, false],
    ['in pieces on disk', 512 * 1024, true],
  ])('has them in order %s', (_where, limitBytes, spills) => {
    const memory = new MemoryBudget(limitBytes);
    const scratch = new MemoryScratch();
    expect(sorted(memory, scratch)).toBe(expected);
    expect(scratch.made.length > 0).toBe(spills);
    expect(scratch.made.length).toBeLessThan(64);
    expect(scratch).toMatchObject({ open: 0, bytesInUse: 0 });
    expect(memory.usedBytes).toBe(0);
    expect(memory.peakBytes).toBeLessThanOrEqual(limitBytes);
  });

  it('goes to disk with what it is allowed, however much memory is left', () => {
    const memory = new MemoryBudget(64 * 1024 * 1024);
    const scratch = new MemoryScratch();
    expect(sorted(memory, scratch, 512 * 1024)).toBe(expected);
    expect(scratch.made.length).toBeGreaterThan(0);
    expect(memory.peakBytes).toBeLessThan(1024 * 1024);
  });

  it('keeps them in memory where there is no disk, and refuses more than that holds', () => {
    const memory = new MemoryBudget(8 * 1024 * 1024);
    expect(sorted(memory, undefined)).toBe(expected);
    expect(() => sorted(new MemoryBudget(512 * 1024), undefined)).toThrow(expect.objectContaining({ code: '53200' }));
  });
});
