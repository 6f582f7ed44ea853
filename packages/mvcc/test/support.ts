/** What the tests of transactions share: a store in memory, and keys and values as text. */
import type { PhantomError } from '@phantom/base';
import { ByteSlot, EngineCode, type KeyRange, type KvCursor, WriteBatch } from '@phantom/kv';
import { MemoryEngine } from '@phantom/kv/memory';
import { type Store, type StoreOptions, openStore } from '@phantom/store';
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterEach } from 'vitest';
import { LockStrength, type Mvcc, type MvccOptions, type MvccTransaction, createMvcc } from '../src/index.js';

const UTF8_OUT = new TextEncoder();
const UTF8_IN = new TextDecoder();
const SPACE = [0, 0, 0, 1];

export const memoryEngine = {
  code: EngineCode.Memory,
  name: 'memory',
  open: async (): Promise<MemoryEngine> => new MemoryEngine(),
};

/** A store that may be written to: its first writer need not wait for that. */
export async function openMemoryStore(options: Partial<StoreOptions> = {}): Promise<Store> {
  const store = await openStore('/db', {
    vfs: new MemoryVfs(),
    engines: [memoryEngine],
    durability: 'memory',
    ...options,
  });
  const nothing = new WriteBatch();
  await store.admit(nothing);
  store.unadmit(nothing);
  return store;
}

export function keyOf(text: string): Uint8Array {
  return new Uint8Array([...SPACE, ...UTF8_OUT.encode(text)]);
}

export function textOfKey(key: Uint8Array, start = 0, end = key.length): string {
  return UTF8_IN.decode(key.subarray(start + SPACE.length, end));
}

export function rangeOf(lower: string, upper: string): KeyRange {
  return { lower: keyOf(lower), upper: keyOf(upper) };
}

/** Every key of the tests' space. */
export const ALL: KeyRange = { lower: new Uint8Array(SPACE), upper: new Uint8Array([0, 0, 0, 2]) };

type Reading = 'get' | 'getOwn' | 'getNewest';
const slot = new ByteSlot();

export function read(transaction: MvccTransaction, key: string, how: Reading = 'get'): string | undefined {
  const bytes = keyOf(key);
  return transaction[how](bytes, 0, bytes.length, slot) ? UTF8_IN.decode(slot.copy()) : undefined;
}

export function put(transaction: MvccTransaction, key: string, value: string, note?: string): void {
  const bytes = keyOf(key);
  const content = UTF8_OUT.encode(value);
  transaction.put(
    bytes,
    0,
    bytes.length,
    content,
    0,
    content.length,
    note === undefined ? undefined : UTF8_OUT.encode(note),
  );
}

export function remove(transaction: MvccTransaction, key: string): void {
  const bytes = keyOf(key);
  transaction.remove(bytes, 0, bytes.length);
}

export function entryOf(cursor: KvCursor): string {
  const value = UTF8_IN.decode(cursor.value.copy());
  return `${textOfKey(cursor.key.buffer, cursor.key.start, cursor.key.end)}=${value}`;
}

/** Everything a cursor shows from where it stands, as `key=value`; closes it. */
export function drainCursor(cursor: KvCursor): string[] {
  const entries: string[] = [];
  while (cursor.next()) entries.push(entryOf(cursor));
  cursor.close();
  return entries;
}

/** Lets everything that is ready happen: commits without a sync, granted locks, the callers behind them. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

const opened: { mvcc: Mvcc; store: Store }[] = [];

export async function openMvcc(
  options: MvccOptions = {},
  storeOptions: Partial<StoreOptions> = {},
): Promise<{ mvcc: Mvcc; store: Store }> {
  const store = await openMemoryStore(storeOptions);
  const mvcc = createMvcc(store, options);
  opened.push({ mvcc, store });
  return { mvcc, store };
}

/** A store whose syncs take many turns, so that commits stay queued for a while. */
export function openSlow(options: MvccOptions = {}): Promise<{ mvcc: Mvcc; store: Store }> {
  return openMvcc(options, { durability: 'fsync', vfs: new MemoryVfs({ syncTurns: 40 }) });
}

afterEach(async () => {
  for (const { mvcc, store } of opened.splice(0)) {
    await mvcc.close();
    await store.close({ checkpoint: false });
  }
});

export const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    (error: PhantomError) => error.code,
  );

export function thrownBy(action: () => unknown): PhantomError {
  try {
    action();
  } catch (error) {
    return error as PhantomError;
  }
  throw new Error('nothing was thrown');
}

export async function seed(mvcc: Mvcc, entries: Record<string, string>): Promise<void> {
  const transaction = mvcc.begin();
  for (const [key, value] of Object.entries(entries)) put(transaction, key, value);
  transaction.commitSync();
}

export function lock(
  transaction: MvccTransaction,
  key: string,
  wait: 'wait' | 'nowait' | 'skip' = 'wait',
): Promise<void> | false | undefined {
  const bytes = keyOf(key);
  return transaction.lock(bytes, 0, bytes.length, LockStrength.Update, wait);
}
