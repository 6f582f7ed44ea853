/**
 * What the store itself writes: the superblock, and the kinds of records it puts into the log. Everything here is on disk
 * for good; docs/formats/store.md tells the same for readers in other languages.
 *
 * The superblock is one file, `superblock`, with two slots of 4096 bytes that hold the same state (superblock.ts says in
 * which order they are written, and why two). Numbers are little-endian. While a copy is being made its superblock is called
 * `superblock.unfinished`, so that nobody takes the half of one for a store.
 *
 *   offset  size
 *        0     8  magic "PHANTOMS"
 *        8     4  format version, 2
 *       12     4  h32 of bytes 0..12: every format to come keeps these 16 bytes, so that "newer" is never mistaken for "broken"
 *       16     8  generation of this state, one more with each update
 *       24     4  timeline: how many copies were made of copies up to this store, from 1
 *       28     4  epoch: that of the log, which rises with each opening for writing
 *       32     8  log start: position from which recovery replays
 *       40     8  log start seq: the commits up to this one lie before the log start
 *       48     4  space limit: space numbers below may have been handed out
 *       52     2  engine count, at most 16
 *       54     2  flags: 1 = engine files may be ahead of the log: written with less than durability fsync, or found so
 *       56    24  for each engine:
 *                   0   1  engine code; 128 added once its files carry the identity
 *                   1   1  bytes of the name, at most 14
 *                   2  14  name, ASCII, the rest zero
 *                  16   8  least acceptable generation of its meta page or manifest
 *      440    16  identity: random, made with the store; all that could be taken for another store's file carries it
 *      456     8  identified from: log position from which on every segment carries it; 2^53 - 1: an upgrade is under way
 *      464     8  log end: the log was durable up to here when this was written, or further
 *      472     4  log segment: the newest one that was in use then; the log has it, or a newer one
 *     4088     8  h64 of bytes 0..4088
 *
 * Format 1, of earlier releases, ends with the engines. A store of it gets an identity when it is opened for writing
 * (open-store.ts), and its files follow when they are next written.
 *
 * Record kinds in the log (the 16 flag bits that the log leaves to its owner):
 *   0  write batch     payload: the bytes of kv's WriteBatch; its seq is one more than that of the batch before
 *   1  space limit     payload: u32, space numbers below may be handed out from here on; its seq is that of the batch before
 *   2  load            payload: names of files that an engine takes over (load-record.ts); its seq is one more than before
 */
import {
  type Checksums,
  type Identity,
  PhantomError,
  SqlState,
  assert,
  readU16,
  readU32,
  readIdentity,
  readU64,
  writeU16,
  writeU32,
  writeU64,
} from '@phantom/base';
import type { EngineCode } from '@phantom/kv';

export const SUPERBLOCK_FILE = 'superblock';
/** The superblock of a copy that is being made: it has its name once everything else is there and has been read. */
export const UNFINISHED_FILE = 'superblock.unfinished';
export const LOG_DIRECTORY = 'log';
export const SLOT_BYTES = 4096;
export const STORE_FORMAT = 2;
/** As `identifiedFrom`: the log may be without the identity anywhere. */
export const NOT_IDENTIFIED = Number.MAX_SAFE_INTEGER;

export const RecordKind = { Batch: 0, SpaceLimit: 1, Load: 2 } as const;
export type RecordKind = (typeof RecordKind)[keyof typeof RecordKind];

const MAGIC = [0x50, 0x48, 0x41, 0x4e, 0x54, 0x4f, 0x4d, 0x53]; // PHANTOMS
const PREFIX_SUM_AT = 12;
const ENGINES_AT = 56;
const ENGINE_BYTES = 24;
const ENGINES_MAX = 16;
const FLAG_RELAXED = 1;
export const ENGINE_NAME_BYTES_MAX = 14;
const FLAG_IDENTIFIED = 128;
const IDENTITY_AT = ENGINES_AT + ENGINES_MAX * ENGINE_BYTES;
const SUM_AT = SLOT_BYTES - 8;

/** One engine as the superblock knows it. */
export interface EngineEntry {
  readonly code: EngineCode;
  readonly name: string;
  /** Opening a meta page or manifest older than this is corruption, not a silent step back. */
  generationMin: number;
  /** Its meta page or manifest carries the identity of the store: one without is another's, or a copy that is too old. */
  isIdentified: boolean;
}

/** The state that both slots of the superblock hold. */
export interface SuperblockState {
  generation: number;
  timeline: number;
  epoch: number;
  /** Position from which recovery replays. */
  logStart: number;
  /** The commits up to this one lie before it. */
  logStartSeq: number;
  spaceLimit: number;
  /** Engine files may be ahead of the log: a power cut with less than durability `fsync` leaves them so. */
  relaxed: boolean;
  engines: EngineEntry[];
  /** None in a store of format 1, which gets one before it is written. */
  identity: Identity | undefined;
  /** Log segments that begin at this position or behind it carry the identity. */
  identifiedFrom: number;
  /** The log was durable up to here, in this segment: it has that, or more. 0: nothing is known. */
  logEnd: number;
  logSegment: number;
}

/** Fills a slot's 4096 bytes. */
export function encodeSlot(state: SuperblockState, checksums: Checksums, into: Uint8Array): void {
  assert(state.engines.length <= ENGINES_MAX, 'a store has at most 16 engines');
  into.fill(0, 0, SLOT_BYTES);
  into.set(MAGIC, 0);
  writeU32(into, 8, STORE_FORMAT);
  writeU32(into, PREFIX_SUM_AT, checksums.h32(into, 0, PREFIX_SUM_AT));
  writeU64(into, 16, state.generation);
  writeU32(into, 24, state.timeline);
  writeU32(into, 28, state.epoch);
  writeU64(into, 32, state.logStart);
  writeU64(into, 40, state.logStartSeq);
  writeU32(into, 48, state.spaceLimit);
  writeU16(into, 52, state.engines.length);
  writeU16(into, 54, state.relaxed ? FLAG_RELAXED : 0);
  let at = ENGINES_AT;
  for (const engine of state.engines) {
    assert(engine.name.length <= ENGINE_NAME_BYTES_MAX, 'an engine has a name of at most 14 bytes');
    into[at] = engine.code + (engine.isIdentified ? FLAG_IDENTIFIED : 0);
    into[at + 1] = engine.name.length;
    for (let i = 0; i < engine.name.length; i++) into[at + 2 + i] = engine.name.charCodeAt(i);
    writeU64(into, at + 16, engine.generationMin);
    at += ENGINE_BYTES;
  }
  assert(state.identity !== undefined, 'a store has an identity before its superblock is written');
  into.set(state.identity, IDENTITY_AT);
  writeU64(into, IDENTITY_AT + 16, state.identifiedFrom);
  writeU64(into, IDENTITY_AT + 24, state.logEnd);
  writeU32(into, IDENTITY_AT + 32, state.logSegment);
  writeSum(into, checksums);
}

function writeSum(into: Uint8Array, checksums: Checksums): void {
  const sum = checksums.h64(into, 0, SUM_AT);
  writeU32(into, SUM_AT, Number(sum & 0xffff_ffffn));
  writeU32(into, SUM_AT + 4, Number(sum >> 32n));
}

/** What is wrong with a slot, or its state. Throws 0A000 for a slot that a newer release has written. */
export function decodeSlot(bytes: Uint8Array, checksums: Checksums, path: string): SuperblockState | string {
  if (bytes.length < SLOT_BYTES) return `it is ${bytes.length} bytes long instead of ${SLOT_BYTES}`;
  for (let i = 0; i < MAGIC.length; i++) if (bytes[i] !== MAGIC[i]) return 'it does not begin with PHANTOMS';
  if (readU32(bytes, PREFIX_SUM_AT) !== checksums.h32(bytes, 0, PREFIX_SUM_AT))
    return 'the checksum of its head is wrong';
  const format = readU32(bytes, 8);
  if (format > STORE_FORMAT) throw newerFormatError(path, format);
  if (format === 0) return `format ${format} never existed`;
  const sum = checksums.h64(bytes, 0, SUM_AT);
  if (readU32(bytes, SUM_AT) !== Number(sum & 0xffff_ffffn) || readU32(bytes, SUM_AT + 4) !== Number(sum >> 32n)) {
    return 'its checksum is wrong';
  }
  const engines: EngineEntry[] = [];
  const engineCount = readU16(bytes, 52);
  if (engineCount > ENGINES_MAX) return `it names ${engineCount} engines`;
  for (let i = 0; i < engineCount; i++) {
    const at = ENGINES_AT + i * ENGINE_BYTES;
    const nameBytes = Math.min(bytes[at + 1] as number, ENGINE_NAME_BYTES_MAX);
    const name = String.fromCharCode(...bytes.subarray(at + 2, at + 2 + nameBytes));
    const code = bytes[at] as number;
    const isIdentified = code >= FLAG_IDENTIFIED;
    const generationMin = readU64(bytes, at + 16);
    engines.push({ code: (code % FLAG_IDENTIFIED) as EngineCode, name, generationMin, isIdentified });
  }
  const state: SuperblockState = {
    generation: readU64(bytes, 16),
    timeline: readU32(bytes, 24),
    epoch: readU32(bytes, 28),
    logStart: readU64(bytes, 32),
    logStartSeq: readU64(bytes, 40),
    spaceLimit: readU32(bytes, 48),
    relaxed: (readU16(bytes, 54) & FLAG_RELAXED) !== 0,
    engines,
    // In format 1 there are zeros.
    identity: readIdentity(bytes, IDENTITY_AT),
    identifiedFrom: format === 1 ? NOT_IDENTIFIED : readU64(bytes, IDENTITY_AT + 16),
    logEnd: readU64(bytes, IDENTITY_AT + 24),
    logSegment: readU32(bytes, IDENTITY_AT + 32),
  };
  const numbers = [
    state.generation,
    state.identifiedFrom,
    state.logEnd,
    state.logStart,
    state.logStartSeq,
    ...engines.map((engine) => engine.generationMin),
  ];
  return numbers.some(Number.isNaN) ? 'a number in it is beyond 2^53' : state;
}

function newerFormatError(path: string, format: number): PhantomError {
  return new PhantomError(
    SqlState.FeatureNotSupported,
    `"${path}" has store format ${format}; this release knows up to ${STORE_FORMAT}`,
    {
      hint: 'Open it with the release that wrote it, or a newer one. Nothing was changed.',
      data: { file: path, format, formatMax: STORE_FORMAT },
    },
  );
}
