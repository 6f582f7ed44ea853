/**
 * ALTER TABLE of partitioned tables and of partitions: what is done to the one is done to each of its partitions, and what would make
 * a partition differ from its table is refused. Columns, keys and indexes that go take those of the partitions along (drop-plan.ts);
 * keys that come are made on each partition where they are added (partition-indexes.ts).
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { ColumnDescriptor, TableDescriptor } from '@phantom/catalog';
import type { Yielded } from '../../exec/runtime.js';
import type { CheckConstraint } from '../../storage/table-rules.js';
import type { AlterTableAction } from '../../text/ast-schema.js';
import { parseExpression, parseTypeName } from '../../text/parse.js';
import { TypeOid } from '../../types/type-oids.js';
import type { DdlContext } from '../context.js';
import { switchOnPartitions } from '../triggers/alter-trigger.js';
import { partitionKeyColumns } from './partition-key-columns.js';
import { foreignKeyOnPartitions } from './partition-foreign-keys.js';
import { inheritOnPartitions } from './partition-indexes.js';

type Step = Generator<Yielded, void, void>;
type Kind = AlterTableAction['kind'];

/** What is done to all tables below one, be they partitions of it or heirs. */
export const RECURSING: ReadonlySet<Kind> = new Set<Kind>([
  'set-default',
  'drop-default',
  'set-not-null',
  'drop-not-null',
  'alter-type',
  'drop-expression',
  'set-expression',
  'set-statistics',
  'set-storage',
]);

/** What is done to partitions besides. */
const RECURSING_TO_PARTITIONS: ReadonlySet<Kind> = new Set<Kind>([
  ...RECURSING,
  'validate-constraint',
  'alter-constraint',
]);

/** What else partitions are changed by, or asked about. */
const REACHING: ReadonlySet<Kind> = new Set<Kind>([
  ...RECURSING_TO_PARTITIONS,
  'add-column',
  'drop-column',
  'add-constraint',
  'drop-constraint',
  'enable-trigger',
  'disable-trigger',
]);

/** Whether an action on a partitioned table is one on its partitions: they have to be locked before they are asked for. */
export function reachesPartitions({ kind }: AlterTableAction, only: boolean): boolean {
  // Keys and references go from partitions even so.
  return only ? kind === 'drop-constraint' : REACHING.has(kind);
}

/** With ONLY: refused while there are partitions, in these words. */
const ONLY_REFUSED: Readonly<Partial<Record<Kind, string>>> = {
  'add-column': 'column must be added to child tables too',
  'drop-column': 'cannot drop column from only the partitioned table when partitions exist',
  'drop-constraint': 'cannot remove constraint from only the partitioned table when partitions exist',
  'set-not-null': 'constraint must be added to child tables too',
  'drop-not-null': 'cannot remove constraint from only the partitioned table when partitions exist',
  'drop-expression': 'ALTER TABLE / DROP EXPRESSION must be applied to child tables too',
  'set-expression': 'ALTER TABLE / SET EXPRESSION must be applied to child tables too',
};

const UNSUPPORTED: ReadonlySet<Kind> = new Set<Kind>(['of', 'not-of']);

/** Why a column's type is not changed in one table alone, where others have the column of it. */
export function mustChangeBelow(name: string): string {
  return `type of inherited column "${name}" must be changed in child tables too`;
}

/** Raises what cannot be done to a partitioned table, or to a partition by itself. */
export function refuseForPartitions(
  context: DdlContext,
  table: TableDescriptor,
  action: AlterTableAction,
  only: boolean,
): void {
  if (table.partitioned !== undefined) refuseForPartitioned(context, table, action, only);
  if (table.partition !== undefined) refuseForPartition(context, table, action);
}

function refuseForPartitioned(
  context: DdlContext,
  table: TableDescriptor,
  action: AlterTableAction,
  only: boolean,
): void {
  const { kind } = action;
  if (UNSUPPORTED.has(kind)) throw unsupportedError(`ALTER TABLE ... ${kind.toUpperCase()} of a partitioned table`);
  if (kind === 'set-options' || kind === 'reset-options') {
    const name = action.options[0]?.name.text ?? '';
    throw new PhantomError('22023', `unrecognized parameter "${name}"`);
  }
  if (kind === 'add-constraint') {
    const { constraint } = action;
    if (only && constraint.kind === 'foreign-key' && context.picture.partitionsOf(table).length > 0)
      throw new PhantomError(
        '42809',
        `cannot use ONLY for foreign key on partitioned table "${table.name}" referencing relation "${constraint.table.at(-1)?.text}"`,
      );
    if (constraint.kind === 'using-index')
      throw new PhantomError(
        '0A000',
        'ALTER TABLE / ADD CONSTRAINT USING INDEX is not supported on partitioned tables',
      );
    if (only && constraint.kind === 'check' && context.picture.partitionsOf(table).length > 0)
      throw new PhantomError('42P16', 'constraint must be added to child tables too');
  }
  // Keys and references of partitions belong to the table's, and go with them either way: pg_restore --clean asks for ONLY.
  if (action.kind === 'drop-constraint' && !isCheck(table, action.name.text)) return;
  const refused = action.kind === 'alter-type' ? mustChangeBelow(action.column.text) : ONLY_REFUSED[kind];
  if (only && refused !== undefined && context.picture.partitionsOf(table).length > 0)
    throw new PhantomError(
      '42P16',
      refused,
      refused.startsWith('cannot') ? { hint: 'Do not specify the ONLY keyword.' } : {},
    );
  if (kind !== 'drop-column' && kind !== 'alter-type') return;
  const name = kind === 'drop-column' ? action.name.text : action.column.text;
  refuseInKey(context, table, name, kind === 'drop-column' ? 'drop' : 'alter');
}

function isCheck({ constraints }: TableDescriptor, name: string): boolean {
  return constraints.some((constraint) => constraint.name === name && constraint.kind === 'check');
}

/** 42P16 for a column that partitions are told apart by: those of the table, or of one of its partitions. */
function refuseInKey(context: DdlContext, table: TableDescriptor, name: string, verb: 'drop' | 'alter'): void {
  if (table.partitioned === undefined) return;
  const column = table.columns.find((candidate) => !candidate.dropped && candidate.name === name);
  if (column !== undefined && partitionKeyColumns(context, table).includes(column.number)) {
    const message = `cannot ${verb} column "${name}" because it is part of the partition key of relation "${table.name}"`;
    throw new PhantomError('42P16', message);
  }
  for (const partition of context.picture.partitionsOf(table)) refuseInKey(context, partition, name, verb);
}

function refuseForPartition(context: DdlContext, table: TableDescriptor, action: AlterTableAction): void {
  const parent = context.objects.object(table.partition?.parentOid ?? 0);
  if (parent?.kind !== 'table') return;
  switch (action.kind) {
    case 'add-column':
      throw new PhantomError('42809', 'cannot add column to a partition');
    case 'drop-column':
      if (table.columns.some(({ name, dropped }) => !dropped && name === action.name.text))
        throw new PhantomError('42P16', `cannot drop inherited column "${action.name.text}"`);
      return;
    case 'alter-type':
      throw new PhantomError('42P16', `cannot alter inherited column "${action.column.text}"`);
    case 'drop-not-null':
      if (parent.columns.some(({ name, notNull }) => notNull && name === action.column.text))
        throw new PhantomError('42P16', `column "${action.column.text}" is marked NOT NULL in parent table`);
      return;
    case 'drop-expression':
    case 'set-expression':
      throw new PhantomError(
        '42P16',
        `cannot ${action.kind.replace('-', ' ')} of inherited column "${action.column.text}"`,
      );
    case 'inherit':
    case 'no-inherit':
      throw new PhantomError('42809', 'cannot change inheritance of a partition');
    case 'drop-constraint': {
      const { name } = action;
      const inherited = table.constraints.find((constraint) => constraint.name === name.text);
      if (inherited?.parentOid === undefined) return;
      const message = `cannot drop inherited constraint "${name.text}" of relation "${table.name}"`;
      throw new PhantomError('42P16', message);
    }
    default:
  }
}

/** Does to each partition what has been done to its table; the caller holds their locks. `alter` does it to one. */
export function* alterPartitions(
  context: DdlContext,
  before: TableDescriptor,
  action: AlterTableAction,
  only: boolean,
  alter: (partition: TableDescriptor, action: AlterTableAction) => Step,
): Step {
  if (only) return;
  if (action.kind === 'enable-trigger' || action.kind === 'disable-trigger')
    return yield* switchOnPartitions(context, before, action);
  if (action.kind === 'add-column') return yield* columnOnPartitions(context, before, action, alter);
  const added = addedConstraint(context, before, action);
  if (added !== undefined && 'indexOid' in added) {
    const index = context.objects.object(added.indexOid);
    if (index?.kind === 'index') yield* inheritOnPartitions(context, before.oid, index);
    return;
  }
  if (added?.kind === 'foreign key') return yield* foreignKeyOnPartitions(context, before.oid, added);
  if (added === undefined && !RECURSING_TO_PARTITIONS.has(action.kind)) return;
  const table = context.objects.object(before.oid) as TableDescriptor;
  for (const { oid } of context.picture.partitionsOf(table)) {
    const partition = context.objects.object(oid) as TableDescriptor;
    yield* alter(partition, forPartition(action, added));
    const after = context.objects.object(oid) as TableDescriptor;
    if (added !== undefined) markCheck(context, after, added);
    yield* alterPartitions(context, partition, forPartition(action, added), false, alter);
  }
}

/** The constraint that an action has given to a table. */
function addedConstraint(
  context: DdlContext,
  before: TableDescriptor,
  action: AlterTableAction,
): TableDescriptor['constraints'][number] | undefined {
  if (action.kind !== 'add-constraint') return undefined;
  const after = context.objects.object(before.oid) as TableDescriptor;
  return after.constraints.find(({ oid }) => !before.constraints.some((constraint) => constraint.oid === oid));
}

type AddColumn = AlterTableAction & { readonly kind: 'add-column' };

/**
 * Adds a column that a table has got to its partitions. What the table has made for the column is made again on them as the table's:
 * constraints, and a default from a sequence that all share.
 */
function* columnOnPartitions(
  context: DdlContext,
  before: TableDescriptor,
  action: AddColumn,
  alter: (partition: TableDescriptor, action: AlterTableAction) => Step,
): Step {
  const table = context.objects.object(before.oid) as TableDescriptor;
  const partitions = context.picture.partitionsOf(table);
  const column = table.columns.find(({ name, dropped }) => !dropped && name === action.column.name.text);
  const isNew = before.columns.every(({ name, dropped }) => dropped || name !== column?.name);
  if (partitions.length === 0 || column === undefined || !isNew) return;
  if (column.identity !== undefined)
    throw new PhantomError('42P16', 'cannot recursively add identity column to table that has child tables');
  const own = columnBelow(action, column);
  const added = table.constraints.filter(({ oid }) => before.constraints.every((constraint) => constraint.oid !== oid));
  for (const { oid } of partitions) {
    const partition = context.objects.object(oid) as TableDescriptor;
    yield* alter(partition, own);
    for (const check of added) {
      if (check.kind !== 'check') continue;
      yield* alter(context.objects.object(oid) as TableDescriptor, addingCheck(check));
      markCheck(context, context.objects.object(oid) as TableDescriptor, check);
    }
    yield* columnOnPartitions(context, partition, own, alter);
  }
  for (const key of added) {
    if (key.kind === 'foreign key') yield* foreignKeyOnPartitions(context, before.oid, key);
    const index = 'indexOid' in key ? context.objects.object(key.indexOid) : undefined;
    if (index?.kind === 'index') yield* inheritOnPartitions(context, before.oid, index);
  }
}

/** Constraints that come with the column, and are made by themselves. */
const MADE_APART: ReadonlySet<string> = new Set(['check', 'references', 'unique', 'primary-key']);
const INTEGERS: ReadonlyMap<number, string> = new Map([
  [TypeOid.int2, 'smallint'],
  [TypeOid.int4, 'integer'],
  [TypeOid.int8, 'bigint'],
]);

/** The column as the tables below have it that one has got: its constraints are made apart, its sequence is that of all. */
export function columnBelow(action: AddColumn, { sequenceOid, defaultSql, type }: ColumnDescriptor): AddColumn {
  const { column } = action;
  const constraints = column.constraints.filter(({ kind }) => !MADE_APART.has(kind));
  const integer = INTEGERS.get(type.oid);
  if (sequenceOid === undefined || defaultSql === undefined || integer === undefined)
    return { ...action, column: { ...column, constraints } };
  const { position } = column;
  return {
    ...action,
    column: {
      ...column,
      type: parseTypeName(integer),
      constraints: [
        ...constraints,
        { kind: 'not-null', name: undefined, position },
        { kind: 'default', name: undefined, value: parseExpression(defaultSql), position },
      ],
    },
  };
}

/** Gives a check of a table to one below it. */
export function addingCheck(check: CheckConstraint): AlterTableAction & { readonly kind: 'add-constraint' } {
  return {
    kind: 'add-constraint',
    position: 0,
    constraint: {
      kind: 'check',
      name: { text: check.name, position: 0, quoted: true },
      condition: parseExpression(check.expressionSql),
      noInherit: check.noInherit === true,
      notValid: false,
      enforced: true,
      position: 0,
    },
  };
}

/** The action as partitions have it: a check by the name that it has got. */
function forPartition(
  action: AlterTableAction,
  added: TableDescriptor['constraints'][number] | undefined,
): AlterTableAction {
  if (added === undefined || action.kind !== 'add-constraint') return action;
  return {
    ...action,
    constraint: { ...action.constraint, name: { text: added.name, position: 0, quoted: true } },
  } as AlterTableAction;
}

function markCheck(context: DdlContext, table: TableDescriptor, added: TableDescriptor['constraints'][number]): void {
  const constraints = table.constraints.map((constraint) =>
    constraint.kind === 'check' && constraint.name === added.name
      ? { ...constraint, parentOid: added.oid }
      : constraint,
  );
  context.objects.put({ ...table, constraints, schemaVersion: table.schemaVersion + 1 });
}
