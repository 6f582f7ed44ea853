/** VARIADIC "any" functions called with an array: format('%s', VARIADIC array). */
import type { SqlArray } from '@phantom/codec';
import type { Value } from '../types/type.js';
import type { CallTypes, ScalarFunction } from './registry.js';

const spread = new WeakMap<ScalarFunction, ScalarFunction>();

/** format() takes a null array for no arguments; every other function gives null for it. */
const NULL_IS_EMPTY = 'format';

/** The function with its last argument, an array, spread out into arguments. */
export function spreadArray(definition: ScalarFunction): ScalarFunction {
  let made = spread.get(definition);
  if (made === undefined) {
    const call = definition.call as (...args: unknown[]) => Value;
    const extras = (definition.needsContext === true ? 1 : 0) + (definition.needsTypes === true ? 1 : 0);
    const wrapped = (...args: unknown[]): Value => {
      const at = args.length - extras - 1;
      const array = args[at] as SqlArray | null;
      if (array === null && definition.name !== NULL_IS_EMPTY) return null;
      const items = array === null ? [] : array.items;
      const rest = args.slice(at + 1);
      if (definition.needsTypes === true) {
        const types = rest[rest.length - 1] as CallTypes;
        const element = { oid: array?.elementOid ?? 25, typmod: -1 };
        rest[rest.length - 1] = { ...types, arguments: [...types.arguments.slice(0, at), ...items.map(() => element)] };
      }
      return call(...args.slice(0, at), ...items, ...rest);
    };
    made = { ...definition, call: wrapped as ScalarFunction['call'] };
    spread.set(definition, made);
  }
  return made;
}
