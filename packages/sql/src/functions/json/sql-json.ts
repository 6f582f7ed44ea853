/**
 * JSON_EXISTS, JSON_VALUE, JSON_QUERY, IS JSON and the constructors of SQL/JSON at run time. A query function runs a path
 * over a document; nothing found and anything wrong lead where ON EMPTY and ON ERROR say.
 */
import { PhantomError, isPhantomError } from '@phantom/base';
import type { TypeRef } from '@phantom/catalog';
import { type DocumentValue, Json, Jsonb } from '@phantom/codec';
import { formatJson, parseJson, quoteJson } from '../../types/json-text.js';
import { TypeOid } from '../../types/type-oids.js';
import type { Value } from '../../types/type.js';
import { pathItems } from '../jsonpath/jsonpath-functions.js';
import { type PathItem, itemJsonb } from '../jsonpath/path-execution.js';
import type { EvaluationContext } from '../registry.js';
import { jsonAsType } from './json-populate.js';
import { type JsonSpan, jsonSpans } from './json-spans.js';
import { jsonKey, jsonText } from './json-values.js';
import { jsonView } from './json-view.js';

/** Where nothing found or an error leads; `value` is that of DEFAULT. */
export interface JsonOutcome {
  readonly action: string;
  readonly value: Value;
}

/** How a query function makes its result. */
export interface JsonQuerySpec {
  readonly function: 'exists' | 'value' | 'query';
  readonly wrapper: 'without' | 'conditional' | 'unconditional';
  readonly omitQuotes: boolean;
  readonly type: TypeRef;
}

const isScalarItem = (item: PathItem): boolean => !Array.isArray(item) && !(item instanceof Map);

/** A scalar item as text, JSON's null as null. */
function scalarText(item: PathItem): string | null {
  const value = itemJsonb(item).value();
  if (value === null) return null;
  return typeof value === 'string' ? value : formatJson(value);
}

function asType(value: DocumentValue, spec: JsonQuerySpec, context: EvaluationContext): Value {
  const { oid, typmod } = spec.type;
  const document = Jsonb.of(value);
  if (spec.omitQuotes && typeof value === 'string') {
    return context.types.byOid(oid)?.input(value, typmod, context) ?? null;
  }
  if (oid === TypeOid.jsonb) return document;
  if (oid === TypeOid.json) return new Json(formatJson(value));
  const type = context.types.byOid(oid);
  if (type?.category === 'S') return type.input(formatJson(value), typmod, context);
  return jsonAsType(jsonView(document), spec.type, context);
}

const singleItem = (name: string): PhantomError =>
  new PhantomError('22034', `JSON path expression in ${name} should return single item without wrapper`, {
    hint: 'Use the WITH WRAPPER clause to wrap SQL/JSON items into an array.',
  });

function valueOf(items: readonly PathItem[], spec: JsonQuerySpec, context: EvaluationContext): Value {
  const [item] = items as [PathItem];
  if (items.length > 1 || !isScalarItem(item)) {
    const code = items.length > 1 ? '22034' : '2203F';
    throw new PhantomError(code, 'JSON path expression in JSON_VALUE should return single scalar item');
  }
  const { oid, typmod } = spec.type;
  if (oid === TypeOid.jsonb || oid === TypeOid.json) {
    const value = itemJsonb(item).value();
    return value === null ? null : asType(value, spec, context);
  }
  const text = scalarText(item);
  return text === null ? null : (context.types.byOid(oid)?.input(text, typmod, context) ?? null);
}

function queried(items: readonly PathItem[], spec: JsonQuerySpec, context: EvaluationContext): Value {
  const values = items.map((item) => itemJsonb(item).value());
  const wraps = spec.wrapper === 'unconditional' || (spec.wrapper === 'conditional' && values.length > 1);
  if (!wraps && values.length > 1) throw singleItem('JSON_QUERY');
  return asType(wraps ? values : (values[0] as DocumentValue), spec, context);
}

/** What an outcome stands for. */
function outcomeValue(outcome: JsonOutcome, spec: JsonQuerySpec, context: EvaluationContext): Value {
  switch (outcome.action) {
    case 'true':
      return true;
    case 'false':
      return false;
    case 'empty':
    case 'empty-array':
      return asType([], spec, context);
    case 'empty-object':
      return asType(new Map(), spec, context);
    case 'default':
      return outcome.value;
    default:
      return null;
  }
}

/** The result of a query function over a document that is not null. */
export function runJsonQuery(
  document: DocumentValue,
  path: string,
  variables: ReadonlyMap<string, DocumentValue>,
  spec: JsonQuerySpec,
  onEmpty: JsonOutcome,
  onError: JsonOutcome,
  context: EvaluationContext,
): Value {
  try {
    const items = pathItems(document, path, variables, context.timeZone);
    if (spec.function === 'exists') return items.length > 0;
    if (items.length === 0 && onEmpty.action !== 'error') return outcomeValue(onEmpty, spec, context);
    if (items.length > 0)
      return spec.function === 'value' ? valueOf(items, spec, context) : queried(items, spec, context);
  } catch (error) {
    // Data that does not fit leads to ON ERROR; anything else is not the data's fault.
    if (!isPhantomError(error) || !error.code.startsWith('22') || onError.action === 'error') throw error;
    return outcomeValue(onError, spec, context);
  }
  throw new PhantomError('22035', 'no SQL/JSON item found for specified path');
}

function hasDuplicateKeys(span: JsonSpan): boolean {
  if (new Set(span.fields.map((field) => field.key)).size < span.fields.length) return true;
  return span.fields.some((field) => hasDuplicateKeys(field.value)) || span.items.some(hasDuplicateKeys);
}

/** IS JSON: the value is null, a text, bytes, or json already. */
export function isJson(value: Value, kind: string, uniqueKeys: boolean): boolean | null {
  if (value === null) return null;
  let text: string;
  if (value instanceof Json) ({ text } = value);
  else if (value instanceof Jsonb) text = formatJson(value.value());
  else text = value instanceof Uint8Array ? new TextDecoder().decode(value) : (value as string);
  try {
    parseJson(text);
  } catch {
    return false;
  }
  const span = jsonSpans(text);
  if (kind === 'object' ? span.kind !== 'object' : kind === 'array' && span.kind !== 'array') return false;
  if (kind === 'scalar' && (span.kind === 'object' || span.kind === 'array')) return false;
  return !uniqueKeys || !hasDuplicateKeys(span);
}

/** JSON_OBJECT of keys and values in turns. */
export function jsonObject(
  members: readonly Value[],
  types: readonly TypeRef[],
  absentOnNull: boolean,
  uniqueKeys: boolean,
  context: EvaluationContext,
): Json {
  const parts: string[] = [];
  const seen = new Set<string>();
  for (let i = 0; i < members.length; i += 2) {
    const key = jsonKey(members[i], (types[i] as TypeRef).oid, context);
    const value = members[i + 1];
    if (uniqueKeys && seen.has(key)) {
      throw new PhantomError('22030', `duplicate JSON object key value: ${quoteJson(key)}`);
    }
    seen.add(key);
    if (value === null && absentOnNull) continue;
    parts.push(`${quoteJson(key)} : ${jsonText(value, (types[i + 1] as TypeRef).oid, context)}`);
  }
  return new Json(`{${parts.join(', ')}}`);
}

/** JSON_ARRAY of values. */
export function jsonArray(
  items: readonly Value[],
  oidOf: (index: number) => number,
  absentOnNull: boolean,
  context: EvaluationContext,
): Json {
  const parts: string[] = [];
  items.forEach((item, i) => {
    if (item !== null || !absentOnNull) parts.push(jsonText(item, oidOf(i), context));
  });
  return new Json(`[${parts.join(', ')}]`);
}
