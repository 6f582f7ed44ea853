/**
 * Walks the pages of one tree, in both directions. It keeps the path from the root, so that the next leaf is usually one
 * step away; leaves do not point at each other (with copy-on-write a change would ripple through all of them).
 *
 * Keys and values are places in the page wherever the page keeps keys whole; where a page omits their common prefix,
 * keys are put together in a buffer of the cursor. Of a leaf only the part inside the range is used, found once when the
 * leaf is entered, so that a step compares no keys. The page cannot change or go away under a reader: it is immutable, and
 * evicting it from the cache only drops the cache's pointer to its bytes.
 */
import { compareBytes, copyBytes } from '@phantom/base';
import { ByteSlot, type CursorBatch, type KeyRange, type KvCursor } from '@phantom/kv';
import { type LayerCursor, touchLines } from '@phantom/runs';
import { EMPTY_ROOT, type TreeRoot } from './format.js';
import { LeafEntry, Page } from './page.js';
import type { Pager } from './pager.js';
import { showValue } from './tree.js';

const Place = { Nowhere: 0, Inside: 1, BehindEnd: 2, BeforeStart: 3 } as const;
type Place = (typeof Place)[keyof typeof Place];

/**
 * Arenas of keys: small at first, since most scans are short, then each twice the one before. The first is a share of a larger
 * piece of memory, since to make one costs as much as a short scan; no share is given twice, so what it holds stays.
 */
const ARENA_BYTES_MIN = 512;
const ARENA_BYTES_MAX = 8 * 1024;
const SHARED_BYTES = 64 * ARENA_BYTES_MIN;

let shared = new Uint8Array(0);
let sharedBytes = 0;

/** Where a share begins in `shared`. */
function takeShare(): number {
  if (sharedBytes + ARENA_BYTES_MIN > shared.length) {
    shared = new Uint8Array(SHARED_BYTES);
    sharedBytes = 0;
  }
  const at = sharedBytes;
  sharedBytes += ARENA_BYTES_MIN;
  return at;
}

/** So many entries of a leaf are asked for at once, before the first of them is read. */
const TOUCHED_ENTRIES_MIN = 8;
const NO_BYTES = new Uint8Array(0);
const NO_WORDS = new Int32Array(8);

/** Readers of the pages from the root (at its level) down to the leaf (at 0), and the slot taken in each inner one. */
class Path {
  readonly pageBytes: number;
  readonly pages: readonly Page[];
  readonly slots: Int32Array;

  constructor(pageBytes: number, levels: number) {
    this.pageBytes = pageBytes;
    this.pages = Array.from({ length: levels }, () => new Page(pageBytes));
    this.slots = new Int32Array(levels);
  }
}

/** Paths that no cursor uses: making one costs more than a short scan. At most so many are kept. */
const SPARE_PATHS_MAX = 16;
const sparePaths: Path[] = [];
/** Of closed cursors, whose tree is empty. */
const CLOSED = new Path(0, 1);

/** A path for a cursor, which gives it back when it is closed. */
function takePath(pageBytes: number, levels: number): Path {
  const spare = sparePaths.pop();
  return spare?.pageBytes === pageBytes && spare.pages.length === levels ? spare : new Path(pageBytes, levels);
}

/** Takes a path back, and lets go of its pages. */
function givePath(path: Path): void {
  for (const page of path.pages) page.aim(NO_BYTES, NO_WORDS, 0);
  if (sparePaths.length < SPARE_PATHS_MAX) sparePaths.push(path);
}

/** Says whether the pages below a root are still there for those who walk them. */
export class Lease {
  /** Why they are not. */
  ended: Error | undefined = undefined;
}

/** A layer's cursor and, since a tree holds no tombstones, a view's cursor as well. */
export class TreeCursor implements LayerCursor, KvCursor {
  readonly key = new ByteSlot();
  readonly value = new ByteSlot();
  readonly removed = false;
  private readonly pager: Pager;
  private root: TreeRoot;
  private readonly lease: Lease;
  private readonly lower: Uint8Array;
  private readonly upper: Uint8Array | undefined;
  private path: Path;
  private leaf: Page;
  /** The path leads to the leaf; not so on the way down, which ends where a page cannot be read. */
  private isPathWhole = false;
  /** Slots of the leaf inside the range are [from, to). */
  private from = 0;
  private to = 0;
  private slot = 0;
  private place: Place = Place.Nowhere;
  private readonly entry = new LeafEntry();
  /** Keys of the batch, and the present key, where they had to be put together: in [arenaStart, arenaEnd) of the arena. */
  private arena: Uint8Array;
  private arenaStart = 0;
  private arenaBytes = 0;
  private arenaEnd = 0;
  private single: Uint8Array;

  constructor(pager: Pager, root: TreeRoot, range: KeyRange, lease = new Lease()) {
    this.pager = pager;
    this.root = root;
    this.lease = lease;
    this.lower = range.lower;
    this.upper = range.upper;
    this.path = takePath(pager.pageBytes, root.level + 1);
    this.leaf = this.path.pages[0] as Page;
    this.arena = NO_BYTES;
    this.single = NO_BYTES;
  }

  seek(key: Uint8Array, start: number, end: number): boolean {
    const { lower } = this;
    const isBefore = compareBytes(key, start, end, lower, 0, lower.length) < 0;
    return (isBefore ? this.seekForward(lower, 0, lower.length) : this.seekForward(key, start, end)) && this.show();
  }

  seekBefore(key: Uint8Array, start: number, end: number): boolean {
    const { upper } = this;
    const isBehind = upper !== undefined && compareBytes(key, start, end, upper, 0, upper.length) > 0;
    return (isBehind ? this.seekBackward(upper, 0, upper.length) : this.seekBackward(key, start, end)) && this.show();
  }

  next(): boolean {
    return this.toNext() && this.show();
  }

  prev(): boolean {
    return this.toPrevious() && this.show();
  }

  fill(batch: CursorBatch): number {
    batch.count = 0;
    // Whole leaves at a time until the batch is full: `fillBefore` ends with its leaf.
    while (batch.count < batch.capacity) {
      if (!this.toNext()) {
        // One step too far: back to the last entry that was handed out.
        if (batch.count > 0) this.prev();
        break;
      }
      this.fillBefore(batch, undefined);
    }
    return batch.count;
  }

  fillBefore(batch: CursorBatch, limit: ByteSlot | undefined): void {
    if (batch.count === 0) this.arenaBytes = this.arenaStart;
    const { entry, slot, leaf } = this;
    const { bytes, omittedBytes } = leaf;
    let end = Math.min(this.to, slot + batch.capacity - batch.count);
    if (limit !== undefined) {
      const found = leaf.find(limit.buffer, limit.start, limit.end);
      end = Math.min(end, Math.max(found < 0 ? ~found : found, slot + 1));
    }
    // Who only counts needs no entry; the last one is read for the cursor itself.
    const first = batch.valueless ? end - 1 : slot;
    if (end - first >= TOUCHED_ENTRIES_MIN) {
      touchLines(bytes, leaf.entryAt(first), end < leaf.count ? leaf.entryAt(end) : leaf.end);
    }
    let i = batch.count + first - slot;
    for (let at = first; at < end; at++, i++) {
      entry.read(leaf, at);
      if (batch.keyless && at !== end - 1) {
        // Nobody looks; only the last key is put together, for the cursor itself.
      } else if (omittedBytes === 0) {
        batch.keyBuffers[i] = bytes;
        batch.keyStarts[i] = entry.keyStart;
        batch.keyEnds[i] = entry.keyEnd;
      } else {
        this.reserve(omittedBytes + entry.keyEnd - entry.keyStart);
        const keyEnd = assemble(leaf, entry, this.arena, this.arenaBytes);
        batch.keyBuffers[i] = this.arena;
        batch.keyStarts[i] = this.arenaBytes;
        batch.keyEnds[i] = keyEnd;
        this.arenaBytes = keyEnd;
      }
      if (entry.overflow) {
        this.assertLease();
        showValue(this.pager, leaf, entry, this.value);
        batch.valueBuffers[i] = this.value.buffer;
        batch.valueStarts[i] = this.value.start;
        batch.valueEnds[i] = this.value.end;
      } else {
        batch.valueBuffers[i] = bytes;
        batch.valueStarts[i] = entry.keyEnd;
        batch.valueEnds[i] = entry.keyEnd + entry.valueBytes;
      }
    }
    batch.count = i;
    this.slot = end - 1;
    const last = i - 1;
    this.key.set(batch.keyBuffers[last] as Uint8Array, batch.keyStarts[last]!, batch.keyEnds[last]!);
    this.value.set(batch.valueBuffers[last] as Uint8Array, batch.valueStarts[last]!, batch.valueEnds[last]!);
  }

  close(): void {
    this.place = Place.BehindEnd;
    this.isPathWhole = false;
    if (this.path === CLOSED) return;
    givePath(this.path);
    this.path = CLOSED;
    this.leaf = CLOSED.pages[0] as Page;
    this.root = EMPTY_ROOT;
  }

  /** To the next entry, which is not shown yet. */
  private toNext(): boolean {
    if (this.place === Place.Inside) return ++this.slot < this.to || this.forward();
    if (this.place === Place.BehindEnd) return false;
    return this.seekForward(this.lower, 0, this.lower.length);
  }

  private toPrevious(): boolean {
    if (this.place === Place.Inside) return --this.slot >= this.from || this.backward();
    if (this.place === Place.BeforeStart) return false;
    const { upper } = this;
    return upper === undefined ? this.seekLast() : this.seekBackward(upper, 0, upper.length);
  }

  private seekForward(key: Uint8Array, start: number, end: number): boolean {
    if (this.root.id === 0) return this.stop(Place.BehindEnd);
    const at = this.locate(key, start, end);
    this.slot = Math.max(at < 0 ? ~at : at, this.from);
    return this.slot < this.to ? this.enter() : this.forward();
  }

  private seekBackward(key: Uint8Array, start: number, end: number): boolean {
    if (this.root.id === 0) return this.stop(Place.BeforeStart);
    const at = this.locate(key, start, end);
    this.slot = Math.min(at < 0 ? ~at : at, this.to) - 1;
    return this.slot >= this.from ? this.enter() : this.backward();
  }

  private seekLast(): boolean {
    if (this.root.id === 0) return this.stop(Place.BeforeStart);
    this.readRoot();
    for (let { level } = this.root; level > 0; level--) this.descend(level, this.inner(level).count - 1);
    this.enterLeaf();
    this.slot = this.to - 1;
    return this.slot >= this.from ? this.enter() : this.backward();
  }

  /**
   * Enters the leaf in which the key belongs; the answer is the key's slot there, as Page.find gives it. Who seeks one key
   * after another seeks near the last one more often than not: the way down begins at the lowest page of the path that
   * surely leads to the key, which is the leaf itself for a key between two of its own.
   */
  private locate(key: Uint8Array, start: number, end: number): number {
    const { root, leaf } = this;
    let { level } = root;
    if (this.isPathWhole) {
      const at = leaf.find(key, start, end);
      if (at >= 0 || (at < ~0 && ~at < leaf.count)) return at;
      level = this.descendFromBelow(key, start, end);
    } else this.readRoot();
    for (; level > 0; level--) this.descend(level, this.inner(level).childFor(key, start, end));
    this.enterLeaf();
    return leaf.find(key, start, end);
  }

  /** Takes a step down from the lowest page of the path that surely leads to the key; returns the level it leads to. */
  private descendFromBelow(key: Uint8Array, start: number, end: number): number {
    const { root } = this;
    for (let level = 1; level <= root.level; level++) {
      const page = this.inner(level);
      const slot = page.childFor(key, start, end);
      // Keys below the first child, and behind the last, may go on in other pages; not so at the root.
      if (level < root.level && (slot === 0 || slot === page.count - 1)) continue;
      this.descend(level, slot);
      return level - 1;
    }
    return 0;
  }

  private readRoot(): void {
    this.assertLease();
    this.pager.readRoot(this.root, this.inner(this.root.level));
  }

  private inner(level: number): Page {
    return this.path.pages[level] as Page;
  }

  /** Takes a slot of the page on a level: the reader below is aimed at that child. */
  private descend(level: number, slot: number): void {
    this.assertLease();
    this.isPathWhole = false;
    this.path.slots[level] = slot;
    this.pager.readChild(this.inner(level), slot, this.inner(level - 1));
  }

  private enterLeaf(): void {
    const { lower, upper, leaf } = this;
    this.isPathWhole = true;
    const from = leaf.find(lower, 0, lower.length);
    this.from = from < 0 ? ~from : from;
    this.to = leaf.count;
    if (upper !== undefined) {
      const to = leaf.find(upper, 0, upper.length);
      this.to = Math.max(to < 0 ? ~to : to, this.from);
    }
  }

  /** To the first entry of a later leaf. */
  private forward(): boolean {
    for (;;) {
      if (this.to < this.leaf.count) return this.stop(Place.BehindEnd);
      let level = 1;
      while (level <= this.root.level && this.path.slots[level]! + 1 >= this.inner(level).count) level++;
      if (level > this.root.level) return this.stop(Place.BehindEnd);
      this.descend(level, this.path.slots[level]! + 1);
      while (--level > 0) this.descend(level, 0);
      this.enterLeaf();
      this.slot = this.from;
      if (this.slot < this.to) return this.enter();
    }
  }

  /** To the last entry of an earlier leaf. */
  private backward(): boolean {
    for (;;) {
      if (this.from > 0) return this.stop(Place.BeforeStart);
      let level = 1;
      while (level <= this.root.level && this.path.slots[level]! === 0) level++;
      if (level > this.root.level) return this.stop(Place.BeforeStart);
      this.descend(level, this.path.slots[level]! - 1);
      while (--level > 0) this.descend(level, this.inner(level).count - 1);
      this.enterLeaf();
      this.slot = this.to - 1;
      if (this.slot >= this.from) return this.enter();
    }
  }

  private enter(): boolean {
    this.place = Place.Inside;
    return true;
  }

  /** Aims key and value at the present entry. */
  private show(): boolean {
    const { entry, leaf } = this;
    entry.read(leaf, this.slot);
    if (leaf.omittedBytes === 0) {
      this.key.set(leaf.bytes, entry.keyStart, entry.keyEnd);
    } else {
      const bytes = leaf.omittedBytes + entry.keyEnd - entry.keyStart;
      if (bytes > this.single.length) this.single = new Uint8Array(Math.max(bytes, 256));
      this.key.set(this.single, 0, assemble(leaf, entry, this.single, 0));
    }
    if (entry.overflow) this.assertLease();
    showValue(this.pager, leaf, entry, this.value);
    return true;
  }

  /** Before anything is read from the file: pages that are not pinned any more may be other ones by now. */
  private assertLease(): void {
    if (this.lease.ended !== undefined) throw this.lease.ended;
  }

  private reserve(bytes: number): void {
    if (this.arenaBytes + bytes <= this.arenaEnd) return;
    // What was handed out keeps the old arena alive.
    const arenaBytes = Math.max(bytes, Math.min((this.arenaEnd - this.arenaStart) * 2, ARENA_BYTES_MAX));
    if (arenaBytes <= ARENA_BYTES_MIN) {
      this.arenaStart = takeShare();
      this.arena = shared;
      this.arenaEnd = this.arenaStart + ARENA_BYTES_MIN;
    } else {
      this.arenaStart = 0;
      this.arena = new Uint8Array(arenaBytes);
      this.arenaEnd = arenaBytes;
    }
    this.arenaBytes = this.arenaStart;
  }

  private stop(place: Place): boolean {
    this.place = place;
    return false;
  }
}

/** Puts the key of an entry together; returns its end in the target. */
function assemble(leaf: Page, entry: LeafEntry, target: Uint8Array, at: number): number {
  const { bytes, prefixAt, omittedBytes } = leaf;
  const suffixAt = copyBytes(bytes, prefixAt, prefixAt + omittedBytes, target, at);
  return copyBytes(bytes, entry.keyStart, entry.keyEnd, target, suffixAt);
}
