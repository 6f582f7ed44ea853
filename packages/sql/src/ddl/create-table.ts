/**
 * CREATE TABLE: columns, their types and defaults, sequences behind serial and identity columns, constraints and the indexes
 * they stand on. Everything is put into the catalog's overlay in this one transaction; the table's space is new, so nobody
 * can be in the way.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import {
  type ColumnDescriptor,
  NameClass,
  type Oid,
  type SequenceDescriptor,
  type TableDescriptor,
} from '@phantom/catalog';
import { resolveTypeName } from '../expr/type-names.js';
import type { Yielded } from '../exec/runtime.js';
import type { TableEngine } from '../session/ports.js';
import type { Name, Option, TypeName } from '../text/ast-leaves.js';
import type {
  ColumnConstraint,
  ColumnDefinition,
  CreateTable,
  SequenceOption,
  TableConstraint,
} from '../text/ast-schema.js';
import { deparseExpression } from '../text/deparse.js';
import { addConstraint } from './constraints.js';
import type { DdlContext, DdlExecution } from './context.js';
import { likeColumns } from './create-table-like.js';
import { chooseName, claimName, columnNamed, creationSchema, relationExists } from './names.js';
import { sequenceDescriptor } from './sequences.js';
import { putRowType } from './types.js';

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
  const place = creationSchema(context, node.name);
  const existing = yield* claimName(context, NameClass.Relation, place.schemaOid, place.name);
  if (existing !== undefined) {
    if (!node.ifNotExists) throw relationExists(place.name);
    context.notice('NOTICE', '42P07', `relation "${place.name}" already exists, skipping`);
    return undefined;
  }
  const engine = engineOf(node.options);
  let table: TableDescriptor = {
    kind: 'table',
    oid: context.catalog.allocateOid(),
    name: place.name,
    databaseOid: context.databaseOid,
    schemaOid: place.schemaOid,
    ownerOid: context.roleOid,
    persistence: 'permanent',
    engine,
    space: context.storage.allocateSpace(engine),
    layoutVersion: 1,
    columns: [],
    constraints: [],
    indexOids: [],
    keyColumns: [],
    schemaVersion: 1,
    rowTypeOid: context.catalog.allocateOid(),
  };
  const constraints: TableConstraint[] = [];
  for (const element of node.elements) {
    if (element.kind === 'column-definition') {
      const made = yield* makeColumn(context, table, element);
      table = { ...table, columns: [...table.columns, made.column] };
      constraints.push(...made.constraints);
    } else if (element.kind === 'like') {
      table = likeColumns(context, table, element, constraints);
    } else if (element.kind === 'period') {
      throw unsupportedError('PERIOD FOR');
    } else {
      constraints.push(element);
    }
  }
  // The primary key first: it decides how rows are keyed. Foreign keys last: they may refer to this table's own keys.
  table = keyTable(table, constraints);
  context.objects.put(table);
  putRowType(context, table);
  for (const rank of [isPrimaryKey, isOther, isForeignKey]) {
    for (const constraint of constraints.filter(rank)) {
      table = context.objects.object(table.oid) as TableDescriptor;
      yield* addConstraint(context, table, constraint, { newTable: true });
    }
  }
  return undefined;
}

function refuseUnsupported(node: CreateTable): void {
  if (node.inherits.length > 0) throw unsupportedError('table inheritance');
  if (node.partitionOf !== undefined || node.partitionBy !== undefined) throw unsupportedError('table partitioning');
  if (node.ofType !== undefined) throw unsupportedError('CREATE TABLE OF');
  if (node.systemVersioning) throw unsupportedError('system-versioned tables');
  if (node.persistence === 'unlogged') throw unsupportedError('unlogged tables');
  if (node.persistence === 'temporary') throw unsupportedError('temporary tables');
  if (node.tablespace !== undefined && node.tablespace.text !== 'pg_default') throw unsupportedError('tablespaces');
  if (node.accessMethod !== undefined && node.accessMethod.text !== 'heap') {
    throw new PhantomError('42704', `access method "${node.accessMethod.text}" does not exist`, {
      hint: 'WITH (engine = btree | lsm) chooses how a table is stored.',
    });
  }
}

/** WITH (engine = ...). PostgreSQL's fillfactor may be given as the 100 that it is: no room is kept for updates in place. */
export function engineOf(options: readonly Option[]): TableEngine {
  let engine: TableEngine = 'btree';
  for (const option of options) {
    const name = option.name.text;
    if (name === 'fillfactor' && option.value?.kind === 'number') {
      if (Number(option.value.text) !== 100) throw unsupportedError('a fillfactor other than 100');
      continue;
    }
    if (name !== 'engine') {
      throw new PhantomError('22023', `unrecognized parameter "${name}"`, { position: option.position + 1 });
    }
    const { value } = option;
    const text = value?.kind === 'word' ? value.name[0]?.text : value?.kind === 'string' ? value.value : undefined;
    if (text !== 'btree' && text !== 'lsm') {
      throw new PhantomError('22023', `invalid value for option "engine"`, {
        hint: 'Available engines: btree, lsm.',
        position: option.position + 1,
      });
    }
    engine = text;
  }
  return engine;
}

/** The primary key's columns become the rows' key. */
function keyTable(table: TableDescriptor, constraints: readonly TableConstraint[]): TableDescriptor {
  const primary = constraints.find(isPrimaryKey);
  if (primary === undefined || !('columns' in primary)) return table;
  const keyColumns = primary.columns.map((name) => columnNamed(table, name).number);
  return { ...table, keyColumns };
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
    throw new PhantomError('42701', `column "${name.text}" specified more than once`, { position: name.position + 1 });
  }
  if (node.type === undefined) throw unsupportedError('a column without a type');
  const serial = serialOf(node.type);
  const type = resolveTypeName(
    context.picture,
    serial === undefined ? node.type : { ...node.type, name: [{ ...(node.type.name[0] as Name), text: serial }] },
  );
  const kind = context.picture.types.byOid(type.oid)?.kind;
  if (kind === 'pseudo')
    throw new PhantomError('42P16', `column "${name.text}" has pseudo-type`, { position: node.type.position + 1 });
  const constraints: TableConstraint[] = [];
  let column: ColumnDescriptor = {
    number: (table.columns.at(-1)?.number ?? 0) + 1,
    name: name.text,
    type: node.collation === undefined ? type : { ...type, collation: node.collation.at(-1)?.text as string },
    notNull: false,
    dropped: false,
    sinceVersion: table.layoutVersion,
  };
  if (serial !== undefined) column = yield* ownSequence(context, table, column, serial, [], undefined);
  for (const constraint of node.constraints) {
    column = yield* applyColumnConstraint(context, table, column, constraint, constraints);
  }
  return { column, constraints };
}

function serialOf(type: TypeName): string | undefined {
  const word = type.name.length === 1 && type.arrayBounds.length === 0 ? type.name[0] : undefined;
  return word === undefined || word.quoted ? undefined : SERIAL[word.text];
}

function* applyColumnConstraint(
  context: DdlContext,
  table: TableDescriptor,
  column: ColumnDescriptor,
  constraint: ColumnConstraint,
  constraints: TableConstraint[],
): Generator<Yielded, ColumnDescriptor, void> {
  const self: Name = { text: column.name, position: constraint.position, quoted: true };
  switch (constraint.kind) {
    case 'null':
      return column;
    case 'not-null':
      return { ...column, notNull: true };
    case 'default':
      return { ...column, defaultSql: deparseExpression(constraint.value) };
    case 'generated':
      if (!constraint.stored) throw unsupportedError('virtual generated columns');
      return { ...column, generated: 'stored', defaultSql: deparseExpression(constraint.value) };
    case 'identity': {
      const sequenced = yield* ownSequence(
        context,
        table,
        column,
        undefined,
        constraint.options,
        constraint.always ? 'always' : 'by default',
      );
      return sequenced;
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

/** Makes the sequence behind a serial or identity column and ties it to the column. */
function* ownSequence(
  context: DdlContext,
  table: TableDescriptor,
  column: ColumnDescriptor,
  serialType: string | undefined,
  options: readonly SequenceOption[],
  identity: 'always' | 'by default' | undefined,
): Generator<Yielded, ColumnDescriptor, void> {
  const name = chooseName(context, table.schemaOid, [table.name, column.name], 'seq');
  yield* claimName(context, NameClass.Relation, table.schemaOid, name);
  const typeOid: Oid = column.type.oid;
  if (identity !== undefined && ![20, 21, 23].includes(typeOid)) {
    throw new PhantomError('22023', 'identity column type must be smallint, integer, or bigint');
  }
  const sequence: SequenceDescriptor = {
    ...sequenceDescriptor(context, table.schemaOid, name, typeOid, options),
    ownedBy: { tableOid: table.oid, column: column.number },
  };
  context.objects.put(sequence);
  context.objects.addDependency({
    dependentOid: sequence.oid,
    dependentColumn: 0,
    referencedOid: table.oid,
    referencedColumn: column.number,
    strength: 'automatic',
  });
  if (identity !== undefined) return { ...column, notNull: true, identity, sequenceOid: sequence.oid };
  if (serialType === undefined) return column;
  return { ...column, notNull: true, sequenceOid: sequence.oid, defaultSql: `nextval(${sequence.oid}::regclass)` };
}
