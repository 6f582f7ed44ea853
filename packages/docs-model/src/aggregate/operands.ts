/** What operators need for their operands: counts checked, nulls passed on, kinds asked for. */
import { badArgument } from '../errors.js';
import { type PlainObject, isObject, typeName } from '../order.js';
import type { Compiler, Evaluate, OperatorMaker } from './evaluate.js';
import type { Work } from './work.js';

/** Items of an operand that are looked at in a step. */
const ITEMS_PER_STEP = 8;

/** As many operands as are given. */
export const MANY: number = Number.MAX_SAFE_INTEGER;

/** An operator over so many operands, given as an array (or bare, when it is one). What it gives is counted, and its steps by the lengths of arrays. */
export function withOperands(
  name: string,
  least: number,
  most: number,
  apply: (values: unknown[], work: Work) => unknown,
): OperatorMaker {
  return (operand, compiler) => {
    const parts = compiler.operands(operand);
    if (parts.length < least || parts.length > most) {
      const wanted = least === most ? String(least) : most === MANY ? `at least ${least}` : `${least} to ${most}`;
      throw badArgument(`${name} takes ${wanted} operands, not ${parts.length}`);
    }
    return (root, variables) => {
      const { work } = variables;
      const mark = work.mark();
      const values = new Array<unknown>(parts.length);
      for (let i = 0; i < parts.length; i++) {
        const value = (parts[i] as Evaluate)(root, variables);
        if (Array.isArray(value)) work.step(value.length / ITEMS_PER_STEP, name);
        values[i] = value;
      }
      return work.settleAt(mark, apply(values, work), name);
    };
  };
}

/** As withOperands; null when one of them is null or missing. */
export function strict(
  name: string,
  least: number,
  most: number,
  apply: (values: unknown[], work: Work) => unknown,
): OperatorMaker {
  return withOperands(name, least, most, (values, work) => {
    for (const value of values) if (value === null || value === undefined) return null;
    return apply(values, work);
  });
}

/** Named operands: those of `names` compiled, others refused; the `required` ones must be there. */
export function named(
  operator: string,
  operand: unknown,
  compiler: Compiler,
  required: readonly string[],
  optional: readonly string[] = [],
): Map<string, Evaluate> {
  const fields = namedParts(operator, operand, required, optional);
  return new Map(Object.keys(fields).map((key) => [key, compiler.compile(fields[key])]));
}

/** As named, without compiling. */
export function namedParts(
  operator: string,
  operand: unknown,
  required: readonly string[],
  optional: readonly string[] = [],
): PlainObject {
  if (!isObject(operand)) throw badArgument(`${operator} needs an object`);
  for (const key of Object.keys(operand)) {
    if (!required.includes(key) && !optional.includes(key)) throw badArgument(`${operator} has no argument "${key}"`);
  }
  for (const key of required) {
    if (!Object.hasOwn(operand, key)) throw badArgument(`${operator} needs the argument "${key}"`);
  }
  return operand;
}

/** The value as an array, or 22023. */
export function arrayOf(operator: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw badArgument(`${operator} needs an array, not ${typeName(value)}`);
  return value as unknown[];
}

/** The value as text, or 22023. */
export function textOf(operator: string, value: unknown): string {
  if (typeof value !== 'string') throw badArgument(`${operator} needs text, not ${typeName(value)}`);
  return value;
}

/** The value as a whole number, or 22023. */
export function integerOf(operator: string, value: unknown): number {
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number)) {
    throw badArgument(`${operator} needs a whole number, not ${typeName(value)}`);
  }
  return number;
}
