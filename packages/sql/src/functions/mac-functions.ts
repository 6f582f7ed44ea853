/** Functions of macaddr and macaddr8. Values are hexadecimal digits, whose comparisons are those of texts; see types/mac-types.ts. */
import { PhantomError } from '@phantom/base';
import { MIDDLE, widened } from '../types/mac-types.js';
import type { Implementations } from './implementation.js';

/** Digits that stand for the maker of an interface. */
const MAKER_DIGITS = 6;
/** The bit of the first octet that says that an address was given out locally, by which IPv6 turns it around. */
const LOCAL_BIT = 2n << 56n;

const truncated = (value: string): string => value.slice(0, MAKER_DIGITS).padEnd(value.length, '0');

const bitwise =
  (operate: (a: bigint, b: bigint) => bigint) =>
  (a: string, b: string): string =>
    operate(BigInt(`0x${a}`), BigInt(`0x${b}`))
      .toString(16)
      .padStart(a.length, '0');

const and = bitwise((a, b) => a & b);
const or = bitwise((a, b) => a | b);
const xor = bitwise((a, b) => a ^ b);
const inverted = (value: string): string => xor(value, 'f'.repeat(value.length));

const compared = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function narrowed(value: string): string {
  if (value.slice(MAKER_DIGITS, MAKER_DIGITS + MIDDLE.length) !== MIDDLE) {
    throw new PhantomError('22003', 'macaddr8 data out of range to convert to macaddr', {
      hint: 'Only addresses that have FF and FE as values in the 4th and 5th bytes from the left, for example xx:xx:xx:ff:fe:xx:xx:xx, are eligible to be converted from macaddr8 to macaddr.',
    });
  }
  return value.slice(0, MAKER_DIGITS) + value.slice(MAKER_DIGITS + MIDDLE.length);
}

export const macFunctions: Implementations = {
  macaddr_cmp: compared,
  macaddr8_cmp: compared,
  macaddr_not: inverted,
  macaddr8_not: inverted,
  macaddr_and: and,
  macaddr8_and: and,
  macaddr_or: or,
  macaddr8_or: or,
  macaddr_trunc: truncated,
  macaddr8_trunc: truncated,
  macaddrtomacaddr8: widened,
  macaddr8tomacaddr: narrowed,
  macaddr8_set7bit: (value: string) => or(value, LOCAL_BIT.toString(16).padStart(value.length, '0')),
};
