/** Loads: writes in the order of their keys, which engines take over as the files that they were put aside in. */
import { isPhantomError } from '@phantom/base';
import { ByteSlot, EngineCode } from '@phantom/kv';
import { FaultyVfs, MemoryVfs, counting, failAt } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import type { MvccTransaction } from '../src/index.js';
import { contentOf, get, keyOf, numbered, open, put, putMany, spaceOf } from './spill-support.js';

describe('writes in the order of their keys', () => {
  /** Files that were written, by the names that they began with. */
  function watched(vfs: MemoryVfs, spilled = new Set<string>(), merged = new Set<string>()) {
    vfs.onOperation = ({ operation, path }) => {
      if (operation === 'write' && path.includes('load-')) (path.includes('spill') ? spilled : merged).add(path);
    };
    return { spilled, merged };
  }

  it.each([EngineCode.Btree, EngineCode.Lsm])(
    'become files of engine %i as they are, in little memory',
    async (engine) => {
      const vfs = new MemoryVfs();
      let { mvcc, store } = await open({ writeSetBytesMax: 4000 }, vfs);
      const { spilled, merged } = watched(vfs);
      for (const way of ['commit', 'commitSync'] as const) {
        const transaction = mvcc.begin();
        const from = way === 'commit' ? 0 : 400;
        putMany(transaction, engine, from, from + 400);
        expect(get(transaction, engine, numbered(from + 7), 'getOwn')).toBe('v'.repeat(20));
        await transaction[way]();
      }
      expect([spilled.size, merged.size]).toEqual([14, 0]);
      expect(contentOf(mvcc, engine)).toHaveLength(800);
      const left = vfs.crashClone(1);
      await store.close();
      ({ mvcc, store } = await open({}, left));
      expect(contentOf(mvcc, engine)).toHaveLength(800);
      for await (const finding of store.check()) expect(finding).toBeUndefined();
      await store.close();
    },
  );

  /** Empties what `putMany` has put below 100, and has written something else in no order before the others come. */
  function putBehindFront(transaction: MvccTransaction): void {
    transaction.removeRange({ ...spaceOf(EngineCode.Btree), upper: keyOf(EngineCode.Btree, numbered(100)) });
    for (const text of ['n', 'm', 'a']) put(transaction, EngineCode.Btree, `0${text}`, 'w');
    putMany(transaction, EngineCode.Btree, 100, 500);
    expect(get(transaction, EngineCode.Btree, numbered(50), 'getOwn')).toBeUndefined();
    expect(get(transaction, EngineCode.Btree, '0m', 'getOwn')).toBe('w');
  }

  it('become files as they are behind a little that has no order', async () => {
    const vfs = new MemoryVfs();
    const { mvcc, store } = await open({ writeSetBytesMax: 4000 }, vfs);
    const old = mvcc.begin();
    putMany(old, EngineCode.Btree, 0, 60);
    await old.commit();
    let mergedBytes = 0;
    vfs.onOperation = ({ operation, path, bytes: written = 0 }) => {
      if (operation === 'write' && path.includes('load-') && !path.includes('spill')) mergedBytes += written;
    };
    const transaction = mvcc.begin();
    putBehindFront(transaction);
    await transaction.commit();
    expect(mergedBytes).toBeGreaterThan(0);
    expect(mergedBytes).toBeLessThan(1000);
    const { [0]: first, length } = contentOf(mvcc, EngineCode.Btree);
    expect([first, length]).toEqual(['0a=w', 403]);
    for await (const finding of store.check()) expect(finding).toBeUndefined();
    await store.close();
  });

  it('leave what has no order in memory where the disk refuses what comes behind it', async () => {
    const disk = new MemoryVfs();
    const vfs = new FaultyVfs(disk, counting());
    const { mvcc, store } = await open({ writeSetBytesMax: 4000 }, vfs);
    let refused = 0;
    for (let n = 0, hasFired = true; hasFired; n++) {
      const transaction = mvcc.begin();
      const fault = failAt(n, 'ENOSPC');
      vfs.injector = fault;
      try {
        putBehindFront(transaction);
      } catch (error) {
        if (!isPhantomError(error)) throw error;
        refused++;
        expect(get(transaction, EngineCode.Btree, '0m', 'getOwn')).toBe('w');
      }
      hasFired = fault.fired;
      vfs.injector = counting();
      transaction.rollback();
    }
    expect(refused).toBeGreaterThan(2);
    expect(contentOf(mvcc, EngineCode.Btree)).toEqual([]);
    await store.close();
  });

  it('are merged where something else was written among their keys, or a part of them is forgotten', async () => {
    const vfs = new MemoryVfs();
    const { mvcc, store } = await open({ writeSetBytesMax: 4000 }, vfs);
    const { merged } = watched(vfs);
    const transaction = mvcc.begin();
    putMany(transaction, EngineCode.Btree, 0, 400);
    const savepoint = transaction.savepoint();
    putMany(transaction, EngineCode.Btree, 400, 600);
    put(transaction, EngineCode.Btree, numbered(5), 'again');
    transaction.rollbackTo(savepoint);
    expect(get(transaction, EngineCode.Btree, numbered(410), 'getOwn')).toBeUndefined();
    putMany(transaction, EngineCode.Btree, 390, 420, 'w');
    const lower = keyOf(EngineCode.Btree, numbered(100));
    transaction.removeRange({ lower, upper: keyOf(EngineCode.Btree, numbered(150)) });
    await transaction.commit();
    expect(merged.size).toBe(1);
    expect(contentOf(mvcc, EngineCode.Btree)).toHaveLength(370);
    expect(contentOf(mvcc, EngineCode.Btree).filter((entry) => entry.endsWith('w'))).toHaveLength(30);
    await store.close();
  });

  it('go on in the memory of those before, unless these were shown', async () => {
    const { mvcc, store } = await open({ writeSetBytesMax: 4000 });
    const transaction = mvcc.begin();
    putMany(transaction, EngineCode.Btree, 0, 30);
    const shown = new ByteSlot();
    transaction.getOwn(keyOf(EngineCode.Btree, numbered(0)), 0, 8, shown);
    putMany(transaction, EngineCode.Btree, 30, 500, 'w');
    expect(new TextDecoder().decode(shown.copy())).toBe('v'.repeat(20));
    await transaction.commit();
    await store.close();
  });
});
