/** Sums of decimals over a column index are those over the table, whatever becomes of the numbers on the way. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { rows, run } from '../support/statements.js';

let engine: TestEngine;
let session: SqlSession;

beforeAll(async () => {
  engine = await openEngine();
  session = engine.session();
  await run(
    session,
    'create table t (id int primary key, g int, price numeric(15, 2) not null, part numeric, mixed numeric)',
  );
  await run(
    session,
    `insert into t select n, n % 3, n * 1.37, case when n % 10 > 0 then (n % 7)::numeric / 1000 end,
      case n % 5 when 0 then 'NaN' when 1 then 12345678901234567890.5 when 2 then n / 8.0 when 3 then -0.5 end
      from generate_series(1, 400) n`,
  );
  await run(session, 'create index t_columns on t using column (id, g, price, part, mixed) with (segment_rows = 64)');
  await run(
    session,
    'update t set price = 90071992547409.91, part = 9007199254740991 where id % 50 = 1; delete from t where id = 7',
  );
  await run(session, 'set enable_seqscan = off; set enable_indexscan = off');
});

afterAll(() => engine.close());

it.each([
  'price',
  'part',
  'mixed',
  'price * (1 - part)',
  'price * (1 - part) * (1 + part)',
  'part - price - part',
  'price + 0.00001',
  'price * 100000 - price * 100000',
  'part * mixed',
  '-0.0 * price',
  'price * id',
])('sum(%s)', async (argument) => {
  for (const when of ['g <> 1', 'mixed = mixed', 'id < 0']) {
    const text = `select g, sum(${argument}), avg(${argument}), count(${argument}) from t where ${when} group by g order by g`;
    await run(session, 'set enable_columnscan = on');
    const found = await rows(session, text);
    await run(session, 'set enable_columnscan = off');
    expect(found).toEqual(await rows(session, text));
  }
});

it('takes in what was written', async () => {
  await run(session, 'set enable_columnscan = on');
  const text = 'select sum(price * (1 - part)) from t where id > 0';
  expect((await rows(session, `explain ${text}`)).join()).toContain('Column Scan');
  const before = await rows(session, text);
  expect(await run(session, 'vacuum t')).toBe('VACUUM');
  expect(await rows(session, text)).toEqual(before);
});
