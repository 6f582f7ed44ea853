/** Accepts clients of the PostgreSQL protocol, and ends them in good order. */
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import { type Counter, type Logger, assert } from '@phantom/base';
import { Admission } from '../admission.js';
import { FailedLogins } from '../auth/failed-logins.js';
import type { AuthenticationRules } from '../auth/rules.js';
import type { ResolvedServerOptions } from '../options.js';
import { CancelKeys } from './cancel-keys.js';
import { type ConnectionHost, PgConnection } from './connection.js';
import type { SessionSource } from './database-session.js';
import { type TlsOptions, TlsSettings } from '../tls.js';
import { readKept } from './kept-reads.js';
import { Outbox } from './outbox.js';
import { BufferPool } from './output.js';
import { LoopPoll } from '../loop-poll.js';
import type { SessionCounters } from './session-counters.js';
import { UnixSocket, unixSocketPath } from './unix-socket.js';

/** Bytes the socket takes before it says that the client does not keep up. */
const SOCKET_BYTES = 64 * 1024;
/** Connections that wait to be accepted. */
const BACKLOG = 511;
const SECRET_BYTES = 32;
/** From what memory answers to what people wait for. */
const RESPONSE_BOUNDS_SECONDS = [
  0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30,
];

export class PgListener implements ConnectionHost {
  /** Set by `serve`; until then clients are told that the database is starting up. */
  private served: SessionSource | undefined;
  readonly options: ResolvedServerOptions;
  readonly pool = new BufferPool();
  readonly outbox = new Outbox();
  readonly poll: LoopPoll;
  readonly admission: Admission;
  readonly failedLogins = new FailedLogins();
  readonly cancelKeys = new CancelKeys();
  readonly secret = randomBytes(SECRET_BYTES);
  readonly counters: SessionCounters;
  readonly cancels: Counter;
  readonly logger: Logger;
  /** How connections that come from now on are encrypted. */
  private tls: TlsSettings | undefined;
  rules: AuthenticationRules | undefined;
  draining = false;
  private readonly accepted: Counter;
  private readonly server: Server;
  /** Who listens in the file system, and under which name. */
  private unix: { readonly server: Server; readonly socket: UnixSocket } | undefined;
  private readonly connections = new Set<PgConnection>();
  /** Those of them that have not shown who they are, the oldest first. */
  private readonly atDoor = new Set<PgConnection>();
  private emptied: (() => void) | undefined;

  constructor(options: ResolvedServerOptions) {
    this.options = options;
    this.logger = options.logger;
    this.tls = this.tlsSettings(options.tls);
    this.rules = options.rules;
    this.admission = new Admission(options);
    const { metrics, pollMicros } = options;
    this.poll = new LoopPoll({ pollMicros, processors: availableParallelism(), metrics });
    this.counters = {
      queries: metrics.counter('phantom_pg_queries_total', 'Statements executed for clients.'),
      errors: metrics.counter('phantom_pg_errors_total', 'Statements that ended in an error.'),
      responses: metrics.histogram(
        'phantom_pg_response_seconds',
        'Time from the first message of a client until it is told that the server is ready again: a statement with its commit, as a rule.',
        RESPONSE_BOUNDS_SECONDS,
      ),
    };
    this.cancels = metrics.counter('phantom_pg_cancels_total', 'Cancel requests with the right key.');
    this.accepted = metrics.counter('phantom_pg_connections_total', 'Connections accepted.');
    metrics.gauge(
      'phantom_pg_connections_at_door',
      'Connections of clients that have not shown yet who they are.',
      () => this.waitingAtDoor,
    );
    metrics.gauge('phantom_pg_connections', 'Clients that have been let in.', () => this.admission.connections);
    this.server = this.newServer(false);
  }

  get source(): SessionSource {
    assert(this.served !== undefined, 'nobody is let in before there is a database');
    return this.served;
  }

  get closedBecause(): string | undefined {
    if (this.draining) return 'the database system is shutting down';
    return this.served === undefined ? 'the database system is starting up' : undefined;
  }

  /** Lets clients in, to this database. */
  serve(source: SessionSource): void {
    this.served = source;
  }

  /** Listens; resolves to the address once clients are accepted, rejects with what the system or `UnixSocket.listen` said. */
  async listen(): Promise<AddressInfo> {
    const address = await this.listenOnPort();
    try {
      await this.listenInDirectory(address.port);
    } catch (error) {
      this.server.close();
      throw error;
    }
    return address;
  }

  /** Who comes from now on is encrypted and let in by these. 22023, and all is as before, for what cannot be used. */
  renew(tls: TlsOptions | undefined, rules: AuthenticationRules | undefined): void {
    this.tls = this.tlsSettings(tls);
    this.rules = rules;
  }

  private tlsSettings(tls: TlsOptions | undefined): TlsSettings | undefined {
    if (tls === undefined) return undefined;
    const failed = (reason: string): void => this.logger.info('a TLS handshake failed', { reason });
    return new TlsSettings(tls, this.options.authenticationTimeoutMs, failed);
  }

  /** Where clients of this machine come in without the network; undefined where they cannot. */
  get unixSocketPath(): string | undefined {
    return this.unix?.socket.path;
  }

  private listenOnPort(): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen({ host: this.options.host, port: this.options.pgPort, backlog: BACKLOG }, () => {
        this.server.off('error', reject);
        this.logFailures(this.server);
        resolve(this.server.address() as AddressInfo);
      });
    });
  }

  private async listenInDirectory(port: number): Promise<void> {
    const { unixSocketDirectory, unixSocketPermissions } = this.options;
    if (unixSocketDirectory === undefined) return;
    const server = this.newServer(true);
    const path = unixSocketPath(unixSocketDirectory, port);
    const socket = await UnixSocket.listen(server, path, unixSocketPermissions, BACKLOG);
    this.logFailures(server);
    this.unix = { server, socket };
  }

  private newServer(isUnix: boolean): Server {
    return createServer({ noDelay: !isUnix, highWaterMark: SOCKET_BYTES }, (socket) => this.accept(socket, isUnix));
  }

  private logFailures(server: Server): void {
    server.on('error', (error) => this.logger.error('the listener failed', { error: error.message }));
  }

  /**
   * Accepts nobody any more, ends clients that rest, lets running statements end for `drainTimeoutMs`, then cancels them.
   * Resolves when all connections are closed. Safe to call twice.
   */
  async close(): Promise<void> {
    this.draining = true;
    this.server.close();
    this.unix?.server.close();
    this.unix?.socket.remove();
    for (const connection of this.connections) connection.drain();
    if (this.connections.size === 0) return;
    const emptied = new Promise<void>((resolve) => {
      this.emptied = resolve;
    });
    const timer = setTimeout(() => {
      for (const connection of this.connections) connection.terminate();
    }, this.options.drainTimeoutMs);
    await emptied;
    clearTimeout(timer);
  }

  /** Clients that have not shown who they are. */
  get waitingAtDoor(): number {
    return this.atDoor.size;
  }

  entered(connection: PgConnection): void {
    this.atDoor.delete(connection);
  }

  closed(connection: PgConnection): void {
    this.atDoor.delete(connection);
    if (!this.connections.delete(connection)) return;
    this.admission.leave();
    if (this.connections.size === 0) this.emptied?.();
  }

  private accept(accepted: Socket, isUnix: boolean): void {
    if (!this.admission.arrive() && !this.makeRoom()) {
      accepted.destroy();
      return;
    }
    this.accepted.value++;
    // What may become TLS is read by Node itself. What stays on the machine is never encrypted.
    const tls = isUnix ? undefined : this.tls;
    const socket = tls === undefined ? readKept(accepted) : accepted;
    const connection = new PgConnection(socket, this, tls, isUnix);
    this.connections.add(connection);
    this.atDoor.add(connection);
  }

  /** Sends away who has stood at the door for longest, and takes its place; false when nobody stands there. Silence keeps nobody out. */
  private makeRoom(): boolean {
    const [longest] = this.atDoor;
    longest?.dismiss();
    return longest !== undefined && this.admission.arrive();
  }
}
