/** A definition as the machine knows it, an entry as people do. */
import type { SagaDefinition, SagaStatus } from './saga-definition.js';
import { type SagaEntry, type StepShape, isOver } from './saga-machine.js';

/** Attempts at a step or a compensation where nobody says how many. */
const ATTEMPTS_MAX = 5;

export function shapesOf<Tx>({ steps }: SagaDefinition<never, Tx>): StepShape[] {
  return steps.map((step) => ({
    name: step.name,
    isRemote: step.kind === 'remote',
    compensates: step.compensate !== undefined,
    attemptsMax: step.retry?.attemptsMax ?? ATTEMPTS_MAX,
    onExhausted: step.onExhausted ?? 'compensate',
  }));
}

export function statusOf(id: string, entry: SagaEntry): SagaStatus {
  const { name, state, steps, at, attempts, error, input, results, startedMs, changedMs } = entry;
  const step = isOver(entry) ? undefined : steps[at];
  return { id, name, state, step, attempts, error, input, results, startedMs, changedMs };
}
