/**
 * Date, time and interval text cut into fields, and the words such text may hold: the first half of reading it, after
 * ParseDateTime and the token tables of PostgreSQL's datetime.c. What a field means is decided by the decoders.
 */
import { PhantomError } from '@phantom/base';

export type FieldKind = 'number' | 'string' | 'date' | 'time' | 'zone' | 'special';

export interface Field {
  readonly kind: FieldKind;
  readonly text: string;
}

/** Ways in which text is no date; the caller names type and text (`dateTimeError`). */
export type DateTimeFault = 'format' | 'overflow' | 'order' | 'interval overflow' | 'zone overflow';

/** Thrown by decoders; never reaches a user. */
export class DateTimeFailure extends Error {
  readonly fault: DateTimeFault;

  constructor(fault: DateTimeFault) {
    super(fault);
    this.fault = fault;
  }
}

/** The fault as PostgreSQL's error for the text and type. */
export function dateTimeError(fault: DateTimeFault, text: string, typeName: string): PhantomError {
  switch (fault) {
    case 'overflow':
      return new PhantomError('22008', `date/time field value out of range: "${text}"`);
    case 'order':
      return new PhantomError('22008', `date/time field value out of range: "${text}"`, {
        hint: 'Perhaps you need a different "datestyle" setting.',
      });
    case 'interval overflow':
      return new PhantomError('22015', `interval field value out of range: "${text}"`);
    case 'zone overflow':
      return new PhantomError('22009', `time zone displacement out of range: "${text}"`);
    default:
      return new PhantomError('22007', `invalid input syntax for type ${typeName}: "${text}"`);
  }
}

/** Most fields a text may have. */
const FIELDS_MAX = 25;
/** Longest text that is looked at. */
const TEXT_MAX = 1024;

const isSpace = (code: number): boolean => code === 32 || (code >= 9 && code <= 13);
const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isLetter = (code: number): boolean => (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
const isPunctuation = (code: number): boolean => code > 32 && code < 127 && !isDigit(code) && !isLetter(code);

const COLON = 58;
const MINUS = 45;
const PLUS = 43;
const DOT = 46;
const SLASH = 47;

/** Cuts text into fields. */
export function splitFields(text: string): Field[] {
  if (text.length > TEXT_MAX) throw new DateTimeFailure('format');
  const fields: Field[] = [];
  let at = 0;
  const code = (): number => (at < text.length ? text.charCodeAt(at) : 0);
  const skip = (accept: (code: number) => boolean): void => {
    while (at < text.length && accept(text.charCodeAt(at))) at++;
  };
  while (at < text.length) {
    if (isSpace(code())) {
      at++;
      continue;
    }
    if (fields.length >= FIELDS_MAX) throw new DateTimeFailure('format');
    const start = at;
    let kind: FieldKind;
    if (isDigit(code())) {
      skip(isDigit);
      kind = numberField();
    } else if (code() === DOT) {
      at++;
      skip(isDigit);
      kind = 'number';
    } else if (isLetter(code())) {
      skip(isLetter);
      kind = 'string';
      const next = code();
      let date = next === MINUS || next === SLASH || next === DOT;
      if (next === PLUS || isDigit(next)) date = !DATE_WORDS.has(shorten(text.slice(start, at).toLowerCase()));
      if (date) {
        kind = 'date';
        skip(
          (c) =>
            c === PLUS ||
            c === MINUS ||
            c === SLASH ||
            c === 95 ||
            c === DOT ||
            c === COLON ||
            isDigit(c) ||
            isLetter(c),
        );
      }
    } else if (code() === PLUS || code() === MINUS) {
      const sign = text[at] as string;
      at++;
      skip(isSpace);
      const from = at;
      if (isDigit(code())) {
        skip((c) => isDigit(c) || c === COLON || c === DOT || c === MINUS);
        fields.push({ kind: 'zone', text: sign + text.slice(from, at) });
        continue;
      }
      if (!isLetter(code())) throw new DateTimeFailure('format');
      skip(isLetter);
      fields.push({ kind: 'special', text: sign + text.slice(from, at).toLowerCase() });
      continue;
    } else if (isPunctuation(code())) {
      at++;
      continue;
    } else {
      throw new DateTimeFailure('format');
    }
    fields.push({ kind, text: text.slice(start, at).toLowerCase() });
  }
  return fields;

  /** After leading digits: a time, a date, or just a number. */
  function numberField(): FieldKind {
    const next = code();
    if (next === COLON) {
      skip((c) => isDigit(c) || c === COLON || c === DOT);
      return 'time';
    }
    if (next !== MINUS && next !== SLASH && next !== DOT) return 'number';
    at++;
    if (isDigit(code())) {
      skip(isDigit);
      if (code() !== next) return next === DOT ? 'number' : 'date';
      skip((c) => isDigit(c) || c === next);
      return 'date';
    }
    skip((c) => isDigit(c) || isLetter(c) || c === next);
    return 'date';
  }
}

/** Words are told apart by their first ten characters. */
const WORD_CHARS_MAX = 10;

function shorten(word: string): string {
  return word.length > WORD_CHARS_MAX ? word.slice(0, WORD_CHARS_MAX) : word;
}

/** What a word in date-time text is. */
export type WordKind =
  | 'reserved'
  | 'month'
  | 'weekday'
  | 'era'
  | 'meridiem'
  | 'daylight'
  | 'unit'
  | 'iso time'
  | 'ignored';

export interface DateWord {
  readonly kind: WordKind;
  /** Month or weekday number, hours of daylight saving, or a name. */
  readonly value: string | number;
}

const DATE_WORDS: ReadonlyMap<string, DateWord> = (() => {
  const words = new Map<string, DateWord>();
  const put = (kind: WordKind, entries: Readonly<Record<string, string | number>>): void => {
    for (const [word, value] of Object.entries(entries)) words.set(word, { kind, value });
  };
  put('reserved', {
    '+infinity': 'infinity',
    '-infinity': '-infinity',
    infinity: 'infinity',
    allballs: 'zulu',
    epoch: 'epoch',
    now: 'now',
    today: 'today',
    tomorrow: 'tomorrow',
    yesterday: 'yesterday',
  });
  const months = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october'];
  [...months, 'november', 'december'].forEach((name, i) => {
    put('month', { [name]: i + 1, [name.slice(0, 3)]: i + 1 });
  });
  put('month', { sept: 9 });
  ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'].forEach((name, i) => {
    put('weekday', { [name]: i, [name.slice(0, 3)]: i });
  });
  put('weekday', { tues: 2, weds: 3, thur: 4, thurs: 4 });
  put('era', { ad: 'ad', bc: 'bc' });
  put('meridiem', { am: 'am', pm: 'pm' });
  put('daylight', { dst: 3600 });
  put('ignored', { at: 0, on: 0 });
  put('iso time', { t: 'time' });
  put('unit', {
    d: 'day',
    dow: 'dow',
    doy: 'doy',
    h: 'hour',
    isodow: 'isodow',
    isoyear: 'isoyear',
    j: 'julian',
    jd: 'julian',
    julian: 'julian',
    m: 'month',
    mm: 'minute',
    s: 'second',
    y: 'year',
  });
  return words;
})();

/** A word of dates, lower case; undefined when it is none. */
export function dateWord(word: string): DateWord | undefined {
  return DATE_WORDS.get(shorten(word));
}

/** Units of intervals, of extract and of date_trunc. */
export type TimeUnit =
  | 'microsecond'
  | 'millisecond'
  | 'second'
  | 'minute'
  | 'hour'
  | 'day'
  | 'week'
  | 'month'
  | 'quarter'
  | 'year'
  | 'decade'
  | 'century'
  | 'millennium'
  | 'timezone'
  | 'timezone_hour'
  | 'timezone_minute';

const UNIT_WORDS: ReadonlyMap<string, TimeUnit> = new Map(
  (
    [
      ['microsecond', 'us usec useconds usecs microsecon'],
      ['millisecond', 'ms msec mseconds msecs millisecon'],
      ['second', 's sec second seconds secs'],
      ['minute', 'm min mins minute minutes'],
      ['hour', 'h hour hours hr hrs'],
      ['day', 'd day days'],
      ['week', 'w week weeks'],
      ['month', 'mon mons month months'],
      ['quarter', 'qtr quarter'],
      ['year', 'y year years yr yrs'],
      ['decade', 'dec decade decades decs'],
      ['century', 'c cent centuries century'],
      ['millennium', 'mil millennia millennium mils'],
      ['timezone', 'timezone'],
      ['timezone_hour', 'timezone_h'],
      ['timezone_minute', 'timezone_m'],
    ] as const
  ).flatMap(([unit, words]) => words.split(' ').map((word) => [word, unit])),
);

/** A unit by any of its names, lower case; undefined when it is none. */
export function timeUnit(word: string): TimeUnit | undefined {
  return UNIT_WORDS.get(shorten(word));
}
