/**
 * Rows made of JSON objects: json_populate_record, json_to_record and their like. A field takes the value of the key of its
 * name, read by its type: arrays of arrays, objects of composites, everything else by its text. A key that is not there
 * leaves the field of the base row.
 */
import { PhantomError } from '@phantom/base';
import type { Oid, TypeRef } from '@phantom/catalog';
import { type Json, type Jsonb, type RecordShape, SqlArray, SqlRecord } from '@phantom/codec';
import { invalidParameter } from '../../types/sql-errors.js';
import { TypeOid } from '../../types/type-oids.js';
import type { SqlType, Value } from '../../types/type.js';
import { type Implementations, scalar, setOf } from '../implementation.js';
import type { CallTypes, EvaluationContext } from '../registry.js';
import { type JsonView, jsonView } from './json-view.js';

/** Where in the document a value stands, for hints. */
interface Place {
  readonly key: string | undefined;
  readonly indexes: readonly number[];
}

function typeOf(oid: Oid, context: EvaluationContext): SqlType {
  const type = context.types.byOid(oid);
  if (type === undefined) throw new PhantomError('42704', `type with OID ${oid} does not exist`);
  return type;
}

/** Names and types of a composite type's fields; undefined for other types. */
function shapeOf(oid: Oid, context: EvaluationContext): RecordShape | undefined {
  const type = typeOf(oid, context);
  if (type.kind === 'domain') return shapeOf(type.baseOid, context);
  return type.kind === 'composite' ? type.storage.record : undefined;
}

function expectedArray({ key, indexes }: Place): PhantomError {
  const element = indexes.map((index) => `[${index}]`).join('');
  const parts = [
    ...(element === '' ? [] : [`the array element ${element}`]),
    ...(key === undefined ? [] : [element === '' ? `the value of key "${key}"` : `key "${key}"`]),
  ];
  const hint = parts.length === 0 ? undefined : `See ${parts.join(' of ')}.`;
  return new PhantomError('22P02', 'expected JSON array', { hint });
}

function readArray(view: JsonView, type: SqlType, typmod: number, place: Place, context: EvaluationContext): Value {
  if (view.kind !== 'array') {
    if (view.isString) return type.input(view.text() as string, typmod, context);
    throw expectedArray(place);
  }
  const dimensions: number[] = [];
  const items: Value[] = [];
  // The first value that is no array says how deep the arrays go; from then on all have to agree.
  let depth = 0;
  const level = (list: readonly JsonView[], at: number, indexes: readonly number[]): void => {
    if (dimensions[at] === undefined) dimensions[at] = list.length;
    if (dimensions[at] !== list.length) {
      throw new PhantomError('22P02', 'malformed JSON array', {
        detail: 'Multidimensional arrays must have sub-arrays with matching dimensions.',
      });
    }
    list.forEach((item, i) => {
      const here = [...indexes, i];
      const nested = item.kind === 'array' && (depth === 0 || at + 1 < depth);
      if (nested) {
        level(item.items(), at + 1, here);
        return;
      }
      if (depth === 0) depth = at + 1;
      if (at + 1 < depth) throw expectedArray({ ...place, indexes: here });
      items.push(readValue(item, type.elementOid, typmod, null, { ...place, indexes: here }, context));
    });
  };
  level(view.items(), 0, place.indexes);
  if (items.length === 0) return SqlArray.of(type.elementOid, []);
  return new SqlArray(
    type.elementOid,
    dimensions,
    dimensions.map(() => 1),
    items,
  );
}

/** A value made of a document, checked by its domain if it is of one. */
function checked(value: Value, type: SqlType, context: EvaluationContext): Value {
  return type.constrain === undefined ? value : type.constrain(value, context);
}

function readComposite(view: JsonView, type: SqlType, base: Value, context: EvaluationContext): Value {
  const shape = shapeOf(type.oid, context) as RecordShape;
  if (view.kind === 'object') return readRecord(view, type.oid, shape, base as SqlRecord | null, context);
  if (view.isString) return type.input(view.text() as string, -1, context);
  checkObject(view);
  return null;
}

/** A part of a document as a value of a type: arrays, rows and what text says. 22P02 and kin where it is none. */
export function jsonAsType(view: JsonView, type: TypeRef, context: EvaluationContext): Value {
  return readValue(view, type.oid, type.typmod, null, { key: undefined, indexes: [] }, context);
}

function readValue(
  view: JsonView,
  oid: Oid,
  typmod: number,
  base: Value,
  place: Place,
  context: EvaluationContext,
): Value {
  const type = typeOf(oid, context);
  if (type.kind === 'domain') {
    return checked(readValue(view, type.baseOid, type.baseTypmod ?? -1, base, place, context), type, context);
  }
  if (view.kind === 'null') return null;
  if (oid === TypeOid.json || oid === TypeOid.jsonb) return view.value(oid);
  if (type.kind === 'array') return readArray(view, type, typmod, place, context);
  if (type.kind === 'composite') return readComposite(view, type, base, context);
  return type.input(view.text() as string, typmod, context);
}

function readRecord(
  view: JsonView,
  oid: Oid,
  shape: RecordShape,
  base: SqlRecord | null,
  context: EvaluationContext,
): SqlRecord {
  const fields = shape.names.map((name, i): Value => {
    const old = base?.fields[i] ?? null;
    const found = view.field(name);
    const type = shape.types[i] as Oid;
    if (found === undefined) return base === null ? checked(null, typeOf(type, context), context) : old;
    return readValue(found, type, shape.typmods[i] ?? -1, old, { key: name, indexes: [] }, context);
  });
  return new SqlRecord(oid, fields, shape);
}

function shapeOfColumns(columns: readonly { readonly name: string; readonly type: TypeRef }[]): RecordShape {
  return {
    names: columns.map((column) => column.name),
    types: columns.map((column) => column.type.oid),
    typmods: columns.map((column) => column.type.typmod),
  };
}

function unknownRow(name: string): PhantomError {
  return new PhantomError('0A000', `could not determine row type for result of ${name}`, {
    hint: 'Provide a non-null record argument, or call the function in the FROM clause using a column definition list.',
  });
}

/** The shape of the rows that a call makes: its column definition list, its type, or its base row. */
function rowShape(name: string, base: SqlRecord | null, types: CallTypes, context: EvaluationContext): RecordShape {
  const argument = types.arguments[0];
  const oid = argument?.oid ?? TypeOid.record;
  if (oid !== TypeOid.record) {
    const shape = shapeOf(oid, context);
    if (shape === undefined) throw new PhantomError('42804', `first argument of ${name} must be a row type`);
    return shape;
  }
  if (base === null) {
    if (types.columns !== undefined) return shapeOfColumns(types.columns);
    throw unknownRow(name);
  }
  return base.shape;
}

/** 22023 unless the value is an object. */
function checkObject(view: JsonView): void {
  if (view.kind === 'object') return;
  throw invalidParameter(`cannot call populate_composite on ${view.kind === 'array' ? 'an array' : 'a scalar'}`);
}

function populateRecord(name: string) {
  return (
    base: SqlRecord | null,
    json: Json | Jsonb | null,
    _asText: boolean,
    context: EvaluationContext,
    types: CallTypes,
  ): Value => {
    const shape = rowShape(name, base, types, context);
    const { oid } = types.result;
    if (json === null) return base;
    const view = jsonView(json);
    checkObject(view);
    return checked(readRecord(view, oid, shape, base, context), typeOf(oid, context), context);
  };
}

function* rowsOf(
  name: string,
  json: Json | Jsonb | null,
  base: SqlRecord | null,
  oid: Oid,
  shape: RecordShape,
  context: EvaluationContext,
): Generator<Value, void, void> {
  if (json === null) return;
  const view = jsonView(json);
  if (view.kind !== 'array') {
    const what = name.startsWith('jsonb') ? 'a non-array' : view.kind === 'object' ? 'an object' : 'a scalar';
    throw invalidParameter(`cannot call ${name} on ${what}`);
  }
  for (const item of view.items()) {
    if (item.kind !== 'object') throw invalidParameter(`argument of ${name} must be an array of objects`);
    yield checked(readRecord(item, oid, shape, base, context), typeOf(oid, context), context);
  }
}

function populateRecordset(name: string) {
  return (
    base: SqlRecord | null,
    json: Json | Jsonb | null,
    _asText: boolean,
    context: EvaluationContext,
    types: CallTypes,
  ): Iterable<Value> => {
    const shape = rowShape(name, base, types, context);
    return rowsOf(name, json, base, types.result.oid, shape, context);
  };
}

/** 0A000 without a column definition list: nothing else says what the row is. */
function definedShape(name: string, types: CallTypes): RecordShape {
  if (types.columns !== undefined) return shapeOfColumns(types.columns);
  throw unknownRow(name);
}

function toRecord(name: string, json: Json | Jsonb, context: EvaluationContext, types: CallTypes): Value {
  const view = jsonView(json);
  checkObject(view);
  return readRecord(view, TypeOid.record, definedShape(name, types), null, context);
}

const options = { context: true, types: true };
const withDefault = { ...options, defaults: [false] };

export const jsonPopulation: Implementations = Object.fromEntries(
  ['json', 'jsonb'].flatMap((prefix) => {
    const name = (rest: string): string => `${prefix}_${rest}`;
    const record = name('populate_record');
    const recordset = name('populate_recordset');
    const more = prefix === 'json' ? withDefault : options;
    return [
      [record, scalar(prefix === 'json' ? populateRecord(record) : withoutFlag(populateRecord(record)), more)],
      [
        recordset,
        setOf(prefix === 'json' ? populateRecordset(recordset) : withoutFlag(populateRecordset(recordset)), more),
      ],
      [
        name('to_record'),
        scalar(
          (json: Json | Jsonb, context: EvaluationContext, types: CallTypes) =>
            toRecord(name('to_record'), json, context, types),
          options,
        ),
      ],
      [
        name('to_recordset'),
        setOf(
          (json: Json | Jsonb, context: EvaluationContext, types: CallTypes) =>
            rowsOf(
              name('to_recordset'),
              json,
              null,
              TypeOid.record,
              definedShape(name('to_recordset'), types),
              context,
            ),
          options,
        ),
      ],
    ];
  }),
) as Implementations;

/** The functions of jsonb have no use_json_as_text. */
function withoutFlag<T>(
  f: (base: SqlRecord | null, json: Json | Jsonb | null, flag: boolean, c: EvaluationContext, t: CallTypes) => T,
) {
  return (base: SqlRecord | null, json: Json | Jsonb | null, context: EvaluationContext, types: CallTypes): T =>
    f(base, json, false, context, types);
}
