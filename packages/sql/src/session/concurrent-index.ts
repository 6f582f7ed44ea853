/**
 * CREATE INDEX CONCURRENTLY: an index is built while others write its table. PostgreSQL's idea, in steps that are transactions
 * of their own:
 *
 *   1  the index is put beside its table, `building`: whoever begins to write the table from here on keeps it, no plan reads it
 *   2  every row gets its entry, some rows at a time, each locked while it is entered and in its newest state
 *   3  the index is `valid`
 *
 * Why it is exact: a row that is written after step 1 has its entry from its writer. One that was written before is entered in
 * step 2 in the state it is in then, and since it is locked, no writer changes it between the look and the entry's commit.
 *
 * Writers wait for step 1 (which waits for those under way) and for the few rows that are being entered, of which only the
 * first is waited for: nothing is held meanwhile, so no deadlock comes of it. Steps 1 and 2 are not waited for on the disk; the
 * last commit's sync covers them. What a crash leaves behind is an index that is kept and not read (pg_index.indisvalid).
 */
import { PhantomError } from '@phantom/base';
import type { IndexDescriptor, Oid, TableDescriptor } from '@phantom/catalog';
import { ByteSlot, spaceRange } from '@phantom/kv';
import { LockStrength, type MvccTransaction, TableLockMode } from '@phantom/mvcc';
import type { DdlContext } from '../ddl/context.js';
import { defineIndex } from '../ddl/create-index.js';
import { putIndex } from '../ddl/put-index.js';
import { dropAll } from '../ddl/drop.js';
import { IndexFiller } from '../ddl/index-build.js';
import { lockForChange } from '../ddl/names.js';
import type { Execution, Yielded } from '../exec/runtime.js';
import { physicalTable } from '../storage/physical-table.js';
import type { CreateIndex } from '../text/ast-schema.js';
import type { Value } from '../types/type.js';
import type { SqlSession } from './session.js';
import { readOnlyTransaction } from './session-errors.js';
import type { Utility } from './statement.js';
import { commitHere } from './transaction-statements.js';

/** Rows that one transaction enters at most. */
const BATCH_ROWS = 256;

type Step<T> = Generator<Yielded, T, void>;

export function createIndexConcurrentlyUtility(node: CreateIndex): Utility {
  return {
    fields: [],
    parameterTypes: [],
    transaction: 'own',
    *run(session): Execution {
      if (session.transaction !== undefined)
        throw new PhantomError('25001', 'CREATE INDEX CONCURRENTLY cannot run inside a transaction block');
      const index = yield* inTransaction(session, function* (context) {
        const defined = yield* defineIndex(context, node, 'building');
        if (defined !== undefined) putIndex(context, defined.table, defined.index);
        return defined?.index;
      });
      if (index === undefined) return 0;
      try {
        yield* fill(session, index.oid);
        yield* inTransaction(session, function* (context) {
          const built = yield* lockForChange(context, index);
          if (built === undefined) throw dropped(index.name);
          context.objects.put({ ...built, state: 'valid' });
          context.tableRewritten(built.tableOid);
        });
      } catch (error) {
        session.rollback();
        yield* inTransaction(session, (context) => remove(context, index.oid));
        throw error;
      }
      return 0;
    },
  };
}

/** A part of the work as a transaction of the session. */
export function* inTransaction<T>(session: SqlSession, work: (context: DdlContext) => Step<T>): Step<T> {
  const transaction = session.beginTransaction(false);
  const { storage } = transaction;
  if (storage.readOnly) throw readOnlyTransaction('CREATE INDEX');
  transaction.statements++;
  storage.beginStatement();
  const result = yield* work(session.ddlContext(transaction));
  yield* commitHere(session);
  return result;
}

/** An index that could not be built goes again: PostgreSQL leaves it to be dropped by hand. */
export function* remove(context: DdlContext, oid: Oid): Step<void> {
  const index = context.objects.object(oid);
  if (index !== undefined) yield* dropAll(context, [index], true);
}

export function dropped(name: string): PhantomError {
  return new PhantomError('42704', `index "${name}" was dropped while it was being built`);
}

/** Enters every row that the table has now. */
export function* fill(session: SqlSession, indexOid: Oid): Step<void> {
  const { slice } = session;
  let space: number | undefined;
  let last: Uint8Array | undefined;
  for (;;) {
    const { table } = described(session, indexOid);
    // A table that has moved to other rows is begun anew: what is entered twice is one entry.
    if (table.space !== space) last = undefined;
    space = table.space;
    const keys = rowKeysAfter(session, table, last);
    if (keys.length === 0) return;
    for (let entered = 0; entered < keys.length;) {
      const count = yield* enterSome(session, indexOid, table.space, keys, entered);
      if (count === undefined) break;
      entered += count;
      last = keys[entered - 1];
    }
    if (slice.due()) yield undefined;
  }
}

function described(session: SqlSession, indexOid: Oid): { table: TableDescriptor; index: IndexDescriptor } {
  const { committed } = session.engine.catalog;
  const index = committed.object(indexOid);
  const table = index?.kind === 'index' ? committed.object(index.tableOid) : undefined;
  if (index?.kind !== 'index' || table?.kind !== 'table') throw dropped(String(indexOid));
  return { table, index };
}

/** The keys of the next rows, at most a batch of them. */
function rowKeysAfter(session: SqlSession, table: TableDescriptor, last: Uint8Array | undefined): Uint8Array[] {
  const view = session.engine.storage.view();
  const cursor = view.cursor(spaceRange(table.space));
  const keys: Uint8Array[] = [];
  try {
    let found = last === undefined ? cursor.next() : cursor.seek(last, 0, last.length);
    // The last one itself may have been deleted meanwhile.
    if (found && last !== undefined && String(cursor.key.copy()) === String(last)) found = cursor.next();
    for (; found && keys.length < BATCH_ROWS; found = cursor.next()) keys.push(cursor.key.copy());
    return keys;
  } finally {
    cursor.close();
    view.release();
  }
}

/**
 * Enters rows from `from` on in a transaction of its own, up to the first that somebody else holds, and says how many;
 * undefined when the table has moved.
 */
function* enterSome(
  session: SqlSession,
  indexOid: Oid,
  space: number,
  keys: readonly Uint8Array[],
  from: number,
): Step<number | undefined> {
  const { engine } = session;
  const transaction = engine.mvcc.begin({ isolation: 'read committed', label: 'create index' });
  try {
    const objects = engine.catalog.begin(transaction);
    const { tableOid } = described(session, indexOid).index;
    const shared = TableLockMode.RowExclusive;
    for (let w = objects.lockTable(tableOid, shared, 'wait'); w instanceof Promise;) {
      yield w;
      w = objects.lockTable(tableOid, shared, 'wait');
    }
    const { table, index } = described(session, indexOid);
    if (table.space !== space) return undefined;
    transaction.beginStatement();
    const count = yield* enterRows(session, transaction, table, index, keys, from);
    if (session.synchronous) transaction.commitSync({ durability: 'os' });
    else yield transaction.commit({ durability: 'os' }).then(() => undefined);
    return count;
  } finally {
    if (transaction.status === 'active') transaction.rollback();
  }
}

function* enterRows(
  session: SqlSession,
  transaction: MvccTransaction,
  table: TableDescriptor,
  index: IndexDescriptor,
  keys: readonly Uint8Array[],
  from: number,
): Step<number> {
  const { picture, evaluation } = session;
  const filler = new IndexFiller(table, index, picture, evaluation);
  const physical = physicalTable(table, picture.types);
  const slot = new ByteSlot();
  const row: Value[] = [];
  for (let at = from; at < keys.length; at++) {
    const key = keys[at] as Uint8Array;
    for (;;) {
      const wait = transaction.lock(key, 0, key.length, LockStrength.Share, at === from ? 'wait' : 'skip');
      // Whoever holds it may wait for one that we hold: those are entered, and this one is the next batch's first.
      if (wait === false) return at - from;
      if (wait === undefined) break;
      yield wait;
    }
    if (!transaction.getNewest(key, 0, key.length, slot)) continue;
    physical.decode(slot.buffer, slot.start, slot.end, row, evaluation);
    for (let wait = filler.enter(transaction, row, key); wait !== undefined;) {
      yield wait;
      wait = filler.enter(transaction, row, key);
    }
  }
  return keys.length - from;
}
