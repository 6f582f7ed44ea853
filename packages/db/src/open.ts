/**
 * Opening a database: the whole machine assembled, floor by floor.
 *
 *   disk -> store (log + engines, recovered) -> transactions -> catalog -> SQL engine -> Database
 */
import { availableParallelism } from 'node:os';
import { MetricsRegistry, PhantomError, checkOptions, silentLogger, systemClock } from '@phantom/base';
import { btree } from '@phantom/btree';
import { Catalog, type RowTables, preparedSpace } from '@phantom/catalog';
import { DocumentCache, DocumentModel, DocumentTables, startExpiry } from '@phantom/docs-model';
import { EngineCode } from '@phantom/kv';
import { MemoryEngine } from '@phantom/kv/memory';
import { lsm } from '@phantom/lsm';
import { createMvcc } from '@phantom/mvcc';
import { SharedMemory } from '@phantom/runs';
import { CatalogConflictNames, SessionRowTables, SqlEngine, buildParser } from '@phantom/sql';
import { type Archiver, type Store, openStore } from '@phantom/store';
import { type Vfs, createNodeVfs } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';
import { openArchiveOf } from './archives.js';
import { Backups } from './backups.js';
import { Coordination } from './coordination.js';
import { type Database, makeHandle } from './database.js';
import {
  DATABASE_OPTIONS,
  type DatabaseOptions,
  DEFAULT_CACHE_BYTES,
  DEFAULT_CHANGES_KEEP_BYTES,
  DEFAULT_DELTA_BYTES_MAX,
  DEFAULT_MEMORY_LIMIT_BYTES,
  DEFAULT_PREPARED_MAX,
  DEFAULT_QUERY_WORKER_COST_MIN,
  DEFAULT_SCRATCH_BYTES_MAX,
  DEFAULT_SCRUB_EVERY_HOURS,
  MEMORY_DIRECTORY,
  STATEMENT_CACHE_ENTRIES_MAX,
  writeSetBytes,
} from './options.js';
import { type DatabaseParts, closeParts } from './parts.js';
import { QueryWorkers } from './query-workers.js';
import { SagaRuns, sagasOf } from './saga-runs.js';
import { ScratchFiles } from './scratch-files.js';
import { serverSettingsOf } from './server-settings.js';
import { SessionPool } from './session-pool.js';
import { openShared } from './shared-databases.js';
import { StoreStoragePort } from './storage-port.js';
import { TableUpkeep } from './table-upkeep.js';

/** Threads for reads where nobody says how many. */
const QUERY_WORKERS_MAX = 4;
/** Their caches are this part of the database's own, each; more than so many together have as much as it has. */
const WORKER_CACHE_DIVISOR = 2;

/**
 * Opens the database in a directory, making it if there is none; everything acknowledged before a crash is there once this
 * resolves. What this process has open already is shared: the handle has sessions of its own, and the last one that is closed
 * closes the database. Rejects with 55006 when another process has the directory (detail and hint say which), or this one with
 * other options, 0A000 when a newer release wrote it, XX001 for corruption, 3D000 when the store is there and the database is not.
 */
export async function open(path: string, options: DatabaseOptions = {}): Promise<Database> {
  if (path === MEMORY_DIRECTORY) {
    return openOn(new MemoryVfs({ losesPower: false }), MEMORY_DIRECTORY, { durability: 'memory', ...options });
  }
  checkOptions('open', options, DATABASE_OPTIONS);
  // The lock of the directory is waited for: time enough for what the first statement would have to do.
  setImmediate(buildParser);
  return openShared(path, options, () => openParts(createNodeVfs(), path, options));
}

/** As open, on a disk of the caller's, and never shared: tests and simulations give one that fails and loses power. */
export async function openOn(vfs: Vfs, directory: string, options: DatabaseOptions = {}): Promise<Database> {
  checkOptions('open', options, DATABASE_OPTIONS);
  const parts = await openParts(vfs, directory, options);
  return makeHandle(parts, () => closeParts(parts));
}

async function openParts(vfs: Vfs, directory: string, options: DatabaseOptions): Promise<DatabaseParts> {
  const clock = options.clock ?? systemClock;
  const logger = options.logger ?? silentLogger;
  const metrics = options.metrics ?? new MetricsRegistry();
  const readOnly = options.readOnly ?? false;
  const memory = new SharedMemory({
    cacheBytes: options.cacheBytes ?? DEFAULT_CACHE_BYTES,
    deltaBytesMax: options.deltaBytesMax ?? DEFAULT_DELTA_BYTES_MAX,
    ...pick(options, ['filterBytesMax']),
  });
  const store = await openStore(directory, {
    vfs,
    engines: [
      btree({ memory }),
      lsm({ memory }),
      { code: EngineCode.Memory, name: 'memory', open: async () => new MemoryEngine() },
    ],
    clock,
    logger,
    metrics,
    tracer: options.tracer,
    readOnly,
    holder: options.holder ?? { pid: process.pid, description: `process ${process.pid}` },
    scrubEveryHours: directory === MEMORY_DIRECTORY ? 0 : (options.scrubEveryHours ?? DEFAULT_SCRUB_EVERY_HOURS),
    changesKeepBytes: options.changesKeepBytes ?? (directory === MEMORY_DIRECTORY ? 0 : DEFAULT_CHANGES_KEEP_BYTES),
    ...pick(options, [
      'durability',
      'cacheBytes',
      'deltaBytesMax',
      'checkpointBytesMin',
      'checkpointBytesMax',
      'scrubBytesPerSecond',
      'create',
    ]),
  });
  let archiver: Archiver | undefined;
  try {
    if (options.archive !== undefined) {
      archiver = await openArchiveOf(store, vfs, options.archive, { clock, logger, metrics });
    }
    const names = new CatalogConflictNames();
    const mvcc = createMvcc(store, {
      names,
      clock,
      logger,
      metrics,
      preparedSpace: preparedSpace(EngineCode.Btree),
      writeSetBytesMax: writeSetBytes(options),
      preparedMax: options.preparedMax ?? DEFAULT_PREPARED_MAX,
      ...pick(options, ['deadlockPolicy', 'waiting', 'preparedTimeoutMs', 'spillBytesMax']),
    });
    const catalog = await Catalog.open(mvcc, {
      systemEngine: EngineCode.Btree,
      ...(options.user === undefined ? {} : { superuser: options.user }),
      ...(options.database === undefined ? {} : { database: options.database }),
    });
    names.catalog = catalog;
    if (!readOnly) await catalog.unfinished.clearLeftBehind();
    let seed = options.seed ?? (clock.nowMs() * 1000 + process.pid) % 0xffff_ffff;
    const backups = new Backups(store, vfs, clock);
    const storage = new StoreStoragePort(store, backups, archiver);
    const database = options.database ?? firstDatabase(catalog);
    const user = options.user ?? firstSuperuser(catalog);
    const rowTables = (): RowTables => (rows ??= new SessionRowTables(engine, { database, user }));
    let rows: RowTables | undefined;
    // A database in memory has nowhere to put what memory does not hold, and a reader leaves the directory as it is.
    const scratch =
      readOnly || directory === MEMORY_DIRECTORY
        ? undefined
        : new ScratchFiles(vfs, directory, options.scratchBytesMax ?? DEFAULT_SCRATCH_BYTES_MAX);
    const documents = new DocumentModel({
      mvcc,
      cache: new DocumentCache(memory.cache, mvcc, metrics),
      catalog,
      clock,
      logger,
      databaseOid: catalog.database(database)?.oid ?? 0,
      roleOid: catalog.role(user)?.oid ?? 0,
      rowTables,
      timeLimits: () => timeLimits(),
      memory: () => engine.newMemory(),
      scratch,
      allocateSpace: (kind) => storage.allocateSpace(kind),
      estimate: (range) => storage.estimate(range),
    });
    const timeLimits = rememberedBy(
      () => catalog.version,
      () => engine.timeLimitsOf(database, user),
    );
    const workers = queryWorkers(vfs, directory, options, () => engine.counters.executions);
    const engine = new SqlEngine({
      mvcc,
      catalog,
      storage,
      clock,
      logger,
      readOnly,
      provider: new DocumentTables(documents),
      sagas: (databaseOid) => sagasOf(mvcc, databaseOid),
      memoryLimitBytes: options.memoryLimitBytes ?? DEFAULT_MEMORY_LIMIT_BYTES,
      queriesMemoryBytesMax: options.queriesMemoryBytesMax,
      columnCacheBytes: options.cacheBytes ?? DEFAULT_CACHE_BYTES,
      scratch,
      workers,
      logMinDurationMs: options.logMinDurationMs,
      tracing: options.tracer === undefined ? undefined : { tracer: options.tracer, texts: options.traceTexts ?? true },
      serverSettings: serverSettingsOf(directory, options, workersMax(options)),
      statementCacheEntriesMax: STATEMENT_CACHE_ENTRIES_MAX,
      seed: () => (seed = (seed + 0x9e3779b9) % 0xffff_ffff),
    });
    if (!readOnly) engine.dropLeftovers();
    const expiry = readOnly ? undefined : startExpiry(documents, logger);
    const upkeepSessions = new SessionPool(() => engine.createSession({ database, user }));
    const upkeepBy = (command: 'analyze' | 'vacuum'): TableUpkeep =>
      new TableUpkeep(engine, catalog, upkeepSessions, command);
    return {
      store,
      mvcc,
      catalog,
      engine,
      workers,
      documents,
      backups,
      archiver,
      coordination: new Coordination(mvcc, store, { clock, logger, metrics, tracer: options.tracer }),
      sagas: new SagaRuns(
        { mvcc, scope: catalog.database(database)?.oid ?? 0, clock, logger, metrics, tracer: options.tracer },
        readOnly,
      ),
      expiry,
      upkeep: [upkeepBy('analyze'), upkeepBy('vacuum')],
      metrics,
      database,
      user,
      options,
    };
  } catch (error) {
    await archiver?.stop();
    await closeQuietly(store);
    throw error;
  }
}

/** Other threads read real files only. */
function queryWorkers(
  vfs: Vfs,
  directory: string,
  options: DatabaseOptions,
  statements: () => number,
): QueryWorkers | undefined {
  const threadsMax = workersMax(options);
  if (vfs.isShared !== true || threadsMax === 0) return undefined;
  return new QueryWorkers({
    threadsMax,
    statements,
    costMin: options.queryWorkerCostMin ?? DEFAULT_QUERY_WORKER_COST_MIN,
    place: {
      directory,
      scratchBytesMax: options.scratchBytesMax ?? DEFAULT_SCRATCH_BYTES_MAX,
      cacheBytes: (options.cacheBytes ?? DEFAULT_CACHE_BYTES) / Math.max(WORKER_CACHE_DIVISOR, threadsMax),
      memoryLimitBytes: options.memoryLimitBytes ?? DEFAULT_MEMORY_LIMIT_BYTES,
    },
  });
}

/** The database to work in when none is named: `phantom`, or the only one there is. */
/** Threads for costly reads, at most. */
function workersMax({ queryWorkersMax }: DatabaseOptions): number {
  return queryWorkersMax ?? Math.min(QUERY_WORKERS_MAX, Math.max(1, availableParallelism() - 1));
}

function firstDatabase(catalog: Catalog): string {
  if (catalog.database('phantom') !== undefined) return 'phantom';
  const [first] = catalog.committed.objectsOf('database');
  if (first === undefined) throw new PhantomError('3D000', 'the store holds no database');
  return first.name;
}

function firstSuperuser(catalog: Catalog): string {
  const first = catalog.committed.objectsOf('role').find(({ superuser }) => superuser);
  if (first === undefined) throw new PhantomError('28000', 'the store has no superuser');
  return first.name;
}

/** What `find` finds, found anew when the version has changed. */
function rememberedBy<T>(version: () => number, find: () => T): () => T {
  let known: { readonly version: number; readonly found: T } | undefined;
  return () => {
    const present = version();
    if (known?.version !== present) known = { version: present, found: find() };
    return known.found;
  };
}

async function closeQuietly(store: Store): Promise<void> {
  try {
    await store.close({ checkpoint: false });
  } catch {
    // The error that stopped the opening is the one to tell.
  }
}

function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Partial<Pick<T, K>> {
  const picked: Partial<Pick<T, K>> = {};
  for (const key of keys) if (from[key] !== undefined) picked[key] = from[key];
  return picked;
}
