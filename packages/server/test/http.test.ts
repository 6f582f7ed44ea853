import { MetricsRegistry } from '@phantom/base';
import { type Database, open } from '@phantom/db';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prometheusText } from '../src/http/prometheus.js';
import { type Server, startServer } from '../src/server.js';

describe('prometheus text', () => {
  it('writes counters, gauges and histograms', () => {
    const registry = new MetricsRegistry();
    registry.counter('a_total', 'Counts\nof \\ things.').value = 3;
    registry.gauge('b', 'A gauge.', () => Number.NaN);
    const histogram = registry.histogram('c_seconds', 'A histogram.', [0.1, 1]);
    for (const value of [0.05, 0.5, 0.5, 7]) histogram.observe(value);
    expect(prometheusText(registry.samples())).toBe(
      [
        '# HELP a_total Counts\\nof \\\\ things.',
        '# TYPE a_total counter',
        'a_total 3',
        '# HELP b A gauge.',
        '# TYPE b gauge',
        'b NaN',
        '# HELP c_seconds A histogram.',
        '# TYPE c_seconds histogram',
        'c_seconds_bucket{le="0.1"} 1',
        'c_seconds_bucket{le="1"} 3',
        'c_seconds_bucket{le="+Inf"} 4',
        'c_seconds_sum 8.05',
        'c_seconds_count 4',
        '',
      ].join('\n'),
    );
    registry.gauge('b', 'A gauge.', () => Number.POSITIVE_INFINITY);
    registry.gauge('d', 'A gauge.', () => Number.NEGATIVE_INFINITY);
    expect(prometheusText(registry.samples())).toMatch(/b \+Inf[^]*d -Inf/);
  });
});

describe('http', () => {
  let database: Database;
  let server: Server;
  let url = '';
  let failure: Error | undefined;
  beforeAll(async () => {
    const metrics = new MetricsRegistry();
    database = await open(':memory:', { metrics });
    // What a disk that fails would leave behind.
    Object.defineProperty(database, 'failure', { get: () => failure });
    server = await startServer(database, { pgPort: 0, httpPort: 0, metrics });
    url = `http://127.0.0.1:${server.http?.port}`;
  });
  afterAll(async () => {
    await server.close();
    await database.close();
  });

  it('answers health, readiness, metrics and its own description', async () => {
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const ready = await fetch(`${url}/readyz?verbose`);
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }]);
    const metrics = await fetch(`${url}/metrics`);
    expect(metrics.headers.get('content-type')).toContain('version=0.0.4');
    expect(await metrics.text()).toContain('phantom_pg_connections 0');
    expect(await (await fetch(`${url}/healthz`, { method: 'HEAD' })).text()).toBe('');
    const description = (await (await fetch(`${url}/v1/openapi.json`)).json()) as { paths: object };
    for (const path of Object.keys(description.paths)) expect((await fetch(url + path)).status).not.toBe(404);
  });

  it('says why it is not ready', async () => {
    failure = new Error('a sync failed');
    const response = await fetch(`${url}/readyz`);
    expect([response.status, await response.json()]).toEqual([503, { status: 'unready', reason: 'a sync failed' }]);
    failure = undefined;
  });

  it('refuses other paths and methods', async () => {
    expect((await fetch(`${url}/`)).status).toBe(404);
    const post = await fetch(`${url}/metrics`, { method: 'POST', body: 'x' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('names each request, by the name it came with where that is fit for a log', async () => {
    const idOf = async (given?: string): Promise<string | null> =>
      (await fetch(`${url}/healthz`, given === undefined ? {} : { headers: { 'x-request-id': given } })).headers.get(
        'x-request-id',
      );
    expect(await idOf('trace-7')).toBe('trace-7');
    expect(await idOf('a b')).toMatch(/^[0-9a-f-]{36}$/);
    expect(await idOf()).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('cannot listen where somebody listens', async () => {
    await expect(startServer(database, { pgPort: 0, httpPort: server.http?.port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});
