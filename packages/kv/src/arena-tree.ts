/**
 * An ordered map in typed arrays: the heart of deltas, of the memory engine and of a transaction's write set. There is no
 * JavaScript object per entry, so the garbage collector never sees a million of anything, and a frozen tree can be copied
 * for worker threads table by table.
 *
 * A B+tree (Graefe, "Modern B-Tree Techniques", 2011, sections 3.4 and 3.5: prefix truncation and poor man's normalized
 * keys). Key bytes lie in an arena of the owner's; the tree holds offsets. Three arrays:
 *
 *   keys     bytes, append-only, owned outside; `setKeys` follows it when it grows
 *   entries  per entry  [ key offset | key bytes | payload words of the owner ... ]      entry id = order of insertion
 *   nodes    512 bytes each, as arena-node.ts draws them: discriminators and entry ids of up to 60 slots
 *
 * Invariants:
 *   1. An inner node's slot 0 stands for "everything below slot 1": its entry is never compared, its discriminator is the
 *      least number. The entry of any other slot is the first entry of the leaf where that child begins.
 *   2. No leaf is empty, but the root.
 *   3. The key that word 1 points at belongs to an entry of the node's own subtree, so that removing an entry only has to
 *      look at the nodes above it.
 *   4. Entry ids and offsets never change; nodes split but never merge. `modifications` changes with every change of
 *      positions, which is how cursors notice.
 *
 * Measured (bench/arena-tree.mjs): see README. Left out: deletion other than of the youngest entries (an owner marks its
 * payload), and reading while another thread inserts (a skip list could; it is four times slower for everybody).
 */
import { assert, compareBytes } from '@phantom/base';
import { copyEntries, entriesInOrder, shiftNodes } from './arena-graft.js';
import { type NodeTables, anchorPrefix, clearNode, insertSlot, moveSlots, removeSlot } from './arena-node-edit.js';
import {
  COUNT_MASK,
  ENTRIES,
  FANOUT,
  NEXT,
  NODE_SHIFT,
  NODE_WORDS,
  NONE,
  PREVIOUS,
  growWords,
  searchNode,
  verifiedBelow,
} from './arena-node.js';

/** Nodes are half full at least, but for those that removals leave: 30^6 entries need six levels. */
const LEVELS_MAX = 12;
/** Words of an entry before the owner's payload. */
export const ENTRY_HEADER_WORDS = 2;
const KEY_BYTES_LIMIT = 0xffff;

export interface ArenaTreeOptions {
  /** 32-bit words that the owner keeps with each entry. Default 1. */
  readonly payloadWords?: number;
  /** Entries to make room for at the start. Default 64. */
  readonly capacity?: number;
}

/** The tables of a tree that nobody writes to any more, for readers elsewhere: copied, or in shared memory, by its owner. */
export interface ArenaTreeDescriptor {
  /** What is in use of the node table, and below of the entry table. */
  readonly nodes: Int32Array;
  readonly entries: Int32Array;
  readonly entryWords: number;
  readonly count: number;
  readonly nodeCount: number;
  readonly root: number;
  readonly height: number;
  readonly lastLeaf: number;
}

/** What inserts in random order leave nodes filled to. */
const USUAL_FILL = 2 / 3;

export class ArenaTree implements NodeTables {
  /** The key bytes: the owner's arena. */
  keys: Uint8Array;
  /** Entry table; entry e begins at word e * entryWords. Replaced when it grows. */
  entries: Int32Array;
  /** Node table. Replaced when it grows. */
  nodes: Int32Array;
  readonly entryWords: number;
  /** Entries in the tree. */
  count = 0;
  /** True when the last insert made a new entry. */
  inserted = false;
  /** Changes whenever slots move. */
  modifications = 0;
  root = 0;
  /** Levels above the leaves. */
  height = 0;
  lastLeaf = 0;
  private nodeCount = 1;
  /** Node and slot on each level of the last descent; level 0 is the leaf. */
  private readonly pathNodes = new Int32Array(LEVELS_MAX);
  private readonly pathSlots = new Int32Array(LEVELS_MAX);
  /**
   * Where the last insert went that was not behind all others: the next of a run of ascending inserts belongs right behind it, mostly
   * without a descent, and such a run splits behind itself and leaves full nodes.
   */
  private fingerLeaf: number = NONE;
  private fingerSlot = 0;

  constructor(keys: Uint8Array, options: ArenaTreeOptions = {}) {
    this.keys = keys;
    this.entryWords = ENTRY_HEADER_WORDS + (options.payloadWords ?? 1);
    const capacity = Math.max(options.capacity ?? FANOUT, 1);
    this.entries = new Int32Array(capacity * this.entryWords);
    this.nodes = new Int32Array(Math.ceil(capacity / (FANOUT * (capacity > FANOUT ? USUAL_FILL : 1))) * NODE_WORDS);
    clearNode(this, 0);
  }

  /** A tree over tables that another thread filled. It is for reading. */
  static attach(keys: Uint8Array, descriptor: ArenaTreeDescriptor): ArenaTree {
    const tree = new ArenaTree(keys, { payloadWords: descriptor.entryWords - ENTRY_HEADER_WORDS, capacity: 1 });
    tree.nodes = descriptor.nodes;
    tree.entries = descriptor.entries;
    tree.count = descriptor.count;
    tree.nodeCount = descriptor.nodeCount;
    tree.root = descriptor.root;
    tree.height = descriptor.height;
    tree.lastLeaf = descriptor.lastLeaf;
    return tree;
  }

  descriptor(): ArenaTreeDescriptor {
    return {
      nodes: this.nodes.subarray(0, this.nodeCount * NODE_WORDS),
      entries: this.entries.subarray(0, this.count * this.entryWords),
      entryWords: this.entryWords,
      count: this.count,
      nodeCount: this.nodeCount,
      root: this.root,
      height: this.height,
      lastLeaf: this.lastLeaf,
    };
  }

  /** Bytes of the tables in use, keys not included. */
  get bytes(): number {
    return this.nodeCount * NODE_WORDS * 4 + this.count * this.entryWords * 4;
  }

  /** Tells the tree where the key bytes are after the arena has grown. Offsets stay. */
  setKeys(keys: Uint8Array): void {
    this.keys = keys;
  }

  /** Forgets every entry and keeps the memory. */
  clear(): void {
    this.count = 0;
    this.nodeCount = 1;
    this.root = 0;
    this.height = 0;
    this.lastLeaf = 0;
    this.fingerLeaf = NONE;
    clearNode(this, 0);
    this.modifications++;
  }

  /** Makes room for so many more entries at once: tables that double are copied, and leave as much again behind. */
  makeRoom(entries: number): void {
    const words = (this.count + entries) * this.entryWords;
    if (words > this.entries.length) this.entries = growWords(this.entries, words);
    const nodeWords = (this.nodeCount + Math.ceil(entries / (FANOUT * USUAL_FILL))) * NODE_WORDS;
    if (nodeWords > this.nodes.length) this.nodes = growWords(this.nodes, nodeWords);
  }

  /** Entries there is room for. */
  get capacity(): number {
    return Math.floor(this.entries.length / this.entryWords);
  }

  keyStart(entry: number): number {
    return this.entries[entry * this.entryWords] as number;
  }

  keyEnd(entry: number): number {
    const at = entry * this.entryWords;
    return (this.entries[at] as number) + (this.entries[at + 1] as number);
  }

  /** The first payload word of an entry. */
  payload(entry: number): number {
    return this.entries[entry * this.entryWords + ENTRY_HEADER_WORDS] as number;
  }

  setPayload(entry: number, value: number): void {
    this.entries[entry * this.entryWords + ENTRY_HEADER_WORDS] = value;
  }

  /** The entry of a key, NONE when it is not there. */
  find(key: Uint8Array, start: number, end: number): number {
    const { nodes, entries, entryWords, keys } = this;
    let node = this.root;
    let verified = 0;
    for (let level = this.height; level > 0; level--) {
      const at = searchNode(nodes, entries, entryWords, keys, node, 1, key, start, end, verified);
      const slot = at >= 0 ? at : -2 - at;
      verified = verifiedBelow(nodes, node, slot, verified);
      node = nodes[((node + 1) << NODE_SHIFT) + slot] as number;
    }
    const at = searchNode(nodes, entries, entryWords, keys, node, 0, key, start, end, verified);
    return at < 0 ? NONE : (nodes[(node << NODE_SHIFT) + ENTRIES + at] as number);
  }

  /** True when the entry is that of the greatest key. */
  isLast(entry: number): boolean {
    return this.entryAt(this.lastLeaf, this.leafCount(this.lastLeaf) - 1) === entry;
  }

  /** True when the key sorts behind every key of the tree, which costs one comparison to know. */
  isBehindLast(key: Uint8Array, start: number, end: number): boolean {
    return this.count === 0 || this.compareWithLast(key, start, end) > 0;
  }

  /**
   * The entry of the key whose bytes already lie in the arena at [offset, offset + bytes), made when it is not there;
   * `inserted` tells. The payload of a new entry is whatever the caller writes into it next.
   */
  insert(offset: number, bytes: number): number {
    assert(bytes <= KEY_BYTES_LIMIT, 'a key in an arena tree is bounded by 64 KiB');
    const { keys } = this;
    if (this.count > 0) {
      const order = this.compareWithLast(keys, offset, offset + bytes);
      if (order === 0) {
        this.inserted = false;
        return this.entryAt(this.lastLeaf, this.leafCount(this.lastLeaf) - 1);
      }
      if (order > 0) return this.append(offset, bytes);
    }
    if (this.fingerLeaf !== NONE && this.isBehindFinger(keys, offset, offset + bytes)) {
      const leaf = this.fingerLeaf;
      if (this.leafCount(leaf) < FANOUT) {
        const entry = this.newEntry(offset, bytes);
        insertSlot(this, leaf, ++this.fingerSlot, 0, entry);
        return entry;
      }
    }
    const at = this.descend(keys, offset, offset + bytes);
    const leaf = this.pathNodes[0] as number;
    if (at >= 0) {
      this.inserted = false;
      return this.entryAt(leaf, at);
    }
    const entry = this.newEntry(offset, bytes);
    this.insertIntoLeaf(leaf, ~at, entry);
    return entry;
  }

  /** True when the key lies between the last one that was inserted among others and its neighbour: so it is not there. */
  isInGap(key: Uint8Array, start: number, end: number): boolean {
    return this.fingerLeaf !== NONE && this.isBehindFinger(key, start, end);
  }

  /**
   * Takes in all that another tree has. Its keys lie in this one's arena, too, `shift` bytes further on. Its entries are numbered on from
   * `count`, in the order of their own numbers; their payloads are the caller's to write. What was here is inserted again between them,
   * so this is for another that is much larger. `both` is told of entries with one key: this tree's, which is found no more, and the other's.
   */
  graft(other: ArenaTree, shift: number, both: (own: number, taken: number) => void): void {
    const held = entriesInOrder(this);
    const first = this.count;
    this.count += other.count;
    if (this.count > this.capacity) this.entries = growWords(this.entries, this.count * this.entryWords);
    copyEntries(other, this, first, shift);
    const { nodes, nodeCount, root, height, lastLeaf } = other.descriptor();
    if (nodes.length > this.nodes.length) this.nodes = new Int32Array(nodes.length + NODE_WORDS);
    this.nodes.set(nodes);
    shiftNodes(this.nodes, root, height, first, shift);
    this.nodeCount = nodeCount;
    this.root = root;
    this.height = height;
    this.lastLeaf = lastLeaf;
    this.fingerLeaf = NONE;
    this.modifications++;
    for (const entry of held) {
      const at = this.descend(this.keys, this.keyStart(entry), this.keyEnd(entry));
      if (at >= 0) both(entry, this.entryAt(this.descentLeaf, at));
      else this.insertIntoLeaf(this.descentLeaf, ~at, entry);
    }
  }

  /**
   * Forgets all entries but the first `count` that were made: a rollback to a savepoint. The key bytes of those that go
   * must still be in the arena; afterwards nothing refers to them. Costs a descent each, so it suits undoing, not clearing.
   */
  truncate(count: number): void {
    assert(count <= this.count, 'a tree can only be truncated to fewer entries');
    if (count === 0) {
      this.clear();
      return;
    }
    while (this.count > count) {
      this.removeEntry(this.count - 1);
      this.count--;
    }
    this.fingerLeaf = NONE;
    this.modifications++;
  }

  /**
   * Goes to the leaf where the key is or belongs. Returns its slot, or ~slot of the first greater entry in that leaf
   * (which may be the leaf's count). The leaf is `descentLeaf`.
   */
  descend(key: Uint8Array, start: number, end: number): number {
    const { nodes, entries, entryWords, keys, pathNodes, pathSlots } = this;
    let node = this.root;
    let verified = 0;
    for (let level = this.height; level > 0; level--) {
      const at = searchNode(nodes, entries, entryWords, keys, node, 1, key, start, end, verified);
      const slot = at >= 0 ? at : -2 - at;
      verified = verifiedBelow(nodes, node, slot, verified);
      pathNodes[level] = node;
      pathSlots[level] = slot;
      node = nodes[((node + 1) << NODE_SHIFT) + slot] as number;
    }
    pathNodes[0] = node;
    return searchNode(nodes, entries, entryWords, keys, node, 0, key, start, end, verified);
  }

  /** The leaf that the last descend reached. */
  get descentLeaf(): number {
    return this.pathNodes[0] as number;
  }

  entryAt(leaf: number, slot: number): number {
    return this.nodes[(leaf << NODE_SHIFT) + ENTRIES + slot] as number;
  }

  /** Slots in use of a node: entries of a leaf, children of an inner node. */
  leafCount(leaf: number): number {
    return (this.nodes[leaf << NODE_SHIFT] as number) & COUNT_MASK;
  }

  nextLeaf(leaf: number): number {
    return this.nodes[(leaf << NODE_SHIFT) + NEXT] as number;
  }

  previousLeaf(leaf: number): number {
    return this.nodes[(leaf << NODE_SHIFT) + PREVIOUS] as number;
  }

  /** The leaf with the smallest keys. */
  firstLeaf(): number {
    let node = this.root;
    for (let level = this.height; level > 0; level--) node = this.nodes[(node + 1) << NODE_SHIFT] as number;
    return node;
  }

  /** How much of the tree lies below a key, between 0 and 1. An estimate: a child weighs what its own slots say. */
  fractionBelow(key: Uint8Array, start: number, end: number): number {
    const at = this.descend(key, start, end);
    const leafCount = this.leafCount(this.descentLeaf);
    let fraction = leafCount === 0 ? 0 : (at >= 0 ? at : ~at) / leafCount;
    for (let level = 1; level <= this.height; level++) {
      const node = this.pathNodes[level] as number;
      const slot = this.pathSlots[level] as number;
      const below = this.weightBelow(node, slot);
      const own = this.leafCount(this.child(node, slot));
      fraction = (below + fraction * own) / this.weightBelow(node, this.leafCount(node));
    }
    return fraction;
  }

  /** The entry at a fraction of the tree, the inverse of fractionBelow. The tree must not be empty. */
  entryAtFraction(fraction: number): number {
    let node = this.root;
    let rest = Math.min(Math.max(fraction, 0), 1);
    for (let level = this.height; level > 0; level--) {
      const count = this.leafCount(node);
      let weight = rest * this.weightBelow(node, count);
      let slot = 0;
      while (slot < count - 1 && weight >= this.leafCount(this.child(node, slot))) {
        weight -= this.leafCount(this.child(node, slot));
        slot++;
      }
      node = this.child(node, slot);
      rest = Math.min(weight / this.leafCount(node), 1);
    }
    const count = this.leafCount(node);
    return this.entryAt(node, Math.min(Math.floor(rest * count), count - 1));
  }

  private child(node: number, slot: number): number {
    return this.nodes[((node + 1) << NODE_SHIFT) + slot] as number;
  }

  /** Slots in the children of an inner node that stand before the given slot. */
  private weightBelow(node: number, slot: number): number {
    let weight = 0;
    for (let i = 0; i < slot; i++) weight += this.leafCount(this.child(node, i));
    return weight;
  }

  /** Below, zero or above zero as the key sorts before, with or after the greatest one. */
  private compareWithLast(key: Uint8Array, start: number, end: number): number {
    const { nodes, entries, keys } = this;
    const base = this.lastLeaf << NODE_SHIFT;
    const last = (nodes[base + ENTRIES - 1 + ((nodes[base] as number) & COUNT_MASK)] as number) * this.entryWords;
    const lastStart = entries[last] as number;
    return compareBytes(key, start, end, keys, lastStart, lastStart + (entries[last + 1] as number));
  }

  /** True when the key sorts behind the entry of the finger and before the one that follows it. There must be a finger. */
  private isBehindFinger(key: Uint8Array, start: number, end: number): boolean {
    const { nodes, entries, keys, entryWords, fingerLeaf, fingerSlot } = this;
    const at = (fingerLeaf << NODE_SHIFT) + ENTRIES + fingerSlot;
    const before = (nodes[at] as number) * entryWords;
    const beforeStart = entries[before] as number;
    const beforeEnd = beforeStart + (entries[before + 1] as number);
    if (compareBytes(key, start, end, keys, beforeStart, beforeEnd) <= 0) return false;
    let next = nodes[at + 1] as number;
    if (fingerSlot + 1 === this.leafCount(fingerLeaf)) {
      const leaf = this.nextLeaf(fingerLeaf);
      // Behind all others: that is not for a finger.
      if (leaf === NONE) return false;
      next = this.entryAt(leaf, 0);
    }
    const behind = next * entryWords;
    const behindStart = entries[behind] as number;
    return compareBytes(key, start, end, keys, behindStart, behindStart + (entries[behind + 1] as number)) < 0;
  }

  /** Inserts behind the greatest key: no descent, and full leaves stay full. */
  private append(offset: number, bytes: number): number {
    const entry = this.newEntry(offset, bytes);
    const leaf = this.lastLeaf;
    const count = this.leafCount(leaf);
    if (count < FANOUT) {
      insertSlot(this, leaf, count, 0, entry);
      return entry;
    }
    let node = this.root;
    for (let level = this.height; level > 0; level--) {
      const slot = this.leafCount(node) - 1;
      this.pathNodes[level] = node;
      this.pathSlots[level] = slot;
      node = this.nodes[((node + 1) << NODE_SHIFT) + slot] as number;
    }
    const right = this.splitLeaf(leaf, FANOUT);
    insertSlot(this, right, 0, 0, entry);
    this.insertChild(right, entry);
    return entry;
  }

  private insertIntoLeaf(leaf: number, slot: number, entry: number): void {
    const ascending = leaf === this.fingerLeaf && slot === this.fingerSlot + 1;
    let target = leaf;
    let at = slot;
    let right: number = NONE;
    if (this.leafCount(leaf) === FANOUT) {
      const cut = ascending ? slot : FANOUT >> 1;
      right = this.splitLeaf(leaf, cut);
      if (slot > cut || cut === FANOUT) {
        target = right;
        at = slot - cut;
      }
    }
    insertSlot(this, target, at, 0, entry);
    this.fingerLeaf = target;
    this.fingerSlot = at;
    if (right !== NONE) this.insertChild(right, this.entryAt(right, 0));
  }

  /** Cuts a leaf: slots from `cut` on move to a new one behind it, which is returned. */
  private splitLeaf(leaf: number, cut: number): number {
    const right = this.newNodes(1);
    const { nodes } = this;
    moveSlots(this, leaf, cut, right, 0);
    const next = nodes[(leaf << NODE_SHIFT) + NEXT] as number;
    nodes[(right << NODE_SHIFT) + NEXT] = next;
    nodes[(right << NODE_SHIFT) + PREVIOUS] = leaf;
    nodes[(leaf << NODE_SHIFT) + NEXT] = right;
    if (next === NONE) this.lastLeaf = right;
    else nodes[(next << NODE_SHIFT) + PREVIOUS] = right;
    return right;
  }

  /** Hangs a new node, whose first entry is given, behind the last descent's path; splits upwards as needed. */
  private insertChild(child: number, entry: number): void {
    let right = child;
    let separator = entry;
    for (let level = 1; ; level++) {
      if (level > this.height) {
        this.growRoot(right, separator);
        return;
      }
      const node = this.pathNodes[level] as number;
      const slot = (this.pathSlots[level] as number) + 1;
      if (this.leafCount(node) < FANOUT) {
        this.insertChildSlot(node, slot, separator, right);
        return;
      }
      const cut = slot === FANOUT ? FANOUT : FANOUT >> 1;
      const upper = this.newNodes(2);
      moveSlots(this, node, cut, upper, 1);
      const goesUp = slot > cut || cut === FANOUT;
      this.insertChildSlot(goesUp ? upper : node, goesUp ? slot - cut : slot, separator, right);
      separator = this.entryAt(upper, 0);
      right = upper;
    }
  }

  private growRoot(right: number, separator: number): void {
    assert(this.height + 1 < LEVELS_MAX, 'an arena tree is too high');
    const root = this.newNodes(2);
    const left = this.root;
    this.insertChildSlot(root, 0, this.entryAt(left, 0), left);
    this.insertChildSlot(root, 1, separator, right);
    this.root = root;
    this.height++;
  }

  private insertChildSlot(node: number, slot: number, entry: number, child: number): void {
    const { nodes } = this;
    const children = (node + 1) << NODE_SHIFT;
    for (let i = this.leafCount(node); i > slot; i--) nodes[children + i] = nodes[children + i - 1] as number;
    nodes[children + slot] = child;
    insertSlot(this, node, slot, 1, entry);
  }

  private removeEntry(entry: number): void {
    const start = this.keyStart(entry);
    const slot = this.descend(this.keys, start, this.keyEnd(entry));
    const leaf = this.descentLeaf;
    assert(slot >= 0 && this.entryAt(leaf, slot) === entry, 'an entry is not where its key belongs');
    removeSlot(this, leaf, slot, 0);
    if (this.leafCount(leaf) === 0 && this.height > 0) {
      this.unlinkLeaf(leaf);
      this.removeFromPath();
    } else if (slot === 0 && this.leafCount(leaf) > 0) {
      this.replaceSeparator(this.entryAt(leaf, 0));
    }
    for (let level = 1; level <= this.height; level++) {
      const node = this.pathNodes[level] as number;
      if (this.leafCount(node) > 0) anchorPrefix(this, node, 1);
    }
  }

  private unlinkLeaf(leaf: number): void {
    const { nodes } = this;
    const next = this.nextLeaf(leaf);
    const previous = this.previousLeaf(leaf);
    if (previous !== NONE) nodes[(previous << NODE_SHIFT) + NEXT] = next;
    if (next !== NONE) nodes[(next << NODE_SHIFT) + PREVIOUS] = previous;
    else this.lastLeaf = previous;
  }

  /** Takes the leaf of the last descent, now empty, out of its parents; a parent left empty goes too. */
  private removeFromPath(): void {
    let level = 1;
    while (level < this.height && this.leafCount(this.pathNodes[level] as number) === 1) level++;
    const node = this.pathNodes[level] as number;
    const slot = this.pathSlots[level] as number;
    removeSlot(this, node, slot, 1);
    // The child that slid into the first slot answers for less than before; the separator above names its first entry.
    if (slot === 0) this.replaceSeparatorAbove(level, this.entryAt(node, 0));
    assert(this.leafCount(this.root) > 0, 'a tree with entries has lost its root');
  }

  /** The first entry of the path's leaf has gone: the separator that named it names the present first one. */
  private replaceSeparator(entry: number): void {
    this.replaceSeparatorAbove(0, entry);
  }

  private replaceSeparatorAbove(below: number, entry: number): void {
    const { nodes } = this;
    for (let level = below + 1; level <= this.height; level++) {
      const node = this.pathNodes[level] as number;
      const slot = this.pathSlots[level] as number;
      if (slot === 0) {
        nodes[(node << NODE_SHIFT) + ENTRIES] = entry;
        continue;
      }
      // Taken out and put in again, since the prefix and the discriminator are other ones.
      const child = nodes[((node + 1) << NODE_SHIFT) + slot] as number;
      removeSlot(this, node, slot, 1);
      this.insertChildSlot(node, slot, entry, child);
      return;
    }
  }

  private newEntry(offset: number, bytes: number): number {
    const entry = this.count++;
    const at = entry * this.entryWords;
    if (at + this.entryWords > this.entries.length) {
      this.entries = growWords(this.entries, at + this.entryWords);
    }
    this.entries[at] = offset;
    this.entries[at + 1] = bytes;
    this.inserted = true;
    return entry;
  }

  private newNodes(count: number): number {
    const node = this.nodeCount;
    this.nodeCount += count;
    const words = this.nodeCount * NODE_WORDS;
    if (words > this.nodes.length) this.nodes = growWords(this.nodes, words);
    clearNode(this, node);
    return node;
  }
}
