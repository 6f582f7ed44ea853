/** Sums of floats: exact until they are rounded, whatever the order of the values, and whatever is taken away again. */
import { MemoryBudget } from '@phantom/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FloatSums } from '../../src/exec/float-sums.js';
import { ExactSum, asSingle } from '../../src/functions/exact-sum.js';

function sumOf(values: readonly number[]): ExactSum {
  const sum = new ExactSum();
  for (const value of values) sum.add(value);
  return sum;
}

function grouped(values: readonly number[]): FloatSums {
  const sums = new FloatSums(new MemoryBudget(1 << 20));
  for (let group = 0; group < 20; group++) sums.begin();
  for (const value of values) sums.add(17, value);
  return sums;
}

/** Adds the parts of a sum. */
function handOn(from: FloatSums, to: ExactSum): void {
  const rest = from.restPart(17)?.items ?? [];
  for (const part of [from.firstPart(17), from.secondPart(17), ...rest]) to.add((part ?? 0) as number);
}

/** The total of finite values as a fraction of integers over 2 ** 1074, rounded by another road: through decimal digits. */
function reference(values: readonly number[]): number {
  let units = 0n;
  for (const value of values) {
    const exponent = value === 0 ? 0 : Math.max(-1022, Math.floor(Math.log2(Math.abs(value))) - 60);
    // Exact: both factors are powers of two, and what is left is an integer below 2 ** 62.
    const half = Math.trunc(exponent / 2);
    const mantissa = (value / 2 ** half / 2 ** (exponent - half)) * (exponent < -1014 ? 2 ** 52 : 1);
    units += BigInt(mantissa) << BigInt(exponent - (exponent < -1014 ? 52 : 0) + 1074);
  }
  // 2 ** -1074 is 5 ** 1074 / 10 ** 1074, and Number() of a decimal text rounds once.
  return Number(`${units * 5n ** 1074n}e-1074`);
}

const values = fc.array(
  fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 }),
    fc.integer({ min: -1000, max: 1000 }).map((n) => n / 10),
    fc.integer({ min: -60, max: 60 }).map((n) => 2 ** n),
  ),
  { maxLength: 40 },
);

describe('a sum of floats', () => {
  it('is the float nearest to the exact sum', () => {
    fc.assert(
      fc.property(values, (list) => {
        const expected = reference(list);
        expect(sumOf(list).total()).toBe(expected + 0);
        if (list.length > 0) expect(grouped(list).sum(17)).toBe(expected + 0);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('is the same in every order, in parts, and after values have come and gone', () => {
    fc.assert(
      fc.property(values, values, (list, others) => {
        const total = sumOf(list).total();
        expect(sumOf(list.toReversed()).total()).toBe(total);
        const cut = Math.trunc(list.length / 3);
        const whole = new ExactSum();
        for (const part of [list.slice(0, cut), list.slice(cut)]) {
          handOn(grouped(part), whole);
        }
        for (const part of sumOf(others).parts()) whole.add(part);
        for (const value of others) whole.subtract(value);
        expect(whole.total()).toBe(total);
        const again = grouped([]);
        for (const part of [list.slice(0, cut), list.slice(cut)]) {
          const parts = grouped(part);
          again.addParts(17, parts.firstPart(17), parts.secondPart(17), parts.restPart(17), part.length);
        }
        expect(again.average(17)).toBe(list.length === 0 ? null : total / list.length);
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  it('is rounded to the even one between two floats, and by whatever lies below', () => {
    const ulp = 2 ** -52;
    expect(sumOf([1, ulp / 2]).total()).toBe(1);
    expect(sumOf([1 + ulp, ulp / 2]).total()).toBe(1 + 2 * ulp);
    expect(sumOf([1, ulp / 2, 1e-300]).total()).toBe(1 + ulp);
    expect(sumOf([1, ulp / 2, -1e-300]).total()).toBe(1);
    expect(sumOf([1e100, 1, -1e100, 1e-100, -1]).total()).toBe(1e-100);
    expect(sumOf([Number.MIN_VALUE, 1e300, -1e300]).total()).toBe(Number.MIN_VALUE);
    expect(Object.is(sumOf([-0, -0]).total(), 0)).toBe(true);
  });

  it('goes beyond the largest float on its way, but not at its end', () => {
    const most = Number.MAX_VALUE;
    for (const make of [(list: number[]) => sumOf(list).total(), (list: number[]) => grouped(list).sum(17)]) {
      expect(make([most, most, -most])).toBe(most);
      expect(make([-most, -most, most, 1])).toBe(-most);
      expect(() => make([most, most])).toThrow(expect.objectContaining({ code: '22003' }));
    }
    const whole = new ExactSum();
    handOn(grouped([most, most, most]), whole);
    for (let i = 0; i < 2; i++) whole.add(-most);
    expect(whole.total()).toBe(most);
    expect(() => asSingle(1e39)).toThrow(expect.objectContaining({ code: '22003' }));
    expect(asSingle(Infinity)).toBe(Infinity);
  });

  it('is infinite or not a number where its values are, until they are gone', () => {
    const cases: [number[], number][] = [
      [[1, Infinity, 2, Infinity], Infinity],
      [[-Infinity, 5], -Infinity],
      [[Infinity, 1, -Infinity], Number.NaN],
      [[1, Number.NaN, 2], Number.NaN],
    ];
    for (const [list, expected] of cases) {
      expect(grouped(list).sum(17)).toBe(expected);
      expect(grouped(list).average(17)).toBe(expected);
      const whole = new ExactSum();
      handOn(grouped(list), whole);
      expect(whole.total()).toBe(expected);
      const sum = sumOf([...list, 3]);
      for (const value of list) sum.subtract(value);
      expect(sum.total()).toBe(3);
    }
    expect([grouped([]).sum(17), grouped([]).average(17), grouped([]).restPart(17), grouped([]).single(17)]).toEqual(
      Array(4).fill(null),
    );
  });
});
