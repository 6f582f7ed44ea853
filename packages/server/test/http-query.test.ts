/** Statements over HTTP: values, errors and their statuses, rights, limits, lines, and clients that go away. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LogFields, Logger } from '@phantom/base';
import { type Database, open } from '@phantom/db';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AccessTokens, makeToken } from '../src/auth/access-tokens.js';
import { type Server, startServer } from '../src/server.js';
import { AUTHORITY, SERVER_CERTIFICATE, SERVER_KEY } from './support/certificates.js';

const admin = makeToken({ role: 'phantom', database: 'phantom' });
const clerk = makeToken({ role: 'clerk', database: 'phantom' });
const tokens = new AccessTokens(`# who may ask\n${admin.line}\n${clerk.line} # reads\n`);

interface LogLine extends LogFields {
  readonly message: string;
}
const lines: LogLine[] = [];
const keep = (message: string, fields?: LogFields): void => void lines.push({ message, ...fields });
const logger: Logger = { debug: keep, info: keep, warn: keep, error: keep };

let database: Database;
let server: Server;
let url = '';
beforeAll(async () => {
  database = await open(':memory:');
  database.exec(`create role clerk login connection limit 1;
                 create table account (id int primary key, owner text not null, balance numeric(12, 2) check (balance >= 0));
                 insert into account values (1, 'Ada', 100), (2, 'Grace', 50);
                 grant select (id, owner) on account to clerk`);
  server = await startServer(database, {
    pgPort: 0,
    httpPort: 0,
    tokens,
    logger,
    drainTimeoutMs: 200,
    httpBodyBytesMax: 10_000,
    httpResultBytesMax: 100_000,
  });
  url = `http://127.0.0.1:${server.http?.port}/v1/query`;
});
afterAll(async () => {
  await server.close();
  await database.close();
});

function post(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${admin.token}`, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

async function ask(body: unknown, headers: Record<string, string> = {}): Promise<[number, Record<string, unknown>]> {
  const response = await post(body, headers);
  return [response.status, (await response.json()) as Record<string, unknown>];
}

async function failure(body: unknown, headers: Record<string, string> = {}): Promise<[number, string | undefined]> {
  const [status, answer] = await ask(body, headers);
  return [status, (answer.error as { code?: string }).code];
}

describe('a statement over HTTP', () => {
  it('answers rows with the names and types of their columns', async () => {
    expect(
      await ask({ sql: 'select id, owner from account where balance >= $1 order by id', parameters: ['60'] }),
    ).toEqual([
      200,
      {
        fields: [
          { name: 'id', type: 'integer' },
          { name: 'owner', type: 'text' },
        ],
        rows: [{ id: 1, owner: 'Ada' }],
        command: 'SELECT 1',
        rowCount: 1,
      },
    ]);
    const [, arrays] = await ask({ sql: 'select 1 as a, 2 as a, null', rows: 'arrays' });
    expect(arrays.rows).toEqual([[1, 2, null]]);
  });

  it('shows every value so that nothing of it is lost', async () => {
    const [, { rows }] = await ask({
      sql: `select 1.50::numeric as n, 9007199254740993 as b, 'NaN'::float8 as f, '\\xbeef'::bytea as h, '{"a":[1]}'::jsonb as j,
                   array[1.1, null]::numeric[] as a, timestamptz '2026-01-02 03:04:05.678901+00' as t, true as yes`,
    });
    expect(rows).toEqual([
      {
        n: '1.50',
        b: '9007199254740993',
        f: 'NaN',
        h: '\\xbeef',
        j: { a: [1] },
        a: ['1.1', null],
        t: '2026-01-02 03:04:05.678901+00',
        yes: true,
      },
    ]);
  });

  it('rounds no number, neither of a parameter nor of JSON', async () => {
    const types = ['int8', 'numeric', 'numeric', 'text', 'float8', 'int', 'jsonb', 'jsonb', 'numeric[]', 'jsonb[]'];
    const given = `[9007199254740993, 12345678901234567.891, 0.10, 1e400, 0.30000000000000004440892098500626, 1e3,
                    {"a\\"1.10": [9007199254740993, "0.10"], "b": {"c": -1.10e-400}}, 3.000000000000000001, [[1.10, 2]], [[1.10, "x"]]]`;
    const [status, { rows }] = await ask(
      `{"sql": "select ${types.map((type, i) => `($${i + 1}::${type})::text`).join(', ')}", "rows": "arrays", "parameters": ${given}}`,
    );
    expect([status, rows]).toEqual([
      200,
      [
        [
          '9007199254740993',
          '12345678901234567.891',
          '0.10',
          '1e400',
          '0.30000000000000004',
          '1000',
          `{"b": {"c": -0.${'0'.repeat(399)}110}, "a\\"1.10": [9007199254740993, "0.10"]}`,
          '3.000000000000000001',
          '{{1.10,2}}',
          String.raw`{"[1.10, \"x\"]"}`,
        ],
      ],
    ]);
    const wrong = (type: string, number: string): Promise<[number, string | undefined]> =>
      failure(`{"sql": "select $1::${type}", "parameters": [${number}]}`);
    expect(await wrong('int', '9007199254740993')).toEqual([400, '22003']);
    expect(await wrong('int8', '9007199254740993.5')).toEqual([400, '22P02']);
    expect(await wrong('float8', '1e400')).toEqual([400, '22003']);
    expect(await wrong('bool', '9007199254740993')).toEqual([400, '42804']);
    expect(await wrong('jsonb', '1e999999')).toEqual([400, '22003']);
    // Answers, one line each.
    const lines = await post(
      { sql: `select '{"a": 9007199254740993}'::jsonb, '{\n"b":1.10}'::json, array['1.10'::jsonb]`, rows: 'arrays' },
      { accept: 'application/x-ndjson' },
    );
    expect((await lines.text()).split('\n')[1]).toBe('[{"a": 9007199254740993},{ "b":1.10},[1.10]]');
  });

  it('commits what it writes, and begins no transactions', async () => {
    expect(
      await ask({ sql: 'insert into account values ($1, $2, $3) returning id', parameters: [3, 'Alan', 7.5] }),
    ).toMatchObject([200, { rows: [{ id: 3 }], command: 'INSERT 0 1', rowCount: 1 }]);
    expect(database.prepare('select balance::text as b from account where id = 3').get()).toEqual({ b: '7.50' });
    expect(await failure({ sql: 'begin' })).toEqual([400, '25000']);
    expect(await failure({ sql: 'select 1; select 2' })).toEqual([400, '42601']);
  });

  it('tells errors of statements with the status that says whose they are', async () => {
    expect(await ask({ sql: 'select nothing from account' })).toMatchObject([
      400,
      { error: { code: '42703', position: 8, retryable: false } },
    ]);
    expect(await ask({ sql: 'update account set balance = -1' })).toMatchObject([
      400,
      { error: { code: '23514', table: 'account', constraint: 'account_balance_check' } },
    ]);
    expect(await failure({ sql: 'select $1::int', parameters: [] })).toEqual([400, '08P01']);
    expect(await failure({ sql: 'listen' })).toEqual([400, '42601']);
    expect(await failure({ sql: 'copy account from stdin' })).toEqual([501, '0A000']);
    expect(await failure({ sql: 'select pg_sleep(30)', timeoutMs: 20 })).toEqual([408, '57014']);
  });

  it('asks for a token, and gives no more than its role may have', async () => {
    for (const authorization of ['', 'Bearer x', 'Basic cGhhbnRvbTo=', `Bearer ${admin.line.split(' ')[2]}`]) {
      const response = await post({ sql: 'select 1' }, { authorization });
      expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="phantomd"']);
    }
    const asClerk = { authorization: `Bearer ${clerk.token}` };
    expect(await ask({ sql: 'select owner from account where id = 1' }, asClerk)).toMatchObject([200, { rowCount: 1 }]);
    expect(await failure({ sql: 'select balance from account' }, asClerk)).toEqual([403, '42501']);
    expect(await failure({ sql: 'delete from account' }, asClerk)).toEqual([403, '42501']);
  });

  it('gives a role no more places than it has', async () => {
    const asClerk = { authorization: `Bearer ${clerk.token}` };
    const [first, second] = await Promise.all([
      ask({ sql: 'select pg_sleep(0.2)' }, asClerk),
      new Promise((resolve) => setTimeout(resolve, 50)).then(() => failure({ sql: 'select 1' }, asClerk)),
    ]);
    expect([first[0], second]).toEqual([200, [429, '53300']]);
  });

  it('refuses what is no request', async () => {
    const status = async (body: string, headers = {}): Promise<number> => (await post(body, headers)).status;
    for (const body of [
      '',
      '[]',
      '{}',
      '{"sql":1}',
      '{"sql":"","extra":1}',
      '{"sql":"","parameters":{}}',
      '{"sql":"","rows":"x"}',
    ])
      expect(await status(body)).toBe(400);
    for (const timeoutMs of [0, -1, 1.5, 'x']) expect((await ask({ sql: '', timeoutMs }))[0]).toBe(400);
    expect(await status('{"sql":"select 1"}', { 'content-type': 'text/plain' })).toBe(415);
    expect(await status('{"sql":"select 1"}', { 'content-encoding': 'gzip' })).toBe(415);
    expect((await fetch(url)).status).toBe(405);
  });

  it('takes a body of the longest length and not one byte more', async () => {
    const body = (bytes: number): string => JSON.stringify({ sql: 'select 1 --' }).padEnd(bytes, ' ');
    expect((await post(body(10_000))).status).toBe(200);
    expect((await post(body(10_001))).status).toBe(413);
    const chunked = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${admin.token}` },
      body: new Blob([body(10_001)]).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(chunked.status).toBe(413);
  });

  it('sends long results line by line, and refuses them as one object', async () => {
    const sql = "select i, repeat('x', 100) as t from generate_series(1, 20000) as i";
    expect(await failure({ sql })).toEqual([413, '54000']);
    const response = await post({ sql, rows: 'arrays' }, { accept: 'application/x-ndjson' });
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    const parsed = (await response.text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(parsed[0]).toMatchObject({ fields: [{ name: 'i' }, { name: 't' }] });
    expect(parsed).toHaveLength(20_002);
    expect((parsed[20_000] as unknown[])[0]).toBe(20_000);
    expect(parsed.at(-1)).toEqual({ command: 'SELECT 20000', rowCount: 20_000 });
  });

  it('tells by a status what fails before the first rows, and by a line what fails after', async () => {
    const accept = { accept: 'application/x-ndjson' };
    expect(await failure({ sql: 'select 1 / 0' }, accept)).toEqual([400, '22012']);
    const late = await post({ sql: 'select 1 / (5000 - i) from generate_series(1, 6000) as i' }, accept);
    const last = (await late.text()).trimEnd().split('\n').at(-1) as string;
    expect([late.status, JSON.parse(last)]).toMatchObject([200, { error: { code: '22012' } }]);
  });

  it('stops what runs for a client that goes away', async () => {
    const running = (): number =>
      Number(
        database.prepare<{ n: number }>("select count(*) as n from pg_stat_activity where usename = 'clerk'").get()?.n,
      );
    const leaving = new AbortController();
    const gone = fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${clerk.token}` },
      body: JSON.stringify({ sql: 'select pg_sleep(60)' }),
      signal: leaving.signal,
    });
    while (running() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    leaving.abort();
    await expect(gone).rejects.toThrow(/abort/);
    while (running() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it('holds up the query of a client that does not read', async () => {
    const sql = "select repeat('x', 10000) from generate_series(1, 100000)";
    const client = httpRequest(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${admin.token}`,
        accept: 'application/x-ndjson',
      },
    });
    client.on('error', () => undefined);
    client.end(JSON.stringify({ sql }));
    const before = process.memoryUsage().rss;
    await new Promise((resolve) => client.once('response', resolve));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
    client.destroy();
  });

  it.each(['application/x-ndjson', 'application/json'])(
    'cuts off a client that takes nothing of its result for too long, and lets go of what it held: %s',
    async (accept) => {
      const impatient = await startServer(database, { pgPort: 0, httpPort: 0, tokens, httpUnreadTimeoutMs: 50 });
      const ended = new Promise<string>((resolve) => {
        const client = httpRequest(`http://127.0.0.1:${impatient.http?.port}/v1/query`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${admin.token}`, accept },
        });
        client.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
        // What has come by then is read once the server has had enough: the rest is missing.
        client.on('response', (response) => {
          response.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
          response.on('end', () => resolve('whole'));
          setTimeout(() => response.resume(), 500);
        });
        client.end(JSON.stringify({ sql: "select repeat('x', 10000) from generate_series(1, 6000)" }));
      });
      expect(await ended).toBe('ECONNRESET');
      await expect.poll(() => database.stats().store.openViews).toBe(0);
      await impatient.close();
    },
  );

  it('logs who asked, under the name of the request, and no statement, value or token', async () => {
    lines.length = 0;
    await post({ sql: 'select $1::text', parameters: ['hush'] }, { 'x-request-id': 'r-1' });
    const ofRequest = (): LogLine | undefined => lines.find((line) => line.requestId === 'r-1');
    while (ofRequest() === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(ofRequest()).toMatchObject({ path: '/v1/query', status: 200, role: 'phantom' });
    expect(JSON.stringify(lines)).not.toMatch(new RegExp(`hush|select|${admin.token}`));
  });
});

describe('tokens', () => {
  it('are refused where they are none, with the line', () => {
    for (const text of ['a b', 'a b c', `a b ${'0'.repeat(63)}`, `a b ${'0'.repeat(64)} c`])
      expect(() => new AccessTokens(`# one\n${text}`)).toThrow(
        expect.objectContaining({ code: '22023', data: { line: 2 } }),
      );
  });

  it('open nothing where there are none, nor for a role that is gone', async () => {
    const ghost = makeToken({ role: 'ghost', database: 'phantom' });
    const lost = makeToken({ role: 'phantom', database: 'lost' });
    const other = await startServer(database, {
      pgPort: 0,
      httpPort: 0,
      tokens: new AccessTokens(`${ghost.line}\n${lost.line}`),
    });
    const none = await startServer(database, { pgPort: 0, httpPort: 0 });
    const status = async ({ http }: Server, token: string): Promise<number> =>
      (
        await fetch(`http://127.0.0.1:${http?.port}/v1/query`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
          body: '{"sql":"select 1"}',
        })
      ).status;
    expect([
      await status(other, ghost.token),
      await status(other, lost.token),
      await status(none, admin.token),
    ]).toEqual([403, 400, 401]);
    await other.close();
    await none.close();
  });
});

describe('a server that stops', () => {
  /** Starts a server, and a request to it that waits for a lock which the test holds: the status of its answer, 0 for none. */
  async function stopping(drainTimeoutMs: number): Promise<{ server: Server; status: Promise<number> }> {
    const server = await startServer(database, { pgPort: 0, httpPort: 0, tokens, drainTimeoutMs });
    const status = fetch(`http://127.0.0.1:${server.http?.port}/v1/query`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${admin.token}` },
      body: JSON.stringify({ sql: 'select pg_advisory_lock(77)' }),
    }).then(
      (response) => response.status,
      () => 0,
    );
    const waiting = database.prepare<{ n: number }>('select count(*) as n from pg_locks where not granted');
    while (waiting.get()?.n === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    return { server, status };
  }

  it('lets a running request end, and cancels it and says so when that takes too long', async () => {
    const [timely, closed] = await database.transaction(async (holder) => {
      await holder.query('select pg_advisory_xact_lock(77)');
      const late = await stopping(1);
      await late.server.close();
      expect(await late.status).toBe(503);
      const running = await stopping(60_000);
      return [running, running.server.close()];
    });
    expect(await timely.status).toBe(200);
    await closed;
  });
});

describe('HTTP with a certificate', () => {
  it('is encrypted', async () => {
    const tls = { certificate: SERVER_CERTIFICATE, key: SERVER_KEY };
    const secure = await startServer(database, { pgPort: 0, httpPort: 0, tls });
    const status = await new Promise((resolve, reject) => {
      httpsRequest({ port: secure.http?.port, path: '/readyz', ca: AUTHORITY, servername: 'localhost' }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
    await expect(fetch(`http://127.0.0.1:${secure.http?.port}/readyz`)).rejects.toThrow(/fetch failed/);
    await secure.close();
  });
});
