/**
 * Calls that are written out in generated code instead of called, because they are a few machine instructions: comparisons
 * of primitives and integer arithmetic. Whatever is not here is called, or written by its own `inline`.
 */
import { PhantomError } from '@phantom/base';
import type { TypeRef } from '@phantom/catalog';
import type { Call, ComparisonRole } from '../../expr/expression.js';
import { TypeOid } from '../../types/type-oids.js';
import { and, binary, conditional, literal, or, type BinaryOperator, type Code } from '../code/ir.js';
import type { Emitter } from '../code/emitter.js';

/** Types whose canonical values are in SQL's order under JavaScript's operators, whatever two of one family meet. */
const ORDERED_FAMILY: ReadonlyMap<number, number> = new Map([
  [TypeOid.int2, 1],
  [TypeOid.int4, 1],
  [TypeOid.int8, 1],
  [TypeOid.oid, 2],
  [TypeOid.bool, 3],
  [TypeOid.date, 4],
  [TypeOid.timestamp, 5],
  [TypeOid.timestamptz, 6],
  [TypeOid.time, 7],
  [TypeOid.uuid, 8],
]);

/** Types of strings for which equality is identity (unless a collation says otherwise). */
const STRING_TYPES: ReadonlySet<number> = new Set([TypeOid.text, TypeOid.varchar, TypeOid.name]);

/** True for texts without a collation: they are equal when their bytes are. */
export function isPlainText(type: TypeRef): boolean {
  return STRING_TYPES.has(type.oid) && type.collation === undefined;
}

const OPERATORS: Readonly<Record<ComparisonRole, BinaryOperator>> = {
  '=': '===',
  '<>': '!==',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};

/** True when values of the type are their own hash keys. */
export function isOwnHashKey(oid: number): boolean {
  return ORDERED_FAMILY.has(oid) || STRING_TYPES.has(oid) || oid === TypeOid.float8 || oid === TypeOid.float4;
}

/** True when values of the type are alike in every respect or not equal at all under `===`; floats have two zeros. */
export function hasIdentity(oid: number): boolean {
  return ORDERED_FAMILY.has(oid) || STRING_TYPES.has(oid);
}

/** True when `<` of JavaScript orders values of the type as SQL does. */
export function isOwnOrder(oid: number): boolean {
  return ORDERED_FAMILY.has(oid);
}

/** Types whose values fit IntegerTable. */
export function isSmallInteger(oid: number): boolean {
  return oid === TypeOid.int2 || oid === TypeOid.int4;
}

const EQUALITY: ReadonlySet<string> = new Set(['=', '<>']);

/** The JavaScript operator that does what a comparison does; undefined when a call is needed. */
export function comparisonOperator(call: Call): BinaryOperator | undefined {
  const role = call.operator?.role;
  const left = call.arguments[0]?.type;
  const right = call.arguments[1]?.type;
  if (role === undefined || left === undefined || right === undefined) return undefined;
  const family = ORDERED_FAMILY.get(left.oid);
  if (family !== undefined && family === ORDERED_FAMILY.get(right.oid)) return OPERATORS[role];
  return isPlainText(left) && isPlainText(right) && EQUALITY.has(role) ? OPERATORS[role] : undefined;
}

/** Casts that keep the canonical value as it is: integers and floats to wider ones. */
const WIDENING: ReadonlyMap<number, ReadonlySet<number>> = new Map([
  [TypeOid.int2, new Set<number>([TypeOid.int4, TypeOid.int8])],
  [TypeOid.int4, new Set<number>([TypeOid.int8])],
  [TypeOid.float4, new Set<number>([TypeOid.float8])],
]);

export function isWidening(source: number, target: number): boolean {
  return WIDENING.get(source)?.has(target) === true;
}

const INT4_MIN = -2147483648;
const INT4_MAX = 2147483647;

function integerOutOfRange(): never {
  throw new PhantomError('22003', 'integer out of range');
}

function divisionByZero(): never {
  throw new PhantomError('22012', 'division by zero');
}

/** Oids of PostgreSQL's functions behind integer and float operators. */
const INT4_ARITHMETIC: ReadonlyMap<number, BinaryOperator> = new Map([
  [177, '+'],
  [181, '-'],
  [141, '*'],
]);
const FLOAT8_ARITHMETIC: ReadonlyMap<number, BinaryOperator> = new Map([
  [218, '+'],
  [219, '-'],
  [216, '*'],
]);
/** int4mod behind the operator, and mod(int4, int4). */
const INT4_MOD: ReadonlySet<number> = new Set([156, 941]);

/** Writes the arithmetic of a call over non-null atoms; undefined when it is none of these. */
export function arithmetic(emitter: Emitter, call: Call, left: Code, right: Code): Code | undefined {
  const { oid } = call.function;
  const integer = INT4_ARITHMETIC.get(oid);
  if (integer !== undefined) {
    const product = binary(integer, left, right);
    // Adding zero turns -0 into 0.
    const value = emitter.let(integer === '*' ? binary('+', product, literal(0)) : product);
    const outside = or(binary('>', value, literal(INT4_MAX)), binary('<', value, literal(INT4_MIN)));
    const raise: Code = { kind: 'call', target: emitter.constant(integerOutOfRange), arguments: [] };
    return conditional(outside, raise, value);
  }
  const float = FLOAT8_ARITHMETIC.get(oid);
  if (float !== undefined) {
    const value = emitter.let(binary(float, left, right));
    // A finite result is right; the function decides about the others (overflow is an error).
    const zero = literal(0);
    const finite = binary('===', binary('-', value, value), zero);
    // A product that vanished may be an underflow: the function looks.
    const fine = float === '*' ? and(finite, binary('!==', value, zero)) : finite;
    const slow: Code = { kind: 'call', target: emitter.constant(call.function.call), arguments: [left, right] };
    return conditional(fine, value, slow);
  }
  if (INT4_MOD.has(oid)) {
    const raise: Code = { kind: 'call', target: emitter.constant(divisionByZero), arguments: [] };
    const remainder = binary('+', binary('%', left, right), literal(0));
    return conditional(binary('===', right, literal(0)), raise, remainder);
  }
  return undefined;
}
