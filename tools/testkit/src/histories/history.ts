/**
 * Histories: what clients of a database did and were told, in the order in which they saw it. A checker needs nothing else;
 * it never looks inside the database.
 *
 * Keys hold lists, to which transactions append, or registers, which they overwrite. A value is written to a key once in a
 * history, so whoever reads it knows who wrote it (Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from
 * Experimental Observations", VLDB 2020, section 4).
 */

/** The levels of the SQL standard, as a client asks for them. */
export type Level = 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable';

/** Before anybody has written a register or appended to a list. No value that is written equals it. */
export const INITIAL = 0;

/**
 * One key of one statement. A read that is part of a scan names it: number of the scan within its transaction. Scans
 * report every key of their range, those without a row as the empty list or INITIAL.
 */
export type Operation =
  | { readonly kind: 'append' | 'write'; readonly key: number; readonly value: number }
  | { readonly kind: 'list'; readonly key: number; readonly values: readonly number[]; readonly scan?: number }
  | { readonly kind: 'register'; readonly key: number; readonly value: number; readonly scan?: number };

export function isWriteKind(kind: Operation['kind']): kind is 'append' | 'write' {
  return kind === 'append' || kind === 'write';
}

export function isWrite(operation: Operation): operation is Operation & { readonly kind: 'append' | 'write' } {
  return isWriteKind(operation.kind);
}

/** `unknown`: the client was told that nobody knows, or never got an answer. */
export type Outcome = 'committed' | 'aborted' | 'unknown';

export interface RecordedTransaction {
  readonly level: Level;
  /** The client, which runs one transaction after the other. */
  readonly session: number;
  readonly operations: readonly Operation[];
  readonly outcome: Outcome;
  /** Place among all beginnings and ends. */
  readonly began: number;
  /** Infinity when its client never learned the outcome. */
  readonly ended: number;
}

/** A transaction that is being recorded. */
export class OpenRecord {
  readonly level: Level;
  readonly session: number;
  readonly began: number;
  readonly operations: Operation[] = [];
  /** Set once its commit has been sent: from then on it may have happened. */
  isCommitting = false;
  private scans = 0;

  constructor(level: Level, session: number, began: number) {
    this.level = level;
    this.session = session;
    this.began = began;
  }

  wrote(kind: 'append' | 'write', key: number, value: number): void {
    this.operations.push({ kind, key, value });
  }

  readList(key: number, values: readonly number[]): void {
    this.operations.push({ kind: 'list', key, values });
  }

  readRegister(key: number, value: number): void {
    this.operations.push({ kind: 'register', key, value });
  }

  /** A scan over the keys from `lower` to below `upper`; those the map has not were absent. */
  scannedLists(lower: number, upper: number, found: ReadonlyMap<number, readonly number[]>): void {
    const scan = this.scans++;
    for (let key = lower; key < upper; key++) {
      this.operations.push({ kind: 'list', key, values: found.get(key) ?? [], scan });
    }
  }

  /** As scannedLists, over registers. */
  scannedRegisters(lower: number, upper: number, found: ReadonlyMap<number, number>): void {
    const scan = this.scans++;
    for (let key = lower; key < upper; key++) {
      this.operations.push({ kind: 'register', key, value: found.get(key) ?? INITIAL, scan });
    }
  }
}

/** Collects the transactions of all clients. */
export class HistoryRecorder {
  private moment = 0;
  private readonly ended: RecordedTransaction[];
  private readonly open = new Set<OpenRecord>();

  /** Goes on with a history whose clients are gone. */
  constructor(before: readonly RecordedTransaction[] = []) {
    this.ended = [...before];
    for (const { began, ended } of before) {
      this.moment = Math.max(this.moment, began + 1, Number.isFinite(ended) ? ended + 1 : 0);
    }
  }

  begin(level: Level, session: number): OpenRecord {
    const record = new OpenRecord(level, session, this.moment++);
    this.open.add(record);
    return record;
  }

  /** What its client was told at the end. */
  end(record: OpenRecord, outcome: Outcome): void {
    if (this.open.delete(record)) this.ended.push(this.sealed(record, outcome, this.moment++));
  }

  /**
   * The history so far, as it would be if the process died now: who had sent a commit may have committed, nobody else who is
   * under way has.
   */
  transactions(): readonly RecordedTransaction[] {
    const cutShort = Array.from(this.open, (record) =>
      this.sealed(record, record.isCommitting ? 'unknown' : 'aborted', this.moment),
    );
    return [...this.ended, ...cutShort];
  }

  private sealed(record: OpenRecord, outcome: Outcome, ended: number): RecordedTransaction {
    const { level, session, began, operations } = record;
    const knownEnd = outcome === 'unknown' ? Number.POSITIVE_INFINITY : ended;
    return { level, session, began, operations: [...operations], outcome, ended: knownEnd };
  }
}
