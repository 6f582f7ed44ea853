/**
 * Running one statement of a session, whatever its kind: what comes before every statement and after it, and what it has cost. The
 * shorter ways of some statements stand in straight-roads.ts.
 */
import { type Execution, type RowSink, StatementWait } from '../exec/runtime.js';
import type { Value } from '../types/type.js';
import { runPlan } from './run-plan.js';
import { inFailedTransaction, waitedWithin } from './session-errors.js';
import type { SqlSession } from './session.js';
import type { SessionStatement } from './statement.js';
import type { CountedStatement } from './statement-uses.js';

type SetTag = (tag: string) => void;

/** The execution of a statement that a client has sent. After an error the session's transaction has failed. */
export function* runStatement(
  session: SqlSession,
  statement: SessionStatement,
  parameters: readonly Value[],
  sink: RowSink,
  setTag: SetTag,
): Execution {
  begin(session, statement);
  if (statement.kind === 'empty') return 0;
  const run = session.traces?.begin(statement);
  const beganMs = performance.now();
  try {
    const rows = yield* execute(session, statement, parameters, sink, setTag);
    session.traces?.ended(run, statement, rows);
    session.engine.statementUses.of(session, statement).ended(performance.now() - beganMs, rows);
    session.slow.ended(statement, beganMs, rows);
    return rows;
  } catch (error) {
    session.traces?.failed(run, error);
    throw failed(session, statement, beganMs, error);
  }
}

/** The same for a statement that is a part of another one, which is counted. */
export function* runWithinStatement(session: SqlSession, statement: SessionStatement, sink: RowSink): Execution {
  begin(session, statement);
  if (statement.kind === 'empty') return 0;
  try {
    return yield* execute(session, statement, [], sink, () => undefined);
  } catch (error) {
    throw raise(session, error);
  }
}

function begin(session: SqlSession, statement: SessionStatement): void {
  session.engine.counters.executions++;
  session.watch.refuseIfEnded();
  session.activity.begin(statement.text, session.clock.nowMs());
  session.evaluation.beginStatement();
  session.advisory.beginStatement();
  session.transaction?.settleLargeObjects();
  if (session.transaction?.failed !== true || statement.kind === 'empty') return;
  if (!(statement.kind === 'utility' && statement.utility.allowedWhenFailed === true)) throw inFailedTransaction();
}

function* execute(
  session: SqlSession,
  statement: CountedStatement,
  parameters: readonly Value[],
  sink: RowSink,
  setTag: SetTag,
): Execution {
  if (statement.kind === 'plan') return yield* runPlan(session, statement, parameters, sink);
  const { transaction } = session;
  for (let wait = transaction?.readAhead(false); wait !== undefined; wait = transaction?.readAhead(false)) yield wait;
  if (statement.utility.transaction === 'required') session.ensureTransaction();
  return yield* statement.utility.run(session, parameters, sink, setTag);
}

function failed(session: SqlSession, statement: CountedStatement, beganMs: number, error: unknown): unknown {
  session.engine.statementUses.of(session, statement).errors++;
  session.slow.failed(statement, beganMs, error);
  return raise(session, error);
}

/** The session's transaction has failed; returns what the client is told. */
function raise(session: SqlSession, error: unknown): unknown {
  // Only what runs a plan anew can wait for a function; the client may run anything again.
  const raised = error instanceof StatementWait ? waitedWithin(error.wait) : error;
  session.fail(raised);
  return raised;
}
