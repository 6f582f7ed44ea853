/**
 * A session: one client's view of one database. It turns text into statements, runs them in transactions, and keeps what
 * belongs to the client: settings, prepared statements, portals, the temporary schema, the role it acts as.
 *
 * Life of one statement:
 *   prepare   text -> statement cache -> parser; queries and data modification -> plan cache -> binder and planner
 *   run       a read outside of a transaction runs on the newest committed state, without one; everything else runs in
 *             the session's transaction, begun implicitly if need be
 *   sync      ends an implicit transaction: what an autocommit statement and the protocol's Sync call
 *
 * Invariants:
 *   1. After an error inside a transaction nothing of it is committed: an implicit one is rolled back at once, an explicit
 *      one refuses everything (25P02) until ROLLBACK or ROLLBACK TO.
 *   2. A statement at read committed that meets a newer version of a row is undone and run anew on a new snapshot, at most
 *      RESTARTS_MAX times; its rows reach the client only after it has ended.
 *   3. One statement runs at a time; the protocol layer queues.
 */
import { type Clock, type ErrorFields, PhantomError, Random, type Span } from '@phantom/base';
import { type ColumnDescriptor, type Oid, type Sequences, type TableDescriptor, isSuperuser } from '@phantom/catalog';
import type { CopyChannel } from '../copy/copy-channel.js';
import type { CommitResult, MvccTransaction, SessionLocks } from '@phantom/mvcc';
import type { DdlContext, NoticeSeverity } from '../ddl/context.js';
import type { ConnectionEnds, LongCall } from '../functions/registry.js';
import { type Execution, type ReadSource, type RowSink, TimeSlice, type Yielded } from '../exec/runtime.js';
import type { CatalogPort, RequiredPrivilege } from '../plan/catalog-port.js';
import { type BackendSignal, signalBackend } from './backend-signals.js';
import { isCurrent, type PreparedPlan, sameFields } from '../plan/prepared-plan.js';
import { bindRowExpression } from '../expr/row-expression.js';
import { selectInto } from '../text/select-into.js';
import type { Value } from '../types/type.js';
import { SessionActivity } from './activity.js';
import { callElsewhere } from './call-elsewhere.js';
import { CatalogPicture } from './catalog-picture.js';
import { Cursors } from './cursors.js';
import type { SqlEngine } from './engine.js';
import { type EvaluationOwner, SessionEvaluation } from './evaluation.js';
import { ddlContextOf, NOTHING_GIVEN } from './ddl-context.js';
import { Interrupts } from './interrupts.js';
import { type Notification, Notifier } from './notifications.js';
import { isPlannerSwitch } from './planner-switches.js';
import { Portal } from './portal.js';
import { runStatement } from './run-statement.js';
import { SessionLargeObjects } from './large-objects.js';
import { SessionRoutines } from './session-routines.js';
import { type RolesOwner, SessionRoles } from './session-roles.js';
import { findConnection, startSettings } from './session-start.js';
import { SlowStatements } from './slow-statements.js';
import { StatementTraces } from './statement-traces.js';
import { TemporaryObjects } from './temporary-objects.js';
import type { ServerFacts } from './server-facts.js';
import { Settings } from './settings.js';
import type { PlanStatement, SessionStatement } from './statement.js';
import type { CachedStatement } from './statement-cache.js';
import { type AdvisoryOwner, SessionAdvisoryLocks } from './advisory-locks.js';
import { SessionExecutionContext } from './execution-context.js';
import { checkRelationPrivileges, checkSequenceRight } from './privileges.js';
import { noticeRank, refuseInFailed, warnOfEscapes } from './session-errors.js';
import type { SessionTransaction } from './transaction.js';
import { TransactionLife } from './transaction-life.js';
import { type OpeningModes, defaultModes } from './transaction-modes.js';
import { TransactionWatch } from './transaction-watch.js';
import { TransactionWriters } from './transaction-writers.js';
import { TriggerCalls } from './trigger-calls.js';
import { utilityOf } from './utility.js';

export interface Notice {
  readonly severity: NoticeSeverity;
  readonly code: string;
  readonly message: string;
  readonly fields: ErrorFields;
}

export interface SessionOptions {
  readonly database: string;
  readonly user: string;
  /** Whoever ends with its sessions (SqlEngine.close). */
  readonly owner?: object;
  /** Settings from the start-up packet or the options of `open`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** What whoever serves the session tells of the server. */
  readonly server?: ServerFacts;
  /** Of a client that came over the network. */
  readonly connection?: ConnectionEnds;
  readonly onNotice?: (notice: Notice) => void;
  /** Hears of what other sessions (or this one) say on the channels it listens to. */
  readonly onNotification?: (notification: Notification) => void;
  /** Where COPY FROM STDIN and TO STDOUT find their data; without one they are refused. */
  readonly copyChannel?: CopyChannel;
  /** Hears of every change of a setting that clients are told about. */
  readonly onParameter?: (name: string, value: string) => void;
  /** Name of the request that it serves, for the log. */
  readonly requestId?: string;
  /** The span that its statements are parts of, where the database has a tracer. */
  readonly within?: Span | undefined;
  /** Hears that a time limit has ended the session: its transaction is rolled back, and it refuses whatever comes. */
  readonly onTerminate?: (error: PhantomError) => void;
}

const SLOW_LIMIT = 'log_min_duration_statement';

export type TransactionStatus = 'idle' | 'transaction' | 'failed';

export class SqlSession implements EvaluationOwner, AdvisoryOwner {
  readonly id: number;
  readonly engine: SqlEngine;
  readonly settings: Settings;
  readonly evaluation: SessionEvaluation;
  randomNumbers: Random;
  readonly databaseOid: Oid;
  readonly databaseName: string;
  /** Statements prepared by name, by SQL or by the protocol. */
  readonly prepared = new Map<string, SessionStatement>();
  /** True while a synchronous caller drives the running statement: nothing may be awaited. */
  synchronous = false;
  /** Whom it acts as. */
  readonly roles: SessionRoles;
  private readonly options: SessionOptions;
  readonly slice: TimeSlice;
  readonly notifier: Notifier;
  readonly cursors = new Cursors();
  /** Its temporary objects. */
  readonly temporary: TemporaryObjects;
  readonly activity: SessionActivity;
  /** Cancels and timeouts of what runs now. */
  readonly interrupts = new Interrupts();
  /** Its advisory locks, and what it waits for with its transaction. */
  readonly locks: SessionLocks;
  readonly advisory: SessionAdvisoryLocks;
  /** Calls of functions and procedures. */
  readonly routines = new SessionRoutines(this);
  readonly largeObjects = new SessionLargeObjects(this);
  /** Time limits of the transaction. */
  readonly watch: TransactionWatch;
  /** Tells the log of what took long. */
  readonly slow: SlowStatements;
  /** Spans of what it does; undefined where nothing is traced. */
  readonly traces: StatementTraces | undefined;
  private readonly triggerCalls = new TriggerCalls(this);
  private writers: TransactionWriters | undefined;
  private readonly life: TransactionLife;
  private readonly openPortals = new Set<Portal>();
  private pictureNow: CatalogPicture | undefined;
  private defaultsToSerializable = false;
  /** standard_conforming_strings is off. */
  private escapesInStrings = false;
  private closed = false;

  constructor(engine: SqlEngine, id: number, options: SessionOptions) {
    this.engine = engine;
    this.id = id;
    this.activity = new SessionActivity(engine.clock.nowMs(), options.connection, options.server);
    this.life = new TransactionLife(this);
    this.locks = engine.mvcc.sessionLocks(String(id), () => this.settings.integer('lock_timeout'));
    this.advisory = new SessionAdvisoryLocks(this, engine.transactionLocks);
    this.options = options;
    const { database, role } = findConnection(engine.catalog, options.database, options.user);
    this.databaseOid = database.oid;
    this.databaseName = database.name;
    this.settings = new Settings(
      startSettings(engine.settings, database, role, options.settings ?? {}),
      (name, value, reported) => {
        if (name === 'search_path' || isPlannerSwitch(name)) this.pictureNow = undefined;
        if (name.startsWith('default_transaction_')) this.life.defaultsChanged();
        if (name === 'default_transaction_isolation') this.defaultsToSerializable = value === 'serializable';
        if (name === 'standard_conforming_strings') this.escapesInStrings = value === 'off';
        if (name === 'transaction_timeout') this.watch.limitChanged(Number(value));
        if (name === SLOW_LIMIT) this.slow.limitChanged(Number(value));
        if (reported) options.onParameter?.(this.settings.title(name), value);
      },
      options.server === undefined ? [engine.serverSettings] : [options.server.settings, engine.serverSettings],
    );
    this.defaultsToSerializable = this.settings.get('default_transaction_isolation') === 'serializable';
    this.escapesInStrings = this.settings.get('standard_conforming_strings') === 'off';
    this.roles = new SessionRoles(this.rolesOwner(), role);
    this.randomNumbers = new Random(engine.seed());
    this.evaluation = new SessionEvaluation(this);
    this.slice = new TimeSlice(engine.clock);
    this.notifier = new Notifier(this, options.onNotification);
    this.watch = new TransactionWatch(this, options.onTerminate);
    this.slow = new SlowStatements(this, this.settings.integer(SLOW_LIMIT));
    this.temporary = new TemporaryObjects(this);
    const { tracing } = engine;
    this.traces = tracing === undefined ? undefined : new StatementTraces(this, tracing, options.within);
  }

  get requestId(): string | undefined {
    return this.options.requestId;
  }

  get clock(): Clock {
    return this.engine.clock;
  }

  callElsewhere(call: LongCall, args: readonly Value[]): Generator<Yielded, Value, void> {
    return callElsewhere(this, call, args);
  }

  get sequences(): Sequences {
    return this.engine.catalog.sequences;
  }

  get currentRoleOid(): Oid {
    return this.roles.currentOid;
  }

  get currentRoleName(): string {
    return this.roles.currentName;
  }

  get sessionRoleName(): string {
    return this.roles.sessionName;
  }

  get transaction(): SessionTransaction | undefined {
    return this.life.current;
  }

  /** This session's last commit that wrote something: another object for each. */
  get lastCommit(): CommitResult | undefined {
    return this.life.lastCommit;
  }

  /** The transaction of the running statement; one is begun if need be. */
  get storage(): MvccTransaction {
    return this.ensureTransaction().storage;
  }

  get transactionId(): number {
    return this.storage.id;
  }

  get transactionStartMicros(): number | undefined {
    return this.transaction?.startMicros;
  }

  get status(): TransactionStatus {
    const { transaction } = this;
    if (transaction === undefined || !transaction.explicit) return 'idle';
    return transaction.failed ? 'failed' : 'transaction';
  }

  /** The client's end of COPY, if there is one. */
  get copyChannel(): CopyChannel | undefined {
    return this.options.copyChannel;
  }

  /** The catalog as this session sees it now: newest committed objects, own uncommitted changes, its search path. */
  get picture(): CatalogPort {
    return this.catalogPicture();
  }

  /** Parses a script. 42601 with the position of the first error. */
  parse(text: string): readonly CachedStatement[] {
    return this.traces === undefined
      ? this.parsedText(text)
      : this.traces.analyse('parse', text, () => this.parsedText(text));
  }

  private parsedText(text: string): readonly CachedStatement[] {
    if (!this.escapesInStrings) return this.engine.statements.parse(text);
    const { statements, plainEscapes } = this.engine.statements.parseWithEscapes(text);
    if (this.settings.boolean('escape_string_warning')) warnOfEscapes(this, plainEscapes);
    return statements;
  }

  /** Analyses one parsed statement of a text (all of it: positions count from its start); `undefined` is the empty query. Declared parameter types are oids, 0 for "infer it". */
  prepare(parsed: CachedStatement | undefined, text: string, declaredTypes: readonly Oid[] = []): SessionStatement {
    if (this.traces === undefined) return this.analysed(parsed, text, declaredTypes);
    return this.traces.analyse('plan', text, () => this.analysed(parsed, text, declaredTypes));
  }

  private analysed(parsed: CachedStatement | undefined, text: string, declaredTypes: readonly Oid[]): SessionStatement {
    if (parsed === undefined) return { kind: 'empty', text };
    if (this.transaction?.failed === true) refuseInFailed(parsed.node);
    const into = parsed.node.kind === 'query' ? selectInto(parsed.node, parsed.end) : undefined;
    const node = into ?? parsed.node;
    switch (node.kind) {
      case 'query':
      case 'insert':
      case 'update':
      case 'delete':
      case 'merge': {
        const { literals } = parsed;
        const isGeneral = literals !== undefined && literals.shape.node === node;
        if (isGeneral && declaredTypes.length > 0) return this.preparePlain(text, declaredTypes);
        const statement: PlanStatement = {
          kind: 'plan',
          text,
          node,
          declaredTypes,
          literals,
          parsed,
          plan: undefined as never,
        };
        try {
          statement.plan = this.engine.statements.plan(this.catalogPicture(), statement, this.evaluation);
        } catch (error) {
          // The error of the text itself says where it stands.
          if (isGeneral) return this.preparePlain(text, declaredTypes);
          throw error;
        }
        return statement;
      }
      default:
        return { kind: 'utility', text, node, parsed, utility: utilityOf(node, this, { text, declaredTypes }) };
    }
  }

  /** A text analysed as it stands, its literals in place. */
  private preparePlain(text: string, declaredTypes: readonly Oid[]): SessionStatement {
    return this.prepare(this.engine.statements.parsePlain(text)[0], text, declaredTypes);
  }

  /** Analyses a text that must hold at most one statement (42601 otherwise), as the extended protocol and `prepare` take it. */
  prepareText(text: string, declaredTypes: readonly Oid[] = []): SessionStatement {
    const parsed = this.parse(text);
    if (parsed.length > 1) throw new PhantomError('42601', 'cannot insert multiple commands into a prepared statement');
    return this.prepare(parsed[0], text, declaredTypes);
  }

  /**
   * Binds values to a statement; nothing runs before the first fetch. `answersAtCommit`: the caller keeps the rows to itself until
   * the transaction has committed, so they may come from commits that are not durable yet.
   */
  portal(statement: SessionStatement, parameters: readonly Value[], answersAtCommit = false): Portal {
    const fields =
      statement.kind === 'plan'
        ? this.currentPlan(statement).fields
        : statement.kind === 'utility'
          ? statement.utility.fields
          : [];
    if (statement.kind === 'plan' && parameters.length < statement.plan.parameterTypes.length) {
      throw new PhantomError('42P02', `there is no parameter $${parameters.length + 1}`);
    }
    const portal = new Portal(this, statement, fields, parameters, answersAtCommit);
    this.openPortals.add(portal);
    return portal;
  }

  /** The statement's plan for the catalog as it is now. 0A000 when its result would no longer have the columns it was described with. */
  currentPlan(statement: PlanStatement): PreparedPlan {
    const picture = this.catalogPicture();
    if (!isCurrent(statement.plan, picture)) {
      const plan = this.engine.statements.plan(picture, statement, this.evaluation);
      const changed = statement.routine === undefined && !sameFields(statement.plan, plan);
      if (changed) {
        throw new PhantomError('0A000', 'cached plan must not change result type', {
          routine: 'RevalidateCachedQuery',
        });
      }
      statement.plan = plan;
    }
    this.checkSnapshotReaches(statement.plan);
    return statement.plan;
  }

  /** 40001 for a plan over a table that was moved or given an index since the transaction's snapshot. */
  private checkSnapshotReaches({ dependencies }: PreparedPlan): void {
    const storage = this.transaction?.storage;
    const { filled, committed } = this.engine.catalog;
    if (storage === undefined || !filled.mayBeNewer(storage)) return;
    for (const { oid } of dependencies) {
      const table = committed.object(oid);
      filled.check(storage, oid, table?.kind === 'table' ? table.name : '');
    }
  }

  /** The execution of a statement, for Portal. */
  run(
    statement: SessionStatement,
    parameters: readonly Value[],
    sink: RowSink,
    setTag: (tag: string) => void,
  ): Execution {
    return runStatement(this, statement, parameters, sink, setTag);
  }

  /** True when a read needs no transaction: there is none, and the level of one would show nothing else. */
  get readsBare(): boolean {
    return this.transaction === undefined && !this.defaultsToSerializable && !this.engine.mvcc.hasReadersShutOut;
  }

  /**
   * Table writers of the transaction. Those of its own statements serve one transaction of the session after the other; statements
   * within others have new ones.
   */
  tableWriters(transaction: SessionTransaction, areOwn: boolean): TransactionWriters {
    if (!areOwn) return new TransactionWriters(this, transaction, this.triggerCalls);
    if (this.writers === undefined) this.writers = new TransactionWriters(this, transaction, this.triggerCalls);
    else this.writers.aim(transaction);
    return this.writers;
  }

  /** Begins a transaction unless there is one. */
  ensureTransaction(): SessionTransaction {
    return this.life.ensure();
  }

  /** Begins a transaction with the session's default modes. */
  beginTransaction(explicit: boolean): SessionTransaction {
    return this.life.begin(explicit, defaultModes(this.settings));
  }

  /** Begins an explicit transaction of which the caller tells nobody anything before its commit. */
  beginBatch(): SessionTransaction {
    return this.life.begin(true, { ...defaultModes(this.settings), answersAtCommit: true });
  }

  /** Begins a transaction with given modes; the caller has made sure that there is none. */
  openTransaction(explicit: boolean, modes: OpeningModes): SessionTransaction {
    return this.life.begin(explicit, modes);
  }

  /**
   * Ends an implicit transaction: commits it, durable on return. Explicit ones stay open. Whoever drives the session tells nobody
   * of a write by key, not even its count, before this has resolved.
   */
  sync(): Promise<void> {
    return this.transaction?.explicit === false ? this.life.commit() : Promise.resolve();
  }

  /**
   * After an error of the only statement of an implicit transaction, of which its client has heard nothing yet: true when it lost
   * a race and is to be run again, at most phantom.statement_retries times. What it lost on is locked for it by then.
   */
  again(error: unknown): Promise<boolean> {
    return this.life.again(error);
  }

  /** Puts aside what the transaction has written, if that fills memory: see MvccTransaction.relieve. */
  relieve(): Promise<void> | undefined {
    return this.transaction?.storage.relieve();
  }

  /** Resolves when everything that the transaction has read is durable, so that it may be told; undefined when it is. */
  whenShown(): Promise<void> | undefined {
    return this.transaction?.storage.whenShown();
  }

  /** As sync, on this thread. */
  syncNow(): void {
    if (this.transaction?.explicit === false) this.life.commitNow();
  }

  /** Commits the transaction. On an error nothing of it is left, unless the error says that the outcome is unknown. */
  commit(): Promise<void> {
    return this.life.commit();
  }

  commitNow(): void {
    this.life.commitNow();
  }

  /** Prepares the transaction under an identifier; the session has none any more. On an error it is rolled back. */
  prepareTransaction(identifier: string, meta: string): Promise<void> {
    return this.life.prepare(identifier, meta);
  }

  /** Rolls the transaction back, if there is one. */
  rollback(): void {
    this.life.rollback();
  }

  /** An error has happened inside a statement: an implicit transaction ends, an explicit one waits for its ROLLBACK. */
  fail(error?: unknown): void {
    this.life.fail(error);
  }

  applySetting(name: string, value: string, local: boolean): string {
    return this.settings.set(name, value, { local, inTransaction: this.transaction !== undefined });
  }

  notice(severity: NoticeSeverity, code: string, message: string, fields: ErrorFields = {}): void {
    if (noticeRank(severity) < noticeRank(this.settings.get('client_min_messages').toUpperCase())) return;
    this.options.onNotice?.({ severity, code, message, fields });
  }

  /** Asks what runs now to stop with 57014 at its next slice; waits end at once. Called from outside the session. */
  cancel(message?: string): void {
    this.interrupts.cancel(message);
  }

  signalBackend(pid: number, signal: BackendSignal): boolean {
    return signalBackend(this, pid, signal);
  }

  resetStatements(roleOid: Oid, databaseOid: Oid, number: number): void {
    if (!isSuperuser(this.engine.catalog.committed, this.currentRoleOid))
      throw new PhantomError('42501', 'permission denied for function pg_stat_statements_reset');
    this.engine.statementUses.reset(this.clock.nowMs(), roleOid, databaseOid, number);
  }

  /** Ends the session for good with an error, which whoever drives it hears of. Called from outside the session. */
  end(error: PhantomError): void {
    this.watch.terminate(error);
  }

  restartSlice(): void {
    this.slice.restart();
  }

  portalClosed(portal: Portal): void {
    this.openPortals.delete(portal);
  }

  /** Portals end with the transaction that they were opened in. */
  closePortals(): void {
    for (const portal of this.openPortals) portal.close();
  }

  /** Ends the session: rolls back, frees what it holds. Safe to call twice. `error`: what whoever still uses it is told. */
  close(error?: PhantomError): void {
    if (this.closed) return;
    this.closed = true;
    this.watch.stop();
    if (error !== undefined) this.watch.refuse(error);
    this.closePortals();
    this.rollback();
    this.traces?.rest();
    this.locks.unlockAll();
    this.temporary.dropAll();
    this.engine.sessionClosed(this);
  }

  /** The execution context of a statement in the transaction, or of a bare read. */
  executionContext(
    parameters: readonly Value[],
    read: ReadSource,
    transaction: SessionTransaction | undefined,
  ): SessionExecutionContext {
    return new SessionExecutionContext(this, parameters, read, transaction);
  }

  /** What a definition works with. `silent`: its notices reach nobody. */
  ddlContext(transaction: SessionTransaction, silent = false, given = NOTHING_GIVEN): DdlContext {
    return ddlContextOf(this, transaction, silent, given);
  }

  checkPrivileges(required: readonly RequiredPrivilege[]): void {
    checkRelationPrivileges(
      this.transaction?.objects ?? this.engine.catalog.committed,
      this.roles.currentOid,
      required,
    );
  }

  checkSequencePrivilege(oid: Oid, privilege: 'usage' | 'select' | 'update'): void {
    checkSequenceRight(
      this.transaction?.objects ?? this.engine.catalog.committed,
      this.roles.currentOid,
      oid,
      privilege,
    );
  }

  /** Value of a column's default, or null. */
  defaultValue(table: TableDescriptor, column: ColumnDescriptor): Value {
    if (column.defaultSql === undefined) return null;
    const expression = bindRowExpression(column.defaultSql, {
      columns: [],
      relationName: table.name,
      catalog: this.picture,
      target: column.type,
      purpose: 'default',
    });
    return expression.evaluate([], this.evaluation);
  }

  private catalogPicture(): CatalogPicture {
    const { transaction, engine } = this;
    const now = this.pictureNow;
    const objects = transaction?.objects.changed === true ? transaction.objects : engine.catalog.committed;
    const steps = transaction?.objects.changed === true ? transaction.objects.steps : 0;
    if (
      now !== undefined &&
      now.objects === objects &&
      now.committedVersion === engine.catalog.version &&
      now.statisticsVersion === engine.statistics.version &&
      now.steps === steps
    )
      return now;
    engine.counters.schemaLoads++;
    this.pictureNow = new CatalogPicture(this, objects, engine.catalog.version, steps);
    return this.pictureNow;
  }

  private rolesOwner(): RolesOwner {
    return {
      settings: this.settings,
      databaseOid: this.databaseOid,
      inTransaction: () => this.transaction !== undefined,
      objects: () =>
        this.transaction?.objects.changed === true ? this.transaction.objects : this.engine.catalog.committed,
      roleChanged: () => {
        this.pictureNow = undefined;
      },
    };
  }
}
