/** What the tests of transactions beyond their memory have in common: keys of each engine, and stores that spill. */
import { btree } from '@phantom/btree';
import { ByteSlot, type EngineCode, type KeyRange } from '@phantom/kv';
import { lsm } from '@phantom/lsm';
import { type Store, openStore } from '@phantom/store';
import type { Vfs } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';
import { type Mvcc, type MvccOptions, type MvccTransaction, createMvcc } from '../src/index.js';
import { drainCursor, memoryEngine } from './support.js';

const slot = new ByteSlot();
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export function keyOf(engine: EngineCode, text: string): Uint8Array {
  return new Uint8Array([engine << 4, 0, 0, 1, ...bytes(text)]);
}

export function spaceOf(engine: EngineCode): KeyRange {
  return { lower: keyOf(engine, ''), upper: new Uint8Array([engine << 4, 0, 0, 2]) };
}

export async function open(
  options: MvccOptions = {},
  vfs: Vfs = new MemoryVfs(),
): Promise<{ mvcc: Mvcc; store: Store }> {
  const store = await openStore('/db', {
    vfs,
    engines: [btree({ idleMergeMs: 0 }), lsm(), memoryEngine],
    segmentBytes: 16_384,
    durability: 'fsync',
  });
  return { store, mvcc: createMvcc(store, options) };
}

export function put(transaction: MvccTransaction, engine: EngineCode, key: string, value: string): void {
  const [at, content] = [keyOf(engine, key), bytes(value)];
  transaction.put(at, 0, at.length, content, 0, content.length);
}

export function putInPlace(transaction: MvccTransaction, engine: EngineCode, key: string, value: string): void {
  const at = keyOf(engine, key);
  transaction.putFrom(at, 0, at.length, { writeValue: (writer) => writer.bytes(bytes(value)) });
}

export function remove(transaction: MvccTransaction, engine: EngineCode, key: string): void {
  const at = keyOf(engine, key);
  transaction.remove(at, 0, at.length);
}

export function get(
  transaction: MvccTransaction,
  engine: EngineCode,
  key: string,
  how: 'get' | 'getOwn' | 'getNewest' = 'get',
) {
  const at = keyOf(engine, key);
  return transaction[how](at, 0, at.length, slot) ? new TextDecoder().decode(slot.copy()) : undefined;
}

/** Everything there is in one engine. */
export function contentOf(mvcc: Mvcc, engine: EngineCode): string[] {
  const reader = mvcc.begin({ isolation: 'repeatable read', readOnly: true });
  const content = drainCursor(reader.cursor(spaceOf(engine)));
  reader.rollback();
  return content;
}

export const numbered = (n: number): string => `k${String(n).padStart(3, '0')}`;

/** Writes so many keys with values of 20 bytes into an engine. */
export function putMany(transaction: MvccTransaction, engine: EngineCode, from: number, to: number, value = 'v'): void {
  for (let n = from; n < to; n++) put(transaction, engine, numbered(n), value.repeat(20));
}
