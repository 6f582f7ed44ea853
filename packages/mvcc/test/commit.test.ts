/** Commits that are queued, refused, unknown or waiting for room. */
import { PhantomError } from '@phantom/base';
import { MemoryEngine } from '@phantom/kv/memory';
import { FaultyVfs, MemoryVfs, failFrom, onOperation } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { LockStrength, type Mvcc, type MvccTransaction } from '../src/index.js';
import {
  ALL,
  codeOf,
  keyOf,
  lock,
  memoryEngine,
  openMvcc,
  openSlow,
  put,
  rangeOf,
  read,
  remove,
  seed,
  settle,
  thrownBy,
} from './support.js';

describe('a commit that is queued', () => {
  it('is a conflict for whoever has not seen it', async () => {
    const { mvcc, store } = await openSlow();
    await seed(mvcc, { a: '1', b: '1' });
    const first = mvcc.begin({ isolation: 'repeatable read' });
    read(first, 'a');
    put(first, 'a', '2');
    const committed = first.commit();
    await settle();
    expect([store.assignedSeq, store.visibleSeq, first.status]).toEqual([2, 1, 'committing']);
    const second = mvcc.begin({ isolation: 'repeatable read' });
    expect(read(second, 'a')).toBe('1');
    put(second, 'a', '3');
    const other = mvcc.begin({ isolation: 'repeatable read' });
    expect(read(other, 'b')).toBe('1');
    put(other, 'b', '3');
    expect(await codeOf(second.commit())).toBe('40001');
    expect(second.status).toBe('aborted');
    expect(await codeOf(other.commit())).toBe('done');
    expect(await codeOf(committed)).toBe('done');
    expect(mvcc.stats().conflicts).toBe(1);
  });

  it('is a conflict though nobody lived when it was submitted', async () => {
    const { mvcc, store } = await openSlow();
    const blind = mvcc.begin();
    put(blind, 'a', '1');
    remove(blind, 'c');
    const committed = blind.commit();
    await settle();
    expect(store.visibleSeq).toBe(0);
    const late = mvcc.begin({ isolation: 'repeatable read' });
    late.beginStatement();
    // It cannot be seen by running again yet, so it is validation that finds it.
    expect(late.changedSinceSnapshot(keyOf('a'), 0, 5)).toBe(false);
    put(late, 'c', '2');
    expect(await codeOf(late.commit())).toBe('40001');
    await committed;
  });

  it('holds its keys until it is published', async () => {
    const { mvcc } = await openSlow();
    const writer = mvcc.begin({ isolation: 'repeatable read' });
    put(writer, 'a', '1');
    const committed = writer.commit();
    await settle();
    const locker = mvcc.begin();
    expect(lock(locker, 'a', 'skip')).toBe(false);
    expect(thrownBy(() => lock(locker, 'a', 'nowait')).code).toBe('55P03');
    expect(mvcc.transactions().find(({ id }) => id === locker.id)?.locks).toBe(0);
    expect(lock(locker, 'b')).toBeUndefined();
    let isLocked = false;
    const locked = (lock(locker, 'a') as Promise<void>).then(() => (isLocked = true));
    await settle();
    expect(isLocked).toBe(false);
    await committed;
    await locked;
    locker.beginStatement();
    expect(read(locker, 'a')).toBe('1');
  });

  it('holds its keys against the next in line, too, when the first one gives up', async () => {
    const { mvcc, store } = await openSlow();
    const writer = mvcc.begin({ isolation: 'repeatable read' });
    put(writer, 'a', '1');
    const committed = writer.commit();
    await settle();
    const first = mvcc.begin();
    void lock(first, 'a');
    const second = mvcc.begin();
    second.beginStatement();
    const locked = lock(second, 'a') as Promise<void>;
    first.rollback();
    await locked;
    expect(store.visibleSeq).toBe(1);
    expect(second.changedSinceSnapshot(keyOf('a'), 0, 5)).toBe(true);
    await committed;
  });

  it('is finished by who locks synchronously', async () => {
    const { mvcc, store } = await openSlow();
    const writer = mvcc.begin();
    put(writer, 'a', '1');
    const committed = writer.commit();
    const holder = mvcc.begin();
    holder.lockNow(keyOf('b'), 0, 5, LockStrength.Update);
    put(holder, 'b', '1');
    const held = holder.commit();
    await settle();
    const locker = mvcc.begin();
    locker.lockNow(keyOf('a'), 0, 5, LockStrength.Update);
    expect(store.visibleSeq).toBe(2);
    locker.lockNow(keyOf('b'), 0, 5, LockStrength.Update);
    expect(await codeOf(Promise.all([committed, held]))).toBe('done');
    const other = mvcc.begin();
    const refused = thrownBy(() => other.lockNow(keyOf('a'), 0, 5, LockStrength.Share));
    expect(refused).toMatchObject({ code: '55P03' });
    expect(refused.hint).toContain('synchronous API never waits');
  });

  it('is finished by who commits synchronously, locks included', async () => {
    const { mvcc } = await openSlow();
    const holder = mvcc.begin();
    void lock(holder, 'a');
    put(holder, 'b', '1');
    const held = holder.commit();
    await settle();
    const writer = mvcc.begin();
    put(writer, 'a', '2');
    expect(writer.commitSync().seq).toBe(2);
    expect(await codeOf(held)).toBe('done');
  });

  it('breaks the guard of who cannot have seen it', async () => {
    const { mvcc } = await openSlow();
    const writer = mvcc.begin();
    put(writer, 'k5', '1');
    writer.removeRange(rangeOf('m', 'n'));
    const committed = writer.commit();
    await settle();
    const guards: ((transaction: MvccTransaction) => void)[] = [
      (transaction) => transaction.guard(keyOf('k5'), 0, 6),
      (transaction) => transaction.guard(keyOf('m3'), 0, 6),
      (transaction) => transaction.guardRange(rangeOf('k1', 'k9')),
      (transaction) => transaction.guardRange(rangeOf('m5', 'm6')),
      (transaction) => transaction.guardRange(rangeOf('k6', 'k9')),
    ];
    const codes: Promise<string>[] = guards.map((guard, i) => {
      const transaction = mvcc.begin();
      guard(transaction);
      put(transaction, `x${i}`, '1');
      return codeOf(transaction.commit());
    });
    expect(await Promise.all(codes)).toEqual(['40001', '40001', '40001', '40001', 'done']);
    await committed;
  });

  it('decides between a unique race and a serialization race', async () => {
    const names = { describe: () => ({ table: 't', unique: { constraint: 't_u', detail: 'Key exists.' } }) };
    const { mvcc } = await openSlow({ names });
    await seed(mvcc, { gone: '1' });
    const [inserter, same, updater] = [1, 2, 3].map(() => {
      const transaction = mvcc.begin({ isolation: 'repeatable read' });
      transaction.beginStatement();
      return transaction;
    }) as [MvccTransaction, MvccTransaction, MvccTransaction];
    put(inserter, 'new', '1');
    remove(inserter, 'gone');
    remove(inserter, 'nothing');
    const committed = inserter.commit();
    await settle();
    put(same, 'new', '2');
    put(updater, 'nothing', '2');
    const lost = await same.commit().catch((error: PhantomError) => error);
    expect(lost).toMatchObject({ code: '23505', constraint: 't_u', table: 't', detail: 'Key exists.' });
    expect(await codeOf(updater.commit())).toBe('40001');
    await committed;
  });
});

describe('who loses', () => {
  async function increment(mvcc: Mvcc, synchronous: boolean): Promise<number> {
    for (let lost = 0; ; lost++) {
      const transaction = mvcc.begin({ isolation: 'repeatable read' });
      put(transaction, 'a', String(Number(read(transaction, 'a')) + 1));
      try {
        if (synchronous) transaction.commitSync();
        else await transaction.commit();
        return lost;
      } catch (error) {
        if (!(error as PhantomError).retryable) throw error;
      }
    }
  }

  it('hears of it when the winner is published, and loses no second time to the same', async () => {
    const { mvcc, store } = await openSlow();
    await seed(mvcc, { a: '0' });
    const losses = await Promise.all(Array.from({ length: 5 }, () => increment(mvcc, false)));
    expect(losses).toEqual([0, 1, 2, 3, 4]);
    const winner = increment(mvcc, false);
    await settle();
    expect([store.visibleSeq, store.assignedSeq]).toEqual([6, 7]);
    expect(await increment(mvcc, true)).toBe(1);
    expect(await winner).toBe(0);
    const guardian = mvcc.begin();
    guardian.guardRange(ALL);
    put(guardian, 'b', '1');
    const slow = increment(mvcc, false);
    expect([await codeOf(guardian.commit()), store.visibleSeq]).toEqual(['40001', 9]);
    expect(read(mvcc.begin(), 'a')).toBe('8');
    await slow;
  });
});

describe('the conflict index', () => {
  it('records nothing while no other read-write transaction lives', async () => {
    const { mvcc } = await openMvcc();
    const floor = mvcc.stats().conflictIndexBytes;
    const reader = mvcc.begin({ isolation: 'repeatable read', readOnly: true });
    reader.beginStatement();
    for (let i = 0; i < 3000; i++) {
      const transaction = mvcc.begin({ isolation: 'repeatable read' });
      transaction.beginStatement();
      put(transaction, `k${i}`, '1');
      if (i % 2 === 0) transaction.commitSync();
      else await transaction.commit();
    }
    expect(mvcc.stats().conflictIndexBytes).toBe(floor);
    expect(mvcc.stats().oldestSnapshotSeq).toBeUndefined();
  });

  it('goes back to the oldest snapshot, and to its floor when that ends', async () => {
    const { mvcc } = await openMvcc();
    const floor = mvcc.stats().conflictIndexBytes;
    const old = mvcc.begin({ isolation: 'repeatable read' });
    old.beginStatement();
    for (let i = 0; i < 3000; i++) await seed(mvcc, { [`k${i}`]: '1' });
    expect(mvcc.stats().conflictIndexBytes).toBeGreaterThan(floor);
    expect(mvcc.stats().oldestSnapshotSeq).toBe(0);
    put(old, 'k0', '2');
    expect(await codeOf(old.commit())).toBe('40001');
    expect(mvcc.stats().conflictIndexBytes).toBe(floor);
  });

  it('makes the oldest lose when it is full, with that reason', async () => {
    const { mvcc } = await openMvcc({ conflictIndexBytesMax: 60_000 });
    const old = mvcc.begin({ isolation: 'repeatable read' });
    old.beginStatement();
    for (let i = 0; i < 3000; i++) await seed(mvcc, { [`k${i}`]: '1' });
    expect(old.changedSinceSnapshot(keyOf('other'), 0, 9)).toBe(true);
    put(old, 'other', '1');
    const error = thrownBy(() => old.commitSync());
    expect(error).toMatchObject({ code: '40001', data: { conflictIndexBytesMax: 60_000 } });
    expect(error.detail).toContain('conflict index');
  });
});

describe('the outcome', () => {
  it('is unknown when a sync fails, and nothing is said about the data', async () => {
    const vfs = new FaultyVfs(new MemoryVfs(), onOperation([], failFrom(0, 'EIO')));
    const { mvcc, store } = await openMvcc({}, { durability: 'fsync', vfs });
    const ends: (number | undefined)[] = [];
    await seed(mvcc, { a: '1' });
    vfs.injector = onOperation('sync', failFrom(0, 'EIO'));
    const first = mvcc.begin();
    put(first, 'a', '2');
    first.onEnd((seq) => ends.push(seq));
    void lock(first, 'a');
    const second = mvcc.begin();
    put(second, 'b', '2');
    const codes = [codeOf(first.commit()), codeOf(second.commit())];
    const waiter = mvcc.begin();
    await new Promise((resolve) => {
      queueMicrotask(() => resolve(undefined));
    });
    const locked = lock(waiter, 'b');
    expect(await Promise.all(codes)).toEqual(['08007', '08007']);
    await locked;
    expect([first.status, second.status]).toEqual(['unknown', 'unknown']);
    expect(ends).toEqual([undefined]);
    expect(store.failure).toBeDefined();
    waiter.beginStatement();
    expect(read(waiter, 'a')).toBe('1');
    put(waiter, 'c', '1');
    expect(await codeOf(waiter.commit())).toBe('58030');
    first.rollback();
  });

  it('is unknown to a synchronous caller too', async () => {
    const vfs = new FaultyVfs(new MemoryVfs(), onOperation([], failFrom(0, 'EIO')));
    const { mvcc } = await openMvcc({}, { durability: 'fsync', vfs });
    vfs.injector = onOperation('sync', failFrom(0, 'EIO'));
    const transaction = mvcc.begin();
    put(transaction, 'a', '2');
    expect(thrownBy(() => transaction.commitSync()).code).toBe('08007');
    expect(transaction.status).toBe('unknown');
    const later = mvcc.begin();
    put(later, 'a', '2');
    expect(thrownBy(() => later.commitSync()).code).toBe('58030');
    expect(later.status).toBe('aborted');
  });

  it('says how durable it is', async () => {
    const { mvcc } = await openMvcc({}, { durability: 'fsync' });
    const results = [];
    for (const durability of [undefined, 'os', 'fsync'] as const) {
      const transaction = mvcc.begin();
      put(transaction, 'a', '1');
      results.push((await transaction.commit(durability === undefined ? {} : { durability })).durability);
    }
    expect(results).toEqual(['fsync', 'os', 'fsync']);
    expect(await mvcc.begin().commit()).toEqual({ seq: 3, durability: 'fsync' });
  });

  it('is unknown when the log fails while it takes the commit', async () => {
    const { mvcc, store } = await openMvcc();
    const submit = store.submit.bind(store);
    store.submit = () => {
      throw new PhantomError('08007', 'half of it was written');
    };
    const transaction = mvcc.begin();
    put(transaction, 'a', '1');
    expect(await codeOf(transaction.commit())).toBe('08007');
    expect(transaction.status).toBe('unknown');
    store.submit = submit;
  });

  it('of a refusal is that nothing happened', async () => {
    const engine = { ...memoryEngine, open: async () => new MemoryEngine({ bytesMax: 20_000 }) };
    const { mvcc, store } = await openMvcc({}, { engines: [engine] });
    for (const synchronous of [true, false]) {
      const transaction = mvcc.begin();
      put(transaction, 'a', 'x'.repeat(30_000));
      const code = synchronous ? thrownBy(() => transaction.commitSync()).code : await codeOf(transaction.commit());
      expect(code).toBe('53200');
      expect(transaction.status).toBe('aborted');
    }
    expect(store.assignedSeq).toBe(0);
    await seed(mvcc, { a: '1' });
  });
});

describe('waiting for room', () => {
  class Stalling extends MemoryEngine {
    room: Promise<void> | undefined;
    stalls = 0;

    override admit(bytes: number): Promise<void> | undefined {
      if (this.room === undefined) return super.admit(bytes);
      this.stalls++;
      return this.room.then(() => super.admit(bytes));
    }
  }

  async function openStalling(): Promise<{ mvcc: Mvcc; engine: Stalling; resume(): void; fail(error: Error): void }> {
    const engine = new Stalling();
    let resume = (): void => undefined;
    let fail: (error: Error) => void = () => undefined;
    const { mvcc } = await openMvcc({}, { engines: [{ ...memoryEngine, open: async () => engine }] });
    engine.room = new Promise((resolve, reject) => {
      resume = resolve;
      fail = reject;
    });
    return { mvcc, engine, resume: () => resume(), fail: (error) => fail(error) };
  }

  it('comes before validation', async () => {
    const { mvcc, engine, resume } = await openStalling();
    const waiting = mvcc.begin({ isolation: 'repeatable read' });
    read(waiting, 'a');
    put(waiting, 'a', '1');
    const code = codeOf(waiting.commit());
    await settle();
    expect([engine.stalls, waiting.status]).toEqual([1, 'committing']);
    expect(thrownBy(() => put(waiting, 'b', '1')).code).toBe('25000');
    expect(await codeOf(waiting.commit())).toBe('25000');
    const room = engine.room;
    engine.room = undefined;
    await seed(mvcc, { a: '2' });
    engine.room = room;
    resume();
    expect(await code).toBe('40001');
  });

  it('ends with a rollback, and with a refusal', async () => {
    const { mvcc, resume, engine, fail } = await openStalling();
    const waiting = mvcc.begin();
    put(waiting, 'a', '1');
    const code = codeOf(waiting.commit());
    waiting.rollback();
    resume();
    expect(await code).toBe('57014');
    expect(waiting.status).toBe('aborted');
    engine.room = new Promise((_, reject) => {
      setImmediate(() => reject(new PhantomError('53100', 'full')));
    });
    fail(new Error('unused'));
    const refused = mvcc.begin();
    put(refused, 'a', '1');
    expect(await codeOf(refused.commit())).toBe('53100');
  });
});
