/**
 * A cache of single entries, in front of blocks and pages: of a large tree of which a small part is hot it holds that part
 * and nothing else, where each hot key would otherwise hold a block of seventy, and a hit touches a few cache lines instead
 * of twenty (RocksDB's row cache is the same idea; ours is bounded together with blocks and pages).
 *
 *      table   bucket: 4 x [ fingerprint | place + 1 ]        chosen by one half of the key's hash; the other is the fingerprint
 *                                    │   0: the key was looked up once, its entry is not here
 *      chunk   [ bytes of key u16 | bytes of value u16 | key | value ] [ ... ] ...       filled from left to right
 *
 * An entry is taken in when its key is looked up the second time while the table remembers the first, so that a look at
 * everything costs a word each and puts nothing out. A chunk goes out whole, when the shared cache's hand says so; its bytes
 * are never written over, so a slot that points into them stays good.
 *
 * Where more keys come again than there is room for, each entry goes out before it is asked for, and keeping it was work for
 * nothing. Once a chunk goes out that nobody has asked, only one entry in KEPT_ONE_IN is kept, until those few are hit as often
 * as they are kept.
 *
 * Who may ask: views that see all that the files hold, as long as the files hold what they did when the view began. So each
 * view has a share of its own, which ends when files come with something new:
 *
 *      leaveOut(delta)  ......  renew()          what was flushed goes, in pieces, and everything else stays
 *        nothing is taken in meanwhile           views from now on see the new files
 *
 * Views from before the flush find what they see of the delta in the delta, and what they see of the files they may not bring
 * back here. Where it is not known key by key what files come with, `renew` empties the cache.
 */
import { copyBytes, readU16, writeU16 } from '@phantom/base';
import type { ByteSlot } from '@phantom/kv';
import type { BlockCache, CacheItem } from './block-cache.js';
import type { Delta } from './delta.js';
import { KeyHash } from './filter.js';
import { PAUSE, type Wait } from './job.js';

const CHUNK_BYTES = 64 * 1024;
/** A cache of fewer chunks is left to blocks and pages. */
const CHUNKS_MIN = 16;
/** What a word can name. */
const CHUNKS_MAX = 1 << 16;
/** Larger entries are not kept. */
const ENTRY_BYTES_MAX = CHUNK_BYTES / 16;
const ENTRY_HEADER_BYTES = 4;
/** Entries begin at multiples of four, so that places fit a word. */
const PLACES_PER_CHUNK_BITS = 14;
const WAYS = 4;
const BUCKET_WORDS = WAYS * 2;
/** The table has a slot for so many bytes of cache. */
const BYTES_PER_SLOT = 128;

/** Of entries that go out unasked, so many are not kept for one that is. */
const KEPT_ONE_IN = 16;
/** Entries kept between two looks at how often they were hit. */
const JUDGED_ENTRIES = 1024;

/** Keys of a flush that are left out before others may run. */
const LEFT_OUT_PER_TURN = 4096;

const NO_WORDS = new Int32Array(0);
const dropped = new KeyHash();
const leftOut = new KeyHash();

class EntryChunk implements CacheItem {
  readonly bytes = new Uint8Array(CHUNK_BYTES);
  readonly index: number;
  used = 0;
  readonly chargeBytes: number;
  referenced = false;
  wasHit = false;
  cacheSlot = -1;
  private readonly owner: EntryCache;

  constructor(owner: EntryCache, index: number, chargeBytes: number) {
    this.owner = owner;
    this.index = index;
    this.chargeBytes = chargeBytes;
  }

  evicted(): void {
    this.owner.drop(this);
  }
}

export class EntryCache {
  /** Changes when what the files hold does. */
  generation = 1;
  /** Lookups that ended here. */
  hits = 0;
  private readonly cache: BlockCache;
  /** Made with the first lookup: who never reads has none. */
  private table = NO_WORDS;
  /** The bucket's number is the upper half of the hash without so many of its bits. */
  private shift = 32;
  private chunks: (EntryChunk | undefined)[] = [];
  private readonly freeIndexes: number[] = [];
  private current: EntryChunk | undefined = undefined;
  /** False while keys are left out. */
  private takesIn = true;
  /** Whether what is here holds for the files that come next. */
  private isPrepared = false;
  /** Few entries are kept; how many came that might have been, how many were kept, and the hits when that was last counted. */
  private isSparing = false;
  private offered = 0;
  private kept = 0;
  private hitsBefore = 0;

  constructor(cache: BlockCache) {
    this.cache = cache;
  }

  /** What a view asks. `isPresent`: it sees all that the files hold now; one that does not finds nothing. */
  share(isPresent: boolean): EntryShare {
    return new EntryShare(this, isPresent ? this.generation : 0);
  }

  /** Fills the slot with the value of the key whose hash this is; false when it is not here. */
  find(hash: KeyHash, key: Uint8Array, start: number, end: number, value: ByteSlot): boolean {
    const { table } = this;
    if (table.length === 0) return false;
    const { bits } = hash;
    const bucket = (hash.line >>> this.shift) * BUCKET_WORDS;
    for (let at = bucket; at < bucket + BUCKET_WORDS; at += 2) {
      if (table[at] !== bits) continue;
      const place = table[at + 1]! - 1;
      if (place < 0) return false;
      const chunk = this.chunks[place >> PLACES_PER_CHUNK_BITS]!;
      if (readEntry(chunk.bytes, placeOffset(place), key, start, end, value)) {
        chunk.referenced = true;
        chunk.wasHit = true;
        this.hits++;
        return true;
      }
    }
    return false;
  }

  /** Notes that the key was looked up elsewhere, with this value. Keeps it if that was not the first time. */
  note(hash: KeyHash, key: Uint8Array, start: number, end: number, value: ByteSlot): void {
    if (!this.takesIn || (this.table.length === 0 && !this.begin())) return;
    const { table } = this;
    const { bits } = hash;
    const bucket = (hash.line >>> this.shift) * BUCKET_WORDS;
    let free = -1;
    for (let at = bucket; at < bucket + BUCKET_WORDS; at += 2) {
      if (table[at] === bits) {
        // Another key with the same hash, of which there is one in 2^32, has to do without.
        if (table[at + 1] === 0) table[at + 1] = this.keep(key, start, end, value);
        return;
      }
      if (table[at + 1] === 0 && (free < 0 || table[at] === 0)) free = at;
    }
    // A bucket full of entries gives up the first; the others move up, so that each is the first in its turn.
    if (free < 0) {
      table.copyWithin(bucket, bucket + 2, bucket + BUCKET_WORDS);
      free = bucket + BUCKET_WORDS - 2;
      table[free + 1] = 0;
    }
    table[free] = bits;
  }

  /**
   * Before files come that differ from the present ones in the keys of this delta alone: forgets those. Followed by `renew`, or by
   * `stay` when the files stay as they are.
   */
  *leaveOut(delta: Delta): Generator<Wait, void> {
    const { tree, tombstones } = delta;
    // What ranges were removed, no key tells.
    if (this.chunks.length === 0 || tombstones.count > 0) return;
    this.takesIn = false;
    for (let entry = 0; entry < tree.count; entry++) {
      leftOut.set(tree.keys, tree.keyStart(entry), tree.keyEnd(entry));
      this.leaveOutKey(leftOut);
      if ((entry + 1) % LEFT_OUT_PER_TURN === 0) yield PAUSE;
    }
    this.isPrepared = true;
  }

  /** The files hold something else from now on. */
  renew(): void {
    this.generation++;
    if (!this.isPrepared && this.table.length > 0) this.empty();
    this.stay();
  }

  /** The files hold what they did. */
  stay(): void {
    this.takesIn = true;
    this.isPrepared = false;
  }

  /** For a chunk that the cache puts out. Keys stay known as looked up. */
  drop(chunk: EntryChunk): void {
    const { table } = this;
    const { bytes, index, used } = chunk;
    if (!chunk.wasHit && used > 0) this.spare();
    for (let at = 0; at < used;) {
      const keyStart = at + ENTRY_HEADER_BYTES;
      const keyEnd = keyStart + readU16(bytes, at);
      dropped.set(bytes, keyStart, keyEnd);
      const place = ((index << PLACES_PER_CHUNK_BITS) | (at >> 2)) + 1;
      const bucket = (dropped.line >>> this.shift) * BUCKET_WORDS;
      for (let slot = bucket; slot < bucket + BUCKET_WORDS; slot += 2) {
        if (table[slot + 1] === place) table[slot + 1] = 0;
      }
      at = roundedUp(keyEnd + readU16(bytes, at + 2));
    }
    this.chunks[index] = undefined;
    this.freeIndexes.push(index);
    if (this.current === chunk) this.current = undefined;
  }

  /** The key stays known as looked up, and so do others that share its hash. */
  private leaveOutKey({ line, bits }: KeyHash): void {
    const { table } = this;
    const bucket = (line >>> this.shift) * BUCKET_WORDS;
    for (let at = bucket; at < bucket + BUCKET_WORDS; at += 2) if (table[at] === bits) table[at + 1] = 0;
  }

  private empty(): void {
    this.table.fill(0);
    for (const chunk of this.chunks) if (chunk !== undefined) this.cache.remove(chunk);
    this.chunks = [];
    this.freeIndexes.length = 0;
    this.current = undefined;
  }

  /** Makes the table; false when the cache is too small for entries. */
  private begin(): boolean {
    const { bytesMax } = this.cache;
    if (bytesMax < CHUNK_BYTES * CHUNKS_MIN) return false;
    const buckets = 2 ** Math.floor(Math.log2(bytesMax / (BYTES_PER_SLOT * WAYS)));
    this.table = new Int32Array(buckets * BUCKET_WORDS);
    this.shift = 32 - Math.log2(buckets);
    return true;
  }

  /** Copies an entry in and returns its place + 1; 0 when there is no room. */
  private keep(key: Uint8Array, start: number, end: number, value: ByteSlot): number {
    const keyBytes = end - start;
    const valueBytes = value.end - value.start;
    const bytes = roundedUp(ENTRY_HEADER_BYTES + keyBytes + valueBytes);
    if (bytes > ENTRY_BYTES_MAX || (this.isSparing && !this.isKept())) return 0;
    const chunk = this.chunkWithRoom(bytes);
    if (chunk === undefined) return 0;
    const target = chunk.bytes;
    const at = chunk.used;
    writeU16(target, at, keyBytes);
    writeU16(target, at + 2, valueBytes);
    copyBytes(
      value.buffer,
      value.start,
      value.end,
      target,
      copyBytes(key, start, end, target, at + ENTRY_HEADER_BYTES),
    );
    chunk.used = at + bytes;
    return ((chunk.index << PLACES_PER_CHUNK_BITS) | (at >> 2)) + 1;
  }

  private spare(): void {
    if (this.isSparing) return;
    this.isSparing = true;
    this.kept = 0;
    this.hitsBefore = this.hits;
  }

  /** Whether an entry is one of the few, and if these are many enough to tell, whether it stays with so few. */
  private isKept(): boolean {
    if (++this.offered % KEPT_ONE_IN !== 0) return false;
    if (++this.kept < JUDGED_ENTRIES) return true;
    this.isSparing = this.hits - this.hitsBefore < this.kept;
    this.kept = 0;
    this.hitsBefore = this.hits;
    return true;
  }

  private chunkWithRoom(bytes: number): EntryChunk | undefined {
    const { current } = this;
    if (current !== undefined && current.used + bytes <= CHUNK_BYTES) return current;
    const index = this.freeIndexes.pop() ?? this.chunks.length;
    if (index === CHUNKS_MAX) return undefined;
    // Each chunk carries its share of the table.
    const chunk = new EntryChunk(this, index, CHUNK_BYTES + Math.ceil((CHUNK_BYTES / BYTES_PER_SLOT) * 8));
    this.chunks[index] = chunk;
    this.current = chunk;
    if (this.cache.insert(chunk)) return chunk;
    this.drop(chunk);
    return undefined;
  }
}

/** A view's part in the cache: none any more once the files hold something else. */
export class EntryShare {
  private readonly cache: EntryCache;
  private readonly generation: number;

  constructor(cache: EntryCache, generation: number) {
    this.cache = cache;
    this.generation = generation;
  }

  /** See EntryCache.find. */
  find(hash: KeyHash, key: Uint8Array, start: number, end: number, value: ByteSlot): boolean {
    const { cache } = this;
    return this.generation === cache.generation && cache.find(hash, key, start, end, value);
  }

  /** See EntryCache.note. */
  note(hash: KeyHash, key: Uint8Array, start: number, end: number, value: ByteSlot): void {
    const { cache } = this;
    if (this.generation === cache.generation) cache.note(hash, key, start, end, value);
  }
}

function placeOffset(place: number): number {
  return (place & ((1 << PLACES_PER_CHUNK_BITS) - 1)) << 2;
}

function roundedUp(bytes: number): number {
  return (bytes + 3) & ~3;
}

/** Fills the slot with the value of the entry at an offset if its key is this one. */
function readEntry(
  bytes: Uint8Array,
  at: number,
  key: Uint8Array,
  start: number,
  end: number,
  value: ByteSlot,
): boolean {
  const keyBytes = end - start;
  if (readU16(bytes, at) !== keyBytes) return false;
  const keyAt = at + ENTRY_HEADER_BYTES;
  for (let i = 0; i < keyBytes; i++) if (bytes[keyAt + i] !== key[start + i]) return false;
  const valueStart = keyAt + keyBytes;
  value.set(bytes, valueStart, valueStart + readU16(bytes, at + 2));
  return true;
}
