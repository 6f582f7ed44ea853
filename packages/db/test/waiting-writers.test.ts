/** Writers that wait for a definition to end: they write what the table is then, not what it was when they were planned. */
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Database, openOn } from '../src/index.js';

let db: Database;

beforeEach(async () => {
  db = await openOn(new MemoryVfs(), '/d');
  db.exec('create table t (id int primary key, v int); insert into t select i, i from generate_series(1, 2000) i');
});

afterEach(() => db.close());

it('fill an index that was built while they waited', async () => {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  let isBuilt = (): void => undefined;
  const built = new Promise<void>((resolve) => (isBuilt = resolve));
  const definition = db.transaction(
    async (tx) => {
      await tx.query('create index t_v on t (v)');
      isBuilt();
      await ended;
    },
    { isolation: 'read committed' },
  );
  await built;
  const waiting = [
    db.query('insert into t values (5000, 5000)'),
    db.query('update t set v = 6000 where id = 6'),
    db.query('delete from t where v = 7'),
  ];
  await db.sql`select count(*) from t`;
  end();
  await Promise.all([definition, ...waiting]);
  const plan = await db.sql`explain select id from t where v = 5000`;
  expect(JSON.stringify(plan)).toContain('t_v');
  for (const [v, ids] of [
    [5000, [{ id: 5000 }]],
    [6000, [{ id: 6 }]],
    [6, []],
    [7, []],
  ] as const) {
    expect([v, await db.sql`select id from t where v = ${v}`]).toEqual([v, ids]);
  }
});

it('are told to run again when their snapshot is older than an index that the plan would use', async () => {
  let attempts = 0;
  const rows = await db.transaction(async (tx) => {
    await tx.query('select 1 from t limit 1');
    if (attempts++ === 0) await db.query('create index t_v on t (v)');
    return (await tx.query('select id from t where v = 1234')).rows;
  });
  expect(rows).toEqual([{ id: 1234 }]);
  expect(attempts).toBe(2);
});
