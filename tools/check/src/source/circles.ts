/**
 * Circles of imports between files (type-only imports aside), by Tarjan's strongly connected components (R. Tarjan, "Depth-first search and linear graph
 * algorithms", 1972). One problem a component, with one shortest way round as the message.
 */
import type { Problem } from '../problem.js';
import type { SourceTree } from './source-tree.js';

/** One problem for each group of files that import each other in a ring. */
export function checkCircles(tree: SourceTree): Problem[] {
  const problems: Problem[] = [];
  for (const component of components(tree)) {
    const start = component.toSorted()[0]!;
    const ring = shortestRing(tree, start, new Set(component));
    if (ring === undefined) continue;
    const names = ring.map((path) => path.slice(path.lastIndexOf('/') + 1));
    problems.push({ file: start, line: 0, rule: 'import-circle', message: names.join(' -> ') });
  }
  return problems;
}

/** The strongly connected components, single files included. Iterative, so that a long chain of imports cannot overflow the stack. */
function components(tree: SourceTree): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const isOpen = new Set<string>();
  const result: string[][] = [];
  const enter = (path: string): { path: string; next: number } => {
    index.set(path, index.size);
    low.set(path, index.get(path)!);
    open.push(path);
    isOpen.add(path);
    return { path, next: 0 };
  };
  for (const first of tree.files.keys()) {
    if (index.has(first)) continue;
    const stack = [enter(first)];
    while (stack.length > 0) {
      const frame = stack.at(-1)!;
      const targets = tree.files.get(frame.path)!.codeTargets;
      const target = targets[frame.next++];
      if (target !== undefined) {
        if (!index.has(target)) stack.push(enter(target));
        else if (isOpen.has(target)) low.set(frame.path, Math.min(low.get(frame.path)!, index.get(target)!));
        continue;
      }
      stack.pop();
      const parent = stack.at(-1);
      if (parent !== undefined) low.set(parent.path, Math.min(low.get(parent.path)!, low.get(frame.path)!));
      if (low.get(frame.path) === index.get(frame.path)) result.push(close(frame.path, open, isOpen));
    }
  }
  return result;
}

function close(path: string, open: string[], isOpen: Set<string>): string[] {
  const component: string[] = [];
  let member: string;
  do {
    member = open.pop()!;
    isOpen.delete(member);
    component.push(member);
  } while (member !== path);
  return component;
}

/** Breadth first from `start` back to itself inside the component; undefined when there is no way (a single file). */
function shortestRing(tree: SourceTree, start: string, component: ReadonlySet<string>): string[] | undefined {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (const path of queue) {
    for (const target of tree.files.get(path)!.codeTargets) {
      if (target === start) {
        const ring = [start];
        for (let at = path; at !== start; at = cameFrom.get(at)!) ring.push(at);
        return [...ring, start].toReversed();
      }
      if (!component.has(target) || cameFrom.has(target)) continue;
      cameFrom.set(target, path);
      queue.push(target);
    }
  }
  return undefined;
}
