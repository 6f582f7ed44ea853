/** Functions on the roads of single statements: by key, in definitions, in COPY's way of writing. */
import { expect, it } from 'vitest';
import { openEngine } from '../support/engine.js';

it('runs a read by key that calls a function in a transaction of its own', async () => {
  const { session, close } = await openEngine();
  const [one, other] = [session(), session()];
  const run = async (on: typeof one, sql: string): Promise<unknown> => {
    let value: unknown;
    await on.portal(on.prepareText(sql), []).fetch(0, ({ columns }) => (value = columns[0]?.[0]));
    await on.sync();
    return value;
  };
  await run(one, 'create table t (id int primary key, v int)');
  await run(one, 'insert into t values (1, 7)');
  await run(
    one,
    `create function bump(int) returns int language sql as 'update t set v = v + 1 where id = $1 returning v'`,
  );
  const statement = one.prepareText('select bump(id) from t where id = 1');
  expect(statement.kind === 'plan' && statement.plan.pointLookup).toBeUndefined();
  expect(await run(one, 'select bump(id) from t where id = 1')).toBe(8);
  expect(one.transaction).toBeUndefined();
  expect(await run(one, 'select v from t where id = 1')).toBe(8);
  // A definition cannot be run anew: it says so where a default is computed at once; a query in it waits.
  await run(one, 'create table filled as select 1 as a');
  await run(other, 'begin');
  await run(other, 'update t set v = 0');
  await expect(run(one, 'alter table filled add b int default bump(1)')).rejects.toMatchObject({ code: '40001' });
  const making = run(one, 'create table made as select bump(1) as b');
  await run(other, 'commit');
  await making;
  expect(await run(one, 'select b from made')).toBe(1);
  expect(await run(one, 'select bump(1)')).toBe(2);
  await close();
});
