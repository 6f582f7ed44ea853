/**
 * VACUUM: statistics where they are asked for, and column indexes take in what was written since they did so last, in transactions
 * of their own that nobody waits for. Nothing else is left behind by writers here.
 */
import { PhantomError } from '@phantom/base';
import type { IndexDescriptor, Oid, TableDescriptor } from '@phantom/catalog';
import { TableLockMode } from '@phantom/mvcc';
import { analyze } from '../ddl/analyze.js';
import type { Execution, Yielded } from '../exec/runtime.js';
import { catchUpSome } from '../storage/columnar/catch-up.js';
import { columnIndex } from '../storage/columnar/column-index.js';
import type { Vacuum } from '../text/ast-session.js';
import type { SqlSession } from './session.js';
import type { Utility } from './statement.js';
import { commitHere } from './transaction-statements.js';

type Step<T> = Generator<Yielded, T, void>;

const NO_KEY = new Uint8Array(0);
/** Lost races with who rebuilds or vacuums the same index; past it the next VACUUM goes on. */
const LOST_MAX = 8;

export function vacuumUtility(node: Vacuum): Utility {
  return {
    fields: [],
    parameterTypes: [],
    transaction: 'own',
    *run(session): Execution {
      if (session.transaction !== undefined)
        throw new PhantomError('25001', 'VACUUM cannot run inside a transaction block');
      const transaction = session.beginTransaction(false);
      transaction.statements++;
      transaction.storage.beginStatement();
      const context = session.ddlContext(transaction);
      const tables = yield* analyze(context, node);
      yield* commitHere(session);
      if (session.engine.readOnly) return 0;
      for (const { oid } of tables) yield* catchUpTable(session, oid);
      return 0;
    },
  };
}

/** Lets every column index of a table take in what was written since. */
export function* catchUpTable(session: SqlSession, tableOid: Oid): Step<void> {
  const { committed } = session.engine.catalog;
  const table = committed.object(tableOid);
  if (table?.kind !== 'table') return;
  const indexes = table.indexOids.filter((oid) => {
    const index = committed.object(oid);
    return index?.kind === 'index' && index.method === 'column';
  });
  if (indexes.length === 0) return;
  for (const oid of indexes) yield* catchUpIndex(session, oid);
  session.engine.columns.caughtUp(tableOid);
  // Plans that passed the index over are made anew.
  session.engine.statistics.changed(tableOid);
}

/** Passes over the index once: what is marked behind it meanwhile is left to the next time. */
function* catchUpIndex(session: SqlSession, indexOid: Oid): Step<void> {
  let lost = 0;
  for (let from: Uint8Array | undefined = NO_KEY; from !== undefined && lost < LOST_MAX;) {
    try {
      from = yield* catchUpOnce(session, indexOid, from);
    } catch (error) {
      if (!(error instanceof PhantomError) || error.code !== '40001') throw error;
      lost++;
    }
    if (session.slice.due()) yield undefined;
  }
}

/** One transaction of catching up, from a row key on; gives where the next one begins, undefined when there is nothing more to do. */
function* catchUpOnce(session: SqlSession, indexOid: Oid, from: Uint8Array): Step<Uint8Array | undefined> {
  const { engine, picture } = session;
  const transaction = engine.mvcc.begin({ isolation: 'repeatable read', label: 'column index' });
  try {
    const objects = engine.catalog.begin(transaction);
    const named = described(session, indexOid);
    if (named === undefined) return undefined;
    const mode = TableLockMode.RowExclusive;
    for (let wait = objects.lockTable(named.table.oid, mode, 'wait'); wait instanceof Promise;) {
      yield wait;
      wait = objects.lockTable(named.table.oid, mode, 'wait');
    }
    const found = described(session, indexOid);
    if (found === undefined) return undefined;
    transaction.beginStatement();
    const index = columnIndex(found.index, found.table, picture.types);
    const next = yield* catchUpSome(transaction, index, from, session);
    // Nobody waits for the disk: after a crash the markers are there again.
    if (session.synchronous) transaction.commitSync({ durability: 'os' });
    else yield transaction.commit({ durability: 'os' }).then(() => undefined);
    return next;
  } finally {
    if (transaction.status === 'active') transaction.rollback();
  }
}

function described(
  { engine }: SqlSession,
  indexOid: Oid,
): { readonly table: TableDescriptor; readonly index: IndexDescriptor } | undefined {
  const { committed } = engine.catalog;
  const index = committed.object(indexOid);
  const table = index?.kind === 'index' ? committed.object(index.tableOid) : undefined;
  return index?.kind === 'index' && table?.kind === 'table' ? { table, index } : undefined;
}
