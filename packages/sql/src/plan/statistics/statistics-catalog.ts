/**
 * The statistics of all tables of a store in memory: read once, when the first statement is planned, and exchanged when an
 * ANALYZE commits. Beside them it counts the rows written to each table since, which says when sizes are worth asking for
 * again and when a table should be analysed anew.
 */
import type { CatalogKeys, Oid } from '@phantom/catalog';
import { KeyKind } from '@phantom/catalog';
import { readU32BE } from '@phantom/base';
import type { KvCursor, KeyRange } from '@phantom/kv';
import type { StoredStatistics } from './stored-statistics.js';

/** As PostgreSQL's autovacuum_analyze_threshold and _scale_factor: rows written before a table is analysed again. */
const REANALYZE_ROWS_MIN = 500;
const REANALYZE_SHARE = 0.1;

const TEXT = new TextDecoder();

interface Reader {
  cursor(range: KeyRange): KvCursor;
  release(): void;
}

export class StatisticsCatalog {
  private changes = 0;
  /** The change that was the last of each table that has changed since the store was opened. */
  private readonly lastChanges = new Map<Oid, number>();
  private readonly keys: CatalogKeys;
  private readonly view: () => Reader;
  private stored: Map<Oid, StoredStatistics> | undefined;
  private readonly written = new Map<Oid, number>();
  private readonly listeners: ((oid: Oid) => void)[] = [];

  /** `view` gives the newest committed state. */
  constructor(keys: CatalogKeys, view: () => Reader) {
    this.keys = keys;
    this.view = view;
  }

  /** Rises with every change: part of what a plan depends on. */
  get version(): number {
    return this.changes;
  }

  /** The version that a table's last change has made. */
  versionOf(oid: Oid): number {
    return this.lastChanges.get(oid) ?? 0;
  }

  /** What is known of a table, or how it is best read, has changed: plans over it are made anew. */
  changed(oid: Oid): void {
    this.lastChanges.set(oid, ++this.changes);
  }

  of(oid: Oid): StoredStatistics | undefined {
    this.stored ??= this.load();
    return this.stored.get(oid);
  }

  /** Exchanges a table's statistics once their transaction is published. */
  publish(oid: Oid, statistics: StoredStatistics): void {
    this.stored ??= this.load();
    this.stored.set(oid, statistics);
    this.written.delete(oid);
    this.changed(oid);
  }

  /** Rows written to a table since it was analysed last, or since the store was opened. */
  rowsWritten(oid: Oid): number {
    return this.written.get(oid) ?? 0;
  }

  /** Counts rows that a statement has written; rolled back ones count, too: they only make estimates fresher. */
  countWritten(oid: Oid, rows: number): void {
    const before = this.rowsWritten(oid);
    const after = before + rows;
    this.written.set(oid, after);
    if (this.listeners.length === 0) return;
    const limit = REANALYZE_ROWS_MIN + REANALYZE_SHARE * (this.of(oid)?.rows ?? 0);
    if (before < limit && after >= limit) for (const listener of this.listeners) listener(oid);
  }

  /** Hears of tables that should be analysed anew: once for each until that has happened. */
  onStale(listener: (oid: Oid) => void): void {
    this.listeners.push(listener);
  }

  private load(): Map<Oid, StoredStatistics> {
    const stored = new Map<Oid, StoredStatistics>();
    const lower = this.keys.kind(KeyKind.Statistics);
    const reader = this.view();
    const cursor = reader.cursor({ lower, upper: this.keys.kind(KeyKind.Statistics + 1) });
    try {
      while (cursor.next()) {
        const { key, value } = cursor;
        const oid = readU32BE(key.buffer, key.start + lower.length);
        stored.set(oid, JSON.parse(TEXT.decode(value.copy())) as StoredStatistics);
      }
    } finally {
      cursor.close();
      reader.release();
    }
    return stored;
  }
}
