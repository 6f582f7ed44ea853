/** A change that rules may rewrite, and the parts of what the binder makes of it. */
import type { Oid } from '@phantom/catalog';
import type { Binder, BoundQuery } from '../expr/binder.js';
import type { Scope } from '../expr/scope.js';
import type { Delete, Insert, LogicalNode, Update, With } from '../plan/logical/logical.js';
import type * as Ast from '../text/ast.js';

export type Change = Ast.Insert | Ast.Update | Ast.Delete;

/** What changes rows, among the nodes of a plan. */
export type ChangeNode = Insert | Update | Delete;

/** A change with what it is bound in. Every binding gives columns of its own, so that it may stand in several plans. */
export interface BindableChange {
  readonly node: Change;
  /** For names in it. */
  readonly binder: Binder;
  readonly scope: Scope | undefined;
  /** Binds the node, or another form of it; `itself`: the view that is taken for a table, since rules stand for the change. */
  bind(node: Change, itself: Oid | undefined): BoundQuery;
}

/** The node that changes rows, and the WITH queries around it. */
export function changeIn(plan: LogicalNode): { readonly change: ChangeNode; readonly tables: With['tables'] } {
  let node = plan;
  const tables: With['tables'][number][] = [];
  while (node.kind === 'with' || node.kind === 'project') {
    if (node.kind === 'with') tables.push(...node.tables);
    node = node.input;
  }
  return { change: node as ChangeNode, tables };
}

/** The plan with another node in the place of the one that changes rows. */
export function withChange(plan: LogicalNode, make: (change: ChangeNode) => ChangeNode): LogicalNode {
  if (plan.kind === 'with' || plan.kind === 'project') return { ...plan, input: withChange(plan.input, make) };
  return make(plan as ChangeNode);
}
