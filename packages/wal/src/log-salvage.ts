/**
 * A damaged log, as salvage reads it: record after record up to the first that is broken and was durable, whole payloads only. What
 * lies behind that place is counted, and taken only where that is asked for: each record is whole by itself, and what the lost ones
 * between had written is older there than it should be, without anybody knowing where.
 *
 *      | whole | whole | broken | whole | whole |          taken: 2, behind the damage: 2
 *
 * A broken record is damage when somebody knew it to be durable: a later record, a later segment, or the owner of the log. Any other is
 * the end of the log, as for an opening. A header that cannot be read is made again of what the first record says of its segment.
 */
import { type Checksums, type Identity, sameIdentity } from '@phantom/base';
import { type MendedVfs, type VfsFile, joinPath } from '@phantom/vfs';
import {
  FORMAT_VERSION,
  RECORD_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
  RecordHeader,
  type SegmentHeader,
  decodeSegmentHeader,
  isKnownVersion,
  segmentNumber,
} from './format.js';
import { SegmentReader } from './segment-reader.js';
import type { Lsn } from './wal-types.js';

/** A checksum of 32 bits proves a turned bit only among few: of longer payloads the header and the beginning are tried. */
const TRIED_BYTES_MAX = 4096;

export interface LogSalvageOptions {
  readonly directory: string;
  readonly vfs: MendedVfs;
  readonly checksums: Checksums;
  /** Where the first record that is wanted begins; 0: with the oldest there is. */
  readonly from: Lsn;
  /** Whose log it is, and how far it was durable, as far as anybody knows. */
  readonly identity: Identity | undefined;
  readonly end: Lsn;
  /** The newest segment that is known to have been in use; 0 when nobody knows. */
  readonly segment: number;
  /** Go on behind damage with the next whole record. */
  readonly pastDamage: boolean;
  readonly report: (damage: LogDamage) => void;
}

export interface LogDamage {
  readonly file: string;
  readonly offset: number;
  readonly message: string;
  readonly isMended: boolean;
}

export interface SalvagedRecord {
  readonly seq: number;
  readonly flags: number;
  /** The reader's own. */
  readonly payload: Uint8Array;
}

export interface SalvagedLog {
  readonly records: readonly SalvagedRecord[];
  /** Whole records behind the first damage, and the seq of the last of them; counted, and among the records if that was asked for. */
  readonly recordsPast: number;
  readonly lastSeqPast: number;
}

interface FoundSegment {
  readonly path: string;
  readonly header: SegmentHeader;
}

/** Reads what can be read. Throws I/O errors only. */
export function salvageLog(options: LogSalvageOptions): SalvagedLog {
  return new LogSalvage(options).run();
}

class LogSalvage {
  private readonly options: LogSalvageOptions;
  private readonly records: SalvagedRecord[] = [];
  private recordsPast = 0;
  private lastSeqPast = 0;
  /** Something durable is missing before what comes now. */
  private isPast = false;
  private fragments: Uint8Array[] | undefined = undefined;

  constructor(options: LogSalvageOptions) {
    this.options = options;
  }

  run(): SalvagedLog {
    const { from, directory, end } = this.options;
    const segments = this.segments();
    let position = from;
    for (let i = 0; i < segments.length; i++) {
      const segment = segments[i] as FoundSegment;
      const { firstLsn } = segment.header;
      const limit = Math.min(...segments.slice(i + 1).map(({ header }) => header.firstLsn));
      if (limit <= from || firstLsn >= limit) continue;
      const isFirst = position === 0;
      if (firstLsn > position && !isFirst) this.damage(segment.path, 0, 'the log segments before this one are missing');
      position = this.segment(segment, limit, segments.slice(i + 1));
      if (position < limit) break;
    }
    const isCut = (segments.at(-1)?.header.number ?? 0) < this.options.segment;
    if (position < end || isCut) this.damage(directory, 0, 'the log ends before records that were durable');
    return { records: this.records, recordsPast: this.recordsPast, lastSeqPast: this.lastSeqPast };
  }

  /** By number. Those that an opening had discarded have a lower epoch than one before them. */
  private segments(): FoundSegment[] {
    const { vfs, directory, identity } = this.options;
    const found: FoundSegment[] = [];
    const names = vfs.exists(directory) ? vfs.list(directory) : [];
    for (const name of names) {
      const number = segmentNumber(name);
      if (number === undefined) continue;
      const path = joinPath(directory, name);
      const header = this.header(path, number);
      if (header === undefined) continue;
      if (header.identity !== undefined && identity !== undefined && !sameIdentity(header.identity, identity)) {
        this.tell(path, 0, 'the segment is of another store');
        continue;
      }
      found.push({ path, header });
    }
    found.sort((a, b) => a.header.number - b.header.number);
    let epoch = 0;
    return found.filter(({ header }) => {
      const isLeftOver = header.epoch < epoch;
      epoch = Math.max(epoch, header.epoch);
      return !isLeftOver;
    });
  }

  /** Of a segment in use; undefined for a file that was prepared or recycled, and for one that cannot be read. */
  private header(path: string, number: number): SegmentHeader | undefined {
    const { vfs, checksums } = this.options;
    const file = vfs.open(path, { mode: 'read' });
    try {
      const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
      file.readAt(0, bytes);
      const header = decodeSegmentHeader(bytes, checksums);
      if (header !== undefined) return header.number === number && isKnownVersion(header.version) ? header : undefined;
      if (bytes.every((byte) => byte === 0)) return undefined;
      const isOwn = (piece: Uint8Array): boolean => decodeSegmentHeader(piece, checksums)?.number === number;
      const mendedAt = vfs.mend(path, 0, SEGMENT_HEADER_BYTES, isOwn);
      if (mendedAt === undefined) {
        const made = this.headerFromRecord(file, number);
        const message = 'the header of a log segment is broken';
        // Behind the segments in use lie prepared ones, of which nothing is believed anyway.
        if (made !== undefined) this.tell(path, 0, `${message}; its first record says the same`, true);
        else if (number <= this.options.segment) this.tell(path, 0, message);
        return made;
      }
      this.tell(path, mendedAt, `one bit of the byte at ${mendedAt} was turned; the checksum says how it was`, true);
      file.readAt(0, bytes);
      return decodeSegmentHeader(bytes, checksums);
    } finally {
      file.close();
    }
  }

  /** What the first record says of its segment: all that reading it needs. */
  private headerFromRecord(file: VfsFile, number: number): SegmentHeader | undefined {
    const bytes = new Uint8Array(RECORD_HEADER_BYTES);
    if (file.readAt(SEGMENT_HEADER_BYTES, bytes) < bytes.length) return undefined;
    const fields = new RecordHeader();
    fields.read(new DataView(bytes.buffer), 0);
    const { timeline, epoch, lsn: firstLsn } = fields;
    if (fields.segment !== number || Number.isNaN(firstLsn)) return undefined;
    const ownership = { version: FORMAT_VERSION, timeline, identity: undefined };
    const header = { ...ownership, epoch, number, firstLsn, durable: 0, floor: 0 };
    return new SegmentReader(file, header, this.options.checksums).advance() ? header : undefined;
  }

  /** Takes its records, and returns where they end: at the limit, unless it is where the log ends. */
  private segment({ path, header }: FoundSegment, limit: Lsn, later: readonly FoundSegment[]): Lsn {
    const { vfs, checksums, from } = this.options;
    const file = vfs.open(path, { mode: 'read' });
    try {
      let reader = new SegmentReader(file, header, checksums);
      if (from > header.firstLsn) reader.seekLsn(from);
      for (;;) {
        while (reader.nextLsn < limit && reader.advance()) this.take(reader);
        if (reader.nextLsn >= limit) return limit;
        const offset = reader.nextOffset;
        const reason = reader.problem?.reason ?? 'unknown';
        // The search looks at the places behind this one, too.
        const behind = this.firstBehind(new SegmentReader(file, header, checksums), offset);
        if (!this.wasDurable(reader.nextLsn, behind.durable, later)) return reader.nextLsn;
        const mendedAt = this.mendRecord(file, header, offset);
        if (mendedAt !== undefined) {
          this.tell(
            path,
            mendedAt,
            `one bit of the byte at ${mendedAt} was turned; the checksum says how it was`,
            true,
          );
          reader = new SegmentReader(file, header, checksums);
          reader.seek(offset);
          continue;
        }
        this.damage(path, offset, `a log record that was durable is broken (${reason})`);
        // The rest of the segment is lost, and no more than that: it is told once.
        if (behind.offset === undefined) return Math.min(limit, Math.max(reader.nextLsn, this.options.end));
        reader = new SegmentReader(file, header, checksums);
        reader.seek(behind.offset);
      }
    } finally {
      file.close();
    }
  }

  private take(reader: SegmentReader): void {
    const { record } = reader;
    if (record.isMark) return;
    const payload = reader.window.slice(reader.payloadStart, reader.payloadEnd);
    if (!record.isFragment) {
      this.fragments = undefined;
      this.add(record.seq, record.ownerFlags, payload);
      return;
    }
    if (record.isFirst) this.fragments = [];
    // Without its beginning a payload is none.
    if (this.fragments === undefined) return;
    this.fragments.push(payload);
    if (!record.isLast) return;
    this.add(record.seq, record.ownerFlags, Buffer.concat(this.fragments));
    this.fragments = undefined;
  }

  private add(seq: number, flags: number, payload: Uint8Array): void {
    if (this.isPast) {
      this.recordsPast++;
      this.lastSeqPast = seq;
      if (!this.options.pastDamage) return;
    }
    this.records.push({ seq, flags, payload });
  }

  /** Where the next whole record begins behind a broken one, and the furthest position that any of those behind knows durable. */
  private firstBehind(reader: SegmentReader, offset: number): { offset: number | undefined; durable: Lsn } {
    let first: number | undefined;
    let durable = 0;
    reader.seek(offset);
    reader.search(() => {
      first ??= reader.offset;
      durable = Math.max(durable, reader.record.durable);
    });
    return { offset: first, durable };
  }

  private wasDurable(lsn: Lsn, durable: Lsn, later: readonly FoundSegment[]): boolean {
    if (Math.max(durable, this.options.end) > lsn) return true;
    return later.some(({ header }) => header.durable > lsn);
  }

  private mendRecord(file: VfsFile, header: SegmentHeader, offset: number): number | undefined {
    const { vfs, checksums } = this.options;
    const fields = new RecordHeader();
    const lsn = header.firstLsn + offset - SEGMENT_HEADER_BYTES;
    const bytes = Math.min(RECORD_HEADER_BYTES + TRIED_BYTES_MAX, file.size() - offset);
    const isWhole = (piece: Uint8Array): boolean => {
      fields.read(new DataView(piece.buffer), 0);
      const end = RECORD_HEADER_BYTES + fields.payloadBytes;
      const isPlaced = fields.segment === header.number && fields.lsn === lsn && fields.timeline === header.timeline;
      return isPlaced && end <= piece.length && checksums.h32(piece, 4, end) === fields.checksum;
    };
    return bytes < RECORD_HEADER_BYTES ? undefined : vfs.mend(file.path, offset, bytes, isWhole);
  }

  private damage(file: string, offset: number, message: string): void {
    this.isPast = true;
    this.fragments = undefined;
    this.tell(file, offset, message);
  }

  private tell(file: string, offset: number, message: string, isMended = false): void {
    this.options.report({ file, offset, message, isMended });
  }
}
