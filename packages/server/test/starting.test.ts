/** A server whose database is not open yet: it listens, says so, and lets clients in once there is one. */
import { open } from '@phantom/db';
import { Client } from 'pg';
import { expect, it } from 'vitest';
import { AccessTokens, makeToken } from '../src/auth/access-tokens.js';
import { listenForClients, startServer } from '../src/server.js';
import { AUTHORITY, SERVER_CERTIFICATE, SERVER_KEY } from './support/certificates.js';
import { WireClient, query, reportFields, shape, startup } from './support/wire-client.js';

it('tells clients that it starts up, encrypted and not, and then lets them in', async () => {
  const waiting = await listenForClients({
    pgPort: 0,
    httpPort: 0,
    drainTimeoutMs: 50,
    tls: { certificate: SERVER_CERTIFICATE, key: SERVER_KEY },
  });
  const port = waiting.pg.port;
  const early = await WireClient.open(port);
  early.send(startup({ user: 'phantom', database: 'phantom' }));
  expect((await early.rest()).map(reportFields)).toMatchObject([
    { S: 'FATAL', C: '57P03', M: 'the database system is starting up' },
  ]);
  const config = {
    host: '127.0.0.1',
    port,
    user: 'phantom',
    database: 'phantom',
    ssl: { ca: AUTHORITY, servername: 'localhost' },
  };
  const encrypted = new Client(config);
  await expect(encrypted.connect()).rejects.toMatchObject({ code: '57P03' });
  // Who has connected and said nothing yet is let in when it does.
  const silent = await WireClient.open(port);
  const database = await open(':memory:');
  const server = await waiting.serve(database);
  silent.send(startup({ user: 'phantom', database: 'phantom' }));
  await silent.ready();
  expect(shape(await silent.ask(query('select 1')))).toBe('TDCZ');
  const client = new Client(config);
  await client.connect();
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await client.end();
  expect(server.pg.port).toBe(port);
  silent.end();
  await server.close();
  await database.close();
});

it('answers over HTTP for its process, and 503 for the database', async () => {
  const { token, line } = makeToken({ role: 'phantom', database: 'phantom' });
  const waiting = await listenForClients({ pgPort: 0, httpPort: 0, tokens: new AccessTokens(line) });
  const url = `http://127.0.0.1:${waiting.http?.port}`;
  const ask = async (): Promise<[number, unknown][]> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const asked = [
      fetch(`${url}/healthz`),
      fetch(`${url}/readyz`),
      fetch(`${url}/v1/query`, { method: 'POST', headers, body: '{"sql":"select 1"}' }),
      fetch(`${url}/v1/dashboard`, { headers }),
      fetch(`${url}/v1/dashboard/check`, { method: 'POST', headers }),
      fetch(`${url}/metrics`),
    ];
    const answers = await Promise.all(asked);
    return Promise.all(
      answers.map(async (answer) => [answer.status, (await answer.text()).trim()] as [number, string]),
    );
  };
  const error = '{"error":{"message":"the database system is starting up"}}';
  expect(await ask()).toEqual([
    [200, '{"status":"ok"}'],
    [503, '{"status":"unready","reason":"the database system is starting up"}'],
    [503, error],
    [503, error],
    [503, error],
    [503, error],
  ]);
  const database = await open(':memory:');
  const server = await waiting.serve(database);
  expect((await ask()).map(([status]) => status)).toEqual([200, 200, 200, 200, 200, 200]);
  await server.close();
  await database.close();
});

it('stops listening when nothing comes of it', async () => {
  const waiting = await listenForClients({ pgPort: 0 });
  const { port } = waiting.pg;
  await waiting.close();
  await expect(WireClient.open(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  const tls = { certificate: SERVER_CERTIFICATE, key: SERVER_KEY };
  const open0 = await listenForClients({ host: '0.0.0.0', pgPort: 0, tls });
  const database = await open(':memory:');
  await expect(open0.serve(database)).rejects.toMatchObject({ code: '55000' });
  await expect(WireClient.open(open0.pg.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await expect(listenForClients({ host: '0.0.0.0', pgPort: 0 })).rejects.toMatchObject({ code: '55000' });
  await expect(startServer(database, { host: '0.0.0.0', pgPort: 0, tls })).rejects.toMatchObject({ code: '55000' });
  await database.close();
});
