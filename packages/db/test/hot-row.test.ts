/** Rows that everybody writes: autocommit statements and batches pass them on when they are in the log. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, open } from '../src/index.js';

const WRITERS = 16;
const INCREMENT = 'update counter set n = n + 1 where id = 1';

let directory: string;
let db: Database;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'phantom-hot-row-'));
  db = await open(directory, { durability: 'fsync' });
  db.exec(
    'create table counter (id int primary key, n int not null check (n <= 100)); insert into counter values (1, 0)',
  );
});
afterEach(async () => {
  await db.close();
  rmSync(directory, { recursive: true, force: true });
});

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
    const codes = await all(() => codeOf(db.query(INCREMENT)));
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
