/** The binder as a whole: it answers to the face in expr/binder.ts and sends each part of a statement to its file. */
import type { TypeRef } from '@phantom/catalog';
import { bindExpression } from '../../expr/bind-expression.js';
import type { Binder, BindQueryOptions, BoundQuery } from '../../expr/binder.js';
import type { BindContext } from '../../expr/context.js';
import type { Expression } from '../../expr/expression.js';
import type { Scope } from '../../expr/scope.js';
import type * as Ast from '../../text/ast.js';
import { rewriteChange, rewrittenAlone } from '../../rewrite/rewrite-change.js';
import { inlineCall } from '../rules/routine-inlining.js';
import { bindDelete } from './bind-delete.js';
import { bindInsert } from './bind-insert.js';
import { bindMerge } from './bind-merge.js';
import { bindQuery, bindQueryBody } from './bind-query.js';
import { bindUpdate } from './bind-update.js';

/** Reads SQL that the catalog keeps as text: bodies of views, defaults, generation expressions. */
export interface SqlReader {
  query(text: string): Ast.Query;
  expression(text: string): Ast.Expression;
}

export class StatementBinder implements Binder {
  readonly context: BindContext;
  private readonly reader: SqlReader;

  constructor(context: BindContext, reader: SqlReader) {
    this.context = context;
    this.reader = reader;
    context.inlineCall ??= (call) => inlineCall(call, this);
  }

  within(context: BindContext): Binder {
    return new StatementBinder(context, this.reader);
  }

  bind(expression: Ast.Expression, scope: Scope): Expression {
    return bindExpression(this, expression, scope);
  }

  bindQuery(query: Ast.Query, scope: Scope | undefined, options?: BindQueryOptions): BoundQuery {
    return bindQuery(this, query, scope, options);
  }

  bindQueryBody(body: Ast.QueryBody, scope: Scope | undefined, options: BindQueryOptions = {}): BoundQuery {
    return bindQueryBody(this, body, scope, options);
  }

  bindModification(
    statement: Ast.Insert | Ast.Update | Ast.Delete | Ast.Merge,
    scope: Scope | undefined,
    { withoutRules }: { readonly withoutRules: boolean } = { withoutRules: false },
  ): BoundQuery {
    const rewritten = withoutRules || statement.kind === 'merge' ? undefined : rewriteChange(this, statement, scope);
    if (rewritten !== undefined) return rewrittenAlone(rewritten);
    switch (statement.kind) {
      case 'insert':
        return bindInsert(this, statement, scope);
      case 'update':
        return bindUpdate(this, statement, scope);
      case 'delete':
        return bindDelete(this, statement, scope);
      default:
        return bindMerge(this, statement, scope);
    }
  }

  compositeFields(oid: number): readonly { readonly name: string; readonly type: TypeRef }[] | undefined {
    return this.context.catalog.compositeFields(oid);
  }

  parseQuery(text: string): Ast.Query {
    return this.reader.query(text);
  }

  parseExpression(text: string): Ast.Expression {
    return this.reader.expression(text);
  }
}
