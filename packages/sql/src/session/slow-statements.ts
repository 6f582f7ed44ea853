/**
 * The slow log: statements that took at least log_min_duration_statement milliseconds, each a line of the log with its text without
 * constants. Values are never logged, neither those of parameters nor those in the text.
 *
 * A statement that is a transaction of its own is over when that has committed; its time has the commit in it, since that is what its
 * client has waited for. So the line of such a one waits for the end of the transaction.
 *
 *   {"level":"warn","msg":"slow statement","durationMs":1204.5,"statement":"select ...","rows":3,"database":"shop","role":"ada","pid":7}
 *
 * `error` says how one ended that failed; `requestId` is that of a request over HTTP, `traceId` and `spanId` are those of the caller's
 * span: see statement-traces.ts.
 */
import { type LogFields, isPhantomError } from '@phantom/base';
import type { CountedStatement } from './statement-uses.js';
import type { SqlSession } from './session.js';
import { parentOf } from './statement-traces.js';

const MICROS_PER_MS = 1000;

interface Ended {
  readonly statement: CountedStatement;
  readonly beganMs: number;
  readonly endedMs: number;
  readonly rows: number;
}

export class SlowStatements {
  private readonly session: SqlSession;
  /** Least duration that is logged; negative: none is. */
  private limitMs: number;
  /** Ended, and its transaction has not. */
  private waiting: Ended | undefined;

  constructor(session: SqlSession, limitMs: number) {
    this.session = session;
    this.limitMs = limitMs;
  }

  /** Whether every statement has to be timed. */
  get isOn(): boolean {
    return this.limitMs >= 0;
  }

  limitChanged(limitMs: number): void {
    this.limitMs = limitMs;
  }

  /** A statement has come to its end; `beganMs` as performance.now() had it. */
  ended(statement: CountedStatement, beganMs: number, rows: number): void {
    if (!this.isOn) return;
    this.tellWaiting();
    const ended = { statement, beganMs, endedMs: performance.now(), rows };
    if (this.session.transaction?.explicit === false) this.waiting = ended;
    else this.tell(ended);
  }

  failed(statement: CountedStatement, beganMs: number, error: unknown): void {
    if (!this.isOn) return;
    this.tellWaiting();
    this.tell({ statement, beganMs, endedMs: performance.now(), rows: 0 }, error);
  }

  /** The transaction is over: with an error, if it could not be committed. */
  transactionEnded(error?: unknown): void {
    const { waiting } = this;
    if (waiting === undefined) return;
    this.waiting = undefined;
    this.tell({ ...waiting, endedMs: performance.now() }, error);
  }

  private tellWaiting(): void {
    const { waiting } = this;
    this.waiting = undefined;
    if (waiting !== undefined) this.tell(waiting);
  }

  private tell({ statement, beganMs, endedMs, rows }: Ended, error?: unknown): void {
    const durationMs = endedMs - beganMs;
    if (!this.isOn || durationMs < this.limitMs) return;
    const { session } = this;
    const { engine, settings, requestId } = session;
    const fields: Record<string, unknown> = {
      durationMs: Math.round(durationMs * MICROS_PER_MS) / MICROS_PER_MS,
      statement: engine.statementUses.textOf(statement),
      rows,
      database: session.databaseName,
      role: roleNameOf(session),
      application: settings.get('application_name'),
      pid: session.id,
    };
    if (requestId !== undefined) fields.requestId = requestId;
    if (error !== undefined) fields.error = isPhantomError(error) ? error.code : 'XX000';
    engine.logger.warn('slow statement', { ...fields, ...callerOf(session, statement.text) });
  }
}

/** A role that was dropped meanwhile has no name: telling of a statement never fails it. */
function roleNameOf({ engine, currentRoleOid }: SqlSession): string {
  const role = engine.catalog.committed.object(currentRoleOid);
  return role?.kind === 'role' ? role.name : String(currentRoleOid);
}

/** Who has asked: the caller's span. */
function callerOf(session: SqlSession, text: string): LogFields {
  const { traceId, spanId } = parentOf(session, text)?.spanContext() ?? {};
  return traceId === undefined ? {} : { traceId, spanId };
}
