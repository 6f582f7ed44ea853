/** CALL: which procedure is meant, and a plan of one row, the values of what goes in. */
import type { RoutineDescriptor } from '@phantom/catalog';
import { goesIn } from '@phantom/catalog';
import { callOptions } from '../expr/bind-functions.js';
import { callText, resolveCall, type ResolvedCall } from '../expr/calls.js';
import type { BindContext } from '../expr/context.js';
import type { Expression } from '../expr/expression.js';
import { Scope } from '../expr/scope.js';
import type { CallTypes } from '../functions/registry.js';
import { calledParameters } from '../routine/routine-function.js';
import type * as Ast from '../text/ast.js';
import { typeRef } from '../types/type-refs.js';
import type { CatalogPort } from './catalog-port.js';
import { type PlanOptions, binderFor, preparedPlan } from './plan-statement.js';
import { hasSubquery } from './rules/facts.js';
import type { PlanField, PreparedPlan } from './prepared-plan.js';

export interface PlannedCall {
  readonly procedure: RoutineDescriptor;
  /** Its columns are the parameters that go in. */
  readonly plan: PreparedPlan;
  readonly types: CallTypes;
  /** What comes out: columns of one row; empty for none. */
  readonly fields: readonly PlanField[];
}

export function planCall(node: Ast.FunctionCall, catalog: CatalogPort, options: PlanOptions): PlannedCall {
  const binder = binderFor(catalog, options);
  const { context } = binder;
  const scope = new Scope(context, undefined);
  scope.clause = 'CALL arguments';
  const given = node.arguments.map((argument) => binder.bind(argument.value, scope));
  given.forEach((value, i) => {
    if (!hasSubquery(value)) return;
    throw context.error('0A000', 'cannot use subquery in CALL argument', node.arguments[i]?.value.position);
  });
  const name = node.name[node.name.length - 1]?.text ?? '';
  const resolved = resolveCall(context, name, given, node.position, callOptions(binder, node));
  const procedure = resolved?.definition.routine;
  if (resolved === undefined || procedure?.routine !== 'procedure') throw noProcedure(context, node, given, resolved);
  const values = argumentsOf(context, resolved);
  const called = calledParameters(procedure);
  const inputs = values.filter((_, i) => goesIn(called[i] ?? { mode: 'in' }));
  const columns = inputs.map((value, i) => context.newColumn(`argument${i + 1}`, value.type));
  const fields = inputs.map((value, i) => ({
    name: `argument${i + 1}`,
    column: columns[i] as number,
    type: value.type,
    tableOid: 0,
    columnNumber: 0,
  }));
  const bound = { plan: { kind: 'values', rows: [inputs], columns } as const, fields };
  return {
    procedure,
    plan: preparedPlan(context, bound, 'select', catalog, options),
    types: {
      arguments: values.map(({ type }) => type),
      result: resolved.type,
      ...(resolved.columns === undefined
        ? {}
        : { columns: resolved.columns.map((column) => ({ name: column.name, type: typeRef(column.type) })) }),
    },
    fields: (resolved.columns ?? []).map((column) => ({
      name: column.name,
      type: typeRef(column.type),
      tableOid: 0,
      column: 0,
    })),
  };
}

/** The arguments, those that a VARIADIC parameter collects as one array. */
function argumentsOf(context: BindContext, resolved: ResolvedCall): readonly Expression[] {
  const { variadicFrom, variadicElement } = resolved;
  if (variadicFrom === undefined || variadicElement === undefined) return resolved.arguments;
  const array: Expression = {
    kind: 'array',
    elements: resolved.arguments.slice(variadicFrom),
    elementOid: variadicElement,
    nested: false,
    type: typeRef(context.catalog.types.byOid(variadicElement)?.arrayOid ?? 0),
  };
  return [...resolved.arguments.slice(0, variadicFrom), array];
}

function noProcedure(
  context: BindContext,
  node: Ast.FunctionCall,
  given: readonly Expression[],
  resolved: ResolvedCall | undefined,
): Error {
  const types = given.map(({ type }) => type.oid);
  const text = callText(context, node.name.map((part) => part.text).join('.'), types);
  const position = node.name[0]?.position ?? node.position;
  if (resolved !== undefined) {
    return context.error('42809', `${text} is not a procedure`, position, {
      hint: 'To call a function, use SELECT.',
    });
  }
  return context.error('42883', `procedure ${text} does not exist`, position, {
    hint: 'No procedure matches the given name and argument types. You might need to add explicit type casts.',
  });
}
