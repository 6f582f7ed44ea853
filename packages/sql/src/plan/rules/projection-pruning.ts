/**
 * Projection pruning: every node keeps the columns somebody above uses, and no others; scans read only those. What is
 * volatile stays without a reader: it may do something, and does so once a row.
 */
import type { ColumnId } from '../../expr/expression.js';
import type { CommonTable, LogicalNode, With } from '../logical/logical.js';
import { forEachSubplan } from '../logical/subplans.js';
import { collectColumns, forEachNodeExpression, freeColumns, inputsOf, mapInputs } from '../logical/walk.js';
import type { Rule } from './rule.js';
import { isVolatileThroughout } from './volatile-plans.js';

export const projectionPruning: Rule = {
  name: 'projection pruning',
  apply: (plan) => prune(plan, new Set(plan.columns)),
};

/** The columns the node's own expressions use. */
function usedBy(node: LogicalNode): Set<ColumnId> {
  const used = new Set<ColumnId>();
  forEachNodeExpression(node, (expression) => collectColumns(expression, used));
  return used;
}

function keep(columns: readonly ColumnId[], wanted: ReadonlySet<ColumnId>): readonly ColumnId[] {
  return columns.every((column) => wanted.has(column)) ? columns : columns.filter((column) => wanted.has(column));
}

function union(a: ReadonlySet<ColumnId>, b: Iterable<ColumnId>): Set<ColumnId> {
  const all = new Set(a);
  for (const column of b) all.add(column);
  return all;
}

/** Narrows a node to the wanted columns of its own. */
function prune(node: LogicalNode, wanted: ReadonlySet<ColumnId>): LogicalNode {
  switch (node.kind) {
    case 'scan': {
      const used = union(wanted, usedBy(node));
      return {
        ...node,
        scanColumns: node.scanColumns.filter((column) => used.has(column.id)),
        rowReference: node.rowReference !== undefined && used.has(node.rowReference) ? node.rowReference : undefined,
        columns: keep(node.columns, wanted),
      };
    }
    case 'virtual-scan': {
      const kept = node.columns
        .map((column, i) => ({ column, position: node.positions[i] as number }))
        .filter((c) => wanted.has(c.column));
      return { ...node, columns: kept.map((c) => c.column), positions: kept.map((c) => c.position) };
    }
    case 'values': {
      const kept = node.columns.map((_, i) => i).filter((i) => wanted.has(node.columns[i] as ColumnId));
      if (kept.length === node.columns.length) return node;
      return {
        ...node,
        rows: node.rows.map((row) => kept.map((i) => row[i] as (typeof row)[number])),
        columns: kept.map((i) => node.columns[i] as ColumnId),
      };
    }
    case 'function-scan':
      return node;
    case 'cte-scan': {
      const kept = node.columns
        .map((column, i) => ({ column, source: node.sources[i] as ColumnId }))
        .filter((c) => wanted.has(c.column));
      return { ...node, columns: kept.map((c) => c.column), sources: kept.map((c) => c.source) };
    }
    case 'project': {
      const items = node.items.filter((item) => wanted.has(item.column) || isVolatileThroughout(item.expression));
      const shown = union(
        wanted,
        items.map((item) => item.column),
      );
      const narrowed = { ...node, items, columns: keep(node.columns, shown) };
      const made = new Set(node.items.map((item) => item.column));
      const below = union(
        usedBy(narrowed),
        narrowed.columns.filter((column) => !made.has(column)),
      );
      const input = prune(node.input, below);
      if (items.length === 0 && sameColumns(input.columns, narrowed.columns)) return input;
      return { ...narrowed, input };
    }
    case 'aggregate': {
      const calls = node.calls.filter((call) => wanted.has(call.column));
      const groupings = node.groupings.filter((grouping) => wanted.has(grouping.column));
      const narrowed = { ...node, calls, groupings, columns: keep(node.columns, wanted) };
      return { ...narrowed, input: prune(node.input, usedBy(narrowed)) };
    }
    case 'window': {
      const calls = node.calls.filter((call) => wanted.has(call.column));
      if (calls.length === 0) return prune(node.input, wanted);
      const narrowed = { ...node, calls, columns: keep(node.columns, wanted) };
      return { ...narrowed, input: prune(node.input, union(wanted, usedBy(narrowed))) };
    }
    case 'distinct': {
      // Plain DISTINCT compares all its columns: none may go.
      const needed = node.on === undefined ? new Set(node.columns) : union(wanted, usedBy(node));
      const input = prune(node.input, needed);
      return { ...node, input, columns: node.on === undefined ? node.columns : keep(node.columns, needed) };
    }
    case 'set-operation':
      return pruneSetOperation(node, wanted);
    case 'with':
      return pruneWith(node, wanted);
    case 'join': {
      const needed = union(union(wanted, usedBy(node)), freeColumns(node.right));
      const left = prune(node.left, needed);
      const right = prune(node.right, needed);
      const kept = node.join === 'semi' || node.join === 'anti' ? left.columns : [...left.columns, ...right.columns];
      return { ...node, left, right, columns: keep(kept, wanted) };
    }
    case 'insert':
    case 'update':
    case 'delete':
    case 'merge':
      return pruneModification(node);
    case 'lock-rows': {
      const needed = union(
        wanted,
        node.targets.map((target) => target.rowReference),
      );
      return { ...node, input: prune(node.input, needed), columns: keep(node.columns, needed) };
    }
    case 'limit':
    case 'sort':
    case 'filter':
    case 'project-set': {
      const input = prune(node.input, union(wanted, usedBy(node)));
      return { ...node, input, columns: keep(node.columns, wanted) };
    }
    default:
      return node;
  }
}

function sameColumns(a: readonly ColumnId[], b: readonly ColumnId[]): boolean {
  return a.length === b.length && a.every((column, i) => column === b[i]);
}

function pruneSetOperation(node: LogicalNode & { kind: 'set-operation' }, wanted: ReadonlySet<ColumnId>): LogicalNode {
  const all = node.operation !== 'union' || !node.all;
  const kept = node.columns.map((_, i) => i).filter((i) => all || wanted.has(node.columns[i] as ColumnId));
  const inputColumns = node.inputColumns.map((columns) => kept.map((i) => columns[i] as ColumnId));
  return {
    ...node,
    inputs: node.inputs.map((input, i) => prune(input, new Set(inputColumns[i]))),
    inputColumns,
    columns: kept.map((i) => node.columns[i] as ColumnId),
  };
}

/** Columns of WITH queries that any scan of them reads; a pruned scan first, then what it reads. */
function pruneWith(node: With, wanted: ReadonlySet<ColumnId>): LogicalNode {
  const input = prune(node.input, wanted);
  const tables: CommonTable[] = [];
  const used = new Set<ColumnId>();
  collectSources(input, used);
  for (let i = node.tables.length - 1; i >= 0; i--) {
    const table = node.tables[i] as CommonTable;
    // Recursion compares or feeds back whole rows, and a modification returns what it returns: their columns stay.
    const whole = table.recursive !== undefined || table.writes;
    const needed = whole ? new Set(table.plan.columns) : used;
    const plan = prune(table.plan, needed);
    collectSources(plan, used);
    let { recursive } = table;
    if (recursive !== undefined) {
      const step = prune(recursive.step, new Set(recursive.stepColumns));
      collectSources(step, used);
      recursive = { ...recursive, step };
    }
    tables.unshift({ ...table, plan, recursive, columns: plan.columns });
  }
  return { ...node, tables, input, columns: keep(node.columns, wanted) };
}

/** Sources of all CTE scans in a plan, subplans included (they are not pruned yet, so nothing they read is lost). */
function collectSources(node: LogicalNode, into: Set<ColumnId>): void {
  if (node.kind === 'cte-scan') for (const source of node.sources) into.add(source);
  for (const input of inputsOf(node)) collectSources(input, into);
  forEachNodeExpression(node, (expression) => forEachSubplan(expression, (plan) => collectSources(plan, into)));
}

function pruneModification(node: LogicalNode & { kind: 'insert' | 'update' | 'delete' | 'merge' }): LogicalNode {
  const needed = usedBy(node);
  if (node.kind !== 'insert') {
    needed.add(node.rowReference);
    for (const column of node.oldRow) needed.add(column);
  }
  if (node.kind === 'merge') needed.add(node.sourceMark);
  // Columns of the input that RETURNING mentions pass through.
  for (const column of node.columns) needed.add(column);
  return mapInputs(node, (input) => prune(input, needed));
}
