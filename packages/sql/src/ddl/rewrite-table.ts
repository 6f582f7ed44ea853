/**
 * Rewriting a table: its rows are copied into a new space in another form, its indexes are built anew beside it, and the old
 * spaces go by range removal, all in the transaction of the ALTER. The table is locked against writers meanwhile; readers
 * go on with what they see.
 */
import type { IndexDescriptor, IndexKeyPart, TableDescriptor } from '@phantom/catalog';
import { type SpaceId, spaceRange } from '@phantom/kv';
import type { Yielded } from '../exec/runtime.js';
import type { Value } from '../types/type.js';
import type { DdlContext } from './context.js';
import { invertedClass } from './operator-classes.js';
import { eachRow } from './validate.js';

/** Rows held between reading and writing. */
const BATCH_ROWS = 512;

/**
 * Copies every row of `before`, as `transform` gives it, into the table as `changed` describes it (same oid; spaces, layout and
 * indexes are seen to here). Returns the table as it is then. Constraints of the table are checked anew: 23502, 23505, 23514.
 */
export function* rewriteTable(
  context: DdlContext,
  before: TableDescriptor,
  changed: TableDescriptor,
  transform: (row: readonly Value[]) => Value[],
): Generator<Yielded, TableDescriptor, void> {
  if (before.partitioned !== undefined) return redescribe(context, before, changed);
  const layoutVersion = before.layoutVersion + 1;
  const { table: after, left } = inNewSpaces(context, before, {
    ...changed,
    layoutVersion,
    columns: changed.columns.map((column) => {
      const { missingText: _missing, ...rest } = column;
      return { ...rest, sinceVersion: layoutVersion };
    }),
  });
  const writer = context.writerContext().plainWriter(after);
  let batch: Value[][] = [];
  const flush = function* (): Generator<Yielded, void, void> {
    for (const row of batch) {
      for (let outcome = writer.insert(row); outcome instanceof Promise; outcome = writer.insert(row)) yield outcome;
    }
    batch = [];
  };
  yield* eachRow(context, before, (row) => batch.push(transform(row)), {
    batches: { every: BATCH_ROWS, run: flush },
    writes: true,
  });
  yield* flush();
  leaveSpaces(context, after, left);
  yield* context.triggers.settle();
  return after;
}

/** A partitioned table has no rows to copy: its partitions are rewritten after it. */
function redescribe(context: DdlContext, before: TableDescriptor, changed: TableDescriptor): TableDescriptor {
  const table: TableDescriptor = { ...changed, schemaVersion: before.schemaVersion + 1 };
  for (const oid of table.indexOids) {
    const index = context.objects.object(oid);
    if (index?.kind === 'index') context.objects.put(withTypes(context, index, table));
  }
  context.objects.put(table);
  return table;
}

/** A table that is put in the place of another, and the spaces that are to be left once its rows are in the new ones. */
export interface MovedTable {
  readonly table: TableDescriptor;
  readonly left: readonly SpaceId[];
}

/** Puts the table as `changed` describes it in the place of `before`, with spaces for its rows and indexes that are empty still. */
export function inNewSpaces(context: DdlContext, before: TableDescriptor, changed: TableDescriptor): MovedTable {
  const space = context.storage.allocateSpace(before.engine);
  const table: TableDescriptor = { ...changed, space, schemaVersion: before.schemaVersion + 1 };
  const left = [before.space];
  for (const oid of table.indexOids) {
    const index = context.objects.object(oid);
    if (index?.kind !== 'index') continue;
    const keysRows = index.space === before.space;
    if (!keysRows) left.push(index.space);
    context.objects.put(
      withTypes(context, { ...index, space: keysRows ? space : context.storage.allocateSpace(before.engine) }, table),
    );
  }
  context.objects.put(table);
  return { table, left };
}

/** The new spaces are filled: the old ones go. */
export function leaveSpaces(context: DdlContext, table: TableDescriptor, left: readonly SpaceId[]): void {
  context.tableRewritten(table.oid);
  for (const space of left) context.transaction.removeRange(spaceRange(space));
}

/** An index whose plain parts have the types that the table's columns have now. */
function withTypes(context: DdlContext, index: IndexDescriptor, table: TableDescriptor): IndexDescriptor {
  const parts = index.parts.map((part): IndexKeyPart => {
    const column = table.columns.find((candidate) => candidate.number === part.column);
    if (column === undefined) return part;
    const { type } = column;
    if (index.method !== 'gin' || type.oid === part.type.oid) return { ...part, type };
    // That of no type's own is kept.
    const written =
      part.operatorClass === 'gin_trgm_ops' ? [{ text: part.operatorClass, position: 0, quoted: true }] : undefined;
    return { ...part, type, operatorClass: invertedClass(context, type.oid, written) };
  });
  return { ...index, parts };
}
