/**
 * What becomes of work that is prepared at a participant and of whose transaction it has heard nothing more: who coordinates it
 * asks the participant, from time to time and whenever an answer was missing, and tells it.
 *
 *   named by another coordinator, or for another participant      leave it: it is not ours to end
 *   the decision is in the log                                    commit
 *   of an epoch that the log does not know                        leave it: the log is older than the transaction
 *   still being decided in this process                           leave it: it will be told
 *   anything else                                                 roll back (presumed abort)
 *
 * The last line is sound because an epoch belongs to one process, which has the store's directory to itself: what an earlier epoch had
 * not decided when it ended, nobody decides any more. A vote that arrives after its transaction was given up is found in the same way.
 */
import { type Logger, PhantomError } from '@phantom/base';
import { type BranchId, parseGid } from './gid.js';
import type { Ending, Participant } from './participant.js';

export type Verdict = 'commit' | 'rollback' | 'leave';

/** What a coordinator knows. */
export interface CoordinatorFacts {
  readonly coordinator: string;
  /** The last epoch that is in the log. */
  readonly lastEpoch: number;
  isDecided(id: BranchId): boolean;
  /** It is being decided by this process now. */
  isUndecided(id: BranchId): boolean;
}

export function verdictOn(gid: string, participant: string, facts: CoordinatorFacts): Verdict {
  const id = parseGid(gid);
  if (id === undefined || id.participant !== participant) return 'leave';
  if (facts.isDecided(id)) return 'commit';
  if (id.coordinator !== facts.coordinator || id.epoch > facts.lastEpoch || facts.isUndecided(id)) return 'leave';
  return 'rollback';
}

/** What the rounds of one participant ask of its coordinator. */
export interface RoundsHost extends CoordinatorFacts {
  readonly logger: Logger;
  readonly limits: RoundsLimits;
  /** Names of branches there that are decided and have not answered. */
  unanswered(participant: string): readonly string[];
  answered(gid: string, ending: Ending): void;
  /** One that was in doubt has been ended. */
  resolved(): void;
}

export interface RoundsLimits {
  /** A question that is not answered by then counts as not answered. */
  readonly answerMsMax: number;
  /** From a failed round to the next one; doubles with each that fails, up to the second. */
  readonly retryMs: number;
  readonly retryMsMax: number;
  /** From a round in which all was answered to the next one. */
  readonly roundEveryMs: number;
}

/** Rounds at one participant: one at a time, again soon while something fails, and now and then when nothing does. */
export class ParticipantRounds {
  readonly participant: Participant;
  private readonly host: RoundsHost;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<void> | undefined;
  private failures = 0;
  /** Something was not answered while a round was under way. */
  private isWanted = false;
  private isStopped = false;

  constructor(participant: Participant, host: RoundsHost) {
    this.participant = participant;
    this.host = host;
  }

  /** A round now; with one under way, another one behind it. Rejects as the participant does; it is tried again in any case. */
  async round(): Promise<void> {
    while (this.running !== undefined) await this.running.catch(() => undefined);
    if (this.isStopped) return;
    clearTimeout(this.timer);
    this.isWanted = false;
    const running = this.ask();
    this.running = running;
    try {
      await running;
      this.failures = this.isWanted ? 1 : 0;
    } catch (error) {
      this.failures++;
      throw error;
    } finally {
      this.running = undefined;
      this.schedule();
    }
  }

  /** Something was not answered: a round after a while. */
  soon(): void {
    this.isWanted = true;
    if (this.running !== undefined) return;
    this.failures = Math.max(this.failures, 1);
    this.schedule();
  }

  /** No round begins afterwards; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.running?.catch(() => undefined);
  }

  private schedule(): void {
    clearTimeout(this.timer);
    if (this.isStopped) return;
    const { retryMs, retryMsMax, roundEveryMs } = this.host.limits;
    const delayMs = this.failures === 0 ? roundEveryMs : Math.min(retryMsMax, retryMs * 2 ** (this.failures - 1));
    this.timer = setTimeout(() => this.roundQuietly(), delayMs);
    this.timer.unref();
  }

  private roundQuietly(): void {
    this.round().catch((error: unknown) => {
      this.host.logger.warn('a participant of two-phase commit does not answer', {
        participant: this.participant.name,
        failures: this.failures,
        reason: String(error),
      });
    });
  }

  /** One that cannot be ended does not keep the others; its error is told at the end. */
  private async ask(): Promise<void> {
    const { participant, host } = this;
    const errors: unknown[] = [];
    for (const gid of host.unanswered(participant.name)) {
      try {
        host.answered(gid, await this.limited(participant.commit(gid)));
      } catch (error) {
        errors.push(error);
      }
    }
    for (const gid of await this.limited(participant.inDoubt())) {
      try {
        await this.end(gid);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  private async end(gid: string): Promise<void> {
    const { participant, host } = this;
    const verdict = verdictOn(gid, participant.name, host);
    if (verdict === 'leave') return;
    await this.limited(verdict === 'commit' ? participant.commit(gid) : participant.rollback(gid));
    host.resolved();
    host.logger.info('a transaction in doubt was ended', { participant: participant.name, gid, verdict });
  }

  private limited<T>(answer: Promise<T>): Promise<T> {
    return answeredWithin(answer, this.host.limits.answerMsMax, this.participant.name);
  }
}

/** The answer, or 08006 when it takes longer; what comes later is not looked at. */
export async function answeredWithin<T>(answer: Promise<T>, answerMsMax: number, participant: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new PhantomError('08006', `participant "${participant}" has not answered within ${answerMsMax} ms`));
    }, answerMsMax);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
