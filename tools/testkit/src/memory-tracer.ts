/** A tracer that keeps its spans, for tests: each with what was said of it and the span that it is a part of. */
import {
  type Span,
  type SpanAttributes,
  type SpanContext,
  type SpanOptions,
  type TraceContext,
  type Tracer,
  spanOf,
} from '@phantom/base';

export class MemorySpan implements Span {
  name: string;
  readonly kind: number;
  readonly attributes: SpanAttributes;
  /** `spanId` of the span above; undefined for the first of a trace. */
  readonly parentId: string | undefined;
  /** Milliseconds, as performance.now() has them. */
  readonly startMs: number;
  endMs: number | undefined = undefined;
  /** The SQLSTATE of what it has failed with; undefined while it has not. */
  error: string | undefined = undefined;
  private readonly context: SpanContext;

  constructor(name: string, options: SpanOptions, context: SpanContext, parentId: string | undefined) {
    this.name = name;
    this.kind = options.kind ?? 0;
    this.attributes = { ...options.attributes };
    this.startMs = options.startTime ?? performance.now();
    this.context = context;
    this.parentId = parentId;
  }

  spanContext(): SpanContext {
    return this.context;
  }

  setAttribute(name: string, value: SpanAttributes[string]): this {
    this.attributes[name] = value;
    return this;
  }

  updateName(name: string): this {
    this.name = name;
    return this;
  }

  setStatus({ message }: { code: number; message?: string }): this {
    this.error = message;
    return this;
  }

  isRecording(): boolean {
    return this.context.traceFlags === 1 && this.endMs === undefined;
  }

  end(endTime = performance.now()): void {
    if (this.endMs !== undefined) throw new Error(`the span "${this.name}" has ended before`);
    this.endMs = endTime;
  }
}

export class MemoryTracer implements Tracer {
  /** In the order in which they began; those of traces that are not kept are not here. */
  readonly spans: MemorySpan[] = [];
  /** Whether a trace is kept whose first span begins here. */
  keeps = true;
  /** How many spans were asked for. */
  asked = 0;
  private idNext = 1;

  startSpan(name: string, options: SpanOptions = {}, context?: TraceContext): MemorySpan {
    this.asked++;
    const parent = spanOf(context)?.spanContext();
    const traceId = parent?.traceId ?? this.newId(32);
    const traceFlags = parent?.traceFlags ?? (this.keeps ? 1 : 0);
    const span = new MemorySpan(name, options, { traceId, spanId: this.newId(16), traceFlags }, parent?.spanId);
    if (traceFlags === 1) this.spans.push(span);
    return span;
  }

  /** Spans as an indented outline, each trace by itself, parts in the order of their beginnings; one that has not ended ends in `...`. */
  outline(): string[] {
    const lines: string[] = [];
    const isKnown = (id: string | undefined): boolean => this.spans.some((span) => span.spanContext().spanId === id);
    const add = (span: MemorySpan, depth: number): void => {
      const ending = span.endMs === undefined ? ' ...' : '';
      lines.push(`${'  '.repeat(depth)}${span.name}${span.error === undefined ? '' : ` !${span.error}`}${ending}`);
      const { spanId } = span.spanContext();
      for (const part of this.spans) if (part.parentId === spanId) add(part, depth + 1);
    };
    for (const span of this.spans) if (!isKnown(span.parentId)) add(span, 0);
    return lines;
  }

  /** The only span of that name. */
  only(name: string): MemorySpan {
    const found = this.spans.filter((span) => span.name === name);
    if (found.length !== 1) throw new Error(`there are ${found.length} spans "${name}"`);
    return found[0] as MemorySpan;
  }

  /** Forgets all spans. */
  clear(): void {
    this.spans.length = 0;
  }

  private newId(digits: number): string {
    return (this.idNext++).toString(16).padStart(digits, '0');
  }
}
