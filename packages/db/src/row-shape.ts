/**
 * Rows as JavaScript objects. The shape of a result is compiled once for its columns: which converter each value takes, and
 * how an object with these names is made. Column names never become program text.
 */
import type { PlanField, RowBatch, TypeLookup, Value } from '@phantom/sql';
import { type JsOptions, jsReader } from '@phantom/sql';

/** Properties that would not be plain data if they were assigned. */
const UNSAFE_NAMES = new Set(['__proto__']);

export class RowShape<Row> {
  readonly names: readonly string[];
  private readonly readers: readonly ((value: Value) => unknown)[];
  private readonly plain: boolean;

  constructor(fields: readonly PlanField[], types: TypeLookup, options: JsOptions) {
    this.names = fields.map((field) => field.name);
    this.readers = fields.map((field) => jsReader(field.type, types, options));
    this.plain = !this.names.some((name) => UNSAFE_NAMES.has(name));
  }

  /** One row from values by column. */
  row(values: readonly Value[]): Row {
    const row: Record<string, unknown> = {};
    for (let i = 0; i < this.names.length; i++) this.set(row, i, values[i]);
    return row as Row;
  }

  /** Appends the rows of a batch. */
  rows(batch: RowBatch, into: Row[]): void {
    const { columns, count } = batch;
    for (let r = 0; r < count; r++) {
      const row: Record<string, unknown> = {};
      for (let i = 0; i < this.names.length; i++) this.set(row, i, (columns[i] as readonly Value[])[r]);
      into.push(row as Row);
    }
  }

  private set(row: Record<string, unknown>, i: number, value: Value): void {
    const name = this.names[i] as string;
    const converted = value === null ? null : (this.readers[i] as (value: Value) => unknown)(value);
    if (this.plain) row[name] = converted;
    else Object.defineProperty(row, name, { value: converted, writable: true, enumerable: true, configurable: true });
  }
}
