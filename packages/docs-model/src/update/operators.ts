/** Update operators: what stands at a place and the operand, to what shall stand there. */
import { type Clock, unsupportedError } from '@phantom/base';
import { calculate } from '../aggregate/numbers.js';
import { badArgument } from '../errors.js';
import { compileFilter } from '../filter/filter.js';
import {
  type PlainObject,
  compareValues,
  equalValues,
  isNumber,
  isObject,
  type NumberValue,
  typeName,
} from '../order.js';
import { Sorter, parseSort } from '../sort.js';
import { type Change, REMOVED } from './places.js';

/** What tells the time of an update. Most do not ask. */
export type UpdateClock = Pick<Clock, 'nowMs'>;

/** Compiles an operand once; the change is then applied to each document. */
export type UpdateOperator = (operand: unknown, path: string, clock: UpdateClock) => Change;

function arithmetic(name: '$inc' | '$mul'): UpdateOperator {
  return (operand, path) => {
    if (!isNumber(operand)) throw badArgument(`${name} needs a number for "${path}", not ${typeName(operand)}`);
    return (value) => {
      if (value === undefined) return name === '$inc' ? operand : zeroOf(operand);
      if (!isNumber(value)) throw badArgument(`${name} cannot be applied to ${typeName(value)} at "${path}"`);
      return calculate(name === '$inc' ? 'add' : 'mul', value, operand);
    };
  };
}

/** Zero, as a number of the operand's type. */
function zeroOf(operand: NumberValue): NumberValue {
  const product = calculate('mul', 0, operand);
  return product === 0 ? 0 : product;
}

function bound(sign: 1 | -1): UpdateOperator {
  return (operand) => (value) => (value === undefined || compareValues(operand, value) * sign > 0 ? operand : value);
}

/** The array at a place; nothing stands for an empty one. */
function arrayAt(name: string, path: string, value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw badArgument(`${name} needs an array at "${path}", not ${typeName(value)}`);
  return value as unknown[];
}

function eachOf(
  name: string,
  operand: unknown,
  allowed: readonly string[],
): { items: readonly unknown[]; more: PlainObject } {
  if (!isObject(operand) || !Object.hasOwn(operand, '$each')) return { items: [operand], more: {} };
  const { $each: items, ...more } = operand;
  if (!Array.isArray(items)) throw badArgument(`$each of ${name} needs an array`);
  for (const key of Object.keys(more)) if (!allowed.includes(key)) throw badArgument(`${name} has no modifier ${key}`);
  return { items, more };
}

const push: UpdateOperator = (operand, path) => {
  const { items, more } = eachOf('$push', operand, ['$position', '$slice', '$sort']);
  const { $position: position, $slice: slice, $sort: sort } = more;
  for (const [name, value] of [
    ['$position', position],
    ['$slice', slice],
  ] as const) {
    if (value !== undefined && !Number.isInteger(value)) throw badArgument(`${name} needs a whole number`);
  }
  const order = sort === undefined ? undefined : elementOrder(sort);
  return (value) => {
    const array = [...arrayAt('$push', path, value)];
    if (position === undefined) array.push(...items);
    else array.splice(position as number, 0, ...items);
    if (order !== undefined) array.sort(order);
    if (slice === undefined) return array;
    const most = slice as number;
    return most >= 0 ? array.slice(0, most) : array.slice(most);
  };
};

/** Sorts elements by their own order (1, -1), or by fields of theirs. */
function elementOrder(sort: unknown): (a: unknown, b: unknown) => number {
  if (sort === 1 || sort === -1) return (a, b) => compareValues(a, b) * sort;
  if (!isObject(sort)) throw badArgument('$sort of $push needs 1, -1 or fields');
  const sorter = new Sorter(parseSort(sort));
  const keyOf = (value: unknown): readonly unknown[] => sorter.keyOf(isObject(value) ? value : {});
  return (a, b) => sorter.compare(keyOf(a), keyOf(b));
}

const addToSet: UpdateOperator = (operand, path) => {
  const { items } = eachOf('$addToSet', operand, []);
  return (value) => {
    const array = arrayAt('$addToSet', path, value);
    const added = [...array];
    for (const item of items) if (!added.some((one) => equalValues(one, item))) added.push(item);
    return added.length === array.length && value !== undefined ? value : added;
  };
};

const pull: UpdateOperator = (operand, path) => {
  const goes = pulled(operand);
  return (value) => {
    if (value === undefined) return undefined;
    const array = arrayAt('$pull', path, value);
    const kept = array.filter((item) => !goes(item));
    return kept.length === array.length ? value : kept;
  };
};

/** $pull takes operators for the element, a filter for an element that has fields, or a value. */
function pulled(operand: unknown): (item: unknown) => boolean {
  if (operand instanceof RegExp) {
    const { matches } = compileFilter({ e: operand });
    return (item) => matches({ e: item });
  }
  if (!isObject(operand)) return (item) => equalValues(item, operand);
  const operators = Object.keys(operand)[0]?.startsWith('$') === true;
  if (operators) {
    const { matches } = compileFilter({ e: operand });
    return (item) => matches({ e: item });
  }
  const { matches } = compileFilter(operand);
  return (item) => isObject(item) && matches(item);
}

const bit: UpdateOperator = (operand, path) => {
  const entries = isObject(operand) ? Object.entries(operand) : [];
  if (entries.length === 0) throw badArgument('$bit needs and, or, or xor');
  const apply = (value: bigint, [name, by]: readonly [string, unknown]): bigint => {
    if (typeof by !== 'bigint' && !Number.isInteger(by)) throw badArgument('$bit needs whole numbers');
    const bits = BigInt(by as number);
    if (name === 'and') return value & bits;
    if (name === 'or') return value | bits;
    if (name === 'xor') return value ^ bits;
    throw badArgument(`$bit has no ${name}`);
  };
  return (value = 0) => {
    if (typeof value !== 'bigint' && !Number.isInteger(value))
      throw badArgument(`$bit needs a whole number at "${path}"`);
    const result = entries.reduce((bits, entry) => apply(bits, entry), BigInt(value as number));
    return typeof value === 'bigint' ? result : Number(result);
  };
};

const currentDate: UpdateOperator = (operand, path, clock) => {
  const type = isObject(operand) ? operand['$type'] : operand;
  if (type === 'timestamp') throw unsupportedError('timestamps of $currentDate');
  if (type !== true && type !== 'date') throw badArgument(`$currentDate needs true or { $type: "date" } for "${path}"`);
  const nowMs = clock.nowMs();
  return () => new Date(nowMs);
};

/** By name. $rename is not among them: it has two places. */
export const updateOperators: ReadonlyMap<string, UpdateOperator> = new Map<string, UpdateOperator>([
  ['$set', (operand) => () => operand],
  ['$setOnInsert', (operand) => () => operand],
  ['$unset', () => (value) => (value === undefined ? undefined : REMOVED)],
  ['$inc', arithmetic('$inc')],
  ['$mul', arithmetic('$mul')],
  ['$min', bound(-1)],
  ['$max', bound(1)],
  ['$push', push],
  ['$addToSet', addToSet],
  ['$pull', pull],
  [
    '$pullAll',
    (operand, path) => {
      if (!Array.isArray(operand)) throw badArgument('$pullAll needs an array');
      return (value) => {
        if (value === undefined) return undefined;
        const array = arrayAt('$pullAll', path, value);
        const kept = array.filter((item) => !operand.some((one) => equalValues(one, item)));
        return kept.length === array.length ? value : kept;
      };
    },
  ],
  [
    '$pop',
    (operand, path) => {
      if (operand !== 1 && operand !== -1) throw badArgument('$pop needs 1 or -1');
      return (value) => {
        const array = arrayAt('$pop', path, value);
        if (array.length === 0) return value;
        return operand === 1 ? array.slice(0, -1) : array.slice(1);
      };
    },
  ],
  ['$bit', bit],
  ['$currentDate', currentDate],
]);

/** Operators that never make a missing place. */
export const neverCreates: ReadonlySet<string> = new Set(['$unset', '$pull', '$pullAll', '$pop']);
