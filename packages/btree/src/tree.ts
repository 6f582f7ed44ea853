/** Reading an immutable tree: point lookups, and what its inner pages say about ranges of keys. */
import { compareBytes, compareKeys, readU32, isCorruption } from '@phantom/base';
import type { ByteSlot, KeyRange, RangeEstimate } from '@phantom/kv';
import { showCopy } from '@phantom/runs';
import type { TreeRoot } from './format.js';
import { LeafEntry, type Page } from './page.js';
import type { Expected, Pager } from './pager.js';

const entry = new LeafEntry();

/** Looks a key up: one page a level. The value is a copy, whether it lies in the page or overflowed. */
export function treeGet(
  pager: Pager,
  root: TreeRoot,
  key: Uint8Array,
  start: number,
  end: number,
  value: ByteSlot,
): boolean {
  if (root.id === 0) return false;
  // The pager's reader: a lookup never begins inside another one.
  const { page } = pager;
  pager.readRoot(root, page);
  while (page.level > 0) pager.readChild(page, page.childFor(key, start, end), page);
  const slot = page.findExact(key, start, end);
  if (slot < 0) return false;
  entry.read(page, slot);
  if (entry.overflow) showValue(pager, page, entry, value);
  else showCopy(value, page.bytes, entry.keyEnd, entry.keyEnd + entry.valueBytes);
  return true;
}

/** Aims a slot at an entry's value. */
export function showValue(pager: Pager, page: Page, at: LeafEntry, value: ByteSlot): void {
  if (!at.overflow) {
    value.set(page.bytes, at.keyEnd, at.keyEnd + at.valueBytes);
    return;
  }
  const bytes = pager.readExtent(overflowReference(page, at.keyEnd), at.valueBytes);
  value.set(bytes, 0, bytes.length);
}

/** An entry's overflow reference, from where its value would begin. */
export function overflowReference(page: Page, at: number): Expected {
  const { bytes } = page;
  return { id: readU32(bytes, at), checksumLow: readU32(bytes, at + 4) | 0, checksumHigh: readU32(bytes, at + 8) | 0 };
}

/** Keys and bytes of a range, from counters in inner pages: exact but for the two leaves at its ends. */
export function treeEstimate(pager: Pager, root: TreeRoot, range: KeyRange): RangeEstimate {
  if (root.id === 0) return { keys: 0, bytes: 0 };
  const from = below(pager, root, range.lower);
  const to = range.upper === undefined ? { keys: root.keys, pages: root.pages } : below(pager, root, range.upper);
  return { keys: Math.max(0, to.keys - from.keys), bytes: Math.max(0, to.pages - from.pages) * pager.pageBytes };
}

/** Keys and pages of everything below a key; to a page that is damaged, since an estimate is asked for where nothing is read. */
function below(pager: Pager, root: TreeRoot, key: Uint8Array): { keys: number; pages: number } {
  let keys = 0;
  let pages = 0;
  const { page } = pager;
  pager.readRoot(root, page);
  while (page.level > 0) {
    const slot = page.childFor(key, 0, key.length);
    for (let i = 0; i < slot; i++) {
      keys += page.childKeys(i);
      pages += page.childPages(i);
    }
    try {
      pager.readChild(page, slot, page);
    } catch (error) {
      if (!isCorruption(error)) throw error;
      return { keys, pages };
    }
  }
  const at = page.find(key, 0, key.length);
  const slot = at < 0 ? ~at : at;
  return { keys: keys + slot, pages: pages + slot / page.count };
}

/**
 * Separators inside a range that cut the tree into parts of about the same number of keys, ascending: at most parts - 1 of
 * them. Reads inner pages only, and of those no more than a path for each cut.
 */
export function treeCuts(pager: Pager, root: TreeRoot, range: KeyRange, parts: number): Uint8Array[] {
  const cuts: Uint8Array[] = [];
  if (root.id === 0) return cuts;
  const from = below(pager, root, range.lower).keys;
  const to = range.upper === undefined ? root.keys : below(pager, root, range.upper).keys;
  for (let part = 1; part < parts; part++) {
    const cut = keyAt(pager, root, from + ((to - from) * part) / parts);
    const last = cuts.at(-1) ?? range.lower;
    if (compareKeys(cut, last) <= 0) continue;
    if (range.upper !== undefined && compareBytes(cut, 0, cut.length, range.upper, 0, range.upper.length) >= 0) break;
    cuts.push(cut);
  }
  return cuts;
}

/** A key or separator with about so many keys before it. */
function keyAt(pager: Pager, root: TreeRoot, keys: number): Uint8Array {
  const { page } = pager;
  pager.readRoot(root, page);
  let left = keys;
  while (page.level > 0) {
    let slot = 0;
    while (slot + 1 < page.count && left >= page.childKeys(slot)) left -= page.childKeys(slot++);
    pager.readChild(page, slot, page);
  }
  return page.key(Math.min(page.count - 1, Math.floor(left)));
}
