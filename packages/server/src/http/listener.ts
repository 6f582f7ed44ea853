/**
 * HTTP, for operators and for programs without a driver:
 *
 *   GET  /healthz           200 as long as the process answers
 *   GET  /readyz            200 when the database takes writes, 503 with the reason when it does not, or is starting up
 *   GET  /metrics           Prometheus text
 *   GET  /v1/openapi.json   all of this, described
 *   POST /v1/query          one statement, for whoever has a token
 *   GET  /dashboard         a page for people, where the composition has brought one; what it shows it asks for with a token:
 *   GET  /v1/dashboard, POST /v1/dashboard/check
 *
 * Until there is a database all but the process's own answers is 503. What asks for no token shows nothing of the data. It stands on node:http: one route has a body, and a
 * framework would be 44 packages in every user's tree, one of which wants a newer Node than we do (docs/adr/0006).
 */
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { type Server as SecureServer, createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Logger, MetricSample, Span, Tracer } from '@phantom/base';
import { type TlsOptions, secureServerOptions } from '../tls.js';
import type { LoopPoll } from '../loop-poll.js';
import { type Answer, HttpError, jsonAnswer } from './answer.js';
import type { DashboardEndpoint } from './dashboard-endpoint.js';
import { openApi } from './openapi.js';
import { PROMETHEUS_CONTENT_TYPE, prometheusText } from './prometheus.js';
import type { QueryEndpoint } from './query-endpoint.js';
import { beginRequest, endRequest } from './request-span.js';
import { type StaticFiles, staticAnswer } from './static-files.js';

const PATHS = ['/v1/query', '/v1/dashboard', '/v1/openapi.json', '/healthz', '/readyz', '/metrics'];
const CHECK_PATH = '/v1/dashboard/check';
const CONNECTIONS_MAX = 256;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_TIMEOUT_MS = 5000;
/** How long a request that was cancelled has to be answered. */
const FAREWELL_MS = 2000;
const HEADER_BYTES_MAX = 8192;
/** How often connections are looked at that send their request slowly. */
const SLOW_CHECK_MS = 1000;

/** What it tells of an open database, and asks it. */
export interface HttpDatabase {
  /** Why writes are refused; undefined when they are not. */
  unready(): string | undefined;
  /** How many places of files are known that cannot be read. */
  damagedPlaces(): number;
  metrics(): readonly MetricSample[];
  readonly query: QueryEndpoint;
  readonly dashboard: DashboardEndpoint;
}

export interface HttpSource {
  /** Files of the dashboard by their paths; without them there is no page. */
  readonly files: StaticFiles | undefined;
  readonly poll: LoopPoll;
  readonly logger: Logger;
  /** Where spans of requests go; undefined: nowhere. */
  readonly tracer: Tracer | undefined;
}

const STARTING = 'the database system is starting up';

export class HttpListener {
  private readonly source: HttpSource;
  /** Set by `serve`; until then it is starting up. */
  private database: HttpDatabase | undefined;
  private readonly server: Server;
  /** The same where it is HTTPS. */
  private readonly secureServer: SecureServer | undefined;
  private draining = false;

  /** With `tls` all of it is HTTPS. */
  constructor(source: HttpSource, tls?: TlsOptions) {
    this.source = source;
    const options = {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
      connectionsCheckingInterval: SLOW_CHECK_MS,
    };
    const respond = (request: IncomingMessage, response: ServerResponse): void => void this.respond(request, response);
    this.secureServer =
      tls === undefined ? undefined : createSecureServer({ ...options, ...secureServerOptions(tls) }, respond);
    this.server = this.secureServer ?? createServer(options, respond);
    this.server.maxConnections = CONNECTIONS_MAX;
  }

  /** Answers of this database from now on. */
  serve(database: HttpDatabase): void {
    this.database = database;
  }

  /** Listens; resolves to the address, rejects with what the system said. */
  listen(host: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen({ host, port }, () => {
        this.server.off('error', reject);
        resolve(this.server.address() as AddressInfo);
      });
    });
  }

  /** Connections from now on see this certificate; nothing where it is plain HTTP. */
  renew(tls: TlsOptions): void {
    this.secureServer?.setSecureContext(secureServerOptions(tls));
  }

  /** Accepts no requests any more, lets running ones end for `drainTimeoutMs`, then cancels them and tells their clients. */
  async close(drainTimeoutMs: number): Promise<void> {
    this.draining = true;
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    this.server.closeIdleConnections();
    let timer = setTimeout(() => {
      this.database?.query.cancelAll();
      // Whoever asked is to hear of it: without an answer nobody knows what has become of a write.
      timer = setTimeout(() => this.server.closeAllConnections(), FAREWELL_MS);
    }, drainTimeoutMs);
    await closed;
    clearTimeout(timer);
  }

  private async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startMs = performance.now();
    const requestId = requestIdOf(request);
    const path = (request.url ?? '/').split('?', 1)[0] as string;
    response.setHeader('x-request-id', requestId);
    response.setHeader('cache-control', 'no-store');
    if (this.draining) response.setHeader('connection', 'close');
    // A request that came before the end of the server has not told its client to close: the connection would rest open.
    response.once('finish', () => {
      if (this.draining) request.socket.end();
    });
    // Whoever goes away early has no answer to get.
    response.on('error', () => undefined);
    this.source.poll.began(startMs);
    response.once('close', () => this.source.poll.rested(performance.now()));
    const span = beginRequest(this.source.tracer, request, path);
    let role: string | undefined;
    try {
      if (path === '/v1/query') role = await this.query(request, response, requestId, span);
      else send(request, response, await this.answer(request, path, requestId));
    } catch (error) {
      if (!response.headersSent) send(request, response, this.refusal(error, requestId));
      else response.destroy();
    }
    if (span !== undefined) endRequest(span, response);
    const fields = { requestId, method: request.method, path, status: response.statusCode, role };
    const elapsedMs = Math.round(performance.now() - startMs);
    if (path === '/v1/query') this.source.logger.info('a request was answered', { ...fields, elapsedMs });
    else this.source.logger.debug('a request was answered', { ...fields, elapsedMs });
  }

  private async query(
    request: IncomingMessage,
    response: ServerResponse,
    requestId: string,
    span: Span | undefined,
  ): Promise<string> {
    if (request.method !== 'POST') throw new HttpError(405, 'only POST is allowed', { allow: 'POST' });
    if (this.draining) throw new HttpError(503, 'the server is stopping');
    const onDefect = (error: unknown): void => this.logDefect(error, requestId);
    const { role } = await this.opened().query.respond(request, response, requestId, onDefect, span);
    return role;
  }

  private answer(request: IncomingMessage, path: string, requestId: string): Answer | Promise<Answer> {
    // Bodies are of no use here; reading them keeps the connection in step.
    request.resume();
    if (path === CHECK_PATH) {
      if (request.method !== 'POST') throw new HttpError(405, 'only POST is allowed', { allow: 'POST' });
      return this.opened().dashboard.check(request);
    }
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw new HttpError(405, 'only GET and HEAD are allowed', { allow: 'GET, HEAD' });
    switch (path) {
      case '/healthz':
        return jsonAnswer(200, healthOf(this.database?.damagedPlaces() ?? 0));
      case '/readyz': {
        const reason = this.database === undefined ? STARTING : this.database.unready();
        return reason === undefined
          ? jsonAnswer(200, { status: 'ready' })
          : jsonAnswer(503, { status: 'unready', reason });
      }
      case '/metrics':
        return { status: 200, type: PROMETHEUS_CONTENT_TYPE, body: prometheusText(this.opened().metrics()) };
      case '/v1/openapi.json':
        return jsonAnswer(200, openApi);
      case '/v1/dashboard':
        return this.opened().dashboard.page(request, requestId);
      default: {
        const file = staticAnswer(this.source.files, path);
        if (file !== undefined) return file;
        throw new HttpError(404, `not found; there are ${PATHS.join(', ')}`);
      }
    }
  }

  private opened(): HttpDatabase {
    if (this.database === undefined) throw new HttpError(503, STARTING, { 'retry-after': '1' });
    return this.database;
  }

  private refusal(error: unknown, requestId: string): Answer {
    if (error instanceof HttpError)
      return jsonAnswer(error.status, { error: { message: error.message } }, error.headers);
    this.logDefect(error, requestId);
    return jsonAnswer(500, { error: { message: 'internal error' } });
  }

  private logDefect(error: unknown, requestId: string): void {
    const stack = error instanceof Error ? error.stack : String(error);
    this.source.logger.error('internal error', { requestId, stack });
  }
}

/** The caller's own name for the request, where it is fit to be logged; else a new one. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, body, headers }: Answer): void {
  // A body that nobody has read would be taken for the next request.
  if (!request.complete) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), ...headers });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** The process is well, whatever lies on its disk: nobody is helped by a restart. */
function healthOf(damagedPlaces: number): object {
  return damagedPlaces === 0 ? { status: 'ok' } : { status: 'ok', damagedPlaces };
}
