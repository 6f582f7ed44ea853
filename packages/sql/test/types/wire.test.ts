import { ByteWriter } from '@phantom/base';
import { describe, expect, it } from 'vitest';
import { jsReader, jsWriter } from '../../src/types/js-values.js';
import { builtinTypeCatalog } from '../../src/types/type-catalog.js';
import type { TypeContext, Value } from '../../src/types/type.js';

const types = builtinTypeCatalog;
const context: TypeContext = {
  timeZone: 'Europe/Berlin',
  dateStyle: 'ISO',
  dateOrder: 'MDY',
  intervalStyle: 'postgres',
  byteaOutput: 'hex',
  xmlOption: 'content',
  extraFloatDigits: 1,
  transactionMicros: 0,
  types,
};

/** Text forms of values at the edges of each type. */
const SAMPLES: Readonly<Record<string, readonly string[]>> = {
  bool: ['t', 'f'],
  int2: ['-32768', '0', '32767'],
  int4: ['-2147483648', '2147483647'],
  int8: ['-9223372036854775808', '9223372036854775807', '5'],
  oid: ['0', '4294967295'],
  float4: ['1.5', 'NaN', '-Infinity'],
  float8: ['1e-300', 'Infinity', '0'],
  numeric: ['0', '-12345678901234567890.123450', 'NaN', 'Infinity', '-Infinity', '0.0000001'],
  text: ['', 'täxt', '𝄞'],
  varchar: ['abc'],
  bpchar: ['abc'],
  name: ['n'],
  bytea: ['\\x', '\\x00ff'],
  date: ['2026-11-21', 'infinity', '-infinity', '4713-01-01 BC'],
  time: ['00:00:00', '23:59:59.999999'],
  timetz: ['12:00:00+02', '12:00:00.5-05:30'],
  timestamp: ['2026-11-21 12:34:56.789', 'infinity', '294276-12-31 23:59:59.999999'],
  timestamptz: ['2026-07-01 12:00:00+02', '-infinity'],
  interval: ['1 year 2 mons -3 days 04:05:06.789', '00:00:00'],
  uuid: ['6ba7b810-9dad-11d1-80b4-00c04fd430c8'],
  json: ['{"a": [1, 2.50]}'],
  jsonb: ['{"a": [1, 2.50, null, true, "x"]}'],
  _int4: ['{}', '{1,NULL,3}', '{{1,2},{3,4}}', '[0:1]={5,6}'],
  _text: ['{a,"b c",NULL,"NULL"}'],
  _numeric: ['{1.50,NaN}'],
};

describe('binary formats', () => {
  it.each(Object.entries(SAMPLES))('of %s give every value back', (name, texts) => {
    const type = types.builtinNamed(name);
    if (type === undefined) throw new Error(`there is no type ${name}`);
    for (const text of texts) {
      const value = type.input(text, -1, context);
      const writer = new ByteWriter();
      type.send(value, writer, context);
      const bytes = writer.take();
      const back = type.receive(bytes, 0, bytes.length, -1, context);
      expect(type.output(back, context)).toBe(type.output(value, context));
      for (const wrong of [bytes.subarray(0, Math.max(0, bytes.length - 1)), new Uint8Array([...bytes, 1])]) {
        // A truncated or longer value is a typed error or another value, never something else.
        try {
          type.output(type.receive(wrong, 0, wrong.length, -1, context), context);
        } catch (error) {
          expect(error).toHaveProperty('code');
        }
      }
    }
  });
});

describe('JavaScript values', () => {
  it.each(Object.entries(SAMPLES))('of %s go out and come in again', (name, texts) => {
    const type = types.builtinNamed(name);
    if (type === undefined) throw new Error(`there is no type ${name}`);
    const ref = { oid: type.oid, typmod: -1 };
    for (const options of [
      { bigint: 'auto', timestamps: 'date' },
      { bigint: 'always', timestamps: 'text' },
    ] as const) {
      const read = jsReader(ref, types, options);
      const write = jsWriter(ref, types, { ...context, timeZone: 'UTC' });
      for (const text of texts) {
        const value: Value = type.input(text, -1, context);
        const out = read(value);
        if (out instanceof Date && Number.isNaN(out.getTime())) continue;
        if (name === '_int4' && text.startsWith('[')) continue;
        const back = write(out);
        if (!name.startsWith('json')) expect(type.output(back, context)).toBe(type.output(value, context));
      }
      expect(() => write(Symbol('x'))).toThrow(/cannot be passed|no JSON form/);
      for (const given of [
        'text',
        1,
        1.5,
        10n ** 30n,
        true,
        new Date(0),
        new Uint8Array(2),
        new ArrayBuffer(2),
        [],
        [[1], [2, 3]],
        {},
        Number.NaN,
        '\ud800',
      ]) {
        try {
          write(given);
        } catch (error) {
          expect(error).toHaveProperty('code');
        }
      }
    }
  });
});
