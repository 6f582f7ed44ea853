/** Charts, drawn as SVG: lines over time, and bars of a histogram. */
import { type Child, h, s } from './dom.js';
import type { Point } from './history.js';
import { clock } from './format.js';

const WIDTH = 480;
const HEIGHT = 130;
const LEFT = 62;
const BOTTOM = 18;
const TOP = 8;
const LINES = 4;
/** More bars have a name under every other one. */
const NAMED_BARS_MAX = 7;
/** Smaller shares are seen well enough. */
const NAMED_SHARE_MIN = 0.01;

export interface Line {
  readonly label: string;
  readonly points: readonly Point[];
}

const TONES = ['one', 'two', 'three'] as const;

/** The next of 1, 2, 5, 10, 20, ... that is not below a value; of sizes the next power of two. */
export function roundUp(value: number, isSize = false): number {
  if (!(value > 0)) return 1;
  if (isSize) return 2 ** Math.ceil(Math.log2(value));
  const power = 10 ** Math.floor(Math.log10(value));
  for (const step of [1, 2, 5]) if (value <= step * power) return step * power;
  return 10 * power;
}

/** A panel with lines over time; `format` says values with their units, `most` is the top of the scale where it is fixed, sizes have one of powers of two. */
export function lineChart(
  title: string,
  lines: readonly Line[],
  format: (value: number | undefined) => string,
  scale: { readonly most?: number; readonly isSize?: boolean } = {},
): HTMLElement {
  const values = lines.flatMap(({ points }) => points.map(({ value }) => value ?? 0));
  const top = scale.most ?? roundUp(Math.max(0, ...values), scale.isSize);
  const moments = lines[0]?.points ?? [];
  const [first, last] = [moments[0]?.at ?? 0, moments.at(-1)?.at ?? 1];
  const x = (at: number): number => LEFT + ((at - first) / Math.max(1, last - first)) * (WIDTH - LEFT);
  const y = (value: number): number => HEIGHT - BOTTOM - (Math.min(value, top) / top) * (HEIGHT - BOTTOM - TOP);
  const now = lines.map(({ label, points }, i) =>
    h('span', { class: TONES[i] }, `${label} ${format(points.findLast(({ value }) => value !== undefined)?.value)}`),
  );
  const drawing = s('svg', {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    role: 'img',
    'aria-label': `${title}: ${now.map(({ textContent }) => textContent).join(', ')}`,
  });
  for (let i = 0; i <= LINES; i++) {
    const value = (top * i) / LINES;
    drawing.append(
      s('line', { class: 'grid', x1: LEFT, x2: WIDTH, y1: y(value), y2: y(value) }),
      s('text', { x: LEFT - 6, y: y(value) + 4, 'text-anchor': 'end' }, format(value)),
    );
  }
  if (moments.length > 1)
    drawing.append(
      s('text', { x: LEFT, y: HEIGHT - 3 }, clock(first)),
      s('text', { x: WIDTH, y: HEIGHT - 3, 'text-anchor': 'end' }, clock(last)),
    );
  for (const [i, { points }] of lines.entries())
    drawing.append(s('path', { class: `plot ${TONES[i]}`, d: pathOf(points, x, y) }));
  return panel(title, h('p', { class: 'legend' }, ...now), drawing);
}

/** The strokes through points; where a value is missing the line is broken. */
export function pathOf(points: readonly Point[], x: (at: number) => number, y: (value: number) => number): string {
  let path = '';
  let isDrawn = false;
  for (const { at, value } of points) {
    if (value !== undefined) path += `${isDrawn ? 'L' : 'M'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    isDrawn = value !== undefined;
  }
  return path;
}

/** A panel with a bar for each bucket that is not empty at an end. */
export function histogramChart(
  title: string,
  note: string,
  bounds: readonly number[],
  counts: readonly number[],
  format: (bound: number) => string,
): HTMLElement {
  const first = counts.findIndex((n) => n > 0);
  const last = counts.findLastIndex((n) => n > 0);
  if (first === -1) return panel(title, h('p', {}, note), h('p', { class: 'empty' }, 'Nothing in this time.'));
  const shown = counts.slice(first, last + 1);
  const total = shown.reduce((sum, n) => sum + n, 0);
  const wide = (WIDTH - 8) / shown.length;
  const drawing = s('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': `${title}, ${note}` });
  for (const [i, n] of shown.entries()) {
    const height = (n / Math.max(...shown)) * (HEIGHT - BOTTOM - TOP - 12);
    const x = 4 + i * wide;
    const bound = bounds[first + i];
    drawing.append(
      s('rect', { class: 'bar', x: x + 2, width: Math.max(1, wide - 4), y: HEIGHT - BOTTOM - height, height, rx: 2 }),
      s(
        'text',
        { x: x + wide / 2, y: HEIGHT - BOTTOM - height - 3, 'text-anchor': 'middle' },
        n / total < NAMED_SHARE_MIN ? '' : `${((100 * n) / total).toFixed(n === total ? 0 : 1)} %`,
      ),
      s(
        'text',
        { x: x + wide / 2, y: HEIGHT - 3, 'text-anchor': 'middle' },
        shown.length > NAMED_BARS_MAX && i % 2 === 1 ? '' : bound === undefined ? 'more' : `≤ ${format(bound)}`,
      ),
    );
  }
  return panel(title, h('p', {}, note), drawing);
}

/** A titled box. */
export function panel(title: string, note: Child, ...content: readonly Child[]): HTMLElement {
  return h('section', {}, h('div', { class: 'head' }, h('h2', {}, title), note), ...content);
}

/** A figure with its name. */
export function card(name: string, value: string, note?: string, tone?: 'good' | 'warn' | 'bad'): HTMLElement {
  return h(
    'dl',
    { class: 'card' },
    h('dt', {}, name),
    h('dd', { class: tone }, value, note === undefined ? undefined : h('small', {}, note)),
  );
}
