/** Spans of requests over HTTP: parts of the span that the header `traceparent` names, by OpenTelemetry's conventions for servers. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Span, SpanKind, type Tracer, contextOf, remoteSpan } from '@phantom/base';

const STATUS_ERROR = 2;
const SERVER_ERRORS_MIN = 500;
/** Paths that name spans. */
const NAMED = new Set(['/v1/query', '/v1/dashboard', '/v1/dashboard/check', '/v1/openapi.json', '/dashboard']);
/** What a machine asks for every few seconds. */
const UNTRACED = new Set(['/healthz', '/readyz', '/metrics']);

/** A request begins; undefined where there is no tracer, or it is not worth a span. Also of a trace that is not kept: what it brings about belongs to it. */
export function beginRequest(tracer: Tracer | undefined, request: IncomingMessage, path: string): Span | undefined {
  if (tracer === undefined || UNTRACED.has(path)) return undefined;
  const { traceparent } = request.headers;
  const parent = typeof traceparent === 'string' ? remoteSpan(traceparent) : undefined;
  const method = request.method ?? 'GET';
  const attributes = { 'http.request.method': method, 'url.path': path };
  const options = { kind: SpanKind.Server, attributes, root: parent === undefined };
  // Other paths are anybody's words.
  return tracer.startSpan(
    NAMED.has(path) ? `${method} ${path}` : method,
    options,
    parent === undefined ? undefined : contextOf(parent),
  );
}

/** It has been answered, or its connection was cut. */
export function endRequest(span: Span, { statusCode, writableFinished, destroyed }: ServerResponse): void {
  span.setAttribute('http.response.status_code', statusCode);
  const isCut = destroyed && !writableFinished;
  if (statusCode >= SERVER_ERRORS_MIN || isCut) {
    const type = isCut ? 'cut' : String(statusCode);
    span.setStatus({ code: STATUS_ERROR, message: type });
    span.setAttribute('error.type', type);
  }
  span.end();
}
