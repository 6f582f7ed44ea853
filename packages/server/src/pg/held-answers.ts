/**
 * Answers that are held back. A statement that writes outside of a transaction block is answered with its commit: what it has
 * read may not be durable yet, and while its client has heard nothing it can be run again after a lost race.
 */
import type { SessionStatement } from '@phantom/db/session';
import type { DatabaseSession } from './database-session.js';
import { type Output, SEND_BYTES } from './output.js';

export class HeldAnswers {
  /** The statement that runs, or has run since the last Sync, is the only one of its transaction. */
  alone = false;
  private readonly database: DatabaseSession;
  private readonly output: Output;

  constructor(database: DatabaseSession, output: Output) {
    this.database = database;
    this.output = output;
  }

  /** Holds back what a statement will be answered, if that has to be. */
  holdBack(statement: SessionStatement): void {
    const { database, output } = this;
    if (statement.kind === 'plan' && statement.plan.traits.writes && database.transaction?.explicit !== true)
      output.isHeld = true;
  }

  /** Lets go what was held back, once what it tells is durable: before a statement whose rows are sent as they come. */
  letGo(statement: SessionStatement): Promise<void> | undefined {
    const { output } = this;
    if (!output.isHeld || this.alone) return undefined;
    const mayHold = statement.kind === 'plan' && statement.plan.pointWrite !== undefined;
    return mayHold && output.waitingBytes < SEND_BYTES ? undefined : this.release();
  }

  /** Lets go all of it, once what it tells is durable. */
  async release(): Promise<void> {
    await this.database.whenShown();
    this.output.isHeld = false;
  }

  /** The statement that ran by itself lost a race of which its client has heard nothing: true when it is to be run again. */
  async runsAgain(error: unknown, producedBytes: number): Promise<boolean> {
    if (this.output.sentBytes > producedBytes || !(await this.database.again(error))) return false;
    return this.output.takeBack(producedBytes);
  }
}
