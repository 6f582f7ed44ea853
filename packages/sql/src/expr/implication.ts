/**
 * Whether one condition follows from others: what decides that a partial index holds every row a statement speaks of.
 * Conjunct by conjunct: the same expression, a comparison of the same operand with a constant that is at least as strict,
 * or IS NOT NULL from any comparison. Whatever else may follow is taken not to.
 */
import type { ComparisonRole, Expression } from './expression.js';
import type { TypeLookup } from '../types/type.js';
import { equalExpressions } from './walk.js';

/** The conditions that all hold where the expression does. */
export function conjunctsOf(expression: Expression): Expression[] {
  if (expression.kind !== 'logical' || expression.operator !== 'and') return [expression];
  return expression.operands.flatMap(conjunctsOf);
}

interface Comparison {
  readonly operand: Expression;
  readonly role: ComparisonRole;
  readonly value: unknown;
  readonly typeOid: number;
}

const FLIPPED: Readonly<Record<ComparisonRole, ComparisonRole>> = {
  '=': '=',
  '<>': '<>',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

/** `operand op constant`, whichever way it is written. */
function comparisonOf(expression: Expression): Comparison | undefined {
  if (expression.kind !== 'call' || expression.operator?.role === undefined) return undefined;
  const [left, right] = expression.arguments;
  const { role } = expression.operator;
  if (left === undefined || right === undefined) return undefined;
  if (right.kind === 'constant' && right.value !== null) {
    return { operand: left, role, value: right.value, typeOid: right.type.oid };
  }
  if (left.kind === 'constant' && left.value !== null) {
    return { operand: right, role: FLIPPED[role], value: left.value, typeOid: left.type.oid };
  }
  return undefined;
}

/** For a known `x role1 a`, whether `x role2 b` follows, given how a compares with b. */
function follows(known: ComparisonRole, wanted: ComparisonRole, order: number): boolean {
  switch (wanted) {
    case '=':
      return known === '=' && order === 0;
    case '<>':
      if (known === '=') return order !== 0;
      if (known === '<>') return order === 0;
      if (known === '<') return order <= 0;
      if (known === '<=') return order < 0;
      return known === '>' ? order >= 0 : order > 0;
    case '<':
      return known === '<' ? order <= 0 : (known === '<=' || known === '=') && order < 0;
    case '<=':
      return (known === '<' || known === '<=' || known === '=') && order <= 0;
    case '>':
      return known === '>' ? order >= 0 : (known === '>=' || known === '=') && order > 0;
    case '>=':
      return (known === '>' || known === '>=' || known === '=') && order >= 0;
  }
}

function impliesOne(known: Expression, wanted: Expression, types: TypeLookup): boolean {
  if (equalExpressions(known, wanted)) return true;
  const premise = comparisonOf(known);
  if (premise === undefined) return false;
  if (wanted.kind === 'null-test') return wanted.negated && equalExpressions(premise.operand, wanted.operand);
  const conclusion = comparisonOf(wanted);
  if (conclusion === undefined || premise.typeOid !== conclusion.typeOid) return false;
  if (!equalExpressions(premise.operand, conclusion.operand)) return false;
  const compare = types.byOid(premise.typeOid)?.compare;
  return compare !== undefined && follows(premise.role, conclusion.role, compare(premise.value, conclusion.value));
}

/** True when `conclusion` holds wherever all the premises do. */
export function implies(premises: readonly Expression[], conclusion: Expression, types: TypeLookup): boolean {
  return conjunctsOf(conclusion).every((wanted) => premises.some((known) => impliesOne(known, wanted, types)));
}
