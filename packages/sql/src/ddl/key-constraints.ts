/** PRIMARY KEY and UNIQUE: the index that a key stands on, and the rows that are there already. */
import { PhantomError, unsupportedError } from '@phantom/base';
import {
  type ConstraintDescriptor,
  type IndexDescriptor,
  type IndexKeyPart,
  NameClass,
  type TableDescriptor,
} from '@phantom/catalog';
import { spaceRange } from '@phantom/kv';
import type { Yielded } from '../exec/runtime.js';
import type { Name } from '../text/ast-leaves.js';
import type { TableConstraint } from '../text/ast-schema.js';
import type { AddConstraintOptions } from './constraints.js';
import type { DdlContext } from './context.js';
import { buildIndex } from './index-build.js';
import { requireKeyColumns } from './partitions/key-columns.js';
import { chooseName, claimName, columnNamed, freeConstraintName, relationExists } from './names.js';
import { rekeyTable } from './rekey-table.js';
import { checkOrdered } from './operator-classes.js';
import { enterIndex, indexIdentity } from './put-index.js';
import { replaceTable } from './replace-table.js';
import { noteIdleOptions, storageOptions } from './storage-options.js';
import { checkExistingRows } from './validate.js';

type Step = Generator<Yielded, void, void>;
export type KeyNode = TableConstraint & { kind: 'unique' | 'primary-key' };
export type KeyConstraint = ConstraintDescriptor & { readonly kind: 'primary key' | 'unique' };
type UsingIndexNode = TableConstraint & { kind: 'using-index' };

/** A key as it would be written for another table, whose names of the index's columns are given; its own name is to be found. */
export function keyNodeLike(
  key: KeyConstraint,
  index: IndexDescriptor,
  nameOf: (columnNumber: number) => Name,
  position: number,
): KeyNode {
  return {
    kind: key.kind === 'unique' ? 'unique' : 'primary-key',
    name: undefined,
    // A key stands on columns only, never on expressions.
    columns: index.parts.map(({ column }) => nameOf(column as number)),
    include: index.include.map(nameOf),
    nullsDistinct: !index.nullsNotDistinct,
    options: [],
    tablespace: undefined,
    withoutOverlaps: undefined,
    deferrable: key.deferrable,
    initiallyDeferred: key.initiallyDeferred,
    position,
  };
}

/** Adds a primary key or unique constraint; 23502 and 23505 where the rows that are there do not obey it. */
export function* addKey(
  context: DdlContext,
  table: TableDescriptor,
  node: KeyNode,
  { newTable, alone = false }: AddConstraintOptions,
): Step {
  if (node.withoutOverlaps !== undefined) throw unsupportedError('WITHOUT OVERLAPS');
  const primary = node.kind === 'primary-key';
  const storage = storageOptions(node.options, 'index');
  noteIdleOptions(context, node.options);
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
  if (table.partitioned !== undefined) {
    const numbers = columns.map(({ number }) => number);
    requireKeyColumns(table, table.partitioned, numbers, primary ? 'PRIMARY KEY' : 'UNIQUE');
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
  const parts = columns.map((column): IndexKeyPart => ({
    column: column.number,
    type: column.type,
    descending: false,
    nullsFirst: false,
  }));
  for (const part of parts) checkOrdered(context, part);
  // A primary key keys the rows themselves, unless it lets them have the same key for a while: then it is an index beside them.
  const keysRows = primary && !node.deferrable && table.partitioned === undefined;
  const index: IndexDescriptor = {
    ...indexIdentity(context, table, name),
    space: keysRows ? table.space : context.storage.allocateSpace(table.engine),
    method: 'btree',
    unique: true,
    primary,
    nullsNotDistinct: !node.nullsDistinct,
    ...(node.deferrable ? { deferrable: true } : {}),
    parts,
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
  enterIndex(context, index);
  const withKey: TableDescriptor = {
    ...table,
    columns: primary
      ? table.columns.map((column) => (columns.includes(column) ? { ...column, notNull: true } : column))
      : table.columns,
    constraints: [...table.constraints, constraint],
    indexOids: [...table.indexOids, index.oid],
    ...(keysRows ? { keyColumns: constraint.columns } : {}),
  };
  if (newTable || table.partitioned !== undefined) return replaceTable(context, withKey, {});
  if (keysRows) return yield* rekeyTable(context, table, withKey, index, alone);
  if (primary) {
    for (const column of columns) if (!column.notNull) yield* checkExistingRows(context, table, column);
  }
  replaceTable(context, withKey, {});
  yield* buildIndex(context, withKey, index, alone);
  context.tableRewritten(table.oid);
}

/** ADD CONSTRAINT ... USING INDEX: a unique index that is there becomes a key, and takes the constraint's name. */
export function* addKeyOver(context: DdlContext, table: TableDescriptor, node: UsingIndexNode): Step {
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
  yield* buildIndex(context, keyed, rebuilt, false);
  context.tableRewritten(table.oid);
}
