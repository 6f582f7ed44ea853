/** Commits that wait for a lock and commits that wait for memory: neither keeps the other from ending. */
import { btree } from '@phantom/btree';
import { openStore } from '@phantom/store';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { LockStrength, type Mvcc, type MvccTransaction, createMvcc } from '../src/index.js';
import { codeOf, settle } from './support.js';

const DELTA_BYTES_MAX = 256 * 1024;
/** With one of them there is no room for another. */
const LARGE = new Uint8Array(120 * 1024);

/** Keys of the tests in a space of the B+tree. */
function inTree(name: string): Uint8Array {
  return new Uint8Array([0x10, 0, 0, 9, ...new TextEncoder().encode(name)]);
}

function put(transaction: MvccTransaction, name: string, value: Uint8Array): void {
  const key = inTree(name);
  transaction.put(key, 0, key.length, value, 0, value.length);
}

async function locked(mvcc: Mvcc, name: string): Promise<MvccTransaction> {
  const holder = mvcc.begin();
  const key = inTree(name);
  await holder.lock(key, 0, key.length, LockStrength.Update, 'wait');
  return holder;
}

describe('who waits for a lock', () => {
  it.each(['commit', 'prepare'] as const)('to %s keeps no room from who has it', async (way) => {
    const store = await openStore('/db', {
      vfs: new MemoryVfs(),
      engines: [btree()],
      deltaBytesMax: DELTA_BYTES_MAX,
    });
    const mvcc = createMvcc(store, { preparedSpace: 0x1000_0002 });
    const holder = await locked(mvcc, 'hot');
    const waiting = mvcc.begin({ isolation: 'repeatable read' });
    for (const name of ['hot', 'more']) put(waiting, name, LARGE);
    const waited = codeOf(way === 'commit' ? waiting.commit() : waiting.prepare('x', ''));
    await settle();
    for (const name of ['hot', 'other']) put(holder, name, LARGE);
    expect(await codeOf(holder.commit())).toBe('done');
    expect(await waited).toBe('done');
    await mvcc.close();
    await store.close();
  });
});
