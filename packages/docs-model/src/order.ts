/**
 * The order of values across types, as MongoDB has it: what comparisons, sorts, indexes, $min and $max agree on.
 *
 *   null (and missing) < numbers < text < objects < arrays < binary < uuid < object id < booleans < dates < regular expressions
 *
 * Numbers compare by value whatever their type (1 = 1n = Decimal 1.0), NaN below all others; the value of a double that is no
 * integer is what its shortest text says, so 0.1 equals the decimal 0.1. Text compares by code points, binary by length and then
 * bytes, objects field by field (type, name, value), arrays element by element; what ends first is less.
 */
import { compareBytes } from '@phantom/base';
import { Decimal, ObjectId, Uuid, compareText } from '@phantom/codec';

/** Ranks of types in the order; also the first byte of an index key. */
export const Rank = {
  Null: 1,
  Number: 2,
  Text: 3,
  Object: 4,
  Array: 5,
  Binary: 6,
  Uuid: 7,
  ObjectId: 8,
  Boolean: 9,
  Date: 10,
  Regex: 11,
} as const;
export type Rank = (typeof Rank)[keyof typeof Rank];

/** A decoded object. */
export type PlainObject = Record<string, unknown>;

/** Where a value's type stands; undefined (missing) stands with null. */
export function rankOf(value: unknown): Rank {
  switch (typeof value) {
    case 'number':
    case 'bigint':
      return Rank.Number;
    case 'string':
      return Rank.Text;
    case 'boolean':
      return Rank.Boolean;
    case 'object':
      if (value === null) return Rank.Null;
      if (Array.isArray(value)) return Rank.Array;
      return rankOfInstance(value);
    default:
      return Rank.Null;
  }
}

function rankOfInstance(value: object): Rank {
  if (value instanceof Date) return Rank.Date;
  if (value instanceof ObjectId) return Rank.ObjectId;
  if (value instanceof Decimal) return Rank.Number;
  if (value instanceof Uuid) return Rank.Uuid;
  if (value instanceof Uint8Array) return Rank.Binary;
  return value instanceof RegExp ? Rank.Regex : Rank.Object;
}

/** True for what has fields: neither an array nor one of the value classes. */
export function isObject(value: unknown): value is PlainObject {
  return typeof value === 'object' && value !== null && rankOf(value) === Rank.Object;
}

/** Below zero, zero or above. Total over everything a document holds. */
export function compareValues(a: unknown, b: unknown): number {
  const rank = rankOf(a);
  const other = rankOf(b);
  return rank === other ? compareAlike(a, b, rank) : rank - other;
}

/** True when the order sees no difference. */
export function equalValues(a: unknown, b: unknown): boolean {
  return compareValues(a, b) === 0;
}

/** Compares two values of one rank. */
function compareAlike(a: unknown, b: unknown, rank: Rank): number {
  switch (rank) {
    case Rank.Number:
      return compareNumbers(a as NumberValue, b as NumberValue);
    case Rank.Text:
      return a === b ? 0 : compareText(a as string, b as string);
    case Rank.Object:
      return compareObjects(a as PlainObject, b as PlainObject);
    case Rank.Array:
      return compareArrays(a as readonly unknown[], b as readonly unknown[]);
    case Rank.Binary: {
      const left = a as Uint8Array;
      const right = b as Uint8Array;
      return left.length - right.length || compareBytes(left, 0, left.length, right, 0, right.length);
    }
    case Rank.Uuid: {
      const left = (a as Uuid).text;
      const right = (b as Uuid).text;
      return left < right ? -1 : Number(left > right);
    }
    case Rank.ObjectId:
      return compareBytes((a as ObjectId).bytes, 0, 12, (b as ObjectId).bytes, 0, 12);
    case Rank.Boolean:
      return Number(a) - Number(b);
    case Rank.Date:
      return (a as Date).getTime() - (b as Date).getTime();
    case Rank.Regex:
      return compareText(String(a), String(b));
    default:
      return 0;
  }
}

/** A number of any of the three kinds. */
export type NumberValue = number | bigint | Decimal;

/** True for numbers of every kind. */
export function isNumber(value: unknown): value is NumberValue {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof Decimal;
}

function compareNumbers(a: NumberValue, b: NumberValue): number {
  const aIsNaN = isNaNValue(a);
  const bIsNaN = isNaNValue(b);
  if (aIsNaN || bIsNaN) return Number(bIsNaN) - Number(aIsNaN);
  if (a instanceof Decimal || b instanceof Decimal) return decimalOf(a).compare(decimalOf(b));
  if (a < b) return -1;
  return a > b ? 1 : 0;
}

function isNaNValue(value: NumberValue): boolean {
  return typeof value === 'number' ? Number.isNaN(value) : value instanceof Decimal && value.isNaN();
}

/** A number's exact value: integers as they are, other doubles by their shortest text. */
export function decimalOf(value: NumberValue): Decimal {
  if (value instanceof Decimal) return value;
  if (typeof value === 'bigint') return Decimal.of(value);
  return Number.isInteger(value) && !Number.isSafeInteger(value)
    ? Decimal.of(BigInt(value))
    : Decimal.fromNumber(value);
}

function compareArrays(a: readonly unknown[], b: readonly unknown[]): number {
  const common = Math.min(a.length, b.length);
  for (let i = 0; i < common; i++) {
    const order = compareValues(a[i], b[i]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareObjects(a: PlainObject, b: PlainObject): number {
  const aKeys = Object.keys(a);
  const bKeys = Object.keys(b);
  const common = Math.min(aKeys.length, bKeys.length);
  for (let i = 0; i < common; i++) {
    const aKey = aKeys[i] as string;
    const bKey = bKeys[i] as string;
    const order =
      rankOf(a[aKey]) - rankOf(b[bKey]) ||
      (aKey === bKey ? 0 : compareText(aKey, bKey)) ||
      compareValues(a[aKey], b[bKey]);
    if (order !== 0) return order;
  }
  return aKeys.length - bKeys.length;
}

const TYPE_NAMES: Readonly<Record<Rank, string>> = {
  [Rank.Null]: 'null',
  [Rank.Number]: 'number',
  [Rank.Text]: 'string',
  [Rank.Object]: 'object',
  [Rank.Array]: 'array',
  [Rank.Binary]: 'binData',
  [Rank.Uuid]: 'binData',
  [Rank.ObjectId]: 'objectId',
  [Rank.Boolean]: 'bool',
  [Rank.Date]: 'date',
  [Rank.Regex]: 'regex',
};

/** MongoDB's name of a value's type; a number that is a 32-bit integer is an `int`, other doubles are `double`. */
export function typeName(value: unknown): string {
  if (value === undefined) return 'missing';
  const rank = rankOf(value);
  if (rank !== Rank.Number) return TYPE_NAMES[rank];
  if (typeof value === 'bigint') return 'long';
  if (value instanceof Decimal) return 'decimal';
  return Number.isInteger(value) && value === ((value as number) | 0) && !Object.is(value, -0) ? 'int' : 'double';
}
