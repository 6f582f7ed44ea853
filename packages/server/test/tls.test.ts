/** Encrypted connections: asked for or direct, certificates of clients, and what is refused. */
import { get } from 'node:https';
import { type ConnectionOptions, type TLSSocket, connect as connectTls } from 'node:tls';
import { type Database, open } from '@phantom/db';
import { Client, type ClientConfig } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AccessTokens, makeToken } from '../src/auth/access-tokens.js';
import { AuthenticationRules } from '../src/auth/rules.js';
import { type Server, startServer } from '../src/server.js';
import {
  AUTHORITY,
  CLIENTS_ONLY_CERTIFICATE,
  CLIENT_CERTIFICATE,
  CLIENT_KEY,
  SERVERS_ONLY_CERTIFICATE,
  SERVER_CERTIFICATE,
  SERVER_KEY,
  STRICT_AUTHORITY,
  STRICT_KEY,
  TOO_LONG_CHAIN,
} from './support/certificates.js';
import { WireClient, query, reportFields, request, shape, startup } from './support/wire-client.js';

type SendInitial = (mechanism: string, response: string) => void;

const SSL_REQUEST = 80877103;
const tls = { certificate: SERVER_CERTIFICATE, key: SERVER_KEY, clientAuthority: AUTHORITY + STRICT_AUTHORITY };

let database: Database;
let server: Server;
beforeAll(async () => {
  database = await open(':memory:');
  database.exec("create role alice login; create role bob login password 'secret'");
  server = await startServer(database, {
    pgPort: 0,
    drainTimeoutMs: 200,
    tls,
    rules: new AuthenticationRules(
      'hostssl all alice all cert\nhostssl all bob all scram-sha-256\nhost all phantom all trust',
    ),
  });
});
afterAll(async () => {
  await server.close();
  await database.close();
});

const config = (more: ClientConfig): ClientConfig => ({
  host: '127.0.0.1',
  port: server.pg.port,
  user: 'phantom',
  database: 'phantom',
  ...more,
});

async function asked(more: ClientConfig): Promise<unknown> {
  const client = new Client(config(more));
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query('select current_user::text as name, repeat($1, 100000) as long', ['x']);
    expect((rows[0] as { long: string }).long).toHaveLength(100_000);
    return (rows[0] as { name: string }).name;
  } finally {
    await client.end();
  }
}

describe('TLS', () => {
  it('serves clients that ask for it, with a password or with a certificate', async () => {
    const ssl = { ca: AUTHORITY, servername: 'localhost' };
    expect(await asked({ user: 'bob', password: 'secret', ssl })).toBe('bob');
    expect(await asked({ user: 'alice', ssl: { ...ssl, cert: CLIENT_CERTIFICATE, key: CLIENT_KEY } })).toBe('alice');
    expect(await asked({ ssl: false })).toBe('phantom');
  });

  it('has clients bind their proof to its certificate, who can', async () => {
    const ssl = { ca: AUTHORITY, servername: 'localhost' };
    const chosen: string[] = [];
    const client = new Client(config({ user: 'bob', password: 'secret', ssl, enableChannelBinding: true }));
    const { connection } = client as unknown as { connection: { sendSASLInitialResponseMessage: SendInitial } };
    const send = connection.sendSASLInitialResponseMessage.bind(connection);
    connection.sendSASLInitialResponseMessage = (mechanism, response) => {
      chosen.push(mechanism);
      send(mechanism, response);
    };
    await client.connect();
    await client.end();
    expect(chosen).toEqual(['SCRAM-SHA-256-PLUS']);
  });

  it('refuses a wrong password, no certificate, somebody else’s, and what has to be encrypted', async () => {
    const ssl = { ca: AUTHORITY, servername: 'localhost' };
    await expect(asked({ user: 'bob', password: 'wrong', ssl })).rejects.toMatchObject({ code: '28P01' });
    await expect(asked({ user: 'alice', ssl })).rejects.toMatchObject({ code: '28000' });
    await expect(asked({ user: 'bob', password: 'secret', ssl: false })).rejects.toMatchObject({
      code: '28000',
      message: expect.stringContaining('no encryption') as string,
    });
    database.exec('create role carol login');
    const carol = { ...ssl, cert: CLIENT_CERTIFICATE, key: CLIENT_KEY };
    await expect(asked({ user: 'carol', ssl: carol })).rejects.toMatchObject({ code: '28000' });
  });

  it('takes a certificate for what its authority has made it for', async () => {
    const ssl = { ca: AUTHORITY, servername: 'localhost', key: STRICT_KEY };
    expect(await asked({ user: 'alice', ssl: { ...ssl, cert: CLIENTS_ONLY_CERTIFICATE } })).toBe('alice');
    for (const cert of [SERVERS_ONLY_CERTIFICATE, TOO_LONG_CHAIN])
      await expect(asked({ user: 'alice', ssl: { ...ssl, cert } })).rejects.toMatchObject({ code: '28000' });
  });

  it('takes nothing that was sent before the answer to the request', async () => {
    const client = await WireClient.open(server.pg.port);
    client.send(request(SSL_REQUEST), startup({ user: 'phantom', database: 'phantom' }));
    const [error] = await client.rest();
    expect(reportFields(error as never)).toMatchObject({
      S: 'FATAL',
      C: '08P01',
      M: 'received unencrypted data after SSL request',
    });
  });

  const direct = (options: ConnectionOptions): Promise<TLSSocket> =>
    new Promise((resolve, reject) => {
      const socket = connectTls({
        host: '127.0.0.1',
        port: server.pg.port,
        ca: AUTHORITY,
        servername: 'localhost',
        ...options,
      });
      socket.once('secureConnect', () => resolve(socket));
      socket.once('error', reject);
    });

  it('serves clients that begin with TLS at once, if they say what for', async () => {
    const socket = await direct({ ALPNProtocols: ['postgresql'] });
    const client = WireClient.over(socket);
    client.send(startup({ user: 'phantom', database: 'phantom' }));
    await client.ready();
    expect(shape(await client.ask(query('select 1')))).toBe('TDCZ');
    client.end();
    const nameless = await direct({});
    const rest = await WireClient.over(nameless).rest();
    expect(reportFields(rest[0] as never)).toMatchObject({ C: '08P01' });
  });

  it('ends a connection whose handshake is none', async () => {
    const client = await WireClient.open(server.pg.port);
    expect(await client.letter(SSL_REQUEST)).toBe('S');
    client.socket.write('this is no handshake');
    await client.rest();
    expect(client.closed).toBe(true);
    expect(await asked({})).toBe('phantom');
  });
});

describe('what says who may come in', () => {
  it('can be renewed while clients are there, or stays as it is', async () => {
    const [old, next] = [
      makeToken({ role: 'phantom', database: 'phantom' }),
      makeToken({ role: 'bob', database: 'phantom' }),
    ];
    const before = {
      tls,
      rules: new AuthenticationRules('host all phantom all trust'),
      tokens: new AccessTokens(old.line),
    };
    const renewed = await startServer(database, { pgPort: 0, httpPort: 0, drainTimeoutMs: 50, ...before });
    const fingerprint = (port: number, socket?: WireClient['socket']): Promise<string> =>
      new Promise((resolve, reject) => {
        const secure = connectTls({
          ...(socket === undefined ? { host: '127.0.0.1', port } : { socket }),
          rejectUnauthorized: false,
        });
        secure.once('secureConnect', () => {
          resolve(secure.getPeerCertificate().fingerprint256);
          secure.destroy();
        });
        secure.once('error', reject);
      });
    const asked = async (): Promise<readonly string[]> => {
      const client = await WireClient.open(renewed.pg.port);
      await client.letter(SSL_REQUEST);
      return [await fingerprint(0, client.socket), await fingerprint(renewed.http?.port ?? 0)];
    };
    const user = async (name: string): Promise<unknown> => {
      const client = new Client(config({ port: renewed.pg.port, user: name, password: 'secret' }));
      client.on('error', () => undefined);
      await client.connect();
      return client.end();
    };
    const statusWith = (token: string): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const headers = { authorization: `Bearer ${token}` };
        const port = renewed.http?.port;
        get({ host: '127.0.0.1', port, path: '/v1/dashboard', headers, rejectUnauthorized: false }, (response) => {
          response.resume();
          resolve(response.statusCode);
        }).once('error', reject);
      });
    try {
      const [pgBefore, httpBefore] = await asked();
      expect(httpBefore).toBe(pgBefore);
      const other = { certificate: CLIENT_CERTIFICATE, key: CLIENT_KEY };
      const rules = new AuthenticationRules('host all bob all scram-sha-256');
      expect(() => renewed.renew({ ...before, rules, tls: { ...other, key: SERVER_KEY } })).toThrowError(
        expect.objectContaining({ code: '22023' }),
      );
      expect(() => renewed.renew({ ...before, rules, tls: undefined })).toThrowError(
        expect.objectContaining({ code: '55000' }),
      );
      expect(await asked()).toEqual([pgBefore, httpBefore]);
      await user('phantom');
      expect([await statusWith(old.token), await statusWith(next.token)]).toEqual([200, 401]);
      const client = await WireClient.start(renewed.pg.port);
      renewed.renew({ tls: other, rules, tokens: new AccessTokens(next.line) });
      const [pgAfter, httpAfter] = await asked();
      expect(pgAfter).not.toBe(pgBefore);
      expect(httpAfter).toBe(pgAfter);
      expect([await statusWith(old.token), await statusWith(next.token)]).toEqual([401, 200]);
      await user('bob');
      await expect(user('phantom')).rejects.toMatchObject({ code: '28000' });
      expect(shape(await client.ask(query('select 1')))).toBe('TDCZ');
      client.end();
    } finally {
      await renewed.close();
    }
  });
});

describe('listening elsewhere than on loopback', () => {
  it('needs TLS, and a password of every superuser', async () => {
    await expect(startServer(database, { host: '0.0.0.0', pgPort: 0 })).rejects.toMatchObject({ code: '55000' });
    await expect(startServer(database, { host: '0.0.0.0', pgPort: 0, tls })).rejects.toMatchObject({
      code: '55000',
      message: expect.stringContaining('"phantom" has no password') as string,
    });
    await expect(startServer(database, { pgPort: 0, tls: { ...tls, key: CLIENT_KEY } })).rejects.toMatchObject({
      code: '22023',
    });
    const locked = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n';
    await expect(startServer(database, { pgPort: 0, tls: { ...tls, key: locked } })).rejects.toMatchObject({
      code: '22023',
      message: expect.stringContaining('passphrase') as string,
    });
  });
});
