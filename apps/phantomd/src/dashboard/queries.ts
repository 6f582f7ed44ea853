/** Page 2: what runs now, and what statements have cost. */
import { panel } from './chart.js';
import { stop } from './client.js';
import { h } from './dom.js';
import { count, duration, percent } from './format.js';
import type { Page, View } from './page.js';
import { type Column, type Row, numberOf, rowsOf, table } from './table.js';

/** The session whose button was pressed once: the second press stops it. */
let asked: number | undefined;

function stopButton(row: Row, view: View): HTMLElement {
  const pid = numberOf(row.pid) ?? 0;
  // Who rests inside of a transaction has nothing to cancel, and holds what it has locked.
  const how = row.state === 'active' ? 'cancel' : 'terminate';
  const press = async (): Promise<void> => {
    if (asked !== pid) {
      asked = pid;
      view.redraw();
      return;
    }
    asked = undefined;
    try {
      const stopped = await stop(pid, how);
      view.tell(stopped ? `Session ${pid} was asked to stop.` : `There is no session ${pid} any more.`);
    } catch (error) {
      view.tell(`Session ${pid} goes on: ${(error as Error).message}`);
    }
    view.refresh();
  };
  const isAsked = asked === pid;
  return h(
    'button',
    { class: isAsked ? 'danger' : undefined, 'data-key': `stop/${pid}`, onclick: () => void press() },
    `${isAsked ? 'Really: ' : ''}${how === 'cancel' ? 'cancel' : 'end session'}`,
  );
}

function running(view: View): Column[] {
  return [
    { name: 'pid', title: 'Session', kind: 'number' },
    { name: 'role', title: 'Role' },
    { name: 'application', title: 'Application' },
    { name: 'state', title: 'State' },
    { name: 'age_ms', title: 'Since', format: duration },
    {
      name: 'wait_event',
      title: 'Waits for',
      cell: ({ wait_event: event, wait_event_type: type }) => waitOf(type, event),
    },
    { name: 'query', title: 'Statement', kind: 'code' },
    { name: 'stop', title: '', cell: (row) => stopButton(row, view) },
  ];
}

function waitOf(type: unknown, event: unknown): string {
  return type === 'Lock' ? `lock (${String(event)})` : type === 'Client' ? 'its client' : '–';
}

function statements(totalMs: number): Column[] {
  return [
    { name: 'query', title: 'Statement', kind: 'code' },
    { name: 'role', title: 'Role' },
    { name: 'calls', title: 'Calls', format: count },
    {
      name: 'total_ms',
      title: 'Total',
      kind: 'number',
      cell: ({ total_ms: own }) => {
        const ms = numberOf(own);
        const share = h('span', { class: 'share' });
        share.style.width = `${(100 * (ms ?? 0)) / Math.max(totalMs, 1e-9)}%`;
        const text = `${duration(ms)} · ${percent(totalMs === 0 ? 0 : (ms ?? 0) / totalMs)}`;
        const cell = h('span', {}, text);
        cell.append(share);
        return cell;
      },
    },
    { name: 'mean_ms', title: 'Mean', format: duration },
    { name: 'min_ms', title: 'Least', format: duration },
    { name: 'max_ms', title: 'Most', format: duration },
    { name: 'rows', title: 'Rows', format: count },
    { name: 'errors', title: 'Errors', format: count },
    { name: 'database', title: 'Database' },
  ];
}

export const queries: Page = {
  name: 'queries',
  title: 'Queries',
  hasRows: true,
  hasCharts: false,
  show(view) {
    const { results } = view.snapshot;
    const { filter, redraw: onChange } = view;
    const totalMs = rowsOf(results.statements).reduce((sum, { total_ms: ms }) => sum + (numberOf(ms) ?? 0), 0);
    const [since] = rowsOf(results.since);
    const note =
      since === undefined
        ? ''
        : `since ${String(since.since).slice(0, 19)}, constants taken out, without commits of their own`;
    return [
      panel(
        'At work now',
        h('p', {}, 'sessions that run a statement or are inside of a transaction'),
        table(results.running, {
          id: 'running',
          columns: running(view),
          filter,
          onChange,
          empty: 'Nobody runs anything.',
        }),
      ),
      panel(
        'What statements have cost',
        h('p', {}, note),
        table(results.statements, {
          id: 'statements',
          columns: statements(totalMs),
          filter,
          onChange,
          empty: 'No statement has run yet.',
        }),
      ),
    ];
  },
};
