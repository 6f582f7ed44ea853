/**
 * Reading dates and times: which number is the year, which the day, what zone is meant. The rules are those of
 * DecodeDateTime, DecodeTimeOnly and their helpers in PostgreSQL's datetime.c, in its order, since what text is accepted
 * is the sum of them.
 */
import { PhantomError } from '@phantom/base';
import { MICROS_PER_DAY } from '@phantom/codec';
import { dateFromDays, dateFromJulian, daysFromDate, daysInMonth, julianDay, splitTimestamp } from './calendar.js';
import { DateTimeFailure, type Field, dateWord } from './date-time-tokens.js';
import { type TimeZone, findTimeZone, sessionZone } from './time-zones.js';
import type { TypeContext } from './type.js';
import { zoneAbbreviation } from './zone-names.js';

/** Which fields have been seen. */
const YEAR = 1;
const MONTH = 2;
const DAY = 4;
const HOUR = 8;
const MINUTE = 16;
const SECOND = 32;
const ZONE = 64;
const DAY_OF_YEAR = 128;
const DAYLIGHT = 256;
const WEEKDAY = 512;
const ERA = 1024;
const MERIDIEM = 2048;
const DATE = YEAR | MONTH | DAY;
const TIME = HOUR | MINUTE | SECOND;

/** Widest displacement from Greenwich. */
const ZONE_HOURS_MAX = 15;
const INT_MAX = 2147483647;

/** What a text was read as. */
export interface DecodedDateTime {
  /** `date`: the fields hold; otherwise the text was one of those words. */
  readonly meaning: 'date' | 'infinity' | '-infinity' | 'epoch';
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** Microseconds since midnight; 24:00 is allowed. */
  readonly micros: number;
  /** Seconds east of Greenwich: as given, or by the session's zone. */
  readonly offsetSeconds: number;
  /** True when the text itself gave the zone. */
  readonly hasZone: boolean;
  readonly hasDate: boolean;
}

/** Microseconds of `.123456`, rounded to even as C's rint does. */
export function fractionMicros(text: string): number {
  if (!/^\.\d*$/.test(text)) throw new DateTimeFailure('format');
  const exact = Number(`0${text}`) * 1_000_000;
  const floor = Math.floor(exact);
  const rest = exact - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

function zonePart(text: string): number {
  const value = Number(text);
  if (value > INT_MAX) throw new DateTimeFailure('zone overflow');
  return value;
}

function integer(text: string): number {
  const value = Number(text);
  if (value > INT_MAX) throw new DateTimeFailure('overflow');
  return value;
}

/** Offset in seconds EAST of `+hh`, `+hhmm`, `+hh:mm` or `+hh:mm:ss`. */
export function decodeOffset(text: string): number {
  const match = /^([+-])(\d+)(?::(\d*)(?::(\d*))?)?(.*)$/.exec(text);
  if (match === null) throw new DateTimeFailure('format');
  let hours = zonePart(match[2] as string);
  let minutes = match[3] === undefined ? 0 : zonePart(match[3] || '0');
  const seconds = match[4] === undefined ? 0 : zonePart(match[4] || '0');
  if (match[3] === undefined && match[5] === '' && text.length > 3) {
    minutes = hours % 100;
    hours = Math.floor(hours / 100);
  }
  if (hours > ZONE_HOURS_MAX || minutes >= 60 || seconds >= 60) throw new DateTimeFailure('zone overflow');
  if (match[5] !== '') throw new DateTimeFailure('format');
  const size = (hours * 60 + minutes) * 60 + seconds;
  return match[1] === '-' && size !== 0 ? -size : size;
}

/** Decodes the fields of one text; used once. */
export class DateTimeDecoder {
  private readonly fields: readonly Field[];
  private readonly context: TypeContext;
  /** Times alone may lack a date; everything else may not. */
  private readonly timeOnly: boolean;
  private year = 0;
  private month = 0;
  private day = 0;
  private dayOfYear = 0;
  private hour = 0;
  private minute = 0;
  private second = 0;
  private micro = 0;
  private seen = 0;
  private offset = 0;
  private zone: TimeZone | undefined;
  private meaning: DecodedDateTime['meaning'] = 'date';
  private bc = false;
  private julian = false;
  private twoDigits = false;
  private textMonth = false;
  private meridiem: string | undefined;
  /** A label (`y`, `m`, `j`, `t`, ...) that waits for its number. */
  private label: string | undefined;

  constructor(fields: readonly Field[], context: TypeContext, timeOnly: boolean) {
    this.fields = fields;
    this.context = context;
    this.timeOnly = timeOnly;
  }

  decode(): DecodedDateTime {
    for (let i = 0; i < this.fields.length; i++) {
      const field = this.fields[i] as Field;
      const found = this.field(field, i);
      if (found < 0) continue;
      if ((found & this.seen) !== 0) throw new DateTimeFailure('format');
      this.seen |= found;
    }
    if (this.label !== undefined) throw new DateTimeFailure('format');
    if (this.meaning === 'date') this.finish();
    return {
      meaning: this.meaning,
      year: this.year,
      month: this.month,
      day: this.day,
      micros: ((this.hour * 60 + this.minute) * 60 + this.second) * 1_000_000 + this.micro,
      offsetSeconds: this.offset,
      hasZone: (this.seen & ZONE) !== 0,
      hasDate: (this.seen & DATE) === DATE,
    };
  }

  /** Reads one field and returns what it gave; -1 for words without meaning. */
  private field(field: Field, index: number): number {
    switch (field.kind) {
      case 'date':
        return this.timeOnly ? this.dateFieldOfTime(field.text, index) : this.dateField(field.text);
      case 'time':
        if (this.label !== undefined) {
          if (this.label !== 'time') throw new DateTimeFailure('format');
          this.label = undefined;
        }
        this.decodeTime(field.text);
        return TIME;
      case 'zone':
        this.offset = decodeOffset(field.text);
        return ZONE;
      case 'number':
        if (this.label !== undefined) return this.labelled(field.text);
        return this.timeOnly ? this.numberOfTime(field.text, index) : this.numberField(field.text);
      default:
        return this.wordField(field.text, index);
    }
  }

  private dateField(text: string): number {
    if (this.label === 'julian') {
      const match = /^(\d+)(.*)$/.exec(text) as RegExpExecArray;
      this.setJulian(integer(match[1] as string));
      this.offset = decodeOffset(match[2] as string);
      this.label = undefined;
      return DATE | TIME | ZONE;
    }
    const haveDay = (this.seen & (MONTH | DAY)) === (MONTH | DAY);
    if (this.label === undefined && !haveDay) return this.decodeDate(text);
    const digits = text.charCodeAt(0) >= 48 && text.charCodeAt(0) <= 57;
    if (!digits && this.label === undefined) return this.namedZone(text);
    return this.timeWithOffset(text);
  }

  /** Before a time a date may stand, and is read; anything else is a time and its zone, or a zone. */
  private dateFieldOfTime(text: string, index: number): number {
    const { fields } = this;
    const before = index === 0 && fields.length >= 2;
    if (before && (fields[fields.length - 1]?.kind === 'date' || fields[1]?.kind === 'time'))
      return this.decodeDate(text);
    return /^\d/.test(text) ? this.timeWithOffset(text) : this.namedZone(text);
  }

  private numberOfTime(text: string, index: number): number {
    const point = text.indexOf('.');
    if (point >= 0) {
      const { fields } = this;
      if (index === 0 && fields.length >= 2 && fields[fields.length - 1]?.kind === 'date') return this.decodeDate(text);
      if (point <= 2) throw new DateTimeFailure('format');
      return this.numberRun(text, this.seen | DATE);
    }
    return text.length > 4 ? this.numberRun(text, this.seen | DATE) : this.decodeNumber(text, this.seen | DATE);
  }

  private timeWithOffset(text: string): number {
    // hhmmss-zz, or an ISO time with its zone.
    if (this.label !== undefined && this.label !== 'time') throw new DateTimeFailure('format');
    this.label = undefined;
    if ((this.seen & TIME) === TIME) throw new DateTimeFailure('format');
    const dash = text.indexOf('-');
    if (dash < 0) throw new DateTimeFailure('format');
    this.offset = decodeOffset(text.slice(dash));
    return this.runTogether(text.slice(0, dash)) | ZONE;
  }

  private namedZone(name: string): number {
    const zone = findTimeZone(name);
    if (zone === undefined) throw new PhantomError('22023', `time zone "${name}" not recognized`);
    this.zone = zone;
    return ZONE;
  }

  private setJulian(day: number): void {
    const date = dateFromJulian(day);
    this.year = date.year;
    this.month = date.month;
    this.day = date.day;
    this.julian = true;
  }

  private decodeTime(text: string): void {
    const match = /^(\d+):(\d*)(?::(\d*))?(\.\d*)?$/.exec(text);
    if (match === null) throw new DateTimeFailure('format');
    let [hour, minute] = [Number(match[1]), integer(match[2] || '0')];
    let second = match[3] === undefined ? 0 : integer(match[3] || '0');
    const micro = match[4] === undefined ? 0 : fractionMicros(match[4]);
    if (match[3] === undefined && match[4] !== undefined) {
      // mm:ss.sss
      [hour, minute, second] = [0, hour, minute];
    }
    if (minute > 59 || second > 60 || micro > 1_000_000) throw new DateTimeFailure('overflow');
    this.hour = hour;
    this.minute = minute;
    this.second = second;
    this.micro = micro;
    this.checkTime();
  }

  private checkTime(): void {
    const total = ((this.hour * 60 + this.minute) * 60 + this.second) * 1_000_000 + this.micro;
    if (this.hour > 24 || this.minute > 59 || this.second > 60 || total > MICROS_PER_DAY) {
      throw new DateTimeFailure('overflow');
    }
  }

  /** A number after a label: `y2001`, `j2451187`, `t040506`. */
  private labelled(text: string): number {
    const label = this.label as string;
    this.label = undefined;
    const match = /^(\d*)(\..*)?$/.exec(text) as RegExpExecArray;
    const value = integer(match[1] as string);
    const fraction = match[2];
    if (fraction !== undefined && label !== 'julian' && label !== 'time' && label !== 'second') {
      throw new DateTimeFailure('format');
    }
    switch (label) {
      case 'year':
        this.year = value;
        return YEAR;
      case 'month':
        if ((this.seen & MONTH) !== 0 && (this.seen & HOUR) !== 0) {
          this.minute = value;
          return MINUTE;
        }
        this.month = value;
        return MONTH;
      case 'day':
        this.day = value;
        return DAY;
      case 'hour':
        this.hour = value;
        return HOUR;
      case 'minute':
        this.minute = value;
        return MINUTE;
      case 'second':
        this.second = value;
        if (fraction !== undefined) this.micro = fractionMicros(fraction);
        return SECOND;
      case 'julian':
        this.setJulian(value);
        if (fraction === undefined) return DATE;
        this.setDayMicros(Math.trunc(Number(`0${fraction}`) * MICROS_PER_DAY));
        return DATE | TIME;
      case 'time': {
        const found = this.numberRun(text, this.seen | DATE);
        if (found !== TIME) throw new DateTimeFailure('format');
        return found;
      }
      default:
        throw new DateTimeFailure('format');
    }
  }

  private setDayMicros(micros: number): void {
    this.hour = Math.floor(micros / 3_600_000_000);
    this.minute = Math.floor(micros / 60_000_000) % 60;
    this.second = Math.floor(micros / 1_000_000) % 60;
    this.micro = micros % 1_000_000;
  }

  private numberField(text: string): number {
    const point = text.indexOf('.');
    if (point >= 0 && (this.seen & DATE) === 0) return this.decodeDate(text);
    if (point > 2) return this.numberRun(text, this.seen);
    if (text.length >= 6 && ((this.seen & DATE) === 0 || (this.seen & TIME) === 0))
      return this.numberRun(text, this.seen);
    return this.decodeNumber(text, this.seen);
  }

  private runTogether(text: string): number {
    return this.numberRun(text, this.seen | (this.timeOnly ? DATE : 0));
  }

  /** Digits run together: yyyymmdd, yymmdd, hhmmss, hhmm, hhmmss.fff. */
  private numberRun(text: string, seen: number): number {
    const point = text.indexOf('.');
    const digits = point < 0 ? text : text.slice(0, point);
    if (point >= 0) {
      this.micro = fractionMicros(text.slice(point));
    } else if ((seen & DATE) !== DATE && digits.length >= 6) {
      const end = digits.length;
      this.day = Number(digits.slice(end - 2));
      this.month = Number(digits.slice(end - 4, end - 2));
      this.year = integer(digits.slice(0, end - 4));
      if (end === 6) this.twoDigits = true;
      return DATE;
    }
    if ((seen & TIME) !== TIME && (digits.length === 6 || digits.length === 4)) {
      this.hour = Number(digits.slice(0, 2));
      this.minute = Number(digits.slice(2, 4));
      this.second = digits.length === 6 ? Number(digits.slice(4)) : 0;
      return TIME;
    }
    throw new DateTimeFailure('format');
  }

  /** A date whose parts stand together: 2001-02-03, 3/feb/01. */
  private decodeDate(text: string): number {
    const parts: (string | undefined)[] = [];
    const pattern = /[a-z]+|\d+/g;
    if (!/^[a-z0-9].*[a-z0-9][^a-z0-9]?$/.test(text)) throw new DateTimeFailure('format');
    for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) parts.push(match[0]);
    let found = 0;
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as string;
      if (part.charCodeAt(0) < 97) continue;
      const word = dateWord(part);
      if (word?.kind === 'ignored') continue;
      if (word?.kind !== 'month' || ((this.seen | found) & MONTH) !== 0) throw new DateTimeFailure('format');
      this.month = word.value as number;
      this.textMonth = true;
      found |= MONTH;
      parts[i] = undefined;
    }
    for (const part of parts) {
      if (part === undefined) continue;
      const one = this.decodeNumber(part, this.seen | found);
      if (((this.seen | found) & one) !== 0) throw new DateTimeFailure('format');
      found |= one;
    }
    if (((this.seen | found) & ~(DAY_OF_YEAR | ZONE | WEEKDAY | TIME | ERA | MERIDIEM)) !== DATE) {
      throw new DateTimeFailure('format');
    }
    return found;
  }

  /** One number, by what is missing and the order of dates. */
  private decodeNumber(text: string, seen: number): number {
    const match = /^(\d+)(\..*)?$/.exec(text);
    if (match === null) throw new DateTimeFailure('format');
    const digits = match[1] as string;
    const value = integer(digits);
    if (match[2] !== undefined) {
      if (digits.length > 2) return this.numberRun(text, seen | DATE);
      this.micro = fractionMicros(match[2]);
    }
    const length = text.length;
    if (length === 3 && (seen & DATE) === YEAR && value >= 1 && value <= 366) {
      this.dayOfYear = value;
      return DAY_OF_YEAR | MONTH | DAY;
    }
    const found = this.place(seen & DATE, value, length);
    if (found === 0) return this.numberRun(text, seen);
    if (found === YEAR) this.twoDigits = length <= 2;
    return found;
  }

  private place(seen: number, value: number, length: number): number {
    const order = this.context.dateOrder;
    switch (seen) {
      case 0:
        if (length >= 3 || order === 'YMD') return this.setYear(value);
        return order === 'DMY' ? this.setDay(value) : this.setMonth(value);
      case YEAR:
      case DAY:
        return this.setMonth(value);
      case MONTH:
        if (this.textMonth && (length >= 3 || order === 'YMD')) return this.setYear(value);
        return this.setDay(value);
      case YEAR | MONTH:
        if (this.textMonth && length >= 3 && this.twoDigits) {
          // The first number was the day after all.
          this.day = this.year;
          this.year = value;
          this.twoDigits = false;
          return DAY;
        }
        return this.setDay(value);
      case MONTH | DAY:
        return this.setYear(value);
      case DATE:
        return 0;
      default:
        throw new DateTimeFailure('format');
    }
  }

  private setYear(value: number): number {
    this.year = value;
    return YEAR;
  }

  private setMonth(value: number): number {
    this.month = value;
    return MONTH;
  }

  private setDay(value: number): number {
    this.day = value;
    return DAY;
  }

  private wordField(text: string, index: number): number {
    const abbreviation = zoneAbbreviation(text);
    if (abbreviation !== undefined) {
      if (abbreviation.offsetSeconds === undefined) this.zone = findTimeZone(abbreviation.zone as string);
      else this.offset = abbreviation.offsetSeconds;
      return ZONE;
    }
    const word = dateWord(text);
    if (word === undefined) {
      const zone = findTimeZone(text);
      if (zone === undefined) throw new DateTimeFailure('format');
      this.zone = zone;
      return ZONE;
    }
    switch (word.kind) {
      case 'ignored':
        return -1;
      case 'reserved':
        return this.reserved(word.value as string);
      case 'month':
        if (
          (this.seen & MONTH) !== 0 &&
          !this.textMonth &&
          (this.seen & DAY) === 0 &&
          this.month >= 1 &&
          this.month <= 31
        ) {
          this.day = this.month;
          this.textMonth = true;
          this.month = word.value as number;
          return DAY;
        }
        this.textMonth = true;
        this.month = word.value as number;
        return MONTH;
      case 'daylight':
        this.offset += word.value as number;
        return DAYLIGHT;
      case 'meridiem':
        this.meridiem = word.value as string;
        return MERIDIEM;
      case 'era':
        this.bc = word.value === 'bc';
        return ERA;
      case 'weekday':
        return WEEKDAY;
      case 'unit':
        if (this.label !== undefined) throw new DateTimeFailure('format');
        this.label = word.value as string;
        return 0;
      case 'iso time': {
        const next = this.fields[index + 1]?.kind;
        if (!this.timeOnly && (this.seen & DATE) !== DATE) throw new DateTimeFailure('format');
        if (next !== 'number' && next !== 'time' && next !== 'date') throw new DateTimeFailure('format');
        if (this.label !== undefined) throw new DateTimeFailure('format');
        this.label = 'time';
        return 0;
      }
    }
  }

  private reserved(word: string): number {
    if (this.timeOnly && word !== 'now' && word !== 'zulu') throw new DateTimeFailure('format');
    if (word === 'infinity' || word === '-infinity' || word === 'epoch') {
      this.meaning = word;
      return DATE | TIME | ZONE;
    }
    if (word === 'zulu') {
      this.hour = this.minute = this.second = this.micro = 0;
      this.offset = 0;
      return TIME | ZONE;
    }
    const zone = sessionZone(this.context.timeZone);
    const utc = splitTimestamp(this.context.transactionMicros);
    const offset = zone.offsetAt(utc.days * 86400 + Math.floor(utc.micros / 1_000_000));
    let micros = utc.micros + offset * 1_000_000;
    let { days } = utc;
    if (micros < 0) {
      micros += MICROS_PER_DAY;
      days--;
    } else if (micros >= MICROS_PER_DAY) {
      micros -= MICROS_PER_DAY;
      days++;
    }
    if (word === 'tomorrow') days++;
    if (word === 'yesterday') days--;
    const date = dateFromDays(days);
    this.year = date.year;
    this.month = date.month;
    this.day = date.day;
    this.julian = true;
    if (word !== 'now') return DATE;
    this.setDayMicros(micros);
    this.offset = offset;
    return this.timeOnly ? TIME | ZONE : DATE | TIME | ZONE;
  }

  private finish(): void {
    this.checkDate();
    if (this.meridiem !== undefined && this.hour > 12) throw new DateTimeFailure('overflow');
    if (this.meridiem === 'am' && this.hour === 12) this.hour = 0;
    else if (this.meridiem === 'pm' && this.hour !== 12) this.hour += 12;
    this.checkTime();
    const hasDate = (this.seen & DATE) === DATE;
    if (this.timeOnly) {
      if ((this.seen & TIME) !== TIME || (!hasDate && (this.seen & DATE) !== 0)) throw new DateTimeFailure('format');
    } else if (!hasDate) {
      throw new DateTimeFailure('format');
    }
    if ((this.seen & DAYLIGHT) !== 0 && (this.zone !== undefined || (this.seen & ZONE) === 0)) {
      throw new DateTimeFailure('format');
    }
    this.resolveZone(hasDate);
  }

  private resolveZone(hasDate: boolean): void {
    const seconds = (this.hour * 60 + this.minute) * 60 + this.second;
    if (this.zone !== undefined) {
      if (this.timeOnly && !hasDate) {
        if (this.zone.offsetAt(0) !== this.zone.offsetAt(15778476)) throw new DateTimeFailure('format');
        this.offset = this.zone.offsetAt(0);
      } else {
        this.offset = this.zone.offsetOfLocal(daysFromDate(this.year, this.month, this.day) * 86400 + seconds);
      }
    } else if ((this.seen & ZONE) === 0) {
      const zone = sessionZone(this.context.timeZone);
      let { year, month, day } = this;
      if (!hasDate) {
        const now = splitTimestamp(this.context.transactionMicros);
        ({ year, month, day } = dateFromDays(now.days));
      }
      this.offset = zone.offsetOfLocal((julianDay(year, month, day) - 2451545) * 86400 + seconds);
    }
  }

  private checkDate(): void {
    if ((this.seen & YEAR) !== 0 && !this.julian) {
      if (this.bc) {
        if (this.year <= 0) throw new DateTimeFailure('overflow');
        this.year = -(this.year - 1);
      } else if (this.twoDigits) {
        if (this.year < 70) this.year += 2000;
        else if (this.year < 100) this.year += 1900;
      } else if (this.year <= 0) {
        throw new DateTimeFailure('overflow');
      }
    }
    if ((this.seen & DAY_OF_YEAR) !== 0) {
      const date = dateFromJulian(julianDay(this.year, 1, 1) + this.dayOfYear - 1);
      this.year = date.year;
      this.month = date.month;
      this.day = date.day;
    }
    if ((this.seen & MONTH) !== 0 && (this.month < 1 || this.month > 12)) throw new DateTimeFailure('order');
    if ((this.seen & DAY) !== 0 && (this.day < 1 || this.day > 31)) throw new DateTimeFailure('order');
    if ((this.seen & DATE) === DATE && this.day > daysInMonth(this.year, this.month)) {
      throw new DateTimeFailure('overflow');
    }
  }
}
