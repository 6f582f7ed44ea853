/**
 * What a saga is: steps in an order, each with what undoes it. A local step works in the database that holds the journal, in a transaction that
 * commits its effect and its entry together. A remote step works anywhere else, and may be asked more than once: it is given a key by which
 * whoever does the work can tell that it has been done.
 */
import { PhantomError, SqlState } from '@phantom/base';

/** JSON that a saga takes and its steps hand on. */
export type SagaValue = unknown;

export interface StepContext<Input> {
  /** Of the saga. */
  readonly id: string;
  readonly input: Input;
  /** What the steps before it gave, by their names, as JSON gives it back. */
  readonly results: Readonly<Record<string, SagaValue>>;
  /** 1 for the first attempt; counted over restarts. */
  readonly attempt: number;
  /** The same in every attempt at this step, and another one in those at its compensation. */
  readonly idempotencyKey: string;
  /** Aborted when the attempt has taken too long, the saga is to be compensated, or the database is closed. */
  readonly signal: AbortSignal;
  /** Ends the attempts at this step: no further one would do better. */
  giveUp(reason: string): never;
}

export interface CompensationContext<Input> extends StepContext<Input> {
  /** `unknown`: a remote step was asked, and whether it has done anything nobody knows; undoing nothing has to be no error then. */
  readonly outcome: 'done' | 'unknown';
}

export interface RetryPolicy {
  /** Attempts at a step or a compensation, the first one included. Default 5. */
  readonly attemptsMax?: number;
  /** From a failed attempt to the next one; doubles each time, up to `delayMsMax`. Default 200. */
  readonly delayMs?: number;
  /** Default 30 seconds. */
  readonly delayMsMax?: number;
}

interface StepBase {
  /** Unique within the saga; it stands in the journal. */
  readonly name: string;
  readonly retry?: RetryPolicy;
  /** A `run` or `compensate` that takes longer has failed. Default 30 seconds. What a local one's commit waits for others is not in it. */
  readonly timeoutMs?: number;
  /** When its attempts are used up: undo the steps before it, or wait as `stuck` for a person. Default `compensate`. */
  readonly onExhausted?: 'compensate' | 'stuck';
}

/** `Tx` is a transaction of the database that holds the journal. It may be run again when it loses a race, so it has no effects elsewhere. */
export interface LocalStep<Input, Tx> extends StepBase {
  readonly kind: 'local';
  run(tx: Tx, context: StepContext<Input>): Promise<SagaValue> | SagaValue;
  compensate?(tx: Tx, context: CompensationContext<Input>): Promise<unknown> | unknown;
}

export interface RemoteStep<Input> extends StepBase {
  readonly kind: 'remote';
  run(context: StepContext<Input>): Promise<SagaValue> | SagaValue;
  compensate?(context: CompensationContext<Input>): Promise<unknown> | unknown;
}

export type SagaStep<Input, Tx> = LocalStep<Input, Tx> | RemoteStep<Input>;

export interface SagaDefinition<Input, Tx> {
  /** It stands in the journal; give steps that are other ones another name, while sagas of the old ones are under way. */
  readonly name: string;
  readonly steps: readonly SagaStep<Input, Tx>[];
  /** Called when one of these sagas waits for a person, besides the error in the log and the metric. */
  readonly onStuck?: (status: SagaStatus) => void;
}

/** `stuck`: attempts at a step or a compensation are used up; `retry` and `compensate` go on. */
export type SagaState = 'running' | 'compensating' | 'stuck' | 'done' | 'compensated';

/** A saga as its journal has it. */
export interface SagaStatus {
  readonly id: string;
  readonly name: string;
  readonly state: SagaState;
  /** The step that it is at, forward or back; undefined once it is over. */
  readonly step: string | undefined;
  /** At that step. */
  readonly attempts: number;
  /** Of the last attempt that failed. */
  readonly error: string | undefined;
  readonly input: SagaValue;
  readonly results: Readonly<Record<string, SagaValue>>;
  /** Wall clock, milliseconds since 1970. */
  readonly startedMs: number;
  readonly changedMs: number;
}

/** A definition as it is; 22023 when it has no steps, two of one name, or limits that are none. */
export function defineSaga<Input, Tx>(definition: SagaDefinition<Input, Tx>): SagaDefinition<Input, Tx> {
  const { name, steps } = definition;
  const names = new Set(steps.map((step) => step.name));
  if (name === '' || steps.length === 0) throw invalid(`a saga needs a name and steps`);
  if (names.size < steps.length || names.has('')) throw invalid(`the steps of saga "${name}" need names of their own`);
  for (const { name: step, retry, timeoutMs } of steps) {
    const { attemptsMax = 1, delayMs = 0, delayMsMax = 0 } = retry ?? {};
    const isRight = Number.isInteger(attemptsMax) && attemptsMax >= 1 && delayMs >= 0 && delayMsMax >= 0;
    if (!isRight || !((timeoutMs ?? 1) > 0)) throw invalid(`step "${step}" of saga "${name}" has limits that are none`);
  }
  return definition;
}

function invalid(message: string): PhantomError {
  return new PhantomError(SqlState.InvalidParameterValue, message);
}
