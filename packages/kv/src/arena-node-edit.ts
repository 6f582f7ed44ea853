/**
 * Changes to single nodes of the arena tree: slots come, go and move to another node, and the prefix that a node's keys
 * share follows. `from` is the first slot of a node that is compared: 0 in leaves, 1 in inner nodes, which also have
 * children to move.
 */
import {
  COUNT_MASK,
  DISCRIMINATORS,
  ENTRIES,
  GREATEST,
  LEAST,
  NEXT,
  NODE_SHIFT,
  NODE_WORDS,
  NONE,
  PREFIX_OFFSET,
  PREFIX_SHIFT,
  PREVIOUS,
  TO_ENTRY,
  sharedBytes,
  signedDiscriminator,
} from './arena-node.js';

/** The tables of a tree, which is what implements this. */
export interface NodeTables {
  readonly keys: Uint8Array;
  readonly entries: Int32Array;
  readonly nodes: Int32Array;
  readonly entryWords: number;
  modifications: number;
}

/** Puts an entry into a node with room. `from` is the first slot that is compared: 1 in inner nodes. */
export function insertSlot(tables: NodeTables, node: number, slot: number, from: number, entry: number): void {
  const { nodes, entries, keys } = tables;
  const base = node << NODE_SHIFT;
  const offset = entries[entry * tables.entryWords] as number;
  const bytes = entries[entry * tables.entryWords + 1] as number;
  const count = (nodes[base] as number) & COUNT_MASK;
  let prefix = (nodes[base] as number) >>> PREFIX_SHIFT;
  // Between two keys with the prefix there are only keys with the prefix.
  if (prefix > 0 && (slot === from || slot === count)) {
    const shared = sharedBytes(keys, offset, nodes[base + PREFIX_OFFSET] as number, bytes < prefix ? bytes : prefix);
    if (shared < prefix) {
      setPrefix(tables, node, from, shared);
      prefix = shared;
    }
  }
  for (let i = base + DISCRIMINATORS + count, first = base + DISCRIMINATORS + slot; i > first; i--) {
    nodes[i] = nodes[i - 1] as number;
    nodes[i + TO_ENTRY] = nodes[i + TO_ENTRY - 1] as number;
  }
  nodes[base + DISCRIMINATORS + slot] =
    slot < from ? LEAST : signedDiscriminator(keys, offset + prefix, offset + bytes);
  nodes[base + ENTRIES + slot] = entry;
  nodes[base] = (prefix << PREFIX_SHIFT) | (count + 1);
  tables.modifications++;
  // Powers of two: often enough to notice that the prefix grew, seldom enough to cost nothing.
  if (count >= 3 && ((count + 1) & count) === 0) tightenPrefix(tables, node, from);
}

/** Moves the slots from `cut` on into a new, empty node; children too when `from` is 1. */
export function moveSlots(tables: NodeTables, node: number, cut: number, target: number, from: number): void {
  const { nodes } = tables;
  const source = node << NODE_SHIFT;
  const into = target << NODE_SHIFT;
  const head = nodes[source] as number;
  const moved = (head & COUNT_MASK) - cut;
  const prefix = head & ~COUNT_MASK;
  for (let i = 0; i < moved; i++) {
    nodes[into + DISCRIMINATORS + i] = nodes[source + DISCRIMINATORS + cut + i] as number;
    nodes[into + ENTRIES + i] = nodes[source + ENTRIES + cut + i] as number;
  }
  if (from === 1) {
    for (let i = 0; i < moved; i++) nodes[into + NODE_WORDS + i] = nodes[source + NODE_WORDS + cut + i] as number;
  }
  nodes[source] = prefix | cut;
  nodes[into] = prefix | moved;
  nodes.fill(GREATEST, source + DISCRIMINATORS + cut, source + ENTRIES);
  if (from === 1 && moved > 0) nodes[into + DISCRIMINATORS] = LEAST;
  anchorPrefix(tables, node, from);
  anchorPrefix(tables, target, from);
  tightenPrefix(tables, node, from);
  tightenPrefix(tables, target, from);
  tables.modifications++;
}

/** Makes word 1 point at a key of the node's own (invariant 3). */
export function anchorPrefix(tables: NodeTables, node: number, from: number): void {
  const { nodes } = tables;
  const base = node << NODE_SHIFT;
  const count = (nodes[base] as number) & COUNT_MASK;
  if (count > from) nodes[base + PREFIX_OFFSET] = keyStart(tables, nodes[base + ENTRIES + from] as number);
  else nodes[base] = count;
}

/** Lengthens the prefix when discriminators tie, which is when that pays. */
function tightenPrefix(tables: NodeTables, node: number, from: number): void {
  const { nodes } = tables;
  const base = node << NODE_SHIFT;
  const head = nodes[base] as number;
  const last = base + DISCRIMINATORS + (head & COUNT_MASK) - 1;
  let at = base + DISCRIMINATORS + from;
  while (at < last && nodes[at] !== nodes[at + 1]) at++;
  if (at >= last) return;
  const lowest = nodes[base + ENTRIES + from] as number;
  const highest = nodes[last + TO_ENTRY] as number;
  const start = keyStart(tables, lowest);
  const bytes = Math.min(keyEnd(tables, lowest) - start, keyEnd(tables, highest) - keyStart(tables, highest));
  const prefix = sharedBytes(tables.keys, start, keyStart(tables, highest), bytes);
  if (prefix > head >>> PREFIX_SHIFT) {
    nodes[base + PREFIX_OFFSET] = start;
    setPrefix(tables, node, from, prefix);
  }
}

/** Sets the length of the prefix, which all keys must have, and computes the discriminators anew. */
function setPrefix(tables: NodeTables, node: number, from: number, prefix: number): void {
  const { nodes, entries, entryWords, keys } = tables;
  const base = node << NODE_SHIFT;
  const count = (nodes[base] as number) & COUNT_MASK;
  for (let slot = from; slot < count; slot++) {
    const entry = (nodes[base + ENTRIES + slot] as number) * entryWords;
    const start = entries[entry] as number;
    const end = start + (entries[entry + 1] as number);
    nodes[base + DISCRIMINATORS + slot] = signedDiscriminator(keys, start + prefix, end);
  }
  nodes[base] = (prefix << PREFIX_SHIFT) | count;
}

export function removeSlot(tables: NodeTables, node: number, slot: number, from: number): void {
  const { nodes } = tables;
  const base = node << NODE_SHIFT;
  const head = nodes[base] as number;
  const count = head & COUNT_MASK;
  for (let i = slot; i < count - 1; i++) {
    nodes[base + DISCRIMINATORS + i] = nodes[base + DISCRIMINATORS + i + 1] as number;
    nodes[base + ENTRIES + i] = nodes[base + ENTRIES + i + 1] as number;
    if (from === 1) nodes[base + NODE_WORDS + i] = nodes[base + NODE_WORDS + i + 1] as number;
  }
  nodes[base + DISCRIMINATORS + count - 1] = GREATEST;
  if (from === 1 && count > 1) nodes[base + DISCRIMINATORS] = LEAST;
  nodes[base] = head - 1;
  anchorPrefix(tables, node, from);
}

export function clearNode(tables: NodeTables, node: number): void {
  const { nodes } = tables;
  const base = node << NODE_SHIFT;
  nodes[base] = 0;
  nodes[base + NEXT] = NONE;
  nodes[base + PREVIOUS] = NONE;
  nodes.fill(GREATEST, base + DISCRIMINATORS, base + ENTRIES);
}

function keyStart(tables: NodeTables, entry: number): number {
  return tables.entries[entry * tables.entryWords] as number;
}

function keyEnd(tables: NodeTables, entry: number): number {
  const at = entry * tables.entryWords;
  return (tables.entries[at] as number) + (tables.entries[at + 1] as number);
}
