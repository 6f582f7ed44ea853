/**
 * Writes a sorted run, front to back through one buffer, with a single sync at the end. It is a plain object that is fed:
 * the flush of a delta, the merge of runs and a bulk load all stand on it, in whatever slices of time their owner gives.
 *
 * Invariants:
 *   1. Keys arrive in ascending order, versions of a key in descending seq. All versions of a key lie in one block.
 *   2. Until `finish` has resolved and the directory is synced nothing may refer to the file; a crash before that leaves
 *      an orphan for the owner to remove.
 */
import {
  ByteWriter,
  type Checksums,
  assert,
  commonPrefixBytes,
  compareBytes,
  copyBytes,
  writeU16,
  writeU32,
  writeU64,
} from '@phantom/base';
import type { Seq } from '@phantom/kv';
import type { Vfs, VfsFile } from '@phantom/vfs';
import { BlockCompressor, type Compression } from './block-codec.js';
import { BlockWriter } from './block-writer.js';
import { FilterBuilder, KeyHash } from './filter.js';
import {
  BLOCK_BYTES_DEFAULT,
  BLOCK_TRAILER_BYTES,
  BlockCodec,
  PARTITION_INDEX_BYTES,
  RUN_END_MAGIC,
  RUN_FOOTER_BYTES,
  RUN_FORMAT,
  RUN_HEADER_BYTES,
  RUN_MAGIC,
  blockSeed,
} from './format.js';
import { type RangeTombstone, type VersionCursor, VersionKind } from './layer.js';

/** Written to the file whenever so much has gathered. */
const WRITE_BYTES = 512 * 1024;
const NO_BYTES = new Uint8Array(0);

export interface RunWriterOptions {
  readonly vfs: Vfs;
  readonly path: string;
  readonly checksums: Checksums;
  /** A number that no other run of the same owner ever has; part of every checksum. */
  readonly identity: number;
  /** At most the least seq that will be added. Default 0. */
  readonly seqBase?: Seq;
  /** Payload of a data block at which it is cut. Default 4 KiB. */
  readonly blockBytes?: number;
  /** Default 10: about 1 % of absent keys pass. 0 writes filters that let everything pass. */
  readonly filterBitsPerKey?: number;
  /** Of data blocks; index and filters stay as they are. Default none. */
  readonly compression?: Compression;
}

/** What a finished run is. */
export interface RunSummary {
  readonly path: string;
  readonly identity: number;
  readonly bytes: number;
  /** Versions, removals included. */
  readonly entries: number;
  readonly removals: number;
  readonly rangeTombstones: number;
  /** Of entries and range tombstones; both 0 when there are none. */
  readonly seqMin: Seq;
  readonly seqMax: Seq;
}

interface Partition {
  readonly separator: Uint8Array;
  readonly indexOffset: number;
  readonly indexBytes: number;
  readonly filterOffset: number;
  readonly filterBytes: number;
  readonly entries: number;
}

export class RunWriter {
  private readonly options: RunWriterOptions;
  private readonly file: VfsFile;
  private readonly identity: number;
  private readonly seqBase: Seq;
  private readonly blockBytes: number;
  private readonly data = new BlockWriter();
  private readonly index = new BlockWriter();
  private readonly filter: FilterBuilder;
  private readonly compressor: BlockCompressor;
  private readonly hash = new KeyHash();
  private readonly out = new ByteWriter(WRITE_BYTES + 64 * 1024);
  private readonly handle = new ByteWriter(32);
  private readonly partitions: Partition[] = [];
  private readonly tombstones: RangeTombstone[] = [];
  private outOffset = 0;
  /** The last key added, which is the largest so far. */
  private last = new Uint8Array(256);
  private lastBytes = 0;
  private lastSeq = 0;
  private smallest: Uint8Array | undefined;
  /** Separators of the open data block and of the open partition. */
  private blockSeparator: Uint8Array = NO_BYTES;
  private partitionSeparator: Uint8Array = NO_BYTES;
  /** The last one in the index block. */
  private indexedSeparator: Uint8Array = NO_BYTES;
  private partitionEntries = 0;
  private entryCount = 0;
  private removalCount = 0;
  private blockCount = 0;
  private keyBytes = 0;
  private valueBytes = 0;
  private seqMin = Number.MAX_SAFE_INTEGER;
  private seqMax = 0;

  /** Makes the file; it must not exist. */
  constructor(options: RunWriterOptions) {
    this.options = options;
    this.identity = options.identity;
    this.seqBase = options.seqBase ?? 0;
    this.blockBytes = options.blockBytes ?? BLOCK_BYTES_DEFAULT;
    this.filter = new FilterBuilder(options.filterBitsPerKey ?? 10);
    this.compressor = new BlockCompressor(options.compression ?? 'none');
    this.file = options.vfs.open(options.path, { mode: 'create-new' });
    this.out.bytes(this.header());
  }

  get path(): string {
    return this.options.path;
  }

  /** Versions so far. */
  get entries(): number {
    return this.entryCount;
  }

  /** Bytes written or waiting to be, the open block before compression. */
  get bytes(): number {
    return this.outOffset + this.out.length + this.data.bytes;
  }

  /** Adds a version. A removal's value is ignored. The bytes are copied. */
  add(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    seq: Seq,
    kind: VersionKind,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const { last, lastBytes } = this;
    // One look at both keys tells their order and what a block and its separators need of them.
    const shared = commonPrefixBytes(last, 0, lastBytes, key, keyStart, keyEnd);
    const sameKey = this.entryCount > 0 && shared === lastBytes && shared === keyEnd - keyStart;
    if (sameKey) {
      assert(seq < this.lastSeq, 'versions of a key descend by seq');
    } else {
      const ascends =
        shared < keyEnd - keyStart && (shared === lastBytes || last[shared]! < (key[keyStart + shared] as number));
      assert(ascends || this.entryCount === 0, 'keys of a run ascend');
      if (this.data.entries > 0 && this.data.bytes >= this.blockBytes) this.closeBlock();
      if (this.data.entries === 0) this.beginBlock(key, keyStart, keyEnd, shared);
      this.hash.set(key, keyStart, keyEnd);
      this.filter.add(this.hash);
      this.smallest ??= key.slice(keyStart, keyEnd);
      this.rememberKey(key, keyStart, keyEnd, shared);
    }
    assert(seq >= this.seqBase, 'a version lies below the seq base of its run');
    this.lastSeq = seq;
    this.noteSeq(seq);
    const relative = seq - this.seqBase;
    this.entryCount++;
    this.partitionEntries++;
    this.keyBytes += keyEnd - keyStart;
    if (kind === VersionKind.Remove) {
      this.removalCount++;
      this.data.add(key, keyStart, keyEnd, relative * 2 + 1, NO_BYTES, 0, 0, shared, sameKey);
    } else {
      this.valueBytes += valueEnd - valueStart;
      this.data.add(key, keyStart, keyEnd, relative * 2, value, valueStart, valueEnd, shared, sameKey);
    }
  }

  /** Adds versions from the cursor until it ends (true) or the clock has reached the deadline (false). */
  addFrom(versions: VersionCursor, monotonicMs: () => number, deadlineMs: number): boolean {
    let untilClock = 64;
    while (versions.next()) {
      const { key, value } = versions;
      this.add(key.buffer, key.start, key.end, versions.seq, versions.kind, value.buffer, value.start, value.end);
      if (--untilClock === 0) {
        if (monotonicMs() >= deadlineMs) return false;
        untilClock = 64;
      }
    }
    return true;
  }

  /** Adds a range tombstone, in any order. The bytes must not change until `finish`. */
  addRangeTombstone(tombstone: RangeTombstone): void {
    assert(tombstone.seq >= this.seqBase, 'a range tombstone lies below the seq base of its run');
    this.noteSeq(tombstone.seq);
    this.tombstones.push(tombstone);
  }

  /** Writes what is left. Afterwards the file must be synced, by `sync` or `syncNow`, and then closed. */
  finish(): RunSummary {
    if (this.data.entries > 0) this.closeBlock();
    if (this.index.entries > 0) this.closePartition();
    this.writeOut();
    const metadata = this.metadata();
    const metadataOffset = this.outOffset;
    this.out.bytes(metadata);
    this.out.bytes(this.footer(metadata, metadataOffset));
    this.writeOut();
    const empty = this.entryCount + this.tombstones.length === 0;
    return {
      path: this.options.path,
      identity: this.identity,
      bytes: this.outOffset,
      entries: this.entryCount,
      removals: this.removalCount,
      rangeTombstones: this.tombstones.length,
      seqMin: empty ? 0 : this.seqMin,
      seqMax: this.seqMax,
    };
  }

  /** Durable once resolved, but for the file's name, which the owner's syncDir makes so. */
  sync(): Promise<void> {
    return this.file.sync();
  }

  /** As sync, on this thread. */
  syncNow(): void {
    this.file.syncNow();
  }

  /** Frees the handle. Safe to call twice. */
  close(): void {
    this.file.close();
  }

  private noteSeq(seq: Seq): void {
    if (seq < this.seqMin) this.seqMin = seq;
    if (seq > this.seqMax) this.seqMax = seq;
  }

  /** The first `shared` bytes are those of the key before. */
  private rememberKey(key: Uint8Array, start: number, end: number, shared: number): void {
    const bytes = end - start;
    if (bytes > this.last.length) {
      const { last } = this;
      this.last = new Uint8Array(bytes * 2);
      this.last.set(last);
    }
    copyBytes(key, start + shared, end, this.last, shared);
    this.lastBytes = bytes;
  }

  /**
   * The shortest prefix of the first key that is still above the last key of the block before. The first of a partition is
   * the key itself: a byte of it would leave the separators next to nothing in common, and searches live on what they share.
   */
  private beginBlock(key: Uint8Array, start: number, end: number, shared: number): void {
    if (this.index.entries === 0) {
      this.blockSeparator = key.slice(start, end);
      this.partitionSeparator = this.blockSeparator;
      return;
    }
    this.blockSeparator = key.slice(start, Math.min(start + shared + 1, end));
  }

  private closeBlock(): void {
    const { handle, blockSeparator } = this;
    const { entries } = this.data;
    const stored = this.compressor.compress(this.data.finish());
    handle.reset();
    handle.varint(this.writeBlock(stored, this.compressor.codec));
    handle.varint(stored.length);
    handle.varint(entries);
    const { length } = blockSeparator;
    const shared = commonPrefixBytes(this.indexedSeparator, 0, this.indexedSeparator.length, blockSeparator, 0, length);
    this.index.add(blockSeparator, 0, length, 0, handle.buffer, 0, handle.length, shared, false);
    this.indexedSeparator = blockSeparator;
    this.blockCount++;
    this.data.reset();
    if (this.index.bytes >= PARTITION_INDEX_BYTES) this.closePartition();
  }

  private closePartition(): void {
    const index = this.index.finish();
    const indexBytes = index.length;
    const indexOffset = this.writeBlock(index, BlockCodec.None);
    const filter = this.filter.finish();
    const filterOffset = this.writeBlock(filter, BlockCodec.None);
    this.partitions.push({
      separator: this.partitionSeparator,
      indexOffset,
      indexBytes,
      filterOffset,
      filterBytes: filter.length,
      entries: this.partitionEntries,
    });
    this.index.reset();
    this.partitionEntries = 0;
  }

  /** Appends payload, codec and checksum; returns the offset of the block. */
  private writeBlock(payload: Uint8Array, codec: BlockCodec): number {
    const { out } = this;
    const offset = this.outOffset + out.length;
    const at = out.reserve(payload.length + BLOCK_TRAILER_BYTES);
    out.bytes(payload);
    out.u8(codec);
    const checksum = this.options.checksums.h64(out.buffer, at, out.length, blockSeed(this.identity, offset));
    out.u32(Number(checksum & 0xffffffffn));
    out.u32(Number(checksum >> 32n));
    if (out.length >= WRITE_BYTES) this.writeOut();
    return offset;
  }

  private writeOut(): void {
    if (this.out.length === 0) return;
    this.file.writeAt(this.outOffset, this.out.view());
    this.outOffset += this.out.length;
    this.out.reset();
  }

  private header(): Uint8Array {
    const header = new Uint8Array(RUN_HEADER_BYTES);
    header.set(RUN_MAGIC);
    writeU16(header, 8, RUN_FORMAT);
    writeU64(header, 16, this.identity);
    writeU64(header, 24, this.seqBase);
    return header;
  }

  private metadata(): Uint8Array {
    const out = new ByteWriter(4096);
    const empty = this.entryCount + this.tombstones.length === 0;
    out.varint(this.entryCount);
    out.varint(this.removalCount);
    out.varint(this.blockCount);
    out.varint(this.keyBytes);
    out.varint(this.valueBytes);
    out.u64(empty ? 0 : this.seqMin - this.seqBase);
    out.u64(empty ? 0 : this.seqMax - this.seqBase);
    out.lengthPrefixed(this.smallest ?? NO_BYTES);
    out.lengthPrefixed(this.last, 0, this.lastBytes);
    this.tombstones.sort(compareTombstones);
    out.varint(this.tombstones.length);
    for (const { lower, upper, seq } of this.tombstones) {
      out.lengthPrefixed(lower);
      out.lengthPrefixed(upper);
      out.varint(seq - this.seqBase);
    }
    out.varint(this.partitions.length);
    for (const partition of this.partitions) {
      out.lengthPrefixed(partition.separator);
      out.varint(partition.indexOffset);
      out.varint(partition.indexBytes);
      out.varint(partition.filterOffset);
      out.varint(partition.filterBytes);
      out.varint(partition.entries);
    }
    return out.take();
  }

  private footer(metadata: Uint8Array, metadataOffset: number): Uint8Array {
    const { checksums } = this.options;
    const footer = new Uint8Array(RUN_FOOTER_BYTES);
    writeU64(footer, 0, metadataOffset);
    writeU32(footer, 8, metadata.length);
    writeU16(footer, 12, RUN_FORMAT);
    writeU64(footer, 16, this.identity);
    writeChecksum(footer, 24, checksums.h64(this.header(), 0, RUN_HEADER_BYTES, blockSeed(this.identity, 0)));
    const covered = new Uint8Array(metadata.length + 32);
    covered.set(metadata);
    covered.set(footer.subarray(0, 32), metadata.length);
    writeChecksum(footer, 32, checksums.h64(covered, 0, covered.length, blockSeed(this.identity, metadataOffset)));
    footer.set(RUN_END_MAGIC, 40);
    return footer;
  }
}

/** By lower end, then falling seq. */
export function compareTombstones(a: RangeTombstone, b: RangeTombstone): number {
  return compareBytes(a.lower, 0, a.lower.length, b.lower, 0, b.lower.length) || b.seq - a.seq;
}

function writeChecksum(bytes: Uint8Array, at: number, checksum: bigint): void {
  writeU32(bytes, at, Number(checksum & 0xffffffffn));
  writeU32(bytes, at + 4, Number(checksum >> 32n));
}
