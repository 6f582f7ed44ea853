/** How the expression compiler gets values of subqueries; subplan-compiler.ts implements it (files do not import in circles). */
import type { Subquery } from '../../expr/expression.js';
import type { ExpressionCompiler } from './expression-compiler.js';
import type { Operand } from './row-scope.js';

export interface SubplanCompiler {
  /** Writes what runs the subquery for the current row and answers its value. */
  value(compiler: ExpressionCompiler, subquery: Subquery): Operand;
}
