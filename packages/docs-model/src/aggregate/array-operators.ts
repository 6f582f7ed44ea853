/** Array and set operators. */
import { badArgument } from '../errors.js';
import { OBJECT_BYTES, SLOT_BYTES } from '../memory-bytes.js';
import { compareValues, equalValues, isObject } from '../order.js';
import { setField } from '../path.js';
import { isTrue } from '../truth.js';
import { MANY, arrayOf, integerOf, named, namedParts, strict, textOf, withOperands } from './operands.js';
import type { Evaluate, OperatorMaker } from './evaluate.js';
import { valueKey } from './value-keys.js';
import type { Work } from './work.js';

/** Elements that $range may make. */
const RANGE_ITEMS_MAX = 1_000_000;
/** What of two values is compared in a step. */
const COMPARED_BYTES_PER_STEP = 64;

const isNothing = (value: unknown): boolean => value === null || value === undefined;

const map: OperatorMaker = (operand, compiler) => {
  const { as = 'this' } = namedParts('$map', operand, ['input', 'in'], ['as']);
  const parts = named('$map', without(operand, 'as'), compiler, ['input', 'in']);
  const input = parts.get('input') as Evaluate;
  const each = parts.get('in') as Evaluate;
  const name = textOf('$map', as);
  return (root, variables) => {
    const { work } = variables;
    const start = work.mark();
    const items = input(root, variables);
    if (isNothing(items)) return null;
    const mark = work.mark();
    const mapped: unknown[] = [];
    let bytes = OBJECT_BYTES;
    for (const item of arrayOf('$map', items)) {
      const value = each(root, variables.with(name, item)) ?? null;
      const more = SLOT_BYTES + work.sizeOf(value, '$map');
      work.settle(mark, bytes);
      work.take(more, '$map');
      work.step(1, '$map');
      bytes += more;
      mapped.push(value);
    }
    work.settle(start, bytes);
    work.note(mapped, bytes);
    return mapped;
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
    const { work } = variables;
    const start = work.mark();
    const items = input(root, variables);
    if (isNothing(items)) return null;
    const most = (limit?.(root, variables) as number | null | undefined) ?? MANY;
    const mark = work.mark();
    const kept: unknown[] = [];
    for (const item of arrayOf('$filter', items)) {
      if (kept.length >= most) break;
      work.step(1, '$filter');
      if (isTrue(condition(root, variables.with(name, item)))) kept.push(item);
      work.settle(mark, 0);
    }
    return work.settleAt(start, kept, '$filter');
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
    const { work } = variables;
    const start = work.mark();
    const items = input(root, variables);
    if (isNothing(items)) return null;
    const mark = work.mark();
    let value = initial(root, variables);
    for (const item of arrayOf('$reduce', items)) {
      work.step(1, '$reduce');
      value = work.settleAt(mark, each(root, variables.with('value', value).with('this', item)), '$reduce');
    }
    return work.settleAt(start, value, '$reduce');
  };
};

const zip: OperatorMaker = (operand, compiler) => {
  const parts = named('$zip', operand, compiler, ['inputs'], ['useLongestLength', 'defaults']);
  const inputs = parts.get('inputs') as Evaluate;
  return (root, variables) => {
    const { work } = variables;
    const start = work.mark();
    const lists = arrayOf('$zip', inputs(root, variables));
    if (lists.some(isNothing)) return null;
    const arrays = lists.map((list) => arrayOf('$zip', list));
    const longest = isTrue(parts.get('useLongestLength')?.(root, variables));
    const defaults = parts.get('defaults')?.(root, variables) as readonly unknown[] | undefined;
    const lengths = arrays.map((array) => array.length);
    const count = lengths.length === 0 ? 0 : longest ? Math.max(...lengths) : Math.min(...lengths);
    const mark = work.mark();
    work.take(count * (OBJECT_BYTES + SLOT_BYTES * (arrays.length + 1)), '$zip');
    const zipped = Array.from({ length: count }, (_, i) =>
      arrays.map((array, k) => (i < array.length ? array[i] : (defaults?.[k] ?? null))),
    );
    work.settle(mark, 0);
    return work.settleAt(start, zipped, '$zip');
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
    const { work } = variables;
    const mark = work.mark();
    const array = items(root, variables);
    if (isNothing(array)) return null;
    const copy = [...arrayOf('$sortArray', array)];
    work.step(sortSteps(copy), '$sortArray');
    return work.settleAt(mark, copy.sort(order), '$sortArray');
  };
};

/** About how many comparisons a sort takes. */
function sortSteps({ length }: readonly unknown[]): number {
  return length * Math.ceil(Math.log2(length + 1));
}

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

function range([from, to, step = 1]: unknown[], work: Work): unknown {
  const [start, end, stride] = [from, to, step].map((value) => integerOf('$range', value)) as [number, number, number];
  if (stride === 0) throw badArgument('$range needs a step that is not 0');
  const count = Math.max(0, Math.ceil((end - start) / stride));
  if (count > RANGE_ITEMS_MAX) throw badArgument(`$range makes at most ${RANGE_ITEMS_MAX} numbers`);
  work.take(2 * SLOT_BYTES * count, '$range');
  return Array.from({ length: count }, (_, i) => start + i * stride);
}

/** Each value once, in the order of values. */
function distinctSorted(name: string, values: readonly unknown[], work: Work): unknown[] {
  work.step(sortSteps(values), name);
  const sorted = [...values].sort(compareValues);
  return sorted.filter((value, i) => i === 0 || !equalValues(value, sorted[i - 1]));
}

/** Nothing is no item of any array, which nulls may be. */
const isItem = (item: unknown, value: unknown): boolean => value !== undefined && equalValues(item, value);

/** Steps of looking for a value: each item may be as large as it is. */
function searchSteps(name: string, items: readonly unknown[], value: unknown, work: Work): number {
  const isLarge = typeof value === 'object' && value !== null;
  return items.length * (isLarge ? 1 + work.sizeOf(value, name) / COMPARED_BYTES_PER_STEP : 1);
}

function contains(name: string, items: readonly unknown[], value: unknown, work: Work): boolean {
  work.step(searchSteps(name, items, value, work), name);
  return items.some((item) => isItem(item, value));
}

function setOperator(
  name: string,
  least: number,
  apply: (sets: (readonly unknown[])[], work: Work) => unknown,
): OperatorMaker {
  return strict(name, least, MANY, (values, work) =>
    apply(
      values.map((value) => arrayOf(name, value)),
      work,
    ),
  );
}

/** Keys of the items of an array, each of which is walked through. */
function keysOf(name: string, items: readonly unknown[], work: Work): Set<string | number> {
  work.step(work.sizeOf(items, name) / COMPARED_BYTES_PER_STEP, name);
  return new Set(items.map((item) => valueKey(item)));
}

/** All items of arrays, in one that is taken before it is made. */
function flat(name: string, arrays: readonly (readonly unknown[])[], work: Work): unknown[] {
  let length = 0;
  for (const array of arrays) length += array.length;
  work.take(OBJECT_BYTES + SLOT_BYTES * length, name);
  return arrays.flat();
}

function indexOf([value, wanted, from = 0, to = MANY]: unknown[], work: Work): unknown {
  if (isNothing(value)) return null;
  const items = arrayOf('$indexOfArray', value);
  const end = Math.min(items.length, integerOf('$indexOfArray', to));
  work.step(searchSteps('$indexOfArray', items, wanted, work), '$indexOfArray');
  for (let i = integerOf('$indexOfArray', from); i < end; i++) if (isItem(items[i], wanted)) return i;
  return -1;
}

/** $firstN and its kin: n elements of the input. */
function someOf(name: string, choose: (items: readonly unknown[], n: number) => unknown[]): OperatorMaker {
  return (operand, compiler) => {
    const parts = named(name, operand, compiler, ['n', 'input']);
    const [count, input] = [parts.get('n') as Evaluate, parts.get('input') as Evaluate];
    return (root, variables) => {
      const { work } = variables;
      const mark = work.mark();
      const n = integerOf(name, count(root, variables));
      if (n < 1) throw badArgument(`${name} needs an n of at least 1`);
      const items = arrayOf(name, input(root, variables));
      work.step(sortSteps(items), name);
      return work.settleAt(mark, choose(items, n), name);
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
  $concatArrays: setOperator('$concatArrays', 0, (arrays, work) => flat('$concatArrays', arrays, work)),
  $filter: filter,
  $map: map,
  $reduce: reduce,
  $zip: zip,
  $sortArray: sortArray,
  $in: withOperands('$in', 2, 2, ([value, items], work) => contains('$in', arrayOf('$in', items), value, work)),
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
  $setUnion: setOperator('$setUnion', 0, (sets, work) =>
    distinctSorted('$setUnion', flat('$setUnion', sets, work), work),
  ),
  $setIntersection: setOperator('$setIntersection', 0, ([first = [], ...others], work) => {
    const sets = others.map((other) => keysOf('$setIntersection', other, work));
    return distinctSorted('$setIntersection', first, work).filter((value) => {
      const key = valueKey(value);
      return sets.every((set) => set.has(key));
    });
  }),
  $setDifference: setOperator('$setDifference', 2, ([a = [], b = []], work) => {
    const others = keysOf('$setDifference', b, work);
    return a.filter((value) => {
      const key = valueKey(value);
      const isLeft = !others.has(key);
      others.add(key);
      return isLeft;
    });
  }),
  $setEquals: setOperator('$setEquals', 2, ([first = [], ...others], work) =>
    others.every((other) =>
      equalValues(distinctSorted('$setEquals', first, work), distinctSorted('$setEquals', other, work)),
    ),
  ),
  $setIsSubset: setOperator('$setIsSubset', 2, ([a = [], b = []], work) => {
    const whole = keysOf('$setIsSubset', b, work);
    return a.every((value) => whole.has(valueKey(value)));
  }),
};
