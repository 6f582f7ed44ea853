/**
 * Options that nobody knows are refused: most are misspelt, and one that is accepted and ignored loses what was meant by it
 * (`{ durabilty: 'fsync' }`). The compiler says so only to those who write TypeScript and a literal.
 */
import { PhantomError, SqlState } from './errors.js';

export type OptionNames = ReadonlySet<string>;

/** The names of an interface of options; the compiler asks for all of them. */
export function optionNames<T>(names: Record<keyof T, true>): OptionNames {
  return new Set(Object.keys(names));
}

/** 22023 when the options are no object, or have one that is not among the names; one that is undefined was not given. */
export function checkOptions(operation: string, options: object, names: OptionNames): void {
  if (typeof options !== 'object' || options === null) {
    throw new PhantomError(SqlState.InvalidParameterValue, `options of ${operation} must be an object`);
  }
  for (const name in options) {
    if (names.has(name) || (options as Record<string, unknown>)[name] === undefined) continue;
    throw new PhantomError(SqlState.InvalidParameterValue, `unknown option of ${operation}: ${name}`, {
      detail: `It takes ${[...names].join(', ')}.`,
    });
  }
}
