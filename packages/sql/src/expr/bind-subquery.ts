/** Subqueries as expressions: scalar, EXISTS, UNIQUE and ARRAY. (IN and quantified ones are in bind-operators.ts.) */
import type { TypeRef } from '@phantom/catalog';
import type * as Ast from '../text/ast.js';
import type { Binder } from './binder.js';
import type { Expression } from './expression.js';
import type { Scope } from './scope.js';
import { BOOL, typeRef } from '../types/type-refs.js';

export function bindSubquery(binder: Binder, node: Ast.SubqueryExpression, scope: Scope): Expression {
  const { context } = binder;
  let query = binder.bindQuery(node.query, scope);
  const subquery = (mode: 'scalar' | 'exists' | 'unique' | 'array', type: TypeRef): Expression => ({
    kind: 'subquery',
    mode,
    plan: query.plan,
    columns: query.fields.map((field) => field.column),
    test: undefined,
    operatorName: undefined,
    type,
  });
  // Of EXISTS nobody sees the columns: not even what is volatile in them is computed.
  if (node.kind === 'exists' && query.plan.kind === 'project') {
    query = { plan: { ...query.plan, items: [], columns: [] }, fields: [] };
  }
  if (node.kind === 'exists' || node.kind === 'unique') return subquery(node.kind, BOOL);
  const first = query.fields[0];
  if (query.fields.length !== 1 || first === undefined) {
    throw context.error('42601', 'subquery must return only one column', node.position);
  }
  if (node.kind === 'subquery') return subquery('scalar', first.type);
  const type = context.catalog.types.byOid(first.type.oid);
  const arrayOid = type?.kind === 'array' ? type.oid : (type?.arrayOid ?? 0);
  if (arrayOid === 0) {
    throw context.error(
      '42704',
      `could not find array type for data type ${context.typeName(first.type.oid)}`,
      node.position,
    );
  }
  return subquery('array', typeRef(arrayOid));
}
