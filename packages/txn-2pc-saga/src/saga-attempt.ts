/** One attempt at a step of a saga, or at its compensation, and what becomes of it in the journal. */
import { PhantomError, isPhantomError, traced } from '@phantom/base';
import type { CompensationContext, SagaDefinition, SagaStep, StepContext } from './saga-definition.js';
import { SagaFenced, type SagaLog } from './saga-log.js';
import { type SagaEntry, type SagaEvent, type StepShape, stepSaga } from './saga-machine.js';
import type { ResolvedSagaOptions } from './saga-options.js';
import { shapesOf } from './saga-shapes.js';

const TIMEOUT_MS = 30_000;
const DELAY_MS = 200;
const DELAY_MS_MAX = 30_000;

/** A step has said that no further attempt would do better. */
class GivenUp extends Error {}

export class StepAttempt<Tx> {
  private readonly options: ResolvedSagaOptions<Tx>;
  private readonly log: SagaLog;
  private readonly definition: SagaDefinition<never, Tx>;
  private readonly id: string;
  private readonly step: SagaStep<never, Tx>;
  /** As the journal has it. */
  private entry: SagaEntry;
  private readonly interrupt: AbortSignal;

  constructor(
    options: ResolvedSagaOptions<Tx>,
    log: SagaLog,
    definition: SagaDefinition<never, Tx>,
    id: string,
    entry: SagaEntry,
    interrupt: AbortSignal,
  ) {
    this.options = options;
    this.log = log;
    this.definition = definition;
    this.id = id;
    this.entry = entry;
    this.interrupt = interrupt;
    this.step = definition.steps[entry.at] as SagaStep<never, Tx>;
  }

  /**
   * Waits its time, makes the attempt and writes down what came of it. Rejects with SagaFenced when the entry has changed meanwhile, with
   * the reason of the interrupt, and when the journal cannot be written.
   */
  async run(): Promise<void> {
    if (this.step.kind === 'remote' && this.areUsedUp) {
      await this.record({ kind: 'failed', error: 'the last attempt ended with the process', isFinal: true });
      return;
    }
    await this.rest();
    if (this.step.kind === 'remote') this.entry = await this.record({ kind: 'begun' });
    const attributes = {
      'phantom.saga.id': this.id,
      'phantom.saga.name': this.definition.name,
      'phantom.saga.step': this.step.name,
      'phantom.saga.direction': this.entry.direction,
    };
    try {
      await traced(this.options.tracer, 'saga step', attributes, () =>
        this.step.kind === 'remote' ? this.remote() : this.local(),
      );
    } catch (error) {
      if (this.interrupt.aborted) throw this.interrupt.reason;
      if (error instanceof SagaFenced || (isPhantomError(error) && error.family === 'outcome-unknown')) throw error;
      const message = error instanceof Error ? error.message : String(error);
      await this.record({ kind: 'failed', error: message, isFinal: error instanceof GivenUp });
    }
  }

  /** The effect and the entry that says so are one commit. */
  private async local(): Promise<void> {
    const { step } = this;
    if (step.kind !== 'local') return;
    const given = new AbortController();
    await this.options.transact(async (tx, journal) => {
      const result = await this.limited(given, (signal) =>
        this.isForward ? step.run(tx, this.context(signal)) : step.compensate?.(tx, this.compensation(signal)),
      );
      const next = this.next(this.done(result));
      await journal((transaction) => this.log.advance(transaction, this.id, this.entry, next));
    }, given.signal);
  }

  private async remote(): Promise<void> {
    const { step } = this;
    if (step.kind !== 'remote') return;
    const result = await this.limited(new AbortController(), (signal) =>
      this.isForward ? step.run(this.context(signal)) : step.compensate?.(this.compensation(signal)),
    );
    await this.record(this.done(result));
  }

  /** Attempts at a remote step count when they begin: here the last one has not come to its end. */
  private get areUsedUp(): boolean {
    const { attemptsMax } = shapesOf(this.definition)[this.entry.at] as StepShape;
    return this.entry.attempts >= attemptsMax;
  }

  private get isForward(): boolean {
    return this.entry.direction === 'forward';
  }

  /** Nobody reads what a compensation gives. */
  private done(result: unknown): SagaEvent {
    return this.isForward ? { kind: 'done', result: asJson(result) } : { kind: 'done' };
  }

  private next(event: SagaEvent): SagaEntry {
    return stepSaga(shapesOf(this.definition), this.entry, event, this.options.clock.nowMs());
  }

  private async record(event: SagaEvent): Promise<SagaEntry> {
    const next = this.next(event);
    await this.log.change((transaction) => this.log.advance(transaction, this.id, this.entry, next));
    return next;
  }

  private context(signal: AbortSignal): StepContext<never> {
    const { id, entry, step } = this;
    return {
      id,
      input: entry.input as never,
      results: entry.results,
      attempt: step.kind === 'remote' ? entry.attempts : entry.attempts + 1,
      idempotencyKey: this.isForward ? `${id}/${step.name}` : `${id}/${step.name}/compensate`,
      signal,
      giveUp: (reason) => {
        throw new GivenUp(reason);
      },
    };
  }

  private compensation(signal: AbortSignal): CompensationContext<never> {
    const isDone = Object.hasOwn(this.entry.results, this.step.name);
    return { ...this.context(signal), outcome: isDone ? 'done' : 'unknown' };
  }

  /** After a failed attempt; after a restart it begins anew. */
  private async rest(): Promise<void> {
    const { attempts } = this.entry;
    if (attempts === 0) return;
    const { delayMs = DELAY_MS, delayMsMax = DELAY_MS_MAX } = this.step.retry ?? {};
    const pause = new Pause(Math.min(delayMsMax, delayMs * 2 ** (attempts - 1)), this.interrupt);
    await pause.ended;
  }

  /** What the work gives; rejects when it takes too long or is interrupted, and tells it so. */
  private async limited<T>(given: AbortController, work: (signal: AbortSignal) => Promise<T> | T): Promise<T> {
    const { timeoutMs = TIMEOUT_MS, name } = this.step;
    const pause = new Pause(timeoutMs, this.interrupt);
    // The work's own error is no reason to stop what may run again at once.
    const late = pause.ended
      .then((): never => {
        throw new PhantomError('57014', `step "${name}" has not ended within ${timeoutMs} ms`);
      })
      .catch((error: unknown): never => {
        given.abort(error);
        throw error;
      });
    const working = (async (): Promise<T> => work(given.signal))();
    try {
      return await Promise.race([working, late]);
    } finally {
      pause.cancel();
    }
  }
}

/** Some time that passes, unless it is interrupted. */
class Pause {
  /** Resolves when the time has passed; rejects with the reason of the interrupt. Neither once it is cancelled. */
  readonly ended: Promise<void>;
  private readonly timer: ReturnType<typeof setTimeout>;
  private readonly interrupt: AbortSignal;
  private readonly interrupted: () => void;

  constructor(durationMs: number, interrupt: AbortSignal) {
    let resolve = (): void => undefined;
    let reject = (_reason: unknown): void => undefined;
    this.ended = new Promise((onEnd, onInterrupt) => {
      resolve = onEnd;
      reject = onInterrupt;
    });
    this.interrupt = interrupt;
    this.interrupted = () => {
      this.cancel();
      reject(interrupt.reason);
    };
    this.timer = setTimeout(() => {
      this.cancel();
      resolve();
    }, durationMs);
    if (interrupt.aborted) this.interrupted();
    else interrupt.addEventListener('abort', this.interrupted);
  }

  cancel(): void {
    clearTimeout(this.timer);
    this.interrupt.removeEventListener('abort', this.interrupted);
  }
}

/** As JSON gives it back, so that it is the same before and after a restart. */
function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null)) as unknown;
}
