/** $bitsAllSet and its kin: bits of whole numbers, in two's complement, and of binary values, the lowest of the first byte first. */
import { badArgument } from '../errors.js';
import type { ValueTest } from './tests.js';

/** Bits that a list of positions may name. */
const POSITION_MAX = 0xffff;

/** What an operator wants of its bits: which state, and of how many. */
const WANTED: ReadonlyMap<string, { readonly set: boolean; readonly every: boolean }> = new Map([
  ['$bitsAllSet', { set: true, every: true }],
  ['$bitsAllClear', { set: false, every: true }],
  ['$bitsAnySet', { set: true, every: false }],
  ['$bitsAnyClear', { set: false, every: false }],
]);

export function isBitOperator(operator: string): boolean {
  return WANTED.has(operator);
}

/** The test of an operator; its bits are given as a mask, a list of positions or binary. Values that have no bits fail it. */
export function bitTest(operator: string, operand: unknown): ValueTest {
  const { set, every } = WANTED.get(operator) as { set: boolean; every: boolean };
  const positions = positionsOf(operator, operand);
  const holds = (value: unknown, position: number): boolean => bitAt(value, position) === set;
  return (value) => {
    if (!hasBits(value)) return false;
    return every ? positions.every((one) => holds(value, one)) : positions.some((one) => holds(value, one));
  };
}

function hasBits(value: unknown): boolean {
  return typeof value === 'bigint' || Number.isSafeInteger(value) || value instanceof Uint8Array;
}

function bitAt(value: unknown, position: number): boolean {
  if (value instanceof Uint8Array) return (((value[position >> 3] ?? 0) >> (position & 7)) & 1) === 1;
  return ((BigInt(value as number | bigint) >> BigInt(position)) & 1n) === 1n;
}

function positionsOf(operator: string, operand: unknown): readonly number[] {
  if (Array.isArray(operand)) {
    const isPosition = (one: unknown): boolean => Number.isInteger(one) && (one as number) >= 0;
    if (!operand.every((one) => isPosition(one) && (one as number) <= POSITION_MAX))
      throw badArgument(`${operator} takes positions from 0 to ${POSITION_MAX}`);
    return operand as number[];
  }
  const isMask = hasBits(operand) && (operand instanceof Uint8Array || (operand as number | bigint) >= 0);
  if (!isMask) throw badArgument(`${operator} needs a mask that is not negative, positions or binary`);
  const bits = operand instanceof Uint8Array ? operand.length * 8 : 64;
  return Array.from({ length: bits }, (_, position) => position).filter((position) => bitAt(operand, position));
}
