/**
 * Sums, differences and products of decimals as arithmetic of their unscaled numbers, where the columns come as such (vectors of a
 * column index have one scale each): no decimal is made for a row. It is exact while every number on the way is a safe integer; any other
 * comes out as NaN or past the safe integers, and then the expression is evaluated as usual.
 */
import { Decimal, POWERS_OF_TEN } from '@phantom/codec';
import type { Expression } from '../../expr/expression.js';
import type { Emitter } from '../code/emitter.js';
import { and, binary, call, conditional, literal, type BinaryOperator, type Code } from '../code/ir.js';
import type { Row, Scaled } from './row-scope.js';

/** PostgreSQL's functions behind the operators of numeric. */
const ARITHMETIC: ReadonlyMap<number, BinaryOperator> = new Map([
  [1724, '+'],
  [1725, '-'],
  [1726, '*'],
]);

const NOT_SAFE = literal(Number.NaN);

/** The value of the expression as a number and a scale; undefined where it is not made of such. */
export function scaledValue(emitter: Emitter, row: Row, expression: Expression): Scaled | undefined {
  switch (expression.kind) {
    case 'column':
      return row.get(expression.column)?.scaled?.(emitter);
    case 'constant': {
      const { value } = expression;
      if (!(value instanceof Decimal) || !Number.isSafeInteger(value.unscaled)) return undefined;
      return { unscaled: literal(value.unscaled as number), scale: literal(value.scale) };
    }
    case 'call': {
      const operator = ARITHMETIC.get(expression.function.oid);
      const [left, right] = expression.arguments;
      if (operator === undefined || left === undefined || right === undefined) return undefined;
      const a = scaledValue(emitter, row, left);
      const b = a === undefined ? undefined : scaledValue(emitter, row, right);
      return a === undefined || b === undefined ? undefined : combined(emitter, operator, a, b);
    }
    default:
      return undefined;
  }
}

/** Two values as numbers of one scale, each NaN where it is not exact; undefined where they are not made of such columns. */
export function alignedPair(
  emitter: Emitter,
  row: Row,
  left: Expression,
  right: Expression,
): readonly [Code, Code] | undefined {
  const a = scaledValue(emitter, row, left);
  const b = a === undefined ? undefined : scaledValue(emitter, row, right);
  if (a === undefined || b === undefined) return undefined;
  // A constant is brought to the other side's scale once, not every row to its.
  const [isLeftFixed, isRightFixed] = [isFixed(a), isFixed(b)];
  if (isLeftFixed && isRightFixed) return undefined;
  if (isLeftFixed) return [fixedAt(emitter, a, b.scale), b.unscaled];
  if (isRightFixed) return [a.unscaled, fixedAt(emitter, b, a.scale)];
  const scale = atHead(emitter, Math.max, a.scale, b.scale);
  return [aligned(emitter, a, scale), aligned(emitter, b, scale)];
}

function isFixed({ unscaled, scale }: Scaled): boolean {
  return unscaled.kind === 'literal' && scale.kind === 'literal';
}

function fixedAt(emitter: Emitter, { unscaled, scale }: Scaled, to: Code): Code {
  const { value } = unscaled as { readonly value: number };
  const bring = (from: number, wanted: number): number => {
    const number = value * factorBetween(from, wanted);
    return Number.isSafeInteger(number) ? number : Number.NaN;
  };
  return emitter.hoist(`${value} of ${nameOf(scale)} at ${nameOf(to)}`, call(emitter.constant(bring), scale, to));
}

/** True for a number that is exact. */
export function isSafe(value: Code): Code {
  return and(
    binary('<=', value, literal(Number.MAX_SAFE_INTEGER)),
    binary('>=', value, literal(Number.MIN_SAFE_INTEGER)),
  );
}

function combined(emitter: Emitter, operator: BinaryOperator, a: Scaled, b: Scaled): Scaled {
  if (operator === '*') {
    return {
      unscaled: checked(emitter, binary('*', a.unscaled, b.unscaled)),
      scale: atHead(emitter, addScales, a.scale, b.scale),
    };
  }
  const scale = atHead(emitter, Math.max, a.scale, b.scale);
  return {
    unscaled: checked(emitter, binary(operator, aligned(emitter, a, scale), aligned(emitter, b, scale))),
    scale,
  };
}

function aligned(emitter: Emitter, { unscaled, scale }: Scaled, to: Code): Code {
  return checked(emitter, binary('*', unscaled, atHead(emitter, factorBetween, scale, to)));
}

function checked(emitter: Emitter, value: Code): Code {
  const number = emitter.let(value);
  return emitter.let(conditional(isSafe(number), number, NOT_SAFE));
}

function addScales(a: number, b: number): number {
  return a + b;
}

/** What a number is multiplied with for a greater scale. */
function factorBetween(from: number, to: number): number {
  return POWERS_OF_TEN[to - from] ?? Number.NaN;
}

/** A function of scales, which are the same for all rows of a call: computed once, at the head. */
function atHead(emitter: Emitter, compute: (a: number, b: number) => number, a: Code, b: Code): Code {
  if (a.kind === 'literal' && b.kind === 'literal') return literal(compute(a.value as number, b.value as number));
  const name = `${compute.name} ${nameOf(a)} ${nameOf(b)}`;
  return emitter.hoist(name, call(emitter.constant(compute), a, b));
}

function nameOf(code: Code): string {
  return code.kind === 'local' ? `local${code.id}` : String((code as { readonly value?: unknown }).value);
}
