/** The cache of single entries. */
import { Random } from '@phantom/base';
import { BatchReader, ByteSlot, engineOfKey } from '@phantom/kv';
import { type ModelOperation, encode } from '@phantom/kv/testing';
import { describe, expect, it } from 'vitest';
import { BlockCache, type CacheItem, Delta, EntryCache, KeyHash } from '../src/index.js';

const MIB = 1024 * 1024;
const hash = new KeyHash();
const slot = new ByteSlot();

function numbered(i: number): Uint8Array {
  return Uint8Array.of(9, i >> 16, i >> 8, i);
}

function deltaOf(operations: readonly ModelOperation[]): Delta {
  const delta = new Delta();
  delta.apply(new BatchReader().setBatch(encode(operations)), 1, Number.POSITIVE_INFINITY, engineOfKey(numbered(0), 0));
  delta.freeze();
  return delta;
}

function putOf(key: Uint8Array): ModelOperation {
  return { kind: 'put', key, value: Uint8Array.of(2) };
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
        entries.renew();
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
    entries.renew();
    for (let i = 0; i < 3; i++) expect(look(present, numbered(1), value)).toBeUndefined();
    expect(look(entries.share(true), numbered(1), Uint8Array.of(3))).toBeUndefined();
  });

  it('keeps over a flush what the flush does not change, and takes nothing back in meanwhile', () => {
    const entries = new EntryCache(new BlockCache(MIB));
    const before = entries.share(true);
    const old = Uint8Array.of(1);
    for (let i = 0; i < 10_000; i++) for (let turn = 0; turn < 2; turn++) look(before, numbered(i), old);
    const turns = entries.leaveOut(deltaOf(Array.from({ length: 5000 }, (_, i) => putOf(numbered(2 * i)))));
    expect(turns.next().done).toBe(false);
    // A view that does not see the delta looks its keys up in the files, as often as it likes.
    for (let turn = 0; turn < 3; turn++) expect(look(before, numbered(0), old)).toBeUndefined();
    expect(turns.next().done).toBe(true);
    expect(look(before, numbered(1), old)).toEqual(old);
    entries.renew();
    const now = entries.share(true);
    expect(look(before, numbered(1), old)).toBeUndefined();
    expect(look(now, numbered(1), old)).toEqual(old);
    expect(look(now, numbered(0), Uint8Array.of(2))).toBeUndefined();
    expect(look(now, numbered(0), Uint8Array.of(2))).toEqual(Uint8Array.of(2));
  });

  it('goes on after a flush that came to nothing', () => {
    const entries = new EntryCache(new BlockCache(MIB));
    const view = entries.share(true);
    const value = Uint8Array.of(1);
    for (let i = 0; i < 2; i++) for (let turn = 0; turn < 2; turn++) look(view, numbered(i), value);
    expect([...entries.leaveOut(deltaOf([putOf(numbered(0))]))]).toEqual([]);
    entries.stay();
    expect(look(view, numbered(0), value)).toBeUndefined();
    expect([look(view, numbered(0), value), look(view, numbered(1), value)]).toEqual([value, value]);
    // Of the files that come after all, nothing is known.
    entries.renew();
    expect(look(entries.share(true), numbered(1), value)).toBeUndefined();
  });

  it('is emptied by a flush that removes ranges', () => {
    const entries = new EntryCache(new BlockCache(MIB));
    const value = Uint8Array.of(1);
    for (let turn = 0; turn < 3; turn++) look(entries, numbered(1), value);
    const delta = deltaOf([{ kind: 'removeRange', lower: numbered(0), upper: numbered(9) }]);
    expect([...entries.leaveOut(delta)]).toEqual([]);
    entries.renew();
    expect(look(entries, numbered(1), value)).toBeUndefined();
  });
});
