/** What the dashboard makes of figures, histories, rows and waits. */
import { describe, expect, it } from 'vitest';
import { pathOf, roundUp } from '../../src/dashboard/chart.js';
import { bytes, count, duration, percent, quantile, rate } from '../../src/dashboard/format.js';
import { History } from '../../src/dashboard/history.js';
import { arranged, numberOf, rowsOf } from '../../src/dashboard/table.js';
import { waitGraph } from '../../src/dashboard/wait-graph.js';

describe('figures', () => {
  it.each([
    [count(undefined), '–'],
    [count(1234.4), '1,234'],
    [count(0.25), '0.25'],
    [count(12_345_678), '12.3 M'],
    [rate(17.25), '17.3/s'],
    [bytes(0), '0 B'],
    [bytes(1536), '1.50 KiB'],
    [bytes(5 * 2 ** 40), '5 TiB'],
    [duration(0.0123), '12 us'],
    [duration(3.414), '3.41 ms'],
    [duration(250_000), '4 min 10 s'],
    [duration(3 * 3_600_000 + 300_000), '3 h 5 min'],
    [duration(200 * 3_600_000), '8 d 8 h'],
    [percent(0.984), '98.4 %'],
    [percent(1), '100 %'],
    [percent(null), '–'],
  ])('are shown with their units: %s', (shown, expected) => {
    expect(shown).toBe(expected);
  });

  it('of a histogram are interpolated within its buckets', () => {
    expect(quantile([1, 2, 4], [0, 10, 0, 0], 0.5)).toBe(1.5);
    expect(quantile([1, 2, 4], [10, 0, 10, 0], 0.75)).toBe(3);
    expect(quantile([1, 2, 4], [0, 0, 0, 3], 0.5)).toBe(4);
    expect(quantile([1], [0, 0], 0.5)).toBeUndefined();
  });

  it('of scales are round', () => {
    expect([0, 0.013, 7, 20, 21].map((value) => roundUp(value))).toEqual([1, 0.02, 10, 20, 50]);
    expect([0, 1000, 1024, 5000].map((value) => roundUp(value, true))).toEqual([1, 1024, 1024, 8192]);
  });

  it('that are missing break a line', () => {
    const points = [1, 2, undefined, 4].map((value, at) => ({ at, value }));
    expect(
      pathOf(
        points,
        (x) => x,
        (y) => y,
      ),
    ).toBe('M0.0 1.0L1.0 2.0M3.0 4.0');
  });
});

describe('the history', () => {
  it('tells what counters gain, also over a restart and over series that come late', () => {
    const history = new History();
    history.add({ stepMs: 1000, at: [1000, 2000, 3000], series: { n: [10, 30, 5], h: [1, 2, 3] } }, 9000);
    history.add({ stepMs: 1000, at: [4000, 6000], series: { n: [6, 10], 's/0': [0, 2], 's/1': [4, 4] } }, 9000);
    expect(history.rates('n').map(({ value }) => value)).toEqual([20, undefined, 1, 2]);
    expect(history.values('h').map(({ value }) => value)).toEqual([1, 2, 3, undefined, undefined]);
    expect(history.buckets('s', 2).at(-1)).toEqual({ at: 6000, gains: [2, 0] });
    expect(history.buckets('s', 2)[2]).toEqual({ at: 4000, gains: [0, 0] });
    expect(history.shares('n', 'n').at(-1)?.value).toBe(0.5);
  });

  it('lets go what is older than its window', () => {
    const history = new History();
    for (let at = 0; at <= 20_000; at += 1000) history.add({ stepMs: 1000, at: [at], series: { n: [at] } }, 5000);
    expect(history.values('n').map(({ at }) => at)).toEqual([15_000, 16_000, 17_000, 18_000, 19_000, 20_000]);
    history.clear();
    expect([history.lastMs, history.values('n')]).toEqual([0, []]);
  });
});

describe('rows', () => {
  const result = {
    columns: [
      { name: 'a', type: 'text' },
      { name: 'n', type: 'bigint' },
    ],
    rows: [
      ['x', '9007199254740993'],
      ['y', 7],
      ['z', null],
    ],
  };

  it('are sorted as numbers and filtered by any column', () => {
    const rows = rowsOf(result);
    const names = (given: readonly Record<string, unknown>[]): unknown[] => given.map(({ a }) => a);
    expect(names(arranged(rows, '', { column: 'n', descending: true }))).toEqual(['x', 'y', 'z']);
    expect(names(arranged(rows, '', { column: 'a', descending: true }))).toEqual(['z', 'y', 'x']);
    expect(names(arranged(rows, ' Y ', undefined))).toEqual(['y']);
    expect(rowsOf({ error: { message: 'no' } })).toEqual([]);
    expect([numberOf(''), numberOf('1.5'), numberOf('x')]).toEqual([undefined, 1.5, undefined]);
  });
});

describe('the graph of waits', () => {
  const wait = (from: number, to: number): Record<string, unknown> => ({
    transaction: from * 100,
    pid: from,
    blocking_transaction: to * 100,
    blocking_pid: to,
    waited_ms: 5,
    locked: 'row',
    query: `q${from}`,
    blocking_query: `q${to}`,
  });

  it('stands who waits left of what he waits for', () => {
    const { nodes, edges } = waitGraph([wait(3, 2), wait(2, 1), wait(4, 1)]);
    expect(nodes.map(({ pid, depth, place, isBlocker, text }) => [pid, depth, place, isBlocker, text])).toEqual([
      [3, 2, 0, false, 'q3'],
      [2, 1, 0, false, 'q2'],
      [1, 0, 0, true, 'q1'],
      [4, 1, 1, false, 'q4'],
    ]);
    expect(edges).toHaveLength(3);
  });

  it('bears circles, prepared transactions and crowds', () => {
    expect(
      waitGraph([wait(1, 2), wait(2, 1)])
        .nodes.map(({ depth }) => depth)
        .sort(),
    ).toEqual([1, 2]);
    expect(waitGraph([{ ...wait(1, 2), blocking_pid: null }]).nodes[1]).toMatchObject({
      title: 'prepared, transaction 200',
    });
    const { nodes, hidden, edges } = waitGraph(Array.from({ length: 100 }, (_, n) => wait(n + 2, 1)));
    expect([nodes.length, hidden, edges.length]).toEqual([60, 41, 59]);
  });
});
