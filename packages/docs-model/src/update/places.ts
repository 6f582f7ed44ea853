/**
 * Changing a document at a path without touching what it was made from: containers on the way are copied, everything else is shared.
 * Paths of updates lead to one place, unlike those of filters: a number after an array is an index, anything else there is a mistake.
 */
import { badArgument } from '../errors.js';
import type { CompiledFilter } from '../filter/filter.js';
import { type PlainObject, isObject, typeName } from '../order.js';
import { ownField, setField, stepIndex } from '../path.js';

/** Given to take a field away. */
export const REMOVED: unique symbol = Symbol('removed');

/** What stands at a place, undefined for nothing, to what shall stand there; the same value changes nothing. */
export type Change = (value: unknown) => unknown;

/** Elements that a path may add to an array in one go: `a.1000000: 1` would fill up with nulls. */
const FILL_MAX = 10_000;

/** The container with `change` applied at the path behind `from`; itself when nothing changes. `create` makes what is missing. */
export function changeAt(
  container: unknown,
  path: readonly string[],
  change: Change,
  create: boolean,
  from = 0,
): unknown {
  if (from === path.length) return change(container);
  const step = path[from] as string;
  if (Array.isArray(container)) return changeElement(container, path, change, create, from, stepIndex(step));
  if (!isObject(container)) {
    if (container === undefined && create) return changeAt({}, path, change, create, from);
    if (!create) return container;
    throw badArgument(
      `cannot make field "${step}" in a value of type ${typeName(container)}`,
      `Path "${path.join('.')}".`,
    );
  }
  const before = ownField(container, step);
  if (before === undefined && !create) return container;
  const after = changeAt(before, path, change, create, from + 1);
  if (after === before) return container;
  return after === REMOVED || after === undefined ? withoutField(container, step) : withField(container, step, after);
}

function changeElement(
  array: readonly unknown[],
  path: readonly string[],
  change: Change,
  create: boolean,
  from: number,
  index: number,
): unknown {
  if (index < 0) {
    if (!create) return array;
    throw badArgument(`cannot make field "${path[from] as string}" in an array`, `Path "${path.join('.')}".`);
  }
  if (index >= array.length && !create) return array;
  if (index >= array.length + FILL_MAX) throw badArgument(`index ${index} is too far behind the array's end`);
  const before = array[index];
  const after = changeAt(before, path, change, create, from + 1);
  if (after === before && index < array.length) return array;
  if (index >= array.length && (after === undefined || after === REMOVED)) return array;
  const copy = [...array];
  while (copy.length < index) copy.push(null);
  // Taking an element away would move the others: null stands in its place.
  copy[index] = after === REMOVED ? null : after;
  return copy;
}

function withField(object: PlainObject, key: string, value: unknown): PlainObject {
  const copy: PlainObject = {};
  for (const name in object) if (Object.hasOwn(object, name)) setField(copy, name, name === key ? value : object[name]);
  if (!Object.hasOwn(object, key)) setField(copy, key, value);
  return copy;
}

function withoutField(object: PlainObject, key: string): PlainObject {
  const copy: PlainObject = {};
  for (const name of Object.keys(object)) if (name !== key) setField(copy, name, object[name]);
  return copy;
}

/** What stands at a path, undefined for nothing. */
export function placeValue(container: unknown, path: readonly string[]): unknown {
  let current = container;
  for (const step of path) {
    if (Array.isArray(current)) {
      const index = stepIndex(step);
      current = index < 0 ? undefined : (current as unknown[])[index];
    } else {
      current = isObject(current) ? ownField(current, step) : undefined;
    }
  }
  return current;
}

/** The first element of an array that satisfies what the filter asks of the array and of what is in it; -1: none does. */
export function matchedIndex(document: PlainObject, place: readonly string[], filter: CompiledFilter): number {
  const name = place.join('.');
  const array = placeValue(document, place);
  if (!Array.isArray(array)) return -1;
  const parts = filter.parts.filter(({ path }) => path === name || path.startsWith(`${name}.`));
  if (parts.length === 0) return -1;
  const alone = (item: unknown): PlainObject => changeAt(document, place, () => [item], true) as PlainObject;
  for (let i = 0; i < array.length; i++) {
    const single = alone(array[i]);
    if (parts.every(({ matches }) => matches(single))) return i;
  }
  return -1;
}

/** True when both are the same to the byte: types, order of fields, signs of zero. */
export function identical(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!identical(a[i], b[i])) return false;
    return true;
  }
  if (!isObject(a) || !isObject(b)) {
    return a.constructor === b.constructor && typeName(a) === typeName(b) && sameInstance(a, b);
  }
  if (differAtOnce(a, b)) return false;
  const aKeys = Object.keys(a);
  const bKeys = Object.keys(b);
  if (aKeys.length !== bKeys.length) return false;
  for (let i = 0; i < aKeys.length; i++) {
    const key = aKeys[i] as string;
    if (key !== bKeys[i] || !identical(a[key], b[key])) return false;
  }
  return true;
}

/** True when a field of both has two scalars: what most updates do, told without a list of keys. */
function differAtOnce(a: PlainObject, b: PlainObject): boolean {
  for (const key in a) {
    const value = a[key];
    if (typeof value !== 'object' && !Object.is(value, b[key])) return true;
  }
  return false;
}

function sameInstance(a: object, b: object): boolean {
  if (a instanceof Date) return a.getTime() === (b as Date).getTime();
  if (a instanceof Uint8Array) return Buffer.compare(a, b as Uint8Array) === 0;
  return String(a) === String(b);
}
