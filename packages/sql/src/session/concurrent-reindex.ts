/**
 * REINDEX CONCURRENTLY and DROP INDEX CONCURRENTLY. To be filled anew while others write, an index gets a second one beside it,
 * built as CREATE INDEX CONCURRENTLY builds (session/concurrent-index.ts), whose space it then takes over in one commit: its oid,
 * and with it what stands on it, stays. To be dropped, it needs its table for a moment; that is asked for again and again instead
 * of waited for in line, where everybody who comes later would wait behind it.
 */
import { PhantomError } from '@phantom/base';
import { type IndexDescriptor, NameClass } from '@phantom/catalog';
import { spaceRange } from '@phantom/kv';
import { TableLockMode } from '@phantom/mvcc';
import type { DdlContext } from '../ddl/context.js';
import { putIndex } from '../ddl/put-index.js';
import { drop, findDropped } from '../ddl/drop.js';
import { forgetObject } from '../ddl/forget-object.js';
import { chooseName, claimName, lockForChange } from '../ddl/names.js';
import { indexesOf, lockIndexed, rebuild } from '../ddl/reindex.js';
import type { Execution, Yielded } from '../exec/runtime.js';
import type { Drop } from '../text/ast-schema.js';
import type { Reindex } from '../text/ast-session.js';
import { dropped, fill, inTransaction, remove } from './concurrent-index.js';
import type { SqlSession } from './session.js';
import type { Utility } from './statement.js';

/** How long DROP INDEX CONCURRENTLY lets its table be before it asks for it again. */
const RETRY_MS = 20;

type Step<T> = Generator<Yielded, T, void>;

function utility(words: string, run: (session: SqlSession) => Step<void>): Utility {
  return {
    fields: [],
    parameterTypes: [],
    transaction: 'own',
    *run(session): Execution {
      if (session.transaction !== undefined)
        throw new PhantomError('25001', `${words} cannot run inside a transaction block`);
      yield* run(session);
      return 0;
    },
  };
}

// -------------------------------------------------------------------------------------------------------------- REINDEX

export function reindexConcurrentlyUtility(node: Reindex): Utility {
  return utility('REINDEX CONCURRENTLY', function* (session) {
    const indexes = yield* inTransaction(session, function* (context) {
      yield undefined;
      return indexesOf(context, node);
    });
    for (const index of indexes) yield* reindexOne(session, index);
  });
}

function* reindexOne(session: SqlSession, index: IndexDescriptor): Step<void> {
  if (index.deferrable === true || index.method === 'document') {
    // What is owed for its rows hangs on the index itself, which a second one could not take over; and the document model fills
    // an index in one transaction.
    yield* inTransaction(session, (context) => rebuild(context, index));
    return;
  }
  const fresh = yield* inTransaction(session, (context) => putBeside(context, index));
  if (fresh === undefined) return;
  try {
    yield* fill(session, fresh.oid);
    yield* inTransaction(session, (context) => takeOver(context, index, fresh));
  } catch (error) {
    session.rollback();
    yield* inTransaction(session, (context) => remove(context, fresh.oid));
    throw error;
  }
}

/** A second index like the first, kept by all writers from here on; undefined when the first has gone. */
function* putBeside(context: DdlContext, index: IndexDescriptor): Step<IndexDescriptor | undefined> {
  const locked = yield* lockIndexed(context, index);
  if (locked === undefined) return undefined;
  const { index: now, table } = locked;
  const name = chooseName(context, now.schemaOid, [now.name], 'ccnew');
  yield* claimName(context, NameClass.Relation, now.schemaOid, name);
  const fresh: IndexDescriptor = {
    ...now,
    oid: context.catalog.allocateOid(),
    name,
    space: context.storage.allocateSpace(table.engine),
    primary: false,
    state: 'building',
  };
  putIndex(context, table, fresh);
  return fresh;
}

function* takeOver(context: DdlContext, index: IndexDescriptor, fresh: IndexDescriptor): Step<void> {
  const locked = yield* lockIndexed(context, index);
  const built = yield* lockForChange(context, fresh);
  if (locked === undefined || built === undefined) throw dropped(index.name);
  const { index: now, table } = locked;
  context.transaction.removeRange(spaceRange(now.space));
  forgetObject(context, built.oid);
  const indexOids = table.indexOids.filter((oid) => oid !== built.oid);
  context.objects.put({ ...table, indexOids, schemaVersion: table.schemaVersion + 1 });
  context.objects.put({ ...now, space: built.space, state: 'valid' });
  context.tableRewritten(table.oid);
}

// ----------------------------------------------------------------------------------------------------------- DROP INDEX

export function dropIndexConcurrentlyUtility(node: Drop): Utility {
  return utility('DROP INDEX CONCURRENTLY', function* (session) {
    if (node.objects.length > 1)
      throw new PhantomError('0A000', 'DROP INDEX CONCURRENTLY does not support dropping multiple objects');
    if (node.cascade) throw new PhantomError('0A000', 'DROP INDEX CONCURRENTLY does not support CASCADE');
    while (!(yield* inTransaction(session, (context) => dropIfFree(context, node)))) {
      yield new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  });
}

/** Drops the index unless somebody else has its table; says whether it is done. */
function* dropIfFree(context: DdlContext, node: Drop): Step<boolean> {
  const [target] = node.objects;
  const index = target === undefined ? undefined : findDropped(context, node, target);
  if (index?.kind === 'index') {
    const free = context.objects.lockTable(index.tableOid, TableLockMode.AccessExclusive, 'skip');
    if (free === false) return false;
  }
  yield* drop(context, node);
  return true;
}
