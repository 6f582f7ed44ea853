/**
 * CREATE TABLE: columns, their types and defaults, sequences behind serial and identity columns, constraints and the indexes
 * they stand on. Everything is put into the catalog's overlay in this one transaction; the table's space is new, so nobody
 * can be in the way.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import { type ColumnDescriptor, NameClass, type TableDescriptor } from '@phantom/catalog';
import { bindRowExpression } from '../expr/row-expression.js';
import type { RowExpression } from '../expr/row-expression-types.js';
import { resolveTypeName } from '../expr/type-names.js';
import type { Yielded } from '../exec/runtime.js';
import { withNamedCollation } from '../expr/named-collation.js';
import type { Name, TypeName } from '../text/ast-leaves.js';
import type { ColumnConstraint, ColumnDefinition, CreateTable, TableConstraint } from '../text/ast-schema.js';
import { compressedBy, storedAs } from './column-advice.js';
import { addConstraint } from './constraints.js';
import type { DdlContext, DdlExecution } from './context.js';
import { type CopiedParts, copyParts, likeColumns } from './create-table-like.js';
import { claimName, columnNamed, creationSchema, refuseSystemName, relationExists } from './names.js';
import { ownSequence } from './create-table-sequence.js';
import { newTable, onCommitOf } from './new-table.js';
import { noteWithoutEffect } from './storage-options.js';
import { storedExpression } from './stored-expressions.js';
import { bindToParents } from './inheritance/bonds.js';
import { inheritedParts, mergeDeclared, putInheritedChecks, refuseConflicts } from './inheritance/inherited-parts.js';
import { attach, inheritedChecks, inheritedColumns, overriddenColumn, parentOf } from './partitions/partition-of.js';
import { partitionKeyOf } from './partitions/partition-key.js';
import { claimTypeName, putRowType, requireTypeUsage } from './types.js';

/** Columns of a table, dropped ones included: PostgreSQL's limit, so that what is dumped there fits here and the other way round. */
const COLUMNS_MAX = 1600;

/** Serial types: the integer they stand for. */
const SERIAL: Readonly<Record<string, string>> = {
  smallserial: 'int2',
  serial2: 'int2',
  serial: 'int4',
  serial4: 'int4',
  bigserial: 'int8',
  serial8: 'int8',
};

export function* createTable(context: DdlContext, node: CreateTable): DdlExecution {
  refuseUnsupported(node);
  const place = creationSchema(context, node.name, node.persistence);
  const existing = yield* claimName(context, NameClass.Relation, place.schemaOid, place.name);
  if (existing !== undefined) {
    if (!node.ifNotExists) throw relationExists(place.name);
    context.notice('NOTICE', '42P07', `relation "${place.name}" already exists, skipping`);
    return undefined;
  }
  yield* claimTypeName(context, place.schemaOid, place.name, true);
  const parent =
    node.partitionOf === undefined ? undefined : yield* parentOf(context, node.partitionOf.parent, place.persistence);
  let table = newTable(context, place, node.options, onCommitOf(node.onCommit, place.persistence), parent?.engine);
  if (parent !== undefined) table = { ...table, columns: inheritedColumns(parent, table.layoutVersion) };
  const inherited =
    node.inherits.length === 0 ? undefined : yield* inheritedParts(context, node.inherits, place.persistence);
  if (inherited !== undefined) table = { ...table, columns: inherited.columns, parentOids: inherited.parentOids };
  const settled = new Set<string>();
  // Columns of the definition so far, those of LIKE among them.
  let written = 0;
  const constraints: TableConstraint[] = [];
  const copied: CopiedParts = { indexes: [], statistics: [], keyComments: [], comments: new Map() };
  for (const element of node.elements) {
    if (element.kind === 'column-definition' && parent !== undefined) {
      table = yield* inheritColumn(context, table, element, constraints);
    } else if (element.kind === 'column-definition' && isInherited(table, element.name.text)) {
      table = yield* mergeColumn(context, table, element, constraints, ++written);
      if (saysValue(element)) settled.add(element.name.text);
    } else if (element.kind === 'column-definition') {
      const made = yield* makeColumn(context, table, element);
      table = { ...table, columns: [...table.columns, made.column] };
      written++;
      constraints.push(...made.constraints);
    } else if (element.kind === 'like') {
      const like = yield* likeColumns(context, table, element, constraints, copied, written);
      table = like.table;
      written = like.written;
    } else if (element.kind === 'period') {
      throw unsupportedError('PERIOD FOR');
    } else {
      constraints.push(element);
    }
  }
  if (parent !== undefined) constraints.push(...inheritedChecks(parent));
  if (inherited !== undefined) refuseConflicts(table.columns, inherited.conflicts, settled);
  if (node.partitionBy !== undefined) {
    refusePartitioned(node);
    table = { ...table, partitioned: partitionKeyOf(context, table, node.partitionBy) };
  }
  // The primary key first: it decides how rows are keyed. Foreign keys last: they may refer to this table's own keys.
  table = keyTable(table, constraints);
  context.objects.put(table);
  putRowType(context, table);
  if (inherited !== undefined) {
    putInheritedChecks(context, table, inherited.checks);
    bindToParents(context, table.oid, inherited.parentOids);
  }
  for (const rank of [isPrimaryKey, isOther, isForeignKey]) {
    for (const constraint of constraints.filter(rank)) {
      table = context.objects.object(table.oid) as TableDescriptor;
      yield* addConstraint(context, table, constraint, { newTable: true });
    }
  }
  table = context.objects.object(table.oid) as TableDescriptor;
  for (const column of table.columns) checkColumnValue(context, table, column);
  yield* copyParts(context, table.oid, copied);
  if (parent !== undefined && node.partitionOf !== undefined)
    yield* attach(context, parent, table.oid, node.partitionOf.bound, true);
  if (table.onCommit !== undefined) context.onCommit(table);
  return undefined;
}

/** A column's value as an expression of nothing but the session: its default, or what ADD COLUMN gives to old rows. */
export function bindColumnValue(
  context: DdlContext,
  table: TableDescriptor,
  column: ColumnDescriptor,
  sql: string,
): RowExpression {
  try {
    return bindRowExpression(sql, {
      columns: [],
      relationName: table.name,
      catalog: context.picture,
      target: column.type,
      purpose: 'default',
    });
  } catch (error) {
    if (!(error instanceof PhantomError)) throw error;
    if (error.code === '42703') throw new PhantomError('0A000', 'cannot use column reference in DEFAULT expression');
    if (error.code !== '42804') throw error;
    throw new PhantomError('42804', error.message.replace(/^column is/, `column "${column.name}" is`), {
      hint: error.hint,
    });
  }
}

/** Defaults and generation expressions must mean something when they are given, not when they are first used. */
function checkColumnValue(context: DdlContext, table: TableDescriptor, column: ColumnDescriptor): void {
  if (column.defaultSql === undefined || column.dropped) return;
  if (column.generated === undefined) {
    bindColumnValue(context, table, column, column.defaultSql);
    return;
  }
  const bound = bindRowExpression(column.defaultSql, {
    columns: table.columns,
    relationName: table.name,
    catalog: context.picture,
    target: column.type,
    purpose: 'generated',
  });
  if (bound.volatility !== 'immutable') throw new PhantomError('42P17', 'generation expression is not immutable');
  for (const number of bound.columns) {
    const used = table.columns.find((candidate) => candidate.number === number);
    if (used?.generated === undefined) continue;
    throw new PhantomError('42P17', `cannot use generated column "${used.name}" in column generation expression`, {
      detail: 'A generated column cannot reference another generated column.',
    });
  }
}

function refuseUnsupported(node: CreateTable): void {
  if (node.ofType !== undefined) throw unsupportedError('CREATE TABLE OF');
  if (node.systemVersioning) throw unsupportedError('system-versioned tables');
  if (node.tablespace !== undefined && node.tablespace.text !== 'pg_default') throw unsupportedError('tablespaces');
  if (node.accessMethod !== undefined && node.accessMethod.text !== 'heap') {
    throw new PhantomError('42704', `access method "${node.accessMethod.text}" does not exist`, {
      hint: 'WITH (engine = btree | lsm) chooses how a table is stored.',
    });
  }
}

/** What a partitioned table cannot have: there, and here. */
function refusePartitioned(node: CreateTable): void {
  // WITH (oids = false) says what is so anyway: old dumps have it, and pgAdmin writes it.
  const option = node.options.find(({ name }) => name.text !== 'engine' && name.text !== 'oids');
  if (option !== undefined) throw new PhantomError('22023', `unrecognized parameter "${option.name.text}"`);
  if (node.inherits.length > 0) throw new PhantomError('42P16', 'cannot create partitioned table as inheritance child');
}

/** The primary key's columns become the rows' key. */
function keyTable(table: TableDescriptor, constraints: readonly TableConstraint[]): TableDescriptor {
  if (table.partitioned !== undefined) return table;
  const primary = constraints.find(isPrimaryKey);
  if (primary?.kind !== 'primary-key' || primary.deferrable) return table;
  const keyColumns = primary.columns.map((name) => columnNamed(table, name).number);
  return { ...table, keyColumns };
}

function specifiedTwice({ text, position }: Name): PhantomError {
  return new PhantomError('42701', `column "${text}" specified more than once`, { position: position + 1 });
}

function isPrimaryKey(constraint: TableConstraint): boolean {
  return constraint.kind === 'primary-key';
}

function isForeignKey(constraint: TableConstraint): boolean {
  return constraint.kind === 'foreign-key';
}

function isOther(constraint: TableConstraint): boolean {
  return !isPrimaryKey(constraint) && !isForeignKey(constraint);
}

/** A column of a definition, and the table constraints that its column constraints stand for. */
export function* makeColumn(
  context: DdlContext,
  table: TableDescriptor,
  node: ColumnDefinition,
): Generator<Yielded, { column: ColumnDescriptor; constraints: TableConstraint[] }, void> {
  const { name } = node;
  if (table.columns.some((column) => column.name === name.text && !column.dropped)) {
    throw specifiedTwice(name);
  }
  refuseSystemName(name.text);
  if (table.columns.length >= COLUMNS_MAX)
    throw new PhantomError('54011', `tables can have at most ${COLUMNS_MAX} columns`);
  if (node.type === undefined) throw unsupportedError('a column without a type');
  const serial = serialOf(node.type);
  const type = resolveTypeName(
    context.picture,
    serial === undefined ? node.type : { ...node.type, name: [{ ...(node.type.name[0] as Name), text: serial }] },
  );
  const kind = context.picture.types.byOid(type.oid)?.kind;
  if (kind === 'pseudo')
    throw new PhantomError('42P16', `column "${name.text}" has pseudo-type`, { position: node.type.position + 1 });
  requireTypeUsage(context, type);
  const constraints: TableConstraint[] = [];
  let column: ColumnDescriptor = {
    number: (table.columns.at(-1)?.number ?? 0) + 1,
    name: name.text,
    type: withNamedCollation(context.picture, type, node.collation),
    notNull: false,
    dropped: false,
    sinceVersion: table.layoutVersion,
  };
  if (node.storage !== undefined) {
    column = storedAs(context, column, node.storage);
    noteWithoutEffect(context, 'STORAGE');
  }
  if (node.compression !== undefined) {
    column = compressedBy(context, column, node.compression);
    noteWithoutEffect(context, 'COMPRESSION');
  }
  if (serial !== undefined) column = yield* ownSequence(context, table, column, serial, [], undefined);
  for (const constraint of node.constraints) {
    column = yield* applyColumnConstraint(context, table, column, constraint, constraints);
  }
  return { column, constraints };
}

/** A column of a partition's definition: what it says besides what the partitioned table does. */
function* inheritColumn(
  context: DdlContext,
  table: TableDescriptor,
  node: ColumnDefinition,
  constraints: TableConstraint[],
): Generator<Yielded, TableDescriptor, void> {
  let column = overriddenColumn(table, node);
  for (const constraint of node.constraints)
    column = yield* applyColumnConstraint(context, table, column, constraint, constraints);
  return { ...table, columns: table.columns.map((other) => (other.number === column.number ? column : other)) };
}

/** A column of a definition that a parent has, too. */
function* mergeColumn(
  context: DdlContext,
  table: TableDescriptor,
  node: ColumnDefinition,
  constraints: TableConstraint[],
  written: number,
): Generator<Yielded, TableDescriptor, void> {
  const at = table.columns.findIndex(({ name }) => name === node.name.text);
  const inherited = table.columns[at] as ColumnDescriptor;
  if (inherited.isLocal === undefined) throw specifiedTwice(node.name);
  // It takes the number of the inherited one, by which a sequence of its own knows it.
  const made = yield* makeColumn(context, { ...table, columns: table.columns.slice(0, at) }, node);
  constraints.push(...made.constraints);
  const saysDefault = node.constraints.some(({ kind }) => kind === 'default');
  const merged = mergeDeclared(context, inherited, made.column, saysDefault, written);
  return { ...table, columns: table.columns.with(at, merged) };
}

function isInherited({ columns }: TableDescriptor, name: string): boolean {
  return columns.some((column) => column.name === name && column.inheritCount !== undefined);
}

/** The definition says what the column's value is where nothing is given. */
function saysValue({ constraints, type }: ColumnDefinition): boolean {
  if (type !== undefined && serialOf(type) !== undefined) return true;
  return constraints.some(({ kind }) => kind === 'default' || kind === 'generated' || kind === 'identity');
}

function serialOf(type: TypeName): string | undefined {
  const word = type.name.length === 1 && type.arrayBounds.length === 0 ? type.name[0] : undefined;
  // They are no types but words, which mean the same in quotes.
  return word === undefined ? undefined : SERIAL[word.text];
}

function* applyColumnConstraint(
  context: DdlContext,
  table: TableDescriptor,
  column: ColumnDescriptor,
  constraint: ColumnConstraint,
  constraints: TableConstraint[],
): Generator<Yielded, ColumnDescriptor, void> {
  const self: Name = { text: column.name, position: constraint.position, quoted: true };
  const clash = (what: string): PhantomError =>
    new PhantomError('42601', `${what} specified for column "${column.name}" of table "${table.name}"`, {
      position: constraint.position + 1,
    });
  switch (constraint.kind) {
    case 'null':
      if (column.notNull)
        throw new PhantomError(
          '42601',
          `conflicting NULL/NOT NULL declarations for column "${column.name}" of table "${table.name}"`,
        );
      return column;
    case 'not-null':
      return { ...column, notNull: true };
    case 'default':
      if (column.generated !== undefined) throw clash('both default and generation expression');
      if (column.identity !== undefined) throw clash('both default and identity');
      if (column.defaultSql !== undefined) throw clash('multiple default values');
      if (constraint.value.kind === 'null') return column;
      return { ...column, defaultSql: storedExpression(context, constraint.value) };
    case 'generated':
      if (!constraint.stored) throw unsupportedError('virtual generated columns');
      if (column.generated !== undefined) throw clash('multiple generation clauses');
      if (column.defaultSql !== undefined) throw clash('both default and generation expression');
      if (column.identity !== undefined) throw clash('both identity and generation expression');
      return { ...column, generated: 'stored', defaultSql: storedExpression(context, constraint.value, table.name) };
    case 'identity': {
      if (column.identity !== undefined) throw clash('multiple identity specifications');
      if (column.generated !== undefined) throw clash('both identity and generation expression');
      if (column.defaultSql !== undefined) throw clash('both default and identity');
      const identity = constraint.always ? 'always' : 'by default';
      return yield* ownSequence(context, table, column, undefined, constraint.options, identity);
    }
    case 'check':
      constraints.push({ ...constraint, notValid: false });
      return column;
    case 'unique':
      constraints.push({ ...constraint, kind: 'unique', columns: [self], withoutOverlaps: undefined });
      return column;
    case 'primary-key':
      constraints.push({ ...constraint, kind: 'primary-key', columns: [self], withoutOverlaps: undefined });
      return { ...column, notNull: true };
    case 'references':
      constraints.push({ ...constraint, kind: 'foreign-key', columns: [self], notValid: false });
      return column;
    default:
      throw unsupportedError('system-versioned tables');
  }
}
