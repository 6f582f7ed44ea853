/** The rows that an UPDATE or DELETE is about: its target's, joined with those of FROM or USING, that WHERE lets through. */
import type { TableDescriptor } from '@phantom/catalog';
import type { Binder } from '../../expr/binder.js';
import { coerceToBoolean } from '../../expr/coercion.js';
import type { ColumnId } from '../../expr/expression.js';
import { Scope } from '../../expr/scope.js';
import type * as Ast from '../../text/ast.js';
import { isViewTable } from '../../storage/triggers/view-tables.js';
import type { LogicalNode } from '../logical/logical.js';
import { bindFromList, join } from './bind-from.js';
import { ofOnly, readingOf, requirePrivilege, scanTable } from './bind-relation.js';
import { bindCurrentOf } from './current-of.js';
import { scanViewTable } from './instead-of.js';
import { checkNames } from './range-items.js';
import { behindPolicies, TablePolicies } from './row-security.js';
import type { ReturningRows } from './returning.js';
import { asStored, findTarget, findViewTarget, targetName } from './target.js';
import { ViewTarget } from './view-target.js';

export interface TargetRows {
  readonly table: TableDescriptor;
  /** The view that is written through, if it is one. */
  readonly through: ViewTarget | undefined;
  readonly plan: LogicalNode;
  readonly rowReference: ColumnId;
  /** The target's row, a column for each position of its table. */
  readonly row: readonly ColumnId[];
  /** Numbers of the table's columns that the statement changes, for the right to do so; to be filled by the caller. */
  readonly changed: Set<number>;
  /** The target and the other tables. */
  readonly scope: Scope;
  /** What RETURNING sees of them, but for the rows themselves. */
  readonly shown: Pick<ReturningRows, 'table' | 'target' | 'called' | 'itemOf' | 'onUse' | 'others'>;
  /** Row-level security of the table, where it holds. */
  readonly policies: TablePolicies | undefined;
  /** The statement looks at the rows besides changing them. */
  readonly reads: boolean;
}

export function bindTargetRows(
  binder: Binder,
  node: Ast.Update | Ast.Delete,
  others: readonly Ast.TableExpression[],
  outer: Scope | undefined,
): TargetRows {
  const { context } = binder;
  const { kind: verb, where } = node;
  if (node.portion !== undefined) throw context.unsupported('FOR PORTION OF', node.portion.position);
  const view = findViewTarget(binder, node.table, verb);
  const through = view === undefined ? undefined : new ViewTarget(binder, view, verb, node.table.position);
  const table = through?.table ?? findTarget(binder, node.table, verb);
  const changed = through === undefined ? requirePrivilege(binder, table, verb) : new Set<number>();
  const onUse = readingOf(binder, view ?? table);
  const scan = scanTarget(binder, table, node.table);
  const { rowReference } = scan;
  const called = targetName(binder, node.table, view ?? table);
  const shownItem = through === undefined ? scan.item : through.item(scan.item, called.name);
  const item = asStored(binder, view ?? table, { ...shownItem, ...called, onUse });
  context.witness?.placed(node.table, [item]);
  const othersScope = new Scope(context, outer);
  const policies = TablePolicies.of(through?.tableBinder ?? binder, table);
  const reads = readsTarget(node, others);
  const visible = [
    ...(reads ? (policies?.visible('select', scan.byPosition) ?? []) : []),
    ...(policies?.visible(verb, scan.byPosition) ?? []),
  ];
  const own = node.table.only ? ofOnly(table, scan.plan) : scan.plan;
  let plan: LogicalNode = behindPolicies(own, visible);
  const filter = (conditions: readonly ReturnType<Binder['bind']>[]): void => {
    if (conditions.length > 0)
      plan = { kind: 'filter', input: plan, conditions: [...conditions], columns: plan.columns };
  };
  filter(through?.conditions(scan.item) ?? []);
  if (others.length > 0) {
    const from = bindFromList(binder, others, othersScope);
    checkNames(binder, [item], othersScope.items);
    plan = join('inner', plan, from, []);
  }
  const scope = new Scope(context, outer);
  scope.items = [item, ...othersScope.items];
  if (where !== undefined) {
    scope.clause = 'WHERE';
    filter([
      where.kind === 'current-of'
        ? bindCurrentOf(context, where, table, rowReference)
        : coerceToBoolean(context, binder.bind(where, scope), 'WHERE', where.position),
    ]);
  }
  const named = { relation: view ?? table, node: node.table };
  const shown = {
    table,
    target: named,
    called,
    itemOf: through?.rowItem.bind(through),
    onUse,
    others: othersScope.items,
  };
  return { table, through, plan, rowReference, row: scan.byPosition, changed, scope, shown, policies, reads };
}

/** Whether more is asked of the target than to change or remove all of it: then one must be allowed to see its rows. */
function readsTarget(node: Ast.Update | Ast.Delete, others: readonly Ast.TableExpression[]): boolean {
  if (node.where !== undefined || node.returning !== undefined || others.length > 0) return true;
  return node.kind === 'update' && node.assignments.some(({ value }) => !CONSTANTS.has(value.kind));
}

const CONSTANTS: ReadonlySet<string> = new Set(['string', 'number', 'null', 'boolean', 'parameter', 'default']);

/** The rows of the target: of a table, or of a view whose triggers stand for the change. */
function scanTarget(
  binder: Binder,
  table: TableDescriptor,
  { alias }: Ast.Update['table'],
): ReturnType<typeof scanViewTable> {
  const relation = isViewTable(table) ? binder.context.catalog.relationByOid(table.oid) : undefined;
  if (relation?.kind === 'view') return scanViewTable(binder, table, relation, alias?.text);
  const scan = scanTable(binder, table, alias?.text, undefined);
  return { ...scan, rowReference: scan.plan.rowReference as ColumnId };
}
