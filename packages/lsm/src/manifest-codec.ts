/** The bytes of a manifest (format.ts): edits to bytes, and a file's bytes back to the state that its whole records make. */
import {
  ByteReader,
  ByteWriter,
  type Checksums,
  IDENTITY_BYTES,
  type Identity,
  corruptionError,
  equalBytes,
  readIdentity,
  readU16,
  readU32,
  readU64,
  unsupportedError,
  writeU16,
  writeU32,
  writeU64,
} from '@phantom/base';
import type { Seq } from '@phantom/kv';
import {
  ENGINE_NUMBER_MAX,
  LEVELS,
  LSM_FORMAT,
  MANIFEST_HEADER_BYTES,
  MANIFEST_MAGIC,
  RECORD_HEADER_BYTES,
  RECORD_TRAILER_BYTES,
  RecordKind,
  recordSeed,
} from './format.js';

/** A run as a manifest names it. */
export interface RunEntry {
  /** Names the file. */
  readonly number: number;
  readonly bytes: number;
  readonly identity: number;
  /** What is added to the file's seqs instead of its own base; undefined for the engine's own runs. */
  readonly seqBase: Seq | undefined;
  readonly level: number;
  /** Of the runs in level 0 the one with the larger age is newer. */
  readonly age: number;
}

/** One step from a state of the files to the next, or, with nothing removed, a whole state. */
export interface Edit {
  readonly generation: number;
  readonly flushedSeq: Seq;
  readonly nextNumber: number;
  readonly removed: readonly number[];
  readonly added: readonly RunEntry[];
}

/** What a manifest says. */
export interface ManifestState {
  readonly generation: number;
  readonly flushedSeq: Seq;
  readonly nextNumber: number;
  /** By number. */
  readonly runs: ReadonlyMap<number, RunEntry>;
}

/** What all records of one manifest have in common. */
export interface ManifestHead {
  readonly number: number;
  readonly engine: number;
  /** Of the store; undefined in format 1. */
  readonly identity: Identity | undefined;
}

/** What was found in a file. */
export interface ParsedManifest extends ManifestHead {
  readonly state: ManifestState;
  /** Where the last whole record ends. */
  readonly end: number;
  /** Nothing follows that record. */
  readonly isWhole: boolean;
}

const NO_IDENTITY = new Uint8Array(IDENTITY_BYTES);
/** Snapshots of this format and later ones end with an identity. */
const IDENTIFIED_FORMAT = 2;

export function encodeHeader(number: number, engine: number, checksums: Checksums): Uint8Array {
  const header = new Uint8Array(MANIFEST_HEADER_BYTES);
  header.set(MANIFEST_MAGIC);
  writeU16(header, 8, LSM_FORMAT);
  writeU64(header, 16, number);
  writeU64(header, 24, engine);
  writeChecksum(header, 40, checksums.h64(header, 0, 40, 0n));
  return header;
}

/** The record of an edit for an offset of a manifest. */
export function encodeRecord(
  kind: RecordKind,
  edit: Edit,
  manifest: ManifestHead,
  offset: number,
  checksums: Checksums,
): Uint8Array {
  const out = new ByteWriter(256);
  out.reserve(RECORD_HEADER_BYTES);
  out.length = RECORD_HEADER_BYTES;
  out.varint(edit.flushedSeq);
  out.varint(edit.nextNumber);
  out.varint(edit.removed.length);
  for (const number of edit.removed) out.varint(number);
  out.varint(edit.added.length);
  for (const { number, bytes, identity, seqBase, level, age } of edit.added) {
    out.varint(number);
    out.varint(bytes);
    out.varint(identity);
    out.varint(seqBase === undefined ? 0 : seqBase + 1);
    out.varint(level);
    out.varint(age);
  }
  if (kind === RecordKind.Snapshot) out.bytes(manifest.identity ?? NO_IDENTITY);
  const end = out.length;
  out.reserve(RECORD_TRAILER_BYTES);
  out.length = end + RECORD_TRAILER_BYTES;
  const { buffer } = out;
  writeU32(buffer, 0, end - RECORD_HEADER_BYTES);
  writeU32(buffer, 4, kind);
  writeU64(buffer, 8, edit.generation);
  writeChecksum(buffer, end, checksums.h64(buffer, 0, end, recordSeed(manifest.engine, manifest.number, offset)));
  return out.take();
}

/**
 * Reads a manifest as far as it is whole; undefined when not even its snapshot is. Throws 0A000 for a newer format, and
 * corruption when a record with the right checksum makes no sense.
 */
export function parseManifest(
  bytes: Uint8Array,
  path: string,
  number: number,
  checksums: Checksums,
): ParsedManifest | undefined {
  if (bytes.length < MANIFEST_HEADER_BYTES || !equalBytes(bytes, 0, 8, MANIFEST_MAGIC, 0, 8)) return undefined;
  if (!hasChecksum(bytes, 40, checksums.h64(bytes, 0, 40, 0n))) return undefined;
  const format = readU16(bytes, 8);
  if (format > LSM_FORMAT) throw unsupportedError(`LSM-tree format ${format} of ${path}`);
  const engine = readU64(bytes, 24);
  if (readU64(bytes, 16) !== number || !(engine < ENGINE_NUMBER_MAX)) return undefined;
  const manifest = { number, engine };
  const runs = new Map<number, RunEntry>();
  let identity: Identity | undefined;
  let state: ManifestState | undefined;
  let at = MANIFEST_HEADER_BYTES;
  while (isRecord(bytes, at, manifest, checksums)) {
    const end = at + RECORD_HEADER_BYTES + readU32(bytes, at);
    const kind = readU32(bytes, at + 4);
    const generation = readU64(bytes, at + 8);
    const isExpected = state === undefined ? kind === RecordKind.Snapshot : kind === RecordKind.Edit;
    if (!isExpected || (state !== undefined && generation !== state.generation + 1)) {
      throw corruptionError('a record of a manifest is out of place', { file: path, offset: at });
    }
    const isIdentified = kind === RecordKind.Snapshot && format >= IDENTIFIED_FORMAT;
    const payloadEnd = isIdentified ? end - IDENTITY_BYTES : end;
    if (isIdentified) identity = readIdentity(bytes, payloadEnd);
    const edit = decodePayload(new ByteReader(bytes, path, at + RECORD_HEADER_BYTES, payloadEnd), generation, path);
    applyEdit(runs, edit, path, at);
    state = { generation, flushedSeq: edit.flushedSeq, nextNumber: edit.nextNumber, runs };
    at = end + RECORD_TRAILER_BYTES;
  }
  return state === undefined ? undefined : { number, engine, identity, state, end: at, isWhole: at === bytes.length };
}

/** True when a whole record lies at the offset. */
function isRecord(
  bytes: Uint8Array,
  at: number,
  manifest: { readonly number: number; readonly engine: number },
  checksums: Checksums,
): boolean {
  if (at + RECORD_HEADER_BYTES + RECORD_TRAILER_BYTES > bytes.length) return false;
  const end = at + RECORD_HEADER_BYTES + readU32(bytes, at);
  if (end + RECORD_TRAILER_BYTES > bytes.length) return false;
  return hasChecksum(bytes, end, checksums.h64(bytes, at, end, recordSeed(manifest.engine, manifest.number, at)));
}

function decodePayload(reader: ByteReader, generation: number, path: string): Edit {
  const flushedSeq = reader.varint();
  const nextNumber = reader.varint();
  const removed: number[] = [];
  for (let left = reader.varint(); left > 0; left--) removed.push(reader.varint());
  const added: RunEntry[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    const number = reader.varint();
    const bytes = reader.varint();
    const identity = reader.varint();
    const base = reader.varint();
    const level = reader.varint();
    const age = reader.varint();
    if (level >= LEVELS)
      throw corruptionError('a manifest names a level that does not exist', { file: path, found: level });
    added.push({ number, bytes, identity, seqBase: base === 0 ? undefined : base - 1, level, age });
  }
  if (reader.remaining > 0) throw corruptionError('a record of a manifest has bytes left over', { file: path });
  return { generation, flushedSeq, nextNumber, removed, added };
}

function applyEdit(runs: Map<number, RunEntry>, edit: Edit, path: string, offset: number): void {
  for (const number of edit.removed) {
    if (!runs.delete(number))
      throw corruptionError('a manifest removes a run that is not there', { file: path, offset });
  }
  for (const entry of edit.added) {
    if (runs.has(entry.number)) throw corruptionError('a manifest names a run twice', { file: path, offset });
    runs.set(entry.number, entry);
  }
}

function writeChecksum(bytes: Uint8Array, at: number, checksum: bigint): void {
  writeU32(bytes, at, Number(checksum & 0xffffffffn));
  writeU32(bytes, at + 4, Number(checksum >> 32n));
}

function hasChecksum(bytes: Uint8Array, at: number, checksum: bigint): boolean {
  return readU32(bytes, at) === Number(checksum & 0xffffffffn) && readU32(bytes, at + 4) === Number(checksum >> 32n);
}
