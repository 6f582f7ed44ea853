/** Writing the current row into a buffer. */
import type { ColumnId } from '../../expr/expression.js';
import { element, literal, method, property, type Code } from '../code/ir.js';
import type { StepContext } from './step.js';

/** Pushes the columns, in order, as one row of a RowBuffer. */
export function pushRow(context: StepContext, buffer: Code, columns: readonly ColumnId[]): void {
  pushValues(
    context,
    buffer,
    columns.map((column) => context.expressions.column(column).code),
  );
}

/** Pushes values as one row of a RowBuffer. */
export function pushValues(context: StepContext, buffer: Code, values: readonly Code[]): void {
  const { emitter } = context;
  const arrays = property(buffer, 'columns');
  values.forEach((value, i) => {
    const array =
      buffer.kind === 'local' && emitter.isHoisted(buffer)
        ? emitter.hoist(`push${buffer.id}.${i}`, element(arrays, literal(i)))
        : element(arrays, literal(i));
    emitter.evaluate(method(array, 'push', value));
  });
  emitter.evaluate(method(buffer, 'pushed'));
}
