/** What sessions tell of the server that serves them, whom, and that nobody sets it. */
import { open } from '@phantom/db';
import { Client } from 'pg';
import { expect, it } from 'vitest';
import { startServer } from '../src/server.js';

it('tells clients what the server was started with', async () => {
  const database = await open(':memory:', { cacheBytes: 16 * 1024 * 1024, queryWorkersMax: 3 });
  const server = await startServer(database, { pgPort: 0, connectionsMax: 40, authenticationTimeoutMs: 30_000 });
  const client = new Client({ ...server.pg, user: 'phantom', database: 'phantom' });
  await client.connect();
  const show = async (name: string): Promise<unknown> => {
    const { rows } = await client.query({ text: `show ${name}`, rowMode: 'array' });
    return (rows as unknown[][])[0]?.[0];
  };
  expect(await show('port')).toBe(String(server.pg.port));
  expect(await show('listen_addresses')).toBe('127.0.0.1');
  expect(await show('max_connections')).toBe('40');
  expect(await show('superuser_reserved_connections')).toBe('3');
  expect(await show('authentication_timeout')).toBe('30s');
  expect(await show('shared_buffers')).toBe('16MB');
  expect(await show('max_worker_processes')).toBe('3');
  expect(await show('ssl')).toBe('off');
  // A database in memory: nothing is ever on disk.
  expect(await show('fsync')).toBe('off');
  expect(await show('data_directory')).toBe('');
  await expect(client.query("set max_connections = '7'")).rejects.toMatchObject({
    code: '55P02',
    message: 'parameter "max_connections" cannot be changed without restarting the server',
  });
  await expect(client.query('reset port')).rejects.toMatchObject({ code: '55P02' });
  await client.query('create role plain login; create role reader login; grant pg_read_all_settings to reader');
  const all = "select count(*)::int as n from pg_settings where name in ('data_directory', 'port')";
  await client.query('set role plain');
  await expect(show('data_directory')).rejects.toMatchObject({
    code: '42501',
    message: 'must be superuser or have privileges of pg_read_all_settings to examine "data_directory"',
  });
  await expect(client.query("select current_setting('data_directory')")).rejects.toMatchObject({ code: '42501' });
  expect((await client.query(all)).rows).toEqual([{ n: 1 }]);
  expect((await client.query('show all')).rows.map(({ name }: { name: string }) => name)).not.toContain(
    'data_directory',
  );
  await client.query('set role reader');
  expect(await show('data_directory')).toBe('');
  expect((await client.query(all)).rows).toEqual([{ n: 2 }]);
  await client.end();
  await server.close();
  await database.close();
});

it('tells a session that nobody serves of the database alone', async () => {
  const database = await open(':memory:', { durability: 'memory' });
  expect(database.prepare('show port').get()).toEqual({ port: '0' });
  expect(database.prepare('show max_prepared_transactions').get()).toEqual({ max_prepared_transactions: '1000' });
  expect(database.prepare("select current_setting('max_connections') as n").get()).toEqual({ n: '0' });
  await database.close();
});
