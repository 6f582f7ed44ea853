/**
 * Utility statements: everything that has no plan. One function finds how a statement's kind is run; the kinds live in
 * files by area. What is not here is refused by name with 0A000.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import { PredefinedRole, hasRightsOf } from '@phantom/catalog';
import { definitionHandler } from '../ddl/definitions.js';
import type { PlanOptions } from '../plan/plan-statement.js';
import type { CreateTableAs } from '../text/ast-schema.js';
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

/** What is known of a statement before it is bound: its text, types that were declared, the routine's body it is in. */
type UtilityOptions = PlanOptions & { readonly text: string };

/** How the statement is described and run in the session; 0A000 with its name when it is not supported. */
export function utilityOf(node: Statement, session: SqlSession, options: UtilityOptions): Utility {
  const { text } = options;
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
      return callUtility(node, session, options);
    case 'do':
      return doUtility(node, text);
    case 'execute':
      return executeUtility(node, session);
    case 'deallocate':
      return deallocateUtility(node);
    case 'declare-cursor':
      return declareUtility(node, session, options);
    case 'fetch':
      return fetchUtility(node, session);
    case 'close':
      return closeUtility(node);
    case 'explain':
      return explainUtility(node, session, options);
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
      return node.concurrently ? createIndexConcurrentlyUtility(node) : definitionUtility(node, options);
    case 'reindex':
      return isConcurrent(node) ? reindexConcurrentlyUtility(node) : definitionUtility(node, options);
    case 'drop':
      return node.concurrently ? dropIndexConcurrentlyUtility(node) : definitionUtility(node, options);
    case 'create-table-as':
      return createTableAsUtility(node, session, options);
    case 'vacuum':
      return vacuumUtility(node);
    case 'unsupported':
      throw unsupportedError(node.feature);
    default:
      return definitionUtility(node, options);
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

/** CREATE TABLE AS may have parameters in its query; what is stored (a materialized view) has none. */
function createTableAsUtility(node: CreateTableAs, session: SqlSession, options: UtilityOptions): Utility {
  const { source, materializedView } = node;
  if (materializedView || source.kind === 'execute') return definitionUtility(node, { text: options.text });
  const utility = definitionUtility(node, options);
  // A body's variables have their types already, and the tables that it reads may be made by statements before this one.
  if (options.routine !== undefined) return utility;
  const { statements } = session.engine;
  const plan = statements.planUncached(session.picture, source, options.declaredTypes ?? [], options.text);
  return { ...utility, parameterTypes: plan.parameterTypes };
}

function definitionUtility(node: Statement, options: UtilityOptions): Utility {
  const handler = definitionHandler(node);
  if (handler === undefined) throw unsupportedError(commandTag(node, 0));
  return {
    fields: [],
    parameterTypes: [],
    transaction: 'required',
    *run(session, parameters, _sink, setTag) {
      const transaction = session.ensureTransaction();
      if (transaction.readOnly) throw readOnlyTransaction(commandTag(node, 0));
      transaction.statements++;
      transaction.storage.beginStatement(options.text);
      const writers = transaction.writersOf(session);
      writers.beginStatement();
      const tag = yield* handler(session.ddlContext(transaction, false, { options, parameters }));
      yield* writers.finish();
      if (tag !== undefined) setTag(tag);
      return 0;
    },
  };
}
