/** Page 3: transactions, and who waits for whom. */
import { card, panel } from './chart.js';
import { h } from './dom.js';
import { bytes, count, duration } from './format.js';
import type { Page } from './page.js';
import { type Column, rowsOf, table } from './table.js';
import { drawWaits, waitGraph } from './wait-graph.js';

const TRANSACTIONS: readonly Column[] = [
  { name: 'id', title: 'Transaction', kind: 'number' },
  { name: 'pid', title: 'Session', kind: 'number' },
  { name: 'application', title: 'Application' },
  { name: 'status', title: 'Status' },
  { name: 'isolation', title: 'Isolation' },
  { name: 'age_ms', title: 'Age', format: duration },
  { name: 'snapshot_seq', title: 'Snapshot', format: count },
  { name: 'write_set_bytes', title: 'Writes', format: bytes },
  { name: 'locks', title: 'Locks', format: count },
  { name: 'statement', title: 'Statement', kind: 'code' },
];
const WAITS: readonly Column[] = [
  { name: 'pid', title: 'Session', kind: 'number' },
  { name: 'blocking_pid', title: 'waits for', kind: 'number' },
  { name: 'waited_ms', title: 'Waited', format: duration },
  { name: 'mode', title: 'Mode' },
  { name: 'locked', title: 'Locked', kind: 'text' },
];
const PREPARED: readonly Column[] = [
  { name: 'gid', title: 'Name', kind: 'text' },
  { name: 'owner', title: 'Owner' },
  { name: 'database', title: 'Database' },
  { name: 'age_ms', title: 'Age', format: duration },
];
const CONFLICTS: readonly Column[] = [
  { name: 'table_name', title: 'Table' },
  { name: 'key', title: 'Key', kind: 'text' },
  { name: 'lost_races', title: 'Lost races', format: count },
];

export const transactions: Page = {
  name: 'transactions',
  title: 'Transactions & locks',
  hasRows: true,
  hasCharts: false,
  show({ snapshot, filter, redraw: onChange }) {
    const { metrics, results } = snapshot;
    const waits = rowsOf(results.waits);
    const prepared = metrics.phantom_mvcc_prepared_transactions ?? 0;
    const cards = h(
      'div',
      { class: 'cards' },
      card(
        'Under way',
        count(metrics.phantom_mvcc_live_transactions),
        `${count(metrics.phantom_mvcc_committed_total)} committed since the start`,
      ),
      card('Oldest', duration(metrics.phantom_mvcc_oldest_transaction_age_ms), 'what it could still read is kept'),
      card('Waits', count(waits.length), 'for locks, now', waits.length > 0 ? 'warn' : undefined),
      card('Deadlocks', count(metrics.phantom_mvcc_deadlocks_total), 'broken since the start'),
      card('Lost races', count(metrics.phantom_mvcc_conflicts_total), 'commits, since the start'),
      card(
        'Prepared',
        count(prepared),
        prepared > 0 ? `oldest ${duration(metrics.phantom_mvcc_prepared_age_ms)}` : 'in doubt',
        prepared > 0 ? 'warn' : undefined,
      ),
    );
    return [
      cards,
      panel(
        'Who waits for whom',
        h('p', {}, waits.length === 0 ? '' : 'red: waits for nobody, and others for it'),
        drawWaits(waitGraph(waits)),
        ...(waits.length === 0
          ? []
          : [table(results.waits, { id: 'waits', columns: WAITS, filter, onChange, empty: '' })]),
      ),
      panel(
        'Transactions',
        undefined,
        table(results.transactions, {
          id: 'transactions',
          columns: TRANSACTIONS,
          filter,
          onChange,
          empty: 'None is open.',
        }),
      ),
      panel(
        'Prepared transactions',
        undefined,
        table(results.prepared, {
          id: 'prepared',
          columns: PREPARED,
          filter,
          onChange,
          empty: 'None waits for its second phase.',
        }),
      ),
      panel(
        'Keys on which races were lost',
        undefined,
        table(results.conflicts, {
          id: 'conflicts',
          columns: CONFLICTS,
          filter,
          onChange,
          empty: 'No race was lost lately.',
        }),
      ),
    ];
  },
};
