/**
 * What the files of a log say: which segments form it, where it ends, and how much of that is known to be on the platter.
 * Reads only; opening, the dump and the tests all look through here.
 *
 * The end is the first place without a valid record, and there are two reasons for such a place. A write that was under way
 * when the power went leaves one, and nothing behind it was ever acknowledged: it ends the log. Rot leaves one, too, and
 * then later records say (in their header) that the place was already durable when they were written: that is corruption,
 * and a log that is shortened there would lose acknowledged commits. So behind the first broken place every byte is searched
 * for valid records of this log, and what they know decides.
 *
 * What this cannot tell: one flipped bit in the records of the very last group, which nothing later vouches for, looks like
 * a torn write and ends the log. A clean close leaves a mark that vouches for them.
 */
import { type Checksums, corruptionError } from '@phantom/base';
import type { Vfs } from '@phantom/vfs';
import { SEGMENT_HEADER_BYTES } from './format.js';
import { type FoundSegment, LogFiles, floorOf } from './log-files.js';
import { ScannedLog } from './scanned-log.js';
import type { RecordProblem, SegmentReader } from './segment-reader.js';
import type { LogOwner } from './wal-types.js';

export interface LogPicture {
  /** The chain, oldest first; empty for a directory without a log. The last one holds the end. */
  readonly segments: readonly FoundSegment[];
  /** Position behind the last whole record. */
  readonly end: number;
  /** Position behind the last record that is no mark, as far as they were read. */
  readonly recordsEnd: number;
  /** Everything before is proved to be on the platter. At most `end`. */
  readonly durable: number;
  /** What is before may be missing. */
  readonly floor: number;
  /** No record between `durable` and here was read: the owner needs none of them. 0 where all were. */
  readonly skippedTo: number;
  /** Highest epoch that was seen anywhere, also in records that do not count. */
  readonly epochMax: number;
  /** Highest epoch in which a record was appended, as far as they were read; copies that an opening made are not appended. */
  readonly writtenEpoch: number;
  /** Seq of the last record, 0 when none was read. */
  readonly lastSeq: number;
  /** Nothing of an earlier writer lies behind the end, so the segment may be written on. */
  readonly endIsClean: boolean;
  /** Why no record follows the end. */
  readonly endProblem: RecordProblem | undefined;
  /** Paths of files that carry no part of the log and may be segments again: free, prepared and dropped ones. */
  readonly reusable: readonly string[];
  /**
   * Paths of files that must go: unfinished ones, and segments that were discarded. These are not recycled, since they could
   * get their own number again, and their records, which nobody ever acknowledged, would be valid in it.
   */
  readonly removable: readonly string[];
  /** What was read, for who reads it again. */
  readonly scanned: ScannedLog;
}

/**
 * Reads what is there. Throws a corruption error for broken records that were durable, 0A000 for a newer format. What lies
 * before `droppedBefore`, where a record begins or the log ends, may be missing without a word of the log itself about it,
 * and is not read when a record follows. Segments that are not the owner's, where there is one, are corruption as well.
 */
export function scanLog(
  vfs: Vfs,
  directory: string,
  checksums: Checksums,
  droppedBefore: number,
  owner?: LogOwner,
): LogPicture {
  const files = new LogFiles(vfs, directory, checksums, droppedBefore, owner);
  files.list();
  const chain = files.chain();
  const last = chain.at(-1);
  files.checkNames(last?.number ?? 0);
  if (last === undefined) {
    files.checkNothing();
    return emptyPicture(files);
  }
  for (const { path, number } of files.blanks) {
    if (number > last.number) files.examineBlank(path, number);
    else files.removable.push(path);
  }
  let limit = Number.POSITIVE_INFINITY;
  for (let i = chain.length - 1; i >= 0; i--) {
    const segment = chain[i] as FoundSegment;
    segment.limit = limit;
    limit = Math.min(limit, segment.header.firstLsn);
  }
  return new TailScan(files, chain, droppedBefore).run();
}

/** Walks the records behind what the headers know to be durable. */
class TailScan {
  private readonly files: LogFiles;
  private readonly chain: readonly FoundSegment[];
  private readonly droppedBefore: number;
  private durable = 0;
  private floor = 0;
  private skippedTo = 0;
  private epochMax = 0;
  private writtenEpoch = 0;
  private lastSeq = 0;
  private recordsEnd = 0;
  private end = 0;
  private endIsClean = true;
  private endProblem: RecordProblem | undefined;
  /** LSN at which an unfinished payload began, or -1. */
  private unfinished = -1;
  private readonly scanned = new ScannedLog();

  constructor(files: LogFiles, chain: readonly FoundSegment[], droppedBefore: number) {
    this.files = files;
    this.chain = chain;
    this.droppedBefore = droppedBefore;
  }

  run(): LogPicture {
    this.floor = this.files.floor;
    for (const { header } of this.chain) {
      this.durable = Math.max(this.durable, header.durable);
      this.floor = Math.max(this.floor, header.floor);
      this.epochMax = Math.max(this.epochMax, header.epoch);
    }
    let index = this.chain.length - 1;
    while (index > 0 && (this.chain[index] as FoundSegment).header.firstLsn > this.durable) index--;
    const needed = this.chain.findIndex((segment) => this.isNeededFrom(segment));
    if (needed > index && this.files.read(this.chain[needed] as FoundSegment, (reader) => this.skipDropped(reader))) {
      index = needed;
    }
    while (this.scanSegment(index)) index++;
    // A payload that began in an earlier segment and never ended takes the segments behind its beginning with it.
    while (index > 0 && (this.chain[index] as FoundSegment).header.firstLsn > this.end) index--;
    const last = this.chain[index] as FoundSegment;
    if (this.end < this.durable) {
      throw this.broken(last, SEGMENT_HEADER_BYTES + this.end - last.header.firstLsn, this.endProblem);
    }
    const discarded = this.chain.slice(index + 1);
    return {
      segments: this.chain.slice(0, index + 1),
      end: this.end,
      recordsEnd: this.recordsEnd,
      durable: this.durable,
      floor: this.floor,
      skippedTo: this.skippedTo,
      epochMax: this.epochMax,
      writtenEpoch: this.writtenEpoch,
      lastSeq: this.lastSeq,
      endIsClean: this.endIsClean && discarded.length === 0,
      endProblem: this.endProblem,
      reusable: this.files.reusable,
      removable: [...this.files.removable, ...discarded.map((segment) => segment.path)],
      scanned: this.scanned,
    };
  }

  /** Whether the position from which the owner needs the log lies in a segment. */
  private isNeededFrom({ header, limit }: FoundSegment): boolean {
    return this.droppedBefore >= header.firstLsn && this.droppedBefore < limit;
  }

  /** Goes to where the owner needs the log from, if a record begins there. */
  private skipDropped(reader: SegmentReader): boolean {
    const { firstLsn } = reader.header;
    reader.seekLsn(this.droppedBefore);
    const begins = reader.advance();
    reader.seekLsn(begins ? this.droppedBefore : firstLsn);
    // Of a payload that began in an earlier segment the end is passed over with the rest.
    if (begins) {
      this.unfinished = -1;
      this.skippedTo = this.droppedBefore;
    }
    return begins;
  }

  /** Reads one segment to its end; true when the next one continues it. */
  private scanSegment(index: number): boolean {
    const segment = this.chain[index] as FoundSegment;
    if (segment.header.firstLsn >= segment.limit) return true;
    return this.files.read(segment, (reader) => {
      const record = reader.record;
      let cutAt = -1;
      if (this.isNeededFrom(segment)) this.skipDropped(reader);
      reader.keepIn(this.scanned);
      const copiedTo = Math.max(reader.nextLsn, segment.header.durable);
      while (reader.nextLsn < segment.limit && (reader.passUsual(segment.limit) || reader.advance())) {
        cutAt = -1;
        this.durable = Math.max(this.durable, record.durable);
        this.epochMax = Math.max(this.epochMax, record.epoch);
        if (record.isMark) {
          this.floor = Math.max(this.floor, floorOf(reader));
          this.lastSeq = Math.max(this.lastSeq, record.seq);
          // The mark of a clean close, which nobody synced: the next writer puts its own there.
          if (record.durable === record.lsn) cutAt = record.lsn;
        } else if (!record.isFragment || record.isLast) {
          this.lastSeq = record.seq;
          this.recordsEnd = reader.nextLsn;
          this.unfinished = -1;
        } else if (record.isFirst) {
          this.unfinished = record.lsn;
        }
      }
      reader.endKeeping();
      if (reader.nextLsn > copiedTo) this.writtenEpoch = Math.max(this.writtenEpoch, reader.lastEpoch);
      if (reader.nextLsn === segment.limit) return true;
      this.endProblem = reader.problem;
      this.end = reader.nextLsn;
      if (cutAt >= this.durable) this.end = cutAt;
      if (this.unfinished >= 0) {
        this.end = this.unfinished;
        this.endIsClean = false;
      }
      this.searchBehind(reader, segment, index);
      return false;
    });
  }

  /** Whether anybody behind the broken place knew it to be durable. */
  private searchBehind(reader: SegmentReader, segment: FoundSegment, index: number): void {
    const brokenOffset = reader.nextOffset;
    const brokenLsn = reader.nextLsn;
    const problem = reader.problem;
    const note = (from: SegmentReader): void => {
      this.epochMax = Math.max(this.epochMax, from.record.epoch);
      if (from.record.durable > brokenLsn) throw this.broken(segment, brokenOffset, problem);
    };
    reader.search(() => {
      this.endIsClean = false;
      note(reader);
    });
    for (let later = index + 1; later < this.chain.length; later++) {
      const next = this.chain[later] as FoundSegment;
      if (next.header.durable > brokenLsn) throw this.broken(segment, brokenOffset, problem);
      this.files.read(next, (nextReader) => nextReader.search(() => note(nextReader)));
    }
  }

  private broken(segment: FoundSegment, offset: number, problem: RecordProblem | undefined): Error {
    return corruptionError(`A log record that was durable is broken (${problem?.reason ?? 'unfinished'})`, {
      file: segment.path,
      offset,
      expected: problem?.expected ?? 'the rest of a payload',
      found: problem?.found ?? 'none',
    });
  }
}

function emptyPicture(files: LogFiles): LogPicture {
  return {
    segments: [],
    end: 0,
    recordsEnd: 0,
    durable: 0,
    floor: 0,
    skippedTo: 0,
    epochMax: 0,
    writtenEpoch: 0,
    lastSeq: 0,
    endIsClean: false,
    endProblem: undefined,
    reusable: files.reusable,
    removable: files.removable,
    scanned: new ScannedLog(),
  };
}
