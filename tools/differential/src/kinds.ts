/** Kinds of values that generated queries work with, and constants of each. Few values, so that they meet each other. */
import type { Random } from '@phantom/base';

export type Kind = 'int' | 'bigint' | 'numeric' | 'float' | 'text' | 'bool' | 'date';

export const KINDS: readonly Kind[] = ['int', 'bigint', 'numeric', 'float', 'text', 'bool', 'date'];

export const SQL_TYPES: Readonly<Record<Kind, string>> = {
  int: 'integer',
  bigint: 'bigint',
  numeric: 'numeric',
  float: 'double precision',
  text: 'text',
  bool: 'boolean',
  date: 'date',
};

/**
 * Equal values look alike, for which of them DISTINCT keeps is nobody's promise: all numerics have two decimals. Floats are
 * sums of quarters: adding them is exact, so the order of addition does not show.
 */
const CONSTANTS: Readonly<Record<Kind, readonly string[]>> = {
  int: ['0', '1', '2', '3', '-1', '-7', '20'],
  bigint: ['0', '1', '-1', '9007199254740993', '-9007199254740993', '4000000000'],
  numeric: ['0.00', '1.00', '1.50', '-2.25', '100.00', '0.01', '123456789012345678901234.56'],
  float: ['0', '1', '0.25', '-1.5', '20', '1048576.75'],
  text: ["''", "'a'", "'A'", "'ab'", "'b'", "'a b'", "'é'", "'a%'", "'10'", "'Zz'"],
  bool: ['true', 'false'],
  date: ["'2020-01-01'", "'2020-02-29'", "'1999-12-31'", "'2024-06-15'"],
};

/** A constant that says its type itself; NULL with the given probability. */
export function constantOf(random: Random, kind: Kind, nulls = 0.15): string {
  if (random.chance(nulls)) return `null::${SQL_TYPES[kind]}`;
  return `${plainConstant(random, kind)}::${SQL_TYPES[kind]}`;
}

/** As constantOf, bare and never NULL; negative numbers stand in parentheses. */
function plainConstant(random: Random, kind: Kind): string {
  const text = random.pick(CONSTANTS[kind]);
  return text.startsWith('-') ? `(${text})` : text;
}
