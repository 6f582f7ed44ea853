/** Operators on the bits of whole numbers, in two's complement: 64-bit integers where one is among the operands, else numbers. */
import { badArgument } from '../errors.js';
import { typeName } from '../order.js';
import type { OperatorMaker } from './evaluate.js';
import { MANY, strict } from './operands.js';

function bitsOf(operator: string, value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  throw badArgument(`${operator} needs whole numbers, not ${typeName(value)}`);
}

function fold(operator: string, none: bigint, apply: (a: bigint, b: bigint) => bigint): OperatorMaker {
  return strict(operator, 0, MANY, (values) => {
    const bits = values.reduce<bigint>((all, value) => apply(all, bitsOf(operator, value)), none);
    return values.some((value) => typeof value === 'bigint') ? bits : Number(bits);
  });
}

export const bitOperators: Readonly<Record<string, OperatorMaker>> = {
  $bitAnd: fold('$bitAnd', -1n, (a, b) => a & b),
  $bitOr: fold('$bitOr', 0n, (a, b) => a | b),
  $bitXor: fold('$bitXor', 0n, (a, b) => a ^ b),
  $bitNot: strict('$bitNot', 1, 1, ([value]) => {
    const bits = ~bitsOf('$bitNot', value);
    return typeof value === 'bigint' ? bits : Number(bits);
  }),
};
