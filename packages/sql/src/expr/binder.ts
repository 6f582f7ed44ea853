/**
 * The face that the parts of the binder show each other: expressions hold queries and queries hold expressions, and files
 * do not import in circles. bind-expression.ts implements the first method, plan/binder/bind-query.ts the second.
 */
import type { TypeRef } from '@phantom/catalog';
import type { LockTarget, LogicalNode, RowLock } from '../plan/logical/logical.js';
import type * as Ast from '../text/ast.js';
import type { BindContext } from './context.js';
import type { ColumnId, Expression } from './expression.js';
import type { Scope } from './scope.js';

/** An output column of a query. */
export interface BoundField {
  readonly name: string;
  readonly column: ColumnId;
  readonly type: TypeRef;
  readonly tableOid: number;
  readonly columnNumber: number;
  /** Where its expression stands, for errors of what is around the query. */
  readonly position?: number;
}

export interface BoundQuery {
  readonly plan: LogicalNode;
  readonly fields: readonly BoundField[];
  /** What is to be locked among the rows of the plan, where BindQueryOptions.lock asked for it. */
  readonly locked?: readonly LockTarget[];
}

export interface BindQueryOptions {
  /** The query stands in FROM of one that locks its rows: those of all tables in it. */
  readonly lock?: RowLock | undefined;
  /** Leave output columns of type unknown as they are (INSERT ... SELECT, set operations); otherwise they become text. */
  readonly keepUnknown?: boolean;
  /** Types wanted for a VALUES body whose literals have none. */
  readonly targetTypes?: readonly (TypeRef | undefined)[];
}

export interface Binder {
  readonly context: BindContext;
  /** The same binder over another context (the body of a view). */
  within(context: BindContext): Binder;
  /** Types and names decided; unknown literals and undecided parameters keep the type `unknown`. */
  bind(expression: Ast.Expression, scope: Scope): Expression;
  /** A query whose names may reach into `scope`. */
  bindQuery(query: Ast.Query, scope: Scope | undefined, options?: BindQueryOptions): BoundQuery;
  /** An operand of a set operation: a body without clauses of its own. */
  bindQueryBody(body: Ast.QueryBody, scope: Scope | undefined, options?: BindQueryOptions): BoundQuery;
  /**
   * INSERT, UPDATE, DELETE or MERGE; its fields are RETURNING's. Where its target has rules, what it comes to by them, if that is one
   * statement (0A000 otherwise); `withoutRules`: the change as it stands.
   */
  bindModification(
    statement: Ast.Insert | Ast.Update | Ast.Delete | Ast.Merge,
    scope: Scope | undefined,
    options?: { readonly withoutRules: boolean },
  ): BoundQuery;
  /** Fields of a composite type; undefined when it is none. */
  compositeFields(oid: number): readonly { readonly name: string; readonly type: TypeRef }[] | undefined;
  /** The syntax tree of a query or of an expression in text of its own (views, defaults). */
  parseQuery(text: string): Ast.Query;
  parseExpression(text: string): Ast.Expression;
}
