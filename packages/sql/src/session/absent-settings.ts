/**
 * PostgreSQL's settings of what there is not here: ways of execution that no plan has, prices and bounds of them. Every value is
 * taken, because none could make a difference: such a setting never forbids anything, and what it would discourage or bound is
 * not done. Settings of what is done otherwise than they say stand in setting-definitions.ts, and are refused there.
 */
import type { SettingDefinition, SettingKind } from './setting-definitions.js';

const BOOLEAN: SettingKind = { kind: 'boolean' };
const PRICE: SettingKind = { kind: 'real', minimum: 0, maximum: Number.MAX_VALUE };
const WORKERS: SettingKind = { kind: 'integer', minimum: 0, maximum: 1024 };
const PAGES: SettingKind = { kind: 'integer', minimum: 0, maximum: 715827882, unit: '8kB' };

function absent(name: string, value: string, description: string, kind: SettingKind = BOOLEAN): SettingDefinition {
  return { name, kind, default: value, description };
}

export const absentSettings: readonly SettingDefinition[] = [
  absent('constraint_exclusion', 'partition', 'There are no inheritance trees to leave tables out of.', {
    kind: 'enum',
    values: ['partition', 'on', 'off'],
  }),
  absent('default_toast_compression', 'pglz', 'No value is stored apart from its row.', {
    kind: 'enum',
    values: ['pglz', 'lz4'],
  }),
  absent('enable_gathermerge', 'on', 'No plan gathers from workers.'),
  absent('enable_hashagg', 'on', 'Groups are made by hashing wherever no key gives their order.'),
  absent('enable_incremental_sort', 'on', 'No plan sorts what is sorted in part.'),
  absent('enable_material', 'on', 'No plan materializes but where it must.'),
  absent('enable_mergejoin', 'on', 'No plan joins by merging.'),
  absent('enable_parallel_append', 'on', 'No query has workers.'),
  absent('enable_parallel_hash', 'on', 'No query has workers.'),
  absent('enable_partition_pruning', 'on', 'There are no partitions.'),
  absent('enable_partitionwise_aggregate', 'off', 'There are no partitions.'),
  absent('enable_partitionwise_join', 'off', 'There are no partitions.'),
  absent('enable_tidscan', 'on', 'No plan scans by tid.'),
  absent('force_parallel_mode', 'off', 'No query has workers.', { kind: 'enum', values: ['off', 'on', 'regress'] }),
  absent('geqo', 'on', 'No join order is searched for by chance.'),
  absent('jit_above_cost', '100000', 'There is no LLVM to compile costly queries.', {
    kind: 'real',
    minimum: -1,
    maximum: Number.MAX_VALUE,
  }),
  absent('max_parallel_workers', '8', 'No query has workers.', WORKERS),
  absent('max_parallel_workers_per_gather', '2', 'No query has workers.', WORKERS),
  absent('min_parallel_index_scan_size', '64', 'No query has workers.', PAGES),
  absent('min_parallel_table_scan_size', '1024', 'No query has workers.', PAGES),
  absent('parallel_leader_participation', 'on', 'No query has workers.'),
  absent('parallel_setup_cost', '1000', 'No query has workers that would have to be started.', PRICE),
  absent('parallel_tuple_cost', '0.1', 'No query has workers that would hand over rows.', PRICE),
  absent('vacuum_cost_delay', '0', 'VACUUM has nothing to do and needs no rest.', {
    kind: 'real',
    minimum: 0,
    maximum: 100,
    unit: 'ms',
  }),
];
