/** The advisor: what it counts, and what it makes of it. */
import { EngineCode, WriteBatch, makeSpaceId, spaceRange, writeSpace, ByteSlot } from '@phantom/kv';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { type TableEvidence, adviseEngine, openStore } from '../src/index.js';
import { twoEngines } from './support.js';

const GIB = 1024 * 1024 * 1024;
const evidence = (more: Partial<TableEvidence>): TableEvidence => ({
  engine: 'btree',
  gets: 0,
  scans: 0,
  writes: 0,
  bytesWritten: 0,
  tableBytes: GIB,
  ...more,
});

describe('advice', () => {
  it('is the LSM-tree for a large table that is mostly written', () => {
    const advice = adviseEngine(evidence({ writes: 1e6, bytesWritten: 116e6, gets: 1e4, tableBytes: 10 * GIB }));
    expect(advice.engine).toBe('lsm');
    expect(advice.btree.writeAmplification).toBeGreaterThan(advice.lsm.writeAmplification);
    expect(advice.reason).toMatch(/^99 % writes, 1 % look-ups, 0 % scans; write amplification .*: lsm would cost/);
  });

  it('is the B+tree for what is mostly read, however large', () => {
    const use = { gets: 1e6, scans: 1e5, writes: 1e4, bytesWritten: 1.16e6 };
    expect(adviseEngine(evidence({ ...use, engine: 'lsm' })).engine).toBe('btree');
    expect(adviseEngine(evidence({ ...use, engine: 'btree' })).engine).toBe('btree');
  });

  it('leaves a table where it is when little was seen or little would be gained', () => {
    for (const engine of ['btree', 'lsm'] as const) {
      const few = adviseEngine(evidence({ engine, writes: 900, bytesWritten: 1e5 }));
      expect([few.engine, few.reason]).toEqual([engine, 'about 900 operations say too little']);
      // A small table of which most fits into one delta.
      const small = adviseEngine(evidence({ engine, writes: 1e5, bytesWritten: 1e7, gets: 1e3, tableBytes: 1e6 }));
      expect(small.engine).toBe(engine);
      expect(small.reason).toContain('it is well where it is');
    }
  });
});

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
      if (i === 1) view.cursor(spaceRange(space)).close();
    }
    view.release();
    store.admitNow(batch);
    store.submit(batch, { published: () => undefined, unknown: () => undefined });
    store.drainNow();
  }
  const [first, second] = spaces.map((space) => store.spaceUse(space));
  const about = (found: number | undefined, expected: number): void => {
    expect(found).toBeGreaterThan(expected * 0.7);
    expect(found).toBeLessThan(expected * 1.3);
  };
  about(first?.gets, 2000);
  about(second?.gets, 10_000);
  about(first?.writes, 2000);
  about(second?.writes, 500);
  about(first?.bytesWritten, 32_000);
  about(second?.scans, 2000);
  expect(first?.scans).toBe(0);
  expect(store.spaceUse(12345)).toBeUndefined();
  await store.close();
});
