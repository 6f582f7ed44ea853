/**
 * Money moves between accounts that lie in two engines, by clients that get in each other's way; whoever looks sees the
 * same sum, at every isolation level, in memory and on a B+tree whose power is cut or whose disk fails.
 */
import { type PhantomError, Random, isPhantomError } from '@phantom/base';
import { btree } from '@phantom/btree';
import { ByteSlot, EngineCode } from '@phantom/kv';
import { type Store, type StoreOptions, openStore } from '@phantom/store';
import type { Vfs, VfsOp } from '@phantom/vfs';
import { FaultyVfs, MemoryVfs, failAt } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { LockStrength, type Mvcc, type MvccTransaction, type TransactionOptions, createMvcc } from '../src/index.js';
import { memoryEngine } from './support.js';

const ACCOUNTS = 8;
const OPENING_BALANCE = 100;
const TOTAL = ACCOUNTS * OPENING_BALANCE;
const slot = new ByteSlot();

type Placement = (account: number) => EngineCode;
const alternating: Placement = (account) => (account % 2 === 0 ? EngineCode.Btree : EngineCode.Memory);
const onBtree: Placement = () => EngineCode.Btree;

function keyOf(placement: Placement, account: number): Uint8Array {
  return new Uint8Array([placement(account) << 4, 0, 0, 1, account]);
}

function receiptOf(id: number): Uint8Array {
  return new Uint8Array([EngineCode.Btree << 4, 0, 0, 2, id >> 8, id & 255]);
}

function balanceOf(transaction: MvccTransaction, key: Uint8Array): number {
  if (!transaction.get(key, 0, key.length, slot)) return Number.NaN;
  return (slot.buffer[slot.start] as number) * 256 + (slot.buffer[slot.start + 1] as number);
}

function setBalance(transaction: MvccTransaction, key: Uint8Array, balance: number): void {
  transaction.put(key, 0, key.length, new Uint8Array([balance >> 8, balance & 255]), 0, 2);
}

async function openAccounts(mvcc: Mvcc, placement: Placement): Promise<void> {
  const transaction = mvcc.begin();
  for (let i = 0; i < ACCOUNTS; i++) setBalance(transaction, keyOf(placement, i), OPENING_BALANCE);
  await transaction.commit();
}

function sumOf(transaction: MvccTransaction, placement: Placement): number {
  transaction.beginStatement();
  let sum = 0;
  for (let i = 0; i < ACCOUNTS; i++) sum += balanceOf(transaction, keyOf(placement, i));
  return sum;
}

async function pause(random: Random): Promise<void> {
  if (random.chance(0.5)) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

/** One statement of a transfer: changes one account by an amount, as a layer above does it. */
async function change(transaction: MvccTransaction, key: Uint8Array, amount: number): Promise<void> {
  transaction.beginStatement();
  if (transaction.concurrency === 'locking') {
    const lock = transaction.lock(key, 0, key.length, LockStrength.NoKeyUpdate, 'wait');
    if (lock !== undefined) await lock;
    while (transaction.changedSinceSnapshot(key, 0, key.length)) {
      if (transaction.isolation !== 'read committed') throw Object.assign(new Error('lost'), { code: '40001' });
      transaction.restartStatement();
    }
  }
  setBalance(transaction, key, balanceOf(transaction, key) + amount);
}

/** Moves money until it succeeds; returns how often it lost. */
async function transfer(
  mvcc: Mvcc,
  placement: Placement,
  random: Random,
  options: TransactionOptions,
  receipt?: number,
): Promise<number> {
  const from = random.below(ACCOUNTS);
  const to = (from + 1 + random.below(ACCOUNTS - 1)) % ACCOUNTS;
  const amount = 1 + random.below(5);
  for (let lost = 0; ; lost++) {
    const transaction = mvcc.begin(options);
    try {
      await change(transaction, keyOf(placement, from), -amount);
      await pause(random);
      const savepoint = transaction.savepoint();
      await change(transaction, keyOf(placement, to), amount + 7);
      transaction.rollbackTo(savepoint);
      await change(transaction, keyOf(placement, to), amount);
      if (receipt !== undefined) transaction.put(receiptOf(receipt), 0, 6, receiptOf(receipt), 0, 1);
      await pause(random);
      await transaction.commit();
      return lost;
    } catch (error) {
      transaction.rollback();
      if (!['40001', '40P01'].includes((error as PhantomError).code)) throw error;
    }
  }
}

function optionsOf(vfs: Vfs, more: Partial<StoreOptions> = {}): StoreOptions {
  return { vfs, engines: [btree({ idleMergeMs: 0 }), memoryEngine], segmentBytes: 16_384, ...more };
}

describe('transfers', () => {
  const optimistic: TransactionOptions = { isolation: 'repeatable read' };
  const locking: TransactionOptions = { isolation: 'read committed' };
  it.each<[string, TransactionOptions[]]>([
    ['repeatable read, optimistic', [optimistic]],
    ['repeatable read with locks', [{ isolation: 'repeatable read', concurrency: 'locking' }]],
    ['read committed', [locking]],
    ['read committed, optimistic', [{ isolation: 'read committed', concurrency: 'optimistic' }]],
    ['all of them together', [optimistic, locking, { isolation: 'repeatable read', concurrency: 'locking' }]],
  ])('keep the sum: %s', async (_, kinds) => {
    const store = await openStore('/db', optionsOf(new MemoryVfs({ syncTurns: 2 }), { durability: 'fsync' }));
    const mvcc = createMvcc(store);
    await openAccounts(mvcc, alternating);
    const random = new Random(5);
    const sums = new Set<number>();
    let isDone = false;
    let reads = 0;
    const watch = async (): Promise<void> => {
      while (!isDone) {
        const reader = mvcc.begin({ isolation: 'repeatable read', readOnly: true });
        sums.add(sumOf(reader, alternating));
        await pause(random);
        sums.add(sumOf(reader, alternating));
        reader.rollback();
        reads++;
        await pause(random);
      }
    };
    const watching = watch();
    let lost = 0;
    await Promise.all(
      Array.from({ length: 8 }, async (__, client) => {
        const kind = kinds[client % kinds.length] as TransactionOptions;
        for (let i = 0; i < 12; i++) {
          const losses = await transfer(mvcc, alternating, random, kind);
          lost += losses;
        }
      }),
    );
    isDone = true;
    await watching;
    expect([...sums]).toEqual([TOTAL]);
    expect(lost + reads).toBe(mvcc.stats().rolledBack);
    expect(mvcc.stats().live).toBe(0);
    expect(store.stats().openViews).toBe(0);
    await mvcc.close();
    await store.close();
  });
});

const CHANGING = new Set(['write', 'sync', 'rename', 'remove', 'syncDir', 'truncate']);

interface PowerCut {
  readonly disk: MemoryVfs;
  readonly acknowledged: readonly number[];
  readonly after: string;
}

/** Clients transfer with receipts; `acknowledged` holds the receipts whose commit was answered. */
async function runClients(store: Store, acknowledged: Set<number>, seed: number, transfers: number): Promise<void> {
  const mvcc = createMvcc(store);
  const random = new Random(seed);
  await openAccounts(mvcc, onBtree);
  let next = 0;
  await Promise.all(
    Array.from({ length: 4 }, async (_, client) => {
      while (next < transfers) {
        const receipt = next++;
        const isolation = client % 2 === 0 ? 'repeatable read' : 'read committed';
        await transfer(mvcc, onBtree, random, { isolation }, receipt);
        acknowledged.add(receipt);
        if (random.chance(0.1)) await store.checkpoint();
      }
    }),
  );
  await mvcc.close();
}

async function verify(disk: Vfs, acknowledged: Iterable<number>): Promise<string[]> {
  const store = await openStore('/db', optionsOf(disk));
  const mvcc = createMvcc(store);
  const transaction = mvcc.begin({ readOnly: true });
  const sum = sumOf(transaction, onBtree);
  const wrong = [...acknowledged]
    .filter((receipt) => !transaction.get(receiptOf(receipt), 0, 6, slot))
    .map((receipt) => `transfer ${receipt} is lost`);
  // Before the accounts were opened there is nothing to add up.
  if (sum !== TOTAL && !(Number.isNaN(sum) && wrong.length === 0)) wrong.push(`the sum is ${sum}`);
  await mvcc.close();
  await store.close({ checkpoint: false });
  return wrong;
}

describe('transfers on a B+tree', { timeout: 60_000 }, () => {
  it('survive a power cut at any moment', async () => {
    const vfs = new MemoryVfs();
    const cuts: PowerCut[] = [];
    const acknowledged = new Set<number>();
    vfs.onOperation = ({ operation, path }: VfsOp) => {
      if (!CHANGING.has(operation)) return;
      cuts.push({ disk: vfs.crashClone(cuts.length), acknowledged: [...acknowledged], after: `${operation} ${path}` });
    };
    const store = await openStore('/db', optionsOf(vfs, { checkpointBytesMax: 8192 }));
    await runClients(store, acknowledged, 3, 60);
    await store.close();
    expect(cuts.length).toBeGreaterThan(150);
    const wrong: string[] = [];
    for (const { disk, acknowledged: receipts, after } of cuts) {
      for (const text of await verify(disk, receipts)) wrong.push(`${text} after ${after}`);
    }
    expect(wrong).toEqual([]);
  });

  it('survive any operation that fails', async () => {
    const wrong: string[] = [];
    let fired = true;
    for (let n = 0; fired; n += 3) {
      const disk = new MemoryVfs();
      const fault = failAt(n, 'EIO');
      const acknowledged = new Set<number>();
      const vfs = new FaultyVfs(disk, fault);
      const codes = new Set<string>();
      const store = await openStore('/db', optionsOf(vfs, { checkpointBytesMax: 8192 })).catch((error: unknown) => {
        if (!isPhantomError(error)) throw error;
        return undefined;
      });
      if (store !== undefined) {
        await runClients(store, acknowledged, 3, 16).catch((error: unknown) => {
          if (!isPhantomError(error)) throw error;
          codes.add(error.code);
        });
        await store.close().catch(() => undefined);
      }
      fired = fault.fired;
      for (const text of await verify(disk.crashClone(n), acknowledged))
        wrong.push(`${text} after ${fault.toString()}`);
    }
    expect(wrong).toEqual([]);
  });
});
