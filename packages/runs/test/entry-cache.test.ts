/** The cache of single entries. */
import { Random } from '@phantom/base';
import { ByteSlot } from '@phantom/kv';
import { describe, expect, it } from 'vitest';
import { BlockCache, type CacheItem, EntryCache, KeyHash } from '../src/index.js';

const MIB = 1024 * 1024;
const hash = new KeyHash();
const slot = new ByteSlot();

function numbered(i: number): Uint8Array {
  return Uint8Array.of(9, i >> 16, i >> 8, i);
}

/** What a lookup does: asks, and tells what was found elsewhere. Undefined when it had to look elsewhere. */
function look(entries: Pick<EntryCache, 'find' | 'note'>, key: Uint8Array, value: Uint8Array): Uint8Array | undefined {
  hash.set(key, 0, key.length);
  if (entries.find(hash, key, 0, key.length, slot)) return slot.copy();
  slot.set(value, 0, value.length);
  entries.note(hash, key, 0, key.length, slot);
  return undefined;
}

class Filler implements CacheItem {
  readonly chargeBytes = MIB / 8;
  referenced = false;
  cacheSlot = -1;

  evicted(): void {
    this.cacheSlot = -1;
  }
}

describe('the cache of entries', () => {
  it('keeps what is looked up a second time', () => {
    const entries = new EntryCache(new BlockCache(MIB));
    const value = Uint8Array.of(1, 2, 3);
    expect(look(entries, numbered(1), value)).toBeUndefined();
    expect(look(entries, numbered(1), value)).toBeUndefined();
    expect(look(entries, numbered(1), value)).toEqual(value);
    expect(look(entries, numbered(2), value)).toBeUndefined();
    expect(entries.hits).toBe(1);
  });

  it('never answers with what is not so, and stays within the bound of the cache, whatever comes and goes', () => {
    const cache = new BlockCache(2 * MIB);
    const entries = new EntryCache(cache);
    const random = new Random(7);
    let present = 0;
    let found = 0;
    for (let i = 0; i < 60_000; i++) {
      const number = random.below(random.below(2) === 0 ? 500 : 30_000);
      const value = new Uint8Array((number * 7) % 300).fill(number + present);
      const answer = look(entries, numbered(number), value);
      if (answer !== undefined) {
        found++;
        expect(Buffer.compare(answer, value)).toBe(0);
      }
      if (i % 500 === 0) cache.insert(new Filler());
      if (i % 20_000 === 19_999) {
        present++;
        entries.forget();
      }
      expect(cache.bytes).toBeLessThanOrEqual(cache.bytesMax);
    }
    expect(found).toBeGreaterThan(20_000);
  });

  it('keeps few of more keys than fit, and more again of those that do', () => {
    const cache = new BlockCache(2 * MIB);
    const entries = new EntryCache(cache);
    const value = new Uint8Array(200).fill(5);
    let inserted = 0;
    const insert = cache.insert.bind(cache);
    cache.insert = (item) => ++inserted > 0 && insert(item);
    const round = (keys: number): number => {
      const { hits } = entries;
      for (let i = 0; i < keys; i++) look(entries, numbered(i), value);
      return (entries.hits - hits) / keys;
    };
    for (let i = 0; i < 4; i++) round(12_000);
    inserted = 0;
    for (let i = 0; i < 4; i++) round(12_000);
    // All of them would be 37 chunks a round.
    expect(inserted).toBeLessThan(4 * 6);
    for (let i = 0; i < 40; i++) round(3000);
    expect(round(3000)).toBeGreaterThan(0.9);
  });

  it('leaves large entries, and small caches, alone', () => {
    const large = new Uint8Array(5000);
    const entries = new EntryCache(new BlockCache(MIB));
    for (let i = 0; i < 4; i++) expect(look(entries, numbered(1), large)).toBeUndefined();
    const small = new BlockCache(MIB / 2);
    const none = new EntryCache(small);
    for (let i = 0; i < 4; i++) expect(look(none, numbered(1), Uint8Array.of(1))).toBeUndefined();
    expect(small.bytes).toBe(0);
  });

  it('is no part of a view that sees other files', () => {
    const entries = new EntryCache(new BlockCache(MIB));
    const present = entries.share(true);
    const past = entries.share(false);
    const value = Uint8Array.of(1);
    for (let i = 0; i < 3; i++) {
      look(present, numbered(1), value);
      expect(look(past, numbered(1), Uint8Array.of(2))).toBeUndefined();
    }
    expect(look(present, numbered(1), value)).toEqual(value);
    entries.forget();
    for (let i = 0; i < 3; i++) expect(look(present, numbered(1), value)).toBeUndefined();
    expect(look(entries.share(true), numbered(1), Uint8Array.of(3))).toBeUndefined();
  });
});
