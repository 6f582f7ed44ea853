/** Plans that users pin, statistics that keep up by themselves, and reads by key inside of transactions. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Database, expectPlan, open } from '../src/index.js';

let db: Database;

beforeEach(async () => {
  db = await open(':memory:');
  db.exec('create table t (id int primary key, k int); create index t_k on t (k)');
});

afterEach(() => db.close());

describe('expectPlan', () => {
  it('passes on the plan, and tells both plans otherwise', () => {
    db.exec('insert into t select i, i from generate_series(1, 1000) i; analyze');
    expectPlan(
      db,
      'select * from t where k = 5',
      `
        Index Only Scan using t_k on t
          Index Cond: (k = 5)
      `,
    );
    const wrong = (): void => expectPlan(db, 'select * from t', 'Index Scan using t_k on t');
    expect(wrong).toThrow(expect.objectContaining({ code: 'P0004', detail: expect.stringContaining('Seq Scan on t') }));
  });
});

describe('statistics', () => {
  it('are gathered some seconds after much has been written, and again after a minute', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      db.exec('insert into t select i, case when i < 20 then i else 1 end from generate_series(1, 2000) i');
      const plan = (): string =>
        db.prepare<Record<string, string>>('explain select * from t where k = 7').all()[0]?.['QUERY PLAN'] ?? '';
      await vi.advanceTimersByTimeAsync(11_000);
      await vi.waitFor(() => expect(plan()).toMatch(/Index Only Scan.* rows=1\)/));
      const distinct = (): unknown =>
        db.prepare(`select n_distinct from pg_stats where tablename = 't' and attname = 'k'`).get();
      const before = distinct();
      db.exec('insert into t select i, i from generate_series(2001, 5000) i');
      await vi.advanceTimersByTimeAsync(11_000);
      expect(distinct()).toEqual(before);
      await vi.advanceTimersByTimeAsync(49_000);
      await vi.waitFor(() => expect(distinct()).not.toEqual(before));
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('column indexes', () => {
  it('take in what was written some seconds after it was much', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const plan = (): string =>
        db.prepare<Record<string, string>>('explain select sum(k) from t').all()[1]?.['QUERY PLAN'] ?? '';
      db.exec('create index t_columns on t using column (id, k)');
      db.exec('insert into t select i, i from generate_series(1001, 6000) i');
      expect(plan()).toContain('Seq Scan');
      await vi.advanceTimersByTimeAsync(3000);
      await vi.waitFor(() => expect(plan()).toContain('Column Scan using t_columns on t'));
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('EXPLAIN (ANALYZE, BUFFERS, WAL)', () => {
  it('tells pages of files from those of a cache, and what the log gets', async () => {
    const home = await mkdtemp(join(tmpdir(), 'phantom-plans-'));
    const figures = (on: Database, sql: string): Record<string, number> => {
      const explained = on.prepare<{ 'QUERY PLAN': Record<string, number>[] }>(
        `explain (analyze, buffers, wal, format json) ${sql}`,
      );
      return explained.get()?.['QUERY PLAN'][0] ?? {};
    };
    try {
      for (const engine of ['btree', 'lsm']) {
        const data = join(home, engine);
        const made = await open(data, { durability: 'memory' });
        made.exec(`create table t (id int primary key, note text) with (engine = '${engine}')`);
        made.exec("insert into t select i, repeat('x', 100) from generate_series(1, 2000) i");
        await made.checkpoint();
        await made.close();
        const again = await open(data, { durability: 'memory' });
        const cold = figures(again, 'select count(note) from t');
        expect(cold['Shared Read Blocks']).toBeGreaterThan(2);
        expect(cold['Shared Read Bytes']).toBeGreaterThan(10_000);
        expect(cold['WAL Bytes']).toBe(0);
        const warm = figures(again, 'select count(note) from t');
        expect(warm['Shared Read Blocks']).toBe(0);
        expect(warm['Shared Hit Blocks']).toBeGreaterThan(2);
        const written = figures(again, "update t set note = repeat('y', 100) where id <= 10");
        expect(written['WAL Bytes']).toBeGreaterThan(1000);
        expect(written['WAL Bytes']).toBeLessThan(3000);
        await again.close();
      }
    } finally {
      await rm(home, { recursive: true });
    }
  });
});

describe('a read by key inside a transaction', () => {
  it('sees its own writes and its snapshot, and nothing after an error', () => {
    db.exec('insert into t values (1, 10), (2, 20)');
    db.transactionSync((tx) => {
      const read = tx.prepare<{ k: number }>('select k from t where id = $1');
      expect(read.get(1)?.k).toBe(10);
      tx.prepare('update t set k = 11 where id = 1').run();
      expect(read.get(1)?.k).toBe(11);
      expect(read.get(3)).toBeUndefined();
      db.prepare('update t set k = 21 where id = 2').run();
      expect(read.get(2)?.k).toBe(20);
    });
    expect(() =>
      db.transactionSync((tx) => {
        const read = tx.prepare('select 1 / (id - 1) as x from t where id = $1');
        expect(read.get(2)).toEqual({ x: 1 });
        expect(() => read.get(1)).toThrow(expect.objectContaining({ code: '22012' }));
        expect(() => read.get(2)).toThrow(expect.objectContaining({ code: '25P02' }));
      }),
    ).toThrow('aborted');
  });
});
