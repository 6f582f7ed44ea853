/** to_date and to_timestamp: text read as a template says. DCH_from_char and do_to_timestamp of formatting.c. */
import { PhantomError } from '@phantom/base';
import {
  dateFromJulian,
  daysFromDate,
  daysInMonth,
  isLeapYear,
  isoYearStart,
  JULIAN_2000,
} from '../../types/calendar.js';
import { dateTimeError } from '../../types/date-time-tokens.js';
import { DAY_NAMES, MONTH_NAMES, ROMAN_MONTHS } from './date-to-char.js';
import { type TemplatePart, dateTemplate } from './template.js';

/** What was read: a local date and time, and the zone if the template has one. */
export interface ScannedDateTime {
  /** Days since 2000-01-01. */
  readonly days: number;
  readonly micros: number;
  /** Seconds east; undefined when the template has no TZH. */
  readonly offsetSeconds: number | undefined;
}

type Convention = 'gregorian' | 'iso week';

const CONVENTIONS: Readonly<Record<string, Convention>> = (() => {
  const table: Record<string, Convention> = {};
  for (const word of 'DDD DD D MM MONTH MON RM WW W Y,YYY YYYY YYY YY Y'.split(' ')) table[word] = 'gregorian';
  for (const word of 'IDDD ID IW IYYY IYY IY I'.split(' ')) table[word] = 'iso week';
  return table;
})();

/** Keywords that begin with a digit in the source: a number before one of them takes its exact width. */
const DIGIT_KEYWORDS: ReadonlySet<string> = new Set(
  (
    'CC DDD DD D FF1 FF2 FF3 FF4 FF5 FF6 HH24 HH12 HH IDDD ID IW IYYY IYY IY I J MI MM MS Q SSSSS SSSS SS US WW W Y,YYY YYYY YYY ' +
    'YY Y'
  ).split(' '),
);

const INT_MAX = 2147483647;

/** Fields that make the date one to be checked. */
const DATE_FIELDS: readonly string[] = ['month', 'day', 'day of year', 'week', 'week of month'];

class DateScanner {
  private readonly source: string;
  private readonly parts: readonly TemplatePart[];
  private at = 0;
  private extraSkip = 0;
  private fixed = false;
  private convention: Convention | undefined;
  private readonly values = new Map<string, number>();
  private yearDigits = 0;
  private twelveHours = false;
  private zoneSign = 0;

  constructor(source: string, template: string) {
    this.source = source;
    this.parts = dateTemplate(template);
  }

  scan(): ScannedDateTime {
    for (let i = 0; i < this.parts.length && this.at < this.source.length; i++) {
      const part = this.parts[i] as TemplatePart;
      const isFixed = part.kind === 'keyword' && part.text.toUpperCase() === 'FX';
      if (!this.fixed && !isFixed && (part.kind === 'keyword' || i === 0)) {
        while (this.isSpace()) {
          this.at++;
          this.extraSkip++;
        }
      }
      if (part.kind !== 'keyword') {
        this.skipLiteral(part);
        continue;
      }
      this.keyword(part, i);
      if (!this.fixed) {
        this.extraSkip = 0;
        while (this.isSpace()) {
          this.at++;
          this.extraSkip++;
        }
      }
    }
    return this.result();
  }

  private isSpace(): boolean {
    return /\s/.test(this.source[this.at] ?? '');
  }

  private skipLiteral(part: TemplatePart): void {
    const width = (this.source.codePointAt(this.at) ?? 0) > 0xffff ? 2 : 1;
    if (part.kind === 'character') {
      if (!this.fixed && this.extraSkip > 0) this.extraSkip--;
      else this.at += width;
      return;
    }
    if (this.fixed) {
      this.at += width;
      return;
    }
    this.extraSkip--;
    if (this.isSpace() || /^[!-/:-@[-`{-~]$/.test(this.source[this.at] ?? '')) {
      this.at++;
      this.extraSkip++;
    }
  }

  private set(field: string, value: number, part: TemplatePart): void {
    const known = this.values.get(field) ?? 0;
    if (known !== 0 && known !== value) {
      throw new PhantomError('22007', `conflicting values for "${part.text}" field in formatting string`, {
        detail: 'This value contradicts a previous setting for the same field type.',
      });
    }
    this.values.set(field, value);
  }

  private get(field: string): number {
    return this.values.get(field) ?? 0;
  }

  private setConvention(keyword: string): void {
    const convention = CONVENTIONS[keyword];
    if (convention === undefined) return;
    if (this.convention !== undefined && this.convention !== convention) {
      throw new PhantomError('22007', 'invalid combination of date conventions', {
        hint: 'Do not mix Gregorian and ISO week date conventions in a formatting template.',
      });
    }
    this.convention = convention;
  }

  /** True when what follows cannot be taken for more digits of the number at part `index`. */
  private endsBySeparator(index: number): boolean {
    if (this.parts[index]?.ordinal !== undefined) return true;
    const next = this.parts[index + 1];
    if (next === undefined) return true;
    if (next.kind === 'keyword') return !DIGIT_KEYWORDS.has(next.text.toUpperCase());
    return !/^[0-9]$/.test(next.text);
  }

  /** Reads an integer and returns how many characters it took. */
  private integer(field: string | undefined, width: number, part: TemplatePart, index: number): number {
    const start = this.at;
    while (this.isSpace()) this.at++;
    const rest = this.source.slice(this.at);
    const field2 = part.text;
    let digits: string;
    if (part.fill || this.endsBySeparator(index)) {
      digits = /^[+-]?\d+/.exec(rest)?.[0] ?? '';
    } else {
      const copy = rest.slice(0, width);
      if (copy.length < width) {
        throw new PhantomError('22007', `source string too short for "${field2}" formatting field`, {
          detail: `Field requires ${width} characters, but only ${copy.length} remain.`,
          hint: 'If your source string is not fixed-width, try using the "FM" modifier.',
        });
      }
      digits = /^\s*[+-]?\d+/.exec(copy)?.[0] ?? '';
      if (digits !== '' && digits.length < width) {
        throw new PhantomError('22007', `invalid value "${copy}" for "${field2}"`, {
          detail: `Field requires ${width} characters, but only ${digits.length} could be parsed.`,
          hint: 'If your source string is not fixed-width, try using the "FM" modifier.',
        });
      }
    }
    if (digits === '') {
      throw new PhantomError('22007', `invalid value "${rest.slice(0, width)}" for "${field2}"`, {
        detail: 'Value must be an integer.',
      });
    }
    this.at += digits.length;
    const value = Number(digits);
    if (Math.abs(value) > INT_MAX) {
      throw new PhantomError('22008', `value for "${field2}" in source string is out of range`, {
        detail: `Value must be in the range -2147483648 to 2147483647.`,
      });
    }
    if (field !== undefined) this.set(field, value, part);
    return this.at - start;
  }

  /** Index of the name that stands here, without regard to case. */
  private name(names: readonly string[], part: TemplatePart): number {
    const rest = this.source.slice(this.at).toLowerCase();
    const index = names.findIndex((name) => rest.startsWith(name.toLowerCase()));
    if (index < 0) {
      const word = /^[^\s]*/.exec(this.source.slice(this.at))?.[0] ?? '';
      throw new PhantomError('22007', `invalid value "${word}" for "${part.text}"`, {
        detail: 'The given value did not match any of the allowed values for this field.',
      });
    }
    this.at += (names[index] as string).length;
    return index;
  }

  private skipOrdinal(part: TemplatePart): void {
    if (part.ordinal !== undefined) this.at = Math.min(this.at + 2, this.source.length);
  }

  private keyword(part: TemplatePart, index: number): void {
    const word = part.text.toUpperCase();
    this.setConvention(word);
    switch (word) {
      case 'FX':
        this.fixed = true;
        return;
      case 'A.M.':
      case 'P.M.':
        this.set('pm', this.name(['a.m.', 'p.m.'], part), part);
        this.twelveHours = true;
        return;
      case 'AM':
      case 'PM':
        this.set('pm', this.name(['am', 'pm'], part), part);
        this.twelveHours = true;
        return;
      case 'A.D.':
      case 'B.C.':
        this.set('bc', this.name(['a.d.', 'b.c.'], part), part);
        return;
      case 'AD':
      case 'BC':
        this.set('bc', this.name(['ad', 'bc'], part), part);
        return;
      case 'MONTH':
        this.set('month', this.name(MONTH_NAMES, part) + 1, part);
        return;
      case 'MON':
        this.set(
          'month',
          this.name(
            MONTH_NAMES.map((name) => name.slice(0, 3)),
            part,
          ) + 1,
          part,
        );
        return;
      case 'DAY':
        this.set('weekday', this.name(DAY_NAMES, part) + 1, part);
        return;
      case 'DY':
        this.set(
          'weekday',
          this.name(
            DAY_NAMES.map((name) => name.slice(0, 3)),
            part,
          ) + 1,
          part,
        );
        return;
      case 'RM':
        this.set('month', 12 - this.name(ROMAN_MONTHS, part), part);
        return;
      case 'TZ':
      case 'OF':
        throw new PhantomError('0A000', `formatting field "${part.text}" is only supported in to_char`);
      case 'TZH':
        this.zoneHours(part, index);
        return;
      default:
        this.numberKeyword(word, part, index);
        this.skipOrdinal(part);
    }
  }

  private zoneHours(part: TemplatePart, index: number): void {
    const sign = this.source[this.at];
    if (sign === '+' || sign === '-' || sign === ' ') {
      this.zoneSign = sign === '-' ? -1 : 1;
      this.at++;
    } else {
      // The minus may have been skipped as a separator.
      this.zoneSign = this.extraSkip > 0 && this.source[this.at - 1] === '-' ? -1 : 1;
    }
    this.integer('zone hours', 2, part, index);
  }

  private numberKeyword(word: string, part: TemplatePart, index: number): void {
    const fraction = /^FF([1-6])$/.exec(word);
    const read = (field: string, width = word.length): number => this.integer(field, width, part, index);
    if (fraction !== null || word === 'US') {
      const length = read('micros', fraction === null ? 6 : Number(fraction[1]));
      this.values.set('micros', this.get('micros') * 10 ** Math.max(0, 6 - Math.min(length, 6)));
      return;
    }
    switch (word) {
      case 'HH':
      case 'HH12':
        read('hour', 2);
        this.twelveHours = true;
        return;
      case 'HH24':
        read('hour', 2);
        return;
      case 'MI':
        read('minute');
        return;
      case 'SS':
        read('second');
        return;
      case 'MS': {
        const length = read('millis', 3);
        this.values.set('millis', this.get('millis') * (length === 1 ? 100 : length === 2 ? 10 : 1));
        return;
      }
      case 'SSSS':
      case 'SSSSS':
        read('day seconds');
        return;
      case 'TZM':
        if (this.zoneSign === 0) this.zoneSign = 1;
        read('zone minutes', 2);
        return;
      case 'MM':
        read('month');
        return;
      case 'DD':
        read('day');
        return;
      case 'DDD':
      case 'IDDD':
        read('day of year', 3);
        return;
      case 'D':
        read('weekday');
        return;
      case 'ID': {
        read('weekday', 1);
        const next = this.get('weekday') + 1;
        this.values.set('weekday', next > 7 ? 1 : next);
        return;
      }
      case 'WW':
      case 'IW':
        read('week');
        return;
      case 'W':
        read('week of month');
        return;
      case 'Q':
        this.integer(undefined, 1, part, index);
        return;
      case 'CC':
        read('century');
        return;
      case 'J':
        read('julian');
        return;
      default:
        this.yearKeyword(word, part, index);
    }
  }

  private yearKeyword(word: string, part: TemplatePart, index: number): void {
    if (word === 'Y,YYY') {
      const match = /^\s*([+-]?\d+),(\d{1,3})/.exec(this.source.slice(this.at));
      if (match === null) throw new PhantomError('22007', 'invalid input string for "Y,YYY"');
      this.at += match[0].length;
      this.set('year', Number(match[1]) * 1000 + Number(match[2]), part);
      this.yearDigits = 4;
      return;
    }
    const digits = word.replace('I', '').length + (word.startsWith('I') ? 1 : 0);
    const length = this.integer('year', digits, part, index);
    if (digits < 4 && length < 4) this.values.set('year', nearestTo2020(this.get('year')));
    this.yearDigits = digits;
  }

  // ------------------------------------------------------------------------------------------------ putting it together

  private result(): ScannedDateTime {
    const time = this.timeOfDay();
    const date = { year: 0, month: 1, day: 1 };
    let haveDate = this.resolveYear(date);
    const julian = this.get('julian');
    if (julian !== 0) {
      Object.assign(date, dateFromJulian(julian));
      haveDate = true;
    }
    this.resolveDay(date);
    if (haveDate || DATE_FIELDS.some((field) => this.get(field) !== 0)) {
      if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > daysInMonth(date.year, date.month)) {
        throw dateTimeError('overflow', this.source, 'timestamp');
      }
    }
    return {
      days: daysFromDate(date.year, date.month, date.day),
      micros: time,
      offsetSeconds: this.zone(),
    };
  }

  private timeOfDay(): number {
    const daySeconds = this.get('day seconds');
    let hour = Math.trunc(daySeconds / 3600);
    let minute = Math.trunc((daySeconds % 3600) / 60);
    let second = daySeconds % 60;
    hour = this.get('hour') || hour;
    minute = this.get('minute') || minute;
    second = this.get('second') || second;
    if (this.twelveHours) {
      if (hour < 1 || hour > 12) {
        throw new PhantomError('22007', `hour "${hour}" is invalid for the 12-hour clock`, {
          hint: 'Use the 24-hour clock, or give an hour between 1 and 12.',
        });
      }
      if (this.get('pm') !== 0 && hour < 12) hour += 12;
      else if (this.get('pm') === 0 && hour === 12) hour = 0;
    }
    const micros = this.get('millis') * 1000 + this.get('micros');
    const wrong = hour < 0 || hour >= 24 || minute < 0 || minute >= 60 || second < 0 || second >= 60;
    if (wrong || micros < 0 || micros >= 1_000_000) throw dateTimeError('overflow', this.source, 'timestamp');
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + micros;
  }

  private resolveYear(date: { year: number }): boolean {
    const year = this.get('year');
    const bc = this.get('bc') !== 0;
    let century = this.get('century');
    if (year !== 0) {
      if (century !== 0 && this.yearDigits <= 2) {
        if (bc) century = -century;
        date.year = year % 100;
        if (date.year === 0) date.year = century * 100 + (century >= 0 ? 0 : 1);
        else date.year = century >= 0 ? date.year + (century - 1) * 100 : (century + 1) * 100 - date.year + 1;
      } else {
        date.year = bc ? -year : year;
        if (date.year < 0) date.year++;
      }
      return true;
    }
    if (century === 0) return false;
    if (bc) century = -century;
    date.year = century >= 0 ? (century - 1) * 100 + 1 : century * 100 + 1;
    return true;
  }

  private resolveDay(date: { year: number; month: number; day: number }): void {
    const iso = this.convention === 'iso week';
    let dayOfYear = this.get('day of year');
    const week = this.get('week');
    if (week !== 0) {
      if (iso) {
        const weekday = this.get('weekday');
        const start = isoYearStart(date.year) + (week - 1) * 7;
        const shift = weekday === 0 ? 0 : weekday > 1 ? weekday - 2 : 6;
        Object.assign(date, dateFromJulian(start + shift + JULIAN_2000));
      } else {
        dayOfYear = (week - 1) * 7 + 1;
      }
    }
    const weekOfMonth = this.get('week of month');
    const day = weekOfMonth === 0 ? this.get('day') : (weekOfMonth - 1) * 7 + 1;
    if (day !== 0) date.day = day;
    if (this.get('month') !== 0) date.month = this.get('month');
    if (dayOfYear === 0 || (date.month > 1 && date.day > 1)) return;
    if (date.year === 0 && this.get('bc') === 0) {
      throw new PhantomError('22007', 'cannot calculate day of year without year information');
    }
    if (iso) {
      Object.assign(date, dateFromJulian(isoYearStart(date.year) - 1 + dayOfYear + JULIAN_2000));
      return;
    }
    let month = 1;
    let before = 0;
    while (month < 12 && dayOfYear > before + daysInMonth(date.year, month)) before += daysInMonth(date.year, month++);
    if (dayOfYear > (isLeapYear(date.year) ? 366 : 365)) throw dateTimeError('overflow', this.source, 'timestamp');
    if (date.month <= 1) date.month = month;
    if (date.day <= 1) date.day = dayOfYear - before;
  }

  private zone(): number | undefined {
    if (this.zoneSign === 0) return undefined;
    const hours = this.get('zone hours');
    const minutes = this.get('zone minutes');
    if (hours < 0 || hours > 15 || minutes < 0 || minutes >= 60)
      throw dateTimeError('overflow', this.source, 'timestamp');
    return this.zoneSign * (hours * 3600 + minutes * 60);
  }
}

/** Years of one to three digits are those nearest to 2020. */
function nearestTo2020(year: number): number {
  if (year < 70) return year + 2000;
  if (year < 100) return year + 1900;
  if (year < 520) return year + 2000;
  return year < 1000 ? year + 1000 : year;
}

/** Reads the text by the template. */
export function scanDateTime(source: string, template: string): ScannedDateTime {
  return new DateScanner(source, template).scan();
}
