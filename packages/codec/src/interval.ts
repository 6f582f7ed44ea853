/**
 * Interval and TimeTz: the two date-time values that are not one number.
 *
 * An interval keeps months, days and microseconds apart, since a month is no number of days and a day, across a daylight
 * saving change, no number of hours. It is compared as PostgreSQL compares: 30 days to the month, 24 hours to the day.
 */
import { canonicalInteger } from './decimal-digits.js';

export const MICROS_PER_SECOND = 1_000_000;
export const MICROS_PER_DAY = 86_400_000_000;

export class Interval {
  readonly months: number;
  readonly days: number;
  /** Number while safe, else bigint: an int8 in canonical form. */
  readonly micros: number | bigint;

  constructor(months: number, days: number, micros: number | bigint) {
    this.months = months;
    this.days = days;
    this.micros = micros;
  }

  /** The span in microseconds at 30 days to the month and 24 hours to the day: its order, and a key of its equality. */
  span(): number | bigint {
    const days = this.months * 30 + this.days;
    if (typeof this.micros === 'number') {
      const span = days * MICROS_PER_DAY + this.micros;
      if (Number.isSafeInteger(span) && Number.isSafeInteger(days * MICROS_PER_DAY)) return span;
    }
    return canonicalInteger(BigInt(days) * BigInt(MICROS_PER_DAY) + BigInt(this.micros));
  }

  /** Below zero, zero or above zero, by span. */
  compare(other: Interval): number {
    const a = this.span();
    const b = other.span();
    return a < b ? -1 : a > b ? 1 : 0;
  }

  negate(): Interval {
    return new Interval(
      0 - this.months,
      0 - this.days,
      typeof this.micros === 'number' ? 0 - this.micros : canonicalInteger(-this.micros),
    );
  }
}

/** time with time zone: local microseconds since midnight, and seconds WEST of Greenwich as PostgreSQL stores them. */
export class TimeTz {
  readonly micros: number;
  readonly offsetSeconds: number;

  constructor(micros: number, offsetSeconds: number) {
    this.micros = micros;
    this.offsetSeconds = offsetSeconds;
  }

  /** Microseconds since midnight at Greenwich; may lie outside one day. */
  utcMicros(): number {
    return this.micros + this.offsetSeconds * MICROS_PER_SECOND;
  }

  /** Order by instant, then by zone. */
  compare(other: TimeTz): number {
    return this.utcMicros() - other.utcMicros() || this.offsetSeconds - other.offsetSeconds;
  }
}
