import { Random } from '@phantom/base';
import { WriteBatch } from '@phantom/kv';
import { describe, expect, it } from 'vitest';
import { ConflictIndex } from '../src/conflict-index.js';
import { keyHash } from '../src/key-hash.js';
import { keyOf } from './support.js';

function batchOf(keys: readonly string[], ranges: readonly [string, string][] = []): Uint8Array {
  const batch = new WriteBatch();
  for (const [lower, upper] of ranges) batch.removeRange(keyOf(lower), keyOf(upper));
  keys.forEach((name, i) => {
    const key = keyOf(name);
    if (i % 3 === 0) batch.remove(key, 0, key.length);
    else batch.put(key, 0, key.length, key, 0, 1);
  });
  return batch.finish();
}

function seqOf(index: ConflictIndex, name: string): number {
  const key = keyOf(name);
  return index.seqOf(keyHash(key, 0, key.length), key, 0, key.length);
}

const MIB = 1024 * 1024;

describe('key hash', () => {
  it('has 53 bits, is never zero and tells keys apart', () => {
    const seen = new Set<number>();
    let wrong = 0;
    for (let i = 0; i < 200_000; i++) {
      const key = new Uint8Array([0, 0, 0, 1, i >> 16, i >> 8, i]);
      const hash = keyHash(key, 0, key.length);
      if (!(hash > 0 && Number.isSafeInteger(hash))) wrong++;
      seen.add(hash);
    }
    for (let bytes = 0; bytes < 64; bytes++) seen.add(keyHash(new Uint8Array(64), 0, bytes));
    expect([wrong, seen.size]).toEqual([0, 200_064]);
  });

  it('does not depend on where the key lies', () => {
    const random = new Random(3);
    const bytes = random.bytes(100);
    for (let start = 0; start < 20; start++) {
      const end = start + random.below(60);
      expect(keyHash(bytes, start, end)).toBe(keyHash(bytes.slice(start, end), 0, end - start));
    }
  });
});

describe('conflict index', () => {
  it('knows of each key the last commit that wrote it, until it may forget', () => {
    const index = new ConflictIndex(64 * MIB);
    const random = new Random(17);
    const model = new Map<string, number>();
    let forgotten = 0;
    const wrong: string[] = [];
    for (let seq = 1; seq <= 3000; seq++) {
      const keys = Array.from({ length: random.below(6) }, () => `k${random.below(4000)}`);
      index.record(batchOf(keys), seq);
      for (const key of keys) model.set(key, seq);
      if (random.chance(0.02)) {
        forgotten = Math.max(forgotten, seq - random.below(500));
        index.forget(forgotten);
      }
      for (let i = 0; i < 3; i++) {
        const key = `k${random.below(4000)}`;
        const wanted = model.get(key) ?? 0;
        if (seqOf(index, key) !== (wanted > forgotten ? wanted : 0)) wrong.push(`${key} at ${seq}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(index.floor).toBe(0);
    index.forget(3000);
    expect(index.isEmpty).toBe(true);
    expect(index.bytes).toBe(new ConflictIndex(MIB).bytes);
  });

  it('knows ranges that were removed', () => {
    const index = new ConflictIndex(64 * MIB);
    index.record(batchOf(['b'], [['c', 'f']]), 5);
    index.record(batchOf(['d']), 6);
    index.record(batchOf([], [['a', 'd']]), 7);
    expect(['a', 'b', 'c', 'd', 'e', 'f'].map((key) => seqOf(index, key))).toEqual([7, 7, 7, 6, 5, 0]);
    index.forget(5);
    expect(['d', 'e'].map((key) => seqOf(index, key))).toEqual([6, 0]);
    index.forget(7);
    expect(index.isEmpty).toBe(true);
  });

  it('forgets the oldest past its limit, and says so', () => {
    const bytesMax = 100_000;
    const index = new ConflictIndex(bytesMax);
    let peakBytes = 0;
    for (let seq = 1; seq <= 20_000; seq++) {
      index.record(batchOf([`k${seq}`, `l${seq}`]), seq);
      peakBytes = Math.max(peakBytes, index.bytes);
    }
    expect(peakBytes).toBeLessThanOrEqual(bytesMax);
    expect(index.floor).toBeGreaterThan(15_000);
    expect(index.floor).toBeLessThan(20_000);
    const kept = Array.from({ length: 20_000 - index.floor }, (_, i) => index.floor + 1 + i);
    expect(kept.filter((seq) => seqOf(index, `l${seq}`) !== seq)).toEqual([]);
  });

  it('bounds what ranges take as well, and one commit larger than itself', () => {
    const index = new ConflictIndex(100_000);
    for (let seq = 1; seq <= 2000; seq++) index.record(batchOf([], [[`a${seq}`, `b${seq}`]]), seq);
    expect(index.bytes).toBeLessThan(160_000);
    expect(index.floor).toBeGreaterThan(1000);
    index.record(batchOf(Array.from({ length: 10_000 }, (_, i) => `k${i}`)), 2001);
    expect(index.floor).toBe(2001);
    expect(index.bytes).toBeLessThan(160_000);
  });
});
