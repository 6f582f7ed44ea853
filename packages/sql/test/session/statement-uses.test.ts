/** phantom.statements and pg_stat_statements: where the time goes, by texts without their constants, in bounded memory. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type SqlSession, controlBlock, lookUp, writePoint, writePointInTurn } from '../../src/index.js';
import { StatementUses } from '../../src/session/statement-uses.js';
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

async function uses(text: string, from = session): Promise<string[]> {
  return rows(from, `select calls, errors, rows from phantom.statements where query = $$${text}$$`);
}

it('counts calls, rows, errors and time of a text, whatever its constants are', async () => {
  await run(session, 'insert into t select i, i % 10 from generate_series(1, 1000) i');
  for (let n = 0; n < 5; n++) await rows(session, `select id from t where v = ${n} and id > 10`);
  for (let n = 0; n < 5; n++)
    await rows(session, `select ${n}, 'x' from t where v in (${n}, 3) limit 1 -- caller ${n}`);
  expect(await run(session, 'select 1 / (v - v) from t')).toBe('22012');
  expect(await rows(session, LISTED)).toEqual([
    'select $1 / (v - v) from t 0 1 0',
    'select $1, $2 from t where v in ($3, $4) limit $5 5 0 5',
    'select id from t where v = $1 and id > $2 5 0 495',
  ]);
  const times = 'bool_and(total_ms >= max_ms and max_ms >= mean_ms and mean_ms >= min_ms and min_ms > 0)';
  const counted = "calls > 1 and database = 'phantom' and role = 'phantom'";
  expect(await rows(session, `select ${times} from phantom.statements where ${counted}`)).toEqual(['true']);
});

it('counts rows looked up and written by their key, and blocks around them', async () => {
  const insert = session.prepareText('insert into t values ($1, $2)') as PlanStatement;
  const select = session.prepareText('select v from t where id = $1') as PlanStatement;
  for (let n = 0; n < 20; n++) {
    expect(writePoint(session, insert, [n, n])).toBe(1);
    await session.sync();
  }
  for (let n = 0; n < 40; n++) lookUp(session, select, [n], []);
  expect(await uses('insert into t values ($1, $2)')).toEqual(['20 0 20']);
  expect(await uses('select v from t where id = $1')).toEqual(['40 0 20']);
  expect(await run(session, 'insert into t values (1, 1)')).toBe('23505');
  const block = ['begin', 'commit'].map((text) => session.prepareText(text));
  for (const statement of block) await controlBlock(session, statement);
  expect(await uses('insert into t values ($1, $2)')).toEqual(['20 1 20']);
  expect([await uses('begin'), await uses('commit')].flat()).toEqual(['1 0 0', '1 0 0']);
  const timed = "select total_ms > max_ms from phantom.statements where query like 'select v%'";
  expect(await rows(session, timed)).toEqual(['true']);
});

it('waits for a row are in the time of the statement that waits', async () => {
  await run(session, 'insert into t values (1, 1)');
  const other = engine.session();
  await run(other, 'begin; update t set v = 2 where id = 1');
  const update = session.prepareText('update t set v = 3 where id = $1') as PlanStatement;
  const waiting = writePointInTurn(session, update, [1]);
  await run(other, 'commit');
  expect(await waiting).toBe(1);
  await session.sync();
  expect(await uses('update t set v = $2 where id = $1')).toEqual(['1 0 1']);
});

it('counts each statement of a script, and reads backslashes as its client means them', async () => {
  await run(session, "insert into t values (1, 1); select 'a' from t; ; select 'b' from t");
  expect(await rows(session, LISTED)).toEqual(['select $1 from t 2 0 2']);
  await run(session, 'set standard_conforming_strings = off');
  await run(session, "select 'it\\'s hidden' from t");
  expect(await rows(session, LISTED)).toEqual(['select $1 from t 3 0 3']);
});

it('shows texts to their own role and to who reads all statistics, and never a password', async () => {
  await run(session, "create role low login password 'hush'; grant select on t to low");
  expect(await uses('create role low login password $1')).toEqual(['1 0 0']);
  await rows(session, 'select id from t');
  const low = engine.session({ user: 'low' });
  await rows(low, 'select v from t');
  const seen = "select distinct role, query from phantom.statements where query ~ '^(select v|<)' order by 1";
  expect(await rows(low, seen)).toEqual(['low select v from t', 'phantom <insufficient privilege>']);
  expect(await rows(low, "select distinct queryid from pg_stat_statements where query like '<%'")).toEqual(['null']);
  await run(session, 'grant pg_read_all_stats to low');
  expect(await uses('select id from t', low)).toEqual(['1 0 0']);
});

it('tells the same as pg_stat_statements does, and forgets it when a superuser says so', async () => {
  await run(session, 'create extension if not exists pg_stat_statements');
  const select = 'select id from t where id > 1';
  await rows(session, select);
  await rows(session, select);
  const listed = `select u.rolname, d.datname, s.calls, s.rows, s.total_exec_time >= s.max_exec_time, s.queryid > 0, s.plans
    from pg_stat_statements s join pg_roles u on u.oid = s.userid join pg_database d on d.oid = s.dbid
    where query = 'select id from t where id > $1'`;
  expect(await rows(session, listed)).toEqual(['phantom phantom 2 0 true true null']);
  expect(await rows(session, 'select dealloc, stats_reset = now() from pg_stat_statements_info')).toEqual(['0 true']);
  await run(session, 'create role low login');
  expect(await rows(engine.session({ user: 'low' }), 'select pg_stat_statements_reset()')).toEqual(['42501']);
  const number = "(select queryid from pg_stat_statements where query like 'select id from t%')";
  await rows(session, `select pg_stat_statements_reset(0, 0, ${number})`);
  expect(await uses('select id from t where id > $1')).toEqual([]);
  expect(await uses('create role low login')).toEqual(['1 0 0']);
  await rows(session, 'select pg_stat_statements_reset()');
  expect(await uses('create role low login')).toEqual([]);
  await rows(session, select);
  expect(await uses('select id from t where id > $1')).toEqual(['1 0 0']);
});

it('forgets the texts that took the least when there are too many', () => {
  const kept = new StatementUses(0);
  const user = { databaseOid: 1, currentRoleOid: 10 };
  const statement = (text: string): PlanStatement => ({ kind: 'plan', text }) as PlanStatement;
  const first = statement('select t0');
  for (let n = 0; n < 1000; n++) kept.of(user, n === 0 ? first : statement(`select t${n}`)).ended(n, 1);
  kept.of({ ...user, databaseOid: 2 }, statement('select')).errors++;
  const all = [...kept.all()];
  expect(all).toHaveLength(801);
  expect(Math.min(...all.filter(({ calls }) => calls > 0).map(({ totalMs }) => totalMs))).toBe(200);
  expect(kept.forgotten).toBe(1);
  kept.of(user, first).ended(1, 1);
  expect([...kept.all()].find(({ text }) => text === 'select t0')).toMatchObject({ calls: 1 });
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
