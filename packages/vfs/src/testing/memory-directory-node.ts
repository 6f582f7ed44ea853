/**
 * A directory of the memory disk, and what a crash does to names.
 *
 * Reads see `entries`; the platter has `durable`; changes wait in one list for the whole disk, in order, until syncDir of
 * a directory they touch. A crash keeps any of them, but never a change without the earlier ones on which it rests (those
 * of the same file or of the same name), so a rename shows the old name or the new one, never both and never neither.
 */
import type { Random } from '@phantom/base';
import type { CrashMode, MemoryFileNode } from './memory-file-node.js';

export type MemoryNode = MemoryFileNode | MemoryDirectoryNode;

export class MemoryDirectoryNode {
  readonly kind = 'directory';
  /** What reads see. */
  readonly entries = new Map<string, MemoryNode>();
  /** What the platter has. */
  durable = new Map<string, MemoryNode>();
}

interface Place {
  readonly directory: MemoryDirectoryNode;
  readonly name: string;
}

interface NameChange {
  readonly order: number;
  readonly node: MemoryNode;
  readonly from: Place | undefined;
  readonly to: Place | undefined;
}

/** The changes of names that are not on the platter yet. */
export class PendingNames {
  private changes: NameChange[] = [];

  /** Makes the change that reads see. Create: no `from`; remove: no `to`; rename: both. */
  change(order: number, node: MemoryNode, from: Place | undefined, to: Place | undefined): void {
    from?.directory.entries.delete(from.name);
    to?.directory.entries.set(to.name, node);
    this.changes.push({ order, node, from, to });
  }

  /** Makes the changes of a directory durable, with those on which they rest. */
  synced(directory: MemoryDirectoryNode): void {
    const taken = new Set<NameChange>();
    for (let i = this.changes.length - 1; i >= 0; i--) {
      const change = this.changes[i] as NameChange;
      let wanted = change.from?.directory === directory || change.to?.directory === directory;
      if (!wanted) for (const later of taken) wanted ||= restsOn(later, change);
      if (wanted) taken.add(change);
    }
    for (const change of this.changes) if (taken.has(change)) applyTo(change, (node) => node.durable);
    this.changes = this.changes.filter((change) => !taken.has(change));
  }

  /** The same changes between copies of the nodes. */
  copy(copyNode: <T extends MemoryNode>(node: T) => T): PendingNames {
    const copy = new PendingNames();
    const copyPlace = (place: Place | undefined): Place | undefined =>
      place && { directory: copyNode(place.directory), name: place.name };
    copy.changes = this.changes.map(({ order, node, from, to }) => {
      return { order, node: copyNode(node), from: copyPlace(from), to: copyPlace(to) };
    });
    return copy;
  }

  allSynced(): void {
    for (const change of this.changes) applyTo(change, (node) => node.durable);
    this.changes = [];
  }

  /** Which of the changes a crash keeps. */
  survivors(random: Random, mode: CrashMode, moment: number): NameChange[] {
    if (mode === 'none') return [];
    if (mode === 'all') return this.changes.slice();
    if (mode === 'moment') return this.changes.filter((change) => change.order < moment);
    const lost: NameChange[] = [];
    return this.changes.filter((change) => {
      const keeps = random.chance(0.5) && !lost.some((earlier) => restsOn(change, earlier));
      if (!keeps) lost.push(change);
      return keeps;
    });
  }
}

/** The tree after a crash: durable entries with the surviving changes applied; `copyFile` makes what is left of a file. */
export function crashTree(
  root: MemoryDirectoryNode,
  survivors: readonly NameChange[],
  copyFile: (node: MemoryFileNode) => MemoryFileNode,
): MemoryDirectoryNode {
  const images = new Map<MemoryDirectoryNode, Map<string, MemoryNode>>();
  const imageOf = (directory: MemoryDirectoryNode): Map<string, MemoryNode> => {
    let image = images.get(directory);
    if (image === undefined) images.set(directory, (image = new Map(directory.durable)));
    return image;
  };
  for (const change of survivors) applyTo(change, imageOf);
  const copyDirectory = (directory: MemoryDirectoryNode): MemoryDirectoryNode => {
    const copy = new MemoryDirectoryNode();
    for (const [name, node] of imageOf(directory)) {
      copy.entries.set(name, node.kind === 'file' ? copyFile(node) : copyDirectory(node));
    }
    copy.durable = new Map(copy.entries);
    return copy;
  };
  return copyDirectory(root);
}

/** The tree and its pending changes as they are, in new nodes. */
export function copyTree(
  root: MemoryDirectoryNode,
  names: PendingNames,
): { readonly root: MemoryDirectoryNode; readonly names: PendingNames } {
  const copies = new Map<MemoryNode, MemoryNode>();
  const copyNode = <T extends MemoryNode>(node: T): T => {
    let copy = copies.get(node);
    if (copy === undefined) {
      copy = node.kind === 'file' ? node.clone() : new MemoryDirectoryNode();
      copies.set(node, copy);
      if (node.kind === 'directory' && copy.kind === 'directory') {
        for (const [name, entry] of node.entries) copy.entries.set(name, copyNode(entry));
        for (const [name, entry] of node.durable) copy.durable.set(name, copyNode(entry));
      }
    }
    return copy as T;
  };
  return { root: copyNode(root), names: names.copy(copyNode) };
}

function applyTo(change: NameChange, entriesOf: (directory: MemoryDirectoryNode) => Map<string, MemoryNode>): void {
  if (change.from !== undefined) {
    const entries = entriesOf(change.from.directory);
    if (entries.get(change.from.name) === change.node) entries.delete(change.from.name);
  }
  if (change.to !== undefined) entriesOf(change.to.directory).set(change.to.name, change.node);
}

function restsOn(later: NameChange, earlier: NameChange): boolean {
  if (later.node === earlier.node) return true;
  for (const a of [later.from, later.to]) {
    for (const b of [earlier.from, earlier.to]) {
      if (a !== undefined && b !== undefined && a.directory === b.directory && a.name === b.name) return true;
    }
  }
  return false;
}
