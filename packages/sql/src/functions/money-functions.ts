/** Arithmetic, comparison and words of money. A value is whole cents in the form of int8; see types/money-type.ts. */
import { Decimal } from '@phantom/codec';
import { divisionByZero, outOfRange } from '../types/sql-errors.js';
import { type Implementation, type Implementations, aggregate } from './implementation.js';
import { type Int8, int8, int8add, int8div, int8mul, int8sub } from './integers.js';

/** To the nearest cent, halves to the even one as C's rint has it; 22003 beyond 64 bits. */
function cents(value: number): Int8 {
  const floor = Math.floor(value);
  const rest = value - floor;
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
  if (!(Math.abs(rounded) < 2 ** 63)) throw outOfRange('money');
  return Number.isSafeInteger(rounded) ? rounded + 0 : int8(BigInt(rounded));
}

const timesFloat = (money: Int8, factor: number): Int8 => cents(Number(money) * factor);

function overFloat(money: Int8, divisor: number): Int8 {
  if (divisor === 0) throw divisionByZero();
  return cents(Number(money) / divisor);
}

const flipped =
  <A, B>(operate: (a: A, b: B) => Int8) =>
  (b: B, a: A): Int8 =>
    operate(a, b);

const SMALL = (
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen ' +
  'eighteen nineteen'
).split(' ');
const TENS = 'zero ten twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');

/** A number below 1000. */
function words(value: number): string {
  const hundreds = Math.floor(value / 100);
  const rest = value % 100;
  const tens = TENS[Math.floor(rest / 10)] as string;
  const below =
    rest < 20 && (rest < 10 || rest % 10 !== 0) ? (SMALL[rest] as string) : `${tens} ${SMALL[rest % 10] as string}`;
  const exact = rest >= 10 && rest % 10 === 0;
  if (hundreds === 0) return exact ? tens : below;
  const head = `${SMALL[hundreds] as string} hundred`;
  if (rest === 0) return head;
  if (exact) return `${head} ${tens}`;
  return rest < 20 ? `${head} and ${below}` : `${head} ${below}`;
}

const THOUSANDS = ['', ' thousand ', ' million ', ' billion ', ' trillion ', ' quadrillion '];

/** "One dollar and twenty three cents". */
function inWords(money: Int8): string {
  const value = BigInt(money);
  const amount = value < 0n ? -value : value;
  const dollars = amount / 100n;
  let text = '';
  for (let power = THOUSANDS.length - 1, left = dollars; power >= 0; power--) {
    const unit = 1000n ** BigInt(power);
    const group = Number(left / unit);
    left %= unit;
    if (group > 0) text += words(group) + (THOUSANDS[power] as string);
  }
  const change = Number(amount % 100n);
  const whole = `${text === '' ? 'zero' : text} ${dollars === 1n ? 'dollar' : 'dollars'}`;
  const sentence = `${value < 0n ? 'minus ' : ''}${whole} and ${words(change)} ${change === 1 ? 'cent' : 'cents'}`;
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

function comparisons(): Record<string, Implementation> {
  const order = (a: Int8, b: Int8): number => (a < b ? -1 : a > b ? 1 : 0);
  return {
    cash_eq: (a: Int8, b: Int8) => a === b,
    cash_ne: (a: Int8, b: Int8) => a !== b,
    cash_lt: (a: Int8, b: Int8) => a < b,
    cash_le: (a: Int8, b: Int8) => a <= b,
    cash_gt: (a: Int8, b: Int8) => a > b,
    cash_ge: (a: Int8, b: Int8) => a >= b,
    cash_cmp: order,
    cashlarger: (a: Int8, b: Int8) => (a > b ? a : b),
    cashsmaller: (a: Int8, b: Int8) => (a < b ? a : b),
  };
}

function arithmetic(): Record<string, Implementation> {
  const table: Record<string, Implementation> = {
    cash_pl: int8add,
    cash_mi: int8sub,
    cash_div_cash: (a: Int8, b: Int8) => {
      if (b === 0) throw divisionByZero();
      return Number(a) / Number(b);
    },
  };
  for (const type of ['int2', 'int4', 'int8']) {
    table[`cash_mul_${type}`] = int8mul;
    table[`${type}_mul_cash`] = int8mul;
    table[`cash_div_${type}`] = int8div;
  }
  for (const type of ['flt4', 'flt8']) {
    table[`cash_mul_${type}`] = timesFloat;
    table[`${type}_mul_cash`] = flipped(timesFloat);
    table[`cash_div_${type}`] = overFloat;
  }
  return table;
}

const sum = aggregate<{ sum: Int8 | null }, [Int8]>({
  init: () => ({ sum: null }),
  step: (state, value) => {
    state.sum = state.sum === null ? value : int8add(state.sum, value);
    return state;
  },
  final: (state) => state.sum,
});

export const moneyFunctions: Implementations = {
  ...comparisons(),
  ...arithmetic(),
  cash_words: inWords,
  int4_cash: (value: number) => int8mul(value, 100),
  int8_cash: (value: Int8) => int8mul(value, 100),
  cash_numeric: (money: Int8) => Decimal.of(money, 2),
  numeric_cash: (value: Decimal) => {
    const scaled = value.mul(Decimal.of(100, 0)).round(0);
    if (!scaled.isFinite()) throw outOfRange('bigint');
    return int8(BigInt(scaled.toString()));
  },
  'sum:money': sum,
};
