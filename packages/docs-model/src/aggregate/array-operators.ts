/** Array and set operators. */
import { badArgument } from '../errors.js';
import { compareValues, equalValues, isObject } from '../order.js';
import { setField } from '../path.js';
import { isTrue } from '../truth.js';
import { MANY, arrayOf, integerOf, named, namedParts, strict, textOf, withOperands } from './operands.js';
import type { Evaluate, OperatorMaker } from './evaluate.js';

/** Elements that $range may make. */
const RANGE_ITEMS_MAX = 1_000_000;

const isNothing = (value: unknown): boolean => value === null || value === undefined;

const map: OperatorMaker = (operand, compiler) => {
  const { as = 'this' } = namedParts('$map', operand, ['input', 'in'], ['as']);
  const parts = named('$map', without(operand, 'as'), compiler, ['input', 'in']);
  const input = parts.get('input') as Evaluate;
  const each = parts.get('in') as Evaluate;
  const name = textOf('$map', as);
  return (root, variables) => {
    const items = input(root, variables);
    if (isNothing(items)) return null;
    return arrayOf('$map', items).map((item) => each(root, { ...variables, [name]: item }) ?? null);
  };
};

const filter: OperatorMaker = (operand, compiler) => {
  const { as = 'this' } = namedParts('$filter', operand, ['input', 'cond'], ['as', 'limit']);
  const parts = named('$filter', without(operand, 'as'), compiler, ['input', 'cond'], ['limit']);
  const input = parts.get('input') as Evaluate;
  const condition = parts.get('cond') as Evaluate;
  const limit = parts.get('limit');
  const name = textOf('$filter', as);
  return (root, variables) => {
    const items = input(root, variables);
    if (isNothing(items)) return null;
    const most = (limit?.(root, variables) as number | null | undefined) ?? MANY;
    const kept: unknown[] = [];
    for (const item of arrayOf('$filter', items)) {
      if (kept.length >= most) break;
      if (isTrue(condition(root, { ...variables, [name]: item }))) kept.push(item);
    }
    return kept;
  };
};

const reduce: OperatorMaker = (operand, compiler) => {
  const parts = named('$reduce', operand, compiler, ['input', 'initialValue', 'in']);
  const [input, initial, each] = ['input', 'initialValue', 'in'].map((key) => parts.get(key) as Evaluate) as [
    Evaluate,
    Evaluate,
    Evaluate,
  ];
  return (root, variables) => {
    const items = input(root, variables);
    if (isNothing(items)) return null;
    let value = initial(root, variables);
    for (const item of arrayOf('$reduce', items)) value = each(root, { ...variables, value, this: item });
    return value;
  };
};

const zip: OperatorMaker = (operand, compiler) => {
  const parts = named('$zip', operand, compiler, ['inputs'], ['useLongestLength', 'defaults']);
  const inputs = parts.get('inputs') as Evaluate;
  return (root, variables) => {
    const lists = arrayOf('$zip', inputs(root, variables));
    if (lists.some(isNothing)) return null;
    const arrays = lists.map((list) => arrayOf('$zip', list));
    const longest = isTrue(parts.get('useLongestLength')?.(root, variables));
    const defaults = parts.get('defaults')?.(root, variables) as readonly unknown[] | undefined;
    const lengths = arrays.map((array) => array.length);
    const count = lengths.length === 0 ? 0 : longest ? Math.max(...lengths) : Math.min(...lengths);
    return Array.from({ length: count }, (_, i) =>
      arrays.map((array, k) => (i < array.length ? array[i] : (defaults?.[k] ?? null))),
    );
  };
};

const sortArray: OperatorMaker = (operand, compiler) => {
  const { input, sortBy } = namedParts('$sortArray', operand, ['input', 'sortBy']);
  const items = compiler.compile(input);
  const sort = isObject(sortBy) ? Object.entries(sortBy) : undefined;
  const sign = (direction: unknown): number => {
    if (direction !== 1 && direction !== -1) throw badArgument('$sortArray sorts by 1 or -1');
    return direction;
  };
  const field = (value: unknown, key: string): unknown =>
    isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  const order =
    sort === undefined
      ? (a: unknown, b: unknown): number => compareValues(a, b) * sign(sortBy)
      : (a: unknown, b: unknown): number => {
          for (const [key, direction] of sort) {
            const one = compareValues(field(a, key), field(b, key)) * sign(direction);
            if (one !== 0) return one;
          }
          return 0;
        };
  return (root, variables) => {
    const array = items(root, variables);
    return isNothing(array) ? null : [...arrayOf('$sortArray', array)].sort(order);
  };
};

function without(operand: unknown, key: string): unknown {
  if (!isObject(operand)) return operand;
  const { [key]: _left, ...rest } = operand;
  return rest;
}

function slice(values: unknown[]): unknown {
  const [value, from, count] = values;
  const items = arrayOf('$slice', value);
  const first = integerOf('$slice', from);
  if (values.length === 2) return first >= 0 ? items.slice(0, first) : items.slice(first);
  const start = first >= 0 ? first : Math.max(0, items.length + first);
  const most = integerOf('$slice', count);
  if (most <= 0) throw badArgument('$slice needs a count above 0');
  return items.slice(start, start + most);
}

function range([from, to, step = 1]: unknown[]): unknown {
  const [start, end, stride] = [from, to, step].map((value) => integerOf('$range', value)) as [number, number, number];
  if (stride === 0) throw badArgument('$range needs a step that is not 0');
  const count = Math.max(0, Math.ceil((end - start) / stride));
  if (count > RANGE_ITEMS_MAX) throw badArgument(`$range makes at most ${RANGE_ITEMS_MAX} numbers`);
  return Array.from({ length: count }, (_, i) => start + i * stride);
}

/** Each value once, in the order of values. */
function distinctSorted(values: readonly unknown[]): unknown[] {
  const sorted = [...values].sort(compareValues);
  return sorted.filter((value, i) => i === 0 || !equalValues(value, sorted[i - 1]));
}

/** Nothing is no item of any array, which nulls may be. */
const isItem = (item: unknown, value: unknown): boolean => value !== undefined && equalValues(item, value);

const contains = (items: readonly unknown[], value: unknown): boolean => items.some((item) => isItem(item, value));

function setOperator(name: string, least: number, apply: (sets: (readonly unknown[])[]) => unknown): OperatorMaker {
  return strict(name, least, MANY, (values) => apply(values.map((value) => arrayOf(name, value))));
}

function indexOf([value, wanted, from = 0, to = MANY]: unknown[]): unknown {
  if (isNothing(value)) return null;
  const items = arrayOf('$indexOfArray', value);
  const end = Math.min(items.length, integerOf('$indexOfArray', to));
  for (let i = integerOf('$indexOfArray', from); i < end; i++) if (isItem(items[i], wanted)) return i;
  return -1;
}

/** $firstN and its kin: n elements of the input. */
function someOf(name: string, choose: (items: readonly unknown[], n: number) => unknown[]): OperatorMaker {
  return (operand, compiler) => {
    const parts = named(name, operand, compiler, ['n', 'input']);
    const [count, input] = [parts.get('n') as Evaluate, parts.get('input') as Evaluate];
    return (root, variables) => {
      const n = integerOf(name, count(root, variables));
      if (n < 1) throw badArgument(`${name} needs an n of at least 1`);
      return choose(arrayOf(name, input(root, variables)), n);
    };
  };
}

/** What there is, the least first. */
function ordered(items: readonly unknown[]): unknown[] {
  return items.filter((item) => !isNothing(item)).sort(compareValues);
}

export const arrayOperators: Readonly<Record<string, OperatorMaker>> = {
  $arrayElemAt: strict('$arrayElemAt', 2, 2, ([items, index]) =>
    arrayOf('$arrayElemAt', items).at(integerOf('$arrayElemAt', index)),
  ),
  $first: strict('$first', 1, 1, ([items]) => arrayOf('$first', items)[0]),
  $last: strict('$last', 1, 1, ([items]) => arrayOf('$last', items).at(-1)),
  $firstN: someOf('$firstN', (items, n) => items.slice(0, n)),
  $lastN: someOf('$lastN', (items, n) => items.slice(-n)),
  $minN: someOf('$minN', (items, n) => ordered(items).slice(0, n)),
  $maxN: someOf('$maxN', (items, n) => ordered(items).reverse().slice(0, n)),
  $concatArrays: strict('$concatArrays', 0, MANY, (values) =>
    values.flatMap((value) => arrayOf('$concatArrays', value)),
  ),
  $filter: filter,
  $map: map,
  $reduce: reduce,
  $zip: zip,
  $sortArray: sortArray,
  $in: withOperands('$in', 2, 2, ([value, items]) => contains(arrayOf('$in', items), value)),
  $indexOfArray: withOperands('$indexOfArray', 2, 4, indexOf),
  $isArray: withOperands('$isArray', 1, 1, ([value]) => Array.isArray(value)),
  $reverseArray: strict('$reverseArray', 1, 1, ([items]) => [...arrayOf('$reverseArray', items)].reverse()),
  $size: withOperands('$size', 1, 1, ([items]) => arrayOf('$size', items).length),
  $slice: strict('$slice', 2, 3, slice),
  $range: strict('$range', 2, 3, range),
  $arrayToObject: strict('$arrayToObject', 1, 1, ([items]) => {
    const result: Record<string, unknown> = {};
    for (const item of arrayOf('$arrayToObject', items)) {
      const [key, value] = Array.isArray(item) ? (item as unknown[]) : isObject(item) ? [item['k'], item['v']] : [];
      setField(result, textOf('$arrayToObject', key), value);
    }
    return result;
  }),
  $anyElementTrue: withOperands('$anyElementTrue', 1, 1, ([items]) => arrayOf('$anyElementTrue', items).some(isTrue)),
  $allElementsTrue: withOperands('$allElementsTrue', 1, 1, ([items]) =>
    arrayOf('$allElementsTrue', items).every(isTrue),
  ),
  $setUnion: setOperator('$setUnion', 0, (sets) => distinctSorted(sets.flat())),
  $setIntersection: setOperator('$setIntersection', 0, ([first = [], ...others]) =>
    distinctSorted(first).filter((value) => others.every((other) => contains(other, value))),
  ),
  $setDifference: setOperator('$setDifference', 2, ([a = [], b = []]) =>
    a.filter((value, i) => !contains(b, value) && !contains(a.slice(0, i), value)),
  ),
  $setEquals: setOperator('$setEquals', 2, ([first = [], ...others]) =>
    others.every((other) => equalValues(distinctSorted(first), distinctSorted(other))),
  ),
  $setIsSubset: setOperator('$setIsSubset', 2, ([a = [], b = []]) => a.every((value) => contains(b, value))),
};
