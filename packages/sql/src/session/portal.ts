/**
 * A portal: one execution of a statement with its parameters, fetched in pieces. It is the one place that drives
 * executions: awaiting what they wait for, giving way when their time slice is over, and stopping them
 * when the session is asked to.
 *
 *   new --fetch--> running --PAUSE--> suspended --fetch--> running --end--> complete
 *                     |--error or close--> closed
 */
import { PhantomError } from '@phantom/base';
import { type Execution, PAUSE, REST, type RowBatch, type RowSink, type Yielded } from '../exec/runtime.js';
import type { PlanField } from '../plan/prepared-plan.js';
import type { Value } from '../types/type.js';
import { commandTag } from './command-tag.js';
import { nameDamage } from './damage-names.js';
import { limitError } from './session-errors.js';
import type { SqlSession } from './session.js';
import type { SessionStatement } from './statement.js';

/** Rows handed on at once when the fetch has no limit of its own. */
const BATCH_ROWS_MAX = 1024;

/** Where rows go: columns of values in canonical form, valid during the call only. */
export type RowReceiver = (batch: RowBatch) => void;

export interface FetchOutcome {
  /** False: the limit was reached and the portal can be fetched again. */
  readonly complete: boolean;
  /** Rows of this fetch. */
  readonly rows: number;
  /** The command tag once complete, '' for an empty query. */
  readonly tag: string;
  /** Rows the whole statement affected or returned, once complete. */
  readonly count: number;
}

export class Portal {
  readonly statement: SessionStatement;
  readonly fields: readonly PlanField[];
  private readonly session: SqlSession;
  private readonly parameters: readonly Value[];
  private readonly sink: FetchSink;
  private execution: Execution | undefined;
  private tag: string | undefined;
  private state: 'new' | 'suspended' | 'complete' | 'closed' = 'new';

  constructor(
    session: SqlSession,
    statement: SessionStatement,
    fields: readonly PlanField[],
    parameters: readonly Value[],
    answersAtCommit: boolean,
  ) {
    this.sink = new FetchSink(answersAtCommit);
    this.session = session;
    this.statement = statement;
    this.fields = fields;
    this.parameters = parameters;
  }

  /**
   * Runs until `rowsMax` rows are handed on (0: all of them) or the statement ends: at once where nothing has to be waited for.
   * Errors leave the session's transaction failed.
   */
  fetch(rowsMax: number, receive: RowReceiver): FetchOutcome | Promise<FetchOutcome> {
    const execution = this.start(rowsMax, receive);
    if (execution === undefined) return this.finished(0);
    const { session } = this;
    const stop = session.interrupts.beginRun(session.settings.integer('statement_timeout'));
    session.watch.working();
    let goesOn = false;
    try {
      const step = this.resume(execution);
      if (step.done === true) return this.finished(step.value);
      if (step.value === PAUSE) return this.suspended();
      goesOn = true;
      return this.goOn(execution, step, stop);
    } catch (error) {
      throw this.failed(error);
    } finally {
      if (!goesOn) {
        stop();
        session.watch.resting();
      }
    }
  }

  /** The rest of a fetch, from the first thing that it waits for. */
  private async goOn(
    execution: Execution,
    first: IteratorResult<Yielded, number>,
    stop: () => void,
  ): Promise<FetchOutcome> {
    const { session } = this;
    try {
      let step = first;
      for (;;) {
        if (step.done === true) return this.finished(step.value);
        if (step.value === PAUSE) return this.suspended();
        try {
          if (step.value === undefined || step.value === REST) await this.giveWay();
          else if (session.traces === undefined) await session.interrupts.interruptible(step.value);
          else await session.traces.waitFor(step.value);
        } catch (error) {
          step = execution.throw(error);
          continue;
        }
        session.restartSlice();
        step = execution.next();
      }
    } catch (error) {
      throw this.failed(error);
    } finally {
      stop();
      session.watch.resting();
    }
  }

  /** Lets others have their turns; what has been written meanwhile and fills memory goes to disk. */
  private async giveWay(): Promise<void> {
    const { session } = this;
    await session.interrupts.giveWay(session.slice.elapsedMs());
    const relief = session.relieve();
    if (relief !== undefined) await session.interrupts.interruptible(relief);
  }

  /** As fetch, on this thread: where the statement would have to wait for another transaction, 55P03. */
  fetchNow(rowsMax: number, receive: RowReceiver): FetchOutcome {
    const execution = this.start(rowsMax, receive);
    if (execution === undefined) return this.finished(0);
    try {
      const step = driveNow(this.session, execution);
      return step.done === true ? this.finished(step.value) : this.suspended();
    } catch (error) {
      throw this.failed(error);
    }
  }

  /** Ends the execution and frees what it holds. Safe to call twice. */
  close(): void {
    if (this.state === 'suspended') this.execution?.return(0);
    this.state = 'closed';
    this.execution = undefined;
    this.session.portalClosed(this);
  }

  private start(rowsMax: number, receive: RowReceiver): Execution | undefined {
    if (this.state === 'closed') throw new PhantomError('34000', 'the portal is closed');
    this.sink.aim(rowsMax, receive);
    if (this.state === 'complete') return undefined;
    this.execution ??= this.session.run(this.statement, this.parameters, this.sink, (tag) => {
      this.tag = tag;
    });
    return this.execution;
  }

  private resume(execution: Execution): IteratorResult<Yielded, number> {
    this.session.restartSlice();
    return execution.next();
  }

  private suspended(): FetchOutcome {
    this.state = 'suspended';
    this.session.traces?.suspended();
    return { complete: false, rows: this.sink.count, tag: '', count: 0 };
  }

  private finished(count: number): FetchOutcome {
    this.state = 'complete';
    const { statement } = this;
    const tag = statement.kind === 'empty' ? '' : (this.tag ?? commandTag(statement.node, count));
    this.session.portalClosed(this);
    return { complete: true, rows: this.sink.count, tag, count };
  }

  private failed(error: unknown): unknown {
    this.state = 'closed';
    this.session.portalClosed(this);
    return nameDamage(this.session.engine, limitError(error));
  }
}

/** Runs an execution on this thread until it pauses or ends: 55P03 where it would have to wait for another transaction. */
export function driveNow(session: SqlSession, execution: Execution): IteratorResult<Yielded, number> {
  const stop = session.interrupts.beginRun(session.settings.integer('statement_timeout'));
  session.synchronous = true;
  session.watch.working();
  try {
    session.restartSlice();
    let step = execution.next();
    for (;;) {
      if (step.done === true || step.value === PAUSE) return step;
      if (step.value === undefined || step.value === REST) {
        session.interrupts.checkNow();
        session.restartSlice();
        step = execution.next();
      } else {
        // The wait goes on without us; its outcome no longer matters.
        step.value.catch(() => undefined);
        step = goOnOrRefuse(session, execution);
      }
    }
  } finally {
    session.synchronous = false;
    stop();
    session.watch.resting();
  }
}

/** Commits that only wait for their sync can be finished here; a lock that is free then was worth it, any other wait is refused. */
function goOnOrRefuse(session: SqlSession, execution: Execution): IteratorResult<Yielded, number> {
  const transaction = session.transaction?.storage;
  const published = session.engine.storage.finishQueuedNow();
  if (published && transaction?.isWaiting !== true) return execution.next();
  const refusal = wouldWait();
  // A request that stayed in the queue would be granted later, and held.
  transaction?.cancelWait(refusal);
  return execution.throw(refusal);
}

/** Forwards batches and counts them against the fetch's limit. */
class FetchSink implements RowSink {
  readonly answersAtCommit: boolean;
  count = 0;
  private rowsMax = 0;
  private receive: RowReceiver = () => undefined;

  constructor(answersAtCommit: boolean) {
    this.answersAtCommit = answersAtCommit;
  }

  aim(rowsMax: number, receive: RowReceiver): void {
    this.count = 0;
    this.rowsMax = rowsMax;
    this.receive = receive;
  }

  get batchRowsMax(): number {
    return this.rowsMax === 0 ? BATCH_ROWS_MAX : Math.min(BATCH_ROWS_MAX, this.rowsMax - this.count);
  }

  rows(batch: RowBatch): boolean {
    if (batch.columns.length > 0) this.receive(batch);
    this.count += batch.count;
    return this.rowsMax !== 0 && this.count >= this.rowsMax;
  }
}

/** What a synchronous caller is told where another one would wait. */
export function wouldWait(): PhantomError {
  return new PhantomError('55P03', 'the statement would have to wait for another transaction', {
    hint: 'A synchronous call never waits for a lock: use the asynchronous API, or end the other transaction first.',
  });
}
