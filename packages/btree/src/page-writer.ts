/**
 * Writes the pages of one merge: gives each its number and checksum, gathers neighbours into one write, and remembers
 * what it took, so that a merge that fails leaves nothing behind but free pages.
 */
import { writeU32, writeU64 } from '@phantom/base';
import { type PageId, highHalf, lowHalf, pageSeed } from './format.js';
import type { PageSink } from './page-builder.js';
import { PageList } from './page-ranges.js';
import type { Expected, Pager } from './pager.js';

const WRITE_BYTES_MAX = 1024 * 1024;

export class PageWriter implements PageSink {
  readonly pageBytes: number;
  /** Everything allocated so far. */
  readonly allocated = new PageList();
  bytesWritten = 0;
  private readonly pager: Pager;
  private readonly generation: number;
  /** Written pages go into the cache: right for pages that replace cached ones. */
  private readonly remember: boolean;
  private waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private waitingFirst: PageId = 0;
  private waitingNext: PageId = 0;

  constructor(pager: Pager, generation: number, remember: boolean) {
    this.pager = pager;
    this.pageBytes = pager.pageBytes;
    this.generation = generation;
    this.remember = remember;
  }

  addPage(bytes: Uint8Array): Expected {
    const { pager } = this;
    const id = this.allocate(1);
    writeU32(bytes, 8, id);
    writeU64(bytes, 16, this.generation);
    const checksum = pager.checksums.h64(bytes, 8, this.pageBytes, pageSeed(pager.tree, id));
    const checksumLow = lowHalf(checksum);
    const checksumHigh = highHalf(checksum);
    writeU32(bytes, 0, checksumLow);
    writeU32(bytes, 4, checksumHigh);
    if (this.remember || (bytes[13] as number) > 0) pager.remember(id, bytes);
    this.write(id, 1, bytes);
    return { id, checksumLow, checksumHigh };
  }

  /** Writes bytes on as many pages as they take, side by side. The bytes are copied. */
  addExtent(source: Uint8Array, start: number, end: number): Expected {
    const id = this.allocate(this.pager.extentPages(end - start));
    return this.writeExtent(id, source, start, end);
  }

  /** Numbers for an extent whose bytes are known only after it has them. */
  allocate(count: number): PageId {
    const id = this.pager.allocate(count);
    this.allocated.add(id, count);
    return id;
  }

  /** Writes an extent to pages that were allocated for it. */
  writeExtent(id: PageId, source: Uint8Array, start: number, end: number): Expected {
    const { pager } = this;
    const count = pager.extentPages(end - start);
    const checksum = pager.checksums.h64(source, start, end, pageSeed(pager.tree, id));
    // Whole pages are written, so that the file always ends on a page.
    const bytes = new Uint8Array(count * this.pageBytes);
    bytes.set(source.subarray(start, end));
    this.write(id, count, bytes);
    return { id, checksumLow: lowHalf(checksum), checksumHigh: highHalf(checksum) };
  }

  /** Hands everything that waits to the file. Not synced. */
  flush(): void {
    if (this.waiting.length === 0) return;
    let bytes = this.waiting[0] as Uint8Array;
    if (this.waiting.length > 1) {
      bytes = new Uint8Array(this.waitingBytes);
      let at = 0;
      for (const page of this.waiting) {
        bytes.set(page, at);
        at += page.length;
      }
    }
    this.pager.file.writeAt(this.waitingFirst * this.pageBytes, bytes);
    this.bytesWritten += bytes.length;
    this.waiting = [];
    this.waitingBytes = 0;
  }

  private write(id: PageId, count: number, bytes: Uint8Array): void {
    if (this.waiting.length > 0 && (id !== this.waitingNext || this.waitingBytes + bytes.length > WRITE_BYTES_MAX)) {
      this.flush();
    }
    if (this.waiting.length === 0) this.waitingFirst = id;
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
    this.waitingNext = id + count;
    this.pager.pagesWritten += count;
  }
}
