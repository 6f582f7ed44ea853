/**
 * Drives sagas: one step after the other, each attempt recorded in the journal, from where the journal stands after a restart.
 *
 *   local step    one transaction: the step's effect, and the entry that says it is done
 *   remote step   entry: an attempt begins ──► the step, with its key ──► entry: it is done, and what it gave
 *
 * Invariants (the machine's own are in saga-machine.ts):
 *   1. A saga is driven by one loop at a time, and what a person asks for goes through the journal: an attempt that began before finds the
 *      entry changed, and its transaction commits nothing.
 *   2. A remote attempt is written down before it begins, so what may have run is compensated, also when the process died meanwhile.
 *   3. What an attempt that has taken too long brings after all is not looked at. A local one's transaction has been rolled back by then.
 *   4. Nothing is driven without the definition under whose steps it began.
 */
import { PhantomError, SqlState } from '@phantom/base';
import type { Mvcc, MvccTransaction } from '@phantom/mvcc';
import { StepAttempt } from './saga-attempt.js';
import { type SagaDefinition, type SagaState, type SagaStatus, defineSaga } from './saga-definition.js';
import { SagaFenced, SagaLog } from './saga-log.js';
import { type SagaEntry, type SagaEvent, beginSaga, isOver, stepSaga } from './saga-machine.js';
import { type ResolvedSagaOptions, type SagaRunnerOptions, resolveSagaOptions } from './saga-options.js';
import { shapesOf, statusOf } from './saga-shapes.js';

/** Sagas that are not over, in all; past it 53400. */
const OPEN_MAX = 10_000;
/** How often sagas that are over for longer than `keepMs` are removed. */
const SWEEP_EVERY_MS = 3_600_000;
/** Of them, in one commit. */
const SWEEP_ENTRIES_MAX = 500;

/** A saga that is being driven, or waits for its turn. */
interface Drive {
  readonly ended: Promise<SagaStatus>;
  /** Of the attempt under way: aborted when the entry has changed, or the runner is closed. */
  interrupt: AbortController;
  /** Of the entry from which that attempt began. */
  revision: number;
  start(): void;
}

export class SagaRunner<Tx> {
  private readonly options: ResolvedSagaOptions<Tx>;
  private readonly log: SagaLog;
  private readonly definitions = new Map<string, SagaDefinition<never, Tx>>();
  private readonly drives = new Map<string, Drive>();
  private readonly waiting: Drive[] = [];
  private readonly stuck = new Set<string>();
  private readonly sweeper: ReturnType<typeof setInterval>;
  private running = 0;
  /** Sagas that are not over. */
  private open: number;
  private isClosed = false;

  /** Reads the journal; XX001 when it cannot be read. Nothing is driven before its definition is known. */
  constructor(options: SagaRunnerOptions<Tx>) {
    this.options = resolveSagaOptions(options);
    this.log = new SagaLog(this.options.mvcc, this.options.space, this.options.scope);
    const entries = this.log.list(false);
    this.open = entries.length;
    for (const [id, { state }] of entries) if (state === 'stuck') this.stuck.add(id);
    this.sweeper = setInterval(() => this.sweepQuietly(), SWEEP_EVERY_MS);
    this.sweeper.unref();
    this.measure();
  }

  /** Makes a definition known and goes on with its sagas that are under way. 42710 when there is one of that name, 22023 as defineSaga. */
  define<Input>(definition: SagaDefinition<Input, Tx>): void {
    this.checkOpen();
    const { name } = defineSaga(definition);
    if (this.definitions.has(name)) throw new PhantomError('42710', `saga "${name}" is defined already`);
    const known = definition as SagaDefinition<never, Tx>;
    this.definitions.set(name, known);
    for (const [id, entry] of this.log.list(false, (one) => one.name === name && one.state !== 'stuck')) {
      if (hasStepsOf(entry, known)) this.drive(id);
      else this.options.logger.error('a saga cannot go on: its definition has other steps now', { id, name });
    }
  }

  /**
   * Begins a saga: once this resolves it is durable and goes on by itself, over restarts. Asked again with the same id and input it begins
   * nothing and resolves with what there is; 42710 for the same id with something else, 42704 without a definition, 53400 past a limit.
   */
  async start(name: string, id: string, input: unknown): Promise<SagaStatus> {
    const entry = this.firstEntry(name, input);
    const isNew = await this.log.change((transaction) => this.log.begin(transaction, id, entry));
    return isNew ? this.begun(id, entry) : this.sameAs(id, entry);
  }

  /** As start, within a transaction of the caller's: it begins when that commits, and not otherwise. 42710 when the id is taken. */
  startWithin(transaction: MvccTransaction, name: string, id: string, input: unknown): void {
    const entry = this.firstEntry(name, input);
    if (!this.log.begin(transaction, id, entry)) throw taken(id);
    transaction.onEnd((seq) => {
      if (seq !== undefined) this.begun(id, entry);
    });
  }

  /** Undefined when there is none, or it is over and was removed. */
  status(id: string): SagaStatus | undefined {
    const entry = this.log.read(id);
    return entry === undefined ? undefined : statusOf(id, entry);
  }

  /** In the order of their ids, those that are over last. */
  list(filter: { readonly state?: SagaState; readonly name?: string } = {}): SagaStatus[] {
    const { state, name } = filter;
    const withOver = state === undefined || state === 'done' || state === 'compensated';
    const wanted = (entry: SagaEntry): boolean =>
      (state ?? entry.state) === entry.state && (name ?? entry.name) === entry.name;
    return this.log.list(withOver, wanted).map(([id, entry]) => statusOf(id, entry));
  }

  /** Resolves when it is over or stuck; 42704 when there is none, 57P01 when the runner is closed before, 55000 when nobody drives it. */
  async finished(id: string): Promise<SagaStatus> {
    const drive = this.drives.get(id);
    if (drive !== undefined) return drive.ended;
    const entry = this.existing(id);
    if (isOver(entry) || entry.state === 'stuck') return statusOf(id, entry);
    throw notDriven(id, entry);
  }

  /** Goes on with one that is stuck, where it is, with all attempts anew. 55000 when it is not. */
  retry(id: string): Promise<SagaStatus> {
    return this.ask(id, { kind: 'retry' });
  }

  /** Undoes one that is not over, from where it is; an attempt under way does not count any more. 55000 when it is over. */
  compensate(id: string): Promise<SagaStatus> {
    return this.ask(id, { kind: 'compensate' });
  }

  /** Removes one that is over, so that its id can be given again. 55000 when it is not. */
  async forget(id: string): Promise<void> {
    this.checkOpen();
    if (!isOver(this.existing(id)))
      throw new PhantomError(SqlState.ObjectNotInPrerequisiteState, `saga "${id}" is not over`);
    await this.log.change((transaction) => this.log.forget(transaction, id));
  }

  /** Removes those that have been over for longer than `keepMs`; otherwise that is done each hour. Tells how many. */
  async sweep(): Promise<number> {
    const before = this.options.clock.nowMs() - this.options.keepMs;
    const old = this.log.list(true, (entry) => isOver(entry) && entry.changedMs < before);
    const some = old.slice(0, SWEEP_ENTRIES_MAX);
    await this.log.change((transaction) => {
      for (const [id] of some) this.log.forget(transaction, id);
    });
    return some.length;
  }

  /** Attempts under way are given up, and count as far as they were written down; what there is goes on when it is defined again. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearInterval(this.sweeper);
    const drives = [...this.drives.values()];
    for (const { interrupt, start } of drives) {
      interrupt.abort(closedError());
      start();
    }
    await Promise.allSettled(drives.map(({ ended }) => ended));
  }

  private sweepQuietly(): void {
    this.sweep().catch((error: unknown) => {
      this.options.logger.warn('sagas that are over could not be removed', { reason: String(error) });
    });
  }

  private firstEntry(name: string, input: unknown): SagaEntry {
    this.checkOpen();
    const definition = this.definition(name);
    if (this.open >= OPEN_MAX) {
      throw new PhantomError(SqlState.ConfigurationLimitExceeded, `more than ${OPEN_MAX} sagas are under way`);
    }
    const copied = JSON.parse(JSON.stringify(input ?? null)) as unknown;
    return beginSaga(name, shapesOf(definition), copied, this.options.clock.nowMs());
  }

  private begun(id: string, entry: SagaEntry): SagaStatus {
    this.open++;
    this.drive(id);
    return statusOf(id, entry);
  }

  private sameAs(id: string, { name, input }: SagaEntry): SagaStatus {
    const entry = this.existing(id);
    if (entry.name !== name || JSON.stringify(entry.input) !== JSON.stringify(input)) throw taken(id);
    return statusOf(id, entry);
  }

  private existing(id: string): SagaEntry {
    const entry = this.log.read(id);
    if (entry === undefined) throw new PhantomError('42704', `there is no saga "${id}"`);
    return entry;
  }

  private definition(name: string): SagaDefinition<never, Tx> {
    const definition = this.definitions.get(name);
    if (definition === undefined) throw new PhantomError('42704', `saga "${name}" is not defined`);
    return definition;
  }

  /** What a person asks for: through the journal, whatever is under way. */
  private async ask(id: string, event: SagaEvent): Promise<SagaStatus> {
    this.checkOpen();
    const definition = this.definition(this.existing(id).name);
    const shapes = shapesOf(definition);
    const { clock } = this.options;
    const next = await this.log.change((transaction) => {
      const entry = this.existing(id);
      if (!hasStepsOf(entry, definition)) throw notDriven(id, entry);
      const to = stepSaga(shapes, entry, event, clock.nowMs());
      this.log.advance(transaction, id, entry, to);
      return to;
    });
    this.stuck.delete(id);
    const drive = this.drives.get(id);
    if (drive === undefined) this.drive(id);
    else if (drive.revision < next.revision)
      drive.interrupt.abort(new SagaFenced(`saga "${id}" was asked for something else`));
    return statusOf(id, next);
  }

  private drive(id: string): void {
    if (this.isClosed || this.drives.has(id)) return;
    let start = (): void => undefined;
    const turn = new Promise<void>((resolve) => (start = resolve));
    const ended = turn.then(() => this.loop(id, drive)).finally(() => this.driven(id));
    ended.then(
      // Somebody may have asked for more while the loop ended.
      () => {
        if (!this.isClosed && this.isGoingOn(id)) this.drive(id);
      },
      (error: unknown) => {
        if (!this.isClosed) this.options.logger.error('a saga cannot go on', { id, reason: String(error) });
      },
    );
    const drive: Drive = { ended, interrupt: new AbortController(), revision: 0, start };
    this.drives.set(id, drive);
    this.waiting.push(drive);
    this.startSome();
  }

  private isGoingOn(id: string): boolean {
    const entry = this.log.read(id);
    return entry !== undefined && !isOver(entry) && entry.state !== 'stuck';
  }

  private startSome(): void {
    while (this.running < this.options.runningMax) {
      const drive = this.waiting.shift();
      if (drive === undefined) return;
      this.running++;
      drive.start();
    }
  }

  private driven(id: string): void {
    this.drives.delete(id);
    this.running--;
    this.startSome();
  }

  private async loop(id: string, drive: Drive): Promise<SagaStatus> {
    for (;;) {
      this.checkOpen();
      // Before the entry is read: what changes it later interrupts this attempt.
      const interrupt = new AbortController();
      drive.interrupt = interrupt;
      const entry = this.existing(id);
      drive.revision = entry.revision;
      if (isOver(entry) || entry.state === 'stuck') {
        this.arrived(id, entry);
        return statusOf(id, entry);
      }
      try {
        const definition = this.definition(entry.name);
        await new StepAttempt(this.options, this.log, definition, id, entry, interrupt.signal).run();
      } catch (error) {
        if (!(error instanceof SagaFenced)) throw error;
      }
    }
  }

  private arrived(id: string, entry: SagaEntry): void {
    if (isOver(entry)) {
      this.open--;
      return;
    }
    this.stuck.add(id);
    const { logger } = this.options;
    const status = statusOf(id, entry);
    logger.error('a saga is stuck', {
      id,
      name: entry.name,
      step: status.step,
      attempts: entry.attempts,
      reason: entry.error,
    });
    try {
      this.definition(entry.name).onStuck?.(status);
    } catch (error) {
      logger.error('what is to be told of a stuck saga has failed', { id, reason: String(error) });
    }
  }

  private checkOpen(): void {
    if (this.isClosed) throw closedError();
  }

  private measure(): void {
    const { metrics } = this.options;
    metrics.gauge('phantom_sagas_open', 'Sagas that are not over.', () => this.open);
    metrics.gauge('phantom_sagas_stuck', 'Sagas that wait for a person.', () => this.stuck.size);
    metrics.gauge(
      'phantom_sagas_driven',
      'Sagas that are being driven or wait for their turn.',
      () => this.drives.size,
    );
  }
}

function hasStepsOf<Tx>({ steps }: SagaEntry, definition: SagaDefinition<never, Tx>): boolean {
  return steps.length === definition.steps.length && definition.steps.every(({ name }, i) => name === steps[i]);
}

function notDriven(id: string, { name }: SagaEntry): PhantomError {
  return new PhantomError(SqlState.ObjectNotInPrerequisiteState, `nobody drives saga "${id}"`, {
    hint: `Define "${name}" with the steps with which it began.`,
  });
}

/** What the journal has, without driving it: for views. In the order of their ids, those that are over last. */
export function listSagas(mvcc: Mvcc, space: number, scope: number): SagaStatus[] {
  return new SagaLog(mvcc, space, scope).list(true).map(([id, entry]) => statusOf(id, entry));
}

function closedError(): PhantomError {
  return new PhantomError(SqlState.AdminShutdown, 'sagas have been closed');
}

function taken(id: string): PhantomError {
  return new PhantomError('42710', `there is another saga "${id}" already`);
}
