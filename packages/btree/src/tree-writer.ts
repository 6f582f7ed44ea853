/**
 * Builds a tree bottom up from what it is fed in key order: entries, and whole subtrees of the old tree that stay as they
 * are. One builder for each level; before a subtree of level l is taken, the levels up to l are closed, since what is
 * pending there lies before it.
 *
 *      level 2     [ . . . ]            builder: children [A] [B]            addSubtree(level 1, C) closes levels 0 and 1,
 *      level 1     [A]  [B]  [C]        builder: leaves of the page          then appends C to the builder of level 2
 *      level 0     ...                  builder: entries
 */
import { EMPTY_ROOT, type PageRef, type TreeRoot, rootOf } from './format.js';
import { PageBuilder, type PageSink } from './page-builder.js';

/** Pages between neighbours that may grow are filled so far; the next few inserts then need no split. */
const FILL = 0.9;

export class TreeWriter {
  private readonly sink: PageSink;
  private readonly builders: PageBuilder[] = [];
  private readonly fillBytes: number;
  /** True while what is fed lies behind all of the old tree: pages are then filled whole. */
  atRightEdge = false;

  constructor(sink: PageSink) {
    this.sink = sink;
    this.fillBytes = Math.floor(sink.pageBytes * FILL);
  }

  /** Says what separates the entries that follow from those before; needed whenever no entries are pending. */
  beginLeaf(separator: Uint8Array): void {
    const leaves = this.builder(0);
    if (leaves.isEmpty) leaves.beginGroup(separator);
  }

  /** Adds an entry; see PageBuilder.addEntry. */
  addEntry(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    tag: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
    overflowPages: number,
  ): void {
    this.builder(0).addEntry(key, keyStart, keyEnd, tag, value, valueStart, valueEnd, overflowPages, this.bytesMax);
  }

  /** Takes a page of the old tree over with everything under it. */
  addSubtree(level: number, separator: Uint8Array, page: PageRef): void {
    for (let below = 0; below <= level; below++) this.builder(below).close(false);
    this.builder(level + 1).addChild(separator, page, this.bytesMax);
  }

  /** True when taking a subtree of this level over now would leave a page behind that is less than a third full. */
  isUnderfull(level: number): boolean {
    for (let below = 0; below <= level && below < this.builders.length; below++) {
      if (this.builder(below).isUnderfull) return true;
    }
    return false;
  }

  /** Writes what is pending and returns the root. */
  finish(): TreeRoot {
    // Closing a level feeds the one above, so the number of levels may grow while this runs.
    for (let level = 0; level < this.builders.length; level++) {
      const builder = this.builder(level);
      const isTop = level === this.builders.length - 1;
      const root = isTop ? builder.singleChild() : undefined;
      if (root !== undefined) return rootOf(root, level - 1);
      builder.close(true);
    }
    return EMPTY_ROOT;
  }

  private get bytesMax(): number {
    return this.atRightEdge ? this.sink.pageBytes : this.fillBytes;
  }

  private builder(level: number): PageBuilder {
    let builder = this.builders[level];
    if (builder === undefined) {
      builder = new PageBuilder(this.sink, level, (separator, page) => {
        this.builder(level + 1).addChild(separator, page, this.bytesMax);
      });
      this.builders[level] = builder;
    }
    return builder;
  }
}
