/**
 * A Bloom filter over the keys of a delta (filter.ts has the form), so that a lookup of a key that was not written lately asks
 * one cache line instead of descending a tree that lies all over memory.
 *
 * Nobody who writes pays for it: the tree's entries are numbered as they came, and lookups add those that came since the last
 * one, once there have been enough lookups that it pays.
 *
 *      entries of the tree   | 0 ............ filled | ........ count |
 *                              in the filter           may be anything
 *
 * Invariant: `mayHave` is false only for keys that no entry of the tree has.
 */
import type { ArenaTree } from '@phantom/kv';
import { KeyHash, type LineFilter, addToLines, linesMayContain } from './filter.js';

/** Of fewer keys the tree is a node or two. */
const KEYS_MIN = 256;
/** A lookup in the tree takes as long as adding so many keys. */
const KEYS_PER_LOOKUP = 4;
/** Added in one lookup. */
const KEYS_AT_ONCE_MAX = 2048;
const BITS_PER_KEY = 10;

const NO_LINES: LineFilter = new Int32Array(0);
const added = new KeyHash();

export class DeltaFilter {
  private lines = NO_LINES;
  /** Keys that the lines are meant for. */
  private capacity = 0;
  private filled = 0;
  /** Lookups since the last key was added. */
  private lookups = 0;

  get bytes(): number {
    return this.lines.byteLength;
  }

  mayHave(tree: ArenaTree, hash: KeyHash): boolean {
    if (this.filled < tree.count && !this.catchUp(tree)) return true;
    return linesMayContain(this.lines, hash);
  }

  /** Adds keys, if that pays; true once all are there. */
  private catchUp(tree: ArenaTree): boolean {
    const { count } = tree;
    this.lookups++;
    if (count < KEYS_MIN || this.lookups * KEYS_PER_LOOKUP < count - this.filled) return false;
    if (count > this.capacity) this.makeRoom(Math.max(tree.capacity, count));
    const end = Math.min(count, this.filled + KEYS_AT_ONCE_MAX);
    for (let entry = this.filled; entry < end; entry++) {
      added.set(tree.keys, tree.keyStart(entry), tree.keyEnd(entry));
      addToLines(this.lines, added);
    }
    this.filled = end;
    if (end < count) return false;
    this.lookups = 0;
    return true;
  }

  private makeRoom(keys: number): void {
    this.capacity = keys;
    this.lines = new Int32Array(Math.ceil((keys * BITS_PER_KEY) / 256) * 8);
    this.filled = 0;
  }
}
