/** What engines have in memory: layers and their order, and who is let in. */
import { BatchReader, EngineCode, WriteBatch, makeSpaceId, writeSpace } from '@phantom/kv';
import { describe, expect, it } from 'vitest';
import { Admission, MemoryLayers, type Run, SharedMemory } from '../src/index.js';

function batchOf(count: number, valueBytes = 6): BatchReader {
  const batch = new WriteBatch();
  const key = new Uint8Array(6);
  const value = new Uint8Array(valueBytes);
  writeSpace(key, 0, makeSpaceId(EngineCode.Lsm, 1));
  for (let i = 0; i < count; i++) {
    key[4] = i;
    batch.put(key, 0, 6, value, 0, valueBytes);
  }
  return new BatchReader().setBatch(batch.finish().slice());
}

describe('the layers in memory', () => {
  it('are the active delta above what is frozen, newest first', () => {
    const memory = new MemoryLayers<{ readonly run: Run }>(EngineCode.Lsm, 4);
    expect([memory.applied, memory.floor, memory.isDirty, memory.bytes]).toEqual([4, 4, false, 0]);
    memory.freeze();
    expect(memory.frozen).toEqual([]);
    expect(memory.apply(batchOf(3), 5, 10)).toBe(true);
    const first = memory.active;
    memory.freeze();
    memory.apply(batchOf(2), 6, 10);
    expect([memory.applied, memory.floor, memory.isDirty]).toEqual([6, 5, true]);
    // By identity: a delta's arena is too large to be compared byte by byte.
    const { active } = memory;
    expect(memory.layers().map((layer) => [layer === active, layer === first])).toEqual([
      [true, false],
      [false, true],
    ]);
    expect(memory.bytes).toBe(active.bytes + first.bytes);
    expect(memory.frozen.map((layer) => ['delta' in layer && layer.delta === first, layer.lastSeq])).toEqual([
      [true, 5],
    ]);
  });

  it('are dirty while a batch is being applied, and do not freeze then', () => {
    const memory = new MemoryLayers<{ readonly run: Run }>(EngineCode.Lsm, 0);
    const batch = batchOf(5);
    expect(memory.apply(batch, 1, 2)).toBe(false);
    expect([memory.applied, memory.applying, memory.isDirty]).toEqual([0, 1, true]);
    expect(() => memory.freeze()).toThrow('between batches');
    expect(() => memory.advance(2)).toThrow('not completed');
    expect(memory.apply(batch, 1, 10)).toBe(true);
    expect([memory.applied, memory.applying]).toEqual([1, 0]);
  });

  it('foresee a batch that nobody sees before it is applied, in whichever delta it is by then', () => {
    const memory = new MemoryLayers<{ readonly run: Run }>(EngineCode.Lsm, 0);
    memory.apply(batchOf(1, 100), 1, 10);
    for (const seq of [2, 3]) {
      const batch = batchOf(3, 100);
      const { active } = memory;
      const before = [active.bytes, active.entries];
      memory.foresee(batch);
      expect([active.bytes, active.entries]).toEqual(before);
      if (seq === 3) memory.freeze();
      memory.apply(batch, seq, 10);
      expect([memory.active.entries, memory.active === active]).toEqual([3, seq === 2]);
    }
    const half = batchOf(2);
    memory.apply(half, 4, 1);
    expect(() => memory.foresee(half)).toThrow('between batches');
  });

  it('freeze for a seq only what the files need to come to it', () => {
    const memory = new MemoryLayers<{ readonly run: Run }>(EngineCode.Lsm, 0);
    expect(memory.mustFreeze(1)).toBe(false);
    memory.apply(batchOf(1), 1, 10);
    expect(memory.mustFreeze(1)).toBe(true);
    memory.freeze();
    memory.advance(2);
    memory.apply(batchOf(1), 3, 10);
    expect([memory.mustFreeze(2), memory.mustFreeze(3)]).toEqual([false, true]);
    // Once that is in files, they are still said to hold what came before seq 2 until seq 3 is there, too.
    memory.frozen = [];
    expect(memory.mustFreeze(2)).toBe(true);
  });

  it('have room for a whole delta at once after one that was large', () => {
    const memory = new MemoryLayers<{ readonly run: Run }>(EngineCode.Lsm, 0);
    const full = (): boolean => memory.isActiveFull(() => 8 << 20);
    memory.apply(batchOf(2, 1 << 20), 1, 10);
    expect(full()).toBe(false);
    memory.freeze();
    memory.apply(batchOf(1), 2, 10);
    const { keys } = memory.active.tree;
    let seq = 3;
    while (!full()) memory.apply(batchOf(4, 1 << 17), seq++, 10);
    expect(memory.active.arenaBytes).toBeGreaterThan(4 << 20);
    expect(memory.active.tree.keys === keys).toBe(true);
  });

  it('take files that are handed over above everything applied before', () => {
    const memory = new MemoryLayers<{ readonly run: Run }>(EngineCode.Lsm, 0);
    memory.apply(batchOf(1), 1, 10);
    const delta = memory.active;
    const run = { name: 'a run' } as unknown as Run;
    memory.ingest([{ run }], 2);
    expect(memory.layers().map((layer) => [layer === run, layer === delta])).toEqual([
      [true, false],
      [false, true],
    ]);
    expect(memory.frozen.map(({ lastSeq }) => lastSeq)).toEqual([2, 1]);
    expect([memory.applied, memory.floor]).toEqual([2, 1]);
  });
});

describe('admission', () => {
  const small = 600;

  it('reserves the worst case, lets nobody overtake, and grants in order', async () => {
    let inUse = 0;
    const admission = new Admission(
      () => small * 2,
      () => inUse,
    );
    expect(admission.tryReserve(small, false)).toBe(true);
    expect(admission.tryReserve(small, false)).toBe(true);
    expect(admission.tryReserve(small, false)).toBe(false);
    const order: string[] = [];
    const first = admission.wait(small).then(() => order.push('first'));
    const second = admission.wait(10).then(() => order.push('second'));
    expect(admission.tryReserve(1, false)).toBe(false);
    inUse = small;
    admission.giveBack(small);
    admission.grant();
    expect(order).toEqual([]);
    inUse = 0;
    admission.giveBack(small);
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second']);
    expect(admission.tryReserve(10, true)).toBe(true);
  });

  it('lets a batch above the bound in alone, once memory is empty', async () => {
    let inUse = 1;
    const admission = new Admission(
      () => 1000,
      () => inUse,
    );
    expect(admission.tryReserve(5000, true)).toBe(false);
    inUse = 0;
    expect(admission.tryReserve(5000, false)).toBe(true);
    expect(admission.tryReserve(1, true)).toBe(false);
    const next = admission.wait(1);
    admission.giveBack(5000);
    await next;
  });

  it('turns everybody away when it must', async () => {
    const admission = new Admission(
      () => 1000,
      () => 1000,
    );
    const waiting = [admission.wait(1), admission.wait(2)];
    admission.refuse(new Error('closed'));
    for (const promise of waiting) await expect(promise).rejects.toThrow('closed');
  });
});

describe('memory shared by engines', () => {
  it('leaves each what the others do not hold, and never less than its least share', () => {
    const memory = new SharedMemory({ cacheBytes: 1000, deltaBytesMax: 800 });
    let first = 0;
    let second = 0;
    const firstMax = memory.join(() => first);
    const secondMax = memory.join(() => second);
    expect([firstMax(), secondMax()]).toEqual([700, 700]);
    first = 700;
    expect([firstMax(), secondMax()]).toEqual([700, 100]);
    second = 300;
    expect([firstMax(), secondMax()]).toEqual([500, 100]);
    first = 0;
    expect([firstMax(), secondMax()]).toEqual([500, 700]);
    expect(memory.cache.bytesMax).toBe(1000);
  });
});
