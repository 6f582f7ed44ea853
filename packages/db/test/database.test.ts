import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MetricsRegistry } from '@phantom/base';
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, isPhantomError, open, openOn } from '../src/index.js';

let db: Database;

beforeEach(async () => {
  db = await open(':memory:');
});

afterEach(() => db.close());

describe('opening', () => {
  it('brings everything back from a directory', async () => {
    const directory = join(mkdtempSync(join(tmpdir(), 'phantom-db-')), 'data');
    try {
      const first = await open(directory);
      first.exec(`create table t (id int primary key); insert into t values (1), (2)`);
      await first.close();
      await first.close();
      expect(() => first.exec('select 1')).toThrow(expect.objectContaining({ code: '57P01' }));
      const second = await open(directory);
      expect(second.prepare('select id from t order by id').all()).toEqual([{ id: 1 }, { id: 2 }]);
      expect(second.directory).toBe(directory);
      await second.close();
      const reader = await open(directory, { readOnly: true });
      expect(reader.prepare('select count(*)::int as n from t').get()).toEqual({ n: 2 });
      expect(() => reader.exec('insert into t values (3)')).toThrow(expect.objectContaining({ code: '25006' }));
      await reader.close();
      await expect(open(directory, { database: 'nosuch' })).rejects.toMatchObject({ code: '3D000' });
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('makes the first database and superuser under the names it is given', async () => {
    const vfs = new MemoryVfs();
    const named = await openOn(vfs, '/d', { database: 'shop', user: 'owner' });
    expect(await named.sql`select current_database() as d, current_user as u`).toEqual([{ d: 'shop', u: 'owner' }]);
    await named.close();
    const again = await openOn(vfs, '/d');
    expect(again.prepare('select current_database() as d').get()).toEqual({ d: 'shop' });
    await again.close();
    await expect(openOn(new MemoryVfs(), '/nothing', { create: false })).rejects.toSatisfy(isPhantomError);
  });
});

describe('options', () => {
  it('that nobody knows are refused, by whatever takes them', async () => {
    const unknown = (operation: string, name: string): unknown =>
      expect.objectContaining({ code: '22023', message: `unknown option of ${operation}: ${name}` });
    const given = <T>(options: object): T => options as T;
    await expect(open(':memory:', given({ durabilty: 'fsync' }))).rejects.toThrow(unknown('open', 'durabilty'));
    await using db = await open(':memory:');
    await db.query('create table t (id int)');
    await expect(db.query('select 1', [], given({ timeout: 5 }))).rejects.toThrow(unknown('query', 'timeout'));
    const serial = given<{ readOnly?: boolean }>({ isolationLevel: 'serializable' });
    await expect(db.transaction(async () => 1, serial)).rejects.toThrow(unknown('transaction', 'isolationLevel'));
    expect(() => db.transactionSync(() => 1, serial)).toThrow(unknown('transaction', 'isolationLevel'));
    await expect(db.copyInto('t', [[1]], given({ column: ['id'] }))).rejects.toThrow(unknown('copyInto', 'column'));
    await expect(db.copyInto('t', [[1]], { columns: ['id'], timeoutMs: 60_000 })).resolves.toEqual({ rowCount: 1 });
  });
});

describe('the synchronous API', () => {
  beforeEach(() => db.exec('create table t (id int primary key, v text, n bigint)'));

  it('prepares, runs, gets, lists and iterates', () => {
    const insert = db.prepare('insert into t values ($1, $2, $3)');
    for (let id = 1; id <= 600; id++) expect(insert.run(id, `v${id}`, BigInt(id)).changes).toBe(1);
    expect(insert.run(601, null, undefined).seq).toBeGreaterThan(0);
    const select = db.prepare<{ id: number; v: string }>('select id, v from t where id = $1');
    expect(select.get(7)).toEqual({ id: 7, v: 'v7' });
    expect(select.get(9999)).toBeUndefined();
    expect(select.all(8)).toEqual([{ id: 8, v: 'v8' }]);
    const every = db.prepare<{ id: number }>('select id from t order by id');
    let sum = 0;
    for (const row of every.iterate()) sum += row.id;
    expect(sum).toBe((601 * 602) / 2);
    for (const row of every.iterate()) if (row.id === 3) break;
    expect(every.get()).toEqual({ id: 1 });
    expect(every.fields.map((field) => field.name)).toEqual(['id']);
    expect(db.prepare('update t set v = v where id < 4').run().changes).toBe(3);
    expect(db.prepare('show timezone').get()).toEqual({ TimeZone: 'UTC' });
    expect(db.prepare('show timezone').fields).toHaveLength(1);
    expect(() => select.get()).toThrow(expect.objectContaining({ code: '08P01' }));
    expect(() => insert.run(1, 'again', 1)).toThrow(
      expect.objectContaining({ code: '23505', constraint: 't_pkey', table: 't' }),
    );
    expect(() => db.prepare('selec')).toThrow(expect.objectContaining({ code: '42601', position: 1 }));
    expect(() => db.prepare('select $1')).not.toThrow();
  });

  it('follows the catalog: a statement prepared before a change sees it', () => {
    const select = db.prepare('select count(*)::int as n from t where v = $1');
    expect(select.get('x')).toEqual({ n: 0 });
    db.exec(`create index on t (v); insert into t values (1, 'x', 1)`);
    expect(select.get('x')).toEqual({ n: 1 });
  });

  it('keeps a transaction of a script in its session', () => {
    db.exec('begin; insert into t values (1, null, null)');
    expect(db.prepare('insert into t values (2, null, null)').run()).toEqual({ changes: 1, seq: undefined });
    db.exec('rollback');
    expect(db.prepare('select * from t').all()).toEqual([]);
  });

  it('runs a callback in one transaction, or leaves nothing', () => {
    const total = db.transactionSync((tx) => {
      const insert = tx.prepare('insert into t values ($1, $2, $3)');
      for (let id = 1; id <= 10; id++) insert.run(id, null, id * id);
      tx.exec('delete from t where id = 10');
      return tx.prepare<{ s: number }>('select sum(n)::int as s from t').get()?.s;
    });
    expect(total).toBe(285);
    expect(() =>
      db.transactionSync((tx) => {
        tx.prepare('delete from t').run();
        throw new Error('changed my mind');
      }),
    ).toThrow('changed my mind');
    expect(() =>
      db.transactionSync((tx) => {
        try {
          tx.exec('select 1/0');
        } catch {
          // An error inside the transaction has ended it.
        }
      }),
    ).toThrow(expect.objectContaining({ code: '25P02' }));
    expect(db.prepare('select count(*)::int as n from t').get()).toEqual({ n: 9 });
  });
});

describe('the asynchronous API', () => {
  beforeEach(() => db.exec('create table t (id int primary key, v text)'));

  it('answers with rows, fields, count and command', async () => {
    expect(await db.query(`insert into t values (1, 'a'), (2, 'b') returning id`)).toMatchObject({
      rows: [{ id: 1 }, { id: 2 }],
      rowCount: 2,
      command: 'INSERT 0 2',
    });
    expect(await db.query('insert into t values ($1, $2)', [3, 'c'])).toEqual({
      rows: [],
      fields: [],
      rowCount: 1,
      command: 'INSERT 0 1',
    });
    const text = `b'; drop table t; --`;
    expect(await db.sql`select ${text} as text, ${2}::int + 1 as three`).toEqual([{ text, three: 3 }]);
    await expect(db.query('begin')).rejects.toMatchObject({ code: '25000' });
    await expect(db.query('select * from nosuch')).rejects.toMatchObject({ code: '42P01' });
    await expect(db.query('select 1; select 2')).rejects.toMatchObject({ code: '42601' });
  });

  it('shares fsyncs between commits that wait together', async () => {
    const before = db.stats();
    await Promise.all(Array.from({ length: 64 }, (_, id) => db.query('insert into t values ($1, $2)', [id, 'v'])));
    const after = db.stats();
    expect(after.store.commits - before.store.commits).toBe(64);
    expect(after.store.syncs - before.store.syncs).toBeLessThan(8);
  });

  it('makes one commit of a batch, or none, and names the statement that failed', async () => {
    const before = db.stats().store.commits;
    const results = await db.batch([
      ['insert into t values ($1, $2)', [1, 'a']],
      ['update t set v = upper(v)'],
      ['select v from t'],
    ]);
    expect(db.stats().store.commits - before).toBe(1);
    expect(results[2]?.rows).toEqual([{ v: 'A' }]);
    await expect(db.batch([['delete from t'], ['insert into t values (1, 2, 3)']])).rejects.toMatchObject({
      index: 1,
      code: '42601',
    });
    expect((await db.query('select * from t')).rowCount).toBe(1);
  });

  it('runs a transaction again when it loses a race, and not when it is wrong', async () => {
    db.exec(`insert into t values (1, '0')`);
    let runs = 0;
    let haveAllRead = (): void => undefined;
    const allHaveRead = new Promise<void>((resolve) => (haveAllRead = resolve));
    const increment = (): Promise<void> =>
      db.transaction(async (tx) => {
        const [row] = await tx.sql<{ v: string }>`select v from t where id = 1`;
        if (++runs === 8) haveAllRead();
        await allHaveRead;
        await tx.query('update t set v = $1 where id = 1', [String(Number(row?.v) + 1)]);
      });
    await Promise.all(Array.from({ length: 8 }, increment));
    expect(db.prepare('select v from t').get()).toEqual({ v: '8' });
    expect(runs).toBeGreaterThan(8);
    await expect(db.transaction(async (tx) => void (await tx.query('select 1/0')))).rejects.toMatchObject({
      code: '22012',
    });
    await expect(
      db.transaction(async (tx) => {
        await tx.query('select 1/0').catch(() => undefined);
      }),
    ).rejects.toMatchObject({ code: '25P02' });
    await expect(
      db.transaction(async (tx) => void (await tx.sql`delete from t`), { readOnly: true }),
    ).rejects.toMatchObject({ code: '25006' });
  });

  it('at serializable keeps what two of them decide from each other (write skew), by running one again', async () => {
    db.exec(
      "create table duty (name text primary key, there boolean); insert into duty values ('a', true), ('b', true)",
    );
    const leave = (name: string): Promise<void> =>
      db.transaction(
        async (tx) => {
          const [{ n } = { n: 0 }] = await tx.sql<{ n: number }>`select count(*)::int as n from duty where there`;
          if (n > 1) await tx.sql`update duty set there = false where name = ${name}`;
        },
        { isolation: 'serializable' },
      );
    await Promise.all([leave('a'), leave('b')]);
    expect(db.prepare('select count(*)::int as n from duty where there').get()).toEqual({ n: 1 });
    const counted = await db.transaction(
      async (tx) => (await tx.sql<{ n: number }>`select count(*)::int as n from duty`)[0]?.n,
      {
        isolation: 'serializable',
        readOnly: true,
        deferrable: true,
      },
    );
    expect(counted).toBe(2);
  });

  it('stops when it is told to', async () => {
    const aborted = AbortSignal.abort(new Error('enough'));
    await expect(db.query('select 1', [], { signal: aborted })).rejects.toMatchObject({ code: '57014' });
    const controller = new AbortController();
    const long = db.query('select count(*) from generate_series(1, 100000000) i', [], { signal: controller.signal });
    setTimeout(() => controller.abort(), 10);
    await expect(long).rejects.toMatchObject({ code: '57014' });
    await expect(
      db.query('select count(*) from generate_series(1, 100000000) i', [], { timeoutMs: 10 }),
    ).rejects.toMatchObject({ code: '57014' });
    expect((await db.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });

  it('stops a join of far more matches than were estimated', async () => {
    db.exec('create table grown (k int); insert into grown select generate_series(1, 100); analyze grown');
    db.exec('insert into grown values (1), (1), (1)');
    const joined = Array.from({ length: 24 }, (_, i) => ` join grown g${i} using (k)`).join('');
    await expect(db.query(`select count(*) from grown${joined}`, [], { timeoutMs: 10 })).rejects.toMatchObject({
      code: '57014',
    });
  });

  it('tells what it did', async () => {
    await db.checkpoint();
    expect(await db.check()).toEqual([]);
    expect(db.metrics().length).toBeGreaterThan(0);
    expect(db.stats().transactions.committed).toBeGreaterThan(0);
    const own = await open(':memory:', {
      metrics: {
        counter: () => ({ value: 0 }),
        gauge: (_n, _h, read) => ({ read }),
        histogram: (n, h, b) => new MetricsRegistry().histogram(n, h, b),
      },
    });
    expect(own.metrics()).toEqual([]);
    own.prepare('select 1')[Symbol.dispose]();
    await own[Symbol.asyncDispose]();
    const session = db.createSession({ database: 'phantom', user: 'phantom' });
    expect(db.sessionOf(session.id)).toBe(session);
    session.close();
    expect(db.sessionOf(session.id)).toBeUndefined();
    expect(db.catalog.database('phantom')).toBeDefined();
  });
});

describe('a session that a limit of time has ended', () => {
  it('writes nothing more, and serves nobody else', async () => {
    db.exec('create table t (id int primary key); insert into t values (1)');
    const late = db.transaction(async (tx) => {
      await tx.query("set local idle_in_transaction_session_timeout = '10ms'");
      await tx.query('insert into t values (2)');
      await new Promise((resolve) => setTimeout(resolve, 50));
      await tx.query('insert into t values (3)');
    });
    await expect(late).rejects.toMatchObject({ code: '25P03' });
    expect((await db.query('select id from t')).rows).toEqual([{ id: 1 }]);
  });
});

describe('closing', () => {
  it('ends what runs first, and lets a commit come to its end', async () => {
    const vfs = new MemoryVfs();
    const closed = await openOn(vfs, '/d', { durability: 'memory' });
    closed.exec('create table t (id int primary key, name text)');
    await closed.query("insert into t select i, 'n' || i from generate_series(1, 5000) i");
    let goOn = (): void => undefined;
    const held = closed.transaction(
      async (tx) => {
        await tx.query('update t set name = null where id = 1');
        await new Promise<void>((resolve) => {
          goOn = resolve;
        });
        await tx.query('update t set name = null where id = 2');
      },
      { concurrency: 'locking' },
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    const running = [
      held,
      closed.query('select count(*) from t a, t b where a.id * b.id < 0'),
      closed.query('update t set name = upper(repeat(name, 20000)) where id > 10'),
      // It waits for the first one.
      closed.query('update t set name = null where id = 1'),
    ].map((action) => action.then(String, ({ code, message }: Error & { code: string }) => ({ code, message })));
    const committed = closed.query('insert into t (id) values (0)');
    await new Promise((resolve) => setTimeout(resolve, 20));
    await closed.close();
    goOn();
    const ended = { code: '57P01', message: 'the database is closed' };
    expect(await Promise.all(running)).toEqual([ended, ended, ended, ended]);
    await committed;
    const again = await openOn(vfs, '/d');
    const text = 'select count(*)::int as n, min(id) as first, max(length(name)) as longest from t';
    expect(again.prepare(text).get()).toEqual({ n: 5001, first: 0, longest: 5 });
    await again.close();
  });
});

describe('values', () => {
  it('come out and go in by the table of the API', async () => {
    db.exec(`create table v (
      a smallint, b int, c bigint, d numeric(12, 3), e real, f double precision, g boolean, h text, i uuid, j bytea,
      k date, l time, m timestamp, n interval, o timestamptz, p json, q jsonb, r int[], s text[])`);
    const at = new Date('2026-11-21T12:34:56.789Z');
    const row = [
      1,
      2,
      9007199254740993n,
      '1.500',
      1.5,
      Number.NaN,
      true,
      'täxt',
      '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
      new Uint8Array([0, 255]),
      at,
      '12:00',
      at,
      '1 day 2 hours',
      at,
      { a: [1, null] },
      ['x', { y: 1 }],
      [
        [1, 2],
        [3, null],
      ],
      ['a', null],
    ];
    await db.query(`insert into v values (${row.map((_, i) => `$${i + 1}`).join(', ')})`, row);
    const [out] = await db.sql<Record<string, unknown>>`select * from v`;
    expect(String(out?.['d'])).toBe('1.500');
    expect({ ...out, d: undefined }).toEqual({
      a: 1,
      b: 2,
      c: 9007199254740993n,
      d: undefined,
      e: 1.5,
      f: Number.NaN,
      g: true,
      h: 'täxt',
      i: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
      j: new Uint8Array([0, 255]),
      k: '2026-11-21',
      l: '12:00:00',
      m: '2026-11-21 12:34:56.789',
      n: 'P1DT2H',
      o: at,
      p: { a: [1, null] },
      q: ['x', { y: 1 }],
      r: [
        [1, 2],
        [3, null],
      ],
      s: ['a', null],
    });
    for (const [type, value, code] of [
      ['smallint', 40000, '22003'],
      ['int', 2 ** 31, '22003'],
      ['int', 1.5, '22P02'],
      ['int', 'x', '22P02'],
      ['bigint', 2n ** 63n, '22003'],
      ['boolean', 1, '42804'],
      ['text', '\ud800', '22021'],
      ['text', 'a\0b', '22021'],
      ['numeric', {}, '42804'],
      ['bytea', 5, '42804'],
      ['json', () => 1, '22P02'],
      ['int[]', [[1], [2, 3]], '2202E'],
      ['int[]', 5, '42804'],
      ['date', new Date(Number.NaN), '22007'],
      ['double precision', {}, '42804'],
    ] as const) {
      await expect(db.query(`select $1::${type}`, [value])).rejects.toMatchObject({ code });
    }
  });

  it('have options for bigint and timestamps', async () => {
    const exact = await open(':memory:', { bigint: 'always', timestamps: 'text' });
    expect(await exact.sql`select 1::bigint as b, '2026-01-01 00:00:00.123456+00'::timestamptz as t`).toEqual([
      { b: 1n, t: '2026-01-01 00:00:00.123456+00' },
    ]);
    await exact.close();
  });

  it('keep columns of any name plain data', () => {
    const row = db.prepare('select 1 as "__proto__", 2 as "constructor"').get() as Record<string, unknown>;
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype);
    expect(Object.entries(row)).toEqual([
      ['__proto__', 1],
      ['constructor', 2],
    ]);
  });
});
