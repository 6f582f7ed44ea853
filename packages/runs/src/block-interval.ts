/**
 * One restart interval of a block at a time, decoded for cursors, so that forward and backward cost the same.
 */
import { copyBytes, readVarint } from '@phantom/base';
import type { Block } from './block.js';
import { EntryHeader } from './entry-header.js';

const NO_BYTES = new Uint8Array(0);
const header = new EntryHeader();

/**
 * Arenas of keys that are handed out by the batch: small at first, since most scans are short, then each twice the one
 * before; and how much of one must be left for another interval.
 */
const KEPT_ARENA_BYTES_MAX = 16 * 1024;
const KEPT_ROOM_BYTES = 256;

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
  /** All entries of the interval were decoded, and not those at or above a key alone. */
  isWhole = true;
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
    this.begin(block);
    this.isWhole = true;
    this.decodeEntries(block.restart(index), block.intervalEnd(index), 0, seqMax, all);
  }

  /**
   * The same of keys at or above the given one alone. Those below are passed over without being put together, which costs a
   * seek, on average, half as much.
   */
  decodeFrom(block: Block, index: number, seqMax: number, key: Uint8Array, start: number, end: number): void {
    this.begin(block);
    this.isWhole = false;
    const limit = block.intervalEnd(index);
    const at = passBelow(block, block.restart(index), limit, key, start, end);
    // An entry shares with the one before it what that one shares with the key, at most.
    const shared = at < limit ? readVarint(block.payload, at, limit) : 0;
    this.reserve(this.keyBase + shared);
    copyBytes(key, start, start + shared, this.keys, this.keyBase);
    this.decodeEntries(at, limit, shared, seqMax, false);
  }

  private begin(block: Block): void {
    this.block = block;
    this.count = 0;
    if (this.keyBase > 0 && this.keys.length - this.keyBase < KEPT_ROOM_BYTES) {
      // What was handed out keeps the old arena alive.
      this.keys = new Uint8Array(Math.min(this.keys.length * 2, KEPT_ARENA_BYTES_MAX));
      this.keyBase = 0;
    }
  }

  /** Decodes the entries of [from, limit); of the key before them so many bytes lie in the arena. */
  private decodeEntries(from: number, limit: number, bytesBefore: number, seqMax: number, all: boolean): void {
    const block = this.block as Block;
    const { payload } = block;
    let at = from;
    let keyAt = this.keyBase;
    let keyBytes = bytesBefore;
    let taken = false;
    for (let first = true; at < limit; first = false) {
      at = header.read(payload, at, limit);
      const { shared, suffixBytes, isRemoval: removed, seq } = header;
      const next = header.end(at);
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
      if (seq <= seqMax && (all || !taken)) {
        this.append(keyAt, keyAt + keyBytes, at + suffixBytes, next, seq, removed, taken);
        taken = true;
      }
      at = next;
    }
    this.keysEnd = keyAt + keyBytes;
  }

  /** Lets go of the block. Somebody may still hold keys: the next ones go behind them. */
  forget(): void {
    this.block = undefined;
    this.count = 0;
    this.keepKeys();
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

/**
 * Where the first entry at or above a key begins, or the limit. Keys are compared in place, as in `findVersion`: an entry that
 * shares more with the one before than that one with the key lies below it, too, and one that shares less lies above.
 */
function passBelow(block: Block, from: number, limit: number, key: Uint8Array, start: number, end: number): number {
  const { payload } = block;
  let at = from;
  let matched = 0;
  while (at < limit) {
    const entryAt = at;
    at = header.read(payload, at, limit);
    const { shared } = header;
    const suffixEnd = at + header.suffixBytes;
    const next = header.end(at);
    if (!(next <= limit)) throw block.malformed(at);
    if (shared < matched) return entryAt;
    if (shared === matched) {
      let i = at;
      let j = start + matched;
      while (i < suffixEnd && j < end && payload[i] === key[j]) {
        i++;
        j++;
      }
      if (i === suffixEnd ? j === end : j === end || payload[i]! > key[j]!) return entryAt;
      matched = j - start;
    }
    at = next;
  }
  return limit;
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
