/**
 * Assignment by subscripts to jsonb: `set j['a'][2] = x`. What is missing on the way is made, an object for a key and an
 * array for a number; arrays are filled with nulls up to the place. After jsonb_subscript_assign of PostgreSQL.
 */
import { PhantomError } from '@phantom/base';
import { type DocumentValue, Jsonb } from '@phantom/codec';
import { invalidParameter } from '../../types/sql-errors.js';

/** Most items an array may be filled up to: a slip of the finger is not to take all memory. */
const ITEMS_MAX = 16_777_216;

function integerOf(key: string): number | undefined {
  return /^\s*[+-]?\d+$/.test(key) ? Number(key) : undefined;
}

/** The containers that a path makes around a value where there is nothing. */
function wrap(path: readonly string[], level: number, value: DocumentValue): DocumentValue {
  const key = path[level];
  if (key === undefined) return value;
  const inner = wrap(path, level + 1, value);
  const index = integerOf(key);
  if (index === undefined) return new Map([[key, inner]]);
  return filled([], index, inner, level);
}

function filled(items: DocumentValue[], index: number, value: DocumentValue, level: number): DocumentValue[] {
  if (index < 0) {
    throw invalidParameter(`path element at position ${level + 1} is out of range: ${index}`);
  }
  if (index >= ITEMS_MAX) {
    throw new PhantomError('54000', `number of jsonb array elements exceeds the maximum allowed (${ITEMS_MAX})`);
  }
  while (items.length < index) items.push(null);
  items[index] = value;
  return items;
}

function put(node: DocumentValue, path: readonly string[], level: number, value: DocumentValue): DocumentValue {
  const key = path[level];
  if (key === undefined) return value;
  if (node instanceof Map) {
    const known = node.get(key);
    node.set(key, known === undefined ? wrap(path, level + 1, value) : put(known, path, level + 1, value));
    return node;
  }
  if (Array.isArray(node)) {
    const index = integerOf(key);
    if (index === undefined) {
      throw new PhantomError('22P02', `path element at position ${level + 1} is not an integer: "${key}"`);
    }
    const at = index < 0 ? node.length + index : index;
    if (at < 0) throw invalidParameter(`path element at position ${level + 1} is out of range: ${index}`);
    const known = node[at];
    if (known !== undefined) {
      node[at] = put(known, path, level + 1, value);
      return node;
    }
    return filled(node, at, wrap(path, level + 1, value), level);
  }
  throw new PhantomError('22023', 'cannot replace existing key', {
    detail: 'The path assumes key is a composite object, but it is a scalar value.',
  });
}

/** The document (null: none yet, made by the kind of the first subscript) with the value put at the path; a document's fields keep their order. */
export function assignPath(
  document: Jsonb | null,
  path: readonly (string | null)[],
  arrayFirst: boolean,
  value: Jsonb | null,
): Jsonb {
  const keys = path.map((key) => {
    if (key === null) throw new PhantomError('22004', 'jsonb subscript in assignment must not be null');
    return key;
  });
  const node: DocumentValue =
    document === null ? (arrayFirst ? [] : new Map<string, DocumentValue>()) : document.value();
  const assigned = put(node, keys, 0, value === null ? null : value.value());
  return document?.isOrdered === true ? Jsonb.ordered(assigned) : Jsonb.of(assigned);
}
