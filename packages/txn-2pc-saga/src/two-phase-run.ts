/** One transaction over several participants: carries out what the machine says, and tells the machine what came of it. */
import { type Logger, type SpanAttributes, isPhantomError, unreachable } from '@phantom/base';
import { type TransactionId, gidOf } from './gid.js';
import { answeredWithin } from './in-doubt.js';
import type { Branch, Ending, Participant, Vote } from './participant.js';
import {
  type TwoPhaseAction,
  type TwoPhaseEvent,
  type TwoPhaseState,
  type TwoPhaseStatus,
  type TwoPhaseStep,
  beginTwoPhase,
  resumeTwoPhase,
  stepTwoPhase,
} from './two-phase-machine.js';

/** What a run asks of its coordinator. */
export interface RunHost {
  readonly logger: Logger;
  readonly answerMsMax: number;
  /** Does a part of the run, in a span of its own where that is wanted. */
  traced<T>(name: string, attributes: SpanAttributes, work: () => Promise<T>): Promise<T>;
  participant(name: string): Participant;
  /** The participant may hold something of which it has not been told the end. */
  missed(participant: string): void;
  /** Makes the decision durable. Rejects with the family `outcome-unknown` when it may be, else when it certainly is not. */
  decide(run: TwoPhaseRun, participants: readonly string[]): Promise<void>;
  /** Everybody has answered. */
  forget(run: TwoPhaseRun): void;
}

export class TwoPhaseRun {
  readonly id: TransactionId;
  readonly coordinator: string;
  /** Why it was aborted, or why nobody knows: what was heard first. */
  reason: unknown = undefined;
  /** The reason came from making the decision, and not from a participant. */
  isOwnReason = false;
  private readonly host: RunHost;
  private readonly branches: ReadonlyMap<string, Branch>;
  private state: TwoPhaseState;
  /** Who has been told to commit before, by this process or another. */
  private readonly told = new Set<string>();
  private readonly outstanding = new Set<Promise<void>>();

  private constructor(host: RunHost, coordinator: string, id: TransactionId, branches: readonly Branch[]) {
    this.host = host;
    this.coordinator = coordinator;
    this.id = id;
    this.branches = new Map(branches.map((branch) => [branch.participant, branch]));
    this.state = { status: 'voting', branches: new Map() };
  }

  /** Runs to where nothing is left to be waited for: committed, aborted, unknown, or committing with somebody who does not answer. */
  static async begin(
    host: RunHost,
    coordinator: string,
    id: TransactionId,
    branches: readonly Branch[],
    begun: (run: TwoPhaseRun) => void,
  ): Promise<TwoPhaseStatus> {
    const run = new TwoPhaseRun(host, coordinator, id, branches);
    begun(run);
    run.follow(beginTwoPhase([...run.branches.keys()]));
    while (run.outstanding.size > 0) await Promise.all(run.outstanding);
    return run.status;
  }

  /** A decision that was found in the log: `participants` are to be told. */
  static resume(host: RunHost, coordinator: string, id: TransactionId, participants: readonly string[]): TwoPhaseRun {
    const run = new TwoPhaseRun(host, coordinator, id, []);
    // The participants may not be known yet: their rounds tell them.
    run.state = resumeTwoPhase(participants).state;
    for (const name of participants) run.told.add(name);
    return run;
  }

  get status(): TwoPhaseStatus {
    return this.state.status;
  }

  /** True until its decision is known to be in the log, or known not to be made. */
  get isUndecided(): boolean {
    return this.status === 'voting' || this.status === 'deciding' || this.status === 'unknown';
  }

  /** Those that are to commit and have not answered. */
  get unanswered(): string[] {
    if (this.status !== 'committing') return [];
    return Array.from(this.state.branches)
      .filter(([, status]) => status === 'prepared')
      .map(([name]) => name);
  }

  gid(participant: string): string {
    return gidOf({ ...this.id, coordinator: this.coordinator, participant });
  }

  /** A participant has committed; heard twice, it counts once. */
  answered(participant: string, ending: Ending): void {
    const isFirst = !this.told.has(participant);
    this.told.add(participant);
    if (ending === 'absent' && isFirst) {
      this.host.logger.error(
        'a participant that had voted to commit no longer knew the transaction: somebody else ended it',
        {
          participant,
          gid: this.gid(participant),
        },
      );
    }
    if (this.unanswered.includes(participant)) this.step({ kind: 'answered', branch: participant });
  }

  private step(event: TwoPhaseEvent): void {
    this.follow(stepTwoPhase(this.state, event));
  }

  private follow({ state, actions }: TwoPhaseStep): void {
    this.state = state;
    for (const action of actions) {
      const doing = this.carryOut(action).finally(() => this.outstanding.delete(doing));
      this.outstanding.add(doing);
    }
  }

  private carryOut(action: TwoPhaseAction): Promise<void> {
    switch (action.kind) {
      case 'prepare':
        return this.prepare(action.branch);
      case 'decide':
        return this.decide(action.branches);
      case 'commit':
        return this.commit(action.branch);
      case 'rollback':
        return this.rollBack(action.branch);
      case 'forget':
        this.host.forget(this);
        return Promise.resolve();
      default:
        return unreachable(action);
    }
  }

  private async prepare(name: string): Promise<void> {
    const vote = this.host.traced('prepare branch', { 'phantom.2pc.participant': name }, () =>
      (this.branches.get(name) as Branch).prepare(this.gid(name)),
    );
    let given: Vote;
    try {
      given = await answeredWithin(vote, this.host.answerMsMax, name);
    } catch (error) {
      this.reason ??= error;
      // If it comes after all, what it has prepared is found in doubt.
      void vote.then(
        () => this.host.missed(name),
        () => undefined,
      );
      this.step({ kind: 'refused', branch: name });
      return;
    }
    this.step({ kind: 'voted', branch: name, vote: given });
  }

  private async decide(participants: readonly string[]): Promise<void> {
    try {
      await this.host.traced('decide', {}, () => this.host.decide(this, participants));
    } catch (error) {
      this.reason = error;
      this.isOwnReason = true;
      const isUnknown = isPhantomError(error) && error.family === 'outcome-unknown';
      this.step({ kind: isUnknown ? 'decision-unknown' : 'decision-failed' });
      return;
    }
    this.step({ kind: 'decided' });
  }

  private async commit(name: string): Promise<void> {
    try {
      this.answered(name, await this.ask(name, 'commit'));
    } catch (error) {
      this.told.add(name);
      this.host.logger.warn('a participant was not told to commit: it will be', {
        participant: name,
        reason: String(error),
      });
      this.host.missed(name);
    }
  }

  private async rollBack(name: string): Promise<void> {
    try {
      await this.ask(name, 'rollback');
    } catch {
      // It asks, as it were: what is in doubt there is rolled back.
      this.host.missed(name);
    }
  }

  private ask(name: string, what: 'commit' | 'rollback'): Promise<Ending> {
    const participant = this.host.participant(name);
    const asked = this.host.traced(`${what} branch`, { 'phantom.2pc.participant': name }, () =>
      participant[what](this.gid(name)),
    );
    return answeredWithin(asked, this.host.answerMsMax, name);
  }
}
