/**
 * A date compared with a timestamp that is the beginning of a day is a comparison of dates: `d < timestamp '1995-01-01'`, which
 * is what `date '1994-01-01' + interval '1 year'` folds to, becomes `d < date '1995-01-01'`. Keys of indexes, histograms and
 * generated code know what to do with that.
 */
import type { BindContext } from '../../expr/context.js';
import { constant, type Call, type Expression } from '../../expr/expression.js';
import { mapChildren } from '../../expr/walk.js';
import { TypeOid } from '../../types/type-oids.js';
import { typeRef } from '../../types/type-refs.js';
import type { LogicalNode } from '../logical/logical.js';
import { mapInputs, mapNodeExpressions } from '../logical/walk.js';
import type { Rule } from './rule.js';

const DAY_MICROS = 86_400_000_000;

export const comparisonNarrowing: Rule = {
  name: 'comparison narrowing',
  apply: (plan, context) => narrowPlan(plan, context),
};

function narrowPlan(node: LogicalNode, context: BindContext): LogicalNode {
  const inner = mapInputs(node, (input) => narrowPlan(input, context));
  return mapNodeExpressions(inner, (expression) => narrow(expression, context));
}

function narrow(expression: Expression, context: BindContext): Expression {
  const mapped = mapChildren(expression, (child) => narrow(child, context));
  if (mapped.kind !== 'call' || mapped.operator?.role === undefined) return mapped;
  const [left, right] = mapped.arguments;
  if (left === undefined || right === undefined) return mapped;
  const leftDate = left.type.oid === TypeOid.date ? left : dayOf(left);
  const rightDate = right.type.oid === TypeOid.date ? right : dayOf(right);
  if (leftDate === undefined || rightDate === undefined || (leftDate === left && rightDate === right)) return mapped;
  return overDates(mapped, leftDate, rightDate, context);
}

/** A constant timestamp at midnight as the constant date. */
function dayOf(expression: Expression): Expression | undefined {
  if (expression.kind !== 'constant' || expression.type.oid !== TypeOid.timestamp) return undefined;
  const { value } = expression;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value % DAY_MICROS !== 0) return undefined;
  return constant(value / DAY_MICROS, typeRef(TypeOid.date));
}

function overDates(call: Call, left: Expression, right: Expression, context: BindContext): Expression {
  const { functions } = context.catalog;
  const name = call.operator?.name ?? '';
  const operator = functions
    .operatorsNamed(name)
    .find((candidate) => candidate.leftType === TypeOid.date && candidate.rightType === TypeOid.date);
  const implementation = operator?.function;
  if (operator === undefined || implementation === undefined) return call;
  return { ...call, operator, function: implementation, arguments: [left, right] };
}
