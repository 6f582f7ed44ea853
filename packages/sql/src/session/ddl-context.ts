/** What a session gives to its definitions. */
import type { DdlContext } from '../ddl/context.js';
import { describeQuery, planStored } from '../plan/stored-query.js';
import type { SqlSession } from './session.js';
import type { SessionTransaction } from './transaction.js';

/** The context of a definition in the transaction; `inner` plans and runs statements inside it. */
export function ddlContextOf(
  session: SqlSession,
  transaction: SessionTransaction,
  silent: boolean,
  inner: Pick<DdlContext, 'describe' | 'define' | 'query'>,
): DdlContext {
  const { engine } = session;
  return {
    ...inner,
    transaction: transaction.storage,
    objects: transaction.objects,
    catalog: engine.catalog,
    storage: engine.storage,
    provider: engine.provider,
    statistics: engine.statistics,
    databaseOid: session.databaseOid,
    roleOid: session.currentRoleOid,
    sessionRoleOid: session.roles.sessionRoleOid,
    evaluation: session.evaluation,
    get picture() {
      return session.picture;
    },
    describeStored: (query) => describeQuery(query, session.picture, ''),
    runStored: (stored, ownerOid, sink) => {
      const plan = planStored(stored, ownerOid, session.picture);
      session.checkPrivileges(plan.privileges);
      return plan.execute(session.executionContext([], transaction.storage, transaction), sink);
    },
    temporarySchema: () => session.temporary.schema(transaction.objects),
    onCommit: (table) => session.temporary.onCommit(table),
    execution: () => session.executionContext([], transaction.storage, transaction),
    writerContext: () => transaction.writersOf(session),
    tableRewritten: (oid) => transaction.storage.onEnd((seq) => engine.filled.note(oid, seq)),
    inTransactionBlock: transaction.explicit || transaction.statements > 1,
    synchronous: session.synchronous,
    databaseInUse: (oid) => [...engine.allSessions()].some((other) => other.databaseOid === oid),
    notice: (severity, code, message, fields) => {
      if (!silent) session.notice(severity, code, message, fields);
    },
    onEnd: (listener) => transaction.storage.onEnd((seq) => listener(seq !== undefined)),
  };
}
