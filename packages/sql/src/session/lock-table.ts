/** LOCK TABLE: PostgreSQL's eight modes, until the end of the transaction. */
import { PhantomError, unsupportedError } from '@phantom/base';
import { type RelationDescriptor, type TableDescriptor, hasPrivilege, isSuperuser } from '@phantom/catalog';
import { TableLockMode } from '@phantom/mvcc';
import type { Execution } from '../exec/runtime.js';
import { relationNamed } from '../ddl/names.js';
import type { QualifiedName } from '../text/ast-leaves.js';
import type { LockTable } from '../text/ast-session.js';
import { heirsOf } from '../storage/inheritance/table-tree.js';
import type { SqlSession } from './session.js';
import type { Utility } from './statement.js';
import type { SessionTransaction } from './transaction.js';

const MODES: Readonly<Record<string, TableLockMode>> = {
  'access share': TableLockMode.AccessShare,
  'row share': TableLockMode.RowShare,
  'row exclusive': TableLockMode.RowExclusive,
  'share update exclusive': TableLockMode.ShareUpdateExclusive,
  share: TableLockMode.Share,
  'share row exclusive': TableLockMode.ShareRowExclusive,
  exclusive: TableLockMode.Exclusive,
  'access exclusive': TableLockMode.AccessExclusive,
};

export function lockTableUtility(node: LockTable): Utility {
  return {
    fields: [],
    parameterTypes: [],
    transaction: 'own',
    *run(session): Execution {
      const { transaction } = session;
      if (transaction === undefined || !transaction.explicit)
        throw new PhantomError('25P01', 'LOCK TABLE can only be used in transaction blocks');
      const mode = MODES[node.mode] as TableLockMode;
      for (const { name, only } of node.tables) {
        for (;;) {
          const table = tableToLock(session, transaction, name);
          requireRight(session, transaction, table, mode);
          const outcome = transaction.objects.lockTable(table.oid, mode, node.nowait ? 'nowait' : 'wait');
          if (!(outcome instanceof Promise)) break;
          yield outcome;
          // It may have been dropped, or another one may have its name now.
          if (transaction.objects.object(table.oid) === table) break;
        }
        if (!only) yield* lockParts(session, transaction, tableToLock(session, transaction, name), node);
      }
      return 0;
    },
  };
}

/** Whoever may lock a table may lock its partitions with it, and what inherits from it. */
function* lockParts(
  session: SqlSession,
  transaction: SessionTransaction,
  table: TableDescriptor,
  node: LockTable,
): Generator<Promise<unknown>, void, void> {
  const mode = MODES[node.mode] as TableLockMode;
  for (const part of [...session.picture.partitionsOf(table), ...heirsOf(table, transaction.objects)]) {
    const lock = (): unknown => transaction.objects.lockTable(part.oid, mode, node.nowait ? 'nowait' : 'wait');
    for (let outcome = lock(); outcome instanceof Promise; outcome = lock()) yield outcome;
    // As it is now: others may have made or detached parts of it.
    const locked = transaction.objects.object(part.oid);
    if (locked?.kind === 'table') yield* lockParts(session, transaction, locked, node);
  }
}

function tableToLock(session: SqlSession, transaction: SessionTransaction, name: QualifiedName): TableDescriptor {
  const relation = relationNamed(session.ddlContext(transaction), name) as RelationDescriptor | { kind: 'virtual' };
  if (relation.kind === 'table') return relation;
  if (relation.kind === 'view') throw unsupportedError('LOCK TABLE of a view', { hint: 'Lock the tables it reads.' });
  const text = name[name.length - 1]?.text ?? '';
  throw new PhantomError('42809', `cannot lock relation "${text}"`, {
    detail: 'This operation is supported for tables only.',
  });
}

/** The right to read allows the readers' mode, every right to write the writers' one, the others need more than INSERT. */
function requireRight(
  session: SqlSession,
  transaction: SessionTransaction,
  table: TableDescriptor,
  mode: TableLockMode,
): void {
  const { objects } = transaction;
  const role = session.currentRoleOid;
  const letters = mode === TableLockMode.AccessShare ? 'r' : mode === TableLockMode.RowExclusive ? 'awdD' : 'wdD';
  if (isSuperuser(objects, role) || [...letters].some((letter) => hasPrivilege(objects, role, table, letter))) return;
  throw new PhantomError('42501', `permission denied for table ${table.name}`);
}
