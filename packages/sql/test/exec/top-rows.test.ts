/** The first rows of an order, of which most others are told by their first key alone. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { openEngine, type TestEngine } from '../support/engine.js';
import { runQuery, runStatement } from './answers.js';

let test: TestEngine;
let session: SqlSession;

beforeAll(async () => {
  test = await openEngine();
  session = test.session();
  for (const sql of [
    'create table t (id int primary key, f float8, s text, n numeric, i int)',
    `insert into t select i, case i % 50 when 0 then 'NaN' when 1 then null else (i * 7919) % 5003 end,
       'é' || (i * 31) % 997, (i * 13) % 401 / 4.0, case when i % 3 > 0 then -(i * 17) % 3001 end
     from generate_series(1, 6000) i`,
  ])
    await runStatement(session, sql);
});
afterAll(() => test.close());

it('are those of the whole order', () => {
  for (const order of [
    'f, id',
    'f desc, id',
    'f desc nulls last, id desc',
    'i, id',
    'i desc, id',
    'i nulls first, f, id',
    's, id',
    's collate "de-x-icu" desc, id',
    'n desc, s, id',
    'f',
    'i + 1, id desc',
  ]) {
    const all = runQuery(test, session, `select id, f, i, s, n from t order by ${order}`).rows.map(String);
    for (const backEnd of ['generated', 'closures'] as const) {
      for (const [count, offset] of [
        [0, 0],
        [7, 0],
        [600, 40],
        [3000, 1],
      ] as const) {
        const sql = `select id, f, i, s, n from t order by ${order} limit ${count} offset ${offset}`;
        const { rows } = runQuery(test, session, sql, { backEnd });
        expect(rows.map(String), sql).toEqual(all.slice(offset, offset + count));
      }
    }
  }
});
