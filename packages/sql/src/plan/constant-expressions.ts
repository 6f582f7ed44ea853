/** Expressions without columns, bound and evaluated at once: arguments of EXECUTE and CALL. */
import { PhantomError } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import { coerce } from '../expr/coercion.js';
import { BindContext } from '../expr/context.js';
import { Scope } from '../expr/scope.js';
import { typeRef } from '../expr/type-oids.js';
import { evaluateExpression } from '../exec/evaluate-expression.js';
import type { EvaluationContext } from '../functions/registry.js';
import type * as Ast from '../text/ast.js';
import type { Value } from '../types/type.js';
import { StatementBinder } from './binder/statement-binder.js';
import type { CatalogPort } from './catalog-port.js';
import { sqlReader } from './plan-statement.js';
import { hasSubquery } from './rules/facts.js';

/** The values of the expressions, cast as assignments to the types. */
export function bindConstantExpressions(
  nodes: readonly Ast.Expression[],
  types: readonly Oid[],
  catalog: CatalogPort,
  evaluation: EvaluationContext,
): Value[] {
  const context = new BindContext({ catalog, text: '' });
  const binder = new StatementBinder(context, sqlReader);
  return nodes.map((node, i) => {
    const scope = new Scope(context, undefined);
    scope.clause = 'VALUES';
    const bound = binder.bind(node, scope);
    const type = types[i];
    const value = type === undefined ? bound : coerce(context, bound, typeRef(type), 'assignment', node.position);
    if (hasSubquery(value)) throw new PhantomError('0A000', 'a subquery in arguments of EXECUTE is not supported');
    return evaluateExpression(value, [], new Map(), catalog.types)([], evaluation);
  });
}
