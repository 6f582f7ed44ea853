/**
 * A database on the network: the PostgreSQL protocol on one port (and a Unix socket, if asked for), HTTP on another.
 *
 *   const server = await startServer(db, { pgPort: 5433, httpPort: 8433 });
 *   ...
 *   await server.close();      // clients are ended in good order; the database stays open: it is the caller's
 *
 * Opening a database may take a while, when there is a log to replay. Who wants to tell clients so meanwhile listens first:
 *
 *   const waiting = await listenForClients({ pgPort: 5433, httpPort: 8433 });
 *   const server = await waiting.serve(await open('./data'));
 */
import type { AddressInfo } from 'node:net';
import { PhantomError } from '@phantom/base';
import type { Database } from '@phantom/db';
import {
  type ServerFacts,
  type ServerSettings,
  controlBlock,
  lookUp,
  lookUpWithin,
  writePointInTurn,
} from '@phantom/db/session';
import type { AccessTokens } from './auth/access-tokens.js';
import { isLoopbackHost } from './auth/authentication.js';
import { listRules } from './auth/rules.js';
import { type HttpDatabase, HttpListener } from './http/listener.js';
import { DashboardEndpoint } from './http/dashboard-endpoint.js';
import { QueryEndpoint, type QuerySource } from './http/query-endpoint.js';
import { MetricsHistory } from './metrics-history.js';
import { clientsWithoutFiles, openFilesMax } from './open-files.js';
import { type ResolvedServerOptions, type ServerOptions, resolveServerOptions } from './options.js';
import type { SessionSource } from './pg/database-session.js';
import { PgListener } from './pg/listener.js';

/** Where a server listens. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** What says who may come in, and what the server shows of itself. */
export type Credentials = Pick<ServerOptions, 'tls' | 'rules' | 'tokens'>;

export class Server {
  readonly pg: ServerAddress;
  /** Path of the Unix socket; undefined without one. */
  readonly unixSocketPath: string | undefined;
  /** Undefined without HTTP. */
  readonly http: ServerAddress | undefined;
  private readonly pgListener: PgListener;
  private readonly httpListener: HttpListener | undefined;
  private readonly history: MetricsHistory;
  private readonly drainTimeoutMs: number;
  private readonly doors: Doors;
  private closing: Promise<void> | undefined;

  constructor(
    { pg, http }: Pick<WaitingServer, 'pg' | 'http'>,
    pgListener: PgListener,
    httpListener: HttpListener | undefined,
    history: MetricsHistory,
    doors: Doors,
  ) {
    this.doors = doors;
    this.drainTimeoutMs = pgListener.options.drainTimeoutMs;
    this.pg = pg;
    this.unixSocketPath = pgListener.unixSocketPath;
    this.http = http;
    this.pgListener = pgListener;
    this.httpListener = httpListener;
    this.history = history;
  }

  /** Clients that have been let in. */
  get connections(): number {
    return this.pgListener.admission.connections;
  }

  /**
   * Takes certificate, rules and tokens anew, all of them: who comes from now on is let in by these, who is in stays. 22023 for a certificate
   * that cannot be used and 55000 where encryption would come or go; then all is as before.
   */
  renew({ tls, rules, tokens }: Credentials): void {
    if ((tls === undefined) !== (this.pgListener.options.tls === undefined))
      throw new PhantomError('55000', 'whether the server has a certificate cannot change while it runs');
    this.pgListener.renew(tls, rules);
    if (tls !== undefined) this.httpListener?.renew(tls);
    this.doors.tokens = tokens;
    this.doors.sinceMs = Date.now();
  }

  /** Ends listeners and clients; running statements have `drainTimeoutMs`. Safe to call twice. */
  close(): Promise<void> {
    this.closing ??= this.closeOnce();
    return this.closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private async closeOnce(): Promise<void> {
    this.history.stop();
    await Promise.all([this.pgListener.close(), this.httpListener?.close(this.drainTimeoutMs)]);
  }
}

/** Who may come in, at present, as far as it is not the listener's. */
interface Doors {
  /** Who may ask over HTTP. */
  tokens: AccessTokens | undefined;
  /** Since when, in milliseconds since 1970. */
  sinceMs: number;
}

/**
 * Serves an open database. Resolves once clients are accepted. Rejects with 55000 for a host that is not loopback without TLS and
 * passwords, with 55006 when another server has the Unix socket, and with what the system said when a port cannot be had.
 */
export async function startServer(database: Database, given: ServerOptions = {}): Promise<Server> {
  const options = resolveServerOptions(given);
  if (!isLoopbackHost(options.host)) refuseWithoutPasswords(database, options);
  const waiting = await listenForClients(given);
  return waiting.serve(database);
}

/**
 * Listens before there is a database: clients are told 57P03, /readyz says 503 and /healthz 200. Rejects with 55000 for a host that is not
 * loopback without TLS, and as startServer does.
 */
export async function listenForClients(given: ServerOptions = {}): Promise<WaitingServer> {
  const options = resolveServerOptions(given);
  if (!isLoopbackHost(options.host)) refuseWithoutTls(options);
  const pgListener = new PgListener(options);
  const pg = address(await pgListener.listen());
  try {
    if (options.httpPort === undefined) return new WaitingServer(options, pgListener, pg, undefined);
    const { dashboardFiles: files, logger, tracer, tls, host, httpPort } = options;
    const listener = new HttpListener({ files, poll: pgListener.poll, logger, tracer }, tls);
    const http = { listener, address: address(await listener.listen(host, httpPort)) };
    return new WaitingServer(options, pgListener, pg, http);
  } catch (error) {
    await pgListener.close();
    throw error;
  }
}

/** HTTP, where it is served. */
interface Http {
  readonly listener: HttpListener;
  readonly address: ServerAddress;
}

/** Listens, and waits for its database. */
export class WaitingServer {
  readonly pg: ServerAddress;
  /** Undefined without HTTP. */
  readonly http: ServerAddress | undefined;
  private readonly options: ResolvedServerOptions;
  private readonly pgListener: PgListener;
  private readonly httpListener: HttpListener | undefined;

  constructor(options: ResolvedServerOptions, pgListener: PgListener, pg: ServerAddress, http: Http | undefined) {
    this.options = options;
    this.pgListener = pgListener;
    this.pg = pg;
    this.http = http?.address;
    this.httpListener = http?.listener;
    options.logger.debug('listening; clients are told that the database is starting up', { pg, http: this.http });
  }

  /**
   * Lets clients in, to this database; `tokens` are those who may ask over HTTP, as the options say where it is not given. Rejects with 55000
   * where a superuser without a password could be reached from elsewhere, and listens no more then.
   */
  async serve(database: Database, tokens: AccessTokens | undefined = this.options.tokens): Promise<Server> {
    const { options, pgListener, httpListener, pg } = this;
    try {
      if (!isLoopbackHost(options.host)) refuseWithoutPasswords(database, options);
    } catch (error) {
      await this.close();
      throw error;
    }
    const told = new Map<string, string>();
    tellOfServer(told, options, pg);
    tellOfFiles(options);
    const history = new MetricsHistory(() => database.metrics());
    const doors: Doors = { tokens, sinceMs: Date.now() };
    const facts = serverFacts(told, options, doors);
    httpListener?.serve(httpDatabase(database, options, pgListener, facts, history, doors));
    pgListener.serve(sessionSource(database, options, facts));
    if (httpListener !== undefined) history.start();
    return new Server(this, pgListener, httpListener, history, doors);
  }

  /** Listens no more. */
  async close(): Promise<void> {
    await Promise.all([this.pgListener.close(), this.httpListener?.close(0)]);
  }
}

/** What sessions tell of the server: filled once it listens. */
function tellOfServer(told: Map<string, string>, options: ResolvedServerOptions, { port }: ServerAddress): void {
  const { host, tls, connectionsMax, connectionsReserved, operation } = options;
  const { unixSocketDirectory, unixSocketPermissions } = options;
  told.set('listen_addresses', host);
  told.set('port', String(port));
  told.set('ssl', tls === undefined ? 'off' : 'on');
  told.set('max_connections', String(connectionsMax));
  told.set('superuser_reserved_connections', String(connectionsReserved));
  told.set('authentication_timeout', String(Math.round(options.authenticationTimeoutMs / 1000)));
  told.set('unix_socket_permissions', unixSocketPermissions.toString(8).padStart(4, '0'));
  if (unixSocketDirectory !== undefined) told.set('unix_socket_directories', unixSocketDirectory);
  if (operation?.configFile !== undefined) told.set('config_file', operation.configFile);
  if (operation?.rulesFile !== undefined) told.set('hba_file', operation.rulesFile);
}

/** What sessions tell an operator of it. */
function serverFacts(settings: ServerSettings, { operation }: ResolvedServerOptions, doors: Doors): ServerFacts {
  return {
    settings,
    get filesReadMs() {
      return doors.sinceMs;
    },
    rules() {
      if (operation?.rulesFile === undefined) return [];
      return listRules(operation.rulesText());
    },
    fileSettings: () => operation?.fileSettings ?? [],
    reload: () => operation?.reload() ?? false,
  };
}

/** Says so where more clients are to be let in than the process may have files open: those beyond are turned away by the system. */
function tellOfFiles({ connectionsMax, logger }: ResolvedServerOptions): void {
  const openFiles = openFilesMax();
  const missing = clientsWithoutFiles(connectionsMax, openFiles);
  if (missing > 0)
    logger.warn('the process may not have as many files open as it has clients', {
      connectionsMax,
      openFilesMax: openFiles,
      missing,
      hint: `Raise the limit of open files (ulimit -n, LimitNOFILE), or lower connectionsMax by ${missing}.`,
    });
}

/** Anybody may knock there: everything is encrypted. */
function refuseWithoutTls({ host, tls }: ResolvedServerOptions): void {
  if (tls === undefined) {
    throw new PhantomError('55000', `refusing to listen on ${host} without TLS`, {
      hint: 'Give a certificate and its key, or listen on 127.0.0.1.',
    });
  }
}

/** And whoever could do everything has a password. */
function refuseWithoutPasswords(database: Database, options: ResolvedServerOptions): void {
  refuseWithoutTls(options);
  const { host } = options;
  for (const role of database.catalog.committed.objectsOf('role')) {
    if (!role.superuser || !role.login || role.passwordVerifier !== undefined) continue;
    throw new PhantomError('55000', `refusing to listen on ${host}: the superuser "${role.name}" has no password`, {
      hint: `Start on 127.0.0.1 and give it one: ALTER ROLE "${role.name}" PASSWORD '...'.`,
    });
  }
}

/** The database as HTTP asks it. */
function httpDatabase(
  database: Database,
  options: ResolvedServerOptions,
  pgListener: PgListener,
  server: ServerFacts,
  history: MetricsHistory,
  doors: Doors,
): HttpDatabase {
  const source: QuerySource = {
    tokens: () => doors.tokens,
    admission: pgListener.admission,
    role: (name) => database.catalog.role(name),
    openSession: (access, settings, requestId, within) =>
      database.createSession({
        within,
        database: access.database,
        user: access.role,
        requestId,
        server,
        settings: { ...defaultSettings(options), ...settings },
      }),
  };
  const query = new QueryEndpoint(source, {
    bodyBytesMax: options.httpBodyBytesMax,
    resultBytesMax: options.httpResultBytesMax,
    unreadTimeoutMs: options.httpUnreadTimeoutMs,
  });
  const unready = (): string | undefined =>
    pgListener.draining ? 'the server is stopping' : database.failure?.message;
  const dashboard = new DashboardEndpoint({
    ...source,
    metrics: () => database.metrics(),
    history,
    engines: () => database.stats().store.engines,
    unready,
    integrity: () => database.integrity(),
    check: () => database.check(),
    limits: limitsOf(options),
  });
  return {
    unready,
    damagedPlaces: () => database.damagedPlaces,
    metrics: () => database.metrics(),
    query,
    dashboard,
  };
}

/** The database as the protocol asks it. */
function sessionSource(database: Database, options: ResolvedServerOptions, server: ServerFacts): SessionSource {
  return {
    role: (name) => database.catalog.role(name),
    isMember: (user, role) => isMember(database, user, role),
    openSession(request) {
      const settings = { ...defaultSettings(options), ...request.settings };
      const session = database.createSession({ ...request, settings, server });
      return {
        session,
        roads: {
          lookUp: (statement, parameters, into) => lookUp(session, statement, parameters, into),
          lookUpWithin: (statement, parameters, into) => lookUpWithin(session, statement, parameters, into),
          writePoint: (statement, parameters) => writePointInTurn(session, statement, parameters),
          controlBlock: (statement) => controlBlock(session, statement),
        },
      };
    },
  };
}

/** What the server allows, for people to read. */
function limitsOf(options: ResolvedServerOptions): Readonly<Record<string, number>> {
  const { connectionsMax, connectionsReserved, frameBytesMax, httpBodyBytesMax, httpResultBytesMax } = options;
  const { authenticationTimeoutMs, statementTimeoutMs, idleTimeoutMs, drainTimeoutMs } = options;
  const sizes = { connectionsMax, connectionsReserved, frameBytesMax, httpBodyBytesMax, httpResultBytesMax };
  return { ...sizes, authenticationTimeoutMs, statementTimeoutMs, idleTimeoutMs, drainTimeoutMs };
}

/** Settings of sessions that say nothing themselves. */
function defaultSettings({
  statementTimeoutMs,
  idleTimeoutMs,
}: ResolvedServerOptions): Readonly<Record<string, string>> {
  return {
    ...(statementTimeoutMs === 0 ? {} : { statement_timeout: String(statementTimeoutMs) }),
    ...(idleTimeoutMs === 0 ? {} : { idle_session_timeout: String(idleTimeoutMs) }),
  };
}

function isMember(database: Database, user: string, role: string): boolean {
  const { catalog } = database;
  const seen = new Set<string>();
  const pending = [user];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === role) return true;
    if (seen.has(name)) continue;
    seen.add(name);
    for (const { roleOid } of catalog.role(name)?.memberOf ?? []) {
      const parent = catalog.committed.object(roleOid);
      if (parent?.kind === 'role') pending.push(parent.name);
    }
  }
  return false;
}

function address({ address: host, port }: AddressInfo): ServerAddress {
  return { host, port };
}
