/** What the store's tests share: keys of two engines, batches, listeners that remember. */
import type { PhantomError } from '@phantom/base';
import { ByteSlot, EngineCode, type Seq, WriteBatch } from '@phantom/kv';
import { MemoryEngine } from '@phantom/kv/memory';
import { MemoryVfs } from '@phantom/vfs/testing';
import {
  type CommitListener,
  type EngineFactory,
  type Store,
  type StoreOptions,
  type StoreView,
  openStore,
} from '../src/index.js';
import { snapshotEngine } from './snapshot-engine.js';

const UTF8_OUT = new TextEncoder();
const UTF8_IN = new TextDecoder();

/** A key in a space of an engine. */
export function keyOf(code: EngineCode, text: string): Uint8Array {
  return new Uint8Array([code << 4, 0, 0, 1, ...UTF8_OUT.encode(text)]);
}

/** Two durable engines, as a store with B+tree and LSM would have. */
export function twoEngines(): ReturnType<typeof snapshotEngine>[] {
  return [snapshotEngine(EngineCode.Btree, 'left'), snapshotEngine(EngineCode.Lsm, 'right')];
}

export const volatileEngine: EngineFactory = {
  code: EngineCode.Memory,
  name: 'memory',
  open: async () => new MemoryEngine(),
};

/** A batch of puts: `left key`, `right key` or `memory key` -> value; undefined removes. */
export function batchOf(entries: Record<string, string | undefined>): WriteBatch {
  const batch = new WriteBatch();
  for (const [name, value] of Object.entries(entries)) {
    const key = keyNamed(name);
    if (value === undefined) {
      batch.remove(key, 0, key.length);
    } else {
      const bytes = UTF8_OUT.encode(value);
      batch.put(key, 0, key.length, bytes, 0, bytes.length);
    }
  }
  return batch;
}

const CODES: Record<string, EngineCode> = { left: EngineCode.Btree, right: EngineCode.Lsm, memory: EngineCode.Memory };

export function keyNamed(name: string): Uint8Array {
  const [engine, key] = name.split(' ') as [string, string];
  return keyOf(CODES[engine] as EngineCode, key);
}

const slot = new ByteSlot();

export function read(view: StoreView, name: string): string | undefined {
  const key = keyNamed(name);
  return view.get(key, 0, key.length, slot) ? UTF8_IN.decode(slot.copy()) : undefined;
}

/** Reads through a view of its own. */
export function readNow(store: Store, name: string): string | undefined {
  const view = store.view();
  const value = read(view, name);
  view.release();
  return value;
}

/** Remembers what it was told, in order. */
export class Told implements CommitListener {
  readonly seqs: Seq[] = [];
  readonly errors: Error[] = [];

  published(seq: Seq): void {
    this.seqs.push(seq);
  }

  unknown(error: Error): void {
    this.errors.push(error);
  }
}

/** Commits and waits until it is published; rejects with what the listener is told. */
export async function commit(
  store: Store,
  entries: Record<string, string | undefined>,
  durability?: 'fsync' | 'os',
): Promise<Seq> {
  const batch = batchOf(entries);
  const room = store.admit(batch);
  if (room !== undefined) await room;
  return new Promise((published, unknown) => {
    try {
      store.submit(batch, { published, unknown }, { durability });
    } catch (error) {
      store.unadmit(batch);
      throw error;
    }
  });
}

export function commitNow(store: Store, entries: Record<string, string | undefined>): Seq {
  const batch = batchOf(entries);
  store.admitNow(batch);
  const told = new Told();
  store.submit(batch, told);
  store.drainNow();
  if (told.errors[0] !== undefined) throw told.errors[0];
  return told.seqs[0] as Seq;
}

export async function turns(count = 3): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

export function optionsOf(vfs: StoreOptions['vfs'], more: Partial<StoreOptions> = {}): StoreOptions {
  return { vfs, engines: twoEngines(), segmentBytes: 16_384, ...more };
}

export async function withStore(
  run: (store: Store, vfs: MemoryVfs) => Promise<void>,
  more: Partial<StoreOptions> = {},
): Promise<void> {
  const vfs = new MemoryVfs();
  const store = await openStore('/data/db', optionsOf(vfs, more));
  await run(store, vfs);
  await store.close();
}

/** The error of a promise that must be rejected. */
export const rejection = (promise: Promise<unknown>): Promise<PhantomError> =>
  promise.then(
    () => {
      throw new Error('it was not refused');
    },
    (error: PhantomError) => error,
  );
