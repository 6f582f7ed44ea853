/**
 * An open database: the handle users hold. The synchronous API (exec, prepare, transactionSync) runs in one session of its
 * own; each asynchronous call takes a session from a pool, so that many run side by side and their commits share fsyncs.
 */
import { INSPECT, type MetricSample, MetricsRegistry, PhantomError, isPhantomError } from '@phantom/base';
import type { Catalog } from '@phantom/catalog';
import { type Collection, type CollectionOptions, checkDocuments, openCollection } from '@phantom/docs-model';
import type { Finding, KeyRange } from '@phantom/kv';
import { type MvccStats, Retries } from '@phantom/mvcc';
import {
  type CopiedRows,
  type CopyChannel,
  type SessionOptions,
  type SqlSession,
  type WorkCounters,
} from '@phantom/sql';
import { type DamagedObject, damagedObjects } from '@phantom/sql';
import type { ArchiveState, ScrubFacts, ScrubPass, StoreStats } from '@phantom/store';
import type { WriteDecision } from '@phantom/txn-2pc-saga';
import type { Durability } from '@phantom/wal';
import { type QueryOptions, type QueryResult, runQuery, withDurability } from './async-query.js';
import type { Archive } from './archives.js';
import type { BackupOptions, BackupResult, LastBackup } from './backups.js';
import { Connection } from './connection.js';
import { type CopyOptions, type CopyResult, copyInto } from './copy-into.js';
import { Distributed, type RunTransaction } from './distributed.js';
import { MEMORY_DIRECTORY, type ResultOptions } from './options.js';
import type { DatabaseParts } from './parts.js';
import { Sagas } from './sagas.js';
import { SessionPool } from './session-pool.js';
import type { SqlSource } from './sql-participant.js';
import { Statement } from './statement.js';
import { templateText } from './template.js';
import { SyncTransaction, Transaction, type TransactionOptions, openingModes } from './transaction.js';

/** What this process knows of whether all is well with what lies on the disk. Moments in milliseconds since 1970. */
export interface IntegrityFacts {
  /** The last walk over everything (check) of this handle. */
  readonly lastCheck?: { readonly atMs: number; readonly elapsedMs: number; readonly findings: number };
  readonly lastBackup?: LastBackup;
  /** How the archive stands; absent where nothing is archived. `failure` is why it does not go on at the moment. */
  readonly archive?: Omit<ArchiveState, 'failure'> & { readonly failure?: string };
  /** What the scrubber has read; absent before it has begun for the first time. */
  readonly scrub?: ScrubFacts;
  /** What the scrubber, merges and compactions have met, as far as it is known; absent while there is nothing. */
  readonly damage?: readonly DamagedPlace[];
}

/** A place that cannot be read. */
export interface DamagedPlace extends Finding {
  /** Tables and indexes that may have lost something there. */
  readonly objects: readonly DamagedObject[];
}

export interface DatabaseStats {
  readonly store: StoreStats;
  readonly transactions: MvccStats;
  readonly work: WorkCounters;
}

export class Database {
  private readonly parts: DatabaseParts;
  private readonly js: ResultOptions;
  private readonly session: SqlSession;
  private readonly pool: SessionPool;
  private readonly release: () => Promise<void>;
  private closing: Promise<void> | undefined;
  private ownSagas: Sagas | undefined;
  private readonly distributions: { close(): Promise<void> }[] = [];
  private lastCheck: IntegrityFacts['lastCheck'];
  /** Which keys lie in places that are damaged: a dashboard asks every second or two, and the answer may cost a walk over a tree. */
  private readonly damagedKeys = new Map<string, KeyRange | undefined>();
  /** Those that read documents now. */
  private readonly checks = new Set<Promise<void>>();

  /** `release` gives the parts back: whoever made them closes them once no handle has them any more. */
  constructor(parts: DatabaseParts, release: () => Promise<void>) {
    this.parts = parts;
    this.release = release;
    const { bigint = 'auto', timestamps = 'date' } = parts.options;
    this.js = { bigint, timestamps, tellsDurability: parts.store.directory !== MEMORY_DIRECTORY };
    const { database, user } = parts;
    const make = (): SqlSession => this.createSession({ database, user });
    this.session = make();
    this.pool = new SessionPool(make);
  }

  /** Where the data lies. */
  get directory(): string {
    return this.parts.store.directory;
  }

  [INSPECT](): string {
    return `Database('${this.directory}')`;
  }

  /** Why the database takes no more writes: a write or a sync failed. Undefined while all is well. */
  get failure(): Error | undefined {
    return this.parts.store.failure;
  }

  /** Runs a script of statements, one after the other, each committed by itself unless the script says BEGIN. */
  exec(script: string): void {
    this.checkOpen();
    const { session } = this;
    for (const parsed of session.parse(script)) {
      session.portal(session.prepare(parsed, script), []).fetchNow(0, () => undefined);
      session.syncNow();
    }
  }

  /** Analyses one statement for repeated use. 42601 and kin for what is wrong with it. */
  prepare<Row = Record<string, unknown>>(text: string): Statement<Row> {
    this.checkOpen();
    return new Statement<Row>(this.session, text, this.js);
  }

  /** Runs one statement; concurrent calls run side by side. Durable on resolution when it wrote. */
  async query<Row = Record<string, unknown>>(
    text: string,
    parameters: readonly unknown[] = [],
    options: QueryOptions = {},
  ): Promise<QueryResult<Row>> {
    this.checkOpen();
    const session = this.pool.acquire();
    const before = session.lastCommit;
    try {
      for (;;) {
        try {
          const running = runQuery<Row>(session, text, parameters, options, this.js);
          const result = running instanceof Promise ? await running : running;
          refuseOpenTransaction(session);
          await session.sync();
          return this.js.tellsDurability ? withDurability(result, session, before) : result;
        } catch (error) {
          if (!(await session.again(error))) throw error;
        }
      }
    } finally {
      this.pool.release(session);
    }
  }

  /** Rows of a statement written as a template; its values are parameters. */
  async sql<Row = Record<string, unknown>>(
    strings: TemplateStringsArray,
    ...values: readonly unknown[]
  ): Promise<Row[]> {
    return (await this.query<Row>(templateText(strings), values)).rows;
  }

  /**
   * Copies rows into a table (its exact name, perhaps behind that of a schema and a dot), arrays in the order of the columns
   * or objects by their names: all of them or none, in one commit, durable on resolution. Rows may come asynchronously.
   * Meanwhile others run. 22P04 for a row that does not fit the columns; an error says in which row it was met.
   */
  copyInto(table: string, rows: CopiedRows, options: CopyOptions = {}): Promise<CopyResult> {
    this.checkOpen();
    const { database, user } = this.parts;
    const makeSession = (copyChannel: CopyChannel): SqlSession => this.createSession({ database, user, copyChannel });
    return copyInto(makeSession, table, rows, options, this.js);
  }

  /** Statements in one transaction with one commit; a failure names its index and leaves nothing. */
  async batch(
    statements: readonly (readonly [text: string, parameters?: readonly unknown[]])[],
  ): Promise<QueryResult<Record<string, unknown>>[]> {
    this.checkOpen();
    const session = this.pool.acquire();
    let index = 0;
    session.traces?.enter('batch');
    try {
      const results: QueryResult<Record<string, unknown>>[] = [];
      session.beginBatch();
      for (; index < statements.length; index++) {
        const [text, parameters = []] = statements[index] as (typeof statements)[number];
        results.push(await runQuery(session, text, parameters, {}, this.js));
      }
      await session.commit();
      return results;
    } catch (error) {
      session.traces?.leave(error);
      throw isPhantomError(error) && index < statements.length ? error.with({ index }) : error;
    } finally {
      this.pool.release(session);
    }
  }

  /**
   * Runs the callback in a transaction and commits when it resolves; rolls back when it rejects. A callback that lost a
   * race (40001, 40P01) is run again from its beginning on a new snapshot, with locks on the keys that it lost on, so nobody
   * starves; its effects outside of the database must bear that, and that what it is then shown (below serializable) may be in
   * the log and not durable yet: it is by the time this resolves or rejects.
   */
  async transaction<T>(callback: (tx: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    return this.inTransaction(callback, options, (session) => session.commit());
  }

  /** As transaction, ended by `commit` in place of the session's own. */
  private async inTransaction<T>(
    callback: (tx: Transaction) => Promise<T>,
    options: TransactionOptions,
    commit: (session: SqlSession) => Promise<void>,
  ): Promise<T> {
    this.checkOpen();
    const retries = new Retries(options.retries);
    const session = this.pool.acquire();
    session.traces?.enter('transaction');
    try {
      for (;;) {
        const { storage } = session.openTransaction(true, openingModes(options, retries.retryOf));
        try {
          await retries.lockLost(storage);
          return await this.attempt(session, callback, options.signal, commit);
        } catch (error) {
          if (session.transaction !== undefined) session.rollback();
          if (retries.again(error, storage.id)) continue;
          session.traces?.leave(error);
          // What the error tells may come from commits that are not durable yet.
          await storage.whenShown();
          throw error;
        }
      }
    } finally {
      this.pool.release(session);
    }
  }

  /** As transaction, on this thread: a lock held by somebody else is 55P03 at once. */
  transactionSync<T>(callback: (tx: SyncTransaction) => T, options: Omit<TransactionOptions, 'signal'> = {}): T {
    this.checkOpen();
    const session = this.pool.acquire();
    session.traces?.enter('transaction');
    try {
      session.openTransaction(true, openingModes(options));
      const result = callback(new SyncTransaction(session, this.js));
      if (session.transaction?.failed === true) throw abortedTransaction();
      session.commitNow();
      return result;
    } catch (error) {
      session.traces?.leave(error);
      throw error;
    } finally {
      this.pool.release(session);
    }
  }

  /**
   * Takes in other databases for transactions over this one and them, by names that stay the same over restarts: decisions are kept under them.
   * Do it once, when the program starts: what was decided before a crash is told to them from then on. A source of connections is a `pg.Pool`,
   * another `Database`, or an object with `connect`. 42710 when one of that name is there already, 25006 and 55000 where this database
   * cannot promise anything.
   */
  distributed<Name extends string>(participants: Readonly<Record<Name, SqlSource>>): Distributed<Name> {
    this.checkOpen();
    const run: RunTransaction = (callback, options, commit) =>
      this.inTransaction(callback, options, (session) =>
        commit((write) => commitDeciding(session, write), session.traces?.transactionSpan),
      );
    const distributed = new Distributed(this.parts.coordination.coordinator, participants, run);
    this.distributions.push(distributed);
    return distributed;
  }

  /** Work in steps that are undone when a later one fails: see Sagas. 25006 where nothing may be written. */
  get sagas(): Sagas {
    this.checkOpen();
    return (this.ownSagas ??= new Sagas(
      this.parts.sagas.runner(() => new Database(this.parts, async () => undefined)),
    ));
  }

  /** What a commit of this database survives. */
  get durability(): Durability {
    return this.parts.store.durability;
  }

  /** A session of one's own, for statements that belong together by more than a transaction; release it. */
  async connect(): Promise<Connection> {
    const { database, user } = this.parts;
    return new Connection(this.createSession({ database, user }), this.js);
  }

  /** A collection of documents; it is made when something is first written to it, and is a table to SQL. */
  collection<T extends object = Record<string, unknown>>(name: string, options: CollectionOptions = {}): Collection<T> {
    this.checkOpen();
    return openCollection<T>(this.parts.documents, name, options);
  }

  /** Writes what is only in the log to the engines' files. */
  checkpoint(): Promise<void> {
    return this.parts.store.checkpoint();
  }

  /**
   * Copies the store, with all its databases, as it is now into a directory that is empty or not there, while others read and
   * write. The copy is read back before this resolves, and opens like any other directory: it needs no restoring. 22023 when
   * something is there already, 53100 and 58030 from the disk, XX001 when a part of the store cannot be read.
   */
  backup(directory: string, options?: BackupOptions): Promise<BackupResult> {
    this.checkOpen();
    return this.parts.backups.make(directory, options);
  }

  /**
   * The archive that it was opened with, undefined without one: `state`, `flush()` (what is visible is durable there), `makeBase()` (from
   * which restores begin; they are made by themselves, too), `createPoint(name)` (a name for the last commit).
   */
  get archive(): Archive | undefined {
    return this.parts.archiver;
  }

  /** Walks all files and all documents and says what is wrong with them; nothing when all is well. 57P01 when it is closed meanwhile. */
  async check(): Promise<Finding[]> {
    const findings: Finding[] = [];
    const { clock } = this.parts.engine;
    const beganMs = clock.nowMs();
    for await (const finding of this.parts.store.check()) findings.push(finding);
    const reading = this.checkDocuments(findings);
    this.checks.add(reading);
    try {
      await reading;
    } finally {
      this.checks.delete(reading);
    }
    const atMs = clock.nowMs();
    this.lastCheck = { atMs, elapsedMs: atMs - beganMs, findings: findings.length };
    return findings;
  }

  private async checkDocuments(findings: Finding[]): Promise<void> {
    const isEnding = (): boolean => this.closing !== undefined;
    for await (const finding of checkDocuments(this.parts.documents.ports, isEnding)) findings.push(finding);
  }

  /** What was checked and copied since the database was opened. */
  integrity(): IntegrityFacts {
    const { lastCheck } = this;
    const { archiver, backups } = this.parts;
    const { last: lastBackup } = backups;
    const scrub = this.parts.store.scrubbed();
    const damage = this.damage();
    return {
      ...(lastCheck === undefined ? {} : { lastCheck }),
      ...(lastBackup === undefined ? {} : { lastBackup }),
      ...(archiver === undefined ? {} : { archive: archiveFacts(archiver.state) }),
      ...(scrub.last === undefined && scrub.present === undefined ? {} : { scrub }),
      ...(damage.length === 0 ? {} : { damage }),
    };
  }

  /**
   * Reads all files now, for their checksums alone and past every cache, while others go on; what it finds is in `integrity` as well.
   * Rejects with the reason of `signal`, or 57P01 when the database is closed meanwhile.
   */
  scrub(options: { readonly signal?: AbortSignal } = {}): Promise<ScrubPass> {
    this.checkOpen();
    return this.parts.store.scrub(options.signal);
  }

  /** How many places are known that cannot be read; what `integrity` names costs more to find out. */
  get damagedPlaces(): number {
    return this.damageFound().size;
  }

  private damage(): DamagedPlace[] {
    const { store, catalog } = this.parts;
    const found = this.damageFound();
    for (const place of this.damagedKeys.keys()) if (!found.has(place)) this.damagedKeys.delete(place);
    return [...found].map(([place, finding]) => {
      if (!this.damagedKeys.has(place)) this.damagedKeys.set(place, store.locate(finding.file, finding.offset));
      const range = this.damagedKeys.get(place);
      return { ...finding, objects: range === undefined ? [] : damagedObjects(catalog, range) };
    });
  }

  /** By file and offset. */
  private damageFound(): Map<string, Finding> {
    const { store } = this.parts;
    const { last, present } = store.scrubbed();
    const met = store.stats().engines.flatMap(({ damage }) => damage);
    const found = new Map<string, Finding>();
    for (const finding of [...(last?.findings ?? []), ...(present?.findings ?? []), ...met])
      found.set(`${finding.file} ${finding.offset}`, finding);
    return found;
  }

  stats(): DatabaseStats {
    return {
      store: this.parts.store.stats(),
      transactions: this.parts.mvcc.stats(),
      work: { ...this.parts.engine.counters },
    };
  }

  /** Every metric as it stands; empty when the caller brought a metrics port of its own. */
  metrics(): MetricSample[] {
    const { metrics } = this.parts;
    return metrics instanceof MetricsRegistry ? metrics.samples() : [];
  }

  /** A session for a protocol: see `@phantom/db/session`. */
  createSession(options: SessionOptions): SqlSession {
    this.checkOpen();
    return this.parts.engine.createSession({ ...options, owner: this });
  }

  /** The catalog, for authentication. */
  get catalog(): Catalog {
    return this.parts.catalog;
  }

  /** Session of an id, for cancel requests. */
  sessionOf(id: number): SqlSession | undefined {
    return this.parts.engine.session(id);
  }

  /**
   * Ends the sessions of this handle: what runs ends with 57P01, open transactions roll back. The last handle on a directory also
   * writes a checkpoint and frees it. Safe to call twice.
   */
  close(): Promise<void> {
    this.closing ??= this.closeOnce();
    return this.closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private async closeOnce(): Promise<void> {
    await Promise.allSettled(this.checks);
    await Promise.all(this.distributions.map((one) => one.close()));
    await this.parts.engine.close(this);
    await this.release();
  }

  private async attempt<T>(
    session: SqlSession,
    callback: (tx: Transaction) => Promise<T>,
    signal: AbortSignal | undefined,
    commit: (session: SqlSession) => Promise<void>,
  ): Promise<T> {
    const tx = new Transaction(session, this.parts.documents, this.js, signal);
    let result: T;
    tx.checkNotAborted();
    try {
      result = await callback(tx);
    } finally {
      await tx.settled();
    }
    tx.checkNotAborted();
    await commitOrRefuse(session, commit);
    return result;
  }

  private checkOpen(): void {
    if (this.closing !== undefined) throw new PhantomError('57P01', 'the database is closed');
  }
}

function archiveFacts({ failure, ...facts }: ArchiveState): NonNullable<IntegrityFacts['archive']> {
  return failure === undefined ? facts : { ...facts, failure: failure.message };
}

/** A handle on parts; they are released when it cannot be made: 3D000 and 28000 when there is no such database or user. */
export async function makeHandle(parts: DatabaseParts, release: () => Promise<void>): Promise<Database> {
  try {
    return new Database(parts, release);
  } catch (error) {
    // The error that stopped the opening is the one to tell.
    await release().catch(() => undefined);
    throw error;
  }
}

/**
 * Commits with a decision in the same commit, which then has to survive what the session may have said its own need not. A limit of time
 * may have ended the transaction while others voted.
 */
async function commitDeciding(session: SqlSession, write: WriteDecision | undefined): Promise<void> {
  const { transaction } = session;
  if (transaction === undefined) throw new PhantomError('25P01', 'the transaction has ended');
  if (transaction.failed) throw abortedTransaction();
  if (write !== undefined) {
    session.applySetting('synchronous_commit', 'on', true);
    write(transaction.storage);
  }
  await session.commit();
}

async function commitOrRefuse(session: SqlSession, commit: (session: SqlSession) => Promise<void>): Promise<void> {
  if (session.transaction === undefined) return;
  if (session.transaction.failed) throw abortedTransaction();
  await commit(session);
}

function refuseOpenTransaction(session: SqlSession): void {
  if (session.transaction?.explicit !== true) return;
  throw new PhantomError('25000', 'a transaction cannot be begun by query()', {
    hint: 'Use db.transaction(async (tx) => ...).',
  });
}

function abortedTransaction(): PhantomError {
  return new PhantomError('25P02', 'the transaction was aborted by an error that its callback caught', {
    hint: 'Let the error leave the callback, or use a savepoint.',
  });
}
