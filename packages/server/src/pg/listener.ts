/** Accepts clients of the PostgreSQL protocol, and ends them in good order. */
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import type { Counter, Logger } from '@phantom/base';
import { Admission } from '../admission.js';
import { isLoopback } from '../auth/authentication.js';
import type { ResolvedServerOptions } from '../options.js';
import { CancelKeys } from './cancel-keys.js';
import { type ConnectionHost, PgConnection } from './connection.js';
import type { SessionSource } from './database-session.js';
import { TlsSettings } from '../tls.js';
import { readKept } from './kept-reads.js';
import { Outbox } from './outbox.js';
import { BufferPool } from './output.js';
import { LoopPoll } from '../loop-poll.js';
import type { SessionCounters } from './session-counters.js';

/** Bytes the socket takes before it says that the client does not keep up. */
const SOCKET_BYTES = 64 * 1024;
/** Connections that wait to be accepted. */
const BACKLOG = 511;
const SECRET_BYTES = 32;

export class PgListener implements ConnectionHost {
  readonly source: SessionSource;
  readonly options: ResolvedServerOptions;
  readonly pool = new BufferPool();
  readonly outbox = new Outbox();
  readonly poll: LoopPoll;
  readonly admission: Admission;
  readonly cancelKeys = new CancelKeys();
  readonly secret = randomBytes(SECRET_BYTES);
  readonly counters: SessionCounters;
  readonly cancels: Counter;
  readonly logger: Logger;
  readonly tls: TlsSettings | undefined;
  draining = false;
  private readonly accepted: Counter;
  private readonly server: Server;
  private readonly connections = new Set<PgConnection>();
  private emptied: (() => void) | undefined;

  constructor(source: SessionSource, options: ResolvedServerOptions) {
    this.source = source;
    this.options = options;
    this.logger = options.logger;
    this.tls = options.tls === undefined ? undefined : new TlsSettings(options.tls);
    this.admission = new Admission(options);
    const { metrics, pollMicros } = options;
    this.poll = new LoopPoll({ pollMicros, processors: availableParallelism(), metrics });
    this.counters = {
      queries: metrics.counter('phantom_pg_queries_total', 'Statements executed for clients.'),
      errors: metrics.counter('phantom_pg_errors_total', 'Statements that ended in an error.'),
    };
    this.cancels = metrics.counter('phantom_pg_cancels_total', 'Cancel requests with the right key.');
    this.accepted = metrics.counter('phantom_pg_connections_total', 'Connections accepted.');
    metrics.gauge('phantom_pg_connections', 'Clients that have been let in.', () => this.admission.connections);
    this.server = createServer({ noDelay: true, highWaterMark: SOCKET_BYTES }, (socket) => this.accept(socket));
  }

  /** Listens; resolves to the address once clients are accepted, rejects with what the system said. */
  listen(): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen({ host: this.options.host, port: this.options.pgPort, backlog: BACKLOG }, () => {
        this.server.off('error', reject);
        this.server.on('error', (error) => this.logger.error('the listener failed', { error: error.message }));
        resolve(this.server.address() as AddressInfo);
      });
    });
  }

  /**
   * Accepts nobody any more, ends clients that rest, lets running statements end for `drainTimeoutMs`, then cancels them.
   * Resolves when all connections are closed. Safe to call twice.
   */
  async close(): Promise<void> {
    this.draining = true;
    this.server.close();
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

  closed(connection: PgConnection): void {
    if (!this.connections.delete(connection)) return;
    this.admission.leave();
    if (this.connections.size === 0) this.emptied?.();
  }

  private accept(accepted: Socket): void {
    if (!this.admission.arrive()) {
      accepted.destroy();
      return;
    }
    this.accepted.value++;
    // What may become TLS is read by Node itself.
    const socket = this.tls === undefined ? readKept(accepted) : accepted;
    this.connections.add(new PgConnection(socket, this, isLoopback(socket.remoteAddress)));
  }
}
