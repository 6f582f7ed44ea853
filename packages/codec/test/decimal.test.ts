import { inspect } from 'node:util';
import { Decimal as Reference } from 'decimal.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decimalExp, decimalLn, decimalLog, decimalPower, decimalSqrt } from '../src/decimal-math.js';
import { Decimal, decimalLeadingDigit, decimalWeight } from '../src/decimal.js';
import { digitsOf } from '../src/decimal-digits.js';
import { ObjectId, Uuid } from '../src/document-values.js';
import { decimal } from './arbitraries.js';
import { outcome } from './outcome.js';

Reference.set({ precision: 1000, toExpNeg: -9e15, toExpPos: 9e15, rounding: Reference.ROUND_HALF_UP });

const finite = decimal.filter((value) => value.isFinite());
const reference = (value: Decimal): Reference => new Reference(value.toString());
/** Digits enough for a root, a logarithm or e to the 300th of what these tests draw; each more costs the reference dearly. */
const ShortReference = Reference.clone({ precision: 220 });
const d = (text: string): Decimal => Decimal.fromString(text);

/** Cases recorded from PostgreSQL 15. */
const BINARY: readonly [string, (a: Decimal, b: Decimal) => Decimal, string, string, string][] = [
  ['+', (a, b) => a.add(b), '1.10', '2', '3.10'],
  ['+', (a, b) => a.add(b), '9007199254740991', '1', '9007199254740992'],
  ['+', (a, b) => a.add(b), '9007199254740991', '0.1', '9007199254740991.1'],
  ['+', (a, b) => a.add(b), 'Infinity', '-Infinity', 'NaN'],
  ['-', (a, b) => a.sub(b), '0.3', '0.1', '0.2'],
  ['*', (a, b) => a.mul(b), '1.10', '2.50', '2.7500'],
  ['*', (a, b) => a.mul(b), '-3', '0.0', '0.0'],
  ['*', (a, b) => a.mul(b), 'Infinity', '0', 'NaN'],
  ['/', (a, b) => a.div(b), '1', '3', '0.33333333333333333333'],
  ['/', (a, b) => a.div(b), '10', '4', '2.5000000000000000'],
  ['/', (a, b) => a.div(b), '1', '1000000', '0.000001000000000000000000'],
  ['/', (a, b) => a.div(b), '100000000000000000000', '3', '33333333333333333333'],
  ['/', (a, b) => a.div(b), '1', '-Infinity', '0'],
  ['/', (a, b) => a.div(b), '-Infinity', '2', '-Infinity'],
  ['%', (a, b) => a.mod(b), '-7.5', '2', '-1.5'],
  ['%', (a, b) => a.mod(b), '5', 'Infinity', '5'],
  ['%', (a, b) => a.mod(b), 'Infinity', '5', 'NaN'],
  ['div', (a, b) => a.divTrunc(b), '-7', '2', '-3'],
  ['power', decimalPower, '2', '10', '1024.0000000000000000'],
  ['power', decimalPower, '2', '0.5', '1.4142135623730950'],
  ['power', decimalPower, '10', '-3', '0.0010000000000000'],
  ['power', decimalPower, '-8', '3.0', '-512.0000000000000000'],
  ['power', decimalPower, '0', '2.5', '0.0000000000000000'],
  ['power', decimalPower, 'Infinity', '-1', '0'],
  ['power', decimalPower, '-Infinity', '3', '-Infinity'],
  ['power', decimalPower, '0.5', 'Infinity', '0'],
  ['power', decimalPower, 'NaN', '0', '1'],
  ['power', decimalPower, '1', 'NaN', '1'],
  ['log', decimalLog, '2', '1024', '10.0000000000000000'],
  ['log', decimalLog, '10', '0.001', '-3.0000000000000000'],
  ['log', decimalLog, 'Infinity', '2', '0'],
];

const UNARY: readonly [string, (a: Decimal) => Decimal, string, string][] = [
  ['sqrt', decimalSqrt, '2', '1.414213562373095'],
  ['sqrt', decimalSqrt, '0', '0.000000000000000'],
  ['sqrt', decimalSqrt, '1e10', '100000.00000000000'],
  ['exp', decimalExp, '1', '2.7182818284590452'],
  ['exp', decimalExp, '-100', '0.00000000000000000000000000000000000000000003720075976020836'],
  ['exp', decimalExp, '-Infinity', '0'],
  ['ln', decimalLn, '2', '0.6931471805599453'],
  ['ln', decimalLn, '1', '0.0000000000000000'],
  ['ln', decimalLn, '1.00000001', '0.000000009999999950000000'],
  ['ln', decimalLn, 'Infinity', 'Infinity'],
  ['ceil', (a) => a.ceil(), '-0.5', '0'],
  ['ceil', (a) => a.ceil(), '12345678901234567890.1', '12345678901234567891'],
  ['floor', (a) => a.floor(), '-0.5', '-1'],
  ['round 2', (a) => a.round(2), '2.345', '2.35'],
  ['round 2', (a) => a.round(2), '-2.345', '-2.35'],
  ['round -2', (a) => a.round(-2), '1250', '1300'],
  ['round -5', (a) => a.round(-5), '49999', '0'],
  ['round 3', (a) => a.round(3), '1', '1.000'],
  ['trunc -1', (a) => a.trunc(-1), '-1259.5', '-1250'],
  ['trunc', (a) => a.trunc(), '123456789012345678.9', '123456789012345678'],
  ['trim', (a) => a.normalize(), '1.2300', '1.23'],
  ['trim', (a) => a.normalize(), '12345678901234567000.000', '12345678901234567000'],
  ['trim', (a) => a.normalize(), '0.00', '0'],
];

it('is shown as people read it, as ids are', () => {
  const hex = '0123456789abcdef01234567';
  const uuid = '6f9619ff-8b86-d011-b42d-00c04fc964ff';
  expect(inspect([Decimal.fromString('1.50'), new ObjectId(hex), new Uuid(uuid)])).toBe(
    `[\n  Decimal(1.50),\n  new ObjectId('${hex}'),\n  new Uuid('${uuid}')\n]`,
  );
});

describe('Decimal', () => {
  it.each(BINARY)('%s as PostgreSQL has it (%#)', (_, operation, a, b, expected) => {
    expect(operation(d(a), d(b)).toString()).toBe(expected);
  });

  it.each(UNARY)('%s as PostgreSQL has it (%#)', (_, operation, a, expected) => {
    expect(operation(d(a)).toString()).toBe(expected);
  });

  it('reads every form of text that PostgreSQL reads', () => {
    const forms: readonly [string, string][] = [
      ['1e5', '100000'],
      ['1.5e-3', '0.0015'],
      [' 12 ', '12'],
      ['.5', '0.5'],
      ['5.', '5'],
      ['+3', '3'],
      ['-0', '0'],
      ['nan', 'NaN'],
      ['-inf', '-Infinity'],
      ['+Infinity', 'Infinity'],
      ['0e99999999', '0'],
      ['-00012345678901234567.80', '-12345678901234567.80'],
    ];
    for (const [text, expected] of forms) expect(d(text).toString()).toBe(expected);
    for (const text of ['', ' ', '1e', 'e5', '- 1', '1 2', '0x10', '1_000', '.', '--1']) {
      expect(Decimal.parse(text)).toBeUndefined();
      expect(outcome(() => d(text))).toBe('22P02');
    }
    for (const text of ['1e131072', '1e-16384', '1e2147483647', `1${'0'.repeat(131072)}`]) {
      expect(outcome(() => d(text))).toBe('22003');
    }
    expect(d('1e131071').toString().length).toBe(131072);
  });

  it('reads short texts in one pass as it reads all others', () => {
    const text = fc.stringMatching(/^-?[0-9]{0,9}\.?[0-9]{0,9}[-. e]?$/);
    fc.assert(
      fc.property(text, (short) => {
        // A blank before it sends the same text the other way.
        expect(Decimal.parse(short)).toEqual(Decimal.parse(` ${short}`));
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  it('computes exactly what decimal.js computes', () => {
    fc.assert(
      fc.property(finite, finite, (a, b) => {
        const x = reference(a);
        const y = reference(b);
        expect(a.add(b).toString()).toBe(
          x
            .plus(y)
            .toFixed(Math.max(a.scale, b.scale))
            .replace(/^-(0\.?0*)$/, '$1'),
        );
        expect(a.sub(b).equals(Decimal.fromString(x.minus(y).toFixed()))).toBe(true);
        expect(a.mul(b).equals(Decimal.fromString(x.times(y).toFixed()))).toBe(true);
        expect(Math.sign(a.compare(b)) - x.comparedTo(y)).toBe(0);
        expect(a.compare(b) + b.compare(a)).toBe(0);
      }),
      { numRuns: 500, seed: 20 },
    );
  });

  it('divides and rounds as decimal.js does at the scale it chose', () => {
    fc.assert(
      fc.property(finite, finite, fc.integer({ min: -12, max: 50 }), (a, b, scale) => {
        const divisor = b.isZero() ? Decimal.One : b;
        const quotient = a.div(divisor);
        const expected = reference(a).div(reference(divisor)).toFixed(quotient.scale);
        expect(quotient.toString()).toBe(expected.replace(/^-(0\.?0*)$/, '$1'));
        expect(a.mod(divisor).add(a.divTrunc(divisor).mul(divisor)).equals(a)).toBe(true);
        const unit = new Reference(10).pow(-scale);
        const rounded = reference(a).div(unit).round().times(unit);
        expect(a.round(scale).equals(Decimal.fromString(rounded.toFixed()))).toBe(true);
      }),
      { numRuns: 500, seed: 21 },
    );
  });

  it('agrees with decimal.js to the last digit of roots, exponentials and logarithms', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 10n ** 30n }), fc.nat(30), (unscaled, scale) => {
        const value = Decimal.of(unscaled, scale);
        const x = new ShortReference(value.toString());
        const root = decimalSqrt(value);
        expect(root.toString()).toBe(x.sqrt().toFixed(root.scale));
        const ln = decimalLn(value);
        expect(ln.toString()).toBe(
          x
            .ln()
            .toFixed(ln.scale)
            .replace(/^-(0\.?0*)$/, '$1'),
        );
        const small = Decimal.of(unscaled % 300n, 0).add(value.mod(Decimal.One).round(5));
        const exponential = decimalExp(small);
        expect(exponential.toString()).toBe(new ShortReference(small.toString()).exp().toFixed(exponential.scale));
      }),
      { numRuns: 12, seed: 22 },
    );
  });

  it('refuses what has no result', () => {
    expect(outcome(() => Decimal.One.div(Decimal.Zero))).toBe('22012');
    expect(outcome(() => Decimal.One.mod(Decimal.Zero))).toBe('22012');
    expect(outcome(() => Decimal.Infinity.mod(Decimal.Zero))).toBe('22012');
    expect(outcome(() => Decimal.Infinity.div(Decimal.Zero))).toBe('22012');
    expect(outcome(() => Decimal.One.divideTo(Decimal.Zero, 3, true))).toBe('22012');
    expect(outcome(() => decimalSqrt(d('-1')))).toBe('2201F');
    expect(outcome(() => decimalLn(Decimal.Zero))).toBe('2201E');
    expect(outcome(() => decimalLog(d('10'), d('-1')))).toBe('2201E');
    expect(outcome(() => decimalExp(d('6000')))).toBe('22003');
    expect(outcome(() => decimalPower(d('0'), d('-1')))).toBe('2201F');
    expect(outcome(() => decimalPower(d('-1'), d('0.5')))).toBe('2201F');
    expect(outcome(() => decimalPower(d('-Infinity'), d('0.5')))).toBe('2201F');
    expect(outcome(() => decimalPower(d('10'), d('200000')))).toBe('22003');
    expect(outcome(() => decimalPower(d('10'), d('200000.5')))).toBe('22003');
    expect(decimalPower(d('10'), d('-200000.5')).isZero()).toBe(true);
    expect(outcome(() => Decimal.of(0.5))).toBe('22023');
    expect(outcome(() => d('1e100000').mul(d('1e100000')))).toBe('22003');
    expect(decimalExp(d('-7000')).isZero()).toBe(true);
  });

  it('is not made of text by its constructor, as other decimal classes are', () => {
    const Unchecked = Decimal as unknown as new (text: string | number) => Decimal;
    for (const given of ['12.50', 12.5]) {
      expect(() => new Unchecked(given)).toThrow(
        expect.objectContaining({ code: '22023', hint: expect.stringContaining('fromString') as string }),
      );
    }
  });

  it('brings integers into one form', () => {
    expect(Decimal.of(5n).unscaled).toBe(5);
    expect(Decimal.of(-0).unscaled).toBe(0);
    expect(Object.is(Decimal.of(-0).unscaled, 0)).toBe(true);
    expect(Decimal.of(2 ** 60).unscaled).toBe(2n ** 60n);
    expect(Decimal.of(Number.NaN).isNaN()).toBe(true);
    expect(d('9007199254740993').sub(d('3')).unscaled).toBe(9007199254740990);
    expect(d('12345678901234567890').negate().abs().toInteger()).toBe(12345678901234567890n);
    expect(d('2.5').toInteger()).toBe(3);
    expect(Decimal.fromNumber(1e21).toString()).toBe('1000000000000000000000');
    expect(Decimal.fromNumber(-0).toString()).toBe('0');
    expect(Decimal.fromNumber(Number.NEGATIVE_INFINITY)).toBe(Decimal.NegativeInfinity);
    expect(JSON.stringify(d('1.50'))).toBe('"1.50"');
    expect(d('0.1').toNumber()).toBe(0.1);
    expect(d('1e-30').toNumber()).toBe(1e-30);
    expect(d('1').withScale(30).toString()).toBe(`1.${'0'.repeat(30)}`);
    expect(d('12345678901234567890.5').withScale(0).toString()).toBe('12345678901234567891');
    expect(Decimal.NaN.round(2)).toBe(Decimal.NaN);
    expect(d('1e-17').round(-3).toString()).toBe('0');
    expect(d('12345678901234567890').round(-30).toString()).toBe('0');
    expect(d('-5').sign() + d('0.0').sign() + Decimal.NaN.sign()).toBe(0);
  });

  it('orders special values as PostgreSQL does', () => {
    const order = ['-Infinity', '-1e30', '-1', '0', '0.5', '1e30', 'Infinity', 'NaN'].map(d);
    for (const [i, a] of order.entries()) {
      for (const [j, b] of order.entries()) expect(Math.sign(a.compare(b)) - Math.sign(i - j)).toBe(0);
    }
  });

  it('counts digits and base-10000 weights', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: 10n ** 60n }), fc.nat(70), (unscaled, scale) => {
        expect(digitsOf(unscaled)).toBe(unscaled.toString().length);
        const value = Decimal.of(unscaled, scale);
        const weight = decimalWeight(value);
        const leading = decimalLeadingDigit(value);
        expect(leading).toBeGreaterThanOrEqual(1);
        expect(leading).toBeLessThan(10000);
        const lower = new Reference(leading).times(new Reference(10000).pow(weight));
        expect(reference(value).gte(lower)).toBe(true);
      }),
      { numRuns: 300, seed: 23 },
    );
  });
});
