/**
 * Settings of which one value is true of what is done here: clients may send that one, and any other is refused with the reason
 * that stands as its description. Names, kinds and most values are PostgreSQL 15's.
 */
import type { SettingDefinition, SettingKind } from './setting-definitions.js';

const BOOLEAN: SettingKind = { kind: 'boolean' };
const TEXT: SettingKind = { kind: 'text' };
const NUMBER: SettingKind = { kind: 'real', minimum: -1, maximum: Number.MAX_VALUE };
const COUNT: SettingKind = { kind: 'integer', minimum: -1, maximum: 2147483647 };
const TIME: SettingKind = { ...COUNT, unit: 'ms' };
const SECONDS: SettingKind = { ...COUNT, unit: 's' };
const BYTES: SettingKind = { ...COUNT, unit: 'B' };
const SIZE: SettingKind = { ...COUNT, unit: 'kB' };

const oneOf = (...values: readonly string[]): SettingKind => ({ kind: 'enum', values });
const LEVELS = oneOf(
  'debug5',
  'debug4',
  'debug3',
  'debug2',
  'debug1',
  'info',
  'notice',
  'warning',
  'error',
  'log',
  'fatal',
  'panic',
);

function fixed(name: string, value: string, description: string, kind: SettingKind = TEXT): SettingDefinition {
  return { name, kind, default: value, description, only: [value.toLowerCase()] };
}

export const fixedSettings: readonly SettingDefinition[] = [
  fixed('allow_in_place_tablespaces', 'off', 'There are no tablespaces.', BOOLEAN),
  fixed('allow_system_table_mods', 'off', 'System tables are never changed by hand.', BOOLEAN),
  fixed('array_nulls', 'on', 'NULL in the text of an array is a null.', BOOLEAN),
  fixed('backtrace_functions', '', 'Errors have no traces of a C program.'),
  fixed('backslash_quote', 'safe_encoding', "When \\' is read as a quote.", oneOf('safe_encoding', 'on', 'off')),
  fixed('commit_delay', '0', 'A commit waits for others as long as the sync before it takes, and no longer.', COUNT),
  fixed('compute_query_id', 'off', 'Statements have no numbers.', oneOf('auto', 'regress', 'on', 'off')),
  fixed('cpu_index_tuple_cost', '0.005', 'Prices of plans are constants.', NUMBER),
  fixed('cpu_operator_cost', '0.0025', 'Prices of plans are constants.', NUMBER),
  fixed('cpu_tuple_cost', '0.01', 'Prices of plans are constants.', NUMBER),
  fixed('data_sync_retry', 'off', 'A sync that has failed is never tried again.', BOOLEAN),
  fixed('debug_discard_caches', '0', 'Caches are never dropped for the sake of it.', COUNT),
  fixed('debug_pretty_print', 'on', 'No trees are printed.', BOOLEAN),
  fixed('debug_print_parse', 'off', 'No trees are printed; EXPLAIN shows plans.', BOOLEAN),
  fixed('debug_print_plan', 'off', 'No trees are printed; EXPLAIN shows plans.', BOOLEAN),
  fixed('debug_print_rewritten', 'off', 'No trees are printed; EXPLAIN shows plans.', BOOLEAN),
  fixed(
    'default_table_access_method',
    'heap',
    'There is one access method; WITH (engine = ...) chooses the storage engine.',
  ),
  fixed('default_tablespace', '', 'There are no tablespaces.'),
  fixed('default_with_oids', 'off', 'Rows have no oids.', BOOLEAN),
  fixed('dynamic_library_path', '$libdir', 'There are no libraries to load.'),
  fixed('exit_on_error', 'off', 'An error ends its transaction, not its session.', BOOLEAN),
  fixed('from_collapse_limit', '8', 'Joins of any number are put in order together; no text fixes the order.', COUNT),
  fixed('ignore_checksum_failure', 'off', 'What fails its checksum is corruption, and nobody reads on.', BOOLEAN),
  fixed('jit', 'off', 'Queries are compiled to JavaScript, which the JavaScript engine compiles further.', BOOLEAN),
  fixed('jit_debugging_support', 'off', 'There is no LLVM.', BOOLEAN),
  fixed('jit_dump_bitcode', 'off', 'There is no LLVM.', BOOLEAN),
  fixed('jit_profiling_support', 'off', 'There is no LLVM.', BOOLEAN),
  fixed('join_collapse_limit', '8', 'Joins of any number are put in order together; no text fixes the order.', COUNT),
  fixed('lc_messages', 'C', 'Messages are English.'),
  fixed('lc_monetary', 'C', 'Money is written without the customs of a country.'),
  fixed('lc_numeric', 'C', 'Numbers are written without the customs of a country.'),
  fixed('lc_time', 'C', 'Names of days and months are English.'),
  fixed('local_preload_libraries', '', 'There are no libraries to load.'),
  fixed('gin_fuzzy_search_limit', '0', 'An inverted index gives all that it finds.', COUNT),
  fixed('ignore_system_indexes', 'off', 'The catalog is in memory.', BOOLEAN),
  fixed('log_duration', 'off', 'The log tells of connections and of what fails, and of no statement.', BOOLEAN),
  fixed(
    'log_error_verbosity',
    'default',
    'The log tells of an error what the client is told, without values.',
    oneOf('terse', 'default', 'verbose'),
  ),
  fixed('log_executor_stats', 'off', 'phantom.statements has what statements cost.', BOOLEAN),
  fixed('log_lock_waits', 'off', 'The log tells of no locks; pg_locks does.', BOOLEAN),
  fixed('log_min_duration_sample', '-1', 'Of slow statements all are told, or none: log_min_duration_statement.', TIME),
  fixed(
    'log_min_error_statement',
    'panic',
    'The log holds the text of no statement: it could hold a password.',
    LEVELS,
  ),
  fixed('log_min_messages', 'warning', 'What the log leaves out is said where the server is started.', LEVELS),
  fixed('log_parameter_max_length', '-1', 'The log tells of no parameters.', BYTES),
  fixed('log_parameter_max_length_on_error', '0', 'The log tells of no parameters.', BYTES),
  fixed('log_parser_stats', 'off', 'phantom.statements has what statements cost.', BOOLEAN),
  fixed('log_planner_stats', 'off', 'phantom.statements has what statements cost.', BOOLEAN),
  fixed('log_replication_commands', 'off', 'There is no replication.', BOOLEAN),
  fixed(
    'log_statement',
    'none',
    'The log tells of no statement: it could hold a password.',
    oneOf('none', 'ddl', 'mod', 'all'),
  ),
  fixed(
    'log_statement_sample_rate',
    '1',
    'Of slow statements all are told, or none: log_min_duration_statement.',
    NUMBER,
  ),
  fixed('log_statement_stats', 'off', 'phantom.statements has what statements cost.', BOOLEAN),
  fixed('log_temp_files', '-1', 'The log tells of no files of queries.', SIZE),
  fixed('log_transaction_sample_rate', '0', 'The log tells of no transactions.', NUMBER),
  fixed('max_stack_depth', '2048', 'How deep statements may nest is bounded by numbers, not by bytes.', SIZE),
  fixed(
    'password_encryption',
    'scram-sha-256',
    'Passwords are kept as SCRAM-SHA-256 has them.',
    oneOf('md5', 'scram-sha-256'),
  ),
  fixed(
    'plan_cache_mode',
    'auto',
    'A plan is made for unknown parameters, and kept.',
    oneOf('auto', 'force_generic_plan', 'force_custom_plan'),
  ),
  fixed('quote_all_identifiers', 'off', 'Names are quoted where they need it.', BOOLEAN),
  fixed('random_page_cost', '4', 'Prices of plans are constants.', NUMBER),
  fixed('seq_page_cost', '1', 'Prices of plans are constants.', NUMBER),
  fixed('session_preload_libraries', '', 'There are no libraries to load.'),
  fixed(
    'stats_fetch_consistency',
    'none',
    'Views of activity tell what is so when they are read.',
    oneOf('none', 'cache', 'snapshot'),
  ),
  fixed('synchronize_seqscans', 'off', 'A scan begins at the beginning of its table.', BOOLEAN),
  fixed('tcp_keepalives_count', '10', 'A silent peer is asked ten times: Node has no other number.', COUNT),
  fixed('tcp_keepalives_interval', '1', 'A silent peer is asked every second: Node has no other interval.', SECONDS),
  fixed('temp_file_limit', '-1', 'Files of a query are bounded by the disk.', SIZE),
  fixed('temp_tablespaces', '', 'There are no tablespaces.'),
  fixed('timezone_abbreviations', 'Default', 'Abbreviations of zones are those of PostgreSQL’s Default.'),
  fixed('trace_notify', 'off', 'Nothing is traced.', BOOLEAN),
  fixed('trace_sort', 'off', 'Nothing is traced.', BOOLEAN),
  fixed('track_activities', 'on', 'pg_stat_activity always tells what sessions run.', BOOLEAN),
  fixed('track_counts', 'on', 'What is written is counted, for ANALYZE by itself.', BOOLEAN),
  fixed('track_functions', 'none', 'Calls of routines are not counted.', oneOf('none', 'pl', 'all')),
  fixed('track_io_timing', 'off', 'Reads are counted and not timed.', BOOLEAN),
  fixed('track_wal_io_timing', 'off', 'Syncs are timed always; phantomd’s metrics tell.', BOOLEAN),
  fixed('transform_null_equals', 'off', '`x = NULL` is null.', BOOLEAN),
  fixed('update_process_title', 'off', 'Sessions are no processes.', BOOLEAN),
  fixed(
    'wal_compression',
    'off',
    'Records of the log are written as they are.',
    oneOf('pglz', 'lz4', 'zstd', 'on', 'off'),
  ),
  fixed('wal_consistency_checking', '', 'Every record of the log is under a checksum.'),
  fixed('wal_init_zero', 'on', 'Files of the log are filled before they are used.', BOOLEAN),
  fixed('wal_recycle', 'on', 'Files of the log are used again.', BOOLEAN),
  fixed('zero_damaged_pages', 'off', 'What is damaged is corruption, and nobody reads on.', BOOLEAN),
];
