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
  const test = context.expressions.test(first, true);
  if (rest.length === 0) context.emitter.ifApart(test, then);
  else context.emitter.if(test, () => filterBy(context, rest, then));
}
