/**
 * What the sessions of an engine share of column indexes: the vectors that are kept, and who is told that an index is behind. Who
 * writes counts the rows, who reads the markers that were in its way: so one that was left behind by an earlier process is found, too.
 */
import type { Oid } from '@phantom/catalog';
import type { ColumnReads } from '../exec/runtime.js';
import { ColumnCache } from '../storage/columnar/column-cache.js';
import type { ColumnIndex } from '../storage/columnar/column-index.js';

/** Marked rows from which on catching up pays, and their share of the table: a segment is written anew for a few as for many. */
const MARKED_ROWS_MIN = 4096;
const MARKED_SHARE = 1 / 32;

export class ColumnIndexes implements ColumnReads {
  readonly cache: ColumnCache;
  private readonly rowsOf: (tableOid: Oid) => number;
  /** Rows marked since the table's indexes caught up in this process: all that are marked. */
  private readonly marked = new Map<Oid, number>();
  /** The same of tables that may have marked rows from before. */
  private readonly markedMore = new Map<Oid, number>();
  private listener: ((tableOid: Oid) => void) | undefined;

  /** Keeps vectors of so many bytes. `rowsOf` says how many rows a table is thought to have. */
  constructor(cacheBytes: number, rowsOf: (tableOid: Oid) => number) {
    this.cache = new ColumnCache(cacheBytes);
    this.rowsOf = rowsOf;
  }

  /** Hears of tables whose column indexes should catch up: again and again until they have. */
  onBehind(listener: (tableOid: Oid) => void): void {
    this.listener = listener;
  }

  /** A statement has marked so many rows of a table. */
  countMarked(tableOid: Oid, rows: number): void {
    const counts = this.marked.has(tableOid) ? this.marked : this.markedMore;
    const marked = (counts.get(tableOid) ?? 0) + rows;
    counts.set(tableOid, marked);
    this.tell(tableOid, marked);
  }

  sawMarkers({ index }: ColumnIndex, count: number): void {
    this.tell(index.tableOid, count);
  }

  /** Rows of a table that are marked; undefined when that is not known. */
  markedRows(tableOid: Oid): number | undefined {
    return this.marked.get(tableOid);
  }

  /** A table's indexes have caught up. */
  caughtUp(tableOid: Oid): void {
    this.markedMore.delete(tableOid);
    this.marked.set(tableOid, 0);
  }

  /** A table has other rows, or another index, than before. */
  forget(tableOid: Oid): void {
    this.marked.delete(tableOid);
  }

  private tell(tableOid: Oid, marked: number): void {
    if (this.listener === undefined || marked < MARKED_ROWS_MIN) return;
    if (marked >= MARKED_SHARE * this.rowsOf(tableOid)) this.listener(tableOid);
  }
}
