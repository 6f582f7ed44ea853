/** The small parts that runs are made of. */
import { compareKeys } from '@phantom/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BlockCache,
  type CacheItem,
  FilterBuilder,
  KeyHash,
  KeyIndex,
  RangeCover,
  mayContain,
  unionOf,
} from '../src/index.js';
import { Block, FoundVersion, takeBlock } from '../src/block.js';
import { BlockInterval } from '../src/block-interval.js';
import { isFilter } from '../src/filter.js';
import { PassingBlock } from '../src/passing-block.js';
import { overlaps } from '../src/range-cover.js';
import { covers } from './run-model.js';

class Item implements CacheItem {
  readonly chargeBytes: number;
  referenced = false;
  cacheSlot = -1;
  isEvicted = false;

  constructor(chargeBytes: number) {
    this.chargeBytes = chargeBytes;
  }

  evicted(): void {
    this.isEvicted = true;
  }
}

describe('the cache', () => {
  it('stays within its bound and spares what was used', () => {
    const cache = new BlockCache(1000);
    const hot = new Item(100);
    cache.insert(hot);
    const cold: Item[] = [];
    for (let i = 0; i < 50; i++) {
      hot.referenced = true;
      const item = new Item(100);
      cold.push(item);
      expect(cache.insert(item)).toBe(true);
      expect(cache.bytes).toBeLessThanOrEqual(1000);
    }
    expect(hot.isEvicted).toBe(false);
    expect(cold.filter((item) => !item.isEvicted).length).toBe(9);
    expect(cache.count).toBe(10);
  });

  it('refuses what is larger than a quarter of it, and forgets what is removed', () => {
    const cache = new BlockCache(1000);
    expect(cache.insert(new Item(251))).toBe(false);
    const item = new Item(250);
    expect(cache.insert(item)).toBe(true);
    cache.remove(item);
    cache.remove(item);
    expect(cache.bytes).toBe(0);
    expect(item.isEvicted).toBe(false);
    for (let i = 0; i < 20; i++) cache.insert(new Item(240));
    expect(cache.count).toBe(4);
  });

  it('that is full wants what comes again at once, and one in four of what it would still have had', () => {
    const KIB = 1024;
    const cache = new BlockCache(40 * KIB);
    const missedAt = new Int32Array(1000);
    const wanted = (from: number, to: number): number => {
      let count = 0;
      for (let i = from; i < to; i++) if (cache.isWanted(KIB, missedAt, i)) count++;
      return count;
    };
    expect(wanted(0, 4)).toBe(4);
    while (cache.bytes < cache.bytesMax) cache.insert(new Item(10 * KIB));
    expect(wanted(100, 900)).toBe(0);
    expect(wanted(860, 900)).toBe(10);
    expect(wanted(100, 900)).toBe(0);
    expect(wanted(898, 900)).toBe(2);
  });
});

describe('a filter', () => {
  const key = (i: number): Uint8Array => Uint8Array.of(16, 0, 0, 1, i >> 24, i >> 16, i >> 8, i);

  it('lets every key pass that it was given, and about one in a hundred others', () => {
    for (const count of [1, 100, 50_000]) {
      const builder = new FilterBuilder(10);
      const hash = new KeyHash();
      for (let i = 0; i < count; i++) {
        hash.set(key(i), 0, 8);
        builder.add(hash);
      }
      const filter = builder.finish();
      expect(isFilter(filter, filter.length)).toBe(true);
      let missed = 0;
      for (let i = 0; i < count; i++) {
        hash.set(key(i), 0, 8);
        if (!mayContain(filter, hash)) missed++;
      }
      expect(missed).toBe(0);
      let passed = 0;
      for (let i = 0; i < 20_000; i++) {
        hash.set(key(1_000_000 + i), 0, 8);
        if (mayContain(filter, hash)) passed++;
      }
      expect(passed).toBeLessThan(20_000 * 0.02);
    }
  });

  it('tells bytes that are no filter', () => {
    const filter = new FilterBuilder(10).finish();
    expect(isFilter(filter, filter.length - 1)).toBe(false);
    expect(isFilter(new Uint8Array(40), 40)).toBe(false);
    expect(isFilter(new Uint8Array(3), 3)).toBe(false);
  });

  it('hashes keys of every length differently', () => {
    const seen = new Set<string>();
    const hash = new KeyHash();
    const bytes = new Uint8Array(40);
    for (let end = 0; end <= 40; end++) {
      hash.set(bytes, 0, end);
      seen.add(`${hash.line} ${hash.bits}`);
    }
    expect(seen.size).toBe(41);
  });
});

const bytes = fc.array(fc.constantFrom(0, 1, 2, 255), { maxLength: 5 }).map((list) => Uint8Array.from(list));

describe('a key index', () => {
  const longer = fc
    .array(bytes, { minLength: 2, maxLength: 3 })
    .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));

  it.each([
    ['few', fc.array(bytes, { maxLength: 40 }), 300],
    ['enough for samples', fc.array(longer, { minLength: 150, maxLength: 300 }), 20],
  ])('finds the last key at most the probe among %s', (_, lists, numRuns) => {
    fc.assert(
      fc.property(lists, bytes, fc.array(bytes, { minLength: 1, maxLength: 10 }), (list, head, probes) => {
        const sorted = list.map((tail) => Uint8Array.from([...head, ...tail])).sort(compareKeys);
        const keys = sorted.filter((item, i) => i === 0 || compareKeys(sorted[i - 1] as Uint8Array, item) !== 0);
        const starts = Int32Array.from([
          0,
          ...keys.map((_, i) => keys.slice(0, i + 1).reduce((sum, item) => sum + item.length, 0)),
        ]);
        const index = new KeyIndex(Uint8Array.from(keys.flatMap((item) => [...item])), starts);
        expect(index.count).toBe(keys.length);
        for (const probe of [...probes, ...keys]) {
          const expected = keys.findLastIndex((item) => compareKeys(item, probe) <= 0);
          expect(index.lastAtMost(probe, 0, probe.length)).toBe(expected);
        }
        expect(keys.map((_, i) => index.key(i))).toEqual(keys);
      }),
      { numRuns, seed: 1 },
    );
  });
});

describe('range tombstones', () => {
  const tombstone = fc.record({ lower: bytes, upper: bytes, seq: fc.integer({ min: 1, max: 9 }) });

  it('cover the same keys in pieces and in union', () => {
    fc.assert(
      fc.property(
        fc.array(tombstone, { maxLength: 8 }),
        fc.array(bytes, { minLength: 1, maxLength: 20 }),
        (list, probes) => {
          const cover = new RangeCover(list);
          const union = unionOf(list);
          for (const probe of probes) {
            for (const seq of [0, 4, 9]) {
              const expected = Math.max(
                -1,
                ...list.filter((item) => item.seq <= seq && covers(item, probe)).map((item) => item.seq),
              );
              expect(cover.newest(probe, 0, probe.length, seq)).toBe(expected);
            }
            expect(union.find(probe, 0, probe.length) >= 0).toBe(list.some((item) => covers(item, probe)));
          }
          for (let i = 1; i < union.count; i++) {
            expect(compareKeys(union.uppers[i - 1] as Uint8Array, union.lowers[i] as Uint8Array)).toBeLessThan(0);
          }
        },
      ),
      { numRuns: 300, seed: 2 },
    );
  });

  it('reach into ranges', () => {
    const item = { lower: Uint8Array.of(2), upper: Uint8Array.of(4), seq: 1 };
    const reaches = (lower: number, upper?: number): boolean =>
      overlaps(item, { lower: Uint8Array.of(lower), upper: upper === undefined ? undefined : Uint8Array.of(upper) });
    expect([reaches(0, 2), reaches(0, 3), reaches(3), reaches(4), reaches(4, 9)]).toEqual([
      false,
      true,
      true,
      false,
      false,
    ]);
  });
});

describe('a block', () => {
  it('is filled again when it went out, unless it was lent or does not fit', () => {
    const out = (isLent: boolean): Block => {
      const block = takeBlock(1000);
      block.room(1000);
      block.isLent = isLent;
      block.evicted();
      return block;
    };
    const spare = out(false);
    expect(takeBlock(900)).toBe(spare);
    expect(takeBlock(900)).not.toBe(spare);
    for (const [isLent, bytes] of [
      [true, 1000],
      [false, 2000],
      [false, 100],
    ] as const) {
      const block = out(isLent);
      expect(takeBlock(bytes)).not.toBe(block);
    }
  });

  it('refuses bytes that are none, whatever they are', () => {
    const interval = new BlockInterval();
    const attempt = (payload: Uint8Array): unknown => {
      try {
        const block = new Block();
        block.room(payload.length).set(payload);
        block.read('file', 0);
        for (let i = 0; i < Math.min(block.restartCount, 100); i++) interval.decode(block, i, 100, true);
        block.intervalOf(Uint8Array.of(1, 2), 0, 2);
        return undefined;
      } catch (error) {
        return (error as { code?: string }).code;
      }
    };
    const lookUp = (payload: Uint8Array): unknown => {
      try {
        const block = new PassingBlock();
        block.read(payload, payload.length, 'file', 0);
        block.find(Uint8Array.of(1, 2), 0, 2, 9, new FoundVersion());
        return undefined;
      } catch (error) {
        return (error as { code?: string }).code;
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer({ min: 0, max: 5 }), (head, restarts) => {
        const payload = Uint8Array.from([
          ...head,
          ...new Uint8Array(restarts * 4),
          restarts,
          0,
          0,
          0,
          restarts + 1,
          0,
          0,
          0,
        ]);
        for (const bytes of [payload, head]) {
          expect([undefined, 'XX001']).toContain(attempt(bytes));
          expect([undefined, 'XX001']).toContain(lookUp(bytes));
        }
      }),
      { numRuns: 500, seed: 3 },
    );
  });
});
