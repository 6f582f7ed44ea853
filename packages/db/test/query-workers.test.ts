/** Costly reads in other threads: the same answers and errors, what stays here, and what becomes of those that do not end. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { constants, getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, open } from '../src/index.js';

const directory = mkdtempSync(join(tmpdir(), 'phantom-workers-'));
let db: Database;

beforeAll(async () => {
  db = await open(directory, { queryWorkersMax: 1, queryWorkerCostMin: 0, durability: 'memory' });
  db.exec(`create table item (id int primary key, name text, price numeric(10, 2), weight double precision, added timestamptz);
    create table line (id int primary key, item int, amount int) with (engine = lsm)`);
  await db.query(`insert into item select i, 'item ' || i, i / 100.0, sqrt(i), '2026-01-01'::timestamptz + i * '1 hour'::interval
    from generate_series(1, 5000) i`);
  await db.query('insert into line select i, i % 5000 + 1, i % 7 from generate_series(1, 10000) i');
});

afterAll(async () => {
  await db.close();
  rmSync(directory, { recursive: true });
});

/** Executions that other threads do while the action runs. */
async function remote(action: () => Promise<unknown>): Promise<number> {
  const before = db.stats().work.remoteExecutions;
  await action();
  return db.stats().work.remoteExecutions - before;
}

async function failure(action: Promise<unknown>): Promise<unknown> {
  try {
    await action;
  } catch (error) {
    const { code, message, position, detail } = error as Record<string, unknown>;
    return { code, message, position, detail };
  }
  throw new Error('it did not fail');
}

const COUNT = 'select count(*)::int as n from item';

describe('reads in other threads', () => {
  it('answer as this one does', async () => {
    const text = `select i.id % 10 as g, count(*), sum(price), avg(weight), min(name), max(added), array_agg(l.id order by l.id)
      from item i join line l on l.item = i.id where amount > $1 group by 1 order by 1`;
    const here = db.prepare(text).all(2);
    const scanned = db.stats().work.rowsScanned;
    expect(await remote(async () => expect((await db.query(text, [2])).rows).toEqual(here))).toBe(1);
    expect(here).toHaveLength(10);
    // The work done over there counts here.
    expect(db.stats().work.rowsScanned - scanned).toBeGreaterThanOrEqual(10_000);
  });

  it.runIf(process.platform === 'linux')('leave the processor to whoever answers short questions', async () => {
    expect(await remote(() => db.query(COUNT))).toBe(1);
    const priorities = readdirSync('/proc/self/task').map((thread) => getPriority(Number(thread)));
    expect(priorities.filter((priority) => priority === constants.priority.PRIORITY_LOW)).toHaveLength(1);
  });

  it('see what was committed last, in files or not', async () => {
    for (let i = 1; i <= 3; i++) {
      await db.query('insert into item (id, name) values ($1, $2)', [5000 + i, 'new']);
      if (i === 2) await db.checkpoint();
      expect(await remote(async () => expect((await db.query(COUNT)).rows).toEqual([{ n: 5000 + i }]))).toBe(1);
    }
  });

  it('see the definitions of their moment', async () => {
    for (let i = 0; i < 2; i++) {
      db.exec(`alter table item add column extra int default ${i}`);
      expect(
        await remote(async () =>
          expect((await db.query('select sum(extra)::int as s from item')).rows).toEqual([{ s: i * 5003 }]),
        ),
      ).toBe(1);
      db.exec('alter table item drop column extra');
    }
  });

  it('are not asked for documents, whose structures they do not know', async () => {
    const readings = db.collection('reading');
    for (let i = 0; i < 3; i++) {
      await readings.insertMany(Array.from({ length: 100 }, (_, k) => ({ _id: 100 * i + k, temperature_of_air: k })));
    }
    expect(db.catalog.structures.size).toBe(1);
    const total = (table: string) => async (): Promise<void> => {
      const text = `select sum((doc->'temperature_of_air')::int)::int as s from ${table}`;
      expect((await db.query(text)).rows).toEqual([{ s: 14_850 }]);
    };
    expect(await remote(total('reading'))).toBe(0);
    // What was copied out of the collection carries its keys.
    db.exec('create table copied as select doc from reading');
    expect(await remote(total('copied'))).toBe(1);
  });

  it('read column indexes and what those have not taken in', async () => {
    db.exec('create index item_columns on item using column (id, price) with (segment_rows = 1000)');
    db.exec('delete from item where id between 2000 and 2009; update item set price = 0 where id = 1');
    const text = 'select count(*)::int as n, sum(price)::text as s from item';
    expect(JSON.stringify(db.prepare(`explain ${text}`).all())).toContain('Column Scan');
    const here = db.prepare(text).all();
    expect(await remote(async () => expect((await db.query(text)).rows).toEqual(here))).toBe(1);
    db.exec('drop index item_columns');
    expect(db.prepare(text).all()).toEqual(here);
    await db.query("insert into item select i, 'again' from generate_series(2000, 2009) i");
  });

  it('send many rows, more than are ahead of their reader at a time', async () => {
    const { rows } = await db.query('select a.id, b.name from item a, item b where b.id <= 30 order by a.id, b.id');
    expect(rows).toHaveLength(150_090);
    expect(rows[60]).toEqual({ id: 3, name: 'item 1' });
  });

  it('fail as they do here', async () => {
    const text = 'select 1 / (id - 4000), $1::text from item';
    const here = await failure((async () => db.prepare(text).all('x'))());
    expect(await remote(async () => expect(await failure(db.query(text, ['x']))).toEqual(here))).toBe(1);
    expect(here).toMatchObject({ code: '22012' });
  });

  it('have the session of whoever asks', async () => {
    const session = db.createSession({ database: 'phantom', user: 'phantom' });
    const run = async (text: string): Promise<unknown[]> => {
      const values: unknown[] = [];
      for (const parsed of session.parse(text)) {
        const portal = session.portal(session.prepare(parsed, text), []);
        await portal.fetch(0, ({ columns, count }) => {
          for (let i = 0; i < count; i++) values.push(columns.map((column) => column[i]));
        });
        await session.sync();
      }
      return values;
    };
    await run(`create role reader; grant select on item to reader; create schema other; create table other.item as select 7 as id;
      grant usage on schema other to reader; grant select on other.item to reader;
      set timezone = 'Asia/Tokyo'; set search_path = other; set role reader; begin`);
    const text = `select current_user::text, count(*), max(added)::text, now()::text from (select id, current_user, now() as added from item) i
      group by 1, 4; select count(*) from public.item`;
    let rows: unknown[] = [];
    expect(await remote(async () => (rows = await run(text)))).toBe(2);
    const [[user, count, added, now], [all]] = rows as [unknown[], unknown[]];
    expect({ user, count, all }).toEqual({ user: 'reader', count: 1, all: 5003 });
    expect(added).toBe(now);
    expect(now).toMatch(/\+09$/);
    session.close();
  });

  it('are left to this thread where another could not answer alike', async () => {
    db.exec(
      `create function twice(i int) returns int language plpgsql stable as 'begin return i * 2; end'; create sequence s`,
    );
    const texts = [
      'select count(*), random() from item',
      'select count(*) from pg_class',
      'select twice(id) from item limit 1',
      'select id from item order by id for update limit 1',
      "select nextval('s') from item limit 1",
      'select pg_backend_pid() from item limit 1',
      `explain (analyze) ${COUNT}`,
      `create table counted as ${COUNT}`,
      'select count(*) into counted_too from item',
    ];
    for (const text of texts) expect([text, await remote(() => db.query(text))]).toEqual([text, 0]);
    expect(await remote(async () => db.prepare(COUNT).all())).toBe(0);
  });

  it('go elsewhere from a transaction until it has written', async () => {
    await db.transaction(async (tx) => {
      const count = async (): Promise<unknown> => (await tx.query(COUNT)).rows[0];
      expect(await remote(async () => expect(await count()).toEqual({ n: 5003 }))).toBe(1);
      await db.query('insert into item (id) values (6000)');
      expect(await remote(async () => expect(await count()).toEqual({ n: 5003 }))).toBe(1);
      await tx.query('insert into item (id) values (6001)');
      expect(await remote(async () => expect(await count()).toEqual({ n: 5004 }))).toBe(0);
    });
    const tracked = db.transaction((tx) => tx.query(COUNT), { isolation: 'serializable' });
    expect(await remote(() => tracked)).toBe(0);
  });

  it('stop when they are cancelled, and free their thread and their view', async () => {
    const long = 'select count(*) from item a, item b where a.id * b.id < 0';
    const stop = new AbortController();
    const running = db.query(long, [], { signal: stop.signal });
    setTimeout(() => stop.abort(), 50);
    expect(await failure(running)).toMatchObject({ code: '57014' });
    expect(await failure(db.query(long, [], { timeoutMs: 50 }))).toMatchObject({ code: '57014', message: /timeout/ });
    // While its thread still winds down the next one runs here.
    await expect.poll(() => remote(() => db.query(COUNT)), { timeout: 10_000 }).toBe(1);
    await expect.poll(() => db.stats().store.openViews, { timeout: 10_000 }).toBe(0);
  });

  it('end with the thread that runs them when it dies, and the next one has another', async () => {
    interface Inside {
      readonly parts: { readonly workers: { readonly workers: { readonly thread: { terminate(): Promise<void> } }[] } };
    }
    const { workers } = (db as unknown as Inside).parts.workers;
    const before = db.stats().work.remoteExecutions;
    const running = failure(db.query('select count(*) from item a, item b where a.id * b.id < 0'));
    await expect.poll(() => db.stats().work.remoteExecutions).toBe(before + 1);
    await workers[0]?.thread.terminate();
    expect(await running).toMatchObject({ code: '58000', message: 'the thread that ran the query has ended' });
    expect(await remote(async () => expect((await db.query(COUNT)).rows).toHaveLength(1))).toBe(1);
    await expect.poll(() => db.stats().store.openViews, { timeout: 10_000 }).toBe(0);
  });

  it('run beside others, which find no thread free, in this one', async () => {
    let both: unknown[] = [];
    expect(await remote(async () => (both = await Promise.all([db.query(COUNT), db.query(COUNT)])))).toBe(1);
    expect(both).toHaveLength(2);
  });
});

describe('threads that read', () => {
  it('are not asked where there are none', async () => {
    const place = join(directory, 'none');
    const alone = await open(place, { queryWorkersMax: 0, queryWorkerCostMin: 0, durability: 'memory' });
    expect((await alone.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    expect(alone.stats().work.remoteExecutions).toBe(0);
    await alone.close();
  });

  it('end with the database, and what they run with them', async () => {
    const place = join(directory, 'ends');
    const other = await open(place, { queryWorkersMax: 1, queryWorkerCostMin: 0, durability: 'memory' });
    other.exec('create table t as select i from generate_series(1, 3000) i');
    const running = failure(other.query('select count(*) from t a, t b, t c where a.i + b.i + c.i = 0'));
    await expect.poll(() => other.stats().work.remoteExecutions).toBe(1);
    await other.close();
    expect(await running).toMatchObject({ code: '57P01', message: 'the database is closed' });
  });
});
