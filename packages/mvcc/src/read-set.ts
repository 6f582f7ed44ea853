/**
 * What a serializable transaction has read: the "SIREAD locks" of serializable snapshot isolation (Cahill, Röhm and Fekete
 * 2008; Ports and Grittner 2012, section 5.2.1), kept with the reader instead of in a table of their own.
 *
 *   space 7   rows     { h1 h2 h3 ... }        single keys by their hash, with the least and the greatest of them
 *             ranges   [a b) [f g) ...         what cursors passed over, gaps included; in order, apart from each other
 *   space 9   all                              too much was read to remember what
 *
 * Memory is bounded. Past `bytesMax` the space that takes most is made coarser, step by step:
 *
 *   rows ──► one range from the least to the greatest ──► ranges, neighbours joined ──► the whole space
 *
 * Coarser means more conflicts that are none, never one less. A range over several spaces is kept in a space that no key
 * has, and every key is held against it.
 *
 * Invariant: whatever was added is found by `has` for ever after.
 */
import { compareBytes, compareKeys } from '@phantom/base';
import { SPACE_BYTES, type SpaceId, spaceOfKey, spaceRange } from '@phantom/kv';
import { keyHash } from './key-hash.js';
import type { WrittenKeys } from './written-keys.js';

/** No key has this space: it stands for ranges over several. */
const WIDE: SpaceId = -1;
const HASHES_MIN = 16;
const HASH_BYTES = 8;
/** An object, two arrays and their headers. */
const RANGE_BYTES = 160;
const SPACE_ENTRY_BYTES = 320;
/** So few ranges are not worth joining: the whole space comes next. */
const RANGES_JOINED_MIN = 32;

interface ReadRange {
  lower: Uint8Array;
  /** Exclusive; undefined is the end of all keys. */
  upper: Uint8Array | undefined;
}

/** The reads of one space on disk; bytes are base64. */
interface StoredSpace {
  readonly space: SpaceId;
  readonly whole: boolean;
  readonly hashes: readonly number[];
  readonly least: string | null;
  readonly greatest: string | null;
  readonly ranges: readonly (readonly [lower: string, upper: string | null])[];
}

export type StoredReads = readonly StoredSpace[];

class SpaceReads {
  readonly space: SpaceId;
  isWhole = false;
  /** Open addressing, 0 is empty; no longer filled once rows became a range. */
  private hashes = new Float64Array(HASHES_MIN);
  private rows = 0;
  private least: Uint8Array | undefined = undefined;
  private greatest: Uint8Array | undefined = undefined;
  ranges: ReadRange[] = [];
  private rangeBytes = 0;

  constructor(space: SpaceId) {
    this.space = space;
  }

  get bytes(): number {
    return SPACE_ENTRY_BYTES + this.hashes.length * HASH_BYTES + this.rangeBytes;
  }

  addRow(hash: number, key: Uint8Array, start: number, end: number): void {
    if (this.isWhole || (this.ranges.length > 0 && this.isInRange(key, start, end))) return;
    if (this.rows * 2 >= this.hashes.length) this.grow();
    const at = this.slotOf(hash);
    if (this.hashes[at] === hash) return;
    this.hashes[at] = hash;
    this.rows++;
    const { least, greatest } = this;
    if (least === undefined || compareBytes(key, start, end, least, 0, least.length) < 0) {
      this.least = key.slice(start, end);
    }
    if (greatest === undefined || compareBytes(key, start, end, greatest, 0, greatest.length) > 0) {
      this.greatest = key.slice(start, end);
    }
  }

  /** Takes the bytes over. Ranges that touch become one. */
  addRange(lower: Uint8Array, upper: Uint8Array | undefined): void {
    if (this.isWhole) return;
    const { ranges } = this;
    let from = ranges.length;
    // Scans come in key order, nearly always: the place is at the end.
    while (from > 0 && reaches((ranges[from - 1] as ReadRange).upper, lower)) from--;
    let to = from;
    let joined: ReadRange = { lower, upper };
    while (to < ranges.length && reaches(upper, (ranges[to] as ReadRange).lower)) {
      joined = join(joined, ranges[to] as ReadRange);
      this.rangeBytes -= bytesOf(ranges[to] as ReadRange);
      to++;
    }
    if (to === from && from === ranges.length) ranges.push(joined);
    else ranges.splice(from, to - from, joined);
    this.rangeBytes += bytesOf(joined);
  }

  has(hash: number, key: Uint8Array, start: number, end: number): boolean {
    if (this.isWhole) return true;
    if (this.rows > 0 && this.hashes[this.slotOf(hash)] === hash) return true;
    return this.ranges.length > 0 && this.isInRange(key, start, end);
  }

  /** True when something in [lower, upper) may have been read. */
  touches(lower: Uint8Array, upper: Uint8Array): boolean {
    if (this.isWhole) return true;
    const { least, greatest } = this;
    if (least !== undefined && greatest !== undefined) {
      if (compareKeys(least, upper) < 0 && compareKeys(greatest, lower) >= 0) return true;
    }
    return this.ranges.some(
      (range) =>
        compareKeys(range.lower, upper) < 0 && (range.upper === undefined || compareKeys(range.upper, lower) > 0),
    );
  }

  /** For a record on disk. */
  store(): StoredSpace {
    return {
      space: this.space,
      whole: this.isWhole,
      hashes: this.rows === 0 ? [] : Array.from(this.hashes).filter((hash) => hash !== 0),
      least: this.least === undefined ? null : toBase64(this.least),
      greatest: this.greatest === undefined ? null : toBase64(this.greatest),
      ranges: this.ranges.map(({ lower, upper }) => [toBase64(lower), upper === undefined ? null : toBase64(upper)]),
    };
  }

  restore({ whole, hashes, least, greatest, ranges }: StoredSpace): void {
    for (const hash of hashes) {
      if (this.rows * 2 >= this.hashes.length) this.grow();
      this.hashes[this.slotOf(hash)] = hash;
      this.rows++;
    }
    if (least !== null) this.least = fromBase64(least);
    if (greatest !== null) this.greatest = fromBase64(greatest);
    for (const [lower, upper] of ranges)
      this.addRange(fromBase64(lower), upper === null ? undefined : fromBase64(upper));
    this.isWhole = whole;
  }

  /** One step coarser. */
  promote(): void {
    const { least, greatest } = this;
    if (least !== undefined && greatest !== undefined) {
      this.hashes = new Float64Array(HASHES_MIN);
      this.rows = 0;
      this.least = this.greatest = undefined;
      const upper = new Uint8Array(greatest.length + 1);
      upper.set(greatest);
      this.addRange(least, upper);
    } else if (this.ranges.length >= RANGES_JOINED_MIN) {
      const coarser: ReadRange[] = [];
      for (let i = 0; i < this.ranges.length; i += 2) {
        const one = this.ranges[i] as ReadRange;
        coarser.push(join(one, this.ranges[i + 1] ?? one));
      }
      this.ranges = coarser;
      this.rangeBytes = coarser.reduce((sum, range) => sum + bytesOf(range), 0);
    } else {
      this.isWhole = true;
      this.ranges = [];
      this.rangeBytes = 0;
    }
  }

  private isInRange(key: Uint8Array, start: number, end: number): boolean {
    const { ranges } = this;
    let low = 0;
    let high = ranges.length;
    // The last range that begins at or before the key.
    while (low < high) {
      const middle = (low + high) >> 1;
      const { lower } = ranges[middle] as ReadRange;
      if (compareBytes(lower, 0, lower.length, key, start, end) <= 0) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return false;
    const { upper } = ranges[low - 1] as ReadRange;
    return upper === undefined || compareBytes(key, start, end, upper, 0, upper.length) < 0;
  }

  private slotOf(hash: number): number {
    const { hashes } = this;
    const mask = hashes.length - 1;
    let at = hash & mask;
    while (hashes[at] !== 0 && hashes[at] !== hash) at = (at + 1) & mask;
    return at;
  }

  private grow(): void {
    const old = this.hashes;
    this.hashes = new Float64Array(old.length * 2);
    for (let i = 0; i < old.length; i++)
      if (old[i] !== 0) this.hashes[this.slotOf(old[i] as number)] = old[i] as number;
  }
}

export class ReadSet {
  private readonly bytesMax: number;
  private readonly spaces = new Map<SpaceId, SpaceReads>();
  /** The space that was read last: reads come in bursts. */
  private last: SpaceReads | undefined = undefined;
  private bytesCounted = 0;
  /** How often it was made coarser. */
  promotions = 0;
  /** A key that a constraint was checked by in a state newer than the snapshot, and of which that shows something else. */
  newerKey: Uint8Array | undefined = undefined;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get isEmpty(): boolean {
    return this.spaces.size === 0;
  }

  get bytes(): number {
    return this.bytesCounted;
  }

  addRow(key: Uint8Array, start: number, end: number): void {
    const reads = this.readsOf(spaceOfKey(key, start));
    const before = reads.bytes;
    reads.addRow(keyHash(key, start, end), key, start, end);
    if (reads.bytes !== before) this.grew(reads.bytes - before);
  }

  /** Everything in [lower, upper) was passed over. Takes the bytes over. */
  addRange(lower: Uint8Array, upper: Uint8Array | undefined): void {
    if (upper !== undefined && compareKeys(lower, upper) >= 0) return;
    const reads = this.readsOf(spaceOfRange(lower, upper));
    const before = reads.bytes;
    reads.addRange(lower, upper);
    this.grew(reads.bytes - before);
  }

  /** Whether anything of a space was read. */
  isIn(space: SpaceId): boolean {
    return this.spaces.has(space);
  }

  /** Index of the first written key that was read, -1 when there is none. */
  firstRead(keys: WrittenKeys): number {
    const { bytes, starts, hashes, count } = keys;
    const wide = this.spaces.get(WIDE);
    for (let i = 0; i < count; i++) {
      const start = starts[2 * i] as number;
      const end = starts[2 * i + 1] as number;
      const reads = this.spaces.get(spaceOfKey(bytes, start));
      if (reads?.has(hashes[i] as number, bytes, start, end) === true) return i;
      if (wide?.has(hashes[i] as number, bytes, start, end) === true) return i;
    }
    return -1;
  }

  /** True when something in [lower, upper) may have been read. */
  touches(lower: Uint8Array, upper: Uint8Array): boolean {
    for (const reads of this.spaces.values()) {
      if (reads.space === WIDE || !reads.isWhole) {
        if (reads.touches(lower, upper)) return true;
      } else {
        const all = spaceRange(reads.space);
        if (compareKeys(all.lower, upper) < 0 && (all.upper === undefined || compareKeys(all.upper, lower) > 0))
          return true;
      }
    }
    return false;
  }

  /** For a record on disk: prepared transactions remember across a restart. */
  store(): StoredReads {
    return Array.from(this.spaces.values(), (reads) => reads.store());
  }

  static restore(stored: StoredReads, bytesMax: number): ReadSet {
    const set = new ReadSet(bytesMax);
    for (const space of stored) {
      const reads = set.readsOf(space.space);
      const before = reads.bytes;
      reads.restore(space);
      set.grew(reads.bytes - before);
    }
    return set;
  }

  private readsOf(space: SpaceId): SpaceReads {
    if (this.last?.space === space) return this.last;
    let reads = this.spaces.get(space);
    if (reads === undefined) {
      reads = new SpaceReads(space);
      this.spaces.set(space, reads);
      this.bytesCounted += reads.bytes;
    }
    this.last = reads;
    return reads;
  }

  private grew(bytes: number): void {
    this.bytesCounted += bytes;
    while (this.bytesCounted > this.bytesMax) {
      let largest: SpaceReads | undefined;
      for (const reads of this.spaces.values()) {
        if (!reads.isWhole && (largest === undefined || reads.bytes > largest.bytes)) largest = reads;
      }
      if (largest === undefined) return;
      const before = largest.bytes;
      largest.promote();
      this.promotions++;
      this.bytesCounted += largest.bytes - before;
    }
  }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

/** True when a range that ends at `upper` overlaps or touches what begins at `lower`. */
function reaches(upper: Uint8Array | undefined, lower: Uint8Array): boolean {
  return upper === undefined || compareKeys(upper, lower) >= 0;
}

function join(a: ReadRange, b: ReadRange): ReadRange {
  const lower = compareKeys(a.lower, b.lower) <= 0 ? a.lower : b.lower;
  if (a.upper === undefined || b.upper === undefined) return { lower, upper: undefined };
  return { lower, upper: compareKeys(a.upper, b.upper) >= 0 ? a.upper : b.upper };
}

function bytesOf({ lower, upper }: ReadRange): number {
  return RANGE_BYTES + lower.length + (upper?.length ?? 0);
}

/** The space that the range lies in, WIDE when it reaches beyond one. */
function spaceOfRange(lower: Uint8Array, upper: Uint8Array | undefined): SpaceId {
  if (lower.length < SPACE_BYTES || upper === undefined || upper.length < SPACE_BYTES) return WIDE;
  const space = spaceOfKey(lower, 0);
  const end = spaceRange(space).upper;
  return end === undefined || compareKeys(upper, end) <= 0 ? space : WIDE;
}
