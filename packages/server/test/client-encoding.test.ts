/** Clients that do not speak UTF-8: SET client_encoding, and COPY with an encoding of its own. */
import { type Database, open } from '@phantom/db';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Server, startServer } from '../src/server.js';
import {
  WireClient,
  type WireMessage,
  bind,
  describe as describeMessage,
  execute,
  frame,
  parse,
  query,
  reportFields,
  rowValues,
  shape,
  sync,
} from './support/wire-client.js';

let database: Database;
let server: Server;
let client: WireClient;
beforeAll(async () => {
  database = await open(':memory:');
  server = await startServer(database, { pgPort: 0, drainTimeoutMs: 200 });
});
afterAll(async () => {
  await server.close();
  await database.close();
});
beforeEach(async () => {
  client = await WireClient.start(server.pg.port);
  await client.ask(query('drop table if exists t; create table t (a int primary key, b text)'));
});
afterEach(() => client.end());

/** Bytes of a query in Latin 1. */
const latin = (text: string): Buffer => frame('Q', Buffer.from(`${text}\0`, 'latin1'));
const errorOf = (messages: WireMessage[]): Record<string, string> =>
  reportFields(messages.find(({ type }) => type === 'E') as WireMessage);
const bytesOf = (messages: WireMessage[], type: string): Buffer =>
  Buffer.concat(messages.filter((message) => message.type === type).map(({ body }) => body));
const valuesOf = (messages: WireMessage[]): (string | undefined)[] =>
  messages
    .filter(({ type }) => type === 'D')
    .flatMap((row) => rowValues(row).map((value) => value?.toString('latin1')));
const kept = async (): Promise<unknown> => [...(await database.query('select b from t order by a')).rows];

it('reads and writes statements, values, names and parameters in it', async () => {
  const told = await client.ask(query("set client_encoding = 'iso-8859-1'"));
  expect(bytesOf(told, 'S').toString()).toBe('client_encoding\0LATIN1\0');
  await client.ask(latin("insert into t values (1, 'größer')"));
  const answer = await client.ask(latin('select b as "Größe" from t'));
  expect(valuesOf(answer)).toEqual(['größer']);
  expect(bytesOf(answer, 'T').includes(Buffer.from('Größe\0', 'latin1'))).toBe(true);
  const bound = await client.ask(
    parse('insert into t values (2, $1) returning b, a'),
    bind([Buffer.from('späße', 'latin1')], { results: [1] }),
    describeMessage('P'),
    execute(),
    sync(),
  );
  expect(valuesOf(bound)).toEqual(['späße', '\0\0\0\u0002']);
  expect(await kept()).toEqual([{ b: 'größer' }, { b: 'späße' }]);
  expect(valuesOf(await client.ask(query('select pg_client_encoding()')))).toEqual(['LATIN1']);
  await client.ask(query("set client_encoding to 'UTF8'"));
  expect(bytesOf(await client.ask(query('select b as "Größe" from t')), 'T').includes('Größe\0')).toBe(true);
});

it('is that of COPY, unless COPY says otherwise', async () => {
  await client.ask(query("set client_encoding = 'LATIN1'"));
  const copyIn = async (text: string, data: Buffer): Promise<string> => {
    client.send(query(text));
    await client.take('G');
    return shape(await client.ask(frame('d', data), frame('c')));
  };
  expect(await copyIn('copy t from stdin', Buffer.from('1\tgrün\n', 'latin1'))).toBe('CZ');
  expect(await copyIn("copy t from stdin encoding 'UTF8'", Buffer.from('2\tgrün\n'))).toBe('CZ');
  expect(await copyIn("copy t from stdin (format csv, encoding 'win1251')", Buffer.from([51, 44, 0xe6, 10]))).toBe(
    'CZ',
  );
  expect(await kept()).toEqual([{ b: 'grün' }, { b: 'grün' }, { b: 'ж' }]);
  const out = await client.ask(query('copy (select b from t where a = 1) to stdout'));
  expect(bytesOf(out, 'd').toString('latin1')).toBe('grün\n');
  const other = await client.ask(query("copy (select b from t where a < 3) to stdout (encoding 'utf-8')"));
  expect(bytesOf(other, 'd').toString()).toBe('grün\ngrün\n');
  const lacking = await client.ask(query('copy t to stdout'));
  expect(errorOf(lacking)).toMatchObject({
    C: '22P05',
    M: 'character with byte sequence 0xd0 0xb6 in encoding "UTF8" has no equivalent in encoding "LATIN1"',
  });
});

it('lets what it lacks fail in values, and show as question marks in messages', async () => {
  await database.query("insert into t values (1, '€ 1')");
  await client.ask(query("set client_encoding = 'LATIN1'"));
  expect(errorOf(await client.ask(query('select b from t')))).toMatchObject({ C: '22P05' });
  expect(errorOf(await client.ask(query('select b::int from t')))).toMatchObject({
    M: 'invalid input syntax for type integer: "? 1"',
  });
  await client.ask(query("set client_encoding = 'WIN1252'"));
  expect(valuesOf(await client.ask(query('select b from t')))).toEqual(['\u0080 1']);
  expect(errorOf(await client.ask(frame('Q', Buffer.from([39, 0x81, 39, 0]))))).toMatchObject({ C: '22P05' });
});

it('goes back with the transaction, and is refused where its table is not here', async () => {
  await client.ask(query('begin'));
  await client.ask(query("set client_encoding = 'LATIN1'"));
  const back = await client.ask(query('rollback'));
  expect(bytesOf(back, 'S').toString()).toBe('client_encoding\0UTF8\0');
  expect(
    valuesOf(await client.ask(query("select 'ü'"))).map((text) => Buffer.from(text ?? '', 'latin1').toString()),
  ).toEqual(['ü']);
  expect(errorOf(await client.ask(query("set client_encoding = 'SJIS'")))).toMatchObject({
    C: '0A000',
    M: 'the client encoding "SJIS" is not supported',
  });
  expect(errorOf(await client.ask(query("set client_encoding = 'klingon'")))).toMatchObject({ C: '22023' });
  expect(errorOf(await client.ask(query("copy t to stdout (encoding 'EUC_JP')")))).toMatchObject({ C: '0A000' });
  expect(errorOf(await client.ask(query("copy t to stdout (encoding 'klingon')")))).toMatchObject({ C: '22023' });
  expect(errorOf(await client.ask(query("copy t to stdout (format binary, encoding 'latin1')")))).toMatchObject({
    C: '0A000',
  });
});

it('refuses binary values that may hold text', async () => {
  await client.ask(query("set client_encoding = 'LATIN1'"));
  const ask = (text: string, values: Buffer[] = [], parameterFormats: number[] = []): Promise<WireMessage[]> =>
    client.ask(parse(text), bind(values, { results: [1], formats: parameterFormats }), execute(), sync());
  expect(errorOf(await ask("select array['ü']"))).toMatchObject({
    C: '0A000',
    M: 'the binary format of type _text in another client encoding than UTF-8 is not supported',
  });
  expect(errorOf(await ask('select $1::jsonb is null', [Buffer.from('\u0001{}')], [1]))).toMatchObject({ C: '0A000' });
  expect(shape(await ask('select $1::int, 1.5, true, now()', [Buffer.from([0, 0, 0, 1])], [1]))).toContain('D');
});

it('may be asked for at the start', async () => {
  const other = await WireClient.start(server.pg.port, { client_encoding: 'latin1' });
  expect(valuesOf(await other.ask(latin("select 'ü'")))).toEqual(['ü']);
  other.end();
});
