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
import { type Checksums, corruptionError, readU32, readU64, unsupportedError } from '@phantom/base';
import { type Vfs, joinPath } from '@phantom/vfs';
import {
  FORMAT_VERSION,
  RECORD_ALIGNMENT,
  RECORD_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  decodeSegmentHeader,
  isFreeName,
  isTemporaryName,
  segmentName,
  segmentNumber,
} from './format.js';
import { type RecordProblem, SegmentReader } from './segment-reader.js';

/** A file that is a segment of this log. */
export interface FoundSegment {
  readonly number: number;
  readonly path: string;
  readonly header: SegmentHeader;
  /**
   * Where a later segment takes over; infinite for the newest. Not above the own first LSN when a rewritten tail replaced
   * the segment whole.
   */
  limit: number;
}

export interface LogPicture {
  /** The chain, oldest first; empty for a directory without a log. The last one holds the end. */
  readonly segments: readonly FoundSegment[];
  /** Position behind the last whole record. */
  readonly end: number;
  /** Everything before is proved to be on the platter. At most `end`. */
  readonly durable: number;
  /** What is before may be missing. */
  readonly floor: number;
  readonly timeline: number;
  /** Highest epoch that was seen anywhere, also in records that do not count. */
  readonly epochMax: number;
  /** Seq of the last record, 0 when none was read. */
  readonly lastSeq: number;
  /** Nothing of an earlier writer lies behind the end, so the segment may be written on. */
  readonly endIsClean: boolean;
  /** Why no record follows the end. */
  readonly endProblem: RecordProblem | undefined;
  /** Paths of files that carry no part of the log: prepared, dropped or discarded segments, free files, unfinished ones. */
  readonly reusable: readonly string[];
  readonly temporary: readonly string[];
}

/** A file that begins with that many zeros is a prepared one. More than a page, since a lost page must not look like it. */
const EMPTY_BYTES_CHECKED = 16 * 1024;

/** Reads what is there. Throws a corruption error for broken records that were durable, 0A000 for a newer format. */
export function scanLog(vfs: Vfs, directory: string, checksums: Checksums): LogPicture {
  const files = new LogFiles(vfs, directory, checksums);
  files.list();
  const chain = files.chain();
  const last = chain.at(-1);
  if (last === undefined) {
    files.checkNothing();
    return emptyPicture(files);
  }
  for (const { path, number } of files.blanks) {
    if (number > last.number) files.checkBlank(path, number);
    files.reusable.push(path);
  }
  let limit = Number.POSITIVE_INFINITY;
  for (let i = chain.length - 1; i >= 0; i--) {
    const segment = chain[i] as FoundSegment;
    segment.limit = limit;
    limit = Math.min(limit, segment.header.firstLsn);
  }
  return new TailScan(files, chain).run();
}

class LogFiles {
  readonly vfs: Vfs;
  readonly directory: string;
  readonly checksums: Checksums;
  /** Files with a valid header for their name, and those of them that are not left over. */
  private readonly found: FoundSegment[] = [];
  readonly segments: FoundSegment[] = [];
  readonly blanks: { readonly path: string; readonly number: number }[] = [];
  readonly reusable: string[] = [];
  readonly temporary: string[] = [];

  constructor(vfs: Vfs, directory: string, checksums: Checksums) {
    this.vfs = vfs;
    this.directory = directory;
    this.checksums = checksums;
  }

  list(): void {
    for (const name of this.vfs.list(this.directory)) {
      const path = joinPath(this.directory, name);
      const number = segmentNumber(name);
      if (isFreeName(name)) this.reusable.push(path);
      else if (isTemporaryName(name)) this.temporary.push(path);
      else if (number !== undefined) this.classify(path, number);
    }
    this.found.sort((a, b) => a.number - b.number);
    // A segment that an opening discarded may come back, by a crash or recycled under the number that it had. It is told by
    // its epoch: every segment that was begun since has a higher one, and has a lower number or took its place.
    let epoch = 0;
    for (const segment of this.found) {
      if (segment.header.epoch < epoch) this.reusable.push(segment.path);
      else this.segments.push(segment);
      epoch = Math.max(epoch, segment.header.epoch);
    }
  }

  /** Opens a segment for reading, hands it to `use`, closes it. */
  read<T>(segment: FoundSegment, use: (reader: SegmentReader) => T): T {
    const file = this.vfs.open(segment.path, { mode: 'read' });
    try {
      return use(new SegmentReader(file, segment.header, this.checksums));
    } finally {
      file.close();
    }
  }

  /** The segments that form the log, once every number that is missing between them is explained. */
  chain(): FoundSegment[] {
    let chain = this.segments;
    let limit = Number.POSITIVE_INFINITY;
    for (let i = chain.length - 1; i > 0; i--) {
      const upper = chain[i] as FoundSegment;
      const lower = chain[i - 1] as FoundSegment;
      limit = Math.min(limit, upper.header.firstLsn);
      if (upper.number === lower.number + 1) continue;
      // Nothing is missed of what a rewritten tail replaced whole.
      if (lower.header.firstLsn >= limit || this.reaches(lower, limit)) continue;
      const above = chain.slice(i);
      const known = this.knowledgeOf(above, limit);
      if (known.floor >= limit) {
        // What is below the gap was dropped; a crash undid some of the removals.
        for (const segment of chain.slice(0, i)) this.reusable.push(segment.path);
        return above;
      }
      if (known.durable >= limit) throw this.missing(lower.number + 1, limit);
      // Nothing above the gap was ever acknowledged: the log ends below it.
      for (const segment of above) this.reusable.push(segment.path);
      chain = chain.slice(0, i);
      limit = Number.POSITIVE_INFINITY;
    }
    const first = chain[0];
    if (first !== undefined && first.header.firstLsn > this.knowledgeOf(chain, first.header.firstLsn).floor) {
      throw this.missing(first.number - 1, first.header.firstLsn);
    }
    return chain;
  }

  /** Whether the records of a segment go on to a position. */
  private reaches(segment: FoundSegment, lsn: number): boolean {
    return this.read(segment, (reader) => {
      while (reader.nextLsn < lsn && reader.advance());
      return reader.nextLsn === lsn;
    });
  }

  /** What headers and records know; records are read, newest segment first, only until the floor explains what is missing. */
  private knowledgeOf(segments: readonly FoundSegment[], floorWanted: number): { floor: number; durable: number } {
    let floor = 0;
    let durable = 0;
    for (const { header } of segments) {
      floor = Math.max(floor, header.floor);
      durable = Math.max(durable, header.durable);
    }
    for (let i = segments.length - 1; i >= 0 && floor < floorWanted; i--) {
      this.read(segments[i] as FoundSegment, (reader) => {
        reader.search(() => {
          durable = Math.max(durable, reader.record.durable);
          if (reader.record.isMark) floor = Math.max(floor, floorOf(reader));
        });
      });
    }
    return { floor, durable };
  }

  /**
   * A file without a valid header above the newest segment: a prepared one, or one whose first write was torn. It is
   * corruption if something in it shows that the header had been written: a record in the header's own sector, or one that
   * knows of an earlier one here as durable.
   */
  checkBlank(path: string, number: number): void {
    const file = this.vfs.open(path, { mode: 'read' });
    try {
      const bytes = new Uint8Array(file.size());
      file.readAt(0, bytes);
      for (let at = SEGMENT_HEADER_BYTES; at + RECORD_HEADER_BYTES <= bytes.length; at += RECORD_ALIGNMENT) {
        if (readU32(bytes, at + 20) !== number || bytes[at + 8] !== FORMAT_VERSION) continue;
        const firstLsn = readU64(bytes, at + 24) - at + SEGMENT_HEADER_BYTES;
        const timeline = readU32(bytes, at + 12);
        if (Number.isNaN(firstLsn)) continue;
        const header = { version: 1, timeline, epoch: 0, number, firstLsn, durable: 0, floor: 0, createdMs: 0 };
        const reader = new SegmentReader(file, header, this.checksums);
        reader.seek(at);
        if (!reader.advance()) continue;
        if (at === SEGMENT_HEADER_BYTES || reader.record.durable > firstLsn) {
          throw corruptionError('The header of a log segment is broken', {
            file: path,
            offset: 0,
            expected: `the header of segment ${number}`,
            found: 'other bytes',
          });
        }
      }
    } finally {
      file.close();
    }
  }

  /** Without a single segment the directory must be that of no log: the first segment gets its name with its header durable. */
  checkNothing(): void {
    const path = this.blanks[0]?.path ?? this.reusable.find((name) => segmentNumber(name.slice(-14)) !== undefined);
    if (path === undefined || isFreeName(path.slice(-19))) return;
    throw corruptionError('The header of a log segment is broken', {
      file: path,
      offset: 0,
      expected: 'the header of a segment',
      found: 'other bytes',
    });
  }

  private classify(path: string, number: number): void {
    const file = this.vfs.open(path, { mode: 'read' });
    const bytes = new Uint8Array(Math.min(EMPTY_BYTES_CHECKED, file.size()));
    file.readAt(0, bytes);
    file.close();
    const header = decodeSegmentHeader(bytes, this.checksums);
    if (header === undefined) {
      if (bytes.every((byte) => byte === 0)) this.reusable.push(path);
      else this.blanks.push({ path, number });
    } else if (header.version !== FORMAT_VERSION) {
      throw unsupportedError(`log format version ${header.version}`, {
        detail: `File "${path}" was written by a newer version; this one reads version ${FORMAT_VERSION}. Nothing was changed.`,
      });
    } else if (header.number === number) {
      this.found.push({ number, path, header, limit: Number.POSITIVE_INFINITY });
    } else {
      // Recycled and not begun: still what it was.
      this.reusable.push(path);
    }
  }

  private missing(number: number, lsn: number): Error {
    const broken = this.blanks.find((blank) => blank.number === number);
    if (broken !== undefined) {
      return corruptionError('The header of a log segment is broken', {
        file: broken.path,
        offset: 0,
        expected: `the header of segment ${number}`,
        found: 'other bytes',
      });
    }
    return corruptionError(`Log segment ${number}, which ends at LSN ${lsn}, is missing`, {
      file: joinPath(this.directory, segmentName(number)),
    });
  }
}

/** The floor that a mark carries. */
export function floorOf(reader: SegmentReader): number {
  const floor = reader.payloadEnd - reader.payloadStart === 8 ? readU64(reader.window, reader.payloadStart) : 0;
  return Number.isNaN(floor) ? 0 : floor;
}

/** Walks the records behind what the headers know to be durable. */
class TailScan {
  private readonly files: LogFiles;
  private readonly chain: readonly FoundSegment[];
  private durable = 0;
  private floor = 0;
  private epochMax = 0;
  private lastSeq = 0;
  private end = 0;
  private endIsClean = true;
  private endProblem: RecordProblem | undefined;
  /** LSN at which an unfinished payload began, or -1. */
  private unfinished = -1;

  constructor(files: LogFiles, chain: readonly FoundSegment[]) {
    this.files = files;
    this.chain = chain;
  }

  run(): LogPicture {
    for (const { header } of this.chain) {
      this.durable = Math.max(this.durable, header.durable);
      this.floor = Math.max(this.floor, header.floor);
      this.epochMax = Math.max(this.epochMax, header.epoch);
    }
    let index = this.chain.length - 1;
    while (index > 0 && (this.chain[index] as FoundSegment).header.firstLsn > this.durable) index--;
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
      durable: this.durable,
      floor: this.floor,
      timeline: last.header.timeline,
      epochMax: this.epochMax,
      lastSeq: this.lastSeq,
      endIsClean: this.endIsClean && discarded.length === 0,
      endProblem: this.endProblem,
      reusable: [...this.files.reusable, ...discarded.map((segment) => segment.path)],
      temporary: this.files.temporary,
    };
  }

  /** Reads one segment to its end; true when the next one continues it. */
  private scanSegment(index: number): boolean {
    const segment = this.chain[index] as FoundSegment;
    if (segment.header.firstLsn >= segment.limit) return true;
    return this.files.read(segment, (reader) => {
      const record = reader.record;
      let cutAt = -1;
      while (reader.nextLsn < segment.limit && reader.advance()) {
        cutAt = -1;
        this.durable = Math.max(this.durable, record.durable);
        this.epochMax = Math.max(this.epochMax, record.epoch);
        if (record.isMark) {
          this.floor = Math.max(this.floor, floorOf(reader));
          // The mark of a clean close, which nobody synced: the next writer puts its own there.
          if (record.durable === record.lsn) cutAt = record.lsn;
        } else {
          this.lastSeq = record.seq;
          if (!record.isFragment || record.isLast) this.unfinished = -1;
          else if (record.isFirst) this.unfinished = record.lsn;
        }
      }
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
    durable: 0,
    floor: 0,
    timeline: 0,
    epochMax: 0,
    lastSeq: 0,
    endIsClean: false,
    endProblem: undefined,
    reusable: files.reusable,
    temporary: files.temporary,
  };
}
