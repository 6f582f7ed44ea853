/** BEGIN, COMMIT, ROLLBACK, savepoints, SET TRANSACTION: PostgreSQL's rules about when each is allowed and what it warns of. */
import { PhantomError } from '@phantom/base';
import type { Execution } from '../exec/runtime.js';
import type { Begin, EndTransaction, Savepoint, SetTransaction, TransactionModes } from '../text/ast-session.js';
import type { SqlSession } from './session.js';
import type { Utility } from './statement.js';
import type { SessionTransaction } from './transaction.js';
import { defaultModes, shownModes, withModes } from './transaction-modes.js';

function utility(run: Utility['run'], allowedWhenFailed = false): Utility {
  return { fields: [], parameterTypes: [], transaction: 'own', allowedWhenFailed, run };
}

export function beginUtility(node: Begin): Utility {
  return utility(function* (session) {
    const { transaction } = session;
    if (transaction === undefined) {
      openBlock(session, node.modes);
      return 0;
    }
    if (transaction.explicit) session.notice('WARNING', '25001', 'there is already a transaction in progress');
    // An implicit transaction of the same message becomes the block that BEGIN names.
    transaction.explicit = true;
    // As SET TRANSACTION: also where there was a block before.
    if (Object.values(node.modes).some((mode) => mode !== undefined)) changeModes(session, transaction, node.modes);
    return 0;
  });
}

/** COMMIT and ROLLBACK outside of a block do nothing but warn; AND CHAIN has nothing to follow (25P01). */
function warnOutside(session: SqlSession, node: EndTransaction): void {
  if (!node.chain) {
    session.notice('WARNING', '25P01', 'there is no transaction in progress');
    return;
  }
  const command = node.kind === 'commit' ? 'COMMIT' : 'ROLLBACK';
  throw new PhantomError('25P01', `${command} AND CHAIN can only be used in transaction blocks`);
}

export function commitUtility(node: EndTransaction): Utility {
  return utility(function* (session, _parameters, _sink, setTag): Execution {
    const { transaction } = session;
    if (transaction === undefined || !transaction.explicit) {
      warnOutside(session, node);
      if (transaction === undefined) return 0;
    }
    const modes = node.chain ? shownModes(session.settings) : undefined;
    if (transaction.failed) {
      session.rollback();
      setTag('ROLLBACK');
    } else {
      yield* commitHere(session);
    }
    if (modes !== undefined) session.openTransaction(true, modes);
    return 0;
  }, true);
}

export function rollbackUtility(node: EndTransaction): Utility {
  return utility(function* (session) {
    const { transaction } = session;
    if (transaction === undefined || !transaction.explicit) warnOutside(session, node);
    const modes = shownModes(session.settings);
    session.rollback();
    if (node.chain) session.openTransaction(true, modes);
    return 0;
  }, true);
}

export function savepointUtility(node: Savepoint): Utility {
  return utility(function* (session) {
    inBlock(session, 'SAVEPOINT').savepoint(node.name.text, session.cursors.names());
    return 0;
  });
}

export function releaseUtility(node: Savepoint): Utility {
  return utility(function* (session) {
    inBlock(session, 'RELEASE SAVEPOINT').release(node.name.text);
    return 0;
  });
}

export function rollbackToUtility(node: Savepoint): Utility {
  return utility(function* (session) {
    session.cursors.rolledBackTo(inBlock(session, 'ROLLBACK TO SAVEPOINT').rollbackTo(node.name.text));
    return 0;
  }, true);
}

export function setTransactionUtility(node: SetTransaction): Utility {
  return utility(function* (session) {
    const { isolation, readOnly, deferrable } = node.modes;
    const options = { local: false, inTransaction: session.transaction !== undefined };
    if (node.session) {
      if (isolation !== undefined) session.settings.set('default_transaction_isolation', isolation, options);
      if (readOnly !== undefined)
        session.settings.set('default_transaction_read_only', readOnly ? 'on' : 'off', options);
      if (deferrable !== undefined)
        session.settings.set('default_transaction_deferrable', deferrable ? 'on' : 'off', options);
      return 0;
    }
    const { transaction } = session;
    if (transaction === undefined || !(transaction.explicit || session.routines.isRunning)) {
      session.notice('WARNING', '25P01', 'SET TRANSACTION can only be used in transaction blocks');
      return 0;
    }
    changeModes(session, transaction, node.modes);
    return 0;
  });
}

/** Begins an explicit transaction with the modes given, the session's defaults for the rest. */
export function openBlock(session: SqlSession, modes: TransactionModes): void {
  session.openTransaction(true, withModes(defaultModes(session.settings), modes));
}

/**
 * Changes the modes of the present transaction: the level before its first statement and outside of savepoints, reading only at any
 * time. One that has done nothing yet is begun anew.
 */
export function changeModes(session: SqlSession, transaction: SessionTransaction, modes: TransactionModes): void {
  const now = shownModes(session.settings);
  const wanted = withModes(now, modes);
  const { hasBegun, hasSavepoints } = transaction;
  // What lies before a savepoint could not be kept.
  if (wanted.isolation !== now.isolation) {
    const command = 'SET TRANSACTION ISOLATION LEVEL';
    if (hasBegun) throw new PhantomError('25001', `${command} must be called before any query`);
    if (hasSavepoints) throw new PhantomError('25001', `${command} must not be called in a subtransaction`);
  }
  if (wanted.deferrable !== now.deferrable) {
    const command = 'SET TRANSACTION [NOT] DEFERRABLE';
    if (hasSavepoints) throw new PhantomError('25001', `${command} cannot be called within a subtransaction`);
    if (hasBegun) throw new PhantomError('25001', `${command} must be called before any query`);
  }
  if (now.readOnly && !wanted.readOnly) {
    if (transaction.storage.readOnly && hasSavepoints)
      throw new PhantomError('25001', 'cannot set transaction read-write mode inside a read-only transaction');
    if (hasBegun) throw new PhantomError('25001', 'transaction read-write mode must be set before any query');
  }
  if (hasBegun || hasSavepoints) {
    transaction.setReadOnly(wanted.readOnly);
    return;
  }
  const { explicit } = transaction;
  session.rollback();
  session.openTransaction(explicit, wanted);
}

function inBlock(session: SqlSession, command: string): SessionTransaction {
  const { transaction } = session;
  if (transaction === undefined || !transaction.explicit) {
    throw new PhantomError('25P01', `${command} can only be used in transaction blocks`);
  }
  return transaction;
}

/** Commits inside an execution: a synchronous driver finishes it on this thread, an asynchronous one awaits it. */
export function* commitHere(session: SqlSession): Execution {
  if (session.synchronous) session.commitNow();
  else yield session.commit();
  return 0;
}
