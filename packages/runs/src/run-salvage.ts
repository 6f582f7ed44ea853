/**
 * A damaged run as salvage reads it: block after block, each believed only under its checksum. What cannot be read and cannot be
 * mended is a lost range with the number of its entries, which index and metadata know:
 *
 *   a data block        from its separator to the next one
 *   an index block      its partition: up to the separator of the next one
 *   metadata or footer  its blocks are found without them (run-search.ts). Which ranges of keys it removed is lost, so everything older
 *                       is in doubt
 *
 * The filters are not needed.
 */
import { type Checksums, equalBytes, isPhantomError, readU32, readU64, isCorruption } from '@phantom/base';
import {
  type LostRange,
  type SalvageReport,
  type SalvagedEntry,
  type SalvagedLayer,
  type SalvagedRemoval,
  type Seq,
  keyAfter,
} from '@phantom/kv';
import { type MendedVfs, type VfsFile, joinPath } from '@phantom/vfs';
import { Block } from './block.js';
import { BlockCache } from './block-cache.js';
import { BlockInterval } from './block-interval.js';
import { BLOCK_TRAILER_BYTES, RUN_FOOTER_BYTES, RUN_HEADER_BYTES, RUN_MAGIC, blockSeed } from './format.js';
import { readRunEnds } from './run-ends.js';
import { findBlocks } from './run-search.js';
import { type BlockPlace, Run } from './run-reader.js';

export interface SalvagedRunOptions {
  readonly vfs: MendedVfs;
  readonly directory: string;
  readonly name: string;
  readonly checksums: Checksums;
  /** What the file must have, by whoever recorded it. */
  readonly bytes?: number;
  readonly identity?: number;
  readonly seqBase?: Seq;
  /** Keys that it may have: what is lost when nothing of it can be read. */
  readonly lower: Uint8Array;
  readonly upper: Uint8Array | undefined;
  readonly report: SalvageReport;
}

/** Blocks are read once, into a block of the reader's; indexes pass through as well. */
const CACHE_BYTES = 64 * 1024;
const SEQ_MAX = Number.MAX_SAFE_INTEGER;

export class SalvagedRun implements SalvagedLayer {
  readonly removals: readonly SalvagedRemoval[];
  /** Undefined when nothing of it can be read. */
  readonly run: Run | undefined;
  private readonly options: SalvagedRunOptions;
  private readonly path: string;
  /** Places at which something was found before: a run is walked more than once. */
  private readonly reported = new Set<number>();

  /** Opens it; `close` it. A file that is missing or is another run is a lost range like a damaged one. */
  constructor(options: SalvagedRunOptions) {
    this.options = options;
    this.path = joinPath(options.directory, options.name);
    this.run = this.open();
    this.removals = this.run?.rangeTombstones(SEQ_MAX) ?? [];
  }

  *items(): Generator<SalvagedEntry | LostRange, void, void> {
    const { run } = this;
    if (run === undefined) {
      yield* this.search();
      return;
    }
    const end = keyAfter(run.largestKey);
    for (let partition = 0; partition < run.partitionCount; partition++) {
      const place = run.partitionPlace(partition);
      const next = partition + 1 < run.partitionCount ? run.partitionPlace(partition + 1).separator : end;
      yield* this.partition(run, partition, place, next);
    }
  }

  close(): void {
    this.run?.release();
  }

  /** Its entries, found without what says where they are. */
  private *search(): Generator<SalvagedEntry | LostRange, void, void> {
    const { vfs, checksums, identity, lower, upper, seqBase } = this.options;
    const file = vfs.exists(this.path) ? vfs.open(this.path, { mode: 'read' }) : undefined;
    const interval = new BlockInterval();
    /** Behind the last entry that was found; undefined while there is none. */
    let end: Uint8Array | undefined;
    let isHole = false;
    let offset = 0;
    try {
      const blocks = file === undefined || identity === undefined ? [] : findBlocks(file, checksums, identity);
      for (const { offset: at, block } of blocks) {
        if (block === undefined) {
          isHole = true;
          offset = at;
          continue;
        }
        const entries = entriesOf(block, interval, seqBase ?? seqBaseOf(file as VfsFile));
        const [first] = entries;
        if (first === undefined) continue;
        // The ranges that it removed.
        if (end === undefined) yield { lower, upper, entries: 0, file: this.path, offset: 0 };
        if (isHole) yield { lower: end ?? lower, upper: first.key, entries: undefined, file: this.path, offset };
        isHole = false;
        yield* entries;
        end = keyAfter((entries.at(-1) as SalvagedEntry).key);
      }
    } finally {
      file?.close();
    }
    if (end === undefined || isHole) yield { lower: end ?? lower, upper, entries: undefined, file: this.path, offset };
  }

  private *partition(
    run: Run,
    partition: number,
    place: BlockPlace,
    end: Uint8Array,
  ): Generator<SalvagedEntry | LostRange, void, void> {
    const places = this.attempt(place, () => run.places(partition));
    if (places === undefined) {
      yield this.lost(place, end);
      return;
    }
    const block = new Block();
    const interval = new BlockInterval();
    for (let i = 0; i < places.length; i++) {
      const at = places[i] as BlockPlace;
      const entries = this.attempt(at, () => {
        run.readPlace(at, block);
        return entriesOf(block, interval, run.seqBase);
      });
      if (entries === undefined) yield this.lost(at, places[i + 1]?.separator ?? end);
      else yield* entries;
    }
  }

  /** What `read` gives, after its block has been mended if need be; undefined when that failed. */
  private attempt<T>(place: BlockPlace, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!isCorruption(error)) throw error;
      const { offset, bytes } = place;
      const mendedAt = this.mendBlock(offset, bytes);
      this.tell(offset, mendedAt === undefined ? error.message : mended(mendedAt), mendedAt !== undefined);
      return mendedAt === undefined ? undefined : read();
    }
  }

  private mendBlock(offset: number, bytes: number): number | undefined {
    const { vfs, checksums } = this.options;
    const seed = blockSeed((this.run as Run).identity, offset);
    return vfs.mend(this.path, offset, bytes + BLOCK_TRAILER_BYTES, (piece) =>
      isSum(piece, bytes + 1, checksums.h64(piece, 0, bytes + 1, seed)),
    );
  }

  private open(): Run | undefined {
    const { vfs, checksums, bytes, identity, seqBase } = this.options;
    const open = (): Run =>
      new Run({
        vfs,
        path: this.path,
        checksums,
        cache: new BlockCache(CACHE_BYTES, CACHE_BYTES),
        ...(bytes === undefined ? {} : { bytes }),
        ...(identity === undefined ? {} : { identity }),
        ...(seqBase === undefined ? {} : { seqBase }),
      });
    try {
      return open();
    } catch (error) {
      if (!isPhantomError(error)) throw error;
      const isThere = vfs.exists(this.path);
      const mendedAt = isThere && isCorruption(error) ? this.mendEnds() : undefined;
      const message = isThere ? error.message : 'a run is gone';
      this.tell(0, mendedAt === undefined ? message : mended(mendedAt), mendedAt !== undefined);
      return mendedAt === undefined ? undefined : open();
    }
  }

  /** A bit of the header, which the footer proves, or of the metadata and the footer. */
  private mendEnds(): number | undefined {
    const { vfs, checksums, identity } = this.options;
    const file = vfs.open(this.path, { mode: 'read' });
    try {
      const size = file.size();
      const footer = new Uint8Array(RUN_FOOTER_BYTES);
      if (size < RUN_HEADER_BYTES + RUN_FOOTER_BYTES) return undefined;
      file.readAt(size - RUN_FOOTER_BYTES, footer);
      const recorded = { path: this.path, checksums, ...(identity === undefined ? {} : { identity }) };
      const proves = (offset: number) => (piece: Uint8Array) => {
        try {
          readRunEnds(overlaid(file, offset, piece), recorded);
          return true;
        } catch (error) {
          if (!isPhantomError(error)) throw error;
          return false;
        }
      };
      // A flip in the footer may be in the offset of the metadata itself: then the footer is all that need be tried.
      const tails = [RUN_FOOTER_BYTES, size - (readU32(footer, 0) + readU32(footer, 4) * 2 ** 32)];
      for (const tail of tails) {
        if (!(tail >= RUN_FOOTER_BYTES && tail <= size - RUN_HEADER_BYTES)) continue;
        const at = vfs.mend(this.path, size - tail, tail, proves(size - tail));
        if (at !== undefined) return at;
      }
      return vfs.mend(this.path, 0, RUN_HEADER_BYTES, proves(0));
    } finally {
      file.close();
    }
  }

  private lost({ separator, offset, entries }: BlockPlace, upper: Uint8Array): LostRange {
    return { lower: separator, upper, entries, file: this.path, offset };
  }

  private tell(offset: number, message: string, isMended: boolean): void {
    if (this.reported.has(offset)) return;
    this.reported.add(offset);
    this.options.report({ severity: 'corruption', file: this.path, offset, message, isMended });
  }
}

/** What is said of a piece that was mended. */
export function mended(offset: number): string {
  return `one bit of the byte at ${offset} was turned; the checksum says how it was`;
}

/** The newest version of each key in a block that was read. */
function entriesOf(block: Block, interval: BlockInterval, seqBase: Seq): SalvagedEntry[] {
  const entries: SalvagedEntry[] = [];
  for (let restart = 0; restart < block.restartCount; restart++) {
    interval.decode(block, restart, SEQ_MAX, true);
    for (let i = 0; i < interval.count; i++) {
      if (interval.older[i] === 1) continue;
      const isRemoved = interval.removed[i] === 1;
      entries.push({
        key: interval.keys.slice(interval.keyStarts[i], interval.keyEnds[i]),
        value: isRemoved ? undefined : block.payload.slice(interval.valueStarts[i], interval.valueEnds[i]),
        seq: (interval.seqs[i] as number) + seqBase,
      });
    }
  }
  return entries;
}

/** The file, with a piece of it as it might have been. */
function overlaid(file: VfsFile, offset: number, piece: Uint8Array): Pick<VfsFile, 'size' | 'readAt'> {
  return {
    size: () => file.size(),
    readAt: (from, into) => {
      const count = file.readAt(from, into);
      const start = Math.max(from, offset);
      const end = Math.min(from + count, offset + piece.length);
      if (start < end) into.set(piece.subarray(start - offset, end - offset), start - from);
      return count;
    },
  };
}

/** As the header says, which nothing has proved; 0 where it is none. */
function seqBaseOf(file: VfsFile): Seq {
  const header = new Uint8Array(RUN_HEADER_BYTES);
  file.readAt(0, header);
  const seqBase = readU64(header, 24);
  return equalBytes(header, 0, 8, RUN_MAGIC, 0, 8) && !Number.isNaN(seqBase) ? seqBase : 0;
}

function isSum(bytes: Uint8Array, at: number, sum: bigint): boolean {
  return readU32(bytes, at) === Number(sum & 0xffffffffn) && readU32(bytes, at + 4) === Number(sum >> 32n);
}
