/** The socket in the file system: who comes in by it, whose name is taken, and what is left when the server ends. */
import { chmodSync, existsSync, linkSync, lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, open } from '@phantom/db';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AuthenticationRules } from '../src/auth/rules.js';
import type { ServerOptions } from '../src/options.js';
import { unixSocketPath } from '../src/pg/unix-socket.js';
import { type Server, startServer } from '../src/server.js';
import { SERVER_CERTIFICATE, SERVER_KEY } from './support/certificates.js';

let database: Database;
let directory: string;
const servers: Server[] = [];
beforeAll(async () => {
  database = await open(':memory:');
  database.exec("create role bob login password 'secret'");
});
afterAll(() => database.close());
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ph-'));
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  rmSync(directory, { recursive: true, force: true });
});

async function start(options: ServerOptions = {}): Promise<Server> {
  const server = await startServer(database, { pgPort: 0, unixSocketDirectory: directory, ...options });
  servers.push(server);
  return server;
}

async function connected(server: Server, user: string, password?: string): Promise<Client> {
  const client = new Client({
    host: directory,
    port: server.pg.port,
    user,
    database: 'phantom',
    ...(password === undefined ? {} : { password }),
  });
  await client.connect();
  return client;
}

describe.skipIf(process.platform === 'win32')('a Unix socket', () => {
  it('serves clients of the machine beside the port, and tells them of no address', async () => {
    const server = await start({ tls: { certificate: SERVER_CERTIFICATE, key: SERVER_KEY } });
    expect(server.unixSocketPath).toBe(unixSocketPath(directory, server.pg.port));
    const client = await connected(server, 'phantom');
    const { rows } = await client.query(
      `select inet_client_addr() as address, client_addr, client_port, repeat('x', 300000) as long
       from pg_stat_activity where pid = pg_backend_pid()`,
    );
    expect(rows).toEqual([{ address: null, client_addr: null, client_port: -1, long: 'x'.repeat(300_000) }]);
    const { rows: told } = await client.query(
      "select name, setting, context from pg_settings where name in ('port', 'unix_socket_directories') order by name",
    );
    expect(told).toEqual([
      { name: 'port', setting: String(server.pg.port), context: 'postmaster' },
      { name: 'unix_socket_directories', setting: directory, context: 'postmaster' },
    ]);
    await client.end();
    const byPort = new Client({ host: '127.0.0.1', port: server.pg.port, user: 'phantom', database: 'phantom' });
    await byPort.connect();
    await byPort.end();
  });

  it('asks for passwords as loopback does, and goes by local rules', async () => {
    const plain = await start();
    await expect(connected(plain, 'bob', 'wrong')).rejects.toMatchObject({ code: '28P01' });
    await (await connected(plain, 'bob', 'secret')).end();
    const ruled = await start({ rules: new AuthenticationRules('local all bob trust\nhost all all loopback trust') });
    await (await connected(ruled, 'bob')).end();
    await expect(connected(ruled, 'phantom')).rejects.toMatchObject({ code: '28000', message: /"\[local\]"/ });
  });

  it('has its permissions before anybody can reach it, and leaves nothing behind', async () => {
    const server = await start();
    const path = unixSocketPath(directory, server.pg.port);
    expect(lstatSync(path).mode & 0o777).toBe(0o700);
    const shared = await start({ unixSocketPermissions: 0o770 });
    expect(lstatSync(unixSocketPath(directory, shared.pg.port)).mode & 0o777).toBe(0o770);
    const client = await connected(server, 'phantom');
    await client.end();
    await Promise.all([server.close(), shared.close()]);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('takes a name that a killed server left, and none that is in use or is no socket', async () => {
    const first = await start();
    const { port } = first.pg;
    // On another address the port is free.
    const second = { pgPort: port, host: '127.0.0.2' };
    await expect(start(second)).rejects.toMatchObject({ code: '55006', message: /another server listens/ });
    await (await connected(first, 'phantom')).end();
    await first.close();
    const path = unixSocketPath(directory, port);
    writeFileSync(path, 'a file');
    await expect(start(second)).rejects.toMatchObject({ code: '55006', message: /is no socket/ });
    rmSync(path);
    await abandon(path);
    const third = await start(second);
    await (await connected(third, 'phantom')).end();
  });

  it('leaves a name alone that has become somebody else’s', async () => {
    const server = await start();
    const path = unixSocketPath(directory, server.pg.port);
    rmSync(path);
    writeFileSync(path, 'not ours');
    await server.close();
    expect(existsSync(path)).toBe(true);
  });

  it('says what is wrong with the directory', async () => {
    const long = join(directory, 'd'.repeat(100));
    await expect(start({ unixSocketDirectory: long })).rejects.toMatchObject({ code: '42602', message: /too long/ });
    await expect(start({ unixSocketDirectory: join(directory, 'none') })).rejects.toMatchObject({ code: '58P01' });
    if (process.getuid?.() !== 0) {
      chmodSync(directory, 0o500);
      await expect(start()).rejects.toMatchObject({ code: '42501' });
    }
  });
});

/** A socket nobody listens on any more, as a killed server leaves it. */
async function abandon(path: string): Promise<void> {
  const server = createServer();
  const bound = `${path}.bound`;
  await new Promise<void>((resolve) => {
    server.listen(bound, resolve);
  });
  linkSync(bound, path);
  await new Promise((resolve) => {
    server.close(resolve);
  });
}
