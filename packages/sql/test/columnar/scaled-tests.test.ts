/** Comparisons of decimals over a column index are those over the table: other scales, nulls, NaN, numbers that are not safe. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { rows, run } from '../support/statements.js';

let engine: TestEngine;
let session: SqlSession;

beforeAll(async () => {
  engine = await openEngine();
  session = engine.session();
  await run(session, 'create table t (id int primary key, price numeric(15, 2) not null, part numeric, mixed numeric)');
  await run(
    session,
    `insert into t select n, n * 1.25, case when n > 100 and n % 10 > 0 then (n % 7)::numeric / 1000 end,
      case n % 6 when 0 then 'NaN' when 1 then 12345678901234567890.5 when 2 then n / 8.0 when 3 then -0.5
        when 4 then '-Infinity' end
      from generate_series(1, 300) n`,
  );
  await run(session, 'create index t_columns on t using column (id, price, part, mixed) with (segment_rows = 64)');
  await run(session, 'update t set price = 90071992547409.91 where id % 50 = 1; delete from t where id = 7');
  await run(session, 'set enable_seqscan = off; set enable_indexscan = off');
});

afterAll(() => engine.close());

const OPERANDS = [
  'price',
  'part',
  'mixed',
  'price * part',
  '12.5',
  '-0.5',
  '0.003',
  '0',
  '12345678901234567890.5',
  "'NaN'::numeric",
];

it.each(OPERANDS)('%s against the others', async (left) => {
  for (const right of OPERANDS) {
    if (!/[a-z]{4}/.test(left + right)) continue;
    const tests = ['<', '<=', '>', '>=', '=', '<>'].map((operator) => `${left} ${operator} ${right}`);
    const counts = tests.flatMap((test) => [test, `not (${test})`, `(${test}) is not true`]);
    const text = `select ${counts.map((test) => `count(*) filter (where ${test})`).join(', ')} from t where id > 0`;
    await run(session, 'set enable_columnscan = on');
    const found = await rows(session, text);
    await run(session, 'set enable_columnscan = off');
    expect(found, right).toEqual(await rows(session, text));
  }
});

it('in WHERE', async () => {
  for (const where of [
    'price < 24',
    'price >= 24.005',
    'not price > 100.5',
    'part = 0.003',
    'part <> 0.0030',
    'mixed < price',
  ]) {
    const text = `select id from t where ${where} order by id`;
    await run(session, 'set enable_columnscan = on');
    expect((await rows(session, `explain ${text}`)).join()).toContain('Column Scan');
    const found = await rows(session, text);
    await run(session, 'set enable_columnscan = off');
    expect(found).toEqual(await rows(session, text));
  }
});
