/** The advisor: what it counts, and what it makes of it. */
import { Random, writeU32BE } from '@phantom/base';
import {
  ByteSlot,
  CursorBatch,
  EngineCode,
  type KvCursor,
  WriteBatch,
  makeSpaceId,
  spaceRange,
  writeSpace,
} from '@phantom/kv';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { adviseEngine } from '../src/engine-advice.js';
import type { SpaceEvidence } from '../src/engine-costs.js';
import { openStore } from '../src/index.js';
import { WrittenKeys } from '../src/written-keys.js';
import { twoEngines } from './support.js';

const MIB = 1024 * 1024;
const MEMORY = { deltaBytes: 32 * MIB, cacheBytes: 64 * MIB };
const ROW_BYTES = 116;

/** A space of so many rows, none of them touched. */
const space = (rows: number, more: Partial<SpaceEvidence>): SpaceEvidence => ({
  gets: 0,
  scans: 0,
  rowsScanned: 0,
  writes: 0,
  bytesWritten: (more.writes ?? 0) * ROW_BYTES,
  appends: 0,
  keysWritten: Number.POSITIVE_INFINITY,
  rows,
  bytes: rows * ROW_BYTES,
  ...more,
});

describe('advice', () => {
  it('is the LSM-tree for what is written behind everything that is there', () => {
    const advice = adviseEngine('btree', [space(1e8, { writes: 1e7, appends: 1e7, gets: 1e5 })], MEMORY);
    expect(advice.engine).toBe('lsm');
    expect(advice.btree.writeAmplification).toBeGreaterThan(advice.lsm.writeAmplification);
    expect(advice.reason).toMatch(/^99 % writes, 1 % look-ups, 0 % scans; write amplification .*: lsm would cost/);
  });

  it('is the B+tree for what is mostly looked up and scanned, however large', () => {
    const use = { gets: 1e5, scans: 1e6, rowsScanned: 2e6, writes: 1e4 };
    for (const rows of [1e4, 1e8]) {
      for (const engine of ['btree', 'lsm'] as const) {
        expect(adviseEngine(engine, [space(rows, use)], MEMORY).engine).toBe('btree');
      }
    }
  });

  it('knows few hot rows and keys that ascend from rows that are written anywhere', () => {
    const writes = 1e7;
    const lsmAmplification = (use: Partial<SpaceEvidence>): number =>
      adviseEngine('lsm', [space(1e7, { writes, ...use })], MEMORY).lsm.writeAmplification;
    expect(lsmAmplification({ appends: writes })).toBe(1);
    expect(lsmAmplification({})).toBeGreaterThan(2);
    const hot = adviseEngine('lsm', [space(1e7, { writes, keysWritten: 1000 })], MEMORY);
    expect(hot.engine).toBe('btree');
  });

  it('adds up what a table and its indexes cost', () => {
    const one = space(1e6, { writes: 1e6, gets: 1e5 });
    const alone = adviseEngine('lsm', [one], MEMORY);
    const both = adviseEngine('lsm', [one, one], MEMORY);
    expect(both.lsm.costUs).toBeCloseTo(2 * alone.lsm.costUs);
    expect(both.lsm.writeAmplification).toBeCloseTo(alone.lsm.writeAmplification);
  });

  it('leaves a table where it is when little was seen or little would be gained', () => {
    for (const engine of ['btree', 'lsm'] as const) {
      const few = adviseEngine(engine, [space(1e6, { writes: 900 })], MEMORY);
      expect([few.engine, few.reason]).toEqual([engine, 'about 900 operations say too little']);
      const even = adviseEngine(engine, [space(1e5, { gets: 1e6 })], MEMORY);
      expect(even.engine).toBe(engine);
      expect(even.reason).toContain('it is well where it is');
    }
  });
});

describe('the number of different keys', () => {
  const estimateOf = (writes: number, keyOf: (write: number) => number): number => {
    const keys = new WrittenKeys();
    const key = new Uint8Array(12);
    for (let i = 0; i < writes; i++) {
      writeU32BE(key, 8, keyOf(i));
      keys.add(key, 0, 12);
    }
    return keys.estimate();
  };
  it('is about right, from a part of the writes', () => {
    const random = new Random(1);
    for (const count of [10, 1000, 20_000]) {
      const found = estimateOf(20_000, () => random.below(count));
      expect(found).toBeGreaterThan(count * 0.8);
      expect(found).toBeLessThan(count * 1.25);
    }
  });

  it('is without end when no key comes twice, and unknown after few writes', () => {
    expect(estimateOf(20_000, (i) => i)).toBe(Number.POSITIVE_INFINITY);
    expect(estimateOf(50, () => 1)).toBe(Number.POSITIVE_INFINITY);
  });

  it('follows a change of habit', () => {
    expect(estimateOf(30_000, (i) => (i < 10_000 ? i : i % 100))).toBeLessThan(130);
  });
});

/** Three rows, by every way in which a cursor comes to rows. */
function scanThreeRows(cursor: KvCursor, round: number): void {
  const key = new Uint8Array(0);
  const batch = new CursorBatch(3);
  if (round % 3 === 0) for (let i = 0; i < 3; i++) cursor.next();
  else if (round % 3 === 1) cursor.fill(batch);
  else if (cursor.seek(key, 0, 0) && cursor.next()) cursor.prev();
  cursor.close();
}

it('counts look-ups, scans and writes of each space, from samples, about right', async () => {
  const store = await openStore('/db', { vfs: new MemoryVfs(), engines: twoEngines() });
  const spaces = [makeSpaceId(EngineCode.Btree, 1), makeSpaceId(EngineCode.Lsm, 2)] as const;
  const key = new Uint8Array(8);
  const slot = new ByteSlot();
  for (let round = 0; round < 2000; round++) {
    const batch = new WriteBatch();
    for (const [i, space] of spaces.entries()) {
      writeSpace(key, 0, space);
      key[7] = round;
      // The second is written once where the first is written four times.
      if (i === 0 || round % 4 === 0) batch.put(key, 0, 8, key, 0, 8);
    }
    const view = store.view();
    for (const [i, space] of spaces.entries()) {
      writeSpace(key, 0, space);
      for (let n = 0; n < (i === 0 ? 1 : 5); n++) view.get(key, 0, 8, slot);
      if (i === 1) scanThreeRows(view.cursor(spaceRange(space)), round);
    }
    view.release();
    store.admitNow(batch);
    store.submit(batch, { published: () => undefined, unknown: () => undefined });
    store.drainNow();
  }
  const [first, second] = spaces.map((space) => store.advise([space])?.evidence[0]);
  const about = (found: number | undefined, expected: number): void => {
    expect(found).toBeGreaterThan(expected * 0.7);
    expect(found).toBeLessThan(expected * 1.3);
  };
  about(first?.gets, 2000);
  about(second?.gets, 10_000);
  about(first?.writes, 2000);
  about(second?.writes, 500);
  about(first?.bytesWritten, 32_000);
  expect([first?.scans, second?.scans]).toEqual([0, 2000]);
  about(second?.rowsScanned, 2000 * 3);
  expect(store.advise(spaces.slice(0, 1))?.evidence).toHaveLength(1);
  expect(store.advise([makeSpaceId(EngineCode.Memory, 3)])).toBeUndefined();
  await store.close();
});
