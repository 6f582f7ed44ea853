/** The slow log: what took long is told, with its commit and without its values. */
import type { LogFields, Logger } from '@phantom/base';
import { afterEach, expect, it } from 'vitest';
import { type Database, type DatabaseOptions, open } from '../src/index.js';

let db: Database;
let lines: LogFields[] = [];

const logger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message, fields = {}) => {
    if (message === 'slow statement') lines.push(fields);
  },
  error: () => undefined,
};

async function start(options: DatabaseOptions = {}): Promise<void> {
  lines = [];
  db = await open(':memory:', { logger, ...options });
  await db.query('create table t (id int primary key, v text)');
}

function told(): string[] {
  return lines.splice(0).map(({ statement, rows, error = '' }) => `${statement} ${rows} ${error}`.trim());
}

afterEach(() => db.close());

it('tells nothing unless it is asked to', async () => {
  await start();
  await db.query("insert into t values (1, 'a')");
  expect(told()).toEqual([]);
});

it('tells statements of every road, with their commits, and none of their values', async () => {
  await start({ logMinDurationMs: 0 });
  told();
  await db.query("insert into t values (1, 'hush')");
  await db.query('insert into t values ($1, $2)', [2, 'hush']);
  db.prepare('select v from t where id = $1').get(1);
  db.prepare('select v from t').all();
  await db.query("update t set v = 'hush' where v = $1", ['hush']);
  await expect(db.query("insert into t values (1, 'hush')")).rejects.toMatchObject({ code: '23505' });
  await db.transaction(async (tx) => {
    await tx.query('delete from t where id = 1');
  });
  expect(JSON.stringify(lines)).not.toContain('hush');
  expect(lines.every(({ durationMs, database, role }) => Number(durationMs) >= 0 && database === role)).toBe(true);
  expect(told()).toEqual([
    'insert into t values ($1, $2) 1',
    'insert into t values ($1, $2) 1',
    'select v from t where id = $1 1',
    'select v from t 2',
    'update t set v = $2 where v = $1 2',
    'insert into t values ($1, $2) 0 23505',
    'delete from t where id = $1 1',
  ]);
});

it('tells of what took as long as the setting says, which superusers set', async () => {
  await start();
  await db.transaction(async (tx) => {
    await tx.query('set local log_min_duration_statement = 5');
    await tx.query('select pg_sleep(0.01)');
    await tx.query('set local log_min_duration_statement = 100000');
    await tx.query('select pg_sleep(0.01)');
  });
  expect(told()).toEqual(['select pg_sleep($1) 1']);
  db.exec('create role low login; alter database phantom set log_min_duration_statement = 7');
  const low = db.createSession({ database: 'phantom', user: 'low' });
  const asked = low.portal(low.prepareText('show log_min_duration_statement'), []);
  let shown: unknown;
  await asked.fetch(0, ({ columns }) => (shown = columns[0]?.[0]));
  expect(shown).toBe('7ms');
  for (const text of [
    'set log_min_duration_statement = 0',
    "select set_config('log_min_duration_statement', '0', false)",
    'alter role low set log_min_duration_statement = 0',
  ]) {
    const portal = low.portal(low.prepareText(text), []);
    await expect((async () => portal.fetch(0, () => undefined))(), text).rejects.toMatchObject({ code: '42501' });
  }
  low.close();
  const settings = { log_min_duration_statement: '0' };
  expect(() => db.createSession({ database: 'phantom', user: 'low', settings })).toThrow(/permission denied to set/);
});

it('names the caller by the trace context in a comment', async () => {
  await start({ logMinDurationMs: 0 });
  told();
  const [trace, span] = ['5bd66ef5095369c7b0d1f8f4bd33716a', 'c532cb4098ac3dd2'];
  await db.query(`select 1 /*action='list',traceparent='00-${trace}-${span}-01'*/`);
  expect(lines[0]).toMatchObject({ statement: 'select $1', traceId: trace, spanId: span });
});
