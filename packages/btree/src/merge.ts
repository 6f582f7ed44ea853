/**
 * Merges a sorted stream of writes into a tree, copy-on-write: walks the old tree beside the stream, opens only pages that
 * a write or a removed range touches, and hands everything else over as it is. The old tree stays whole.
 *
 *      writes        ....k3..k7.......................k90
 *      old leaves    [k1-k5] [k6-k9] [k10-k20] ... [k85-k95]
 *                     opened  opened  taken over    opened
 *
 *   - A page that would be left less than a third full draws its right neighbour in, which is then opened, too.
 *   - A removed range that covers a subtree frees it; leaves without overflow are then not even read.
 *   - It is a plain function of (old root, writes, removed ranges), in slices: the owner resumes it, in a thread of its
 *     choice, and commits the root or gives the new pages back.
 *
 * Cost: every opened page is read and written once; with n writes spread over the tree that is at most n leaves and their
 * ancestors. When that pays is merge-policy.ts' business.
 */
import { compareBytes, compareKeys, readU32, writeU32 } from '@phantom/base';
import { ByteSlot } from '@phantom/kv';
import { type KeyIntervals, type VersionCursor, VersionKind } from '@phantom/runs';
import { OVERFLOW_REFERENCE_BYTES, type PageRef, type TreeRoot, inlineBytesMax } from './format.js';
import { EDIT_WRITES_MAX, LeafEdit, type ValueStore } from './leaf-edit.js';
import { LeafEntry, Page } from './page.js';
import { PageList } from './page-ranges.js';
import type { PageWriter } from './page-writer.js';
import { type Pager, refOf } from './pager.js';
import { TreeWriter } from './tree-writer.js';
import { WriteQueue } from './write-queue.js';

const NO_BYTES = new Uint8Array(0);
/** Entries and pages between two looks at the clock. */
const STEPS_PER_LOOK = 64;

export interface MergeInput {
  readonly pager: Pager;
  readonly root: TreeRoot;
  /** The newest version of each key; removals included. */
  readonly writes: VersionCursor;
  /** What is removed from the tree before the writes are put in; undefined when nothing is. */
  readonly removed: KeyIntervals | undefined;
  readonly out: PageWriter;
  /** True when the slice of time is over. */
  readonly pause: () => boolean;
}

export class TreeMerge implements ValueStore {
  /** Pages of the old tree that the new one does not reach. */
  readonly freed = new PageList();
  private readonly input: MergeInput;
  private readonly pager: Pager;
  private readonly writes: WriteQueue;
  private readonly edit: LeafEdit;
  private readonly writer: TreeWriter;
  private readonly inlineBytesMax: number;
  private readonly entry = new LeafEntry();
  private readonly reference = new Uint8Array(OVERFLOW_REFERENCE_BYTES);
  private readonly stored = new ByteSlot();
  /** The old leaf at hand. */
  private readonly leaf: Page;
  private key = new Uint8Array(256);
  private steps = STEPS_PER_LOOK;

  constructor(input: MergeInput) {
    this.input = input;
    this.pager = input.pager;
    this.writes = new WriteQueue(input.writes);
    this.writer = new TreeWriter(input.out);
    this.inlineBytesMax = inlineBytesMax(input.pager.pageBytes);
    this.leaf = new Page(input.pager.pageBytes);
    this.edit = new LeafEdit(input.pager.pageBytes, this.inlineBytesMax);
  }

  /** Runs in slices: yields when `pause` says so, returns the new root. Its pages are written, not synced. */
  *run(): Generator<void, TreeRoot> {
    const { root } = this.input;
    if (root.id === 0) {
      this.writer.atRightEdge = true;
      this.writer.beginLeaf(NO_BYTES);
    } else {
      yield* this.mergeNode(root, root.level, NO_BYTES, undefined);
    }
    yield* this.putBelow(undefined);
    const merged = this.writer.finish();
    this.input.out.flush();
    return merged;
  }

  /** Merges a page with the writes below `upper`, which is where its keys end. */
  private *mergeNode(ref: PageRef, level: number, lower: Uint8Array, upper: Uint8Array | undefined): Generator<void> {
    this.writer.atRightEdge = upper === undefined;
    if (this.takeOver(ref, level, lower, upper)) return;
    if (this.isCovered(lower, upper)) {
      yield* this.free(ref, level);
      this.writer.beginLeaf(lower);
      yield* this.putBelow(upper);
      return;
    }
    if (level === 0) {
      if (!this.editLeaf(ref, lower, upper)) yield* this.mergeLeaf(lower, upper);
      return;
    }
    const page = new Page(this.pager.pageBytes);
    this.pager.read(ref.id, ref.checksumLow, ref.checksumHigh, level, page);
    this.freed.add(ref.id, 1, page.generation);
    let from = lower;
    for (let slot = 0; slot < page.count; slot++) {
      const to = slot + 1 < page.count ? page.key(slot + 1) : upper;
      const child = refOf(page, slot);
      this.writer.atRightEdge = to === undefined;
      // The two usual cases without the cost of another generator.
      if (!this.takeOver(child, level - 1, from, to)) {
        if (level > 1 || this.isCovered(from, to)) yield* this.mergeNode(child, level - 1, from, to);
        else if (!this.editLeaf(child, from, to)) yield* this.mergeLeaf(from, to);
      }
      if (this.pauseDue()) yield;
      if (to !== undefined) from = to;
    }
  }

  /** Lets a page that nothing touches stay as it is, with everything under it. */
  private takeOver(ref: PageRef, level: number, lower: Uint8Array, upper: Uint8Array | undefined): boolean {
    if (this.isTouched(lower, upper) || this.writer.isUnderfull(level)) return false;
    this.writer.addSubtree(level, lower, ref);
    return true;
  }

  /** Reads a leaf into the merge's reader, and makes its successor in one piece if a few writes are all there is to it. */
  private editLeaf(ref: PageRef, lower: Uint8Array, upper: Uint8Array | undefined): boolean {
    const { writes, edit, writer, leaf, pager } = this;
    const { out } = this.input;
    // A leaf that nobody has in the cache need not come into it for this, nor its successor.
    out.remembersLeaves = pager.readOnce(ref.id, ref.checksumLow, ref.checksumHigh, leaf);
    this.freed.add(ref.id, 1, leaf.generation);
    if (this.isCut(lower, upper) || writer.isUnderfull(0)) return false;
    if (!writes.stageBelow(upper, EDIT_WRITES_MAX, pager.pageBytes) || !edit.fits(leaf, writes)) return false;
    edit.build(leaf, writes, out.startPage(), this);
    const { id, checksumLow, checksumHigh } = out.finishPage();
    writes.dropStaged();
    writer.addSubtree(0, lower, {
      id,
      checksumLow,
      checksumHigh,
      keys: edit.keys,
      pages: ref.pages + edit.overflowPages,
    });
    return true;
  }

  /** Merges the leaf that editLeaf has read, entry by entry. */
  private *mergeLeaf(lower: Uint8Array, upper: Uint8Array | undefined): Generator<void> {
    const page = this.leaf;
    this.writer.beginLeaf(lower);
    for (let slot = 0; slot < page.count; slot++) {
      const keyBytes = page.keyBytes(slot);
      if (keyBytes > this.key.length) this.key = new Uint8Array(keyBytes * 2);
      const end = page.copyKey(slot, this.key, 0);
      let replaced = false;
      while (this.writes.more) {
        const { key } = this.writes;
        const order = compareBytes(key.buffer, key.start, key.end, this.key, 0, end);
        if (order > 0) break;
        this.put();
        if (this.pauseDue()) yield;
        if (order === 0) {
          replaced = true;
          break;
        }
      }
      this.keep(page, slot, end, replaced);
    }
    yield* this.putBelow(upper);
  }

  /** Hands an entry of an old leaf on, unless it was replaced or removed. */
  private keep(page: Page, slot: number, end: number, replaced: boolean): void {
    const { entry } = this;
    entry.read(page, slot);
    const { removed } = this.input;
    if (replaced || (removed !== undefined && removed.find(this.key, 0, end) >= 0)) {
      this.dropValue(page, entry);
      return;
    }
    const pages = entry.overflow ? this.pager.extentPages(entry.valueBytes) : 0;
    const valueEnd = entry.keyEnd + (entry.overflow ? OVERFLOW_REFERENCE_BYTES : entry.valueBytes);
    const tag = entry.valueBytes * 2 + (entry.overflow ? 1 : 0);
    this.writer.addEntry(this.key, 0, end, tag, page.bytes, entry.keyEnd, valueEnd, pages);
  }

  /** Puts in every write below the bound. */
  private *putBelow(upper: Uint8Array | undefined): Generator<void> {
    while (this.writes.more) {
      const { key } = this.writes;
      if (upper !== undefined && compareBytes(key.buffer, key.start, key.end, upper, 0, upper.length) >= 0) return;
      this.put();
      if (this.pauseDue()) yield;
    }
  }

  /** Puts the present write in and goes to the next. */
  private put(): void {
    const { key, value, kind } = this.writes;
    if (kind === VersionKind.Put) {
      const { stored } = this;
      const pages = this.storeValue(value, stored);
      const tag = (value.end - value.start) * 2 + (pages > 0 ? 1 : 0);
      const { buffer, start, end } = stored;
      this.writer.addEntry(key.buffer, key.start, key.end, tag, buffer, start, end, pages);
    }
    this.writes.next();
  }

  /** Aims a slot at what a leaf stores for a value, and writes overflow pages if it is too long; returns how many. */
  storeValue(value: ByteSlot, stored: ByteSlot): number {
    const bytes = value.end - value.start;
    if (bytes <= this.inlineBytesMax) {
      stored.set(value.buffer, value.start, value.end);
      return 0;
    }
    const { id, checksumLow, checksumHigh } = this.input.out.addExtent(value.buffer, value.start, value.end);
    const { reference } = this;
    writeU32(reference, 0, id);
    writeU32(reference, 4, checksumLow);
    writeU32(reference, 8, checksumHigh);
    stored.set(reference, 0, reference.length);
    return this.pager.extentPages(bytes);
  }

  /** Frees the overflow pages of an entry; returns how many. */
  dropValue(page: Page, entry: LeafEntry): number {
    if (!entry.overflow) return 0;
    const pages = this.pager.extentPages(entry.valueBytes);
    this.freed.add(readU32(page.bytes, entry.keyEnd), pages);
    return pages;
  }

  /** Frees a subtree. Leaves are read only where they may have overflow pages. */
  private *free(ref: PageRef, level: number): Generator<void> {
    this.freed.add(ref.id);
    if (level === 0 && ref.pages === 1) return;
    const page = new Page(this.pager.pageBytes);
    this.pager.read(ref.id, ref.checksumLow, ref.checksumHigh, level, page);
    if (this.pauseDue()) yield;
    for (let slot = 0; slot < page.count; slot++) {
      if (level > 0) {
        yield* this.free(refOf(page, slot), level - 1);
      } else {
        this.entry.read(page, slot);
        this.dropValue(page, this.entry);
      }
    }
  }

  /** True when a write or a removed range reaches into [lower, upper). Writes below `lower` are all put in already. */
  private isTouched(lower: Uint8Array, upper: Uint8Array | undefined): boolean {
    if (this.writes.more) {
      const { key } = this.writes;
      if (upper === undefined || compareBytes(key.buffer, key.start, key.end, upper, 0, upper.length) < 0) return true;
    }
    return this.isCut(lower, upper);
  }

  /** True when a removed range reaches into [lower, upper). */
  private isCut(lower: Uint8Array, upper: Uint8Array | undefined): boolean {
    const { removed } = this.input;
    if (removed === undefined) return false;
    const start = removed.lowers[removed.firstEndingAfter(lower, 0, lower.length)];
    return start !== undefined && (upper === undefined || compareKeys(start, upper) < 0);
  }

  /** True when one removed range covers all of [lower, upper). */
  private isCovered(lower: Uint8Array, upper: Uint8Array | undefined): boolean {
    const { removed } = this.input;
    if (removed === undefined || upper === undefined) return false;
    const index = removed.find(lower, 0, lower.length);
    return index >= 0 && compareKeys(removed.uppers[index] as Uint8Array, upper) >= 0;
  }

  private pauseDue(): boolean {
    if (--this.steps > 0) return false;
    this.steps = STEPS_PER_LOOK;
    return this.input.pause();
  }
}
