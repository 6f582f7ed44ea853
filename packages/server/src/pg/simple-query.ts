/**
 * The simple query protocol: a text of one statement or several, answered with all its rows and one ReadyForQuery. What needs
 * no waiting is answered at once, without a promise.
 *
 *   one statement    on the straight road, or by a portal; alone in its transaction it is run again after a lost race
 *   a script         one after the other, each analysed once the one before has run; one transaction unless BEGIN says otherwise
 *
 * The last statement is reported complete once its transaction is durable, never before.
 */
import type { FetchOutcome, ParsedStatement, PlanField, RowBatch, Value } from '@phantom/db/session';
import { fetchRows } from '../fetch-rows.js';
import type { Pace } from '../pace.js';
import { writeCommandComplete, writeEmptyQueryResponse } from './backend-messages.js';
import type { DatabaseSession } from './database-session.js';
import type { HeldAnswers } from './held-answers.js';
import type { Output } from './output.js';
import { ReadyStatement, isQuery, rowsOfTag } from './prepared-statements.js';
import { Format } from './protocol.js';
import { RowEncoder } from './row-encoder.js';
import type { SessionCounters } from './session-counters.js';
import type { StraightRoad } from './straight-road.js';

const NO_VALUES: readonly Value[] = [];

export interface SimpleQueryParts {
  readonly database: DatabaseSession;
  readonly output: Output;
  readonly road: StraightRoad;
  readonly held: HeldAnswers;
  readonly pace: Pace;
  readonly counters: SessionCounters;
  /** The database begins to work for the client. */
  readonly onWork: () => void;
  /** It works no more, but may be asked for a commit still. */
  readonly onRest: () => void;
  /** An error is to be told. */
  readonly onError: (error: unknown) => void;
  /** All is over but for ReadyForQuery. */
  readonly onEnd: () => void;
}

export class SimpleQuery {
  private readonly parts: SimpleQueryParts;
  private readonly encoders = new WeakMap<readonly PlanField[], RowEncoder>();
  /** What most statements have: no rows to encode. */
  private readonly noColumns: RowEncoder;

  constructor(parts: SimpleQueryParts) {
    this.parts = parts;
    this.noColumns = new RowEncoder([], parts.database.evaluation.types, () => Format.Text);
  }

  /** Answers a text: at once where nothing has to be waited for. */
  run(text: string): Promise<void> | undefined {
    const { database, output, held, onEnd } = this.parts;
    try {
      const parsed = database.parse(text);
      if (parsed.length === 0) writeEmptyQueryResponse(output.messages);
      held.alone = parsed.length === 1 && database.transaction === undefined;
      const wait = parsed.length > 1 ? this.script(parsed, text) : this.only(parsed[0], text);
      if (wait !== undefined) return this.end(wait);
    } catch (error) {
      return this.end(Promise.reject(error));
    }
    onEnd();
    return undefined;
  }

  private async end(wait: Promise<void>): Promise<void> {
    const { onError, onRest, onEnd } = this.parts;
    try {
      await wait;
    } catch (error) {
      onRest();
      onError(error);
    }
    onEnd();
  }

  private async script(parsed: readonly ParsedStatement[], text: string): Promise<void> {
    const { database, pace } = this.parts;
    for (let i = 0; i < parsed.length; i++) {
      await this.statement(new ReadyStatement(database.prepare(parsed[i], text)), i === parsed.length - 1);
      if (pace.due) await pace.turn();
    }
  }

  private only(parsed: ParsedStatement | undefined, text: string): Promise<void> | undefined {
    if (parsed === undefined) return undefined;
    const { database, output, held } = this.parts;
    const ready = new ReadyStatement(database.prepare(parsed, text));
    if (!held.alone) return this.statement(ready, true);
    const { producedBytes } = output;
    let wait: Promise<void> | undefined;
    try {
      wait = this.statement(ready, true);
    } catch (error) {
      wait = Promise.reject(error);
    }
    return wait === undefined ? undefined : this.alone(ready, wait, producedBytes);
  }

  private async alone(ready: ReadyStatement, first: Promise<void>, producedBytes: number): Promise<void> {
    for (let attempt: Promise<void> | undefined = first; ; attempt = undefined) {
      try {
        await (attempt ?? this.statement(ready, true));
        return;
      } catch (error) {
        if (!(await this.parts.held.runsAgain(error, producedBytes))) throw error;
      }
    }
  }

  private statement(ready: ReadyStatement, isLast: boolean): Promise<void> | undefined {
    const { counters, held, onWork } = this.parts;
    counters.queries.value++;
    onWork();
    const wait = held.letGo(ready.statement);
    return wait === undefined ? this.answer(ready, isLast) : wait.then(() => this.answer(ready, isLast));
  }

  private answer(ready: ReadyStatement, isLast: boolean): Promise<void> | undefined {
    const { database, road, held } = this.parts;
    const { statement } = ready;
    held.holdBack(statement);
    const encoder = this.encoderOf(ready, ready.fields(database));
    if (statement.kind === 'plan') {
      const tag = road.take(statement, NO_VALUES, encoder, true);
      if (tag === undefined) return this.fetch(ready, encoder, isLast);
      if (!(tag instanceof Promise)) return this.complete(tag, isLast);
      return tag.then((told) =>
        told === undefined ? this.fetch(ready, encoder, isLast) : this.complete(told, isLast),
      );
    }
    const ended = road.control(statement);
    if (ended instanceof Promise) return ended.then(({ tag }) => this.complete(tag, isLast));
    return ended === undefined ? this.fetch(ready, encoder, isLast) : this.complete(ended.tag, isLast);
  }

  /** Runs a statement on the ordinary road, and writes its rows. */
  private fetch(ready: ReadyStatement, encoder: RowEncoder, isLast: boolean): Promise<void> | undefined {
    const { database, output, pace } = this.parts;
    const { statement } = ready;
    const { fields } = encoder;
    const portal = database.portal(statement, NO_VALUES);
    const bare = fields.length === 0 && isQuery(statement);
    if (fields.length > 0 || bare) encoder.describe(output.messages);
    const receive = (batch: RowBatch): void => encoder.rows(batch, output.messages, database.evaluation);
    const finish = ({ tag }: FetchOutcome): Promise<void> | undefined => {
      if (bare) encoder.emptyRows(rowsOfTag(tag), output.messages);
      return this.complete(tag, isLast);
    };
    const fetched = fetchRows(database, portal, receive, 0, output, pace);
    return fetched instanceof Promise ? fetched.then(finish) : finish(fetched);
  }

  /** Texts of one shape share a plan, and with it the encoder of its rows. */
  private encoderOf(ready: ReadyStatement, fields: readonly PlanField[]): RowEncoder {
    if (fields.length === 0) return this.noColumns;
    let encoder = this.encoders.get(fields);
    if (encoder === undefined) {
      encoder = ready.textEncoder(fields, this.parts.database.evaluation.types);
      this.encoders.set(fields, encoder);
    }
    return encoder;
  }

  /** A statement has run; the last one's implicit transaction is committed before the client hears of it. */
  private complete(tag: string, isLast: boolean): Promise<void> | undefined {
    const { database, output, onRest } = this.parts;
    onRest();
    if (!isLast || database.transaction === undefined || database.transaction.explicit) {
      writeCommandComplete(output.messages, tag);
      return undefined;
    }
    return database.sync().then(() => writeCommandComplete(output.messages, tag));
  }
}
