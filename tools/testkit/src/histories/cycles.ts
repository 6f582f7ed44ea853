/**
 * Circles in the dependency graph, by class. Each search walks one strongly connected component and names a few circles;
 * one is enough to prove an anomaly.
 *
 * Snapshot isolation forbids circles without two anti-dependencies in a row. They are found in a graph of twice the nodes:
 * at `n` one may go on by any edge, at `n'`, reached by an anti-dependency, only by another kind.
 *
 *        a ──anti──► b'          a, a' ──other──► b
 */
import { ANTI, DependencyGraph, type Edge, EdgeKind } from './dependency-graph.js';

export type CycleKind = 'G0' | 'G1c' | 'G-single' | 'G-nonadjacent' | 'G2-item' | 'G2';

export interface Cycle {
  readonly kind: CycleKind;
  /** Each ends where the next begins, the last where the first does. */
  readonly edges: readonly Edge[];
}

/** Circles of one class that are named before the search ends. */
const NAMED_MAX = 3;
const INFORMATION = EdgeKind.Overwrite | EdgeKind.Read;

/** Circles of overwrites (G0), and of overwrites and reads (G1c). `time` is EdgeKind.Time to let the order of time count. */
export function informationCycles(graph: DependencyGraph, time: number): Cycle[] {
  const overwrites = circlesThrough(graph, EdgeKind.Overwrite, EdgeKind.Overwrite | time);
  const reads = circlesThrough(graph, EdgeKind.Read, INFORMATION | time);
  return [...named('G0', overwrites), ...named('G1c', reads)];
}

/** Circles that no snapshots of one moment allow: G-single and G-nonadjacent. */
export function snapshotCycles(graph: DependencyGraph, time: number): Cycle[] {
  const doubled = new DependencyGraph(graph.nodes * 2);
  for (const { from, to, kind, key } of graph.edges(INFORMATION | ANTI | time)) {
    if ((kind & ANTI) !== 0) {
      doubled.add(from * 2, to * 2 + 1, kind, key);
    } else {
      doubled.add(from * 2, to * 2, kind, key);
      doubled.add(from * 2 + 1, to * 2, kind, key);
    }
  }
  return circlesThrough(doubled, ANTI, INFORMATION | ANTI | time).map((circle) => {
    const edges = circle.map((edge) => ({ ...edge, from: edge.from >> 1, to: edge.to >> 1 }));
    return { kind: antiCount(edges) === 1 ? 'G-single' : 'G-nonadjacent', edges };
  });
}

/** Circles with two anti-dependencies in a row: write skew, over rows (G2-item) and over predicates (G2). */
export function serializationCycles(graph: DependencyGraph, time: number): Cycle[] {
  const items = circlesThrough(graph, EdgeKind.Anti, INFORMATION | EdgeKind.Anti | time, hasAntiInARow);
  const predicates = circlesThrough(graph, EdgeKind.PredicateAnti, INFORMATION | ANTI | time, hasAntiInARow);
  return [...named('G2-item', items), ...named('G2', predicates)];
}

function named(kind: CycleKind, circles: readonly (readonly Edge[])[]): Cycle[] {
  return circles.map((edges) => ({ kind, edges }));
}

/** Circles through an edge of the kinds in `through`, closed with as few anti-dependencies as can be by those in `mask`. */
function circlesThrough(
  graph: DependencyGraph,
  through: number,
  mask: number,
  isWanted: (circle: readonly Edge[]) => boolean = () => true,
): Edge[][] {
  const componentOf = graph.components(mask);
  const circles: Edge[][] = [];
  const named = new Set<number>();
  for (const edge of graph.edges(through)) {
    const component = componentOf[edge.from] as number;
    if (component !== componentOf[edge.to] || named.has(component)) continue;
    const rest = graph.cheapestPath(edge.to, edge.from, mask, (node) => componentOf[node] === component);
    if (rest === undefined) continue;
    const circle = [edge, ...rest];
    if (!isWanted(circle)) continue;
    named.add(component);
    circles.push(circle);
    if (circles.length === NAMED_MAX) break;
  }
  return circles;
}

function hasAntiInARow(edges: readonly Edge[]): boolean {
  return (
    edges.length > 1 &&
    edges.some(({ kind }, i) => (kind & ANTI) !== 0 && ((edges.at(i - 1) as Edge).kind & ANTI) !== 0)
  );
}

function antiCount(edges: readonly Edge[]): number {
  return edges.filter(({ kind }) => (kind & ANTI) !== 0).length;
}
