/** What an operator asks of a server by SQL: how sessions are encrypted, the rules, its file, and to have files read anew. */
import { open } from '@phantom/db';
import { Client, type ClientConfig } from 'pg';
import { describe, expect, it } from 'vitest';
import { AuthenticationRules, listRules } from '../src/auth/rules.js';
import type { Operation } from '../src/options.js';
import { startServer } from '../src/server.js';
import { AUTHORITY, CLIENT_CERTIFICATE, CLIENT_KEY, SERVER_CERTIFICATE, SERVER_KEY } from './support/certificates.js';

const RULES = 'hostssl all alice all cert\nhost all all 127.0.0.1/32 trust # us\n';

async function ask(config: ClientConfig, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ host: '127.0.0.1', user: 'phantom', database: 'phantom', ...config });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

it('tells how sessions are encrypted, and by which certificates', async () => {
  const database = await open(':memory:');
  database.exec('create role alice login');
  const tls = { certificate: SERVER_CERTIFICATE, key: SERVER_KEY, clientAuthority: AUTHORITY };
  const { pg, close } = await served({ tls, rules: new AuthenticationRules(RULES) });
  const { port } = pg;
  const ssl = { ca: AUTHORITY, servername: 'localhost' };
  const sql = 'select ssl, version, cipher, bits, client_dn, client_serial::text, issuer_dn from pg_stat_ssl';
  const none = { client_dn: null, client_serial: null, issuer_dn: null };
  expect(await ask({ port }, sql)).toEqual([{ ssl: false, version: null, cipher: null, bits: null, ...none }]);
  const cipher = { ssl: true, version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', bits: 256 };
  expect(await ask({ port, ssl }, sql)).toEqual([{ ...cipher, ...none }]);
  const shown = await ask({ port, user: 'alice', ssl: { ...ssl, cert: CLIENT_CERTIFICATE, key: CLIENT_KEY } }, sql);
  expect(shown).toEqual([
    {
      ...cipher,
      client_dn: '/CN=alice',
      client_serial: expect.stringMatching(/^\d{20,}$/) as string,
      issuer_dn: '/CN=test-authority',
    },
  ]);
  // Sessions of others are theirs, and those within the process have no wire.
  const watched = new Client({ host: '127.0.0.1', port, user: 'phantom', database: 'phantom' });
  await watched.connect();
  const alice = { port, user: 'alice', ssl: { ...ssl, cert: CLIENT_CERTIFICATE, key: CLIENT_KEY } };
  expect(await ask(alice, 'select count(*)::int as n from pg_stat_ssl')).toEqual([{ n: 1 }]);
  expect(await ask({ port }, 'select gss_authenticated from pg_stat_gssapi')).toHaveLength(2);
  await watched.end();
  await close();

  async function served(options: Parameters<typeof startServer>[1]) {
    const server = await startServer(database, { pgPort: 0, ...options });
    return {
      pg: server.pg,
      close: async () => {
        await server.close();
        await database.close();
      },
    };
  }
});

it('tells superusers of rules and settings as they stand in their files, and reads anew what may be', async () => {
  const database = await open(':memory:');
  database.exec('create role clerk login');
  let rules = RULES;
  let isUsable = true;
  const operation: Operation = {
    configFile: '/etc/phantomd.json',
    rulesFile: '/etc/phantomd.rules',
    fileSettings: [{ file: '/etc/phantomd.json', line: 2, name: 'pgPort', value: '1', applied: false }],
    rulesText: () => rules,
    reload: () => {
      if (isUsable) server.renew({ tls: undefined, rules: new AuthenticationRules(rules), tokens: undefined });
      return isUsable;
    },
  };
  const server = await startServer(database, { pgPort: 0, operation });
  const { port } = server.pg;
  rules += 'host all all nowhere md5\n';
  expect(await ask({ port }, 'select * from pg_hba_file_rules where line_number > 1')).toEqual([
    {
      line_number: 2,
      type: 'host',
      database: ['all'],
      user_name: ['all'],
      address: '127.0.0.1',
      netmask: '255.255.255.255',
      auth_method: 'trust',
      options: null,
      error: null,
    },
    expect.objectContaining({
      line_number: 3,
      type: null,
      database: null,
      error: expect.stringContaining('md5') as string,
    }),
  ]);
  expect(await ask({ port }, 'select * from pg_file_settings')).toEqual([
    {
      sourcefile: '/etc/phantomd.json',
      sourceline: 2,
      seqno: 1,
      name: 'pgPort',
      setting: '1',
      applied: false,
      error: null,
    },
  ]);
  expect(await ask({ port }, 'select * from pg_ident_file_mappings')).toEqual([]);
  expect(await ask({ port }, "select current_setting('hba_file') h, current_setting('config_file') c")).toEqual([
    { h: '/etc/phantomd.rules', c: '/etc/phantomd.json' },
  ]);
  // The rules of before would let a clerk in, these do not.
  rules = 'host all phantom all trust\n';
  const loaded = 'select pg_conf_load_time() as at, pg_conf_load_time() <= now() as past';
  const [before] = await ask({ port }, loaded);
  isUsable = false;
  expect(await ask({ port }, 'select pg_reload_conf() as done')).toEqual([{ done: false }]);
  expect(await ask({ port, user: 'clerk' }, 'select 1 as one')).toEqual([{ one: 1 }]);
  for (const sql of ['select pg_reload_conf()', 'table pg_hba_file_rules', 'table pg_file_settings'])
    await expect(ask({ port, user: 'clerk' }, sql)).rejects.toMatchObject({ code: '42501' });
  expect(await ask({ port }, loaded)).toEqual([before]);
  isUsable = true;
  expect(await ask({ port }, 'select pg_reload_conf() as done')).toEqual([{ done: true }]);
  await expect(ask({ port, user: 'clerk' }, 'select 1')).rejects.toMatchObject({ code: '28000' });
  expect(before).toMatchObject({ past: true });
  await server.close();
  // Nobody serves these: there is nothing to tell, and nothing to read.
  const told = database.prepare('select pg_reload_conf() as done, (select count(*) from pg_hba_file_rules) as rules');
  expect(told.get()).toEqual({ done: false, rules: 0 });
  expect(database.prepare('select pg_conf_load_time() <= clock_timestamp() as past').get()).toEqual({ past: true });
  await database.close();
});

describe('rules in a list', () => {
  it('have addresses and masks by themselves', () => {
    const addresses = [
      '10.0.0.0/8',
      '10.1.2.3',
      '192.168.0.0 255.255.128.0',
      'fe80::/10',
      '::1',
      '::/0',
      '0.0.0.0/0',
      'all',
    ];
    const listed = listRules(addresses.map((address) => `host all all ${address} trust`).join('\n'));
    expect(listed.map(({ address, mask }) => [address, mask])).toEqual([
      ['10.0.0.0', '255.0.0.0'],
      ['10.1.2.3', '255.255.255.255'],
      ['192.168.0.0', '255.255.128.0'],
      ['fe80::', 'ffc0::'],
      ['::1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
      ['::', '::'],
      ['0.0.0.0', '0.0.0.0'],
      ['all', undefined],
    ]);
  });

  it('are numbered by their lines, and have what is wrong with them', () => {
    expect(listRules('# none\n\nlocal a,"b c" +d trust\nlocal all\n')).toEqual([
      { line: 3, connection: 'local', databases: ['a', 'b c'], users: ['+d'], method: 'trust' },
      { line: 4, error: 'a rule is local, databases, users and method' },
    ]);
  });
});
