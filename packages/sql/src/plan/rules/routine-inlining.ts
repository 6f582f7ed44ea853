/**
 * A call of a simple SQL function as the expression that its body selects, after inline_function of PostgreSQL's clauses.c.
 * What is asked of the body: one SELECT of one value, from nothing; no subquery, no aggregate, no set; no less immutable than
 * the function says it is; strict throughout where the function is. An argument that is not used exactly once must be cheap.
 *
 * It is done where calls are folded and not where they are bound, so that views and defaults go on showing the call.
 */
import { isPhantomError } from '@phantom/base';
import { type RoutineDescriptor, goesIn } from '@phantom/catalog';
import type { Binder } from '../../expr/binder.js';
import { tryCoerce } from '../../expr/coercion.js';
import { BindContext, parameterNames } from '../../expr/context.js';
import type { Call, Expression } from '../../expr/expression.js';
import { Scope } from '../../expr/scope.js';
import { mapChildren, someExpression } from '../../expr/walk.js';
import { isPolymorphic } from '../../functions/polymorphic-types.js';
import { statementsOf } from '../../routine/sql-body.js';
import { TypeOid } from '../../types/type-oids.js';
import { typeRef } from '../../types/type-refs.js';
import type * as Ast from '../../text/ast.js';
import { hasSubquery, isVolatile } from './facts.js';

/** The expression that stands for the call; undefined where the function has to be called. */
export function inlineCall(call: Call, binder: Binder): Expression | undefined {
  const { context } = binder;
  const { routine } = call.function;
  // A function that calls itself is called in the end.
  if (routine === undefined || !mayBeInlined(routine, call) || context.inlining.includes(routine.oid)) return undefined;
  try {
    const [statement] = statementsOf(routine);
    const value = statement === undefined ? undefined : selectedValue(statement.node);
    if (statement === undefined || value === undefined) return undefined;
    const body = boundBody(call, routine, value, statement, binder);
    return body === undefined || !keepsPromises(body, routine) ? undefined : withArguments(body, call, routine);
  } catch (error) {
    // Whatever is wrong with the body is told when it is called.
    if (isPhantomError(error)) return undefined;
    throw error;
  }
}

function mayBeInlined(routine: RoutineDescriptor, call: Call): boolean {
  const { language, returnsSet, securityDefiner, settings, parameters, resultType } = routine;
  if (language !== 'sql' || returnsSet || securityDefiner || settings !== undefined) return false;
  if (call.variadicFrom !== undefined || resultType.oid === TypeOid.void || resultType.oid === TypeOid.record)
    return false;
  return parameters.every(({ mode }) => mode === 'in') && statementsOf(routine).length === 1;
}

/** The one value that the statement selects from nothing. */
function selectedValue(node: { readonly kind: string }): Ast.Expression | undefined {
  if (node.kind !== 'query') return undefined;
  const { with: tables, body, orderBy, limit, offset, locking } = node as Ast.Query;
  if (tables !== undefined || limit !== undefined || offset !== undefined || orderBy.length + locking.length > 0)
    return undefined;
  if (body.kind !== 'select') return undefined;
  const { distinct, items, from, where, groupBy, having, windows, into } = body;
  const clauses = [distinct, where, groupBy, having, into].some((clause) => clause !== undefined);
  const [item] = items;
  if (clauses || from.length + windows.length > 0 || items.length !== 1 || item?.value.kind === 'star')
    return undefined;
  return item?.value;
}

/** The body over parameters of the types of the call, as the result's type; undefined where it is not a plain expression. */
function boundBody(
  call: Call,
  routine: RoutineDescriptor,
  value: Ast.Expression,
  { text, stored }: ReturnType<typeof statementsOf>[number],
  binder: Binder,
): Expression | undefined {
  const inputs = routine.parameters.filter(goesIn);
  const { context } = binder;
  const { catalog } = context;
  const inner = new BindContext({
    catalog: stored === undefined ? catalog : catalog.withSearchPath(stored.searchPath),
    text,
    pool: context.pool,
    parameterTypes: inputs.map(({ type }, i) =>
      isPolymorphic(type.oid) ? typeRef(call.arguments[i]?.type.oid ?? type.oid) : typeRef(type.oid),
    ),
    parameterNames: parameterNames(
      routine.name,
      inputs.map(({ name }) => name),
    ),
  });
  const scope = new Scope(inner, undefined);
  const bound = binder.within(inner).bind(value, scope);
  const isPlain =
    scope.aggregates.length + scope.setCalls.length + scope.windowCalls.length + scope.groupings.length === 0;
  if (!isPlain || hasSubquery(bound)) return undefined;
  context.takeRoutines(inner);
  return tryCoerce(inner, bound, typeRef(call.type.oid), 'assignment', 0);
}

/** The body is as immutable, and as strict, as the function says that it is. */
function keepsPromises(body: Expression, { volatility, strict }: RoutineDescriptor): boolean {
  if (volatility !== 'volatile' && isVolatile(body)) return false;
  if (volatility === 'immutable' && someExpression(body, isStable)) return false;
  return !strict || !someExpression(body, mayHideNull);
}

function isStable(part: Expression): boolean {
  if (part.kind === 'call') return part.function.volatility === 'stable';
  return part.kind === 'cast' && part.definition.volatility === 'stable';
}

/** It may give a value for a null that it is given. */
function mayHideNull(part: Expression): boolean {
  switch (part.kind) {
    case 'constant':
    case 'parameter':
    case 'cast':
    case 'typmod':
    case 'not':
      return false;
    case 'call':
      return !part.function.strict;
    default:
      return true;
  }
}

function withArguments(
  body: Expression,
  { arguments: args }: Call,
  routine: RoutineDescriptor,
): Expression | undefined {
  const uses = args.map(() => 0);
  const count = (part: Expression): boolean => {
    if (part.kind === 'parameter') uses[part.index - 1] = (uses[part.index - 1] ?? 0) + 1;
    return false;
  };
  someExpression(body, count);
  const fits = args.every((argument, i) => {
    if (uses[i] === 1) return true;
    return isCheap(argument) && (uses[i] !== 0 || !routine.strict);
  });
  if (!fits) return undefined;
  const replace = (part: Expression): Expression =>
    part.kind === 'parameter' ? (args[part.index - 1] as Expression) : mapChildren(part, replace);
  return replace(body);
}

function isCheap({ kind }: Expression): boolean {
  return kind === 'constant' || kind === 'column' || kind === 'parameter';
}
