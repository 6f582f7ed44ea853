/**
 * The SQL engine of one open store: what its sessions share. Sessions are cheap (a few small objects); the engine holds
 * the caches and knows who is connected.
 */
import { type Clock, type Logger, PhantomError, type Scratch, MemoryBudget, MemoryPool } from '@phantom/base';
import type { Catalog, TableProvider } from '@phantom/catalog';
import type { Mvcc } from '@phantom/mvcc';
import type { ListedSaga } from '../system-views/system-view.js';
import { type WorkCounters, newWorkCounters } from '../exec/runtime.js';
import { RowNumbers } from '../storage/row-numbers.js';
import { StatisticsCatalog } from '../plan/statistics/statistics-catalog.js';
import type { TransactionLocks } from './advisory-locks.js';
import { ColumnIndexes } from './column-indexes.js';
import { ExportedSnapshots } from './exported-snapshots.js';
import { Notifications } from './notifications.js';
import type { ReadWorkers, StoragePort } from './ports.js';
import type { ServerSettings } from './server-settings.js';
import { findConnection, startingInteger } from './session-start.js';
import { type SessionOptions, SqlSession } from './session.js';
import { StatementCache } from './statement-cache.js';
import type { Tracing } from './statement-traces.js';
import { StatementUses } from './statement-uses.js';
import { dropSchemaNow, leftoverSchemas } from './temporary-objects.js';

/** So many queries may have all of their working memory at a time, where nothing else is said. */
const QUERIES_AT_ONCE = 4;

const COLUMN_CACHE_BYTES = 64 * 1024 * 1024;

/** Descriptions of pictures whose numbers are remembered; old ones belong to catalog versions nobody sees any more. */
const PICTURE_VERSIONS_MAX = 1024;

export interface SqlEngineOptions {
  readonly mvcc: Mvcc;
  readonly catalog: Catalog;
  readonly storage: StoragePort;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly readOnly: boolean;
  /** The model that keeps collections; undefined where there is none. */
  readonly provider?: TableProvider;
  /** Sagas of a database, for `phantom.sagas`; undefined where there are none. */
  readonly sagas?: (databaseOid: number) => Iterable<ListedSaga>;
  /** Working memory of one query. */
  readonly memoryLimitBytes: number;
  /** Working memory of all queries together. Default: that of four. */
  readonly queriesMemoryBytesMax?: number | undefined;
  /** Memory for vectors of column indexes. Default 64 MiB. */
  readonly columnCacheBytes?: number | undefined;
  /** Where a query puts what does not fit; without it 53200. */
  readonly scratch?: Scratch | undefined;
  /** Threads for costly reads; without them everything runs in this one. */
  readonly workers?: ReadWorkers | undefined;
  /** Statements that take at least so many milliseconds are logged, where nobody sets it otherwise; negative: none. Default -1. */
  readonly logMinDurationMs?: number | undefined;
  /** Where spans go; without it nothing is traced. */
  readonly tracing?: Tracing | undefined;
  /** What is told of how the database was opened, by PostgreSQL's names. */
  readonly serverSettings?: ServerSettings;
  /** Texts whose syntax trees and plans are kept. */
  readonly statementCacheEntriesMax: number;
  /** Seeds for the sessions' random numbers. */
  readonly seed: () => number;
}

export class SqlEngine {
  readonly mvcc: Mvcc;
  readonly catalog: Catalog;
  readonly storage: StoragePort;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly readOnly: boolean;
  /** Settings of sessions where nobody says otherwise. */
  readonly settings: Readonly<Record<string, string>>;
  readonly serverSettings: ServerSettings;
  readonly provider: TableProvider | undefined;
  readonly sagas: (databaseOid: number) => Iterable<ListedSaga>;
  readonly memoryLimitBytes: number;
  readonly memoryPool: MemoryPool;
  readonly scratch: Scratch | undefined;
  readonly workers: ReadWorkers | undefined;
  readonly tracing: Tracing | undefined;
  readonly seed: () => number;
  readonly counters: WorkCounters = newWorkCounters();
  readonly statements: StatementCache;
  /** What statements cost so far. */
  readonly statementUses: StatementUses;
  readonly rowNumbers = new RowNumbers();
  /** Advisory locks of the transactions of all sessions. */
  readonly transactionLocks: TransactionLocks = { count: 0 };
  /** Who listens to what. */
  readonly notifications = new Notifications();
  /** What transactions read by, for others to read by. */
  readonly snapshots: ExportedSnapshots;
  readonly statistics: StatisticsCatalog;
  readonly columns: ColumnIndexes;
  private readonly sessions = new Map<number, SqlSession>();
  private readonly owners = new WeakMap<SqlSession, object>();
  private sessionIdNext = 1;
  private readonly pictureVersions = new Map<string, number>();
  private pictureVersionNext = 1;

  constructor(options: SqlEngineOptions) {
    this.mvcc = options.mvcc;
    this.catalog = options.catalog;
    this.storage = options.storage;
    this.clock = options.clock;
    this.logger = options.logger;
    this.readOnly = options.readOnly;
    const { logMinDurationMs = -1 } = options;
    this.settings = logMinDurationMs < 0 ? {} : { log_min_duration_statement: String(logMinDurationMs) };
    this.serverSettings = new Map([
      // As much as the query may have: a sort or a hash table takes less only where somebody says so.
      ['work_mem', String(Math.min(Math.max(64, Math.ceil(options.memoryLimitBytes / 1024)), 2147483647))],
      ...(options.serverSettings ?? []),
    ]);
    this.provider = options.provider;
    this.sagas = options.sagas ?? (() => []);
    this.memoryLimitBytes = options.memoryLimitBytes;
    this.memoryPool = new MemoryPool(options.queriesMemoryBytesMax ?? QUERIES_AT_ONCE * options.memoryLimitBytes);
    this.scratch = options.scratch;
    this.workers = options.workers;
    this.tracing = options.tracing;
    this.seed = options.seed;
    this.snapshots = new ExportedSnapshots(options.mvcc);
    this.statistics = new StatisticsCatalog(options.catalog.keys, () => options.storage.view());
    this.columns = new ColumnIndexes(
      options.columnCacheBytes ?? COLUMN_CACHE_BYTES,
      (oid) => this.statistics.of(oid)?.rows ?? 0,
    );
    this.statementUses = new StatementUses(options.clock.nowMs());
    this.statements = new StatementCache(options.statementCacheEntriesMax, this.counters);
  }

  /** Opens a session; 3D000 and 28000 when there is no such database or user. */
  createSession(options: SessionOptions): SqlSession {
    const session = new SqlSession(this, this.sessionIdNext++, options);
    this.sessions.set(session.id, session);
    if (options.owner !== undefined) this.owners.set(session, options.owner);
    return session;
  }

  /** Working memory for one query, which releases it at its end. */
  newMemory(): MemoryBudget {
    return new MemoryBudget(this.memoryLimitBytes, this.memoryPool);
  }

  /** How long who has no session may wait for a lock, and be at work: what sessions of the role in the database begin with. 0: no limit. */
  timeLimitsOf(
    database: string,
    user: string,
  ): { readonly lockTimeoutMs: number; readonly statementTimeoutMs: number } {
    const { settings } = this;
    const connection = findConnection(this.catalog, database, user);
    const startsWith = (name: 'lock_timeout' | 'statement_timeout'): number =>
      startingInteger(settings, connection.database, connection.role, name);
    return { lockTimeoutMs: startsWith('lock_timeout'), statementTimeoutMs: startsWith('statement_timeout') };
  }

  /** The session of an id, for cancel requests and views of activity. */
  session(id: number): SqlSession | undefined {
    return this.sessions.get(id);
  }

  allSessions(): Iterable<SqlSession> {
    return this.sessions.values();
  }

  /**
   * Number of a picture of the catalog: equal for pictures described alike, so that sessions share plans; a new one for
   * each picture without a description.
   */
  pictureVersion(description: string | undefined): number {
    if (description === undefined) return this.pictureVersionNext++;
    let version = this.pictureVersions.get(description);
    if (version === undefined) {
      version = this.pictureVersionNext++;
      this.pictureVersions.set(description, version);
      if (this.pictureVersions.size > PICTURE_VERSIONS_MAX) {
        this.pictureVersions.delete(this.pictureVersions.keys().next().value as string);
      }
    }
    return version;
  }

  /** Drops temporary objects whose sessions ended with their process. Called once, when the store has been opened. */
  dropLeftovers(): void {
    const { committed } = this.catalog;
    for (const schema of leftoverSchemas(committed)) {
      const superuser = committed.objectsOf('role').find((role) => role.superuser && role.login);
      const database = committed.object(schema.databaseOid);
      if (database?.kind !== 'database' || superuser === undefined) continue;
      const session = this.createSession({ database: database.name, user: superuser.name });
      dropSchemaNow(session, schema);
      session.close();
    }
  }

  /** Forgets a session that has closed. */
  sessionClosed(session: SqlSession): void {
    this.sessions.delete(session.id);
    this.notifications.unlisten(session, undefined);
  }

  /** Ends every session, or those of an owner; what they run ends with 57P01 first, since what it reads may be gone afterwards. */
  async close(owner?: object): Promise<void> {
    const error = new PhantomError('57P01', 'the database is closed');
    const ending = (): SqlSession[] =>
      Array.from(this.sessions.values()).filter((session) => owner === undefined || this.owners.get(session) === owner);
    await Promise.all(ending().map(({ interrupts }) => interrupts.end(error)));
    for (const session of ending()) session.close(error);
  }
}
