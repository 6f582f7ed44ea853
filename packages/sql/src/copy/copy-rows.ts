/** What COPY FROM makes of the bytes that come in: values, row by row. */
import type { SqlType, Value } from '../types/type.js';

/** A column that values are read for. */
export interface CopyColumn {
  readonly name: string;
  readonly type: SqlType;
  readonly typmod: number;
  /** Nobody reads its values but who stores the row: of a text the bytes will do (TextBytes), which are aimed anew with each row. */
  readonly isOnlyStored?: boolean;
}

export interface RowReader {
  /** Takes the next piece, borrowed until `next` has returned false. */
  push(piece: Uint8Array): void;
  /** There are no more pieces. */
  finish(): void;
  /** Reads the next row into the array, one value for each column. False: more bytes are needed, or there are no more rows. */
  next(into: Value[]): boolean;
  /** True once an end mark was met: what follows is not looked at. */
  readonly ended: boolean;
  /** Where the row at hand stands, as errors name it. */
  place(): string;
}
