/**
 * The bytes of an archive: a directory that holds whole copies of a store (bases) and every commit since the first of them.
 *
 *   <archive>/
 *     base-<n>/                              a store as copyStore makes it; n is a place that is used again
 *     base-<n>.info                          says that the base counts, and where it stands
 *     point-<h64 of its name>.info           a restore point: a name for a commit
 *     commits-<first seq>-<last seq>.archive a run of commits, closed: it ends with an end record
 *     commits-<first seq>.open               the run that is being written: it may end anywhere
 *
 * All integers are unsigned and little-endian, checksums are h32 with seed 0 unless another one is named.
 *
 *   head of a file of commits, 48 bytes          record, 48 bytes and its payload
 *      0   8  PHANTOMA                              0   4  bytes of the payload
 *      8   4  format, 1                             4   1  kind: 1 batch, 2 load, 255 end
 *     16  16  identity of the store                 5   1  1: more of the same commit follows
 *     32   8  seq of the first commit               8   8  seq
 *     44   4  h32 of bytes 0 to 43                 16   8  commit time, milliseconds since 1970
 *                                                  24   4  space limit: numbers below may have been handed out
 *                                                  28   8  whole from: see invariant 2
 *   info of a base, 64 bytes                       36   4  zero
 *      0   8  PHANTOMB                             40   4  h32 of the payload, its seed that of the record before
 *      8   4  format, 1                            44   4  h32 of bytes 0 to 43
 *     16  16  identity of the store
 *     32   8  seq                                 payload of a batch: docs/formats/write-batch.md; of a load: the same, a removal
 *     40   8  no commit up to seq is later        of its ranges first; of the end: u64, records before it
 *     48   8  entries
 *     60   4  h32 of bytes 0 to 59
 *
 *   restore point: PHANTOMR, format, identity and seq likewise, 40 8 the moment, from 48 on the name in UTF-8, h32 of all before
 *
 * Invariants:
 *   1. Each record has the seq of the one before, when that says that more follows, and the next one otherwise.
 *   2. A load is archived as what its ranges hold at the commit `whole from`, which is its own where nothing came in between. Every commit
 *      from there on can be brought back, those between the two cannot.
 *   3. Since each payload's sum has the one before as its seed, and the end record counts them, records cannot be left out or exchanged.
 */
import {
  type Checksums,
  type Identity,
  PhantomError,
  SqlState,
  corruptionError,
  readU32,
  readU64,
  writeU32,
  writeU64,
} from '@phantom/base';
import type { Seq } from '@phantom/kv';

const ARCHIVE_FORMAT = 1;
export const FILE_HEAD_BYTES = 48;
export const RECORD_HEAD_BYTES = 48;
const INFO_BYTES = 64;
const FILE_MAGIC = 'PHANTOMA';
const INFO_MAGIC = 'PHANTOMB';
const SEQ_DIGITS = 16;
const POINT_MAGIC = 'PHANTOMR';
/** Of a restore point, before its name. */
const POINT_HEAD_BYTES = 48;
/** As in PostgreSQL. */
export const POINT_NAME_CHARACTERS_MAX = 63;

export const ArchivedKind = { Batch: 1, Load: 2, End: 255 } as const;
export type ArchivedKind = (typeof ArchivedKind)[keyof typeof ArchivedKind];

/** What a record says of itself. */
export interface RecordHead {
  readonly kind: ArchivedKind;
  /** The next record belongs to the same commit. */
  readonly isContinued: boolean;
  readonly seq: Seq;
  readonly commitTimeMs: number;
  readonly spaceLimit: number;
  readonly wholeFrom: Seq;
}

/** A record's head as it was read. */
export interface FoundHead extends RecordHead {
  readonly payloadBytes: number;
  readonly payloadSum: number;
}

/** A base that counts. */
export interface BaseInfo {
  readonly identity: Identity;
  readonly seq: Seq;
  /** No commit up to seq is later, milliseconds since 1970. */
  readonly timeMs: number;
  readonly entries: number;
}

/** What the file of a restore point says. */
export interface PointInfo {
  readonly identity: Identity;
  readonly name: string;
  /** The last commit that was visible. */
  readonly seq: Seq;
  /** When it was given, milliseconds since 1970. */
  readonly timeMs: number;
}

export const openName = (first: Seq): string => `commits-${digits(first)}.open`;
export const closedName = (first: Seq, last: Seq): string => `commits-${digits(first)}-${digits(last)}.archive`;
export const baseName = (place: number): string => `base-${place}`;
export const infoName = (place: number): string => `${baseName(place)}.info`;

const digits = (seq: Seq): string => String(seq).padStart(SEQ_DIGITS, '0');

/** What a name of the archive says; undefined when it is none of a file of commits. `last` is undefined while it is open. */
export function parseName(name: string): { readonly first: Seq; readonly last: Seq | undefined } | undefined {
  const match = /^commits-(\d{16})(?:-(\d{16})\.archive|\.open)$/.exec(name);
  if (match === null) return undefined;
  return { first: Number(match[1]), last: match[2] === undefined ? undefined : Number(match[2]) };
}

/** The place of a base whose info has this name; undefined when it is none. */
export function placeOfInfo(name: string): number | undefined {
  const match = /^base-([1-9]\d{0,8})\.info$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}

export const isPointName = (name: string): boolean => /^point-[0-9a-f]{16}\.info$/.test(name);

export function encodeFileHead(identity: Identity, first: Seq, checksums: Checksums): Uint8Array {
  const head = new Uint8Array(FILE_HEAD_BYTES);
  putMagic(head, FILE_MAGIC);
  head.set(identity, 16);
  writeU64(head, 32, first);
  writeU32(head, 44, checksums.h32(head, 0, 44));
  return head;
}

/** Whose file it is, and its first seq. XX001 when the bytes are no head, 0A000 when a newer release wrote it. */
export function decodeFileHead(
  head: Uint8Array,
  checksums: Checksums,
  file: string,
): { readonly identity: Identity; readonly first: Seq } {
  checkHead(head, FILE_MAGIC, FILE_HEAD_BYTES, checksums, file);
  return { identity: head.slice(16, 32), first: readU64(head, 32) };
}

/** Fills the head of a record, 48 bytes at `at`. Returns the sum of its payload, which the next one needs. */
export function encodeRecordHead(
  into: Uint8Array,
  at: number,
  { kind, isContinued, seq, commitTimeMs, spaceLimit, wholeFrom }: RecordHead,
  payload: Uint8Array,
  sumBefore: number,
  checksums: Checksums,
): number {
  const sum = checksums.h32(payload, 0, payload.length, sumBefore);
  into.fill(0, at, at + RECORD_HEAD_BYTES);
  writeU32(into, at, payload.length);
  into[at + 4] = kind;
  into[at + 5] = isContinued ? 1 : 0;
  writeU64(into, at + 8, seq);
  writeU64(into, at + 16, commitTimeMs);
  writeU32(into, at + 24, spaceLimit);
  writeU64(into, at + 28, wholeFrom);
  writeU32(into, at + 40, sum);
  writeU32(into, at + 44, checksums.h32(into, at, at + 44));
  return sum;
}

/** The head of a record at `at`; undefined when the 48 bytes there are none. */
export function decodeRecordHead(bytes: Uint8Array, at: number, checksums: Checksums): FoundHead | undefined {
  const kind = bytes[at + 4] as number;
  if (kind !== ArchivedKind.Batch && kind !== ArchivedKind.Load && kind !== ArchivedKind.End) return undefined;
  if (readU32(bytes, at + 36) !== 0 || readU32(bytes, at + 44) !== checksums.h32(bytes, at, at + 44)) return undefined;
  return {
    kind,
    isContinued: bytes[at + 5] === 1,
    seq: readU64(bytes, at + 8),
    commitTimeMs: readU64(bytes, at + 16),
    spaceLimit: readU32(bytes, at + 24),
    wholeFrom: readU64(bytes, at + 28),
    payloadBytes: readU32(bytes, at),
    payloadSum: readU32(bytes, at + 40),
  };
}

export function encodeInfo({ identity, seq, timeMs, entries }: BaseInfo, checksums: Checksums): Uint8Array {
  const info = new Uint8Array(INFO_BYTES);
  putMagic(info, INFO_MAGIC);
  info.set(identity, 16);
  writeU64(info, 32, seq);
  writeU64(info, 40, timeMs);
  writeU64(info, 48, entries);
  writeU32(info, 60, checksums.h32(info, 0, 60));
  return info;
}

/** XX001 when the bytes are no info, 0A000 when a newer release wrote it. */
export function decodeInfo(info: Uint8Array, checksums: Checksums, file: string): BaseInfo {
  checkHead(info, INFO_MAGIC, INFO_BYTES, checksums, file);
  return {
    identity: info.slice(16, 32),
    seq: readU64(info, 32),
    timeMs: readU64(info, 40),
    entries: readU64(info, 48),
  };
}

export function encodePoint({ identity, name, seq, timeMs }: PointInfo, checksums: Checksums): Uint8Array {
  const text = new TextEncoder().encode(name);
  const bytes = new Uint8Array(POINT_HEAD_BYTES + text.length + 4);
  putMagic(bytes, POINT_MAGIC);
  bytes.set(identity, 16);
  writeU64(bytes, 32, seq);
  writeU64(bytes, 40, timeMs);
  bytes.set(text, POINT_HEAD_BYTES);
  writeU32(bytes, bytes.length - 4, checksums.h32(bytes, 0, bytes.length - 4));
  return bytes;
}

/** XX001 when the bytes are no restore point, 0A000 when a newer release wrote it. */
export function decodePoint(bytes: Uint8Array, checksums: Checksums, file: string): PointInfo {
  checkHead(bytes, POINT_MAGIC, Math.max(bytes.length, POINT_HEAD_BYTES + 4), checksums, file);
  return {
    identity: bytes.slice(16, 32),
    name: new TextDecoder().decode(bytes.subarray(POINT_HEAD_BYTES, bytes.length - 4)),
    seq: readU64(bytes, 32),
    timeMs: readU64(bytes, 40),
  };
}

/** Begins a file with its magic and the format. */
function putMagic(into: Uint8Array, magic: string): void {
  for (let i = 0; i < magic.length; i++) into[i] = magic.charCodeAt(i);
  writeU32(into, 8, ARCHIVE_FORMAT);
}

/** The last four bytes are the sum of those before. */
function checkHead(head: Uint8Array, magic: string, bytes: number, checksums: Checksums, file: string): void {
  const sumAt = bytes - 4;
  const isWhole =
    head.length >= bytes &&
    [...magic].every((letter, i) => head[i] === letter.charCodeAt(0)) &&
    readU32(head, sumAt) === checksums.h32(head, 0, sumAt);
  if (!isWhole) throw corruptionError('the head of a file of the archive is damaged', { file, offset: 0 });
  const format = readU32(head, 8);
  if (format === ARCHIVE_FORMAT) return;
  throw new PhantomError(
    SqlState.FeatureNotSupported,
    `"${file}" has archive format ${format}; this release knows ${ARCHIVE_FORMAT}`,
    { hint: 'Read it with the release that wrote it, or a newer one.' },
  );
}
