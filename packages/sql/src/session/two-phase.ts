/**
 * PREPARE TRANSACTION, COMMIT PREPARED and ROLLBACK PREPARED. Who may end a prepared transaction is PostgreSQL's rule: whoever
 * prepared it, and superusers, in the same database. A transaction that changed definitions cannot be prepared: its changes of
 * the catalog live in the session until it commits.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import { type Oid, isSuperuser } from '@phantom/catalog';
import type { PreparedTransactionInfo } from '@phantom/mvcc';
import type { Execution } from '../exec/runtime.js';
import type { TwoPhase } from '../text/ast-session.js';
import type { SqlSession } from './session.js';
import type { SessionTransaction } from './transaction.js';
import type { Utility } from './statement.js';

/** What is kept with a prepared transaction. */
interface Meta {
  readonly database: Oid;
  readonly owner: Oid;
}

/** Database and owner of a prepared transaction; 0 where somebody else has prepared it. */
export function preparedMeta({ meta }: PreparedTransactionInfo): Meta {
  try {
    const { database = 0, owner = 0 } = JSON.parse(meta) as Partial<Meta>;
    return { database, owner };
  } catch {
    return { database: 0, owner: 0 };
  }
}

export function prepareTransactionUtility(node: TwoPhase): Utility {
  return {
    fields: [],
    parameterTypes: [],
    transaction: 'own',
    allowedWhenFailed: true,
    *run(session, _parameters, _sink, setTag): Execution {
      const { transaction } = session;
      if (transaction === undefined || !transaction.explicit) {
        session.notice('WARNING', '25P01', 'there is no transaction in progress');
        setTag('ROLLBACK');
        return 0;
      }
      if (transaction.failed) {
        session.rollback();
        setTag('ROLLBACK');
        return 0;
      }
      refuseSynchronous(session, 'PREPARE TRANSACTION');
      const reason = whyNotPrepared(session, transaction);
      if (reason !== undefined) {
        // As with a COMMIT that fails, the transaction is over.
        session.rollback();
        throw reason;
      }
      const meta: Meta = { database: session.databaseOid, owner: session.currentRoleOid };
      yield session.prepareTransaction(node.id.value, JSON.stringify(meta));
      return 0;
    },
  };
}

/** What a transaction has done that cannot wait for another session to commit it. */
function whyNotPrepared(session: SqlSession, transaction: SessionTransaction): PhantomError | undefined {
  if (session.temporary.find(transaction.objects) !== undefined)
    return new PhantomError('0A000', 'cannot PREPARE a transaction that has operated on temporary objects', {
      detail: 'It is asked of every transaction of a session that has temporary objects.',
    });
  if (transaction.objects.changed) return unsupportedError('PREPARE TRANSACTION after changes of definitions');
  if (transaction.notifications.mark > 0)
    return unsupportedError('PREPARE TRANSACTION after LISTEN, UNLISTEN or NOTIFY');
  return undefined;
}

export function endPreparedUtility(node: TwoPhase): Utility {
  const commits = node.kind === 'commit-prepared';
  const words = commits ? 'COMMIT PREPARED' : 'ROLLBACK PREPARED';
  return {
    fields: [],
    parameterTypes: [],
    transaction: 'own',
    *run(session): Execution {
      if (session.transaction !== undefined)
        throw new PhantomError('25001', `${words} cannot run inside a transaction block`);
      refuseSynchronous(session, words);
      const { mvcc } = session.engine;
      const identifier = node.id.value;
      const found = mvcc.prepared().find((one) => one.identifier === identifier);
      if (found !== undefined) mayEnd(session, found);
      yield commits ? mvcc.commitPrepared(identifier) : mvcc.rollbackPrepared(identifier);
      return 0;
    },
  };
}

function mayEnd(session: SqlSession, prepared: PreparedTransactionInfo): void {
  const { database, owner } = preparedMeta(prepared);
  const { committed } = session.engine.catalog;
  if (owner !== session.currentRoleOid && !isSuperuser(committed, session.currentRoleOid)) {
    throw new PhantomError('42501', 'permission denied to finish prepared transaction', {
      hint: 'Must be superuser or the user that prepared the transaction.',
    });
  }
  if (database !== 0 && database !== session.databaseOid) {
    throw new PhantomError('0A000', 'prepared transaction belongs to another database', {
      hint: 'Connect to the database where the transaction was prepared to finish it.',
    });
  }
}

function refuseSynchronous(session: SqlSession, words: string): void {
  if (session.synchronous)
    throw unsupportedError(`${words} in a synchronous call`, { hint: 'Use the asynchronous API.' });
}
