/** Waiting for locks, limits, reads, ends and savepoints of transactions. */
import { type Logger, MetricsRegistry, PhantomError } from '@phantom/base';
import { type ArenaTree, BATCH_BYTES_MAX, ByteSlot } from '@phantom/kv';
import { describe, expect, it } from 'vitest';
import { LockStrength, type MvccTransaction } from '../src/index.js';
import type { Transaction } from '../src/transaction.js';
import {
  ALL,
  codeOf,
  drainCursor,
  keyOf,
  lock,
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

describe('waiting for a lock', () => {
  it('ends with the transaction that waits', async () => {
    const { mvcc } = await openMvcc();
    const holder = mvcc.begin();
    void lock(holder, 'a');
    const waiter = mvcc.begin({ label: 'the waiter' });
    const code = codeOf(lock(waiter, 'a') as Promise<void>);
    expect(mvcc.transactions()).toMatchObject([
      { id: holder.id, waitsFor: [], locks: 1, status: 'active', isolation: 'read committed' },
      { id: waiter.id, waitsFor: [holder.id], locks: 0, label: 'the waiter' },
    ]);
    waiter.rollback();
    expect(await code).toBe('57014');
  });

  it('ends with a cancel, and the transaction goes on', async () => {
    const { mvcc } = await openMvcc();
    const holder = mvcc.begin();
    void lock(holder, 'a');
    const waiter = mvcc.begin();
    const code = codeOf(lock(waiter, 'a') as Promise<void>);
    expect([holder.isWaiting, waiter.isWaiting]).toEqual([false, true]);
    waiter.cancelWait(new PhantomError('57014', 'cancelled'));
    expect(waiter.isWaiting).toBe(false);
    expect(await code).toBe('57014');
    void lock(waiter, 'a');
    waiter.cancelWait(new PhantomError('55P03', 'nobody listens'));
    await settle();
    expect(waiter.status).toBe('active');
    put(waiter, 'b', '1');
    const commit = codeOf(waiter.commit());
    expect(await commit).toBe('done');
  });

  it('of a commit ends with a rollback of it', async () => {
    const { mvcc } = await openMvcc();
    const holder = mvcc.begin();
    void lock(holder, 'a');
    const writer = mvcc.begin();
    remove(writer, 'a');
    put(writer, 'b', '1');
    const code = codeOf(writer.commit());
    await settle();
    expect(writer.status).toBe('committing');
    writer.rollback();
    expect(await code).toBe('57014');
    expect(writer.status).toBe('aborted');
  });

  it('of a commit may be a deadlock', async () => {
    const { mvcc } = await openMvcc();
    const first = mvcc.begin();
    void lock(first, 'a');
    const second = mvcc.begin({ isolation: 'repeatable read' });
    void lock(second, 'b');
    put(second, 'a', '1');
    const code = codeOf(second.commit());
    const other = lock(first, 'b') as Promise<void>;
    expect(await code).toBe('40P01');
    await other;
    expect(mvcc.stats()).toMatchObject({ deadlocks: 1, conflicts: 1 });
  });

  it('has a limit when one is set', async () => {
    const { mvcc } = await openMvcc({ lockTimeoutMs: 15 });
    void lock(mvcc.begin(), 'a');
    expect(await codeOf(lock(mvcc.begin(), 'a') as Promise<void>)).toBe('55P03');
  });
});

describe('limits', () => {
  it('are told in words', async () => {
    const { mvcc } = await openMvcc({ writeSetBytesMax: 1000 });
    const transaction = mvcc.begin();
    const bytes = new Uint8Array(5000);
    expect(thrownBy(() => transaction.put(bytes, 0, 3, bytes, 0, 1)).code).toBe('54000');
    expect(thrownBy(() => transaction.put(bytes, 0, 2049, bytes, 0, 1)).code).toBe('54000');
    expect(thrownBy(() => transaction.put(bytes, 0, 4, bytes, 0, 1000)).code).toBe('53200');
    expect(thrownBy(() => transaction.removeRange({ lower: keyOf('a'), upper: undefined })).code).toBe('22023');
    transaction.put(bytes, 0, 4, bytes, 0, 900);
    expect(thrownBy(() => transaction.remove(bytes, 0, 200)).code).toBe('53200');
    // Never touched, so it takes no memory.
    const longest = new Uint8Array(BATCH_BYTES_MAX);
    expect(thrownBy(() => transaction.put(bytes, 0, 4, longest, 0, longest.length)).code).toBe('54000');
    // A write set is committed as one batch, so it cannot be larger than one.
    const error = await openMvcc({ writeSetBytesMax: BATCH_BYTES_MAX + 1 }).catch((refused: unknown) => refused);
    expect(error).toMatchObject({ code: '22023' });
  });
});

describe('reads', () => {
  it('of the newest follow what is published, with all own writes', async () => {
    const { mvcc, store } = await openMvcc();
    await seed(mvcc, { a: '1', b: '1' });
    const transaction = mvcc.begin({ isolation: 'repeatable read' });
    expect(read(transaction, 'a', 'getNewest')).toBe('1');
    await seed(mvcc, { a: '2' });
    expect([read(transaction, 'a'), read(transaction, 'a', 'getNewest')]).toEqual(['1', '2']);
    put(transaction, 'b', '3');
    remove(transaction, 'a');
    expect([read(transaction, 'b', 'getNewest'), read(transaction, 'a', 'getNewest')]).toEqual(['3', undefined]);
    expect([read(transaction, 'b', 'getOwn'), read(transaction, 'a', 'getOwn')]).toEqual(['3', undefined]);
    expect(drainCursor(transaction.cursorNewest(ALL))).toEqual(['b=3']);
    const cursor = transaction.cursor(ALL);
    cursor.next();
    expect(store.stats().openViews).toBe(2);
    transaction.rollback();
    expect(store.stats().openViews).toBe(0);
    expect(thrownBy(() => cursor.next()).code).toBe('24000');
  });

  it('of a cursor that cannot be opened hold nothing', async () => {
    const { mvcc, store } = await openMvcc();
    const transaction = mvcc.begin();
    const foreign = { lower: new Uint8Array([0x20, 0, 0, 0]), upper: undefined };
    expect(thrownBy(() => transaction.cursor(foreign)).code).toBe('22023');
    const slot = new ByteSlot();
    expect(thrownBy(() => transaction.get(foreign.lower, 0, 4, slot)).code).toBe('22023');
    transaction.rollback();
    expect(store.stats().openViews).toBe(0);
  });

  it('at read committed hold one snapshot at a time', async () => {
    const { mvcc, store } = await openMvcc();
    for (const readOnly of [true, false]) {
      const transaction = mvcc.begin({ readOnly });
      expect(transaction.snapshotSeq).toBe(0);
      for (let i = 0; i < 5; i++) {
        await seed(mvcc, { a: String(i) });
        transaction.beginStatement();
        expect(read(transaction, 'a')).toBe(String(i));
        expect(transaction.snapshotSeq).toBe(store.visibleSeq);
        expect(store.stats().openViews).toBe(1);
      }
      expect(mvcc.stats().oldestSnapshotSeq).toBe(readOnly ? undefined : store.visibleSeq);
      transaction.rollback();
    }
  });

  it('of what changed are for who may write', async () => {
    const { mvcc } = await openMvcc();
    const transaction = mvcc.begin({ readOnly: true });
    expect(thrownBy(() => transaction.changedSinceSnapshot(keyOf('a'), 0, 5)).message).toContain('read-only');
  });
});

describe('the end', () => {
  it('is told to listeners in order, and one that throws is logged', async () => {
    const errors: string[] = [];
    const ignore = (): void => undefined;
    const logger: Logger = {
      debug: ignore,
      info: ignore,
      warn: ignore,
      error: (_, fields) => errors.push(String(fields?.['reason'])),
    };
    const { mvcc } = await openMvcc({ logger });
    const told: string[] = [];
    const transaction = mvcc.begin();
    put(transaction, 'a', '1');
    transaction.onEnd((seq) => told.push(`first ${seq}`));
    transaction.onEnd(() => {
      throw new Error('a defect above');
    });
    transaction.onEnd((seq) => told.push(`last ${seq}`));
    await transaction.commit();
    const other = mvcc.begin();
    other.onEnd((seq) => told.push(`rolled back ${seq}`));
    other.rollback();
    other.rollback();
    expect(told).toEqual(['first 1', 'last 1', 'rolled back undefined']);
    expect(errors).toEqual(['a defect above']);
  });

  it('comes once', async () => {
    const { mvcc } = await openSlow();
    const transaction = mvcc.begin();
    put(transaction, 'a', '1');
    const committed = transaction.commit();
    await settle();
    expect(thrownBy(() => transaction.rollback()).code).toBe('25000');
    await committed;
    expect(thrownBy(() => transaction.rollback()).code).toBe('25000');
    const slot = new ByteSlot();
    const key = keyOf('a');
    const calls: (() => unknown)[] = [
      () => transaction.beginStatement(),
      () => transaction.restartStatement(),
      () => transaction.get(key, 0, 5, slot),
      () => transaction.getOwn(key, 0, 5, slot),
      () => transaction.getNewest(key, 0, 5, slot),
      () => transaction.cursor(ALL),
      () => transaction.cursorNewest(ALL),
      () => transaction.put(key, 0, 5, key, 0, 1),
      () => transaction.remove(key, 0, 5),
      () => transaction.removeRange(rangeOf('a', 'b')),
      () => transaction.lock(key, 0, 5, LockStrength.Share, 'wait'),
      () => transaction.lockNow(key, 0, 5, LockStrength.Share),
      () => transaction.changedSinceSnapshot(key, 0, 5),
      () => transaction.guard(key, 0, 5),
      () => transaction.guardRange(ALL),
      () => transaction.savepoint(),
      () => transaction.rollbackTo({ depth: 0 }),
      () => transaction.release({ depth: 0 }),
      () => transaction.onEnd(() => undefined),
      () => transaction.commitSync(),
    ];
    expect(calls.map((call) => thrownBy(call).code)).toEqual(calls.map(() => '25000'));
    expect(await codeOf(transaction.commit())).toBe('25000');
  });

  it('of all comes with closing', async () => {
    const { mvcc } = await openSlow();
    const active = mvcc.begin();
    put(active, 'a', '1');
    const queued = mvcc.begin();
    put(queued, 'b', '1');
    const committed = queued.commit();
    void lock(active, 'c');
    const waiting = mvcc.begin();
    put(waiting, 'c', '1');
    const refused = codeOf(waiting.commit());
    await mvcc.close();
    expect([await codeOf(committed), await refused]).toEqual(['done', '57014']);
    expect([active.status, queued.status, waiting.status]).toEqual(['aborted', 'committed', 'aborted']);
    expect(thrownBy(() => mvcc.begin()).code).toBe('55000');
  });

  it('leaves counts behind', async () => {
    const metrics = new MetricsRegistry();
    const { mvcc } = await openMvcc({ metrics });
    await seed(mvcc, { a: '1' });
    mvcc.begin().rollback();
    const open = mvcc.begin();
    expect(mvcc.stats()).toMatchObject({ begun: 3, committed: 1, rolledBack: 1, live: 1 });
    const values = Object.fromEntries(
      metrics.samples().map((sample) => [sample.name, 'value' in sample ? sample.value : -1]),
    );
    expect(values).toMatchObject({
      phantom_mvcc_live_transactions: 1,
      phantom_mvcc_committed_total: 1,
      phantom_mvcc_conflicts_total: 0,
      phantom_mvcc_deadlocks_total: 0,
    });
    expect(values['phantom_mvcc_conflict_index_bytes']).toBeGreaterThan(0);
    open.rollback();
  });
});

describe('savepoints', () => {
  it('go back over guards, locks and cursors, and keep what was before', async () => {
    const { mvcc } = await openMvcc();
    await seed(mvcc, { a: '1' });
    const transaction = mvcc.begin();
    const savepoint = transaction.savepoint();
    transaction.guard(keyOf('a'), 0, 5);
    transaction.guardRange(ALL);
    put(transaction, 'z', '1');
    transaction.rollbackTo(savepoint);
    transaction.rollbackTo(savepoint);
    await seed(mvcc, { a: '2' });
    put(transaction, 'c', '1');
    expect(await codeOf(transaction.commit())).toBe('done');
    const other = mvcc.begin();
    expect(thrownBy(() => other.release(savepoint)).code).toBe('3B001');
    expect(thrownBy(() => other.rollbackTo(savepoint)).code).toBe('3B001');
  });

  it('are where they were made, whatever was released before', async () => {
    const { mvcc } = await openMvcc();
    const transaction = mvcc.begin();
    put(transaction, 'a', '1');
    const first = transaction.savepoint();
    put(transaction, 'a', '2');
    const inner = transaction.savepoint();
    transaction.release(inner);
    put(transaction, 'a', '3');
    const second = transaction.savepoint();
    put(transaction, 'a', '4');
    const third = transaction.savepoint();
    put(transaction, 'a', '5');
    expect(thrownBy(() => transaction.rollbackTo(inner)).code).toBe('3B001');
    transaction.rollbackTo(third);
    expect(read(transaction, 'a', 'getOwn')).toBe('4');
    transaction.rollbackTo(second);
    expect(read(transaction, 'a', 'getOwn')).toBe('3');
    transaction.rollbackTo(first);
    expect(read(transaction, 'a', 'getOwn')).toBe('1');
    transaction.rollback();
  });

  it('nest over many writes of one key', async () => {
    const { mvcc } = await openMvcc();
    const transaction = mvcc.begin();
    const savepoints = Array.from({ length: 30 }, (_, i) => {
      put(transaction, 'a', String(i));
      put(transaction, `k${i}`, String(i));
      return transaction.savepoint();
    });
    for (let i = 29; i >= 0; i -= 3) {
      transaction.rollbackTo(savepoints[i] as never);
      expect(read(transaction, 'a', 'getOwn')).toBe(String(i));
      expect(read(transaction, `k${i + 1}`, 'getOwn')).toBeUndefined();
    }
  });
});

describe('a hint of what will be written', () => {
  const bytesOf = (transaction: MvccTransaction): Uint8Array | undefined =>
    (transaction as Transaction).writes?.batch.buffer;
  const treeOf = (transaction: MvccTransaction): ArenaTree | undefined => (transaction as Transaction).writes?.entries;

  it('takes room for it at once, and binds nobody', async () => {
    const { mvcc } = await openMvcc({ writeSetBytesMax: 64 * 1024 });
    const writer = mvcc.begin();
    writer.expectWrites(1000, 10);
    put(writer, 'a', '1');
    writer.expectWrites(40_000, 300);
    const buffer = bytesOf(writer);
    expect(buffer?.length).toBeGreaterThan(40_000);
    for (let i = 0; i < 300; i++) put(writer, `k${i}`, 'x'.repeat(100));
    expect(bytesOf(writer)).toBe(buffer);
    expect(treeOf(writer)?.capacity).toBe(301);
    writer.expectWrites(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    expect(bytesOf(writer)?.length).toBeLessThan(128 * 1024);
    await writer.commit();
    expect([read(mvcc.begin(), 'a'), read(mvcc.begin(), 'k299')]).toEqual(['1', 'x'.repeat(100)]);
  });
});

describe('memory of large transactions', () => {
  it('is had by the next one that grows, and by nobody before the last has ended', async () => {
    const { mvcc } = await openMvcc();
    const fill = (text: string): MvccTransaction => {
      const transaction = mvcc.begin();
      for (let i = 0; i < 200; i++) put(transaction, `${text}${i}`, text.repeat(1000));
      return transaction;
    };
    const memoryOf = (transaction: MvccTransaction): Uint8Array =>
      (transaction as Transaction).writes?.batch.buffer as Uint8Array;
    const first = fill('a');
    const memory = memoryOf(first);
    const beside = fill('b');
    expect(memoryOf(beside)).not.toBe(memory);
    await first.commit();
    const second = fill('c');
    expect(memoryOf(second)).toBe(memory);
    beside.rollback();
    second.rollback();
    await fill('d').commit();
    const reader = mvcc.begin();
    expect(['a', 'b', 'c', 'd'].map((text) => read(reader, `${text}199`))).toEqual([
      'a'.repeat(1000),
      undefined,
      undefined,
      'd'.repeat(1000),
    ]);
    reader.rollback();
  });
});

describe('a snapshot of another transaction', () => {
  it('is read by whoever only reads, and outlives the one that took it', async () => {
    const { mvcc } = await openMvcc();
    await seed(mvcc, { a: 'then' });
    const first = mvcc.begin({ isolation: 'repeatable read' });
    const second = mvcc.begin({ isolation: 'repeatable read', readOnly: true, snapshotOf: first });
    await seed(mvcc, { a: 'now' });
    first.rollback();
    expect(read(second, 'a')).toBe('then');
    const third = mvcc.begin({ isolation: 'repeatable read', readOnly: true, snapshotOf: second });
    second.rollback();
    expect([read(third, 'a'), third.snapshotSeq < mvcc.presentView().seq]).toEqual(['then', true]);
    third.rollback();
    expect(mvcc.stats().live).toBe(0);
  });

  it('is refused to whoever may write, or reads each statement anew, and nothing of them is left', async () => {
    const { mvcc } = await openMvcc();
    const snapshotOf = mvcc.begin();
    expect(thrownBy(() => mvcc.begin({ isolation: 'repeatable read', snapshotOf })).code).toBe('0A000');
    expect(thrownBy(() => mvcc.begin({ readOnly: true, snapshotOf })).code).toBe('0A000');
    expect(mvcc.stats().live).toBe(1);
    snapshotOf.rollback();
  });
});
