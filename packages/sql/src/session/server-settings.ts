/**
 * Settings of the server, and not of a session: what it was started with, for whoever looks after it. Nobody sets them here (55P02).
 *
 * Values come from whoever opened the database and from whoever serves it (`SqlEngineOptions.serverSettings`,
 * `SessionOptions.serverSettings`), each what it knows; a default stands for a session that nobody serves. Names, units and who may
 * see them are PostgreSQL's. Left out is what has no meaning here, so that a client that asks is told so (42704) and not misled.
 */
import type { SettingDefinition, SettingKind } from './setting-definitions.js';

const BOOLEAN: SettingKind = { kind: 'boolean' };
const TEXT: SettingKind = { kind: 'text' };
const COUNT: SettingKind = { kind: 'integer', minimum: 0, maximum: 2147483647 };
const PAGES: SettingKind = { ...COUNT, unit: '8kB' };

function told(
  name: string,
  kind: SettingKind,
  value: string,
  description: string,
  more: { readonly guarded?: true } = {},
): SettingDefinition {
  return { name, kind, default: value, description, internal: true, told: 'postmaster', ...more };
}

/** What may be told from outside, by its name in PostgreSQL. */
export type ServerSettings = ReadonlyMap<string, string>;

export const serverSettings: readonly SettingDefinition[] = [
  told(
    'archive_mode',
    BOOLEAN,
    'off',
    'Whether commits are archived, so that a moment between two backups can be restored.',
  ),
  told('archive_command', TEXT, '', 'Commits are archived by the server itself.'),
  told('authentication_timeout', { ...COUNT, unit: 's' }, '60', 'How long a client may take until it is let in.'),
  told('autovacuum', BOOLEAN, 'on', 'Tables are analysed after they have changed, and old versions go by themselves.'),
  told('cluster_name', TEXT, '', 'Servers have no names.'),
  told('config_file', TEXT, '', "The file of the server's settings; empty without one.", {
    guarded: true,
  }),
  told('data_checksums', BOOLEAN, 'on', 'Everything that is read from files is checked.'),
  told('data_directory', TEXT, '', 'Where the database lies; empty for one in memory.', { guarded: true }),
  told('debug_assertions', BOOLEAN, 'on', 'Broken invariants end what is under way.'),
  told('external_pid_file', TEXT, '', 'There is no such file.', { guarded: true }),
  told('fsync', BOOLEAN, 'on', 'Whether commits are acknowledged after they are on disk.'),
  told('full_page_writes', BOOLEAN, 'on', 'No page is overwritten in place, so none is torn.'),
  told('hba_file', TEXT, '', 'Who may come from where; empty without a file of rules.', { guarded: true }),
  told('hot_standby', BOOLEAN, 'off', 'This server follows no other.'),
  told('ident_file', TEXT, '', 'Users of the system have no names here.', { guarded: true }),
  told('listen_addresses', TEXT, '', 'Address that the server listens on; empty where there is none.'),
  told('log_destination', TEXT, 'stderr', 'Where the log goes.'),
  told('logging_collector', BOOLEAN, 'off', 'The log is kept by whoever starts the server.'),
  told('max_connections', COUNT, '0', 'Clients at once; 0 where there is no server.'),
  told('max_prepared_transactions', COUNT, '1000', 'Transactions that may wait for their second phase.'),
  told('max_replication_slots', COUNT, '0', 'Nothing is replicated.'),
  told('max_wal_senders', COUNT, '0', 'Nothing is replicated.'),
  told('max_worker_processes', COUNT, '0', 'Threads for costly reads.'),
  told('port', COUNT, '0', 'Port that the server listens on; 0 where there is none.'),
  told('shared_buffers', PAGES, '0', 'Memory for pages that are read from files.'),
  told('shared_preload_libraries', TEXT, '', 'There are no libraries to load.', { guarded: true }),
  told('ssl', BOOLEAN, 'off', 'Whether clients may come encrypted.'),
  told('synchronous_standby_names', TEXT, '', 'Nothing is replicated.'),
  told('superuser_reserved_connections', COUNT, '0', 'Places for superusers among the clients at once.'),
  told('track_commit_timestamp', BOOLEAN, 'off', 'Commits have numbers; the archive knows their times.'),
  told('unix_socket_directories', TEXT, '', 'Directory of the Unix socket; empty where there is none.', {
    guarded: true,
  }),
  told('unix_socket_permissions', TEXT, '0700', 'Who may connect by the Unix socket.'),
  told('wal_level', { kind: 'enum', values: ['minimal', 'replica', 'logical'] }, 'minimal', 'Nothing is replicated.'),
];
