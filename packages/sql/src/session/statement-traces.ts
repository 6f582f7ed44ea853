/**
 * Spans of what a session does, where the database was opened with a tracer:
 *
 *   transaction, batch            of the embedded API: what follows is a part of it
 *   SELECT orders                 the statement, from its analysis to the end of its transaction if it is one of its own
 *     ├ parse, plan               unless the client had them done before
 *     ├ execute
 *     │   └ lock wait             for a row, a table or an advisory lock
 *     └ commit                    of a transaction of its own; in one by BEGIN it is a part of COMMIT
 *         ├ append                validated and in the log
 *         └ sync                  the group of commits that its sync served, and how many
 *
 * A statement is a part of, in this order: what the session works for (a transaction of the embedded API, a request over HTTP), the caller whose traceparent stands in a comment of the text or in the setting phantom.traceparent, or whatever the tracer
 * says of the moment. Attributes go by OpenTelemetry's semantic conventions for databases, by their names since 1.33 and before.
 *
 * Invariants:
 *   1. Each span ends once: a statement's at the latest when the client is told that the session is ready, or the next one begins.
 *   2. Statements inside a statement (bodies of functions, what EXECUTE runs) have no spans of their own.
 *   3. No span holds a value: texts come without constants, errors by their SQLSTATE.
 */
import {
  type Span,
  SpanKind,
  type Tracer,
  childSpan,
  contextOf,
  failSpan,
  isPhantomError,
  remoteSpan,
  traced,
} from '@phantom/base';
import { commandTag } from './command-tag.js';
import type { SyncGroup } from './ports.js';
import type { SqlSession } from './session.js';
import type { SessionStatement } from './statement.js';
import type { CountedStatement } from './statement-uses.js';
import { traceParentOf } from './text-comment.js';

const SYSTEM_NAME = 'phantomdb';
/** A statement is called so until it is known what it does. */
const UNKNOWN_NAME = 'statement';

/** One statement under way; its spans are undefined where the trace is not kept. */
export interface StatementRun {
  readonly span: Span | undefined;
  readonly execution: Span | undefined;
}

/** A commit under way. */
export interface CommitTrace {
  readonly span: Span;
  readonly beganMs: number;
}

/** How statements are traced. */
export interface Tracing {
  readonly tracer: Tracer;
  /** Spans tell the texts of statements, without their constants. */
  readonly texts: boolean;
}

export class StatementTraces {
  /** What the session works for, from outside and from within. */
  private readonly outer: Span | undefined;
  private entered: Span | undefined;
  private readonly session: SqlSession;
  private readonly tracer: Tracer;
  private readonly texts: boolean;
  /** The statement at hand, by its text; undefined for none. */
  private text: string | undefined;
  private span: Span | undefined;
  /** It has run, and its transaction has not ended. */
  private hasRun = false;
  private running: StatementRun | undefined;
  /** Begun on a straight road, for the ordinary one. */
  private handedOn: StatementRun | undefined;

  constructor(session: SqlSession, { tracer, texts }: Tracing, within: Span | undefined) {
    this.session = session;
    this.tracer = tracer;
    this.texts = texts;
    this.outer = within;
  }

  /** What comes until `leave`, or until the session rests, is part of one span. */
  enter(name: string): void {
    const parent = this.outer ?? parentOf(this.session, '');
    this.entered = this.tracer.startSpan(name, {}, parent === undefined ? undefined : contextOf(parent));
  }

  leave(error?: unknown): void {
    const { entered } = this;
    if (entered === undefined) return;
    this.entered = undefined;
    this.close();
    if (error !== undefined) failSpan(entered, error);
    entered.end();
  }

  /** The span of the transaction that has been entered. */
  get transactionSpan(): Span | undefined {
    return this.entered;
  }

  private get within(): Span | undefined {
    return this.entered ?? this.outer;
  }

  /** Does a part of a statement's analysis. */
  analyse<T>(part: 'parse' | 'plan', text: string, work: () => T): T {
    const span = this.running === undefined ? this.statementOf(text) : undefined;
    if (span === undefined) return work();
    const child = childSpan(this.tracer, span, part);
    try {
      return work();
    } catch (error) {
      failStatement(span, error);
      throw error;
    } finally {
      child?.end();
    }
  }

  /** A statement begins to run; undefined inside another one. What is returned is to be given to `ended` or `failed`. */
  begin(statement: SessionStatement): StatementRun | undefined {
    if (this.running !== undefined) return undefined;
    const { handedOn } = this;
    this.handedOn = undefined;
    if (handedOn !== undefined && this.text === statement.text) return (this.running = handedOn);
    const span = this.statementOf(statement.text);
    if (span !== undefined) this.describe(span, statement);
    return (this.running = { span, execution: childSpan(this.tracer, span, 'execute') });
  }

  /** Ends of a statement on its straight road, which nobody interrupts. */
  straightEnded(statement: CountedStatement, rows: number): void {
    this.ended(this.running, statement, rows);
  }

  straightFailed(error: unknown): void {
    this.failed(this.running, error);
  }

  /** The straight road led nowhere: the ordinary one takes it from here. */
  declined(): void {
    this.handedOn = this.running;
    this.running = undefined;
  }

  ended(run: StatementRun | undefined, statement: CountedStatement, rows: number): void {
    if (run === undefined) return;
    const returnsRows = statement.kind === 'plan' ? statement.plan.fields.length > 0 : false;
    run.span?.setAttribute(returnsRows ? 'db.response.returned_rows' : 'phantom.affected_rows', rows);
    this.over(run);
  }

  failed(run: StatementRun | undefined, error: unknown): void {
    if (run === undefined) return;
    if (run.execution !== undefined) failSpan(run.execution, error);
    if (run.span !== undefined) failStatement(run.span, error);
    this.over(run);
  }

  /** The client has as many rows as it wanted for now: others may run, and what runs is no longer the statement at hand. */
  suspended(): void {
    this.running = undefined;
    this.span = undefined;
    this.text = undefined;
    this.hasRun = false;
  }

  /** The session rests: nothing that was begun goes on, but for portals. */
  rest(): void {
    if (this.running === undefined) this.close();
    else this.suspended();
    this.leave();
  }

  /** Waits for something that the statement at hand needs: a lock, if the transaction says so. */
  async waitFor(wait: Promise<unknown>): Promise<void> {
    const { running, session } = this;
    const waits = session.transaction?.storage.isWaiting === true || session.locks.isWaiting;
    const work = (): Promise<unknown> => session.interrupts.interruptible(wait);
    const execution = waits ? running?.execution : undefined;
    await (execution === undefined ? work() : traced(this.tracer, 'lock wait', {}, work, execution));
  }

  /** A commit begins. */
  beginCommit(): CommitTrace | undefined {
    const { within } = this;
    const parent = this.running?.span ?? this.span ?? (within?.isRecording() === true ? within : undefined);
    const span = childSpan(this.tracer, parent, 'commit');
    return span === undefined ? undefined : { span, beganMs: performance.now() };
  }

  /** It has its place in the log, or waits for a lock on its way there. */
  appended({ span, beganMs }: CommitTrace): void {
    childSpan(this.tracer, span, 'append', {}, beganMs)?.end();
  }

  /** It has ended: durable by the sync of a group where there was one to wait for. */
  committed({ span, beganMs }: CommitTrace, group: SyncGroup): void {
    if (group.endedMs >= beganMs) {
      const attributes = { 'phantom.commit.group_size': group.commits };
      childSpan(this.tracer, span, 'sync', attributes, Math.max(beganMs, group.beganMs))?.end(group.endedMs);
    }
    span.end();
  }

  notCommitted({ span }: CommitTrace, error: unknown): void {
    failSpan(span, error);
    span.end();
  }

  /** The transaction is over: with an error, if it could not be committed. */
  transactionEnded(error?: unknown): void {
    if (!this.hasRun) return;
    if (error !== undefined && this.span !== undefined) failStatement(this.span, error);
    this.close();
  }

  /** The span of the statement at hand; one is begun for a text that is not. */
  private statementOf(text: string): Span | undefined {
    if (this.text === text && !this.hasRun) return this.span;
    this.close();
    this.text = text;
    const { session, tracer } = this;
    const parent = this.within ?? parentOf(session, text);
    const kind = session.activity.connection === undefined ? SpanKind.Internal : SpanKind.Server;
    const span = tracer.startSpan(UNKNOWN_NAME, { kind }, parent === undefined ? undefined : contextOf(parent));
    return (this.span = span.isRecording() ? span : undefined);
  }

  private describe(span: Span, statement: SessionStatement): void {
    const { session } = this;
    const attributes: Record<string, string | number> = {
      'db.system.name': SYSTEM_NAME,
      'db.system': SYSTEM_NAME,
      'db.namespace': session.databaseName,
      'db.name': session.databaseName,
      'phantom.session': session.id,
    };
    const { connection } = session.activity;
    if (connection !== undefined) {
      attributes['client.address'] = connection.client.address;
      attributes['client.port'] = connection.client.port;
    }
    if (statement.kind !== 'empty') {
      const operation = operationOf(statement);
      const table = onlyTableOf(session, statement);
      span.updateName(table === undefined ? operation : `${operation} ${table}`);
      attributes['db.operation.name'] = attributes['db.operation'] = operation;
      if (table !== undefined) attributes['db.collection.name'] = attributes['db.sql.table'] = table;
      if (this.texts)
        attributes['db.query.text'] = attributes['db.statement'] = session.engine.statementUses.textOf(statement);
    }
    for (const name in attributes) span.setAttribute(name, attributes[name] as string | number);
  }

  private over(run: StatementRun): void {
    run.execution?.end();
    if (this.running !== run) {
      run.span?.end();
      return;
    }
    this.running = undefined;
    this.hasRun = true;
    if (this.session.transaction?.explicit !== false) this.close();
  }

  /** The statement at hand is over, whether or not it has run. */
  close(): void {
    this.handedOn?.execution?.end();
    this.handedOn = undefined;
    this.span?.end();
    this.span = undefined;
    this.text = undefined;
    this.hasRun = false;
  }
}

/** The caller's span, where the text or the session has one. */
export function parentOf(session: SqlSession, text: string): Span | undefined {
  const given = traceParentOf(text) ?? session.settings.get('phantom.traceparent');
  return given === '' ? undefined : remoteSpan(given);
}

function failStatement(span: Span, error: unknown): void {
  failSpan(span, error);
  if (isPhantomError(error)) span.setAttribute('db.response.status_code', error.code);
}

/** The command's name: its tag without counts. */
function operationOf({ node }: CountedStatement): string {
  return commandTag(node, 0).replace(/ \d.*$/, '');
}

/** The table that a statement is about, where that is one. */
function onlyTableOf({ engine }: SqlSession, statement: CountedStatement): string | undefined {
  if (statement.kind !== 'plan' || statement.plan.dependencies.length !== 1) return undefined;
  const [{ oid } = { oid: 0 }] = statement.plan.dependencies;
  const table = engine.catalog.committed.object(oid);
  return table?.kind === 'table' ? table.name : undefined;
}
