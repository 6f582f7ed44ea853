/** What the dashboard is served: files for anybody, figures for whoever has a token, each as far as the role's rights go. */
import { type Database, open } from '@phantom/db';
import { MetricsRegistry } from '@phantom/base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AccessTokens, makeToken } from '../src/auth/access-tokens.js';
import { DASHBOARD_PAGES } from '../src/http/dashboard-queries.js';
import { MetricsHistory } from '../src/metrics-history.js';
import { type Server, startServer } from '../src/server.js';

const admin = makeToken({ role: 'phantom', database: 'phantom' });
const clerk = makeToken({ role: 'clerk', database: 'phantom' });
const gone = makeToken({ role: 'gone', database: 'phantom' });
const files = new Map([
  ['/dashboard', { type: 'text/html; charset=utf-8', body: '<p>page' }],
  ['/dashboard/app.js', { type: 'text/javascript; charset=utf-8', body: 'start()' }],
]);

let database: Database;
let server: Server;
let base = '';
beforeAll(async () => {
  const metrics = new MetricsRegistry();
  database = await open(':memory:', { metrics });
  database.exec(`create role clerk login; create table account (id int primary key); insert into account values (1)`);
  const tokens = new AccessTokens([admin, clerk, gone].map(({ line }) => line).join('\n'));
  server = await startServer(database, { pgPort: 0, httpPort: 0, tokens, metrics, dashboardFiles: files });
  base = `http://127.0.0.1:${server.http?.port}`;
});
afterAll(async () => {
  await server.close();
  await database.close();
});

interface Answer {
  readonly role: string;
  readonly server: {
    readonly unready: string | null;
    readonly integrity: Record<string, unknown>;
    readonly engines: readonly {
      readonly name: string;
      readonly height?: number;
      readonly levels?: readonly { runs: number }[];
    }[];
  };
  readonly metrics: Record<string, number>;
  readonly histograms: Record<string, { counts: number[]; bounds: number[] }>;
  readonly history: { stepMs: number; at: number[]; series: Record<string, unknown[]> };
  readonly results: Record<string, { columns?: { name: string }[]; rows?: unknown[][]; error?: { code: string } }>;
}

async function ask(
  path: string,
  token?: string,
  method = 'GET',
): Promise<[number, Answer & { error?: { message: string } }]> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(base + path, { method, headers });
  return [response.status, (await response.json()) as Answer];
}

describe('the page', () => {
  it('is for anybody, and may do nothing but ask this server', async () => {
    const page = await fetch(`${base}/`);
    expect([page.url, page.status, await page.text()]).toEqual([`${base}/dashboard`, 200, '<p>page']);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    const script = await fetch(`${base}/dashboard/app.js`);
    expect([script.headers.get('content-type'), await script.text()]).toEqual([
      'text/javascript; charset=utf-8',
      'start()',
    ]);
    expect((await fetch(`${base}/dashboard/../server.js`)).status).toBe(404);
    expect((await fetch(`${base}/dashboard`, { method: 'POST' })).status).toBe(405);
  });

  it('is not there where the composition brings none', async () => {
    const bare = await startServer(database, { pgPort: 0, httpPort: 0 });
    expect((await fetch(`http://127.0.0.1:${bare.http?.port}/`)).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${bare.http?.port}/v1/dashboard`)).status).toBe(401);
    await bare.close();
  });
});

describe('its figures', () => {
  it('are for whoever has a token', async () => {
    for (const token of [undefined, 'wrong']) {
      expect((await ask('/v1/dashboard', token))[0]).toBe(401);
      expect((await ask('/v1/dashboard/check', token, 'POST'))[0]).toBe(401);
    }
    expect((await ask('/v1/dashboard', gone.token))[0]).toBe(403);
    expect((await ask('/v1/dashboard/check', admin.token))[0]).toBe(405);
  });

  it.each(Object.keys(DASHBOARD_PAGES))(
    'of the page %s are all there for a superuser, and no error for anybody',
    async (page) => {
      const [status, answer] = await ask(`/v1/dashboard?page=${page}`, admin.token);
      expect([status, answer.role, answer.server.unready]).toEqual([200, 'phantom', null]);
      expect(answer.metrics.phantom_mvcc_committed_total).toBeGreaterThan(0);
      const { counts, bounds } = answer.histograms.phantom_pg_response_seconds as {
        counts: number[];
        bounds: number[];
      };
      expect(counts).toHaveLength(bounds.length + 1);
      expect(Object.keys(answer.results)).toEqual(Object.keys(DASHBOARD_PAGES[page]?.statements ?? {}));
      for (const { rows, columns, error } of Object.values(answer.results)) {
        expect(error).toBeUndefined();
        for (const row of rows ?? []) expect(row).toHaveLength(columns?.length ?? 0);
      }
      expect((await ask(`/v1/dashboard?page=${page}`, clerk.token))[0]).toBe(200);
    },
  );

  it('show texts of others to nobody without the right', async () => {
    await database.query("select 'told'::text as account_of_others");
    const texts = async (token: string): Promise<string> =>
      JSON.stringify((await ask('/v1/dashboard?page=queries', token))[1].results.statements?.rows);
    expect(await texts(admin.token)).toContain('account_of_others');
    expect(await texts(clerk.token)).not.toContain('account_of_others');
    expect(await texts(clerk.token)).toContain('insufficient privilege');
  });

  it('tell of the trees', async () => {
    const [, { server: told }] = await ask('/v1/dashboard?page=storage', admin.token);
    const heights = told.engines.map(({ name, height, levels }) => [name, height, levels?.[0]?.runs]);
    expect(heights).toContainEqual(['btree', 0, undefined]);
    expect(heights).toContainEqual(['lsm', undefined, 0]);
  });

  it('say what is no request', async () => {
    for (const query of ['page=constructor', 'window=0', 'window=x', 'window=99999', 'since=-1', 'since='])
      expect((await ask(`/v1/dashboard?${query}`, admin.token))[0], query).toBe(400);
  });

  it('tell of a check, which superusers may ask for', async () => {
    expect((await ask('/v1/dashboard/check', clerk.token, 'POST'))[0]).toBe(403);
    expect((await ask('/v1/dashboard?page=integrity', admin.token))[1].server.integrity).toEqual({});
    expect((await ask('/v1/dashboard/check', admin.token, 'POST'))[1]).toEqual({ count: 0, findings: [] });
    const [, { server: told }] = await ask('/v1/dashboard?page=integrity', admin.token);
    expect(told.integrity.lastCheck).toMatchObject({ findings: 0 });
  });
});

describe('the history of metrics', () => {
  it('keeps an hour, in steps that are the same for everybody', () => {
    const metrics = new MetricsRegistry();
    const history = new MetricsHistory(() => metrics.samples());
    const rows = metrics.counter('rows_total', '');
    metrics.histogram('seconds', '', [1, 2]).observe(1.5);
    for (let second = 1; second <= 4000; second++) {
      rows.value += 2;
      if (second === 3990) metrics.gauge('late', '', () => 7);
      history.sample(second * 1000);
    }
    const names = new Set(['rows_total', 'seconds', 'late']);
    const all = history.part(names, 0, 1000);
    expect([all.at.length, all.at[0], all.at.at(-1)]).toEqual([3600, 401_000, 4_000_000]);
    const { at, series } = history.part(names, 3_980_000, 4000);
    expect(at).toEqual([3_984_000, 3_988_000, 3_992_000, 3_996_000, 4_000_000]);
    expect(series).toEqual({
      rows_total: [7968, 7976, 7984, 7992, 8000],
      'seconds/0': [0, 0, 0, 0, 0],
      'seconds/1': [1, 1, 1, 1, 1],
      'seconds/2': [0, 0, 0, 0, 0],
      late: [null, null, 7, 7, 7],
    });
    expect(history.part(new Set(), 3_996_000, 4000)).toEqual({ at: [4_000_000], series: {} });
  });

  it('takes no more series than it has room for', () => {
    const metrics = new MetricsRegistry();
    for (let n = 0; n < 600; n++) metrics.gauge(`gauge_${n}`, '', () => n);
    const history = new MetricsHistory(() => metrics.samples());
    history.sample(1000);
    const { series } = history.part(new Set(metrics.samples().map(({ name }) => name)), 0, 1000);
    expect(Object.keys(series)).toHaveLength(512);
  });
});
