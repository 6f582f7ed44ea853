/**
 * What an opening has read of the log and found valid, kept for the replay that follows it: neither is read from the file
 * a second time, nor is a checksum computed twice.
 *
 *      segment 7   | header | ......... | window | window | window | ........ |
 *                                       ▲ from                     ▲ to
 *
 * Every record that begins in [from, to) is valid at its place, and whole in the last window that begins at or before it. Usual
 * ones (record-sweep.ts) are kept as runs, too, of which a replay can take all at once.
 */

import type { SegmentHeader } from './format.js';
import type { WalRecordRun } from './wal-types.js';

/** Bytes that are kept at the most: the log of a usual recovery. What lies behind is read again. */
const KEPT_BYTES_MAX = 16 * 1024 * 1024;

/** Bytes of a segment from a file offset on. Nobody changes them. */
export interface ScannedWindow {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Usual records at [from, to) of the file; the epoch is that of all of them. */
export interface ScannedRun {
  readonly from: number;
  readonly to: number;
  readonly epoch: number;
  readonly run: WalRecordRun;
}

/** What is kept of one segment. */
export class ScannedSegment {
  readonly from: number;
  private until: number;
  private isOpen = true;
  private readonly log: ScannedLog;
  private readonly windows: ScannedWindow[] = [];
  /** By the file offset at which they begin. */
  private readonly runs = new Map<number, ScannedRun>();

  constructor(log: ScannedLog, from: number) {
    this.log = log;
    this.from = from;
    this.until = from;
  }

  /** Takes a window that has the next record; false, from then on, when there is no room for it. */
  keep(window: ScannedWindow): boolean {
    const isKept = this.isOpen && this.log.reserve(window.bytes.length);
    if (isKept) this.windows.push(window);
    else this.end(window.offset);
    return isKept;
  }

  /** Takes a run that lies in the window that came last. */
  addRun(run: ScannedRun): void {
    if (this.isOpen) this.runs.set(run.from, run);
  }

  /** The run that begins at a file offset. */
  runAt(offset: number): ScannedRun | undefined {
    return this.runs.get(offset);
  }

  /** Records up to this file offset were found valid; nothing more is kept. */
  end(offset: number): void {
    if (this.isOpen) this.until = offset;
    this.isOpen = false;
  }

  get to(): number {
    return this.until;
  }

  /** The window that has the record at this offset whole; undefined when that is not kept. */
  windowAt(offset: number): ScannedWindow | undefined {
    if (offset < this.from || offset >= this.until) return undefined;
    return this.windows.findLast((window) => window.offset <= offset);
  }
}

export class ScannedLog {
  private readonly segments = new Map<SegmentHeader, ScannedSegment>();
  private keptBytes = 0;

  /** Begins to keep a segment from a file offset on. */
  begin(header: SegmentHeader, from: number): ScannedSegment {
    const segment = new ScannedSegment(this, from);
    this.segments.set(header, segment);
    return segment;
  }

  /** By its header and not by its number, which a segment that was discarded may have had as well. */
  segment(header: SegmentHeader): ScannedSegment | undefined {
    return this.segments.get(header);
  }

  /** Room for so many bytes more, if there is. */
  reserve(bytes: number): boolean {
    if (this.keptBytes + bytes > KEPT_BYTES_MAX) return false;
    this.keptBytes += bytes;
    return true;
  }
}
