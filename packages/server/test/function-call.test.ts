/** FunctionCall over the wire: arguments and results in both formats, errors, transactions, and large objects as libpq asks for them. */
import { type Database, open } from '@phantom/db';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Server, startServer } from '../src/server.js';
import {
  WireClient,
  type WireMessage,
  frame,
  int16,
  int32,
  query,
  reportFields,
  rowValues,
  sync,
} from './support/wire-client.js';

let database: Database;
let server: Server;
let client: WireClient;
beforeAll(async () => {
  database = await open(':memory:');
  server = await startServer(database, { pgPort: 0, drainTimeoutMs: 200 });
  client = await WireClient.start(server.pg.port);
});
afterAll(async () => {
  client.end();
  await server.close();
  await database.close();
});

const Functions = { lower: 870, repeat: 1622, int4pl: 177, lo_create: 715, lo_open: 952, loread: 954, lowrite: 955 };
const Format = { Text: 0, Binary: 1 };

function call(oid: number, values: readonly (string | Buffer | null)[], formats: number[] = [], result = 0): Buffer {
  const encoded = values.map((value) =>
    value === null
      ? int32(-1)
      : Buffer.concat([int32(Buffer.from(value as Buffer).length), Buffer.from(value as Buffer)]),
  );
  return frame(
    'F',
    int32(oid),
    int16(formats.length),
    ...formats.map(int16),
    int16(values.length),
    ...encoded,
    int16(result),
  );
}

/** What a call is answered: its value in latin1, `null`, or an error's code; and the state that the client is told. */
function answered(messages: readonly WireMessage[]): string {
  const state = messages.find(({ type }) => type === 'Z')?.body.toString();
  const error = messages.find(({ type }) => type === 'E');
  if (error !== undefined) return `${reportFields(error)['C']} ${state}`;
  const body = messages.find(({ type }) => type === 'V')?.body as Buffer;
  const bytes = body.readInt32BE(0);
  expect(body.length).toBe(4 + Math.max(bytes, 0));
  return `${bytes < 0 ? 'null' : body.toString('latin1', 4)} ${state}`;
}

const ask = async (message: Buffer): Promise<string> => answered(await client.ask(message));

describe('a function called by its number', () => {
  it('takes and gives values in text and binary', async () => {
    expect(await ask(call(Functions.lower, ['ABC']))).toBe('abc I');
    expect(await ask(call(Functions.int4pl, ['40', '2']))).toBe('42 I');
    expect(await ask(call(Functions.int4pl, [int32(40), '2'], [Format.Binary, Format.Text], 1))).toBe('\0\0\0* I');
    expect(await ask(call(Functions.repeat, [Buffer.from('ab'), int32(3)], [Format.Binary], 1))).toBe('ababab I');
    expect(await ask(call(Functions.lower, [null]))).toBe('null I');
  });

  it('fails as a statement does', async () => {
    for (const [message, code] of [
      [call(4_000_000, []), '42883'],
      [call(Functions.lower, []), '08P01'],
      [call(Functions.int4pl, ['1', '2'], [0, 0, 0]), '08P01'],
      [call(Functions.int4pl, ['1', 'x']), '22P02'],
      [call(Functions.int4pl, ['1', '2'], [], 7), '22023'],
      [call(Functions.int4pl, ['2147483647', '1']), '22003'],
      // count(*), a window function, generate_series
      [call(2803, []), '0A000'],
      [call(3100, []), '0A000'],
      [call(1067, ['1', '2']), '0A000'],
      [frame('F', int32(1)), '08P01'],
    ] as const)
      expect(await ask(message)).toBe(`${code} I`);
    expect(await ask(call(Functions.lower, ['ABC']))).toBe('abc I');
  });

  it('is one of users, with the rights on it', async () => {
    await client.ask(
      query(`create role nobody;
        create function "Twice"(n int, variadic rest int[]) returns int language plpgsql as $$
          begin insert into calls values (n); return n * 2 + cardinality(rest); end $$;
        create table calls (n int); revoke execute on function "Twice" from public`),
    );
    const messages = await client.ask(query(`select '"Twice"'::regproc::oid`));
    const oid = Number(rowValues(messages.find(({ type }) => type === 'D') as WireMessage)[0]);
    expect(await ask(call(oid, ['21', '{1,2,3}']))).toBe('45 I');
    await client.ask(query('set role nobody'));
    expect(await ask(call(oid, ['21', '{}']))).toBe('42501 I');
    await client.ask(query('reset role'));
    const rows = await client.ask(query('select count(*) from calls'));
    expect(rowValues(rows.find(({ type }) => type === 'D') as WireMessage)[0]?.toString()).toBe('1');
  });

  it('is part of a transaction block, and refused in one that has failed', async () => {
    await client.ask(query('begin'));
    expect(await ask(call(Functions.lower, ['A']))).toBe('a T');
    expect(await ask(call(Functions.int4pl, ['2147483647', '1']))).toBe('22003 E');
    expect(await ask(call(Functions.lower, ['A']))).toBe('25P02 E');
    await client.ask(query('rollback'));
    expect(await ask(call(Functions.lower, ['A']))).toBe('a I');
  });

  it('is skipped behind an error until Sync', async () => {
    client.send(frame('B', Buffer.from('\0nothing\0'), int16(0), int16(0), int16(0)), call(Functions.lower, ['A']));
    const messages = await client.ask(sync());
    expect(messages.map(({ type }) => type).join('')).toBe('EZ');
  });
});

it('large objects, as libpq asks for them', async () => {
  expect(await ask(call(Functions.lo_create, [int32(77)], [1], 1))).toBe('\0\0\0M I');
  expect(await ask(call(Functions.lo_create, [int32(77)], [1], 1))).toBe('23505 I');
  await client.ask(query('begin'));
  expect(await ask(call(Functions.lo_open, [int32(77), int32(0x60000)], [1], 1))).toBe('\0\0\0\0 T');
  const bytes = Buffer.from([0, 1, 2, 254, 255]);
  expect(await ask(call(Functions.lowrite, [int32(0), bytes], [1], 1))).toBe('\0\0\0\x05 T');
  expect(await ask(call(958, [int32(0)], [1], 0))).toBe('5 T');
  expect(await ask(call(956, [int32(0), int32(1), int32(0)], [1], 1))).toBe('\0\0\0\x01 T');
  expect(await ask(call(Functions.loread, [int32(0), int32(100)], [1], 1))).toBe('\x01\x02\xfe\xff T');
  expect(await ask(call(3460, [int32(77), Buffer.alloc(8), Buffer.from('x')], [1], 1))).toBe(' T');
  await client.ask(query('commit'));
  expect(await ask(call(Functions.loread, [int32(0), int32(100)], [1], 1))).toBe('42704 I');
});
