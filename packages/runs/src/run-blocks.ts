/** What the cursors of a run need of it: blocks by partition and place, and what is true of all of them. */
import type { Seq } from '@phantom/kv';
import type { Block } from './block.js';
import type { RangeCover } from './range-cover.js';
import type { ReadAhead } from './read-ahead.js';

export interface RunBlocks {
  /** Added to every relative seq in the blocks. */
  readonly seqBase: Seq;
  readonly seqMax: Seq;
  /** The run's own range tombstones; undefined when it has none. */
  readonly cover: RangeCover | undefined;
  readonly partitionCount: number;
  /** At least every key in it; empty when there are none. */
  readonly largestKey: Uint8Array;
  /** The last partition whose separator is at most the key; -1 when the key lies before all. */
  partitionOf(key: Uint8Array, start: number, end: number): number;
  /** The last block of a partition whose separator is at most the key; -1 when the key lies before all. */
  blockOf(partition: number, key: Uint8Array, start: number, end: number): number;
  blocksIn(partition: number): number;
  /** As separatorOf, of a partition. Needs nothing but the metadata. */
  separatorOfPartition(partition: number): Uint8Array;
  /** At most the first key of a block, and above the last one of the block before. Not to be changed. */
  separatorOf(partition: number, block: number): Uint8Array;
  /**
   * A data block, from the cache or the file, for whoever goes on holding it. With `into` one that is not cached stays so: it
   * is read there, with `ahead` of who reads this run in order.
   */
  block(partition: number, block: number, into?: Block, ahead?: ReadAhead): Block;
}
