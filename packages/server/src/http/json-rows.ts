/**
 * Rows as JSON texts: values as the embedded API hands them out, where JSON can hold them.
 *
 *   bigint past 2^53, numeric         text, so that nothing is rounded
 *   NaN, infinities                   text
 *   bytea                             text, \x and hex digits
 *   date, time, timestamp, interval   ISO text, in UTC
 *   json, jsonb                       as they are, with all digits of their numbers
 *   arrays, composites                arrays, objects
 */
import { type PlanField, type RowBatch, type SqlType, type Value, exactJsonText, jsReader } from '@phantom/db/session';

interface TypeLookup {
  byOid(oid: number): SqlType | undefined;
}

const JS_OPTIONS = { bigint: 'auto', timestamps: 'text', json: 'text' } as const;

export class JsonRows {
  private readonly names: readonly string[];
  private readonly readers: readonly ((value: Value) => unknown)[];
  private readonly shape: 'objects' | 'arrays';

  constructor(fields: readonly PlanField[], types: TypeLookup, shape: 'objects' | 'arrays') {
    this.names = fields.map(({ name }) => JSON.stringify(name));
    this.readers = fields.map((field) => jsReader(field.type, types, JS_OPTIONS));
    this.shape = shape;
  }

  /** One row of a batch. Of columns with the same name all are written; readers of JSON keep the last. */
  text(batch: RowBatch, row: number): string {
    const { names, readers, shape } = this;
    const inObject = shape === 'objects';
    let text = inObject ? '{' : '[';
    for (let c = 0; c < names.length; c++) {
      if (c > 0) text += ',';
      if (inObject) text += `${names[c] as string}:`;
      const value = (batch.columns[c] as readonly Value[])[row];
      const converted = value === null ? null : (readers[c] as (value: Value) => unknown)(value);
      text += exactJsonText(converted);
    }
    return text + (inObject ? '}' : ']');
  }
}

/** Columns of a result, as they are told of before its rows. */
export function fieldTexts(fields: readonly PlanField[], types: TypeLookup): { name: string; type: string }[] {
  return fields.map((field) => ({ name: field.name, type: types.byOid(field.type.oid)?.displayName ?? 'unknown' }));
}
