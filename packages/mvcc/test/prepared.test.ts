/** Prepared transactions: durable, whole or absent, never losing, and found again with their locks and what they had read. */
import { PhantomError } from '@phantom/base';
import { EngineCode, SPACE_BYTES } from '@phantom/kv';
import { MemoryEngine } from '@phantom/kv/memory';
import { type Store, openStore } from '@phantom/store';
import { FaultyVfs, MemoryVfs, failFrom, onOperation } from '@phantom/vfs/testing';
import { btree } from '@phantom/btree';
import { describe, expect, it } from 'vitest';
import { type Mvcc, type MvccOptions, type MvccTransaction, createMvcc } from '../src/index.js';
import { decodePrepared } from '../src/prepared-record.js';
import { ALL, codeOf, drainCursor, lock, openMvcc, put, read, remove, seed, settle, thrownBy } from './support.js';

const OPTIONS: MvccOptions = { preparedSpace: 2 };

async function openPrepared(options: MvccOptions = {}): Promise<{ mvcc: Mvcc; store: Store }> {
  const opened = await openMvcc({ ...OPTIONS, ...options });
  await seed(opened.mvcc, { a: '1', b: '1', c: '1' });
  return opened;
}

function write(mvcc: Mvcc, key: string, value: string): Promise<unknown> {
  const transaction = mvcc.begin();
  put(transaction, key, value);
  return transaction.commit();
}

function contents(mvcc: Mvcc): string[] {
  const transaction = mvcc.begin({ readOnly: true });
  const entries = drainCursor(transaction.cursor(ALL));
  transaction.rollback();
  return entries;
}

describe('a prepared transaction', () => {
  it('is committed or rolled back under its identifier, from anywhere', async () => {
    const { mvcc } = await openPrepared();
    const one = mvcc.begin();
    put(one, 'a', '2');
    remove(one, 'b');
    await one.prepare('one', '{"owner":"me"}');
    expect(one.status).toBe('prepared');
    expect(mvcc.prepared()).toMatchObject([{ identifier: 'one', meta: '{"owner":"me"}', id: one.id }]);
    expect(mvcc.stats()).toMatchObject({ live: 0 });
    expect(contents(mvcc)).toEqual(['a=1', 'b=1', 'c=1']);
    await mvcc.commitPrepared('one');
    expect(contents(mvcc)).toEqual(['a=2', 'c=1']);
    const two = mvcc.begin();
    put(two, 'a', '3');
    await two.prepare('one', '');
    await mvcc.rollbackPrepared('one');
    expect(contents(mvcc)).toEqual(['a=2', 'c=1']);
    expect(mvcc.prepared()).toEqual([]);
    expect(mvcc.locks()).toEqual([]);
  });

  it('has an identifier of its own, and is ended once', async () => {
    const { mvcc } = await openPrepared();
    const [one, two, three] = [mvcc.begin(), mvcc.begin(), mvcc.begin()];
    put(one, 'a', '2');
    await one.prepare('x', '');
    expect(await codeOf(two.prepare('x', ''))).toBe('42710');
    expect(await codeOf(two.prepare('y', ''))).toBe('25000');
    void lock(three, 'b');
    expect(await codeOf(three.prepare('z'.repeat(200), ''))).toBe('22023');
    expect(mvcc.stats().live).toBe(0);
    expect(lock(mvcc.begin(), 'b', 'skip')).toBeUndefined();
    const ends = await Promise.all([codeOf(mvcc.commitPrepared('x')), codeOf(mvcc.rollbackPrepared('x'))]);
    expect(ends).toEqual(['done', '55006']);
    expect(await codeOf(mvcc.commitPrepared('x'))).toBe('42704');
    const none = await openMvcc();
    expect(await codeOf(none.mvcc.begin().prepare('x', ''))).toBe('0A000');
  });

  it('is refused past a number of them, until one has ended, those under way and those of before a restart included', async () => {
    const vfs = new MemoryVfs();
    const { mvcc, store } = await reopen(vfs, { preparedMax: 2 });
    const prepared = (identifier: string, by = mvcc): Promise<string> => codeOf(by.begin().prepare(identifier, ''));
    expect(await Promise.all(['one', 'two', 'three'].map((name) => prepared(name)))).toEqual(['done', 'done', '53200']);
    expect(await prepared('two')).toBe('42710');
    await mvcc.rollbackPrepared('one');
    expect([await prepared('three'), await prepared('four')]).toEqual(['done', '53200']);
    await mvcc.close();
    await store.close();
    const fewer = await reopen(vfs, { preparedMax: 1 });
    expect(await prepared('five', fewer.mvcc)).toBe('53200');
    await fewer.mvcc.commitPrepared('two');
    expect(await prepared('five', fewer.mvcc)).toBe('53200');
    await fewer.mvcc.commitPrepared('three');
    expect(await prepared('five', fewer.mvcc)).toBe('done');
    await fewer.mvcc.close();
    await fewer.store.close();
    const none = await openMvcc({ ...OPTIONS, preparedMax: 0 });
    await expect(none.mvcc.begin().prepare('x', '')).rejects.toMatchObject({ code: '55000', hint: expect.any(String) });
  });

  it('is given up while it waits to become one: by a limit of time, a cancel, or being rolled back', async () => {
    const { mvcc } = await openPrepared();
    void lock(mvcc.begin(), 'a');
    const waiting = (lockTimeoutMs?: () => number): MvccTransaction => {
      const session = mvcc.sessionLocks('s', lockTimeoutMs);
      const transaction = mvcc.begin({ isolation: 'repeatable read', sessionLocks: session });
      put(transaction, 'a', '2');
      return transaction;
    };
    expect(await codeOf(waiting(() => 5).prepare('x', ''))).toBe('55P03');
    expect(await codeOf(waiting(() => 5).commit())).toBe('55P03');
    const cancelled = waiting();
    const outcome = codeOf(cancelled.prepare('x', ''));
    await settle();
    cancelled.cancelWait(new PhantomError('57014', 'stop'));
    expect(await outcome).toBe('57014');
    const ended = waiting();
    const end = codeOf(ended.prepare('x', ''));
    await settle();
    ended.rollback();
    expect([await end, ended.status, mvcc.stats().live]).toEqual(['57014', 'aborted', 1]);
  });

  it('ends although the store is full', async () => {
    const bytesMax = 256 * 1024;
    const engine = { code: EngineCode.Memory, name: 'memory', open: async () => new MemoryEngine({ bytesMax }) };
    const { mvcc } = await openMvcc(OPTIONS, { engines: [engine] });
    const value = 'x'.repeat(2000);
    const prepared = mvcc.begin();
    put(prepared, 'promised', value);
    await prepared.prepare('x', '');
    let i = 0;
    for (const size of [value, 'x']) while ((await codeOf(write(mvcc, `row ${i}`, size))) === 'done') i++;
    expect(await codeOf(write(mvcc, `row ${i}`, 'x'))).toBe('53200');
    await mvcc.commitPrepared('x');
    expect(read(mvcc.begin(), 'promised')).toBe(value);
  });

  it('keeps nobody waiting once the store has failed', async () => {
    const vfs = new FaultyVfs(new MemoryVfs({ syncTurns: 40 }), onOperation([], failFrom(0, 'EIO')));
    const { mvcc } = await openMvcc(OPTIONS, { durability: 'fsync', vfs });
    await seed(mvcc, { a: '1', b: '1' });
    const durable = mvcc.begin();
    put(durable, 'a', '2');
    await durable.prepare('durable', '');
    const lost = mvcc.begin();
    put(lost, 'b', '2');
    vfs.injector = onOperation('sync', failFrom(0, 'EIO'));
    const preparing = codeOf(lost.prepare('lost', ''));
    const waits = ['a', 'b'].map((key) => lock(mvcc.begin(), key) as Promise<void>);
    expect(await preparing).toBe('08007');
    await Promise.all(waits);
    expect(mvcc.prepared().map(({ identifier, locks }) => [identifier, locks])).toEqual([['durable', 0]]);
    // Who heard that there is none would take it for ended, and it is there after a restart.
    for (const identifier of ['durable', 'lost']) {
      expect(await codeOf(mvcc.commitPrepared(identifier))).toBe('58030');
      expect(await codeOf(mvcc.rollbackPrepared(identifier))).toBe('58030');
    }
  });

  it('loses while it is prepared, or never', async () => {
    const { mvcc } = await openPrepared();
    const [winner, loser] = [
      mvcc.begin({ isolation: 'repeatable read' }),
      mvcc.begin({ isolation: 'repeatable read' }),
    ];
    for (const transaction of [winner, loser]) {
      transaction.beginStatement();
      put(transaction, 'a', '2');
    }
    await winner.commit();
    expect(await codeOf(loser.prepare('x', ''))).toBe('40001');
    expect(mvcc.prepared()).toEqual([]);

    const prepared = mvcc.begin({ isolation: 'repeatable read' });
    prepared.guard(new Uint8Array([0, 0, 0, 1, 99]), 0, 5);
    put(prepared, 'a', '3');
    await prepared.prepare('y', '');
    const optimistic = mvcc.begin({ isolation: 'repeatable read' });
    optimistic.beginStatement();
    put(optimistic, 'a', '4');
    const waiting = codeOf(optimistic.commit());
    const locking = mvcc.begin();
    expect(thrownBy(() => lock(locking, 'a', 'nowait')).code).toBe('55P03');
    // What it relies on is locked, too.
    expect(lock(locking, 'c', 'skip')).toBe(false);
    locking.rollback();
    await settle();
    await mvcc.commitPrepared('y');
    expect(await waiting).toBe('40001');
    expect(contents(mvcc)[0]).toBe('a=3');
  });

  it('keeps others out of the ranges that it relies on', async () => {
    const { mvcc } = await openPrepared();
    const prepared = mvcc.begin();
    prepared.guardRange({ lower: new Uint8Array([0, 0, 0, 1, 120]), upper: new Uint8Array([0, 0, 0, 1, 122]) });
    put(prepared, 'a', '2');
    await prepared.prepare('x', '');
    const writer = mvcc.begin();
    put(writer, 'x1', '1');
    expect(await codeOf(writer.commit())).toBe('40001');
    await mvcc.rollbackPrepared('x');
    const again = mvcc.begin();
    put(again, 'x1', '1');
    await again.commit();
  });

  it('is rolled back when nobody ends it in time, if that is asked for', async () => {
    const { mvcc } = await openPrepared({ preparedTimeoutMs: 20 });
    const one = mvcc.begin();
    put(one, 'a', '2');
    await one.prepare('x', '');
    while (mvcc.prepared().length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(contents(mvcc)[0]).toBe('a=1');
  });
});

describe('a serializable one', () => {
  const serializable = (mvcc: Mvcc): MvccTransaction => mvcc.begin({ isolation: 'serializable' });

  it('is the pivot: the others make way', async () => {
    const { mvcc } = await openPrepared();
    const pivot = serializable(mvcc);
    const reader = serializable(mvcc);
    read(pivot, 'b');
    put(pivot, 'a', '2');
    read(reader, 'a');
    put(reader, 'c', '2');
    await pivot.prepare('x', '');
    const writer = serializable(mvcc);
    put(writer, 'b', '2');
    await writer.commit();
    // reader -> pivot -> writer, and the writer has committed first.
    expect(await codeOf(reader.commit())).toBe('40001');
    await mvcc.commitPrepared('x');
    expect(mvcc.stats().serializableRecords).toBe(0);
  });

  /** T2 has read `a` as it was before T3's commit, writes `b`, and is prepared. */
  async function preparedPivot(mvcc: Mvcc): Promise<void> {
    const pivot = mvcc.begin({ isolation: 'serializable' });
    read(pivot, 'a');
    const first = mvcc.begin({ isolation: 'serializable' });
    put(first, 'a', '3');
    await first.commit();
    put(pivot, 'b', '2');
    await pivot.prepare('pivot', '');
  }

  it('makes who only reads beside it lose, and a deferrable reader wait for its end', async () => {
    const { mvcc } = await openPrepared();
    await preparedPivot(mvcc);
    const reader = mvcc.begin({ isolation: 'serializable', readOnly: true });
    expect([read(reader, 'a'), read(reader, 'b')]).toEqual(['3', '1']);
    expect(await codeOf(reader.commit())).toBe('40001');
    const deferrable = mvcc.begin({ isolation: 'serializable', readOnly: true });
    let isSafe = false;
    const safe = deferrable.whenSafe()?.then(() => (isSafe = true));
    await settle();
    expect(isSafe).toBe(false);
    await mvcc.commitPrepared('pivot');
    await safe;
    expect([read(deferrable, 'a'), read(deferrable, 'b')]).toEqual(['3', '2']);
    await deferrable.commit();
  });

  it('keeps no deferrable reader waiting once the store has failed: it may commit behind that after a restart', async () => {
    const vfs = new FaultyVfs(new MemoryVfs(), onOperation([], failFrom(0, 'EIO')));
    const { mvcc } = await openMvcc(OPTIONS, { durability: 'fsync', vfs });
    await seed(mvcc, { a: '1', b: '1' });
    await preparedPivot(mvcc);
    const begin = (): MvccTransaction => mvcc.begin({ isolation: 'serializable', readOnly: true });
    const safe = codeOf(begin().whenSafe() as Promise<void>);
    vfs.injector = onOperation('sync', failFrom(0, 'EIO'));
    expect(await codeOf(write(mvcc, 'c', '1'))).toBe('08007');
    expect(await safe).toBe('58030');
    expect(await codeOf(begin().whenSafe() as Promise<void>)).toBe('58030');
  });

  it('that has read what a pivot writes makes that lose', async () => {
    const { mvcc } = await openPrepared();
    const pivot = mvcc.begin({ isolation: 'serializable' });
    read(pivot, 'a');
    await write(mvcc, 'a', 'others at another level are not watched');
    const first = mvcc.begin({ isolation: 'serializable' });
    put(first, 'a', '3');
    await first.commit();
    const prepared = mvcc.begin({ isolation: 'serializable' });
    read(prepared, 'a');
    read(prepared, 'b');
    put(prepared, 'c', '2');
    await prepared.prepare('reader', '');
    put(pivot, 'b', '2');
    expect(await codeOf(pivot.commit())).toBe('40001');
    await mvcc.commitPrepared('reader');
  });

  it('cannot be one of three that are all prepared', async () => {
    const { mvcc } = await openPrepared();
    const [one, two, three] = Array.from({ length: 3 }, () => mvcc.begin({ isolation: 'serializable' })) as [
      MvccTransaction,
      MvccTransaction,
      MvccTransaction,
    ];
    read(one, 'b');
    put(one, 'a', '1');
    read(two, 'c');
    put(two, 'b', '2');
    put(three, 'c', '3');
    await three.prepare('three', '');
    await one.prepare('one', '');
    expect(await codeOf(two.prepare('two', ''))).toBe('40001');
  });

  it('makes the second writer lose when the reader was there first, and write skew impossible', async () => {
    const { mvcc } = await openPrepared();
    const pivot = serializable(mvcc);
    read(pivot, 'b');
    put(pivot, 'a', '2');
    await pivot.prepare('x', '');
    const other = serializable(mvcc);
    read(other, 'a');
    put(other, 'b', '2');
    const error = await other.commit().then(
      () => undefined,
      (thrown: { code: string; detail: string }) => thrown,
    );
    expect(error).toMatchObject({ code: '40001', detail: expect.stringContaining('Prepared transaction') });
    await mvcc.rollbackPrepared('x');
    const again = serializable(mvcc);
    read(again, 'a');
    put(again, 'b', '2');
    await again.commit();
  });
});

async function reopen(vfs: MemoryVfs, options: MvccOptions = {}): Promise<{ mvcc: Mvcc; store: Store }> {
  const store = await openStore('/db', { vfs, engines: [btree()] });
  return { store, mvcc: createMvcc(store, { preparedSpace: 0x1000_0002, ...options }) };
}

/** Keys of the tests in a space of the B+tree. */
function inTree(name: string): Uint8Array {
  const key = new Uint8Array(SPACE_BYTES + name.length);
  key.set([0x10, 0, 0, 9]);
  key.set(new TextEncoder().encode(name), SPACE_BYTES);
  return key;
}

function putTree(transaction: MvccTransaction, name: string, value: string): void {
  const key = inTree(name);
  const content = new TextEncoder().encode(value);
  transaction.put(key, 0, key.length, content, 0, content.length);
}

function tree(mvcc: Mvcc): string {
  const transaction = mvcc.begin({ readOnly: true });
  const cursor = transaction.cursor({
    lower: new Uint8Array([0x10, 0, 0, 9]),
    upper: new Uint8Array([0x10, 0, 0, 10]),
  });
  const seen: string[] = [];
  while (cursor.next())
    seen.push(
      `${String.fromCharCode(...cursor.key.copy().subarray(4))}=${String.fromCharCode(...cursor.value.copy())}`,
    );
  transaction.rollback();
  return seen.join(' ');
}

describe('a restart', () => {
  it('finds it again with its locks and what it had read', async () => {
    const vfs = new MemoryVfs();
    const first = await reopen(vfs);
    const setup = first.mvcc.begin();
    putTree(setup, 'a', '1');
    putTree(setup, 'b', '1');
    await setup.commit();
    const pivot = first.mvcc.begin({ isolation: 'serializable' });
    const key = inTree('b');
    const cursor = pivot.cursor({ lower: key, upper: inTree('c') });
    cursor.next();
    cursor.close();
    putTree(pivot, 'a', '2');
    await pivot.prepare('x', 'about it');
    const second = await reopen(vfs.crashClone(1));
    expect(second.mvcc.prepared()).toMatchObject([{ identifier: 'x', meta: 'about it' }]);
    expect(tree(second.mvcc)).toBe('a=1 b=1');
    const locking = second.mvcc.begin();
    const a = inTree('a');
    expect(locking.lock(a, 0, a.length, 3, 'skip')).toBe(false);
    locking.rollback();
    const other = second.mvcc.begin({ isolation: 'serializable' });
    expect(other.id).toBeGreaterThan(pivot.id);
    const otherCursor = other.cursor({ lower: a, upper: inTree('b') });
    otherCursor.next();
    otherCursor.close();
    putTree(other, 'b', '2');
    expect(await codeOf(other.commit())).toBe('40001');
    await second.mvcc.commitPrepared('x');
    expect(tree(second.mvcc)).toBe('a=2 b=1');
    for (const { mvcc, store } of [first, second]) {
      await mvcc.close();
      await store.close({ checkpoint: false });
    }
  });

  it('after a power cut at any moment leaves each whole, prepared or absent', async () => {
    for (let cut = 0; cut < 24; cut++) {
      const vfs = new MemoryVfs();
      const { mvcc, store } = await reopen(vfs);
      const base = mvcc.begin();
      putTree(base, 'a', '0');
      putTree(base, 'b', '0');
      await base.commit();
      const done = { prepared: false, ending: false, ended: false };
      const work = (async () => {
        const transaction = mvcc.begin();
        putTree(transaction, 'a', '1');
        putTree(transaction, 'b', '1');
        await transaction.prepare('x', '');
        done.prepared = true;
        for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
        done.ending = true;
        if (cut % 2 === 0) await mvcc.commitPrepared('x');
        else await mvcc.rollbackPrepared('x');
        done.ended = true;
      })();
      for (let turn = 0; turn < cut; turn++) await new Promise((resolve) => setImmediate(resolve));
      const then = { ...done };
      const after = await reopen(vfs.crashClone(cut));
      await work;
      const seen = tree(after.mvcc);
      const isPrepared = after.mvcc.prepared().length === 1;
      const committed = seen === 'a=1 b=1';
      expect(seen).toMatch(/^a=(.) b=\1$/);
      if (then.ended) expect([isPrepared, committed]).toEqual([false, cut % 2 === 0]);
      else if (then.prepared && !then.ending) expect([isPrepared, committed]).toEqual([true, false]);
      if (isPrepared) {
        expect(committed).toBe(false);
        await after.mvcc.commitPrepared('x');
        expect(tree(after.mvcc)).toBe('a=1 b=1');
      }
      for (const one of [{ mvcc, store }, after]) {
        await one.mvcc.close();
        await one.store.close({ checkpoint: false });
      }
    }
  });

  it('is refused for bytes that are no record', () => {
    const key = new Uint8Array([0, 0, 0, 2, 120]);
    const record = (text: string): Uint8Array => {
      const header = new TextEncoder().encode(text);
      const value = new Uint8Array(4 + header.length);
      new DataView(value.buffer).setUint32(0, header.length, true);
      value.set(header, 4);
      return value;
    };
    for (const value of [
      new Uint8Array(2),
      new Uint8Array([9, 0, 0, 0, 1]),
      record('{'),
      record('null'),
      record('{"format":1}'),
    ]) {
      expect(thrownBy(() => decodePrepared(key, value, 1000)).code).toBe('XX001');
    }
    expect(thrownBy(() => decodePrepared(key, record('{"format":2}'), 1000)).code).toBe('0A000');
  });
});
