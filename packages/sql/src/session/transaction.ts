/**
 * A session's open transaction: the storage transaction, the catalog as it sees it, and what SQL adds on top (named
 * savepoints, settings to give back, the failed state).
 *
 *   none --first writing statement--> implicit --sync--> committed
 *   none --BEGIN--> explicit --COMMIT--> committed
 *   implicit|explicit --error--> failed (explicit: until ROLLBACK; implicit: rolled back at once)
 */
import type { Catalog, CatalogTransaction, Oid, OverlayMark } from '@phantom/catalog';
import { PhantomError } from '@phantom/base';
import type { MvccTransaction, Savepoint, TableLockMode } from '@phantom/mvcc';
import { DeferredConstraints, type DeferredMark } from './deferred-constraints.js';
import { OpenLargeObjects } from '../large-objects/open-large-objects.js';
import type { SessionExecutionContext } from './execution-context.js';
import { PendingNotifications } from './notifications.js';
import type { SqlSession } from './session.js';
import type { Value } from '../types/type.js';
import type { Settings } from './settings.js';
import type { PreparedPlan } from '../plan/prepared-plan.js';
import { type OpeningModes, showReadOnly } from './transaction-modes.js';
import type { TransactionWriters } from './transaction-writers.js';

/** A point to go back to; those of routines have no name. */
export interface SavepointMark {
  readonly name: string | undefined;
  readonly savepoint: Savepoint;
  readonly overlay: OverlayMark;
  readonly settings: number;
  /** Whether it wrote nothing then. */
  readonly readOnly: boolean;
  readonly notifications: number;
  readonly deferred: DeferredMark;
  /** How many large objects had been opened. */
  readonly largeObjects: number;
  /** Names of the cursors that were open. */
  readonly cursors: ReadonlySet<string>;
}

export class SessionTransaction {
  readonly storage: MvccTransaction;
  readonly objects: CatalogTransaction;
  /** BEGIN was said (or a block around several statements of one message). */
  explicit: boolean;
  failed = false;
  /** It writes nothing, or nothing more. */
  readOnly: boolean;
  readonly startMicros: number;
  private readonly modes: OpeningModes;
  /** Constraints that are checked before the commit, and what they have to check. */
  readonly deferred = new DeferredConstraints();
  /** Statements run in it so far: SET TRANSACTION is only allowed before the first query. */
  statements = 0;
  /** What is said to other sessions once it commits. */
  readonly notifications = new PendingNotifications();
  private readonly savepoints: SavepointMark[] = [];
  /** By how many statements stand around the one that they serve. */
  private readonly writers: TransactionWriters[] = [];
  private depth = 0;
  /** Somebody was told to wait for a safe snapshot. */
  private isSettling = false;
  /** What runs, by depth. */
  private readonly plans: (PreparedPlan | undefined)[] = [];
  private openObjects: OpenLargeObjects | undefined;
  private point: SessionExecutionContext | undefined;
  /** Tables held, with the modes they are held in, a bit for each. */
  private readonly sharedTables = new Map<Oid, number>();
  private readonly settings: Settings;
  private readonly settingsMark: number;

  constructor(
    storage: MvccTransaction,
    catalog: Catalog,
    settings: Settings,
    explicit: boolean,
    startMicros: number,
    modes: OpeningModes,
  ) {
    this.storage = storage;
    this.objects = catalog.begin(storage);
    this.explicit = explicit;
    this.readOnly = storage.readOnly;
    this.startMicros = startMicros;
    this.modes = modes;
    storage.readsAhead = modes.readsAhead === true;
    this.settings = settings;
    this.settingsMark = settings.mark();
  }

  /** Its modes, but for reading only, stand: it has run a statement, or reads by a snapshot that was given to it. */
  get hasBegun(): boolean {
    return this.statements > 0 || this.modes.snapshotOf !== undefined;
  }

  /** DEFERRABLE: a promise until it has a snapshot that no writer can make it regret. Asked before its first statement. */
  whenSafe(): Promise<void> | undefined {
    if (!this.modes.deferrable || (this.storage.snapshotSeq !== 0 && !this.isSettling)) return undefined;
    const wait = this.storage.whenSafe();
    this.isSettling = wait !== undefined;
    return wait;
  }

  /**
   * Before a statement: whether it may read what is in the log and not durable yet, since nothing is answered before the commit.
   * A promise: what earlier statements have read so must be durable first; wait and ask again.
   */
  readAhead(isWanted: boolean): Promise<void> | undefined {
    const { storage } = this;
    if (this.modes.readsAhead === true) return undefined;
    const isAhead = isWanted && (!this.explicit || this.modes.answersAtCommit === true);
    if (storage.readsAhead && !isAhead) {
      const shown = storage.whenShown();
      if (shown !== undefined) return shown;
    }
    storage.readsAhead = isAhead;
    return undefined;
  }

  /** The large objects that it has open. */
  get largeObjects(): OpenLargeObjects {
    return (this.openObjects ??= new OpenLargeObjects());
  }

  /** A client's statement begins: what the one before has done with large objects stays done. */
  settleLargeObjects(): void {
    this.openObjects?.settle();
  }

  /** Where large objects stand in the statement at hand, to go back to when it is executed anew. */
  get largeObjectPlace(): number {
    return this.openObjects?.place ?? 0;
  }

  /** The statement at hand is executed anew. */
  restartStatement(largeObjectPlace: number): void {
    this.openObjects?.rollBackTo(largeObjectPlace);
    this.storage.restartStatement();
  }

  /** The table writers of the statement that runs, made when one in its place first writes. */
  writersOf(session: SqlSession): TransactionWriters {
    return (this.writers[this.depth] ??= session.tableWriters(this, this.depth === 0));
  }

  /** Begins statements inside the one that runs, as MvccTransaction.nestStatement; their writers are their own. */
  nestStatement(): () => void {
    // What runs inside sees every row that the one around has written, by its indexes, too.
    this.writers[this.depth]?.newEntries.putGathered();
    const leave = this.storage.nestStatement();
    this.depth++;
    return () => {
      this.depth--;
      leave();
    };
  }

  /** Notes whose tables the statement at hand is at work on: those of its plan, none when it has ended. */
  runs(plan: PreparedPlan | undefined): void {
    this.plans[this.depth] = plan;
  }

  /** A statement around the one at hand is at work on the table. */
  isInUse(tableOid: Oid): boolean {
    const around = this.plans.slice(0, this.depth);
    return around.some((plan) => plan?.dependencies.some(({ oid }) => oid === tableOid));
  }

  /** The context of straight roads: one for the transaction, aimed at each statement's parameters. */
  pointContext(session: SqlSession, parameters: readonly Value[]): SessionExecutionContext {
    this.point ??= session.executionContext(parameters, this.storage, this);
    this.point.parameters = parameters;
    return this.point;
  }

  /**
   * Shares a table with others until the transaction ends: with readers, lockers of rows or writers, as the mode says. A
   * promise: somebody alters it or has locked it; wait and ask again. Nothing happens for what is no table.
   */
  shareTable(oid: Oid, mode: TableLockMode): Promise<void> | undefined {
    const held = this.sharedTables.get(oid) ?? 0;
    if ((held & (1 << mode)) !== 0) return undefined;
    if (this.objects.object(oid)?.kind === 'table') {
      const wait = this.objects.lockTable(oid, mode, 'wait');
      if (wait instanceof Promise) return wait;
    }
    this.sharedTables.set(oid, held | (1 << mode));
    return undefined;
  }

  /**
   * An error has aborted it. What it did since its newest savepoint is undone and the locks of that time are given back
   * at once, as PostgreSQL does; the rest waits for the client's ROLLBACK.
   */
  fail(error?: unknown): void {
    this.failed = true;
    // A request that stayed in a lock's queue would be granted later, and held.
    if (this.storage.isWaiting && error instanceof Error) this.storage.cancelWait(error);
    const newest = this.savepoints.at(-1);
    if (newest === undefined) {
      this.undo();
      if (this.storage.status === 'active') this.storage.rollback();
    } else {
      this.storage.rollbackTo(newest.savepoint);
      this.sharedTables.clear();
      this.objects.rollbackTo(newest.overlay);
    }
  }

  get hasSavepoints(): boolean {
    return this.savepoints.length > 0;
  }

  savepoint(name: string | undefined, cursors: ReadonlySet<string>): SavepointMark {
    const mark = {
      name,
      savepoint: this.storage.savepoint(),
      overlay: this.objects.mark(),
      settings: this.settings.mark(),
      readOnly: this.readOnly,
      notifications: this.notifications.mark,
      deferred: this.deferred.mark(),
      largeObjects: this.openObjects?.serial ?? 0,
      cursors,
    };
    this.savepoints.push(mark);
    return mark;
  }

  /**
   * Undoes everything since the savepoint, the newest one of a name; it stays, those after it go. Heals a failed transaction. Answers
   * the names of the cursors that were open when it was set.
   */
  rollbackTo(wanted: string | SavepointMark): ReadonlySet<string> {
    const index = this.find(wanted);
    const target = this.savepoints[index] as SavepointMark;
    this.storage.rollbackTo(target.savepoint);
    // Locks taken since are gone; those from before are asked for once more, which costs little.
    this.sharedTables.clear();
    this.objects.rollbackTo(target.overlay);
    this.settings.rollbackTo(target.settings);
    this.setReadOnly(target.readOnly);
    this.notifications.rollbackTo(target.notifications);
    this.deferred.rollbackTo(target.deferred);
    this.openObjects?.closeSince(target.largeObjects);
    this.savepoints.length = index + 1;
    this.failed = false;
    return target.cursors;
  }

  release(wanted: string | SavepointMark): void {
    const index = this.find(wanted);
    const target = this.savepoints[index] as SavepointMark;
    this.storage.release(target.savepoint);
    this.setReadOnly(target.readOnly);
    this.savepoints.length = index;
  }

  /** Refuses what would write from now on, or no more; a savepoint's end gives back what held before it. */
  setReadOnly(readOnly: boolean): void {
    if (this.readOnly === readOnly) return;
    this.readOnly = readOnly;
    showReadOnly(this.settings, readOnly);
  }

  /** Takes back what the transaction changed outside of storage; called for every end but a commit. */
  undo(): void {
    this.objects.rollbackTo({ steps: 0 });
    this.settings.rollbackTo(this.settingsMark);
  }

  private find(wanted: string | SavepointMark): number {
    const index = this.savepoints.findLastIndex((mark) => mark === wanted || mark.name === wanted);
    if (index >= 0) return index;
    throw new PhantomError('3B001', `savepoint "${typeof wanted === 'string' ? wanted : ''}" does not exist`);
  }
}
