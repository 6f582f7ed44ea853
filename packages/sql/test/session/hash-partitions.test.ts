/** Hash partitions: rows lie where PostgreSQL 15 has them; those of tables from before that stay where they are. */
import type { TableDescriptor } from '@phantom/catalog';
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

const scanned = async (sql: string, ...parameters: unknown[]): Promise<number> => {
  const { counters } = session.engine;
  const before = counters.rowsScanned;
  await session.portal(session.prepareText(sql), parameters).fetch(0, () => undefined);
  await session.sync();
  return counters.rowsScanned - before;
};

/** Makes a table with four partitions, and has the commands of `between` run before the first row comes. */
async function makeTable(columns: string, key: string, between = async (): Promise<void> => undefined): Promise<void> {
  await run(session, `create table t (${columns}) partition by hash (${key})`);
  await between();
  for (let i = 0; i < 4; i++)
    await run(session, `create table t${i} partition of t for values with (modulus 4, remainder ${i})`);
}

describe('PostgreSQL has the remainder of', () => {
  /** Type of the key, value, and the remainder by 1024 that PostgreSQL 15 gives. */
  const PLACES: readonly (readonly [columns: string, values: string, remainder: number])[] = [
    ['int', '42', 610],
    ['int', '-1', 933],
    ['bigint', '42', 610],
    ['bigint', '-1', 933],
    ['bigint', '9007199254740993', 581],
    ['real', "'1.1'", 858],
    ['real', "'-0'", 480],
    ['numeric', "'1.500'", 758],
    ['numeric', "'-7'", 712],
    ['numeric', "'NaN'", 480],
    ['amount', "'1.5'", 758],
    ['text', "'abc'", 677],
    ['text', "'näïve 😀, and more'", 858],
    ['char(5)', "'abc'", 677],
    ['varchar(9)', "'abc'", 677],
    ['bytea', "'\\x00ff'", 841],
    ['boolean', 'true', 952],
    ['date', "'2024-02-29'", 231],
    ['date', "'infinity'", 383],
    ['timestamptz', "'2024-02-29 12:00+00'", 926],
    ['interval', "'1 mon'", 955],
    ['interval', "'30 days'", 955],
    ['uuid', "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", 464],
    ['inet', "'10.1.2.3/16'", 565],
    ['jsonb', '\'{"b": [1], "aa": null}\'', 118],
    ['text[]', "'{a,NULL}'", 393],
    ['int4range', "'[1,5]'", 151],
    ['pair', "'(1,x)'", 58],
    ['int, b text', "1, 'x'", 566],
    ['int, b text', "null, 'x'", 111],
    ['int, b text', '1, null', 952],
    ['int, b text', 'null, null', 0],
  ];

  it.each(PLACES)('%s: %s', async (columns, values, remainder) => {
    const key = columns.includes(',') ? 'a, b' : 'a';
    await run(session, 'create domain amount as numeric(10, 2); create type pair as (a int, b text)');
    await run(session, `create table t (a ${columns}) partition by hash (${key})`);
    await run(session, `create table p partition of t for values with (modulus 1024, remainder ${remainder})`);
    expect(await run(session, `insert into t values (${values})`)).toBe('INSERT 0 1');
    expect(
      await rows(session, `select satisfies_hash_partition('t'::regclass, 1024, ${remainder}, ${key}) from t`),
    ).toEqual(['true']);
  });

  it('a label: that of its oid', async () => {
    await run(session, "create type mood as enum ('sad', 'happy')");
    await makeTable('a mood', 'a');
    await run(session, "insert into t values ('sad'), ('happy')");
    const oids =
      "select count(*) from t join pg_enum on enumlabel = a::text where enumtypid = 'mood'::regtype and hashenum(a) = hashoid(oid)";
    expect(await rows(session, oids)).toEqual(['2']);
    await run(session, "alter type mood rename value 'sad' to 'blue'; alter type mood add value 'calm' before 'happy'");
    expect(await rows(session, "select a from t where a = 'blue'")).toEqual(['blue']);
  });
});

describe('hash partitions', () => {
  it('are read where the key says', async () => {
    await makeTable('k int, s text', 'k, lower(s)');
    await run(session, "insert into t select i, 'K' || i from generate_series(1, 400) i; analyze t");
    const all = 400;
    for (let k = 1; k <= 5; k++) {
      expect(await rows(session, `select s from t where k = ${k} and lower(s) = 'k${k}'`)).toEqual([`K${k}`]);
      expect(await rows(session, `select s from t where k = ${k}::bigint and lower(s) = 'k${k}'`)).toEqual([`K${k}`]);
    }
    expect(await scanned("select s from t where k = 7 and lower(s) = 'k7'")).toBeLessThan(all / 2);
    expect(await scanned('select s from t where k = $1 and lower(s) = $2', 7, 'k7')).toBeLessThan(all / 2);
    expect(await rows(session, "select k from t where k = 7 and lower(s) in ('k6', 'k7', null)")).toEqual(['7']);
    expect(await rows(session, 'select k from t where k = 7 and lower(s) = null')).toEqual([]);
    expect(await rows(session, "select k from t where k = any ('{7,8,null}') and lower(s) = 'k8'")).toEqual(['8']);
    expect(await scanned('select s from t where k = 7')).toBe(all);
  });

  it('may have several moduli, and rows that belong in none', async () => {
    await run(session, 'create table t (k int) partition by hash (k)');
    await run(session, 'create table t0 partition of t for values with (modulus 2, remainder 0)');
    await run(session, 'create table t1 partition of t for values with (modulus 4, remainder 1)');
    const places: string[] = [];
    for (let k = 1; k <= 20; k++) places.push(await run(session, `insert into t values (${k})`));
    expect(new Set(places)).toEqual(new Set(['INSERT 0 1', '23514']));
    const wrong =
      "select count(*) from t where case tableoid::regclass::text when 't0' then not satisfies_hash_partition('t'::regclass, 2, 0, k) else not satisfies_hash_partition('t'::regclass, 4, 1, k) end";
    expect(await rows(session, wrong)).toEqual(['0']);
  });

  it('have keys of types with a hash', async () => {
    for (const type of ['money', 'bit(3)', 'money[]'])
      expect(await run(session, `create table m (a ${type}) partition by hash (a)`)).toBe('42704');
    await run(session, 'create type bad as (a money)');
    await makeTable('a bad', 'a');
    expect(await run(session, "insert into t values ('(1)')")).toBe('42883');
    expect(await run(session, "insert into t values ('()')")).toBe('INSERT 0 1');
  });

  it('are asked for with satisfies_hash_partition', async () => {
    await makeTable('k int, s text', 'k, s');
    const ask = (args: string): Promise<string[]> => rows(session, `select satisfies_hash_partition(${args})`);
    expect(await ask("null, 4, 0, 1, 'x'")).toEqual(['false']);
    expect(await ask("0, 4, 0, 1, 'x'")).toEqual(['false']);
    for (const wrong of [
      "'t0'::regclass, 4, 0, 1",
      "'t'::regclass, 0, 0, 1, 'x'::text",
      "'t'::regclass, 4, -1, 1, 'x'::text",
      "'t'::regclass, 4, 4, 1, 'x'::text",
      "'t'::regclass, 4, 0, 1",
      "'t'::regclass, 4, 0, 1::bigint, 'x'::text",
    ])
      expect(await ask(wrong)).toEqual(['22023']);
    expect(await ask("'t'::regclass, 1, 0, null::int, 'x'::varchar")).toEqual(['true']);
    expect(await rows(session, "select pg_get_partition_constraintdef('t1'::regclass) ~ 'satisfies_hash'")).toEqual([
      'true',
    ]);
  });
});

describe('a table from before', () => {
  /** As a directory has it that was written then: nothing in the catalog says whose hash it is. */
  async function unmark(name: string): Promise<void> {
    const { mvcc } = engine;
    const { catalog } = engine.engine;
    const table = [...catalog.committed.objects()].find((one) => one.kind === 'table' && one.name === name);
    const { partitioned, ...rest } = table as TableDescriptor;
    expect(partitioned?.hash).toBe('postgresql');
    const transaction = mvcc.begin();
    const { strategy, parts } = partitioned as NonNullable<typeof partitioned>;
    catalog.begin(transaction).put({ ...rest, partitioned: { strategy, parts } });
    await transaction.commit();
  }

  it('keeps its rows where they are, finds them and takes more', async () => {
    await makeTable('k int, s text', 'k, s', () => unmark('t'));
    const values = "select i, case when i % 4 > 0 then 'x' || i end from generate_series(1, 12) i";
    await run(session, `insert into t ${values}; create index i on t (s); update t set k = null where k = 12`);
    // What the code before PostgreSQL's hash gave.
    expect(await rows(session, 'select k, right(tableoid::regclass::text, 1) from t order by k')).toEqual(
      '1 1,2 1,3 1,4 0,5 3,6 0,7 1,8 1,9 1,10 1,11 1,null 0'.split(','),
    );
    for (const k of [1, 2, 3, 5, 6])
      expect(await rows(session, `select s from t where k = ${k} and s = 'x${k}'`)).toEqual([`x${k}`]);
    expect(await scanned("select * from t where k = 1 and s = 'x1'")).toBeLessThan(12);
    expect(await run(session, "update t set k = k + 100; insert into t values (1, 'x1')")).toBe('INSERT 0 1');
    const wrong = [0, 1, 2, 3].map(
      (r) => `select count(*) from t${r} where not satisfies_hash_partition('t'::regclass, 4, ${r}, k, s)`,
    );
    expect(await rows(session, wrong.join(' union all '))).toEqual(['0', '0', '0', '0']);
    expect(await run(session, "alter table t rename column s to label; insert into t values (5, 'x5')")).toBe(
      'INSERT 0 1',
    );
    expect(await rows(session, "select label from t where k = 5 and label = 'x5'")).toEqual(['x5']);
  });

  it('gives its rows to a new one', async () => {
    await makeTable('k int', 'k', () => unmark('t'));
    expect(await rows(session, "select satisfies_hash_partition('t'::regclass, 1024, 610, 42)")).toEqual(['false']);
    await run(session, 'insert into t select generate_series(1, 50)');
    await run(session, 'create table u (like t) partition by hash (k)');
    await run(session, 'create table u0 partition of u for values with (modulus 2, remainder 0)');
    await run(session, 'create table u1 partition of u for values with (modulus 2, remainder 1)');
    expect(await run(session, 'insert into u select * from t')).toBe('INSERT 0 50');
    expect(await run(session, 'alter table t detach partition t0')).toBe('ALTER TABLE');
    const moved = 'alter table u detach partition u0; alter table u attach partition t0 for values with';
    expect(await run(session, `${moved} (modulus 2, remainder 0)`)).toBe('23514');
  });
});
