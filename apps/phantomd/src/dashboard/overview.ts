/** Page 1: whether all is well, and how fast it goes. */
import { card, histogramChart, lineChart } from './chart.js';
import { bytes, count, duration, percent, quantile, rate } from './format.js';
import type { History, Point } from './history.js';
import type { Page, View } from './page.js';
import { numberOf, rowsOf } from './table.js';

const RESPONSES = 'phantom_pg_response_seconds';
const SYNCS = 'phantom_wal_sync_seconds';
/** Samples that are looked at together: a percentile of one second's few statements says little. */
const SPAN = 5;

const seconds = (value: number | undefined): string => duration(value === undefined ? undefined : value * 1000);

function bucketsOf(
  { snapshot, history }: View,
  name: string,
): { bounds: readonly number[]; gains: readonly (readonly number[])[]; at: readonly number[] } {
  const { bounds = [], counts = [] } = snapshot.histograms[name] ?? {};
  const buckets = history.buckets(name, counts.length);
  return { bounds, gains: buckets.map(({ gains }) => gains), at: buckets.map(({ at }) => at) };
}

function summed(gains: readonly (readonly number[])[]): number[] {
  const total: number[] = [];
  for (const one of gains) for (const [i, n] of one.entries()) total[i] = (total[i] ?? 0) + n;
  return total;
}

/** A percentile as it went. */
function quantiles(view: View, name: string, share: number): Point[] {
  const { bounds, gains, at } = bucketsOf(view, name);
  return at.map((moment, i) => ({
    at: moment,
    value: quantile(bounds, summed(gains.slice(Math.max(0, i - SPAN + 1), i + 1)), share),
  }));
}

function lastRate(history: History, name: string): number | undefined {
  const recent = history
    .rates(name)
    .slice(-SPAN)
    .flatMap(({ value }) => (value === undefined ? [] : [value]));
  return recent.length === 0 ? undefined : recent.reduce((sum, value) => sum + value, 0) / recent.length;
}

export const overview: Page = {
  name: 'overview',
  title: 'Overview',
  hasRows: false,
  hasCharts: true,
  show(view) {
    const { snapshot, history } = view;
    const { metrics, server } = snapshot;
    const responses = bucketsOf(view, RESPONSES);
    const recent = summed(responses.gains.slice(-SPAN * 6));
    const at = (share: number): string => seconds(quantile(responses.bounds, recent, share));
    const syncs = bucketsOf(view, SYNCS);
    const hits = metrics.phantom_btree_cache_hits_total ?? 0;
    const reads = hits + (metrics.phantom_btree_pages_read_total ?? 0);
    const sessions = rowsOf(snapshot.results.sessions).map(
      ({ state, sessions: n }) => `${count(numberOf(n))} ${String(state)}`,
    );
    const { unready } = server;
    const cards = [
      card(
        'Health',
        unready === null ? 'Healthy' : 'Refuses writes',
        unready ?? `takes writes, up ${duration(snapshot.at - server.startedMs)}`,
        unready === null ? 'good' : 'bad',
      ),
      card(
        'Statements',
        rate(lastRate(history, 'phantom_pg_queries_total')),
        `${count(metrics.phantom_pg_queries_total)} since the start`,
      ),
      card('Latency p50', at(0.5), 'last half minute, commit included'),
      card('Latency p99', at(0.99), `p95 ${at(0.95)}`),
      card('Connections', count(metrics.phantom_pg_connections), sessions.join(', ')),
      card(
        'Cache',
        percent(reads === 0 ? undefined : hits / reads),
        `${bytes(metrics.phantom_btree_cache_bytes)} of pages and blocks`,
      ),
      card(
        'Log since checkpoint',
        bytes(metrics.phantom_store_log_bytes),
        `${count(metrics.phantom_store_checkpoints_total)} checkpoints since the start`,
      ),
      card(
        'Errors',
        rate(lastRate(history, 'phantom_pg_errors_total')),
        `${count(metrics.phantom_pg_errors_total)} since the start`,
      ),
    ];
    const charts = [
      lineChart(
        'Throughput',
        [
          { label: 'statements', points: history.rates('phantom_pg_queries_total') },
          { label: 'commits', points: history.rates('phantom_mvcc_committed_total') },
        ],
        rate,
      ),
      lineChart(
        'Latency of clients',
        [
          { label: 'p50', points: quantiles(view, RESPONSES, 0.5) },
          { label: 'p99', points: quantiles(view, RESPONSES, 0.99) },
        ],
        seconds,
      ),
      histogramChart('Responses', 'in the time shown above', responses.bounds, summed(responses.gains), seconds),
      histogramChart(
        'Syncs of the log',
        'write and fsync of a group of commits',
        syncs.bounds,
        summed(syncs.gains),
        seconds,
      ),
      lineChart(
        'Written to the log',
        [{ label: 'log', points: history.rates('phantom_wal_appended_bytes_total') }],
        (value) => (value === undefined ? bytes(value) : `${bytes(value)}/s`),
        { isSize: true },
      ),
      lineChart(
        'Reads that the cache answered',
        [
          {
            label: 'share',
            points: history.shares('phantom_btree_cache_hits_total', 'phantom_btree_pages_read_total'),
          },
        ],
        percent,
        { most: 1 },
      ),
    ];
    return [grid('cards', cards), grid('charts', charts)];
  },
};

function grid(kind: string, children: readonly HTMLElement[]): HTMLElement {
  const element = document.createElement('div');
  element.className = kind;
  element.append(...children);
  return element;
}
