/** to_char of timestamps and intervals: DCH_to_char of formatting.c. */
import { PhantomError } from '@phantom/base';
import { daysFromDate, isoDayOfWeek, isoWeek, isoYear, isoYearStart, JULIAN_2000 } from '../../types/calendar.js';
import { type TemplatePart, dateTemplate, ordinalSuffix } from './template.js';

/** What there is to format; an interval has no zone and no day of the week. */
export interface CalendarFields {
  readonly isInterval: boolean;
  /** 0 is 1 BC. */
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly micros: number;
  readonly weekday: number;
  readonly dayOfYear: number;
  /** Seconds east, and the abbreviation; undefined without a zone. */
  readonly offsetSeconds: number | undefined;
  readonly zone: string | undefined;
}

export const MONTH_NAMES: readonly string[] = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
export const DAY_NAMES: readonly string[] = [
  'Sunday',
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
];
/** From December down: index 12 - month. */
export const ROMAN_MONTHS: readonly string[] = [
  'XII',
  'XI',
  'X',
  'IX',
  'VIII',
  'VII',
  'VI',
  'V',
  'IV',
  'III',
  'II',
  'I',
];

/** A number padded with zeros to the width, one more for a sign, unless FM asks for none. */
function padded(value: number, width: number, part: TemplatePart): string {
  return zeroFilled(value, value < 0 ? width + 1 : width, part);
}

function zeroFilled(value: number, width: number, part: TemplatePart): string {
  return part.fill ? String(value) : zeros(value, width);
}

/** C's `%0*d`: a sign counts into the width. */
function zeros(value: number, width: number): string {
  return value < 0 ? `-${String(-value).padStart(width - 1, '0')}` : String(value).padStart(width, '0');
}

/** In the case in which the keyword was written. */
function inCase(name: string, keyword: string): string {
  if (keyword === keyword.toUpperCase()) return name.toUpperCase();
  return keyword === keyword.toLowerCase() ? name.toLowerCase() : name;
}

function shownYear(fields: CalendarFields, year: number): number {
  return fields.isInterval || year > 0 ? year : 1 - year;
}

function isoYearOf(fields: CalendarFields): number {
  return isoYear(daysFromDate(fields.year, fields.month, fields.day));
}

function century(fields: CalendarFields): number {
  const { year } = fields;
  if (fields.isInterval) return Math.trunc(year / 100);
  return year > 0 ? Math.trunc((year - 1) / 100) + 1 : Math.trunc(year / 100) - 1;
}

function yearText(fields: CalendarFields, part: TemplatePart): string {
  const letters = part.text.toUpperCase();
  const year = letters.startsWith('I') ? isoYearOf(fields) : fields.year;
  const width = letters.length;
  const shown = shownYear(fields, year);
  // The calendar year decides about room for a sign, also for the ISO year.
  const room = shownYear(fields, fields.year) < 0 ? width + 1 : width;
  return zeroFilled(width === 4 ? shown : shown % 10 ** width, room, part);
}

function roman(fields: CalendarFields, part: TemplatePart): string {
  if (fields.month === 0 && fields.year === 0) return '';
  let index: number;
  if (fields.month === 0) index = fields.year >= 0 ? 0 : 11;
  else index = fields.month < 0 ? -1 * (fields.month + 1) : 12 - fields.month;
  const name = inCase(ROMAN_MONTHS[index] as string, part.text);
  return part.fill ? name : name.padEnd(4);
}

function zoneText(fields: CalendarFields, part: TemplatePart): string {
  const offset = fields.offsetSeconds;
  const sign = (offset ?? 0) < 0 ? '-' : '+';
  const size = Math.abs(offset ?? 0);
  const two = (value: number): string => String(value).padStart(2, '0');
  switch (part.text.toUpperCase()) {
    case 'TZ':
      return part.text === 'tz' ? (fields.zone ?? '').toLowerCase() : (fields.zone ?? '');
    case 'TZH':
      return sign + two(Math.floor(size / 3600));
    case 'TZM':
      return two(Math.floor((size % 3600) / 60));
    default: {
      const hours = Math.floor(size / 3600);
      const text = sign + (part.fill ? String(hours) : two(hours));
      return size % 3600 === 0 ? text : `${text}:${two(Math.floor((size % 3600) / 60))}`;
    }
  }
}

/** Keywords that are numbers and may have TH behind them. */
function numberText(fields: CalendarFields, part: TemplatePart): string | undefined {
  switch (part.text.toUpperCase()) {
    case 'HH':
    case 'HH12':
      return padded(fields.hour % 12 === 0 ? 12 : fields.hour % 12, 2, part);
    case 'HH24':
      return padded(fields.hour, 2, part);
    case 'MI':
      return padded(fields.minute, 2, part);
    case 'SS':
      return padded(fields.second, 2, part);
    case 'MS':
      return zeros(Math.trunc(fields.micros / 1000), 3);
    case 'US':
      return zeros(fields.micros, 6);
    case 'SSSS':
    case 'SSSSS':
      return String(fields.hour * 3600 + fields.minute * 60 + fields.second);
    case 'MM':
      return padded(fields.month, 2, part);
    case 'DD':
      return zeroFilled(fields.day, 2, part);
    case 'DDD':
      return zeroFilled(fields.dayOfYear, 3, part);
    case 'WW':
      return padded(Math.trunc((fields.dayOfYear - 1) / 7) + 1, 2, part);
    case 'W':
      return String(Math.trunc((fields.day - 1) / 7) + 1);
    case 'Q':
      return fields.month === 0 ? '' : String(Math.trunc((fields.month - 1) / 3) + 1);
    case 'CC': {
      const value = century(fields);
      return Math.abs(value) <= 99 ? padded(value, 2, part) : String(value);
    }
    case 'Y,YYY': {
      const year = shownYear(fields, fields.year);
      const thousands = Math.trunc(year / 1000);
      return `${thousands},${zeroFilled(year - thousands * 1000, 3, { ...part, fill: false })}`;
    }
    case 'YYYY':
    case 'YYY':
    case 'YY':
    case 'Y':
    case 'IYYY':
    case 'IYY':
    case 'IY':
    case 'I':
      return yearText(fields, part);
    case 'J':
      return String(daysFromDate(fields.year, fields.month, fields.day) + JULIAN_2000);
    default:
      return dayNumber(fields, part);
  }
}

function dayNumber(fields: CalendarFields, part: TemplatePart): string | undefined {
  const fraction = /^FF([1-6])$/i.exec(part.text);
  if (fraction !== null) {
    const digits = Number(fraction[1]);
    return zeros(Math.trunc(fields.micros / 10 ** (6 - digits)), digits);
  }
  const letters = part.text.toUpperCase();
  if (letters !== 'D' && letters !== 'ID' && letters !== 'IW' && letters !== 'IDDD') return undefined;
  if (letters === 'D') {
    invalidForInterval(fields);
    return String(fields.weekday + 1);
  }
  const days = daysFromDate(fields.year, fields.month, fields.day);
  if (letters === 'ID') {
    invalidForInterval(fields);
    return String(isoDayOfWeek(days));
  }
  if (letters === 'IW') return padded(isoWeek(days), 2, part);
  return padded(days - isoYearStart(isoYear(days)) + 1, 3, part);
}

function invalidForInterval(fields: CalendarFields): void {
  if (!fields.isInterval) return;
  throw new PhantomError('22007', 'invalid format specification for an interval value', {
    hint: 'Intervals are not tied to specific calendar dates.',
  });
}

function nameText(fields: CalendarFields, part: TemplatePart): string {
  const letters = part.text.toUpperCase();
  switch (letters) {
    case 'AM':
    case 'PM':
      return inCase(fields.hour % 24 >= 12 ? 'PM' : 'AM', part.text);
    case 'A.M.':
    case 'P.M.':
      return inCase(fields.hour % 24 >= 12 ? 'P.M.' : 'A.M.', part.text);
    case 'AD':
    case 'BC':
      invalidForInterval(fields);
      return inCase(fields.year <= 0 ? 'BC' : 'AD', part.text);
    case 'A.D.':
    case 'B.C.':
      invalidForInterval(fields);
      return inCase(fields.year <= 0 ? 'B.C.' : 'A.D.', part.text);
    case 'MONTH':
    case 'MON': {
      invalidForInterval(fields);
      const name = inCase(MONTH_NAMES[fields.month - 1] ?? '', part.text);
      if (letters === 'MON') return name.slice(0, 3);
      return part.fill || part.localized ? name : name.padEnd(9);
    }
    case 'DAY':
    case 'DY': {
      invalidForInterval(fields);
      const name = inCase(DAY_NAMES[fields.weekday] ?? '', part.text);
      if (letters === 'DY') return name.slice(0, 3);
      return part.fill || part.localized ? name : name.padEnd(9);
    }
    case 'RM':
      return roman(fields, part);
    case 'TZ':
    case 'TZH':
    case 'TZM':
    case 'OF':
      invalidForInterval(fields);
      return zoneText(fields, part);
    default:
      // FX changes nothing in output.
      return '';
  }
}

/** The fields as the template asks. */
export function formatCalendar(fields: CalendarFields, template: string): string {
  let text = '';
  for (const part of dateTemplate(template)) {
    if (part.kind !== 'keyword') {
      text += part.text;
      continue;
    }
    const number = numberText(fields, part);
    if (number === undefined) text += nameText(fields, part);
    else text += part.ordinal === undefined || number === '' ? number : number + ordinalSuffix(number, part.ordinal);
  }
  return text;
}
