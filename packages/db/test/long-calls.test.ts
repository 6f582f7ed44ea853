/** Calls over long values are made by another thread: others get their turn, cancels and timeouts get through, the answers are the same. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, open } from '../src/index.js';

const directory = mkdtempSync(join(tmpdir(), 'phantom-long-calls-'));
const UNITS = 256 * 1024;
let db: Database;

beforeAll(async () => {
  db = await open(directory, { queryWorkersMax: 1, durability: 'memory' });
  db.exec(`create table page (id int primary key, body text, bytes bytea, doc jsonb, numbers int[], title text collate "en_US");
    create table short (id int primary key, body text)`);
  await db.query(`insert into page select 1, repeat('ab Cd ', ${UNITS / 4}), repeat('a\\\\b', ${UNITS / 2})::bytea,
    (select jsonb_agg(i) from generate_series(1, ${UNITS / 4}) i), array(select generate_series(1, ${UNITS / 8})), repeat('a', ${UNITS})`);
  db.exec(`insert into short select 1, repeat('ab Cd ', ${Math.trunc(UNITS / 12)})`);
});

afterAll(async () => {
  await db.close();
  rmSync(directory, { recursive: true });
});

/** Executions that another thread does while the action runs. */
async function remote(action: () => Promise<unknown>): Promise<number> {
  const before = db.stats().work.remoteExecutions;
  await action();
  return db.stats().work.remoteExecutions - before;
}

async function codeOf(action: Promise<unknown>): Promise<unknown> {
  return action.then(
    () => undefined,
    (error: unknown) => (error as { code: unknown }).code,
  );
}

describe('a call over a long value', () => {
  it.each([
    `md5(regexp_replace(body, 'b', 'x', 'g'))`,
    `md5(initcap(body))`,
    `md5(upper($1 || body))`,
    `body ~ 'x'`,
    `array_length(string_to_array(body, ' '), 1)`,
    `md5(encode(bytes, 'escape'))`,
    `md5((doc || '[1]')::text)`,
    `md5(to_jsonb(numbers)::text)`,
    `(array_append(numbers, 5))[2]`,
  ])('is made by another thread, alike: %s', async (call) => {
    db.exec(`set timezone = 'Asia/Tokyo'`);
    const text = `select ${call} as v, $1::text as given from page`;
    const here = db.prepare(text).all('ß');
    expect(await remote(async () => expect((await db.query(text, ['ß'])).rows).toEqual(here))).toBe(1);
  });

  it('is made there in a condition, a write, a body, a subquery and a function in FROM', async () => {
    db.exec(`create function cleaned(t text) returns text language plpgsql as $$ begin return regexp_replace(t, 'a', '', 'g'); end $$;
      create table copy (id int primary key, body text)`);
    const texts = [
      `select id from page where body ~* 'no such'`,
      `insert into copy select id, reverse(body) from page`,
      `update copy set body = replace(body, 'a', 'e')`,
      `select length(cleaned(body)) from page`,
      `select (select max(length(translate(body, 'ab', 'x'))) from page)`,
      `select count(*) from page, unnest(string_to_array(body, ' '))`,
      `do $$ declare t text; begin select body into t from page; t := initcap(t); end $$`,
    ];
    for (const text of texts) expect([text, await remote(() => db.query(text))]).toEqual([text, 1]);
    expect(db.prepare('select left(body, 6) as v from copy').get()).toEqual({ v: ' dC be' });
  });

  it('is made here where a value is short, a collation or a synchronous caller wants it, or definitions are not committed', async () => {
    const here = [`select md5(upper(body)) from short`, `select md5(upper(title)) from page`];
    for (const text of here) expect([text, await remote(() => db.query(text))]).toEqual([text, 0]);
    expect(await remote(async () => db.prepare('select md5(upper(body)) from page').all())).toBe(0);
    db.exec(`create table checked (body text check (regexp_replace(body, 'x', '', 'g') <> ''))`);
    expect(await remote(() => db.query('insert into checked select body from page'))).toBe(0);
    await db.transaction(async (tx) => {
      await tx.query('create table fresh (id int)');
      expect(await remote(() => tx.query('select md5(upper(body)) from page'))).toBe(0);
    });
  });

  it('fails as it does here', async () => {
    const failing = db.query(`select decode(body || 'x', 'hex') from page`);
    expect(await codeOf(failing)).toBe('22023');
  });

  it('ends with a cancel or a timeout, though its thread does not rest, and the next one has another', async () => {
    // Back references are searched for by backtracking, of which these lengths make hours.
    const endless = `select regexp_match(repeat('a', ${UNITS}), '^(a*)*(a*)*(.)\\3b\\1$')`;
    expect(await codeOf(db.query(endless, [], { timeoutMs: 100 }))).toBe('57014');
    expect(await remote(() => db.query('select md5(upper(body)) from page'))).toBe(1);
    await expect.poll(() => db.stats().store.openViews, { timeout: 10_000 }).toBe(0);
  });
});
