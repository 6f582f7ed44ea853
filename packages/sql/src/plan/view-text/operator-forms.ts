/** What operators and rows ask of what stands around them, when a stored query is written. */
import type { Expression } from '../../expr/expression.js';
import type { ScalarFunction } from '../../functions/registry.js';
import type * as Ast from '../../text/ast.js';

/** What an expression stands in, as far as parentheses depend on it. */
export type Parent =
  | { readonly kind: 'operator'; readonly symbol: string | undefined; readonly first: boolean }
  /** `inside`: a whole row is not told as one of its table's type. */
  | { readonly kind: 'list'; readonly inside: boolean }
  | { readonly kind: 'and' | 'or' | 'not' | 'cast' | 'other' };

/** Whether one arithmetic operator may stand in another without parentheses; undefined where that is not the question. */
export function simpleOperator(node: Ast.BinaryExpression, parent: Parent): boolean | undefined {
  if (parent.kind !== 'operator') return undefined;
  const own = '+-*/%'.includes(node.operator.symbol) && node.operator.symbol.length === 1;
  const outer = parent.symbol !== undefined && parent.symbol.length === 1 && '+-*/%'.includes(parent.symbol);
  if (!own || !outer) return false;
  const low = (symbol: string): boolean => symbol === '+' || symbol === '-';
  if (low(node.operator.symbol) !== low(parent.symbol as string)) return low(parent.symbol as string);
  return parent.first;
}

/** The text as a string of SQL. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Rows by their order: in parentheses always. */
export function comparesRows({ left, right, operator }: Ast.BinaryExpression): boolean {
  return left.kind === 'row' && right.kind === 'row' && operator.symbol !== '=' && operator.symbol !== '<>';
}

/** Rows that are equal or not, as what that means of their fields; undefined for anything else. */
export function spreadRows(node: Ast.Expression): Ast.LogicalExpression | undefined {
  if (node.kind !== 'binary' || node.left.kind !== 'row' || node.right.kind !== 'row') return undefined;
  const { operator, left, right, position } = node;
  if (operator.symbol !== '=' && operator.symbol !== '<>') return undefined;
  const fields = right.fields;
  const operands = left.fields.map((field, i): Ast.Expression => ({
    kind: 'binary',
    operator,
    left: field,
    right: fields[i] as Ast.Expression,
    position,
  }));
  return { kind: 'logical', operator: operator.symbol === '=' ? 'and' : 'or', operands, position };
}

/** The function that compares, where an expression is a comparison, the denial of one, or several by one operator. */
export function comparisonIn(expression: Expression): ScalarFunction | undefined {
  switch (expression.kind) {
    case 'call':
      return expression.function;
    case 'array-quantified':
      return expression.comparison;
    case 'not':
      return comparisonIn(expression.operand);
    case 'let':
      return comparisonIn(expression.body);
    case 'logical': {
      const [first] = expression.operands;
      return first === undefined ? undefined : comparisonIn(first);
    }
    default:
      return undefined;
  }
}
