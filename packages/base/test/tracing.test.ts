import { describe, expect, it } from 'vitest';
import {
  PhantomError,
  type Span,
  type Tracer,
  childSpan,
  contextOf,
  failSpan,
  remoteSpan,
  spanOf,
  traced,
  tracedSteps,
} from '../src/index.js';

const TRACE = '5bd66ef5095369c7b0d1f8f4bd33716a';
const SPAN = 'c532cb4098ac3dd2';

describe('a traceparent', () => {
  it('is a span that records nothing', () => {
    const span = remoteSpan(` 00-${TRACE.toUpperCase()}-${SPAN}-01 `) as Span;
    expect(span.spanContext()).toEqual({ traceId: TRACE, spanId: SPAN, traceFlags: 1, isRemote: true });
    expect(span.isRecording()).toBe(false);
    expect(span.setAttribute('a', 1)).toBe(span);
    expect(span.updateName('b')).toBe(span);
    expect(span.setStatus({ code: 2 })).toBe(span);
    expect(span.end()).toBeUndefined();
    expect(remoteSpan(`00-${TRACE}-${SPAN}-00`)?.spanContext().traceFlags).toBe(0);
  });

  it('may be of a later version, with more behind it', () => {
    expect(remoteSpan(`01-${TRACE}-${SPAN}-03-more`)?.spanContext().traceFlags).toBe(1);
  });

  it.each([
    ['nothing', ''],
    ['too short', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['a version that is none', `ff-${TRACE}-${SPAN}-01`],
    ['no trace', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['no span', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['more than this version has', `00-${TRACE}-${SPAN}-01-more`],
    ['other digits', `00-${TRACE.replace('5', 'g')}-${SPAN}-01`],
  ])('is none: %s', (_, text) => {
    expect(remoteSpan(text)).toBeUndefined();
  });
});

describe('a context', () => {
  const span = remoteSpan(`00-${TRACE}-${SPAN}-01`) as Span;

  it('holds its span where the API looks for it', () => {
    expect(contextOf(span).getValue(Symbol.for('OpenTelemetry Context Key SPAN'))).toBe(span);
    expect(spanOf(contextOf(span))).toBe(span);
    expect(spanOf(undefined)).toBeUndefined();
  });

  it('is never changed', () => {
    const key = Symbol('a');
    const context = contextOf(span);
    const more = context.setValue(key, 1);
    expect([context.getValue(key), more.getValue(key), spanOf(more)]).toEqual([undefined, 1, span]);
    expect([more.deleteValue(key).getValue(key), more.getValue(key)]).toEqual([undefined, 1]);
  });
});

describe('a part of a span', () => {
  it('is made under one that is kept, with a time or without', () => {
    const asked: unknown[] = [];
    const span = remoteSpan(`00-${TRACE}-${SPAN}-01`) as Span;
    const tracer: Tracer = {
      startSpan: (name, options, context) => {
        asked.push([name, options, spanOf(context) === span]);
        return span;
      },
    };
    expect(childSpan(tracer, undefined, 'plan')).toBeUndefined();
    expect(childSpan(tracer, span, 'plan')).toBe(span);
    childSpan(tracer, span, 'sync', { size: 3 }, 17);
    expect(asked).toEqual([
      ['plan', { attributes: {} }, true],
      ['sync', { attributes: { size: 3 }, startTime: 17 }, true],
    ]);
  });

  it('tells of an error by its SQLSTATE alone', () => {
    const said: unknown[] = [];
    const span = Object.assign(Object.create(remoteSpan(`00-${TRACE}-${SPAN}-01`) as Span) as Span, {
      setAttribute: (...told: unknown[]) => said.push(told),
      setStatus: (status: unknown) => said.push(status),
    });
    failSpan(span, new PhantomError('23505', 'a secret'));
    failSpan(span, new Error('a secret'));
    const told = (code: string): unknown[] => [{ code: 2, message: code }, ['error.type', code]];
    expect(said).toEqual([...told('23505'), ...told('XX000')]);
  });
});

describe('work that is a trace of its own', () => {
  interface Told {
    readonly tracer: Tracer;
    readonly said: unknown[];
  }

  function recording(isKept: boolean): Told {
    const said: unknown[] = [];
    const span = {
      spanContext: () => ({ traceId: TRACE, spanId: SPAN, traceFlags: 1 }),
      setAttribute: (name: string, value: unknown) => said.push([name, value]),
      updateName: () => undefined,
      setStatus: () => undefined,
      isRecording: () => isKept,
      end: () => void said.push('end'),
    };
    const startSpan: Tracer['startSpan'] = (name, options) => {
      said.push([name, options]);
      return span;
    };
    return { tracer: { startSpan }, said };
  }

  function* steps(error?: Error): Generator<number, string> {
    yield 1;
    if (error !== undefined) throw error;
    return 'done';
  }

  it('is a span from its beginning to its end', async () => {
    const { tracer, said } = recording(true);
    expect(await traced(tracer, 'a', { size: 1 }, async () => 7)).toBe(7);
    expect(said).toEqual([['a', { kind: 0, attributes: { size: 1 }, root: true }], 'end']);
    await expect(traced(tracer, 'b', {}, () => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
    expect(said.slice(3)).toEqual([['error.type', 'XX000'], 'end']);
  });

  it('goes on in steps, to its end or until it is given up', () => {
    const { tracer, said } = recording(true);
    const whole = tracedSteps(tracer, 'a', () => ({ size: 1 }), steps());
    expect(said).toEqual([]);
    expect([whole.next(), whole.next()]).toEqual([
      { value: 1, done: false },
      { value: 'done', done: true },
    ]);
    expect(said.splice(0)).toEqual([['a', { kind: 0, attributes: { size: 1 }, root: true }], 'end']);
    const failing = tracedSteps(tracer, 'b', () => ({}), steps(new Error('gone')));
    failing.next();
    expect(() => failing.next()).toThrow('gone');
    expect(said.splice(0).slice(1)).toEqual([['error.type', 'XX000'], 'end']);
    const given = tracedSteps(tracer, 'c', () => ({}), steps());
    given.next();
    given.return('');
    expect(said.slice(1)).toEqual(['end']);
  });

  it('is done without a span where there is no tracer, or the trace is not kept', async () => {
    const work = steps();
    expect(tracedSteps(undefined, 'a', () => ({}), work)).toBe(work);
    expect(await traced(undefined, 'a', {}, async () => 7)).toBe(7);
    const { tracer, said } = recording(false);
    expect([...tracedSteps(tracer, 'a', () => ({}), steps())]).toEqual([1]);
    await expect(traced(tracer, 'b', {}, () => Promise.reject(new Error('gone')))).rejects.toThrow('gone');
    expect(said.map((one) => (one as unknown[])[0])).toEqual(['a', 'b']);
  });
});
