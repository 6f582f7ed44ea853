/**
 * A page in memory: the bytes as they are on disk, read in place. A Page is a reader that is aimed at them (like a cursor
 * at an entry), so that reading a page allocates nothing; whoever needs two pages at a time has two readers.
 *
 * A search runs over the discriminators as one array of words and compares key bytes only where two of them are equal.
 * The words are read in the machine's byte order, which is the file's on every platform Node runs on but big-endian ones;
 * those are refused when a tree is opened.
 */
import { compareBytes, corruptionError, readU64, readVarint, varintBytes } from '@phantom/base';
import { countBelow, signedDiscriminator } from '@phantom/runs';
import {
  INNER_SLOT_BYTES,
  LEAF_SLOT_BYTES,
  LEVEL_MAX,
  OVERFLOW_REFERENCE_BYTES,
  PAGE_HEADER_BYTES,
  type PageId,
  PageKind,
} from './format.js';

const HEADER_WORDS = PAGE_HEADER_BYTES / 4;

const NO_BYTES = new Uint8Array(0);
const NO_WORDS = new Int32Array(0);

export class Page {
  /** The buffer in which the page lies; the page begins at `base` and ends at `end`. Places handed out are places in it. */
  bytes: Uint8Array;
  /** The same buffer: header and discriminators are read as words. */
  words: Int32Array;
  base = 0;
  end = 0;
  /** Slots: entries of a leaf, children of an inner page. */
  count = 0;
  level = 0;
  prefixBytes = 0;
  /** Where in the buffer the prefix can be read. */
  prefixAt = 0;
  omittedBytes = 0;
  /** What it is aimed at is read at once, and by nobody after the next call of the pager. */
  readonly isTransient: boolean;
  private readonly pageBytes: number;
  /** Index in `words` of the first discriminator. */
  private discriminatorsAt = 0;
  /** Where the offsets of the entries begin. */
  private offsetsAt = 0;

  constructor(pageBytes: number, isTransient = false) {
    this.pageBytes = pageBytes;
    this.isTransient = isTransient;
    this.bytes = NO_BYTES;
    this.words = NO_WORDS;
  }

  /** Points at the page that begins at `base`, a multiple of four. The header must be sound (`defect`). */
  aim(bytes: Uint8Array, words: Int32Array, base: number): void {
    this.bytes = bytes;
    this.words = words;
    this.base = base;
    this.end = base + this.pageBytes;
    const word = base >> 2;
    const kind = words[word + 3]!;
    this.level = (kind >> 8) & 0xff;
    this.count = kind >>> 16;
    const prefix = words[word + 6]!;
    this.prefixBytes = prefix & 0xffff;
    this.prefixAt = base + (prefix >>> 16);
    this.omittedBytes = words[word + 7]! & 0xffff;
    this.discriminatorsAt = word + HEADER_WORDS;
    this.offsetsAt = base + PAGE_HEADER_BYTES + this.count * (this.level === 0 ? 4 : 24);
  }

  get id(): PageId {
    return this.words[(this.base >> 2) + 2]! >>> 0;
  }

  get kind(): number {
    return this.bytes[this.base + 12]!;
  }

  /** The generation that wrote it. */
  get generation(): number {
    return readU64(this.bytes, this.base + 16);
  }

  /** Halves of the checksum in the header, signed. */
  get checksumLow(): number {
    return this.words[this.base >> 2]!;
  }

  get checksumHigh(): number {
    return this.words[(this.base >> 2) + 1]!;
  }

  /** What is wrong with the header, undefined when nothing is. The checksum is the pager's business. */
  defect(): string | undefined {
    const isLeaf = this.kind === PageKind.Leaf;
    if (!isLeaf && this.kind !== PageKind.Inner) return `it has the unknown kind ${this.kind}`;
    if (isLeaf !== (this.level === 0) || this.level > LEVEL_MAX) return `it has the impossible level ${this.level}`;
    const slotBytes = isLeaf ? LEAF_SLOT_BYTES : INNER_SLOT_BYTES;
    if (this.count === 0 || PAGE_HEADER_BYTES + this.count * slotBytes > this.pageBytes)
      return `it has ${this.count} slots`;
    if (this.prefixAt + this.prefixBytes > this.end) return 'its prefix runs past its end';
    if (this.omittedBytes !== 0 && this.omittedBytes !== this.prefixBytes) return 'it omits a part of its prefix';
    return undefined;
  }

  /** Where an entry or separator begins. */
  entryAt(slot: number): number {
    const at = this.offsetsAt + slot * 2;
    return this.base + (this.bytes[at]! | (this.bytes[at + 1]! << 8));
  }

  child(slot: number): PageId {
    return this.words[this.discriminatorsAt + this.count + slot]! >>> 0;
  }

  childKeys(slot: number): number {
    return this.words[this.discriminatorsAt + this.count * 2 + slot]! >>> 0;
  }

  childChecksumLow(slot: number): number {
    return this.words[this.discriminatorsAt + this.count * 3 + slot]!;
  }

  childPages(slot: number): number {
    return this.words[this.discriminatorsAt + this.count * 4 + slot]! >>> 0;
  }

  childChecksumHigh(slot: number): number {
    return this.words[this.discriminatorsAt + this.count * 5 + slot]!;
  }

  /** Slot of the child in which the key belongs. */
  childFor(key: Uint8Array, start: number, end: number): number {
    const slot = this.search(1, key, start, end);
    return slot >= 0 ? slot : ~slot - 1;
  }

  /** Slot of the key in a leaf; when it is not there, the complement (~) of the slot it would have. */
  find(key: Uint8Array, start: number, end: number): number {
    return this.search(0, key, start, end);
  }

  /** Appends a whole key to the target; returns the offset behind it. */
  copyKey(slot: number, target: Uint8Array, at: number): number {
    const { bytes, end, omittedBytes, prefixAt } = this;
    for (let i = 0; i < omittedBytes; i++) target[at + i] = bytes[prefixAt + i]!;
    at += omittedBytes;
    const entry = this.entryAt(slot);
    const stored = readVarint(bytes, entry, end);
    let from = entry + varintBytes(stored);
    if (this.level === 0) from += varintBytes(readVarint(bytes, from, end));
    if (!(from + stored <= end)) throw this.malformed(slot);
    for (let i = 0; i < stored; i++) target[at + i] = bytes[from + i]!;
    return at + stored;
  }

  /** Bytes of a whole key. */
  keyBytes(slot: number): number {
    return this.omittedBytes + readVarint(this.bytes, this.entryAt(slot), this.end);
  }

  /** A copy of a whole key. */
  key(slot: number): Uint8Array {
    const key = new Uint8Array(this.keyBytes(slot));
    this.copyKey(slot, key, 0);
    return key;
  }

  malformed(slot: number): Error {
    return corruptionError(`slot ${slot} of page ${this.id} is malformed`, {
      file: 'tree.db',
      offset: this.id * this.pageBytes + this.entryAt(slot) - this.base,
    });
  }

  /** Slot of the key in a leaf, -1 when it is not there. As `find`, without a look at the prefix: a match proves it. */
  findExact(key: Uint8Array, start: number, end: number): number {
    const from = start + this.prefixBytes;
    if (from > end) return -1;
    const probe = signedDiscriminator(key, from, end);
    const slot = this.countBelow(probe);
    if (slot === this.count || this.words[this.discriminatorsAt + slot] !== probe) return -1;
    const found = this.searchTies(slot, probe, key, from, end);
    return found >= 0 && this.hasPrefix(found, key, start) ? found : -1;
  }

  /** Search among the slots from `low` on. */
  private search(low: number, key: Uint8Array, start: number, end: number): number {
    const { bytes, prefixBytes, prefixAt, count } = this;
    for (let i = 0; i < prefixBytes; i++) {
      if (start + i === end) return ~low;
      const difference = key[start + i]! - bytes[prefixAt + i]!;
      if (difference !== 0) return difference < 0 ? ~low : ~count;
    }
    const from = start + prefixBytes;
    const probe = signedDiscriminator(key, from, end);
    const slot = Math.max(this.countBelow(probe), low);
    if (slot >= count || this.words[this.discriminatorsAt + slot] !== probe) return ~slot;
    return this.searchTies(slot, probe, key, from, end);
  }

  /** How many discriminators are below the probe. */
  private countBelow(probe: number): number {
    return countBelow(this.words, this.discriminatorsAt, this.count, probe);
  }

  /** Decides between the slots from `first` on that have the probe's discriminator. */
  private searchTies(first: number, probe: number, key: Uint8Array, from: number, end: number): number {
    const { words, count, discriminatorsAt } = this;
    let low = first;
    let high = first + 1;
    while (high < count && words[discriminatorsAt + high] === probe) high++;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const difference = this.compareKey(middle, key, from, end);
      if (difference === 0) return middle;
      if (difference < 0) low = middle + 1;
      else high = middle;
    }
    return ~low;
  }

  /** Compares what a key of this page has behind the prefix with [from, end) of the probe. */
  private compareKey(slot: number, key: Uint8Array, from: number, end: number): number {
    const { bytes } = this;
    let at = this.entryAt(slot);
    const stored = readVarint(bytes, at, this.end);
    at += varintBytes(stored);
    if (this.level === 0) at += varintBytes(readVarint(bytes, at, this.end));
    if (!(at + stored <= this.end)) throw this.malformed(slot);
    return compareBytes(bytes, at + this.prefixBytes - this.omittedBytes, at + stored, key, from, end);
  }

  /** True when the probe begins with the prefix: read beside the entry that was found, where keys are whole. */
  private hasPrefix(slot: number, key: Uint8Array, start: number): boolean {
    const { bytes, prefixBytes } = this;
    let at = this.prefixAt;
    if (this.omittedBytes === 0) {
      at = this.entryAt(slot);
      at += varintBytes(readVarint(bytes, at, this.end));
      at += varintBytes(readVarint(bytes, at, this.end));
    }
    for (let i = 0; i < prefixBytes; i++) if (bytes[at + i] !== key[start + i]) return false;
    return true;
  }
}

/** Where a leaf's entry lies; reused. */
export class LeafEntry {
  keyStart = 0;
  /** End of the stored key and start of the value or overflow reference. */
  keyEnd = 0;
  valueBytes = 0;
  overflow = false;

  /** Reads the entry of a slot. The stored key lacks the page's omitted bytes. */
  read(page: Page, slot: number): void {
    const { bytes, end } = page;
    const at = page.entryAt(slot);
    // Nearly every entry has a key of less than 128 bytes and a value of less than 8 KiB. Scans do little else than this.
    const stored = bytes[at]!;
    const low = bytes[at + 1]!;
    const high = bytes[at + 2]!;
    const isShort = low < 0x80;
    if (stored >= 0x80 || !(isShort || (high < 0x80 && high > 0)) || at + 3 > end) {
      this.readAny(page, slot, at);
      return;
    }
    const tag = isShort ? low : (low & 0x7f) | (high << 7);
    const keyStart = at + (isShort ? 2 : 3);
    const keyEnd = keyStart + stored;
    const isOverflow = (tag & 1) === 1;
    this.keyStart = keyStart;
    this.keyEnd = keyEnd;
    this.overflow = isOverflow;
    this.valueBytes = tag >> 1;
    if (keyEnd + (isOverflow ? OVERFLOW_REFERENCE_BYTES : tag >> 1) > end) throw page.malformed(slot);
  }

  /** As `read`, for lengths of any size. */
  private readAny(page: Page, slot: number, entryAt: number): void {
    const { bytes, end } = page;
    let at = entryAt;
    const stored = readVarint(bytes, at, end);
    at += varintBytes(stored);
    const tag = readVarint(bytes, at, end);
    at += varintBytes(tag);
    this.keyStart = at;
    this.keyEnd = at + stored;
    this.overflow = tag % 2 === 1;
    this.valueBytes = Math.floor(tag / 2);
    const valueEnd = this.keyEnd + (this.overflow ? OVERFLOW_REFERENCE_BYTES : this.valueBytes);
    if (!(valueEnd <= end)) throw page.malformed(slot);
  }
}
