/**
 * An OR of equalities between one column and values becomes a list: `a = 1 OR a = 2 OR b > 3 OR a = 4` is `a IN (1, 2, 4) OR b > 3`.
 * A list is looked up in one table of values, however long it is, and its values are ranges of an index; as an OR each value is a test of
 * its own, and some thousands of them more code than can be compiled (idea: PostgreSQL 18).
 */
import { type ArrayExpression, type ColumnId, type Expression } from '../../expr/expression.js';
import type { BindContext } from '../../expr/context.js';
import { mapChildren } from '../../expr/walk.js';
import type { ScalarFunction } from '../../functions/registry.js';
import { typeRef } from '../../types/type-refs.js';
import type { LogicalNode } from '../logical/logical.js';
import { mapInputs, mapNodeExpressions } from '../logical/walk.js';
import type { Rule } from './rule.js';

/** Fewer values stay tests: two cost no more than a list of them. */
const VALUES_MIN = 3;

export const orToAny: Rule = {
  name: 'or to any',
  apply: (plan, context) => rewritePlan(plan, context),
};

function rewritePlan(node: LogicalNode, context: BindContext): LogicalNode {
  const inner = mapInputs(node, (input) => rewritePlan(input, context));
  return mapNodeExpressions(inner, (expression) => rewriteExpression(expression, context));
}

function rewriteExpression(expression: Expression, context: BindContext): Expression {
  const mapped = mapChildren(expression, (child) => rewriteExpression(child, context));
  return mapped.kind === 'logical' && mapped.operator === 'or' ? listed(mapped, context) : mapped;
}

/** Values that one column is compared with by one function. */
interface Values {
  readonly left: Expression & { kind: 'column' };
  readonly comparison: ScalarFunction;
  readonly elements: Expression[];
  readonly operands: Expression[];
}

function listed(or: Expression & { kind: 'logical' }, context: BindContext): Expression {
  if (or.operands.length < VALUES_MIN) return or;
  const found = new Map<ColumnId, Values>();
  for (const operand of or.operands) gather(operand, found);
  const lists = new Map<Expression, Expression>();
  const dropped = new Set<Expression>();
  for (const values of found.values()) {
    const [first, ...others] = values.operands;
    if (first === undefined || values.elements.length < VALUES_MIN) continue;
    const list = listOf(values, or, context);
    if (list === undefined) continue;
    lists.set(first, list);
    for (const other of others) dropped.add(other);
  }
  if (lists.size === 0) return or;
  const operands = or.operands
    .filter((operand) => !dropped.has(operand))
    .map((operand) => lists.get(operand) ?? operand);
  return operands.length === 1 ? (operands[0] as Expression) : { ...or, operands };
}

/** Puts `column = value` with the values of that column. One that is compared otherwise, too, keeps its first function. */
function gather(operand: Expression, found: Map<ColumnId, Values>): void {
  if (operand.kind !== 'call' || operand.operator?.role !== '=') return;
  const [left, right] = operand.arguments;
  if (left?.kind !== 'column' || right === undefined || !isValue(right)) return;
  if (left.type.collation !== undefined || right.type.collation !== undefined) return;
  let values = found.get(left.column);
  if (values === undefined) {
    values = { left, comparison: operand.function, elements: [], operands: [] };
    found.set(left.column, values);
  }
  const isSame =
    values.comparison === operand.function && values.elements.every((other) => other.type.oid === right.type.oid);
  if (!isSame) return;
  values.elements.push(right);
  values.operands.push(operand);
}

const isValue = ({ kind }: Expression): boolean => kind === 'constant' || kind === 'parameter';

function listOf(values: Values, or: Expression & { kind: 'logical' }, context: BindContext): Expression | undefined {
  const { left, comparison, elements } = values;
  const elementOid = (elements[0] as Expression).type.oid;
  const arrayOid = context.catalog.types.byOid(elementOid)?.arrayOid ?? 0;
  if (arrayOid === 0) return undefined;
  const array: ArrayExpression = { kind: 'array', elements, elementOid, nested: false, type: typeRef(arrayOid) };
  return {
    kind: 'array-quantified',
    left,
    array,
    comparison,
    role: '=',
    operatorName: '=',
    quantifier: 'any',
    type: or.type,
  };
}
