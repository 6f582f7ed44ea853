/**
 * ALTER TABLE ... SET (engine = ...): the table and its indexes get new spaces in the other engine, which are filled while
 * readers and writers go on; then writers stop for the tail, and one commit puts the new spaces in the place of the old.
 *
 *   lock          against other definitions, not against writers
 *   note          the new spaces, so that they are cleared away whatever happens before the end
 *   copy, follow  stretch by stretch (the store's moves)
 *   lock          against writers; what they have written last follows
 *   switch        new spaces into the descriptors, old spaces away, notes struck off: this transaction's commit
 *
 * Who reads by an older snapshot goes on in the old spaces, which its view still has. A transaction that first comes to the
 * table after the switch with a snapshot of before cannot read it: its new spaces were not filled then (40001).
 *
 * The copies are commits of their own, so the command cannot be part of a larger transaction (25001), as is the custom of
 * PostgreSQL's concurrent commands.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { IndexDescriptor, TableDescriptor } from '@phantom/catalog';
import { type SpaceId, spaceRange } from '@phantom/kv';
import { TableLockMode } from '@phantom/mvcc';
import type { Yielded } from '../exec/runtime.js';
import type { SpaceMove, TableEngine } from '../session/ports.js';
import type { AlterTable, AlterTableAction } from '../text/ast-schema.js';
import type { DdlContext } from './context.js';
import { engineOf } from './new-table.js';
import { lockForChange, ownTable, undefinedRelation } from './names.js';

type Step = Generator<Yielded, void, void>;

/** Steps that follow the writers once the copy is complete, before they are stopped for the rest. */
const CATCH_UP_ROUNDS_MAX = 4;

/** SET and RESET of storage options: `engine` is the only one there is. */
export function* setOptions(context: DdlContext, node: AlterTable): Step {
  const engine = engineWanted(node.actions);
  if (context.inTransactionBlock) {
    throw new PhantomError('25001', 'ALTER TABLE ... SET (engine) cannot run inside a transaction block');
  }
  const found = ownTable(context, node.name);
  const { objects } = context;
  const mode = TableLockMode.ShareUpdateExclusive;
  for (
    let wait = objects.lockTable(found.oid, mode, 'wait');
    wait instanceof Promise;
    wait = objects.lockTable(found.oid, mode, 'wait')
  )
    yield wait;
  const table = objects.object(found.oid);
  if (table?.kind !== 'table') throw undefinedRelation(node.name);
  if (table.partitioned !== undefined) throw unsupportedError('ALTER TABLE ... SET (engine) of a partitioned table');
  if (table.engine !== engine) yield* moveTable(context, table, engine);
}

function engineWanted(actions: readonly AlterTableAction[]): TableEngine {
  if (actions.length > 1) throw unsupportedError('ALTER TABLE ... SET (engine) together with other actions');
  const action = actions[0] as Extract<AlterTableAction, { kind: 'set-options' | 'reset-options' }>;
  if (action.kind === 'set-options') return engineOf(action.options);
  for (const { name, position } of action.options) {
    if (name.text !== 'engine')
      throw new PhantomError('22023', `unrecognized parameter "${name.text}"`, { position: position + 1 });
  }
  return engineOf([]);
}

function* moveTable(context: DdlContext, table: TableDescriptor, engine: TableEngine): Step {
  const { catalog, storage } = context;
  const indexes = table.indexOids.map((oid) => context.objects.object(oid) as IndexDescriptor);
  const space = storage.allocateSpace(engine);
  const spaces = new Map<SpaceId, SpaceId>([[table.space, space]]);
  for (const index of indexes) {
    if (index.space !== table.space) spaces.set(index.space, storage.allocateSpace(engine));
  }
  // On this thread nobody can write in between, but whoever has written and not committed yet is in the way.
  if (context.synchronous) yield* lockForChange(context, table);
  const fresh = [...spaces.values()];
  context.onEnd((committed) => {
    if (!committed) clearAway(context, fresh);
  });
  if (context.synchronous) catalog.unfinished.noteNow(fresh);
  else yield catalog.unfinished.note(fresh);
  const move = storage.moveSpaces([...spaces].map(([from, to]) => ({ from, to })));
  try {
    yield* context.synchronous ? copyNow(move) : copy(context, table, move);
    // Nobody writes the table any more, and this transaction puts the copy in its place.
    for (const [from] of spaces) context.transaction.removeRange(spaceRange(from));
    for (const index of indexes) context.objects.put({ ...index, space: spaces.get(index.space) as SpaceId });
    const changed = { ...table, engine, space, schemaVersion: table.schemaVersion + 1 };
    context.objects.put(changed);
    catalog.unfinished.finish(context.transaction, fresh);
    context.tableRewritten(table.oid);
  } finally {
    move.end();
  }
}

function* copyNow(move: SpaceMove): Step {
  while (!move.isCaughtUp) {
    move.stepNow();
    yield undefined;
  }
}

function* copy(context: DdlContext, table: TableDescriptor, move: SpaceMove): Step {
  while (!move.isCopied) yield move.step();
  for (let round = 0; round < CATCH_UP_ROUNDS_MAX && !move.isCaughtUp; round++) yield move.step();
  yield* lockForChange(context, table);
  yield move.settle();
}

/** What was filled is of no use: it goes behind the command's back, and if that fails, with the next opening. */
function clearAway(context: DdlContext, spaces: readonly SpaceId[]): void {
  context.catalog.unfinished.clear(spaces).catch(() => undefined);
}
