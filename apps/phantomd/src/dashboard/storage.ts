/** Page 4: what lies where, and how the engines keep up. */
import { card, lineChart, panel } from './chart.js';
import type { EngineFacts } from './client.js';
import { h } from './dom.js';
import { bytes, count, percent } from './format.js';
import type { Page } from './page.js';
import { type Column, type Rows, table } from './table.js';

const TABLES: readonly Column[] = [
  { name: 'schema', title: 'Schema' },
  { name: 'table', title: 'Table' },
  { name: 'engine', title: 'Engine' },
  { name: 'rows', title: 'Rows (estimated)', format: count },
  { name: 'table_bytes', title: 'Table', format: bytes },
  { name: 'index_bytes', title: 'Indexes', format: bytes },
];
const ADVICE: readonly Column[] = [
  { name: 'schema', title: 'Schema' },
  { name: 'table', title: 'Table' },
  { name: 'engine', title: 'Engine' },
  {
    name: 'advice',
    title: 'Suits it',
    cell: ({ engine, advice }) =>
      h(
        'span',
        { class: engine === advice ? 'quiet' : 'warn' },
        engine === advice ? `${String(advice)}, as it is` : String(advice),
      ),
  },
  { name: 'gets', title: 'Rows by key', format: count },
  { name: 'scans', title: 'Scans', format: count },
  { name: 'writes', title: 'Writes', format: count },
  { name: 'bytes_written', title: 'Written', format: bytes },
  { name: 'reason', title: 'Reason', kind: 'text' },
];

const LEVELS: readonly Column[] = [
  { name: 'level', title: 'Level', kind: 'number' },
  { name: 'runs', title: 'Sorted runs', format: count },
  { name: 'entries', title: 'Entries', format: count },
  { name: 'bytes', title: 'Size', format: bytes },
];

/** Levels of an LSM-tree as rows, without those below the last that holds anything. */
function levelsOf({ levels = [] }: Partial<EngineFacts>): Rows {
  const last = levels.findLastIndex(({ runs }) => runs > 0);
  return {
    columns: LEVELS.map(({ name }) => ({ name, type: 'bigint' })),
    rows: levels.slice(0, last + 1).map((level, i) => [i, level.runs, level.entries, level.bytes]),
  };
}

export const storage: Page = {
  name: 'storage',
  title: 'Storage',
  hasRows: true,
  hasCharts: true,
  show({ snapshot, history, filter, redraw: onChange }) {
    const { metrics, results, server } = snapshot;
    const engineNamed = (name: string): Partial<EngineFacts> =>
      server.engines.find((engine) => engine.name === name) ?? {};
    const lsm = engineNamed('lsm');
    const { height } = engineNamed('btree');
    const cardsOf = (engine: 'btree' | 'lsm', title: string): HTMLElement[] => {
      const of = (name: string): number | undefined => metrics[`phantom_${engine}_${name}`];
      const flushed = of('flushed_bytes_total') ?? 0;
      const merged = of('merged_bytes_total') ?? 0;
      const hits = of('cache_hits_total') ?? 0;
      const reads = hits + (of('pages_read_total') ?? 0);
      return [
        card(`${title} files`, bytes(of('file_bytes')), `${count(of('runs'))} sorted runs`),
        card(`${title} in memory`, bytes(of('delta_bytes')), `${count(of('frozen_deltas'))} deltas wait to be written`),
        card(
          `${title} merges`,
          count(of('merges_total')),
          flushed === 0
            ? 'nothing flushed yet'
            : `${((flushed + merged) / flushed).toFixed(1)} bytes written a byte flushed`,
        ),
        card(
          `${title} cache`,
          percent(reads === 0 ? undefined : hits / reads),
          `${count(of('pages_read_total'))} read from files`,
        ),
      ];
    };
    const both = (name: string): { label: string; points: ReturnType<typeof history.values> }[] => [
      { label: 'B+tree', points: history.values(`phantom_btree_${name}`) },
      { label: 'LSM-tree', points: history.values(`phantom_lsm_${name}`) },
    ];
    return [
      h('div', { class: 'cards' }, ...cardsOf('btree', 'B+tree'), ...cardsOf('lsm', 'LSM-tree')),
      h(
        'div',
        { class: 'charts' },
        lineChart('Files', both('file_bytes'), bytes, { isSize: true }),
        lineChart('Written and not yet in files', both('delta_bytes'), bytes, { isSize: true }),
      ),
      panel(
        'Levels of the LSM-tree',
        h(
          'p',
          {},
          `a row by its key is looked for in at most ${count(lsm.readAmplification)} sorted runs; in the B+tree on ${count(height)} pages`,
        ),
        table(levelsOf(lsm), { id: 'levels', columns: LEVELS, filter: '', onChange, empty: 'It holds no files.' }),
      ),
      panel(
        'Tables',
        h('p', {}, 'of this database'),
        table(results.tables, { id: 'tables', columns: TABLES, filter, onChange, empty: 'There is no table.' }),
      ),
      panel(
        'Use and engine',
        h('p', {}, 'since the start'),
        table(results.advice, { id: 'advice', columns: ADVICE, filter, onChange, empty: 'No table was used yet.' }),
      ),
    ];
  },
};
