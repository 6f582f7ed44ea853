/**
 * ALTER TABLE of tables that others inherit from, and of those that do: what is done to a table is done to all below it, unless it says
 * ONLY, and what would take from a table what it inherits is refused. Columns and checks that go are followed by those below them in
 * drop-plan.ts.
 *
 *   a column or check comes     down each bond, to where there is one of its name already: that one counts a parent more
 *   it goes                     with all below it that have it from nowhere else
 *   it changes                  in each table below, once
 */
import { PhantomError } from '@phantom/base';
import type { TableDescriptor } from '@phantom/catalog';
import type { Yielded } from '../../exec/runtime.js';
import { heirsOf } from '../../storage/inheritance/table-tree.js';
import type { AlterTableAction } from '../../text/ast-schema.js';
import { addConstraint } from '../constraints.js';
import type { DdlContext } from '../context.js';
import { lockForChange, refuseWhileInUse, requireOwner } from '../names.js';
import { RECURSING, addingCheck, columnBelow, mustChangeBelow } from '../partitions/alter-partitions.js';
import { replaceTable } from '../replace-table.js';
import { hasCheck, recount } from './inherit.js';

type Step = Generator<Yielded, void, void>;
type Kind = AlterTableAction['kind'];
type Action<K extends Kind> = AlterTableAction & { readonly kind: K };
type Alter = (table: TableDescriptor, action: AlterTableAction) => Step;

/** With ONLY: refused while others inherit, in these words. */
const ONLY_REFUSED: Readonly<Partial<Record<Kind, string>>> = {
  'add-column': 'column must be added to child tables too',
  'drop-expression': 'ALTER TABLE / DROP EXPRESSION must be applied to child tables too',
  'set-expression': 'ALTER TABLE / SET EXPRESSION must be applied to child tables too',
};

/** Raises what a table's place among others does not let be done to it. */
export function refuseInTree(table: TableDescriptor, action: AlterTableAction, only: boolean): void {
  refuseInherited(table, action);
  if (table.heirOids === undefined) return;
  const refused = only ? onlyRefused(table, action) : undefined;
  if (refused !== undefined) throw new PhantomError('42P16', refused);
  if (action.kind === 'add-column' && action.column.constraints.some(({ kind }) => kind === 'identity'))
    throw new PhantomError('42P16', 'cannot recursively add identity column to table that has child tables');
}

function onlyRefused(table: TableDescriptor, action: AlterTableAction): string | undefined {
  if (action.kind === 'add-constraint')
    return action.constraint.kind === 'check' && !action.constraint.noInherit
      ? 'constraint must be added to child tables too'
      : undefined;
  if (action.kind === 'validate-constraint') {
    const constraint = table.constraints.find(({ name }) => name === action.name.text);
    return constraint?.kind === 'check' && !constraint.validated && constraint.noInherit !== true
      ? 'constraint must be validated on child tables too'
      : undefined;
  }
  if (action.kind === 'alter-type') return mustChangeBelow(action.column.text);
  return ONLY_REFUSED[action.kind];
}

/** 42P16 for what a table has from its parents. */
function refuseInherited(table: TableDescriptor, action: AlterTableAction): void {
  const isInherited = (name: string): boolean =>
    table.columns.some((column) => !column.dropped && column.name === name && column.inheritCount !== undefined);
  if (action.kind === 'drop-column' && isInherited(action.name.text))
    throw new PhantomError('42P16', `cannot drop inherited column "${action.name.text}"`);
  if (action.kind === 'alter-type' && isInherited(action.column.text))
    throw new PhantomError('42P16', `cannot alter inherited column "${action.column.text}"`);
  if (action.kind === 'drop-expression' && isInherited(action.column.text))
    throw new PhantomError('42P16', 'cannot drop generation expression from inherited column');
  if (action.kind !== 'drop-constraint') return;
  const { text } = action.name;
  const constraint = table.constraints.find(({ name }) => name === text);
  if (constraint?.kind === 'check' && constraint.inheritCount !== undefined)
    throw new PhantomError('42P16', `cannot drop inherited constraint "${text}" of relation "${table.name}"`);
}

/** 42P16 for a column that a table below has from elsewhere, too. */
function refuseOtherParents(table: TableDescriptor, below: readonly TableDescriptor[], name: string): void {
  const inTree = new Set([table.oid, ...below.map(({ oid }) => oid)]);
  for (const heir of below) {
    const { inheritCount = 0 } = heir.columns.find((column) => !column.dropped && column.name === name) ?? {};
    const parents = (heir.parentOids ?? []).filter((oid) => inTree.has(oid)).length;
    if (inheritCount > parents)
      throw new PhantomError('42P16', `cannot alter inherited column "${name}" of relation "${heir.name}"`);
  }
}

/** ONLY: what goes from a table alone stays with those that inherit it, as their own. Done before it goes. */
export function* keepBelow(context: DdlContext, table: TableDescriptor, action: AlterTableAction): Step {
  if (action.kind !== 'drop-column' && action.kind !== 'drop-constraint') return;
  const { text } = action.name;
  for (const found of heirsOf(table, context.objects)) {
    const heir = yield* lockForChange(context, found);
    if (heir === undefined) continue;
    const own = <T extends { readonly name: string; readonly isLocal?: false }>(part: T): T => {
      if (part.name !== text) return part;
      const { isLocal: _notLocal, ...rest } = part;
      return rest as T;
    };
    replaceTable(
      context,
      heir,
      action.kind === 'drop-column'
        ? { columns: heir.columns.map(own) }
        : {
            constraints: heir.constraints.map((constraint) =>
              constraint.kind === 'check' ? own(constraint) : constraint,
            ),
          },
    );
  }
}

/** Does to the tables below what has been done to one, at once with `together`. `alter` does it to one of them. */
export function* alterHeirs(
  context: DdlContext,
  before: TableDescriptor,
  action: AlterTableAction,
  together: readonly AlterTableAction[],
  alter: Alter,
): Step {
  if (action.kind === 'add-column') return yield* columnBelowEach(context, before, action, alter);
  const after = context.objects.object(before.oid) as TableDescriptor;
  const added = after.constraints.find(({ oid }) => before.constraints.every((known) => known.oid !== oid));
  if (action.kind === 'add-constraint') return yield* checkBelowEach(context, after, action, added?.name);
  const isCheck = action.kind === 'validate-constraint' && hasCheck(before, action.name.text);
  if (!RECURSING.has(action.kind) && !isCheck) return;
  const below = yield* lockBelow(context, after);
  for (const each of [action, ...together])
    if (each.kind === 'alter-type') refuseOtherParents(after, below, each.column.text);
  for (const { oid } of below) {
    const heir = context.objects.object(oid);
    if (heir?.kind === 'table') yield* alter(heir, action);
  }
}

/** The tables below one, each once and locked: whoever would add to them waits. The caller holds the table's own lock. */
export function* lockBelow(
  context: DdlContext,
  table: TableDescriptor,
): Generator<Yielded, readonly TableDescriptor[], void> {
  const locked = new Map<number, TableDescriptor>();
  const pending = heirsOf(table, context.objects);
  for (const { oid } of pending) {
    const heir = locked.has(oid) ? undefined : yield* lockHeir(context, oid);
    if (heir === undefined) continue;
    locked.set(oid, heir);
    pending.push(...heirsOf(heir, context.objects));
  }
  return [...locked.values()];
}

function* lockHeir(context: DdlContext, oid: number): Generator<Yielded, TableDescriptor | undefined, void> {
  const heir = context.objects.object(oid) as TableDescriptor;
  requireOwner(context, heir);
  const locked = yield* lockForChange(context, heir);
  if (locked !== undefined) yield* refuseWhileInUse(context, locked, 'ALTER TABLE');
  return locked;
}

/** Adds a column that a table has got to those that inherit from it. */
function* columnBelowEach(
  context: DdlContext,
  before: TableDescriptor,
  action: Action<'add-column'>,
  alter: Alter,
): Step {
  const table = context.objects.object(before.oid) as TableDescriptor;
  const { text } = action.column.name;
  const column = table.columns.find(({ name, dropped }) => !dropped && name === text);
  const isNew = before.columns.every(({ name, dropped }) => dropped || name !== text);
  if (column === undefined || !isNew) return;
  const own = columnBelow(action, column);
  for (const { oid } of heirsOf(table, context.objects)) {
    const heir = yield* lockHeir(context, oid);
    if (heir === undefined) continue;
    const known = heir.columns.find(({ name, dropped }) => !dropped && name === text);
    if (known === undefined) {
      yield* alter(heir, own);
      const now = context.objects.object(oid) as TableDescriptor;
      const columns = now.columns.map((each) =>
        !each.dropped && each.name === text ? { ...each, inheritCount: 1, isLocal: false as const } : each,
      );
      replaceTable(context, now, { columns });
    } else {
      if (known.type.oid !== column.type.oid || known.type.typmod !== column.type.typmod)
        throw new PhantomError('42804', `child table "${heir.name}" has different type for column "${text}"`);
      if (known.type.collation !== column.type.collation)
        throw new PhantomError('42P21', `child table "${heir.name}" has different collation for column "${text}"`);
      context.notice('NOTICE', '00000', `merging definition of column "${text}" for child "${heir.name}"`);
    }
    recount(context, oid, table);
    if (known === undefined) yield* columnBelowEach(context, heir, own, alter);
  }
  for (const check of table.constraints) {
    if (check.kind !== 'check' || before.constraints.some(({ oid }) => oid === check.oid)) continue;
    yield* checkBelowEach(context, table, addingCheck(check), check.name);
  }
}

/** Gives a check that a table has got to those that inherit from it; where one is there already, so it is below that. */
function* checkBelowEach(
  context: DdlContext,
  { oid }: TableDescriptor,
  action: Action<'add-constraint'>,
  name: string | undefined,
): Step {
  const { constraint } = action;
  if (constraint.kind !== 'check' || constraint.noInherit || name === undefined) return;
  const own = { ...constraint, name: { text: name, position: 0, quoted: true } };
  for (const { oid: heirOid } of heirsOf(context.objects.object(oid) as TableDescriptor, context.objects)) {
    const heir = yield* lockHeir(context, heirOid);
    if (heir === undefined) continue;
    const isThere = heir.constraints.some((known) => known.name === name);
    yield* addConstraint(context, heir, own, { newTable: false, isInherited: true });
    if (!isThere) yield* checkBelowEach(context, heir, action, name);
  }
}
