/**
 * GET /v1/dashboard: what one page of the dashboard shows, as the role and in the database of the caller's token.
 *
 *   ?page=queries              whose statements are run (dashboard-queries.ts), each by itself: one that fails leaves the others be
 *   &window=900                seconds of history, of which there are POINTS_MAX samples at most
 *   &since=1795449780000       only history later than this moment
 *
 *   {"at":...,"role":...,"server":{...},"metrics":{...},"histograms":{...},"history":{...},"results":{"running":{"columns":[...],"rows":[[...]]}}}
 *
 * A page only reads: the session is read-only and has STATEMENT_TIMEOUT_MS for each statement. POST /v1/dashboard/check walks all files and
 * documents, for superusers.
 */
import type { IncomingMessage } from 'node:http';
import { type MetricSample, PhantomError } from '@phantom/base';
import type { Finding, IntegrityFacts } from '@phantom/db';
import type { SqlSession } from '@phantom/db/session';
import type { Admission, AdmissionRole } from '../admission.js';
import type { Access, AccessTokens } from '../auth/access-tokens.js';
import { fetchRows } from '../fetch-rows.js';
import type { MetricsHistory } from '../metrics-history.js';
import { Pace } from '../pace.js';
import { asPhantomError } from '../pg/reports.js';
import { type Answer, HttpError, errorBody, jsonAnswer, statusOf } from './answer.js';
import { accessOf } from './bearer.js';
import { DASHBOARD_PAGES } from './dashboard-queries.js';
import { JsonRows, fieldTexts } from './json-rows.js';

const STATEMENT_TIMEOUT_MS = 2000;
const POINTS_MAX = 300;
const WINDOW_SECONDS_MAX = 3600;
const WINDOW_SECONDS = 900;
const FINDINGS_MAX = 100;
const MS_PER_SECOND = 1000;

/** What the endpoint asks of the server. */
export interface DashboardSource {
  /** Who may ask, as it is said now. */
  tokens(): AccessTokens | undefined;
  readonly admission: Admission;
  role(name: string): AdmissionRole | undefined;
  openSession(access: Access, settings: Readonly<Record<string, string>>, requestId: string): SqlSession;
  metrics(): readonly MetricSample[];
  readonly history: MetricsHistory;
  /** What each storage engine tells of itself, whatever that is. */
  engines(): readonly object[];
  /** Why writes are refused; undefined when they are not. */
  unready(): string | undefined;
  integrity(): IntegrityFacts;
  check(): Promise<readonly Finding[]>;
  /** Limits and settings of the server, for people. */
  readonly limits: Readonly<Record<string, number | string>>;
}

export class DashboardEndpoint {
  private readonly source: DashboardSource;
  private readonly startedMs = Date.now();

  constructor(source: DashboardSource) {
    this.source = source;
  }

  /** What a page shows. HttpError for what is no request. */
  async page(request: IncomingMessage, requestId: string): Promise<Answer> {
    const access = accessOf(request, this.source.tokens());
    const { searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const name = searchParams.get('page') ?? 'overview';
    const page = Object.hasOwn(DASHBOARD_PAGES, name) ? DASHBOARD_PAGES[name] : undefined;
    if (page === undefined)
      throw new HttpError(400, `"page" has to be one of ${Object.keys(DASHBOARD_PAGES).join(', ')}`);
    const seconds = wholeNumber(searchParams, 'window', WINDOW_SECONDS, 1, WINDOW_SECONDS_MAX);
    const since = wholeNumber(searchParams, 'since', 0, 0, Number.MAX_SAFE_INTEGER);
    const results = await this.results(access, page.statements, requestId);
    if (results instanceof PhantomError) return jsonAnswer(statusOf(results), { error: errorBody(results) });
    const nowMs = Date.now();
    const stepMs = Math.max(1, Math.ceil(seconds / POINTS_MAX)) * MS_PER_SECOND;
    const { metrics, histograms } = current(this.source.metrics());
    const head = {
      at: nowMs,
      role: access.role,
      database: access.database,
      server: {
        startedMs: this.startedMs,
        unready: this.source.unready() ?? null,
        limits: this.source.limits,
        engines: this.source.engines(),
        integrity: this.source.integrity(),
      },
      metrics,
      histograms,
      history: {
        stepMs,
        ...this.source.history.part(new Set(page.series), Math.max(since, nowMs - seconds * MS_PER_SECOND), stepMs),
      },
    };
    return {
      status: 200,
      type: 'application/json',
      body: `${JSON.stringify(head).slice(0, -1)},"results":{${results.join(',')}}}\n`,
    };
  }

  /** Walks everything there is, for superusers; answers with what it has found. */
  async check(request: IncomingMessage): Promise<Answer> {
    const access = accessOf(request, this.source.tokens());
    if (this.source.role(access.role)?.superuser !== true)
      throw new HttpError(403, 'only superusers may have the store checked');
    const findings = await this.source.check();
    return jsonAnswer(200, { count: findings.length, findings: findings.slice(0, FINDINGS_MAX) });
  }

  /** `"name":{...}` for each statement; the error of a session that cannot be opened. */
  private async results(
    access: Access,
    statements: Readonly<Record<string, string>>,
    requestId: string,
  ): Promise<string[] | PhantomError> {
    const { source } = this;
    const role = source.role(access.role);
    if (role === undefined) return new PhantomError('28000', `role "${access.role}" does not exist`);
    try {
      source.admission.enter(role);
    } catch (error) {
      return asPhantomError(error);
    }
    let session: SqlSession | undefined;
    try {
      session = source.openSession(
        access,
        { default_transaction_read_only: 'on', statement_timeout: String(STATEMENT_TIMEOUT_MS) },
        requestId,
      );
      const texts: string[] = [];
      for (const [name, sql] of Object.entries(statements))
        texts.push(`${JSON.stringify(name)}:${await resultOf(session, sql)}`);
      return texts;
    } catch (error) {
      return asPhantomError(error);
    } finally {
      session?.close();
      source.admission.exit(role);
    }
  }
}

/** The rows of a statement as JSON, or its error. */
async function resultOf(session: SqlSession, sql: string): Promise<string> {
  try {
    const portal = session.portal(session.prepareText(sql), []);
    const { types } = session.picture;
    const rows = new JsonRows(portal.fields, types, 'arrays');
    const texts: string[] = [];
    const outlet = { producedBytes: 0, relieve: () => undefined };
    await fetchRows(
      session,
      portal,
      (batch) => {
        for (let row = 0; row < batch.count; row++) texts.push(rows.text(batch, row));
      },
      0,
      outlet,
      new Pace(),
    );
    await session.sync();
    const columns = JSON.stringify(fieldTexts(portal.fields, types));
    return `{"columns":${columns},"rows":[${texts.join(',')}]}`;
  } catch (error) {
    return JSON.stringify({ error: errorBody(asPhantomError(error)) });
  }
}

/** Metrics as they stand: counters and gauges by name, and histograms with their buckets. */
function current(samples: readonly MetricSample[]): {
  readonly metrics: Readonly<Record<string, number>>;
  readonly histograms: Readonly<
    Record<string, { readonly bounds: readonly number[]; readonly counts: readonly number[] }>
  >;
} {
  const metrics: Record<string, number> = {};
  const histograms: Record<string, { bounds: readonly number[]; counts: readonly number[] }> = {};
  for (const sample of samples) {
    if (sample.kind !== 'histogram') metrics[sample.name] = sample.value;
    else histograms[sample.name] = { bounds: sample.histogram.bounds, counts: sample.histogram.counts };
  }
  return { metrics, histograms };
}

function wholeNumber(from: URLSearchParams, name: string, fallback: number, least: number, most: number): number {
  const text = from.get(name);
  if (text === null) return fallback;
  const value = Number(text);
  if (text === '' || !Number.isInteger(value) || value < least || value > most)
    throw new HttpError(400, `"${name}" has to be a whole number from ${least} to ${most}`);
  return value;
}
