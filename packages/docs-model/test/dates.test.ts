/** Date operators in time zones, formats and bins: MongoDB's documented cases, clocks that change, and round trips in many zones. */
import { ObjectId } from '@phantom/codec';
import { afterEach, describe, expect, it } from 'vitest';
import { compileExpression } from '../src/aggregate/expression.js';
import { UTC, timeZoneOf } from '../src/aggregate/time-zone.js';

const at = (text: string): Date => new Date(text);
const of = (expression: unknown): unknown => compileExpression(expression).evaluate({ none: null });

const NEW_YORK = 'America/New_York';
/** Five hours behind, in summer four; clocks went forward on 2024-03-10 and back on 2024-11-03, at two. */
const winter = at('2017-01-04T15:08:51.911Z');

const cases: readonly (readonly [unknown, unknown])[] = [
  // Parts.
  [{ $hour: { date: winter, timezone: NEW_YORK } }, 10],
  [{ $hour: { date: winter, timezone: '+0530' } }, 20],
  [{ $minute: { date: winter, timezone: '+05:30' } }, 38],
  [{ $hour: { date: winter, timezone: '-03' } }, 12],
  [{ $dayOfMonth: { date: at('2024-03-01T03:00:00Z'), timezone: NEW_YORK } }, 29],
  [{ $year: { date: at('2024-01-01T03:00:00Z'), timezone: NEW_YORK } }, 2023],
  [{ $dayOfYear: { date: at('2024-01-01T03:00:00Z'), timezone: NEW_YORK } }, 365],
  [{ $isoWeekYear: { date: at('2024-01-01T03:00:00Z'), timezone: 'Asia/Tokyo' } }, 2024],
  [{ $hour: { date: winter, timezone: null } }, null],
  [{ $hour: { date: winter, timezone: '$none' } }, null],
  [{ $year: ObjectId.fromHex('5c000000aaaaaaaaaaaaaaaa') }, 2018],
  [{ $hour: { date: at('1600-01-01T12:00:00Z'), timezone: 'Europe/Paris' } }, 12],
  [
    { $dateToParts: { date: at('2017-01-01T01:29:09.123Z'), timezone: NEW_YORK } },
    { year: 2016, month: 12, day: 31, hour: 20, minute: 29, second: 9, millisecond: 123 },
  ],
  [
    { $dateToParts: { date: at('2017-01-01T01:29:09.123Z'), timezone: NEW_YORK, iso8601: true } },
    { isoWeekYear: 2016, isoWeek: 52, isoDayOfWeek: 6, hour: 20, minute: 29, second: 9, millisecond: 123 },
  ],
  [{ $dateToParts: { date: winter, timezone: null } }, null],
  [
    { $dateFromParts: { year: 2016, month: 12, day: 31, hour: 23, minute: 46, second: 12, timezone: NEW_YORK } },
    at('2017-01-01T04:46:12Z'),
  ],
  [
    { $dateFromParts: { isoWeekYear: 2017, isoWeek: 6, isoDayOfWeek: 3, hour: 12, timezone: '-0500' } },
    at('2017-02-08T17:00:00Z'),
  ],
  [{ $dateFromParts: { year: 2024, timezone: '$none' } }, null],
  // A time that clocks skip is read as before the change; of two that they show twice the first counts.
  [
    { $dateFromParts: { year: 2024, month: 3, day: 10, hour: 2, minute: 30, timezone: NEW_YORK } },
    at('2024-03-10T07:30:00Z'),
  ],
  [
    { $dateFromParts: { year: 2024, month: 11, day: 3, hour: 1, minute: 30, timezone: NEW_YORK } },
    at('2024-11-03T05:30:00Z'),
  ],
  // Text.
  [{ $dateToString: { date: winter, timezone: NEW_YORK, format: '%H:%M:%S:%L%z' } }, '10:08:51:911-0500'],
  [{ $dateToString: { date: winter, timezone: '+04:30', format: '%H:%M:%S:%L%z' } }, '19:38:51:911+0430'],
  [{ $dateToString: { date: winter, timezone: NEW_YORK, format: '%Z' } }, '-300'],
  [{ $dateToString: { date: winter, timezone: '+04:30', format: '%Z' } }, '+270'],
  [{ $dateToString: { date: winter, format: '%z %Z' } }, '+0000 +0'],
  [{ $dateToString: { date: winter, timezone: NEW_YORK } }, '2017-01-04T10:08:51.911'],
  [{ $dateToString: { date: winter, timezone: 'GMT' } }, '2017-01-04T15:08:51.911Z'],
  [{ $dateToString: { date: winter, format: '%b %B %d %j %u %w %U %G-W%V' } }, 'Jan January 04 004 3 4 01 2017-W01'],
  [{ $dateToString: { date: winter, timezone: '$none' } }, null],
  [{ $dateToString: { date: winter, format: '$none' } }, null],
  [{ $dateToString: { date: null, onNull: 'none' } }, 'none'],
  [{ $dateFromString: { dateString: '2017-02-08T12:10:40.787' } }, at('2017-02-08T12:10:40.787Z')],
  [{ $dateFromString: { dateString: '2017-02-08T12:10:40.787', timezone: NEW_YORK } }, at('2017-02-08T17:10:40.787Z')],
  [{ $dateFromString: { dateString: '2017-02-08', timezone: '-0500' } }, at('2017-02-08T05:00:00Z')],
  [{ $dateFromString: { dateString: '2017-02-08 12:10:40 +02:00' } }, at('2017-02-08T10:10:40Z')],
  [{ $dateFromString: { dateString: 'Feb 8 2017 12:10' } }, at('2017-02-08T12:10:00Z')],
  [{ $dateFromString: { dateString: 'Feb 8 2017 12:10', timezone: NEW_YORK } }, at('2017-02-08T17:10:00Z')],
  [{ $dateFromString: { dateString: 'Wed, 08 Feb 2017 12:10:40 GMT' } }, at('2017-02-08T12:10:40Z')],
  [{ $dateFromString: { dateString: '06-15-2018', format: '%m-%d-%Y' } }, at('2018-06-15T00:00:00Z')],
  [
    { $dateFromString: { dateString: '15 jun 2018 1:02.5', format: '%d %b %Y %H:%M.%L', timezone: NEW_YORK } },
    at('2018-06-15T05:02:00.500Z'),
  ],
  [{ $dateFromString: { dateString: '2018 100% 366', format: '%Y 100%% %j', onError: 'no' } }, 'no'],
  [{ $dateFromString: { dateString: '2020-366 -0130', format: '%Y-%j %z' } }, at('2020-12-31T01:30:00Z')],
  [{ $dateFromString: { dateString: '2018-W24-5 +90', format: '%G-W%V-%u %Z' } }, at('2018-06-14T22:30:00Z')],
  [{ $dateFromString: { dateString: '2023-02-29', onError: 'no' } }, 'no'],
  [{ $dateFromString: { dateString: '2023-02-28T24:00', onError: 'no' } }, 'no'],
  [{ $dateFromString: { dateString: 'Feb', format: '%b', onError: 'no' } }, 'no'],
  [{ $dateFromString: { dateString: '2018-W24', format: '%G-W%V', onError: 'no' } }, 'no'],
  [{ $dateFromString: { dateString: '2018-00', format: '%Y-%j', onError: 'no' } }, 'no'],
  [{ $dateFromString: { dateString: '2018-13-01', format: '%Y-%m-%d', onError: 'no' } }, 'no'],
  [{ $dateFromString: { dateString: '12:00Z', onError: 'no' } }, 'no'],
  [{ $dateFromString: { dateString: '2017-02-08T12:10:40Z', timezone: NEW_YORK, onError: 'two zones' } }, 'two zones'],
  [{ $dateFromString: { dateString: '8 Feb 2017 12:10 GMT', timezone: NEW_YORK, onError: 'two zones' } }, 'two zones'],
  [{ $dateFromString: { dateString: 5, onError: 'no' } }, 'no'],
  [{ $dateFromString: { dateString: '2017-02-08', timezone: '$none' } }, null],
  [{ $dateFromString: { dateString: '2017-02-08', format: '$none' } }, null],
  [{ $toDate: '2018-03-27 11:08:50' }, at('2018-03-27T11:08:50Z')],
  // Sums and differences: days by the calendar, hours by the stopwatch.
  [
    { $dateAdd: { startDate: at('2024-03-09T17:00:00Z'), unit: 'day', amount: 1, timezone: NEW_YORK } },
    at('2024-03-10T16:00:00Z'),
  ],
  [
    { $dateAdd: { startDate: at('2024-03-09T17:00:00Z'), unit: 'hour', amount: 24, timezone: NEW_YORK } },
    at('2024-03-10T17:00:00Z'),
  ],
  [
    { $dateSubtract: { startDate: at('2024-03-31T03:00:00Z'), unit: 'month', amount: 1, timezone: NEW_YORK } },
    at('2024-03-01T04:00:00Z'),
  ],
  [{ $dateAdd: { startDate: at('2024-01-31T12:00:00Z'), unit: 'quarter', amount: 1 } }, at('2024-04-30T12:00:00Z')],
  [{ $dateAdd: { startDate: winter, unit: 'week', amount: 2, timezone: null } }, null],
  [
    {
      $dateDiff: {
        startDate: at('2024-03-01T03:00:00Z'),
        endDate: at('2024-03-01T06:00:00Z'),
        unit: 'day',
        timezone: NEW_YORK,
      },
    },
    1,
  ],
  [{ $dateDiff: { startDate: at('2024-03-01T03:00:00Z'), endDate: at('2024-03-01T06:00:00Z'), unit: 'day' } }, 0],
  [
    {
      $dateDiff: {
        startDate: at('2024-03-10T06:00:00Z'),
        endDate: at('2024-03-10T08:00:00Z'),
        unit: 'hour',
        timezone: NEW_YORK,
      },
    },
    2,
  ],
  [
    {
      $dateDiff: {
        startDate: at('2024-03-01T00:15:00Z'),
        endDate: at('2024-03-01T00:45:00Z'),
        unit: 'hour',
        timezone: '+0530',
      },
    },
    1,
  ],
  [{ $dateDiff: { startDate: at('2021-01-02T00:00:00Z'), endDate: at('2021-01-03T00:00:00Z'), unit: 'week' } }, 1],
  [
    {
      $dateDiff: {
        startDate: at('2021-01-02T00:00:00Z'),
        endDate: at('2021-01-03T00:00:00Z'),
        unit: 'week',
        startOfWeek: 'Mon',
      },
    },
    0,
  ],
  [{ $dateDiff: { startDate: at('2023-12-31T23:00:00Z'), endDate: at('2024-04-01T00:00:00Z'), unit: 'quarter' } }, 2],
  [{ $dateDiff: { startDate: winter, endDate: null, unit: 'day' } }, null],
  // Bins.
  [
    {
      $dateTrunc: {
        date: at('2021-03-20T11:30:05Z'),
        unit: 'week',
        timezone: 'America/Los_Angeles',
        startOfWeek: 'Monday',
      },
    },
    at('2021-03-15T07:00:00Z'),
  ],
  [
    { $dateTrunc: { date: at('2021-03-20T11:30:05Z'), unit: 'week', binSize: 2, startOfWeek: 'Monday' } },
    at('2021-03-15T00:00:00Z'),
  ],
  [{ $dateTrunc: { date: at('2024-12-03T10:00:00Z'), unit: 'day', binSize: 7 } }, at('2024-11-30T00:00:00Z')],
  [
    { $dateTrunc: { date: at('2021-03-20T11:30:05Z'), unit: 'month', binSize: 6, timezone: 'America/Los_Angeles' } },
    at('2021-01-01T08:00:00Z'),
  ],
  [{ $dateTrunc: { date: at('1999-05-05T00:00:00Z'), unit: 'year', binSize: 10 } }, at('1990-01-01T00:00:00Z')],
  [{ $dateTrunc: { date: at('2021-03-20T11:30:05Z'), unit: 'hour', binSize: 2 } }, at('2021-03-20T10:00:00Z')],
  [{ $dateTrunc: { date: at('2021-03-20T11:50:05Z'), unit: 'hour', timezone: '+0530' } }, at('2021-03-20T11:30:00Z')],
  [{ $dateTrunc: { date: winter, unit: 'day', timezone: NEW_YORK } }, at('2017-01-04T05:00:00Z')],
  [{ $dateTrunc: { date: winter, unit: 'week', startOfWeek: '$none' } }, null],
  [{ $dateTrunc: { date: winter, unit: 'day', startOfWeek: '$none' } }, at('2017-01-04T00:00:00Z')],
  [{ $dateTrunc: { date: winter, unit: 'day', binSize: '$none' } }, null],
];

const { TZ } = process.env;
afterEach(() => {
  process.env['TZ'] = TZ;
});

describe('date operators', () => {
  for (const local of ['UTC', 'Asia/Kathmandu']) {
    it(`give what MongoDB gives where the process lives in ${local}`, () => {
      process.env['TZ'] = local;
      for (const [expression, expected] of cases) expect(of(expression), JSON.stringify(expression)).toEqual(expected);
    });
  }

  it('refuse what they cannot read', () => {
    for (const expression of [
      { $hour: { date: winter, timezone: 'Middle/Earth' } },
      { $hour: { date: winter, timezone: '+5' } },
      { $hour: { date: winter, timezone: 5 } },
      { $hour: 5 },
      { $dateToString: { date: winter, format: '%' } },
      { $dateFromString: { dateString: 'soon' } },
      { $dateFromString: { dateString: 5 } },
      { $dateFromString: { dateString: '2020', format: '%U', onError: 1 } },
      { $dateAdd: { startDate: winter, unit: 'fortnight', amount: 1 } },
      { $dateDiff: { startDate: winter, endDate: winter, unit: 'fortnight' } },
      { $dateDiff: { startDate: winter, endDate: winter, unit: 'week', startOfWeek: 'payday' } },
      { $dateTrunc: { date: winter, unit: 'fortnight' } },
      { $dateTrunc: { date: winter, unit: 'day', binSize: 0 } },
    ])
      expect(() => of(expression), JSON.stringify(expression)).toThrow(expect.objectContaining({ code: '22023' }));
    expect(() => of({ $toDate: 'soon' })).toThrow(expect.objectContaining({ code: '22018' }));
  });

  it('find the instant of each local time again', () => {
    for (const name of [NEW_YORK, 'Europe/Berlin', 'Australia/Lord_Howe', 'Asia/Kolkata', 'Pacific/Apia', 'UTC']) {
      const zone = timeZoneOf(name);
      for (let i = 0; i < 500; i++) {
        const date = new Date(Date.UTC(1990, 0, 1) + i * 631 * 3_600_000);
        const local = zone.local(date);
        const again = zone.instant(local.getTime());
        expect(zone.local(again), `${name} ${date.toISOString()}`).toEqual(local);
        expect(again.getTime()).toBeLessThanOrEqual(date.getTime());
      }
    }
    expect(timeZoneOf(NEW_YORK)).toBe(timeZoneOf(NEW_YORK));
    expect(UTC.isUtc).toBe(true);
  });
});
