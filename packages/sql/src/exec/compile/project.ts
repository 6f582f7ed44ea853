/**
 * A projection over the row of a step: its items become columns that are computed where somebody asks for them. What is
 * volatile is computed for every row at once, asked for or not: a sequence moves on, a pause is made.
 */
import type { PhysicalNode } from '../../plan/physical/physical.js';
import { isVolatileThroughout } from '../../plan/rules/volatile-plans.js';
import { ColumnSource, Row } from './row-scope.js';
import { type PlanCompiler, type StepContext, withRow } from './step.js';

export function project(
  compiler: PlanCompiler,
  context: StepContext,
  { items }: PhysicalNode & { kind: 'project' },
): StepContext {
  if (items.length === 0) return context;
  const row = Row.of(context.row);
  const { expressions } = context;
  for (const item of items) {
    row.set(item.column, new ColumnSource(true, () => expressions.value(item.expression).code));
  }
  const projected = withRow(compiler, context, row);
  for (const { column, expression } of items) {
    if (isVolatileThroughout(expression)) projected.emitter.evaluate(projected.expressions.column(column).code);
  }
  return projected;
}
