/**
 * The durable form of a prepared transaction: one entry in the system's space for them, written like any commit.
 *
 *   key     space (4)  identifier, UTF-8
 *   value   0    4   bytes of the header, little-endian
 *           4    n   header: JSON, so that a person can read what is stuck
 *           4+n      the write batch, as the commit will log it
 *
 * The header holds a format version, who it was and when, what the layer above wants to know again (`meta`), the locks by hash
 * and mode (with the key where it is a table's or an advisory lock's), guarded ranges, and what a serializable one has
 * read. Bytes are base64. On disk for good; docs/formats/prepared.md.
 */
import { PhantomError, corruptionError, readU32, writeU32 } from '@phantom/base';
import { BatchReader, type KeyRange, OperationKind, SPACE_BYTES, type SpaceId, writeSpace } from '@phantom/kv';
import { ReadSet, type StoredReads } from './read-set.js';
import type { LockMode } from './types.js';
import { WriteSet } from './write-set.js';

const FORMAT = 1;
const LENGTH_BYTES = 4;
/** Longest identifier, as in PostgreSQL. */
const IDENTIFIER_BYTES_MAX = 199;

const UTF8_OUT = new TextEncoder();
const UTF8_IN = new TextDecoder();

export interface HeldMode {
  readonly hash: number;
  readonly mode: LockMode;
  /** Keys of LOCK_SPACE, for views. */
  readonly key: Uint8Array | undefined;
}

export interface PreparedState {
  readonly identifier: string;
  readonly id: number;
  readonly preparedMs: number;
  readonly meta: string;
  readonly snapshotSeq: number;
  readonly locks: readonly HeldMode[];
  readonly ranges: readonly KeyRange[];
  readonly reads: ReadSet | undefined;
  readonly writes: WriteSet;
}

interface StoredHeader {
  readonly format: number;
  readonly id: number;
  readonly preparedMs: number;
  readonly meta: string;
  readonly snapshotSeq: number;
  readonly locks: readonly (readonly [hash: number, mode: number, key?: string])[];
  readonly ranges: readonly (readonly [lower: string, upper: string | null])[];
  readonly reads: StoredReads | null;
}

/** The key of an identifier; 22023 when it is too long or empty. */
export function preparedKey(space: SpaceId, identifier: string): Uint8Array {
  const name = UTF8_OUT.encode(identifier);
  if (name.length > IDENTIFIER_BYTES_MAX || name.length === 0) {
    const what = name.length === 0 ? 'empty' : 'too long';
    throw new PhantomError('22023', `transaction identifier "${identifier}" is ${what}`);
  }
  const key = new Uint8Array(SPACE_BYTES + name.length);
  writeSpace(key, 0, space);
  key.set(name, SPACE_BYTES);
  return key;
}

export function encodePrepared(state: PreparedState): Uint8Array {
  const header: StoredHeader = {
    format: FORMAT,
    id: state.id,
    preparedMs: state.preparedMs,
    meta: state.meta,
    snapshotSeq: state.snapshotSeq,
    locks: state.locks.map(({ hash, mode, key }) => (key === undefined ? [hash, mode] : [hash, mode, base64(key)])),
    ranges: state.ranges.map(({ lower, upper }) => [base64(lower), upper === undefined ? null : base64(upper)]),
    reads: state.reads?.store() ?? null,
  };
  const text = UTF8_OUT.encode(JSON.stringify(header));
  const batch = state.writes.batch.finish();
  const value = new Uint8Array(LENGTH_BYTES + text.length + batch.length);
  writeU32(value, 0, text.length);
  value.set(text, LENGTH_BYTES);
  value.set(batch, LENGTH_BYTES + text.length);
  return value;
}

/** XX001 for bytes that are no record; 0A000 for one of a newer format. */
export function decodePrepared(key: Uint8Array, value: Uint8Array, readSetBytesMax: number): PreparedState {
  const identifier = UTF8_IN.decode(key.subarray(SPACE_BYTES));
  const length = value.length < LENGTH_BYTES ? -1 : readU32(value, 0);
  if (length < 0 || LENGTH_BYTES + length > value.length) throw broken(identifier, 'its header is cut off');
  const header = readHeader(identifier, UTF8_IN.decode(value.subarray(LENGTH_BYTES, LENGTH_BYTES + length)));
  return {
    identifier,
    id: header.id,
    preparedMs: header.preparedMs,
    meta: header.meta,
    snapshotSeq: header.snapshotSeq,
    locks: header.locks.map(([hash, mode, lockKey]) => ({
      hash,
      mode: mode as LockMode,
      key: lockKey === undefined ? undefined : bytesOf(lockKey),
    })),
    ranges: header.ranges.map(([lower, upper]) => ({
      lower: bytesOf(lower),
      upper: upper === null ? undefined : bytesOf(upper),
    })),
    reads: header.reads === null ? undefined : ReadSet.restore(header.reads, readSetBytesMax),
    writes: readWrites(value.slice(LENGTH_BYTES + length)),
  };
}

function readHeader(identifier: string, text: string): StoredHeader {
  let header: Partial<StoredHeader> | null;
  try {
    header = JSON.parse(text) as Partial<StoredHeader> | null;
  } catch {
    throw broken(identifier, 'its header is no JSON');
  }
  if (typeof header?.format === 'number' && header.format > FORMAT) {
    throw new PhantomError('0A000', `prepared transaction "${identifier}" was written by a newer release`);
  }
  if (header?.format !== FORMAT || !Array.isArray(header.locks) || !Array.isArray(header.ranges)) {
    throw broken(identifier, 'its header lacks fields');
  }
  return header as StoredHeader;
}

function readWrites(batch: Uint8Array): WriteSet {
  const writes = new WriteSet();
  const reader = new BatchReader().setBatch(batch);
  while (reader.next()) {
    const { keyStart, keyEnd, valueStart, valueEnd, noteStart, noteEnd } = reader;
    const note = noteStart === noteEnd ? undefined : batch.subarray(noteStart, noteEnd);
    if (reader.kind === OperationKind.Put) writes.put(batch, keyStart, keyEnd, batch, valueStart, valueEnd, note);
    else if (reader.kind === OperationKind.Remove) writes.remove(batch, keyStart, keyEnd, note);
    else writes.removeRange(batch.slice(keyStart, keyEnd), batch.slice(valueStart, valueEnd));
  }
  return writes;
}

function broken(identifier: string, what: string): PhantomError {
  return corruptionError(`prepared transaction "${identifier}" cannot be read: ${what}`, {
    file: 'the space of prepared transactions',
  });
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}
