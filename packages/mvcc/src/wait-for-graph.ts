/**
 * Deadlocks: a cycle in who waits for whom. The graph is never stored; it is read off the lock queues when a wait begins,
 * since only a new wait can close a cycle. So a deadlock is found at once, and nothing runs when nobody waits.
 */

/**
 * The first cycle through `start`: the nodes in order of waiting, each waits for the next, the last for `start`.
 * `blockersOf` names the nodes that a node waits for. Depth-first; each node is entered once, so it costs at most one look
 * at every edge.
 */
export function findCycle<Node>(start: Node, blockersOf: (node: Node) => Iterable<Node>): Node[] | undefined {
  const entered = new Set<Node>([start]);
  const path: Node[] = [start];
  const open: Iterator<Node>[] = [blockersOf(start)[Symbol.iterator]()];
  while (open.length > 0) {
    const step = (open.at(-1) as Iterator<Node>).next();
    if (step.done === true) {
      open.pop();
      path.pop();
    } else if (step.value === start) {
      return path;
    } else if (!entered.has(step.value)) {
      entered.add(step.value);
      path.push(step.value);
      open.push(blockersOf(step.value)[Symbol.iterator]());
    }
  }
  return undefined;
}
