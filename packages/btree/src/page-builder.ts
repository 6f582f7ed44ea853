/**
 * Packs entries or children, fed in key order, into pages of one level. Pages are cut when they are full; the last full
 * one is held back until the next begins, so that a group ends in two halves instead of a full page and a crumb.
 *
 *      fed:      a b c d e f g h i j k l m n
 *      pages:    [ a b c d e f ]  [ g h i j k l ]  m n        held: g..l, open: m n
 *      closed:                    [ g h i j ]  [ k l m n ]    or, at the right edge of the tree, as they are: ascending
 *                                                             loads leave full pages behind
 *
 * The prefix that all keys of a page share is left out of them when that saves an eighth of the page; otherwise keys stay
 * whole, and cursors hand them out without a copy.
 */
import { assert, commonPrefixBytes, copyBytes, varintBytes, writeU16, writeU32, writeVarint } from '@phantom/base';
import {
  COUNT_MAX,
  INNER_SLOT_BYTES,
  LEAF_SLOT_BYTES,
  PAGE_HEADER_BYTES,
  PageKind,
  type PageId,
  type PageRef,
} from './format.js';
import { signedDiscriminator } from '@phantom/runs';

/** Where built pages go: it gives each its number, generation and checksum. */
export interface PageSink {
  readonly pageBytes: number;
  /** A page of zeros to be built in; header fields 0 to 12 and the generation are the sink's. One at a time. */
  startPage(): Uint8Array;
  /** Takes the page that was started. */
  finishPage(): { readonly id: PageId; readonly checksumLow: number; readonly checksumHigh: number };
}

/** Receives what was built: the level above. */
export type EmitPage = (separator: Uint8Array, page: PageRef) => void;

const NO_BYTES = new Uint8Array(0);

export class PageBuilder {
  private readonly sink: PageSink;
  private readonly level: number;
  private readonly emit: EmitPage;
  private readonly slotBytes: number;
  /** Keys and stored values of the items that are not written yet. */
  private arena = new Uint8Array(64 * 1024);
  private arenaBytes = 0;
  private keyStarts = new Int32Array(512);
  private keyEnds = new Int32Array(512);
  private valueEnds = new Int32Array(512);
  /** Leaf: the entry's tag. Inner: the child. */
  private numbers = new Float64Array(512);
  private checksumLows = new Int32Array(512);
  private checksumHighs = new Int32Array(512);
  private keyCounts = new Uint32Array(512);
  /** Leaf: overflow pages of the entry. Inner: pages under the child. */
  private pageCounts = new Uint32Array(512);
  private count = 0;
  /** Items [0, open) are the page held back; [open, count) the one being filled. */
  private open = 0;
  /** Of the open page: bytes without omission, and bytes that its keys share. */
  private openBytes = PAGE_HEADER_BYTES;
  private openPrefix = 0;
  /** Separator of the first page of this group; the others' are cut from their first keys. */
  private groupSeparator: Uint8Array = NO_BYTES;
  /** Last key of the page that was written before, when it was of the same group. */
  private lastKey: Uint8Array | undefined = undefined;

  constructor(sink: PageSink, level: number, emit: EmitPage) {
    this.sink = sink;
    this.level = level;
    this.emit = emit;
    this.slotBytes = level === 0 ? LEAF_SLOT_BYTES : INNER_SLOT_BYTES;
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  /** Items not written yet. */
  get pending(): number {
    return this.count;
  }

  /** True when closing now would leave a page less than a third full. */
  get isUnderfull(): boolean {
    return this.count > 0 && this.open === 0 && this.sizeOf(0, this.count) * 3 < this.sink.pageBytes;
  }

  /** The separator with which the next group of leaf entries begins: at most its first key, above everything before. */
  beginGroup(separator: Uint8Array): void {
    assert(this.count === 0, 'a group begins when the one before is closed');
    this.groupSeparator = separator;
    this.lastKey = undefined;
  }

  /**
   * Adds a leaf entry. `tag` is as in format.ts, the value what the page stores for it. Pages behind the first of a group
   * take entries up to `bytesMax`.
   */
  addEntry(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    tag: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    overflowPages: number,
    bytesMax: number,
  ): void {
    const keyBytes = keyEnd - keyStart;
    this.reserve(keyBytes + valueEnd - valueStart);
    const start = this.arenaBytes;
    const valueAt = copyBytes(key, keyStart, keyEnd, this.arena, start);
    this.arenaBytes = copyBytes(value, valueStart, valueEnd, this.arena, valueAt);
    const i = this.count;
    this.keyStarts[i] = start;
    this.keyEnds[i] = valueAt;
    this.valueEnds[i] = this.arenaBytes;
    this.numbers[i] = tag;
    this.pageCounts[i] = overflowPages;
    this.keyCounts[i] = 1;
    this.take(varintBytes(keyBytes) + keyBytes + varintBytes(tag) + valueEnd - valueStart, bytesMax);
  }

  /** Adds a child to an inner level. The separator of the very first one of the level is empty. */
  addChild(separator: Uint8Array, page: PageRef, bytesMax: number): void {
    this.reserve(separator.length);
    const i = this.count;
    this.keyStarts[i] = this.arenaBytes;
    this.arenaBytes = copyBytes(separator, 0, separator.length, this.arena, this.arenaBytes);
    this.keyEnds[i] = this.arenaBytes;
    this.valueEnds[i] = this.arenaBytes;
    this.numbers[i] = page.id;
    this.checksumLows[i] = page.checksumLow;
    this.checksumHighs[i] = page.checksumHigh;
    this.keyCounts[i] = page.keys;
    this.pageCounts[i] = page.pages;
    this.take(varintBytes(separator.length) + separator.length, bytesMax);
  }

  /** The only item left, when nothing else is pending: on the topmost level it is the root. */
  singleChild(): PageRef | undefined {
    if (this.count !== 1 || this.level === 0) return undefined;
    return {
      id: this.numbers[0]!,
      checksumLow: this.checksumLows[0]!,
      checksumHigh: this.checksumHighs[0]!,
      keys: this.keyCounts[0]!,
      pages: this.pageCounts[0]!,
    };
  }

  /** Writes what is pending. `atRightEdge`: nothing follows on this level, so that full pages stay full. */
  close(atRightEdge: boolean): void {
    if (this.count === 0) return;
    let cut = this.open;
    if (cut > 0 && !atRightEdge) cut = this.balance();
    if (cut > 0) this.write(0, cut);
    this.write(cut, this.count);
    this.clear();
  }

  /** Counts the item at `count` in: into the open page, or into a new one when it does not fit. */
  private take(bytes: number, bytesMax: number): void {
    const i = this.count;
    if (i === this.open) {
      this.startPage(i, bytes);
    } else {
      const prefix = this.sharedWith(this.open, i, this.openPrefix);
      const total = this.openBytes + this.slotBytes + bytes;
      // The first page of a group is filled whole: what still fits into the old page must not be torn apart.
      if (this.afterOmission(total, i - this.open + 1, prefix) > (this.open === 0 ? this.sink.pageBytes : bytesMax)) {
        if (this.open > 0) this.writeHeld();
        this.open = this.count;
        this.startPage(this.count, bytes);
      } else {
        this.openBytes = total;
        this.openPrefix = prefix;
      }
    }
    this.count++;
  }

  private startPage(i: number, bytes: number): void {
    this.openBytes = PAGE_HEADER_BYTES + this.slotBytes + bytes;
    this.openPrefix = this.keyEnds[i]! - this.keyStarts[i]!;
  }

  /** Bytes that item `i` shares with the first item of its page, at most `limit`. In inner pages child 0 has no separator. */
  private sharedWith(first: number, i: number, limit: number): number {
    const base = this.level === 0 ? first : first + 1;
    if (base >= i) return this.keyEnds[i]! - this.keyStarts[i]!;
    const { arena, keyStarts, keyEnds } = this;
    const baseEnd = Math.min(keyEnds[base]!, keyStarts[base]! + (base === first ? limit : Number.MAX_SAFE_INTEGER));
    return commonPrefixBytes(arena, keyStarts[base]!, baseEnd, arena, keyStarts[i]!, keyEnds[i]!);
  }

  /** Writes the held page and lets the open one be held in its place. */
  private writeHeld(): void {
    const { open } = this;
    this.write(0, open);
    const from = this.keyStarts[open]!;
    this.arena.copyWithin(0, from, this.arenaBytes);
    this.arenaBytes -= from;
    // The item that did not fit, at `count`, moves along.
    for (let i = open; i <= this.count; i++) this.move(i, i - open, from);
    this.count -= open;
  }

  private move(from: number, to: number, bytes: number): void {
    this.keyStarts[to] = this.keyStarts[from]! - bytes;
    this.keyEnds[to] = this.keyEnds[from]! - bytes;
    this.valueEnds[to] = this.valueEnds[from]! - bytes;
    this.numbers[to] = this.numbers[from]!;
    this.checksumLows[to] = this.checksumLows[from]!;
    this.checksumHighs[to] = this.checksumHighs[from]!;
    this.keyCounts[to] = this.keyCounts[from]!;
    this.pageCounts[to] = this.pageCounts[from]!;
  }

  /** The cut that makes two pages of about the same size, or the present one when that would not fit. */
  private balance(): number {
    if (this.openBytes * 2 > this.sink.pageBytes) return this.open;
    let cut = this.open;
    let difference = 0;
    for (let i = 0; i < this.count; i++) difference += i < cut ? this.itemBytes(i) : -this.itemBytes(i);
    while (cut > 1 && difference > 0) difference -= 2 * this.itemBytes(--cut);
    return this.sizeOf(cut, this.count) <= this.sink.pageBytes ? cut : this.open;
  }

  /** Bytes of a page with the items [from, to). */
  private sizeOf(from: number, to: number): number {
    let bytes = PAGE_HEADER_BYTES;
    for (let i = from; i < to; i++) bytes += this.itemBytes(i);
    return this.afterOmission(bytes, to - from, this.prefixOf(from, to));
  }

  private itemBytes(i: number): number {
    return this.slotBytes + this.storedBytes(i, this.keyEnds[i]! - this.keyStarts[i]!);
  }

  /** Leaving the prefix out pays when it saves an eighth of the page. Child 0 of an inner page stores no separator. */
  private omits(count: number, prefix: number): boolean {
    return (this.level === 0 ? count - 1 : count - 2) * prefix * 8 >= this.sink.pageBytes;
  }

  private afterOmission(bytes: number, count: number, prefix: number): number {
    return this.omits(count, prefix) ? bytes - (this.level === 0 ? count - 1 : count - 2) * prefix : bytes;
  }

  private storedBytes(i: number, keyBytes: number): number {
    const bytes = varintBytes(keyBytes) + keyBytes + this.valueEnds[i]! - this.keyEnds[i]!;
    return this.level === 0 ? bytes + varintBytes(this.numbers[i]!) : bytes;
  }

  private prefixOf(from: number, to: number): number {
    const base = this.level === 0 ? from : from + 1;
    if (base >= to) return 0;
    const { arena, keyStarts, keyEnds } = this;
    const last = to - 1;
    return commonPrefixBytes(arena, keyStarts[base]!, keyEnds[base]!, arena, keyStarts[last]!, keyEnds[last]!);
  }

  /** Lays the items [from, to) out as a page and hands it up. */
  private write(from: number, to: number): void {
    const { pageBytes } = this.sink;
    const count = to - from;
    const prefix = this.prefixOf(from, to);
    const omitted = this.omits(count, prefix) ? prefix : 0;
    const bytes = this.sink.startPage();
    bytes[12] = this.level === 0 ? PageKind.Leaf : PageKind.Inner;
    bytes[13] = this.level;
    writeU16(bytes, 14, count);
    const offsets = PAGE_HEADER_BYTES + count * (this.slotBytes - 2);
    let at = offsets + count * 2;
    const base = this.level === 0 ? from : Math.min(from + 1, to - 1);
    if (omitted > 0) at = copyBytes(this.arena, this.keyStarts[base]!, this.keyStarts[base]! + prefix, bytes, at);
    let prefixAt = omitted > 0 ? at - prefix : 0;
    let keys = 0;
    let pages = 1;
    for (let i = from; i < to; i++) {
      const slot = i - from;
      keys += this.keyCounts[i]!;
      pages += this.pageCounts[i]!;
      writeU16(bytes, offsets + slot * 2, at);
      at =
        this.level === 0
          ? this.writeEntry(bytes, at, i, slot, omitted, prefix)
          : this.writeSeparator(bytes, at, i, slot, count, omitted, prefix);
      if (i === base && prefix > 0 && omitted === 0) {
        // The first whole key is where the prefix can be read.
        prefixAt = at - (this.valueEnds[i]! - this.keyEnds[i]!) - (this.keyEnds[i]! - this.keyStarts[i]!);
      }
    }
    assert(at <= pageBytes, 'a page is no larger than its items were counted');
    writeU16(bytes, 24, prefix);
    writeU16(bytes, 26, prefixAt);
    writeU16(bytes, 28, omitted);
    const separator = this.separatorOf(from);
    const last = to - 1;
    this.lastKey = this.level === 0 ? this.arena.slice(this.keyStarts[last]!, this.keyEnds[last]!) : undefined;
    const { id, checksumLow, checksumHigh } = this.sink.finishPage();
    this.emit(separator, {
      id,
      checksumLow,
      checksumHigh,
      keys: Math.min(keys, COUNT_MAX),
      pages: Math.min(pages, COUNT_MAX),
    });
  }

  private writeEntry(bytes: Uint8Array, at: number, i: number, slot: number, omitted: number, prefix: number): number {
    const { arena } = this;
    const start = this.keyStarts[i]!;
    const end = this.keyEnds[i]!;
    writeU32(bytes, PAGE_HEADER_BYTES + slot * 4, signedDiscriminator(arena, start + prefix, end));
    at = writeVarint(bytes, at, end - start - omitted);
    at = writeVarint(bytes, at, this.numbers[i]!);
    return copyBytes(arena, start + omitted, this.valueEnds[i]!, bytes, at);
  }

  private writeSeparator(
    bytes: Uint8Array,
    at: number,
    i: number,
    slot: number,
    count: number,
    omitted: number,
    prefix: number,
  ): number {
    const { arena } = this;
    const start = this.keyStarts[i]!;
    const end = slot === 0 ? start : this.keyEnds[i]!;
    const skipped = slot === 0 ? 0 : omitted;
    const words = PAGE_HEADER_BYTES + slot * 4;
    const stride = count * 4;
    writeU32(bytes, words, slot === 0 ? -0x80000000 : signedDiscriminator(arena, start + prefix, end));
    writeU32(bytes, words + stride, this.numbers[i]!);
    writeU32(bytes, words + stride * 2, this.keyCounts[i]!);
    writeU32(bytes, words + stride * 3, this.checksumLows[i]!);
    writeU32(bytes, words + stride * 4, this.pageCounts[i]!);
    writeU32(bytes, words + stride * 5, this.checksumHighs[i]!);
    at = writeVarint(bytes, at, end - start - skipped);
    return copyBytes(arena, start + skipped, end, bytes, at);
  }

  /** An inner page has its first child's; a leaf the shortest prefix of its first key above the last key before it. */
  private separatorOf(from: number): Uint8Array {
    const start = this.keyStarts[from]!;
    const end = this.keyEnds[from]!;
    if (this.level > 0) return this.arena.slice(start, end);
    const { lastKey } = this;
    if (lastKey === undefined) return this.groupSeparator;
    const shared = commonPrefixBytes(lastKey, 0, lastKey.length, this.arena, start, end);
    return this.arena.slice(start, Math.min(start + shared + 1, end));
  }

  private reserve(bytes: number): void {
    const need = this.arenaBytes + bytes;
    if (need > this.arena.length) {
      const arena = new Uint8Array(Math.max(need, this.arena.length * 2));
      arena.set(this.arena.subarray(0, this.arenaBytes));
      this.arena = arena;
    }
    // One more than is needed: writeHeld moves the item that is being added.
    if (this.count + 1 < this.keyStarts.length) return;
    const capacity = this.keyStarts.length * 2;
    this.keyStarts = grown(this.keyStarts, new Int32Array(capacity));
    this.keyEnds = grown(this.keyEnds, new Int32Array(capacity));
    this.valueEnds = grown(this.valueEnds, new Int32Array(capacity));
    this.numbers = grown(this.numbers, new Float64Array(capacity));
    this.checksumLows = grown(this.checksumLows, new Int32Array(capacity));
    this.checksumHighs = grown(this.checksumHighs, new Int32Array(capacity));
    this.keyCounts = grown(this.keyCounts, new Uint32Array(capacity));
    this.pageCounts = grown(this.pageCounts, new Uint32Array(capacity));
  }

  private clear(): void {
    this.count = 0;
    this.open = 0;
    this.arenaBytes = 0;
    this.openBytes = PAGE_HEADER_BYTES;
    this.openPrefix = 0;
  }
}

function grown<T extends Int32Array | Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
