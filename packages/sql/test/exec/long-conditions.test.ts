/** Conditions of thousands of tests, as programs write them. */
import { expect, it } from 'vitest';
import { openEngine } from '../support/engine.js';
import { runQuery, runStatement } from './answers.js';

it('tests a column against thousands of values that stand in an OR', async () => {
  const engine = await openEngine();
  const session = engine.session();
  await runStatement(session, 'create table t (id int primary key, a int, b int)');
  await runStatement(session, 'insert into t select i, i % 100, i % 7 from generate_series(1, 1000) i');
  const either = (column: string): string =>
    Array.from({ length: 5000 }, (_, i) => `${column} = ${3 * i}`).join(' or ');
  const count = (condition: string): unknown =>
    runQuery(engine, session, `select count(*) from t where ${condition}`).rows;
  expect(count(either('id'))).toEqual(count('id % 3 = 0'));
  expect(count(`${either('a')} or b = 5`)).toEqual(count('a % 3 = 0 or b = 5'));
  expect(count(`not (${either('a')} or b = 5)`)).toEqual(count('not (a % 3 = 0 or b = 5)'));
});
