/** Which changes of statistics have a plan made anew: those of the tables that it reads or writes. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { rows, run } from '../support/statements.js';

let engine: TestEngine;
let session: SqlSession;

beforeEach(async () => {
  engine = await openEngine();
  session = engine.session();
  await run(session, 'create table t (id int primary key, v int); create table other (id int primary key)');
  await run(session, 'insert into t select i, i % 10 from generate_series(1, 1000) i; insert into other values (1)');
});

afterEach(() => engine.close());

/** Plans that were made for statements meanwhile. */
async function plansMadeFor(statements: readonly string[]): Promise<number> {
  const { counters } = session.engine;
  const before = counters.plans;
  for (const statement of statements) expect(await run(session, statement)).not.toMatch(/^\d{5}$/);
  return counters.plans - before;
}

it('outlast an ANALYZE of other tables, and none of their own', async () => {
  const statements = [
    'select v, count(*) from t group by v',
    'select * from t where id = 7',
    'select * from t natural join other',
  ];
  await plansMadeFor(statements);
  expect(await plansMadeFor(statements)).toBe(0);
  expect(await run(session, 'analyze other')).toBe('ANALYZE');
  expect(await plansMadeFor(statements)).toBe(1);
  expect(await run(session, 'analyze t')).toBe('ANALYZE');
  expect(await plansMadeFor(statements)).toBe(3);
  expect(await plansMadeFor(statements)).toBe(0);
});

it('go on with what was compiled where an ANALYZE leaves them as they were', async () => {
  const { counters } = session.engine;
  const grouped = 'select v, count(*) from t group by v order by v';
  const joined = 'select count(*) from t a join t b on b.id = a.v where a.id < 500';
  await plansMadeFor([grouped, joined]);
  const answer = await rows(session, joined);
  const { compilations } = counters;
  await run(session, 'analyze t');
  expect(await plansMadeFor([grouped, joined])).toBe(2);
  expect(counters.compilations).toBe(compilations);
  // What the estimates make another plan is another plan.
  await run(session, 'create table u (id int primary key, v int)');
  await run(session, 'create index on u (v); analyze u');
  const found = 'select count(*) from u where v = 5';
  const before = await rows(session, `explain (costs off) ${found}`);
  expect(await rows(session, found)).toEqual(['0']);
  await run(session, 'insert into u select i, i from generate_series(1, 30000) i; analyze u');
  expect(await rows(session, `explain (costs off) ${found}`)).not.toEqual(before);
  expect(await rows(session, found)).toEqual(['1']);
  expect(await rows(session, joined)).toEqual(answer);
});

it('do not outlast a definition', async () => {
  await plansMadeFor(['select * from t where v = 3']);
  await run(session, 'create index on other (id); analyze other');
  expect(await plansMadeFor(['select * from t where v = 3'])).toBe(1);
});
