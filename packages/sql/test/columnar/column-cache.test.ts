/** What a cache of vectors keeps while scans go over more than it holds. */
import { expect, it } from 'vitest';
import { ColumnCache } from '../../src/storage/columnar/column-cache.js';

const BYTES = 100;

/** Goes through segments of a space, each of a hundredth of the cache; answers how many of them were there. */
function scan(cache: ColumnCache, space: number, segments: number): number {
  let found = 0;
  for (let number = 0; number < segments; number++) {
    const kept = cache.segment(space, number);
    if (kept.bytes > 0) found++;
    else cache.grew(kept, BYTES / 100);
    expect(cache.bytes).toBeLessThanOrEqual(BYTES);
  }
  return found;
}

it('finds most of what is scanned again and again, and a little more than it holds', () => {
  const cache = new ColumnCache(BYTES);
  expect(scan(cache, 1, 120)).toBe(0);
  const found = Array.from({ length: 20 }, () => scan(cache, 1, 120));
  expect(Math.min(...found)).toBeGreaterThan(50);
});

it('lets go of what nobody asks for any more', () => {
  const cache = new ColumnCache(BYTES);
  scan(cache, 1, 100);
  for (let round = 0; round < 10; round++) scan(cache, 2, 60);
  expect(scan(cache, 2, 60)).toBeGreaterThan(50);
});

it('keeps what is being read, however large it is', () => {
  const cache = new ColumnCache(BYTES);
  const small = cache.segment(1, 1);
  cache.grew(small, 10);
  const large = cache.segment(1, 2);
  cache.grew(large, 3 * BYTES);
  expect(cache.segment(1, 2)).toBe(large);
  expect(cache.segment(1, 1)).not.toBe(small);
  // Made room of while somebody still read it.
  cache.grew(small, 10);
  expect(cache.bytes).toBe(3 * BYTES);
});
