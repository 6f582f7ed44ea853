/** COPY over the wire and over a real database: the three formats both ways, errors, clients that give up. */
import { type Database, open } from '@phantom/db';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Server, startServer } from '../src/server.js';
import {
  WireClient,
  type WireMessage,
  bind,
  cstring,
  execute,
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

const data = (text: string | Buffer): Buffer => frame('d', Buffer.from(text as string));
const done = (): Buffer => frame('c');

async function session<T>(use: (client: WireClient) => Promise<T>): Promise<T> {
  const client = await WireClient.start(server.pg.port);
  try {
    await client.ask(query('drop table if exists t; create table t (a int primary key, b text, c numeric default 7)'));
    return await use(client);
  } finally {
    client.end();
  }
}

const errorOf = (messages: WireMessage[]): Record<string, string> =>
  reportFields(messages.find(({ type }) => type === 'E') as WireMessage);
async function rows(client: WireClient, text = 'select * from t order by a'): Promise<(string | null)[][]> {
  const messages = await client.ask(query(text));
  return messages
    .filter(({ type }) => type === 'D')
    .map((row) => rowValues(row).map((value) => value?.toString() ?? null));
}
async function copied(client: WireClient, text: string): Promise<string> {
  const messages = await client.ask(query(text));
  expect(messages.find(({ type }) => type === 'E')?.body.toString()).toBeUndefined();
  return messages
    .filter(({ type }) => type === 'd')
    .map(({ body }) => body.toString())
    .join('');
}
async function copyIn(client: WireClient, text: string, ...pieces: (string | Buffer)[]): Promise<WireMessage[]> {
  client.send(query(text));
  const begun = await client.take('G');
  expect(shape(begun)).toBe('G');
  return client.ask(...pieces.map(data), done());
}

describe('COPY FROM STDIN', () => {
  it('reads text in any pieces, with escapes, nulls and defaults', () =>
    session(async (client) => {
      client.send(query('copy t (a, b) from stdin'));
      const [begun] = await client.take('G');
      expect(begun?.body).toEqual(Buffer.concat([Buffer.from([0]), int16(2), int16(0), int16(0)]));
      const text = '1\tplain\n2\t\\N\n3\ttab\\tline\\nslash\\\\ \\x41\\303\\266\n4\tgr\u00f6\u00dfer \u{1f642}\n';
      const bytes = Buffer.from(text);
      const pieces = Array.from({ length: Math.ceil(bytes.length / 3) }, (_, i) => bytes.subarray(i * 3, i * 3 + 3));
      const messages = await client.ask(...pieces.map(data), done());
      expect(shape(messages)).toBe('CZ');
      expect(messages[0]?.body.toString()).toBe('COPY 4\0');
      expect(await rows(client)).toEqual([
        ['1', 'plain', '7'],
        ['2', null, '7'],
        ['3', 'tab\tline\nslash\\ A\u00f6', '7'],
        ['4', 'gr\u00f6\u00dfer \u{1f642}', '7'],
      ]);
    }));

  it('reads CSV with quotes, line ends inside of them, and a header', () =>
    session(async (client) => {
      const csv = 'a,b,c\r\n1,"x ""y"", z",2.50\r\n2,,\r\n3,"","1"\r\n4,"two\r\nlines",0\r\n';
      const messages = await copyIn(
        client,
        'copy t from stdin with (format csv, header match)',
        csv.slice(0, 31),
        csv.slice(31),
      );
      expect(messages[0]?.body.toString()).toBe('COPY 4\0');
      expect(await rows(client)).toEqual([
        ['1', 'x "y", z', '2.50'],
        ['2', null, null],
        ['3', '', '1'],
        ['4', 'two\r\nlines', '0'],
      ]);
      const mismatch = await copyIn(client, 'copy t from stdin with (format csv, header match)', 'a,x,c\n');
      expect(errorOf(mismatch)).toMatchObject({
        C: '22P04',
        M: 'column name mismatch in header line field 2: got "x", expected "b"',
      });
    }));

  it('reads the binary format, which it writes as well', () =>
    session(async (client) => {
      await client.ask(query("insert into t values (1, 'one', 1.5), (2, null, null)"));
      const messages = await client.ask(query('copy t to stdout (format binary)'));
      expect(messages[0]?.body).toEqual(Buffer.concat([Buffer.from([1]), int16(3), int16(1), int16(1), int16(1)]));
      const bytes = Buffer.concat(messages.filter(({ type }) => type === 'd').map(({ body }) => body));
      expect(bytes.subarray(0, 11).toString('latin1')).toBe('PGCOPY\n\u00ff\r\n\0');
      await client.ask(query('truncate t'));
      const back = await copyIn(client, 'copy t from stdin (format binary)', bytes.subarray(0, 25), bytes.subarray(25));
      expect(back[0]?.body.toString()).toBe('COPY 2\0');
      expect(await rows(client)).toEqual([
        ['1', 'one', '1.5'],
        ['2', null, null],
      ]);
      const cut = await copyIn(client, 'copy t from stdin (format binary)', bytes.subarray(0, 30));
      expect(errorOf(cut)).toMatchObject({ C: '22P04', M: 'unexpected EOF in COPY data' });
    }));

  it('sends the header of the binary format with the first row, or with the end', () =>
    session(async (client) => {
      const data = (messages: WireMessage[]): Buffer[] =>
        messages.filter(({ type }) => type === 'd').map(({ body }) => body);
      const header = Buffer.concat([Buffer.from('PGCOPY\n\u00ff\r\n\0', 'latin1'), Buffer.alloc(8)]);
      expect(data(await client.ask(query('copy (select 1 where false) to stdout (format binary)')))).toEqual([
        Buffer.concat([header, int16(-1)]),
      ]);
      const row = Buffer.concat([int16(1), int32(4), int32(7)]);
      expect(data(await client.ask(query('copy (values (7), (7)) to stdout (format binary)')))).toEqual([
        Buffer.concat([header, row]),
        row,
        int16(-1),
      ]);
    }));

  it('writes nothing when a row is wrong, says where, and drops what the client sends on', () =>
    session(async (client) => {
      const messages = await copyIn(client, 'copy t from stdin', '1\tx\t1\n', 'two\ty\t2\n', '3\tz\t3\n');
      expect(shape(messages)).toBe('EZ');
      expect(errorOf(messages)).toMatchObject({ C: '22P02', W: 'COPY t, line 2, column a: "two"' });
      expect(await rows(client)).toEqual([]);
      const duplicate = await copyIn(client, 'copy t (a) from stdin', '1\n1\n');
      expect(errorOf(duplicate)).toMatchObject({ C: '23505', W: 'COPY t, line 2' });
      const missing = await copyIn(client, 'copy t from stdin', '1\tx\n');
      expect(errorOf(missing)).toMatchObject({ C: '22P04', M: 'missing data for column "c"' });
      const extra = await copyIn(client, 'copy t from stdin', '1\tx\t1\t2\n');
      expect(errorOf(extra)).toMatchObject({ C: '22P04', M: 'extra data after last expected column' });
      const open = await copyIn(client, 'copy t from stdin csv', '1,"x\n');
      expect(errorOf(open)).toMatchObject({ C: '22P04', M: 'unterminated CSV quoted field' });
      expect(await rows(client)).toEqual([]);
    }));

  it('puts values past the plan to their columns, in whatever order they come', () =>
    session(async (client) => {
      await client.ask(
        query(`drop table t; create table t (a int primary key, gone int, b varchar(4), c char(3) not null, d numeric(5, 1),
        e text, f text unique, check (d < 100)); alter table t drop column gone`),
      );
      await copyIn(client, 'copy t (f, d, c, a, b) from stdin', 'x\t1.26\tno\t7\tfour\n\\N\t\\N\tyes\t-8\t\n');
      expect(await rows(client)).toEqual([
        ['-8', '', 'yes', null, null, null],
        ['7', 'four', 'no ', '1.3', null, 'x'],
      ]);
      const refused = async (line: string): Promise<(string | undefined)[]> => {
        const error = errorOf(await copyIn(client, 'copy t from stdin', `1\tb\tc\t1\te\tf\n${line}\n`));
        return [error['C'], error['D'], error['W']];
      };
      expect(await refused('2\tb\t\\N\t1\tee\tg')).toEqual([
        '23502',
        'Failing row contains (2, b, null, 1.0, ee, g).',
        'COPY t, line 2',
      ]);
      expect(await refused('2\tb\tcc\t100\tee\tg')).toEqual([
        '23514',
        'Failing row contains (2, b, cc , 100.0, ee, g).',
        'COPY t, line 2',
      ]);
      expect(await refused('2\tb\tc\t1\te\tx')).toEqual(['23505', 'Key (f)=(x) already exists.', 'COPY t, line 2']);
      expect((await refused('2\tfives\tc\t1\te\ty'))[0]).toBe('22001');
      expect(await rows(client)).toHaveLength(2);
    }));

  it('ends at the end mark, and takes only rows that meet its condition', () =>
    session(async (client) => {
      const messages = await copyIn(
        client,
        'copy t (a, b) from stdin where a % 2 = 1',
        '1\tx\n2\ty\n3\tz\n\\.\nnot data\n',
      );
      expect(messages[0]?.body.toString()).toBe('COPY 2\0');
      expect(await rows(client, 'select a from t order by a')).toEqual([['1'], ['3']]);
    }));

  it('stops when the client gives up, or sends what is not data', () =>
    session(async (client) => {
      client.send(query('copy t from stdin'));
      await client.take('G');
      const failed = await client.ask(data('1\tx\t1\n'), frame('f', cstring('enough')));
      expect(errorOf(failed)).toMatchObject({ C: '57014', M: 'COPY from stdin failed: enough' });
      client.send(query('copy t from stdin'));
      await client.take('G');
      const strange = await client.ask(query('select 1'));
      expect(errorOf(strange)).toMatchObject({ C: '08P01', M: 'unexpected message type 0x51 during COPY from stdin' });
      expect(await rows(client)).toEqual([]);
    }));

  it('works in the extended protocol, where Sync means nothing until it is done', () =>
    session(async (client) => {
      client.send(parse('copy t (a) from stdin'), bind(), execute(), sync());
      expect(shape(await client.take('G'))).toBe('12G');
      expect(shape(await client.ask(data('5\n'), done(), sync()))).toBe('CZ');
      expect(await rows(client, 'select a from t')).toEqual([['5']]);
      const failed = await client.ask(parse('copy nothing from stdin'), bind(), execute(), sync());
      expect(shape(failed)).toBe('12EZ');
      expect(errorOf(failed)).toMatchObject({ C: '42P01' });
    }));

  it('rolls back when the client is gone', () =>
    session(async (client) => {
      const other = await WireClient.start(server.pg.port);
      other.send(query('copy t from stdin'), data('1\tx\t1\n'));
      await other.take('G');
      other.end();
      // A row that nobody holds any more can be written.
      expect(shape(await client.ask(query("insert into t values (1, 'mine')")))).toBe('CZ');
    }));
});

describe('COPY TO STDOUT', () => {
  it('writes text and CSV', () =>
    session(async (client) => {
      await client.ask(
        query("insert into t values (1, E'a\\tb\\n\\\\', 1.5), (2, null, null), (3, '', 0), (4, 'x,\"y\"', 4)"),
      );
      const messages = await client.ask(query('copy t to stdout'));
      expect(shape(messages)).toBe('HddddcCZ');
      expect(await copied(client, 'copy t to stdout')).toBe('1\ta\\tb\\n\\\\\t1.5\n2\t\\N\t\\N\n3\t\t0\n4\tx,"y"\t4\n');
      expect(await copied(client, 'copy t (b, a) to stdout csv header')).toBe(
        'b,a\n"a\tb\n\\",1\n,2\n"",3\n"x,""y""",4\n',
      );
      expect(
        await copied(
          client,
          "copy (select a, b from t where a < 3 order by a desc) to stdout with (delimiter '|', null '-', format csv, force_quote (a))",
        ),
      ).toBe('"2"|-\n"1"|"a\tb\n\\"\n');
      expect(await copied(client, 'copy (delete from t where a = 3 returning a) to stdout')).toBe('3\n');
    }));

  it('writes and reads rows of no columns, which pg_dump asks for', () =>
    session(async (client) => {
      await client.ask(query('create table columnless (); insert into columnless default values'));
      const messages = await client.ask(query('copy columnless to stdout'));
      expect(messages.filter(({ type }) => type === 'd').map(({ body }) => body.toString())).toEqual(['\n']);
      expect((await copyIn(client, 'copy columnless from stdin', '\n\n'))[0]?.body.toString()).toBe('COPY 2\0');
      expect(errorOf(await client.ask(query('copy (delete from columnless) to stdout')))).toMatchObject({ C: '0A000' });
      await client.ask(query('drop table columnless'));
    }));

  it('says what it cannot do', () =>
    session(async (client) => {
      const refused = async (text: string): Promise<string | undefined> => errorOf(await client.ask(query(text)))['C'];
      expect(await refused("copy t to '/tmp/x'")).toBe('0A000');
      expect(await refused('copy pg_class to stdout')).toBe('42809');
      expect(await refused('copy t (nothing) to stdout')).toBe('42703');
      expect(await refused("copy t to stdout (delimiter 'xy')")).toBe('0A000');
      expect(await refused("copy t to stdout (format csv, delimiter '\"')")).toBe('22023');
      expect(await refused('copy t to stdout (format binary, header)')).toBe('0A000');
      expect(await refused('copy t to stdout (what)')).toBe('42601');
      expect(await refused("copy t to stdout (null 'x', null 'y')")).toBe('42601');
    }));

  it('gives others their turn while a client does not read', () =>
    session(async (client) => {
      await client.ask(query("insert into t select i, repeat('x', 1000) from generate_series(1, 3000) i"));
      client.socket.pause();
      client.send(query('copy t to stdout'));
      const other = await WireClient.start(server.pg.port);
      expect(shape(await other.ask(query('select 1')))).toBe('TDCZ');
      other.end();
      client.socket.resume();
      const messages = await client.ready();
      expect(messages.filter(({ type }) => type === 'd')).toHaveLength(3000);
    }));
});
