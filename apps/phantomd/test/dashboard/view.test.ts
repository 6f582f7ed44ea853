/** The dashboard as people meet it: signed in, looked through by keys, acted upon, and without its daemon. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeDocument, FakeElement, FakeLocation } from './fake-document.js';

interface Asked {
  readonly path: string;
  readonly token: string | undefined;
  readonly body: string | undefined;
}

const rows = (columns: string, ...values: readonly (readonly unknown[])[]): object => ({
  columns: columns.split(' ').map((name) => ({ name, type: 'text' })),
  rows: values,
});

const RESULTS: Readonly<Record<string, object>> = {
  sessions: rows('state sessions', ['active', 2], ['idle', 5]),
  running: rows(
    'pid role database application state age_ms wait_event_type wait_event query',
    [12, 'ada', 'shop', 'billing', 'active', 2500, 'Lock', 'tuple', 'update jobs set x = 1'],
    [13, 'ada', 'shop', 'cron', 'idle in transaction', null, 'Client', 'ClientRead', 'begin'],
  ),
  statements: rows(
    'query role database calls errors rows total_ms mean_ms min_ms max_ms',
    ['select <b>', 'ada', 'shop', 10, 1, 20, 300, 30, 1, 90],
    ['delete from t', 'eve', 'shop', 1, 0, 2, 100, 100, 100, 100],
  ),
  since: rows('since forgotten', ['2026-11-23T15:00:00Z', 0]),
  transactions: rows('id pid application status age_ms', [1, 12, 'billing', 'active', 5000]),
  waits: rows('transaction pid blocking_transaction blocking_pid mode locked waited_ms query blocking_query', [
    1,
    12,
    2,
    13,
    'ExclusiveLock',
    'key (id)=(1)',
    2500,
    `update jobs set state = 'a text that is longer than the box'`,
    'begin',
  ]),
  prepared: { error: { code: '42501', message: 'permission denied' } },
  conflicts: { error: { code: 'XX000', message: 'broken' } },
  tables: rows('schema table engine rows table_bytes index_bytes', ['public', 't', 'btree', '12', 4096, 0]),
  advice: rows(
    'schema table engine advice reason',
    ['public', 't', 'btree', 'lsm', 'mostly written'],
    ['public', 'u', 'lsm', 'lsm', 'so'],
  ),
  settings: rows('name setting unit context description', ['work_mem', '4096', 'kB', 'user', 'Memory.']),
};

let at = 0;
let server: { unready: string | null; status: number; integrity: object; isGone: boolean };
let asked: Asked[];
let page: FakeDocument;
let pressed: (event: object) => void;
let hashChanged: () => void;
let kept: Map<string, string>;

function answer(path: string): [number, object] {
  if (path === '/v1/query') return [200, { rows: [{ stopped: path.length > 0 }] }];
  if (path === '/v1/dashboard/check')
    return [200, { count: 1, findings: [{ severity: 'corruption', file: 'a.run', message: 'bad block' }] }];
  at += 1000;
  const metrics = {
    phantom_pg_queries_total: at,
    phantom_btree_cache_hits_total: 9,
    phantom_btree_pages_read_total: 1,
    phantom_btree_flushed_bytes_total: 1,
    phantom_mvcc_prepared_transactions: 1,
  };
  const histograms = {
    phantom_pg_response_seconds: { bounds: [0.001, 0.01], counts: [0, at / 1000, 0] },
    phantom_wal_sync_seconds: { bounds: [1], counts: [0, 0] },
  };
  const series = {
    phantom_pg_queries_total: [at / 10],
    'phantom_pg_response_seconds/0': [0],
    'phantom_pg_response_seconds/1': [at / 1000],
    'phantom_pg_response_seconds/2': [0],
  };
  const { unready, integrity } = server;
  const told = {
    startedMs: at - 60_000,
    unready,
    integrity,
    engines: [
      { name: 'btree', height: 3 },
      {
        name: 'lsm',
        readAmplification: 2,
        levels: [
          { runs: 0, bytes: 0, entries: 0 },
          { runs: 4, bytes: 2048, entries: 77 },
          { runs: 0, bytes: 0, entries: 0 },
        ],
      },
    ],
    limits: {
      connectionsMax: 1000,
      frameBytesMax: 1024,
      idleTimeoutMs: 0,
      drainTimeoutMs: 5000,
      logMinDurationMs: -1,
      mode: 'x',
    },
  };
  return [
    server.status,
    {
      at,
      role: 'ada',
      database: 'shop',
      server: told,
      metrics,
      histograms,
      history: { stepMs: 1000, at: [at], series },
      results: RESULTS,
    },
  ];
}

beforeEach(async () => {
  at = 1_000_000;
  server = { unready: null, status: 200, integrity: {}, isGone: false };
  asked = [];
  kept = new Map();
  page = new FakeDocument();
  vi.stubGlobal('document', page);
  vi.stubGlobal('HTMLElement', FakeElement);
  vi.stubGlobal('CSS', { escape: (text: string) => text });
  vi.stubGlobal('location', new FakeLocation());
  vi.stubGlobal('window', { history: { replaceState: () => (location.hash = '') } });
  vi.stubGlobal('sessionStorage', {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  });
  vi.stubGlobal('addEventListener', (name: string, listener: () => void) => {
    if (name === 'keydown') pressed = listener;
    else hashChanged = listener;
  });
  vi.stubGlobal(
    'fetch',
    async (path: string, { headers, body }: { headers: Record<string, string>; body?: string }) => {
      asked.push({ path, token: headers.authorization, body });
      if (server.isGone) throw new TypeError('fetch failed');
      if (headers.authorization !== 'Bearer good')
        return Response.json({ error: { message: 'the token is not known' } }, { status: 401 });
      const [status, told] = answer(path.split('?', 1)[0] as string);
      return Response.json(told, { status });
    },
  );
  vi.resetModules();
});

afterEach(async () => {
  press('out');
  await settled();
  vi.unstubAllGlobals();
});

async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await pause(0);
}

async function open(hash = '#token=good'): Promise<void> {
  location.hash = hash;
  await import('../../src/dashboard/app.js');
  await settled();
}

const shown = (): string => page.body.textContent;

function press(key: string): void {
  page.body.querySelector(`[data-key="${key}"]`)?.send('click');
}

async function type(key: string): Promise<void> {
  pressed({ key, target: page.activeElement, preventDefault: () => undefined });
  await settled();
}

/** What a browser does when the address changes. */
async function go(key: string): Promise<void> {
  const before = location.hash;
  await type(key);
  if (location.hash !== before) hashChanged();
  await settled();
}

it('asks for a token, says that one is not known, and keeps the one that is', async () => {
  await open('');
  expect(shown()).toContain('phantomd token --role NAME');
  const enter = async (token: string): Promise<void> => {
    (page.activeElement as FakeElement).value = token;
    page.body.find(({ tagName }) => tagName === 'form')?.send('submit');
    await settled();
  };
  await enter('bad');
  expect(shown()).toContain('the token is not known');
  await enter(' good ');
  expect(shown()).toContain('ada in shop');
  expect([...kept.values()]).toEqual(['good']);
  press('out');
  expect([kept.size, shown().includes('ada in shop')]).toEqual([0, false]);
});

it('shows health and figures, with their units, as soon as it is opened', async () => {
  await open();
  expect(location.hash).toBe('');
  expect(shown()).toContain('Healthytakes writes, up 1 min 0 s');
  expect(shown()).toContain('2 active, 5 idle');
  expect(shown()).toContain('Cache90.0 %');
  press('window/3600');
  await settled();
  expect(asked.at(-1)?.path).toBe('/v1/dashboard?page=overview&window=3600&since=0');
  press('window/900');
  await settled();
  expect(shown()).toContain('Syncs of the log');
});

it('goes from page to page by keys, and filters rows', async () => {
  await open();
  await go('2');
  expect(shown()).toContain('select <b>');
  expect(shown()).toContain('300 ms · 75.0 %');
  await type('/');
  const input = page.activeElement;
  input.value = 'delete';
  input.send('input');
  expect(shown()).not.toContain('select <b>');
  expect(page.activeElement).toBe(input);
  await type('2');
  await type('Escape');
  expect(shown()).toContain('select <b>');
  const order = (): boolean => shown().indexOf('select <b>') < shown().indexOf('delete from t');
  for (const [key, isFirst] of [
    ['mean_ms', false],
    ['mean_ms', true],
    ['role', true],
    ['role', false],
  ] as const) {
    press(`statements/${key}`);
    expect([key, order()]).toEqual([key, isFirst]);
  }
  for (const [key, text] of [
    ['3', 'session 12'],
    ['4', 'lsm, as it is'],
    ['5', 'Last backup'],
    ['6', 'work_mem'],
    ['1', 'Throughput'],
    ['9', 'Throughput'],
  ]) {
    await go(key as string);
    expect(shown()).toContain(text);
  }
});

it('says of what a role may not see, and of what failed', async () => {
  await open();
  await go('3');
  expect(shown()).toContain('Not for this role: permission denied.');
  expect(shown()).toContain('broken (XX000)');
});

it('cancels what runs and ends who rests, at the second press', async () => {
  await open();
  await go('2');
  press('stop/12');
  expect([shown().includes('Really: cancel'), asked.some(({ path }) => path === '/v1/query')]).toEqual([true, false]);
  press('stop/12');
  await settled();
  expect(asked.find(({ path }) => path === '/v1/query')?.body).toBe(
    '{"sql":"select pg_cancel_backend($1) as stopped","parameters":[12]}',
  );
  expect(shown()).toContain('Session 12 was asked to stop.');
  press('stop/13');
  press('stop/13');
  await settled();
  expect(asked.findLast(({ path }) => path === '/v1/query')?.body).toContain('pg_terminate_backend');
});

it('tells of checks and backups, and has everything checked', async () => {
  await open();
  await go('5');
  expect(shown()).toContain('Last checkNone');
  server.integrity = {
    lastCheck: { atMs: at, findings: 1, elapsedMs: 5 },
    lastBackup: { atMs: at, directory: '/b', seq: 7, bytes: 10 },
  };
  press('check');
  expect(shown()).toContain('Checking …');
  await settled();
  expect(shown()).toContain('1 findings.');
  expect(shown()).toContain('a.runbad block');
  expect(shown()).toContain('read back; in /b');
});

it('tells how the archive stands', async () => {
  const archive = { directory: '/kept', seq: 12, timeMs: at, baseSeq: 5 };
  const texts: readonly (readonly [object, string])[] = [
    [archive, 'ArchiveHas every commitup to 12, last base 5; in /kept'],
    [{ ...archive, baseSeq: undefined }, 'ArchiveNo base yet'],
    [{ ...archive, failure: 'the disk is full' }, 'ArchiveNot writtenthe disk is full; the log is held meanwhile'],
  ];
  for (const [state, text] of texts) {
    server.integrity = { archive: state };
    await open();
    await go('5');
    expect(shown()).toContain(text);
  }
});

it('shows how high the trees are', async () => {
  await open();
  await go('4');
  expect(shown()).toContain('in at most 2 sorted runs; in the B+tree on 3 pages');
  expect(shown()).toContain('14772 KiB');
});

it('says why writes are refused', async () => {
  server.unready = 'a sync failed';
  await open();
  expect(shown()).toContain('Refuses writesa sync failed');
});

it('keeps what it knew when the daemon is gone, says so, and goes on by itself', async () => {
  await open();
  server.isGone = true;
  await go('1');
  press('window/900');
  await settled();
  expect(shown()).toMatch(/No longer connected since \d\d:\d\d:\d\d; trying again/);
  expect(page.body.className).toBe('stale');
  server.isGone = false;
  server.status = 429;
  press('window/300');
  hashChanged();
  await settled();
  expect(shown()).toContain('the server answered 429');
  server.status = 200;
  hashChanged();
  await settled();
  expect([page.body.className, shown().includes('Healthy')]).toEqual(['', true]);
});
