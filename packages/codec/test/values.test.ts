import { describe, expect, it } from 'vitest';
import { decimalExp, decimalLn, decimalLog, decimalPower, decimalSqrt } from '../src/decimal-math.js';
import { Decimal } from '../src/decimal.js';
import { Interval, TimeTz } from '../src/interval.js';
import { Jsonb } from '../src/jsonb.js';
import { generateReader, readByFours, readShortText, SHORT_TEXT_BYTES_MAX } from '../src/short-text.js';
import { compareText, readUtf8, writeUtf8 } from '../src/text-bytes.js';
import { Json, SqlArray } from '../src/value.js';
import { outcome } from './outcome.js';

describe('Interval', () => {
  it('compares by 30 days to the month and 24 hours to the day', () => {
    expect(new Interval(1, 0, 0).compare(new Interval(0, 30, 0))).toBe(0);
    expect(new Interval(0, 1, 0).compare(new Interval(0, 0, 86_399_999_999))).toBe(1);
    expect(new Interval(0, 0, -1).compare(new Interval(0, 0, 0))).toBe(-1);
    expect(new Interval(2 ** 31 - 1, 0, 1).span()).toBe(BigInt(2 ** 31 - 1) * 30n * 86_400_000_000n + 1n);
    expect(new Interval(0, 0, 2n ** 62n).span()).toBe(2n ** 62n);
  });

  it('negates every part', () => {
    expect(new Interval(1, -2, 3).negate()).toEqual(new Interval(-1, 2, -3));
    expect(new Interval(0, 0, 2n ** 62n).negate().micros).toBe(-(2n ** 62n));
    expect(new Interval(0, 0, -(2n ** 53n)).negate().micros).toBe(2n ** 53n);
  });
});

describe('TimeTz', () => {
  it('compares by instant, then by zone', () => {
    const a = new TimeTz(3_600_000_000, 0);
    const b = new TimeTz(0, 3600);
    expect(a.utcMicros()).toBe(b.utcMicros());
    expect(a.compare(b)).toBeLessThan(0);
    expect(a.compare(a)).toBe(0);
  });
});

describe('small values', () => {
  it('carry what they were given', () => {
    expect(String(new Json('{"a":1}'))).toBe('{"a":1}');
    expect(SqlArray.of(23, [])).toEqual(new SqlArray(23, [], [], []));
    expect(SqlArray.of(23, [1, 2])).toEqual(new SqlArray(23, [2], [1], [1, 2]));
    const document = Jsonb.of('text');
    expect(document.kind).toBe('string');
    expect(document.text()).toBe('text');
    expect(document.scalar()).toBe('text');
    expect(document.plain()).toBe('text');
    expect(document.field('a')).toBeUndefined();
    expect(document.element(0)).toBeUndefined();
    expect(outcome(() => document.count)).toBe('XX001');
    expect(outcome(() => new Jsonb(new Uint8Array([0x70])).kind)).toBe('XX001');
  });
});

describe('text bytes', () => {
  it('order texts by code point', () => {
    expect(compareText('\ue000', '\u{10000}')).toBeLessThan(0);
    expect(compareText('\u{10001}', '\u{10000}')).toBeGreaterThan(0);
    expect(compareText('\ud7ff', '\u{10000}')).toBeLessThan(0);
    expect(compareText('a', 'ab')).toBeLessThan(0);
    expect(compareText('ab', 'ab')).toBe(0);
  });

  it('read and write short and long texts alike', () => {
    for (const text of ['', 'abc', 'é', 'a'.repeat(19) + 'é', 'x'.repeat(300), '😀'.repeat(40)]) {
      const bytes = new Uint8Array(text.length * 3 + 2);
      const end = writeUtf8(bytes, 1, text);
      expect(readUtf8(bytes, 1, end)).toBe(text);
      expect(end - 1).toBe(Buffer.byteLength(text));
    }
  });
});

describe('short texts', () => {
  it('are read alike by fours, by the switch, and natively', () => {
    const readers = [readByFours, generateReader(), readShortText];
    for (let length = 1; length <= SHORT_TEXT_BYTES_MAX; length++) {
      for (const accent of [-1, 0, length - 2]) {
        const bytes = Uint8Array.from({ length: length + 2 }, (_, i) => 33 + ((i * 7) % 90));
        if (accent >= 0) bytes.set(Buffer.from('é'), 1 + accent);
        const text = Buffer.from(bytes.subarray(1, 1 + length)).toString();
        expect(readUtf8(bytes, 1, 1 + length)).toBe(text);
        for (const read of readers) {
          const found = read(bytes, 1, 1 + length);
          expect(found === undefined ? text : found).toBe(text);
          if (accent >= 0) expect(found).toBeUndefined();
        }
      }
    }
    for (let i = 0; i < 300; i++) expect(readUtf8(Buffer.from(`text ${i}`), 0, 5)).toBe('text ');
    expect(generateReader()(Buffer.from('long enough for it all'), 0, 22)).toBe('long enough for it all');
  });
});

describe('special values of decimal functions', () => {
  const d = (text: string): Decimal => Decimal.fromString(text);
  const cases: readonly [string, () => Decimal, string][] = [
    ['sqrt of NaN', () => decimalSqrt(Decimal.NaN), 'NaN'],
    ['sqrt of infinity', () => decimalSqrt(Decimal.Infinity), 'Infinity'],
    ['exp of infinity', () => decimalExp(Decimal.Infinity), 'Infinity'],
    ['ln of NaN', () => decimalLn(Decimal.NaN), 'NaN'],
    ['log of NaN', () => decimalLog(d('2'), Decimal.NaN), 'NaN'],
    ['log of infinity', () => decimalLog(d('2'), Decimal.Infinity), 'Infinity'],
    ['log base infinity', () => decimalLog(Decimal.Infinity, Decimal.Infinity), 'NaN'],
    ['power of one', () => decimalPower(d('1'), Decimal.Infinity), '1'],
    ['power to zero', () => decimalPower(Decimal.Infinity, d('0')), '1'],
    ['power to NaN', () => decimalPower(d('2'), Decimal.NaN), 'NaN'],
    ['NaN to a power', () => decimalPower(Decimal.NaN, d('2')), 'NaN'],
    ['zero to infinity', () => decimalPower(d('0'), Decimal.Infinity), '0'],
    ['minus one to infinity', () => decimalPower(d('-1'), Decimal.Infinity), '1'],
    ['two to infinity', () => decimalPower(d('2'), Decimal.Infinity), 'Infinity'],
    ['two to minus infinity', () => decimalPower(d('2'), Decimal.NegativeInfinity), '0'],
    ['minus infinity squared', () => decimalPower(Decimal.NegativeInfinity, d('2')), 'Infinity'],
    ['infinity to a root', () => decimalPower(Decimal.Infinity, d('0.5')), 'Infinity'],
    ['zero to zero', () => decimalPower(d('0'), d('0')), '1.0000000000000000'],
    ['zero to three', () => decimalPower(d('0'), d('3')), '0.0000000000000000'],
    ['a base to one', () => decimalPower(d('3'), d('1')), '3.0000000000000000'],
    ['a base to minus one', () => decimalPower(d('4'), d('-1')), '0.2500000000000000'],
    ['a huge whole exponent', () => decimalPower(d('1'), d('99999999999')), '1.0000000000000000'],
  ];
  it.each(cases)('%s', (_, compute, expected) => {
    expect(compute().toString()).toBe(expected);
  });

  it('are errors where there is no result', () => {
    expect(outcome(() => decimalPower(d('0'), Decimal.NegativeInfinity))).toBe('2201F');
    expect(outcome(() => decimalLn(Decimal.NegativeInfinity))).toBe('2201E');
    expect(outcome(() => decimalSqrt(Decimal.NegativeInfinity))).toBe('2201F');
    expect(outcome(() => decimalPower(d('0'), d('-3')))).toBe('2201F');
    expect(outcome(() => decimalPower(d('-1.5'), d('99999999999')))).toBe('22003');
  });
});
