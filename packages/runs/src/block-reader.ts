/**
 * Reads blocks (format.ts): checks the bytes once when they come from disk, answers point lookups without rebuilding a
 * single key, and decodes one restart interval at a time for cursors, so that forward and backward cost the same.
 */
import {
  type Checksums,
  commonPrefixBytes,
  compareBytes,
  corruptionError,
  readU32,
  readVarint,
  toHex,
  varintBytes,
} from '@phantom/base';
import type { VfsFile } from '@phantom/vfs';
import type { CacheItem } from './block-cache.js';
import { decompress } from './block-codec.js';
import { BLOCK_TRAILER_BYTES, BlockCodec, blockSeed } from './format.js';
import { countBelow, signedDiscriminator } from './key-index.js';

const NO_BYTES = new Uint8Array(0);

/**
 * Arenas of keys that are handed out by the batch: small at first, since most scans are short, then each twice the one
 * before; and how much of one must be left for another interval.
 */
const KEPT_ARENA_BYTES_MAX = 16 * 1024;
const KEPT_ROOM_BYTES = 256;

/** Where blocks are read to before they are decompressed: of nearly all there is nothing to be kept of that. */
let scratch = new Uint8Array(16 * 1024);
/** A larger one is not kept. */
const SCRATCH_BYTES_MAX = 1024 * 1024;

/** Reads a block's payload, proves that it is the one written there and decompresses it. Throws a corruption error otherwise. */
export function readPayload(
  file: VfsFile,
  checksums: Checksums,
  identity: number,
  offset: number,
  bytes: number,
): Uint8Array {
  const stored = scratchOf(bytes + BLOCK_TRAILER_BYTES);
  const found = file.readAt(offset, stored);
  if (found !== stored.length) {
    throw corruptionError('a block is cut short', { file: file.path, offset, expected: stored.length, found });
  }
  const expected = checksums.h64(stored, 0, bytes + 1, blockSeed(identity, offset));
  if (
    readU32(stored, bytes + 1) !== Number(expected & 0xffffffffn) ||
    readU32(stored, bytes + 5) !== Number(expected >> 32n)
  ) {
    throw corruptionError('a block has the wrong checksum', {
      file: file.path,
      offset,
      expected: expected.toString(16).padStart(16, '0'),
      found: toHex(stored.slice(bytes + 1).reverse()),
    });
  }
  const codec = stored[bytes] as number;
  return codec === BlockCodec.None
    ? stored.slice(0, bytes)
    : decompress(stored.subarray(0, bytes), codec, file.path, offset);
}

/** So many bytes to be used until the next block is read. */
function scratchOf(bytes: number): Uint8Array {
  if (bytes > SCRATCH_BYTES_MAX) return new Uint8Array(bytes);
  if (bytes > scratch.length) scratch = new Uint8Array(Math.min(bytes * 2, SCRATCH_BYTES_MAX));
  return scratch.subarray(0, bytes);
}

/** A data or index block in memory. Immutable. */
export class Block implements CacheItem {
  readonly payload: Uint8Array;
  readonly path: string;
  readonly offset: number;
  readonly entryCount: number;
  readonly restartCount: number;
  /** Where the entries end and the restart points begin. */
  readonly entriesEnd: number;
  readonly chargeBytes: number;
  referenced = false;
  cacheSlot = -1;
  /**
   * What a lookup needs of the restart points, in one table, because it costs nothing but cache misses: four columns of
   * `restartCount` words, the discriminators of their keys (the four bytes behind what all keys share), where the
   * entries begin (and one word more, where the last of them ends), where the keys begin, where they end.
   */
  private readonly table: Int32Array;
  /** What all keys share. */
  private readonly prefixBytes: number;
  private owner: (Block | undefined)[] | undefined = undefined;
  private ownerIndex = 0;

  constructor(payload: Uint8Array, path: string, offset: number) {
    this.payload = payload;
    this.path = path;
    this.offset = offset;
    const { length } = payload;
    this.restartCount = length < 8 ? 0 : readU32(payload, length - 8);
    this.entryCount = length < 8 ? 0 : readU32(payload, length - 4);
    this.entriesEnd = length - 8 - this.restartCount * 4;
    if (this.restartCount === 0 || this.entriesEnd <= 0 || this.entryCount < this.restartCount) {
      throw corruptionError('a block has a malformed end', { file: path, offset });
    }
    const { restartCount } = this;
    this.chargeBytes = length + 400 + restartCount * 16;
    const table = new Int32Array(restartCount * 4 + 1);
    this.table = table;
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
      const shared = readVarint(payload, at, entriesEnd);
      if (!first && shared < bytes) bytes = shared;
      at += varintBytes(shared);
      const suffixBytes = readVarint(payload, at, entriesEnd);
      at += varintBytes(suffixBytes);
      const tag = readVarint(payload, at, entriesEnd);
      at += varintBytes(tag) + suffixBytes;
      if (tag % 2 === 1) continue;
      const valueBytes = readVarint(payload, at - suffixBytes, entriesEnd);
      at += varintBytes(valueBytes) + valueBytes;
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

/** What `findVersion` found; reused. */
export class FoundVersion {
  valueStart = 0;
  valueEnd = 0;
  /** Relative to the run's base. */
  seq = 0;
  removed = false;
}

/**
 * The newest version of a key with a relative seq <= `seqMax` in a block; false when there is none. Keys are compared in
 * place: `matched` counts how many bytes of the probe the entry before agreed with, so most entries are passed by their
 * shared length alone.
 */
export function findVersion(
  block: Block,
  key: Uint8Array,
  start: number,
  end: number,
  seqMax: number,
  found: FoundVersion,
): boolean {
  const { payload } = block;
  const interval = block.intervalBehindPrefix(key, start, end);
  let at = block.restart(interval);
  const limit = block.intervalEnd(interval);
  const keyBytes = end - start;
  let matched = 0;
  while (at < limit) {
    const shared = readVarint(payload, at, limit);
    at += varintBytes(shared);
    const suffixBytes = readVarint(payload, at, limit);
    at += varintBytes(suffixBytes);
    const tag = readVarint(payload, at, limit);
    at += varintBytes(tag);
    const removed = tag % 2 === 1;
    let valueBytes = 0;
    if (!removed) {
      valueBytes = readVarint(payload, at, limit);
      at += varintBytes(valueBytes);
    }
    const next = at + suffixBytes + valueBytes;
    if (!(next <= limit)) throw block.malformed(at);
    if (shared < matched) return false;
    if (shared === matched) {
      const suffixEnd = at + suffixBytes;
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
        const seq = (tag - (removed ? 1 : 0)) / 2;
        if (seq <= seqMax) {
          found.valueStart = suffixEnd;
          found.valueEnd = next;
          found.seq = seq;
          found.removed = removed;
          return true;
        }
      }
    }
    at = next;
  }
  return false;
}

/**
 * The entries of one restart interval, decoded: whole keys in an arena of its own, values as places in the block. Reused
 * from interval to interval; the arena is overwritten by the next `decode`.
 */
export class BlockInterval {
  block: Block | undefined;
  keys: Uint8Array;
  count = 0;
  keyStarts: Int32Array;
  keyEnds: Int32Array;
  valueStarts: Int32Array;
  valueEnds: Int32Array;
  /** Relative to the run's base. */
  seqs: Float64Array;
  removed: Uint8Array;
  /** 1 when the entry is an older version of the key before. */
  older: Uint8Array;
  /** Where the next interval's keys begin in the arena, and where the present one's end. */
  private keyBase = 0;
  private keysEnd = 0;

  constructor() {
    this.keys = NO_BYTES;
    this.keyStarts = new Int32Array(32);
    this.keyEnds = new Int32Array(32);
    this.valueStarts = new Int32Array(32);
    this.valueEnds = new Int32Array(32);
    this.seqs = new Float64Array(32);
    this.removed = new Uint8Array(32);
    this.older = new Uint8Array(32);
  }

  /** The keys of the present interval have been handed out: later intervals leave their bytes as they are. */
  keepKeys(): void {
    this.keyBase = this.keysEnd;
  }

  /**
   * Decodes an interval: of each key the newest version with a relative seq <= `seqMax`, or with `all` every version.
   * Keys without such a version are left out.
   */
  decode(block: Block, index: number, seqMax: number, all: boolean): void {
    const { payload } = block;
    let at = block.restart(index);
    const limit = block.intervalEnd(index);
    this.block = block;
    this.count = 0;
    if (this.keyBase > 0 && this.keys.length - this.keyBase < KEPT_ROOM_BYTES) {
      // What was handed out keeps the old arena alive.
      this.keys = new Uint8Array(Math.min(this.keys.length * 2, KEPT_ARENA_BYTES_MAX));
      this.keyBase = 0;
    }
    let keyAt = this.keyBase;
    let keyBytes = 0;
    let taken = false;
    for (let first = true; at < limit; first = false) {
      // Most numbers fit one byte; only the others are worth a call.
      let shared = payload[at]!;
      if (shared < 0x80) at++;
      else at += varintBytes((shared = readVarint(payload, at, limit)));
      let suffixBytes = payload[at]!;
      if (suffixBytes < 0x80 && at < limit) at++;
      else at += varintBytes((suffixBytes = readVarint(payload, at, limit)));
      let tag = payload[at]!;
      if (tag < 0x80 && at < limit) at++;
      else at += varintBytes((tag = readVarint(payload, at, limit)));
      const removed = tag % 2 === 1;
      let valueBytes = 0;
      if (!removed) {
        valueBytes = payload[at]!;
        if (valueBytes < 0x80 && at < limit) at++;
        else at += varintBytes((valueBytes = readVarint(payload, at, limit)));
      }
      const next = at + suffixBytes + valueBytes;
      if (!(next <= limit) || !(shared <= keyBytes)) throw block.malformed(at);
      if (first || suffixBytes > 0 || shared < keyBytes) {
        // A new key. The one before stays in the arena if it was taken; otherwise its room is used again.
        const target = taken ? keyAt + keyBytes : keyAt;
        this.reserve(target + shared + suffixBytes);
        const { keys } = this;
        if (target !== keyAt) for (let i = 0; i < shared; i++) keys[target + i] = keys[keyAt + i] as number;
        for (let i = 0; i < suffixBytes; i++) keys[target + shared + i] = payload[at + i] as number;
        keyAt = target;
        keyBytes = shared + suffixBytes;
        taken = false;
      }
      const seq = (tag - (removed ? 1 : 0)) / 2;
      if (seq <= seqMax && (all || !taken)) {
        this.append(keyAt, keyAt + keyBytes, at + suffixBytes, next, seq, removed, taken);
        taken = true;
      }
      at = next;
    }
    this.keysEnd = keyAt + keyBytes;
  }

  /** Lets go of the block and of the keys, which somebody may still hold. */
  forget(): void {
    this.block = undefined;
    this.count = 0;
    this.keys = NO_BYTES;
    this.keyBase = 0;
    this.keysEnd = 0;
  }

  private append(
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    seq: number,
    removed: boolean,
    older: boolean,
  ): void {
    const i = this.count++;
    if (i === this.keyStarts.length) this.grow();
    this.keyStarts[i] = keyStart;
    this.keyEnds[i] = keyEnd;
    this.valueStarts[i] = valueStart;
    this.valueEnds[i] = valueEnd;
    this.seqs[i] = seq;
    this.removed[i] = removed ? 1 : 0;
    this.older[i] = older ? 1 : 0;
  }

  private reserve(bytes: number): void {
    if (bytes <= this.keys.length) return;
    const grown = new Uint8Array(Math.max(bytes * 2, 1024));
    grown.set(this.keys);
    this.keys = grown;
  }

  private grow(): void {
    const capacity = this.keyStarts.length * 2;
    this.keyStarts = copied(this.keyStarts, new Int32Array(capacity));
    this.keyEnds = copied(this.keyEnds, new Int32Array(capacity));
    this.valueStarts = copied(this.valueStarts, new Int32Array(capacity));
    this.valueEnds = copied(this.valueEnds, new Int32Array(capacity));
    this.seqs = copied(this.seqs, new Float64Array(capacity));
    this.removed = copied(this.removed, new Uint8Array(capacity));
    this.older = copied(this.older, new Uint8Array(capacity));
  }
}

/** Intervals that no cursor uses: their tables cost more to make than a short scan. At most so many are kept. */
const SPARE_INTERVALS_MAX = 16;
const spareIntervals: BlockInterval[] = [];

/** An interval for a cursor, which gives it back when it is closed. */
export function takeInterval(): BlockInterval {
  return spareIntervals.pop() ?? new BlockInterval();
}

/** Takes an interval back. Keys that it has handed out stay as they are. */
export function giveInterval(interval: BlockInterval): void {
  interval.forget();
  if (spareIntervals.length < SPARE_INTERVALS_MAX) spareIntervals.push(interval);
}

function copied<T extends Int32Array | Float64Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
