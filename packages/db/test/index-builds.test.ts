/** Indexes of tables that are there already: sorted, written straight into files where they are large, whatever happens. */
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { type Database, openOn } from '../src/index.js';

/** Their entries in an index of `b` are some two megabytes: enough to be worth a file. */
const ROWS = 6000;
const CREATE = 'create index t_b on t (b)';
const UNIQUE = 'create unique index t_b on t (b)';

let vfs: MemoryVfs;
let db: Database;

async function openTable(rows = ROWS, memoryLimitBytes = 64 * 1024 * 1024): Promise<void> {
  vfs = new MemoryVfs();
  db = await openOn(vfs, '/d', { memoryLimitBytes });
  db.exec(`create table t (a int primary key, b text, n int, tags text[]);
    insert into t select i, i * 7919 % ${ROWS} || repeat('x', 330), nullif(i % 100, 0), array['t' || i % 7, 'u' || i % 11]
    from generate_series(1, ${rows}) i`);
}

afterEach(() => db.close());

/** Log that some work takes. */
async function logged(work: () => unknown): Promise<number> {
  const bytes = (): number => {
    const sample = db.metrics().find(({ name }) => name === 'phantom_wal_appended_bytes_total');
    return sample?.kind === 'counter' || sample?.kind === 'gauge' ? sample.value : Number.NaN;
  };
  const before = bytes();
  await work();
  return bytes() - before;
}

async function expectIndexed(): Promise<void> {
  const read = `select a from t where b = 17 || repeat('x', 330)`;
  expect((await db.query(`explain (costs off) ${read}`)).rows[0]).toMatchObject({
    'QUERY PLAN': expect.stringContaining('using t_b'),
  });
  const [row] = (await db.query(read)).rows;
  expect((Number(row?.a) * 7919) % ROWS).toBe(17);
  expect(await db.sql`select count(*)::int as n from t where b >= '' and b < 'z'`).toEqual([{ n: ROWS }]);
  expect(await db.check()).toEqual([]);
}

describe('an index of a large table', () => {
  it.each([
    ['async', CREATE],
    ['sync', UNIQUE],
    ['async', 'create index t_b on t (b) include (n)'],
    ['async', 'alter table t add constraint t_b unique (b)'],
  ])('is written past the log (%s, %s)', async (road, sql) => {
    await openTable();
    expect(await logged(() => (road === 'sync' ? db.exec(sql) : db.query(sql)))).toBeLessThan(ROWS * 10);
    await expectIndexed();
    expect(await logged(() => db.query('reindex index t_b'))).toBeLessThan(ROWS * 10);
    await db.query(`update t set b = 'y' || b where a = 1`);
    await db.query(`update t set b = substr(b, 2) where a = 1`);
    await db.close();
    db = await openOn(vfs, '/d');
    await expectIndexed();
  });

  it.each([
    ['in a larger transaction', `begin; ${CREATE}; commit`],
    ['beside another action', 'alter table t add constraint t_b unique (b), add check (a > 0)'],
    ['by an older snapshot', `set default_transaction_isolation = 'repeatable read'; ${CREATE}`],
  ])('is written as others are: %s', async (_how, sql) => {
    await openTable();
    expect(await logged(() => db.exec(sql))).toBeGreaterThan(ROWS * 300);
    db.exec('reset default_transaction_isolation');
    await expectIndexed();
  });

  it('needs no more memory than a query may have', async () => {
    await openTable(ROWS, 1024 * 1024);
    await db.query(CREATE);
    await db.query('create index t_tags on t using gin (tags)');
    await expectIndexed();
    expect(await db.sql`select count(*)::int as n from t where tags @> '{t3,u5}'`).toEqual([{ n: 78 }]);
  });

  it.each([
    UNIQUE,
    'create unique index t_b on t (n, b)',
    'alter table t add constraint t_b unique (n, b) deferrable',
    'create unique index t_b on t (left(b, 200)) where a > 10',
    'create unique index t_b on t (b) nulls not distinct',
  ])('is refused for a key that is there twice, and leaves nothing: %s', async (sql) => {
    await openTable(sql === UNIQUE ? ROWS : ROWS / 10);
    db.exec(`insert into t select ${ROWS} + 1, b, n from t where a = 321`);
    await expect(db.query(sql)).rejects.toMatchObject({
      code: '23505',
      message: 'could not create unique index "t_b"',
      detail: expect.stringMatching(/^Key \(.*b.*\)=\(.*xxx.*\) is duplicated\.$/),
    });
    expect(await db.sql`select relname from pg_class where relname = 't_b'`).toEqual([]);
    db.exec(`update t set n = null where b in (select b from t where a = 321)`);
    // Rows with nulls are not alike, but where that is said.
    if (sql.includes('(n')) await db.query(sql);
    else await expect(db.query(sql)).rejects.toMatchObject({ code: '23505' });
    expect(await db.check()).toEqual([]);
  });

  it('goes with its transaction, what was loaded too', async () => {
    await openTable();
    const session = db.createSession({ database: 'phantom', user: 'phantom' });
    const [parsed] = session.parse(CREATE);
    await session.portal(session.prepare(parsed!, CREATE), []).fetch(0, () => undefined);
    // The power goes before the statement is committed: what was loaded goes with the next opening.
    for (const seed of [1, 2]) {
      const rest = await openOn(vfs.crashClone(seed), '/d');
      expect(await rest.sql`select relname from pg_class where relname = 't_b'`).toEqual([]);
      expect(rest.catalog.unfinished.leftBehind).toEqual([]);
      expect(await rest.check()).toEqual([]);
      await rest.close();
    }
    session.fail();
    await session.sync();
    session.close();
    await db.query(CREATE);
    await expectIndexed();
  });
});
