/** An expression over the rows of a table, which are given by column position. */
import type { TableDescriptor } from '@phantom/catalog';
import type { RowExpression } from '../expr/row-expression-types.js';
import type { EvaluationContext } from '../functions/registry.js';
import type { Value } from '../types/type.js';

/** A row expression with the positions of the columns it reads. */
export class BoundRowExpression {
  readonly expression: RowExpression;
  /** Of the columns that it reads. */
  readonly positions: readonly number[];
  private readonly arguments: Value[];

  constructor(expression: RowExpression, table: TableDescriptor) {
    this.expression = expression;
    this.positions = expression.columns.map((number) => table.columns.findIndex((column) => column.number === number));
    this.arguments = expression.columns.map(() => null);
  }

  /** Value for a row given by column position. */
  evaluate(row: readonly Value[], context: EvaluationContext): Value {
    for (let i = 0; i < this.positions.length; i++) this.arguments[i] = row[this.positions[i] as number];
    return this.expression.evaluate(this.arguments, context);
  }
}
