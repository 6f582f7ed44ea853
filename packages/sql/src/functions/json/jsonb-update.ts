/** jsonb made from jsonb: concatenation, deletion, jsonb_set and jsonb_insert. */
import { PhantomError } from '@phantom/base';
import { type DocumentValue, Jsonb, type SqlArray } from '@phantom/codec';
import { invalidParameter } from '../../types/sql-errors.js';
import { type Implementations, scalar } from '../implementation.js';

function concatenate(a: Jsonb, b: Jsonb): Jsonb {
  const x = a.value();
  const y = b.value();
  if (x instanceof Map && y instanceof Map) return Jsonb.of(new Map([...x, ...y]));
  return Jsonb.of([...(Array.isArray(x) ? x : [x]), ...(Array.isArray(y) ? y : [y])]);
}

function deleteKeys(json: Jsonb, keys: readonly (string | null)[]): Jsonb {
  const value = json.value();
  if (value instanceof Map) {
    for (const key of keys) if (key !== null) value.delete(key);
    return Jsonb.of(value);
  }
  if (!Array.isArray(value)) throw invalidParameter('cannot delete from scalar');
  return Jsonb.of(value.filter((item) => typeof item !== 'string' || !keys.includes(item)));
}

function deleteIndex(json: Jsonb, index: number): Jsonb {
  const value = json.value();
  if (value instanceof Map) throw invalidParameter('cannot delete from object using integer index');
  if (!Array.isArray(value)) throw invalidParameter('cannot delete from scalar');
  const at = index < 0 ? value.length + index : index;
  return at < 0 || at >= value.length ? json : Jsonb.of(value.filter((_, i) => i !== at));
}

/** What happens at the end of a path. */
interface PathEdit {
  readonly value: DocumentValue | undefined;
  readonly mode: 'delete' | 'replace' | 'create' | 'insert before' | 'insert after';
}

type Path = readonly (string | null)[];

function pathOf(path: SqlArray): Path {
  if (path.dimensions.length > 1) throw new PhantomError('2202E', 'wrong number of array subscripts');
  return path.items as Path;
}

function edit(node: DocumentValue, path: Path, level: number, change: PathEdit): DocumentValue {
  const key = path[level] ?? null;
  if (key === null) throw new PhantomError('22004', `path element at position ${level + 1} is null`);
  if (node instanceof Map) return editObject(node, key, path, level, change);
  if (Array.isArray(node)) return editArray(node, key, path, level, change);
  return node;
}

function editObject(
  object: Map<string, DocumentValue>,
  key: string,
  path: Path,
  level: number,
  change: PathEdit,
): DocumentValue {
  const known = object.get(key);
  const last = level === path.length - 1;
  if (known === undefined) {
    if (last && change.mode !== 'delete' && change.mode !== 'replace') object.set(key, change.value as DocumentValue);
    return object;
  }
  if (!last) {
    object.set(key, edit(known, path, level + 1, change));
  } else if (change.mode === 'delete') {
    object.delete(key);
  } else if (change.mode === 'replace' || change.mode === 'create') {
    object.set(key, change.value as DocumentValue);
  } else {
    throw invalidParameter('cannot replace existing key', 'Try using the function jsonb_set to replace key value.');
  }
  return object;
}

function editArray(items: DocumentValue[], key: string, path: Path, level: number, change: PathEdit): DocumentValue {
  if (!/^\s*[+-]?\d+\s*$/.test(key)) {
    throw new PhantomError('22P02', `path element at position ${level + 1} is not an integer: "${key}"`);
  }
  const index = Number(key);
  const last = level === path.length - 1;
  let at = index < 0 ? items.length + index : index;
  const adds = change.mode !== 'delete' && change.mode !== 'replace';
  if (at < 0) at = adds && last ? -1 : Number.NaN;
  if (Number.isNaN(at)) return items;
  if (at >= 0 && at < items.length && !last) {
    items[at] = edit(items[at] as DocumentValue, path, level + 1, change);
    return items;
  }
  if (!last) return items;
  const value = change.value as DocumentValue;
  if (at < 0 || at >= items.length) {
    // Past an end, new items go to that end.
    if (adds) {
      if (at < 0) items.unshift(value);
      else items.push(value);
    }
    return items;
  }
  switch (change.mode) {
    case 'delete':
      items.splice(at, 1);
      break;
    case 'insert before':
      items.splice(at, 0, value);
      break;
    case 'insert after':
      items.splice(at + 1, 0, value);
      break;
    default:
      items[at] = value;
  }
  return items;
}

function editPath(json: Jsonb, path: SqlArray, change: PathEdit, refusal: string): Jsonb {
  const keys = pathOf(path);
  if (json.kind !== 'object' && json.kind !== 'array') throw invalidParameter(refusal);
  if (keys.length === 0 || (json.count === 0 && (change.mode === 'delete' || change.mode === 'replace'))) return json;
  return Jsonb.of(edit(json.value(), keys, 0, change));
}

function set(json: Jsonb, path: SqlArray, value: Jsonb, create: boolean): Jsonb {
  return editPath(
    json,
    path,
    { value: value.value(), mode: create ? 'create' : 'replace' },
    'cannot set path in scalar',
  );
}

function insert(json: Jsonb, path: SqlArray, value: Jsonb, after: boolean): Jsonb {
  const mode = after ? 'insert after' : 'insert before';
  return editPath(json, path, { value: value.value(), mode }, 'cannot set path in scalar');
}

const deletion: PathEdit = { value: undefined, mode: 'delete' };

/** jsonb_set whose value may be null, treated as the last argument says. */
function setLax(
  json: Jsonb | null,
  path: SqlArray | null,
  value: Jsonb | null,
  create: boolean | null,
  treatment: string | null,
): Jsonb | null {
  if (json === null || path === null || create === null) return null;
  if (treatment === null) throw nullTreatmentError();
  if (value !== null) return set(json, path, value, create);
  switch (treatment) {
    case 'raise_exception':
      throw new PhantomError('22004', 'JSON value must not be null', {
        detail: 'Exception was raised because null_value_treatment is "raise_exception".',
        hint: 'To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.',
      });
    case 'use_json_null':
      return set(json, path, Jsonb.of(null), create);
    case 'delete_key':
      return editPath(json, path, deletion, 'cannot delete path in scalar');
    case 'return_target':
      return json;
    default:
      throw nullTreatmentError();
  }
}

function nullTreatmentError(): PhantomError {
  return invalidParameter(
    'null_value_treatment must be "delete_key", "return_target", "use_json_null", or "raise_exception"',
  );
}

export const jsonbUpdates: Implementations = {
  jsonb_concat: concatenate,
  jsonb_delete: (json: Jsonb, key: string) => deleteKeys(json, [key]),
  jsonb_delete_array: (json: Jsonb, keys: SqlArray) => {
    if (keys.dimensions.length > 1) throw new PhantomError('2202E', 'wrong number of array subscripts');
    return deleteKeys(json, keys.items as (string | null)[]);
  },
  jsonb_delete_idx: deleteIndex,
  jsonb_delete_path: (json: Jsonb, path: SqlArray) => editPath(json, path, deletion, 'cannot delete path in scalar'),
  jsonb_set: scalar(set, { defaults: [true] }),
  jsonb_set_lax: scalar(setLax, { defaults: [true, 'use_json_null'] }),
  jsonb_insert: scalar(insert, { defaults: [false] }),
};
