/**
 * Utility statements: everything that has no plan. One function finds how a statement's kind is run; the kinds live in
 * files by area. What is not here is refused by name with 0A000.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import { PredefinedRole, hasRightsOf } from '@phantom/catalog';
import { definitionHandler } from '../ddl/definitions.js';
import type { Statement } from '../text/ast-statements.js';
import { backupUtility } from './backup-statement.js';
import { callUtility } from './call-statement.js';
import { createIndexConcurrentlyUtility } from './concurrent-index.js';
import { copyUtility } from './copy-statements.js';
import { commandTag } from './command-tag.js';
import { closeUtility, declareUtility, fetchUtility } from './cursors.js';
import { doUtility } from './do-block.js';
import { explainUtility } from './explain-statement.js';
import { executeUtility, deallocateUtility, prepareUtility } from './prepared-statements.js';
import { lockTableUtility } from './lock-table.js';
import { notifyUtility } from './notifications.js';
import type { SqlSession } from './session.js';
import { readOnlyTransaction } from './session-errors.js';
import { setConstraintsUtility } from './set-constraints.js';
import { discardUtility, resetUtility, setUtility, showUtility } from './setting-statements.js';
import type { Utility } from './statement.js';
import {
  beginUtility,
  commitUtility,
  releaseUtility,
  rollbackToUtility,
  rollbackUtility,
  savepointUtility,
  setTransactionUtility,
} from './transaction-statements.js';
import { vacuumUtility } from './vacuum.js';
import { endPreparedUtility, prepareTransactionUtility } from './two-phase.js';
import { reindexConcurrentlyUtility, dropIndexConcurrentlyUtility } from './concurrent-reindex.js';
import { isConcurrent } from '../ddl/reindex.js';

/** How the statement is described and run in the session; 0A000 with its name when it is not supported. */
export function utilityOf(node: Statement, session: SqlSession, text: string): Utility {
  switch (node.kind) {
    case 'begin':
      return beginUtility(node);
    case 'commit':
      return commitUtility(node);
    case 'rollback':
      return rollbackUtility(node);
    case 'savepoint':
      return savepointUtility(node);
    case 'release':
      return releaseUtility(node);
    case 'rollback-to':
      return rollbackToUtility(node);
    case 'set-transaction':
      return setTransactionUtility(node);
    case 'set-constraints':
      return setConstraintsUtility(node);
    case 'prepare-transaction':
      return prepareTransactionUtility(node);
    case 'commit-prepared':
    case 'rollback-prepared':
      return endPreparedUtility(node);
    case 'lock-table':
      return lockTableUtility(node);
    case 'set':
      return setUtility(node);
    case 'reset':
      return resetUtility(node);
    case 'show':
      return showUtility(node, session);
    case 'discard':
      return discardUtility(node);
    case 'prepare':
      return prepareUtility(node, text);
    case 'call-statement':
      return callUtility(node, session, { text });
    case 'do':
      return doUtility(node, text);
    case 'execute':
      return executeUtility(node, session);
    case 'deallocate':
      return deallocateUtility(node);
    case 'declare-cursor':
      return declareUtility(node, text);
    case 'fetch':
      return fetchUtility(node, session);
    case 'close':
      return closeUtility(node);
    case 'explain':
      return explainUtility(node, session, text);
    case 'copy':
      return copyUtility(node, text);
    case 'listen':
    case 'unlisten':
    case 'notify':
      return notifyUtility(node);
    case 'backup':
      return backupUtility(node);
    case 'checkpoint':
      return checkpointUtility();
    case 'create-index':
      return node.concurrently ? createIndexConcurrentlyUtility(node) : definitionUtility(node, text);
    case 'reindex':
      return isConcurrent(node) ? reindexConcurrentlyUtility(node) : definitionUtility(node, text);
    case 'drop':
      return node.concurrently ? dropIndexConcurrentlyUtility(node) : definitionUtility(node, text);
    case 'vacuum':
      return vacuumUtility(node);
    case 'unsupported':
      throw unsupportedError(node.feature);
    default:
      return definitionUtility(node, text);
  }
}

function checkpointUtility(): Utility {
  return {
    fields: [],
    parameterTypes: [],
    transaction: 'any',
    *run(session) {
      if (!hasRightsOf(session.engine.catalog.committed, session.currentRoleOid, PredefinedRole.Checkpoint)) {
        const message = 'must be superuser or have privileges of pg_checkpoint to do CHECKPOINT';
        throw new PhantomError('42501', message);
      }
      yield session.engine.storage.checkpoint();
      return 0;
    },
  };
}

function definitionUtility(node: Statement, text: string): Utility {
  const handler = definitionHandler(node);
  if (handler === undefined) throw unsupportedError(commandTag(node, 0));
  return {
    fields: [],
    parameterTypes: [],
    transaction: 'required',
    *run(session, _parameters, _sink, setTag) {
      const transaction = session.ensureTransaction();
      if (transaction.readOnly) throw readOnlyTransaction(commandTag(node, 0));
      transaction.statements++;
      transaction.storage.beginStatement(text);
      const writers = transaction.writersOf(session);
      writers.beginStatement();
      const tag = yield* handler(session.ddlContext(transaction));
      yield* writers.finish();
      if (tag !== undefined) setTag(tag);
      return 0;
    },
  };
}
