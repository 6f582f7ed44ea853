/**
 * Expressions of a routine's body that need no plan: bound by themselves, over parameters alone, and computed at once. And
 * casts of values from type to type, as an assignment in a body makes them.
 */
import { PhantomError } from '@phantom/base';
import type { TypeRef } from '@phantom/catalog';
import { evaluateParameters, executeParameters, type ParameterFunction } from '../exec/evaluate-expression.js';
import { coerce, isUnknown, tryCoerce } from '../expr/coercion.js';
import { BindContext, type ParameterNames } from '../expr/context.js';
import type { Expression } from '../expr/expression.js';
import { Scope } from '../expr/scope.js';
import type * as Ast from '../text/ast.js';
import { TEXT } from '../types/type-refs.js';
import { assignPart } from './binder/part-assignment.js';
import { StatementBinder } from './binder/statement-binder.js';
import type { CatalogPort, RequiredPrivilege } from './catalog-port.js';
import { sqlReader } from './sql-reader.js';
import { foldExpression } from './rules/constant-folding.js';
import { callsLong, hasSubquery } from './rules/facts.js';

export interface RoutineExpression {
  readonly type: TypeRef;
  readonly evaluate: ParameterFunction;
  /** The same by the protocol of exec/runtime.ts, where routines are called. */
  readonly execute: ReturnType<typeof executeParameters> | undefined;
  /** The same where other calls may take long over long values. */
  readonly executeLong: ReturnType<typeof executeParameters> | undefined;
  /** What whoever evaluates it must be allowed to do. */
  readonly privileges: readonly RequiredPrivilege[];
}

export interface RoutineExpressionRequest {
  readonly catalog: CatalogPort;
  readonly text: string;
  /** Of $1, $2, ... */
  readonly types: readonly TypeRef[];
  readonly names: ParameterNames;
  /** The value is that of a part of the parameter: the result is the whole with the part replaced. */
  readonly part?: { readonly parameter: number; readonly target: Ast.TargetColumn } | undefined;
}

/** Undefined where it takes a plan to compute it: subqueries, aggregates, sets. Raises the binder's errors. */
export function bindRoutineExpression(
  node: Ast.Expression,
  { catalog, text, types, names, part }: RoutineExpressionRequest,
): RoutineExpression | undefined {
  const context = new BindContext({ catalog, text, parameterTypes: types, parameterNames: names });
  const binder = new StatementBinder(context, sqlReader);
  const scope = new Scope(context, undefined);
  let bound: Expression = binder.bind(node, scope);
  const { aggregates, groupings, windowCalls, setCalls } = scope;
  if (aggregates.length + groupings.length + windowCalls.length + setCalls.length > 0 || hasSubquery(bound))
    return undefined;
  if (part !== undefined) {
    bound = withPart(binder, bound, part, scope, types);
    if (hasSubquery(bound)) return undefined;
  }
  if (part === undefined && isUnknown(bound)) bound = coerce(context, bound, TEXT, 'implicit', node.position);
  const folded = foldExpression(bound, context);
  const execute = (isNeeded: boolean): RoutineExpression['execute'] =>
    isNeeded ? executeParameters(folded, catalog.types) : undefined;
  return {
    type: bound.type,
    evaluate: evaluateParameters(folded, catalog.types),
    execute: execute(context.callsRoutines),
    executeLong: execute(!context.callsRoutines && callsLong(folded)),
    privileges: context.privileges(),
  };
}

function withPart(
  binder: StatementBinder,
  value: Expression,
  { parameter, target }: NonNullable<RoutineExpressionRequest['part']>,
  scope: Scope,
  types: readonly TypeRef[],
): Expression {
  const type = types[parameter - 1] as TypeRef;
  const whole: Expression = { kind: 'parameter', index: parameter, type };
  return assignPart(binder, whole, target, scope, (wanted) => assigned(binder.context, value, wanted));
}

/** The value cast as an assignment casts it or, where there is no such cast, by way of its text. */
function assigned(context: BindContext, value: Expression, target: TypeRef): Expression {
  const direct = tryCoerce(context, value, target, 'assignment', 0);
  if (direct !== undefined) return direct;
  const text = tryCoerce(context, value, TEXT, 'explicit', 0);
  const read = text === undefined ? undefined : tryCoerce(context, text, target, 'explicit', 0);
  if (read !== undefined) return read;
  const [from, to] = [context.typeName(value.type.oid), context.typeName(target.oid)];
  throw new PhantomError('42846', `cannot cast type ${from} to ${to}`);
}

/** The values of one type as values of another. */
export function compileCast(catalog: CatalogPort, source: TypeRef, target: TypeRef): ParameterFunction {
  const context = new BindContext({ catalog, text: '', parameterTypes: [source] });
  const cast = assigned(context, { kind: 'parameter', index: 1, type: source }, target);
  return evaluateParameters(cast, catalog.types);
}
