/**
 * Copies of an arena tree's tables in which entries have other numbers, and keys lie elsewhere in their arena: what it takes to take over
 * a tree that somebody has made of the same keys. Two passes over numbers instead of a descent for each key.
 */
import type { NodeTables } from './arena-node-edit.js';
import { COUNT_MASK, ENTRIES, NODE_SHIFT, NONE, PREFIX_OFFSET } from './arena-node.js';
import type { ArenaTree } from './arena-tree.js';

/** Copies the keys' places of all entries of a tree behind the first `first` of another, whose arena has them `shift` bytes further on. */
export function copyEntries(
  from: NodeTables & Pick<ArenaTree, 'count'>,
  to: NodeTables,
  first: number,
  shift: number,
): void {
  const source = from.entries;
  const target = to.entries;
  const end = from.count * from.entryWords;
  for (let at = 0, into = first * to.entryWords; at < end; at += from.entryWords, into += to.entryWords) {
    target[into] = (source[at] as number) + shift;
    target[into + 1] = source[at + 1] as number;
  }
}

/** Renumbers the entries that the nodes below and with `node` name, and moves the keys that they share prefixes with. */
export function shiftNodes(nodes: Int32Array, node: number, level: number, first: number, shift: number): void {
  const base = node << NODE_SHIFT;
  const count = (nodes[base] as number) & COUNT_MASK;
  nodes[base + PREFIX_OFFSET] = (nodes[base + PREFIX_OFFSET] as number) + shift;
  for (let at = base + ENTRIES; at < base + ENTRIES + count; at++) nodes[at] = (nodes[at] as number) + first;
  if (level === 0) return;
  const children = (node + 1) << NODE_SHIFT;
  for (let slot = 0; slot < count; slot++) shiftNodes(nodes, nodes[children + slot] as number, level - 1, first, shift);
}

/** The numbers of a tree's entries, by their keys. */
export function entriesInOrder(tree: ArenaTree): number[] {
  const found: number[] = [];
  for (let leaf = tree.firstLeaf(); leaf !== NONE; leaf = tree.nextLeaf(leaf))
    for (let slot = 0; slot < tree.leafCount(leaf); slot++) found.push(tree.entryAt(leaf, slot));
  return found;
}
