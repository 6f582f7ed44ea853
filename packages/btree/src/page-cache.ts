/**
 * Cached pages of one tree, side by side in chunks of up to a megabyte.
 *
 *      locations   page number ──► chunk and slot + 1, 0 when it is not cached
 *      chunk       [ page 17 | page 4 | page 93 | ...      |        ]   filled from left to right
 *
 * Why not a buffer and an object for each page: a random get in a tree larger than the processor's caches is nothing but
 * cache misses, and each such object costs three or four more of them. Here a get touches a location, the page's header,
 * a few lines of discriminators and the entry; the chunks' own objects are few enough to stay close.
 *
 * A chunk goes out whole (the bound is the shared cache's), oldest first; of its pages those that were used since they
 * came are copied into the chunk that is being filled, so the policy is CLOCK all the same.
 *
 * A chunk that was lent, that is shown to a reader who goes on holding it (a cursor, a merge), is left to the collector when
 * it goes out, and nothing is written over. One that only lookups have seen, which copy what they found, is filled again: of
 * gets that miss the cache, memory that is new to the process, with the faults and collections it causes, was two thirds.
 */
import type { BlockCache, CacheItem } from '@phantom/runs';
import { IN_MEMORY_USED_AT, type PageId } from './format.js';
import type { Page } from './page.js';

const CHUNK_BYTES_MAX = 1024 * 1024;
/** At least so many chunks must fit into the cache. */
const CHUNKS_MIN = 16;

class PageChunk implements CacheItem {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  /** Page in each slot; 0 when it was forgotten. */
  readonly ids: Uint32Array;
  /** Slots filled. */
  count = 0;
  readonly chargeBytes: number;
  /** Among the cache's chunks. */
  index = 0;
  /** Somebody may hold its bytes though it went out. */
  isLent = false;
  referenced = false;
  cacheSlot = -1;
  private readonly owner: PageCache;

  constructor(owner: PageCache, slots: number, pageBytes: number) {
    this.owner = owner;
    // Not zeroed: every slot is filled from disk or by a page before it is read.
    const { buffer } = Buffer.allocUnsafeSlow(slots * pageBytes);
    this.bytes = new Uint8Array(buffer);
    this.words = new Int32Array(buffer);
    this.ids = new Uint32Array(slots);
    this.chargeBytes = slots * (pageBytes + 8);
  }

  evicted(): void {
    this.owner.drop(this);
  }
}

export class PageCache {
  private readonly cache: BlockCache;
  private readonly pageBytes: number;
  private readonly slotBits: number;
  private locations = new Int32Array(1024);
  private readonly chunks: (PageChunk | undefined)[] = [];
  private readonly freeIndexes: number[] = [];
  /** The chunk that is being filled. */
  private current: PageChunk | undefined = undefined;
  /** One that went out and was never lent: the next to be filled. */
  private spare: PageChunk | undefined = undefined;

  constructor(cache: BlockCache, pageBytes: number) {
    this.cache = cache;
    this.pageBytes = pageBytes;
    const bytes = Math.max(pageBytes, Math.min(CHUNK_BYTES_MAX, cache.bytesMax / CHUNKS_MIN));
    this.slotBits = Math.floor(Math.log2(bytes / pageBytes));
  }

  /** Aims the page at the cached bytes of a page if they have this checksum; false when they are not there. */
  find(id: PageId, checksumLow: number, checksumHigh: number, page: Page): boolean {
    const { locations, slotBits } = this;
    const location = id < locations.length ? locations[id]! - 1 : -1;
    if (location < 0) return false;
    const chunk = this.chunks[location >> slotBits]!;
    const { bytes, words } = chunk;
    const base = (location & ((1 << slotBits) - 1)) * this.pageBytes;
    if (words[base >> 2] !== checksumLow || words[(base >> 2) + 1] !== checksumHigh) return false;
    // A byte of the header that is zero on disk; read first, since writing costs the line to the other processors.
    if (bytes[base + IN_MEMORY_USED_AT] === 0) bytes[base + IN_MEMORY_USED_AT] = 1;
    if (!page.isTransient) chunk.isLent = true;
    page.aim(bytes, words, base);
    return true;
  }

  /**
   * Keeps a page: `fill` is given the place and puts its bytes there, or throws; `isLent` says that somebody goes on holding
   * the place. False when the cache is too small for pages, and nothing was filled.
   */
  add(id: PageId, isLent: boolean, fill: (bytes: Uint8Array, words: Int32Array, base: number) => void): boolean {
    const chunk = this.chunkWithRoom();
    if (chunk === undefined) return false;
    if (isLent) chunk.isLent = true;
    fill(chunk.bytes, chunk.words, chunk.count * this.pageBytes);
    this.forget(id);
    this.place(chunk, id);
    return true;
  }

  /** The page's number means something else from now on. */
  forget(id: PageId): void {
    const location = id < this.locations.length ? this.locations[id]! - 1 : -1;
    if (location < 0) return;
    this.locations[id] = 0;
    (this.chunks[location >> this.slotBits] as PageChunk).ids[location & ((1 << this.slotBits) - 1)] = 0;
  }

  /** For a chunk that the cache puts out: its used pages move on, as far as there is room. */
  drop(chunk: PageChunk): void {
    const { pageBytes } = this;
    this.chunks[chunk.index] = undefined;
    this.freeIndexes.push(chunk.index);
    if (this.current === chunk) this.current = undefined;
    const target = this.current;
    // A quarter is left for what made room necessary.
    const limit = target === undefined ? 0 : target.ids.length - Math.max(1, target.ids.length >> 2);
    for (let slot = 0; slot < chunk.count; slot++) {
      const id = chunk.ids[slot]!;
      if (id === 0) continue;
      this.locations[id] = 0;
      const base = slot * pageBytes;
      if (target === undefined || target.count >= limit || chunk.bytes[base + IN_MEMORY_USED_AT] === 0) continue;
      const to = target.count * pageBytes;
      target.bytes.set(chunk.bytes.subarray(base, base + pageBytes), to);
      target.bytes[to + IN_MEMORY_USED_AT] = 0;
      this.place(target, id);
    }
    if (!chunk.isLent) this.spare = chunk;
  }

  /** Gives all memory back. */
  clear(): void {
    for (const chunk of this.chunks) if (chunk !== undefined) this.cache.remove(chunk);
    this.chunks.length = 0;
    this.freeIndexes.length = 0;
    this.locations.fill(0);
    this.current = undefined;
    this.spare = undefined;
  }

  private chunkWithRoom(): PageChunk | undefined {
    const { current, pageBytes, slotBits } = this;
    if (current !== undefined && current.count < current.ids.length) return current;
    const index = this.freeIndexes.pop() ?? this.chunks.length;
    const chunk = this.spare ?? new PageChunk(this, 1 << slotBits, pageBytes);
    this.spare = undefined;
    chunk.index = index;
    chunk.count = 0;
    this.chunks[index] = chunk;
    this.current = chunk;
    if (this.cache.insert(chunk)) return chunk;
    this.chunks[index] = undefined;
    this.freeIndexes.push(index);
    this.current = undefined;
    return undefined;
  }

  /** Counts the page that was copied into the chunk's next slot in. */
  private place(chunk: PageChunk, id: PageId): void {
    if (id >= this.locations.length) {
      const grown = new Int32Array(Math.max(id + 1, this.locations.length * 2));
      grown.set(this.locations);
      this.locations = grown;
    }
    const slot = chunk.count++;
    chunk.ids[slot] = id;
    this.locations[id] = ((chunk.index << this.slotBits) | slot) + 1;
  }
}
