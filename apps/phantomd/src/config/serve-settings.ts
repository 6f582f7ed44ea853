/** All settings of `phantomd serve`, in the order in which they are shown. */
import {
  type SettingValue,
  alsoFrom,
  bytes,
  choice,
  count,
  flag,
  permissions,
  port,
  share,
  text,
  textOr,
  time,
  url,
} from './setting.js';

const MIB = 2 ** 20;
const same = (given: string): string => given;

export const SERVE_SETTINGS = {
  data: text('dir', 'data directory; made on first start, with the database "phantom"'),
  host: textOr('127.0.0.1', 'address', 'address to listen on; others than loopback need TLS and passwords'),
  pgPort: port(5433, 'port of the PostgreSQL protocol; 0 picks a free one'),
  httpPort: port(8433, 'port of HTTP: /dashboard, /v1/query, /healthz, /readyz, /metrics; 0 picks a free one'),
  unixSocketDirectory: text(
    'dir',
    'directory of a Unix socket, .s.PGSQL. and the port, for clients of this machine: psql -h DIR',
  ),
  unixSocketPermissions: permissions('0700', 'who may connect by it: octal digits, as chmod takes them'),
  durability: choice(
    ['fsync', 'os', 'memory'],
    'fsync',
    'what a commit survives: fsync a power cut, os a crash of the process, memory nothing',
  ),
  superuser: text('name', 'name of the superuser, made on first start (default: phantom)'),
  tlsCert: text('file', 'certificate of the server, PEM'),
  tlsKey: text('file', 'its private key, PEM; nobody else may read the file'),
  tlsClientCa: text('file', 'authorities that sign certificates of clients, PEM'),
  authRules: text('file', 'who may come in from where: rules in the manner of pg_hba.conf'),
  httpTokens: text('file', 'who may ask over HTTP and see the dashboard: lines made by "phantomd token"'),
  sampleShop: flag('fill an empty store with a small shop to try things on'),
  connectionsMax: count(1000, 1, 100_000, 'clients at once'),
  connectionsReserved: count(3, 0, 1000, 'of these, kept for superusers'),
  frameBytesMax: bytes(128 * MIB, 10_000, 'longest message of a client of the PostgreSQL protocol'),
  httpBodyBytesMax: bytes(16 * MIB, 1024, 'longest request over HTTP'),
  httpResultBytesMax: bytes(64 * MIB, 1024, 'longest result that HTTP sends as one object'),
  httpUnreadTimeoutMs: time(60_000, 1, 'until a client of HTTP is cut off that takes nothing of its result'),
  authenticationTimeoutMs: time(60_000, 1, 'until a client has to be let in'),
  statementTimeoutMs: time(0, 0, 'until a statement is cancelled, where the client does not say; 0: never'),
  idleTimeoutMs: time(0, 0, 'until a connection is ended that rests outside of a transaction; 0: never'),
  drainTimeoutMs: time(5000, 0, 'for running statements when the server stops; then they are cancelled'),
  pollMicros: count(
    100,
    0,
    1000,
    'microseconds for which a busy server waits awake for the next message; 0: it sleeps',
    'us',
  ),
  cacheBytes: bytes(256 * MIB, MIB, 'memory for pages read from files, taken as they are read'),
  filterBytesMax: bytes(256 * MIB, MIB, 'memory for filters and indexes of sorted runs, taken as they are read'),
  deltaBytesMax: bytes(64 * MIB, MIB, 'memory for writes that are in the log and not yet in files'),
  memoryLimitBytes: bytes(256 * MIB, MIB, 'working memory of one query'),
  queriesMemoryBytesMax: bytes(1024 * MIB, MIB, 'working memory of all queries together'),
  queryWorkersMax: count(
    1,
    0,
    64,
    'threads for costly reads, each with a cache of half of cacheBytes, all together no more than it; 0: none',
  ),
  queryWorkerCostMin: count(500_000, 0, 1e15, 'estimated cost from which a read is for them; 500000 is about 10 ms'),
  checkpointBytesMax: bytes(64 * MIB, MIB, 'log since the last checkpoint, which bounds recovery'),
  scrubBytesPerSecond: bytes(
    4 * MIB,
    1024,
    'what the scrubber reads of the files at most in a second, looking for damage',
  ),
  scrubEveryHours: count(168, 0, 87_600, 'from one reading of all files to the next; 0: none', 'hours'),
  archiveDirectory: text('dir', 'keep every commit there, best on another disk, for "phantomd restore --archive"'),
  archiveTimeoutMs: time(60_000, 1, 'until a file of the archive is closed, so that it can be copied elsewhere'),
  archiveBaseEveryHours: count(24, 0, 10_000, 'hours between two whole copies in the archive; 0: only the first'),
  archiveBasesKept: count(
    2,
    1,
    1000,
    'of these, kept; the oldest, and the commits before those that stay, are removed',
  ),
  archiveLogBytesMax: bytes(
    1024 * MIB,
    MIB,
    'log held while the archive cannot be written; past it commits are missing there',
  ),
  logMinDurationMs: time(
    -1,
    -1,
    'from which on statements are logged, without their values, where log_min_duration_statement is not set; -1: none',
  ),
  traceEndpoint: alsoFrom(
    url('where traces are sent by OTLP over HTTP: the whole address, with /v1/traces; without it none are made'),
    {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: same,
      OTEL_EXPORTER_OTLP_ENDPOINT: (base) => `${base.replace(/\/$/, '')}/v1/traces`,
    },
  ),
  traceSampleRatio: alsoFrom(share(1, 'share of traces that are kept, of those that begin here'), {
    OTEL_TRACES_SAMPLER_ARG: same,
  }),
  traceServiceName: alsoFrom(textOr('phantomd', 'name', 'name of this server in traces'), { OTEL_SERVICE_NAME: same }),
  traceTexts: choice(
    ['normalised', 'off'],
    'normalised',
    'texts of statements in traces: without their constants, or none',
  ),
  traceQueueMax: count(4096, 1, 1_000_000, 'spans that wait to be sent; more are dropped'),
  traceTimeoutMs: time(2000, 1, 'until the collector has to have taken spans, also when the server stops'),
  logLevel: choice(['debug', 'info', 'warn', 'error'], 'info', 'least level of the log on stderr'),
} as const;

export type ServeSettingName = keyof typeof SERVE_SETTINGS;

/** What `serve` is run with. */
export type ServeSettings = {
  readonly [Name in ServeSettingName]: SettingValue<(typeof SERVE_SETTINGS)[Name]>;
};

export const SERVE_SETTING_NAMES = Object.keys(SERVE_SETTINGS) as ServeSettingName[];

/** `--pg-port` */
export function flagOf(name: ServeSettingName): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** `PHANTOM_PG_PORT` */
export function variableOf(name: ServeSettingName): string {
  return `PHANTOM_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}
