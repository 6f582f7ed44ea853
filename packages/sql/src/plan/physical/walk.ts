/** Walking physical plans. */
import { unreachable } from '@phantom/base';
import type { ColumnId, Expression } from '../../expr/expression.js';
import type { SetCall } from '../logical/logical.js';
import type { Gather, PhysicalNode } from './physical.js';

/** The nodes directly below, in the order EXPLAIN shows them. */
export function inputsOfPhysical(node: PhysicalNode): readonly PhysicalNode[] {
  switch (node.kind) {
    case 'table-scan':
    case 'column-scan':
    case 'virtual-scan':
    case 'values':
    case 'function-scan':
    case 'cte-scan':
      return [];
    case 'hash-join':
    case 'nested-loop':
      return [node.left, node.right];
    case 'append':
    case 'set-operation':
      return node.inputs;
    case 'with':
      return [
        ...node.tables.flatMap((table) =>
          table.recursive === undefined ? [table.plan] : [table.plan, table.recursive.step],
        ),
        node.input,
      ];
    default:
      return [node.input];
  }
}

/** Calls `f` with each expression of the node itself. */
export function ownExpressionsOf(node: PhysicalNode, f: (expression: Expression) => void): void {
  const optional = (expression: Expression | undefined): void => {
    if (expression !== undefined) f(expression);
  };
  const setCall = (call: SetCall): void => call.arguments.forEach(f);
  switch (node.kind) {
    case 'table-scan':
      node.range?.equal.forEach(f);
      optional(node.range?.any);
      optional(node.range?.terms?.operand);
      node.range?.documents?.operands.forEach(f);
      optional(node.range?.lower?.value);
      optional(node.range?.upper?.value);
      node.filter.forEach(f);
      return;
    case 'column-scan':
      node.filter.forEach(f);
      return;
    case 'values':
      for (const row of node.rows) row.forEach(f);
      return;
    case 'function-scan':
      for (const call of node.calls) {
        if ('function' in call) setCall(call);
        else f(call.expression);
      }
      return;
    case 'filter':
      node.conditions.forEach(f);
      return;
    case 'project':
      for (const item of node.items) f(item.expression);
      return;
    case 'project-set':
      node.calls.forEach(setCall);
      return;
    case 'hash-join':
      for (const key of node.keys) {
        f(key.left);
        f(key.right);
      }
      node.residual.forEach(f);
      return;
    case 'nested-loop':
      node.conditions.forEach(f);
      return;
    case 'aggregate':
      for (const key of node.keys) f(key.expression);
      for (const call of node.calls) {
        call.arguments.forEach(f);
        call.directArguments.forEach(f);
        for (const key of call.orderBy) f(key.expression);
        optional(call.filter);
      }
      return;
    case 'window':
      node.partition.forEach(f);
      for (const key of node.order) f(key.expression);
      for (const call of node.calls) {
        call.arguments.forEach(f);
        optional(call.filter);
        const { start, end, startLimit, endLimit } = call.frame;
        optional(start.offset);
        optional(end.offset);
        optional(startLimit?.value);
        optional(startLimit?.limit);
        optional(endLimit?.value);
        optional(endLimit?.limit);
      }
      return;
    case 'sort':
      for (const key of node.keys) f(key.expression);
      optional(node.top?.count);
      optional(node.top?.offset);
      return;
    case 'limit':
      optional(node.count);
      optional(node.offset);
      for (const key of node.ties ?? []) f(key.expression);
      return;
    case 'distinct':
      node.on?.forEach(f);
      return;
    case 'insert':
      node.values.forEach(f);
      for (const check of node.checks) f(check.condition);
      optional(node.conflict?.condition);
      node.conflict?.values.forEach(f);
      for (const check of node.conflict?.existingChecks ?? []) f(check.condition);
      for (const check of node.conflict?.checks ?? []) f(check.condition);
      for (const row of node.conflict?.rows ?? []) f(row.expression);
      return;
    case 'update':
      node.values.forEach(f);
      for (const check of node.checks) f(check.condition);
      return;
    case 'merge':
      for (const action of node.actions) {
        optional(action.condition);
        action.values.forEach(f);
        for (const check of [...action.oldChecks, ...action.checks]) f(check.condition);
      }
      return;
    case 'virtual-scan':
    case 'gather':
    case 'append':
    case 'set-operation':
    case 'with':
    case 'cte-scan':
    case 'lock-rows':
    case 'delete':
      return;
    default:
      unreachable(node);
  }
}

/** Columns the node makes, those it does not hand on included. */
export function ownColumnsOf(node: PhysicalNode): readonly ColumnId[] {
  switch (node.kind) {
    case 'table-scan': {
      const columns = node.scanColumns.map((column) => column.id);
      return node.rowReference === undefined ? columns : [...columns, node.rowReference];
    }
    case 'column-scan':
      return node.scanColumns.map((column) => column.id);
    case 'project':
      return node.items.map((item) => item.column);
    case 'aggregate':
      return [
        ...node.keys.map((key) => key.column),
        ...node.calls.map((call) => call.column),
        ...node.groupings.map((grouping) => grouping.column),
      ];
    case 'window':
      return node.calls.map((call) => call.column);
    case 'insert':
      return [
        ...node.newRow,
        ...(node.conflict?.existing ?? []),
        ...(node.conflict?.stored ?? []),
        ...(node.conflict?.rows ?? []).map((row) => row.column),
        ...writtenOid(node),
      ];
    case 'update':
      return [...node.newRow, ...node.oldRow, ...writtenOid(node)];
    case 'delete':
      return [...node.oldRow, ...writtenOid(node)];
    case 'merge':
      return [...node.newRow, ...node.oldRow, node.actionName, ...writtenOid(node)];
    default:
      return [];
  }
}

function writtenOid({ tableOid }: { readonly tableOid?: ColumnId | undefined }): readonly ColumnId[] {
  return tableOid === undefined ? [] : [tableOid];
}

/** The nodes that are run for each partition, from above. */
export function nodesBelow({ input }: Gather): PhysicalNode[] {
  const below = (node: PhysicalNode): PhysicalNode[] => [node, ...inputsOfPhysical(node).flatMap(below)];
  return below(input);
}
