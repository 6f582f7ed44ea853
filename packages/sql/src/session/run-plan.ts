/**
 * Running a plan: on a bare view where nothing else is needed, otherwise in the session's transaction, with the locks on its
 * tables, and anew when a row it was about to write or lock has changed meanwhile (read committed) or a function had to wait.
 */
import { PhantomError } from '@phantom/base';
import { type TableLockMode, TableLockMode as Modes } from '@phantom/mvcc';
import { type Execution, PAUSE, type RowSink, StatementRestart, StatementWait, type Yielded } from '../exec/runtime.js';
import type { DirectCall } from '../plan/direct-call.js';
import type { PointWrite, PreparedPlan } from '../plan/prepared-plan.js';
import type { Value } from '../types/type.js';
import type { SessionExecutionContext } from './execution-context.js';
import { beginElsewhere, isCostly, readElsewhere } from './read-elsewhere.js';
import { shareRead } from './partitioned-read.js';
import { RowBuffer } from './row-buffer.js';
import type { SqlSession } from './session.js';
import { readOnlyTransaction } from './session-errors.js';
import type { PlanStatement } from './statement.js';
import type { SessionTransaction } from './transaction.js';

/** How often one statement is run anew before it gives up with 40001. */
const RESTARTS_MAX = 1000;

export function* runPlan(
  session: SqlSession,
  statement: PlanStatement,
  parameters: readonly Value[],
  sink: RowSink,
): Execution {
  const plan = session.currentPlan(statement);
  if (plan.privileges.length > 0) session.checkPrivileges(plan.privileges);
  const { traits } = plan;
  if (!traits.writes && !traits.locks && session.readsBare) {
    const view = session.engine.storage.view();
    try {
      const remote = isCostly(session, plan) ? yield* beginElsewhere(session, statement, parameters, view) : undefined;
      if (remote !== undefined) return yield* readElsewhere(session, remote, sink);
      const context = session.executionContext(parameters, view, undefined);
      shareRead(session, statement, plan, context, view);
      return yield* plan.execute(context, sink);
    } finally {
      view.release();
    }
  }
  const transaction = session.ensureTransaction();
  transaction.statements++;
  const isAhead = plan.readsAhead && (plan.fields.length === 0 || sink.answersAtCommit === true);
  for (let wait = transaction.readAhead(isAhead); wait !== undefined; wait = transaction.readAhead(isAhead)) yield wait;
  return yield* runWithin(session, statement, parameters, sink, transaction);
}

/** The same inside a transaction, whose reading ahead is settled. */
export function* runWithin(
  session: SqlSession,
  statement: PlanStatement,
  parameters: readonly Value[],
  sink: RowSink,
  transaction: SessionTransaction,
): Execution {
  const { traits } = session.currentPlan(statement);
  if (traits.writes || traits.locks) return yield* runWriting(session, statement, parameters, sink, transaction);
  yield* shareTables(session.currentPlan(statement), transaction, Modes.AccessShare);
  const wait = transaction.whenSafe();
  if (wait !== undefined) yield wait;
  transaction.storage.beginStatement(statement.text);
  // Whoever we waited for may have altered a table.
  const current = session.currentPlan(statement);
  const remote = isCostly(session, current)
    ? yield* beginElsewhere(session, statement, parameters, transaction.storage.committedView)
    : undefined;
  transaction.runs(current);
  try {
    if (remote !== undefined) return yield* readElsewhere(session, remote, sink);
    const context = session.executionContext(parameters, transaction.storage, transaction);
    shareRead(session, statement, current, context, transaction.storage.committedView);
    return yield* current.execute(context, sink);
  } finally {
    transaction.runs(undefined);
  }
}

/**
 * As runPlan, for a plan that only reads: rests before its first row, and reads from then on what was committed by then,
 * whatever the session does meanwhile.
 */
export function* runDetached(
  session: SqlSession,
  statement: PlanStatement,
  parameters: readonly Value[],
  sink: RowSink,
): Execution {
  const transaction = session.ensureTransaction();
  transaction.statements++;
  yield* shareTables(session.currentPlan(statement), transaction, Modes.AccessShare);
  const plan = session.currentPlan(statement);
  if (plan.privileges.length > 0) session.checkPrivileges(plan.privileges);
  const view = session.engine.storage.view();
  try {
    yield PAUSE;
    return yield* plan.execute(session.executionContext(parameters, view, undefined), sink);
  } finally {
    view.release();
  }
}

function* runWriting(
  session: SqlSession,
  statement: PlanStatement,
  parameters: readonly Value[],
  sink: RowSink,
  transaction: SessionTransaction,
): Execution {
  // Before the snapshot is taken: one from before the wait would not show what was built meanwhile.
  yield* shareTables(session.currentPlan(statement), transaction, Modes.RowShare);
  transaction.storage.beginStatement(statement.text);
  const place = transaction.largeObjectPlace;
  for (let restarts = 0; ; restarts++) {
    const waited = yield* shareTables(session.currentPlan(statement), transaction, Modes.RowShare);
    if (waited) transaction.storage.restartStatement();
    // Whoever we waited for may have altered the table.
    const plan = session.currentPlan(statement);
    if (plan.traits.writes && transaction.readOnly) throw readOnlyTransaction(plan.commandKind.toUpperCase());
    const buffer = plan.fields.length > 0 ? new RowBuffer(plan.fields.length) : undefined;
    const context = session.executionContext(parameters, transaction.storage, transaction);
    const writers = transaction.writersOf(session);
    writers.beginStatement();
    transaction.runs(plan);
    if (plan.insertsMany) writers.newEntries.gather();
    try {
      if (plan.targets.length > 0) yield* writers.triggers.begin(plan.targets);
      const count = yield* plan.pointWrite === undefined || plan.targets.length > 0
        ? executionOf(session, plan, context, buffer ?? sink)
        : writeInTurn(plan.pointWrite, transaction.pointContext(session, parameters));
      yield* writers.finish();
      if (buffer !== undefined) yield* buffer.drain(sink);
      return count;
    } catch (error) {
      if (error instanceof StatementWait) {
        yield* throughWait(session, error);
      } else if (!(error instanceof StatementRestart)) {
        // What the error tells may come from commits that are not durable yet.
        const shown = transaction.storage.whenShown();
        if (shown !== undefined) yield shown;
        throw error;
      }
      if (restarts === RESTARTS_MAX) throw updatedMeanwhile();
      session.advisory.beginExecution();
      transaction.restartStatement(place);
    } finally {
      writers.newEntries.drop();
      transaction.runs(undefined);
    }
  }
}

/**
 * Runs what CALL and DO do, in the statement that has begun: a body that must wait in the middle of an expression ends it, and it is
 * run anew. 40001 where the body has ended a transaction by then.
 */
export function* runBody(session: SqlSession, body: () => Execution): Execution {
  for (let restarts = 0; ; restarts++) {
    const { transaction } = session;
    const place = transaction?.largeObjectPlace ?? 0;
    try {
      return yield* body();
    } catch (error) {
      if (!(error instanceof StatementWait)) throw error;
      yield* throughWait(session, error);
      const isGone = transaction === undefined || session.transaction !== transaction;
      if (isGone || restarts === RESTARTS_MAX) throw updatedMeanwhile();
      session.advisory.beginExecution();
      transaction.restartStatement(place);
    }
  }
}

/** What a function waits for; a cancel ends it. */
function* throughWait(session: SqlSession, { wait }: StatementWait): Generator<Yielded, void, void> {
  try {
    yield wait;
  } finally {
    session.advisory.endSleep();
  }
}

function updatedMeanwhile(): PhantomError {
  return new PhantomError('40001', 'could not serialize access due to concurrent update');
}

/**
 * A write of one row that straight-roads.ts has left to this road, most often because somebody else holds the row: it waits, and is
 * executed anew, since whoever held the row has changed it as a rule.
 */
function* writeInTurn(pointWrite: PointWrite, context: SessionExecutionContext): Execution {
  const outcome = pointWrite.run(context);
  if (!(outcome instanceof Promise)) return outcome;
  yield outcome;
  throw StatementRestart.instance;
}

/** The plan's execution, or the call that is all there is to it. */
function executionOf(
  session: SqlSession,
  { directCall, execute }: PreparedPlan,
  context: SessionExecutionContext,
  sink: RowSink,
): Execution {
  return directCall === undefined ? execute(context, sink) : callDirectly(session, directCall, context, sink);
}

function* callDirectly(
  session: SqlSession,
  { routine, types, arguments: args }: DirectCall,
  { parameters, evaluation }: SessionExecutionContext,
  sink: RowSink,
): Execution {
  const values = args.map((argument) => argument(parameters, evaluation));
  const isNull = routine.strict && values.includes(null);
  const result = isNull ? null : yield* session.routines.execute(routine, values, types);
  if (sink.rows({ columns: [[result]], count: 1 })) yield PAUSE;
  return 1;
}

/** Keeps the definitions of a plan's tables as they are until the transaction ends; true when that had to be waited for. */
export function* shareTables(
  plan: PreparedPlan,
  transaction: SessionTransaction,
  mode: TableLockMode,
): Generator<Yielded, boolean, void> {
  let waited = false;
  for (const { oid } of plan.dependencies) {
    for (let wait = transaction.shareTable(oid, mode); wait !== undefined; wait = transaction.shareTable(oid, mode)) {
      waited = true;
      yield wait;
    }
  }
  return waited;
}
