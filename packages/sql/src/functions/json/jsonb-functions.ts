/** Operators and functions of jsonb: reading. What changes documents is in jsonb-update.ts. */
import { PhantomError } from '@phantom/base';
import {
  type Decimal,
  type DocumentValue,
  Jsonb,
  ObjectId,
  type SqlArray,
  compareObjectKeys,
  newObjectId,
} from '@phantom/codec';
import { invalidParameter } from '../../types/sql-errors.js';
import { compareNodes } from '../../types/json-order.js';
import { formatJson, formatJsonPretty } from '../../types/json-text.js';
import { TypeOid } from '../../types/type-oids.js';
import type { Value } from '../../types/type.js';
import { doubleOf } from '../float-functions.js';
import { type Implementations, scalar, setOf } from '../implementation.js';
import { int4OfDecimal, int8OfDecimal } from '../integer-functions.js';
import { int2 } from '../integers.js';
import type { CallTypes, EvaluationContext } from '../registry.js';
import { argumentPairs, pairsOfArray, pairsOfArrays, variadicValues } from './json-functions.js';
import { jsonNode, nodeDecimal } from './json-values.js';

/** A part as `->>` shows it. */
export function jsonbText(part: Jsonb | undefined): string | null {
  if (part === undefined) return null;
  switch (part.kind) {
    case 'null':
      return null;
    case 'string':
      return part.text();
    default: {
      const text = formatJson(part.value());
      // Scalars that JSON lacks are shown as strings, in which nothing is escaped.
      return text.startsWith('"') ? text.slice(1, -1) : text;
    }
  }
}

/** A scalar at the top counts as an array of itself, as it is stored in PostgreSQL. */
function topElement(json: Jsonb, index: number): Jsonb | undefined {
  if (isContainer(json)) return element(json, index);
  return index === 0 || index === -1 ? json : undefined;
}

function element(json: Jsonb, index: number): Jsonb | undefined {
  if (json.kind !== 'array') return undefined;
  return json.element(index < 0 ? json.count + index : index);
}

function follow(json: Jsonb, path: SqlArray): Jsonb | undefined {
  let at: Jsonb | undefined = json;
  for (const key of path.items as (string | null)[]) {
    if (key === null || at === undefined) return undefined;
    if (at.kind === 'object') {
      at = at.field(key);
    } else if (at.kind === 'array' && /^\s*[+-]?\d+\s*$/.test(key) && Math.abs(Number(key)) <= 2147483647) {
      at = element(at, Number(key));
    } else {
      return undefined;
    }
  }
  return at;
}

/** jsonb @> jsonb. */
function contains(large: DocumentValue, small: DocumentValue, top: boolean): boolean {
  if (Array.isArray(small)) {
    if (!Array.isArray(large)) return false;
    return small.every((item) => large.some((other) => sameOrContains(other, item)));
  }
  if (small instanceof Map) {
    if (!(large instanceof Map)) return false;
    for (const [key, value] of small) {
      const other = large.get(key);
      if (other === undefined || !sameOrContains(other, value)) return false;
    }
    return true;
  }
  // An array contains its scalars, at the top only.
  if (Array.isArray(large)) return top && large.some((item) => isScalar(item) && compareNodes(item, small) === 0);
  return isScalar(large) && compareNodes(large, small) === 0;
}

function isScalar(node: DocumentValue): boolean {
  return !Array.isArray(node) && !(node instanceof Map);
}

function sameOrContains(large: DocumentValue, small: DocumentValue): boolean {
  if (isScalar(small)) return isScalar(large) && compareNodes(large, small) === 0;
  return contains(large, small, false);
}

/** `?`: a key of an object, a string of an array, or the string itself. */
function exists(json: Jsonb, key: string): boolean {
  switch (json.kind) {
    case 'object':
      return json.field(key) !== undefined;
    case 'array': {
      for (let i = 0; i < json.count; i++) {
        const item = json.element(i) as Jsonb;
        if (item.kind === 'string' && item.text() === key) return true;
      }
      return false;
    }
    case 'string':
      return json.text() === key;
    default:
      return false;
  }
}

const texts = (keys: SqlArray): string[] => keys.items.filter((key) => key !== null) as string[];

function elements(json: Jsonb): Jsonb[] {
  if (json.kind === 'object') throw invalidParameter('cannot extract elements from an object');
  if (json.kind !== 'array') throw invalidParameter('cannot extract elements from a scalar');
  return Array.from({ length: json.count }, (_, i) => json.element(i) as Jsonb);
}

function objectOf(json: Jsonb, functionName: string): Map<string, DocumentValue> {
  const value = json.value();
  if (value instanceof Map) return value;
  const what = Array.isArray(value)
    ? functionName === 'jsonb_object_keys'
      ? 'an array'
      : 'a non-object'
    : functionName === 'jsonb_object_keys'
      ? 'a scalar'
      : 'a non-object';
  throw invalidParameter(`cannot call ${functionName} on ${what}`);
}

function arrayLength(json: Jsonb): number {
  if (json.kind === 'array') return json.count;
  throw invalidParameter(`cannot get array length of a ${json.kind === 'object' ? 'non-array' : 'scalar'}`);
}

function stripNulls(node: DocumentValue): DocumentValue {
  if (Array.isArray(node)) return node.map(stripNulls);
  if (!(node instanceof Map)) return node;
  const kept = new Map<string, DocumentValue>();
  for (const [key, value] of node) if (value !== null) kept.set(key, stripNulls(value));
  return kept;
}

function typeName(json: Jsonb): string {
  const { kind } = json;
  return kind === 'int64' || kind === 'decimal' ? 'number' : kind;
}

function cannotCast(json: Jsonb, typeName_: string): PhantomError {
  const { kind } = json;
  const what =
    kind === 'null' || kind === 'string' || kind === 'boolean'
      ? `jsonb ${kind}`
      : kind === 'array' || kind === 'object'
        ? `jsonb ${kind}`
        : 'jsonb numeric';
  return new PhantomError('22023', `cannot cast ${what} to type ${typeName_}`);
}

function numberOf(json: Jsonb, target: string): Decimal {
  const decimal = isContainer(json) ? undefined : nodeDecimal(json.scalar());
  if (decimal === undefined) throw cannotCast(json, target);
  return decimal;
}

function isContainer(json: Jsonb): boolean {
  return json.kind === 'array' || json.kind === 'object';
}

/** Pairs as an object: of equal keys the last stays. */
function objectOfPairs(pairs: Iterable<readonly [string, DocumentValue]>): Jsonb {
  return Jsonb.of(new Map(pairs));
}

function buildObject(...args: unknown[]): Jsonb {
  const { context } = variadicValues(args);
  const object = new Map<string, DocumentValue>();
  for (const { key, value, oid } of argumentPairs(args)) object.set(key, jsonNode(value, oid, context));
  return Jsonb.of(object);
}

function buildArray(...args: unknown[]): Jsonb {
  const { values, types, context } = variadicValues(args);
  return Jsonb.of(values.map((value, i) => jsonNode(value, types[i]?.oid ?? TypeOid.text, context)));
}

const typed = { context: true, types: true } as const;

export const jsonbFunctions: Implementations = {
  jsonb_object_field: (json: Jsonb, key: string) => json.field(key) ?? null,
  jsonb_object_field_text: (json: Jsonb, key: string) => jsonbText(json.field(key)),
  jsonb_array_element: (json: Jsonb, index: number) => topElement(json, index) ?? null,
  jsonb_array_element_text: (json: Jsonb, index: number) => jsonbText(topElement(json, index)),
  jsonb_extract_path: (json: Jsonb, path: SqlArray) => follow(json, path) ?? null,
  jsonb_extract_path_text: (json: Jsonb, path: SqlArray) => jsonbText(follow(json, path)),
  jsonb_contains: (large: Jsonb, small: Jsonb) => contains(large.value(), small.value(), true),
  jsonb_contained: (small: Jsonb, large: Jsonb) => contains(large.value(), small.value(), true),
  jsonb_exists: exists,
  jsonb_exists_any: (json: Jsonb, keys: SqlArray) => texts(keys).some((key) => exists(json, key)),
  jsonb_exists_all: (json: Jsonb, keys: SqlArray) => texts(keys).every((key) => exists(json, key)),
  jsonb_array_length: arrayLength,
  jsonb_array_elements: setOf((json: Jsonb) => elements(json)),
  jsonb_array_elements_text: setOf((json: Jsonb) => elements(json).map(jsonbText)),
  jsonb_object_keys: setOf((json: Jsonb) => objectOf(json, 'jsonb_object_keys').keys()),
  jsonb_each: setOf((json: Jsonb) => fields(json, 'jsonb_each').map(([key, value]) => [key, value])),
  jsonb_each_text: setOf((json: Jsonb) =>
    fields(json, 'jsonb_each_text').map(([key, value]) => [key, jsonbText(value)]),
  ),
  jsonb_typeof: typeName,
  jsonb_strip_nulls: (json: Jsonb) => Jsonb.of(stripNulls(json.value())),
  objectid: (text: string) => Jsonb.of(ObjectId.fromHex(text)),
  objectid_new: () => Jsonb.of(newObjectId()),
  jsonb_pretty: (json: Jsonb) => formatJsonPretty(json.value()),
  jsonb_build_object: scalar(buildObject, typed),
  jsonb_build_object_noargs: () => Jsonb.of(new Map()),
  jsonb_build_array: scalar(buildArray, typed),
  jsonb_build_array_noargs: () => Jsonb.of([]),
  jsonb_object: (array: SqlArray) => objectOfPairs(pairsOfArray(array)),
  jsonb_object_two_arg: (keys: SqlArray, values: SqlArray) => objectOfPairs(pairsOfArrays(keys, values)),
  to_jsonb: scalar(
    (value: Value, context: EvaluationContext, types: CallTypes) =>
      Jsonb.of(jsonNode(value, types.arguments[0]?.oid ?? TypeOid.text, context)),
    typed,
  ),
  jsonb_bool: (json: Jsonb) => {
    if (json.kind !== 'boolean') throw cannotCast(json, 'boolean');
    return json.scalar();
  },
  jsonb_numeric: (json: Jsonb) => numberOf(json, 'numeric'),
  jsonb_int2: (json: Jsonb) => int2(int4OfDecimal(numberOf(json, 'smallint'))),
  jsonb_int4: (json: Jsonb) => int4OfDecimal(numberOf(json, 'integer')),
  jsonb_int8: (json: Jsonb) => int8OfDecimal(numberOf(json, 'bigint')),
  jsonb_float4: (json: Jsonb) => Math.fround(doubleOf(numberOf(json, 'real'))),
  jsonb_float8: (json: Jsonb) => doubleOf(numberOf(json, 'double precision')),
};

function fields(json: Jsonb, functionName: string): [string, Jsonb][] {
  const object = objectOf(json, functionName);
  return [...object.keys()].sort(compareObjectKeys).map((key) => [key, json.field(key) as Jsonb]);
}
