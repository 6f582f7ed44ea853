/**
 * Writes the pages of one merge: gives each its number and checksum, gathers neighbours into one write, and remembers
 * what it took, so that a merge that fails leaves nothing behind but free pages. Pages are built where they are written
 * from: a merge of a million pages allocates one buffer.
 */
import { assert, writeU32, writeU64 } from '@phantom/base';
import { type PageId, highHalf, lowHalf, pageSeed } from './format.js';
import type { PageSink } from './page-builder.js';
import { PageList } from './page-ranges.js';
import type { Expected, Pager } from './pager.js';

const BUFFER_BYTES = 512 * 1024;

export class PageWriter implements PageSink {
  readonly pageBytes: number;
  /** Everything allocated so far. */
  readonly allocated = new PageList();
  bytesWritten = 0;
  /** Whether finished leaves go into the cache: right for those that replace cached ones. Inner pages always do. */
  remembersLeaves: boolean;
  readonly pager: Pager;
  private readonly generation: number;
  private readonly buffer = new Uint8Array(BUFFER_BYTES);
  /** Pages that wait in the buffer: finished ones, side by side on disk. */
  private waitingBytes = 0;
  private waitingFirst: PageId = 0;
  private waitingNext: PageId = 0;
  /** The page that is being built behind them. */
  private open: Uint8Array | undefined = undefined;
  private openId: PageId = 0;

  constructor(pager: Pager, generation: number, remembersLeaves: boolean) {
    this.pager = pager;
    this.pageBytes = pager.pageBytes;
    this.generation = generation;
    this.remembersLeaves = remembersLeaves;
  }

  startPage(): Uint8Array {
    assert(this.open === undefined, 'one page is built at a time');
    const id = this.allocate(1);
    const isFull = this.waitingBytes + this.pageBytes > this.buffer.length;
    if (id !== this.waitingNext || isFull) this.flush();
    if (this.waitingBytes === 0) this.waitingFirst = id;
    this.openId = id;
    this.open = this.buffer.subarray(this.waitingBytes, this.waitingBytes + this.pageBytes);
    this.open.fill(0);
    return this.open;
  }

  finishPage(): Expected {
    const { pager, open: bytes, openId: id } = this;
    assert(bytes !== undefined, 'a page is built before it is finished');
    writeU32(bytes, 8, id);
    writeU64(bytes, 16, this.generation);
    const checksum = pager.checksums.h64(bytes, 8, this.pageBytes, pageSeed(pager.tree, id));
    const checksumLow = lowHalf(checksum);
    const checksumHigh = highHalf(checksum);
    writeU32(bytes, 0, checksumLow);
    writeU32(bytes, 4, checksumHigh);
    if (this.remembersLeaves || (bytes[13] as number) > 0) pager.remember(id, bytes);
    this.open = undefined;
    this.waitingBytes += this.pageBytes;
    this.waitingNext = id + 1;
    pager.pagesWritten++;
    return { id, checksumLow, checksumHigh };
  }

  /** Writes bytes on as many pages as they take, side by side. */
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
    this.writeAt(id, bytes);
    pager.pagesWritten += count;
    return { id, checksumLow: lowHalf(checksum), checksumHigh: highHalf(checksum) };
  }

  /** Hands the finished pages that wait to the file. Not synced. */
  flush(): void {
    if (this.waitingBytes === 0) return;
    this.writeAt(this.waitingFirst, this.buffer.subarray(0, this.waitingBytes));
    this.waitingBytes = 0;
  }

  private writeAt(id: PageId, bytes: Uint8Array): void {
    this.pager.file.writeAt(id * this.pageBytes, bytes);
    this.bytesWritten += bytes.length;
  }
}
