/** Operators and functions of json, which work on its text, and the builders of json values. */
import { PhantomError } from '@phantom/base';
import type { TypeRef } from '@phantom/catalog';
import { Json, type SqlArray } from '@phantom/codec';
import { invalidParameter } from '../../types/sql-errors.js';
import { quoteJson } from '../../types/json-text.js';
import { TypeOid } from '../../types/type-oids.js';
import type { Value } from '../../types/type.js';
import { type Implementations, scalar, setOf } from '../implementation.js';
import type { CallTypes, EvaluationContext } from '../registry.js';
import { type JsonSpan, jsonSpans, spanElement, spanField, spanText } from './json-spans.js';
import { jsonKey, jsonText } from './json-values.js';

function part(json: Json, span: JsonSpan | undefined): Json | null {
  return span === undefined ? null : new Json(json.text.slice(span.start, span.end));
}

function partText(json: Json, span: JsonSpan | undefined): string | null {
  return span === undefined ? null : spanText(json.text, span);
}

/** One step of a path: a key of an object, or an index of an array. */
function step(span: JsonSpan, key: string): JsonSpan | undefined {
  if (span.kind === 'object') return spanField(span, key);
  if (span.kind !== 'array' || !/^\s*[+-]?\d+\s*$/.test(key)) return undefined;
  const index = Number(key);
  return Math.abs(index) > 2147483647 ? undefined : spanElement(span, index);
}

function follow(json: Json, path: SqlArray): JsonSpan | undefined {
  let span: JsonSpan | undefined = jsonSpans(json.text);
  for (const key of path.items) {
    if (key === null || span === undefined) return undefined;
    span = step(span, key as string);
  }
  return span;
}

function scalarCall(what: string, functionName: string): PhantomError {
  return invalidParameter(`cannot call ${functionName} on ${what}`);
}

function elements(json: Json, functionName: string): readonly JsonSpan[] {
  const span = jsonSpans(json.text);
  if (span.kind === 'object') throw scalarCall('a non-array', functionName);
  if (span.kind !== 'array') throw scalarCall('a scalar', functionName);
  return span.items;
}

function fieldsOf(json: Json, functionName: string): JsonSpan['fields'] {
  const span = jsonSpans(json.text);
  if (span.kind === 'array') throw scalarCall('a non-object', functionName);
  if (span.kind !== 'object') throw scalarCall('a scalar', functionName);
  return span.fields;
}

function arrayLength(json: Json): number {
  const span = jsonSpans(json.text);
  if (span.kind === 'object') throw invalidParameter('cannot get array length of a non-array');
  if (span.kind !== 'array') throw invalidParameter('cannot get array length of a scalar');
  return span.items.length;
}

function stripNulls(text: string, span: JsonSpan): string {
  if (span.kind === 'array') return `[${span.items.map((item) => stripNulls(text, item)).join(',')}]`;
  if (span.kind === 'string') return quoteJson(spanText(text, span) as string);
  if (span.kind !== 'object') return text.slice(span.start, span.end);
  const fields = span.fields.filter((field) => field.value.kind !== 'null');
  return `{${fields.map((field) => `${quoteJson(field.key)}:${stripNulls(text, field.value)}`).join(',')}}`;
}

/** Values and types of a VARIADIC "any" call; context and types stand last in its arguments. */
export function variadicValues(args: readonly unknown[]): {
  readonly values: readonly Value[];
  readonly types: readonly TypeRef[];
  readonly context: EvaluationContext;
} {
  return {
    values: args.slice(0, -2),
    types: (args[args.length - 1] as CallTypes).arguments,
    context: args[args.length - 2] as EvaluationContext,
  };
}

/** Pairs of json_build_object's arguments. */
export function* argumentPairs(args: readonly unknown[]): Iterable<{
  readonly key: string;
  readonly value: Value;
  readonly oid: number;
}> {
  const { values, types, context } = variadicValues(args);
  if (values.length % 2 !== 0) {
    throw invalidParameter(
      'argument list must have even number of elements',
      'The arguments of json_build_object() must consist of alternating keys and values.',
    );
  }
  for (let i = 0; i < values.length; i += 2) {
    const key = jsonKey(values[i], types[i]?.oid ?? TypeOid.text, context, i + 1);
    yield { key, value: values[i + 1], oid: types[i + 1]?.oid ?? TypeOid.text };
  }
}

function buildObject(...args: unknown[]): Json {
  const { context } = variadicValues(args);
  const parts: string[] = [];
  for (const { key, value, oid } of argumentPairs(args))
    parts.push(`${quoteJson(key)} : ${jsonText(value, oid, context)}`);
  return new Json(`{${parts.join(', ')}}`);
}

function buildArray(...args: unknown[]): Json {
  const { values, types, context } = variadicValues(args);
  return new Json(`[${values.map((value, i) => jsonText(value, types[i]?.oid ?? TypeOid.text, context)).join(', ')}]`);
}

/** Keys and values of json_object(text[]): pairs in one dimension, or rows of two. */
export function pairsOfArray(array: SqlArray): readonly (readonly [string, string | null])[] {
  const { items, dimensions } = array;
  if (dimensions.length > 2) throw new PhantomError('2202E', 'wrong number of array subscripts');
  if (dimensions.length === 2 && dimensions[1] !== 2) throw new PhantomError('2202E', 'array must have two columns');
  if (dimensions.length === 1 && items.length % 2 !== 0) {
    throw new PhantomError('2202E', 'array must have even number of elements');
  }
  const pairs: (readonly [string, string | null])[] = [];
  for (let i = 0; i < items.length; i += 2) pairs.push([keyOf(items[i]), items[i + 1] as string | null]);
  return pairs;
}

/** Keys and values of json_object(text[], text[]). */
export function pairsOfArrays(keys: SqlArray, values: SqlArray): readonly (readonly [string, string | null])[] {
  if (keys.dimensions.length > 1 || keys.dimensions.length !== values.dimensions.length) {
    throw new PhantomError('2202E', 'wrong number of array subscripts');
  }
  if (keys.items.length !== values.items.length) throw new PhantomError('2202E', 'mismatched array dimensions');
  return keys.items.map((key, i) => [keyOf(key), values.items[i] as string | null]);
}

function keyOf(key: Value): string {
  if (key === null) throw new PhantomError('22004', 'null value not allowed for object key');
  return key as string;
}

function objectOfPairs(pairs: readonly (readonly [string, string | null])[]): Json {
  const parts = pairs.map(([key, value]) => `${quoteJson(key)} : ${value === null ? 'null' : quoteJson(value)}`);
  return new Json(`{${parts.join(', ')}}`);
}

const typed = { context: true, types: true } as const;

/** to_json and array_to_json over whatever type the argument has. */
const toJson = (pretty: boolean) =>
  scalar(
    (value: Value, context: EvaluationContext, types: CallTypes) =>
      new Json(jsonText(value, types.arguments[0]?.oid ?? TypeOid.text, context, pretty)),
    typed,
  );

const toJsonMaybePretty = scalar(
  (value: Value, pretty: boolean, context: EvaluationContext, types: CallTypes) =>
    new Json(jsonText(value, types.arguments[0]?.oid ?? TypeOid.text, context, pretty)),
  typed,
);

export const jsonFunctions: Implementations = {
  json_object_field: (json: Json, key: string) => part(json, spanField(jsonSpans(json.text), key)),
  json_object_field_text: (json: Json, key: string) => partText(json, spanField(jsonSpans(json.text), key)),
  json_array_element: (json: Json, index: number) => part(json, spanElement(jsonSpans(json.text), index)),
  json_array_element_text: (json: Json, index: number) => partText(json, spanElement(jsonSpans(json.text), index)),
  json_extract_path: (json: Json, path: SqlArray) => part(json, follow(json, path)),
  json_extract_path_text: (json: Json, path: SqlArray) => partText(json, follow(json, path)),
  json_array_length: arrayLength,
  json_array_elements: setOf((json: Json) => elements(json, 'json_array_elements').map((span) => part(json, span))),
  json_array_elements_text: setOf((json: Json) =>
    elements(json, 'json_array_elements_text').map((span) => partText(json, span)),
  ),
  json_object_keys: setOf((json: Json) => fieldsOf(json, 'json_object_keys').map((field) => field.key)),
  json_each: setOf((json: Json) => deconstruct(json).map((field) => [field.key, part(json, field.value)])),
  json_each_text: setOf((json: Json) => deconstruct(json).map((field) => [field.key, partText(json, field.value)])),
  json_typeof: (json: Json) => jsonSpans(json.text).kind,
  json_strip_nulls: (json: Json) => new Json(stripNulls(json.text, jsonSpans(json.text))),
  json_build_object: scalar(buildObject, typed),
  json_build_object_noargs: () => new Json('{}'),
  json_build_array: scalar(buildArray, typed),
  json_build_array_noargs: () => new Json('[]'),
  json_object: (array: SqlArray) => objectOfPairs(pairsOfArray(array)),
  json_object_two_arg: (keys: SqlArray, values: SqlArray) => objectOfPairs(pairsOfArrays(keys, values)),
  to_json: toJson(false),
  array_to_json: toJson(false),
  array_to_json_pretty: toJsonMaybePretty,
  row_to_json: toJson(false),
  row_to_json_pretty: toJsonMaybePretty,
};

/** json_each words its refusals in its own way. */
function deconstruct(json: Json): JsonSpan['fields'] {
  const span = jsonSpans(json.text);
  if (span.kind === 'array') throw invalidParameter('cannot deconstruct an array as an object');
  if (span.kind !== 'object') throw invalidParameter('cannot deconstruct a scalar');
  return span.fields;
}
