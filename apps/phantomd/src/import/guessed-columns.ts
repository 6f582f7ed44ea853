/**
 * The columns of a table that `--create` makes: names as the records have them, types that every value seen can be read as.
 *
 * Each value allows a set of types, and a column has the first that all of its values allow:
 *
 *   boolean < bigint < numeric < date < timestamp < timestamptz < uuid < jsonb < text
 *
 *   1, 2.50          -> numeric        2026-01-02, 2026-01-02 10:00  -> timestamp
 *   007              -> text: a number would lose the noughts
 *   {"a":1}, [2], 3  -> jsonb          a column without values       -> text
 *   t, f             -> boolean: it is written as t and f again. t alone may be the code of anything -> text
 *
 * A string of JSON is no number and no truth value, whatever it spells. Nothing is declared NOT NULL and there are no keys: the
 * records do not say what they promise.
 */
import { PhantomError } from '@phantom/base';
import { quoteName } from '../sql/table-columns.js';
import { membersOf } from './json-record.js';
import { csvFields } from './records.js';

const TYPES = ['boolean', 'bigint', 'numeric', 'date', 'timestamp', 'timestamptz', 'uuid', 'jsonb', 'text'] as const;
type TypeName = (typeof TYPES)[number];
/** What a column of letters allows, before all types, and the type that it gets. */
const LETTERS: readonly (readonly [seen: string, type: TypeName])[] = [
  ['only t', 'text'],
  ['only f', 'text'],
  ['t and f', 'boolean'],
];
const KINDS: readonly string[] = [...LETTERS.map(([seen]) => seen), ...TYPES];

const TEXT = setOf('text');
const ANY = 2 ** KINDS.length - 1;
const TRUTH = setOf('boolean', 'text');
const LETTER_T = setOf('only t', 't and f', 'text');
const LETTER_F = setOf('only f', 't and f', 'text');
const INTEGER = setOf('bigint', 'numeric', 'text');
const NUMBER = setOf('numeric', 'text');
const DATE = setOf('date', 'timestamp', 'text');
const TIMESTAMP = setOf('timestamp', 'text');
const TIMESTAMP_WITH_ZONE = setOf('timestamptz', 'text');
const UUID = setOf('uuid', 'text');
const JSON_ONLY = setOf('jsonb');

const INTEGER_TEXT = /^-?(?:0|[1-9]\d{0,18})$/;
const NUMBER_TEXT = /^-?(?:0|[1-9]\d{0,999})(?:\.\d{1,999})?(?:[eE][+-]?\d{1,2})?$/;
const TIME_TEXT =
  /^(\d{4}-\d\d-\d\d)(?:[ T](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(Z|[+-](?:0\d|1[0-4])(?::?[0-5]\d)?)?)?$/;
const UUID_TEXT = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const BIGINT_MIN = -(2n ** 63n);
const BIGINT_MAX = 2n ** 63n - 1n;

/** As many as a table can have: records that name more have no columns to speak of. */
const COLUMNS_MAX = 1600;

export interface CsvLayout {
  readonly delimiter: string;
  /** What stands for NULL where it is not in quotes. */
  readonly null: string;
}

export class GuessedColumns {
  /** The types that all values of a column allow so far, by its name. */
  private readonly allowed = new Map<string, number>();

  get names(): string[] {
    return Array.from(this.allowed.keys());
  }

  /** 42701 for a name that is there already. */
  add(name: string): void {
    if (this.allowed.has(name)) throw new PhantomError('42701', `column "${name}" is named twice`);
    if (this.allowed.size === COLUMNS_MAX)
      throw new PhantomError('54011', `the records name more than ${COLUMNS_MAX} columns`);
    this.allowed.set(name, ANY);
  }

  /** A record of CSV whose values are those of the columns in order; what has no column is left to the load to refuse. */
  seeCsv(text: string, layout: CsvLayout): void {
    const fields = csvFields(text, layout.delimiter);
    let i = 0;
    for (const name of this.allowed.keys()) {
      const field = fields[i++];
      if (field === undefined) return;
      if (field.isQuoted || field.value !== layout.null) this.narrow(name, typesOfText(field.value));
    }
  }

  /** An object of JSON; what is none is left to the load to refuse. */
  seeJson(text: string): void {
    let members: Map<string, string>;
    try {
      members = membersOf(text);
    } catch {
      return;
    }
    for (const [name, value] of members) {
      if (!this.allowed.has(name)) this.add(name);
      if (value !== 'null') this.narrow(name, typesOfJson(value));
    }
  }

  /** Names and types in parentheses, as CREATE TABLE has them. */
  definition(): string {
    return `(${Array.from(this.allowed, ([name, types]) => `${quoteName(name)} ${typeOf(types)}`).join(', ')})`;
  }

  private narrow(name: string, types: number): void {
    this.allowed.set(name, (this.allowed.get(name) as number) & types);
  }
}

function typeOf(types: number): TypeName {
  // Of no value at all, or of values that have nothing in common.
  if (types === ANY) return 'text';
  const first = KINDS.findIndex((_, i) => (types & (1 << i)) !== 0);
  return LETTERS[first]?.[1] ?? TYPES[first - LETTERS.length] ?? 'text';
}

function typesOfText(text: string): number {
  if (text === 't') return LETTER_T;
  if (text === 'f') return LETTER_F;
  if (/^(?:true|false)$/i.test(text)) return TRUTH;
  if (isBigint(text)) return INTEGER;
  return NUMBER_TEXT.test(text) ? NUMBER : typesOfString(text);
}

function typesOfString(text: string): number {
  const [, date, zone] = TIME_TEXT.exec(text) ?? [];
  if (date !== undefined && isDate(date)) {
    if (zone !== undefined) return TIMESTAMP_WITH_ZONE;
    return text === date ? DATE : TIMESTAMP;
  }
  return UUID_TEXT.test(text) ? UUID : TEXT;
}

/** Of the text of a value of JSON. What is no string can be kept as JSON too. */
function typesOfJson(text: string): number {
  const first = text.charAt(0);
  if (first === '"') return typesOfString(JSON.parse(text) as string);
  if (first === '{' || first === '[') return JSON_ONLY | TEXT;
  return JSON_ONLY | typesOfText(text);
}

function isBigint(text: string): boolean {
  if (!INTEGER_TEXT.test(text)) return false;
  if (text.length < 19) return true;
  const value = BigInt(text);
  return value >= BIGINT_MIN && value <= BIGINT_MAX;
}

/** Whether the calendar has the day (YYYY-MM-DD): the 31st of April is a text. */
function isDate(text: string): boolean {
  const year = Number(text.slice(0, 4));
  const month = Number(text.slice(5, 7));
  const day = Number(text.slice(8));
  if (year === 0 || month < 1 || month > 12 || day < 1) return false;
  const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (month === 2 && isLeapYear ? 29 : (MONTH_DAYS[month - 1] as number));
}

function setOf(...kinds: string[]): number {
  return kinds.reduce((set, kind) => set | (1 << KINDS.indexOf(kind)), 0);
}
