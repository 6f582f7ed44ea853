/**
 * Reads the files of a tree a few pages at a time, past the cache, to find out whether they can be read, and tells which keys lie where
 * one cannot. Each step stands by itself: it begins at the present root, so nothing is held between steps, and what merges have
 * replaced meanwhile is nobody's concern.
 *
 *   place     ''              the slot of the present meta, the freelist, and the tree from its first key on
 *             t KEY           the tree from a key on: the path to it, then leaf by leaf with their overflow pages
 *             r N P B         that place in the runs (scrubbed-runs.ts of @phantom/runs)
 *
 * The checksum of a page stands in its parent, so a page is proven to be the one that belongs there.
 */
import { isPhantomError, toHex } from '@phantom/base';
import type { Finding, KeyRange, ScrubStep } from '@phantom/kv';
import { ScrubbedRuns } from '@phantom/runs';
import { META_BYTES, META_SLOTS, type PageRef } from './format.js';
import { readSlot } from './meta-page.js';
import { LeafEntry, Page } from './page.js';
import { refOf } from './pager.js';
import { overflowReference } from './tree.js';
import type { TreeFiles } from './tree-files.js';

const NO_BYTES = new Uint8Array(0);
/** Inner pages that are read to tell which keys a page has: of a tree of some 20 GiB all. */
const LOCATE_PAGES_MAX = 16_384;

export class TreeScrub {
  private readonly files: TreeFiles;
  private readonly runs: ScrubbedRuns;

  constructor(files: TreeFiles) {
    this.files = files;
    this.runs = new ScrubbedRuns(() => files.runs.map(({ entry, run }) => ({ number: entry.number, run })));
  }

  /** See KvEngine.scrub. */
  step(place: string, bytesMax: number): ScrubStep {
    if (place.startsWith('r')) {
      const step = this.runs.step(place.slice(1), bytesMax);
      return { ...step, next: placeInRuns(step.next) };
    }
    const walk = new Walk(
      this.files,
      place.startsWith('t') ? Uint8Array.from(Buffer.from(place.slice(1), 'hex')) : NO_BYTES,
      bytesMax,
    );
    if (place === '') walk.ends();
    walk.tree();
    const { next, bytes, findings } = walk;
    return { next: next === undefined ? placeInRuns(this.runs.placeFrom(0)) : `t${toHex(next)}`, bytes, findings };
  }

  /** See KvEngine.locate. */
  locate(file: string, offset: number | undefined): KeyRange | undefined {
    const { pager, root } = this.files;
    if (file !== pager.file.path) return this.runs.locate(file, offset);
    if (offset === undefined || root.id === 0) return undefined;
    return new Locator(this.files, Math.floor(offset / pager.pageBytes)).find(root, root.level, NO_BYTES, undefined);
  }
}

function placeInRuns(place: string | undefined): string | undefined {
  return place === undefined ? undefined : `r${place}`;
}

/** Reads pages from a key on. */
class Walk {
  bytes = 0;
  readonly findings: Finding[] = [];
  /** Where the next walk begins. */
  next: Uint8Array | undefined = undefined;
  private readonly files: TreeFiles;
  private readonly from: Uint8Array;
  private readonly bytesMax: number;
  private readonly entry = new LeafEntry();

  constructor(files: TreeFiles, from: Uint8Array, bytesMax: number) {
    this.files = files;
    this.from = from;
    this.bytesMax = bytesMax;
  }

  /** The slot of the present meta, and the freelist. */
  ends(): void {
    const { pager, generation, freelist, context } = this.files;
    const slot = generation % META_SLOTS;
    const offset = slot * META_BYTES;
    this.read(META_BYTES, offset, () => {
      if (readSlot(pager.file, context.checksums, slot)?.generation === generation) return;
      this.findings.push({
        severity: 'corruption',
        file: pager.file.path,
        offset,
        message: 'the meta page is another one',
      });
    });
    if (freelist.id === 0) return;
    this.read(freelist.bytes, freelist.id * pager.pageBytes, () => pager.readExtent(freelist, freelist.bytes));
  }

  tree(): void {
    const { root } = this.files;
    if (root.id !== 0) this.page(root, root.level, undefined);
  }

  private page(ref: PageRef, level: number, upper: Uint8Array | undefined): void {
    const { pager } = this.files;
    const page = new Page(pager.pageBytes);
    this.next = upper;
    const isRead = this.read(pager.pageBytes, ref.id * pager.pageBytes, () =>
      pager.readUncached(ref.id, ref.checksumLow, ref.checksumHigh, level, page),
    );
    if (!isRead) return;
    if (level === 0) this.overflow(page);
    else this.children(page, level, upper);
  }

  private children(page: Page, level: number, upper: Uint8Array | undefined): void {
    const { from } = this;
    for (let slot = page.childFor(from, 0, from.length); slot < page.count; slot++) {
      this.page(refOf(page, slot), level - 1, slot + 1 < page.count ? page.key(slot + 1) : upper);
      if (this.bytes >= this.bytesMax) return;
    }
  }

  private overflow(page: Page): void {
    const { pager } = this.files;
    const { entry } = this;
    for (let slot = 0; slot < page.count; slot++) {
      entry.read(page, slot);
      if (!entry.overflow) continue;
      const { valueBytes } = entry;
      const reference = overflowReference(page, entry.keyEnd);
      this.read(valueBytes, reference.id * pager.pageBytes, () => pager.readExtent(reference, valueBytes));
    }
  }

  private read(bytes: number, offset: number, action: () => unknown): boolean {
    this.bytes += bytes;
    try {
      action();
      return true;
    } catch (error) {
      if (!isPhantomError(error)) throw error;
      const { path } = this.files.pager.file;
      this.findings.push({ severity: 'corruption', file: path, offset, message: error.message });
      return false;
    }
  }
}

/** Looks for the page with a number by inner pages. Pages of long values, which leaves alone name, are not found. */
class Locator {
  private readonly files: TreeFiles;
  private readonly id: number;
  private left = LOCATE_PAGES_MAX;

  constructor(files: TreeFiles, id: number) {
    this.files = files;
    this.id = id;
  }

  find(ref: PageRef, level: number, lower: Uint8Array, upper: Uint8Array | undefined): KeyRange | undefined {
    if (ref.id === this.id) return { lower, upper };
    if (level === 0 || this.left-- === 0) return undefined;
    const { pager } = this.files;
    const page = new Page(pager.pageBytes);
    try {
      pager.readUncached(ref.id, ref.checksumLow, ref.checksumHigh, level, page);
    } catch (error) {
      if (isPhantomError(error)) return undefined;
      throw error;
    }
    for (let slot = 0; slot < page.count; slot++) {
      const from = slot === 0 ? lower : page.key(slot);
      const to = slot + 1 < page.count ? page.key(slot + 1) : upper;
      const found = this.find(refOf(page, slot), level - 1, from, to);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
