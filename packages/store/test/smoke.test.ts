import { ByteSlot, EngineCode, WriteBatch } from '@phantom/kv';
import { MemoryEngine } from '@phantom/kv/memory';
import { MemoryVfs } from '@phantom/vfs/testing';
import { expect, it } from 'vitest';
import { openStore } from '../src/index.js';
import { memoryLog } from './memory-log.js';
import { snapshotEngine } from './snapshot-engine.js';

it('commits, reopens', async () => {
  const vfs = new MemoryVfs();
  const log = memoryLog();
  const options = {
    vfs,
    engines: [
      snapshotEngine(EngineCode.Btree, 'snap'),
      { code: EngineCode.Memory, name: 'memory', open: async () => new MemoryEngine() },
    ],
    log: log.open,
  };
  let store = await openStore('/a/db', options);
  const key = new Uint8Array([0x10, 0, 0, 1, 7]);
  const batch = new WriteBatch();
  batch.put(key, 0, 5, key, 0, 5);
  expect(store.admit(batch)).toBeUndefined();
  const seen: number[] = [];
  store.submit(batch, { published: (seq) => seen.push(seq), unknown() {} });
  expect(seen).toEqual([]);
  await store.drain();
  expect(seen).toEqual([1]);
  store.admitNow(batch);
  store.submit(batch, { published: (seq) => seen.push(seq), unknown() {} });
  store.drainNow();
  expect(seen).toEqual([1, 2]);
  const slot = new ByteSlot();
  const view = store.view();
  expect(view.get(key, 0, 5, slot)).toBe(true);
  view.release();
  await store.close({ checkpoint: false });
  store = await openStore('/a/db', options);
  expect(store.visibleSeq).toBe(2);
  expect(store.view().get(key, 0, 5, slot)).toBe(true);
  await store.close();
  store = await openStore('/a/db', options);
  expect(store.visibleSeq).toBe(2);
  expect(store.view().get(key, 0, 5, slot)).toBe(true);
  await store.close();
});
