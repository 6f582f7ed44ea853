/**
 * PostgreSQL's settings of its own processes, files and machine, for tools that ask for them by name (SHOW max_wal_size) and scripts
 * that read pg_settings. Nobody sets them here (55P02, as in a session there). What there is here, too, is told as it is; of what
 * there is not, the value is the one that says so, or PostgreSQL's initial one where any would do.
 */
import type { SettingDefinition, SettingKind } from './setting-definitions.js';

const BOOLEAN: SettingKind = { kind: 'boolean' };
const TEXT: SettingKind = { kind: 'text' };
const COUNT: SettingKind = { kind: 'integer', minimum: -1, maximum: 2147483647 };
const SHARE: SettingKind = { kind: 'real', minimum: 0, maximum: 100 };
const SECONDS: SettingKind = { ...COUNT, unit: 's' };
const MILLISECONDS: SettingKind = { ...COUNT, unit: 'ms' };
const MINUTES: SettingKind = { ...COUNT, unit: 'min' };
const BYTES: SettingKind = { ...COUNT, unit: 'B' };
const KILOBYTES: SettingKind = { ...COUNT, unit: 'kB' };
const MEGABYTES: SettingKind = { ...COUNT, unit: 'MB' };
const PAGES: SettingKind = { ...COUNT, unit: '8kB' };

const oneOf = (...values: readonly string[]): SettingKind => ({ kind: 'enum', values });

type Fact = readonly [name: string, kind: SettingKind, value: string];

/** Settings of one matter; `changes` is when PostgreSQL would take another value. */
function matter(
  changes: 'internal' | 'postmaster' | 'sighup',
  description: string,
  ...facts: readonly Fact[]
): SettingDefinition[] {
  return facts.map(([name, kind, value]) => ({
    name,
    kind,
    default: value,
    description,
    internal: true,
    ...(changes === 'internal' ? {} : { told: changes }),
  }));
}

const TRY = oneOf('off', 'on', 'try');
const LEVELS = oneOf('debug5', 'debug4', 'debug3', 'debug2', 'debug1', 'log', 'notice', 'warning', 'error');
const PROTOCOLS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

const NO_STANDBY = 'This server follows no other.';
const NOT_REPLICATED = 'Nothing is replicated.';
const NO_SHARED_MEMORY = 'There is one process; its threads share pages of the log and of files.';
const NO_RECOVERY = 'phantomd restore makes a directory as it was at a moment; no server recovers to one.';
const NO_VACUUM = 'Old versions go by themselves.';
const NO_WRITER = 'No process writes pages in the background.';
const NO_LOG_FILES = 'The log is kept by whoever starts the server.';
const NO_SYSLOG = 'The log goes to stderr.';
const KEYS_ELSEWHERE = 'Certificates and keys are named where the server is started, and not told.';

export const processSettings: readonly SettingDefinition[] = [
  ...matter('internal', 'Most arguments of a function.', ['max_function_args', COUNT, '100']),
  ...matter('internal', 'No file of a table is divided; what clients expect.', ['segment_size', PAGES, '131072']),
  ...matter('internal', NO_SHARED_MEMORY, ['shared_memory_size', MEGABYTES, '0']),
  ...matter('internal', NO_SHARED_MEMORY, ['shared_memory_size_in_huge_pages', COUNT, '-1']),
  ...matter('internal', 'What Node encrypts with.', ['ssl_library', TEXT, 'OpenSSL']),
  ...matter('internal', 'The log has no pages; what clients expect.', ['wal_block_size', COUNT, '8192']),
  ...matter('internal', 'Bytes of a file of the log.', ['wal_segment_size', BYTES, '16777216']),
  ...matter('internal', 'Who may read a directory, its owner has said.', ['data_directory_mode', TEXT, '0700']),

  ...matter('sighup', 'A table is analysed when a share of it, and some rows, have been written since.', [
    'autovacuum_analyze_scale_factor',
    SHARE,
    '0.1',
  ]),
  ...matter('sighup', 'Rows that a table must have had written until it is analysed.', [
    'autovacuum_analyze_threshold',
    COUNT,
    '500',
  ]),
  ...matter('sighup', 'A table that was analysed rests so long until it is again.', [
    'autovacuum_naptime',
    SECONDS,
    '60',
  ]),
  ...matter('postmaster', 'One table is analysed at a time.', ['autovacuum_max_workers', COUNT, '1']),
  ...matter(
    'postmaster',
    'No number of a transaction comes again.',
    ['autovacuum_freeze_max_age', COUNT, '200000000'],
    ['autovacuum_multixact_freeze_max_age', COUNT, '400000000'],
  ),
  ...matter(
    'sighup',
    NO_VACUUM,
    ['autovacuum_vacuum_cost_delay', { ...SHARE, minimum: -1, unit: 'ms' }, '2'],
    ['autovacuum_vacuum_cost_limit', COUNT, '-1'],
    ['autovacuum_vacuum_insert_scale_factor', SHARE, '0.2'],
    ['autovacuum_vacuum_insert_threshold', COUNT, '1000'],
    ['autovacuum_vacuum_scale_factor', SHARE, '0.2'],
    ['autovacuum_vacuum_threshold', COUNT, '50'],
    ['autovacuum_work_mem', KILOBYTES, '-1'],
    ['vacuum_defer_cleanup_age', COUNT, '0'],
  ),
  ...matter('postmaster', 'A snapshot is kept as long as it is used.', ['old_snapshot_threshold', MINUTES, '-1']),

  ...matter(
    'postmaster',
    'Servers are not announced on the network.',
    ['bonjour', BOOLEAN, 'off'],
    ['bonjour_name', TEXT, ''],
  ),
  ...matter('postmaster', 'The socket belongs to who starts the server.', ['unix_socket_group', TEXT, '']),
  ...matter('sighup', 'Roles are those of all databases.', ['db_user_namespace', BOOLEAN, 'off']),
  ...matter('sighup', 'There is no Kerberos.', ['krb_caseins_users', BOOLEAN, 'off'], ['krb_server_keyfile', TEXT, '']),
  ...matter(
    'sighup',
    KEYS_ELSEWHERE,
    ['ssl_ca_file', TEXT, ''],
    ['ssl_cert_file', TEXT, ''],
    ['ssl_crl_dir', TEXT, ''],
    ['ssl_crl_file', TEXT, ''],
    ['ssl_dh_params_file', TEXT, ''],
    ['ssl_key_file', TEXT, ''],
    ['ssl_passphrase_command', TEXT, ''],
    ['ssl_passphrase_command_supports_reload', BOOLEAN, 'off'],
  ),
  ...matter(
    'sighup',
    'Ciphers and curves are those of Node.',
    ['ssl_ciphers', TEXT, ''],
    ['ssl_ecdh_curve', TEXT, ''],
    ['ssl_prefer_server_ciphers', BOOLEAN, 'off'],
  ),
  ...matter('sighup', 'The newest that Node has.', ['ssl_max_protocol_version', oneOf('', ...PROTOCOLS), '']),
  ...matter('sighup', 'Clients with an older one are turned away.', [
    'ssl_min_protocol_version',
    oneOf(...PROTOCOLS),
    'TLSv1.2',
  ]),

  ...matter(
    'postmaster',
    NO_SHARED_MEMORY,
    ['dynamic_shared_memory_type', oneOf('posix', 'sysv', 'mmap'), 'posix'],
    ['huge_page_size', KILOBYTES, '0'],
    ['huge_pages', TRY, 'off'],
    ['min_dynamic_shared_memory', MEGABYTES, '0'],
    ['shared_memory_type', oneOf('sysv', 'mmap'), 'mmap'],
  ),
  ...matter('postmaster', 'The system bounds the open files of a process.', ['max_files_per_process', COUNT, '1000']),
  ...matter(
    'postmaster',
    'Locks are bounded by memory, and not by a number.',
    ['max_locks_per_transaction', COUNT, '64'],
    ['max_pred_locks_per_transaction', COUNT, '64'],
  ),
  ...matter(
    'sighup',
    'Locks are bounded by memory, and not by a number.',
    ['max_pred_locks_per_page', COUNT, '2'],
    ['max_pred_locks_per_relation', COUNT, '-2'],
  ),
  ...matter('postmaster', 'So much of its text is told of a statement, in UTF-16 code units.', [
    'track_activity_query_size',
    BYTES,
    '16384',
  ]),
  ...matter('postmaster', 'What fails its checksum is corruption.', ['ignore_invalid_pages', BOOLEAN, 'off']),
  ...matter('postmaster', 'There is no LLVM.', ['jit_provider', TEXT, '']),

  ...matter('sighup', 'A checkpoint begins by the size of the log, not by time.', ['checkpoint_timeout', SECONDS, '0']),
  ...matter('sighup', 'Writers wait for a checkpoint when the log since the last one has grown so large.', [
    'max_wal_size',
    MEGABYTES,
    '64',
  ]),
  ...matter('sighup', 'From so much log on a checkpoint begins.', ['min_wal_size', MEGABYTES, '4']),
  ...matter('sighup', 'A checkpoint writes as fast as the disk takes it, in slices.', [
    'checkpoint_completion_target',
    { kind: 'real', minimum: 0, maximum: 1 },
    '0',
  ]),
  ...matter('sighup', 'A checkpoint syncs each file once.', ['checkpoint_flush_after', PAGES, '0']),
  ...matter('sighup', 'The log tells of no checkpoints.', ['checkpoint_warning', SECONDS, '0']),
  ...matter('postmaster', 'Commits that wait are written together.', ['wal_buffers', PAGES, '0']),
  ...matter('postmaster', 'No page is overwritten in place.', ['wal_log_hints', BOOLEAN, 'off']),
  ...matter('postmaster', 'The log is read in pieces.', ['wal_decode_buffer_size', BYTES, '524288']),
  ...matter('sighup', 'How the log is brought to the disk.', [
    'wal_sync_method',
    oneOf('fsync', 'fdatasync', 'open_sync', 'open_datasync'),
    'fdatasync',
  ]),
  ...matter(
    'sighup',
    'The log is written by those who commit.',
    ['wal_writer_delay', MILLISECONDS, '200'],
    ['wal_writer_flush_after', PAGES, '128'],
  ),
  ...matter(
    'sighup',
    NO_WRITER,
    ['bgwriter_delay', MILLISECONDS, '200'],
    ['bgwriter_flush_after', PAGES, '0'],
    ['bgwriter_lru_maxpages', COUNT, '0'],
    ['bgwriter_lru_multiplier', SHARE, '2'],
  ),
  ...matter(
    'sighup',
    'Commits are archived by the server itself.',
    ['archive_cleanup_command', TEXT, ''],
    ['archive_library', TEXT, ''],
  ),
  ...matter('sighup', 'Until a file of the archive is closed; 0 without an archive.', [
    'archive_timeout',
    SECONDS,
    '0',
  ]),

  ...matter(
    'postmaster',
    NO_RECOVERY,
    ['recovery_target', TEXT, ''],
    ['recovery_target_action', oneOf('pause', 'promote', 'shutdown'), 'pause'],
    ['recovery_target_inclusive', BOOLEAN, 'on'],
    ['recovery_target_lsn', TEXT, ''],
    ['recovery_target_name', TEXT, ''],
    ['recovery_target_time', TEXT, ''],
    ['recovery_target_timeline', TEXT, 'latest'],
    ['recovery_target_xid', TEXT, ''],
  ),
  ...matter(
    'sighup',
    NO_RECOVERY,
    ['recovery_end_command', TEXT, ''],
    ['recovery_prefetch', TRY, 'off'],
    ['restore_command', TEXT, ''],
  ),
  ...matter('sighup', 'Files that were written are synced one by one.', [
    'recovery_init_sync_method',
    oneOf('fsync', 'syncfs'),
    'fsync',
  ]),
  ...matter('sighup', 'What a process that ended has left is removed by the next.', [
    'remove_temp_files_after_crash',
    BOOLEAN,
    'on',
  ]),
  ...matter('sighup', 'A server that ended is started by whoever looks after it.', [
    'restart_after_crash',
    BOOLEAN,
    'off',
  ]),

  ...matter(
    'sighup',
    NO_STANDBY,
    ['hot_standby_feedback', BOOLEAN, 'off'],
    ['max_standby_archive_delay', MILLISECONDS, '30000'],
    ['max_standby_streaming_delay', MILLISECONDS, '30000'],
    ['primary_conninfo', TEXT, ''],
    ['primary_slot_name', TEXT, ''],
    ['promote_trigger_file', TEXT, ''],
    ['recovery_min_apply_delay', MILLISECONDS, '0'],
    ['wal_receiver_create_temp_slot', BOOLEAN, 'off'],
    ['wal_receiver_status_interval', SECONDS, '10'],
    ['wal_receiver_timeout', MILLISECONDS, '60000'],
    ['wal_retrieve_retry_interval', MILLISECONDS, '5000'],
  ),
  ...matter('postmaster', NOT_REPLICATED, ['max_logical_replication_workers', COUNT, '0']),
  ...matter(
    'sighup',
    NOT_REPLICATED,
    ['max_slot_wal_keep_size', MEGABYTES, '-1'],
    ['max_sync_workers_per_subscription', COUNT, '0'],
    ['wal_keep_size', MEGABYTES, '0'],
  ),

  ...matter('postmaster', NO_SYSLOG, ['event_source', TEXT, 'PostgreSQL']),
  ...matter('sighup', 'The log tells of no tables that are analysed by themselves.', [
    'log_autovacuum_min_duration',
    MILLISECONDS,
    '-1',
  ]),
  ...matter('sighup', 'The log tells of no checkpoints.', ['log_checkpoints', BOOLEAN, 'off']),
  ...matter(
    'sighup',
    NO_LOG_FILES,
    ['log_directory', TEXT, ''],
    ['log_file_mode', TEXT, '0600'],
    ['log_filename', TEXT, ''],
    ['log_rotation_age', MINUTES, '0'],
    ['log_rotation_size', KILOBYTES, '0'],
    ['log_truncate_on_rotation', BOOLEAN, 'off'],
  ),
  ...matter('sighup', 'The log has addresses, and no names of machines.', ['log_hostname', BOOLEAN, 'off']),
  ...matter('sighup', 'A line of the log is JSON.', ['log_line_prefix', TEXT, '']),
  ...matter('sighup', NO_STANDBY, ['log_recovery_conflict_waits', BOOLEAN, 'off']),
  ...matter('sighup', 'Opening a database is told when it is done.', [
    'log_startup_progress_interval',
    MILLISECONDS,
    '0',
  ]),
  ...matter('sighup', 'Times in the log are in this zone.', ['log_timezone', TEXT, 'UTC']),
  ...matter(
    'sighup',
    NO_SYSLOG,
    ['syslog_facility', oneOf(...Array.from({ length: 8 }, (_, number) => `local${number}`)), 'local0'],
    ['syslog_ident', TEXT, 'postgres'],
    ['syslog_sequence_numbers', BOOLEAN, 'on'],
    ['syslog_split_messages', BOOLEAN, 'on'],
  ),
  ...matter('sighup', 'Nothing is traced.', ['trace_recovery_messages', LEVELS, 'log']),
  ...matter('sighup', 'Clients are let in as soon as they may.', ['pre_auth_delay', SECONDS, '0']),
  ...matter('postmaster', 'Clients are let in as soon as they may.', ['post_auth_delay', SECONDS, '0']),
  ...matter(
    'postmaster',
    'The log tells of clients that are turned away, and of no others.',
    ['log_connections', BOOLEAN, 'off'],
    ['log_disconnections', BOOLEAN, 'off'],
  ),
  ...matter('postmaster', 'Extensions are part of the server.', ['extension_destdir', TEXT, '']),
];
