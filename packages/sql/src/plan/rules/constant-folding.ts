/**
 * Constant folding: immutable calls over constants are computed now, and three-valued logic with a known side is shortened.
 * A call that fails (1/0) is left as it is: it may stand in a branch that never runs. In a row of VALUES what is computed
 * whatever happens fails before anything else of its row is, so that a value out of range costs no number of a sequence.
 */
import { makeArray, nestArrays } from '../../exec/values/arrays.js';
import type { BindContext } from '../../expr/context.js';
import { conjuncts, constant, FALSE, TRUE, type Expression } from '../../expr/expression.js';
import { mapChildren } from '../../expr/walk.js';
import { isLong } from '../../functions/long-calls.js';
import type { EvaluationContext } from '../../functions/registry.js';
import type { Value } from '../../types/type.js';
import { BOOL } from '../../types/type-refs.js';
import type { LogicalNode } from '../logical/logical.js';
import { mapInputs, mapNodeExpressions } from '../logical/walk.js';
import type { Rule } from './rule.js';

export const constantFolding: Rule = {
  name: 'constant folding',
  apply: (plan, context) => foldPlan(plan, context),
};

function foldPlan(node: LogicalNode, context: BindContext): LogicalNode {
  const inner = mapInputs(node, (input) => foldPlan(input, context));
  if (inner.kind === 'filter') {
    const folded = mapNodeExpressions(inner, (expression) => foldExpression(expression, context)) as typeof inner;
    const conditions = folded.conditions.flatMap(conjuncts);
    if (conditions.length === 0) return folded.input;
    // What is never true lets no row through: nothing below needs to run.
    if (conditions.some((condition) => condition.kind === 'constant')) {
      return { kind: 'values', rows: [], columns: folded.columns };
    }
    return { ...folded, conditions };
  }
  if (inner.kind === 'values') return { ...inner, rows: inner.rows.map((row) => foldRow(row, context)) };
  return mapNodeExpressions(inner, (expression) => foldExpression(expression, context));
}

/** The row with its constants computed; where one cannot be, nothing but its error. */
function foldRow(row: readonly Expression[], context: BindContext): readonly Expression[] {
  let failure: Error | undefined;
  const folded = row.map((expression) =>
    foldExpression(expression, context, (error) => {
      failure ??= error;
    }),
  );
  if (failure === undefined) return folded;
  const error = failure;
  return row.map(({ type }) => ({ kind: 'raise', error, type }));
}

type AnyCall = (...args: unknown[]) => Value;

/** Told of the error of a part that is computed in every execution and always fails. */
type OnFailure = (error: Error) => void;

/** The expression with everything computed that is the same in every execution. */
export function foldExpression(expression: Expression, context: BindContext, onFailure?: OnFailure): Expression {
  // Only these compute all of their operands, whatever the values.
  const all = expression.kind === 'cast' || expression.kind === 'typmod' || expression.kind === 'call';
  const folded = mapChildren(expression, (child) => {
    const part = foldExpression(child, context, all ? onFailure : undefined);
    return all && part.kind === 'array' ? foldArray(part) : part;
  });
  switch (folded.kind) {
    case 'call': {
      const { function: definition } = folded;
      const inlined = definition.routine === undefined ? undefined : context.inlineCall?.(folded);
      if (inlined !== undefined) {
        context.inlining.push(definition.oid);
        const body = foldExpression(inlined, context);
        context.inlining.pop();
        return body;
      }
      if (definition.volatility !== 'immutable' || definition.needsContext === true) return foldNullCall(folded);
      if (folded.variadicFrom !== undefined || definition.needsTypes === true) return foldNullCall(folded);
      const values = constantValues(folded.arguments);
      if (values === undefined) return foldNullCall(folded);
      if (definition.strict && values.includes(null)) return constant(null, folded.type);
      // Planning does not rest: what takes long is left to the execution.
      if (definition.takesLong === true && values.some(isLong)) return folded;
      return attempt(folded, () => (definition.call as unknown as AnyCall)(...values), onFailure);
    }
    case 'cast': {
      const { definition, operand } = folded;
      if (definition.call === undefined || definition.volatility !== 'immutable') return folded;
      if (operand.kind !== 'constant') return folded;
      if (operand.value === null) return constant(null, folded.type);
      const convert = definition.call as unknown as AnyCall;
      const literals = context.literals as unknown as EvaluationContext;
      return attempt(folded, () => convert(operand.value, folded.type.typmod, folded.explicit, literals), onFailure);
    }
    case 'typmod': {
      const { operand } = folded;
      if (operand.kind !== 'constant') return folded;
      if (operand.value === null) return constant(null, folded.type);
      const type = context.catalog.types.byOid(folded.type.oid);
      if (type?.coerceTypmod === undefined) return folded;
      return attempt(folded, () => type.coerceTypmod?.(operand.value, folded.type.typmod, folded.explicit), onFailure);
    }
    case 'logical':
      return foldLogical(folded);
    case 'not':
      if (folded.operand.kind !== 'constant') return folded;
      return constant(folded.operand.value === null ? null : folded.operand.value !== true, BOOL);
    case 'null-test':
      if (folded.operand.kind !== 'constant' || folded.row) return folded;
      return (folded.operand.value === null) !== folded.negated ? TRUE : FALSE;
    case 'case':
      return foldCase(folded);
    case 'coalesce': {
      const operands = folded.operands.filter((operand) => !(operand.kind === 'constant' && operand.value === null));
      const [first] = operands;
      if (first === undefined) return constant(null, folded.type);
      if (first.kind === 'constant' || operands.length === 1) return first;
      return operands.length === folded.operands.length ? folded : { ...folded, operands };
    }
    default:
      return folded;
  }
}

/**
 * An array of constants as one. Only where an operator or a function is given it, or it is cast: `= any (array[...])` is looked
 * at element by element by those who plan it.
 */
function foldArray(array: Expression & { kind: 'array' }): Expression {
  const items = constantValues(array.elements);
  if (items === undefined) return array;
  const make = array.nested ? nestArrays : makeArray;
  return attempt(array, () => make(items, array.elementOid), undefined);
}

/** A strict call with a null argument is null, whatever the others are. */
function foldNullCall(call: Expression & { kind: 'call' }): Expression {
  if (!call.function.strict || call.function.volatility === 'volatile' || call.variadicFrom !== undefined) return call;
  const isNull = call.arguments.some((argument) => argument.kind === 'constant' && argument.value === null);
  return isNull ? constant(null, call.type) : call;
}

function constantValues(list: readonly Expression[]): Value[] | undefined {
  const values: Value[] = [];
  for (const expression of list) {
    if (expression.kind !== 'constant') return undefined;
    values.push(expression.value);
  }
  return values;
}

function attempt(expression: Expression, compute: () => Value, onFailure: OnFailure | undefined): Expression {
  try {
    return constant(compute() ?? null, expression.type);
  } catch (error) {
    if (error instanceof Error) onFailure?.(error);
    return expression;
  }
}

function foldLogical(expression: Expression & { kind: 'logical' }): Expression {
  const isAnd = expression.operator === 'and';
  const operands: Expression[] = [];
  for (const operand of expression.operands) {
    if (operand.kind === 'constant' && operand.value === isAnd) continue;
    if (operand.kind === 'constant' && operand.value === !isAnd) return isAnd ? FALSE : TRUE;
    if (operand.kind === 'logical' && operand.operator === expression.operator) operands.push(...operand.operands);
    else operands.push(operand);
  }
  if (operands.length === 0) return isAnd ? TRUE : FALSE;
  if (operands.length === 1) return operands[0] as Expression;
  return { ...expression, operands };
}

function foldCase(expression: Expression & { kind: 'case' }): Expression {
  const branches: { when: Expression; then: Expression }[] = [];
  let { otherwise } = expression;
  for (const branch of expression.branches) {
    if (branch.when.kind === 'constant') {
      if (branch.when.value !== true) continue;
      otherwise = branch.then;
      break;
    }
    branches.push(branch);
  }
  if (branches.length === 0) return otherwise;
  return { ...expression, branches, otherwise };
}
