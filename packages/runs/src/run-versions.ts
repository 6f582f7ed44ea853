/**
 * Walks a run from front to back for a flush or a merge: versions instead of a view's entries. Reads past the cache, and nothing that
 * is hidden whole by what is newer: of a dropped table or index no block is read, nor the index of a partition, so a damaged one does
 * no harm.
 */
import { compareBytes, compareKeys } from '@phantom/base';
import { ByteSlot, type KeyRange, type Seq, keyAfter } from '@phantom/kv';
import { Block } from './block.js';
import { BlockInterval } from './block-interval.js';
import { type VersionCursor, VersionKind } from './layer.js';
import { ReadAhead } from './read-ahead.js';
import type { KeyIntervals } from './range-cover.js';
import type { RunBlocks } from './run-blocks.js';

const NO_BYTES = new Uint8Array(0);

export class RunVersions implements VersionCursor {
  readonly key = new ByteSlot();
  readonly value = new ByteSlot();
  seq: Seq = 0;
  kind: VersionKind = VersionKind.Put;
  firstOfKey = true;
  private readonly run: RunBlocks;
  private readonly all: boolean;
  private readonly lower: Uint8Array;
  private readonly upper: Uint8Array | undefined;
  private readonly hidden: KeyIntervals | undefined;
  private readonly interval = new BlockInterval();
  private block: Block | undefined = undefined;
  /** For blocks that are not cached, one after the other. */
  private readonly uncached = new Block();
  private readonly ahead = new ReadAhead();
  private partitionAt = 0;
  private blockAt = 0;
  private intervalAt = 0;
  private entry = 0;
  private begun = false;
  private ended = false;

  constructor(run: RunBlocks, all: boolean, range?: KeyRange, hidden?: KeyIntervals) {
    this.run = run;
    this.all = all;
    this.hidden = hidden;
    this.lower = range?.lower ?? NO_BYTES;
    this.upper = range?.upper;
  }

  next(): boolean {
    if (this.ended) return false;
    if (!this.begun) {
      this.begun = true;
      if (!this.begin()) return this.stop();
    } else {
      this.entry++;
    }
    for (;;) {
      while (this.entry < this.interval.count) {
        if (this.take()) return true;
        if (this.ended) return false;
        this.entry++;
      }
      if (!this.nextInterval()) return this.stop();
    }
  }

  close(): void {
    this.stop();
  }

  private begin(): boolean {
    const { run, lower } = this;
    if (run.partitionCount === 0) return false;
    this.partitionAt = Math.max(run.partitionOf(lower, 0, lower.length), 0);
    if (!this.isPartitionHidden()) this.blockAt = Math.max(run.blockOf(this.partitionAt, lower, 0, lower.length), 0);
    else if (!this.nextPartition()) return false;
    while (this.isHidden()) if (!this.advance()) return false;
    this.block = run.block(this.partitionAt, this.blockAt, this.uncached, this.ahead);
    this.decode(this.block.intervalOf(lower, 0, lower.length));
    return true;
  }

  private nextInterval(): boolean {
    const { run } = this;
    if (this.intervalAt + 1 < (this.block as Block).restartCount) {
      this.decode(this.intervalAt + 1);
      return true;
    }
    do if (!this.advance()) return false;
    while (this.isHidden());
    this.block = run.block(this.partitionAt, this.blockAt, this.uncached, this.ahead);
    this.decode(0);
    return true;
  }

  /** To the next block; false when there is none. */
  private advance(): boolean {
    if (this.blockAt + 1 >= this.run.blocksIn(this.partitionAt)) return this.nextPartition();
    this.blockAt++;
    return true;
  }

  /** To the first block of the next partition that is not hidden whole; false when there is none. */
  private nextPartition(): boolean {
    this.blockAt = 0;
    do if (++this.partitionAt >= this.run.partitionCount) return false;
    while (this.isPartitionHidden());
    return true;
  }

  private isPartitionHidden(): boolean {
    if (this.hidden === undefined) return false;
    return this.hides(this.run.separatorOfPartition(this.partitionAt), this.partitionEnd());
  }

  /** Whether everything in the present block is hidden. */
  private isHidden(): boolean {
    const { run, hidden, partitionAt, blockAt } = this;
    if (hidden === undefined) return false;
    const isLast = blockAt + 1 === run.blocksIn(partitionAt);
    const end = isLast ? this.partitionEnd() : run.separatorOf(partitionAt, blockAt + 1);
    return this.hides(run.separatorOf(partitionAt, blockAt), end);
  }

  /** No key of the present partition lies at or behind this one. */
  private partitionEnd(): Uint8Array {
    const { run, partitionAt } = this;
    const isLast = partitionAt + 1 === run.partitionCount;
    return isLast ? keyAfter(run.largestKey) : run.separatorOfPartition(partitionAt + 1);
  }

  /** Whether [lower, upper) is hidden. */
  private hides(lower: Uint8Array, upper: Uint8Array): boolean {
    const hidden = this.hidden as KeyIntervals;
    const index = hidden.find(lower, 0, lower.length);
    return index >= 0 && compareKeys(hidden.uppers[index] as Uint8Array, upper) >= 0;
  }

  private decode(index: number): void {
    this.intervalAt = index;
    this.interval.decode(this.block as Block, index, Number.MAX_SAFE_INTEGER, this.all);
    this.entry = 0;
  }

  /** Shows the present entry unless it lies outside the range or is hidden from everybody. */
  private take(): boolean {
    const { interval, entry, run, lower, upper } = this;
    const start = interval.keyStarts[entry]!;
    const end = interval.keyEnds[entry]!;
    if (compareBytes(interval.keys, start, end, lower, 0, lower.length) < 0) return false;
    if (upper !== undefined && compareBytes(interval.keys, start, end, upper, 0, upper.length) >= 0) return this.stop();
    const seq = interval.seqs[entry]! + run.seqBase;
    if (!this.all && run.cover !== undefined && run.cover.newest(interval.keys, start, end, run.seqMax) > seq)
      return false;
    this.firstOfKey = interval.older[entry] === 0;
    this.seq = seq;
    this.key.set(interval.keys, start, end);
    if (interval.removed[entry] === 1) {
      this.kind = VersionKind.Remove;
      this.value.set(NO_BYTES, 0, 0);
    } else {
      this.kind = VersionKind.Put;
      this.value.set((this.block as Block).payload, interval.valueStarts[entry]!, interval.valueEnds[entry]!);
    }
    return true;
  }

  private stop(): boolean {
    this.ended = true;
    this.block = undefined;
    this.interval.block = undefined;
    return false;
  }
}
