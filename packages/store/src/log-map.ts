/**
 * Where in the log each commit ends, kept small: a mark (seq, position) says that the records up to that seq are
 * those before that position. The checkpointer asks it how much of the log may go once the engines have everything up to a seq.
 * Between marks the answer is the mark before, so thinning them out keeps a little more log than needed, never less.
 */
import type { Seq } from '@phantom/kv';
import type { Lsn } from '@phantom/wal';

/** Every record up to `seq`, and no other, lies before `end`. */
export interface LogMark {
  readonly seq: Seq;
  readonly end: Lsn;
}

/** Log bytes between two marks at the least: a segment is dropped whole, so finer marks would gain nothing. */
const MARK_BYTES = 256 * 1024;
/** Marks kept at the most; past it every other one goes. */
const MARKS_MAX = 1024;

export class LogMap {
  private readonly seqs: Seq[] = [];
  private readonly ends: Lsn[] = [];
  /** The last record there is. The log's own end may lie further on, behind marks of its own that do not last. */
  private lastSeq: Seq;
  private lastEnd: Lsn;
  private markedEnd: Lsn;
  private spacing = MARK_BYTES;

  /** The commits up to `seq` lie before `start`. */
  constructor(seq: Seq, start: Lsn) {
    this.lastSeq = seq;
    this.lastEnd = start;
    this.markedEnd = start;
  }

  get marks(): number {
    return this.seqs.length;
  }

  /** A record ends at this position; `seq` is that of the last commit up to it. Called in log order. */
  add(seq: Seq, end: Lsn): void {
    this.lastSeq = seq;
    this.lastEnd = end;
    if (end - this.markedEnd >= this.spacing) this.markLast();
  }

  /** Marks the last record, so that all there is can be dropped once it is flushed. */
  markLast(): void {
    if (this.lastEnd === this.markedEnd) return;
    this.markedEnd = this.lastEnd;
    this.seqs.push(this.lastSeq);
    this.ends.push(this.lastEnd);
    if (this.seqs.length > MARKS_MAX) this.thin();
  }

  /** The last mark at or before a seq: what lies before its position is needed by nobody who has everything up to the seq. */
  lastUpTo(seq: Seq): LogMark | undefined {
    let low = 0;
    let high = this.seqs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.seqs[middle] as number) <= seq) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? undefined : { seq: this.seqs[low - 1] as number, end: this.ends[low - 1] as number };
  }

  /** Forgets marks before a position: that part of the log has gone. */
  dropBefore(position: Lsn): void {
    let count = 0;
    while (count < this.ends.length && (this.ends[count] as number) < position) count++;
    this.seqs.splice(0, count);
    this.ends.splice(0, count);
  }

  private thin(): void {
    const count = this.seqs.length;
    let kept = 0;
    // The last one stays in any case: it is the nearest to what will be asked for next.
    for (let i = (count - 1) & 1; i < count; i += 2) {
      this.seqs[kept] = this.seqs[i] as number;
      this.ends[kept++] = this.ends[i] as number;
    }
    this.seqs.length = this.ends.length = kept;
    this.spacing *= 2;
  }
}
