/**
 * Comparisons of decimals by their unscaled numbers, where the columns come as such (scaled-arithmetic.ts): no decimal is made for a
 * row. Of two numbers one is less or not; where neither can be said (a null, a decimal that does not fit), the usual test decides.
 */
import type { Call, ComparisonRole, Expression } from '../../expr/expression.js';
import { TypeOid } from '../../types/type-oids.js';
import type { Emitter } from '../code/emitter.js';
import { binary, not, or, type Code } from '../code/ir.js';
import type { Row } from './row-scope.js';
import { alignedPair } from './scaled-arithmetic.js';

const TESTS: Readonly<Record<ComparisonRole, (left: Code, right: Code) => Code>> = {
  '=': (left, right) => binary('===', left, right),
  '<>': (left, right) => binary('!==', left, right),
  '<': (left, right) => binary('<', left, right),
  '<=': (left, right) => binary('<=', left, right),
  '>': (left, right) => binary('>', left, right),
  '>=': (left, right) => binary('>=', left, right),
};

/** Code that is true when the comparison IS TRUE (`wanted`) or IS FALSE; undefined when it is not of such decimals. */
export function scaledTest(
  emitter: Emitter,
  row: Row,
  expression: Expression,
  wanted: boolean,
  usual: () => Code,
): Code | undefined {
  const comparison = comparisonOf(expression);
  if (comparison === undefined) return undefined;
  const pair = alignedPair(emitter, row, comparison.left, comparison.right);
  if (pair === undefined) return undefined;
  const [left, right] = pair;
  const holds = TESTS[comparison.role](left, right);
  const result = emitter.let(wanted ? holds : not(holds));
  const isDecided = or(binary('<=', left, right), binary('>', left, right));
  emitter.if(not(isDecided), () => emitter.assign(result, usual()));
  return result;
}

function comparisonOf(
  expression: Expression,
): { readonly role: ComparisonRole; readonly left: Expression; readonly right: Expression } | undefined {
  if (expression.kind !== 'call' || !expression.function.strict) return undefined;
  const { operator, arguments: operands } = expression as Call;
  const [left, right] = operands;
  if (operator?.role === undefined || left?.type.oid !== TypeOid.numeric || right?.type.oid !== TypeOid.numeric)
    return undefined;
  return { role: operator.role, left, right };
}
