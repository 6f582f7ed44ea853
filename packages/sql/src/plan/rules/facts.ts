/** Questions rules ask of expressions. */
import type { ColumnId, Expression } from '../../expr/expression.js';
import type { FunctionDefinition } from '../../functions/registry.js';
import { usesLargeObjects } from '../../functions/large-object-functions.js';
import { mayWait } from '../../functions/lock-functions.js';
import { someExpression } from '../../expr/walk.js';
import { columnsOf } from '../logical/walk.js';

export function isVolatile(expression: Expression): boolean {
  return someExpression(
    expression,
    (part) =>
      (part.kind === 'call' && part.function.volatility === 'volatile') ||
      (part.kind === 'cast' && part.definition.volatility === 'volatile'),
  );
}

/** It may have to wait for somebody else: what users define may do anything, code of extensions does not. */
export function isWaiting({ name, routine }: FunctionDefinition): boolean {
  return (routine !== undefined && routine.language !== 'c') || mayWait(name) || usesLargeObjects(name);
}

/** It calls a function that may have to wait for somebody else. */
export function callsWaiting(expression: Expression): boolean {
  return someExpression(
    expression,
    (part) =>
      (part.kind === 'call' && isWaiting(part.function)) ||
      (part.kind === 'cast' && part.definition.callsRoutine === true),
  );
}

/** It calls a function that may take long over long values. */
export function callsLong(expression: Expression): boolean {
  return someExpression(expression, (part) => part.kind === 'call' && part.function.takesLong === true);
}

/** Functions of these names tell of the process or the session, but for those whose answer is the same everywhere. */
const ASKING_NAMES = /^(pg_|txid_|inet_|current_setting$)/;

/** It tells what only this process or this session knows. */
export function asksHere({ name, volatility }: FunctionDefinition): boolean {
  return volatility !== 'immutable' && ASKING_NAMES.test(name);
}

/** It calls a function that tells what only this process or this session knows. */
export function callsAsking(expression: Expression): boolean {
  return someExpression(expression, (part) => part.kind === 'call' && asksHere(part.function));
}

export function hasSubquery(expression: Expression): boolean {
  return someExpression(expression, (part) => part.kind === 'subquery');
}

/** True when none of the expression's columns is in the set. */
export function isFreeOf(expression: Expression, columns: ReadonlySet<ColumnId>): boolean {
  for (const column of columnsOf(expression)) if (columns.has(column)) return false;
  return true;
}

/** True when all of the expression's columns are in the set. */
export function isWithin(expression: Expression, columns: ReadonlySet<ColumnId>): boolean {
  for (const column of columnsOf(expression)) if (!columns.has(column)) return false;
  return true;
}

/**
 * True when the condition cannot be TRUE for a row in which all of `columns` are null: a strict comparison over one of
 * them, IS NOT NULL, or a conjunction with such a part. It turns an outer join into an inner one.
 */
export function rejectsNulls(condition: Expression, columns: ReadonlySet<ColumnId>): boolean {
  switch (condition.kind) {
    case 'logical':
      return condition.operator === 'and'
        ? condition.operands.some((operand) => rejectsNulls(operand, columns))
        : condition.operands.every((operand) => rejectsNulls(operand, columns));
    case 'null-test':
      return condition.negated && !condition.row && isNullWith(condition.operand, columns);
    case 'boolean-test':
      return !condition.negated && condition.value !== null && isNullWith(condition.operand, columns);
    case 'not':
      return isNullWith(condition.operand, columns);
    default:
      return isNullWith(condition, columns);
  }
}

/** True when the expression is null whenever all of the columns are. */
function isNullWith(expression: Expression, columns: ReadonlySet<ColumnId>): boolean {
  switch (expression.kind) {
    case 'column':
      return columns.has(expression.column);
    case 'call':
      return expression.function.strict && expression.arguments.some((argument) => isNullWith(argument, columns));
    case 'cast':
    case 'typmod':
    case 'field':
    case 'not':
      return isNullWith(expression.operand, columns);
    case 'array-quantified':
      return expression.comparison.strict && isNullWith(expression.left, columns) && expression.quantifier === 'any';
    case 'logical':
      return expression.operands.every((operand) => isNullWith(operand, columns));
    default:
      return false;
  }
}
