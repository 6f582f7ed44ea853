/** phantom.statements: where the time goes, by texts without their literals, for superusers, in bounded memory. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { type StatementUse, StatementUses } from '../../src/session/statement-uses.js';
import type { PlanStatement } from '../../src/session/statement.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { rows, run } from '../support/statements.js';

let engine: TestEngine;
let session: SqlSession;

beforeEach(async () => {
  engine = await openEngine();
  session = engine.session();
  await run(session, 'create table t (id int primary key, v int)');
});

afterEach(() => engine.close());

const LISTED = 'select query, calls, errors, rows from phantom.statements where query like $$%from t%$$ order by query';

it('counts calls, rows, errors and time of a text, whatever its literals are', async () => {
  await run(session, 'insert into t select i, i % 10 from generate_series(1, 1000) i');
  for (let n = 0; n < 5; n++) await rows(session, `select id from t where v = ${n} and id > 10`);
  expect(await run(session, 'select 1 / (v - v) from t')).toBe('22012');
  expect(await rows(session, LISTED)).toEqual([
    'select 1 / (v - v) from t 0 1 0',
    'select id from t where v = $1 and id > $2 5 0 495',
  ]);
  const times = 'bool_and(total_ms >= max_ms and max_ms >= mean_ms and max_ms > 0)';
  const counted = "calls > 0 and database = 'phantom'";
  expect(await rows(session, `select ${times} from phantom.statements where ${counted}`)).toEqual(['true']);
});

it('is for superusers alone, and holds no text of a utility statement', async () => {
  await run(session, "create role low login password 'hush'");
  expect(await rows(session, "select query from phantom.statements where query like '%hush' || '''%'")).toEqual([]);
  const low = engine.session({ user: 'low' });
  expect(await run(low, 'select * from phantom.statements')).toBe('42501');
});

it('forgets the texts that took the least when there are too many', () => {
  const uses = new StatementUses();
  const statement = (text: string): PlanStatement => ({ text, literals: undefined }) as PlanStatement;
  for (let n = 0; n < 1000; n++) uses.ended(1, statement(`select ${n}`), n, 1);
  uses.failed(2, statement('select'));
  const all: StatementUse[] = [...uses.all()];
  expect(all).toHaveLength(801);
  expect(Math.min(...all.filter(({ calls }) => calls > 0).map(({ totalMs }) => totalMs))).toBe(200);
  for (let n = 0; n < 2; n++) uses.ended(1, statement(`${'x'.repeat(5000)}${n}`), 1, 1);
  expect([...uses.all()].find(({ text }) => text.startsWith('xx'))).toMatchObject({ calls: 2, text: 'x'.repeat(4096) });
});

it('stands beside what PostgreSQL tells of databases and tables', async () => {
  await run(session, 'create database other; insert into t select i, i from generate_series(1, 100) i');
  const there = engine.session({ database: 'other' });
  const backends = 'select datname, numbackends from pg_stat_database where datid > 0 order by datname';
  expect(await rows(session, backends)).toEqual(['other 1', 'phantom 1']);
  there.close();
  const counted = 'xact_commit > 0, xact_rollback >= 0, deadlocks = 0, blks_hit >= 0';
  expect(await rows(session, `select ${counted} from pg_stat_database where datid = 0`)).toEqual([
    'true true true true',
  ]);
  const live = "select n_live_tup, n_dead_tup from pg_stat_user_tables where relname = 't'";
  expect(await rows(session, live)).toEqual(['100 0']);
  expect(await rows(session, 'select count(*) from pg_stat_replication')).toEqual(['0']);
});
