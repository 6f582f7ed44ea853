/**
 * Walks a run in both directions for one view. It stands on one entry of one decoded restart interval; of an interval
 * only the part inside the range is used, so that a step compares no keys.
 */
import { compareBytes } from '@phantom/base';
import { ByteSlot, type CursorBatch, type KeyRange, type Seq } from '@phantom/kv';
import type { Block } from './block.js';
import { BlockInterval, giveInterval, takeInterval } from './block-interval.js';
import { FilledIntervals, fillValues } from './interval-values.js';
import type { LayerCursor } from './layer.js';
import { ReadAhead } from './read-ahead.js';
import type { RunBlocks } from './run-blocks.js';
import { touchLines } from './touch-lines.js';

const Place = { Nowhere: 0, Inside: 1, BehindEnd: 2, BeforeStart: 3 } as const;
type Place = (typeof Place)[keyof typeof Place];

/** Blocks that a cursor walks through, one after the other, before those that are not cached are read ahead of it. */
const WALKED_BLOCKS_MIN = 8;
const NO_BYTES = new Uint8Array(0);
/** What `fillValues` tells; nobody else asks in between. */
const filled = new FilledIntervals();
/** The interval of closed cursors: always empty. */
const CLOSED = new BlockInterval();

export class RunCursor implements LayerCursor {
  readonly key = new ByteSlot();
  readonly value = new ByteSlot();
  removed = false;
  private readonly run: RunBlocks;
  private readonly seq: Seq;
  private readonly lower: Uint8Array;
  private readonly upper: Uint8Array | undefined;
  private interval = takeInterval();
  private block: Block | undefined = undefined;
  /** Blocks that were entered from the one before since the last search. */
  private walkedBlocks = 0;
  private ahead: ReadAhead | undefined = undefined;
  private partitionAt = 0;
  private blockAt = 0;
  private intervalAt = 0;
  /** Entries of the interval inside the range are [from, to). */
  private from = 0;
  private to = 0;
  private entry = 0;
  private place: Place = Place.Nowhere;

  constructor(run: RunBlocks, range: KeyRange, seq: Seq) {
    this.run = run;
    this.seq = seq;
    this.lower = range.lower;
    this.upper = range.upper;
  }

  seek(key: Uint8Array, start: number, end: number): boolean {
    const { lower } = this;
    if (compareBytes(key, start, end, lower, 0, lower.length) < 0) return this.seekForward(lower, 0, lower.length);
    return this.seekForward(key, start, end);
  }

  seekBefore(key: Uint8Array, start: number, end: number): boolean {
    const { upper } = this;
    if (upper !== undefined && compareBytes(key, start, end, upper, 0, upper.length) > 0) {
      return this.seekBackward(upper, 0, upper.length);
    }
    return this.seekBackward(key, start, end);
  }

  next(): boolean {
    if (this.place === Place.Inside) {
      if (++this.entry < this.to) return this.show();
      return this.forward();
    }
    if (this.place === Place.BehindEnd) return false;
    return this.seekForward(this.lower, 0, this.lower.length);
  }

  prev(): boolean {
    if (this.place === Place.Inside) {
      if (--this.entry >= this.from) return this.show();
      return this.backward();
    }
    if (this.place === Place.BeforeStart) return false;
    const { upper } = this;
    return upper === undefined ? this.seekLast() : this.seekBackward(upper, 0, upper.length);
  }

  /** Hands out the rest of the restart interval: values where they lie in the block, keys in the interval's arena. */
  fillBefore(batch: CursorBatch, limit: ByteSlot | undefined): void {
    const { interval, entry, run } = this;
    const { keys, keyStarts, keyEnds, valueStarts, valueEnds, removed } = interval;
    const { payload } = this.block as Block;
    const { keyBuffers, valueBuffers } = batch;
    let end = Math.min(this.to, entry + batch.capacity - batch.count);
    if (limit !== undefined) {
      const { buffer, start } = limit;
      while (end > entry + 1) {
        if (compareBytes(keys, keyStarts[end - 1]!, keyEnds[end - 1]!, buffer, start, limit.end) < 0) break;
        end--;
      }
    }
    let i = batch.count;
    let last = entry;
    for (let at = entry; at < end; at++) {
      // Below the limit no other layer has the key, so a removed one is passed over. The present entry is alive.
      if (at !== entry && (removed[at] === 1 || (run.cover !== undefined && this.isCovered(at)))) continue;
      keyBuffers[i] = keys;
      batch.keyStarts[i] = keyStarts[at]!;
      batch.keyEnds[i] = keyEnds[at]!;
      valueBuffers[i] = payload;
      batch.valueStarts[i] = valueStarts[at]!;
      batch.valueEnds[i] = valueEnds[at]!;
      i++;
      last = at;
    }
    batch.count = i;
    interval.keepKeys();
    this.entry = last;
    this.removed = false;
    this.key.set(keys, keyStarts[last]!, keyEnds[last]!);
    this.value.set(payload, valueStarts[last]!, valueEnds[last]!);
    if (batch.keyless && end === interval.count && run.cover === undefined) this.fillWhole(batch, limit);
  }

  /**
   * Hands out the values of the whole intervals that follow, as long as the key behind each is known and lies at most at
   * the end of the range and the limit. Ends on the last entry handed out.
   */
  private fillWhole(batch: CursorBatch, limit: ByteSlot | undefined): void {
    const { run, partitionAt } = this;
    const blocks = run.blocksIn(partitionAt);
    const seqMax = this.seq - run.seqBase;
    let block = this.block as Block;
    let { blockAt } = this;
    let from = this.intervalAt + 1;
    let last = -1;
    for (;;) {
      const behind =
        blockAt + 1 < blocks ? run.block(partitionAt, blockAt + 1, undefined, this.aheadOfWalk()) : undefined;
      const isInside = behind !== undefined && this.endsBehind(behind, 0, limit);
      let to = block.restartCount;
      if (!isInside) {
        to--;
        while (to > from && !this.endsBehind(block, to, limit)) to--;
      }
      fillValues(block, from, to, seqMax, batch, filled);
      if (filled.last >= 0) {
        last = filled.last;
        this.block = block;
        this.blockAt = blockAt;
      }
      if (!isInside || filled.next < to) break;
      block = behind;
      blockAt++;
      this.walkedBlocks++;
      from = 0;
    }
    if (last < 0) return;
    this.enterInterval(last);
    this.entry = this.to - 1;
    while (this.interval.removed[this.entry] === 1) this.entry--;
    this.show();
  }

  /** True when neither the range nor the limit ends before the first key of an interval. */
  private endsBehind(block: Block, interval: number, limit: ByteSlot | undefined): boolean {
    const { upper } = this;
    if (upper !== undefined && !block.beginsAtMost(interval, upper, 0, upper.length)) return false;
    return limit === undefined || block.beginsAtMost(interval, limit.buffer, limit.start, limit.end);
  }

  close(): void {
    this.place = Place.BehindEnd;
    this.block = undefined;
    if (this.interval === CLOSED) return;
    giveInterval(this.interval);
    this.interval = CLOSED;
  }

  private seekForward(key: Uint8Array, start: number, end: number): boolean {
    if (!this.aim(key, start, end)) return this.stop(Place.BehindEnd);
    const { interval, run } = this;
    const block = this.block as Block;
    this.intervalAt = block.intervalOf(key, start, end);
    interval.decodeFrom(block, this.intervalAt, this.seq - run.seqBase, key, start, end);
    // Who seeks from below the range seeks its lower end.
    this.from = 0;
    this.boundAbove();
    this.entry = 0;
    if (this.entry < this.to) return this.show();
    return this.forward();
  }

  private seekBackward(key: Uint8Array, start: number, end: number): boolean {
    if (!this.aim(key, start, end)) return this.stop(Place.BeforeStart);
    const { interval } = this;
    this.enterInterval((this.block as Block).intervalOf(key, start, end));
    this.entry = this.to - 1;
    while (this.entry >= this.from && this.compareEntry(interval, key, start, end) >= 0) this.entry--;
    if (this.entry >= this.from) return this.show();
    return this.backward();
  }

  private compareEntry(interval: BlockInterval, key: Uint8Array, start: number, end: number): number {
    return compareBytes(interval.keys, interval.keyStarts[this.entry]!, interval.keyEnds[this.entry]!, key, start, end);
  }

  private seekLast(): boolean {
    const { run } = this;
    if (run.partitionCount === 0) return this.stop(Place.BeforeStart);
    this.enterPartition(run.partitionCount - 1, run.blocksIn(run.partitionCount - 1) - 1);
    this.enterInterval((this.block as Block).restartCount - 1);
    this.entry = this.to - 1;
    if (this.entry >= this.from) return this.show();
    return this.backward();
  }

  /** Enters the block in which the key would lie; false when the run has no entries. */
  private aim(key: Uint8Array, start: number, end: number): boolean {
    const { run } = this;
    if (run.partitionCount === 0) return false;
    this.walkedBlocks = 0;
    const partition = Math.max(run.partitionOf(key, start, end), 0);
    this.enterPartition(partition, Math.max(run.blockOf(partition, key, start, end), 0));
    return true;
  }

  private enterPartition(partition: number, block: number, ahead?: ReadAhead): void {
    this.partitionAt = partition;
    this.blockAt = block;
    this.block = this.run.block(partition, block, undefined, ahead);
  }

  /** What reads the next block where many have been walked through: it is likely that more are wanted. */
  private aheadOfWalk(): ReadAhead | undefined {
    if (this.walkedBlocks < WALKED_BLOCKS_MIN) return undefined;
    return (this.ahead ??= new ReadAhead());
  }

  private enterInterval(index: number): void {
    const { interval, lower } = this;
    this.intervalAt = index;
    interval.decode(this.block as Block, index, this.seq - this.run.seqBase, false);
    this.from = 0;
    while (this.from < interval.count && compareInterval(interval, this.from, lower) < 0) this.from++;
    this.boundAbove();
  }

  /** Finds where the range ends in the interval. */
  private boundAbove(): void {
    const { interval, upper } = this;
    this.to = interval.count;
    if (upper === undefined) return;
    while (this.to > this.from && compareInterval(interval, this.to - 1, upper) >= 0) this.to--;
  }

  /** To the first entry of a later interval. */
  private forward(): boolean {
    const { run, upper } = this;
    for (;;) {
      if (this.to < this.interval.count && upper !== undefined) return this.stop(Place.BehindEnd);
      if (this.intervalAt + 1 < (this.block as Block).restartCount) {
        this.enterInterval(this.intervalAt + 1);
      } else {
        this.walkedBlocks++;
        const ahead = this.aheadOfWalk();
        if (this.blockAt + 1 < run.blocksIn(this.partitionAt))
          this.enterPartition(this.partitionAt, this.blockAt + 1, ahead);
        else if (this.partitionAt + 1 < run.partitionCount) this.enterPartition(this.partitionAt + 1, 0, ahead);
        else return this.stop(Place.BehindEnd);
        // Whoever comes from the block before walks on, most likely.
        const { payload, entriesEnd } = this.block as Block;
        touchLines(payload, 0, entriesEnd);
        this.enterInterval(0);
      }
      this.entry = this.from;
      if (this.entry < this.to) return this.show();
    }
  }

  /** To the last entry of an earlier interval. */
  private backward(): boolean {
    const { run, interval } = this;
    if (!interval.isWhole) {
      // Back over where the cursor was sought.
      const decoded = interval.count;
      this.enterInterval(this.intervalAt);
      this.entry = interval.count - decoded - 1;
      if (this.entry >= this.from) return this.show();
    }
    for (;;) {
      if (this.from > 0) return this.stop(Place.BeforeStart);
      if (this.intervalAt > 0) {
        this.enterInterval(this.intervalAt - 1);
      } else {
        if (this.blockAt > 0) this.enterPartition(this.partitionAt, this.blockAt - 1);
        else if (this.partitionAt > 0)
          this.enterPartition(this.partitionAt - 1, run.blocksIn(this.partitionAt - 1) - 1);
        else return this.stop(Place.BeforeStart);
        this.enterInterval((this.block as Block).restartCount - 1);
      }
      this.entry = this.to - 1;
      if (this.entry >= this.from) return this.show();
    }
  }

  private show(): boolean {
    const { interval, entry, run } = this;
    this.place = Place.Inside;
    const start = interval.keyStarts[entry]!;
    const end = interval.keyEnds[entry]!;
    this.key.set(interval.keys, start, end);
    this.removed = interval.removed[entry] === 1 || (run.cover !== undefined && this.isCovered(entry));
    if (this.removed) this.value.set(NO_BYTES, 0, 0);
    else this.value.set((this.block as Block).payload, interval.valueStarts[entry]!, interval.valueEnds[entry]!);
    return true;
  }

  /** True when a range tombstone of this run hides an entry. */
  private isCovered(entry: number): boolean {
    const { interval, run } = this;
    const { cover } = run;
    if (cover === undefined) return false;
    const newest = cover.newest(interval.keys, interval.keyStarts[entry]!, interval.keyEnds[entry]!, this.seq);
    return newest > interval.seqs[entry]! + run.seqBase;
  }

  private stop(place: Place): boolean {
    this.place = place;
    return false;
  }
}

function compareInterval(interval: BlockInterval, entry: number, key: Uint8Array): number {
  return compareBytes(interval.keys, interval.keyStarts[entry]!, interval.keyEnds[entry]!, key, 0, key.length);
}
