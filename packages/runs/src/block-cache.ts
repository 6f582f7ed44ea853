/**
 * The cache of blocks and pages, bounded in bytes, with the CLOCK policy (Corbató 1968): a hit sets one flag, the hand
 * gives everything it meets a second chance. There is no table of keys: whoever loads an item keeps the pointer to it
 * (a run in the slot of the block, a tree in the slot of the page) and clears it when the cache says `evicted`. So a hit
 * costs an array load, and an item of a closed or replaced file can never be found again: the pointer is the key "file
 * generation and offset".
 *
 * Evicted bytes stay valid for whoever still holds them; the collector takes them afterwards. That is why a cursor or a
 * slot needs no pin, at the price that memory in use passes the bound by what is held. Not shared between threads.
 *
 * What finds a block, the filters and indexes of runs, has a bound of its own: a get asks the filter of every run that its
 * key may lie in, so filters that share memory with blocks and are put out by them cost a read for each run, and gets of 40M
 * records in a cache of 64 MiB took 650 us of CPU instead of 60. About 2 bytes of memory for each record of an LSM-tree.
 *
 * To take a block in costs more than to look into it: another one goes, and both lie in memory that no processor's cache holds.
 * So a full cache takes in what a lookup missed only when it was missed before, and not longer ago than it might have stayed
 * (the test of 2Q, Johnson and Shasha 1994; here the memory of misses is a word for each block of a run). Gets of 10M records,
 * 64 MiB: 8.3 us of CPU to 7.0.
 */

/** Something that can be cached. The fields belong to the cache, but for `referenced`, which a hit sets to true. */
export interface CacheItem {
  readonly chargeBytes: number;
  referenced: boolean;
  /** Place in the ring; -1 while it is not cached. */
  cacheSlot: number;
  /** The owner forgets its pointer. */
  evicted(): void;
}

/** 100M records have about 200 MB of filters and indexes. */
const FILTER_BYTES_MAX_DEFAULT = 256 * 1024 * 1024;

/** A block that comes again before so much of the cache's size was missed is taken in at once: its keys are asked for one by one. */
const SOON_SHARE = 1 / 16;
/**
 * Of those that come again later one in so many: where far more of them do than there is room for, they would only take turns,
 * and those that are really wanted come often.
 */
const TAKEN_IN_ONE_OF = 4;
const KIB = 1024;

/** A ring of items with one bound. */
export class ClockCache {
  readonly bytesMax: number;
  private readonly ring: (CacheItem | undefined)[] = [];
  private readonly freeSlots: number[] = [];
  private hand = 0;
  private bytesInUse = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** Bytes charged for everything cached now. */
  get bytes(): number {
    return this.bytesInUse;
  }

  /** Items cached now. */
  get count(): number {
    return this.ring.length - this.freeSlots.length;
  }

  /**
   * Takes an item in and puts others out until the bound holds. False when the item is larger than a quarter of the cache:
   * it is then not kept, and the owner must not keep a pointer to it.
   */
  insert(item: CacheItem): boolean {
    if (item.chargeBytes * 4 > this.bytesMax) return false;
    while (this.bytesInUse + item.chargeBytes > this.bytesMax) this.evictOne();
    const slot = this.freeSlots.pop() ?? this.ring.length;
    this.ring[slot] = item;
    item.cacheSlot = slot;
    this.bytesInUse += item.chargeBytes;
    return true;
  }

  /** Takes an item out without telling its owner, who is the one that asks. No effect when it is not in. */
  remove(item: CacheItem): void {
    if (item.cacheSlot < 0) return;
    this.ring[item.cacheSlot] = undefined;
    this.freeSlots.push(item.cacheSlot);
    item.cacheSlot = -1;
    this.bytesInUse -= item.chargeBytes;
  }

  private evictOne(): void {
    for (;;) {
      if (this.hand >= this.ring.length) this.hand = 0;
      const item = this.ring[this.hand++];
      if (item === undefined) continue;
      if (item.referenced) {
        item.referenced = false;
        continue;
      }
      this.remove(item);
      item.evicted();
      return;
    }
  }
}

/** Blocks and pages; beside them, with a bound of its own, what finds them. */
export class BlockCache extends ClockCache {
  /** Filters and indexes of runs. */
  readonly filters: ClockCache;
  /** What lookups have missed, in KiB: the clock of `isWanted`. It goes round at 2^32. */
  private missedKib = 0;
  private cameAgain = 0;

  constructor(bytesMax: number, filterBytesMax: number = FILTER_BYTES_MAX_DEFAULT) {
    super(bytesMax);
    this.filters = new ClockCache(filterBytesMax);
  }

  /**
   * Whether what a lookup missed should be taken in. `bytes` is its size on disk, `missedAt[index]` the note about it, which
   * begins as zero.
   */
  isWanted(bytes: number, missedAt: Int32Array, index: number): boolean {
    const before = missedAt[index]!;
    const now = (this.missedKib + Math.ceil(bytes / KIB)) | 0;
    this.missedKib = now;
    missedAt[index] = now;
    if (this.bytes + bytes <= this.bytesMax) return true;
    const since = (now - before) >>> 0;
    const kibMax = this.bytesMax / KIB;
    if (before === 0 || since > kibMax) return false;
    return since <= kibMax * SOON_SHARE || ++this.cameAgain % TAKEN_IN_ONE_OF === 0;
  }
}
