/**
 * The index of a partition in memory: which block a key is in, where that lies, and whether a lookup missed it lately. In trees
 * that are larger than the caches of the processor each line of memory that a lookup touches is a wait, so what it needs to
 * know of a block lies side by side.
 */
import type { BlockCache, CacheItem } from './block-cache.js';
import { KeyIndex } from './key-index.js';

/** Words about a block. */
const OFFSET_LOW = 0;
const OFFSET_HIGH = 1;
const BYTES = 2;
/** When a lookup missed it, as the cache says. */
const MISSED_AT = 3;
const PLACE_WORDS = 4;
const WORD = 2 ** 32;
const OBJECT_BYTES = 200;

/** Who has the index, as long as it is cached. */
interface IndexOwner {
  index: PartitionIndex | undefined;
}

export class PartitionIndex implements CacheItem {
  /** The separators of the blocks. */
  keys = indexKeys([]);
  /** How many blocks there are. */
  readonly count: number;
  referenced = false;
  cacheSlot = -1;
  private readonly owner: IndexOwner;
  private readonly places: Int32Array;

  /** Of so many blocks, each of which is to be placed. */
  constructor(owner: IndexOwner, count: number) {
    this.owner = owner;
    this.count = count;
    this.places = new Int32Array(count * PLACE_WORDS);
  }

  get chargeBytes(): number {
    return this.keys.bytes + this.places.length * 4 + OBJECT_BYTES;
  }

  /** Notes where a block is. No effect for one that is too many. */
  place(block: number, offset: number, bytes: number): void {
    const at = block * PLACE_WORDS;
    this.places[at + OFFSET_LOW] = offset % WORD;
    this.places[at + OFFSET_HIGH] = Math.floor(offset / WORD);
    this.places[at + BYTES] = bytes;
  }

  offset(block: number): number {
    const at = block * PLACE_WORDS;
    return this.places[at + OFFSET_HIGH]! * WORD + (this.places[at + OFFSET_LOW]! >>> 0);
  }

  /** Bytes of a block's payload as it is stored. */
  bytes(block: number): number {
    return this.places[block * PLACE_WORDS + BYTES]!;
  }

  /** Whether the cache should take in a block that a lookup missed. */
  isWanted(block: number, cache: BlockCache): boolean {
    return cache.isWanted(this.bytes(block), this.places, block * PLACE_WORDS + MISSED_AT);
  }

  evicted(): void {
    this.owner.index = undefined;
  }
}

/** An index over keys, which ascend. */
export function indexKeys(keys: readonly Uint8Array[]): KeyIndex {
  const starts = new Int32Array(keys.length + 1);
  let bytes = 0;
  for (let i = 0; i < keys.length; i++) {
    bytes += (keys[i] as Uint8Array).length;
    starts[i + 1] = bytes;
  }
  const heap = new Uint8Array(bytes);
  for (let i = 0; i < keys.length; i++) heap.set(keys[i] as Uint8Array, starts[i]!);
  return new KeyIndex(heap, starts);
}
