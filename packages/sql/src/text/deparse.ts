/**
 * Syntax trees back to SQL text: stored defaults, checks, index expressions and view definitions. What is written here
 * reads back as the same tree but for positions: `parse(deparse(tree))` equals `tree`.
 */
import type { TypeName } from './ast-leaves.js';
import type { Delete, Expression, Insert, Merge, Query, Update } from './ast.js';
import { tooComplexError } from './grammar/token-reader.js';
import { QueryWriter } from './writing/query-writer.js';

const writer = new QueryWriter();

/** The limits of the parser do not bound chains inside chains, so the stack may still end here: 54001. */
function guarded(write: () => string): string {
  try {
    return write();
  } catch (thrown) {
    if (thrown instanceof RangeError) throw tooComplexError('The stack ended while the statement was written as text.');
    throw thrown;
  }
}

export function deparseExpression(node: Expression): string {
  return guarded(() => writer.expression(node));
}

export function deparseQuery(node: Query): string {
  return guarded(() => writer.query(node));
}

/** A query or a data change. */
export function deparseStatement(node: Query | Insert | Update | Delete | Merge): string {
  return guarded(() => writer.statement(node));
}

export function deparseTypeName(type: TypeName): string {
  return guarded(() => writer.typeName(type));
}
