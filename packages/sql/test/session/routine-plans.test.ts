/** Calls of functions cost no parse and no plan once they have been planned, and new plans when what they stand on changes. */
import { expect, it } from 'vitest';
import { openEngine } from '../support/engine.js';

it('plans a body once for each session, and anew when its table changes', async () => {
  const { engine, session, close } = await openEngine();
  const one = session();
  const run = async (sql: string): Promise<unknown> => {
    let value: unknown;
    const statement = one.prepareText(sql);
    await one.portal(statement, []).fetch(0, ({ columns }) => (value = columns[0]?.[0]));
    await one.sync();
    return value;
  };
  await run('create table t (id int primary key, v int)');
  await run('insert into t values (1, 7)');
  await run(`create function v_of(int) returns int language sql as 'select v from t where id = $1'`);
  await run(`create function bump(int) returns int language sql as 'update t set v = v + 1 where id = $1 returning v'`);
  await run('create table log (v int)');
  await run(
    `create trigger noted after update on t referencing new row as n for each row insert into log values (n.v)`,
  );
  const both = 'select v_of(1), bump(1)';
  for (let i = 0; i < 3; i++) await run(both);
  const { plans, parses } = engine.counters;
  for (let i = 0; i < 5; i++) await run(both);
  expect(engine.counters.plans).toBe(plans);
  expect(engine.counters.parses).toBe(parses);
  expect(await run('select count(*) from log')).toBe(8);
  await run('alter table t add column w int default 3');
  await run(`create or replace function v_of(int) returns int language sql as 'select w from t where id = $1'`);
  expect(await run(both)).toBe(3);
  expect(engine.counters.plans).toBeGreaterThan(plans);
  await close();
});
