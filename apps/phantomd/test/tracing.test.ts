/** Traces on their way to a collector: what arrives, what is dropped, and that a collector that is ill makes nobody else so. */
import { MetricsRegistry, type LogFields, type Logger, contextOf, remoteSpan } from '@phantom/base';
import { Client } from 'pg';
import { afterEach, expect, it } from 'vitest';
import { resolveSettings } from '../src/config/resolve.js';
import { type TraceSettings, type Traces, startTracing } from '../src/tracing.js';
import { Collector } from './support/collector.js';
import { Daemon } from './support/daemon.js';
import { temporaryDirectories } from './support/directories.js';

const TRACE = '5bd66ef5095369c7b0d1f8f4bd33716a';
const CALLER = 'c532cb4098ac3dd2';
const newDirectory = temporaryDirectories();
const collectors: Collector[] = [];

afterEach(async () => {
  for (const collector of collectors.splice(0)) await collector.close();
});

async function newCollector(): Promise<Collector> {
  const collector = await Collector.start();
  collectors.push(collector);
  return collector;
}

interface Sending extends Traces {
  readonly told: (readonly [string, LogFields | undefined])[];
  readonly count: (name: 'exported' | 'dropped' | 'lost') => number | undefined;
}

async function sending(settings: Partial<TraceSettings>): Promise<Sending> {
  const metrics = new MetricsRegistry();
  const told: [string, LogFields | undefined][] = [];
  const tell = (message: string, fields?: LogFields): void => void told.push([message, fields]);
  const logger: Logger = { debug: tell, info: tell, warn: tell, error: tell };
  const traces = await startTracing({ ...resolveSettings({}, {}).settings, ...settings }, metrics, logger);
  const count: Sending['count'] = (name) => {
    const sample = metrics.samples().find((one) => one.name === `phantom_trace_${name}_spans_total`);
    return sample?.kind === 'counter' ? sample.value : undefined;
  };
  return { ...(traces as Traces), told, count };
}

it('are not made without an endpoint', async () => {
  const { settings } = resolveSettings({}, {});
  const logger: Logger = { debug: fail, info: fail, warn: fail, error: fail };
  expect(await startTracing(settings, new MetricsRegistry(), logger)).toBeUndefined();
});

function fail(): never {
  throw new Error('nothing is to be told');
}

it('are told where to go by variables of OpenTelemetry, behind those of phantomd', () => {
  const environment = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
    OTEL_SERVICE_NAME: 'shop',
  };
  const { settings, sources } = resolveSettings({}, environment);
  expect(settings).toMatchObject({
    traceEndpoint: 'http://collector:4318/v1/traces',
    traceSampleRatio: 0.25,
    traceServiceName: 'shop',
  });
  expect(sources.traceEndpoint).toBe('OTEL_EXPORTER_OTLP_ENDPOINT');
  const whole = { ...environment, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://other/path' };
  expect(resolveSettings({}, whole).settings.traceEndpoint).toBe('https://other/path');
  const own = { ...whole, PHANTOM_TRACE_ENDPOINT: 'http://own/v1/traces', OTEL_SERVICE_NAME: '' };
  expect(resolveSettings({}, own).settings).toMatchObject({
    traceEndpoint: 'http://own/v1/traces',
    traceServiceName: 'phantomd',
  });
  expect(() => resolveSettings({}, { OTEL_TRACES_SAMPLER_ARG: '2' })).toThrow(
    'OTEL_TRACES_SAMPLER_ARG has to be a number from 0 to 1',
  );
  expect(() => resolveSettings({ traceEndpoint: 'collector:4318' }, {})).toThrow(
    '--trace-endpoint has to be an address',
  );
});

it('arrive with their parents and times, and are counted', async () => {
  const collector = await newCollector();
  const { tracer, close, count } = await sending({ traceEndpoint: `${collector.url}/v1/traces` });
  const parent = remoteSpan(`00-${TRACE}-${CALLER}-01`);
  if (parent === undefined) throw new Error('no parent');
  const span = tracer.startSpan('SELECT', { attributes: { rows: 3 } }, contextOf(parent));
  tracer.startSpan('plan', { startTime: performance.now() - 5 }, contextOf(span)).end();
  span.end();
  const stranger = remoteSpan(`00-${TRACE}-${CALLER}-00`);
  if (stranger === undefined) throw new Error('no parent');
  expect(tracer.startSpan('of a trace that is not kept', {}, contextOf(stranger)).isRecording()).toBe(false);
  await close();
  expect(collector.spans.map(({ name, traceId, parentSpanId }) => [name, traceId, parentSpanId])).toEqual([
    ['plan', TRACE, span.spanContext().spanId],
    ['SELECT', TRACE, CALLER],
  ]);
  expect([...collector.services, ...collector.types]).toEqual(['phantomd', 'application/json']);
  expect([count('exported'), count('dropped'), count('lost')]).toEqual([2, 0, 0]);
});

it('are kept in the share that was asked for', async () => {
  const collector = await newCollector();
  const none = await sending({ traceEndpoint: `${collector.url}/v1/traces`, traceSampleRatio: 0 });
  expect(none.tracer.startSpan('a').isRecording()).toBe(false);
  await none.close();
});

it('are dropped and counted where the queue is full, also while the collector does not answer', async () => {
  const collector = await newCollector();
  collector.status = undefined;
  const { tracer, close, count, told } = await sending({
    traceEndpoint: `${collector.url}/v1/traces`,
    traceQueueMax: 10,
    traceTimeoutMs: 100,
  });
  for (let i = 0; i < 25; i++) tracer.startSpan(`span ${i}`).end();
  expect(count('dropped')).toBe(15);
  await close();
  expect([count('exported'), count('lost')]).toEqual([0, 10]);
  expect(told.map(([message]) => message)).toEqual(['traces are sent', 'traces do not arrive']);
});

it('that do not arrive are told of once, and once when they do again', async () => {
  const collector = await newCollector();
  collector.status = 400;
  const { tracer, close, count, told } = await sending({ traceEndpoint: `${collector.url}/v1/traces` });
  tracer.startSpan('refused').end();
  await expect.poll(() => count('lost'), { timeout: 5000 }).toBe(1);
  collector.status = 200;
  tracer.startSpan('taken').end();
  await expect.poll(() => count('exported'), { timeout: 5000 }).toBe(1);
  expect(told.map(([message]) => message)).toEqual(['traces are sent', 'traces do not arrive', 'traces arrive again']);
  await close();
});

it('leave the daemon by OTLP, from the comment of a client to the sync of its commit', async () => {
  const collector = await newCollector();
  const daemon = await Daemon.start('--data', newDirectory(), '--trace-endpoint', `${collector.url}/v1/traces`);
  const client = new Client({ connectionString: daemon.url });
  await client.connect();
  await client.query('create table orders (id int primary key)');
  await client.query(`insert into orders values (1) /*traceparent='00-${TRACE}-${CALLER}-01'*/`);
  await client.end();
  expect(await daemon.end('SIGTERM')).toBe(0);
  const names = collector.spans.filter(({ traceId }) => traceId === TRACE).map(({ name }) => name);
  expect(names.toSorted()).toEqual(['INSERT orders', 'append', 'commit', 'execute', 'parse', 'plan', 'sync']);
  expect(collector.spans.find(({ name }) => name === 'INSERT orders')?.parentSpanId).toBe(CALLER);
  expect(collector.spans.some(({ name }) => name === 'connect')).toBe(true);
  expect(collector.spans.some(({ name }) => name === 'checkpoint')).toBe(true);
});

it('harm nobody where the collector is not there', async () => {
  const collector = await newCollector();
  const { url } = collector;
  await collector.close();
  collectors.length = 0;
  const daemon = await Daemon.start(
    '--data',
    newDirectory(),
    '--trace-endpoint',
    `${url}/v1/traces`,
    '--trace-timeout-ms',
    '200',
  );
  const client = new Client({ connectionString: daemon.url });
  await client.connect();
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await client.end();
  expect(await daemon.end('SIGTERM')).toBe(0);
  expect(daemon.err).toContain('traces do not arrive');
});
