/**
 * The way rows are written: encodes them, keeps every index, checks constraints, takes the locks that the isolation level
 * asks for. Executor operators (INSERT, UPDATE, DELETE, MERGE, COPY) call it; nobody else writes into a table's spaces.
 *
 * Methods that may wait for another transaction's lock return a promise only then; `undefined` or the result means done.
 * When a promise resolves, the caller repeats the call (the world has moved on): the pattern is
 *     let r; while ((r = writer.update(...)) instanceof Promise) yield r;
 */
import type { Oid } from '@phantom/catalog';
import type { ByteSlot } from '@phantom/kv';
import type { Value } from '../types/type.js';

/** Identifies a stored row: its key in the table's space (a copy the caller owns) and its bytes as read. */
export interface RowReference {
  readonly key: Uint8Array;
  readonly row: Uint8Array;
  /** Where its bytes lie for now, for a writer that keeps some of them; undefined where they are read by `row` alone. */
  readonly stored?: ByteSlot;
}

export type WriteOutcome =
  | 'written'
  /** Insert only, when `onConflict` asked: a unique index already holds the key; `conflict` of the writer says which row. */
  | 'conflict'
  /** Read committed: a newer commit changed or removed the row. The statement must be restarted (transaction.restartStatement). */
  | 'changed'
  /** A trigger has passed the row over. */
  | 'skipped'
  /** Update only, where the caller asked: the table is a partition, and triggers have made a row (`stored`) that it does not take. */
  | 'leaves';

/** Where a row of a partition goes that leaves it. */
export interface MovedRow {
  /** The partitioned table that moves it. */
  readonly tableOid: Oid;
  /** As the partition would have it. */
  readonly values: readonly Value[];
}

/** What an INSERT says about rows in the way of its own. */
export interface Arbitration {
  /** What becomes of them. */
  readonly action: 'nothing' | 'update';
  /** The unique indexes on which they are met; empty: on any. */
  readonly arbiters: readonly Oid[];
  /** Numbers of the columns that they get other values of. */
  readonly assigned: readonly number[];
}

/** A writer that serves statement after statement. */
export interface StatementWriter extends TableWriter {
  readonly tableOid: number;
  /** The table has column indexes: rows that are written are marked there. */
  readonly marksRows?: boolean;
  /** A new statement: nothing is owed, nothing written yet. */
  beginStatement(): void;
}

export interface TableWriter {
  /**
   * Inserts one row, values by column position (generated columns computed, defaults already filled in by the planner).
   * Raises 23502, 23505 (unless arbitrated), 23514, 22001...; foreign keys and deferrable ones are
   * owed to the end of the statement (StatementTriggers), or the commit.
   * With an arbitration a duplicate is not an error but 'conflict'.
   */
  insert(values: readonly Value[], arbitration?: Arbitration): WriteOutcome | Promise<void>;
  /** The row that the last 'conflict' met, newest committed or own version, kept as it is as far as the arbitration needs. */
  readonly conflict: RowReference | undefined;
  /**
   * True when nothing that an update does reads these columns of either row: then the old values may say KEPT for them, and the
   * new ones too where they stay as they are, if the reference says where the stored row lies.
   */
  leavesUnread(positions: readonly number[]): boolean;
  /**
   * Replaces a row; keeps its key unless key columns change. `mayLeave`: the caller finds a partition for a row that triggers have made
   * one of another's.
   */
  update(
    old: RowReference,
    oldValues: readonly Value[],
    values: readonly Value[],
    mayLeave?: boolean,
  ): WriteOutcome | Promise<void>;
  /** Takes a row away. `moved`: it goes to another partition of a table, and is still a row of that one. */
  remove(old: RowReference, oldValues: readonly Value[], moved?: MovedRow): WriteOutcome | Promise<void>;
  readonly rowsWritten: number;
  /**
   * The row that was written last, as it is stored, or that met the last 'conflict', as it would have been; undefined for a writer
   * that stores what it is given.
   */
  readonly stored?: readonly Value[] | undefined;
}
