/**
 * Who waits for whom, drawn: whoever waits stands at the left of what he waits for, and at the right are those that everybody waits for.
 *
 *   [ 17 ] ──► [ 12 ] ──► [ 9 ]        12 waits for 9, and 17 for 12: cancel 9, and both go on
 *   [ 18 ] ───────────────┘
 */
import { h, s } from './dom.js';
import { duration } from './format.js';
import type { Row } from './table.js';
import { numberOf } from './table.js';

const BOX_WIDTH = 230;
const BOX_HEIGHT = 52;
const GAP_X = 90;
const GAP_Y = 18;
const NODES_MAX = 60;
const TEXT_CHARACTERS = 34;

export interface WaitNode {
  readonly key: string;
  readonly pid: number | undefined;
  readonly title: string;
  readonly text: string;
  /** Waits that are between it and whoever waits for nobody. */
  readonly depth: number;
  /** Place among those of its depth. */
  readonly place: number;
  readonly isBlocker: boolean;
}

export interface WaitEdge {
  readonly from: string;
  readonly to: string;
  readonly label: string;
}

export interface WaitGraph {
  readonly nodes: readonly WaitNode[];
  readonly edges: readonly WaitEdge[];
  /** Sessions that did not fit. */
  readonly hidden: number;
}

/** The graph of rows of phantom.waits, with the statements of both. A circle is cut where it was begun. */
export function waitGraph(waits: readonly Row[]): WaitGraph {
  const facts = new Map<string, { pid: number | undefined; text: string }>();
  const edges: WaitEdge[] = [];
  const next = new Map<string, string[]>();
  for (const row of waits) {
    const from = keyOf(row.transaction, row.pid);
    const to = keyOf(row.blocking_transaction, row.blocking_pid);
    facts.set(from, { pid: numberOf(row.pid), text: String(row.query ?? '') });
    if (!facts.has(to)) facts.set(to, { pid: numberOf(row.blocking_pid), text: String(row.blocking_query ?? '') });
    edges.push({ from, to, label: `${String(row.locked ?? '')} ${duration(numberOf(row.waited_ms))}` });
    next.set(from, [...(next.get(from) ?? []), to]);
  }
  const depths = new Map<string, number>();
  for (const key of facts.keys()) depthOf(key, next, depths, new Set());
  const places = new Map<number, number>();
  const nodes = [...facts].slice(0, NODES_MAX).map(([key, { pid, text }]): WaitNode => {
    const depth = depths.get(key) ?? 0;
    const place = places.get(depth) ?? 0;
    places.set(depth, place + 1);
    const title = pid === undefined ? `prepared, transaction ${key}` : `session ${pid}`;
    return { key, pid, title, text, depth, place, isBlocker: !next.has(key) };
  });
  const shown = new Set(nodes.map(({ key }) => key));
  return {
    nodes,
    edges: edges.filter(({ from, to }) => shown.has(from) && shown.has(to)),
    hidden: facts.size - nodes.length,
  };
}

function keyOf(transaction: unknown, pid: unknown): string {
  return String(transaction ?? `session ${String(pid)}`);
}

function depthOf(
  key: string,
  next: ReadonlyMap<string, readonly string[]>,
  depths: Map<string, number>,
  above: Set<string>,
): number {
  const known = depths.get(key);
  if (known !== undefined) return known;
  if (above.has(key)) return 0;
  above.add(key);
  const depth = Math.max(0, ...(next.get(key) ?? []).map((to) => 1 + depthOf(to, next, depths, above)));
  above.delete(key);
  depths.set(key, depth);
  return depth;
}

/** The graph as a drawing. */
export function drawWaits({ nodes, edges, hidden }: WaitGraph): HTMLElement {
  if (nodes.length === 0) return h('p', { class: 'empty' }, 'Nobody waits for a lock.');
  const deepest = Math.max(...nodes.map(({ depth }) => depth));
  const tallest = Math.max(...nodes.map(({ place }) => place));
  const x = ({ depth }: WaitNode): number => 2 + (deepest - depth) * (BOX_WIDTH + GAP_X);
  const y = ({ place }: WaitNode): number => 2 + place * (BOX_HEIGHT + GAP_Y);
  const width = (deepest + 1) * BOX_WIDTH + deepest * GAP_X + 4;
  const height = (tallest + 1) * BOX_HEIGHT + tallest * GAP_Y + 4;
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  const drawing = s('svg', {
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    role: 'img',
    'aria-label': `${edges.length} waits: ${edges.map(({ from, to }) => `${from} for ${to}`).join(', ')}`,
  });
  drawing.append(
    s(
      'defs',
      {},
      s(
        'marker',
        { id: 'arrow', viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto' },
        s('path', { class: 'arrow', d: 'M0 0L8 4L0 8z' }),
      ),
    ),
  );
  for (const { from, to, label } of edges) {
    const [a, b] = [byKey.get(from) as WaitNode, byKey.get(to) as WaitNode];
    const [x1, y1, x2, y2] = [x(a) + BOX_WIDTH, y(a) + BOX_HEIGHT / 2, x(b) - 2, y(b) + BOX_HEIGHT / 2];
    const bend = (x1 + x2) / 2;
    drawing.append(
      s(
        'path',
        { class: 'edge', d: `M${x1} ${y1}C${bend} ${y1} ${bend} ${y2} ${x2} ${y2}`, 'marker-end': 'url(#arrow)' },
        s('title', {}, label),
      ),
    );
  }
  for (const node of nodes) {
    const isLong = node.text.length > TEXT_CHARACTERS;
    const text = isLong ? `${node.text.slice(0, TEXT_CHARACTERS)}…` : node.text;
    const [left, top] = [x(node), y(node)];
    drawing.append(
      s('rect', {
        class: node.isBlocker ? 'box blocker' : 'box',
        x: left,
        y: top,
        width: BOX_WIDTH,
        height: BOX_HEIGHT,
        rx: 6,
      }),
      s('text', { class: 'strong', x: left + 10, y: top + 20 }, node.title),
      s('text', { x: left + 10, y: top + 38 }, text, s('title', {}, node.text)),
    );
  }
  const more = hidden === 0 ? undefined : h('p', { class: 'empty' }, `${hidden} more sessions wait or are waited for.`);
  const box = h('div', { class: 'scroll' }, more);
  box.prepend(drawing);
  return box;
}
