import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PhantomError } from '@phantom/base';
import { INPUT_BYTES_MAX } from '../src/pg/connection.js';
import { PORTALS_MAX } from '../src/pg/portals.js';
import { STATEMENTS_MAX } from '../src/pg/prepared-statements.js';
import type { FakeSession } from './support/fake-database.js';
import { type FakeServer, startFake } from './support/fake-server.js';
import {
  WireClient,
  type WireMessage,
  bind,
  close,
  cstring,
  describe as describeNamed,
  execute,
  flush,
  frame,
  int16,
  int32,
  parse,
  query,
  reportFields,
  rowValues,
  shape,
  sync,
} from './support/wire-client.js';

let server: FakeServer;
beforeAll(async () => {
  server = await startFake({ drainTimeoutMs: 50 });
});
afterAll(() => server.listener.close());

const texts = (message: WireMessage | undefined): (string | null)[] =>
  rowValues(message as WireMessage).map((value) => value?.toString() ?? null);
const errorOf = (messages: WireMessage[]): Record<string, string> =>
  reportFields(messages.find((message) => message.type === 'E') as WireMessage);

async function session<T>(use: (client: WireClient, database: FakeSession) => Promise<T>, settings = {}): Promise<T> {
  const client = await WireClient.start(server.port, settings);
  try {
    return await use(client, server.database.sessions.at(-1) as FakeSession);
  } finally {
    client.end();
  }
}

describe('simple query', () => {
  it('answers rows, an empty query, and several statements in one transaction', () =>
    session(async (client, database) => {
      const messages = await client.ask(query('rows 2'));
      expect(shape(messages)).toBe('TDDCZ');
      expect(messages[0]?.body.subarray(0, 4)).toEqual(Buffer.concat([int16(2), cstring('n')]));
      expect(texts(messages[1])).toEqual(['1', 'x']);
      expect(messages[3]?.body.toString()).toBe('SELECT 2\0');
      expect(shape(await client.ask(query(' ; ')))).toBe('IZ');
      database.syncs = 0;
      expect(shape(await client.ask(query('rows 1; set application_name x; rows 5')))).toBe('TDCCTDDDDDCSZ');
      expect(database.syncs).toBe(1);
    }));

  it('stops a script at its first error and says where', () =>
    session(async (client) => {
      const messages = await client.ask(query('rows 1; fail 42P01; rows 1'));
      expect(shape(messages)).toBe('TDCEZ');
      expect(errorOf(messages)).toEqual({
        S: 'ERROR',
        V: 'ERROR',
        C: '42P01',
        M: 'failed: fail 42P01',
        P: '3',
        D: 'why',
        H: 'so',
        s: 's',
        t: 't',
        c: 'c',
        d: 'd',
        n: 'k',
      });
      expect(errorOf(await client.ask(query('syntax error')))).toMatchObject({ C: '42601', P: '1' });
    }));

  it('reports the last statement complete only after the commit', () =>
    session(async (client, database) => {
      database.failSync = new PhantomError('40001', 'could not serialize');
      const messages = await client.ask(query('rows 1'));
      expect(shape(messages)).toBe('TDEZ');
    }));

  it('says in which state the transaction is', () =>
    session(async (client) => {
      const status = async (text: string): Promise<string> =>
        (await client.ask(query(text))).at(-1)?.body.toString() ?? '';
      expect(await status('begin')).toBe('T');
      expect(await status('rows 1')).toBe('T');
      expect(await status('fail 22012')).toBe('E');
      expect(errorOf(await client.ask(query('rows 1')))).toMatchObject({ C: '25P02' });
      expect(await status('rollback')).toBe('I');
    }));

  it('passes notices on as the client asked', () =>
    session(
      async (client) => {
        expect(
          shape(await client.ask(query('notice hello; notice loud WARNING; notice told INFO; notice small DEBUG'))),
        ).toBe('CNCNCCZ');
      },
      { client_min_messages: 'warning' },
    ));

  it('tells of a changed setting once, before it is ready', () =>
    session(async (client) => {
      const messages = await client.ask(query('set application_name a; set application_name b'));
      expect(shape(messages)).toBe('CCSZ');
      expect(messages[2]?.body.toString()).toBe('application_name\0b\0');
      expect(shape(await client.ask(query('set application_name b')))).toBe('CZ');
    }));

  it('calls a defect by its name and goes on', () =>
    session(async (client) => {
      expect(errorOf(await client.ask(query('defect')))).toMatchObject({ C: 'XX000', M: 'internal error: a defect' });
      expect(shape(await client.ask(query('rows 1')))).toBe('TDCZ');
    }));

  it('refuses text that is not UTF-8 and function calls that are none, and ignores stray copy data', () =>
    session(async (client) => {
      expect(errorOf(await client.ask(frame('Q', Buffer.from([0xff, 0]))))).toMatchObject({ C: '22021' });
      expect(errorOf(await client.ask(frame('F', int32(1))))).toMatchObject({ C: '08P01' });
      expect(shape(await client.ask(frame('d', Buffer.from('x')), frame('c'), frame('f', cstring('no')), sync()))).toBe(
        'Z',
      );
    }));
});

describe('extended query', () => {
  it('parses, binds, describes and executes in one go', () =>
    session(async (client) => {
      const messages = await client.ask(
        parse('echo int4 text'),
        describeNamed('S'),
        bind(['42', 'größer']),
        describeNamed('P'),
        execute(),
        sync(),
      );
      expect(shape(messages)).toBe('1tT2TDCZ');
      expect(messages[1]?.body).toEqual(Buffer.concat([int16(2), int32(23), int32(25)]));
      expect(texts(messages[5])).toEqual(['42', 'größer']);
    }));

  it('speaks both formats in both directions', () =>
    session(async (client) => {
      const four = int32(4);
      const messages = await client.ask(
        parse('echo int4 text int4', 's'),
        bind([four, 'abc', null], { statement: 's', formats: [1, 0, 0], results: [0, 1, 1] }),
        execute(),
        bind([four, 'abc', four], { statement: 's', formats: [1], results: [1] }),
        describeNamed('P'),
        execute(),
        sync(),
      );
      expect(shape(messages)).toBe('12DC2TDCZ');
      expect(rowValues(messages[2] as WireMessage)).toEqual([Buffer.from('4'), Buffer.from('abc'), null]);
      expect(rowValues(messages[6] as WireMessage)).toEqual([four, Buffer.from('abc'), four]);
      expect(messages[5]?.body.readInt16BE((messages[5] as WireMessage).body.length - 2)).toBe(1);
    }));

  it('suspends a portal at its limit and goes on', () =>
    session(async (client) => {
      const messages = await client.ask(parse('rows 5'), bind(), execute(2), execute(2), execute(2), execute(), sync());
      expect(shape(messages)).toBe('12DDsDDsDCCZ');
      expect(messages[9]?.body.toString()).toBe('SELECT 1\0');
    }));

  it('skips to Sync after an error, and only to there', () =>
    session(async (client) => {
      const messages = await client.ask(
        parse('rows 1'),
        bind(),
        parse('fail 42601'),
        bind(),
        execute(),
        parse('rows 1'),
        frame('E', Buffer.alloc(2)),
        query('rows 1'),
        sync(),
      );
      expect(shape(messages)).toBe('121' + '2EZ');
      expect(shape(await client.ask(parse('rows 1'), bind(), execute(), sync()))).toBe('12DCZ');
    }));

  it('commits at Sync, and says so when that fails', () =>
    session(async (client, database) => {
      expect(shape(await client.ask(parse('rows 1'), bind(), execute(), execute(), sync()))).toBe('12DCCZ');
      expect(database.syncs).toBe(1);
      client.send(parse('rows 1'), bind(), execute(), flush());
      await client.take('C');
      database.failSync = new PhantomError('23503', 'violates');
      expect(shape(await client.ask(sync()))).toBe('EZ');
    }));

  it('names statements and portals, and drops them', () =>
    session(async (client) => {
      expect(shape(await client.ask(parse('rows 3', 'a'), parse('rows 1', 'b'), sync()))).toBe('11Z');
      expect(errorOf(await client.ask(parse('rows 1', 'a'), sync()))).toMatchObject({ C: '42P05' });
      const named = bind([], { statement: 'a', portal: 'p' });
      expect(
        shape(
          await client.ask(named, bind([], { statement: 'b' }), execute(1, 'p'), execute(), execute(0, 'p'), sync()),
        ),
      ).toBe('22DsDCDDCZ');
      expect(errorOf(await client.ask(execute(0, 'p'), sync()))).toMatchObject({ C: '34000' });
      expect(errorOf(await client.ask(named, named, sync()))).toMatchObject({ C: '42P03' });
      expect(shape(await client.ask(named, close('P', 'p'), close('P', 'none'), named, sync()))).toBe('2332Z');
      expect(shape(await client.ask(close('S', 'a'), close('S'), sync()))).toBe('33Z');
      expect(errorOf(await client.ask(named, sync()))).toMatchObject({
        C: '26000',
        M: 'prepared statement "a" does not exist',
      });
      expect(errorOf(await client.ask(bind(), sync()))).toMatchObject({ C: '26000' });
      expect(errorOf(await client.ask(describeNamed('P'), sync()))).toMatchObject({ C: '34000' });
    }));

  it('keeps portals over Sync inside a transaction, and closes them with it', () =>
    session(async (client) => {
      await client.ask(query('begin'));
      expect(
        shape(
          await client.ask(parse('rows 3', 'a'), bind([], { statement: 'a', portal: 'p' }), execute(1, 'p'), sync()),
        ),
      ).toBe('12DsZ');
      expect(shape(await client.ask(execute(1, 'p'), sync()))).toBe('DsZ');
      await client.ask(query('commit'));
      expect(errorOf(await client.ask(execute(1, 'p'), sync()))).toMatchObject({ C: '34000' });
    }));

  it('begins a transaction once with each portal', () =>
    session(async (client) => {
      const messages = await client.ask(parse('begin'), bind(), execute(), execute(), sync());
      expect(shape(messages)).toBe('12CEZ');
      expect(errorOf(messages)).toMatchObject({ C: '55000', M: 'portal "" cannot be run anymore' });
    }));

  it('answers NoData and the empty query', () =>
    session(async (client) => {
      expect(
        shape(await client.ask(parse(''), describeNamed('S'), bind(), describeNamed('P'), execute(), sync())),
      ).toBe('1tn2nIZ');
    }));

  it.each([
    ['too few values', [bind(['1'])], '08P01'],
    ['a bad value', [bind(['one', 'x'])], '22P02'],
    ['bad binary', [bind([Buffer.alloc(3), 'x'], { formats: [1, 0] })], '22P03'],
    ['a zero in text', [bind(['1', 'a\0b'])], '22021'],
    ['text that is not UTF-8', [bind(['1', Buffer.from([0xc3])])], '22021'],
    ['an unknown format', [bind(['1', 'x'], { formats: [2] })], '22023'],
    ['a wrong number of result formats', [bind(['1', 'x'], { results: [0, 1, 0] })], '08P01'],
  ])('refuses %s without ending the connection', (_, frames, code) =>
    session(async (client) => {
      const messages = await client.ask(parse('echo int4 text'), ...frames, execute(), sync());
      expect(shape(messages)).toBe('1EZ');
      expect(errorOf(messages)).toMatchObject({ S: 'ERROR', C: code });
      expect(shape(await client.ask(bind(['1', 'x']), execute(), sync()))).toBe('2DCZ');
    }),
  );

  it('says which parameter was wrong and not what it was', () =>
    session(async (client) => {
      expect(errorOf(await client.ask(parse('echo int4'), bind(['secret']), sync())).W).toBe(
        "unnamed portal parameter $1 = '...'",
      );
    }));

  it.each([
    ['Query without its end', [frame('Q', Buffer.from('select'))]],
    ['bytes behind a Query', [frame('Q', cstring('a'), cstring('b'))]],
    ['a short Bind', [frame('B', cstring(''), cstring(''), int16(9)), sync()]],
    [
      'a negative value length',
      [frame('B', cstring(''), cstring(''), int16(0), int16(1), int32(-2), int16(0)), sync()],
    ],
    [
      'formats that do not fit',
      [frame('B', cstring(''), cstring(''), int16(2), int16(0), int16(0), int16(1), int32(-1), int16(0)), sync()],
    ],
    ['an unknown Describe', [frame('D', Buffer.from('x'), cstring('')), sync()]],
    ['a Sync with a body', [frame('S', int16(1))]],
  ])('answers %s with an error and goes on', (_, frames) =>
    session(async (client) => {
      const messages = await client.ask(...frames);
      expect(shape(messages)).toBe('EZ');
      expect(errorOf(messages)).toMatchObject({ S: 'ERROR', C: '08P01' });
      expect(shape(await client.ask(query('rows 1')))).toBe('TDCZ');
    }),
  );

  it.each([
    ['a Sync with a body', frame('S', int16(1))],
    ['a Query without its end', frame('Q', Buffer.from('select'))],
  ])('undoes with %s what its pipeline has begun', (_, bytes) =>
    session(async (client, database) => {
      const messages = await client.ask(parse('rows 1'), bind([]), execute(), bytes);
      expect(shape(messages)).toBe('12DCEZ');
      expect(messages.at(-1)?.body.toString()).toBe('I');
      expect(database.transaction).toBeUndefined();
    }),
  );

  it('limits statements and portals of a connection', () =>
    session(async (client) => {
      const statements = Array.from({ length: STATEMENTS_MAX + 1 }, (_, i) => parse('', `s${i}`));
      expect(errorOf(await client.ask(...statements, sync()))).toMatchObject({ C: '53400' });
      const portals = Array.from({ length: PORTALS_MAX + 1 }, (_, i) => bind([], { statement: 's1', portal: `p${i}` }));
      expect(errorOf(await client.ask(...portals, sync()))).toMatchObject({ C: '53400' });
    }));
});

describe('pipelines', () => {
  it('answer in order, however the bytes are cut', () =>
    session(async (client) => {
      const one = Buffer.concat([
        parse('echo int4'),
        bind(['7']),
        execute(),
        sync(),
        query('later'),
        parse('later'),
        bind(),
        execute(),
        sync(),
      ]);
      for (const byte of one) client.send(Buffer.from([byte]));
      const all = [...(await client.ready()), ...(await client.ready()), ...(await client.ready())];
      expect(shape(all)).toBe('12DCZTDCZ12DCZ');
    }));

  it('hold no more input than the limit while a statement runs', () =>
    session(async (client, database) => {
      client.send(query('wait'));
      await expect.poll(() => database.cancelled).toBeDefined();
      const big = query(`rows 1 ${' '.repeat(100_000)}`);
      for (let i = 0; i < 60; i++) client.send(big);
      // What the server does not read stays in the socket's buffers.
      await expect.poll(() => client.socket.writableLength).toBeGreaterThan(0);
      await new Promise((resolve) => setTimeout(resolve, 50));
      const [connection] = (server.listener as unknown as { connections: Set<{ decoder: { bufferedBytes: number } }> })
        .connections;
      expect(connection?.decoder.bufferedBytes).toBeLessThan(INPUT_BYTES_MAX + 128 * 1024);
      database.cancel();
      for (let i = 0; i < 61; i++) await client.ready();
    }));

  it('make a client that does not read hold up its query, not the memory', () =>
    session(async (client, database) => {
      client.socket.pause();
      client.send(query('rows 30000 1000'));
      await expect.poll(() => database.fetches).toBeGreaterThan(3);
      // The system's socket buffers fill first, at a pace of their own.
      let before = 0;
      while (database.rowsMade > before) {
        before = database.rowsMade;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      expect(before).toBeLessThan(20_000);
      client.socket.resume();
      const messages = await client.ready();
      expect(messages.filter((message) => message.type === 'D')).toHaveLength(30_000);
    }));

  it('fetch wide rows in small pieces', () =>
    session(async (client, database) => {
      await client.ask(query('rows 1000 20000'));
      expect(database.fetches).toBeGreaterThan(1000 / 20);
    }));

  it('time a statement over all its pieces', () =>
    session(
      async (client, database) => {
        let reason: string | undefined;
        database.cancel = (message) => (reason = message);
        client.socket.pause();
        client.send(query('rows 20000 1000'));
        await expect.poll(() => reason).toBe('canceling statement due to statement timeout');
        client.socket.resume();
        await client.ready();
      },
      { statement_timeout: '30' },
    ));
});

describe('an answer whose end is waited for', () => {
  it('leaves with its end: whole ones before it do not wait, nor do notices', () =>
    session(async (client, database) => {
      client.send(parse('rows 1'), bind(), execute(), sync(), query('wait'));
      expect(shape(await client.ready())).toBe('12DCZ');
      database.cancelled?.(new PhantomError('57014', 'enough'));
      expect(shape(await client.ready())).toBe('EZ');
      client.send(parse('wait'), bind(), execute());
      // What comes after a turn of the server's would have come by then.
      const other = await WireClient.start(server.port);
      await other.ask(query('rows 1'));
      other.end();
      expect(client.messages).toEqual([]);
      database.request.onNotice({ severity: 'NOTICE', code: '00000', message: 'still here', fields: {} });
      expect(shape(await client.take('N'))).toBe('12N');
      database.cancelled?.(new PhantomError('57014', 'enough'));
      expect(shape(await client.ask(sync()))).toBe('EZ');
    }));
});

describe('a write by key', () => {
  it('is not told before its commit, nor by Flush before what it has read is durable', () =>
    session(async (client, database) => {
      let publish: () => void = () => undefined;
      database.shown = new Promise((resolve) => {
        publish = resolve;
      });
      client.send(parse('write'), bind(), execute());
      // What comes after a turn of the server's would have come by then.
      const other = await WireClient.start(server.port);
      await other.ask(query('rows 1'));
      other.end();
      expect(client.messages).toEqual([]);
      client.send(flush());
      publish();
      database.shown = undefined;
      expect(shape(await client.take('C'))).toBe('12C');
      expect(shape(await client.ask(execute(), sync()))).toBe('EZ');
      expect(shape(await client.ask(parse('write'), bind(), execute(), bind(), execute(), sync()))).toBe('12C2CZ');
      expect(
        shape(await client.ask(parse('write'), bind(), execute(), parse('rows 1'), bind(), execute(), sync())),
      ).toBe('12C12DCZ');
    }));

  it('that lost a race is run again while its client has heard nothing', () =>
    session(async (client, database) => {
      const lost = new PhantomError('40001', 'lost');
      database.runsAgain = true;
      for (const message of [query('write'), Buffer.concat([parse('write'), bind(), execute(), sync()])]) {
        database.syncs = 0;
        database.failSync = lost;
        expect(shape(await client.ask(message)).replace(/^12/, '')).toBe('CZ');
        expect(database.syncs).toBe(2);
      }
      client.send(parse('write'), bind(), execute(), flush());
      expect(shape(await client.take('C'))).toBe('12C');
      database.failSync = lost;
      expect(shape(await client.ask(sync()))).toBe('EZ');
    }));
});
