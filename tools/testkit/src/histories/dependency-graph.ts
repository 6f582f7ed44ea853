/**
 * Who must come before whom: a graph of transactions with several kinds of edges (Adya's direct serialization graph), its
 * strongly connected components (Tarjan, "Depth-first search and linear graph algorithms", 1972), and cheapest paths.
 */

/** Why one transaction comes before another, a bit for each so that they add up to masks. */
export const EdgeKind = {
  /** It wrote a version, the other the next one. */
  Overwrite: 1,
  /** The other one read what it wrote. */
  Read: 2,
  /** It read a version, the other wrote the next one: an anti-dependency. */
  Anti: 4,
  /** As Anti, by a scan that did not find what the other one put there. */
  PredicateAnti: 8,
  /** It had ended before the other one began. */
  Time: 16,
} as const;
export type EdgeKind = (typeof EdgeKind)[keyof typeof EdgeKind];

export const ANTI = EdgeKind.Anti | EdgeKind.PredicateAnti;

export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly kind: EdgeKind;
  /** The key that makes it, -1 for Time. */
  readonly key: number;
}

export class DependencyGraph {
  private readonly outgoing: Edge[][];

  constructor(nodes: number) {
    this.outgoing = Array.from({ length: nodes }, () => []);
  }

  get nodes(): number {
    return this.outgoing.length;
  }

  /** Nobody depends on itself: such an edge is left out. */
  add(from: number, to: number, kind: EdgeKind, key = -1): void {
    if (from !== to) this.list(from).push({ from, to, kind, key });
  }

  /** Edges of the kinds in the mask that leave a node. */
  *from(node: number, mask: number): Generator<Edge> {
    for (const edge of this.list(node)) if ((edge.kind & mask) !== 0) yield edge;
  }

  /** Every edge of the kinds in the mask. */
  *edges(mask: number): Generator<Edge> {
    for (let node = 0; node < this.nodes; node++) yield* this.from(node, mask);
  }

  /** The same graph without the other nodes. */
  restrictedTo(isKept: (node: number) => boolean): DependencyGraph {
    const kept = new DependencyGraph(this.nodes);
    for (const list of this.outgoing) {
      for (const edge of list) if (isKept(edge.from) && isKept(edge.to)) kept.list(edge.from).push(edge);
    }
    return kept;
  }

  /** For every node the number of its strongly connected component, by edges of the kinds in the mask. */
  components(mask: number): Int32Array {
    const componentOf = new Int32Array(this.nodes).fill(-1);
    const index = new Int32Array(this.nodes).fill(-1);
    const low = new Int32Array(this.nodes);
    const stack: number[] = [];
    let entered = 0;
    let components = 0;
    for (let root = 0; root < this.nodes; root++) {
      if (index[root] !== -1) continue;
      const path: { readonly node: number; readonly rest: Iterator<Edge> }[] = [];
      const enter = (node: number): void => {
        index[node] = low[node] = entered++;
        stack.push(node);
        path.push({ node, rest: this.from(node, mask) });
      };
      enter(root);
      for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
        const { node, rest } = top;
        const step = rest.next();
        if (step.done !== true) {
          const { to } = step.value;
          if (index[to] === -1) enter(to);
          else if (componentOf[to] === -1) low[node] = Math.min(low[node] as number, index[to] as number);
          continue;
        }
        path.pop();
        const above = path.at(-1)?.node;
        if (above !== undefined) low[above] = Math.min(low[above] as number, low[node] as number);
        if (low[node] !== index[node]) continue;
        for (let member = -1; member !== node;) {
          member = stack.pop() as number;
          componentOf[member] = components;
        }
        components++;
      }
    }
    return componentOf;
  }

  /**
   * The path with the fewest anti-dependencies, among those the one with the fewest edges; undefined when there is none. It
   * stays among nodes for which `isInside` holds.
   */
  cheapestPath(from: number, to: number, mask: number, isInside: (node: number) => boolean): Edge[] | undefined {
    const cameBy = new Map<number, Edge>();
    const seen = new Set<number>([from]);
    // Breadth first over edges that cost nothing; those that do open the next round.
    let round = [from];
    while (round.length > 0) {
      const reached = [...round];
      const nextRound: number[] = [];
      for (const node of reached) {
        if (node === to) return pathTo(to, from, cameBy);
        for (const edge of this.from(node, mask)) {
          if ((edge.kind & ANTI) !== 0 || seen.has(edge.to) || !isInside(edge.to)) continue;
          seen.add(edge.to);
          cameBy.set(edge.to, edge);
          reached.push(edge.to);
        }
      }
      for (const node of reached) {
        for (const edge of this.from(node, mask & ANTI)) {
          if (seen.has(edge.to) || !isInside(edge.to)) continue;
          seen.add(edge.to);
          cameBy.set(edge.to, edge);
          nextRound.push(edge.to);
        }
      }
      round = nextRound;
    }
    return undefined;
  }

  private list(node: number): Edge[] {
    return this.outgoing[node] as Edge[];
  }
}

function pathTo(to: number, from: number, cameBy: ReadonlyMap<number, Edge>): Edge[] {
  const path: Edge[] = [];
  for (let node = to; node !== from;) {
    const edge = cameBy.get(node) as Edge;
    path.unshift(edge);
    node = edge.from;
  }
  return path;
}
