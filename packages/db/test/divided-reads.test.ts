/** What becomes of reads in other threads while the world changes: timeouts, closing, definitions, merges, heaps that are full. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, open } from '../src/index.js';

const ROWS = 8_000;
const THREADS = 2;
const directory = mkdtempSync(join(tmpdir(), 'phantom-divided-'));
let db: Database;

async function start(): Promise<Database> {
  const made = await open(directory, { durability: 'memory', queryWorkersMax: THREADS });
  // What is set for a database holds for sessions that begin from then on: this thread takes no share.
  made.exec(
    'alter database phantom set parallel_setup_cost = 0; alter database phantom set parallel_leader_participation = off',
  );
  await made.close();
  return open(directory, { durability: 'memory', queryWorkersMax: THREADS, queryWorkerCostMin: 0 });
}

async function fill(table: string, engine = 'btree'): Promise<void> {
  db.exec(`create table ${table} (id int primary key, g int, name text) with (engine = ${engine})`);
  await db.query(`insert into ${table} select i, i % 10, 'item ' || i % 37 from generate_series(1, ${ROWS}) i`);
  db.exec(`analyze ${table}`);
}

beforeAll(async () => {
  db = await start();
  await fill('item');
});

afterAll(async () => {
  await db.close();
  rmSync(directory, { recursive: true });
});

interface Reader {
  readonly thread: { readonly isIdle: boolean };
  readonly reading: unknown;
}

function readers(): readonly Reader[] {
  const { parts } = db as unknown as { parts: { workers: { workers: readonly Reader[] } } };
  return parts.workers.workers;
}

/** Resolves when other threads are at work. */
async function areReading(threads: number): Promise<void> {
  const count = (): number => readers().filter(({ reading }) => reading !== undefined).length;
  await expect.poll(count, { interval: 1, timeout: 20_000 }).toBe(threads);
}

/** Nobody reads any more, and no more threads are there than there may be. */
async function isAtRest(): Promise<void> {
  const idle = (): boolean => readers().every(({ thread, reading }) => thread.isIdle && reading === undefined);
  await expect.poll(idle, { timeout: 20_000 }).toBe(true);
  await expect.poll(() => db.stats().store.openViews, { timeout: 20_000 }).toBe(0);
  expect(readers().length).toBeLessThanOrEqual(THREADS);
}

async function remote(action: () => Promise<unknown>): Promise<number> {
  const before = db.stats().work.remoteExecutions;
  await action();
  return db.stats().work.remoteExecutions - before;
}

/** Some ten milliseconds of work, and more where processors are short. */
const slow = (table: string): string =>
  `select g, sum(length(repeat(name, 1500))) as s, count(*) from ${table} group by g`;
/** Many seconds of it. */
const ENDLESS = [
  { kind: 'a divided read', text: 'select max(md5(repeat(name, 20000))) from item', threads: 2 },
  { kind: 'a whole one', text: 'select count(*) from item a, item b, item c where a.id + b.id + c.id < 0', threads: 1 },
];

describe('reads in other threads', () => {
  it('end where the heap of a thread is full, and are not tried again in this one', async () => {
    // Of threads that begin from then on: this comes first, because none has begun.
    expect(readers()).toHaveLength(0);
    setFlagsFromString('--max-old-space-size=32');
    const texts = [
      'select id % 400 as g, length(max(repeat(name, 400000 + id % 9))) from item group by 1',
      'select id % 400 as g, length(max(repeat(name, 400000 + id % 9))), count(distinct id) from item group by 1',
    ];
    for (const [i, text] of texts.entries()) {
      expect(await isDivided(text)).toBe(i === 0);
      await expect(db.query(text)).rejects.toMatchObject({
        code: '53200',
        message: expect.stringContaining('heap'),
      });
      await isAtRest();
    }
    setFlagsFromString('--max-old-space-size=0');
    expect(await remote(() => db.query(slow('item')))).toBe(2);
  });

  it.each(ENDLESS)('end with statement_timeout, and with a cancel request: $kind', async ({ text, threads }) => {
    // The program of the threads is loaded with the first read that is for them.
    await db.query(slow('item'));
    const session = db.createSession({ database: 'phantom', user: 'phantom' });
    const run = async (sql: string): Promise<unknown[]> => {
      const rows: unknown[] = [];
      try {
        const portal = session.portal(session.prepareText(sql), []);
        await portal.fetch(0, ({ columns, count }) => {
          for (let i = 0; i < count; i++) rows.push(columns.map((column) => column[i]));
        });
        await session.sync();
      } catch (error) {
        session.fail(error);
        throw error;
      }
      return rows;
    };
    await run("set statement_timeout = '100ms'");
    await expect(run(text)).rejects.toMatchObject({ code: '57014', message: expect.stringContaining('timeout') });
    await run('reset statement_timeout');
    await isAtRest();
    const cancelled = failure(run(text));
    await areReading(threads);
    session.cancel();
    expect(await cancelled).toMatchObject({ code: '57014', message: expect.stringContaining('user request') });
    // The session goes on, and so do the threads.
    await isAtRest();
    expect(await remote(async () => expect(await run('select count(*) from item')).toHaveLength(1))).toBe(2);
    session.close();
    await isAtRest();
  });

  it('see what was there when they began, whatever is defined, emptied or dropped meanwhile', async () => {
    const changes = [
      'drop table gone',
      'truncate gone',
      'alter table gone alter column g type text',
      'delete from gone',
    ];
    for (const change of changes) {
      await fill('gone');
      const { rows } = await db.query(slow('gone'));
      const running = db.query(slow('gone'));
      await areReading(2);
      await db.query(change);
      await db.checkpoint();
      expect([change, (await running).rows]).toEqual([change, rows]);
      await db.query('drop table if exists gone');
    }
    await isAtRest();
  });

  it.each(['btree', 'lsm'])(
    'see what was there when they began while files are merged and removed: %s',
    async (engine) => {
      await fill(engine, engine);
      await db.checkpoint();
      const { rows } = await db.query(slow(engine));
      const running = db.query(slow(engine));
      await areReading(2);
      const before = files();
      for (let i = 0; i < 3; i++) {
        await db.query(`update ${engine} set g = g + 1, name = 'other ' || ${i}`);
        await db.checkpoint();
      }
      expect((await running).rows).toEqual(rows);
      await isAtRest();
      expect(files()).not.toEqual(before);
      expect((await db.query(`select count(*)::int as n, min(g) as g from ${engine}`)).rows).toEqual([
        { n: ROWS, g: 3 },
      ]);
    },
  );

  // The last one.
  it('end with the database that is closed meanwhile', async () => {
    const running = failure(db.query(ENDLESS[0]!.text));
    await areReading(2);
    await db.close();
    expect(await running).toMatchObject({ code: '57P01', message: 'the database is closed' });
    expect(readers().every(({ thread }) => thread.isIdle)).toBe(true);
  });
});

/** Whether a read is divided. */
async function isDivided(text: string): Promise<boolean> {
  return JSON.stringify((await db.query(`explain ${text}`)).rows).includes('Gather');
}

async function failure(action: Promise<unknown>): Promise<unknown> {
  return action.then(
    () => undefined,
    (error: unknown) => error,
  );
}

function files(): string[] {
  return readdirSync(directory, { recursive: true }).map(String).toSorted();
}
