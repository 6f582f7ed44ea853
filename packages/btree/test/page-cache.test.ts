import { writeU32 } from '@phantom/base';
import { BlockCache, type CacheItem } from '@phantom/runs';
import { describe, expect, it } from 'vitest';
import { Page } from '../src/page.js';
import { PageCache } from '../src/page-cache.js';

const PAGE_BYTES = 8192;

/** Puts a page of one leaf slot there, with its number as its checksum. */
function keep(cache: PageCache, id: number, checksum = id): boolean {
  return cache.add(id, false, (bytes, _words, base) => {
    bytes.fill(0, base, base + PAGE_BYTES);
    writeU32(bytes, base, checksum);
    writeU32(bytes, base + 4, 7);
    writeU32(bytes, base + 8, id);
    bytes[base + 12] = 1;
    bytes[base + 14] = 1;
  });
}

function has(cache: PageCache, id: number, checksum = id): boolean {
  const page = new Page(PAGE_BYTES);
  return cache.find(id, checksum, 7, page) && page.id === id;
}

describe('the cache of pages', () => {
  it('finds the version that is asked for and no other', () => {
    const cache = new PageCache(new BlockCache(4 << 20), PAGE_BYTES);
    expect(has(cache, 5)).toBe(false);
    expect(has(cache, 1_000_000)).toBe(false);
    keep(cache, 5);
    expect(has(cache, 5)).toBe(true);
    expect(has(cache, 5, 6)).toBe(false);
    keep(cache, 5, 6);
    expect([has(cache, 5), has(cache, 5, 6)]).toEqual([false, true]);
    cache.forget(5);
    cache.forget(5);
    cache.forget(9_000_000);
    expect(has(cache, 5, 6)).toBe(false);
  });

  it('stays within its bound and keeps what is used', () => {
    const blocks = new BlockCache(2 << 20);
    const cache = new PageCache(blocks, PAGE_BYTES);
    for (let id = 1; id <= 20; id++) keep(cache, id);
    for (let id = 100; id < 3000; id++) {
      keep(cache, id);
      for (let hot = 1; hot <= 20; hot++) has(cache, hot);
      expect(blocks.bytes).toBeLessThanOrEqual(2 << 20);
    }
    const kept = Array.from({ length: 20 }, (_, i) => has(cache, i + 1)).filter(Boolean).length;
    // A chunk that is used throughout gives a quarter of it up, so that a miss costs three copies at most.
    expect(kept).toBeGreaterThanOrEqual(15);
    expect(has(cache, 100)).toBe(false);
    expect(has(cache, 2999)).toBe(true);
  });

  it('leaves bytes that somebody reads as they were', () => {
    const cache = new PageCache(new BlockCache(1 << 20), PAGE_BYTES);
    keep(cache, 1);
    const page = new Page(PAGE_BYTES);
    cache.find(1, 1, 7, page);
    for (let id = 2; id < 1000; id++) keep(cache, id);
    expect([page.id, page.checksumLow, page.count]).toEqual([1, 1, 1]);
  });

  it('fills chunks again that nobody holds', () => {
    const cache = new PageCache(new BlockCache(1 << 20), PAGE_BYTES);
    const buffers = new Set<Uint8Array>();
    const lookup = new Page(PAGE_BYTES, true);
    for (let id = 1; id <= 1000; id++) {
      keep(cache, id);
      expect(cache.find(id, id, 7, lookup)).toBe(true);
      expect([lookup.id, lookup.count]).toEqual([id, 1]);
      buffers.add(lookup.bytes);
    }
    // As many as the cache holds at a time, and the one that went out last.
    expect(buffers.size).toBeLessThanOrEqual(17);
  });

  it('shares its bound with others, who may take all of it', () => {
    const blocks = new BlockCache(1 << 20);
    const cache = new PageCache(blocks, PAGE_BYTES);
    for (let id = 1; id <= 5; id++) keep(cache, id);
    for (let i = 0; i < 20; i++) {
      const item: CacheItem = { chargeBytes: 200_000, referenced: false, cacheSlot: -1, evicted: () => undefined };
      blocks.insert(item);
    }
    expect(has(cache, 1)).toBe(false);
    keep(cache, 1);
    expect(has(cache, 1)).toBe(true);
    cache.clear();
    expect(has(cache, 1)).toBe(false);
  });

  it('keeps nothing where there is no room for a page, and nothing that could not be read', () => {
    const small = new PageCache(new BlockCache(1000), PAGE_BYTES);
    expect(keep(small, 1)).toBe(false);
    expect(has(small, 1)).toBe(false);
    const cache = new PageCache(new BlockCache(1 << 20), PAGE_BYTES);
    const fail = (): void => {
      throw new Error('unreadable');
    };
    expect(() => cache.add(1, false, fail)).toThrow('unreadable');
    expect(has(cache, 1)).toBe(false);
    keep(cache, 2);
    expect(has(cache, 2)).toBe(true);
  });
});
