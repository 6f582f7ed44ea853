/**
 * Statements of one row by key, answered at once: without a portal of the database, an execution or a promise. Whatever is of
 * another kind, or reads what it would have to wait for, is left to the ordinary road; a write waits for its row here. BEGIN and
 * COMMIT do without a portal, too.
 */
import {
  type FetchOutcome,
  type PreparedPlan,
  type SessionStatement,
  type Value,
  commandTag,
} from '@phantom/db/session';
import type { DatabaseSession, PlanStatement, StraightRoads } from './database-session.js';
import { type Output, SEND_BYTES } from './output.js';
import type { RowEncoder } from './row-encoder.js';

export class StraightRoad {
  private readonly database: DatabaseSession;
  private readonly roads: StraightRoads;
  private readonly output: Output;
  private readonly row: Value[] = [];

  constructor(database: DatabaseSession, roads: StraightRoads, output: Output) {
    this.database = database;
    this.roads = roads;
    this.output = output;
  }

  /**
   * Runs a statement and writes its row, described first if so wanted. The tag; undefined: nothing has been done. A promise of the
   * same where the row is somebody else's still.
   */
  take(
    statement: PlanStatement,
    values: readonly Value[],
    encoder: RowEncoder,
    describes: boolean,
  ): string | undefined | Promise<string | undefined> {
    const plan = this.database.currentPlan(statement);
    if (plan.pointWrite !== undefined) return this.write(statement, values);
    if (plan.pointLookup === undefined && plan.pointLock === undefined) return undefined;
    const found = this.read(plan, statement, values);
    if (found === undefined) return undefined;
    const { messages } = this.output;
    if (describes) encoder.describe(messages);
    if (!found) return 'SELECT 0';
    encoder.row(this.row, messages, this.database.evaluation);
    return 'SELECT 1';
  }

  /** Begins or commits a block; undefined: nothing has been done. */
  control(statement: SessionStatement): FetchOutcome | Promise<FetchOutcome> | undefined {
    return this.roads.controlBlock(statement);
  }

  private read(plan: PreparedPlan, statement: PlanStatement, values: readonly Value[]): boolean | undefined {
    const { roads, row } = this;
    if (plan.pointLookup !== undefined && this.database.readsBare) return roads.lookUp(statement, values, row);
    // What is held back has to be let go before rows are sent.
    return this.output.isHeld ? undefined : roads.lookUpWithin(statement, values, row);
  }

  private write(statement: PlanStatement, values: readonly Value[]): string | undefined | Promise<string | undefined> {
    if (this.output.waitingBytes >= SEND_BYTES) return undefined;
    const tagOf = (count: number | undefined): string | undefined =>
      count === undefined ? undefined : commandTag(statement.node, count);
    const count = this.roads.writePoint(statement, values);
    return count instanceof Promise ? count.then(tagOf) : tagOf(count);
  }
}
