/**
 * The conversation of one client after it has been let in: the state machine of the extended and the simple query protocol.
 *
 *               Parse Bind Describe Execute Close     error           Sync
 *   ready  ------------------------------------> ready ----> skipping ----> ready
 *          Query: all of it at once, error or not                       ----> ready
 *
 * `handle` takes one message and answers at once where nothing has to be waited for, so that a pipeline of lookups is
 * worked off in one turn; otherwise it returns a promise, and the next message is handed in after it.
 *
 * Invariants:
 *   1. After an error nothing is executed until Sync; each Sync and each Query gets exactly one ReadyForQuery.
 *   2. What one Sync ends is one transaction unless BEGIN says otherwise; so is a script sent as one Query.
 *   3. A cancel stops what runs and never what comes next: it reaches the database only while rows are being fetched.
 */
import { performance } from 'node:perf_hooks';
import { PhantomError } from '@phantom/base';
import {
  type FetchOutcome,
  type Notice,
  type Notification,
  type RowBatch,
  type TextEncoding,
  textEncoding,
} from '@phantom/db/session';
import {
  writeBindComplete,
  writeCloseComplete,
  writeCommandComplete,
  writeEmptyQueryResponse,
  writeNoData,
  writeParameterDescription,
  writeParameterStatus,
  writeParseComplete,
  writePortalSuspended,
  writeReadyForQuery,
  writeReport,
} from './backend-messages.js';
import type { DatabaseSession, OpenedSession } from './database-session.js';
import { type MessageSource, ProtocolCopy } from './copy.js';
import { fetchRows } from '../fetch-rows.js';
import { callFunction } from './function-call.js';
import { BindMessage, readBind, readEmpty, readExecute, readNamed, readParse, readQuery } from './frontend-messages.js';
import { HeldAnswers } from './held-answers.js';
import { IdleLimits } from './idle-limits.js';
import { Mailbox } from './mailbox.js';
import type { MessageReader } from './message-reader.js';
import type { Output } from './output.js';
import type { Pace } from '../pace.js';
import { Portals, ProtocolPortal } from './portals.js';
import { PreparedStatements, isQuery, rowsOfTag } from './prepared-statements.js';
import { Format, Frontend, ReadyStatus } from './protocol.js';
import type { SessionCounters } from './session-counters.js';
import { SimpleQuery } from './simple-query.js';
import { StraightRoad } from './straight-road.js';
import { FatalError, errorReport, noticeReport } from './reports.js';
import { RowEncoder } from './row-encoder.js';

const MS_PER_SECOND = 1000;

export interface ProtocolSessionOptions {
  readonly output: Output;
  readonly pace: Pace;
  /** The client's messages, for COPY. */
  readonly source: MessageSource;
  readonly counters: SessionCounters;
  /** A notification waits for the client; with an error: too many do. */
  readonly onMail: (error?: PhantomError) => void;
  /** Hears of errors that are defects of ours. */
  readonly onDefect: (error: unknown) => void;
}

/** An Execute of the only statement of its transaction, and what had been answered before it. */
interface LoneExecute {
  readonly portal: ProtocolPortal;
  readonly rowsMax: number;
  readonly producedBytes: number;
}

export class ProtocolSession {
  private readonly output: Output;
  private readonly pace: Pace;
  private readonly counters: SessionCounters;
  private readonly onDefect: (error: unknown) => void;
  private database!: DatabaseSession;
  private road!: StraightRoad;
  private held!: HeldAnswers;
  private simple!: SimpleQuery;
  private statements!: PreparedStatements;
  private readonly portals = new Portals();
  private readonly bind = new BindMessage();
  /** The data of COPY. */
  readonly copy: ProtocolCopy;
  private readonly source: MessageSource;
  private readonly mailbox = new Mailbox();
  private readonly onMail: (error?: PhantomError) => void;
  private skipping = false;
  /** When the client began to ask for what it is told ready after, by performance.now(); 0 while it asks nothing. */
  private askedMs = 0;
  /** When it was told so last. */
  private answeredMs = 0;
  private readonly limits = new IdleLimits();
  /** The statement that is the only one of its transaction, when an Execute has run it. */
  private lone: LoneExecute | undefined;
  /** True while the database works for this client. */
  private fetching = false;
  /** Settings whose changes the client has not been told of, and what it was told last. */
  private readonly changed = new Map<string, string>();
  private readonly told = new Map<string, string>();

  constructor(options: ProtocolSessionOptions) {
    this.output = options.output;
    this.pace = options.pace;
    this.source = options.source;
    this.copy = new ProtocolCopy(options.output, options.source);
    this.counters = options.counters;
    this.onDefect = options.onDefect;
    this.onMail = options.onMail;
  }

  /** Starts the conversation: the client is told all reported settings. */
  start({ session: database, roads }: OpenedSession): void {
    this.database = database;
    this.road = new StraightRoad(database, roads, this.output);
    this.held = new HeldAnswers(database, this.output);
    this.simple = new SimpleQuery({
      database,
      output: this.output,
      road: this.road,
      held: this.held,
      pace: this.pace,
      counters: this.counters,
      onWork: () => (this.fetching = true),
      onRest: () => (this.fetching = false),
      onError: (error) => this.failed(error),
      onEnd: () => this.queryEnded(),
    });
    this.statements = new PreparedStatements(database);
    this.changed.clear();
    for (const { name, value } of database.settings.reported()) this.parameterChanged(name, value);
    this.tellParameters();
  }

  /** True between messages when no transaction is open and no pipeline is half done. */
  get quiet(): boolean {
    return this.database.transaction === undefined && !this.skipping;
  }

  /** What a client is held to while it rests. */
  get idleLimits(): IdleLimits {
    this.limits.renew(this.database.settings);
    return this.limits;
  }

  /** When all that had come was handled, by performance.now(), if it is. Where the last answer tells, the clock is not asked again. */
  get restedMs(): number {
    return this.askedMs === 0 ? this.sinceMs : performance.now();
  }

  /** How long a result may wait for a client that takes nothing of it; 0 for ever. */
  get unreadMs(): number {
    return this.database.settings.integer('tcp_user_timeout');
  }

  /** Notices go to the client as they come, also while their statement waits for something. */
  readonly noticed = (notice: Notice): void => {
    const report = noticeReport(notice, this.database.settings.get('client_min_messages'));
    if (report === undefined) return;
    writeReport(this.output.messages, report);
    this.output.flushSoon();
  };

  /** Notifications go to the client between its transactions. */
  readonly notified = (notification: Notification): void => {
    try {
      this.mailbox.put(notification);
      this.onMail();
    } catch (error) {
      this.onMail(error as PhantomError);
    }
  };

  /** Writes what waits for a client that rests. */
  deliver(): void {
    if (this.quiet) this.mailbox.deliver(this.output.messages);
  }

  /** Changes of settings go to the client before it may send the next query. */
  readonly parameterChanged = (name: string, value: string): void => {
    this.changed.set(name, value);
    if (name === 'client_encoding') this.speak(textEncoding(value));
  };

  /** Stops what runs now, if anything does. */
  cancel(message?: string): void {
    if (this.fetching) this.database.cancel(message);
  }

  /** Ends the database session: rolls back and frees what it holds. Nothing may be running. */
  close(): void {
    this.portals.closeAll();
    this.database.close();
  }

  /** Answers one message. Throws or rejects with FatalError alone: the connection ends then. */
  handle(type: number, reader: MessageReader): Promise<void> | undefined {
    if (this.askedMs === 0) this.askedMs = this.sinceMs;
    if (this.skipping && type !== Frontend.Sync) return undefined;
    try {
      switch (type) {
        case Frontend.Bind:
          this.bindPortal(reader);
          return undefined;
        case Frontend.Execute:
          return this.execute(reader);
        case Frontend.Sync:
          return this.synchronise(reader);
        case Frontend.Parse:
          this.parse(reader);
          return undefined;
        case Frontend.Describe:
          this.describe(reader);
          return undefined;
        case Frontend.Close:
          this.closeNamed(reader);
          return undefined;
        case Frontend.Query:
          return this.query(readQuery(reader));
        case Frontend.Flush:
          readEmpty(reader);
          if (this.output.isHeld) return this.flushHeld();
          this.output.flushSoon();
          return undefined;
        case Frontend.FunctionCall:
          return this.callFunction(reader);
        case Frontend.CopyData:
        case Frontend.CopyDone:
        case Frontend.CopyFail:
          // What a client sends on before it has read that its COPY failed; PostgreSQL drops it as well.
          return undefined;
        default:
          return undefined;
      }
    } catch (error) {
      this.failed(error);
      // A Query, or the Sync that ends a pipeline, is over with its error.
      if (type === Frontend.Query || type === Frontend.Sync) return this.settle();
      this.skipping = true;
      return undefined;
    }
  }

  /** ReadyForQuery, after the settings that have changed. */
  ready(): void {
    this.skipping = false;
    this.output.isHeld = false;
    this.database.traces?.rest();
    this.tellParameters();
    if (this.database.status === 'idle') this.mailbox.deliver(this.output.messages);
    writeReadyForQuery(this.output.messages, ReadyStatus[this.database.status]);
    this.output.isAwaited = true;
    this.answeredMs = performance.now();
    if (this.askedMs === 0) return;
    this.counters.responses.observe((this.answeredMs - this.askedMs) / MS_PER_SECOND);
    this.askedMs = 0;
  }

  /** When the message at hand came, or the answer before it was complete, whichever was later. */
  private get sinceMs(): number {
    return Math.max(this.pace.startMs, this.answeredMs);
  }

  private parse(reader: MessageReader): void {
    const { statement, text, parameterTypes } = readParse(reader);
    this.statements.admit(statement);
    this.statements.put(statement, this.database.prepareText(text, parameterTypes));
    writeParseComplete(this.output.messages);
  }

  private bindPortal(reader: MessageReader): void {
    const { bind, database } = this;
    readBind(reader, bind);
    this.portals.admit(bind.portal);
    const ready = this.statements.get(bind.statement);
    const values = ready.values(bind, reader, database);
    const fields = ready.fields(database);
    const encoder = ready.encoder(fields, bind, database.evaluation.types);
    this.portals.put(bind.portal, new ProtocolPortal(ready, values, fields, encoder));
    writeBindComplete(this.output.messages);
  }

  private describe(reader: MessageReader): void {
    const { kind, name } = readNamed(reader);
    const { messages } = this.output;
    if (kind === 'portal') {
      const ofCursor = this.portals.has(name) ? undefined : this.database.cursors.fieldsOf(name);
      if (ofCursor !== undefined) {
        new RowEncoder(ofCursor, this.database.evaluation.types, () => Format.Text).describe(messages);
        return;
      }
      const { fields, encoder } = this.portals.get(name);
      if (fields.length === 0 && !isQuery(this.portals.get(name).ready.statement)) writeNoData(messages);
      else encoder.describe(messages);
      return;
    }
    const ready = this.statements.get(name);
    const fields = ready.fields(this.database);
    writeParameterDescription(
      messages,
      ready.parameters(this.database).map((type) => type.oid),
    );
    if (fields.length === 0 && !isQuery(ready.statement)) writeNoData(messages);
    else ready.textEncoder(fields, this.database.evaluation.types).describe(messages);
  }

  private closeNamed(reader: MessageReader): void {
    const { kind, name } = readNamed(reader);
    if (kind === 'portal') this.portals.close(name);
    else this.statements.close(name);
    writeCloseComplete(this.output.messages);
  }

  private execute(reader: MessageReader): Promise<void> | undefined {
    const { portal: name, rowsMax } = readExecute(reader);
    const portal = this.portals.get(name);
    this.counters.queries.value++;
    const { statement } = portal.ready;
    this.held.holdBack(statement);
    this.held.alone = this.database.transaction === undefined && portal.portal === undefined;
    this.lone = this.held.alone ? { portal, rowsMax, producedBytes: this.output.producedBytes } : undefined;
    if (portal.done) {
      if (!isQuery(statement)) throw new PhantomError('55000', `portal "${name}" cannot be run anymore`);
      writeCommandComplete(this.output.messages, 'SELECT 0');
      return undefined;
    }
    if (statement.kind !== 'plan' || portal.portal !== undefined) return this.run(portal, rowsMax);
    const tag = rowsMax === 0 ? this.road.take(statement, portal.values, portal.encoder, false) : undefined;
    if (tag === undefined) return this.run(portal, rowsMax);
    if (tag instanceof Promise) return this.runToEnd(portal, this.taken(portal, tag));
    portal.done = true;
    writeCommandComplete(this.output.messages, tag);
    return undefined;
  }

  private async flushHeld(): Promise<void> {
    try {
      await this.held.release();
    } catch (error) {
      this.failed(error);
      this.skipping = true;
    }
    this.output.flushSoon();
  }

  /** Runs a portal on the ordinary road: at once where nothing has to be waited for. */
  private run(portal: ProtocolPortal, rowsMax: number): Promise<void> | undefined {
    this.fetching = true;
    const held = this.held.letGo(portal.ready.statement);
    let fetched: FetchOutcome | Promise<FetchOutcome>;
    try {
      fetched = held === undefined ? this.fetch(portal, rowsMax) : held.then(() => this.fetch(portal, rowsMax));
      if (!(fetched instanceof Promise)) {
        this.answer(portal, fetched);
        this.stopped();
        return undefined;
      }
    } catch (error) {
      fetched = Promise.reject(error);
    }
    return this.runToEnd(portal, fetched);
  }

  /** The outcome of a straight road on which something had to be waited for; of the ordinary one where that has led nowhere. */
  private async taken(portal: ProtocolPortal, road: Promise<string | undefined>): Promise<FetchOutcome> {
    this.fetching = true;
    const tag = await road;
    if (tag === undefined) return this.fetch(portal, 0);
    portal.done = true;
    return { complete: true, rows: 0, tag, count: 0 };
  }

  private fetch(portal: ProtocolPortal, rowsMax: number): FetchOutcome | Promise<FetchOutcome> {
    const { database, output } = this;
    const { messages } = output;
    const ended = portal.portal === undefined ? this.road.control(portal.ready.statement) : undefined;
    if (ended !== undefined) {
      portal.done = true;
      return ended;
    }
    portal.portal ??= database.portal(portal.ready.statement, portal.values);
    const { encoder } = portal;
    const receive = (batch: RowBatch): void => encoder.rows(batch, messages, database.evaluation);
    return fetchRows(database, portal.portal, receive, rowsMax, output, this.pace);
  }

  private async runToEnd(portal: ProtocolPortal, fetched: Promise<FetchOutcome>): Promise<void> {
    try {
      this.answer(portal, await fetched);
    } catch (error) {
      const { lone } = this;
      if (lone?.portal === portal && (await this.held.runsAgain(error, lone.producedBytes)))
        return await this.runAgain(lone);
      this.failed(error);
      this.skipping = true;
    } finally {
      this.stopped();
    }
  }

  /** Tells how a fetch ended. */
  private answer(portal: ProtocolPortal, outcome: FetchOutcome): void {
    const { messages } = this.output;
    const { statement } = portal.ready;
    if (outcome.complete && portal.fields.length === 0 && isQuery(statement)) {
      portal.encoder.emptyRows(rowsOfTag(outcome.tag), messages);
    }
    if (!outcome.complete) {
      portal.suspended = true;
      writePortalSuspended(messages);
    } else if (statement.kind === 'empty') {
      writeEmptyQueryResponse(messages);
    } else {
      // PostgreSQL's tag of a SELECT counts the rows of this Execute.
      const isRest = portal.suspended && outcome.tag.startsWith('SELECT ');
      writeCommandComplete(messages, isRest ? `SELECT ${outcome.rows}` : outcome.tag);
    }
  }

  private runAgain({ portal, rowsMax }: LoneExecute): Promise<void> | undefined {
    portal.portal = undefined;
    portal.done = false;
    return this.run(portal, rowsMax);
  }

  private synchronise(reader: MessageReader): Promise<void> | undefined {
    readEmpty(reader);
    return this.settle();
  }

  /** Ends what no BEGIN has begun, and is ready. */
  private settle(): Promise<void> | undefined {
    const { transaction } = this.database;
    if (transaction !== undefined && !transaction.explicit) return this.commitAndReady();
    if (transaction === undefined) this.portals.closeAll();
    this.ready();
    return undefined;
  }

  private async commitAndReady(): Promise<void> {
    try {
      await this.database.sync();
    } catch (error) {
      const { lone } = this;
      if (lone !== undefined && (await this.held.runsAgain(error, lone.producedBytes))) {
        await this.runAgain(lone);
        return this.skipping ? this.ready() : this.commitAndReady();
      }
      this.failed(error);
    }
    this.portals.closeAll();
    this.ready();
  }

  private query(text: string): Promise<void> | undefined {
    this.portals.close('');
    this.statements.close('');
    return this.simple.run(text);
  }

  private queryEnded(): void {
    this.stopped();
    if (this.database.transaction === undefined) this.portals.closeAll();
    this.ready();
  }

  /** Nothing runs any more. */
  private stopped(): void {
    this.fetching = false;
    this.source.stopPulling();
  }

  /** FunctionCall: one function, and one ReadyForQuery whatever becomes of it. */
  private async callFunction(reader: MessageReader): Promise<void> {
    const { bind, database, output, counters } = this;
    counters.queries.value++;
    this.fetching = true;
    try {
      await callFunction({ database, output }, reader, bind);
    } catch (error) {
      this.fetching = false;
      this.failed(error);
    }
    this.queryEnded();
  }

  /** Reports an error to the client and to the database's transaction. A FatalError goes on to the connection. */
  private failed(error: unknown): void {
    if (error instanceof FatalError) throw error;
    this.output.isHeld = false;
    this.counters.errors.value++;
    this.database.fail();
    const report = errorReport(error, 'ERROR');
    if (report.code === 'XX000') this.onDefect(error);
    writeReport(this.output.messages, report);
  }

  /** From here on the client reads and writes in this encoding; undefined: in UTF-8. */
  private speak(encoding: TextEncoding | undefined): void {
    this.output.messages.encoding = encoding;
    this.source.reader.encoding = encoding;
  }

  private tellParameters(): void {
    if (this.changed.size === 0) return;
    for (const [name, value] of this.changed) {
      if (this.told.get(name) === value) continue;
      this.told.set(name, value);
      writeParameterStatus(this.output.messages, name, value);
    }
    this.changed.clear();
  }
}
