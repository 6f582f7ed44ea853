/**
 * The tracing port: what a unit of work was, when it began and ended, and which other it was a part of. It has the shape of
 * OpenTelemetry's API, so that a tracer of `@opentelemetry/api` is one without anybody here knowing that package; its names and
 * numbers (kinds, states, the key under which a context holds a span) are that API's.
 *
 *   caller's span ──► SELECT orders ──► parse, plan, execute ──► lock wait
 *                                  └──► commit ──► append, sync
 *
 * Where there is no tracer there are no spans: whoever may make one asks a field for `undefined` and does nothing else. Whether a trace
 * is kept is decided once, where its first span begins (`startSpan`): a span that records nothing has no children made under it.
 *
 * Times are numbers of performance.now(), which the API takes beside others.
 *
 * Left out: trace state and baggage, which nothing here would read, and links.
 */
import { isPhantomError } from './errors.js';

export type AttributeValue = string | number | boolean;
export type SpanAttributes = Record<string, AttributeValue>;

/** What a span is known by in other processes. */
export interface SpanContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Bit 0: the trace is kept. */
  readonly traceFlags: number;
  /** It came from another process. */
  readonly isRemote?: boolean;
}

/** A unit of work under way. Nothing that is said of it after `end` counts. */
export interface Span {
  spanContext(): SpanContext;
  setAttribute(name: string, value: AttributeValue): unknown;
  updateName(name: string): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  /** False: nobody keeps it. */
  isRecording(): boolean;
  /** `endTime` as performance.now() had it; now, where it is left out. */
  end(endTime?: number): void;
}

/** What a span belongs to: values by keys, never changed. */
export interface TraceContext {
  getValue(key: symbol): unknown;
  setValue(key: symbol, value: unknown): TraceContext;
  deleteValue(key: symbol): TraceContext;
}

export interface SpanOptions {
  kind?: number;
  attributes?: SpanAttributes;
  /** As performance.now() had it; now, where it is left out. */
  startTime?: number;
  /** It begins a trace, whatever the moment is. */
  root?: boolean;
}

/** Makes spans. Without a context the tracer's own idea of the moment is the parent, if it has any. */
export interface Tracer {
  startSpan(name: string, options?: SpanOptions, context?: TraceContext): Span;
}

/** Kinds of spans, by the API's numbers: work of this process for itself, and work that another one has asked for. */
export const SpanKind = { Internal: 0, Server: 1 } as const;

const STATUS_ERROR = 2;
const SPAN_KEY = Symbol.for('OpenTelemetry Context Key SPAN');
const TRACE_PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NOTHING = /^0+$/;
const VERSION_KNOWN = '00';
const VERSION_INVALID = 'ff';

class Context implements TraceContext {
  private readonly values: ReadonlyMap<symbol, unknown>;

  constructor(values: ReadonlyMap<symbol, unknown>) {
    this.values = values;
  }

  getValue(key: symbol): unknown {
    return this.values.get(key);
  }

  setValue(key: symbol, value: unknown): TraceContext {
    return new Context(new Map([...this.values, [key, value]]));
  }

  deleteValue(key: symbol): TraceContext {
    return new Context(new Map([...this.values].filter(([known]) => known !== key)));
  }
}

/** The span of another process: a parent, and nothing to be written to. */
class RemoteSpan implements Span {
  private readonly context: SpanContext;

  constructor(context: SpanContext) {
    this.context = context;
  }

  spanContext(): SpanContext {
    return this.context;
  }

  setAttribute(): this {
    return this;
  }

  updateName(): this {
    return this;
  }

  setStatus(): this {
    return this;
  }

  isRecording(): boolean {
    return false;
  }

  end(): void {}
}

/** The context of whatever a span brings about. */
export function contextOf(parent: Span): TraceContext {
  return new Context(new Map([[SPAN_KEY, parent]]));
}

/** The span that a context holds; undefined for none. What `contextOf` has made, and contexts of `@opentelemetry/api`. */
export function spanOf(context: TraceContext | undefined): Span | undefined {
  return context?.getValue(SPAN_KEY) as Span | undefined;
}

/** The caller's span by a W3C `traceparent`; undefined for a text that is none, which callers are to take as if nothing had been said. */
export function remoteSpan(traceParent: string): Span | undefined {
  const found = TRACE_PARENT.exec(traceParent.trim().toLowerCase());
  if (found === null) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', more] = found;
  if (version === VERSION_INVALID || NOTHING.test(traceId) || NOTHING.test(spanId)) return undefined;
  if (version === VERSION_KNOWN && more !== undefined) return undefined;
  return new RemoteSpan({ traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true });
}

/** Says of a span that it has failed: its state, the error's class and SQLSTATE. The message may hold values, so it stays out. */
export function failSpan(span: Span, error: unknown): void {
  const code = isPhantomError(error) ? error.code : 'XX000';
  span.setStatus({ code: STATUS_ERROR, message: code });
  span.setAttribute('error.type', code);
}

/** A part of `parent`, where that is kept; undefined otherwise. `startTime` as performance.now() had it. */
export function childSpan(
  tracer: Tracer,
  parent: Span | undefined,
  name: string,
  attributes: SpanAttributes = {},
  startTime?: number,
): Span | undefined {
  if (parent === undefined) return undefined;
  const options = startTime === undefined ? { attributes } : { attributes, startTime };
  return tracer.startSpan(name, options, contextOf(parent));
}

/** Begins a trace: what the tracer takes to be the span of the moment has nothing to do with it. Undefined where it is not kept. */
export function rootSpan(
  tracer: Tracer | undefined,
  name: string,
  attributes: SpanAttributes,
  kind: number = SpanKind.Internal,
): Span | undefined {
  if (tracer === undefined) return undefined;
  const span = tracer.startSpan(name, { kind, attributes, root: true });
  return span.isRecording() ? span : undefined;
}

/**
 * Does some work in a span, a part of `parent` or a trace of its own: resolves or rejects as the work does, which is given the span where
 * that is kept.
 */
export async function traced<T>(
  tracer: Tracer | undefined,
  name: string,
  attributes: SpanAttributes,
  work: (span: Span | undefined) => Promise<T>,
  parent?: Span,
): Promise<T> {
  const span =
    tracer === undefined || parent === undefined
      ? rootSpan(tracer, name, attributes)
      : childSpan(tracer, parent.isRecording() ? parent : undefined, name, attributes);
  try {
    return await work(span);
  } catch (error) {
    if (span !== undefined) failSpan(span, error);
    throw error;
  } finally {
    span?.end();
  }
}

/** As traced, of work that goes on whenever somebody asks it to. `attributes` are asked for when it begins. */
export function tracedSteps<Step, Result>(
  tracer: Tracer | undefined,
  name: string,
  attributes: () => SpanAttributes,
  work: Generator<Step, Result>,
): Generator<Step, Result> {
  return tracer === undefined ? work : stepsInSpan(tracer, name, attributes, work);
}

function* stepsInSpan<Step, Result>(
  tracer: Tracer,
  name: string,
  attributes: () => SpanAttributes,
  work: Generator<Step, Result>,
): Generator<Step, Result> {
  const span = rootSpan(tracer, name, attributes());
  try {
    return yield* work;
  } catch (error) {
    if (span !== undefined) failSpan(span, error);
    throw error;
  } finally {
    span?.end();
  }
}
