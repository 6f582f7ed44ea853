/**
 * Straight roads: what the most frequent statements take instead of a portal and an execution. A plan has one when it is a
 * read or a write of one row by key, and so have BEGIN and COMMIT around them; the session's rules (rights, transactions,
 * failures) are the same as on the ordinary road.
 */
import { type MvccTransaction, TableLockMode } from '@phantom/mvcc';
import { type RowSink, StatementRestart, StatementWait } from '../exec/runtime.js';
import type { PointLookup, PointWrite, PreparedPlan } from '../plan/prepared-plan.js';
import type { Value } from '../types/type.js';
import { commandTag } from './command-tag.js';
import { driveNow, type FetchOutcome } from './portal.js';
import { isCostly } from './read-elsewhere.js';
import { nameDamage } from './damage-names.js';
import { readOnlyTransaction } from './session-errors.js';
import type { SqlSession } from './session.js';
import type { PlanStatement, SessionStatement, UtilityStatement } from './statement.js';
import type { CountedStatement, CountedUse } from './statement-uses.js';
import type { SessionTransaction } from './transaction.js';
import { openBlock } from './transaction-statements.js';

/**
 * The straight road for a SELECT by key outside of a transaction: no execution, no transaction, no batch. Writes the row
 * into `into` and returns whether there is one. The caller has made sure that the statement's plan is current.
 */
export function lookUp(
  session: SqlSession,
  statement: PlanStatement,
  parameters: readonly Value[],
  into: Value[],
): boolean {
  const { text, plan } = statement;
  if (plan.privileges.length > 0) session.checkPrivileges(plan.privileges);
  const { engine, evaluation } = session;
  engine.counters.executions++;
  session.watch.refuseIfEnded();
  session.activity.begin(text);
  evaluation.beginStatement();
  const use = engine.statementUses.of(session, statement);
  const beganMs = beginTime(session, statement, use);
  const view = engine.storage.view();
  try {
    const found = (plan.pointLookup as PointLookup).run(view, parameters, evaluation, into);
    noteEnd(session, statement, use, beganMs, found ? 1 : 0);
    return found;
  } catch (error) {
    throw noteError(session, statement, use, beganMs, error);
  } finally {
    view.release();
  }
}

/**
 * The straight road of a synchronous caller for any SELECT outside of a transaction, to its end: an execution over a bare view,
 * and no portal. False when the statement needs more than that, and nothing has been done.
 */
export function readNow(
  session: SqlSession,
  statement: PlanStatement,
  parameters: readonly Value[],
  sink: RowSink,
): boolean {
  const { text, plan } = statement;
  const { traits } = plan;
  if (traits.writes || traits.locks || !session.readsBare || isCostly(session, plan)) return false;
  const { engine } = session;
  engine.counters.executions++;
  session.watch.refuseIfEnded();
  if (plan.privileges.length > 0) session.checkPrivileges(plan.privileges);
  session.activity.begin(text);
  session.evaluation.beginStatement();
  session.advisory.beginStatement();
  session.traces?.begin(statement);
  const beganMs = performance.now();
  const view = engine.storage.view();
  try {
    const { value } = driveNow(session, plan.execute(session.executionContext(parameters, view, undefined), sink));
    noteTimed(session, statement, beganMs, typeof value === 'number' ? value : 0);
    return true;
  } catch (error) {
    throw noteError(session, statement, engine.statementUses.of(session, statement), beganMs, error);
  } finally {
    view.release();
  }
}

/**
 * A SELECT by key inside the session's transaction, by its snapshot, and locking the row where the statement says so. Undefined when
 * the plan has no such road, or has to wait for something, or the transaction has failed: the ordinary road then waits or says so.
 */
export function lookUpWithin(
  session: SqlSession,
  statement: PlanStatement,
  parameters: readonly Value[],
  into: Value[],
): boolean | undefined {
  const plan = session.currentPlan(statement);
  const { transaction } = session;
  const road = plan.pointLookup ?? plan.pointLock;
  if (road === undefined || plan.traits.volatile || transaction === undefined || transaction.failed) return undefined;
  const { storage } = transaction;
  const locks = plan.pointLock !== undefined;
  if ((locks && transaction.readOnly) || transaction.readAhead(false) !== undefined) return undefined;
  if (plan.privileges.length > 0) session.checkPrivileges(plan.privileges);
  const mode = locks ? TableLockMode.RowShare : TableLockMode.AccessShare;
  for (const { oid } of plan.dependencies) if (transaction.shareTable(oid, mode) !== undefined) return undefined;
  if (transaction.whenSafe() !== undefined) return undefined;
  session.engine.counters.executions++;
  transaction.statements++;
  session.activity.begin(statement.text);
  session.evaluation.beginStatement();
  storage.beginStatement(statement.text);
  const use = session.engine.statementUses.of(session, statement);
  const beganMs = beginTime(session, statement, use);
  try {
    const found = road.run(storage, parameters, session.evaluation, into);
    noteEnd(session, statement, use, beganMs, found ? 1 : 0);
    return found;
  } catch (error) {
    try {
      refuseUnlessAgain(session, storage, error);
    } catch (refused) {
      throw noteError(session, statement, use, beganMs, refused);
    }
    session.traces?.declined();
    return undefined;
  }
}

/**
 * After an error on a straight road inside a transaction: throws it on, or makes the statement ready to be run on the ordinary
 * road, which waits for what is held, or until what the error tells is durable.
 */
function refuseUnlessAgain(session: SqlSession, storage: MvccTransaction, error: unknown): void {
  const runsAnew = error instanceof StatementRestart || error instanceof StatementWait;
  if (!runsAnew && storage.whenShown() === undefined) {
    session.fail(error);
    throw error;
  }
  storage.restartStatement();
}

/**
 * The straight road for writing one row: no portal, no execution. Returns the rows written, or undefined when the plan has no
 * such road or the row is held by somebody else: the ordinary road then waits or says so.
 */
export function writePoint(
  session: SqlSession,
  statement: PlanStatement,
  parameters: readonly Value[],
): number | undefined {
  const plan = session.currentPlan(statement);
  const { pointWrite } = plan;
  if (pointWrite === undefined || session.transaction?.failed === true) return undefined;
  const transaction = beginWrite(session, statement.text, plan);
  const use = session.engine.statementUses.of(session, statement);
  const beganMs = beginTime(session, statement, use);
  const outcome = writeFirst(session, transaction, statement, use, beganMs, parameters);
  if (!(outcome instanceof Promise)) return noteEnd(session, statement, use, beganMs, outcome);
  transaction.storage.restartStatement();
  session.traces?.declined();
  return undefined;
}

/** As writePoint, for a caller who can wait: where somebody else holds the row, a promise of the same once it is free. */
export function writePointInTurn(
  session: SqlSession,
  statement: PlanStatement,
  parameters: readonly Value[],
): number | undefined | Promise<number | undefined> {
  const plan = session.currentPlan(statement);
  const { pointWrite } = plan;
  if (pointWrite === undefined || session.transaction?.failed === true) return undefined;
  const transaction = beginWrite(session, statement.text, plan);
  const use = session.engine.statementUses.of(session, statement);
  const beganMs = beginTime(session, statement, use);
  const outcome = writeFirst(session, transaction, statement, use, beganMs, parameters);
  return outcome instanceof Promise
    ? writeOnceFree(session, transaction, statement, parameters, outcome)
    : noteEnd(session, statement, use, beganMs, outcome);
}

/** When a call by key begins, where that is to be known: performance.now(), else undefined. */
function beginTime(session: SqlSession, statement: PlanStatement, use: CountedUse): number | undefined {
  session.traces?.begin(statement);
  return session.slow.isOn || use.isSampleDue ? performance.now() : undefined;
}

/** Counts a call by key that has come to its end, and returns its rows; undefined is left to the ordinary road, which counts it. */
function noteEnd<Rows extends number | undefined>(
  session: SqlSession,
  statement: PlanStatement,
  use: CountedUse,
  beganMs: number | undefined,
  rows: Rows,
): Rows {
  if (rows === undefined) {
    session.traces?.declined();
    return rows;
  }
  session.traces?.straightEnded(statement, rows);
  if (beganMs === undefined) use.endedQuickly(rows, undefined);
  else if (session.slow.isOn) noteTimed(session, statement, beganMs, rows);
  else use.endedQuickly(rows, performance.now() - beganMs);
  return rows;
}

/** Counts a call that has failed, and returns the error for its caller. */
function noteError(
  session: SqlSession,
  statement: PlanStatement,
  use: CountedUse,
  beganMs: number | undefined,
  error: unknown,
): unknown {
  use.errors++;
  session.traces?.straightFailed(error);
  if (beganMs !== undefined) session.slow.failed(statement, beganMs, error);
  return nameDamage(session.engine, error);
}

/** Counts a call that was timed for itself. */
function noteTimed(session: SqlSession, statement: CountedStatement, beganMs: number, rows: number): void {
  session.traces?.straightEnded(statement, rows);
  session.engine.statementUses.of(session, statement).ended(performance.now() - beganMs, rows);
  session.slow.ended(statement, beganMs, rows);
}

/** Begins a write of one row as a statement of the session's transaction, which is returned. */
function beginWrite(session: SqlSession, text: string, plan: PreparedPlan): SessionTransaction {
  session.watch.refuseIfEnded();
  if (plan.privileges.length > 0) session.checkPrivileges(plan.privileges);
  const transaction = session.ensureTransaction();
  if (transaction.readOnly) throw readOnlyTransaction(plan.commandKind.toUpperCase());
  session.engine.counters.executions++;
  transaction.statements++;
  session.activity.begin(text);
  session.evaluation.beginStatement();
  transaction.readAhead(true);
  transaction.storage.beginStatement(text);
  return transaction;
}

/** The first attempt at a write, which is counted when it fails. */
function writeFirst(
  session: SqlSession,
  transaction: SessionTransaction,
  statement: PlanStatement,
  use: CountedUse,
  beganMs: number | undefined,
  parameters: readonly Value[],
): number | Promise<void> | undefined {
  try {
    return writeOnce(session, transaction, statement.plan.pointWrite as PointWrite, parameters);
  } catch (error) {
    throw noteError(session, statement, use, beganMs, error);
  }
}

/** Rows written; a promise: wait, restart the statement and call this again; undefined: it is for the ordinary road, and restarted. */
function writeOnce(
  session: SqlSession,
  transaction: SessionTransaction,
  pointWrite: PointWrite,
  parameters: readonly Value[],
): number | Promise<void> | undefined {
  const { storage } = transaction;
  const writers = transaction.writersOf(session);
  writers.beginStatement();
  try {
    const outcome = pointWrite.run(transaction.pointContext(session, parameters));
    if (outcome instanceof Promise) return outcome;
    if (writers.finishNow()) return outcome;
    storage.restartStatement();
  } catch (error) {
    refuseUnlessAgain(session, storage, error);
  }
  return undefined;
}

/** Waits for whoever holds the row, and writes what is there then, as often as that takes. */
async function writeOnceFree(
  session: SqlSession,
  transaction: SessionTransaction,
  statement: PlanStatement,
  parameters: readonly Value[],
  first: Promise<void>,
): Promise<number | undefined> {
  const { interrupts, settings, watch } = session;
  const stop = interrupts.beginRun(settings.integer('statement_timeout'));
  watch.working();
  session.activity.begin(statement.text, session.clock.nowMs());
  const beganMs = performance.now();
  try {
    for (let wait = first; ;) {
      await (session.traces === undefined ? interrupts.interruptible(wait) : session.traces.waitFor(wait));
      transaction.storage.restartStatement();
      // Whoever we waited for may have taken rights away, or an index.
      const { privileges, pointWrite } = session.currentPlan(statement);
      if (privileges.length > 0) session.checkPrivileges(privileges);
      if (pointWrite === undefined) {
        session.traces?.declined();
        return undefined;
      }
      const outcome = writeOnce(session, transaction, pointWrite, parameters);
      if (!(outcome instanceof Promise)) {
        if (outcome === undefined) session.traces?.declined();
        else noteTimed(session, statement, beganMs, outcome);
        return outcome;
      }
      wait = outcome;
    }
  } catch (error) {
    session.engine.statementUses.of(session, statement).errors++;
    session.traces?.straightFailed(error);
    session.slow.failed(statement, beganMs, error);
    session.fail(error);
    // What the error tells may come from commits that are not durable yet.
    await transaction.storage.whenShown();
    throw error;
  } finally {
    stop();
    watch.resting();
  }
}

/**
 * The straight road for BEGIN where there is no transaction, and for COMMIT of a block that has not failed: at once, or a promise of
 * the commit's end. Undefined for everything else, of which nothing has been done: the ordinary road warns, refuses, or waits.
 */
export function controlBlock(
  session: SqlSession,
  statement: SessionStatement,
): FetchOutcome | Promise<FetchOutcome> | undefined {
  if (statement.kind !== 'utility') return undefined;
  const { node } = statement;
  const { transaction } = session;
  if (node.kind === 'begin') {
    if (transaction !== undefined) return undefined;
    beginControl(session, statement);
    openBlock(session, node.modes);
    session.watch.resting();
    session.traces?.straightEnded(statement, 0);
    session.engine.statementUses.of(session, statement).endedQuickly(0, undefined);
    return { complete: true, rows: 0, tag: commandTag(node, 0), count: 0 };
  }
  if (node.kind !== 'commit' || node.chain || transaction?.explicit !== true || transaction.failed) return undefined;
  if (transaction.readAhead(false) !== undefined) return undefined;
  beginControl(session, statement);
  return commitBlock(session, statement, commandTag(node, 0));
}

async function commitBlock(session: SqlSession, statement: UtilityStatement, tag: string): Promise<FetchOutcome> {
  const stop = session.interrupts.beginRun(session.settings.integer('statement_timeout'));
  const beganMs = performance.now();
  try {
    await session.commit();
    noteTimed(session, statement, beganMs, 0);
  } catch (error) {
    session.engine.statementUses.of(session, statement).errors++;
    session.traces?.straightFailed(error);
    session.slow.failed(statement, beganMs, error);
    throw error;
  } finally {
    stop();
  }
  return { complete: true, rows: 0, tag, count: 0 };
}

function beginControl(session: SqlSession, statement: UtilityStatement): void {
  session.watch.working();
  session.watch.refuseIfEnded();
  session.activity.begin(statement.text);
  session.engine.counters.executions++;
  session.evaluation.beginStatement();
  session.advisory.beginStatement();
  session.traces?.begin(statement);
}
