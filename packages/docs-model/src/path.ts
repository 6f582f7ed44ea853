/**
 * Dotted paths and what they lead to. A path through an array means each of its elements that is an object, and, where the
 * next step is a number, the element of that index too. So a path may lead to many values, and to nothing in some of the places
 * it leads to; what an operator makes of that is its own concern.
 *
 *   a.b in {a: {b: 1}}            1
 *   a.b in {a: [{b: 1}, {}, 5]}   1 and missing (a scalar in an array is no place)
 *   a.1 in {a: [7, 8]}            8
 *   a.b in {a: 5} and in {}       missing
 *
 * Only own properties are looked at: `constructor` is missing unless the document has it.
 */
import { badArgument } from './errors.js';
import { type PlainObject, isObject } from './order.js';

export type Path = readonly string[];

const PATH_STEPS_MAX = 100;

/** The steps of a dotted path; 22023 for empty steps. */
export function parsePath(path: string): Path {
  if (path !== '' && !path.includes('.')) return [path];
  const steps = path.split('.');
  if (steps.includes('')) throw badArgument(`the path "${path}" has an empty step`);
  if (steps.length > PATH_STEPS_MAX) throw badArgument(`the path has more than ${PATH_STEPS_MAX} steps`);
  return steps;
}

/** A field of an object, undefined when it has none of its own. */
export function ownField(object: PlainObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Index that a step stands for, or -1. */
export function stepIndex(step: string): number {
  return /^(?:0|[1-9]\d{0,8})$/.test(step) ? Number(step) : -1;
}

/** Sets an own property, whatever its name. */
export function setField(object: PlainObject, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

/** Told of each place a path leads to: its value, undefined where there is none. True ends the walk. */
export type PlaceVisitor = (value: unknown) => boolean;

/** Walks to every place of the path in `value`. Arrays at the end are one place each. True when a visitor ended it. */
export function walkPath(value: unknown, path: Path, visit: PlaceVisitor, from = 0): boolean {
  let current = value;
  for (let i = from; i < path.length; i++) {
    const step = path[i] as string;
    if (Array.isArray(current)) {
      const index = stepIndex(step);
      if (index >= 0 && index < current.length && walkPath(current[index], path, visit, i + 1)) return true;
      for (const item of current) {
        if (isObject(item) && walkPath(item, path, visit, i)) return true;
      }
      // Without an element that is an object or has the index, the path leads nowhere: not even to a missing value.
      return false;
    }
    current = isObject(current) ? ownField(current, step) : undefined;
    if (current === undefined) return visit(undefined);
  }
  return visit(current);
}
