/** Accumulators of $group and $bucket: a state for each group, fed with each document's value. */
import { PhantomError } from '@phantom/base';
import { badArgument, unknownOperator } from '../errors.js';
import { type NumberValue, type PlainObject, compareValues, equalValues, isNumber, isObject } from '../order.js';
import { setField } from '../path.js';
import { Sorter, type SortKey, parseSort } from '../sort.js';
import type { Variables } from './evaluate.js';
import { type Expression, compileExpression } from './expression.js';
import { Deviation } from './folds.js';
import { calculate, divide } from './numbers.js';
import { namedParts } from './operands.js';

/** One group's running value. */
export interface Accumulator {
  add(document: PlainObject): void;
  result(): unknown;
}

export interface AccumulatorMaker {
  make(): Accumulator;
  /** Top-level fields it reads; undefined: any. */
  readonly fields: ReadonlySet<string> | undefined;
}

/** Items that one accumulator may hold; past it 53200. */
const ITEMS_MAX = 1_000_000;

function checkItems(count: number): void {
  if (count >= ITEMS_MAX) throw new PhantomError('53200', `an accumulator holds at most ${ITEMS_MAX} values`);
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
  };
}

function extreme(value: Expression, sign: 1 | -1): Accumulator {
  let found: unknown = null;
  return {
    add(document) {
      const one = value.evaluate(document);
      if (one === null || one === undefined) return;
      if (found === null || compareValues(one, found) * sign > 0) found = one;
    },
    result: () => found,
  };
}

function firstOf(value: Expression): Accumulator {
  let found: unknown;
  let any = false;
  return {
    add(document) {
      if (any) return;
      found = value.evaluate(document);
      any = true;
    },
    result: () => found ?? null,
  };
}

function lastOf(value: Expression): Accumulator {
  let found: unknown;
  return {
    add(document) {
      found = value.evaluate(document);
    },
    result: () => found ?? null,
  };
}

function pushed(value: Expression): Accumulator {
  const items: unknown[] = [];
  return {
    add(document) {
      const one = value.evaluate(document);
      if (one === undefined) return;
      checkItems(items.length);
      items.push(one);
    },
    result: () => items,
  };
}

function set(value: Expression): Accumulator {
  const simple = new Set<unknown>();
  const others: unknown[] = [];
  return {
    add(document) {
      const one = value.evaluate(document);
      if (one === undefined) return;
      checkItems(simple.size + others.length);
      if (typeof one === 'string' || typeof one === 'boolean') simple.add(one);
      else if (!others.some((other) => equalValues(other, one))) others.push(one);
    },
    result: () => [...others, ...simple],
  };
}

function merged(value: Expression): Accumulator {
  const result: PlainObject = {};
  return {
    add(document) {
      const one = value.evaluate(document);
      if (one === null || one === undefined) return;
      if (!isObject(one)) throw badArgument('$mergeObjects needs objects');
      for (const key of Object.keys(one)) setField(result, key, one[key]);
    },
    result: () => result,
  };
}

/** Standard deviation: of all values, or of a sample. */
function deviation(value: Expression, sample: 0 | 1): Accumulator {
  const found = new Deviation();
  return {
    add: (document) => found.add(value.evaluate(document)),
    result: () => found.result(sample),
  };
}

const simple: ReadonlyMap<string, (value: Expression) => Accumulator> = new Map<
  string,
  (value: Expression) => Accumulator
>([
  ['$sum', sum],
  ['$avg', average],
  ['$min', (value) => extreme(value, -1)],
  ['$max', (value) => extreme(value, 1)],
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
    make() {
      const found: { key: SortKey; value: unknown }[] = [];
      return {
        add(document) {
          const key = sorter.keyOf(document);
          let at = found.length;
          while (at > 0 && sorter.compare(key, (found[at - 1] as { key: SortKey }).key) * sign < 0) at--;
          if (at >= most) return;
          found.splice(at, 0, { key, value: value.evaluate(document) ?? null });
          if (found.length > most) found.pop();
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
    make() {
      let items: unknown[] = [];
      return {
        add(document) {
          const one = value.evaluate(document) ?? null;
          if (operator === '$firstN' && items.length >= most) return;
          if ((operator === '$minN' || operator === '$maxN') && one === null) return;
          items.push(one);
          if (items.length <= most) return;
          if (operator === '$lastN') items.shift();
          else items = items.sort((a, b) => compareValues(a, b) * (operator === '$minN' ? 1 : -1)).slice(0, most);
        },
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
    return { make: () => make(value), fields: value.fields };
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
