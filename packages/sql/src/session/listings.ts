/** What system views tell of sessions and their statements. */
import { type LargeObjectReads, listLargeObjects, listPages } from '../large-objects/large-objects.js';
import type { ListedCursor, ListedSession, ListedStatement, SystemViewSource } from '../system-views/system-view.js';
import type { SqlEngine } from './engine.js';
import { microsSince2000 } from './evaluation.js';
import type { SqlSession } from './session.js';

/** Statements the session has prepared by name. */
export function* preparedStatements(session: SqlSession): Iterable<ListedStatement> {
  for (const [name, statement] of session.prepared) {
    const types =
      statement.kind === 'plan'
        ? statement.plan.parameterTypes
        : statement.kind === 'utility'
          ? statement.utility.parameterTypes
          : [];
    yield { name, text: statement.text, parameterTypes: types.map(({ oid }) => oid), fromSql: false };
  }
}

/** The session's open cursors. */
export function listedCursors(session: SqlSession): ListedCursor[] {
  return session.cursors.all().map(({ facts, isScrollable }) => ({
    name: facts.name,
    text: facts.text,
    holdable: facts.hold,
    scrollable: isScrollable,
    declaredMicros: facts.declaredMicros,
  }));
}

const STATES = { idle: 'idle', transaction: 'idle in transaction', failed: 'idle in transaction (aborted)' } as const;

/** All sessions of the engine. */
export function* listedSessions(engine: SqlEngine): Iterable<ListedSession> {
  for (const session of engine.allSessions()) {
    const { activity, interrupts } = session;
    const startMs = activity.statementStartMs;
    yield {
      processId: session.id,
      databaseOid: session.databaseOid,
      databaseName: session.databaseName,
      roleOid: session.roles.sessionRoleOid,
      roleName: session.sessionRoleName,
      applicationName: session.settings.get('application_name'),
      state: interrupts.isRunning ? 'active' : STATES[session.status],
      client: activity.connection?.client,
      encryption: activity.connection?.encryption,
      beganMicros: microsSince2000(activity.beganMs),
      transactionStartMicros: session.transactionStartMicros ?? null,
      statementStartMicros: startMs === undefined ? null : microsSince2000(startMs),
      statementText: activity.statementText,
    };
  }
}

/** The large objects of the session's database, as its statement sees them. */
export function listedLargeObjects(session: SqlSession): Pick<SystemViewSource, 'largeObjects' | 'largeObjectPages'> {
  const space = session.engine.catalog.keys.largeObjectSpace;
  return {
    largeObjects: () => asStatementSees(session, (reads) => listLargeObjects(reads, space, session.databaseOid)),
    largeObjectPages: () => asStatementSees(session, (reads) => listPages(reads, space, session.databaseOid)),
  };
}

function* asStatementSees<T>(session: SqlSession, list: (reads: LargeObjectReads) => Iterable<T>): Iterable<T> {
  if (session.transaction !== undefined) {
    yield* list(session.transaction.storage);
    return;
  }
  const view = session.engine.storage.view();
  try {
    yield* list(view);
  } finally {
    view.release();
  }
}
