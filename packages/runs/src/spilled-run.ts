/**
 * One run of spilled writes, and what of it counts: a place lies between its operations, and some readers see only those before it.
 *
 * Of a run that is in order all versions have one seq, as in the files of a bulk load, so that an engine can take it over as it is;
 * and what came before a place is what lies below a key:
 *
 *   places   from             limit            to           operations back to back, each as long as its key and value make it
 *   keys     a    c    f    g   │  m    p    t              before the limit: what lies below m
 *
 * Which key that is nobody writes down. Whoever asks for a place inside of the run (a savepoint, a cursor) is rare, and has it
 * walked from its front.
 */
import { type Logger, compareBytes, compareKeys } from '@phantom/base';
import { type KeyRange, type ReadyRun, type SortedRunRef, putBytes } from '@phantom/kv';
import type { Run } from './run-reader.js';
import type { RunWriter } from './run-writer.js';

export class SpilledRun implements ReadyRun {
  readonly run: Run;
  /** Places of its operations: [from, to). What lies behind `to` is forgotten. */
  readonly from: number;
  to: number;
  /** It is handed over: who merges the others leaves it out. */
  isTaken = false;
  /** Where its operations end, forgotten ones among them. */
  private readonly end: number;
  /** Of a run that is in order; it has the file open until that is synced. */
  private readonly writer: RunWriter | undefined;
  private readonly logger: Logger;
  /** The last place inside that was asked for, and the first key at or behind it. */
  private place = -1;
  private keyAtPlace: Uint8Array | undefined = undefined;

  /** `writer`: what has written it, of a run that is in order. */
  constructor(run: Run, from: number, to: number, writer: RunWriter | undefined, logger: Logger) {
    this.run = run;
    this.logger = logger;
    this.from = from;
    this.to = to;
    this.end = to;
    this.writer = writer;
  }

  /** True when it is in order, and nothing of it is forgotten. */
  get isWhole(): boolean {
    return this.writer !== undefined && this.to === this.end;
  }

  get ref(): SortedRunRef {
    const { path, entries, bytes } = this.run;
    return { path, entries, bytes };
  }

  get firstKey(): Uint8Array {
    return this.run.smallestKey;
  }

  get lastKey(): Uint8Array {
    return this.run.largestKey;
  }

  /** Seq at which the run is read by who sees the operations before the limit. */
  seqBefore(limit: number): number {
    return this.writer === undefined ? Math.min(limit, this.to) - 1 : this.from;
  }

  /** What of a range is to be read by who sees the operations before the limit; the range itself where all of it is. */
  rangeBefore(limit: number, range: KeyRange): KeyRange {
    const upper = this.keyAt(Math.min(limit, this.to));
    if (upper === undefined || (range.upper !== undefined && compareKeys(range.upper, upper) <= 0)) return range;
    return { lower: compareKeys(range.lower, upper) < 0 ? range.lower : upper, upper };
  }

  /** True when the run is in order and the key, if it is there at all, was written at or behind the limit. */
  isBehind(key: Uint8Array, start: number, end: number, limit: number): boolean {
    const upper = this.keyAt(Math.min(limit, this.to));
    return upper !== undefined && compareBytes(key, start, end, upper, 0, upper.length) >= 0;
  }

  async sync(): Promise<void> {
    await this.writer?.sync();
  }

  syncNow(): void {
    this.writer?.syncNow();
  }

  keep(): void {
    this.run.keepWhenReleased();
  }

  /** One holder of the run less. Never throws. */
  release(): void {
    try {
      this.writer?.close();
    } catch (error) {
      // What counts of it is synced, or forgotten.
      this.logger.warn('a file of spilled writes could not be closed', { path: this.run.path, reason: String(error) });
    }
    this.run.release();
  }

  /** The first key that was written at or behind the place; undefined when the order of keys does not tell, or there is none. */
  private keyAt(place: number): Uint8Array | undefined {
    if (this.writer === undefined || place >= this.end) return undefined;
    if (place !== this.place) this.walkTo(place);
    return this.keyAtPlace;
  }

  private walkTo(place: number): void {
    const versions = this.run.versions(false);
    try {
      let at = this.from;
      let more = versions.next();
      while (more && at < place) {
        at += putBytes(versions.key.end - versions.key.start, versions.value.end - versions.value.start);
        more = versions.next();
      }
      this.keyAtPlace = more ? versions.key.copy() : undefined;
      this.place = place;
    } finally {
      versions.close();
    }
  }
}
