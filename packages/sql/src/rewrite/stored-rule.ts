/** A rule's condition and actions as they are kept: what they stand on, and what everything in them is called today. */
import type { ColumnDescriptor, Oid, TableDescriptor, ViewDescriptor } from '@phantom/catalog';
import type { Binder, BoundQuery } from '../expr/binder.js';
import { coerceToBoolean } from '../expr/coercion.js';
import { columnReference, type ColumnId } from '../expr/expression.js';
import { Scope, type RangeItem } from '../expr/scope.js';
import { oneRow } from '../plan/binder/bind-from.js';
import { rangeItem } from '../plan/binder/range-items.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import type { LogicalNode } from '../plan/logical/logical.js';
import { type QueryToStore, described } from '../plan/stored-query.js';
import type { Expression } from '../text/ast.js';
import { bindUnrewritten } from './rewrite-change.js';
import { type ActionStatement, inCondition, isOfValues, overRows, withSpreadRows } from './rule-action.js';

/** The rows that a rule for an event knows. */
const ROWS_OF = { insert: ['new'], update: ['old', 'new'], delete: ['old'] } as const;

/** A relation with rules, and what of it they may speak of. */
export interface RuledRelation {
  readonly relation: TableDescriptor | ViewDescriptor;
  readonly event: keyof typeof ROWS_OF;
}

/** Binds a rule's condition or action, without planning it. Raises the binder's errors, with positions in the text of the node. */
export function describeRule(
  part: { readonly condition: Expression } | { readonly action: ActionStatement },
  ruled: RuledRelation,
  catalog: CatalogPort,
): QueryToStore {
  const used = new Map<number, { readonly oid: Oid; readonly column: number }>();
  const stored = described(catalog, '', (binder) => {
    const rows = rowsOf(binder, ruled, (number) => void used.set(number, { oid: ruled.relation.oid, column: number }));
    if ('action' in part) return boundForm(binder, part.action, rows).bound.fields;
    const { context } = binder;
    const scope = new Scope(context, undefined);
    scope.items = inCondition(rows.items);
    scope.clause = 'WHERE';
    coerceToBoolean(context, binder.bind(part.condition, scope), 'WHERE', part.condition.position);
    return [];
  });
  return { ...stored, uses: [...stored.uses, ...used.values()] };
}

/** Binds an action over rows that stand for those there will be; `form` is the action with them in its FROM. */
export function boundForm(
  binder: Binder,
  node: ActionStatement,
  rows: { readonly plan: LogicalNode; readonly items: RangeItem[] },
): { readonly form: ActionStatement; readonly bound: BoundQuery } {
  const { context } = binder;
  context.ruleRows = rows;
  const scope = isOfValues(node) ? new Scope(context, undefined) : undefined;
  if (scope !== undefined) scope.items = rows.items;
  // An operand of a UNION has no names but its own, so there is nothing to be put into it.
  const form = scope === undefined ? overRows(node, oneRow()) : withSpreadRows(node, rows.items);
  const bound = form.kind === 'query' ? binder.bindQuery(form, scope) : bindUnrewritten(binder, form, scope);
  return { form, bound };
}

/**
 * Rows of nothing under the names by which a rule knows them; `use` hears of the numbers of columns that are named. `names`: what the
 * columns were called when the rule was made, by number.
 */
export function rowsOf(
  { context }: Binder,
  { relation, event }: RuledRelation,
  use: (number: number) => void,
  names: readonly string[] = rowColumnsOf(relation),
): { readonly plan: LogicalNode; readonly items: RangeItem[] } {
  const columns = liveColumns(relation).filter(({ number }) => (names[number - 1] ?? '') !== '');
  const ids: ColumnId[] = [];
  const items = ROWS_OF[event].map((name) => {
    const shown = columns.map((column) => {
      const id = context.newColumn(column.name, column.type);
      ids.push(id);
      return {
        name: names[column.number - 1] as string,
        expression: columnReference(id, column.type),
        type: column.type,
      };
    });
    const onUse = (index: number): void => use(columns[index]?.number ?? 0);
    return rangeItem(name, shown, { columnsVisible: false, isOfRule: true, rowTypeOid: relation.rowTypeOid, onUse });
  });
  return { plan: { ...oneRow(), columns: ids }, items };
}

/** Columns by number; those of a view are numbered by their places. */
function liveColumns(relation: TableDescriptor | ViewDescriptor): Pick<ColumnDescriptor, 'number' | 'name' | 'type'>[] {
  if (relation.kind === 'view') return relation.columns.map(({ name, type }, i) => ({ number: i + 1, name, type }));
  return relation.columns.filter(({ dropped }) => !dropped);
}

/** What the relation's columns are called, by number; empty where there is none. */
export function rowColumnsOf(relation: TableDescriptor | ViewDescriptor): string[] {
  const byNumber: string[] = [];
  for (const { number, name } of liveColumns(relation)) byNumber[number - 1] = name;
  return Array.from(byNumber, (name: string | undefined) => name ?? '');
}
