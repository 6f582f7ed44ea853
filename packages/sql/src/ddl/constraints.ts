/**
 * Constraints: from syntax to descriptor, with the index a key stands on, the dependencies of a foreign key, and the check
 * of the rows that are there already.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import {
  type ColumnDescriptor,
  type ConstraintDescriptor,
  type ForeignKeyAction,
  type IndexDescriptor,
  NameClass,
  type TableDescriptor,
  hasColumnPrivilege,
} from '@phantom/catalog';
import { spaceRange } from '@phantom/kv';
import { bindRowExpression } from '../expr/row-expression.js';
import type { ReferentialAction, TableConstraint } from '../text/ast-schema.js';
import { storageOptions } from './storage-options.js';
import { storedExpression } from './stored-expressions.js';
import type { DdlContext } from './context.js';
import { buildIndex } from './index-build.js';
import { chooseName, claimName, columnNamed, relationExists, relationNamed } from './names.js';
import type { Yielded } from '../exec/runtime.js';
import { checkExistingRows, checkExistingForeignKey } from './validate.js';
import { requireDocumentKey } from '../storage/document-keys.js';
import { TypeOid } from '../types/type-oids.js';
import { BOOL } from '../types/type-refs.js';
import { checkReferencedPersistence } from './persistence.js';

type Step<T> = Generator<Yielded, T, void>;
type KeyConstraint = TableConstraint & { kind: 'unique' | 'primary-key' };
type ForeignKeyNode = TableConstraint & { kind: 'foreign-key' };
type UsingIndexNode = TableConstraint & { kind: 'using-index' };
type CheckNode = TableConstraint & { kind: 'check' };

export interface AddConstraintOptions {
  /** The table is made in this statement: it has no rows to check. */
  readonly newTable: boolean;
}

/** Adds a constraint to a table in the overlay. The caller holds the table's lock. */
export function* addConstraint(
  context: DdlContext,
  table: TableDescriptor,
  node: TableConstraint,
  options: AddConstraintOptions,
): Step<void> {
  switch (node.kind) {
    case 'check':
      return yield* addCheck(context, table, node, options);
    case 'unique':
    case 'primary-key':
      return yield* addKey(context, table, node, options);
    case 'foreign-key':
      return yield* addForeignKey(context, table, node, options);
    case 'exclude':
      throw unsupportedError('exclusion constraints');
    case 'using-index':
      return yield* addKeyOver(context, table, node);
  }
}

function replaceTable(context: DdlContext, table: TableDescriptor, change: Partial<TableDescriptor>): void {
  context.objects.put({ ...table, ...change, schemaVersion: table.schemaVersion + 1 });
}

function freeConstraintName(table: TableDescriptor, name: string): string {
  if (table.constraints.some((constraint) => constraint.name === name)) {
    throw new PhantomError('42710', `constraint "${name}" for relation "${table.name}" already exists`);
  }
  return name;
}

function* addCheck(
  context: DdlContext,
  table: TableDescriptor,
  node: CheckNode,
  options: AddConstraintOptions,
): Step<void> {
  if (!node.enforced) throw unsupportedError('NOT ENFORCED constraints');
  const expressionSql = storedExpression(context, node.condition, table.name);
  const bound = bindRowExpression(expressionSql, {
    columns: table.columns,
    relationName: table.name,
    catalog: context.picture,
    target: BOOL,
    purpose: 'check',
  });
  const only =
    bound.columns.length === 1 ? table.columns.find((column) => column.number === bound.columns[0])?.name : undefined;
  const taken = (name: string): boolean => table.constraints.some((constraint) => constraint.name === name);
  const name =
    node.name === undefined
      ? chooseName(context, 0, only === undefined ? [table.name] : [table.name, only], 'check', taken)
      : freeConstraintName(table, node.name.text);
  const constraint: ConstraintDescriptor = {
    kind: 'check',
    oid: context.catalog.allocateOid(),
    name,
    deferrable: false,
    initiallyDeferred: false,
    validated: !node.notValid,
    expressionSql,
    columns: bound.columns,
    ...(node.noInherit ? { noInherit: true } : {}),
  };
  if (!options.newTable && !node.notValid) yield* checkExistingRows(context, table, name, bound);
  replaceTable(context, table, { constraints: [...table.constraints, constraint] });
}

function* addKey(
  context: DdlContext,
  table: TableDescriptor,
  node: KeyConstraint,
  options: AddConstraintOptions,
): Step<void> {
  if (node.withoutOverlaps !== undefined) throw unsupportedError('WITHOUT OVERLAPS');
  const primary = node.kind === 'primary-key';
  const storage = storageOptions(node.options, 'index');
  if (primary && table.constraints.some((constraint) => constraint.kind === 'primary key')) {
    throw new PhantomError('42P16', `multiple primary keys for table "${table.name}" are not allowed`, {
      position: node.position + 1,
    });
  }
  const columns = node.columns.map((name) => columnNamed(table, name));
  const repeated = columns.find((column, i) => columns.indexOf(column) !== i);
  if (repeated !== undefined) {
    throw new PhantomError(
      '42701',
      `column "${repeated.name}" appears twice in ${primary ? 'primary key' : 'unique'} constraint`,
      { position: node.position + 1 },
    );
  }
  const name =
    node.name?.text ??
    chooseName(
      context,
      table.schemaOid,
      primary ? [table.name] : [table.name, ...columns.map((c) => c.name)],
      primary ? 'pkey' : 'key',
      (candidate) => table.constraints.some((constraint) => constraint.name === candidate),
    );
  const existing = yield* claimName(context, NameClass.Relation, table.schemaOid, name);
  if (existing !== undefined) throw relationExists(name);
  freeConstraintName(table, name);
  // A primary key given at creation keys the rows themselves; one added later is a unique index beside them, as is one that
  // lets rows have the same key for a while.
  const keysRows = primary && options.newTable && !node.deferrable;
  const index: IndexDescriptor = {
    kind: 'index',
    oid: context.catalog.allocateOid(),
    name,
    databaseOid: table.databaseOid,
    schemaOid: table.schemaOid,
    ownerOid: table.ownerOid,
    tableOid: table.oid,
    space: keysRows ? table.space : context.storage.allocateSpace(table.engine),
    method: 'btree',
    unique: true,
    primary,
    nullsNotDistinct: !node.nullsDistinct,
    ...(node.deferrable ? { deferrable: true } : {}),
    parts: columns.map((column) => ({
      column: column.number,
      type: column.type,
      descending: false,
      nullsFirst: false,
    })),
    include: node.include.map((name) => columnNamed(table, name).number),
    ...(keysRows || node.include.length === 0 ? {} : { storesIncluded: true }),
    ...(Object.keys(storage).length === 0 ? {} : { options: storage }),
    state: 'valid',
  };
  const constraint: ConstraintDescriptor = {
    kind: primary ? 'primary key' : 'unique',
    oid: context.catalog.allocateOid(),
    name,
    deferrable: node.deferrable,
    initiallyDeferred: node.initiallyDeferred,
    validated: true,
    columns: columns.map((column) => column.number),
    indexOid: index.oid,
  };
  context.objects.put(index);
  context.objects.addDependency({
    dependentOid: index.oid,
    dependentColumn: 0,
    referencedOid: table.oid,
    referencedColumn: 0,
    strength: 'automatic',
  });
  const withKey: TableDescriptor = {
    ...table,
    columns: primary
      ? table.columns.map((column) => (columns.includes(column) ? { ...column, notNull: true } : column))
      : table.columns,
    constraints: [...table.constraints, constraint],
    indexOids: [...table.indexOids, index.oid],
  };
  if (primary && !options.newTable) {
    for (const column of columns) if (!column.notNull) yield* checkExistingRows(context, table, column);
  }
  replaceTable(context, withKey, {});
  if (!options.newTable) {
    yield* buildIndex(context, withKey, index);
    context.tableRewritten(table.oid);
  }
}

/** ADD CONSTRAINT ... USING INDEX: a unique index that is there becomes a key, and takes the constraint's name. */
function* addKeyOver(context: DdlContext, table: TableDescriptor, node: UsingIndexNode): Step<void> {
  const index = table.indexOids
    .map((oid) => context.objects.object(oid))
    .find((candidate) => candidate?.name === node.index.text);
  if (index?.kind !== 'index')
    throw new PhantomError('42704', `index "${node.index.text}" does not exist`, { position: node.position + 1 });
  const taken = table.constraints.some((other) => 'indexOid' in other && other.indexOid === index.oid);
  if (taken) throw new PhantomError('55000', `index "${index.name}" is already associated with a constraint`);
  if (!index.unique)
    throw new PhantomError('42809', `"${index.name}" is not a unique index`, {
      detail: 'Cannot create a primary key or unique constraint using such an index.',
    });
  if (index.predicateSql !== undefined)
    throw new PhantomError('42809', `"${index.name}" is a partial index`, {
      detail: 'Cannot create a primary key or unique constraint using such an index.',
    });
  const plain = index.parts.every((part) => part.column !== undefined && !part.descending && !part.nullsFirst);
  if (!plain)
    throw new PhantomError('42809', `index "${index.name}" contains expressions`, {
      detail: 'Cannot create a primary key or unique constraint using such an index.',
    });
  if (node.primaryKey && table.constraints.some((other) => other.kind === 'primary key'))
    throw new PhantomError('42P16', `multiple primary keys for table "${table.name}" are not allowed`);
  const columns = index.parts.map((part) => part.column as number);
  let keyed = table;
  if (node.primaryKey) {
    for (const column of table.columns)
      if (columns.includes(column.number) && !column.notNull) yield* checkExistingRows(context, table, column);
    keyed = {
      ...table,
      columns: table.columns.map((column) => (columns.includes(column.number) ? { ...column, notNull: true } : column)),
    };
  }
  const name = node.name?.text ?? index.name;
  if (name !== index.name) {
    freeConstraintName(table, name);
    if ((yield* claimName(context, NameClass.Relation, table.schemaOid, name)) !== undefined)
      throw relationExists(name);
    context.notice(
      'NOTICE',
      '00000',
      `ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index "${index.name}" to "${name}"`,
    );
  }
  const constraint: ConstraintDescriptor = {
    kind: node.primaryKey ? 'primary key' : 'unique',
    oid: context.catalog.allocateOid(),
    name,
    deferrable: node.deferrable,
    initiallyDeferred: node.initiallyDeferred,
    validated: true,
    columns,
    indexOid: index.oid,
  };
  const standing: IndexDescriptor = { ...index, name, primary: node.primaryKey };
  replaceTable(context, keyed, { constraints: [...table.constraints, constraint] });
  if (!node.deferrable) return context.objects.put(standing);
  // Entries of a deferrable key are of another form: the index is built anew.
  context.transaction.removeRange(spaceRange(index.space));
  const rebuilt: IndexDescriptor = {
    ...standing,
    deferrable: true,
    space: context.storage.allocateSpace(table.engine),
  };
  context.objects.put(rebuilt);
  yield* buildIndex(context, keyed, rebuilt);
  context.tableRewritten(table.oid);
}

const ACTIONS: Readonly<Record<ReferentialAction, ForeignKeyAction>> = {
  'no-action': 'no action',
  restrict: 'restrict',
  cascade: 'cascade',
  'set-null': 'set null',
  'set-default': 'set default',
};

function* addForeignKey(
  context: DdlContext,
  table: TableDescriptor,
  node: ForeignKeyNode,
  options: AddConstraintOptions,
): Step<void> {
  if (node.match === 'partial') throw unsupportedError('MATCH PARTIAL');
  if (!node.enforced) throw unsupportedError('NOT ENFORCED constraints');
  const parent = relationNamed(context, node.table);
  if (parent.kind !== 'table' || parent.materialized !== undefined)
    throw new PhantomError('42809', `referenced relation "${parent.name}" is not a table`);
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
  if (parent.oid !== table.oid) {
    for (
      let wait = context.objects.lockObject(parent.oid, 3);
      wait !== undefined;
      wait = context.objects.lockObject(parent.oid, 3)
    )
      yield wait;
  }
  replaceTable(context, table, { constraints: [...table.constraints, constraint] });
  if (parent.collection !== undefined) replaceTable(context, parent, {});
  context.objects.addDependency({
    dependentOid: table.oid,
    dependentColumn: 0,
    referencedOid: parent.oid,
    // A field's column may go with the schema: not while it is referred to.
    referencedColumn: parent.collection === undefined ? 0 : (referenced[0] as number),
    strength: 'normal',
  });
  if (!options.newTable && !node.notValid) yield* checkExistingForeignKey(context, table, constraint, parent);
}

/** 42804 and 0A000 for columns that cannot refer to these. */
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
