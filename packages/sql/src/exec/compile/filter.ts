/** Conditions in generated code. */
import type { Expression } from '../../expr/expression.js';
import type { StepContext } from './step.js';

/** Runs `then` for rows that pass all conditions, tested in order. */
export function filterBy(context: StepContext, conditions: readonly Expression[], then: () => void): void {
  const [first, ...rest] = conditions;
  if (first === undefined) {
    then();
    return;
  }
  context.emitter.if(context.expressions.test(first, true), () => filterBy(context, rest, then));
}
