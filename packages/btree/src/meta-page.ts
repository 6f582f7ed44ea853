/**
 * The two meta slots: which root, runs and freelist are the present ones. A meta is written whole, synced, and only then
 * believed in; until the next one is durable, nothing that it names is touched.
 */
import {
  type Checksums,
  type Identity,
  assert,
  corruptionError,
  equalBytes,
  foreignFileError,
  readIdentity,
  readU16,
  readU32,
  readU64,
  sameIdentity,
  toHex,
  unsupportedError,
  writeU16,
  writeU32,
  writeU64,
} from '@phantom/base';
import type { Seq } from '@phantom/kv';
import type { EngineContext } from '@phantom/store';
import type { VfsFile } from '@phantom/vfs';
import {
  META_BYTES,
  META_CHECKSUM_AT,
  META_IDENTITY_AT,
  META_RUNS_AT,
  META_RUNS_MAX,
  META_RUN_BYTES,
  META_SLOTS,
  PAGE_BYTES_MAX,
  PAGE_BYTES_MIN,
  TREE_FORMAT,
  TREE_MAGIC,
  type TreeRoot,
  rootOf,
} from './format.js';
import type { Expected } from './pager.js';

/** A run as a meta names it. */
export interface RunEntry {
  /** Names the file. */
  readonly number: number;
  readonly bytes: number;
  readonly identity: number;
  /** What is added to the file's seqs instead of its own base; undefined for the engine's own runs. */
  readonly seqBase: Seq | undefined;
}

/** Where the freelist lies; id 0 when nothing is free. */
export interface FreelistEntry extends Expected {
  readonly bytes: number;
}

export interface Meta {
  readonly pageBytes: number;
  readonly generation: number;
  /** Of the store; none where a release wrote it that had none. */
  readonly identity: Identity | undefined;
  /** Random; part of all checksums of pages. */
  readonly tree: number;
  readonly flushedSeq: Seq;
  readonly root: TreeRoot;
  readonly pageCount: number;
  readonly freelist: FreelistEntry;
  readonly nextRunNumber: number;
  /** Newest first. */
  readonly runs: readonly RunEntry[];
}

/** Where a generation's meta lies. */
export function metaOffset(generation: number): number {
  return (generation % META_SLOTS) * META_BYTES;
}

/** The bytes of a meta, for the slot of its generation. */
export function encodeMeta(meta: Meta, checksums: Checksums): Uint8Array {
  assert(meta.runs.length <= META_RUNS_MAX, 'a meta has room for its runs');
  const bytes = new Uint8Array(META_BYTES);
  bytes.set(TREE_MAGIC);
  writeU16(bytes, 8, TREE_FORMAT);
  writeU32(bytes, 12, meta.pageBytes);
  writeU64(bytes, 16, meta.generation);
  writeU64(bytes, 24, meta.tree);
  writeU64(bytes, 32, meta.flushedSeq);
  writeU32(bytes, 40, meta.root.id);
  writeU32(bytes, 44, meta.root.level);
  writeU32(bytes, 48, meta.root.checksumLow);
  writeU32(bytes, 52, meta.root.checksumHigh);
  writeU32(bytes, 56, meta.root.keys);
  writeU32(bytes, 60, meta.root.pages);
  writeU32(bytes, 64, meta.pageCount);
  writeU32(bytes, 68, meta.freelist.id);
  writeU32(bytes, 72, meta.freelist.bytes);
  writeU32(bytes, 80, meta.freelist.checksumLow);
  writeU32(bytes, 84, meta.freelist.checksumHigh);
  writeU64(bytes, 88, meta.nextRunNumber);
  writeU32(bytes, 96, meta.runs.length);
  let at = META_RUNS_AT;
  for (const run of meta.runs) {
    writeU64(bytes, at, run.number);
    writeU64(bytes, at + 8, run.bytes);
    writeU64(bytes, at + 16, run.identity);
    writeU64(bytes, at + 24, run.seqBase === undefined ? 0 : run.seqBase + 1);
    at += META_RUN_BYTES;
  }
  if (meta.identity !== undefined) bytes.set(meta.identity, META_IDENTITY_AT);
  const checksum = checksums.h64(bytes, 0, META_CHECKSUM_AT, BigInt(meta.generation % META_SLOTS));
  writeU32(bytes, META_CHECKSUM_AT, Number(checksum & 0xffffffffn));
  writeU32(bytes, META_CHECKSUM_AT + 4, Number(checksum >> 32n));
  return bytes;
}

/** What the store knows of its trees: the part of an engine's context that a meta is held against. */
export type ExpectedMeta = Pick<EngineContext, 'checksums' | 'generationMin' | 'identity' | 'isIdentified'>;

/**
 * The newest meta that is whole; undefined when the file has none at all because nothing was ever finished in it. Throws
 * corruption when the newest is of another store, older than `generationMin` or further ahead of it than a crash leaves
 * one, or when both are broken and there must be one.
 */
export function readMeta(file: VfsFile, expected: ExpectedMeta): Meta | undefined {
  const { checksums, generationMin, identity, isIdentified } = expected;
  let newest: Meta | undefined;
  let broken: Error | undefined;
  for (let slot = 0; slot < META_SLOTS; slot++) {
    try {
      const meta = readSlot(file, checksums, slot);
      if (meta !== undefined && (newest === undefined || meta.generation > newest.generation)) newest = meta;
    } catch (error) {
      broken = error as Error;
      if ((error as { code?: string }).code !== 'XX001') throw error;
    }
  }
  if (newest !== undefined && !sameIdentity(newest.identity, identity)) {
    if (isIdentified || newest.identity !== undefined) throw foreignFileError(file.path, identity, newest.identity);
  }
  const found = newest?.generation ?? 0;
  if (found < generationMin) {
    throw corruptionError('the metas are older than what was made durable', {
      file: file.path,
      offset: 0,
      expected: `generation ${generationMin} or later`,
      found: `generation ${found}`,
      cause: broken,
    });
  }
  if (isIdentified && found > generationMin + 1) {
    throw corruptionError('the metas are newer than what the store knows: an older superblock lies beside them', {
      file: file.path,
      offset: 0,
      expected: `generation ${generationMin + 1} or earlier`,
      found: `generation ${found}`,
    });
  }
  return newest;
}

/** Whether these are the bytes that were written to a slot. */
export function isWholeMeta(bytes: Uint8Array, checksums: Checksums, slot: number): boolean {
  const sum = sumOf(bytes, checksums, slot);
  return (
    equalBytes(bytes, 0, 8, TREE_MAGIC, 0, 8) &&
    readU32(bytes, META_CHECKSUM_AT) === Number(sum & 0xffffffffn) &&
    readU32(bytes, META_CHECKSUM_AT + 4) === Number(sum >> 32n)
  );
}

function sumOf(bytes: Uint8Array, checksums: Checksums, slot: number): bigint {
  return checksums.h64(bytes, 0, META_CHECKSUM_AT, BigInt(slot));
}

/** The meta in a slot; undefined when the slot was never written. Throws corruption for anything else, 0A000 for a newer format. */
export function readSlot(file: VfsFile, checksums: Checksums, slot: number): Meta | undefined {
  const offset = slot * META_BYTES;
  const bytes = new Uint8Array(META_BYTES);
  if (file.readAt(offset, bytes) < META_BYTES || bytes.every((byte) => byte === 0)) return undefined;
  if (!isWholeMeta(bytes, checksums, slot)) {
    throw corruptionError('a meta page has the wrong checksum', {
      file: file.path,
      offset,
      expected: sumOf(bytes, checksums, slot).toString(16).padStart(16, '0'),
      found: toHex(bytes.slice(META_CHECKSUM_AT).reverse()),
    });
  }
  const format = readU16(bytes, 8);
  if (format > TREE_FORMAT) throw unsupportedError(`tree format ${format} of ${file.path}`);
  const pageBytes = readU32(bytes, 12);
  const count = readU32(bytes, 96);
  if (pageBytes < PAGE_BYTES_MIN || pageBytes > PAGE_BYTES_MAX || count > META_RUNS_MAX) {
    throw corruptionError('a meta page is malformed', { file: file.path, offset });
  }
  const runs: RunEntry[] = [];
  for (let at = META_RUNS_AT; runs.length < count; at += META_RUN_BYTES) {
    const seqBase = readU64(bytes, at + 24);
    runs.push({
      number: readU64(bytes, at),
      bytes: readU64(bytes, at + 8),
      identity: readU64(bytes, at + 16),
      seqBase: seqBase === 0 ? undefined : seqBase - 1,
    });
  }
  return {
    pageBytes,
    generation: readU64(bytes, 16),
    identity: readIdentity(bytes, META_IDENTITY_AT),
    tree: readU64(bytes, 24),
    flushedSeq: readU64(bytes, 32),
    root: rootOf(
      {
        id: readU32(bytes, 40),
        checksumLow: readU32(bytes, 48) | 0,
        checksumHigh: readU32(bytes, 52) | 0,
        keys: readU32(bytes, 56),
        pages: readU32(bytes, 60),
      },
      readU32(bytes, 44),
    ),
    pageCount: readU32(bytes, 64),
    freelist: {
      id: readU32(bytes, 68),
      bytes: readU32(bytes, 72),
      checksumLow: readU32(bytes, 80) | 0,
      checksumHigh: readU32(bytes, 84) | 0,
    },
    nextRunNumber: readU64(bytes, 88),
    runs,
  };
}
