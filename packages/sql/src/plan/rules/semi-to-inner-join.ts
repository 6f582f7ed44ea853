/**
 * Semi to inner join: where the conditions choose at most one row of the right side for each left row, a semi join gives
 * what an inner join gives. An inner join may be put in order with its neighbours and begin with either side, so that
 *
 *   where o_orderkey in (select l_orderkey from lineitem group by l_orderkey having sum(l_quantity) > 300)
 *
 * starts from the few orders that are asked for. The right side has one row for each value of some columns when these are
 * a key of its table, the keys of its GROUP BY, or all that a DISTINCT looks at.
 *
 * A right side that reads no table, as `id in (select unnest($1))` has it, is made distinct where it is not: it is a list that
 * somebody gave, short beside a table whose rows are then found by key. Left out is the same for tables, which pays only when most
 * of their rows repeat.
 */
import type { IndexDescriptor } from '@phantom/catalog';
import { conjuncts, type ColumnId, type Expression } from '../../expr/expression.js';
import type { BindContext } from '../../expr/context.js';
import { isSameKeyFamily } from '../../expr/key-families.js';
import { withoutRelabel } from '../../expr/walk.js';
import type { Aggregate, Join, LogicalNode, Scan } from '../logical/logical.js';
import { mapInputs } from '../logical/walk.js';
import { hasSubquery, isFreeOf, isVolatile } from './facts.js';
import type { Rule } from './rule.js';

export const semiToInnerJoin: Rule = {
  name: 'semi to inner join',
  apply: (plan, context) => turn(plan, context),
};

function turn(node: LogicalNode, context: BindContext): LogicalNode {
  const inner = mapInputs(node, (input) => turn(input, context));
  if (inner.kind !== 'join' || inner.join !== 'semi' || inner.nullAware || inner.lateral) return inner;
  const { right } = inner;
  const equated = equatedColumns(inner);
  if (isUniqueOn(right, equated, context)) return { ...inner, join: 'inner' };
  if (!isList(right) || !right.columns.every((column) => equated.has(column))) return inner;
  return { ...inner, join: 'inner', right: { kind: 'distinct', input: right, on: undefined, columns: right.columns } };
}

/** Rows that are given by expressions and functions, and by no table. */
function isList(node: LogicalNode): boolean {
  switch (node.kind) {
    case 'values':
    case 'function-scan':
      return true;
    case 'project':
    case 'project-set':
    case 'filter':
      return isList(node.input);
    default:
      return false;
  }
}

/** Columns of the right side that the conditions set equal to something from the left side. */
function equatedColumns({ right, conditions }: Join): ReadonlySet<ColumnId> {
  const own = new Set(right.columns);
  const equated = new Set<ColumnId>();
  for (const condition of conditions.flatMap(conjuncts)) {
    if (condition.kind !== 'call' || condition.operator?.role !== '=') continue;
    if (hasSubquery(condition) || isVolatile(condition)) continue;
    const [a, b] = condition.arguments;
    if (a === undefined || b === undefined || !isSameKeyFamily(a.type.oid, b.type.oid)) continue;
    const column = plainColumn(a, own) ?? plainColumn(b, own);
    if (column !== undefined && (isFreeOf(a, own) || isFreeOf(b, own))) equated.add(column);
  }
  return equated;
}

/** The column that a side is, perhaps under a cast that changes nothing. */
function plainColumn(side: Expression, own: ReadonlySet<ColumnId>): ColumnId | undefined {
  if (side.type.collation !== undefined) return undefined;
  const inner = withoutRelabel(side);
  return inner.kind === 'column' && own.has(inner.column) ? inner.column : undefined;
}

/** True when no two rows of the node have the same values, none of them null, in the columns. */
function isUniqueOn(node: LogicalNode, columns: ReadonlySet<ColumnId>, context: BindContext): boolean {
  switch (node.kind) {
    case 'scan':
      return isKeyOfTable(node, columns, context);
    case 'filter':
    case 'sort':
    case 'limit':
      return isUniqueOn(node.input, columns, context);
    case 'project':
      return isUniqueOn(node.input, throughProject(node, columns), context);
    case 'aggregate':
      return isKeyOfGroups(node, columns);
    case 'distinct':
      return node.on === undefined && node.columns.every((column) => columns.has(column));
    default:
      return false;
  }
}

/** The columns below a projection of which the given ones are copies. */
function throughProject(node: LogicalNode & { kind: 'project' }, columns: ReadonlySet<ColumnId>): Set<ColumnId> {
  const below = new Set(columns);
  const own = new Set(node.input.columns);
  for (const { column, expression } of node.items) {
    if (!below.delete(column)) continue;
    const source = plainColumn(expression, own);
    if (source !== undefined) below.add(source);
  }
  return below;
}

function isKeyOfGroups(node: Aggregate, columns: ReadonlySet<ColumnId>): boolean {
  return node.sets === undefined && node.keys.every((key) => columns.has(key.column));
}

function isKeyOfTable({ table, scanColumns }: Scan, columns: ReadonlySet<ColumnId>, context: BindContext): boolean {
  const numbers = new Set<number | undefined>();
  for (const { id, number } of scanColumns) if (columns.has(id)) numbers.add(number);
  if (table.keyColumns.length > 0 && table.keyColumns.every((number) => numbers.has(number))) return true;
  return context.catalog.indexesOf(table).some((index) => isKey(index, numbers));
}

/** Values that are together in these columns are in one entry of the index at most. */
function isKey(index: IndexDescriptor, numbers: ReadonlySet<number | undefined>): boolean {
  if (!index.unique || index.deferrable === true || index.state !== 'valid' || index.predicateSql !== undefined)
    return false;
  return index.parts.every((part) => part.column !== undefined && numbers.has(part.column));
}
