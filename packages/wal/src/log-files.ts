/**
 * The files of a log's directory: which of them are its segments, and why numbers may be missing between them.
 *
 * Segments are numbered without a gap when they are made. A gap is explained if what is below was dropped (the floor says
 * so), if the missing ones had been replaced whole by a rewritten tail, or if nothing above was ever acknowledged. Any other
 * gap is a lost file, and a lost file is corruption.
 */
import { type Checksums, corruptionError, readU32, readU64, unsupportedError } from '@phantom/base';
import { type Vfs, type VfsFile, joinPath } from '@phantom/vfs';
import {
  FORMAT_VERSION,
  IDENTIFIED_VERSION,
  RECORD_ALIGNMENT,
  RECORD_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  decodeSegmentHeader,
  isKnownVersion,
  isFreeName,
  isTemporaryName,
  segmentName,
  segmentNumber,
} from './format.js';
import { checkOwnership } from './log-owner.js';
import { PlaceSearch } from './place-search.js';
import { SegmentReader } from './segment-reader.js';
import type { LogOwner } from './wal-types.js';

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

/** A file that has the name of a segment and no header of it: prepared, or recycled, and nothing was written to it yet. */
interface BlankFile {
  readonly path: string;
  readonly number: number;
  /** The number in the header of the segment that the file was, if it was one. */
  readonly wasNumber: number;
}

/** Bytes of a file without a header that are looked at together. */
const BLANK_WINDOW_BYTES = 256 * 1024;

/** The floor that a mark carries. */
export function floorOf(reader: SegmentReader): number {
  const floor = reader.payloadEnd - reader.payloadStart === 8 ? readU64(reader.window, reader.payloadStart) : 0;
  return Number.isNaN(floor) ? 0 : floor;
}

/** The files, sorted out. Reads only. */
export class LogFiles {
  readonly vfs: Vfs;
  readonly directory: string;
  readonly checksums: Checksums;
  private readonly droppedBefore: number;
  private readonly owner: LogOwner | undefined;
  /** Files with a valid header for their name, and those of them that are not left over. */
  private readonly found: FoundSegment[] = [];
  readonly segments: FoundSegment[] = [];
  readonly blanks: BlankFile[] = [];
  readonly reusable: string[] = [];
  readonly removable: string[] = [];
  /** What the search for an explanation of missing segments found to be dropped. */
  floor = 0;

  /** The owner of the log knows that what lies before `droppedBefore` may be missing. */
  constructor(vfs: Vfs, directory: string, checksums: Checksums, droppedBefore: number, owner: LogOwner | undefined) {
    this.vfs = vfs;
    this.directory = directory;
    this.checksums = checksums;
    this.droppedBefore = droppedBefore;
    this.owner = owner;
  }

  list(): void {
    for (const name of this.vfs.list(this.directory)) {
      const path = joinPath(this.directory, name);
      const number = segmentNumber(name);
      if (isFreeName(name)) this.reusable.push(path);
      else if (isTemporaryName(name)) this.removable.push(path);
      else if (number !== undefined) this.classify(path, number);
    }
    this.found.sort((a, b) => a.number - b.number);
    // A crash may bring back a segment that an opening had discarded. It is told by its epoch: every segment that was begun
    // since has a higher one, and has a lower number or took its place.
    let epoch = 0;
    for (const segment of this.found) {
      if (segment.header.epoch < epoch) this.removable.push(segment.path);
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
        this.floor = known.floor;
        return above;
      }
      if (known.durable >= limit) throw this.missing(lower.number + 1, limit);
      // Nothing above the gap was ever acknowledged: the log ends below it.
      for (const segment of above) this.removable.push(segment.path);
      chain = chain.slice(0, i);
      limit = Number.POSITIVE_INFINITY;
    }
    const begin = chain[0]?.header.firstLsn ?? 0;
    // What was dropped was dropped, also when the segment that says so is no part of the chain any more.
    this.floor = begin === 0 ? 0 : this.knowledgeOf(this.segments, begin).floor;
    if (begin > this.floor) throw this.missing((chain[0] as FoundSegment).number - 1, begin);
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
    let floor = this.droppedBefore >= floorWanted ? floorWanted : 0;
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
   * What a file is that has a number above the newest segment and no header of its own: a prepared one, or one whose first
   * write was torn. It is corruption if a record in it shows that the header had been written: one in the header's own
   * sector, or one that knows of an earlier one here as durable. It may be recycled if no record in it has its number.
   */
  examineBlank(path: string, number: number): void {
    const file = this.vfs.open(path, { mode: 'read' });
    try {
      const bytes = new Uint8Array(Math.min(BLANK_WINDOW_BYTES, file.size()));
      const places = new PlaceSearch(number);
      let found = false;
      for (let offset = 0; ; offset += bytes.length - RECORD_HEADER_BYTES) {
        const count = file.readAt(offset, bytes);
        let at = places.next(bytes, 0, count);
        for (; at + RECORD_HEADER_BYTES <= count; at = places.next(bytes, at + RECORD_ALIGNMENT, count)) {
          if (this.examineRecord(file, path, number, offset + at, bytes, at)) found = true;
        }
        if (count < bytes.length || count <= RECORD_HEADER_BYTES) break;
      }
      (found ? this.removable : this.reusable).push(path);
    } finally {
      file.close();
    }
  }

  /** Whether there is a valid record of the segment at a place; throws when it shows that the header is broken. */
  private examineRecord(
    file: VfsFile,
    path: string,
    number: number,
    offset: number,
    bytes: Uint8Array,
    at: number,
  ): boolean {
    const firstLsn = readU64(bytes, at + 24) - offset + SEGMENT_HEADER_BYTES;
    const timeline = readU32(bytes, at + 12);
    if (Number.isNaN(firstLsn)) return false;
    const ownership = { version: FORMAT_VERSION, timeline, identity: undefined };
    const header = { ...ownership, epoch: 0, number, firstLsn, durable: 0, floor: 0 };
    const reader = new SegmentReader(file, header, this.checksums);
    reader.seek(offset);
    if (!reader.advance()) return false;
    if (offset === SEGMENT_HEADER_BYTES || reader.record.durable > firstLsn) throw this.brokenHeader(path, number);
    return true;
  }

  /**
   * A recycled file was a segment that was dropped, and those have lower numbers than what the log still has. One with a higher
   * number was renamed by somebody.
   */
  checkNames(lastNumber: number): void {
    for (const { path, number, wasNumber } of this.blanks) {
      if (wasNumber <= lastNumber && wasNumber <= number) continue;
      const names = { file: path, expected: `segment ${number}`, found: `segment ${wasNumber}` };
      throw corruptionError('A log segment has the name of another', names);
    }
  }

  /** Without a single segment there must be no file of one: the first gets its name with its header durable. */
  checkNothing(): void {
    const blank = this.blanks[0];
    if (blank !== undefined) throw this.brokenHeader(blank.path, blank.number);
  }

  private classify(path: string, number: number): void {
    const file = this.vfs.open(path, { mode: 'read' });
    const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
    file.readAt(0, bytes);
    file.close();
    const header = decodeSegmentHeader(bytes, this.checksums);
    if (header !== undefined && !isKnownVersion(header.version)) {
      throw unsupportedError(`log format version ${header.version}`, {
        detail: `File "${path}" was written by a newer version; this one reads versions up to ${IDENTIFIED_VERSION}. Nothing was changed.`,
      });
    }
    if (header !== undefined) checkOwnership(header, path, this.owner);
    if (header?.number === number) this.found.push({ number, path, header, limit: Number.POSITIVE_INFINITY });
    else this.blanks.push({ path, number, wasNumber: header?.number ?? 0 });
  }

  private brokenHeader(path: string, number: number): Error {
    return corruptionError('The header of a log segment is broken', {
      file: path,
      offset: 0,
      expected: `the header of segment ${number}`,
      found: 'other bytes',
    });
  }

  private missing(number: number, lsn: number): Error {
    const broken = this.blanks.find((blank) => blank.number === number);
    if (broken !== undefined) return this.brokenHeader(broken.path, number);
    return corruptionError(`Log segment ${number}, which ends at LSN ${lsn}, is missing`, {
      file: joinPath(this.directory, segmentName(Math.max(1, number))),
    });
  }
}
