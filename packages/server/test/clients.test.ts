/** The server as node-postgres sees it, over a real database in memory. */
import { type Database, open } from '@phantom/db';
import { Client, type ClientConfig, type DatabaseError, type QueryResult } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Server, startServer } from '../src/server.js';
import {
  WireClient,
  type WireMessage,
  bind,
  describe as describeNamed,
  execute,
  parse,
  query,
  reportFields,
  rowValues,
  shape,
  sync,
} from './support/wire-client.js';

let database: Database;
let server: Server;
beforeAll(async () => {
  database = await open(':memory:');
  server = await startServer(database, { pgPort: 0, httpPort: 0, drainTimeoutMs: 200 });
  database.exec(`
    create table item (id int primary key, name text not null, price numeric(8, 2) check (price >= 0));
    create table line (item_id int references item (id), n int);
    insert into item values (1, 'tea', 2.50), (2, 'rice', null), (3, 'größer 🙂', 0);
  `);
});
afterAll(async () => {
  await server.close();
  await database.close();
});

const config = (more: ClientConfig = {}): ClientConfig => ({
  host: '127.0.0.1',
  port: server.pg.port,
  user: 'phantom',
  database: 'phantom',
  ...more,
});

async function connected<T>(use: (client: Client) => Promise<T>, more: ClientConfig = {}): Promise<T> {
  const client = new Client(config(more));
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

const failure = (client: Client, text: string, values?: unknown[]): Promise<DatabaseError> =>
  client.query(text, values).then(
    () => Promise.reject(new Error('it did not fail')),
    (error: DatabaseError) => error,
  );

describe('a collection', () => {
  it('is made, written, described and read by a client, in one transaction with a table', async () => {
    await connected(async (client) => {
      await client.query(`create collection note (schema '{"properties": {"item": {"type": "integer"}, "at": {"bsonType": "date"}}}');
        create index on note (item)`);
      await client.query('begin');
      await client.query(`insert into item values (9, 'salt', 1)`);
      await client.query('insert into note (item, at, doc) values ($1, $2, $3)', [9, new Date(0), { text: 'white' }]);
      await client.query('commit');
      const { rows, fields } = await client.query(
        'select name, item, at, doc.text from note join item on id = item where item = $1',
        ['9'],
      );
      expect(rows).toEqual([{ name: 'salt', item: '9', at: new Date(0), text: 'white' }]);
      expect(fields.map(({ dataTypeID }) => dataTypeID)).toEqual([25, 20, 1184, 3802]);
      const note = await database.collection<{ _id: unknown; item: number }>('note').findOne({ item: 9 });
      expect(note).toMatchObject({ item: 9, at: new Date(0), text: 'white' });
      await client.query('begin');
      await client.query('delete from note');
      await client.query(`delete from item where id = 9`);
      await client.query('rollback');
      expect((await client.query('update note set item = 1 returning item')).rows).toEqual([{ item: '1' }]);
      await client.query('drop collection note; delete from item where id = 9');
    });
  });
});

describe('node-postgres', () => {
  it('asks in text, with parameters, and by name', () =>
    connected(async (client) => {
      expect((await client.query('select id, name, price from item order by id')).rows).toEqual([
        { id: 1, name: 'tea', price: '2.50' },
        { id: 2, name: 'rice', price: null },
        { id: 3, name: 'größer 🙂', price: '0.00' },
      ]);
      expect((await client.query('select name from item where id = $1', [1])).rows).toEqual([{ name: 'tea' }]);
      for (const id of [1, 2, 1, 9]) {
        const { rows } = await client.query({ name: 'by-id', text: 'select id from item where id = $1', values: [id] });
        expect(rows).toEqual(id === 9 ? [] : [{ id }]);
      }
    }));

  it('describes columns by table, number, type and modifier', () =>
    connected(async (client) => {
      const { fields } = await client.query('select price, id + 1 as next from item');
      const [price, next] = fields;
      expect(price).toMatchObject({
        name: 'price',
        dataTypeID: 1700,
        dataTypeSize: -1,
        dataTypeModifier: ((8 << 16) | 2) + 4,
        columnID: 3,
      });
      expect(price?.tableID).toBeGreaterThan(16383);
      expect(next).toMatchObject({
        name: 'next',
        dataTypeID: 23,
        dataTypeSize: 4,
        dataTypeModifier: -1,
        tableID: 0,
        columnID: 0,
      });
    }));

  it('gives every result of a script, and its tags', () =>
    connected(async (client) => {
      const results = (await client.query(
        'begin; create table s (a int); insert into s values (1), (2); select * from s; rollback',
      )) as unknown as QueryResult[];
      expect(results.map((result) => [result.command, result.rowCount])).toEqual([
        ['BEGIN', null],
        ['CREATE', null],
        ['INSERT', 2],
        ['SELECT', 2],
        ['ROLLBACK', null],
      ]);
    }));

  it('makes a script one transaction', () =>
    connected(async (client) => {
      expect((await failure(client, 'create table gone (a int); insert into gone values (1); select 1 / 0')).code).toBe(
        '22012',
      );
      expect((await failure(client, 'select * from gone')).code).toBe('42P01');
      // What a script defines can be used by what follows in it.
      await client.query('create table there (a int); insert into there values (1); drop table there');
    }));

  it('says where in the whole text, counted in characters', () =>
    connected(async (client) => {
      const position = async (text: string, values?: unknown[]): Promise<string | undefined> =>
        (await failure(client, text, values)).position;
      expect(await position('select nope')).toBe('8');
      expect(await position("select 1; select '🙂ö', nope")).toBe('24');
      expect(await position('select 1; selec 2')).toBe('11');
      expect(await position("select $1::int, '🙂', nope", [1])).toBe('22');
      expect(await position("select '🙂'; prepare p as select nope")).toBe('33');
    }));

  it('tells all there is to tell of an error', () =>
    connected(async (client) => {
      expect(await failure(client, "insert into item values (1, 'x', 1)")).toMatchObject({
        severity: 'ERROR',
        code: '23505',
        message: 'duplicate key value violates unique constraint "item_pkey"',
        detail: 'Key (id)=(1) already exists.',
        schema: 'public',
        table: 'item',
        constraint: 'item_pkey',
      });
      expect(await failure(client, 'insert into item values (4, null, 1)')).toMatchObject({
        code: '23502',
        column: 'name',
      });
      expect(await failure(client, 'insert into line values (9, 1)')).toMatchObject({ code: '23503' });
      expect(await failure(client, 'select $1::int', ['x'])).toMatchObject({
        code: '22P02',
        where: "unnamed portal parameter $1 = '...'",
      });
      expect(await failure(client, "load 'library'")).toMatchObject({ code: '0A000' });
      expect(await failure(client, 'select 1 where', [])).toMatchObject({ code: '42601' });
    }));

  it('passes notices on', () =>
    connected(async (client) => {
      const notices: string[] = [];
      client.on('notice', (notice) => notices.push(`${notice.code}: ${notice.message}`));
      await client.query('drop table if exists never_was');
      await client.query('commit');
      expect(notices).toEqual([expect.stringMatching(/^00000: .*never_was/), expect.stringMatching(/^25P01/)]);
    }));

  it('keeps settings of the start-up and tells of changed ones', () =>
    connected(
      async (client) => {
        expect((await client.query('show application_name')).rows).toEqual([{ application_name: 'tester' }]);
        expect((await client.query('show timezone')).rows).toEqual([{ TimeZone: 'Asia/Tokyo' }]);
        await client.query("set application_name = 'other'");
        expect((await client.query("select current_setting('application_name') as a")).rows).toEqual([{ a: 'other' }]);
      },
      { application_name: 'tester', options: '-c timezone=Asia/Tokyo' },
    ));

  it('fails a transaction and not the connection', () =>
    connected(async (client) => {
      await client.query('begin');
      expect((await failure(client, 'select nope')).code).toBe('42703');
      expect((await failure(client, 'select 1')).code).toBe('25P02');
      expect((await failure(client, 'select $1::int', [1])).code).toBe('25P02');
      expect((await client.query('commit')).command).toBe('ROLLBACK');
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    }));

  it('refuses databases and users that are not there', async () => {
    await expect(connected(async () => undefined, { database: 'nowhere' })).rejects.toMatchObject({ code: '3D000' });
    await expect(connected(async () => undefined, { user: 'nobody' })).rejects.toMatchObject({ code: '28000' });
    await expect(connected(async () => undefined, { ssl: true })).rejects.toThrowError('does not support SSL');
  });

  it('makes databases and connects to them', async () => {
    await connected((client) => client.query('create database other'));
    await connected((client) => client.query('create table only_here (a int)'), { database: 'other' });
    await connected(async (client) => expect((await failure(client, 'select * from only_here')).code).toBe('42P01'));
  });

  it('lets a statement time out, and cancels one', () =>
    connected(async (client) => {
      const long = 'select count(*) from generate_series(1, 100000000)';
      await client.query('set statement_timeout = 50');
      expect(await failure(client, long)).toMatchObject({
        code: '57014',
        message: expect.stringContaining('statement timeout'),
      });
      await client.query('set statement_timeout = 0');
      const running = failure(client, long);
      const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
      await new Promise((resolve) => setTimeout(resolve, 50));
      const key = Buffer.alloc(16);
      [16, 80877102, processID, secretKey].forEach((value, i) => key.writeInt32BE(value, i * 4));
      const other = await WireClient.open(server.pg.port);
      other.send(key);
      expect(await running).toMatchObject({ code: '57014', message: expect.stringContaining('user request') });
      expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
    }));

  it('shows who is there and what they run, to whoever may know it', () =>
    connected(async (sleeper) => {
      await sleeper.query('set application_name to sleeper');
      const interrupted = failure(sleeper, 'select pg_sleep($1)', [10]);
      const seenBy = (client: Client): Promise<QueryResult> =>
        client.query(`select state, query, client_addr, client_port, query_start >= backend_start as began
          from pg_stat_activity where application_name = 'sleeper'`);
      await connected(async (other) => {
        await expect
          .poll(async () => (await seenBy(other)).rows)
          .toEqual([
            {
              state: 'active',
              query: 'select pg_sleep($1)',
              client_addr: '127.0.0.1',
              client_port: expect.any(Number),
              began: true,
            },
          ]);
        const own = `select state, client_addr = inet_client_addr() and client_port = inet_client_port() as here,
          inet_server_port() from pg_stat_activity where pid = pg_backend_pid()`;
        expect((await other.query(own)).rows).toEqual([
          { state: 'active', here: true, inet_server_port: server.pg.port },
        ]);
        await other.query('create role curious login; set role curious');
        expect((await seenBy(other)).rows).toEqual([
          { state: null, query: '<insufficient privilege>', client_addr: null, client_port: null, began: null },
        ]);
        await other.query('reset role; drop role curious');
        await other.query(`select pg_terminate_backend(pid) from pg_stat_activity where query = 'select pg_sleep($1)'`);
      });
      expect(await interrupted).toMatchObject({ code: '57P01' });
    }));

  it('gives many clients their own answers at once', async () => {
    await connected((client) => client.query('create table counter (id int primary key, n int not null)'));
    await connected((client) => client.query('insert into counter values (1, 0)'));
    const clients = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const client = new Client(config());
        await client.connect();
        return client;
      }),
    );
    await Promise.all(
      clients.map(async (client, i) => {
        for (let round = 0; round < 5; round++) {
          expect((await client.query('select $1::int as mine', [i])).rows).toEqual([{ mine: i }]);
          await client.query('update counter set n = n + 1 where id = 1');
        }
      }),
    );
    expect((await clients[0]?.query('select n from counter'))?.rows).toEqual([{ n: 200 }]);
    await Promise.all(clients.map((client) => client.end()));
  });
});

describe('formats', () => {
  const samples: readonly (readonly [type: string, text: string])[] = [
    ['int2', '-32768'],
    ['int4', '2147483647'],
    ['int8', '-9223372036854775808'],
    ['numeric', '-123456789012345678901234567890.000012300'],
    ['float4', '1.5'],
    ['float8', '-Infinity'],
    ['bool', 't'],
    ['text', 'größer 🙂'],
    ['bytea', '\\x00ff10'],
    ['uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
    ['date', '2024-02-29'],
    ['time', '23:59:59.999999'],
    ['timestamp', '2024-02-29 12:34:56.789'],
    ['timestamptz', '2024-02-29 12:34:56.789+00'],
    ['interval', '1 year 2 mons 3 days 04:05:06.7'],
    ['json', '{"a": [1, 2]}'],
    ['jsonb', '{"a": [1, 2]}'],
    ['int4[]', '{{1,2},{3,NULL}}'],
    ['text[]', '{a,"b c",NULL}'],
  ];

  it.each(samples)('%s goes out and in again, as text and as bytes', async (type, text) => {
    const client = await WireClient.start(server.pg.port);
    const statement = parse(`select $1::${type} as v`, 's');
    const out = async (value: string | Buffer, given: number, wanted: number): Promise<Buffer> => {
      const messages = await client.ask(
        bind([value], { statement: 's', formats: [given], results: [wanted] }),
        execute(),
        sync(),
      );
      expect(shape(messages)).toBe('2DCZ');
      return rowValues(messages[1] as never)[0] as Buffer;
    };
    expect(shape(await client.ask(statement, sync()))).toBe('1Z');
    const binary = await out(text, 0, 1);
    expect((await out(binary, 1, 0)).toString()).toBe(text);
    expect(await out(binary, 1, 1)).toEqual(binary);
    client.end();
  });
});

describe('on the wire', () => {
  it('describes types of parameters and columns before anything runs', async () => {
    const client = await WireClient.start(server.pg.port);
    const messages = await client.ask(
      parse('insert into item values ($1, $2, $3) returning id, price'),
      describeNamed('S'),
      sync(),
    );
    expect(shape(messages)).toBe('1tTZ');
    const oids = messages[1]?.body as Buffer;
    expect([0, 1, 2].map((i) => oids.readInt32BE(2 + 4 * i))).toEqual([23, 25, 1700]);
    expect(shape(await client.ask(parse('create table x (a int)'), describeNamed('S'), sync()))).toBe('1tnZ');
    client.end();
  });

  it('commits a pipeline at its Sync, or nothing of it', async () => {
    const client = await WireClient.start(server.pg.port);
    const insert = (id: number): Buffer[] => [
      parse('insert into item values ($1, $2, 1)'),
      bind([String(id), 'p']),
      execute(),
    ];
    const [first, second] = [
      await client.ask(...insert(100), ...insert(101), ...insert(100), ...insert(102), sync()),
      await client.ask(query('select count(*) from item where id >= 100')),
    ];
    expect(shape(first)).toBe('12C12C12EZ');
    expect(reportFields(first[8] as never)).toMatchObject({ C: '23505' });
    expect(rowValues(second[1] as never)[0]?.toString()).toBe('0');
    expect(shape(await client.ask(...insert(100), ...insert(101), sync()))).toBe('12C12CZ');
    await client.ask(query('delete from item where id >= 100'));
    client.end();
  });

  it('answers a deep pipeline in order', async () => {
    const client = await WireClient.start(server.pg.port);
    await client.ask(parse('select name from item where id = $1', 'get'), sync());
    const depth = 2000;
    const frames: Buffer[] = [];
    for (let i = 0; i < depth; i++) frames.push(bind([String((i % 3) + 1)], { statement: 'get' }), execute(), sync());
    client.send(...frames);
    const names = ['tea', 'rice', 'größer 🙂'];
    for (let i = 0; i < depth; i++) {
      const messages = await client.ready();
      expect(shape(messages)).toBe('2DCZ');
      expect(rowValues(messages[1] as never)[0]?.toString()).toBe(names[i % 3]);
    }
    client.end();
  });

  it('suspends a portal and goes on in a transaction', async () => {
    const client = await WireClient.start(server.pg.port);
    await client.ask(query('begin'));
    const first = await client.ask(
      parse('select * from generate_series(1, 10)'),
      bind([], { portal: 'c' }),
      execute(4, 'c'),
      sync(),
    );
    expect(shape(first)).toBe('12DDDDsZ');
    expect(shape(await client.ask(execute(4, 'c'), execute(4, 'c'), sync()))).toBe('DDDDsDDCZ');
    await client.ask(query('commit'));
    client.end();
  });

  it('declares a cursor with a parameter and describes it as a portal', async () => {
    const client = await WireClient.start(server.pg.port);
    await client.ask(query('begin'));
    const declared = await client.ask(
      parse('declare named cursor for select id as chosen from item where id > $1'),
      bind(['1']),
      execute(),
      describeNamed('P', 'named'),
      sync(),
    );
    expect(shape(declared)).toBe('12CTZ');
    expect(declared[3]?.body.toString('latin1')).toContain('chosen\0');
    expect(shape(await client.ask(query('fetch all from named')))).toBe('TDDCZ');
    await client.ask(query('rollback'));
    expect(reportFields((await client.ask(describeNamed('P', 'named'), sync()))[0] as never)).toMatchObject({
      C: '34000',
    });
    client.end();
  });

  it('calls a function with parameters of type void for what comes out of it, as JDBC does', async () => {
    const client = await WireClient.start(server.pg.port);
    const called = await client.ask(
      parse('select * from lower($1, $2) as result', '', [2278, 1043]),
      bind([null, 'ABC']),
      execute(),
      parse('select upper($2, $1)', '', [2278, 1043]),
      bind([null, 'abc']),
      execute(),
      sync(),
    );
    expect(shape(called)).toBe('12DC12DCZ');
    expect([2, 6].map((i) => rowValues(called[i] as never)[0]?.toString())).toEqual(['abc', 'ABC']);
    client.end();
  });

  it('executes a lookup once', async () => {
    const client = await WireClient.start(server.pg.port);
    const messages = await client.ask(
      parse('select id from item where id = 1'),
      bind(),
      execute(),
      execute(),
      execute(1),
      bind(),
      execute(1),
      sync(),
    );
    expect(shape(messages)).toBe('12DCCC2DsZ');
    client.end();
  });

  it('forgets a statement that SQL deallocates, and finds one that SQL prepared', async () => {
    const client = await WireClient.start(server.pg.port);
    await client.ask(parse('select 1', 'mine'), sync());
    await client.ask(query('deallocate mine; prepare yours (int) as select $1 + 1'));
    const messages = await client.ask(bind([], { statement: 'mine' }), sync());
    expect(reportFields(messages[0] as never)).toMatchObject({ C: '26000', R: 'FetchPreparedStatement' });
    const answer = await client.ask(bind(['41'], { statement: 'yours' }), execute(), sync());
    expect(rowValues(answer[1] as never)[0]?.toString()).toBe('42');
    client.end();
  });

  it('follows a table that is altered under a prepared statement', async () => {
    const client = await WireClient.start(server.pg.port);
    await client.ask(query('create table changing (a int primary key); insert into changing values (1)'));
    await client.ask(
      parse('select * from changing where a = $1', 'star'),
      parse('select a from changing', 'a'),
      sync(),
    );
    await client.ask(query('alter table changing add column b int default 7'));
    expect(shape(await client.ask(bind([], { statement: 'a' }), execute(), sync()))).toBe('2DCZ');
    const refused = await client.ask(bind(['1'], { statement: 'star' }), execute(), sync());
    expect(reportFields(refused[0] as never)).toMatchObject({
      C: '0A000',
      M: 'cached plan must not change result type',
      R: 'RevalidateCachedQuery',
    });
    client.end();
  });

  it('keeps idle clients small', async () => {
    const clients: WireClient[] = [];
    for (let i = 0; i < 100; i++) clients.push(await WireClient.start(server.pg.port));
    expect(server.connections).toBeGreaterThanOrEqual(100);
    for (const client of clients) client.end();
    await expect.poll(() => server.connections).toBeLessThan(100);
  });
});

async function valueOf(client: WireClient, sql: string): Promise<string> {
  const row = (await client.ask(query(sql))).find(({ type }) => type === 'D') as WireMessage;
  return String(rowValues(row)[0]);
}

describe('server', () => {
  it('answers HTTP beside it', async () => {
    const base = `http://127.0.0.1:${server.http?.port}`;
    expect((await fetch(`${base}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${base}/metrics`)).text()).toContain('phantom_');
  });

  it('gives its time limits to clients that do not say', async () => {
    await using strict = await startServer(database, { pgPort: 0, idleTimeoutMs: 60_000, statementTimeoutMs: 30_000 });
    const limits = "select current_setting('idle_session_timeout') || ' ' || current_setting('statement_timeout')";
    const client = await WireClient.start(strict.pg.port);
    expect(await valueOf(client, limits)).toBe('1min 30s');
    const other = await WireClient.start(strict.pg.port, { idle_session_timeout: '0' });
    expect(await valueOf(other, limits)).toBe('0 30s');
  });

  it('refuses to listen where others could reach it', async () => {
    await expect(startServer(database, { host: '0.0.0.0' })).rejects.toMatchObject({ code: '55000' });
  });

  it('frees the first port when the second cannot be had', async () => {
    await expect(startServer(database, { pgPort: 0, httpPort: server.pg.port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    await expect(startServer(database, { pgPort: server.pg.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await using other = await startServer(database, { pgPort: 0 });
    expect(other.http).toBeUndefined();
    await other.close();
  });
});

it('asks the clock twice for a read by key: when it comes and when it is answered', async () => {
  // Waits awake ask it, too.
  await using sleeping = await startServer(database, { pgPort: 0, pollMicros: 0 });
  const client = await WireClient.start(sleeping.pg.port);
  await client.ask(parse('select name from item where id = $1', 'by_key'), sync());
  const read = (): Promise<WireMessage[]> => client.ask(bind(['1'], { statement: 'by_key' }), execute(), sync());
  await read();
  const clock = vi.spyOn(performance, 'now');
  const reads = 64;
  for (let i = 0; i < reads; i++) expect(shape(await read())).toBe('2DCZ');
  const asked = clock.mock.calls.length;
  clock.mockRestore();
  client.end();
  // One read in 16 is timed by itself, for pg_stat_statements.
  expect(asked).toBeLessThanOrEqual(2 * reads + 2 * (reads / 16));
});
