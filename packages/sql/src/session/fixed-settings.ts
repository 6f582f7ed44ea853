/**
 * Settings of which one value is true of what is done here: clients may send that one, and any other is refused with the reason
 * that stands as its description. Names, kinds and most values are PostgreSQL 15's.
 */
import type { SettingDefinition, SettingKind } from './setting-definitions.js';

const BOOLEAN: SettingKind = { kind: 'boolean' };
const TEXT: SettingKind = { kind: 'text' };
const NUMBER: SettingKind = { kind: 'real', minimum: -1, maximum: Number.MAX_VALUE };
const SIZE: SettingKind = { kind: 'integer', minimum: -1, maximum: 2147483647, unit: 'kB' };

function fixed(name: string, value: string, description: string, kind: SettingKind = TEXT): SettingDefinition {
  return { name, kind, default: value, description, only: [value.toLowerCase()] };
}

export const fixedSettings: readonly SettingDefinition[] = [
  fixed('allow_in_place_tablespaces', 'off', 'There are no tablespaces.', BOOLEAN),
  fixed('allow_system_table_mods', 'off', 'System tables are never changed by hand.', BOOLEAN),
  fixed('array_nulls', 'on', 'NULL in the text of an array is a null.', BOOLEAN),
  fixed('backslash_quote', 'safe_encoding', "When \\' is read as a quote."),
  fixed('commit_delay', '0', 'A commit waits for others as long as the sync before it takes, and no longer.', NUMBER),
  fixed('compute_query_id', 'off', 'Statements have no numbers.'),
  fixed('cpu_index_tuple_cost', '0.005', 'Prices of plans are constants.', NUMBER),
  fixed('cpu_operator_cost', '0.0025', 'Prices of plans are constants.', NUMBER),
  fixed('cpu_tuple_cost', '0.01', 'Prices of plans are constants.', NUMBER),
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
  fixed('default_text_search_config', 'pg_catalog.simple', 'There is no text search.'),
  fixed('default_with_oids', 'off', 'Rows have no oids.', BOOLEAN),
  fixed('exit_on_error', 'off', 'An error ends its transaction, not its session.', BOOLEAN),
  fixed('from_collapse_limit', '8', 'Joins of any number are put in order together; no text fixes the order.', NUMBER),
  fixed('ignore_checksum_failure', 'off', 'What fails its checksum is corruption, and nobody reads on.', BOOLEAN),
  fixed('jit', 'off', 'Queries are compiled to JavaScript, which the JavaScript engine compiles further.', BOOLEAN),
  fixed('join_collapse_limit', '8', 'Joins of any number are put in order together; no text fixes the order.', NUMBER),
  fixed('lc_messages', 'C', 'Messages are English.'),
  fixed('lc_monetary', 'C', 'Money is written without the customs of a country.'),
  fixed('lc_numeric', 'C', 'Numbers are written without the customs of a country.'),
  fixed('lc_time', 'C', 'Names of days and months are English.'),
  fixed('lo_compat_privileges', 'off', 'There are no large objects.', BOOLEAN),
  fixed('local_preload_libraries', '', 'There are no libraries to load.'),
  fixed('log_duration', 'off', 'The log tells of connections and of what fails, and of no statement.', BOOLEAN),
  fixed('log_lock_waits', 'off', 'The log tells of no locks; pg_locks does.', BOOLEAN),
  fixed('log_statement', 'none', 'The log tells of no statement: it could hold a password.'),
  fixed('log_temp_files', '-1', 'The log tells of no files of queries.', SIZE),
  fixed('password_encryption', 'scram-sha-256', 'Passwords are kept as SCRAM-SHA-256 has them.'),
  fixed('plan_cache_mode', 'auto', 'A plan is made for unknown parameters, and kept.'),
  fixed('quote_all_identifiers', 'off', 'Names are quoted where they need it.', BOOLEAN),
  fixed('random_page_cost', '4', 'Prices of plans are constants.', NUMBER),
  fixed('seq_page_cost', '1', 'Prices of plans are constants.', NUMBER),
  fixed('session_preload_libraries', '', 'There are no libraries to load.'),
  fixed('session_replication_role', 'origin', 'Triggers and foreign keys hold for whoever writes.'),
  fixed('stats_fetch_consistency', 'none', 'Views of activity tell what is so when they are read.'),
  fixed('synchronize_seqscans', 'off', 'A scan begins at the beginning of its table.', BOOLEAN),
  fixed('tcp_keepalives_count', '10', 'A silent peer is asked ten times: Node has no other number.', NUMBER),
  fixed('tcp_keepalives_interval', '1', 'A silent peer is asked every second: Node has no other interval.', NUMBER),
  fixed('temp_file_limit', '-1', 'Files of a query are bounded by the disk.', SIZE),
  fixed('temp_tablespaces', '', 'There are no tablespaces.'),
  fixed('timezone_abbreviations', 'Default', 'Abbreviations of zones are those of PostgreSQL’s Default.'),
  fixed('trace_notify', 'off', 'Nothing is traced.', BOOLEAN),
  fixed('trace_sort', 'off', 'Nothing is traced.', BOOLEAN),
  fixed('track_activities', 'on', 'pg_stat_activity always tells what sessions run.', BOOLEAN),
  fixed('track_counts', 'on', 'What is written is counted, for ANALYZE by itself.', BOOLEAN),
  fixed('track_functions', 'none', 'Calls of routines are not counted.'),
  fixed('track_io_timing', 'off', 'Reads are counted and not timed.', BOOLEAN),
  fixed('transform_null_equals', 'off', '`x = NULL` is null.', BOOLEAN),
  fixed('update_process_title', 'off', 'Sessions are no processes.', BOOLEAN),
  fixed('work_mem', '65536', 'Sorts and hash tables share the memory limit of their query.', SIZE),
  fixed('xmlbinary', 'base64', 'There is no XML type.'),
  fixed('xmloption', 'content', 'There is no XML type.'),
  fixed('zero_damaged_pages', 'off', 'What is damaged is corruption, and nobody reads on.', BOOLEAN),
];
