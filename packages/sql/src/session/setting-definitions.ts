/**
 * The settings a session knows, as data: name, kind, default, and which values are honoured. A setting whose other values
 * would change nothing here accepts only the value that is true of us; anything else is refused with its reason, never
 * accepted and ignored (fixed-settings.ts, and absent-settings.ts for ways there are none of). Names, kinds and defaults are PostgreSQL 15's where it has them.
 */
import { remoteSpan } from '@phantom/base';
import { TRIGRAM_THRESHOLDS } from '../extensions/pg-trgm.js';
import { extraChecks } from '../routine/plpgsql/extra-checks.js';
import { DEFAULT_DATE_STYLE, dateStyleOf, formatDateStyle, parseDateStyle } from '../types/date-style.js';
import { canonicalEncoding, canonicalSearchConfiguration, canonicalZone } from './setting-forms.js';

/** How a setting's text is read and shown. */
export type SettingKind =
  | { readonly kind: 'boolean' }
  | {
      readonly kind: 'integer';
      readonly minimum: number;
      readonly maximum: number;
      readonly unit?: 's' | 'ms' | 'min' | 'B' | 'kB' | 'MB' | '8kB';
    }
  | { readonly kind: 'real'; readonly minimum: number; readonly maximum: number; readonly unit?: 'ms' }
  | { readonly kind: 'enum'; readonly values: readonly string[]; readonly aliases?: Readonly<Record<string, string>> }
  | { readonly kind: 'text' }
  | { readonly kind: 'list' };

export interface SettingDefinition {
  readonly name: string;
  readonly kind: SettingKind;
  readonly default: string;
  readonly description: string;
  /** Shown, never set by a client. */
  readonly internal?: boolean;
  /** Of those: what the server tells, and when PostgreSQL would take another value: at its start, or when it reads its files anew. */
  readonly told?: 'postmaster' | 'sighup';
  /** Seen by members of pg_read_all_settings alone. */
  readonly guarded?: true;
  /** Set by superusers alone. */
  readonly superuser?: true;
  /** Sent to clients in ParameterStatus whenever it changes. */
  readonly reported?: boolean;
  /** The form in which a text is kept, undefined when it is no value of the setting; `current` is the value until now. */
  readonly canonical?: (value: string, current: string) => string | undefined;
  /** The values that are honoured, where others are refused; the description says why. */
  readonly only?: readonly string[];
}

const BOOLEAN: SettingKind = { kind: 'boolean' };
const TEXT: SettingKind = { kind: 'text' };
const TIMEOUT: SettingKind = { kind: 'integer', minimum: 0, maximum: 2147483647, unit: 'ms' };

function internal(name: string, value: string, description: string, reported = false): SettingDefinition {
  return { name, kind: TEXT, default: value, description, internal: true, reported };
}

/** A way of execution that may be switched off. */
function switchOf(name: string, ways: string): SettingDefinition {
  return {
    name,
    kind: BOOLEAN,
    default: 'on',
    description: `Whether plans may use ${ways} where there is another way.`,
  };
}

/** What the operators of pg_trgm take for alike. */
function trigramThresholds(): SettingDefinition[] {
  const setting = (name: string, value: string, operator: string): SettingDefinition => ({
    name,
    kind: { kind: 'real', minimum: 0, maximum: 1 },
    default: value,
    description: `How alike texts have to be for the operator ${operator} of pg_trgm.`,
  });
  return [
    setting(TRIGRAM_THRESHOLDS.similarity, '0.3', '%'),
    setting(TRIGRAM_THRESHOLDS.word, '0.6', '<%'),
    setting(TRIGRAM_THRESHOLDS.strictWord, '0.5', '<<%'),
  ];
}

const ISOLATION: SettingKind = {
  kind: 'enum',
  values: ['serializable', 'repeatable read', 'read committed', 'read uncommitted'],
};

export const SETTING_DEFINITIONS: readonly SettingDefinition[] = [
  {
    name: 'application_name',
    kind: TEXT,
    default: '',
    description: 'Name of the application, shown in views of activity.',
    reported: true,
  },
  {
    name: 'bytea_output',
    kind: { kind: 'enum', values: ['hex', 'escape'] },
    default: 'hex',
    description: 'Text format of bytea.',
  },
  {
    name: 'maintenance_work_mem',
    kind: { kind: 'integer', minimum: 1024, maximum: 2147483647, unit: 'kB' },
    default: '262144',
    description: 'Memory in which an index build sorts before it writes to files; never more than a query may have.',
  },
  {
    name: 'client_encoding',
    kind: TEXT,
    default: 'UTF8',
    description: 'Encoding of the client: UTF-8, or one of a byte a character, such as LATIN1 and WIN1252.',
    reported: true,
    canonical: canonicalEncoding,
  },
  {
    name: 'client_min_messages',
    kind: {
      kind: 'enum',
      values: ['debug5', 'debug4', 'debug3', 'debug2', 'debug1', 'log', 'notice', 'warning', 'error'],
      aliases: { info: 'notice', debug: 'debug2' },
    },
    default: 'notice',
    description: 'Least severity of messages sent to the client.',
  },
  {
    name: 'datestyle',
    kind: TEXT,
    default: DEFAULT_DATE_STYLE,
    description: 'Format and field order of dates.',
    reported: true,
    canonical: (value, current) => formatDateStyle(parseDateStyle(value, dateStyleOf(current))),
  },
  {
    name: 'default_statistics_target',
    kind: { kind: 'integer', minimum: 1, maximum: 10_000 },
    default: '100',
    description: 'Common values and buckets that ANALYZE keeps of a column of which nothing else is said.',
  },
  {
    name: 'default_text_search_config',
    kind: TEXT,
    default: 'pg_catalog.english',
    description: 'Configuration of text search where none is named.',
    canonical: canonicalSearchConfiguration,
  },
  {
    name: 'default_transaction_deferrable',
    kind: BOOLEAN,
    default: 'off',
    description: 'Deferrable status of new transactions.',
  },
  {
    name: 'default_transaction_isolation',
    kind: ISOLATION,
    default: 'read committed',
    description: 'Isolation level of new transactions.',
  },
  {
    name: 'default_transaction_read_only',
    kind: BOOLEAN,
    default: 'off',
    description: 'Whether new transactions may only read.',
    reported: true,
  },
  {
    name: 'extra_float_digits',
    kind: { kind: 'integer', minimum: -15, maximum: 3 },
    default: '1',
    description: 'Digits shown of floating-point values; above 0 the shortest exact form.',
  },
  {
    name: 'hash_mem_multiplier',
    kind: { kind: 'real', minimum: 1, maximum: 1000 },
    default: '2',
    description: 'How many times work_mem a hash table of groups, or of rows to join, may take.',
  },
  {
    name: 'idle_in_transaction_session_timeout',
    kind: TIMEOUT,
    default: '0',
    description: 'Longest rest inside of a transaction, past which the session is ended; 0 for ever.',
  },
  {
    name: 'idle_session_timeout',
    kind: TIMEOUT,
    default: '0',
    description: 'Longest rest outside of a transaction, past which the connection is ended; 0 for ever.',
  },
  {
    name: 'intervalstyle',
    kind: { kind: 'enum', values: ['postgres', 'postgres_verbose', 'sql_standard', 'iso_8601'] },
    default: 'postgres',
    description: 'Text format of intervals.',
    reported: true,
  },
  {
    name: 'work_mem',
    kind: { kind: 'integer', minimum: 64, maximum: 2147483647, unit: 'kB' },
    default: '262144',
    description:
      'Memory that each sort holds before it writes to files, and by it each hash table; never more than a query may have, with which it begins. What writes often may take more.',
  },
  {
    name: 'phantom.deadlock_priority',
    kind: { kind: 'integer', minimum: -1000, maximum: 1000 },
    default: '0',
    description: 'Priority of new transactions: with the deadlock policy "priority", who has less loses.',
  },
  {
    name: 'phantom.statement_retries',
    kind: { kind: 'integer', minimum: 0, maximum: 1000 },
    default: '10',
    description: 'How often a statement that is alone in its transaction is run again after it lost a race.',
  },
  {
    name: 'phantom.traceparent',
    kind: TEXT,
    default: '',
    description: 'The span, as a W3C traceparent, that spans of statements are parts of; empty: none.',
    canonical: (value) => (value === '' || remoteSpan(value) !== undefined ? value.trim().toLowerCase() : undefined),
  },
  { name: 'lock_timeout', kind: TIMEOUT, default: '0', description: 'Longest wait for a lock; 0 for ever.' },
  {
    name: 'search_path',
    kind: { kind: 'list' },
    default: '"$user", public',
    description: 'Schemas in which unqualified names are looked up.',
  },
  { name: 'statement_timeout', kind: TIMEOUT, default: '0', description: 'Longest run of a statement; 0 for ever.' },
  {
    name: 'synchronous_commit',
    kind: {
      kind: 'enum',
      values: ['on', 'off', 'local'],
      aliases: {
        true: 'on',
        false: 'off',
        yes: 'on',
        no: 'off',
        '1': 'on',
        '0': 'off',
        remote_write: 'on',
        remote_apply: 'on',
      },
    },
    default: 'on',
    description: 'off: commits are acknowledged once the operating system has them.',
  },
  {
    name: 'tcp_keepalives_idle',
    kind: { kind: 'integer', minimum: 1, maximum: 32_767, unit: 's' },
    default: '60',
    description: 'Silence after which the machine of the client is asked whether it is still there.',
  },
  {
    name: 'tcp_user_timeout',
    kind: TIMEOUT,
    default: '0',
    description: 'How long a result may wait for a client that takes nothing of it; 0 for as long as the system tries.',
  },
  {
    name: 'timezone',
    kind: TEXT,
    default: 'UTC',
    description: 'Time zone of the session.',
    reported: true,
    canonical: canonicalZone,
  },
  {
    name: 'transaction_deferrable',
    kind: BOOLEAN,
    default: 'off',
    description: 'Whether the current transaction is deferrable.',
  },
  {
    name: 'transaction_isolation',
    kind: ISOLATION,
    default: 'read committed',
    description: 'Isolation level of the current transaction.',
  },
  {
    name: 'transaction_read_only',
    kind: BOOLEAN,
    default: 'off',
    description: 'Whether the current transaction may only read.',
  },
  {
    name: 'transaction_timeout',
    kind: TIMEOUT,
    default: '0',
    description: 'Longest life of a transaction, past which the session is ended; 0 for ever.',
  },
  {
    name: 'check_function_bodies',
    kind: BOOLEAN,
    default: 'on',
    description: 'Bodies of routines are checked when they are made.',
  },
  switchOf('enable_bitmapscan', 'unions and intersections of index ranges'),
  switchOf('enable_columnscan', 'scans of column indexes'),
  switchOf('enable_hashjoin', 'hash joins'),
  switchOf('enable_indexonlyscan', 'index-only scans'),
  switchOf('enable_indexscan', 'index scans'),
  switchOf('enable_memoize', 'keeping what correlated subqueries give'),
  switchOf('enable_mergejoin', 'merge joins'),
  switchOf('enable_nestloop', 'nested loops'),
  switchOf('enable_seqscan', 'sequential scans'),
  switchOf('enable_sort', 'sorts'),
  {
    name: 'lo_compat_privileges',
    kind: BOOLEAN,
    default: 'off',
    description: 'Whether everybody may read, write and remove every large object. Set by superusers.',
    superuser: true,
  },
  {
    name: 'log_min_duration_statement',
    kind: { kind: 'integer', minimum: -1, maximum: 2147483647, unit: 'ms' },
    default: '-1',
    description:
      'Statements that take so long are logged, without their values; -1 none. Set by superusers; a daemon has a default of its own.',
    superuser: true,
  },
  {
    name: 'max_parallel_workers_per_gather',
    kind: { kind: 'integer', minimum: 0, maximum: 1024 },
    default: '2',
    description:
      'Threads that a costly aggregation may use besides its own; which there are, is said when the database is opened.',
  },
  {
    name: 'parallel_leader_participation',
    kind: BOOLEAN,
    default: 'on',
    description:
      'Whether the thread that gathers what others aggregate aggregates, too, while any of them does and no other session is at work.',
  },
  ...trigramThresholds(),
  {
    name: 'parallel_setup_cost',
    kind: { kind: 'real', minimum: 0, maximum: Number.MAX_VALUE },
    default: '200000',
    description: 'Estimated cost, in row visits, from which on an aggregation of a table is done in parts.',
  },
  {
    name: 'escape_string_warning',
    kind: BOOLEAN,
    default: 'on',
    description: 'Warns of backslashes in plain strings while they are escapes.',
  },
  {
    name: 'plpgsql.check_asserts',
    kind: BOOLEAN,
    default: 'on',
    description: 'Performs checks given in ASSERT statements.',
  },
  ...(['extra_errors', 'extra_warnings'] as const).map((name) => ({
    name: `plpgsql.${name}`,
    kind: TEXT,
    default: 'none',
    description:
      'Additional checks of PL/pgSQL: shadowed_variables, too_many_rows, strict_multi_assignment; none, or all.',
    canonical: extraChecks,
  })),
  {
    name: 'plpgsql.print_strict_params',
    kind: BOOLEAN,
    default: 'off',
    description: 'Whether errors of INTO STRICT tell the parameters of their statement.',
  },
  {
    name: 'plpgsql.variable_conflict',
    kind: { kind: 'enum', values: ['error', 'use_column', 'use_variable'] },
    default: 'error',
    description: 'What PL/pgSQL takes a name for that a variable and a column have.',
  },
  {
    name: 'row_security',
    kind: BOOLEAN,
    default: 'on',
    description: 'Whether policies filter rows; when off, a query that one would filter is refused.',
  },
  {
    name: 'session_replication_role',
    kind: { kind: 'enum', values: ['origin', 'replica', 'local'] },
    default: 'origin',
    description:
      'replica: no foreign key is looked after, and of triggers those fire that are enabled for replicas or always.',
    superuser: true,
  },
  // psql reads scripts by other rules when it is not told of this one.
  {
    name: 'standard_conforming_strings',
    kind: BOOLEAN,
    default: 'on',
    description: 'Backslashes in plain strings are data; when off, they are escapes.',
    reported: true,
  },
  {
    name: 'xmlbinary',
    kind: { kind: 'enum', values: ['base64', 'hex'] },
    default: 'base64',
    description: 'How values of type bytea stand in XML.',
  },
  {
    name: 'xmloption',
    kind: { kind: 'enum', values: ['content', 'document'] },
    default: 'content',
    description: 'Whether a text that becomes a value of type xml has to be a document.',
  },
  {
    ...internal('block_size', '8192', 'Bytes of a disk block as clients expect them.'),
    kind: { kind: 'integer', minimum: 8192, maximum: 8192 },
  },
  { ...internal('in_hot_standby', 'off', 'Whether this server follows another.', true), kind: BOOLEAN },
  { ...internal('integer_datetimes', 'on', 'Dates are 64-bit integers.', true), kind: BOOLEAN },
  internal('is_superuser', 'off', 'Whether the current user is a superuser.', true),
  internal('lc_collate', 'C', 'Order of text.'),
  internal('lc_ctype', 'C', 'Classification of characters.'),
  {
    ...internal('max_identifier_length', '63', 'Longest identifier in bytes.'),
    kind: { kind: 'integer', minimum: 63, maximum: 63 },
  },
  {
    ...internal('max_index_keys', '32', 'Most columns of an index.'),
    kind: { kind: 'integer', minimum: 32, maximum: 32 },
  },
  internal('server_encoding', 'UTF8', 'Encoding of the database.', true),
  internal(
    'server_version',
    '15.0 (Phantom-DB 0.1.0)',
    'PostgreSQL version whose behaviour is followed, and ours.',
    true,
  ),
  {
    ...internal('server_version_num', '150000', 'The same as a number.'),
    kind: { kind: 'integer', minimum: 150000, maximum: 150000 },
  },
  internal('session_authorization', '', 'User of the session.', true),
];
