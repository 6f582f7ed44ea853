/**
 * Rows kept in memory by column: what sorts, hash joins, windows and WITH queries hold. A row is an index; no object is made
 * for one. `order`, when set, is the sequence in which a scan reads the rows.
 */
import type { MemoryBudget } from '@phantom/base';
import type { Value } from '../types/type.js';

/** Rows between two looks at the memory budget. */
const ACCOUNT_ROWS = 32;
/** Bytes a value takes in a column array. */
export const SLOT_BYTES = 8;
/** Guess at the overhead of a string or object behind a slot. */
const OBJECT_BYTES = 24;

/** Bytes behind one value, guessed without looking deep. */
export function valueBytes(value: Value): number {
  if (typeof value === 'string') return OBJECT_BYTES + value.length;
  if (typeof value === 'object' && value !== null) {
    if (value instanceof Uint8Array) return OBJECT_BYTES + value.length;
    const items = (value as { readonly items?: readonly unknown[] }).items;
    return items === undefined ? 2 * OBJECT_BYTES : 2 * OBJECT_BYTES + items.length * SLOT_BYTES;
  }
  return typeof value === 'bigint' ? OBJECT_BYTES : 0;
}

/**
 * An empty array for values of any kind. One that begins as an array of small integers becomes another kind with the first value that
 * is none; V8 then lets all later ones of the same place begin so, and code that was made for the first kind is made anew.
 */
export function valueArray(): Value[] {
  const array: Value[] = [null];
  array.length = 0;
  return array;
}

export class RowBuffer {
  readonly columns: Value[][];
  /** Rows; generated code raises it after pushing one value to each column. */
  count = 0;
  /** Row indexes in reading order, when it is not the order of writing. */
  order: Uint32Array | undefined;
  protected readonly budget: MemoryBudget;
  private accountedRows = 0;
  private accountedBytes = 0;

  constructor(width: number, budget: MemoryBudget) {
    this.columns = [];
    for (let i = 0; i < width; i++) this.columns.push(valueArray());
    this.budget = budget;
  }

  /** What its rows have taken of the budget. */
  get heldBytes(): number {
    return this.accountedBytes;
  }

  /** Called after each row: counts bytes now and then; 53200 past the limit. */
  pushed(): void {
    this.count++;
    if (this.count - this.accountedRows >= ACCOUNT_ROWS) this.account();
  }

  /** Appends a row given as an array. */
  pushRow(row: readonly Value[]): void {
    const { columns } = this;
    for (let i = 0; i < columns.length; i++) (columns[i] as Value[]).push(row[i]);
    this.pushed();
  }

  /** Appends all rows of another buffer of as many columns. */
  appendAll({ columns, count }: RowBuffer): void {
    for (let row = 0; row < count; row++) {
      for (let c = 0; c < columns.length; c++) (this.columns[c] as Value[]).push((columns[c] as Value[])[row]);
      this.pushed();
    }
  }

  /** Keeps the rows that pass a test, which is asked of each once, in their order. */
  keep(test: (row: number) => boolean): void {
    const { columns, count } = this;
    let kept = 0;
    for (let row = 0; row < count; row++) {
      if (!test(row)) continue;
      for (let c = 0; c < columns.length; c++) (columns[c] as Value[])[kept] = (columns[c] as Value[])[row];
      kept++;
    }
    if (kept < count) this.truncate(kept);
  }

  /** Counts the rows added since the last time. */
  account(): void {
    let bytes = 0;
    for (const column of this.columns) {
      bytes += (this.count - this.accountedRows) * SLOT_BYTES;
      for (let i = this.accountedRows; i < this.count; i++) bytes += valueBytes(column[i]);
    }
    if (bytes > this.budget.leftBytes && this.makeRoom(this.accountedBytes + bytes)) return;
    this.accountedRows = this.count;
    this.accountedBytes += bytes;
    this.budget.take(bytes);
  }

  /** Called when `bytes`, all that the rows take, do not fit: true when the rows have gone elsewhere. */
  protected makeRoom(_bytes: number): boolean {
    return false;
  }

  /** Keeps the first rows only. */
  truncate(count: number): void {
    for (const column of this.columns) column.length = count;
    this.count = count;
    if (this.accountedRows > count) this.accountedRows = count;
  }

  /** Counts anew what is there, after many rows have gone. */
  recount(): void {
    this.budget.give(this.accountedBytes);
    this.accountedBytes = 0;
    this.accountedRows = 0;
    this.account();
  }

  /** Drops all rows and gives their memory back. */
  clear(): void {
    for (const column of this.columns) column.length = 0;
    this.count = 0;
    this.order = undefined;
    this.accountedRows = 0;
    this.budget.give(this.accountedBytes);
    this.accountedBytes = 0;
  }

  /** Row r in reading order. */
  rowAt(r: number): number {
    return this.order === undefined ? r : (this.order[r] as number);
  }
}
