/**
 * The coordinator of transactions over several databases. It lives in one store, keeps its decisions there, and drives whoever is a
 * `Participant`. What it has decided it tells until all have answered, be it after a restart; what it has not decided is aborted.
 *
 *   branches ──► votes ──► decision: one commit of this store ──► told to all ──► forgotten
 *                              (with the work done in this store itself)
 *
 * Invariants (the protocol's own are in two-phase-machine.ts):
 *   1. The name of a branch is given once: epochs are durable and grow, numbers count within one.
 *   2. A decision is removed from the log only after everybody that it names has answered.
 *   3. A decision whose commit is neither known nor known to have failed is told to nobody: the branches stay prepared until the store
 *      is opened again, and its log read.
 *
 * One coordinator for a store at a time: the store's lock keeps other processes out, and its owner makes one. Two copies of a directory
 * that were made with `cp` have the same name and must not both be opened beside the same participants.
 */
import { PhantomError, type Span, SqlState, assert, isPhantomError, outcomeUnknownError, traced } from '@phantom/base';
import type { Mvcc, MvccTransaction } from '@phantom/mvcc';
import { type CoordinatorOptions, type ResolvedOptions, resolveOptions } from './coordinator-options.js';
import { type Decision, DecisionLog } from './decision-log.js';
import { type BranchId, type TransactionId, checkNames, parseGid } from './gid.js';
import { ParticipantRounds, type RoundsHost } from './in-doubt.js';
import type { Branch, Participant } from './participant.js';
import { type RunHost, TwoPhaseRun } from './two-phase-run.js';

/** Decisions that wait for answers, and transactions under way; past it 53400. */
const TRANSACTIONS_MAX = 10_000;
/** Numbers within an epoch are u32 on disk. */
const NUMBER_MAX = 0xffff_ffff;
/** Errors with which the work may be run again from its beginning. */
const RETRYABLE: ReadonlySet<unknown> = new Set([SqlState.SerializationFailure, SqlState.DeadlockDetected]);

/** Writes the decision into a transaction of the coordinator's store. */
export type WriteDecision = (transaction: MvccTransaction) => void;

/** Commits the coordinator's own share of the work, with the decision in the same commit when there is one. */
export type CommitOwn = (write: WriteDecision | undefined) => Promise<void>;

/** What a committed transaction left to do. */
export interface Completion {
  /** Participants that have not answered yet: they will be told until they do. */
  readonly unanswered: readonly string[];
}

/** A decision of which not everybody has heard. */
export interface UnansweredDecision {
  readonly participants: readonly string[];
  readonly decidedMs: number;
}

interface Known {
  readonly run: TwoPhaseRun;
  /** Undefined until it is decided. */
  decidedMs: number | undefined;
}

export class Coordinator {
  private readonly mvcc: Mvcc;
  private readonly log: DecisionLog;
  private readonly options: ResolvedOptions;
  private readonly rounds = new Map<string, ParticipantRounds>();
  private readonly known = new Map<string, Known>();
  private readonly host: RoundsHost;
  private readonly working = new Set<Promise<unknown>>();
  private epoch: Promise<number> | undefined;
  private lastEpoch: number;
  private lastNumber = 0;
  private isClosed = false;
  private readonly counts = { committed: 0, aborted: 0, resolved: 0 };

  /** Reads what was decided before. 22023 for a name that cannot be one, XX001 for a log that cannot be read. */
  constructor(mvcc: Mvcc, options: CoordinatorOptions) {
    this.mvcc = mvcc;
    this.options = resolveOptions(options);
    checkNames(this.options.name);
    this.log = new DecisionLog(mvcc, this.options.space);
    this.lastEpoch = this.log.lastEpoch();
    this.host = this.roundsHost();
    for (const decision of this.log.read()) this.resume(decision);
    this.measure();
  }

  /**
   * From now on the participant is told what was decided, and what it has in doubt is ended; the first round begins at once. 42710 when
   * there is one of that name.
   */
  register(participant: Participant): void {
    this.checkOpen();
    const { name } = participant;
    checkNames(this.options.name, name);
    if (this.rounds.has(name)) throw new PhantomError('42710', `participant "${name}" is registered already`);
    const rounds = new ParticipantRounds(participant, this.host);
    this.rounds.set(name, rounds);
    rounds.round().catch((error: unknown) => {
      this.options.logger.warn('a participant of two-phase commit does not answer', {
        participant: name,
        reason: String(error),
      });
    });
  }

  /** Tells it nothing more; what it has not heard waits for who registers under its name. Nothing happens when there is none. */
  async unregister(name: string): Promise<void> {
    const rounds = this.rounds.get(name);
    this.rounds.delete(name);
    await rounds?.stop();
  }

  /**
   * Commits the branches, or none of them. `commitOwn` commits what was done in this store, and with it the decision; left out, the
   * decision is a commit of its own. Resolves when it is decided and each participant has answered or been waited for. Rejects when it
   * is aborted: 40001 and 40P01 where a branch has lost a race, 40000 where it refused for another reason (the cause says which),
   * else as `commitOwn` does; 08007 when nobody knows: the branches then stay prepared until the store is opened again. Its span is a part
   * of `parent`.
   */
  async commit(
    branches: readonly Branch[],
    commitOwn: CommitOwn = this.commitDecision,
    parent?: Span,
  ): Promise<Completion> {
    const attributes = { 'phantom.2pc.branches': branches.length };
    const commitAll = (span: Span | undefined): Promise<Completion> => this.commitAll(branches, commitOwn, span);
    const committing = traced(this.options.tracer, 'two-phase commit', attributes, commitAll, parent);
    this.working.add(committing);
    try {
      return await committing;
    } finally {
      this.working.delete(committing);
    }
  }

  /** A round at every participant; rejects with the first error, when all have been asked. */
  async resolve(): Promise<void> {
    this.checkOpen();
    const rounds = await Promise.allSettled(Array.from(this.rounds.values(), (one) => one.round()));
    for (const round of rounds) if (round.status === 'rejected') throw round.reason;
  }

  /** Decisions of which somebody has not heard, oldest first. */
  unanswered(): UnansweredDecision[] {
    const decisions: UnansweredDecision[] = [];
    for (const { run, decidedMs } of this.known.values()) {
      const participants = run.unanswered;
      if (decidedMs !== undefined && participants.length > 0) decisions.push({ participants, decidedMs });
    }
    return decisions.sort((a, b) => a.decidedMs - b.decidedMs);
  }

  /** Nothing begins afterwards; resolves when what is under way has ended. The store stays the caller's. */
  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all(Array.from(this.rounds.values(), (one) => one.stop()));
    while (this.working.size > 0) await Promise.allSettled(this.working);
  }

  private async commitAll(
    branches: readonly Branch[],
    commitOwn: CommitOwn,
    span: Span | undefined,
  ): Promise<Completion> {
    const host = this.runHost(commitOwn, span);
    let run: TwoPhaseRun | undefined;
    try {
      this.checkBranches(branches);
      const id = await this.newId();
      await TwoPhaseRun.begin(host, this.options.name, id, branches, (begun) => {
        run = begun;
        this.known.set(keyOf(this.options.name, id), { run: begun, decidedMs: undefined });
      });
    } catch (error) {
      if (run === undefined) await Promise.allSettled(branches.map((branch) => branch.abandon()));
      throw error;
    }
    assert(run !== undefined, 'a run has begun');
    return this.answerOf(run);
  }

  private answerOf(run: TwoPhaseRun): Completion {
    const { status } = run;
    if (status === 'committed' || status === 'committing') {
      this.counts.committed++;
      if (status === 'committed') this.known.delete(keyOf(run.coordinator, run.id));
      return { unanswered: run.unanswered };
    }
    // It stays known: nobody may take it for aborted.
    if (status === 'unknown') throw unknownError(run.reason);
    this.counts.aborted++;
    this.known.delete(keyOf(run.coordinator, run.id));
    throw run.isOwnReason ? run.reason : abortedError(run.reason);
  }

  private checkBranches(branches: readonly Branch[]): void {
    this.checkOpen();
    const names = new Set<string>();
    for (const { participant } of branches) {
      if (!this.rounds.has(participant)) throw new PhantomError('42704', `there is no participant "${participant}"`);
      if (names.has(participant)) {
        throw new PhantomError(SqlState.InvalidParameterValue, `participant "${participant}" has two branches`);
      }
      names.add(participant);
    }
    if (this.known.size < TRANSACTIONS_MAX) return;
    throw new PhantomError(
      SqlState.ConfigurationLimitExceeded,
      `more than ${TRANSACTIONS_MAX} transactions over several databases are under way`,
      { hint: 'Most of them wait for participants that do not answer.' },
    );
  }

  private async newId(): Promise<TransactionId> {
    this.epoch ??= this.beginEpoch();
    const epoch = await this.epoch;
    assert(this.lastNumber < NUMBER_MAX, 'an epoch has numbers left');
    return { epoch, number: ++this.lastNumber };
  }

  private async beginEpoch(): Promise<number> {
    try {
      const epoch = await this.log.beginEpoch();
      this.lastEpoch = epoch;
      return epoch;
    } catch (error) {
      this.epoch = undefined;
      throw error;
    }
  }

  private readonly commitDecision: CommitOwn = async (write) => {
    if (write !== undefined) await this.mvcc.run(write);
  };

  private runHost(commitOwn: CommitOwn, span?: Span): RunHost {
    const { logger, answerMsMax, tracer } = this.options;
    return {
      traced: (name, attributes, work) => (span === undefined ? work() : traced(tracer, name, attributes, work, span)),
      logger,
      answerMsMax,
      participant: (name) => this.participant(name),
      missed: (name) => this.rounds.get(name)?.soon(),
      decide: async (run, participants) => {
        const decidedMs = this.options.clock.nowMs();
        const decision: Decision = { ...run.id, coordinator: run.coordinator, participants, decidedMs };
        const write: WriteDecision = (transaction) => this.log.write(transaction, decision);
        await commitOwn(participants.length === 0 ? undefined : write);
        const known = this.known.get(keyOf(run.coordinator, run.id));
        if (known !== undefined) known.decidedMs = decidedMs;
      },
      forget: (run) => this.forget(run),
    };
  }

  private participant(name: string): Participant {
    const rounds = this.rounds.get(name);
    if (rounds === undefined) throw new PhantomError('42704', `there is no participant "${name}" any more`);
    return rounds.participant;
  }

  private resume({ coordinator, participants, decidedMs, epoch, number }: Decision): void {
    const host = this.runHost(this.commitDecision);
    const run = TwoPhaseRun.resume(host, coordinator, { epoch, number }, participants);
    this.known.set(keyOf(coordinator, run.id), { run, decidedMs });
  }

  private forget(run: TwoPhaseRun): void {
    const forgetting = this.log
      .forget(run.id)
      .then(() => this.known.delete(keyOf(run.coordinator, run.id)))
      .catch((error: unknown) => {
        // All have answered: told once more after a restart, they will say that there is nothing.
        this.options.logger.warn('a decision that all have heard could not be removed', { reason: String(error) });
      })
      .finally(() => this.working.delete(forgetting));
    this.working.add(forgetting);
  }

  private roundsHost(): RoundsHost {
    const known = (id: BranchId): Known | undefined => this.known.get(keyOf(id.coordinator, id));
    const lastEpoch = (): number => this.lastEpoch;
    return {
      coordinator: this.options.name,
      get lastEpoch() {
        return lastEpoch();
      },
      logger: this.options.logger,
      limits: this.options,
      isDecided: (id) => known(id)?.decidedMs !== undefined,
      isUndecided: (id) => known(id)?.run.isUndecided === true,
      unanswered: (participant) => this.unansweredBy(participant),
      answered: (gid, ending) => {
        const id = parseGid(gid);
        if (id !== undefined) known(id)?.run.answered(id.participant, ending);
      },
      resolved: () => this.counts.resolved++,
    };
  }

  private unansweredBy(participant: string): string[] {
    const gids: string[] = [];
    for (const { run } of this.known.values())
      if (run.unanswered.includes(participant)) gids.push(run.gid(participant));
    return gids;
  }

  private checkOpen(): void {
    if (this.isClosed) throw new PhantomError(SqlState.ObjectNotInPrerequisiteState, 'the coordinator has been closed');
  }

  private measure(): void {
    const { metrics, clock } = this.options;
    metrics.gauge(
      'phantom_2pc_committed_total',
      'Transactions over several databases committed.',
      () => this.counts.committed,
    );
    metrics.gauge(
      'phantom_2pc_aborted_total',
      'Transactions over several databases aborted.',
      () => this.counts.aborted,
    );
    metrics.gauge('phantom_2pc_resolved_total', 'Branches found in doubt and ended.', () => this.counts.resolved);
    metrics.gauge(
      'phantom_2pc_unanswered',
      'Decisions of which a participant has not heard.',
      () => this.unanswered().length,
    );
    metrics.gauge('phantom_2pc_unanswered_age_ms', 'Age of the oldest of them in milliseconds.', () => {
      const [oldest] = this.unanswered();
      return oldest === undefined ? 0 : Math.max(0, clock.nowMs() - oldest.decidedMs);
    });
  }
}

function keyOf(coordinator: string, { epoch, number }: TransactionId): string {
  return `${coordinator}:${epoch}:${number}`;
}

function unknownError(reason: unknown): PhantomError {
  return isPhantomError(reason)
    ? reason
    : outcomeUnknownError('nobody knows whether the transaction was committed', reason);
}

/** Why a participant refused, in words that say so. */
function abortedError(reason: unknown): PhantomError {
  const code = typeof reason === 'object' && reason !== null && 'code' in reason ? reason.code : undefined;
  const message = reason instanceof Error ? reason.message : String(reason);
  return new PhantomError(RETRYABLE.has(code) ? String(code) : '40000', `the transaction was rolled back: ${message}`, {
    detail: code === undefined ? undefined : `The reason has the code ${String(code)}.`,
    cause: reason,
  });
}
