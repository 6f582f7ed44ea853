/** What a repair has to tell: everything that was wrong, everything that is lost, and everything that was made again. Plain data. */
import type { Finding, SalvageFinding } from '@phantom/kv';

/** Rows of a table, or entries of an index, that cannot be read. */
export interface LostRows {
  readonly database: string;
  readonly schema: string;
  readonly table: string;
  /** Undefined for the table's own rows. An index is made again from those. */
  readonly index?: string;
  /** Keys from here on, as errors show them, or their bytes where the damage ends inside of a key. */
  readonly from: string;
  /** Up to here and not further; undefined: to the end of the table. */
  readonly to?: string;
  /** At most so many; undefined when nobody knows. */
  readonly rows?: number;
  /** Rows that were found there all the same, as they were before they were last written, or deleted. */
  readonly older: number;
  readonly file: string;
  readonly offset?: number;
}

/** A row that is lost and that an index has named. */
export interface LostRow {
  readonly database: string;
  readonly schema: string;
  readonly table: string;
  readonly key: string;
}

export interface SalvagedTable {
  readonly database: string;
  readonly schema: string;
  readonly table: string;
  readonly rows: number;
  /** How many of them may be older than they should be. */
  readonly older: number;
}

export interface RebuiltIndex {
  readonly database: string;
  readonly schema: string;
  readonly index: string;
}

/** An index that could not be made again: no plan reads it before REINDEX has finished it. */
export interface UnfinishedIndex extends RebuiltIndex {
  readonly reason: string;
}

export interface RepairReport {
  readonly directory: string;
  /** Where the repaired database lies; undefined when nothing was to be written, or nothing was wrong. */
  readonly to?: string;
  /** Nothing is wrong. */
  readonly isWhole: boolean;
  /** Nothing that was committed is lost, and nothing is in doubt. */
  readonly isLossless: boolean;
  readonly findings: readonly SalvageFinding[];
  readonly lost: readonly LostRows[];
  /** As far as indexes name them, and up to a limit. */
  readonly lostRows: readonly LostRow[];
  readonly tables: readonly SalvagedTable[];
  readonly rebuilt: readonly RebuiltIndex[];
  readonly unfinished: readonly UnfinishedIndex[];
  /** Entries of which nobody knows whose they are: as bytes, in the table of that name. */
  readonly lostAndFound: number;
  /** Whole commits of the log behind its first damage; taken only if that was asked for. */
  readonly commitsPastDamage: number;
  /** What the check of the result has found. */
  readonly remaining: readonly Finding[];
}
