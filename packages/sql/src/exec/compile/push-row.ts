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

/** Puts the columns into an Overflow: one call, since it is seldom made and written once for each operator of a pipeline. */
export function putAside(context: StepContext, overflow: Code, columns: readonly ColumnId[]): void {
  const items = columns.map((column) => context.expressions.column(column).code);
  context.emitter.evaluate(method(overflow, 'pushRow', { kind: 'array', items }));
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
