/** Rows of an operator that did not fit into memory, in a scratch file, one an entry (entry-file.ts of base). */
import { EntryFile, type EntryFileReader, type Scratch } from '@phantom/base';
import type { RowCodec } from '@phantom/codec';
import type { Value } from '../../types/type.js';

export class SpilledRows {
  private readonly file: EntryFile;
  private readonly codec: RowCodec;
  private readonly values: Value[] = [];

  constructor(scratch: Scratch, codec: RowCodec, purpose: string, onWrite: (bytes: number) => void = () => undefined) {
    this.file = new EntryFile(scratch, purpose, onWrite);
    this.codec = codec;
  }

  /** Rows in the file. */
  get count(): number {
    return this.file.count;
  }

  /** Appends row `row` of columns. */
  append(columns: readonly (readonly Value[])[], row: number): void {
    const { values } = this;
    for (let c = 0; c < columns.length; c++) values[c] = (columns[c] as readonly Value[])[row];
    this.appendRow(values);
  }

  /** Appends a row given as an array. */
  appendRow(values: readonly Value[]): void {
    this.file.append((writer) => this.codec.encode(values, writer));
  }

  /** A reader of all rows; it holds about `windowBytes` in memory. Nothing may be appended from now on. */
  reader(windowBytes: number): SpillReader {
    return new SpillReader(this.file.reader(windowBytes), this.codec);
  }

  /** Frees the file. Safe to call twice. */
  close(): void {
    this.file.close();
  }
}

export class SpillReader {
  private readonly entries: EntryFileReader;
  private readonly codec: RowCodec;

  constructor(entries: EntryFileReader, codec: RowCodec) {
    this.entries = entries;
    this.codec = codec;
  }

  /** The next row's values; false at the end. Values may lie in the reader's window, which they keep alive. */
  next(into: Value[]): boolean {
    const { entries } = this;
    if (!entries.next()) return false;
    this.codec.decode(entries.buffer, entries.start, entries.end, into);
    return true;
  }
}
