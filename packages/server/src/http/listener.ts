/**
 * HTTP for operators:
 *
 *   GET /healthz   200 as long as the process answers
 *   GET /readyz    200 when the database takes writes, 503 with the reason when it does not
 *   GET /metrics   Prometheus text
 *
 * It is unauthenticated, and shows nothing of the data.
 */
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { MetricSample } from '@phantom/base';
import { PROMETHEUS_CONTENT_TYPE, prometheusText } from './prometheus.js';

const CONNECTIONS_MAX = 64;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const HEADER_BYTES_MAX = 8192;

export interface HttpSource {
  /** Why writes are refused; undefined when they are not. */
  unready(): string | undefined;
  metrics(): readonly MetricSample[];
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export class HttpListener {
  private readonly source: HttpSource;
  private readonly server: Server;

  constructor(source: HttpSource) {
    this.source = source;
    this.server = createServer(
      { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS, maxHeaderSize: HEADER_BYTES_MAX },
      (request, response) => this.respond(request, response),
    );
    this.server.maxConnections = CONNECTIONS_MAX;
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

  /** Ends it, connections that are kept alive included. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  private respond(request: IncomingMessage, response: ServerResponse): void {
    // Bodies are of no use here; reading them keeps the connection in step.
    request.resume();
    const { status, type, body } = this.answer(request);
    response.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  private answer(request: IncomingMessage): Answer {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return json(405, { error: 'only GET and HEAD are allowed' });
    const path = (request.url ?? '/').split('?', 1)[0];
    switch (path) {
      case '/healthz':
        return json(200, { status: 'ok' });
      case '/readyz': {
        const reason = this.source.unready();
        return reason === undefined ? json(200, { status: 'ready' }) : json(503, { status: 'unready', reason });
      }
      case '/metrics':
        return { status: 200, type: PROMETHEUS_CONTENT_TYPE, body: prometheusText(this.source.metrics()) };
      default:
        return json(404, { error: 'not found' });
    }
  }
}

function json(status: number, body: unknown): Answer {
  return { status, type: 'application/json', body: `${JSON.stringify(body)}\n` };
}
