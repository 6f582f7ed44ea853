/**
 * Traces out of the daemon, by OTLP over HTTP (JSON), with OpenTelemetry's SDK. It is loaded when an endpoint is given, and not otherwise.
 *
 *   spans ──sampler──► queue of traceQueueMax ──batches──► collector
 *                        └ full: dropped, and counted
 *
 * A collector that is slow, refuses, or is not there costs its spans and nothing else: they wait in the queue, those that find it full
 * are dropped, and what it has not taken within traceTimeoutMs, tried again in it, is lost. At the end what waits is sent, in that time.
 *
 * Headers for the collector and compression are read by the SDK itself from the environment: OTEL_EXPORTER_OTLP_HEADERS and
 * OTEL_EXPORTER_OTLP_COMPRESSION.
 */
import type { Logger, Metrics, Tracer } from '@phantom/base';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { ServeSettings } from './config/serve-settings.js';

const NAME = 'phantom';
const BATCH_SPANS_MAX = 512;
/** How long spans wait for company. */
const BATCH_DELAY_MS = 1000;
const EXPORTED = 0;

export interface Traces {
  readonly tracer: Tracer;
  /** Sends what waits, for traceTimeoutMs at most. Never rejects. */
  close(): Promise<void>;
}

export type TraceSettings = Pick<
  ServeSettings,
  'traceEndpoint' | 'traceSampleRatio' | 'traceServiceName' | 'traceQueueMax' | 'traceTimeoutMs'
>;

type Exported = Parameters<SpanExporter['export']>[1];

/** Loads the SDK and begins; undefined without an endpoint. */
export async function startTracing(
  settings: TraceSettings,
  metrics: Metrics,
  logger: Logger,
): Promise<Traces | undefined> {
  const { traceEndpoint, traceSampleRatio, traceServiceName, traceQueueMax, traceTimeoutMs } = settings;
  if (traceEndpoint === undefined) return undefined;
  const [{ OTLPTraceExporter }, { resourceFromAttributes }, sdk] = await Promise.all([
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace'),
  ]);
  const exporter = new CountedExporter(
    new OTLPTraceExporter({ url: traceEndpoint, timeoutMillis: traceTimeoutMs }),
    metrics,
    logger,
  );
  const batches = new sdk.BatchSpanProcessor({
    exporter,
    maxQueueSize: traceQueueMax,
    maxExportBatchSize: Math.min(BATCH_SPANS_MAX, traceQueueMax),
    scheduledDelayMillis: BATCH_DELAY_MS,
    exportTimeoutMillis: traceTimeoutMs,
  });
  const provider = new sdk.TracerProvider({
    resource: resourceFromAttributes({ 'service.name': traceServiceName, 'process.pid': process.pid }),
    sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(traceSampleRatio) }),
    spanProcessors: [new BoundedProcessor(batches, exporter, traceQueueMax, metrics)],
  });
  logger.info('traces are sent', { endpoint: traceEndpoint, sampleRatio: traceSampleRatio });
  return {
    tracer: provider.getTracer(NAME),
    close: () => provider.shutdown().catch(() => undefined),
  };
}

/** Lets no more than so many spans wait, those under way to the collector among them, and counts those that it refuses. */
class BoundedProcessor implements SpanProcessor {
  readonly onStart: SpanProcessor['onStart'];
  private readonly batches: SpanProcessor;
  private readonly exporter: CountedExporter;
  private readonly spansMax: number;
  private readonly dropped: { value: number };
  private taken = 0;

  constructor(batches: SpanProcessor, exporter: CountedExporter, spansMax: number, metrics: Metrics) {
    this.batches = batches;
    this.exporter = exporter;
    this.spansMax = spansMax;
    this.dropped = metrics.counter(
      'phantom_trace_dropped_spans_total',
      'Spans for which there was no room in the queue.',
    );
    this.onStart = (span, context) => batches.onStart(span, context);
  }

  onEnd(span: ReadableSpan): void {
    if (this.taken - this.exporter.ended >= this.spansMax) {
      this.dropped.value++;
      return;
    }
    this.taken++;
    this.batches.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.batches.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.batches.shutdown();
  }
}

/** Counts what has come of spans, and says once that they do not arrive, and once that they do again. */
class CountedExporter implements SpanExporter {
  /** Spans that arrived or were given up. */
  ended = 0;
  private readonly exporter: SpanExporter;
  private readonly logger: Logger;
  private readonly exported: { value: number };
  private readonly lost: { value: number };
  private isFailing = false;

  constructor(exporter: SpanExporter, metrics: Metrics, logger: Logger) {
    this.exporter = exporter;
    this.logger = logger;
    this.exported = metrics.counter('phantom_trace_exported_spans_total', 'Spans that the collector has taken.');
    this.lost = metrics.counter('phantom_trace_lost_spans_total', 'Spans that the collector has not taken.');
  }

  export(spans: ReadableSpan[], resultCallback: Exported): void {
    this.exporter.export(spans, (result) => {
      const arrived = result.code === EXPORTED;
      this.ended += spans.length;
      (arrived ? this.exported : this.lost).value += spans.length;
      if (arrived === this.isFailing) this.tell(result.error);
      this.isFailing = !arrived;
      resultCallback(result);
    });
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }

  private tell(error: Error | undefined): void {
    if (this.isFailing) this.logger.info('traces arrive again');
    else this.logger.warn('traces do not arrive', { reason: error?.message ?? 'the collector has refused them' });
  }
}
