/**
 * A block (format.ts) in memory, and lookups in it, which put no key together.
 *
 * Memory that is new to the process costs page faults and collections, of reads that miss the cache more than all the rest.
 * So a block that went out of the cache is filled again, unless it was lent: shown to a cursor, whose references into its
 * bytes outlive it. Lookups copy what they find.
 */
import { commonPrefixBytes, compareBytes, corruptionError, readU32, readVarint, varintBytes } from '@phantom/base';
import type { CacheItem } from './block-cache.js';
import { EntryHeader } from './entry-header.js';
import { countBelow, signedDiscriminator } from './key-index.js';

const NO_BYTES = new Uint8Array(0);
const NO_WORDS = new Int32Array(0);

/** What an item costs beside its bytes. */
const OBJECT_BYTES = 300;
/** Room for payloads comes in multiples of this. */
const ROOM_BYTES = 128;
const TABLE_WORDS = 16;
/** Blocks that wait to be filled again. */
const SPARE_BLOCKS_MAX = 16;
const spareBlocks: Block[] = [];

/** A block to be filled with a payload of about so many bytes: a spare one if it fits. */
export function takeBlock(bytes: number): Block {
  const spare = spareBlocks.pop();
  return spare !== undefined && spare.fits(bytes) ? spare : new Block();
}

/** The bytes of a block, and how to say that they are none. */
export interface Payload {
  readonly payload: Uint8Array;
  malformed(at: number): Error;
}

/** A data or index block in memory. Does not change while it is cached or lent. */
export class Block implements CacheItem, Payload {
  /** Begins with the payload; what lies behind `payloadBytes` means nothing. */
  payload: Uint8Array;
  payloadBytes = 0;
  path = '';
  offset = 0;
  entryCount = 0;
  restartCount = 0;
  /** Where the entries end and the restart points begin. */
  entriesEnd = 0;
  chargeBytes = 0;
  referenced = false;
  cacheSlot = -1;
  /** Somebody may hold its bytes though it went out of the cache. */
  isLent = false;
  /**
   * What a lookup needs of the restart points, in one table, because it costs nothing but cache misses: four columns of
   * `restartCount` words, the discriminators of their keys (the four bytes behind what all keys share), where the
   * entries begin (and one word more, where the last of them ends), where the keys begin, where they end.
   */
  private table: Int32Array;
  /** What all keys share. */
  private prefixBytes = 0;
  private owner: (Block | undefined)[] | undefined = undefined;
  private ownerIndex = 0;

  constructor() {
    this.payload = NO_BYTES;
    this.table = NO_WORDS;
  }

  /** True when filling it with so many bytes needs no new memory and wastes little. */
  fits(bytes: number): boolean {
    const { length } = this.payload;
    return bytes <= length && length <= bytes + bytes / 4 + ROOM_BYTES;
  }

  /** Where a payload of so many bytes is to be put, before `read`. */
  room(bytes: number): Uint8Array {
    if (bytes > this.payload.length) {
      // Not zeroed: it is filled, or thrown away.
      const roomBytes = Math.ceil(bytes / ROOM_BYTES) * ROOM_BYTES;
      this.payload = new Uint8Array(Buffer.allocUnsafeSlow(roomBytes).buffer);
    }
    this.payloadBytes = bytes;
    return this.payload;
  }

  /** Becomes the block whose payload was put into its room. Throws a corruption error when that is none. */
  read(path: string, offset: number): void {
    const { payload, payloadBytes: bytes } = this;
    this.path = path;
    this.offset = offset;
    const restartCount = bytes < 8 ? 0 : readU32(payload, bytes - 8);
    this.restartCount = restartCount;
    this.entryCount = bytes < 8 ? 0 : readU32(payload, bytes - 4);
    this.entriesEnd = bytes - 8 - restartCount * 4;
    if (restartCount === 0 || this.entriesEnd <= 0 || this.entryCount < restartCount) {
      throw corruptionError('a block has a malformed end', { file: path, offset });
    }
    const words = restartCount * 4 + 1;
    if (words > this.table.length) this.table = new Int32Array(Math.ceil(words / TABLE_WORDS) * TABLE_WORDS);
    this.chargeBytes = payload.length + this.table.length * 4 + OBJECT_BYTES;
    const { table } = this;
    table[restartCount * 2] = this.entriesEnd;
    for (let i = 0; i < restartCount; i++) this.placeKey(i);
    this.prefixBytes = this.sharedByAll();
    for (let i = 0; i < restartCount; i++) {
      table[i] = signedDiscriminator(payload, this.keyStart(i) + this.prefixBytes, this.keyEnd(i));
    }
  }

  /** Says where the pointer to this block is kept, so that it can be cleared. */
  ownedBy(owner: (Block | undefined)[], index: number): void {
    this.owner = owner;
    this.ownerIndex = index;
  }

  evicted(): void {
    if (this.owner !== undefined) this.owner[this.ownerIndex] = undefined;
    this.owner = undefined;
    if (!this.isLent && spareBlocks.length < SPARE_BLOCKS_MAX) spareBlocks.push(this);
  }

  /** Offset of the first entry of an interval. */
  restart(index: number): number {
    return this.table[this.restartCount + index]!;
  }

  /** Where an interval ends. */
  intervalEnd(index: number): number {
    return this.table[this.restartCount + index + 1]!;
  }

  /** The last interval that begins with a key <= the given one; 0 when all begin above. */
  intervalOf(key: Uint8Array, start: number, end: number): number {
    const { payload, prefixBytes, restartCount } = this;
    const prefixAt = this.keyStart(0);
    for (let i = 0; i < prefixBytes; i++) {
      if (start + i === end) return 0;
      const difference = key[start + i]! - payload[prefixAt + i]!;
      if (difference !== 0) return difference < 0 ? 0 : restartCount - 1;
    }
    return this.intervalBehindPrefix(key, start, end);
  }

  /**
   * As intervalOf, for a key that begins with what all keys share; for any other one an interval like another. A lookup
   * needs no more, since it compares whole keys afterwards, and it saves a look at the prefix.
   */
  intervalBehindPrefix(key: Uint8Array, start: number, end: number): number {
    const { payload, table, prefixBytes, restartCount } = this;
    const from = start + prefixBytes;
    if (from > end) return 0;
    const probe = signedDiscriminator(key, from, end);
    let at = countBelow(table, 0, restartCount, probe);
    while (at < restartCount && table[at] === probe) {
      if (compareBytes(payload, this.keyStart(at) + prefixBytes, this.keyEnd(at), key, from, end) > 0) break;
      at++;
    }
    return Math.max(at - 1, 0);
  }

  /** True when the first key of an interval is at most the given one. */
  beginsAtMost(index: number, key: Uint8Array, start: number, end: number): boolean {
    return compareBytes(this.payload, this.keyStart(index), this.keyEnd(index), key, start, end) <= 0;
  }

  private keyStart(index: number): number {
    return this.table[this.restartCount * 2 + 1 + index]!;
  }

  private keyEnd(index: number): number {
    return this.table[this.restartCount * 3 + 1 + index]!;
  }

  /** How many bytes all keys share: what the keys at restart points do, and those behind the last of them. */
  private sharedByAll(): number {
    const { payload, entriesEnd } = this;
    const last = this.restartCount - 1;
    let bytes = commonPrefixBytes(
      payload,
      this.keyStart(0),
      this.keyEnd(0),
      payload,
      this.keyStart(last),
      this.keyEnd(last),
    );
    for (let at = this.restart(last), first = true; at < entriesEnd; first = false) {
      at = header.end(header.read(payload, at, entriesEnd));
      if (!first && header.shared < bytes) bytes = header.shared;
    }
    return bytes;
  }

  /** Notes where the key at a restart point lies: whole, since it shares nothing with the entry before. */
  private placeKey(index: number): void {
    const { payload, entriesEnd, table, restartCount } = this;
    let at = readU32(payload, entriesEnd + index * 4);
    if (at >= entriesEnd || payload[at] !== 0) throw this.malformed(at);
    table[restartCount + index] = at;
    const keyBytes = readVarint(payload, ++at, entriesEnd);
    at += varintBytes(keyBytes);
    const tag = readVarint(payload, at, entriesEnd);
    at += varintBytes(tag);
    if (tag % 2 === 0) at += varintBytes(readVarint(payload, at, entriesEnd));
    if (!(at + keyBytes <= entriesEnd)) throw this.malformed(at);
    table[restartCount * 2 + 1 + index] = at;
    table[restartCount * 3 + 1 + index] = at + keyBytes;
  }

  malformed(at: number): Error {
    return corruptionError('an entry of a block is malformed', { file: this.path, offset: this.offset + at });
  }
}

const header = new EntryHeader();

/** What `findVersion` found; reused. */
export class FoundVersion {
  valueStart = 0;
  valueEnd = 0;
  /** Relative to the run's base. */
  seq = 0;
  removed = false;
}

/** The newest version of a key with a relative seq <= `seqMax` in a block; false when there is none. */
export function findVersion(
  block: Block,
  key: Uint8Array,
  start: number,
  end: number,
  seqMax: number,
  found: FoundVersion,
): boolean {
  const interval = block.intervalBehindPrefix(key, start, end);
  const from = block.restart(interval);
  return findBetween(block, from, block.intervalEnd(interval), key, start, end, seqMax, found);
}

/**
 * As `findVersion`, in the interval [from, limit) of a payload. Keys are compared in place: `matched` counts how many bytes
 * of the probe the entry before agreed with, so most entries are passed by their shared length alone.
 */
export function findBetween(
  block: Payload,
  from: number,
  limit: number,
  key: Uint8Array,
  start: number,
  end: number,
  seqMax: number,
  found: FoundVersion,
): boolean {
  const { payload } = block;
  let at = from;
  const keyBytes = end - start;
  let matched = 0;
  while (at < limit) {
    at = header.read(payload, at, limit);
    const next = header.end(at);
    if (!(next <= limit)) throw block.malformed(at);
    const { shared } = header;
    if (shared < matched) return false;
    if (shared === matched) {
      const suffixEnd = at + header.suffixBytes;
      let i = at;
      let j = start + matched;
      while (i < suffixEnd && j < end && payload[i] === key[j]) {
        i++;
        j++;
      }
      matched = j - start;
      if (i < suffixEnd) {
        if (j === end || (payload[i] as number) > (key[j] as number)) return false;
      } else if (matched === keyBytes) {
        const { seq } = header;
        if (seq <= seqMax) {
          found.valueStart = suffixEnd;
          found.valueEnd = next;
          found.seq = seq;
          found.removed = header.isRemoval;
          return true;
        }
      }
    }
    at = next;
  }
  return false;
}
