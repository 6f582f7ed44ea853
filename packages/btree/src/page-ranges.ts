/**
 * Sets of pages as ranges: what is free, what a merge frees, what waits for a view to be released. Ascending and disjoint,
 * touching ranges joined. Sets are made whole from lists (a merge frees pages in key order, which is no order of pages),
 * and taken from at the low end, so that neither costs more than its pages.
 */
import { type ByteReader, ByteWriter, assert } from '@phantom/base';
import type { PageId } from './format.js';

/** How many ranges a search for several pages side by side looks at before it gives up and the file grows. */
const EXTENT_RANGES_MAX = 256;

export interface PageListData {
  readonly starts: Float64Array;
  readonly counts: Float64Array;
  readonly births: Float64Array;
}

/** Pages in the order in which somebody came by them, each with the generation that wrote it: 0 when nobody knows. */
export class PageList {
  private readonly starts: PageId[];
  private readonly counts: number[];
  private readonly births: number[];

  constructor() {
    this.starts = [];
    this.counts = [];
    this.births = [];
  }

  /** The list that `data` was taken from. */
  static of({ starts, counts, births }: PageListData): PageList {
    const list = new PageList();
    for (let i = 0; i < starts.length; i++) list.add(starts[i]!, counts[i]!, births[i]!);
    return list;
  }

  /** The list as plain data, which travels. */
  get data(): PageListData {
    const { starts, counts, births } = this;
    return {
      starts: Float64Array.from(starts),
      counts: Float64Array.from(counts),
      births: Float64Array.from(births),
    };
  }

  add(page: PageId, count = 1, birth = 0): void {
    const last = this.starts.length - 1;
    const end = last < 0 ? 0 : (this.starts[last] as number) + (this.counts[last] as number);
    if (end === page && last >= 0 && this.births[last] === birth) {
      this.counts[last] = (this.counts[last] as number) + count;
      return;
    }
    this.starts.push(page);
    this.counts.push(count);
    this.births.push(birth);
  }

  /** The pages written in generations of [from, to) as a set. A page that is in twice is a defect. */
  toRanges(from = 0, to: number = Number.POSITIVE_INFINITY): PageRanges {
    const order: number[] = [];
    for (let i = 0; i < this.starts.length; i++) {
      const birth = this.births[i] as number;
      if (birth >= from && birth < to) order.push(i);
    }
    order.sort((a, b) => (this.starts[a] as number) - (this.starts[b] as number));
    const ranges = new PageRanges();
    for (const i of order) ranges.append(this.starts[i] as number, this.counts[i] as number);
    return ranges;
  }
}

export class PageRanges {
  private starts: PageId[] = [];
  private counts: number[] = [];
  /** Ranges at the front of the arrays that were taken whole. */
  private head = 0;
  private total = 0;

  /** Pages in all ranges. */
  get pages(): number {
    return this.total;
  }

  get ranges(): number {
    return this.starts.length - this.head;
  }

  /** Behind the last page; 0 when the set is empty. */
  get end(): PageId {
    const last = this.ranges - 1;
    return last < 0 ? 0 : this.start(last) + this.count(last);
  }

  start(index: number): PageId {
    return this.starts[this.head + index] as PageId;
  }

  count(index: number): number {
    return this.counts[this.head + index] as number;
  }

  /** Adds pages behind all others. */
  append(page: PageId, count: number): void {
    const { end } = this;
    assert(page >= end, 'a page is in a set only once');
    this.total += count;
    if (end === page && this.ranges > 0) {
      this.counts[this.counts.length - 1] = (this.counts[this.counts.length - 1] as number) + count;
      return;
    }
    this.starts.push(page);
    this.counts.push(count);
  }

  /** Adds everything of another set, which shares no page with this one. */
  addAll(other: PageRanges): void {
    if (other.ranges === 0) return;
    const mine = this.copy();
    this.clear();
    let i = 0;
    let j = 0;
    while (i < mine.ranges || j < other.ranges) {
      const takeMine = j === other.ranges || (i < mine.ranges && mine.start(i) < other.start(j));
      const source = takeMine ? mine : other;
      const index = takeMine ? i++ : j++;
      this.append(source.start(index), source.count(index));
    }
  }

  /** The pages of this set that are not in another one. */
  without(other: PageRanges): PageRanges {
    const rest = new PageRanges();
    let j = 0;
    for (let i = 0; i < this.ranges; i++) {
      let at = this.start(i);
      const end = at + this.count(i);
      while (j < other.ranges && other.start(j) + other.count(j) <= at) j++;
      for (let k = j; k < other.ranges && other.start(k) < end; k++) {
        if (other.start(k) > at) rest.append(at, other.start(k) - at);
        at = Math.max(at, other.start(k) + other.count(k));
      }
      if (at < end) rest.append(at, end - at);
    }
    return rest;
  }

  /** Takes `count` pages that lie side by side out of the set, low ones first; 0 when none were found. */
  take(count: number): PageId {
    const limit = Math.min(this.ranges, EXTENT_RANGES_MAX);
    for (let i = 0; i < limit; i++) {
      const available = this.count(i);
      if (available < count) continue;
      const page = this.start(i);
      this.total -= count;
      if (available > count) {
        this.starts[this.head + i] = page + count;
        this.counts[this.head + i] = available - count;
      } else if (i === 0) {
        this.head++;
      } else {
        this.starts.splice(this.head + i, 1);
        this.counts.splice(this.head + i, 1);
      }
      return page;
    }
    return 0;
  }

  /** Takes the range that ends right before `end` out of the set; returns where it began, or `end` when there is none. */
  takeTail(end: PageId): PageId {
    if (this.ranges === 0 || this.end !== end) return end;
    const page = this.start(this.ranges - 1);
    this.total -= end - page;
    this.starts.pop();
    this.counts.pop();
    return page;
  }

  /** Pages of the range that ends right before `end`. */
  tailPages(end: PageId): number {
    return this.ranges > 0 && this.end === end ? this.count(this.ranges - 1) : 0;
  }

  copy(): PageRanges {
    const copy = new PageRanges();
    copy.starts = this.starts.slice(this.head);
    copy.counts = this.counts.slice(this.head);
    copy.total = this.total;
    return copy;
  }

  clear(): void {
    this.starts = [];
    this.counts = [];
    this.head = 0;
    this.total = 0;
  }

  /** The form of format.ts. */
  encode(): Uint8Array {
    const out = new ByteWriter(this.ranges * 4 + 8);
    out.varint(this.ranges);
    let end = 0;
    for (let i = 0; i < this.ranges; i++) {
      out.varint(this.start(i) - end);
      out.varint(this.count(i));
      end = this.start(i) + this.count(i);
    }
    return out.take();
  }

  /** Bytes that `encode` gives at most. */
  get encodedBytesMax(): number {
    return this.ranges * 10 + 8;
  }

  static decode(reader: ByteReader): PageRanges {
    const ranges = new PageRanges();
    let end = 0;
    for (let left = reader.varint(); left > 0; left--) {
      const start = end + reader.varint();
      const count = reader.varint();
      ranges.append(start, count);
      end = start + count;
    }
    return ranges;
  }
}
