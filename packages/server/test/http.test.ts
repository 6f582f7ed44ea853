import { MetricsRegistry } from '@phantom/base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpListener } from '../src/http/listener.js';
import { prometheusText } from '../src/http/prometheus.js';

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
  let reason: string | undefined;
  const listener = new HttpListener({
    unready: () => reason,
    metrics: () => [{ kind: 'counter', name: 'x_total', help: 'X.', value: 1 }],
  });
  let url = '';
  beforeAll(async () => {
    const { port } = await listener.listen('127.0.0.1', 0);
    url = `http://127.0.0.1:${port}`;
  });
  afterAll(() => listener.close());

  it('answers health, readiness and metrics', async () => {
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const ready = await fetch(`${url}/readyz?verbose`);
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready' }]);
    const metrics = await fetch(`${url}/metrics`);
    expect(metrics.headers.get('content-type')).toContain('version=0.0.4');
    expect(await metrics.text()).toContain('x_total 1');
    expect(await (await fetch(`${url}/healthz`, { method: 'HEAD' })).text()).toBe('');
  });

  it('says why it is not ready', async () => {
    reason = 'a sync failed';
    const response = await fetch(`${url}/readyz`);
    expect([response.status, await response.json()]).toEqual([503, { status: 'unready', reason: 'a sync failed' }]);
    reason = undefined;
  });

  it('refuses other paths and methods', async () => {
    expect((await fetch(`${url}/`)).status).toBe(404);
    const post = await fetch(`${url}/metrics`, { method: 'POST', body: 'x' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('cannot listen where somebody listens', async () => {
    const second = new HttpListener({ unready: () => undefined, metrics: () => [] });
    await expect(second.listen('127.0.0.1', Number(new URL(url).port))).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
