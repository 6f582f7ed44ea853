/** Range items of FROM: making them, renaming their columns, keeping their names apart. */
import type { Binder } from '../../expr/binder.js';
import type { RangeItem, ScopeColumn } from '../../expr/scope.js';
import type { TableAlias } from '../../text/ast-leaves.js';
import type { LogicalNode } from '../logical/logical.js';

/** A part of FROM: its rows, and the names by which they are known. */
export interface BoundFrom {
  readonly plan: LogicalNode;
  readonly items: readonly RangeItem[];
}

/** 42712: one name for two things. */
export function checkNames(binder: Binder, left: readonly RangeItem[], right: readonly RangeItem[]): void {
  for (const item of right) {
    if (item.name === undefined || !item.relationVisible) continue;
    const clash = left.some(
      (other) =>
        other.relationVisible &&
        other.name === item.name &&
        (other.schema === undefined || item.schema === undefined || other.schema === item.schema),
    );
    if (clash) {
      throw binder.context.error('42712', `table name "${item.name}" specified more than once`, undefined);
    }
  }
}

/** A range item with the usual answers. */
export function rangeItem(
  name: string | undefined,
  columns: readonly ScopeColumn[],
  more: Partial<RangeItem> = {},
): RangeItem {
  return {
    name,
    schema: undefined,
    columns,
    relationVisible: name !== undefined,
    columnsVisible: true,
    lateralOnly: false,
    lateralForbidden: false,
    rowTypeOid: 0,
    scalarRow: false,
    hidden: [],
    table: undefined,
    marker: undefined,
    rowReference: undefined,
    onUse: undefined,
    ...more,
  };
}

/** Columns under the names of an alias's list; 42P10 when it names too many. */
export function renameColumns(
  binder: Binder,
  columns: readonly ScopeColumn[],
  alias: TableAlias | undefined,
): readonly ScopeColumn[] {
  if (alias === undefined || alias.columns.length === 0) return columns;
  if (alias.columns.length > columns.length) {
    throw binder.context.error(
      '42P10',
      `table "${alias.name.text}" has ${columns.length} columns available but ${alias.columns.length} columns specified`,
      undefined,
    );
  }
  return columns.map((column, i) => ({ ...column, name: alias.columns[i]?.text ?? column.name }));
}
