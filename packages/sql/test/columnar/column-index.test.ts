/**
 * A scan of a column index gives what a scan of the table gives: whatever was written, by whom, and how far the index has caught up.
 */
import { Random } from '@phantom/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { rows, run } from '../support/statements.js';

let engine: TestEngine;
let session: SqlSession;

beforeEach(async () => {
  engine = await openEngine();
  session = engine.session();
});

afterEach(() => engine.close());

const TABLE = `create table t (id int primary key, a int, b bigint, c numeric(15, 2), d date, e timestamptz, f float8, g text,
  h boolean, i jsonb, j char(3), untold text)`;
const COLUMNS = 'id, a, b, c, d, e, f, g, h, i, j';
const INDEX = `create index t_columns on t using column (${COLUMNS})`;

/** Runs statements that must not fail. */
async function does(sql: string, on: SqlSession = session): Promise<void> {
  expect(await run(on, sql)).not.toMatch(/^(?=.*\d)[0-9A-Z]{5}$/);
}

/** Rows whose columns have nulls, few values, many values, and values out of the ordinary. */
function fill(from: number, to: number): string {
  return `insert into t select n, n % 7 * 1000 - 3000, case when n % 5 = 0 then null else n * 10000000000 end,
    (n % 100)::numeric / 100, date '2020-01-01' + n, timestamptz '2020-01-01 00:00:00Z' + n * interval '1 second',
    case n % 4 when 0 then 'NaN' when 1 then n / 3.0 when 2 then -0.0 else null end,
    case n % 3 when 0 then 'word' || n % 9 when 1 then 'größer ' || n else null end, n % 2 = 0,
    case when n % 11 = 0 then jsonb_build_object('n', n) end, 'x' || n % 3, 'untold'
    from generate_series(${from}, ${to}) n`;
}

const BY_COLUMNS = 'set enable_columnscan = on; set enable_seqscan = off; set enable_indexscan = off';
const BY_ROWS = 'set enable_columnscan = off; set enable_seqscan = on; set enable_indexscan = on';

/** The query's rows by way of the index and by the table, which must be alike; sorted, since a scan of columns has no order. */
async function alike(query: string, on: SqlSession = session): Promise<string[]> {
  await does(BY_COLUMNS, on);
  const found = (await rows(on, query)).sort();
  await does(BY_ROWS, on);
  expect((await rows(on, query)).sort()).toEqual(found);
  return found;
}

/** The same, and the plans are what they should be. */
async function both(query: string, on: SqlSession = session): Promise<string[]> {
  await does(BY_COLUMNS, on);
  expect((await rows(on, `explain ${query}`)).join('\n')).toContain('Column Scan using t_columns');
  await does(BY_ROWS, on);
  expect((await rows(on, `explain ${query}`)).join('\n')).not.toContain('Column Scan');
  return alike(query, on);
}

const ALL = `select ${COLUMNS} from t`;

describe('a column index', () => {
  it('holds every type as the table does', async () => {
    await does(`${TABLE}; ${fill(1, 300)}; ${INDEX}`);
    expect(await both(ALL)).toHaveLength(300);
    await both('select count(*), sum(c), sum(a), min(d), max(e), avg(f) from t where a > 0 and g is not null');
    await both("select g, count(*) from t where d >= date '2020-03-01' and c <> 0.5 group by g");
    expect(await both('select a from t where b = 20000000000')).toEqual(['-1000']);
  });

  it('gives what was written since by anybody who may see it', async () => {
    await does(`${TABLE}; ${fill(1, 100)}; ${INDEX}`);
    const other = engine.session();
    await does('begin isolation level repeatable read', other);
    expect(await both('select count(*) from t', other)).toEqual(['100']);
    await does(
      'begin; delete from t where id <= 10; update t set a = 1 where id = 50; update t set id = 500 where id = 60',
    );
    await does(fill(101, 120));
    expect(await both('select count(*), count(*) filter (where a = 1), max(id) from t')).toEqual(['110 1 500']);
    expect(await both('select count(*), count(*) filter (where a = 1), max(id) from t', other)).toEqual(['100 0 100']);
    await does('savepoint s; delete from t; rollback to s; commit');
    await does('vacuum t');
    expect(await both('select count(*), count(*) filter (where a = 1), max(id) from t')).toEqual(['110 1 500']);
    expect(await both('select count(*), count(*) filter (where a = 1), max(id) from t', other)).toEqual(['100 0 100']);
    await does('commit', other);
    expect(await both(ALL, other)).toHaveLength(110);
  });

  it('goes with its table through changes of its definition', async () => {
    await does(`${TABLE}; ${fill(1, 100)}; ${INDEX} with (segment_rows = 16)`);
    await does('alter table t add added int default 5; alter table t rename column g to renamed');
    await both('select id, renamed from t');
    expect(await rows(session, 'explain select added from t')).not.toContain('Column Scan');
    await does('alter table t alter a type numeric(10, 1)');
    expect(await both('select sum(a) from t')).toEqual(['-3000.0']);
    await does('vacuum t');
    await does('reindex index t_columns');
    expect(await both('select count(*), sum(a) from t')).toEqual(['100 -3000.0']);
    await does(`truncate t; insert into t (id, a) values (1, 2)`);
    expect(await both('select id, a, b from t')).toEqual(['1 2.0 null']);
    await does('begin; drop index t_columns; rollback');
    await both('select id from t');
    await does('alter table t drop a');
    expect(await rows(session, 'select count(*) from pg_indexes where indexname = $$t_columns$$')).toEqual(['0']);
  });

  it('is made in a transaction, of a temporary table, and while others write', async () => {
    await does(`begin; ${TABLE}; ${fill(1, 50)}; ${INDEX}; delete from t where id = 3`);
    expect(await both('select count(*) from t')).toEqual(['49']);
    await does('rollback');
    await does(`${TABLE.replace('create', 'create temporary')}; ${fill(1, 50)}; ${INDEX}; delete from t where id < 3`);
    expect(await both('select count(*) from t')).toEqual(['48']);
    await does(`drop table t; ${TABLE}; ${fill(1, 50)}`);
    await does(INDEX.replace('index', 'index concurrently'));
    expect(await both('select count(*), max(g) from t')).toEqual(['50 word6']);
    await does('reindex index concurrently t_columns');
    expect(await both('select count(*), max(g) from t')).toEqual(['50 word6']);
  });

  it('keeps serializable transactions from what they cannot have seen', async () => {
    await does(`${TABLE}; ${fill(1, 50)}; ${INDEX}`);
    const [one, two] = [engine.session(), engine.session()];
    for (const on of [one, two]) {
      await does(`${BY_COLUMNS}; begin isolation level serializable`, on);
      expect(await rows(on, 'select count(*) from t where a = 77')).toEqual(['0']);
    }
    await does('insert into t (id, a) values (100, 77)', one);
    await does('insert into t (id, a) values (101, 77)', two);
    expect([await run(one, 'commit'), await run(two, 'commit')]).toEqual(['COMMIT', '40001']);
  });

  it('waits for no prepared transaction, and shows what it has written once it is committed', async () => {
    await does(`${TABLE}; ${fill(1, 50)}; ${INDEX}`);
    await does(
      "begin; update t set a = 5 where id < 10; delete from t where id = 40; prepare transaction 'p'",
      engine.session(),
    );
    await does('vacuum t');
    expect(await both('select count(*) from t')).toEqual(['50']);
    await does("commit prepared 'p'");
    expect(await both('select count(*) from t')).toEqual(['49']);
    expect(await both('select count(*) from t where a = 5')).toEqual(['9']);
  });

  it('shows itself in the catalog and in plans', async () => {
    await does(`${TABLE}; create index t_columns on t using column (a, c) with (segment_rows = 64)`);
    expect(await rows(session, "select indexdef from pg_indexes where indexname = 't_columns'")).toEqual([
      "CREATE INDEX t_columns ON public.t USING column (a, c) WITH (segment_rows='64')",
    ]);
    const method = 'select amname from pg_am m join pg_class c on c.relam = m.oid where c.relname = $$t_columns$$';
    expect(await rows(session, method)).toEqual(['column']);
    await does('set enable_seqscan = off; set enable_indexscan = off');
    expect(await rows(session, 'explain (costs off) select sum(c) from t where a > 3')).toEqual([
      'Aggregate',
      '  ->  Column Scan using t_columns on t',
      '        Segment Cond: (a > 3)',
      '        Filter: (a > 3)',
    ]);
    expect(await rows(session, 'explain select untold from t')).not.toContain('Column Scan');
    expect((await rows(session, 'explain update t set a = 1')).join()).not.toContain('Column Scan');
  });

  /** Segments read and skipped, and rows of the table that a scan took in their place. */
  async function segmentsOf(query: string): Promise<string> {
    await does(BY_COLUMNS);
    const plan = await rows(session, `explain (analyze, timing off) ${query}`);
    return plan
      .filter((line) => /Segments|Rows From/.test(line))
      .map((line) => line.trim())
      .join(', ');
  }

  it('tells which segments a scan has read, and which it could pass over', async () => {
    await does(`${TABLE}; ${fill(1, 640)}; create index t_columns on t using column (id, a) with (segment_rows = 64)`);
    expect(await segmentsOf('select sum(a) from t')).toBe('Segments Read: 10, Segments Skipped: 0');
    expect(await segmentsOf('select sum(a) from t where id > 600')).toBe('Segments Read: 1, Segments Skipped: 9');
    expect(await segmentsOf('select sum(a) from t where id < 0')).toBe('Segments Read: 0, Segments Skipped: 10');
    await does('update t set a = 77 where id % 100 = 0');
    expect(await segmentsOf('select sum(a) from t')).toBe('Segments Read: 10, Segments Skipped: 0, Rows From Table: 6');
    expect((await rows(session, 'explain select sum(a) from t')).join()).not.toContain('Segments');
  });

  it('makes few segments of what is left of many', async () => {
    await does(`${TABLE}; ${fill(1, 1280)}; ${INDEX} with (segment_rows = 64)`);
    expect(await segmentsOf('select sum(a) from t')).toBe('Segments Read: 20, Segments Skipped: 0');
    await does('delete from t where id % 16 <> 0');
    await does('vacuum t');
    expect(await alike(ALL)).toHaveLength(80);
    expect(await segmentsOf('select sum(a) from t')).toMatch(/^Segments Read: [34], Segments Skipped: 0$/);
    // All but the last rows, and all.
    await does('delete from t where id < 1200');
    await does('vacuum t');
    await does('insert into t (id, a) values (5, 1)');
    expect(await alike(ALL)).toHaveLength(7);
    await does('delete from t');
    await does('vacuum t');
    expect(await alike(ALL)).toEqual([]);
    expect(await segmentsOf('select sum(a) from t')).toBe('Segments Read: 0, Segments Skipped: 0');
  });

  it('makes no more segments one than fit, though all of their rows were changed', async () => {
    await does(`${TABLE}; ${fill(1, 1280)}; ${INDEX} with (segment_rows = 64)`);
    const before = await alike(ALL);
    await does('update t set a = a + 1');
    await does('update t set a = a - 1');
    await does('vacuum t');
    expect(await alike(ALL)).toEqual(before);
    expect(await segmentsOf('select sum(a) from t')).toBe('Segments Read: 20, Segments Skipped: 0');
  });

  it('is passed over while it is far behind', async () => {
    await does(`${TABLE}; ${fill(1, 4000)}; create index t_columns on t using column (a)`);
    await does('analyze t');
    // Other texts, so that each is planned anew.
    let asked = 0;
    const plan = async (): Promise<string> => (await rows(session, `explain select sum(a), ${asked++} from t`)).join();
    expect(await plan()).toContain('Column Scan');
    await does('update t set a = a + 1');
    expect(await plan()).toContain('Seq Scan');
    await does('vacuum t');
    expect(await plan()).toContain('Column Scan');
  });

  it.each([
    ['unique', 'create unique index on t using column (a)', '0A000'],
    ['an order', 'create index on t using column (a desc)', '0A000'],
    ['an expression', 'create index on t using column ((a + 1))', '0A000'],
    ['a predicate', 'create index on t using column (a) where a > 1', '0A000'],
    ['included columns', 'create index on t using column (a) include (b)', '0A000'],
    ['segments of no size', 'create index on t using column (a) with (segment_rows = 1)', '22023'],
    ['segments of another method', 'create index on t (a) with (segment_rows = 100)', '22023'],
  ])('refuses %s', async (_, sql, code) => {
    await does(TABLE);
    expect(await run(session, sql)).toBe(code);
  });

  it.each([1, 2])('is exact at every snapshot, whatever is written and taken in (seed %i)', async (seed) => {
    const random = new Random(seed);
    await does(`${TABLE}; ${fill(1, 200)}; ${INDEX} with (segment_rows = 16)`);
    const others = [engine.session(), engine.session()];
    const writes = [
      () => `update t set a = ${random.below(5)}, g = 'changed' where id % 20 = ${random.below(20)}`,
      () => `update t set untold = 'another' where id = ${random.below(300)}`,
      () => `update t set id = id + 1000 where id % 50 = ${random.below(50)} and id < 1000`,
      () => `delete from t where id between ${random.below(300)} and ${random.below(300)}`,
      () => fill(random.below(100), 130) + ' on conflict do nothing',
      () => fill(2000 + random.below(300), 2300) + ' on conflict (id) do update set a = 99',
      () => `begin; update t set a = 7 where id < 90; savepoint s; delete from t; rollback to s; commit`,
      () => `begin; delete from t where id > 100; rollback`,
      () => 'vacuum t',
      () => 'vacuum t',
    ];
    for (let round = 0; round < 25; round++) {
      const other = others[random.below(2)] as SqlSession;
      if (round % 7 === 0)
        await does(other.transaction === undefined ? 'begin isolation level serializable' : 'commit', other);
      await does((writes[random.below(writes.length)] as () => string)());
      const all = await alike(ALL);
      expect(await rows(session, 'select count(*) from t')).toEqual([String(all.length)]);
      await alike("select count(*), sum(c), max(g) from t where id > 150 and d < date '2020-08-01'", other);
    }
  });
});
