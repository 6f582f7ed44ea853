/**
 * Accumulators of $group and $bucket: a state for each group, fed with each document's value. The values that one keeps are taken from the
 * memory of its stage, and given back where others take their place.
 */
import type { MemoryBudget } from '@phantom/base';
import { badArgument, unknownOperator } from '../errors.js';
import { SLOT_BYTES, memoryBytes } from '../memory-bytes.js';
import { type NumberValue, type PlainObject, compareValues, equalValues, isNumber, isObject } from '../order.js';
import { ownField, setField } from '../path.js';
import { EMPTY_ARRAY, Sorter, type SortKey, parseSort } from '../sort.js';
import type { Variables } from './evaluate.js';
import { type Expression, compileExpression } from './expression.js';
import { Deviation, type DeviationState } from './folds.js';
import { calculate, divide } from './numbers.js';
import { namedParts } from './operands.js';

/** One group's running value. */
export interface Accumulator {
  add(document: PlainObject): void;
  result(): unknown;
  /** What it has made of the documents so far, one or more, as a value that files may hold. */
  state(): unknown;
  /** Takes over what another has made of those behind its own. */
  join(state: unknown): void;
}

export interface AccumulatorMaker {
  /** Its values are taken from this memory, which the caller releases. */
  make(memory: MemoryBudget): Accumulator;
  /** Top-level fields it reads; undefined: any. */
  readonly fields: ReadonlySet<string> | undefined;
}

/** What a value of a set, or one with a key to be sorted by, takes beside itself. */
const ENTRY_BYTES = 48;

/** A value in the place of another. */
function replace<T>(memory: MemoryBudget, before: T, after: T): T {
  // Most are numbers, which lie in their slots.
  if (
    typeof before !== 'object' &&
    typeof before !== 'string' &&
    typeof after !== 'object' &&
    typeof after !== 'string'
  )
    return after;
  memory.take(memoryBytes(after) - memoryBytes(before));
  return after;
}

function sum(value: Expression): Accumulator {
  let total: NumberValue = 0;
  return {
    add(document) {
      const one = value.evaluate(document);
      if (typeof one === 'number' && typeof total === 'number') total += one;
      else if (isNumber(one)) total = calculate('add', total, one);
    },
    result: () => total,
    state: () => total,
    join: (state) => void (total = calculate('add', total, state as NumberValue)),
  };
}

function average(value: Expression): Accumulator {
  let total: NumberValue = 0;
  let count = 0;
  return {
    add(document) {
      const one = value.evaluate(document);
      if (!isNumber(one)) return;
      total = calculate('add', total, one);
      count++;
    },
    result: () => (count === 0 ? null : divide(total, count)),
    state: () => [total, count],
    join(state) {
      const [other, more] = state as [NumberValue, number];
      total = calculate('add', total, other);
      count += more;
    },
  };
}

function extreme(value: Expression, memory: MemoryBudget, sign: 1 | -1): Accumulator {
  let found: unknown = null;
  const offer = (one: unknown): void => {
    if (one === null || one === undefined) return;
    if (found === null || compareValues(one, found) * sign > 0) found = replace(memory, found, one);
  };
  return { add: (document) => offer(value.evaluate(document)), result: () => found, state: () => found, join: offer };
}

function firstOf(value: Expression, memory: MemoryBudget): Accumulator {
  let found: unknown;
  let any = false;
  return {
    add(document) {
      if (any) return;
      found = replace(memory, found, value.evaluate(document));
      any = true;
    },
    result: () => found ?? null,
    state: () => found ?? null,
    join(state) {
      if (!any) found = replace(memory, found, state);
      any = true;
    },
  };
}

function lastOf(value: Expression, memory: MemoryBudget): Accumulator {
  let found: unknown;
  return {
    add(document) {
      found = replace(memory, found, value.evaluate(document));
    },
    result: () => found ?? null,
    state: () => found ?? null,
    join: (state) => void (found = replace(memory, found, state)),
  };
}

function pushed(value: Expression, memory: MemoryBudget): Accumulator {
  const items: unknown[] = [];
  const push = (one: unknown): void => {
    if (one === undefined) return;
    memory.take(SLOT_BYTES + memoryBytes(one));
    items.push(one);
  };
  return {
    add: (document) => push(value.evaluate(document)),
    result: () => items,
    state: () => items,
    join: (state) => (state as unknown[]).forEach(push),
  };
}

function set(value: Expression, memory: MemoryBudget): Accumulator {
  const simple = new Set<unknown>();
  const others: unknown[] = [];
  const offer = (one: unknown): void => {
    if (one === undefined) return;
    const isSimple = typeof one === 'string' || typeof one === 'boolean';
    if (isSimple ? simple.has(one) : others.some((other) => equalValues(other, one))) return;
    memory.take(ENTRY_BYTES + memoryBytes(one));
    if (isSimple) simple.add(one);
    else others.push(one);
  };
  const all = (): unknown[] => [...others, ...simple];
  return {
    add: (document) => offer(value.evaluate(document)),
    result: all,
    state: all,
    join: (state) => (state as unknown[]).forEach(offer),
  };
}

function merged(value: Expression, memory: MemoryBudget): Accumulator {
  const result: PlainObject = {};
  const merge = (one: unknown): void => {
    if (one === null || one === undefined) return;
    if (!isObject(one)) throw badArgument('$mergeObjects needs objects');
    for (const key of Object.keys(one)) {
      const before = ownField(result, key);
      memory.take((before === undefined ? SLOT_BYTES : -memoryBytes(before)) + memoryBytes(one[key]));
      setField(result, key, one[key]);
    }
  };
  return {
    add: (document) => merge(value.evaluate(document)),
    result: () => result,
    state: () => result,
    join: merge,
  };
}

/** Standard deviation: of all values, or of a sample. */
function deviation(value: Expression, sample: 0 | 1): Accumulator {
  const found = new Deviation();
  return {
    add: (document) => found.add(value.evaluate(document)),
    result: () => found.result(sample),
    state: () => found.state,
    join: (state) => found.join(state as DeviationState),
  };
}

type SimpleMaker = (value: Expression, memory: MemoryBudget) => Accumulator;

const simple: ReadonlyMap<string, SimpleMaker> = new Map<string, SimpleMaker>([
  ['$sum', sum],
  ['$avg', average],
  ['$min', (value, memory) => extreme(value, memory, -1)],
  ['$max', (value, memory) => extreme(value, memory, 1)],
  ['$first', firstOf],
  ['$last', lastOf],
  ['$push', pushed],
  ['$addToSet', set],
  ['$mergeObjects', merged],
  ['$stdDevPop', (value) => deviation(value, 0)],
  ['$stdDevSamp', (value) => deviation(value, 1)],
]);

/** The n first or last in an order of their own. */
function top(operator: string, operand: unknown, variables: Variables): AccumulatorMaker {
  const several = operator.endsWith('N');
  const { output, sortBy, n } = namedParts(
    operator,
    operand,
    several ? ['output', 'sortBy', 'n'] : ['output', 'sortBy'],
  );
  if (!isObject(sortBy)) throw badArgument(`${operator} needs sortBy`);
  const most = several ? countOf(operator, n) : 1;
  const sorter = new Sorter(parseSort(sortBy));
  const value = compileExpression(output, variables);
  const sign = operator.startsWith('$top') ? 1 : -1;
  return {
    fields: undefined,
    make(memory) {
      const found: { key: SortKey; value: unknown; bytes: number }[] = [];
      const offer = (key: SortKey, valueOf: () => unknown): void => {
        let at = found.length;
        while (at > 0 && sorter.compare(key, (found[at - 1] as { key: SortKey }).key) * sign < 0) at--;
        if (at >= most) return;
        const one = valueOf();
        const bytes = ENTRY_BYTES + memoryBytes(key) + memoryBytes(one);
        memory.take(bytes);
        found.splice(at, 0, { key, value: one, bytes });
        if (found.length > most) memory.give(found.pop()?.bytes ?? 0);
      };
      return {
        add: (document) => offer(sorter.keyOf(document), () => value.evaluate(document) ?? null),
        // Of a key that has no form among values each part stands in an array, the empty array as an empty one.
        state: () =>
          found.map((one) => [one.key.map((part) => (part === EMPTY_ARRAY ? [] : [part ?? null])), one.value]),
        join(state) {
          for (const [key, one] of state as [unknown[][], unknown][])
            offer(
              key.map((part) => (part.length === 0 ? EMPTY_ARRAY : part[0])),
              () => one,
            );
        },
        result() {
          const values = found.map((one) => one.value);
          if (!several) return values[0] ?? null;
          return sign > 0 ? values : values.reverse();
        },
      };
    },
  };
}

/** The n first, last, least or greatest. */
function firstN(operator: string, operand: unknown, variables: Variables): AccumulatorMaker {
  const { input, n } = namedParts(operator, operand, ['input', 'n']);
  const most = countOf(operator, n);
  const value = compileExpression(input, variables);
  return {
    fields: value.fields,
    make(memory) {
      const items: unknown[] = [];
      const offer = (one: unknown): void => {
        if (operator === '$firstN' && items.length >= most) return;
        if ((operator === '$minN' || operator === '$maxN') && one === null) return;
        memory.take(SLOT_BYTES + memoryBytes(one));
        items.push(one);
        if (items.length <= most) return;
        if (operator !== '$lastN') items.sort((a, b) => compareValues(a, b) * (operator === '$minN' ? 1 : -1));
        const goes = operator === '$lastN' ? items.shift() : items.pop();
        memory.give(SLOT_BYTES + memoryBytes(goes));
      };
      return {
        add: (document) => offer(value.evaluate(document) ?? null),
        state: () => items,
        join: (state) => (state as unknown[]).forEach(offer),
        result: () =>
          operator === '$minN' || operator === '$maxN'
            ? items.sort((a, b) => compareValues(a, b) * (operator === '$minN' ? 1 : -1))
            : items,
      };
    },
  };
}

function countOf(operator: string, n: unknown): number {
  if (!Number.isInteger(n) || (n as number) < 1) throw badArgument(`${operator} needs n as a whole number above 0`);
  return n as number;
}

/** Compiles `{ $sum: '$a' }` and its like; its expressions know the variables. */
export function compileAccumulator(operand: unknown, variables: Variables): AccumulatorMaker {
  const [operator, ...others] = isObject(operand) ? Object.keys(operand) : [];
  if (operator === undefined || others.length > 0) throw badArgument('an accumulated field has one accumulator');
  const argument = (operand as PlainObject)[operator];
  const make = simple.get(operator);
  if (make !== undefined) {
    const value = compileExpression(argument, variables);
    return { make: (memory) => make(value, memory), fields: value.fields };
  }
  switch (operator) {
    case '$count':
      if (!isObject(argument) || Object.keys(argument).length > 0) throw badArgument('$count takes an empty object');
      return { make: () => sum(compileExpression(1)), fields: new Set() };
    case '$top':
    case '$bottom':
    case '$topN':
    case '$bottomN':
      return top(operator, argument, variables);
    case '$firstN':
    case '$lastN':
    case '$minN':
    case '$maxN':
      return firstN(operator, argument, variables);
    default:
      throw unknownOperator(operator, 'accumulator');
  }
}
