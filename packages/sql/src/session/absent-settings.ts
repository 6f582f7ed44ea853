/**
 * PostgreSQL's settings of what there is not here: ways of execution that no plan has, prices and bounds of them. Every value is
 * taken, because none could make a difference: such a setting never forbids anything, and what it would discourage or bound is
 * not done. Settings of what is done otherwise than they say stand in fixed-settings.ts, and are refused.
 */
import type { SettingDefinition, SettingKind } from './setting-definitions.js';

const BOOLEAN: SettingKind = { kind: 'boolean' };
const PRICE: SettingKind = { kind: 'real', minimum: 0, maximum: Number.MAX_VALUE };
const BOUND: SettingKind = { kind: 'real', minimum: -1, maximum: Number.MAX_VALUE };
const COUNT: SettingKind = { kind: 'integer', minimum: 0, maximum: 2147483647 };
const TIME: SettingKind = { kind: 'integer', minimum: 0, maximum: 2147483647, unit: 'ms' };
const SIZE: SettingKind = { kind: 'integer', minimum: 0, maximum: 2147483647, unit: 'kB' };
const WORKERS: SettingKind = { kind: 'integer', minimum: 0, maximum: 1024 };
const PAGES: SettingKind = { kind: 'integer', minimum: 0, maximum: 715827882, unit: '8kB' };

function absent(name: string, value: string, description: string, kind: SettingKind = BOOLEAN): SettingDefinition {
  return { name, kind, default: value, description };
}

export const absentSettings: readonly SettingDefinition[] = [
  absent('backend_flush_after', '0', 'No session writes pages.', PAGES),
  absent('client_connection_check_interval', '0', 'A client that goes is noticed when it goes.', TIME),
  absent('commit_siblings', '5', 'No commit waits for others of its own will.', COUNT),
  absent('constraint_exclusion', 'partition', 'Checks leave no table of an inheritance tree out of a plan.', {
    kind: 'enum',
    values: ['partition', 'on', 'off'],
  }),
  absent('cursor_tuple_fraction', '0.1', 'A cursor has the plan of its query.', PRICE),
  absent('deadlock_timeout', '1000', 'A deadlock is found when it arises.', TIME),
  absent('default_toast_compression', 'pglz', 'No value is stored apart from its row.', {
    kind: 'enum',
    values: ['pglz', 'lz4'],
  }),
  absent('effective_cache_size', '524288', 'No price of a plan counts on a cache.', PAGES),
  absent('effective_io_concurrency', '1', 'No plan counts on a number of disks.', COUNT),
  absent('enable_async_append', 'on', 'There are no foreign tables to wait for.'),
  absent('enable_gathermerge', 'on', 'What workers hand over is in no order.'),
  absent('enable_hashagg', 'on', 'Groups are made by hashing wherever no key gives their order.'),
  absent('enable_incremental_sort', 'on', 'No plan sorts what is sorted in part.'),
  absent('enable_material', 'on', 'No plan materializes but where it must.'),
  absent('enable_parallel_append', 'on', 'No worker appends.'),
  absent('enable_parallel_hash', 'on', 'No worker joins.'),
  absent('enable_partition_pruning', 'on', 'Partitions that no row can be in are never read.'),
  absent('enable_partitionwise_aggregate', 'off', 'Rows of partitions are grouped together.'),
  absent('enable_partitionwise_join', 'off', 'Rows of partitions are joined together.'),
  absent('enable_tidscan', 'on', 'No plan scans by tid.'),
  absent('force_parallel_mode', 'off', 'Workers are for costly aggregations alone.', {
    kind: 'enum',
    values: ['off', 'on', 'regress'],
  }),
  absent('geqo', 'on', 'No join order is searched for by chance.'),
  absent('geqo_effort', '5', 'No join order is searched for by chance.', COUNT),
  absent('geqo_generations', '0', 'No join order is searched for by chance.', COUNT),
  absent('geqo_pool_size', '0', 'No join order is searched for by chance.', COUNT),
  absent('geqo_seed', '0', 'No join order is searched for by chance.', PRICE),
  absent('geqo_selection_bias', '2', 'No join order is searched for by chance.', PRICE),
  absent('geqo_threshold', '12', 'No join order is searched for by chance.', COUNT),
  absent('gin_pending_list_limit', '4096', 'Inverted indexes have no list of what is pending.', SIZE),
  absent('jit_above_cost', '100000', 'There is no LLVM to compile costly queries.', BOUND),
  absent('jit_expressions', 'on', 'There is no LLVM to compile costly queries.'),
  absent('jit_inline_above_cost', '500000', 'There is no LLVM to compile costly queries.', BOUND),
  absent('jit_optimize_above_cost', '500000', 'There is no LLVM to compile costly queries.', BOUND),
  absent('jit_tuple_deforming', 'on', 'There is no LLVM to compile costly queries.'),
  absent('logical_decoding_work_mem', '65536', 'There is no logical decoding.', SIZE),
  absent('maintenance_io_concurrency', '10', 'No plan counts on a number of disks.', COUNT),
  absent('max_parallel_maintenance_workers', '2', 'No index is built by workers.', WORKERS),
  absent('max_parallel_workers', '8', 'How many threads there are is said when the database is opened.', WORKERS),
  absent('min_parallel_index_scan_size', '64', 'Workers are a matter of cost, not of size.', PAGES),
  absent('min_parallel_table_scan_size', '1024', 'Workers are a matter of cost, not of size.', PAGES),
  absent('parallel_tuple_cost', '0.1', 'Workers hand over few rows.', PRICE),
  absent('recursive_worktable_factor', '10', 'Recursive queries are planned step by step.', PRICE),
  absent('temp_buffers', '1024', 'Temporary tables have no pages.', PAGES),
  absent('vacuum_cost_delay', '0', 'VACUUM has nothing to do and needs no rest.', {
    kind: 'real',
    minimum: 0,
    maximum: 100,
    unit: 'ms',
  }),
  absent('vacuum_cost_limit', '200', 'VACUUM has nothing to do and needs no rest.', COUNT),
  absent('vacuum_cost_page_dirty', '20', 'VACUUM has nothing to do and needs no rest.', COUNT),
  absent('vacuum_cost_page_hit', '1', 'VACUUM has nothing to do and needs no rest.', COUNT),
  absent('vacuum_cost_page_miss', '2', 'VACUUM has nothing to do and needs no rest.', COUNT),
  absent('vacuum_failsafe_age', '1600000000', 'No number of a transaction comes again.', COUNT),
  absent('vacuum_freeze_min_age', '50000000', 'No number of a transaction comes again.', COUNT),
  absent('vacuum_freeze_table_age', '150000000', 'No number of a transaction comes again.', COUNT),
  absent('vacuum_multixact_failsafe_age', '1600000000', 'No number of a transaction comes again.', COUNT),
  absent('vacuum_multixact_freeze_min_age', '5000000', 'No number of a transaction comes again.', COUNT),
  absent('vacuum_multixact_freeze_table_age', '150000000', 'No number of a transaction comes again.', COUNT),
  absent('wal_sender_timeout', '60000', 'There is no replication.', TIME),
  absent('wal_skip_threshold', '2048', 'Every write is in the log.', SIZE),
];
