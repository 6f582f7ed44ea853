import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { ManualClock, MetricsRegistry, Random, loadChecksums, silentLogger, systemClock } from '../src/index.js';

describe('checksums', () => {
  it('are those of xxHash', async () => {
    const checksums = await loadChecksums();
    const text = new TextEncoder().encode('abc');
    expect(checksums.h32(text, 0, 3)).toBe(0x32d153ff);
    expect(checksums.h64(text, 0, 3)).toBe(0x44bc2cf5ad770999n);
    expect(checksums.h32(text, 0, 0)).toBe(0x02cc5d05);
    expect(checksums.h64(text, 0, 0)).toBe(0xef46db3751d8e999n);
  });

  it('cover exactly the range, and the seed', async () => {
    const checksums = await loadChecksums();
    expect(await loadChecksums()).toBe(checksums);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(20), fc.nat(1000), (bytes, before, seed) => {
        const around = new Uint8Array(bytes.length + before + 3);
        around.set(bytes, before);
        const end = before + bytes.length;
        const h32 = checksums.h32(around, before, end, seed);
        const h64 = checksums.h64(around, before, end, BigInt(seed));
        expect([h32, h64]).toEqual([
          checksums.h32(bytes, 0, bytes.length, seed),
          checksums.h64(bytes, 0, bytes.length, BigInt(seed)),
        ]);
        around[before] = (around[before] as number) ^ 1;
        expect(checksums.h32(around, before, end, seed)).not.toBe(h32);
        expect(checksums.h64(around, before, end, BigInt(seed))).not.toBe(h64);
        expect(checksums.h32(bytes, 0, bytes.length, seed + 1)).not.toBe(h32);
      }),
      { seed: 2, numRuns: 200 },
    );
  });
});

describe('Random', () => {
  it('gives the same numbers for the same seed, for ever', () => {
    const random = new Random(42);
    expect([random.u32(), random.u32(), random.u32(), random.u32()]).toMatchInlineSnapshot(`
      [
        660444221,
        3652823732,
        77672526,
        910233633,
      ]
    `);
    expect(new Random(7).bytes(16)).toEqual(new Random(7).bytes(16));
    expect(new Random(7).bytes(16)).not.toEqual(new Random(8).bytes(16));
  });

  it('is spread evenly enough', () => {
    const random = new Random(1);
    const buckets = new Array<number>(16).fill(0);
    let heads = 0;
    for (let i = 0; i < 64_000; i++) {
      const bucket = random.below(16);
      buckets[bucket] = (buckets[bucket] as number) + 1;
      if (random.chance(0.25)) heads++;
      const share = random.float();
      expect(share >= 0 && share < 1).toBe(true);
    }
    // Chi-square with 15 degrees of freedom: above 37.7 once in a thousand.
    const chiSquare = buckets.reduce((sum, count) => sum + (count - 4000) ** 2 / 4000, 0);
    expect(chiSquare).toBeLessThan(37.7);
    expect(Math.abs(heads - 16_000)).toBeLessThan(450);
  });

  it('picks and shuffles what is there', () => {
    const random = new Random(3);
    const items = Array.from({ length: 30 }, (_, i) => i);
    const shuffled = random.shuffle([...items]);
    expect(shuffled).not.toEqual(items);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(items);
    for (let i = 0; i < 100; i++) expect(items).toContain(random.pick(items));
    expect(random.shuffle([])).toEqual([]);
  });
});

describe('clocks', () => {
  it('go on by themselves, or when told to', () => {
    const before = systemClock.monotonicMs();
    expect(systemClock.monotonicMs()).toBeGreaterThanOrEqual(before);
    expect(Math.abs(systemClock.nowMs() - Date.now())).toBeLessThan(60_000);
    for (const hours of [3, -5, 0]) {
      const set = vi.spyOn(Date, 'now').mockReturnValue(performance.timeOrigin + performance.now() + hours * 3_600_000);
      expect(Math.abs(systemClock.nowMs() - Date.now())).toBeLessThan(5);
      set.mockRestore();
    }
    let [last, backwards] = [systemClock.nowMs(), 0];
    for (let i = 0; i < 10_000; i++) {
      const next = systemClock.nowMs();
      if (next < last) backwards++;
      last = next;
    }
    expect(backwards).toBeLessThan(2);
    const clock = new ManualClock(1000);
    clock.advance(250);
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([1250, 250]);
    expect(new ManualClock().nowMs()).toBe(Date.UTC(2026, 0, 1));
  });
});

describe('the metrics registry', () => {
  it('counts, reads and sorts', () => {
    const registry = new MetricsRegistry();
    const counter = registry.counter('commits_total', 'Commits.');
    counter.value += 2;
    expect(registry.counter('commits_total', 'Commits.')).toBe(counter);
    registry.gauge('open_views', 'Views.', () => 1);
    registry.gauge('open_views', 'Views.', () => 5);
    registry.gauge('syncs_total', 'Syncs, counted elsewhere.', () => 3);
    const histogram = registry.histogram('sync_seconds', 'Syncs.', [0.001, 0.01]);
    for (const value of [0.0005, 0.001, 0.005, 3]) histogram.observe(value);
    expect(registry.histogram('sync_seconds', 'Syncs.', [])).toBe(histogram);
    expect(histogram).toMatchObject({ counts: [2, 1, 1], count: 4, bounds: [0.001, 0.01] });
    expect(histogram.sum).toBeCloseTo(3.0065);
    expect(registry.samples()).toMatchObject([
      { kind: 'counter', name: 'commits_total', help: 'Commits.', value: 2 },
      { kind: 'gauge', name: 'open_views', value: 5 },
      { kind: 'histogram', name: 'sync_seconds', histogram },
      { kind: 'counter', name: 'syncs_total', value: 3 },
    ]);
  });
});

describe('the silent logger', () => {
  it('drops everything', () => {
    for (const level of ['debug', 'info', 'warn', 'error'] as const)
      expect(silentLogger[level]('text', { a: 1 })).toBeUndefined();
  });
});
