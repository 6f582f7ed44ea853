/**
 * SQL's conditions on documents in the terms of a collection's indexes, which keep values by the document model's order. What they say is
 * never less than the condition, and may be more: SQL's condition is asked of each row that is found.
 *
 *   text, integer, boolean    the same values stand in the index
 *   timestamp                 dates in milliseconds, around it
 *   double                    numbers of any type whose nearest double it is: those between its neighbours
 *   json                      the value; of an array its first element, since an array has an entry for each; of an object all
 *   text of                   what `->>` shows as that text: the text itself, and each value of another type that looks so
 */
import type { PathCondition } from '@phantom/catalog';
import { Decimal, type DocumentValue, type Jsonb, ObjectId, Uuid } from '@phantom/codec';
import { parseJson } from '../types/json-text.js';
import type { Value } from '../types/type.js';
import { instantMs } from './document-fields.js';

/** What of a document SQL compares. */
export type OperandForm = 'text' | 'integer' | 'double' | 'boolean' | 'timestamp' | 'json' | 'text of';

export type ConditionRole = '=' | '<' | '<=' | '>' | '>=' | 'any' | 'not null';

const OPERATORS = { '<': '$lt', '<=': '$lte', '>': '$gt', '>=': '$gte' } as const;
/** First and last moment that a Date has. */
const DATE_MS_MAX = 8.64e15;

/** The conditions for a value that is not null; for role `any` its values. */
export function pathConditions(
  path: string,
  form: OperandForm,
  role: ConditionRole,
  value: Value,
): readonly PathCondition[] {
  if (role === 'not null') return [whole(path, form)];
  if (role === '=' || role === 'any') {
    const values = role === '=' ? [value] : (value as readonly Value[]).filter((one) => one !== null);
    if (form === 'double') return doubles(path, values as readonly number[]);
    const points: DocumentValue[] = [];
    for (const one of values) {
      const same = pointsOf(form, one);
      if (same === undefined) return [{ path, operator: '$exists', value: true }];
      points.push(...same);
    }
    return [
      points.length === 1 ? { path, operator: '$eq', value: points[0] } : { path, operator: '$in', value: points },
    ];
  }
  if (form === 'timestamp') {
    return [{ path, operator: role.startsWith('<') ? '$lte' : '$gte', value: dateOf(value as number | bigint) }];
  }
  if (form !== 'double') return [{ path, operator: OPERATORS[role], value }];
  const bound = value as number;
  if (Number.isNaN(bound)) return [{ path, operator: '$exists', value: true }];
  return role.startsWith('<')
    ? [{ path, operator: '$lte', value: neighbour(bound, 1) }]
    : [{ path, operator: '$gte', value: neighbour(bound, -1) }];
}

/** All values of a type, in the order of the index. */
function whole(path: string, form: OperandForm): PathCondition {
  switch (form) {
    case 'text':
      return { path, operator: '$gte', value: '' };
    case 'integer':
      return { path, operator: '$gte', value: Number.NEGATIVE_INFINITY };
    case 'timestamp':
      return { path, operator: '$gte', value: new Date(-DATE_MS_MAX) };
    default:
      return { path, operator: '$exists', value: true };
  }
}

function doubles(path: string, values: readonly number[]): readonly PathCondition[] {
  const [only] = values;
  if (values.length !== 1 || only === undefined) return [{ path, operator: '$exists', value: true }];
  if (Number.isNaN(only)) return [{ path, operator: '$eq', value: only }];
  return [
    { path, operator: '$gte', value: neighbour(only, -1) },
    { path, operator: '$lte', value: neighbour(only, 1) },
  ];
}

/** The values of documents that are equal to one of SQL; undefined: only a look at all tells. */
function pointsOf(form: OperandForm, value: Value): readonly DocumentValue[] | undefined {
  switch (form) {
    case 'timestamp':
      return [dateOf(value as number | bigint)];
    case 'json':
      return elementOf((value as Jsonb).value(), (element) => [element]);
    case 'text of':
      return valuesShownAs(value as string);
    default:
      return [value as DocumentValue];
  }
}

/** What an index has of a value; `same` gives the values that count as equal to one that is no container. */
function elementOf(
  value: DocumentValue,
  same: (scalar: DocumentValue) => readonly DocumentValue[] | undefined,
): readonly DocumentValue[] | undefined {
  const element = Array.isArray(value) ? (value[0] ?? null) : value;
  return Array.isArray(element) || element instanceof Map ? undefined : same(element);
}

const NUMBER_TEXT = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;
const NUMBERS_BEYOND_JSON: ReadonlySet<string> = new Set(['NaN', 'Infinity', '-Infinity']);
const UUID_TEXT = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Values that `->>` gives as this text. */
function valuesShownAs(text: string): readonly DocumentValue[] | undefined {
  if (text.startsWith('{')) return undefined;
  const values: DocumentValue[] = [text];
  if (text === 'true' || text === 'false') values.push(text === 'true');
  if (NUMBER_TEXT.test(text)) values.push(Decimal.fromString(text));
  if (NUMBERS_BEYOND_JSON.has(text)) values.push(Number(text));
  if (/^[0-9a-f]{24}$/.test(text)) values.push(ObjectId.fromHex(text));
  if (UUID_TEXT.test(text)) values.push(new Uuid(text));
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') === text) values.push(bytes);
  const date = new Date(text);
  if (!Number.isNaN(date.getTime()) && date.toISOString() === text) values.push(date);
  if (!text.startsWith('[')) return values;
  const element = elementOf(parsed(text), (scalar) => (typeof scalar === 'string' ? valuesShownAs(scalar) : [scalar]));
  return element === undefined ? undefined : [...values, ...element];
}

/** JSON's value of a text; the text itself where it is none. */
function parsed(text: string): DocumentValue {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

function dateOf(timestamp: number | bigint): Date {
  const unixMs = typeof timestamp === 'number' && !Number.isFinite(timestamp) ? timestamp : instantMs(timestamp);
  return new Date(Math.max(-DATE_MS_MAX, Math.min(DATE_MS_MAX, unixMs)));
}

const double = new Float64Array(1);
const bits = new BigInt64Array(double.buffer);

/** The next double above (1) or below (-1); infinities stay. */
function neighbour(value: number, direction: 1 | -1): number {
  if (!Number.isFinite(value)) return value;
  if (value === 0) return direction * Number.MIN_VALUE;
  double[0] = value;
  bits[0] = (bits[0] as bigint) + (value > 0 === direction > 0 ? 1n : -1n);
  return double[0];
}
