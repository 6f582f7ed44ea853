/**
 * Rows as JSON texts: values as the embedded API hands them out, where JSON can hold them.
 *
 *   bigint past 2^53, numeric         text, so that nothing is rounded
 *   NaN, infinities                   text
 *   bytea                             text, \x and hex digits
 *   date, time, timestamp, interval   ISO text, in UTC
 *   json, jsonb, arrays, composites   as they are
 */
import { type PlanField, type RowBatch, type SqlType, type Value, jsReader } from '@phantom/db/session';

interface TypeLookup {
  byOid(oid: number): SqlType | undefined;
}

const JS_OPTIONS = { bigint: 'auto', timestamps: 'text' } as const;

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
      text += JSON.stringify(converted, jsonPart);
    }
    return text + (inObject ? '}' : ']');
  }
}

/** What JSON does not know, as text. */
function jsonPart(_key: string, part: unknown): unknown {
  if (typeof part === 'number') return Number.isFinite(part) ? part : String(part);
  if (typeof part === 'bigint') return part.toString();
  return part instanceof Uint8Array ? `\\x${Buffer.from(part).toString('hex')}` : part;
}

/** Columns of a result, as they are told of before its rows. */
export function fieldTexts(fields: readonly PlanField[], types: TypeLookup): { name: string; type: string }[] {
  return fields.map((field) => ({ name: field.name, type: types.byOid(field.type.oid)?.displayName ?? 'unknown' }));
}
