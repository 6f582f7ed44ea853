/** Floats as text at the borders between plain and exponential notation, as PostgreSQL writes them. */
import { expect, it } from 'vitest';
import { formatFloat8 } from '../../src/types/float-types.js';

it('writes the fewest digits that read back as the number, with an exponent where C has one', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0.0001, '0.0001'],
    [0.00009999, '9.999e-05'],
    [-0.00012345, '-0.00012345'],
    [0.1 + 0.2, '0.30000000000000004'],
    [-1.5, '-1.5'],
    [100, '100'],
    [123456789012345, '123456789012345'],
    [999999999999999.9, '999999999999999.9'],
    [1e15, '1e+15'],
    [-123456789012345680, '-1.2345678901234568e+17'],
    [5e-324, '5e-324'],
    [-0, '-0'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
  ];
  for (const [value, text] of cases) expect(formatFloat8(value), text).toBe(text);
  expect(formatFloat8(1 / 3, 0)).toBe('0.333333333333333');
  expect(formatFloat8(1e14, -5)).toBe('1e+14');
});
