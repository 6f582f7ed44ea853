/** LISTEN and NOTIFY between clients of a real database. */
import { type Database, open } from '@phantom/db';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WAITING_BYTES_MAX } from '../src/pg/mailbox.js';
import { type Server, startServer } from '../src/server.js';
import { WireClient, type WireMessage, query, reportFields, shape } from './support/wire-client.js';

let database: Database;
let server: Server;
beforeAll(async () => {
  database = await open(':memory:');
  server = await startServer(database, { pgPort: 0, drainTimeoutMs: 200 });
});
afterAll(async () => {
  await server.close();
  await database.close();
});

async function two<T>(use: (listener: WireClient, speaker: WireClient) => Promise<T>): Promise<T> {
  const listener = await WireClient.start(server.pg.port);
  const speaker = await WireClient.start(server.pg.port);
  try {
    return await use(listener, speaker);
  } finally {
    listener.end();
    speaker.end();
  }
}

/** Channel and payload. */
function notification(message: WireMessage | undefined): string[] {
  expect(message?.type).toBe('A');
  return (message as WireMessage).body.toString('utf8', 4).split('\0').slice(0, 2);
}

describe('notifications', () => {
  it('reach a client that rests, after the commit and never without it', () =>
    two(async (listener, speaker) => {
      expect(shape(await listener.ask(query('listen a; listen "B b"')))).toBe('CCZ');
      await speaker.ask(query("begin; notify a, 'lost'; rollback"));
      await speaker.ask(
        query("begin; notify a, 'one'; savepoint s; notify a, 'gone'; rollback to s; notify a, 'two'; notify a, 'one'"),
      );
      await speaker.ask(query('commit'));
      await speaker.ask(query(`select pg_notify('B b', 'größer')`));
      const heard: string[][] = [];
      while (heard.length < 3) heard.push(notification((await listener.take('A'))[0]));
      expect(heard).toEqual([
        ['a', 'one'],
        ['a', 'two'],
        ['B b', 'größer'],
      ]);
    }));

  it('wait for the end of the listener’s own transaction, and come before its ReadyForQuery', () =>
    two(async (listener, speaker) => {
      await listener.ask(query('listen a'));
      await listener.ask(query('begin'));
      await speaker.ask(query('notify a'));
      expect(shape(await listener.ask(query('select 1')))).toBe('TDCZ');
      const messages = await listener.ask(query('commit'));
      expect(shape(messages)).toBe('CAZ');
      expect(notification(messages[1])).toEqual(['a', '']);
      expect(shape(await listener.ask(query("notify a, 'myself'")))).toBe('CAZ');
    }));

  it('end with UNLISTEN, DISCARD ALL, and the rollback of LISTEN', () =>
    two(async (listener, speaker) => {
      await listener.ask(query('listen a; listen b'));
      expect(
        (await listener.ask(query('select * from pg_listening_channels()'))).filter(({ type }) => type === 'D'),
      ).toHaveLength(2);
      await listener.ask(query('unlisten a'));
      await listener.ask(query('begin; listen c; rollback'));
      await speaker.ask(query("notify a; notify c; notify b, 'here'"));
      expect(notification((await listener.take('A'))[0])).toEqual(['b', 'here']);
      await listener.ask(query('discard all'));
      await speaker.ask(query('notify b'));
      expect(shape(await listener.ask(query('select * from pg_listening_channels()')))).toBe('TCZ');
    }));

  it('are of one database, and limited in size', () =>
    two(async (listener, speaker) => {
      await speaker.ask(query('create database notified'));
      const elsewhere = await WireClient.start(server.pg.port, { database: 'notified' });
      await elsewhere.ask(query('listen a'));
      await speaker.ask(query('notify a'));
      expect(shape(await elsewhere.ask(query('select 1')))).toBe('TDCZ');
      elsewhere.end();
      const long = await listener.ask(query(`notify a, '${'x'.repeat(8000)}'`));
      expect(reportFields(long[0] as WireMessage)).toMatchObject({ C: '22023', M: 'payload string too long' });
      expect(shape(await listener.ask(query(`notify a, '${'x'.repeat(7999)}'`)))).toBe('CZ');
    }));

  it('end the connection of a listener that lets too many wait', () =>
    two(async (listener, speaker) => {
      await listener.ask(query('listen a'));
      await listener.ask(query('begin'));
      const payload = 'x'.repeat(7000);
      const count = Math.ceil(WAITING_BYTES_MAX / 7000) + 1;
      await speaker.ask(query(`select pg_notify('a', i || '${payload}') from generate_series(1, ${count}) i`));
      const rest = await listener.rest();
      expect(reportFields(rest.find(({ type }) => type === 'E') as WireMessage)).toMatchObject({
        S: 'FATAL',
        C: '53400',
      });
      expect(shape(await speaker.ask(query('select 1')))).toBe('TDCZ');
    }));
});
