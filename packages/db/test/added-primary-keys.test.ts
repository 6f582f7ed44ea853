/** ADD PRIMARY KEY to tables that are large enough to be written straight into files: what is there afterwards, whatever happens. */
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openOn } from '../src/index.js';

/** Some two megabytes: enough to be worth a file. */
const ROWS = 2500;
const TABLE = `create table t (a int, b text); create index t_b on t (left(b, 3));`;
const ASCENDING = `insert into t select i, i || repeat('x', 1000) from generate_series(1, ${ROWS}) i`;
const DESCENDING = `insert into t select i, i || repeat('x', 1000) from generate_series(${ROWS}, 1, -1) i`;
const ADD = 'alter table t add primary key (a)';
const ONE = `select a, length(b) as length from t where a = 2311`;

let vfs: MemoryVfs;
let db: Database;

beforeEach(async () => {
  vfs = new MemoryVfs();
  db = await openOn(vfs, '/d');
});

afterEach(() => db.close());

function logBytes(): number {
  const sample = db.metrics().find(({ name }) => name === 'phantom_wal_appended_bytes_total');
  return sample?.kind === 'counter' || sample?.kind === 'gauge' ? sample.value : Number.NaN;
}

/** Log that some work takes, of everything beside the rows a few kilobytes. */
async function logged(work: () => unknown): Promise<number> {
  const before = logBytes();
  await work();
  return logBytes() - before;
}

async function expectKeyed(): Promise<void> {
  expect(await db.sql`select count(*)::int as n, min(a) as least, max(a) as most from t`).toEqual([
    { n: ROWS, least: 1, most: ROWS },
  ]);
  expect((await db.query(ONE)).rows).toEqual([{ a: 2311, length: 1004 }]);
  expect((await db.query(`explain (costs off) ${ONE}`)).rows[0]).toEqual({
    'QUERY PLAN': 'Index Scan using t_pkey on t',
  });
  expect((await db.query(`select a from t where left(b, 3) = '119' order by a limit 2`)).rows).toEqual([
    { a: 119 },
    { a: 1190 },
  ]);
  await expect(db.query('insert into t values (2311)')).rejects.toMatchObject({ code: '23505' });
  expect(await db.check()).toEqual([]);
}

describe('a primary key added to a large table', () => {
  it.each(['async', 'sync'])('takes rows that lie in its order past the log (%s)', async (road) => {
    db.exec(TABLE + ASCENDING);
    expect(await logged(() => (road === 'sync' ? db.exec(ADD) : db.query(ADD)))).toBeLessThan(ROWS * 100);
    await expectKeyed();
    await db.close();
    db = await openOn(vfs, '/d');
    await expectKeyed();
  });

  it.each([
    ['out of order', `${TABLE}${DESCENDING}`, ADD],
    ['beside another action', `${TABLE}${ASCENDING}`, `${ADD}, add check (a > 0)`],
    ['in a larger transaction', `${TABLE}${ASCENDING}`, `begin; ${ADD}; commit`],
    ['by an older snapshot', `${TABLE}${ASCENDING}`, `set default_transaction_isolation = 'repeatable read'; ${ADD}`],
  ])('writes rows as others are written: %s', async (_how, before, alter) => {
    db.exec(before);
    expect(await logged(() => db.exec(alter))).toBeGreaterThan(ROWS * 400);
    db.exec('reset default_transaction_isolation');
    await expectKeyed();
  });

  it.each([
    ['null', '23502', 'null'],
    ['a key that is there', '23505', String(ROWS)],
  ])('is refused for %s, and leaves nothing', async (_what, code, last) => {
    db.exec(`${TABLE}${ASCENDING}; insert into t values (${last}, 'last')`);
    await expect(db.query(ADD)).rejects.toMatchObject({ code });
    expect(await db.sql`select count(*)::int as n from t`).toEqual([{ n: ROWS + 1 }]);
    db.exec(`delete from t where b = 'last'; ${ADD}`);
    await expectKeyed();
  });

  it('goes with its transaction, what was loaded too', async () => {
    db.exec(TABLE + ASCENDING);
    const session = db.createSession({ database: 'phantom', user: 'phantom' });
    const [parsed] = session.parse(ADD);
    await session.portal(session.prepare(parsed!, ADD), []).fetch(0, () => undefined);
    // The power goes before the statement is committed: what was loaded goes with the next opening.
    for (const seed of [1, 2, 3]) {
      const rest = await openOn(vfs.crashClone(seed), '/d');
      expect(await rest.sql`select count(*)::int as n from t`).toEqual([{ n: ROWS }]);
      expect(await rest.sql`select conname from pg_constraint where conrelid = 't'::regclass`).toEqual([]);
      expect(rest.catalog.unfinished.leftBehind).toEqual([]);
      await rest.close();
    }
    session.fail();
    await session.sync();
    session.close();
    await expect(db.query('insert into t values (2311)')).resolves.toBeDefined();
    db.exec('delete from t where b is null');
    await db.close();
    db = await openOn(vfs, '/d');
    db.exec(ADD);
    await expectKeyed();
  });
});
