/**
 * Sizes and statistics for the planner: sizes from the engines (fresh, but rough), corrected by what ANALYZE counted, and the
 * columns' statistics from there. Engines are asked again once enough rows have been written to a table.
 */
import type { Oid, TableDescriptor } from '@phantom/catalog';
import { type KeyRange, type RangeEstimate, spaceRange } from '@phantom/kv';
import type { CatalogPort, ColumnStatistics, StatisticsPort } from '../plan/catalog-port.js';
import { columnOf, type StoredGroup } from '../plan/statistics/stored-statistics.js';
import { isDivided, membersOf } from '../storage/inheritance/table-tree.js';
import type { ColumnIndex } from '../storage/columnar/column-index.js';
import type { TypeLookup } from '../types/type.js';
import type { SqlEngine } from './engine.js';

/** A size is asked for again when more rows than this share of it, and this many, were written since. */
const STALE_SHARE = 0.1;
const STALE_ROWS = 50;

const NO_GROUPS: readonly StoredGroup[] = [];

interface Size {
  readonly estimate: RangeEstimate;
  /** StatisticsCatalog.rowsWritten at that moment. */
  readonly written: number;
}

export class PictureStatistics implements StatisticsPort {
  private readonly engine: SqlEngine;
  private readonly types: TypeLookup;
  private readonly partitionsOf: CatalogPort['partitionsOf'];
  private readonly sizes = new Map<Oid, Size>();
  private readonly columns = new Map<string, ColumnStatistics | undefined>();

  constructor(engine: SqlEngine, types: TypeLookup, partitionsOf: CatalogPort['partitionsOf']) {
    this.engine = engine;
    this.partitionsOf = partitionsOf;
    this.types = types;
  }

  rowCount(table: TableDescriptor): number {
    if (isDivided(table)) return this.partsOf(table).reduce((sum, part) => sum + this.rowCount(part), 0);
    const { keys } = this.size(table);
    const stored = this.engine.statistics.of(table.oid);
    if (stored === undefined || stored.estimatedRows === 0 || stored.rows === 0) return keys;
    // An engine's estimate may since have become a count (its delta was flushed), or a rougher one. So a table has grown only as far as
    // both what the engine said then and what was counted then agree on it.
    const [sinceEstimate, sinceCount] = [keys / stored.estimatedRows, keys / stored.rows];
    const growth = Math.max(Math.min(sinceEstimate, sinceCount), Math.min(1, Math.max(sinceEstimate, sinceCount)));
    return stored.rows * growth;
  }

  tableBytes(table: TableDescriptor): number {
    if (isDivided(table)) return this.partsOf(table).reduce((sum, part) => sum + this.tableBytes(part), 0);
    return this.size(table).bytes;
  }

  column(table: TableDescriptor, columnNumber: number): ColumnStatistics | undefined {
    const key = `${table.oid} ${columnNumber}`;
    if (this.columns.has(key)) return this.columns.get(key);
    const stored = this.engine.statistics.of(table.oid);
    const column =
      stored === undefined ? undefined : columnOf(stored, table, columnNumber, this.rowCount(table), this.types);
    this.columns.set(key, column);
    return column;
  }

  groups(table: TableDescriptor): readonly StoredGroup[] {
    return this.engine.statistics.of(table.oid)?.groups ?? NO_GROUPS;
  }

  markedRows(index: ColumnIndex): number {
    // An engine counts what was removed lately, too.
    return this.engine.columns.markedRows(index.index.tableOid) ?? this.range(index.markers).keys;
  }

  range(range: KeyRange): RangeEstimate {
    return this.engine.storage.estimate(range);
  }

  /** The tables that have the rows of one that is divided. */
  private partsOf(table: TableDescriptor): readonly TableDescriptor[] {
    return membersOf(table) ?? this.partitionsOf(table);
  }

  private size(table: TableDescriptor): RangeEstimate {
    const written = this.engine.statistics.rowsWritten(table.oid);
    const known = this.sizes.get(table.oid);
    if (known !== undefined && written - known.written <= STALE_ROWS + known.estimate.keys * STALE_SHARE) {
      return known.estimate;
    }
    const estimate = this.range(spaceRange(table.space));
    this.sizes.set(table.oid, { estimate, written });
    return estimate;
  }
}
