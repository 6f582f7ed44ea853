/** What the conditions on one path say of an index part: a list of points, or one stretch of values of a type. */
import { type KeyRange, prefixEnd } from '@phantom/kv';
import { compareKeys } from '@phantom/base';
import type { Condition } from './filter/filter.js';
import { rankByte } from './index-keys.js';
import { Rank, compareValues, isObject, rankOf } from './order.js';
import { Decimal } from '@phantom/codec';

export interface Bound {
  readonly value: unknown;
  readonly inclusive: boolean;
}

export interface PartBounds {
  readonly points: readonly unknown[] | undefined;
  readonly lower: Bound | undefined;
  readonly upper: Bound | undefined;
  /** Texts that begin so. */
  readonly prefixText: string | undefined;
  /** First and last type byte of the values. */
  readonly firstByte: number;
  readonly lastByte: number;
  /** Missing may satisfy the conditions. */
  readonly includesNull: boolean;
  /** A point is an object or an array. */
  readonly holdsObjects: boolean;
  readonly conditions: readonly Condition[];
}

const NOTHING = {
  points: undefined,
  lower: undefined,
  upper: undefined,
  prefixText: undefined,
  firstByte: 0,
  lastByte: 0,
  includesNull: false,
  holdsObjects: false,
} as const;

/** The bounds that the conditions give a path; undefined when an index does not help with them. */
export function boundsOf(conditions: readonly Condition[], path: string, multikey: boolean): PartBounds | undefined {
  const own = conditions.filter((condition) => condition.path === path);
  for (const condition of own) {
    const points = pointsOf(condition);
    if (points !== undefined) {
      return {
        ...NOTHING,
        points,
        includesNull: points.some((point) => point === null),
        holdsObjects: points.some(isObject),
        conditions: [condition],
      };
    }
  }
  const prefix = own.find(({ operator }) => operator === '$prefix');
  if (prefix !== undefined) {
    const byte = rankByte(Rank.Text);
    return { ...NOTHING, prefixText: prefix.value as string, firstByte: byte, lastByte: byte, conditions: [prefix] };
  }
  const first = own.find(isRange);
  if (first !== undefined) return stretchOf(first, multikey ? [] : own);
  const exists = own.find(({ operator, value }) => operator === '$exists' && value === true);
  if (exists === undefined) return undefined;
  // A stored null exists, too: it cannot be told from missing, so the whole index is looked at.
  return { ...NOTHING, firstByte: rankByte(Rank.Null), lastByte: 0xfe, conditions: [exists] };
}

/** Values that a condition names; arrays among them are found by no entry. */
function pointsOf({ operator, value }: Condition): readonly unknown[] | undefined {
  const points = operator === '$eq' ? [value] : operator === '$in' ? (value as readonly unknown[]) : undefined;
  return points === undefined || points.some((point) => Array.isArray(point) || point instanceof RegExp)
    ? undefined
    : points;
}

function isRange({ operator, value }: Condition): boolean {
  if (operator !== '$gt' && operator !== '$gte' && operator !== '$lt' && operator !== '$lte') return false;
  const rank = rankOf(value);
  if (rank === Rank.Null || rank === Rank.Array || rank === Rank.Regex || rank === Rank.Object) return false;
  return !Number.isNaN(value) && !(value instanceof Decimal && value.isNaN());
}

function stretchOf(first: Condition, own: readonly Condition[]): PartBounds {
  const rank = rankOf(first.value);
  let lower: Bound | undefined;
  let upper: Bound | undefined;
  const used: Condition[] = [];
  for (const condition of [first, ...own]) {
    if (used.includes(condition) || !isRange(condition) || rankOf(condition.value) !== rank) continue;
    const bound = { value: condition.value, inclusive: condition.operator.endsWith('e') };
    if (condition.operator.startsWith('$g')) {
      if (lower === undefined || compareValues(bound.value, lower.value) > 0) lower = bound;
    } else if (upper === undefined || compareValues(bound.value, upper.value) < 0) {
      upper = bound;
    }
    used.push(condition);
  }
  // NaN has a byte of its own below the numbers, and is in no range.
  const byte = rank === Rank.Number ? rankByte(rank) + 1 : rankByte(rank);
  return { ...NOTHING, lower, upper, firstByte: byte, lastByte: byte, conditions: used };
}

/** True when each range is all keys with one prefix. */
export function isPoint(ranges: readonly KeyRange[]): boolean {
  return ranges.every(({ lower, upper }) => {
    const end = prefixEnd(lower);
    return upper !== undefined && end !== undefined && compareKeys(upper, end) === 0;
  });
}
