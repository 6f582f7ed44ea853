/** What nobody may learn: passwords, from logs and from errors; and from the way of a refusal, whether a role exists. */
import type { LogFields, Logger } from '@phantom/base';
import { type Database, open } from '@phantom/db';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthenticationRules } from '../src/auth/rules.js';
import { type Server, startServer } from '../src/server.js';
import { ScramClient } from './support/scram-client.js';
import { WireClient, cstring, frame, int32, parse, query, reportFields, startup, sync } from './support/wire-client.js';

const SECRET = 'correct-horse-battery';

const logged: string[] = [];
const warned: string[] = [];
const log = (message: string, fields?: LogFields): void => void logged.push(`${message} ${JSON.stringify(fields)}`);
const warn = (message: string, fields?: LogFields): void => {
  log(message, fields);
  warned.push(`${message} ${JSON.stringify(fields)}`);
};
const logger: Logger = { debug: log, info: log, warn, error: log };

let database: Database;
let server: Server;
beforeAll(async () => {
  database = await open(':memory:', { logger });
  database.exec(`create role alice login password '${SECRET}'; create role bob login; create role late login password '${SECRET}'
    valid until '2020-01-01'`);
  server = await startServer(database, {
    pgPort: 0,
    logger,
    drainTimeoutMs: 50,
    rules: new AuthenticationRules('host all phantom all trust\nhost all all all scram-sha-256'),
  });
});
afterAll(async () => {
  await server.close();
  await database.close();
});

/** Everything that the server says to somebody who tries a password: of the challenge its form alone, for it is another each time. */
async function conversation(user: string, password: string): Promise<string[]> {
  const client = await WireClient.open(server.pg.port);
  const scram = new ScramClient(password, 'n', undefined, 'a-nonce-of-the-client');
  client.send(startup({ user, database: 'phantom' }));
  const [offer] = await client.take('R');
  client.send(frame('p', cstring('SCRAM-SHA-256'), int32(scram.first.length), Buffer.from(scram.first)));
  const [challenge] = await client.take('R');
  const asked = challenge?.body.toString('latin1', 4) ?? '';
  client.send(frame('p', Buffer.from(scram.last(asked))));
  const last = (await client.rest()).map((message) => JSON.stringify(reportFields(message)).replaceAll(user, 'USER'));
  return [String(offer?.body), asked.replace(/[\w+/]/g, 'x'), ...last];
}

describe('a refusal', () => {
  it('is the same for a wrong password, a role without one, an expired one, and a role that is not there', async () => {
    const wrong = await conversation('alice', 'wrong');
    expect(wrong.at(-1)).toContain('"C":"28P01"');
    for (const user of ['bob', 'late', 'nobody']) expect(await conversation(user, SECRET)).toEqual(wrong);
    expect(warned.filter((line) => line.includes('"28P01"') && line.includes('"from":"127.0.0.1"'))).toHaveLength(4);
  });
});

describe('a password', () => {
  it('is in no line of the log, whatever is done with it', async () => {
    const client = await WireClient.start(server.pg.port);
    const statements = [
      `create role carol password '${SECRET}'`,
      `alter role carol password '${SECRET}'`,
      // Each of these fails.
      `create role carol password '${SECRET}'`,
      `alter role nobody password '${SECRET}'`,
      `alter role carol pasword '${SECRET}'`,
      `select 1/0, '${SECRET}'`,
      `do $$ begin raise exception '${SECRET}'; end $$`,
      `do $$ begin raise warning '${SECRET}'; end $$`,
      `set log_statement = 'all'`,
    ];
    for (const statement of statements) {
      await client.ask(query(statement));
      await client.ask(parse(statement), sync());
    }
    client.end();
    const own = new Client({ ...server.pg, user: 'alice', password: `${SECRET}!`, database: 'phantom' });
    await expect(own.connect()).rejects.toMatchObject({ code: '28P01' });
    // As a start-up parameter, and where no message is.
    for (const bytes of [startup({ user: 'phantom', options: `-c ${SECRET}=1` }), Buffer.from(`PASS ${SECRET}\r\n`)]) {
      const stranger = await WireClient.open(server.pg.port);
      stranger.send(bytes);
      await stranger.rest();
    }
    expect(logged.length).toBeGreaterThan(0);
    expect(logged.filter((line) => line.includes(SECRET))).toEqual([]);
  });

  it('is not in what others see of the session that has set it', async () => {
    const client = await WireClient.start(server.pg.port);
    await client.ask(query(`begin; alter role late password '${SECRET}'`));
    const seen = database
      .prepare('select query from pg_stat_activity union all select statement from phantom.transactions')
      .all();
    expect(JSON.stringify(seen)).toContain('alter role late password ...');
    expect(JSON.stringify(seen)).not.toContain(SECRET);
    client.end();
  });

  it('is in no error of the statement that sets it, and kept as a verifier', async () => {
    const client = await WireClient.start(server.pg.port);
    for (const statement of [`create role alice password '${SECRET}'`, `alter role nobody password '${SECRET}'`]) {
      const [failed] = await client.ask(query(statement));
      expect(failed?.type).toBe('E');
      expect(String(failed?.body)).not.toContain(SECRET);
    }
    client.end();
    const verifiers = database.prepare('select rolpassword from pg_authid where rolpassword is not null').all();
    for (const row of verifiers) expect(JSON.stringify(row)).toContain('SCRAM-SHA-256$4096:');
  });
});
