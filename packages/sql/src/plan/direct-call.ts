/**
 * SELECT f(...): a statement that is nothing but one call of a user's function. In the middle of an expression a body can
 * neither wait nor let others have their turn; here it can, like that of CALL.
 */
import type { RoutineDescriptor } from '@phantom/catalog';
import { evaluateParameters, type ParameterFunction } from '../exec/evaluate-expression.js';
import type { BindContext } from '../expr/context.js';
import type { Expression } from '../expr/expression.js';
import type { CallTypes } from '../functions/registry.js';
import type { LogicalNode } from './logical/logical.js';
import { hasSubquery } from './rules/facts.js';

export interface DirectCall {
  readonly routine: RoutineDescriptor;
  readonly types: CallTypes;
  readonly arguments: readonly ParameterFunction[];
}

/** Undefined where the plan is anything else. */
export function directCallOf(plan: LogicalNode, context: BindContext): DirectCall | undefined {
  const only = onlyExpression(plan);
  if (only?.kind !== 'call' || only.variadicFrom !== undefined) return undefined;
  const { routine } = only.function;
  if (routine === undefined || routine.language === 'c' || only.arguments.some(hasSubquery)) return undefined;
  const { types } = context.catalog;
  return {
    routine,
    types: {
      arguments: only.arguments.map(({ type }) => type),
      result: only.type,
      ...(only.recordColumns === undefined ? {} : { columns: only.recordColumns }),
    },
    arguments: only.arguments.map((argument) => evaluateParameters(argument, types)),
  };
}

/** The one value of the one row that a plan without relations gives. */
function onlyExpression(plan: LogicalNode): Expression | undefined {
  if (plan.kind === 'project' && plan.items.length === 1 && isOneRow(plan.input)) return plan.items[0]?.expression;
  return plan.kind === 'values' && plan.rows.length === 1 && plan.rows[0]?.length === 1 ? plan.rows[0][0] : undefined;
}

function isOneRow(plan: LogicalNode): boolean {
  return plan.kind === 'values' && plan.rows.length === 1 && plan.rows[0]?.length === 0;
}
