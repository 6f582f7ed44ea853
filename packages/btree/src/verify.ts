/**
 * Walks everything that the present meta reaches, past the cache, and says what is wrong: checksums along every pointer,
 * order and bounds of keys, counters, and whether each page of the file is reached once or free, and never both.
 */
import { compareKeys, isPhantomError } from '@phantom/base';
import type { Finding } from '@phantom/kv';
import { COUNT_MAX, type PageRef, firstPage } from './format.js';
import { LeafEntry, Page } from './page.js';
import { refOf } from './pager.js';
import { overflowReference } from './tree.js';
import type { TreeFiles } from './tree-files.js';

/** What is wrong with the pages of a tree. */
export function verifyTree(files: TreeFiles): Iterable<Finding> {
  return new TreeVerifier(files).run();
}

class TreeVerifier {
  private readonly files: TreeFiles;
  /** How often each page is reached or free. */
  private readonly uses: Uint8Array;
  private readonly entry = new LeafEntry();
  private last: Uint8Array | undefined = undefined;
  private keys = 0;

  constructor(files: TreeFiles) {
    this.files = files;
    this.uses = new Uint8Array(files.pager.pageCount);
  }

  *run(): Iterable<Finding> {
    const { root, freelist, pager } = this.files;
    if (!pager.file.isInPlace()) {
      const message = 'another file lies in its place, or none: it was removed, moved or replaced';
      yield { severity: 'corruption', file: pager.file.path, message };
    }
    if (root.id !== 0) yield* this.page(root, root.level, undefined, undefined);
    if (root.keys !== COUNT_MAX && this.keys !== root.keys) {
      yield this.finding(`the tree has ${this.keys} keys instead of ${root.keys}`, root.id);
    }
    if (freelist.id !== 0) this.use(freelist.id, pager.extentPages(freelist.bytes));
    for (let i = 0; i < pager.free.ranges; i++) this.use(pager.free.start(i), pager.free.count(i));
    for (const pages of pager.retiredRanges()) {
      for (let i = 0; i < pages.ranges; i++) this.use(pages.start(i), pages.count(i));
    }
    // A merge under way holds pages that neither the tree nor the freelist knows.
    for (let id = firstPage(pager.pageBytes); id < this.uses.length; id++) {
      const uses = this.uses[id] as number;
      if (uses > 1) yield this.finding(`page ${id} is in use ${uses} times`, id);
      else if (uses === 0 && !pager.isWriting) {
        yield { severity: 'leak', file: pager.file.path, offset: id * pager.pageBytes, message: `page ${id} is lost` };
      }
    }
  }

  private *page(
    ref: PageRef,
    level: number,
    lower: Uint8Array | undefined,
    upper: Uint8Array | undefined,
  ): Iterable<Finding> {
    const { pager } = this.files;
    this.use(ref.id, 1);
    const page = new Page(pager.pageBytes);
    try {
      pager.readUncached(ref.id, ref.checksumLow, ref.checksumHigh, level, page);
    } catch (error) {
      if (!isPhantomError(error)) throw error;
      yield this.finding(error.message, ref.id);
      return;
    }
    const keysBefore = this.keys;
    if (level === 0) yield* this.leaf(page, ref, lower, upper);
    else yield* this.inner(page, ref, lower, upper);
    const keys = this.keys - keysBefore;
    if (ref.keys !== COUNT_MAX && keys !== ref.keys) {
      yield this.finding(`page ${ref.id} has ${keys} keys under it instead of ${ref.keys}`, ref.id);
    }
  }

  private *inner(
    page: Page,
    ref: PageRef,
    lower: Uint8Array | undefined,
    upper: Uint8Array | undefined,
  ): Iterable<Finding> {
    let pages = 1;
    for (let slot = 0; slot < page.count; slot++) {
      const from = slot === 0 ? lower : page.key(slot);
      const to = slot + 1 < page.count ? page.key(slot + 1) : upper;
      if (from !== undefined && to !== undefined && compareKeys(from, to) >= 0) {
        yield this.finding(`the separators of page ${page.id} do not ascend at slot ${slot}`, page.id);
      }
      pages += page.childPages(slot);
      yield* this.page(refOf(page, slot), page.level - 1, from, to);
    }
    if (pages !== ref.pages)
      yield this.finding(`page ${page.id} counts ${pages} pages instead of ${ref.pages}`, page.id);
  }

  private *leaf(
    page: Page,
    ref: PageRef,
    lower: Uint8Array | undefined,
    upper: Uint8Array | undefined,
  ): Iterable<Finding> {
    const { pager } = this.files;
    let pages = 1;
    for (let slot = 0; slot < page.count; slot++) {
      const key = page.key(slot);
      const isBelow = lower !== undefined && compareKeys(key, lower) < 0;
      const isAbove = upper !== undefined && compareKeys(key, upper) >= 0;
      if (isBelow || isAbove) yield this.finding(`a key of page ${page.id} lies outside its bounds`, page.id);
      if (this.last !== undefined && compareKeys(this.last, key) >= 0) {
        yield this.finding(`the keys of page ${page.id} do not ascend at slot ${slot}`, page.id);
      }
      if (page.find(key, 0, key.length) !== slot) {
        yield this.finding(`a search in page ${page.id} does not find slot ${slot}`, page.id);
      }
      this.last = key;
      this.keys++;
      this.entry.read(page, slot);
      if (!this.entry.overflow) continue;
      const reference = overflowReference(page, this.entry.keyEnd);
      const count = pager.extentPages(this.entry.valueBytes);
      this.use(reference.id, count);
      pages += count;
      try {
        pager.readExtent(reference, this.entry.valueBytes);
      } catch (error) {
        if (!isPhantomError(error)) throw error;
        yield this.finding(error.message, reference.id);
      }
    }
    if (pages !== ref.pages)
      yield this.finding(`page ${page.id} counts ${pages} pages instead of ${ref.pages}`, page.id);
  }

  private use(id: number, count: number): void {
    for (let i = id; i < id + count && i < this.uses.length; i++) {
      if ((this.uses[i] as number) < 255) this.uses[i] = (this.uses[i] as number) + 1;
    }
  }

  private finding(message: string, page: number): Finding {
    const { pager } = this.files;
    return { severity: 'corruption', file: pager.file.path, offset: page * pager.pageBytes, message };
  }
}
