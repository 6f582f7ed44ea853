/** ALTER TABLE ... INHERIT and NO INHERIT: a table comes under another one, as it is, or stands for itself again. */
import { PhantomError } from '@phantom/base';
import type { ColumnDescriptor, ConstraintDescriptor, Oid, TableDescriptor } from '@phantom/catalog';
import type { Yielded } from '../../exec/runtime.js';
import { heirsBelow } from '../../storage/inheritance/table-tree.js';
import type { QualifiedName } from '../../text/ast-leaves.js';
import type { DdlContext } from '../context.js';
import { relationNamed } from '../names.js';
import { requireChecks, requireColumn } from '../partitions/attach.js';
import { replaceTable } from '../replace-table.js';
import { bindToParents, leaveParent } from './bonds.js';
import { parentNamed } from './inherited-parts.js';

type Step<T> = Generator<Yielded, T, void>;

/** INHERIT: the table has all columns and checks of the parent already. The caller holds the table's lock. */
export function* inherit(context: DdlContext, table: TableDescriptor, name: QualifiedName): Step<void> {
  refuseParts(table);
  const parent = yield* parentNamed(context, name, table.persistence);
  if (parent.oid === table.oid || heirsBelow(table, context.objects).some(({ oid }) => oid === parent.oid))
    throw new PhantomError('42P07', 'circular inheritance not allowed', {
      detail: `"${parent.name}" is already a child of "${table.name}".`,
    });
  refuseTransitions(context, table);
  const { parentOids = [] } = table;
  if (parentOids.includes(parent.oid))
    throw new PhantomError('42P07', `relation "${parent.name}" would be inherited from more than once`);
  for (const column of parent.columns) {
    if (column.dropped) continue;
    const own = requireColumn(table, column);
    if (column.generated !== undefined && column.defaultSql !== own.defaultSql)
      throw new PhantomError('42804', `column "${column.name}" in child table has a conflicting generation expression`);
  }
  requireChecks(parent, table);
  replaceTable(context, table, { parentOids: [...parentOids, parent.oid] });
  bindToParents(context, table.oid, [parent.oid]);
  recount(context, table.oid, parent);
}

/** NO INHERIT: the table keeps what it has. The caller holds its lock. */
export function* disinherit(context: DdlContext, table: TableDescriptor, name: QualifiedName): Step<void> {
  refuseParts(table);
  const parent = relationNamed(context, name);
  if (parent.kind !== 'table' || table.parentOids?.includes(parent.oid) !== true)
    throw new PhantomError('42P01', `relation "${parent.name}" is not a parent of relation "${table.name}"`);
  yield* leaveParent(context, table.oid, parent.oid);
  loseParent(context, table, parent);
}

/** A table that a parent has forgotten, or that outlives it, forgets the parent. The caller holds the table's lock. */
export function loseParent(context: DdlContext, table: TableDescriptor, parent: TableDescriptor): void {
  const { parentOids = [], ...rest } = table;
  const left = parentOids.filter((oid) => oid !== parent.oid);
  replaceTable(context, rest, left.length === 0 ? {} : { parentOids: left });
  recount(context, table.oid, parent);
}

function refuseParts({ partitioned }: TableDescriptor): void {
  if (partitioned !== undefined) throw new PhantomError('42809', 'cannot change inheritance of partitioned table');
}

/** 0A000 for triggers that would know a tree's rows of one table as a relation. */
function refuseTransitions(context: DdlContext, { triggerOids = [], name }: TableDescriptor): void {
  for (const oid of triggerOids) {
    const trigger = context.objects.object(oid);
    if (trigger?.kind !== 'trigger' || trigger.level !== 'row') continue;
    if (trigger.oldTable === undefined && trigger.newTable === undefined) continue;
    throw new PhantomError(
      '0A000',
      `trigger "${trigger.name}" prevents table "${name}" from becoming an inheritance child`,
      { detail: 'ROW triggers with transition tables are not supported in inheritance hierarchies.' },
    );
  }
}

/**
 * Counts anew how many parents have what a table inherits, of the columns and checks that `changed` has, or had. What no parent has any
 * more is the table's own.
 */
export function recount(context: DdlContext, oid: Oid, changed: TableDescriptor): void {
  const table = context.objects.object(oid);
  if (table?.kind !== 'table') return;
  const parents = (table.parentOids ?? [])
    .map((parentOid) => context.objects.object(parentOid))
    .filter((parent): parent is TableDescriptor => parent?.kind === 'table');
  const columns = table.columns.map((column): ColumnDescriptor => {
    if (column.dropped || !changed.columns.some(({ name }) => name === column.name)) return column;
    return counted(column, parents.filter((parent) => hasColumn(parent, column.name)).length);
  });
  const constraints = table.constraints.map((constraint): ConstraintDescriptor => {
    if (constraint.kind !== 'check' || !changed.constraints.some(({ name }) => name === constraint.name))
      return constraint;
    return counted(constraint, parents.filter((parent) => hasCheck(parent, constraint.name)).length);
  });
  replaceTable(context, table, { columns, constraints });
}

function counted<T extends { readonly inheritCount?: number; readonly isLocal?: false }>(part: T, count: number): T {
  const { inheritCount: _count, isLocal, ...rest } = part;
  const inherited = count === 0 ? {} : { inheritCount: count, ...(isLocal === undefined ? {} : { isLocal }) };
  return { ...rest, ...inherited } as T;
}

/** True for a table with a column of the name. */
export function hasColumn({ columns }: TableDescriptor, name: string): boolean {
  return columns.some((column) => !column.dropped && column.name === name);
}

/** True for a table with a CHECK of the name that comes down to those that inherit from it. */
export function hasCheck({ constraints }: TableDescriptor, name: string): boolean {
  return constraints.some(
    (constraint) => constraint.kind === 'check' && constraint.name === name && constraint.noInherit !== true,
  );
}
