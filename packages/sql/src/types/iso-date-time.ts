/**
 * Dates and timestamps as dumps and drivers write them, read in one pass over their characters:
 *
 *   2026-01-02      2026-01-02 03:04:05      2026-01-02 03:04:05.678901
 *
 * Every other form, and everything that may be an error, is left to the decoder, which knows the rest (date-time-decode.ts).
 */
import { MICROS_PER_DAY } from '@phantom/codec';
import { daysFromDate } from './calendar.js';

const HYPHEN = 45;
const POINT = 46;
const COLON = 58;
const BLANK = 32;
const DATE_CHARACTERS = 10;
const SECOND_CHARACTERS = 19;
const FRACTION_DIGITS_MAX = 6;

/** The number that so many digits make; NaN when there is another character among them. */
function digitsAt(text: string, at: number, count: number): number {
  let number = 0;
  for (let i = at; i < at + count; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    number = number * 10 + digit;
  }
  return number;
}

/** Days since 2000-01-01 of the date at the beginning of a text. */
function daysOf(text: string): number | undefined {
  if (text.charCodeAt(4) !== HYPHEN || text.charCodeAt(7) !== HYPHEN) return undefined;
  const year = digitsAt(text, 0, 4);
  const month = digitsAt(text, 5, 2);
  const day = digitsAt(text, 8, 2);
  // The last days of a month are the decoder's: not every month has them.
  if (!(year >= 1000 && month >= 1 && month <= 12 && day >= 1 && day <= 28)) return undefined;
  return daysFromDate(year, month, day);
}

/** Days since 2000-01-01; undefined where the text is not of the form. */
export function isoDate(text: string): number | undefined {
  return text.length === DATE_CHARACTERS ? daysOf(text) : undefined;
}

/** Microseconds since 2000-01-01; undefined where the text is not of the form. */
export function isoTimestamp(text: string): number | undefined {
  const { length } = text;
  if (length < SECOND_CHARACTERS || length > SECOND_CHARACTERS + 1 + FRACTION_DIGITS_MAX) return undefined;
  if (text.charCodeAt(10) !== BLANK || text.charCodeAt(13) !== COLON || text.charCodeAt(16) !== COLON) return undefined;
  const days = daysOf(text);
  const hour = digitsAt(text, 11, 2);
  const minute = digitsAt(text, 14, 2);
  const second = digitsAt(text, 17, 2);
  if (days === undefined || !(hour <= 23 && minute <= 59 && second <= 59)) return undefined;
  let micros = ((hour * 60 + minute) * 60 + second) * 1_000_000;
  if (length > SECOND_CHARACTERS) {
    const digits = length - SECOND_CHARACTERS - 1;
    const fraction = digitsAt(text, SECOND_CHARACTERS + 1, digits);
    if (text.charCodeAt(SECOND_CHARACTERS) !== POINT || digits === 0 || Number.isNaN(fraction)) return undefined;
    micros += fraction * 10 ** (FRACTION_DIGITS_MAX - digits);
  }
  const timestamp = days * MICROS_PER_DAY + micros;
  return Number.isSafeInteger(timestamp) ? timestamp : undefined;
}
