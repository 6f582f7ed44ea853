/** FOREIGN KEY: the unique index of the parent that it stands on, its dependencies, and the rows that are there already. */
import { PhantomError, unsupportedError } from '@phantom/base';
import {
  type ColumnDescriptor,
  type ConstraintDescriptor,
  type ForeignKeyAction,
  type IndexDescriptor,
  type TableDescriptor,
  hasColumnPrivilege,
} from '@phantom/catalog';
import type { Yielded } from '../exec/runtime.js';
import { requireDocumentKey } from '../storage/document-keys.js';
import { holdersOf } from '../storage/partitions/partitioning.js';
import type { ReferentialAction, TableConstraint } from '../text/ast-schema.js';
import { TypeOid } from '../types/type-oids.js';
import type { DdlContext } from './context.js';
import { chooseName, columnNamed, freeConstraintName, relationNamed } from './names.js';
import { checkReferencedPersistence } from './persistence.js';
import { replaceTable } from './replace-table.js';
import { checkExistingForeignKey } from './validate.js';

type Step = Generator<Yielded, void, void>;
type ForeignKeyNode = TableConstraint & { kind: 'foreign-key' };

const ACTIONS: Readonly<Record<ReferentialAction, ForeignKeyAction>> = {
  'no-action': 'no action',
  restrict: 'restrict',
  cascade: 'cascade',
  'set-null': 'set null',
  'set-default': 'set default',
};

/** Adds a foreign key; 23503 where a row is there without the one that it refers to. */
export function* addForeignKey(
  context: DdlContext,
  table: TableDescriptor,
  node: ForeignKeyNode,
  newTable: boolean,
): Step {
  if (node.match === 'partial') throw unsupportedError('MATCH PARTIAL');
  if (!node.enforced) throw unsupportedError('NOT ENFORCED constraints');
  const parent = relationNamed(context, node.table);
  if (parent.kind !== 'table' || parent.materialized !== undefined)
    throw new PhantomError('42809', `referenced relation "${parent.name}" is not a table`);
  if (table.partitioned !== undefined && parent.collection !== undefined)
    throw unsupportedError('a foreign key of a partitioned table to a collection');
  if (table.partitioned !== undefined && node.notValid)
    throw new PhantomError(
      '0A000',
      `cannot add NOT VALID foreign key on partitioned table "${table.name}" referencing relation "${parent.name}"`,
      {
        detail: 'This feature is not yet supported on partitioned tables.',
      },
    );
  checkReferencedPersistence(table, parent);
  const columns = node.columns.map((name) => columnNamed(table, name));
  const { index, referenced } = referencedKey(context, parent, node);
  if (!hasColumnPrivilege(context.objects, context.roleOid, parent, 'x', referenced))
    throw new PhantomError('42501', `permission denied for table ${parent.name}`);
  if (referenced.length !== columns.length) {
    throw new PhantomError('42830', 'number of referencing and referenced columns for foreign key disagree');
  }
  checkKeyTypes(context, node.name?.text, parent, columns, referenced);
  const taken = (name: string): boolean => table.constraints.some((constraint) => constraint.name === name);
  const name =
    node.name === undefined
      ? chooseName(context, 0, [table.name, ...columns.map((column) => column.name)], 'fkey', taken)
      : freeConstraintName(table, node.name.text);
  const onDeleteColumns = node.onDeleteColumns.map((column) => columnNamed(table, column).number);
  const constraint: ConstraintDescriptor & { kind: 'foreign key' } = {
    kind: 'foreign key',
    oid: context.catalog.allocateOid(),
    name,
    deferrable: node.deferrable,
    initiallyDeferred: node.initiallyDeferred,
    validated: !node.notValid,
    columns: columns.map((column) => column.number),
    referencedTableOid: parent.oid,
    referencedColumns: referenced,
    referencedIndexOid: index.oid,
    onDelete: ACTIONS[node.onDelete],
    onUpdate: ACTIONS[node.onUpdate],
    ...(onDeleteColumns.length > 0 ? { onDeleteColumns } : {}),
    match: node.match,
  };
  // Writers of the parent must learn of the new key before its first child is written.
  if (parent.oid !== table.oid) yield* holdWriters(context, parent.oid);
  replaceTable(context, table, { constraints: [...table.constraints, constraint] });
  if (parent.collection !== undefined) replaceTable(context, parent, {});
  for (const partition of parent.partitioned === undefined ? [] : holdersOf(parent, context.objects)) {
    yield* holdWriters(context, partition.oid);
    const now = context.objects.object(partition.oid);
    if (now?.kind === 'table') replaceTable(context, now, {});
  }
  context.objects.addDependency({
    dependentOid: table.oid,
    dependentColumn: 0,
    referencedOid: parent.oid,
    // A field's column may go with the schema: not while it is referred to.
    referencedColumn: parent.collection === undefined ? 0 : (referenced[0] as number),
    strength: 'normal',
  });
  if (!newTable && !node.notValid) yield* checkExistingForeignKey(context, table, constraint, parent);
}

/** Keeps writers off a table until the transaction ends. */
function* holdWriters({ objects }: DdlContext, oid: number): Step {
  for (let wait = objects.lockObject(oid, 3); wait !== undefined; wait = objects.lockObject(oid, 3)) yield wait;
}

/** 42804 unless values of the columns can be found among those of the columns that they refer to. */
export function checkKeyTypes(
  context: DdlContext,
  name: string | undefined,
  parent: TableDescriptor,
  columns: readonly ColumnDescriptor[],
  referenced: readonly number[],
): void {
  if (parent.collection !== undefined && columns.length > 1)
    throw unsupportedError('a foreign key of several columns to a collection');
  columns.forEach((column, i) => {
    const other = parent.columns.find((candidate) => candidate.number === referenced[i]);
    if (other === undefined) return;
    // Ids of documents, and fields whose type the schema leaves open, are compared as documents compare values.
    if (parent.collection !== undefined) requireDocumentKey(column);
    if (parent.collection !== undefined && other.type.oid === TypeOid.jsonb) return;
    if (context.picture.functions.resolveOperator('=', other.type.oid, column.type.oid) === 'undefined') {
      const shown = name === undefined ? '' : ` "${name}"`;
      throw new PhantomError('42804', `foreign key constraint${shown} cannot be implemented`, {
        detail: `Key columns "${column.name}" and "${other.name}" are of incompatible types.`,
      });
    }
    if (parent.collection !== undefined) return;
    if (storageFamily(context, other.type.oid) !== storageFamily(context, column.type.oid)) {
      throw unsupportedError(`a foreign key from ${column.name} to ${other.name} of another type`);
    }
  });
}

function storageFamily(context: DdlContext, oid: number): string {
  const type = context.picture.types.byOid(oid);
  const integers = [20, 21, 23];
  return integers.includes(oid) ? 'integer' : `${type?.storage.kind}`;
}

/** The unique index of the parent that the key stands on, and its columns in the order of the key's. */
function referencedKey(
  context: DdlContext,
  parent: TableDescriptor,
  node: ForeignKeyNode,
): { index: IndexDescriptor; referenced: number[] } {
  const keys = parent.constraints.filter(
    (constraint) => constraint.kind === 'primary key' || constraint.kind === 'unique',
  );
  if (node.foreignColumns.length === 0) {
    const primary = keys.find((constraint) => constraint.kind === 'primary key');
    if (primary === undefined || !('indexOid' in primary)) {
      throw new PhantomError('42704', `there is no primary key for referenced table "${parent.name}"`);
    }
    const index = context.objects.object(primary.indexOid) as IndexDescriptor;
    if (index.deferrable === true) throw deferrableTarget(parent, 'primary key');
    return { index, referenced: [...primary.columns] };
  }
  const wanted = node.foreignColumns.map((name) => columnNamed(parent, name).number);
  let deferrable = false;
  for (const oid of parent.indexOids) {
    const index = context.objects.object(oid);
    if (index?.kind !== 'index' || !index.unique || index.predicateSql !== undefined) continue;
    const parts = keyColumnsOf(index, parent);
    if (parts.length !== wanted.length || !wanted.every((number) => parts.includes(number))) continue;
    if (index.deferrable !== true) return { index, referenced: wanted };
    deferrable = true;
  }
  if (deferrable) throw deferrableTarget(parent, 'unique constraint');
  throw new PhantomError(
    '42830',
    `there is no unique constraint matching given keys for referenced table "${parent.name}"`,
  );
}

/** The columns that an index keeps different: of a document index the column of its field. */
function keyColumnsOf(index: IndexDescriptor, parent: TableDescriptor): readonly (number | undefined)[] {
  const { document } = index;
  if (document === undefined) return index.parts.map((part) => part.column);
  if (document.kind !== 'ordered' || document.partialFilter !== undefined) return [];
  return document.parts.map(
    ({ path }) => parent.columns.find(({ field, dropped }) => !dropped && field?.name === path)?.number,
  );
}

/** A key that may be twice there for a while is nothing to refer to. */
function deferrableTarget(parent: TableDescriptor, what: string): PhantomError {
  return new PhantomError('55000', `cannot use a deferrable ${what} for referenced table "${parent.name}"`);
}
