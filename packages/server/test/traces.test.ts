/** Spans of what clients ask for: over the protocol in both of its ways, and over HTTP. */
import { type Database, open } from '@phantom/db';
import { MemoryTracer } from '@phantom/testkit';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { AccessTokens, makeToken } from '../src/auth/access-tokens.js';
import { type Server, startServer } from '../src/server.js';

const TRACE = '5bd66ef5095369c7b0d1f8f4bd33716a';
const CALLER = 'c532cb4098ac3dd2';
const TRACE_PARENT = `00-${TRACE}-${CALLER}-01`;

const tracer = new MemoryTracer();
const admin = makeToken({ role: 'phantom', database: 'phantom' });
let database: Database;
let server: Server;
let client: pg.Client;

beforeAll(async () => {
  database = await open(':memory:', { tracer });
  database.exec(
    'create table orders (id int primary key, note text); insert into orders select g from generate_series(1, 500) g',
  );
  server = await startServer(database, { pgPort: 0, httpPort: 0, tokens: new AccessTokens(admin.line), tracer });
});

afterAll(async () => {
  await server.close();
  await database.close();
});

beforeEach(async () => {
  tracer.keeps = true;
  client = new pg.Client({ host: server.pg.host, port: server.pg.port, user: 'phantom', database: 'phantom' });
  await client.connect();
});

afterEach(async () => {
  await client.end();
  tracer.clear();
});

function ask(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`http://127.0.0.1:${server.http?.port}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${admin.token}`, ...headers },
    body: JSON.stringify(body),
  });
}

it('shows a client that is let in, and one that is not', async () => {
  const { attributes, kind } = tracer.only('connect');
  expect([attributes['client.address'], attributes['db.namespace'], kind]).toEqual(['127.0.0.1', 'phantom', 1]);
  tracer.clear();
  const stranger = new pg.Client({ host: server.pg.host, port: server.pg.port, user: 'nobody', database: 'phantom' });
  await expect(stranger.connect()).rejects.toThrow('nobody');
  expect(tracer.outline()).toEqual(['connect !28000']);
});

it('shows statements of the simple and of the extended protocol on each of their roads', async () => {
  tracer.clear();
  await client.query('select note from orders where id = 1');
  await client.query('select note from orders where id = $1', [1]);
  await client.query('select count(*) from orders');
  await client.query('update orders set note = $1 where id = 2', ['x']);
  await client.query('begin');
  await client.query('delete from orders where id = 3');
  await client.query('commit');
  const withParts = (name: string, ...more: readonly string[]): string[] => [
    name,
    '  parse',
    '  plan',
    '  execute',
    ...more,
  ];
  const commit = ['  commit', '    append'];
  expect(tracer.outline()).toEqual(
    [
      withParts('SELECT orders'),
      withParts('SELECT orders'),
      withParts('SELECT orders'),
      withParts('UPDATE orders', ...commit),
      withParts('BEGIN'),
      withParts('DELETE orders'),
      withParts('COMMIT', ...commit),
    ].flat(),
  );
  const { attributes, kind } = tracer.only('DELETE orders');
  expect([attributes['client.address'], kind]).toEqual(['127.0.0.1', 1]);
});

it('ends what a client has had analysed and did not run, and what it has not read to its end', async () => {
  tracer.clear();
  await expect(client.query('selekt')).rejects.toThrow(/syntax/);
  await client.query('declare c cursor with hold for select id from orders');
  await client.query('fetch 10 from c');
  await client.query({ name: 'kept', text: 'select id from orders', rows: 5 } as pg.QueryConfig);
  expect(tracer.outline().filter((line) => !line.startsWith(' '))).toEqual([
    'statement !42601',
    'DECLARE CURSOR',
    'FETCH',
    'SELECT orders',
  ]);
  expect(tracer.outline().filter((line) => line.includes('...'))).toEqual([]);
});

it('makes a statement over HTTP a part of its request, and that one of what its header names', async () => {
  tracer.clear();
  const response = await ask('/v1/query', { sql: 'insert into orders values (1000)' }, { traceparent: TRACE_PARENT });
  await response.text();
  await expect.poll(() => tracer.only('POST /v1/query').endMs).toBeDefined();
  expect(tracer.outline().slice(0, 6)).toEqual([
    'POST /v1/query',
    '  INSERT orders',
    '    parse',
    '    plan',
    '    execute',
    '    commit',
  ]);
  const request = tracer.only('POST /v1/query');
  expect(request.parentId).toBe(CALLER);
  expect(request.attributes).toEqual({
    'http.request.method': 'POST',
    'url.path': '/v1/query',
    'http.response.status_code': 200,
  });
  expect(new Set(tracer.spans.map((span) => span.spanContext().traceId))).toEqual(new Set([TRACE]));
});

it('shows requests that are refused, and leaves out what a machine asks for all the time', async () => {
  tracer.clear();
  for (const path of ['/healthz', '/readyz', '/metrics']) await ask(path, {}).then((response) => response.text());
  expect(tracer.outline()).toEqual([]);
  await ask('/no/such/path', {}).then((response) => response.text());
  await ask('/v1/query', { sql: 'select 1 / 0' }).then((response) => response.text());
  await expect.poll(() => tracer.spans.filter(({ endMs }) => endMs === undefined)).toEqual([]);
  expect(tracer.outline().filter((line) => !/parse|plan/.test(line))).toEqual([
    'POST',
    'POST /v1/query',
    '  SELECT !22012',
    '    execute !22012',
  ]);
});

it('decides about a request once, for all that it brings about', async () => {
  tracer.clear();
  tracer.keeps = false;
  await ask('/v1/query', { sql: 'insert into orders values (1001)' }).then((response) => response.text());
  await client.query('select 1');
  expect(tracer.spans).toEqual([]);
});
