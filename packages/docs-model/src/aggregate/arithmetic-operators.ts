/** Arithmetic operators. Null or missing operands make the result null. */
import { Decimal } from '@phantom/codec';
import { badArgument } from '../errors.js';
import type { NumberValue } from '../order.js';
import { averageOf, deviationOf, greatestOf, leastOf, sumOf } from './folds.js';
import { calculate, divide, numberOf, remainder, unary } from './numbers.js';
import { MANY, integerOf, strict, withOperands } from './operands.js';
import type { OperatorMaker } from './evaluate.js';

function add(values: unknown[]): unknown {
  let date: Date | undefined;
  let sum: NumberValue = 0;
  for (const value of values) {
    if (value instanceof Date) {
      if (date !== undefined) throw badArgument('$add takes one date at most');
      date = value;
    } else {
      sum = calculate('add', sum, numberOf('$add', value));
    }
  }
  return date === undefined ? sum : new Date(date.getTime() + Number(sum));
}

function subtract([a, b]: unknown[]): unknown {
  if (a instanceof Date) {
    return b instanceof Date ? a.getTime() - b.getTime() : new Date(a.getTime() - Number(numberOf('$subtract', b)));
  }
  return calculate('sub', numberOf('$subtract', a), numberOf('$subtract', b));
}

/** Half goes to the even neighbour, as MongoDB has it. */
function roundEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** A number times a power of ten, by its decimal digits. */
function shift(value: number, places: number): number {
  const [digits, exponent = '0'] = String(value).split('e');
  return Number(`${digits}e${Number(exponent) + places}`);
}

function roundTo(name: string, cut: (value: number) => number): OperatorMaker {
  return strict(name, 1, 2, ([value, places = 0]) => {
    const number = numberOf(name, value);
    const digits = integerOf(name, places);
    if (number instanceof Decimal) return name === '$round' ? number.round(digits) : number.trunc(digits);
    if (typeof number === 'bigint' && digits >= 0) return number;
    const double = Number(number);
    if (!Number.isFinite(double)) return double;
    const shifted = shift(double, digits);
    return Number.isFinite(shifted) ? shift(cut(shifted), -digits) : double;
  });
}

/** What a logarithm is taken of; NaN has one, which is NaN. */
function positive(name: string, value: number): number {
  if (value <= 0) throw badArgument(`${name} needs a number above 0`);
  return value;
}

/** Folds over an operand that is an array, or over the operands. */
function fold(name: string, apply: (values: readonly unknown[]) => unknown): OperatorMaker {
  return withOperands(name, 0, MANY, (values) =>
    apply(values.length === 1 && Array.isArray(values[0]) ? (values[0] as unknown[]) : values),
  );
}

export const arithmeticOperators: Readonly<Record<string, OperatorMaker>> = {
  $add: strict('$add', 0, MANY, add),
  $subtract: strict('$subtract', 2, 2, subtract),
  $multiply: strict('$multiply', 0, MANY, (values) =>
    values.reduce<NumberValue>((product, value) => calculate('mul', product, numberOf('$multiply', value)), 1),
  ),
  $divide: strict('$divide', 2, 2, ([a, b]) => divide(numberOf('$divide', a), numberOf('$divide', b))),
  $mod: strict('$mod', 2, 2, ([a, b]) => remainder(numberOf('$mod', a), numberOf('$mod', b))),
  $abs: unary('$abs', Math.abs, (value) => value.abs()),
  $ceil: unary('$ceil', Math.ceil, (value) => value.ceil()),
  $floor: unary('$floor', Math.floor, (value) => value.floor()),
  $round: roundTo('$round', roundEven),
  $trunc: roundTo('$trunc', Math.trunc),
  $sqrt: unary('$sqrt', (value) => {
    if (value < 0) throw badArgument('$sqrt needs a number of at least 0');
    return Math.sqrt(value);
  }),
  $exp: unary('$exp', Math.exp),
  $ln: unary('$ln', (value) => Math.log(positive('$ln', value))),
  $log10: unary('$log10', (value) => Math.log10(positive('$log10', value))),
  $log: strict('$log', 2, 2, ([a, b]) => {
    const base = positive('$log', Number(numberOf('$log', b)));
    if (base === 1) throw badArgument('$log needs a base other than 1');
    return Math.log(positive('$log', Number(numberOf('$log', a)))) / Math.log(base);
  }),
  $pow: strict('$pow', 2, 2, ([a, b]) => {
    const [base, exponent] = [Number(numberOf('$pow', a)), Number(numberOf('$pow', b))];
    if (base === 0 && exponent < 0) throw badArgument('$pow cannot raise 0 to a negative power');
    return base ** exponent;
  }),
  $sum: fold('$sum', sumOf),
  $avg: fold('$avg', averageOf),
  $min: fold('$min', leastOf),
  $max: fold('$max', greatestOf),
  $stdDevPop: fold('$stdDevPop', (values) => deviationOf(values, 0)),
  $stdDevSamp: fold('$stdDevSamp', (values) => deviationOf(values, 1)),
  $rand: withOperands('$rand', 0, 1, Math.random),
};
