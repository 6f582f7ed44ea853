/** Settings of a server, each with its default. */
import { type Logger, type Metrics, MetricsRegistry, type Tracer, silentLogger } from '@phantom/base';
import type { FileSetting } from '@phantom/db/session';
import type { AccessTokens } from './auth/access-tokens.js';
import type { AuthenticationRules } from './auth/rules.js';
import type { StaticFiles } from './http/static-files.js';
import type { TlsOptions } from './tls.js';

const MIB = 1024 * 1024;

/** What the composition knows of the files behind its options. */
export interface Operation {
  /** Where its settings stand; undefined without such a file. */
  readonly configFile: string | undefined;
  /** Where the rules stand; undefined without such a file. */
  readonly rulesFile: string | undefined;
  readonly fileSettings: readonly FileSetting[];
  /** What the file of the rules says now. Throws what the system says. */
  rulesText(): string;
  /** Reads files of certificates, rules and tokens anew, and gives them to `renew`; false when they cannot be used. */
  reload(): boolean;
}

export interface ServerOptions {
  /** Address to listen on. Anything but a loopback address needs `tls` and passwords. Default 127.0.0.1. */
  readonly host?: string;
  /** Port of the PostgreSQL protocol; 0 picks a free one. Default 5433. */
  readonly pgPort?: number;
  /** Directory of a Unix socket, `.s.PGSQL.` and the port, beside the port; undefined: none. Not on Windows. */
  readonly unixSocketDirectory?: string | undefined;
  /** Who may connect by it: permissions of a file. Default 0o700, whoever runs the server. */
  readonly unixSocketPermissions?: number;
  /** Port of HTTP; 0 picks a free one, undefined leaves HTTP out. */
  readonly httpPort?: number | undefined;
  /** Clients at once; one more is told 53300. Default 1000. */
  readonly connectionsMax?: number;
  /** Of these, kept for superusers. Default 3. */
  readonly connectionsReserved?: number;
  /** Longest message of a client: a statement, or the values of one. Default 128 MiB. */
  readonly frameBytesMax?: number;
  /** How long a client may take until it is let in. Default 60 s. */
  readonly authenticationTimeoutMs?: number;
  /** statement_timeout of clients that do not say; 0 never. Default 0. */
  readonly statementTimeoutMs?: number;
  /** idle_session_timeout of clients that do not say: ends those that rest so long outside of a transaction; 0 never. Default 0. */
  readonly idleTimeoutMs?: number;
  /** How long running statements may go on when the server stops. Default 5 s. */
  readonly drainTimeoutMs?: number;
  /** Certificate and key, for HTTP too; without them nothing is encrypted, and only loopback is listened on. */
  readonly tls?: TlsOptions | undefined;
  /** Who may come in from where; see auth/rules.ts for what stands where there are none. */
  readonly rules?: AuthenticationRules | undefined;
  /** Who may ask over HTTP; without them nobody. */
  readonly tokens?: AccessTokens | undefined;
  /** What an operator may ask and have done by SQL: see Operation; without it there are no files to tell of, and none to be read anew. */
  readonly operation?: Operation | undefined;
  /** Files of the dashboard by their paths, `/dashboard` the page itself; without them HTTP serves no page. */
  readonly dashboardFiles?: StaticFiles | undefined;
  /** Longest body of a request over HTTP. Default 16 MiB. */
  readonly httpBodyBytesMax?: number;
  /** Longest result that HTTP sends as one object; line by line there is no limit. Default 64 MiB. */
  readonly httpResultBytesMax?: number;
  /** How long a result over HTTP may wait for a client that takes nothing of it; then it is cut off. Default 60 s. */
  readonly httpUnreadTimeoutMs?: number;
  /** How long the thread waits awake for the next message, where clients have lately asked so soon; see loop-poll.ts. 0 never. Default 100. */
  readonly pollMicros?: number;
  readonly logger?: Logger;
  /** Where spans of connections and requests go; give it the tracer of the database. Default: nowhere. */
  readonly tracer?: Tracer | undefined;
  /** Where the server counts; give it the registry of the database, and `/metrics` has both. */
  readonly metrics?: Metrics;
}

export type ResolvedServerOptions = Required<
  Omit<
    ServerOptions,
    'unixSocketDirectory' | 'httpPort' | 'tls' | 'rules' | 'tokens' | 'dashboardFiles' | 'operation' | 'tracer'
  >
> & {
  readonly unixSocketDirectory: string | undefined;
  readonly httpPort: number | undefined;
  readonly tls: TlsOptions | undefined;
  readonly rules: AuthenticationRules | undefined;
  readonly tokens: AccessTokens | undefined;
  readonly dashboardFiles: StaticFiles | undefined;
  readonly operation: Operation | undefined;
  readonly tracer: Tracer | undefined;
};

/** Fills in defaults. */
export function resolveServerOptions(options: ServerOptions): ResolvedServerOptions {
  return {
    host: options.host ?? '127.0.0.1',
    pgPort: options.pgPort ?? 5433,
    unixSocketDirectory: options.unixSocketDirectory,
    unixSocketPermissions: options.unixSocketPermissions ?? 0o700,
    httpPort: options.httpPort,
    tls: options.tls,
    rules: options.rules,
    tokens: options.tokens,
    dashboardFiles: options.dashboardFiles,
    operation: options.operation,
    connectionsMax: options.connectionsMax ?? 1000,
    connectionsReserved: options.connectionsReserved ?? 3,
    frameBytesMax: options.frameBytesMax ?? 128 * MIB,
    authenticationTimeoutMs: options.authenticationTimeoutMs ?? 60_000,
    statementTimeoutMs: options.statementTimeoutMs ?? 0,
    idleTimeoutMs: options.idleTimeoutMs ?? 0,
    drainTimeoutMs: options.drainTimeoutMs ?? 5000,
    httpBodyBytesMax: options.httpBodyBytesMax ?? 16 * MIB,
    httpResultBytesMax: options.httpResultBytesMax ?? 64 * MIB,
    httpUnreadTimeoutMs: options.httpUnreadTimeoutMs ?? 60_000,
    pollMicros: options.pollMicros ?? 100,
    tracer: options.tracer,
    logger: options.logger ?? silentLogger,
    metrics: options.metrics ?? new MetricsRegistry(),
  };
}
