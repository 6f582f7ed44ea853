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
 *   3. The last statement of a Query is reported complete once its transaction is durable, never before.
 *   4. A cancel stops what runs and never what comes next: it reaches the database only while rows are being fetched.
 */
import { type Counter, PhantomError, unsupportedError } from '@phantom/base';
import { type Notice, type Notification, type RowBatch, type SessionStatement, commandTag } from '@phantom/db/session';
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
import type { DatabaseSession, OpenedSession, PlanStatement, StraightRoads } from './database-session.js';
import { type MessageSource, ProtocolCopy } from './copy.js';
import { fetchRows } from '../fetch-rows.js';
import { BindMessage, readBind, readEmpty, readExecute, readNamed, readParse, readQuery } from './frontend-messages.js';
import { Mailbox } from './mailbox.js';
import type { MessageReader } from './message-reader.js';
import { type Output, SEND_BYTES } from './output.js';
import type { Pace } from '../pace.js';
import { Portals, ProtocolPortal } from './portals.js';
import { PreparedStatements, ReadyStatement } from './prepared-statements.js';
import { Frontend, ReadyStatus } from './protocol.js';
import { FatalError, errorReport, noticeReport, readOrEnd } from './reports.js';

/** Counts of a server, raised by its sessions. */
export interface SessionCounters {
  readonly queries: Counter;
  readonly errors: Counter;
}

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

/** A SELECT has rows to show even where its list is empty. */
function isQuery(statement: { readonly kind: string }): boolean {
  return statement.kind === 'plan' && (statement as PlanStatement).node.kind === 'query';
}

/** The rows that a SELECT's tag counts. */
function rowsOfTag(tag: string): number {
  return Number(tag.slice(tag.lastIndexOf(' ') + 1));
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
  private roads!: StraightRoads;
  private statements!: PreparedStatements;
  private readonly portals = new Portals();
  private readonly bind = new BindMessage();
  /** The data of COPY. */
  readonly copy: ProtocolCopy;
  private readonly source: MessageSource;
  private readonly lookedUp: unknown[] = [];
  private readonly mailbox = new Mailbox();
  private readonly onMail: (error?: PhantomError) => void;
  private skipping = false;
  /** The statement that runs, or has run since the last Sync, is the only one of its transaction. */
  private alone = false;
  /** It, when an Execute has run it. */
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
    this.roads = roads;
    this.statements = new PreparedStatements(database);
    this.changed.clear();
    for (const { name, value } of database.settings.reported()) this.parameterChanged(name, value);
    this.tellParameters();
  }

  /** True between messages when no transaction is open and no pipeline is half done. */
  get quiet(): boolean {
    return this.database.transaction === undefined && !this.skipping;
  }

  /** How long the client may rest inside a transaction; 0 for ever. */
  get idleInTransactionMs(): number {
    return this.database.settings.integer('idle_in_transaction_session_timeout');
  }

  /** Notices go to the client as they come. */
  readonly noticed = (notice: Notice): void => {
    const report = noticeReport(notice, this.database.settings.get('client_min_messages'));
    if (report !== undefined) writeReport(this.output.messages, report);
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
          return this.query(readOrEnd(() => readQuery(reader)));
        case Frontend.Flush:
          readOrEnd(() => readEmpty(reader));
          if (this.output.isHeld) return this.flushHeld();
          this.output.flushSoon();
          return undefined;
        case Frontend.FunctionCall:
          this.refuseFunctionCall();
          return undefined;
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
      // A Query, or what is not part of a pipeline, is over with its error.
      if (type === Frontend.Query) this.ready();
      else this.skipping = true;
      return undefined;
    }
  }

  /** ReadyForQuery, after the settings that have changed. */
  ready(): void {
    this.skipping = false;
    this.output.isHeld = false;
    this.tellParameters();
    if (this.database.status === 'idle') this.mailbox.deliver(this.output.messages);
    writeReadyForQuery(this.output.messages, ReadyStatus[this.database.status]);
  }

  private parse(reader: MessageReader): void {
    const { statement, text, parameterTypes } = readOrEnd(() => readParse(reader));
    this.statements.admit(statement);
    this.statements.put(statement, this.database.prepareText(text, parameterTypes));
    writeParseComplete(this.output.messages);
  }

  private bindPortal(reader: MessageReader): void {
    const { bind, database } = this;
    readOrEnd(() => readBind(reader, bind));
    this.portals.admit(bind.portal);
    const ready = this.statements.get(bind.statement);
    const values = ready.values(bind, reader.buffer, database);
    const fields = ready.fields(database);
    const encoder = ready.encoder(fields, bind, database.evaluation.types);
    this.portals.put(bind.portal, new ProtocolPortal(ready, values, fields, encoder));
    writeBindComplete(this.output.messages);
  }

  private describe(reader: MessageReader): void {
    const { kind, name } = readOrEnd(() => readNamed(reader));
    const { messages } = this.output;
    if (kind === 'portal') {
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
    const { kind, name } = readOrEnd(() => readNamed(reader));
    if (kind === 'portal') this.portals.close(name);
    else this.statements.close(name);
    writeCloseComplete(this.output.messages);
  }

  private execute(reader: MessageReader): Promise<void> | undefined {
    const { portal: name, rowsMax } = readOrEnd(() => readExecute(reader));
    const portal = this.portals.get(name);
    this.counters.queries.value++;
    const { statement } = portal.ready;
    this.holdBack(statement);
    this.alone = this.database.transaction === undefined && portal.portal === undefined;
    this.lone = this.alone ? { portal, rowsMax, producedBytes: this.output.producedBytes } : undefined;
    if (statement.kind !== 'plan' || portal.portal !== undefined) return this.run(portal, rowsMax);
    if (portal.done) {
      if (statement.plan.pointWrite !== undefined)
        throw new PhantomError('55000', `portal "${name}" cannot be run anymore`);
      writeCommandComplete(this.output.messages, 'SELECT 0');
      return undefined;
    }
    return this.takeStraightRoad(portal, statement, rowsMax) ? undefined : this.run(portal, rowsMax);
  }

  /** Reads or writes one row by key at once. False when the statement is not of that kind, or has to wait for somebody. */
  private takeStraightRoad(portal: ProtocolPortal, statement: PlanStatement, rowsMax: number): boolean {
    const { database, lookedUp, output, roads } = this;
    const plan = database.currentPlan(statement);
    if (plan.pointLookup !== undefined && rowsMax === 0 && database.readsBare) {
      portal.done = true;
      const found = roads.lookUp(plan, portal.values, lookedUp);
      if (found) portal.encoder.row(lookedUp, output.messages, database.evaluation);
      writeCommandComplete(output.messages, found ? 'SELECT 1' : 'SELECT 0');
      return true;
    }
    if (plan.pointWrite === undefined || output.waitingBytes >= SEND_BYTES) return false;
    const count = roads.writePoint(statement, portal.values);
    if (count === undefined) return false;
    portal.done = true;
    writeCommandComplete(output.messages, commandTag(statement.node, count));
    return true;
  }

  /**
   * A statement that writes outside of a transaction block is answered with its commit: what it has read may not be durable
   * yet, and while its client has heard nothing it can be run again.
   */
  private holdBack(statement: SessionStatement): void {
    const { database, output } = this;
    if (statement.kind === 'plan' && statement.plan.traits.writes && database.transaction?.explicit !== true)
      output.isHeld = true;
  }

  /** Lets go what was held back, once what it tells is durable: before a statement whose rows are sent as they come. */
  private letGo(statement: SessionStatement): Promise<void> | undefined {
    const { output } = this;
    if (!output.isHeld || this.alone) return undefined;
    const mayHold = statement.kind === 'plan' && statement.plan.pointWrite !== undefined;
    return mayHold && output.waitingBytes < SEND_BYTES ? undefined : this.releaseOutput();
  }

  /** The statement that ran by itself lost a race of which its client has heard nothing: true when it is to be run again. */
  private async runsAgain(error: unknown, producedBytes: number): Promise<boolean> {
    if (this.output.sentBytes > producedBytes || !(await this.database.again(error))) return false;
    return this.output.takeBack(producedBytes);
  }

  private async releaseOutput(): Promise<void> {
    await this.database.whenShown();
    this.output.isHeld = false;
  }

  private async flushHeld(): Promise<void> {
    try {
      await this.releaseOutput();
    } catch (error) {
      this.failed(error);
      this.skipping = true;
    }
    this.output.flushSoon();
  }

  private async run(portal: ProtocolPortal, rowsMax: number): Promise<void> {
    const { database, output } = this;
    const { messages } = output;
    try {
      this.fetching = true;
      const held = this.letGo(portal.ready.statement);
      if (held !== undefined) await held;
      portal.portal ??= database.portal(portal.ready.statement, portal.values);
      const { encoder } = portal;
      const receive = (batch: RowBatch): void => encoder.rows(batch, messages, database.evaluation);
      const outcome = await fetchRows(database, portal.portal, receive, rowsMax, output, this.pace);
      if (outcome.complete && portal.fields.length === 0 && isQuery(portal.ready.statement)) {
        portal.encoder.emptyRows(rowsOfTag(outcome.tag), messages);
      }
      if (!outcome.complete) {
        portal.suspended = true;
        writePortalSuspended(messages);
      } else if (portal.ready.statement.kind === 'empty') {
        writeEmptyQueryResponse(messages);
      } else {
        // PostgreSQL's tag of a SELECT counts the rows of this Execute.
        const isRest = portal.suspended && outcome.tag.startsWith('SELECT ');
        writeCommandComplete(messages, isRest ? `SELECT ${outcome.rows}` : outcome.tag);
      }
    } catch (error) {
      const { lone } = this;
      if (lone?.portal === portal && (await this.runsAgain(error, lone.producedBytes))) return this.runAgain(lone);
      this.failed(error);
      this.skipping = true;
    } finally {
      this.stopped();
    }
  }

  private runAgain({ portal, rowsMax }: LoneExecute): Promise<void> {
    portal.portal = undefined;
    portal.done = false;
    return this.run(portal, rowsMax);
  }

  private synchronise(reader: MessageReader): Promise<void> | undefined {
    readOrEnd(() => readEmpty(reader));
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
      if (lone !== undefined && (await this.runsAgain(error, lone.producedBytes))) {
        await this.runAgain(lone);
        return this.skipping ? this.ready() : this.commitAndReady();
      }
      this.failed(error);
    }
    this.portals.closeAll();
    this.ready();
  }

  /** A script: its statements one after the other, each analysed once the one before has run. */
  private async query(text: string): Promise<void> {
    const { database } = this;
    this.portals.close('');
    this.statements.close('');
    try {
      const parsed = database.parse(text);
      if (parsed.length === 0) writeEmptyQueryResponse(this.output.messages);
      this.alone = parsed.length === 1 && database.transaction === undefined;
      for (let i = 0; i < parsed.length; i++) {
        const ready = new ReadyStatement(database.prepare(parsed[i], text));
        await (this.alone ? this.queryAlone(ready) : this.queryStatement(ready, i === parsed.length - 1));
        if (this.pace.due) await this.pace.turn();
      }
    } catch (error) {
      this.failed(error);
    } finally {
      this.stopped();
    }
    if (database.transaction === undefined) this.portals.closeAll();
    this.ready();
  }

  private async queryAlone(ready: ReadyStatement): Promise<void> {
    const { producedBytes } = this.output;
    for (;;) {
      try {
        await this.queryStatement(ready, true);
        return;
      } catch (error) {
        if (!(await this.runsAgain(error, producedBytes))) throw error;
      }
    }
  }

  private async queryStatement(ready: ReadyStatement, isLast: boolean): Promise<void> {
    const { database, output, counters } = this;
    counters.queries.value++;
    this.fetching = true;
    const held = this.letGo(ready.statement);
    if (held !== undefined) await held;
    this.holdBack(ready.statement);
    const portal = database.portal(ready.statement, []);
    const encoder = ready.textEncoder(portal.fields, database.evaluation.types);
    const bare = portal.fields.length === 0 && isQuery(ready.statement);
    if (portal.fields.length > 0 || bare) encoder.describe(output.messages);
    const receive = (batch: RowBatch): void => encoder.rows(batch, output.messages, database.evaluation);
    const outcome = await fetchRows(database, portal, receive, 0, output, this.pace);
    if (bare) encoder.emptyRows(rowsOfTag(outcome.tag), output.messages);
    this.fetching = false;
    if (isLast) await database.sync();
    writeCommandComplete(output.messages, outcome.tag);
  }

  /** Nothing runs any more. */
  private stopped(): void {
    this.fetching = false;
    this.source.stopPulling();
  }

  private refuseFunctionCall(): void {
    this.failed(unsupportedError('the function call message', { hint: 'Call the function in a SELECT.' }));
    this.ready();
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
