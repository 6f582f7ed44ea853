/**
 * The pages of one tree file: read once, proven, cached, and written anew, never over one that something reaches.
 *
 * Reading: a page is found in the cache by its number; the checksum that its parent carries says whether the cached
 * version is the one meant (it stands for the generation), and, when it was read from disk, whether the disk gave back what
 * was written there: a lost, torn or misdirected write fails it. Overflow values are read whole, not cached.
 *
 * Writing: pages of a merge go to free numbers, lowest first, and neighbours leave in one write.
 *
 * Free pages and their way back:
 *   1. `free` may be written to. Nothing durable and no view reaches them.
 *   2. A merge collects what it replaces. When its meta is durable and its generation recorded, these wait in `retired`
 *      until no view is left that reaches them: one whose root is older than the merge, but not older than the page. So a
 *      long reader holds what its own root reaches, and not what came and went since.
 *   3. The freelist in a meta holds free and retired pages alike: once a file is opened there are no views.
 */
import { ByteReader, type Checksums, corruptionError } from '@phantom/base';
import type { BlockCache } from '@phantom/runs';
import type { VfsFile } from '@phantom/vfs';
import { type PageId, type PageRef, type TreeRoot, firstPage, highHalf, lowHalf, pageSeed } from './format.js';
import { Page } from './page.js';
import { PageCache } from './page-cache.js';
import { type PageList, PageRanges } from './page-ranges.js';

export interface PagerOptions {
  readonly file: VfsFile;
  readonly checksums: Checksums;
  readonly cache: BlockCache;
  readonly pageBytes: number;
  readonly tree: number;
  /** Pages of the file, those under the metas included. */
  readonly pageCount: number;
}

/** What must be found where; a PageRef, or an extent of overflow or freelist pages. */
export interface Expected {
  readonly id: PageId;
  readonly checksumLow: number;
  readonly checksumHigh: number;
}

/** Pages that are reached by roots of the generations [from, until), as far as somebody holds one. */
interface RetiredPages {
  readonly from: number;
  readonly until: number;
  readonly pages: PageRanges;
}

export class Pager {
  readonly file: VfsFile;
  readonly pageBytes: number;
  readonly tree: number;
  readonly checksums: Checksums;
  /** Work counters; all rise. */
  pagesRead = 0;
  cacheHits = 0;
  pagesWritten = 0;
  /** True while a merge holds pages that nothing reaches yet. */
  isWriting = false;
  free = new PageRanges();
  /** A reader for lookups that need one page at a time; a transient one, so that what they find is copied. */
  readonly page: Page;
  private readonly cached: PageCache;
  private retired: RetiredPages[] = [];
  private onceBytes: Uint8Array | undefined = undefined;
  private pageCountNow: number;

  constructor(options: PagerOptions) {
    this.file = options.file;
    this.checksums = options.checksums;
    this.cached = new PageCache(options.cache, options.pageBytes);
    this.pageBytes = options.pageBytes;
    this.tree = options.tree;
    this.pageCountNow = options.pageCount;
    this.page = new Page(options.pageBytes, true);
  }

  /** Pages of the file, the free ones and those under the metas included. */
  get pageCount(): number {
    return this.pageCountNow;
  }

  /** Aims `page` at the page that a reference names. Throws a corruption error when the disk has another one there. */
  read(id: PageId, checksumLow: number, checksumHigh: number, level: number, page: Page): void {
    if (this.cached.find(id, checksumLow, checksumHigh, page)) this.cacheHits++;
    else this.load(id, checksumLow, checksumHigh, level, page);
  }

  /**
   * As read, for a leaf that is about to be replaced: one that is not cached is read into a buffer that the next such call
   * uses again. True when it was cached.
   */
  readOnce(id: PageId, checksumLow: number, checksumHigh: number, page: Page): boolean {
    if (this.cached.find(id, checksumLow, checksumHigh, page)) {
      this.cacheHits++;
      return true;
    }
    this.onceBytes ??= new Uint8Array(this.pageBytes);
    const words = new Int32Array(this.onceBytes.buffer);
    this.fill(id, checksumLow, checksumHigh, 0, page, this.onceBytes, words, 0);
    return false;
  }

  readRoot(root: TreeRoot, page: Page): void {
    this.read(root.id, root.checksumLow, root.checksumHigh, root.level, page);
  }

  /** Aims `page` at a child of an inner page; both may be the same reader. */
  readChild(parent: Page, slot: number, page: Page): void {
    const { level } = parent;
    this.read(parent.child(slot), parent.childChecksumLow(slot), parent.childChecksumHigh(slot), level - 1, page);
  }

  /** Pages that a value of so many bytes takes. */
  extentPages(bytes: number): number {
    return Math.max(1, Math.ceil(bytes / this.pageBytes));
  }

  /** Reads overflow or freelist bytes whole into a buffer of their own. */
  readExtent(expected: Expected, bytes: number): Uint8Array {
    const out = new Uint8Array(bytes);
    const { id } = expected;
    const found = id < this.pageCountNow ? this.file.readAt(id * this.pageBytes, out) : 0;
    this.pagesRead += this.extentPages(bytes);
    const checksum = this.checksums.h64(out, 0, bytes, pageSeed(this.tree, id));
    const low = lowHalf(checksum);
    const high = highHalf(checksum);
    if (found !== bytes || low !== expected.checksumLow || high !== expected.checksumHigh) {
      throw this.corrupt('overflow pages have the wrong checksum', id, expected, low, high);
    }
    return out;
  }

  /** As read, past the cache, into a buffer of its own. */
  readUncached(id: PageId, checksumLow: number, checksumHigh: number, level: number, page: Page): void {
    const bytes = new Uint8Array(this.pageBytes);
    this.fill(id, checksumLow, checksumHigh, level, page, bytes, new Int32Array(bytes.buffer), 0);
  }

  /** Numbers for `count` new pages side by side. The file grows when none are free. */
  allocate(count: number): PageId {
    const reused = this.free.take(count);
    if (reused !== 0) return reused;
    const id = this.pageCountNow;
    this.pageCountNow += count;
    return id;
  }

  /** Takes over what a merge in another thread did: pages it took, the end of the file it left, and its reads and writes. */
  adopt(allocated: PageRanges, pageCount: number, pagesRead: number, pagesWritten: number): void {
    this.free = this.free.without(allocated);
    this.pageCountNow = pageCount;
    this.pagesRead += pagesRead;
    this.pagesWritten += pagesWritten;
  }

  /** The file has at least so many pages: another thread has written to it. */
  grow(pageCount: number): void {
    this.pageCountNow = Math.max(this.pageCountNow, pageCount);
  }

  /** Gives numbers back that were allocated and never became reachable. */
  giveBack(pages: PageRanges): void {
    this.free.addAll(pages);
  }

  /** Puts a page that was just written into the cache. */
  remember(id: PageId, page: Uint8Array): void {
    this.cached.add(id, false, (bytes, _words, base) => bytes.set(page, base));
  }

  /**
   * Takes pages that roots before `generation` reach and later ones do not. Call it once that generation is recorded, with
   * the generations of the roots that are held, ascending.
   */
  retire(generation: number, list: PageList, held: readonly number[]): void {
    let birth = 0;
    for (const root of held) {
      if (root >= generation) break;
      // Written after the held root before this one, and no later than this one: this is the first that reaches them.
      const pages = list.toRanges(birth, root + 1);
      if (pages.pages > 0) this.retired.push({ from: root, until: generation, pages });
      birth = root + 1;
    }
    this.release(list.toRanges(birth));
  }

  /** Frees what none of the held roots reaches. */
  reclaim(held: readonly number[]): void {
    if (this.retired.length === 0) return;
    const { retired } = this;
    this.retired = retired.filter(({ from, until }) => held.some((root) => root >= from && root < until));
    for (const entry of retired) if (!this.retired.includes(entry)) this.release(entry.pages);
  }

  /** Pages that wait for a view to be released. */
  retiredRanges(): PageRanges[] {
    return this.retired.map(({ pages }) => pages);
  }

  /** Every page that a meta written now may call free, besides `more`. */
  freeForMeta(more: PageRanges): PageRanges {
    const all = this.free.copy();
    for (const entry of this.retired) all.addAll(entry.pages);
    all.addAll(more);
    return all;
  }

  /** Shrinks the file in the head: free pages at its end go. Returns the new page count. */
  dropTail(): number {
    this.pageCountNow = this.free.takeTail(this.pageCountNow);
    return this.pageCountNow;
  }

  /** Reads the freelist that a meta names. */
  loadFree(expected: Expected, bytes: number): void {
    const reader = new ByteReader(this.readExtent(expected, bytes), this.file.path);
    this.free = PageRanges.decode(reader);
    const { end } = this.free;
    if (end > this.pageCountNow) {
      throw corruptionError('the freelist names pages behind the end', {
        file: this.file.path,
        offset: expected.id * this.pageBytes,
        expected: this.pageCountNow,
        found: end,
      });
    }
  }

  /** Forgets every cached page. */
  close(): void {
    this.cached.clear();
    this.file.close();
  }

  private load(id: PageId, checksumLow: number, checksumHigh: number, level: number, page: Page): void {
    const isKept = this.cached.add(id, !page.isTransient, (bytes, words, base) => {
      this.fill(id, checksumLow, checksumHigh, level, page, bytes, words, base);
    });
    if (!isKept) this.readUncached(id, checksumLow, checksumHigh, level, page);
  }

  /** Reads a page into its place, proves it, and aims the reader at it. */
  private fill(
    id: PageId,
    checksumLow: number,
    checksumHigh: number,
    level: number,
    page: Page,
    bytes: Uint8Array,
    words: Int32Array,
    base: number,
  ): void {
    const { pageBytes } = this;
    const isInside = id >= firstPage(pageBytes) && id < this.pageCountNow;
    const found = isInside ? this.file.readAt(id * pageBytes, bytes.subarray(base, base + pageBytes)) : 0;
    this.pagesRead++;
    const expected = { id, checksumLow, checksumHigh };
    const checksum = this.checksums.h64(bytes, base + 8, base + pageBytes, pageSeed(this.tree, id));
    const low = lowHalf(checksum);
    const high = highHalf(checksum);
    if (found !== pageBytes || low !== checksumLow || high !== checksumHigh) {
      throw this.corrupt('a page is not the one its parent names', id, expected, low, high);
    }
    page.aim(bytes, words, base);
    if (page.checksumLow !== low || page.checksumHigh !== high) {
      throw this.corrupt('a page carries the wrong checksum', id, expected, page.checksumLow, page.checksumHigh);
    }
    const defect = page.defect();
    if (defect !== undefined || page.id !== id || page.level !== level) {
      const what = defect ?? `it is page ${page.id} of level ${page.level} instead of ${level}`;
      throw corruptionError(`page ${id} is malformed: ${what}`, { file: this.file.path, offset: id * pageBytes });
    }
  }

  private release(pages: PageRanges): void {
    for (let i = 0; i < pages.ranges; i++) {
      const end = pages.start(i) + pages.count(i);
      for (let id = pages.start(i); id < end; id++) this.cached.forget(id);
    }
    this.free.addAll(pages);
  }

  private corrupt(message: string, id: PageId, expected: Expected, low: number, high: number): Error {
    return corruptionError(message, {
      file: this.file.path,
      offset: id * this.pageBytes,
      expected: hex(expected.checksumHigh, expected.checksumLow),
      found: hex(high, low),
    });
  }
}

function hex(high: number, low: number): string {
  return (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0');
}

/** A reference as plain fields. */
export function refOf(parent: Page, slot: number): PageRef {
  return {
    id: parent.child(slot),
    checksumLow: parent.childChecksumLow(slot),
    checksumHigh: parent.childChecksumHigh(slot),
    keys: parent.childKeys(slot),
    pages: parent.childPages(slot),
  };
}
