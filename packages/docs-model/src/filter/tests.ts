/**
 * What operators test, value by value. A test is told a place's value (undefined: missing); whether it is also told an array's
 * elements is the caller's to decide (filter.ts): comparisons are, $size and $elemMatch are not.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import { Uuid, Decimal } from '@phantom/codec';
import { badArgument } from '../errors.js';
import { BoundedPattern } from '../patterns/bounded-pattern.js';
import { Rank, compareValues, equalValues, isNumber, rankOf, typeName } from '../order.js';

export type ValueTest = (value: unknown) => boolean;

/** Equal in the order; null also where nothing is. */
export function equalTo(operand: unknown): ValueTest {
  if (operand instanceof RegExp) return regexTest(operand);
  if (operand === null) return (value) => value === null || value === undefined;
  if (typeof operand === 'string' || typeof operand === 'boolean') return (value) => value === operand;
  return (value) => value !== undefined && equalValues(value, operand);
}

/** Comparisons hold only between values of one type; null's like equality. */
export function comparison(operator: '$gt' | '$gte' | '$lt' | '$lte', operand: unknown): ValueTest {
  if (operand instanceof RegExp) throw badArgument(`${operator} cannot take a regular expression`);
  const rank = rankOf(operand);
  const inclusive = operator === '$gte' || operator === '$lte';
  if (rank === Rank.Null) return (value) => inclusive && (value === null || value === undefined);
  // NaN stands below all numbers in sorts, but compares to itself alone.
  if (isNaNNumber(operand)) return (value) => inclusive && isNaNNumber(value);
  const greater = operator === '$gt' || operator === '$gte';
  return (value) => {
    if (value === undefined || rankOf(value) !== rank || isNaNNumber(value)) return false;
    const order = compareValues(value, operand);
    return order === 0 ? inclusive : order > 0 === greater;
  };
}

function isNaNNumber(value: unknown): boolean {
  return (typeof value === 'number' && Number.isNaN(value)) || (value instanceof Decimal && value.isNaN());
}

/** One of the values; regular expressions among them match text. */
export function oneOf(operands: readonly unknown[]): ValueTest {
  const simple = new Set<unknown>();
  const tests: ValueTest[] = [];
  for (const operand of operands) {
    if (typeof operand === 'string' || typeof operand === 'boolean') simple.add(operand);
    else tests.push(equalTo(operand));
  }
  return (value) => {
    if (simple.has(value)) return true;
    for (const test of tests) if (test(value)) return true;
    return false;
  };
}

/** Text that the expression matches, or the same regular expression. */
export function regexTest(expression: RegExp): ValueTest {
  const pattern = new BoundedPattern(expression);
  return (value) => typeof value === 'string' && pattern.test(value);
}

/** $regex with $options. */
export function regexOf(pattern: unknown, options: unknown): RegExp {
  if (options !== undefined && typeof options !== 'string') throw badArgument('$options needs a string');
  if (pattern instanceof RegExp) {
    return options === undefined ? pattern : new RegExp(pattern.source, checkedFlags(options));
  }
  if (typeof pattern !== 'string') throw badArgument('$regex needs a string or a regular expression');
  const flags = checkedFlags(options ?? '');
  try {
    return new RegExp(pattern, flags);
  } catch (cause) {
    throw new PhantomError('2201B', `invalid regular expression: ${pattern}`, { cause });
  }
}

function checkedFlags(options: string): string {
  if (options.includes('x')) throw unsupportedError('$options x');
  if (!/^[imsu]*$/.test(options)) throw badArgument(`$options knows i, m and s, not "${options}"`);
  return [...new Set(options)].join('');
}

const TYPE_NUMBERS: ReadonlyMap<number, string> = new Map([
  [1, 'double'],
  [2, 'string'],
  [3, 'object'],
  [4, 'array'],
  [5, 'binData'],
  [7, 'objectId'],
  [8, 'bool'],
  [9, 'date'],
  [10, 'null'],
  [11, 'regex'],
  [16, 'int'],
  [18, 'long'],
  [19, 'decimal'],
]);
const TYPE_NAMES: ReadonlySet<string> = new Set([...TYPE_NUMBERS.values(), 'number', 'uuid']);

/** $type: one name or number, or several. */
export function typeTest(operand: unknown): ValueTest {
  const names = (Array.isArray(operand) ? operand : [operand]).map((one) => {
    const name = typeof one === 'number' ? TYPE_NUMBERS.get(one) : one;
    if (typeof name !== 'string' || !TYPE_NAMES.has(name)) throw badArgument(`unknown type: ${String(one)}`);
    return name;
  });
  return (value) => {
    if (value === undefined) return false;
    return (
      names.includes(typeName(value)) ||
      (names.includes('number') && isNumber(value)) ||
      (names.includes('uuid') && value instanceof Uuid)
    );
  };
}

/** $mod: [divisor, remainder], both cut to integers. */
export function modTest(operand: unknown): ValueTest {
  if (!Array.isArray(operand) || operand.length !== 2) throw badArgument('$mod needs [divisor, remainder]');
  const [divisor, remainder] = operand.map((one) => {
    const number = isNumber(one) ? integerOf(one) : undefined;
    if (number === undefined) throw badArgument('$mod needs numbers');
    return number;
  }) as [bigint, bigint];
  if (divisor === 0n) throw badArgument('$mod cannot divide by 0');
  return (value) => {
    const number = isNumber(value) ? integerOf(value) : undefined;
    return number !== undefined && number % divisor === remainder;
  };
}

function integerOf(value: number | bigint | Decimal): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? BigInt(Math.trunc(value)) : undefined;
  return value.isFinite() ? BigInt(value.toInteger()) : undefined;
}
