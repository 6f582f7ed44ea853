/**
 * A sorted run as a layer: everything read from the file is checked against its checksum before it is believed, and what
 * is read lives in the shared cache (blocks, index partitions, filters), never more than its bound.
 *
 *   get      partition (in memory) -> filter -> index -> block: at most one block, and usually none when the key is absent
 *   cursor   run-cursor.ts
 *
 * A run is counted: whoever shows it to readers retains it, and the file is closed, and removed if it was doomed, when
 * the last one releases it.
 */
import {
  ByteReader,
  type Checksums,
  type Logger,
  assert,
  compareBytes,
  compareKeys,
  corruptionError,
} from '@phantom/base';
import type { ByteSlot, Finding, KeyRange, RangeEstimate, Seq } from '@phantom/kv';
import type { Vfs, VfsFile } from '@phantom/vfs';
import type { BlockCache, CacheItem } from './block-cache.js';
import { Block, FoundVersion, findVersion } from './block.js';
import { BlockFile } from './block-file.js';
import { BlockInterval } from './block-interval.js';
import { KeyHash, isFilter, mayContain } from './filter.js';
import type { KeyIndex } from './key-index.js';
import { type Layer, type LayerCursor, Lookup, type RangeTombstone, type VersionCursor } from './layer.js';
import { PartitionIndex, indexKeys } from './partition-index.js';
import { PassingBlock } from './passing-block.js';
import { type KeyIntervals, RangeCover } from './range-cover.js';
import type { RunBlocks } from './run-blocks.js';
import { RunCursor } from './run-cursor.js';
import { readRunEnds } from './run-ends.js';
import type { ReadAhead } from './read-ahead.js';
import { RunVersions } from './run-versions.js';
import { showCopy } from './value-copies.js';

const NO_TOMBSTONES: readonly RangeTombstone[] = [];

export interface RunOptions {
  readonly vfs: Vfs;
  readonly path: string;
  readonly checksums: Checksums;
  readonly cache: BlockCache;
  /** What the file must have, by whoever recorded it; another one is corruption. */
  readonly bytes?: number;
  readonly identity?: number;
  /** Takes the place of the base in the header: the seq at which an ingested run was taken over. */
  readonly seqBase?: Seq;
  /** Counted up by this run: shared by all runs of an owner who wants sums. Default: counters of its own. */
  readonly counters?: RunCounters;
  /** Told of files that could not be closed or removed. Default: nobody is. */
  readonly logger?: Logger;
}

/** A run that somebody has open, as plain data. */
export interface RunDescriptor {
  readonly path: string;
  readonly bytes: number;
  readonly identity: number;
  readonly seqBase: Seq;
}

/** A block of a run, or a partition of one, which is where its index block lies. */
export interface BlockPlace {
  /** At most the first key in it. */
  readonly separator: Uint8Array;
  readonly offset: number;
  /** Of the payload, as it is stored. */
  readonly bytes: number;
  readonly entries: number;
}

/** Work done by a run, for counters; all rise. */
export interface RunCounters {
  filterMisses: number;
  blocksRead: number;
  bytesRead: number;
  blockHits: number;
}

/** Counters of a run, or of all runs of an owner. */
export function newRunCounters(): RunCounters {
  return { filterMisses: 0, blocksRead: 0, bytesRead: 0, blockHits: 0 };
}

class PartitionFilter implements CacheItem {
  readonly payload: Uint8Array;
  readonly chargeBytes: number;
  referenced = false;
  cacheSlot = -1;
  private readonly owner: RunPartition;

  constructor(owner: RunPartition, payload: Uint8Array) {
    this.owner = owner;
    this.payload = payload;
    this.chargeBytes = payload.length + 120;
  }

  evicted(): void {
    this.owner.filter = undefined;
  }
}

/** What the metadata says of a partition, with what of it is in memory. */
class RunPartition {
  readonly separator: Uint8Array;
  readonly indexOffset: number;
  readonly indexBytes: number;
  readonly filterOffset: number;
  readonly filterBytes: number;
  readonly entries: number;
  index: PartitionIndex | undefined = undefined;
  filter: PartitionFilter | undefined = undefined;
  /** Set when the index was read for the first time; outlives it, so that cached blocks are found again. */
  blocks: (Block | undefined)[] | undefined = undefined;

  constructor(reader: ByteReader) {
    this.separator = reader.lengthPrefixed().slice();
    this.indexOffset = reader.varint();
    this.indexBytes = reader.varint();
    this.filterOffset = reader.varint();
    this.filterBytes = reader.varint();
    this.entries = reader.varint();
  }
}

const hash = new KeyHash();
const found = new FoundVersion();
const passing = new PassingBlock();

export class Run implements Layer, RunBlocks {
  /** Where the file is. */
  path: string;
  readonly identity: number;
  readonly bytes: number;
  readonly seqBase: Seq;
  readonly entries: number;
  readonly removals: number;
  readonly blockCount: number;
  /** Of entries and range tombstones, base added. */
  readonly seqMin: Seq;
  readonly seqMax: Seq;
  /** Of the entries; empty when there are none. */
  readonly smallestKey: Uint8Array;
  readonly largestKey: Uint8Array;
  readonly counters: RunCounters;
  /** This run's own tombstones cut into pieces; undefined when it has none. */
  readonly cover: RangeCover | undefined;
  private readonly options: RunOptions;
  private readonly file: VfsFile;
  private readonly blockFile: BlockFile;
  private readonly tombstones: readonly RangeTombstone[];
  private readonly partitions: RunPartition[];
  private readonly partitionKeys: KeyIndex;
  private references = 1;
  private doomed = false;

  /** Opens a run and reads its metadata. The caller holds the first reference. */
  constructor(options: RunOptions) {
    this.options = options;
    this.path = options.path;
    this.counters = options.counters ?? newRunCounters();
    this.file = options.vfs.open(options.path, { mode: 'read' });
    try {
      const { bytes, identity, seqBase, metadata: reader } = readRunEnds(this.file, options);
      this.bytes = bytes;
      this.identity = identity;
      this.seqBase = options.seqBase ?? seqBase;
      this.blockFile = new BlockFile(this.file, options.checksums, identity);
      this.entries = reader.varint();
      this.removals = reader.varint();
      this.blockCount = reader.varint();
      reader.varint();
      reader.varint();
      this.seqMin = reader.u64() + this.seqBase;
      this.seqMax = reader.u64() + this.seqBase;
      this.smallestKey = reader.lengthPrefixed().slice();
      this.largestKey = reader.lengthPrefixed().slice();
      this.tombstones = readTombstones(reader, this.seqBase);
      this.cover = this.tombstones.length === 0 ? undefined : new RangeCover(this.tombstones);
      this.partitions = [];
      for (let left = reader.varint(); left > 0; left--) this.partitions.push(new RunPartition(reader));
      this.partitionKeys = indexKeys(this.partitions.map((partition) => partition.separator));
    } catch (error) {
      this.file.close();
      throw error;
    }
  }

  get partitionCount(): number {
    return this.partitions.length;
  }

  get rangeTombstoneCount(): number {
    return this.tombstones.length;
  }

  get(key: Uint8Array, start: number, end: number, seq: Seq, value: ByteSlot): Lookup {
    hash.set(key, start, end);
    return this.getHashed(key, start, end, hash, seq, value);
  }

  getHashed(key: Uint8Array, start: number, end: number, keyHash: KeyHash, seq: Seq, value: ByteSlot): Lookup {
    const tombstone = this.cover === undefined ? -1 : this.cover.newest(key, start, end, seq);
    const { largestKey } = this;
    const isAbove = compareBytes(key, start, end, largestKey, 0, largestKey.length) > 0;
    const partition = isAbove ? -1 : this.partitionKeys.lastAtMost(key, start, end);
    if (partition >= 0 && mayContain(this.filter(partition), keyHash)) {
      const index = this.blockOf(partition, key, start, end);
      if (index >= 0) {
        const payload = this.findIn(partition, index, key, start, end, seq - this.seqBase);
        if (payload !== undefined) {
          if (found.removed || found.seq + this.seqBase < tombstone) return Lookup.Removed;
          showCopy(value, payload, found.valueStart, found.valueEnd);
          return Lookup.Found;
        }
      }
    } else {
      this.counters.filterMisses++;
    }
    return tombstone >= 0 ? Lookup.Removed : Lookup.Absent;
  }

  /** Whether entries may lie in a range; range tombstones are another matter. */
  reaches({ lower, upper }: KeyRange): boolean {
    if (this.entries === 0 || compareKeys(this.largestKey, lower) < 0) return false;
    return upper === undefined || compareKeys(this.smallestKey, upper) < 0;
  }

  cursor(range: KeyRange, seq: Seq): LayerCursor {
    return new RunCursor(this, range, seq);
  }

  rangeTombstones(seq: Seq): readonly RangeTombstone[] {
    if (this.tombstones.length === 0 || seq >= this.seqMax) return this.tombstones;
    const visible = this.tombstones.filter((tombstone) => tombstone.seq <= seq);
    return visible.length === 0 ? NO_TOMBSTONES : visible;
  }

  /**
   * Walks the run for a merge: the newest version of each key, or with `all` every version, but none that a range
   * tombstone of this run hides from everybody. Reads past the cache, so that a merge does not empty it. Blocks that lie in `hidden`
   * whole are passed over unread.
   */
  versions(all: boolean, range?: KeyRange, hidden?: KeyIntervals): VersionCursor {
    return new RunVersions(this, all, range, hidden);
  }

  /** About how many versions, and bytes of file, a range holds: right to a block, from index blocks alone. */
  estimate(range: KeyRange): RangeEstimate {
    const { lower, upper } = range;
    const from = this.entriesBelow(lower);
    const to = upper === undefined ? this.entries : this.entriesBelow(upper);
    const keys = Math.max(0, to - from);
    return { keys: Math.round(keys), bytes: this.entries === 0 ? 0 : Math.round((keys / this.entries) * this.bytes) };
  }

  /** Separators that cut a range into at most `parts` parts of about the same size, ascending. */
  cuts(range: KeyRange, parts: number): Uint8Array[] {
    const { lower, upper } = range;
    const from = this.entriesBelow(lower);
    const to = upper === undefined ? this.entries : this.entriesBelow(upper);
    const cuts: Uint8Array[] = [];
    for (let part = 1; part < parts && this.partitions.length > 0; part++) {
      cuts.push(this.separatorAt(from + ((to - from) * part) / parts));
    }
    return cuts;
  }

  /** What another thread opens it by. */
  descriptor(): RunDescriptor {
    const { path, bytes, identity, seqBase } = this;
    return { path, bytes, identity, seqBase };
  }

  /** One more holder. */
  retain(): void {
    assert(this.references > 0, 'a run is retained after it was closed');
    this.references++;
  }

  /** One holder less; the last one closes the file, and removes it if it was doomed. Never throws. */
  release(): void {
    assert(this.references > 0, 'a run is released more often than it was retained');
    if (--this.references > 0) return;
    for (const partition of this.partitions) {
      if (partition.index !== undefined) this.options.cache.filters.remove(partition.index);
      if (partition.filter !== undefined) this.options.cache.filters.remove(partition.filter);
      for (const block of partition.blocks ?? []) if (block !== undefined) this.options.cache.remove(block);
    }
    this.partitions.length = 0;
    try {
      if (this.doomed) this.file.discard(this.path);
      else this.file.close();
    } catch (error) {
      // Nobody reads it any more: it is an orphan at worst, which the owner's next opening removes.
      this.options.logger?.warn('a run could not be closed or removed', { path: this.path, reason: String(error) });
    }
  }

  /** The file has another name now. */
  moved(path: string): void {
    this.path = path;
  }

  /** The file goes with the last holder: nothing durable names it any more. */
  removeWhenReleased(): void {
    this.doomed = true;
  }

  /** It stays: something durable may name it after all. */
  keepWhenReleased(): void {
    this.doomed = false;
  }

  partitionOf(key: Uint8Array, start: number, end: number): number {
    return this.partitionKeys.lastAtMost(key, start, end);
  }

  blockOf(partition: number, key: Uint8Array, start: number, end: number): number {
    return this.index(partition).keys.lastAtMost(key, start, end);
  }

  blocksIn(partition: number): number {
    return this.index(partition).count;
  }

  separatorOfPartition(partition: number): Uint8Array {
    return this.partitionKeys.key(partition);
  }

  separatorOf(partition: number, block: number): Uint8Array {
    return this.index(partition).keys.key(block);
  }

  block(partition: number, block: number, into?: Block, ahead?: ReadAhead): Block {
    const found = this.dataBlock(partition, block, into, ahead);
    found.isLent = true;
    return found;
  }

  /** Where the index of a partition lies, and what its keys begin with. */
  partitionPlace(partition: number): BlockPlace {
    const { separator, indexOffset: offset, indexBytes: bytes, entries } = this.partitions[partition] as RunPartition;
    return { separator, offset, bytes, entries };
  }

  /** Where the blocks of a partition lie, in order. Throws a corruption error when its index cannot be read. */
  places(partition: number): BlockPlace[] {
    const places: BlockPlace[] = [];
    this.eachPlace(this.partitions[partition] as RunPartition, new Block(), (place) => places.push(place));
    return places;
  }

  /** Reads the block at a place into one of the caller's, past the cache. Throws as `block`. */
  readPlace({ offset, bytes }: BlockPlace, into: Block): void {
    this.blockFile.block(offset, bytes, into);
  }

  /** Where the filter of a partition lies. */
  filterPlace(partition: number): { readonly offset: number; readonly bytes: number } {
    const { filterOffset: offset, filterBytes: bytes } = this.partitions[partition] as RunPartition;
    return { offset, bytes };
  }

  /** Reads what lies at a place past the cache, for its checksum alone. Throws as `block`. */
  proveBlock(offset: number, bytes: number): void {
    this.blockFile.payload(offset, bytes);
  }

  /** Reads header, metadata and footer again. Throws a corruption error when they are not what was opened. */
  proveEnds(): void {
    const { path, bytes, identity } = this;
    readRunEnds(this.file, { path, checksums: this.options.checksums, bytes, identity });
  }

  /** Reads everything again and yields what is wrong. */
  *check(): Iterable<Finding> {
    const interval = new BlockInterval();
    const block = new Block();
    let entries = 0;
    let last: Uint8Array | undefined;
    for (let partition = 0; partition < this.partitions.length; partition++) {
      try {
        const { filterOffset, filterBytes } = this.partitions[partition] as RunPartition;
        const filter = this.blockFile.payload(filterOffset, filterBytes);
        const index = this.readIndex(this.partitions[partition] as RunPartition);
        for (let i = 0; i < index.count; i++) {
          this.blockFile.block(index.offset(i), index.bytes(i), block);
          for (let restart = 0; restart < block.restartCount; restart++) {
            interval.decode(block, restart, Number.MAX_SAFE_INTEGER, true);
            entries += interval.count;
            for (let entry = 0; entry < interval.count; entry++) {
              const key = interval.keys.slice(interval.keyStarts[entry]!, interval.keyEnds[entry]!);
              const order = last === undefined ? -1 : compareBytes(last, 0, last.length, key, 0, key.length);
              if (order > 0) yield this.finding('keys are out of order', block.offset);
              last = key;
              hash.set(key, 0, key.length);
              if (!mayContain(filter, hash)) yield this.finding('a key is missing in its filter', filterOffset);
              if (index.keys.lastAtMost(key, 0, key.length) !== i) {
                yield this.finding('a key lies in a block that the index does not name for it', block.offset);
              }
            }
          }
        }
      } catch (error) {
        yield this.finding(error instanceof Error ? error.message : String(error));
      }
    }
    if (entries !== this.entries) yield this.finding(`the run has ${entries} entries instead of ${this.entries}`);
  }

  /** About how many versions lie below a key. */
  private entriesBelow(key: Uint8Array): number {
    if (compareKeys(key, this.largestKey) > 0) return this.entries;
    const partition = this.partitionOf(key, 0, key.length);
    if (partition < 0) return 0;
    let entries = 0;
    for (let i = 0; i < partition; i++) entries += (this.partitions[i] as RunPartition).entries;
    const block = this.blockOf(partition, key, 0, key.length);
    const share = Math.max(block, 0) / this.blocksIn(partition);
    return entries + share * (this.partitions[partition] as RunPartition).entries;
  }

  /** The separator of the block that holds the n-th version. */
  private separatorAt(entry: number): Uint8Array {
    let left = entry;
    let partition = 0;
    for (; partition + 1 < this.partitions.length; partition++) {
      const { entries } = this.partitions[partition] as RunPartition;
      if (left < entries) break;
      left -= entries;
    }
    const blocks = this.blocksIn(partition);
    const { entries } = this.partitions[partition] as RunPartition;
    return this.index(partition).keys.key(Math.min(blocks - 1, Math.floor((left / entries) * blocks)));
  }

  private finding(message: string, offset?: number): Finding {
    return offset === undefined
      ? { severity: 'corruption', file: this.path, message }
      : { severity: 'corruption', file: this.path, offset, message };
  }

  private index(partition: number): PartitionIndex {
    const owner = this.partitions[partition] as RunPartition;
    const cached = owner.index;
    if (cached !== undefined) {
      cached.referenced = true;
      return cached;
    }
    const index = this.readIndex(owner);
    owner.blocks ??= Array.from({ length: index.count }, () => undefined);
    if (this.options.cache.filters.insert(index)) owner.index = index;
    return index;
  }

  private filter(partition: number): Uint8Array {
    const owner = this.partitions[partition] as RunPartition;
    const cached = owner.filter;
    if (cached !== undefined) {
      cached.referenced = true;
      return cached.payload;
    }
    const { filterOffset, filterBytes } = owner;
    const payload = this.blockFile.payload(filterOffset, filterBytes);
    if (!isFilter(payload, filterBytes)) throw this.corrupt('a filter is malformed', filterOffset);
    const filter = new PartitionFilter(owner, payload);
    if (this.options.cache.filters.insert(filter)) owner.filter = filter;
    return payload;
  }

  /** Where the version of a key that a lookup is to see lies, with `found` set; undefined when the block has none. */
  private findIn(
    partition: number,
    index: number,
    key: Uint8Array,
    start: number,
    end: number,
    seqMax: number,
  ): Uint8Array | undefined {
    const { blocks } = this.partitions[partition] as RunPartition;
    let block = blocks?.[index];
    if (block === undefined) {
      const places = this.index(partition);
      if (!places.isWanted(index, this.options.cache)) {
        const bytes = places.bytes(index);
        this.counters.blocksRead++;
        this.counters.bytesRead += bytes;
        this.blockFile.passing(places.offset(index), bytes, passing);
        return passing.find(key, start, end, seqMax, found) ? passing.payload : undefined;
      }
      block = this.readBlock(partition, index);
    } else {
      block.referenced = true;
      this.counters.blockHits++;
    }
    return findVersion(block, key, start, end, seqMax, found) ? block.payload : undefined;
  }

  private dataBlock(partition: number, block: number, into?: Block, ahead?: ReadAhead): Block {
    const blocks = (this.partitions[partition] as RunPartition).blocks;
    const cached = blocks === undefined ? undefined : blocks[block];
    if (cached !== undefined) {
      cached.referenced = true;
      this.counters.blockHits++;
      return cached;
    }
    return this.readBlock(partition, block, into, ahead);
  }

  private readBlock(partition: number, block: number, into?: Block, ahead?: ReadAhead): Block {
    const index = this.index(partition);
    const bytes = index.bytes(block);
    this.counters.blocksRead++;
    this.counters.bytesRead += bytes;
    const read = this.blockFile.block(index.offset(block), bytes, into, ahead);
    const { blocks } = this.partitions[partition] as RunPartition;
    if (into === undefined && blocks !== undefined) {
      read.ownedBy(blocks, block);
      if (this.options.cache.insert(read)) blocks[block] = read;
    }
    return read;
  }

  private readIndex(partition: RunPartition): PartitionIndex {
    const block = new Block();
    const separators: Uint8Array[] = [];
    const offsets: number[] = [];
    const sizes: number[] = [];
    this.eachPlace(partition, block, ({ separator, offset, bytes }) => {
      separators.push(separator);
      offsets.push(offset);
      sizes.push(bytes);
    });
    const index = new PartitionIndex(partition, separators.length);
    for (let i = 0; i < separators.length; i++) index.place(i, offsets[i]!, sizes[i]!);
    index.keys = indexKeys(separators);
    return index;
  }

  private eachPlace({ indexOffset, indexBytes }: RunPartition, block: Block, take: (place: BlockPlace) => void): void {
    this.blockFile.block(indexOffset, indexBytes, block);
    const { payload } = block;
    const interval = new BlockInterval();
    let count = 0;
    for (let restart = 0; restart < block.restartCount; restart++) {
      interval.decode(block, restart, Number.MAX_SAFE_INTEGER, true);
      for (let i = 0; i < interval.count; i++) {
        const handle = new ByteReader(payload, this.path, interval.valueStarts[i]!, interval.valueEnds[i]!);
        const separator = interval.keys.slice(interval.keyStarts[i]!, interval.keyEnds[i]!);
        take({ separator, offset: handle.varint(), bytes: handle.varint(), entries: handle.varint() });
        count++;
      }
    }
    if (count !== block.entryCount) throw this.corrupt('an index block is malformed', indexOffset);
  }

  private corrupt(message: string, offset: number, expected?: unknown, found?: unknown): Error {
    return corruptionError(message, { file: this.path, offset, expected, found });
  }
}

function readTombstones(reader: ByteReader, seqBase: Seq): readonly RangeTombstone[] {
  let left = reader.varint();
  if (left === 0) return NO_TOMBSTONES;
  const tombstones: RangeTombstone[] = [];
  for (; left > 0; left--) {
    const lower = reader.lengthPrefixed().slice();
    const upper = reader.lengthPrefixed().slice();
    tombstones.push({ lower, upper, seq: reader.varint() + seqBase });
  }
  return tombstones;
}
