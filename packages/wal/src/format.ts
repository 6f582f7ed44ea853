/**
 * The bytes of the log. Everything here is on disk for good; docs/formats/wal.md draws the same for other readers.
 *
 * A log is a chain of segment files, `0000000001.wal` and so on. All integers are little-endian and unsigned.
 *
 * ```
 * segment header, 64 bytes                       record, 56 bytes + payload, padded with zeros to 8
 * offset size                                    offset size
 *      0    8  magic "PHANTWAL"                       0    4  checksum of bytes 4 .. 56 + payload length
 *      8    2  format version (1 or 2)                4    4  payload length
 *     10    2  header bytes (64)                      8    1  format version (1)
 *     12    4  timeline, or identity from here         9    1  log flags: 1 fragment, 2 last, 4 mark, 8 first
 *     16    4  epoch of the writer                   10    2  owner's flags
 *     20    4  segment number                        12    4  timeline
 *     24    8  first LSN                             16    4  epoch
 *     32    8  LSN known durable                     20    4  segment number
 *     40    8  floor: what is before may be gone     24    8  LSN
 *     48   12  the rest of the identity               32    8  seq
 *                                                    40    8  commit time, ms since 1970
 *     60    4  checksum of bytes 0 .. 60             48    8  LSN known durable when this was written
 *                                                    56       payload
 * ```
 *
 * A segment of version 1 belongs to nobody in particular: its timeline is a number, its last 12 bytes are a time and zeros.
 * One of version 2 belongs to the store whose identity of 16 bytes it carries: 4 in the place of the timeline, which stands
 * in each record, too, and 12 in the place of the time. Records are the same in both.
 *
 * Checksums are xxHash32 with seed 0. An LSN counts record bytes only, so the record at file offset o of a segment has
 * LSN = first LSN + o - 64, and a segment begins where the one before it ends.
 *
 * Rules of reading:
 *   1. A record is valid at a place if its checksum holds, its segment number, timeline and LSN are those of the place, and
 *      its epoch is not below that of the record before. Recycled files are full of records whose checksum holds; their
 *      segment number and LSN do not.
 *   2. Segment n ends at the first LSN of segment n + 1, whatever follows there: a tail that was accepted at opening is
 *      rewritten into the next segment, which rules from its first LSN on.
 *      A segment whose epoch is below that of a segment with a lower number is a leftover and no part of the chain.
 *   3. Fragments of one payload follow each other, the first and the last of them flagged so; without the last none counts.
 *      Where older segments were dropped a log may begin with the rest of such a payload, which does not count either.
 *   4. A mark carries no payload of the owner but 8 bytes, the floor: segments below it may be missing. Its durable LSN may
 *      be its own LSN, which proves that everything before it is on the platter (a clean close leaves such a mark).
 *   5. A file whose first 60 bytes and checksum agree and whose version is above 2 is of a newer format: refused, untouched.
 *   6. A log that has an owner holds segments of the owner's identity alone, but for those of version 1 that the owner knows
 *      to be older than its identity. Anything else under the name of a segment is an error: it is never passed over.
 *
 * Worked example: the first record of a log, payload "hi", seq 1: 58 bytes at offset 64 of 0000000001.wal, LSN 0, padded to
 * 64 bytes; the next record is at offset 128 with LSN 64.
 */
import {
  type Checksums,
  IDENTITY_BYTES,
  type Identity,
  assert,
  readU16,
  readU32,
  readU64,
  safeU64,
  writeU16,
  writeU32,
  writeU64,
} from '@phantom/base';

/** Of records, and of segments without an identity. */
export const FORMAT_VERSION = 1;
/** Of segments that carry the identity of a store. */
export const IDENTIFIED_VERSION = 2;
export const SEGMENT_HEADER_BYTES = 64;
export const RECORD_HEADER_BYTES = 56;
/** Records begin at multiples of this, so that a search for records behind a broken one has few places to look at. */
export const RECORD_ALIGNMENT = 8;

/** Log flags of a record. */
export const LogFlag = { fragment: 1, last: 2, mark: 4, first: 8 } as const;

/** All of them: a record with any other flag is not one of this version. */
export const LOG_FLAGS_KNOWN = 15;

/** Bytes of a mark in the file. */
export const MARK_BYTES = RECORD_HEADER_BYTES + 8;

const MAGIC = [0x50, 0x48, 0x41, 0x4e, 0x54, 0x57, 0x41, 0x4c];

/** Segment numbers are 32 bits: 64 PiB of log at 16 MiB each. */
const SEGMENT_NUMBER_MAX = 0xffff_ffff;

export function segmentName(number: number): string {
  assert(number >= 1 && number <= SEGMENT_NUMBER_MAX, 'a segment number has 32 bits');
  return `${String(number).padStart(10, '0')}.wal`;
}

/** The number in a segment's file name, or undefined for any other name. */
export function segmentNumber(name: string): number | undefined {
  return /^\d{10}\.wal$/.test(name) ? Number(name.slice(0, 10)) : undefined;
}

/** Where the file of a segment waits to be a segment again: `free-0000000001.wal`. A free file stays where it is. */
export function freePath(segmentPath: string): string {
  const at = segmentPath.lastIndexOf('/') + 1;
  const name = segmentPath.slice(at);
  return isFreeName(name) ? segmentPath : `${segmentPath.slice(0, at)}free-${name}`;
}

export function isFreeName(name: string): boolean {
  return /^free-\d{10}\.wal$/.test(name);
}

/** A segment that is being written under a name that no reader takes. */
export function temporaryName(number: number): string {
  return `${segmentName(number)}.new`;
}

export function isTemporaryName(name: string): boolean {
  return /^\d{10}\.wal\.new$/.test(name);
}

export interface SegmentHeader {
  readonly version: number;
  /** Stands in each record of the segment. With an identity the number that its first four bytes make. */
  readonly timeline: number;
  /** Of the store that the segment belongs to; undefined in version 1. */
  readonly identity: Identity | undefined;
  readonly epoch: number;
  readonly number: number;
  readonly firstLsn: number;
  readonly durable: number;
  readonly floor: number;
}

/** Whether this release reads segments of that version. */
export function isKnownVersion(version: number): boolean {
  return version === FORMAT_VERSION || version === IDENTIFIED_VERSION;
}

/** The fields that say whose a segment is. */
export type Ownership = Pick<SegmentHeader, 'version' | 'timeline' | 'identity'>;

/** The timeline of logs that nobody owns. */
const TIMELINE = 1;

/** What stands in the segments of a log, which may have an owner. */
export function ownershipOf(identity: Identity | undefined, timeline = TIMELINE): Ownership {
  return identity === undefined
    ? { version: FORMAT_VERSION, timeline, identity }
    : { version: IDENTIFIED_VERSION, timeline: readU32(identity, 0), identity };
}

/** Writes the header of a segment at `at`. */
export function encodeSegmentHeader(bytes: Uint8Array, at: number, header: SegmentHeader, checksums: Checksums): void {
  bytes.set(MAGIC, at);
  writeU16(bytes, at + 8, header.version);
  writeU16(bytes, at + 10, SEGMENT_HEADER_BYTES);
  writeU32(bytes, at + 12, header.timeline);
  writeU32(bytes, at + 16, header.epoch);
  writeU32(bytes, at + 20, header.number);
  writeU64(bytes, at + 24, header.firstLsn);
  writeU64(bytes, at + 32, header.durable);
  writeU64(bytes, at + 40, header.floor);
  bytes.fill(0, at + 48, at + 60);
  if (header.identity !== undefined) bytes.set(header.identity.subarray(4), at + 48);
  writeU32(bytes, at + 60, checksums.h32(bytes, at, at + 60));
}

/** The header in the first 64 bytes, or undefined when they are not one (of any version). */
export function decodeSegmentHeader(bytes: Uint8Array, checksums: Checksums): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES) return undefined;
  for (let i = 0; i < MAGIC.length; i++) if (bytes[i] !== MAGIC[i]) return undefined;
  if (readU32(bytes, 60) !== checksums.h32(bytes, 0, 60)) return undefined;
  const version = readU16(bytes, 8);
  const header = {
    version,
    timeline: readU32(bytes, 12),
    identity: version === IDENTIFIED_VERSION ? identityIn(bytes) : undefined,
    epoch: readU32(bytes, 16),
    number: readU32(bytes, 20),
    firstLsn: readU64(bytes, 24),
    durable: readU64(bytes, 32),
    floor: readU64(bytes, 40),
  };
  const sound = !Number.isNaN(header.firstLsn) && !Number.isNaN(header.durable) && !Number.isNaN(header.floor);
  return sound ? header : undefined;
}

function identityIn(bytes: Uint8Array): Identity {
  const identity = new Uint8Array(IDENTITY_BYTES);
  identity.set(bytes.subarray(12, 16));
  identity.set(bytes.subarray(48, 60), 4);
  return identity;
}

/** Bytes that a record with a payload of that length takes in the file. */
export function recordBytes(payloadBytes: number): number {
  return (RECORD_HEADER_BYTES + payloadBytes + RECORD_ALIGNMENT - 1) & ~(RECORD_ALIGNMENT - 1);
}

/**
 * Writes a record's header in front of a payload that is already at `at + 56`, zeros the padding, and seals it with the
 * checksum. Arguments and not an object: this runs for every record.
 */
export function sealRecord(
  bytes: Uint8Array,
  at: number,
  payloadBytes: number,
  logFlags: number,
  ownerFlags: number,
  timeline: number,
  epoch: number,
  segment: number,
  lsn: number,
  seq: number,
  commitTimeMs: number,
  durable: number,
  checksums: Checksums,
): void {
  writeU32(bytes, at + 4, payloadBytes);
  bytes[at + 8] = FORMAT_VERSION;
  bytes[at + 9] = logFlags;
  writeU16(bytes, at + 10, ownerFlags);
  writeU32(bytes, at + 12, timeline);
  writeU32(bytes, at + 16, epoch);
  writeU32(bytes, at + 20, segment);
  writeU64(bytes, at + 24, lsn);
  writeU64(bytes, at + 32, seq);
  writeU64(bytes, at + 40, commitTimeMs);
  writeU64(bytes, at + 48, durable);
  const end = at + RECORD_HEADER_BYTES + payloadBytes;
  const paddedEnd = at + recordBytes(payloadBytes);
  for (let i = end; i < paddedEnd; i++) bytes[i] = 0;
  writeU32(bytes, at, checksums.h32(bytes, at + 4, end));
}

/** The fields of one record's header; one object is aimed at record after record. */
export class RecordHeader {
  checksum = 0;
  payloadBytes = 0;
  version = 0;
  logFlags = 0;
  ownerFlags = 0;
  timeline = 0;
  epoch = 0;
  segment = 0;
  /** NaN where the bytes hold no safe integer, as for the three below. */
  lsn = 0;
  seq = 0;
  commitTimeMs = 0;
  durable = 0;

  /** Through a DataView: an opening runs this for every record, mostly before anything is compiled. */
  read(bytes: DataView, at: number): void {
    this.checksum = bytes.getUint32(at, true);
    this.payloadBytes = bytes.getUint32(at + 4, true);
    this.version = bytes.getUint8(at + 8);
    this.logFlags = bytes.getUint8(at + 9);
    this.ownerFlags = bytes.getUint16(at + 10, true);
    this.timeline = bytes.getUint32(at + 12, true);
    this.epoch = bytes.getUint32(at + 16, true);
    this.segment = bytes.getUint32(at + 20, true);
    this.lsn = safeU64(bytes.getUint32(at + 24, true), bytes.getUint32(at + 28, true));
    this.seq = safeU64(bytes.getUint32(at + 32, true), bytes.getUint32(at + 36, true));
    this.commitTimeMs = safeU64(bytes.getUint32(at + 40, true), bytes.getUint32(at + 44, true));
    this.durable = safeU64(bytes.getUint32(at + 48, true), bytes.getUint32(at + 52, true));
  }

  get isMark(): boolean {
    return (this.logFlags & LogFlag.mark) !== 0;
  }

  get isFragment(): boolean {
    return (this.logFlags & LogFlag.fragment) !== 0;
  }

  get isFirst(): boolean {
    return (this.logFlags & LogFlag.first) !== 0;
  }

  get isLast(): boolean {
    return (this.logFlags & LogFlag.last) !== 0;
  }
}
