/** Asks the server, with the token of whoever has signed in. The token stays in this tab, and goes to nobody else. */
import type { HistoryPart } from './history.js';
import type { Result } from './table.js';

const TIMEOUT_MS = 2500;
const CHECK_TIMEOUT_MS = 600_000;
const TOKEN_KEY = 'phantom.token';

export interface Finding {
  readonly severity: string;
  readonly file: string;
  readonly message: string;
}

/** What a storage engine tells of itself; levels are an LSM-tree's, height is a B+tree's. */
export interface EngineFacts {
  readonly name: string;
  readonly levels?: readonly { readonly runs: number; readonly bytes: number; readonly entries: number }[];
  readonly height?: number;
  readonly readAmplification?: number;
}

/** One reading of all files. */
export interface ScrubPass {
  readonly begunMs: number;
  readonly endedMs?: number;
  readonly bytes: number;
  readonly found: number;
}

/** A place that cannot be read, and what may lie there. */
export interface DamagedPlace {
  readonly file: string;
  readonly offset?: number;
  readonly message: string;
  readonly objects: readonly { readonly schema: string; readonly table: string; readonly index?: string }[];
}

/** The answer of GET /v1/dashboard. */
export interface Snapshot {
  readonly at: number;
  readonly role: string;
  readonly database: string;
  readonly server: {
    readonly startedMs: number;
    readonly unready: string | null;
    readonly limits: Readonly<Record<string, number | string>>;
    readonly engines: readonly EngineFacts[];
    readonly integrity: {
      readonly lastCheck?: { readonly atMs: number; readonly findings: number; readonly elapsedMs: number };
      readonly lastBackup?: {
        readonly atMs: number;
        readonly directory: string;
        readonly seq: number;
        readonly bytes: number;
      };
      readonly archive?: {
        readonly directory: string;
        readonly seq: number;
        readonly timeMs: number;
        readonly baseSeq?: number;
        readonly failure?: string;
      };
      readonly scrub?: {
        readonly last?: ScrubPass;
        readonly present?: ScrubPass;
        readonly bytesExpected: number;
      };
      readonly damage?: readonly DamagedPlace[];
    };
  };
  readonly metrics: Readonly<Record<string, number>>;
  readonly histograms: Readonly<
    Record<string, { readonly bounds: readonly number[]; readonly counts: readonly number[] }>
  >;
  readonly history: HistoryPart;
  readonly results: Readonly<Record<string, Result>>;
}

/** The token is missing or is not known. */
export class SignedOut extends Error {}

export function storedToken(): string | undefined {
  return sessionStorage.getItem(TOKEN_KEY) ?? undefined;
}

export function keepToken(token: string | undefined): void {
  if (token === undefined) sessionStorage.removeItem(TOKEN_KEY);
  else sessionStorage.setItem(TOKEN_KEY, token);
}

/** What a page shows now, with the history since a moment. */
export function snapshot(page: string, windowSeconds: number, sinceMs: number): Promise<Snapshot> {
  return ask<Snapshot>(`/v1/dashboard?page=${page}&window=${windowSeconds}&since=${Math.floor(sinceMs)}`);
}

/** Has what a session runs stopped, or the session ended; false when there is no such session. */
export async function stop(pid: number, how: 'cancel' | 'terminate'): Promise<boolean> {
  const answer = await ask<{ rows: { stopped: boolean }[] }>('/v1/query', {
    sql: `select pg_${how}_backend($1) as stopped`,
    parameters: [pid],
  });
  return answer.rows[0]?.stopped === true;
}

/** Has everything checked. */
export function check(): Promise<{ readonly count: number; readonly findings: readonly Finding[] }> {
  return ask('/v1/dashboard/check', {}, CHECK_TIMEOUT_MS);
}

async function ask<T>(path: string, body?: unknown, timeoutMs = TIMEOUT_MS): Promise<T> {
  const token = storedToken();
  if (token === undefined) throw new SignedOut('A token is needed.');
  const response = await fetch(path, {
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    signal: AbortSignal.timeout(timeoutMs),
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  if (response.status === 401) throw new SignedOut(await messageOf(response));
  if (!response.ok) throw new Error(await messageOf(response));
  return (await response.json()) as T;
}

async function messageOf(response: Response): Promise<string> {
  const { error } = (await response.json()) as { error?: { message?: string } };
  return error?.message ?? `the server answered ${response.status}`;
}
