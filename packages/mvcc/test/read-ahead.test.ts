/** Transactions that read what is in the log before it is durable: chains of commits under one sync. */
import type { Store } from '@phantom/store';
import { FaultyVfs, MemoryVfs, failFrom, onOperation } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import type { Mvcc, MvccTransaction } from '../src/index.js';
import { ALL, codeOf, drainCursor, lock, openMvcc, openSlow, put, read, remove, seed, thrownBy } from './support.js';

function beginAhead(mvcc: Mvcc): MvccTransaction {
  const transaction = mvcc.begin();
  transaction.readsAhead = true;
  return transaction;
}

/** One more than the row holds, as an autocommit UPDATE does it. */
async function increment(mvcc: Mvcc, readsAhead = true): Promise<void> {
  const transaction = mvcc.begin();
  transaction.readsAhead = readsAhead;
  transaction.beginStatement();
  const wait = lock(transaction, 'n');
  if (wait instanceof Promise) await wait;
  transaction.restartStatement();
  put(transaction, 'n', String(Number(read(transaction, 'n')) + 1));
  await transaction.commit();
}

/** Writes and leaves the commit in the log. */
function queue(mvcc: Mvcc, change: (transaction: MvccTransaction) => void): Promise<unknown> {
  const transaction = mvcc.begin();
  change(transaction);
  const committed = transaction.commit();
  committed.catch(() => undefined);
  return committed;
}

describe('a row that everybody writes', () => {
  it('takes one sync for all writers that are there, not one each', async () => {
    const { mvcc, store } = await openSlow();
    await seed(mvcc, { n: '0' });
    const syncs = store.stats().syncs;
    await Promise.all(Array.from({ length: 16 }, () => increment(mvcc)));
    expect(read(mvcc.begin(), 'n')).toBe('16');
    expect(store.stats().syncs - syncs).toBeLessThanOrEqual(2);
  });

  it('takes a sync each for those who do not read ahead', async () => {
    const { mvcc, store } = await openSlow();
    await seed(mvcc, { n: '0' });
    const syncs = store.stats().syncs;
    await Promise.all(Array.from({ length: 4 }, () => increment(mvcc, false)));
    expect(read(mvcc.begin(), 'n')).toBe('4');
    expect(store.stats().syncs - syncs).toBe(4);
  });

  it('is answered in the order of the commits', async () => {
    const { mvcc } = await openSlow();
    await seed(mvcc, { n: '0' });
    const answered: number[] = [];
    await Promise.all(Array.from({ length: 8 }, (_, i) => increment(mvcc).then(() => answered.push(i))));
    expect(answered).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('leaves nobody out who does not read ahead', async () => {
    const { mvcc } = await openSlow();
    await seed(mvcc, { n: '0' });
    await Promise.all(Array.from({ length: 12 }, (_, i) => increment(mvcc, i % 3 !== 0)));
    expect(read(mvcc.begin(), 'n')).toBe('12');
  });
});

describe('what is read ahead', () => {
  it('is the newest of what is queued, by keys and by cursors, and stays so', async () => {
    const { mvcc, store } = await openSlow();
    await seed(mvcc, { a: '1', b: '1', c: '1', d: '1' });
    const first = queue(mvcc, (transaction) => {
      put(transaction, 'a', '2');
      remove(transaction, 'b');
    });
    const second = queue(mvcc, (transaction) => {
      put(transaction, 'a', '3');
      put(transaction, 'e', '3');
    });
    const reader = beginAhead(mvcc);
    reader.beginStatement();
    expect(reader.snapshotSeq).toBe(store.assignedSeq);
    const third = queue(mvcc, (transaction) => {
      put(transaction, 'a', '4');
      remove(transaction, 'd');
    });
    const expected = ['a=3', 'c=1', 'd=1', 'e=3'];
    const shows = (): void => {
      expect([read(reader, 'a'), read(reader, 'b'), read(reader, 'd')]).toEqual(['3', undefined, '1']);
      expect(drainCursor(reader.cursor(ALL))).toEqual(expected);
    };
    shows();
    const open = reader.cursor(ALL);
    expect(open.next()).toBe(true);
    await first;
    shows();
    await Promise.all([second, third]);
    shows();
    open.prev();
    expect(drainCursor(open)).toEqual(expected);
    reader.beginStatement();
    expect(drainCursor(reader.cursor(ALL))).toEqual(['a=4', 'c=1', 'e=3']);
    reader.rollback();
  });

  it('covers ranges that were removed, and own writes over all of it', async () => {
    const { mvcc } = await openSlow();
    await seed(mvcc, { a: '1', b: '1' });
    void queue(mvcc, (transaction) => transaction.removeRange(ALL));
    void queue(mvcc, (transaction) => put(transaction, 'c', '2'));
    const reader = beginAhead(mvcc);
    reader.beginStatement();
    put(reader, 'b', 'own');
    reader.beginStatement();
    expect(drainCursor(reader.cursor(ALL))).toEqual(['b=own', 'c=2']);
    expect([read(reader, 'a', 'getNewest'), read(reader, 'c', 'getNewest')]).toEqual([undefined, '2']);
    await reader.commit();
    expect(drainCursor(mvcc.begin().cursor(ALL))).toEqual(['b=own', 'c=2']);
  });

  it('is shown to nobody before it is durable', async () => {
    const { mvcc, store } = await openSlow();
    await seed(mvcc, { n: '0' });
    void queue(mvcc, (transaction) => put(transaction, 'n', '1'));
    const reader = beginAhead(mvcc);
    reader.beginStatement();
    expect(read(reader, 'n')).toBe('1');
    const seq = reader.snapshotSeq;
    const shown = reader.whenShown();
    expect(shown).toBeInstanceOf(Promise);
    await shown;
    expect(store.visibleSeq).toBe(seq);
    expect(reader.whenShown()).toBeUndefined();
    void queue(mvcc, (transaction) => put(transaction, 'n', '2'));
    reader.beginStatement();
    await reader.commit();
    expect(store.visibleSeq).toBe(seq + 1);
  });

  it('is what a snapshot shows and what its writes rest on, where the commit validates', async () => {
    const { mvcc, store } = await openSlow();
    await seed(mvcc, { n: '0' });
    for (const isMet of [false, true]) {
      const seen = queue(mvcc, (transaction) => put(transaction, 'n', '1'));
      const snapshot = mvcc.begin({ isolation: 'repeatable read' });
      snapshot.readsAhead = true;
      snapshot.beginStatement();
      expect(snapshot.snapshotSeq).toBe(store.assignedSeq);
      const unseen = isMet ? queue(mvcc, (transaction) => put(transaction, 'n', '2')) : undefined;
      snapshot.beginStatement();
      expect(read(snapshot, 'n')).toBe('1');
      put(snapshot, 'n', '3');
      expect(await codeOf(snapshot.commit())).toBe(isMet ? '40001' : 'done');
      await Promise.all([seen, unseen]);
    }
  });

  it('is not for serializable, nor for those who stop', async () => {
    const { mvcc, store } = await openSlow();
    await seed(mvcc, { n: '0' });
    void queue(mvcc, (transaction) => put(transaction, 'n', '1'));
    const snapshot = mvcc.begin({ isolation: 'serializable' });
    snapshot.readsAhead = true;
    expect(snapshot.readsAhead).toBe(false);
    snapshot.beginStatement();
    expect(read(snapshot, 'n')).toBe('0');
    const reader = beginAhead(mvcc);
    reader.readsAhead = false;
    reader.beginStatement();
    expect(reader.snapshotSeq).toBe(store.visibleSeq);
    snapshot.rollback();
    reader.rollback();
  });
});

describe('constraint reads ahead', () => {
  it('rest on what is queued, and are broken by what comes behind it', async () => {
    const { mvcc } = await openSlow();
    await seed(mvcc, { parent: '1' });
    void queue(mvcc, (transaction) => put(transaction, 'parent', '2'));
    const key = (transaction: MvccTransaction): void => {
      transaction.beginStatement();
      put(transaction, 'child', '1');
      transaction.guardRange(ALL);
    };
    const unbroken = beginAhead(mvcc);
    key(unbroken);
    expect(await codeOf(unbroken.commit())).toBe('done');
    void queue(mvcc, (transaction) => put(transaction, 'parent', '3'));
    const broken = beginAhead(mvcc);
    key(broken);
    void queue(mvcc, (transaction) => put(transaction, 'parent', '4'));
    expect(await codeOf(broken.commit())).toBe('40001');
  });
});

describe('a sync that fails', () => {
  async function openFailing(): Promise<{ mvcc: Mvcc; store: Store; fail(): void }> {
    const vfs = new FaultyVfs(new MemoryVfs({ syncTurns: 40 }), onOperation([], failFrom(0, 'EIO')));
    const { mvcc, store } = await openMvcc({}, { durability: 'fsync', vfs });
    await seed(mvcc, { n: '0' });
    return { mvcc, store, fail: () => (vfs.injector = onOperation('sync', failFrom(0, 'EIO'))) };
  }

  it('leaves the outcome of the whole chain unknown', async () => {
    const { mvcc, store, fail } = await openFailing();
    fail();
    const codes = await Promise.all(Array.from({ length: 6 }, () => codeOf(increment(mvcc))));
    expect(codes).toEqual(new Array(6).fill('08007'));
    expect(store.failure).toBeDefined();
  });

  it('is told to who has read ahead and written nothing', async () => {
    const { mvcc, fail } = await openFailing();
    fail();
    void queue(mvcc, (transaction) => put(transaction, 'n', '1'));
    const reader = beginAhead(mvcc);
    const second = beginAhead(mvcc);
    reader.beginStatement();
    second.beginStatement();
    expect(read(reader, 'n')).toBe('1');
    expect(await codeOf(reader.commit())).not.toBe('done');
    expect(thrownBy(() => read(second, 'n')).family).toBe('io');
    second.rollback();
  });

  it('is told to who asks only afterwards, by a commit, or after an error', async () => {
    const { mvcc, store, fail } = await openFailing();
    void queue(mvcc, (transaction) => put(transaction, 'n', '1'));
    const [reader, loser, writer] = [beginAhead(mvcc), beginAhead(mvcc), beginAhead(mvcc)];
    for (const transaction of [reader, loser, writer]) transaction.beginStatement();
    put(writer, 'm', '1');
    const written = codeOf(writer.commit());
    loser.rollback();
    fail();
    expect(await written).toBe('08007');
    expect(store.failure).toBeDefined();
    expect(await codeOf(reader.commit())).toBe('58030');
    expect(await codeOf(loser.whenShown() as Promise<void>)).toBe('58030');
    // What it was told already says the same of those before it, and must not become a failure.
    expect(writer.whenShown()).toBeUndefined();
  });

  it('ends nobody who asked whether there is something to wait for and does not wait', async () => {
    const unhandled: unknown[] = [];
    const hear = (reason: unknown): unknown => unhandled.push(reason);
    process.on('unhandledRejection', hear);
    const { mvcc, store, fail } = await openFailing();
    fail();
    void queue(mvcc, (transaction) => put(transaction, 'n', '1'));
    const reader = beginAhead(mvcc);
    reader.beginStatement();
    expect(reader.whenShown()).toBeInstanceOf(Promise);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(store.failure).toBeDefined();
    expect(unhandled).toEqual([]);
    process.off('unhandledRejection', hear);
    reader.rollback();
  });
});
