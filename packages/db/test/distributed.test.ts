/** Transactions over several databases, of which this one decides: all of them commit, or none does, wherever the power is cut. */
import type { PhantomError } from '@phantom/base';
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type Database,
  type Distributed,
  type SqlAnswer,
  type SqlConnection,
  type SqlSource,
  open,
  openOn,
} from '../src/index.js';

const opened: Database[] = [];

afterEach(async () => {
  for (const db of opened.splice(0).toReversed()) await db.close();
});

async function openBank(vfs = new MemoryVfs()): Promise<Database> {
  const db = await openOn(vfs, '/db');
  opened.push(db);
  db.exec('create table if not exists account (name text primary key, balance int check (balance >= 0))');
  return db;
}

const balances = (db: Database): Record<string, number> =>
  Object.fromEntries(
    db
      .prepare<{ name: string; balance: number }>('select name, balance from account')
      .all()
      .map(({ name, balance }) => [name, balance]),
  );
const prepared = (db: Database): unknown[] => db.prepare('select gid from pg_prepared_xacts').all();
const INSERT = 'insert into account values ($1, $2)';

async function world() {
  const [home, billing, stock] = [await openBank(), await openBank(), await openBank()];
  return { home, billing, stock, banks: home.distributed({ billing, stock }) };
}

const failed = (promise: Promise<unknown>): Promise<PhantomError> =>
  promise.then(
    () => {
      throw new Error('it was to fail');
    },
    (error: PhantomError) => error,
  );

/** A source whose statements pass by `point`, before they run and after. */
function watched(source: SqlSource, point: (text: string) => Promise<void>): SqlSource {
  return {
    connect: async () => {
      const connection = await source.connect();
      const query = async (text: string, values?: unknown[]): Promise<SqlAnswer> => {
        await point(`before ${text}`);
        const answer = await connection.query(text, values);
        await point(`after ${text}`);
        return answer;
      };
      return { query, release: (destroy?: boolean) => connection.release?.(destroy) } satisfies SqlConnection;
    },
  };
}

describe('a transaction over several databases', () => {
  it('commits everywhere and says so', async () => {
    const { home, billing, stock, banks } = await world();
    const result = await banks.transaction(async (tx, branches) => {
      await tx.query(INSERT, ['a', 1]);
      await Promise.all([branches.billing.query(INSERT, ['b', 2]), branches.stock.query(INSERT, ['c', 3])]);
      const { rows } = await branches.billing.query<{ n: number }>('select count(*)::int as n from account');
      return rows[0]?.n;
    });
    expect(result).toEqual({ value: 1, unanswered: [] });
    expect([home, billing, stock].map(balances)).toEqual([{ a: 1 }, { b: 2 }, { c: 3 }]);
    expect([billing, stock].flatMap(prepared)).toEqual([]);
    expect(banks.unanswered()).toEqual([]);
    expect(home.metrics().find(({ name }) => name === 'phantom_2pc_committed_total')).toMatchObject({ value: 1 });
  });

  it('leaves nothing where the callback, a statement or the promise fails', async () => {
    const { home, billing, stock, banks } = await world();
    const reason = new Error('no');
    const both = async (tx: { query(text: string, values: unknown[]): Promise<unknown> }): Promise<void> => {
      await tx.query(INSERT, ['a', 1]);
    };
    expect(
      await failed(
        banks.transaction(async (tx, branches) => {
          await Promise.all([both(tx), branches.billing.query(INSERT, ['a', 1])]);
          throw reason;
        }),
      ),
    ).toBe(reason);
    expect(await failed(banks.transaction((_tx, { stock: there }) => there.query(INSERT, ['a', -1])))).toMatchObject({
      code: '23514',
    });
    // An error that the callback keeps to itself comes out when the promise is asked for.
    const swallowed = banks.transaction(async (tx, branches) => {
      await Promise.all([both(tx), branches.stock.query(INSERT, ['a', 1])]);
      await branches.billing.query(INSERT, ['a', -1]).catch(() => undefined);
    });
    expect(await failed(swallowed)).toMatchObject({ code: '40000', cause: { code: '25P02' } });
    // The local share fails at its commit.
    home.exec('create table child (name text references account deferrable initially deferred)');
    const deferred = banks.transaction(async (tx, branches) => {
      await branches.billing.query(INSERT, ['a', 1]);
      await tx.query(`insert into child values ('nobody')`);
    });
    expect(await failed(deferred)).toMatchObject({ code: '23503' });
    expect([home, billing, stock].map(balances)).toEqual([{}, {}, {}]);
    expect([home, billing, stock].flatMap(prepared)).toEqual([]);
    expect([billing, stock].map((db) => db.stats().transactions.live)).toEqual([0, 0]);
  });

  it('refuses a transaction that its callback has ended itself, and one whose branch has', async () => {
    const { home, billing, banks } = await world();
    const ended = banks.transaction(async (tx, branches) => {
      await branches.billing.query(INSERT, ['a', 1]);
      await tx.query('rollback');
    });
    expect(await failed(ended)).toMatchObject({ code: '25P01' });
    const there = banks.transaction(async (tx, branches) => {
      await tx.query(INSERT, ['a', 1]);
      await branches.billing.query(INSERT, ['a', 1]);
      await branches.billing.query('rollback');
    });
    expect(await failed(there)).toMatchObject({ code: '40000' });
    expect([home, billing].map(balances)).toEqual([{}, {}]);
    let kept: { query(text: string): Promise<unknown> } | undefined;
    await banks.transaction(async (_tx, branches) => {
      kept = branches.billing;
    });
    expect(await failed(kept?.query('select 1') ?? Promise.resolve())).toMatchObject({ code: '25P01' });
  });

  it('runs the callback again when it lost a race, here or there', async () => {
    const { home, billing, banks } = await world();
    for (const db of [home, billing]) await db.query(INSERT, ['a', 10]);
    let runs = 0;
    const result = await banks.transaction(async (tx, branches) => {
      runs++;
      await branches.billing.query(`update account set balance = balance - 1 where name = 'a'`);
      const [row] = await tx.sql<{ balance: number }>`select balance from account where name = 'a'`;
      if (runs === 1) await home.query(`update account set balance = balance + 5 where name = 'a'`);
      await tx.query(`update account set balance = $1 where name = 'a'`, [(row?.balance ?? 0) + 1]);
      if (runs === 2) throw Object.assign(new Error('as a driver tells it'), { code: '40001' });
    });
    expect([runs, result.unanswered]).toEqual([3, []]);
    expect([home, billing].map(balances)).toEqual([{ a: 16 }, { a: 9 }]);
  });

  it('tells a database that was out of reach once it is back', async () => {
    const [home, billing] = [await openBank(), await openBank()];
    let isDown = false;
    const source = watched(billing, async (text) => {
      if (text.startsWith('after prepare')) isDown = true;
      else if (isDown) throw new Error('no connection');
    });
    const banks = home.distributed({ billing: source });
    const { unanswered } = await banks.transaction(async (_tx, branches) => {
      await branches.billing.query(INSERT, ['a', 1]);
    });
    expect(unanswered).toEqual(['billing']);
    expect(banks.unanswered()).toMatchObject([{ participants: ['billing'] }]);
    expect(balances(billing)).toEqual({});
    isDown = false;
    await banks.resolve();
    expect([balances(billing), banks.unanswered()]).toEqual([{ a: 1 }, []]);
  });

  it('listens to connections that tell of their end by an event', async () => {
    const [home, billing] = [await openBank(), await openBank()];
    const heard: string[] = [];
    const source: SqlSource = {
      connect: async () => {
        const connection = await billing.connect();
        return {
          query: (text, values) => connection.query(text, values),
          release: () => connection.release(),
          on: (event, listener) => void (listener(new Error('gone')), heard.push(`on ${event}`)),
          off: (event) => void heard.push(`off ${event}`),
        };
      },
    };
    await home
      .distributed({ billing: source })
      .transaction((_tx, branches) => branches.billing.query(INSERT, ['a', 1]));
    expect(heard.filter((one) => one === 'on error').length).toBeGreaterThan(1);
    expect(heard.filter((one) => one === 'off error').length).toBe(heard.length / 2);
  });

  it('looks for what is prepared where the driver tells no command', async () => {
    const [home, billing] = [await openBank(), await openBank()];
    const terse: SqlSource = {
      connect: async () => {
        const connection = await billing.connect();
        return {
          query: async (text, values) => ({ rows: (await connection.query(text, values)).rows }),
          release: () => connection.release(),
        };
      },
    };
    const banks = home.distributed({ billing: terse });
    await banks.transaction((_tx, branches) => branches.billing.query(INSERT, ['a', 1]));
    const empty = banks.transaction(async (_tx, branches) => {
      await branches.billing.query('select 1');
      await branches.billing.query('rollback');
    });
    expect(await failed(empty)).toMatchObject({ code: '40000' });
    expect(balances(billing)).toEqual({ a: 1 });
  });

  it('is refused where a promise would not hold, and after the participants have been let go', async () => {
    const memory = await open(':memory:');
    opened.push(memory);
    const home = await openBank();
    expect(() => memory.distributed({ home })).toThrow('durability memory');
    expect(() => home.distributed({ memory })).toThrow('"memory" is open with durability memory');
    const vfs = new MemoryVfs();
    await (await openOn(vfs, '/db')).close();
    const readOnly = await openOn(vfs, '/db', { readOnly: true });
    opened.push(readOnly);
    expect(() => readOnly.distributed({})).toThrow('read-only');
    const banks = home.distributed({ other: home });
    expect(() => home.distributed({ free: home, other: home })).toThrow('is registered already');
    expect(await failed(banks.transaction(async () => 1, { readOnly: true } as never))).toMatchObject({
      code: '22023',
    });
    await banks.close();
    home.distributed({ free: home, other: home });
    expect(await failed(banks.transaction(async () => 1))).toMatchObject({ code: '55000' });
  });
});

describe('power cuts', () => {
  /** One transaction with the power of both databases cut at a point; then both are opened again. */
  async function cutAt(at: number): Promise<{ points: string[]; after: unknown[] }> {
    const disks = [new MemoryVfs(), new MemoryVfs()] as const;
    const points: string[] = [];
    const clones = (): MemoryVfs[] => disks.map((vfs, i) => vfs.crashClone(at + i));
    let cuts: MemoryVfs[] | undefined;
    const point = async (text: string): Promise<void> => {
      if (text.includes(' prepare') && points.push(text) === at + 1) cuts = clones();
    };
    const [home, billing] = [await openBank(disks[0]), await openBank(disks[1])];
    await home.distributed({ billing: watched(billing, point) }).transaction(async (tx, branches) => {
      // The decision has to last whatever is said of one's own work.
      await tx.query('set local synchronous_commit = off');
      for (const bank of [tx, branches.billing]) await bank.query(INSERT, ['a', 1]);
    });
    cuts ??= clones();
    for (const db of opened.splice(0).toReversed()) await db.close();
    const after = [await openBank(cuts[0]), await openBank(cuts[1])] as const;
    await after[0].distributed({ billing: after[1] }).resolve();
    const found = [...after.map((db) => balances(db)['a'] ?? 0), ...after.flatMap(prepared)];
    for (const db of opened.splice(0).toReversed()) await db.close();
    return { points, after: found };
  }

  it('leave all of it or none, and all of it once it is acknowledged', async () => {
    const { points, after } = await cutAt(Number.MAX_SAFE_INTEGER);
    expect(after).toEqual([1, 1]);
    expect(points).toHaveLength(4);
    const ends: unknown[] = [];
    for (let at = 0; at < points.length; at++) ends.push((await cutAt(at)).after);
    // Nothing is decided before the promise has been heard, and all is by the time it is asked to be kept.
    expect(ends.slice(2)).toEqual([
      [1, 1],
      [1, 1],
    ]);
    expect(ends.slice(0, 2)).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });
});

describe('a connection', () => {
  it('is a session of its own, with statements in the order of their calls', async () => {
    const db = await openBank();
    const connection = await db.connect();
    const answers = await Promise.all([
      connection.query('begin'),
      connection.query(INSERT, ['a', 1]),
      connection.query<{ n: number }>('select count(*)::int as n from account'),
      connection.query('commit'),
    ]);
    expect(answers[2].rows).toEqual([{ n: 1 }]);
    await connection.query('begin');
    await connection.query(INSERT, ['b', 1]);
    expect(await failed(connection.query(INSERT, ['b', 1]))).toMatchObject({ code: '23505' });
    expect(await failed(connection.query('select 1'))).toMatchObject({ code: '25P02' });
    await connection.release();
    await connection[Symbol.asyncDispose]();
    expect(await failed(connection.query('select 1'))).toMatchObject({ code: '08003' });
    expect(balances(db)).toEqual({ a: 1 });
    expect(db.stats().transactions.live).toBe(0);
  });
});

/** Names are part of the type. */
export const named: (handle: Distributed<'billing' | 'stock'>) => unknown = (handle) =>
  handle.transaction((_tx, { stock }) => stock.query('select 1'));
