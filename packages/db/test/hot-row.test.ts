/** Rows that everybody writes: autocommit statements and batches pass them on when they are in the log. */
import { FaultyVfs, MemoryVfs, failFrom, onOperation } from '@phantom/vfs/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openOn } from '../src/index.js';
import { LaggingVfs } from './lagging-vfs.js';

const WRITERS = 16;
const INCREMENT = 'update counter set n = n + 1 where id = 1';
/** Not by the key: it waits for what is in the log, or loses to it. */
const INCREMENT_ALL = 'update counter set n = n + 1';

let db: Database;
beforeEach(async () => {
  db = await openOn(new MemoryVfs({ syncTurns: 40 }), '/d', { durability: 'fsync' });
  db.exec(
    'create table counter (id int primary key, n int not null check (n <= 100)); insert into counter values (1, 0)',
  );
});
afterEach(() => db.close());

const counted = (): unknown => db.prepare('select n from counter').get();
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    (error: { code: string }) => error.code,
  );
const all = <T>(work: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: WRITERS }, (_, i) => work(i)));

describe('a row that everybody writes', () => {
  it('is written by autocommit statements under few syncs', async () => {
    const { syncs } = db.stats().store;
    await all(() => db.query(INCREMENT));
    expect(db.stats().store.syncs - syncs).toBeLessThanOrEqual(3);
    expect(counted()).toEqual({ n: WRITERS });
  });

  it('is returned by them as each has left it, under few syncs', async () => {
    const { syncs } = db.stats().store;
    const results = await all(() =>
      db.query<{ n: number; text: string }>(`${INCREMENT} returning n, 'is ' || n as text`),
    );
    expect(db.stats().store.syncs - syncs).toBeLessThanOrEqual(3);
    const returned = results.flatMap(({ rows }) => rows).sort((a, b) => a.n - b.n);
    expect(returned).toEqual(Array.from({ length: WRITERS }, (_, i) => ({ n: i + 1, text: `is ${i + 1}` })));
  });

  it('is returned to who sees it before the commit when what it rests on is durable', async () => {
    const { syncs } = db.stats().store;
    const returned = await all(() =>
      db.transaction(async (tx) => (await tx.query<{ n: number }>(`${INCREMENT} returning n`)).rows[0]?.n as number, {
        isolation: 'read committed',
      }),
    );
    expect(db.stats().store.syncs - syncs).toBeGreaterThanOrEqual(WRITERS);
    expect(returned.sort((a, b) => a - b)).toEqual(Array.from({ length: WRITERS }, (_, i) => i + 1));
  });

  it('is written by batches under few syncs', async () => {
    const { syncs } = db.stats().store;
    await all(() => db.batch([[INCREMENT], [INCREMENT]]));
    expect(db.stats().store.syncs - syncs).toBeLessThanOrEqual(3);
    expect(counted()).toEqual({ n: 2 * WRITERS });
  });

  it('is seen by every statement as all earlier ones have left it', async () => {
    await all(async (i) => {
      await db.query(INCREMENT);
      if (i % 4 === 0) await db.query('update counter set n = n + (select count(*)::int from counter)');
      if (i % 4 === 1)
        await db.query('insert into counter values (1, 5) on conflict (id) do update set n = counter.n + 1');
      if (i % 4 === 2) await db.query('insert into counter values ($1, 0)', [i]);
      if (i % 4 === 3)
        await db.transaction(async (tx) => void (await tx.query(INCREMENT)), { isolation: 'read committed' });
    });
    expect(db.prepare('select sum(n) as n, count(*) from counter').get()).toMatchObject({ count: 5 });
  });

  it('may be inserted by one, and removed by many once', async () => {
    const inserted = await all(() => codeOf(db.query('insert into counter values (2, 0)')));
    expect(inserted.filter((code) => code === 'done')).toHaveLength(1);
    expect(inserted.filter((code) => code === '23505')).toHaveLength(WRITERS - 1);
    const removed = await all(() => db.query('delete from counter where id = 2'));
    expect(removed.reduce((sum, { rowCount }) => sum + rowCount, 0)).toBe(1);
  });

  it('keeps its constraints', async () => {
    db.exec('update counter set n = 95');
    const codes = await all(() => codeOf(db.query(INCREMENT_ALL)));
    expect(codes.filter((code) => code === 'done')).toHaveLength(5);
    expect(codes.filter((code) => code === '23514')).toHaveLength(WRITERS - 5);
    expect(counted()).toEqual({ n: 100 });
  });

  it('is known to a statement of the same batch that reads', async () => {
    const results = await all(() => db.batch([[INCREMENT], ['select n from counter']]));
    const seen = results.map(([, select]) => select?.rows[0]?.['n'] as number).sort((a, b) => a - b);
    expect(seen).toEqual(Array.from({ length: WRITERS }, (_, i) => i + 1));
  });
});

describe('a row that everybody writes when the log fails', () => {
  it('keeps nobody waiting, and every writer in the chain is told that the outcome is unknown', async () => {
    const faulty = new FaultyVfs(new MemoryVfs(), onOperation([], failFrom(0, 'EIO')));
    const failing = await openOn(new LaggingVfs(faulty, 1, 40), '/d');
    failing.exec('create table counter (id int primary key, n int not null); insert into counter values (1, 0)');
    faulty.injector = onOperation('sync', failFrom(0, 'EIO'));
    const codes = await all((i) =>
      codeOf(i % 4 === 3 ? failing.batch([[INCREMENT], ['select n from counter']]) : failing.query(INCREMENT)),
    );
    // Whoever had not come as far as the log is refused.
    expect(codes.slice(0, 3)).toEqual(['08007', '08007', '08007']);
    expect(codes.filter((code) => code !== '08007' && code !== '58030')).toEqual([]);
    await failing.close();
    faulty.injector = onOperation([], failFrom(0, 'EIO'));
    const reopened = await openOn(faulty, '/d');
    expect(reopened.prepare('select n from counter').get()).toMatchObject({ n: expect.any(Number) });
    await reopened.close();
  });
});

describe('a race that was lost', () => {
  it('is run again with locks by transaction(), so that nobody starves', async () => {
    const attempts = new Array<number>(WRITERS).fill(0);
    const { syncs } = db.stats().store;
    await all((i) =>
      db.transaction(async (tx) => {
        attempts[i] = (attempts[i] as number) + 1;
        const [row] = await tx.sql<{ n: number }>`select n from counter where id = 1`;
        await tx.sql`update counter set n = ${(row as { n: number }).n + 1} where id = 1`;
      }),
    );
    expect(counted()).toEqual({ n: WRITERS });
    expect(Math.max(...attempts)).toBe(2);
    expect(db.stats().store.syncs - syncs).toBeLessThanOrEqual(4);
  });

  it.each(['repeatable read', 'serializable'])(
    'is run again by the engine for a statement by itself at %s',
    async (level) => {
      db.exec(`alter role phantom set default_transaction_isolation = '${level}'`);
      await all((i) => db.query(i % 2 === 0 ? INCREMENT : INCREMENT_ALL));
      expect(counted()).toEqual({ n: WRITERS });
    },
  );

  it('is told when the statement may not be run again', async () => {
    db.exec("alter role phantom set default_transaction_isolation = 'serializable'");
    db.exec('alter role phantom set phantom.statement_retries = 0');
    const codes = await all(() => codeOf(db.query(INCREMENT)));
    expect(new Set(codes)).toEqual(new Set(['done', '40001']));
  });

  it('is not lost by writers of different rows', async () => {
    db.exec('insert into counter select i, 0 from generate_series(2, 16) i');
    await all((i) =>
      db.transaction(async (tx) => {
        for (let round = 0; round < 5; round++) await tx.query('update counter set n = n + 1 where id = $1', [i + 1]);
      }),
    );
    expect(db.stats().transactions).toMatchObject({ conflicts: 0, deadlocks: 0 });
  });
});
