/**
 * The cache of blocks and pages, bounded in bytes, with the CLOCK policy (Corbató 1968): a hit sets one flag, the hand
 * gives everything it meets a second chance. There is no table of keys: whoever loads an item keeps the pointer to it
 * (a run in the slot of the block, a tree in the slot of the page) and clears it when the cache says `evicted`. So a hit
 * costs an array load, and an item of a closed or replaced file can never be found again: the pointer is the key "file
 * generation and offset".
 *
 * Evicted bytes stay valid for whoever still holds them; the collector takes them afterwards. That is why a cursor or a
 * slot needs no pin, at the price that memory in use passes the bound by what is held. Not shared between threads.
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

export class BlockCache {
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
