/** Casts as a query writes them: to types, and to object ids. */
import type { TypeRef } from '@phantom/catalog';
import type * as Ast from '../text/ast.js';
import { TypeOid } from '../types/type-oids.js';
import { TEXT } from '../types/type-refs.js';
import { bindArray, bindCurrent } from './bind-special.js';
import type { Binder } from './binder.js';
import { callNamed, callOperator } from './calls.js';
import { baseType, coerce } from './coercion.js';
import type { Expression } from './expression.js';
import type { Scope } from './scope.js';
import { findTypeName, resolveTypeName } from './type-names.js';

export function bindCast(binder: Binder, node: Ast.CastExpression, scope: Scope): Expression {
  const { context } = binder;
  if (isObjectId(node.type) && findTypeName(context.catalog, node.type) === undefined) {
    const text = coerce(context, binder.bind(node.operand, scope), TEXT, 'explicit', node.position);
    return callNamed(context, 'objectid', [text], node.position);
  }
  const target = context.at(node.type.position, () => resolveTypeName(context.catalog, node.type));
  const wanted = context.catalog.types.byOid(target.oid);
  const isArray = wanted !== undefined && wanted.kind !== 'domain' && wanted.elementOid !== 0;
  if (node.operand.kind === 'array' && isArray) return bindArray(binder, node.operand, scope, target);
  const operand = ofToday(binder, binder.bind(node.operand, scope), target, node.position);
  return coerce(context, operand, target, 'explicit', node.position);
}

/** ISO's cast of a time to a timestamp, which PostgreSQL lacks: that time of the current date. */
function ofToday(binder: Binder, operand: Expression, target: TypeRef, position: number): Expression {
  const { context } = binder;
  const source = baseType(context, operand.type).oid;
  const wanted = baseType(context, target).oid;
  const isMoment = wanted === TypeOid.timestamp || wanted === TypeOid.timestamptz;
  if (!isMoment || (source !== TypeOid.time && source !== TypeOid.timetz)) return operand;
  const today = bindCurrent(binder, { kind: 'current', function: 'current_date', precision: undefined, position });
  return callOperator(context, '+', today, operand, position);
}

/** Object ids have no type of their own: the cast is the function of the name, as PostgreSQL has it of every cast. */
function isObjectId({ name, arrayBounds, modifiers, setOf }: Ast.CastExpression['type']): boolean {
  if (name.length !== 1 || name[0]?.text !== 'objectid') return false;
  return arrayBounds.length === 0 && modifiers.length === 0 && !setOf;
}
