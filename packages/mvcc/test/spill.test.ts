/**
 * Transactions that write more than their memory should hold: the same to their own eyes and to everybody else's as those that
 * do not, whole or absent in all engines after a crash or a failure of the disk, and small in memory and log.
 */
import { Random, isPhantomError } from '@phantom/base';
import { EngineCode, makeSpaceId } from '@phantom/kv';
import type { Store } from '@phantom/store';
import { filesBelow } from '@phantom/testkit';
import { FaultyVfs, MemoryVfs, counting, failAt } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { LockStrength, type Mvcc, type MvccOptions, type MvccTransaction, type Savepoint } from '../src/index.js';
import { contentOf, get, keyOf, numbered, open, put, putInPlace, putMany, remove, spaceOf } from './spill-support.js';
import { codeOf, drainCursor, settle, thrownBy } from './support.js';

const ENGINES = [EngineCode.Btree, EngineCode.Lsm, EngineCode.Memory];

/** A random transaction; what it has seen by the way. */
function play(mvcc: Mvcc, random: Random): { transaction: MvccTransaction; seen: string[] } {
  const transaction = mvcc.begin({ isolation: 'repeatable read' });
  const seen: string[] = [];
  const savepoints = [];
  const cursors: { cursor: ReturnType<MvccTransaction['cursor']>; isEnded: boolean }[] = [];
  for (let step = 0; step < 150; step++) {
    const engine = ENGINES[random.below(3)] as EngineCode;
    const key = numbered(random.below(40));
    const choice = random.below(20);
    if (choice < 9)
      (step % 2 === 0 ? put : putInPlace)(transaction, engine, key, `${step}`.repeat(1 + random.below(6)));
    else if (choice < 11) remove(transaction, engine, key);
    else if (choice < 12) {
      const lower = keyOf(engine, key);
      transaction.removeRange({ lower, upper: keyOf(engine, numbered(Number(key.slice(1)) + random.below(6))) });
    } else if (choice < 14) transaction.beginStatement();
    else if (choice < 15) savepoints.push(transaction.savepoint());
    else if (choice < 16 && savepoints.length > 0) {
      const at = random.below(savepoints.length);
      transaction.rollbackTo(savepoints[at] as (typeof savepoints)[number]);
      savepoints.length = at + 1;
      cursors.length = 0;
    } else if (choice < 17)
      seen.push(String(get(transaction, engine, key)), String(get(transaction, engine, key, 'getOwn')));
    else if (choice < 18) {
      const cursor = transaction.cursor(spaceOf(engine));
      cursors.push({ cursor, isEnded: false });
      seen.push(random.chance(0.5) && cursor.prev() ? 'from the end' : 'fresh');
    } else {
      for (const { cursor } of cursors) {
        const found = random.chance(0.5) ? cursor.next() : cursor.prev();
        seen.push(found ? `${cursor.key.copy()}=${cursor.value.copy()}` : 'end');
      }
    }
  }
  for (const { cursor } of cursors) seen.push(...drainCursor(cursor));
  for (const engine of ENGINES) {
    transaction.beginStatement();
    seen.push(...drainCursor(transaction.cursor(spaceOf(engine))));
  }
  return { transaction, seen };
}

describe('a transaction that puts writes aside', () => {
  it('sees and leaves what one does that need not', async () => {
    const small = await open({ writeSetBytesMax: 200 });
    const large = await open();
    let putAside = 0;
    for (let seed = 1; seed <= 15; seed++) {
      const [one, other] = [small, large].map(({ mvcc }) => play(mvcc, new Random(seed)));
      expect({ seed, seen: one?.seen }).toEqual({ seed, seen: other?.seen });
      putAside += small.mvcc.stats().spilledBytes;
      expect(large.mvcc.stats().spilledBytes).toBe(0);
      for (const played of [one, other]) {
        if (seed % 5 === 0) played?.transaction.rollback();
        else if (seed % 2 === 0) played?.transaction.commitSync();
        else await played?.transaction.commit();
      }
      expect(small.mvcc.stats().spilledBytes).toBe(0);
      for (const engine of ENGINES) expect(contentOf(small.mvcc, engine)).toEqual(contentOf(large.mvcc, engine));
    }
    expect(putAside).toBeGreaterThan(15 * 1000);
    for (const { store } of [small, large]) {
      for await (const finding of store.check()) expect(finding).toBeUndefined();
      await store.close();
    }
  });

  it('takes no memory, no log and no locks that grow with what it writes', async () => {
    const { mvcc, store } = await open({ writeSetBytesMax: 20_000 });
    const transaction = mvcc.begin();
    const appended = store.stats().wal.bytesAppended;
    for (let n = 0; n < 20_000; n++) {
      const key = keyOf(n < 10_000 ? EngineCode.Btree : EngineCode.Lsm, String(n).padStart(6, '0'));
      void transaction.lock(key, 0, key.length, LockStrength.Update, 'wait');
      transaction.put(key, 0, key.length, key, 0, key.length);
    }
    expect(mvcc.stats().spilledBytes).toBeGreaterThan(300_000);
    expect(mvcc.transactions()[0]?.locks).toBeLessThan(1000);
    await transaction.commit();
    const { engines, wal } = store.stats();
    expect(wal.bytesAppended - appended).toBeLessThan(3000);
    expect(engines.reduce((sum, { deltaBytes }) => sum + deltaBytes, 0)).toBeLessThan(5000);
    expect(contentOf(mvcc, EngineCode.Btree)).toHaveLength(10_000);
    expect(contentOf(mvcc, EngineCode.Lsm)).toHaveLength(10_000);
    await store.close();
  });

  it('is refused what its limits do not allow, and goes on', async () => {
    const { mvcc, store } = await open({ writeSetBytesMax: 500, spillBytesMax: 3000 });
    const transaction = mvcc.begin();
    const savepoint = transaction.savepoint();
    const refusal = thrownBy(() => putMany(transaction, EngineCode.Btree, 0, 1000));
    expect(refusal).toMatchObject({ code: '53100', data: { spillBytesMax: 3000 } });
    expect(get(transaction, EngineCode.Btree, numbered(3), 'getOwn')).toBe('v'.repeat(20));
    transaction.rollbackTo(savepoint);
    expect(mvcc.stats().spilledBytes).toBe(0);
    put(transaction, EngineCode.Btree, 'a', 'x');
    await transaction.commit();
    expect(contentOf(mvcc, EngineCode.Btree)).toEqual(['a=x']);
    await store.close();
  });
});

describe('a transaction whose memory is mostly taken', () => {
  const ROWS = 25_000;

  async function filled(options: MvccOptions = {}) {
    const vfs = new MemoryVfs();
    const { mvcc, store } = await open({ writeSetBytesMax: 1_000_000, ...options }, vfs);
    const transaction = mvcc.begin();
    expect(transaction.relieve()).toBeUndefined();
    putMany(transaction, EngineCode.Btree, 0, ROWS);
    expect(mvcc.stats().spilledBytes).toBe(0);
    const files = (): string[] => filesBelow(vfs, '/db').filter((path) => path.includes('spill'));
    return { mvcc, store, transaction, files };
  }

  it('puts it aside while others have their turns', async () => {
    const { mvcc, store, transaction, files } = await filled();
    let turns = 0;
    let isDone = false;
    const relieved = transaction.relieve()?.then(() => (isDone = true));
    while (!isDone) {
      turns++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await relieved;
    expect(turns).toBeGreaterThan(2);
    expect(mvcc.stats().spilledBytes).toBeGreaterThan(500_000);
    expect(files()).toHaveLength(1);
    expect(transaction.relieve()).toBeUndefined();
    expect(get(transaction, EngineCode.Btree, numbered(3), 'getOwn')).toBe('v'.repeat(20));
    putMany(transaction, EngineCode.Btree, ROWS, ROWS + 10);
    await transaction.commit();
    expect(contentOf(mvcc, EngineCode.Btree)).toHaveLength(ROWS + 10);
    await store.close();
  });

  const write = (transaction: MvccTransaction): void => put(transaction, EngineCode.Btree, 'x', 'once');

  it.each<[string, (transaction: MvccTransaction, savepoint: Savepoint) => void]>([
    ['writes', write],
    [
      'goes back and writes as much again',
      (transaction, savepoint) => {
        transaction.rollbackTo(savepoint);
        write(transaction);
      },
    ],
    ['ends', (transaction) => transaction.rollback()],
  ])('leaves it as it was when it %s meanwhile', async (_what, act) => {
    const { mvcc, store, transaction, files } = await filled();
    const savepoint = transaction.savepoint();
    write(transaction);
    const relieved = transaction.relieve();
    expect(files()).toHaveLength(1);
    act(transaction, savepoint);
    await relieved;
    expect([mvcc.stats().spilledBytes, files()]).toEqual([0, []]);
    if (transaction.status === 'active') await transaction.commit();
    await store.close();
  });

  it('leaves it as it was when that is refused, or others have to see it', async () => {
    const { mvcc, store, transaction, files } = await filled({ spillBytesMax: 1000 });
    await transaction.relieve();
    expect([mvcc.stats().spilledBytes, files()]).toEqual([0, []]);
    const feed = mvcc.changes({ name: 'test', ranges: [spaceOf(EngineCode.Btree)] });
    await transaction.relieve();
    expect(files()).toEqual([]);
    await transaction.commit();
    expect(contentOf(mvcc, EngineCode.Btree)).toHaveLength(ROWS);
    feed.close();
    await store.close();
  });
});

describe('a transaction beyond its memory', () => {
  it('keeps its writes there while somebody follows changes: the log takes them from it', async () => {
    const { mvcc, store } = await open({ writeSetBytesMax: 300 });
    const feed = mvcc.changes({ name: 'test', ranges: [spaceOf(EngineCode.Btree)] });
    const transaction = mvcc.begin();
    putMany(transaction, EngineCode.Btree, 0, 100);
    expect(mvcc.stats().spilledBytes).toBe(0);
    const change = feed.next();
    await transaction.commit();
    expect((await change).value?.batch.count).toBe(100);
    feed.close();
    await store.close();
  });

  it('can be prepared, and is found again after a restart', async () => {
    const disk = new MemoryVfs();
    const options = { writeSetBytesMax: 300, preparedSpace: makeSpaceId(EngineCode.Btree, 9) };
    let { mvcc, store } = await open(options, disk);
    const transaction = mvcc.begin({ isolation: 'serializable' });
    get(transaction, EngineCode.Lsm, 'a');
    putMany(transaction, EngineCode.Btree, 0, 100);
    const cursor = transaction.cursor(spaceOf(EngineCode.Btree));
    const [lower, upper] = [keyOf(EngineCode.Btree, numbered(90)), keyOf(EngineCode.Btree, numbered(95))];
    transaction.removeRange({ lower, upper });
    await transaction.prepare('large', '');
    expect(thrownBy(() => cursor.next())).toMatchObject({ code: '24000' });
    expect(mvcc.stats().spilledBytes).toBe(0);
    await mvcc.close();
    await store.close({ checkpoint: false });
    ({ mvcc, store } = await open(options, disk));
    const other = mvcc.begin();
    const key = keyOf(EngineCode.Btree, numbered(50));
    expect(other.lock(key, 0, key.length, LockStrength.Update, 'skip')).toBe(false);
    await mvcc.commitPrepared('large');
    expect(contentOf(mvcc, EngineCode.Btree)).toHaveLength(95);
    await mvcc.close();
    await store.close();
  });
});

describe('what others may do with keys that were put aside', () => {
  it('is to wait for them, at any level', async () => {
    for (const isolation of ['read committed', 'repeatable read'] as const) {
      const { mvcc, store } = await open({ writeSetBytesMax: 300 });
      const large = mvcc.begin({ isolation });
      putMany(large, EngineCode.Btree, 0, 100);
      const locker = mvcc.begin();
      locker.beginStatement();
      const key = keyOf(EngineCode.Btree, numbered(5));
      const lock = locker.lock(key, 0, key.length, LockStrength.Update, 'wait') as Promise<void>;
      expect(locker.isWaiting).toBe(true);
      expect(mvcc.begin().lock(key, 0, key.length, LockStrength.Update, 'skip')).toBe(false);
      const writer = mvcc.begin({ isolation: 'repeatable read' });
      get(writer, EngineCode.Btree, 'a');
      put(writer, EngineCode.Btree, numbered(7), 'w');
      const lost = codeOf(writer.commit());
      const free = mvcc.begin({ isolation: 'repeatable read' });
      put(free, EngineCode.Btree, 'free', 'f');
      await free.commit();
      await large.commit();
      await lock;
      expect(await lost).toBe('40001');
      expect(locker.changedSinceSnapshot(key, 0, key.length)).toBe(true);
      await mvcc.close();
      await store.close();
    }
  });

  it('is to come first: then it loses at once', async () => {
    const { mvcc, store } = await open({ writeSetBytesMax: 300 });
    const written = mvcc.begin({ isolation: 'repeatable read' });
    get(written, EngineCode.Btree, 'a');
    const other = mvcc.begin();
    put(other, EngineCode.Btree, numbered(2), 'o');
    await other.commit();
    expect(thrownBy(() => putMany(written, EngineCode.Btree, 0, 50))).toMatchObject({ code: '40001' });
    written.rollback();
    const holder = mvcc.begin();
    const key = keyOf(EngineCode.Btree, numbered(2));
    void holder.lock(key, 0, key.length, LockStrength.Share, 'wait');
    const locked = mvcc.begin({ isolation: 'repeatable read' });
    const error = thrownBy(() => putMany(locked, EngineCode.Btree, 0, 50));
    expect(error).toMatchObject({
      code: '40001',
      detail: expect.stringContaining(`Transaction ${holder.id} has locked`),
    });
    locked.rollback();
    const [one, two] = [mvcc.begin({ isolation: 'repeatable read' }), mvcc.begin({ isolation: 'repeatable read' })];
    putMany(one, EngineCode.Lsm, 0, 50);
    expect(thrownBy(() => putMany(two, EngineCode.Lsm, 40, 90))).toMatchObject({ code: '40001' });
    two.rollback();
    await one.commit();
    await mvcc.close();
    await store.close();
  });

  it('ends when it goes back to before them', async () => {
    const { mvcc, store } = await open({ writeSetBytesMax: 300 });
    const large = mvcc.begin();
    putMany(large, EngineCode.Btree, 0, 30);
    const savepoint = large.savepoint();
    putMany(large, EngineCode.Btree, 30, 60);
    const free = (n: number): boolean => {
      const key = keyOf(EngineCode.Btree, numbered(n));
      const taker = mvcc.begin();
      const isFree = taker.lock(key, 0, key.length, LockStrength.Update, 'skip') === undefined;
      taker.rollback();
      return isFree;
    };
    expect([free(5), free(45), free(99)]).toEqual([false, false, true]);
    large.rollbackTo(savepoint);
    // Nobody had asked for this one before.
    expect([free(5), free(46)]).toEqual([false, true]);
    large.rollback();
    expect(free(5)).toBe(true);
    await store.close();
  });

  it('is refused where somebody waits for one of its keys, who would not find that it is taken', async () => {
    const { mvcc, store } = await open({ writeSetBytesMax: 300 }, new MemoryVfs({ syncTurns: 40 }));
    const [holder, waiting] = [mvcc.begin(), mvcc.begin()];
    const key = keyOf(EngineCode.Btree, numbered(5));
    const lock = (transaction: MvccTransaction) =>
      transaction.lock(key, 0, key.length, LockStrength.NoKeyUpdate, 'wait');
    expect(lock(holder)).toBeUndefined();
    put(holder, EngineCode.Btree, numbered(5), 'first');
    const granted = lock(waiting);
    const committed = holder.commit();
    while (store.assignedSeq === store.visibleSeq) await settle();
    const ahead = mvcc.begin({ isolation: 'repeatable read' });
    ahead.readsAhead = true;
    expect(get(ahead, EngineCode.Btree, numbered(5))).toBe('first');
    expect(thrownBy(() => putMany(ahead, EngineCode.Btree, 0, 50))).toMatchObject({ code: '40001' });
    ahead.rollback();
    await Promise.all([committed, granted]);
    waiting.rollback();
    await store.close();
  });

  it('is watched where all is serializable', async () => {
    const { mvcc, store } = await open({ writeSetBytesMax: 300 });
    const [one, two] = [mvcc.begin({ isolation: 'serializable' }), mvcc.begin({ isolation: 'serializable' })];
    get(one, EngineCode.Lsm, numbered(20));
    get(two, EngineCode.Btree, numbered(20));
    putMany(one, EngineCode.Btree, 0, 50);
    putMany(two, EngineCode.Lsm, 0, 50);
    const codes = await Promise.all([codeOf(one.commit()), codeOf(two.commit())]);
    expect(codes.sort()).toEqual(['40001', 'done']);
    await store.close();
  });

  it('is to read them ahead, once they are in the log', async () => {
    const { mvcc, store } = await open({ writeSetBytesMax: 300 }, new MemoryVfs({ syncTurns: 40 }));
    const base = mvcc.begin();
    putMany(base, EngineCode.Btree, 0, 10, 'b');
    await base.commit();
    const large = mvcc.begin();
    putMany(large, EngineCode.Btree, 5, 40);
    const done = large.commit();
    while (store.assignedSeq === store.visibleSeq) await settle();
    const ahead = mvcc.begin();
    ahead.readsAhead = true;
    expect(get(ahead, EngineCode.Btree, numbered(7))).toBe('v'.repeat(20));
    const cursor = ahead.cursor(spaceOf(EngineCode.Btree));
    expect(cursor.next()).toBe(true);
    await done;
    const shown = drainCursor(cursor);
    expect([shown.length, shown.filter((entry) => entry.endsWith('b')).length]).toEqual([39, 4]);
    await ahead.commit();
    await store.close();
  });
});

/** A life of commits, each of which puts one mark and many keys into both engines that have files. */
class Life {
  acknowledged = 0;
  submitted = 0;

  async run({ mvcc, store }: { mvcc: Mvcc; store: Store }): Promise<void> {
    for (const mark of ['a', 'b', 'c']) {
      this.submitted++;
      const transaction = mvcc.begin({ isolation: 'repeatable read' });
      // Where the first of them is, are the files that become its own.
      const engines = [EngineCode.Btree, EngineCode.Lsm];
      for (const engine of mark === 'b' ? engines.reverse() : engines) {
        putMany(transaction, engine, 100, 130, mark);
        transaction.removeRange({ lower: keyOf(engine, numbered(0)), upper: keyOf(engine, numbered(10)) });
        putMany(transaction, engine, 5, 25, mark);
        remove(transaction, engine, numbered(7));
      }
      await transaction.commit();
      this.acknowledged++;
      if (mark === 'b') await store.checkpoint();
    }
    const rolledBack = mvcc.begin();
    putMany(rolledBack, EngineCode.Btree, 0, 50, 'x');
    rolledBack.rollback();
  }
}

const LIFE = { writeSetBytesMax: 400 };

/** What is left holds whole commits, those that were acknowledged among them, and no files of anybody's. */
async function expectWhole(left: MemoryVfs, life: Life, after: string): Promise<void> {
  for (let time = 0; time < 2; time++) {
    const { mvcc, store } = await open(LIFE, left);
    const marks = [EngineCode.Btree, EngineCode.Lsm].map((engine) => {
      const content = contentOf(mvcc, engine);
      const found = new Set(content.map((entry) => entry.at(-1)));
      expect({ after, marks: found.size <= 1, keys: [0, 49].includes(content.length) }).toEqual({
        after,
        marks: true,
        keys: true,
      });
      return [...found].join('');
    });
    const allowed = ['', 'a', 'b', 'c'].slice(life.acknowledged, life.submitted + 1);
    expect({ after, isAllowed: allowed.includes(marks[0] ?? '') && marks[0] === marks[1] }).toEqual({
      after,
      isAllowed: true,
    });
    if (time > 0) for await (const finding of store.check()) expect({ after, finding }).toBeUndefined();
    await store.close();
    expect({ after, strays: filesBelow(left, '/db').filter((path) => path.includes('load-')) }).toEqual({
      after,
      strays: [],
    });
  }
}

describe('commits of what was put aside', () => {
  it('are whole or absent in both engines after a power cut', async () => {
    const disk = new MemoryVfs();
    const life = new Life();
    const cuts: { left: MemoryVfs; life: Life; after: string }[] = [];
    let changes = 0;
    disk.onOperation = ({ operation, path }) => {
      if (['read', 'size'].includes(operation) || changes++ % 9 !== 0) return;
      const now = Object.assign(new Life(), { acknowledged: life.acknowledged, submitted: life.submitted });
      cuts.push({ left: disk.crashClone(cuts.length), life: now, after: `${operation} ${path}` });
    };
    const database = await open(LIFE, disk);
    await life.run(database);
    await database.store.close();
    disk.onOperation = undefined;
    expect(cuts.length).toBeGreaterThan(30);
    for (const cut of cuts) await expectWhole(cut.left, cut.life, cut.after);
  });

  it('are whole or absent when the disk fails', async () => {
    for (let n = 0, hasFired = true; hasFired; n += 17) {
      const disk = new MemoryVfs();
      const vfs = new FaultyVfs(disk, counting());
      const fault = failAt(n, (['EIO', 'ENOSPC', 'short-write'] as const)[n % 3] as 'EIO');
      const life = new Life();
      vfs.injector = fault;
      let database: { mvcc: Mvcc; store: Store } | undefined;
      try {
        database = await open(LIFE, vfs);
        await life.run(database);
      } catch (error) {
        if (!isPhantomError(error)) throw error;
      }
      await database?.mvcc.close();
      await database?.store.close().catch((error: unknown) => {
        if (!isPhantomError(error)) throw error;
      });
      hasFired = fault.fired;
      await expectWhole(n % 2 === 0 ? disk.killClone() : disk.crashClone(n), life, `the failure of operation ${n}`);
    }
  });
});
