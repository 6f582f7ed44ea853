/**
 * The pages of a damaged tree file, as salvage reads them: from the root down, each page believed under the checksum that its parent
 * has of it. What cannot be read and cannot be mended is lost with as many keys as its parent counts under it:
 *
 *   a leaf              its range, between the separators around it
 *   an overflow value   its key alone
 *   an inner page       nothing, as long as the freelist can be read: a page of the file is reached once or free, so the leaves that
 *                       hung below it are those that nothing reaches and that are not free. They carry their checksums themselves
 */
import { ByteReader, compareKeys } from '@phantom/base';
import { type LostRange, type SalvagedEntry, type SalvagedLayer, keyAfter } from '@phantom/kv';
import { mended } from '@phantom/runs';
import type { SalvageContext } from '@phantom/store';
import type { VfsFile } from '@phantom/vfs';
import { COUNT_MAX, type PageRef, type TreeRoot, firstPage, highHalf, lowHalf, pageSeed } from './format.js';
import type { Meta } from './meta-page.js';
import { LeafEntry, Page } from './page.js';
import { PageRanges } from './page-ranges.js';
import { type Expected, refOf } from './pager.js';
import { overflowReference } from './tree.js';

/** Where the bytes begin that a page's checksum is of. */
const SUMMED_AT = 8;

/** What of a meta the pages need. */
export type PlacedTree = Pick<Meta, 'pageBytes' | 'tree' | 'root' | 'pageCount' | 'freelist'>;

export class TreeSalvage implements SalvagedLayer {
  readonly removals = [];
  private readonly context: Pick<SalvageContext, 'vfs' | 'checksums' | 'report'>;
  private readonly file: VfsFile;
  private readonly tree: PlacedTree;
  private readonly lower: Uint8Array;
  private readonly upper: Uint8Array | undefined;
  private readonly entry = new LeafEntry();
  /** Pages that were reached, in the present walk. */
  private reached = new Uint8Array(0);
  /** Of an earlier walk: nothing is told twice. */
  private readonly reported = new Set<number>();

  /** The keys of the engine lie in [lower, upper). The file stays the caller's. */
  constructor(
    context: Pick<SalvageContext, 'vfs' | 'checksums' | 'report'>,
    file: VfsFile,
    tree: PlacedTree,
    lower: Uint8Array,
    upper: Uint8Array | undefined,
  ) {
    this.context = context;
    this.file = file;
    this.tree = tree;
    this.lower = lower;
    this.upper = upper;
  }

  *items(): Generator<SalvagedEntry | LostRange, void, void> {
    const { root, pageCount } = this.tree;
    this.reached = new Uint8Array(pageCount);
    if (root.id !== 0) yield* this.page(root, root.level, this.lower, this.upper);
  }

  /** The page that carries its own checksum at a place: the newest by its generation, and of those the highest, is a root. */
  newestRoot(): TreeRoot | undefined {
    const { pageBytes } = this.tree;
    const page = new Page(pageBytes);
    let newest: TreeRoot | undefined;
    let newestGeneration = 0;
    const end = Math.floor(this.file.size() / pageBytes);
    for (let id = firstPage(pageBytes); id < end; id++) {
      if (!this.readAlone(id, page)) continue;
      const { generation, level, checksumLow, checksumHigh } = page;
      if (generation < newestGeneration || (generation === newestGeneration && level <= (newest?.level ?? -1)))
        continue;
      newestGeneration = generation;
      newest = { id, checksumLow, checksumHigh, keys: COUNT_MAX, pages: COUNT_MAX, level };
    }
    return newest;
  }

  private *page(
    ref: PageRef,
    level: number,
    lower: Uint8Array,
    upper: Uint8Array | undefined,
  ): Generator<SalvagedEntry | LostRange, void, void> {
    const page = this.read(ref, level);
    if (page === undefined) {
      if (level === 0) yield this.lost(ref.id, lower, upper, ref.keys);
      else yield* this.orphans(ref, lower, upper);
      return;
    }
    if (level === 0) {
      yield* this.leaf(page);
      return;
    }
    for (let slot = 0; slot < page.count; slot++) {
      const from = slot === 0 ? lower : page.key(slot);
      const to = slot + 1 < page.count ? page.key(slot + 1) : upper;
      yield* this.page(refOf(page, slot), level - 1, from, to);
    }
  }

  private *leaf(page: Page): Generator<SalvagedEntry | LostRange, void, void> {
    const { entry } = this;
    for (let slot = 0; slot < page.count; slot++) {
      const key = page.key(slot);
      entry.read(page, slot);
      const { keyEnd, valueBytes, overflow } = entry;
      if (!overflow) {
        yield { key, value: page.bytes.slice(keyEnd, keyEnd + valueBytes), seq: 0 };
        continue;
      }
      const reference = overflowReference(page, keyEnd);
      const value = this.extent(reference, valueBytes, 'an overflow value');
      if (value === undefined) yield this.lost(reference.id, key, keyAfter(key), 1);
      else yield { key, value, seq: 0 };
    }
  }

  /** The leaves of an inner page that cannot be read. */
  private *orphans(
    ref: PageRef,
    lower: Uint8Array,
    upper: Uint8Array | undefined,
  ): Generator<SalvagedEntry | LostRange, void, void> {
    const found: { readonly first: Uint8Array; readonly id: number; readonly count: number }[] = [];
    const free = this.freePages();
    if (free !== undefined) {
      const page = new Page(this.tree.pageBytes);
      for (let id = firstPage(this.tree.pageBytes); id < this.tree.pageCount; id++) {
        if (this.reached[id] === 1 || free[id] === 1 || !this.readAlone(id, page) || page.level > 0) continue;
        const first = page.key(0);
        if (compareKeys(first, lower) < 0 || (upper !== undefined && compareKeys(first, upper) >= 0)) continue;
        found.push({ first, id, count: page.count });
      }
    }
    found.sort((a, b) => compareKeys(a.first, b.first));
    const keys = found.reduce((sum, { count }) => sum + count, 0);
    const missing = ref.keys === COUNT_MAX ? undefined : ref.keys - keys;
    // Which of the leaves is missing is not known: between any two of them it may have been.
    let from = lower;
    for (const { first, id } of found) {
      if (missing !== 0 && compareKeys(from, first) < 0) yield this.lost(ref.id, from, first, missing);
      const page = new Page(this.tree.pageBytes);
      this.readAlone(id, page);
      this.reached[id] = 1;
      yield* this.leaf(page);
      from = keyAfter(page.key(page.count - 1));
    }
    if (missing !== 0) yield this.lost(ref.id, from, upper, missing);
  }

  /** 1 for each page that nothing needs; undefined when the freelist cannot be read. */
  private freePages(): Uint8Array | undefined {
    const { freelist, pageCount } = this.tree;
    const free = new Uint8Array(pageCount);
    if (freelist.id === 0) return free;
    const bytes = this.extent(freelist, freelist.bytes, 'the freelist');
    if (bytes === undefined) return undefined;
    const ranges = PageRanges.decode(new ByteReader(bytes, this.file.path));
    for (let i = 0; i < ranges.ranges; i++) free.fill(1, ranges.start(i), ranges.start(i) + ranges.count(i));
    return free;
  }

  /** A page, proven by its parent's checksum; undefined when it is another one. */
  private read({ id, checksumLow, checksumHigh }: Expected, level: number): Page | undefined {
    const { pageBytes } = this.tree;
    const { vfs, checksums } = this.context;
    const offset = id * pageBytes;
    this.reached[id] = 1;
    const isMeant = (bytes: Uint8Array, start: number): boolean => {
      const sum = checksums.h64(bytes, start, bytes.length, pageSeed(this.tree.tree, id));
      return lowHalf(sum) === checksumLow && highHalf(sum) === checksumHigh;
    };
    let bytes = this.bytesOf(id);
    if (bytes === undefined) return undefined;
    if (!isMeant(bytes, SUMMED_AT)) {
      const mendedAt = vfs.mend(this.file.path, offset + SUMMED_AT, pageBytes - SUMMED_AT, (piece) =>
        isMeant(piece, 0),
      );
      const message = mendedAt === undefined ? `page ${id} is not the one its parent names` : mended(mendedAt);
      this.tell(id, message, mendedAt !== undefined);
      if (mendedAt === undefined) return undefined;
      bytes = this.bytesOf(id) as Uint8Array;
    }
    const page = new Page(pageBytes);
    page.aim(bytes, new Int32Array(bytes.buffer), 0);
    if (page.checksumLow !== checksumLow || page.checksumHigh !== checksumHigh) {
      this.tell(id, `page ${id} carries the wrong checksum; its parent's is right`, true);
    }
    if (page.defect() === undefined && page.id === id && page.level === level) return page;
    this.tell(id, `page ${id} is malformed`, false);
    return undefined;
  }

  /** Aims at a page by nothing but what it says of itself. */
  private readAlone(id: number, page: Page): boolean {
    const bytes = this.bytesOf(id);
    if (bytes === undefined) return false;
    page.aim(bytes, new Int32Array(bytes.buffer), 0);
    const sum = this.context.checksums.h64(bytes, SUMMED_AT, bytes.length, pageSeed(this.tree.tree, id));
    const isOwn = page.checksumLow === lowHalf(sum) && page.checksumHigh === highHalf(sum);
    return isOwn && page.id === id && page.defect() === undefined;
  }

  private bytesOf(id: number): Uint8Array | undefined {
    const bytes = new Uint8Array(this.tree.pageBytes);
    if (this.file.readAt(id * bytes.length, bytes) === bytes.length) return bytes;
    this.tell(id, `the file ends before page ${id}`, false);
    return undefined;
  }

  private extent({ id, checksumLow, checksumHigh }: Expected, length: number, what: string): Uint8Array | undefined {
    const { vfs, checksums } = this.context;
    const { pageBytes, tree } = this.tree;
    this.reached.fill(1, id, id + Math.max(1, Math.ceil(length / pageBytes)));
    const isMeant = (bytes: Uint8Array): boolean => {
      const sum = checksums.h64(bytes, 0, bytes.length, pageSeed(tree, id));
      return lowHalf(sum) === checksumLow && highHalf(sum) === checksumHigh;
    };
    // What a reference under a checksum says is what was written; the file may be shorter all the same.
    if (id * pageBytes + length <= this.file.size()) {
      const bytes = new Uint8Array(length);
      this.file.readAt(id * pageBytes, bytes);
      if (isMeant(bytes)) return bytes;
      const mendedAt = vfs.mend(this.file.path, id * pageBytes, length, isMeant);
      if (mendedAt !== undefined) {
        this.tell(id, mended(mendedAt), true);
        this.file.readAt(id * pageBytes, bytes);
        return bytes;
      }
    }
    this.tell(id, `${what} at page ${id} has the wrong checksum`, false);
    return undefined;
  }

  private lost(page: number, lower: Uint8Array, upper: Uint8Array | undefined, keys: number | undefined): LostRange {
    const entries = keys === COUNT_MAX ? undefined : keys;
    return { lower, upper, entries, file: this.file.path, offset: page * this.tree.pageBytes };
  }

  private tell(page: number, message: string, isMended: boolean): void {
    if (this.reported.has(page)) return;
    this.reported.add(page);
    const offset = page * this.tree.pageBytes;
    this.context.report({ severity: 'corruption', file: this.file.path, offset, message, isMended });
  }
}
