/** Dates and timestamps of the usual form are read in one pass; a blank behind them sends the same text to the decoder. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDate, parseTimestamp } from '../../src/types/date-time-types.js';
import type { TypeContext } from '../../src/types/type.js';

const context = { dateOrder: 'DMY', dateStyle: 'ISO', timeZone: 'UTC' } as TypeContext;

function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const padded = (digits: number, max: number): fc.Arbitrary<string> =>
  fc.integer({ min: 0, max }).map((number) => String(number).padStart(digits, '0'));
const dates = fc.tuple(padded(4, 9999), padded(2, 13), padded(2, 32)).map((parts) => parts.join('-'));
const times = fc.tuple(padded(2, 25), padded(2, 61), padded(2, 61)).map((parts) => parts.join(':'));
const fractions = fc.constantFrom('', '.', '.5', '.123456', '.000001', '.1234567', 'x');

describe('a date of the usual form', () => {
  it('is what the decoder makes of it', () => {
    fc.assert(
      fc.property(dates, (date) => {
        expect(outcome(() => parseDate(date, context))).toEqual(outcome(() => parseDate(`${date} `, context)));
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe('a timestamp of the usual form', () => {
  it('is what the decoder makes of it', () => {
    fc.assert(
      fc.property(dates, times, fractions, (date, time, fraction) => {
        const text = `${date} ${time}${fraction}`;
        expect(outcome(() => parseTimestamp(text, context))).toEqual(
          outcome(() => parseTimestamp(`${text} `, context)),
        );
      }),
      { seed: 1, numRuns: 1000 },
    );
  });
});
