/**
 * Opening a store, step by step:
 *
 *   1 lock the directory          nobody else has it (55006 says who)
 *   2 superblock                  where everything begins; made when there is none (a newer format is refused, untouched)
 *   3 open the engines            each from its own files, at or above its least acceptable generation
 *   4 open the log                it decides which tail it accepts and makes that durable
 *   5 replay                      every engine gets what it does not have in files
 *   6 superblock, again           a new epoch: from now on this process writes; only writers wait for it (writing-epoch.ts)
 *
 * Whatever goes wrong, what was opened is closed again and the lock is freed. A directory that holds other files and no
 * superblock is not taken for a new store: nobody's documents are mixed with a database by a mistyped path.
 *
 * What lies in the directory is taken only if it belongs together. Files come back from backups, are copied between stores and
 * are put back one by one, and each of them would look whole:
 *
 *   another store's          every segment of the log, meta page and manifest carries the identity of its store
 *   older than the rest      the superblock has the least generation of each engine, and how far the log went (log-owner.ts)
 *   newer than the rest      an engine is one generation ahead at most, and no later epoch has written to the log
 *
 * A copy of a store gets an identity of its own (makeStore): its log goes its own way from there, under numbers that the
 * original gives out as well. A directory copied by other means keeps the identity, and generations, positions and epochs
 * are all that tells its files from the original's.
 *
 * A store without identity (format 1) gets one when it is opened for writing, before any file carries it:
 *
 *   superblock: identity, NOT_IDENTIFIED    crash: files with and without it are taken
 *   engines write their next generation     superblock: that engine's files carry it
 *   log begins a segment                    superblock, with the new epoch: from the present end of the log on all segments do
 */
import { type Checksums, PhantomError, SqlState, corruptionError, loadChecksums, newIdentity } from '@phantom/base';
import { EngineCode, type KvEngine } from '@phantom/kv';
import { type DirectoryLock, type Vfs, joinPath, makeDirectoryDurable, parentPath } from '@phantom/vfs';
import { type Durability, type LogOwner, type Wal, type WalOptions, openWal } from '@phantom/wal';
import {
  type EngineEntry,
  LOG_DIRECTORY,
  NOT_IDENTIFIED,
  SUPERBLOCK_FILE,
  type SuperblockState,
  UNFINISHED_FILE,
} from './format.js';
import { StoreHealth } from './health.js';
import { type ResolvedOptions, resolveOptions } from './options.js';
import { type RecoveryResult, recover } from './recovery.js';
import { type PlacedEngine, SpaceCatalog } from './space-catalog.js';
import type { Readers } from './store-parts.js';
import { LogStore } from './store.js';
import { Superblock, createSuperblock, noStoreError } from './superblock.js';
import { WritingEpoch } from './writing-epoch.js';
import type { EngineContext, EngineFactory, Store, StoreOptions, StoreOrigin } from './types.js';

/**
 * Opens the store in a directory, making one where there is none. Recovered, durable and visible once resolved.
 * Rejects with 55006 (in use; the detail names the holder), 0A000 (written by a newer release), 58P01 (no store there and
 * none to be made), 22023 (settings; an engine missing; a directory full of something else), XX001 (corruption: file,
 * offset, expected, found) or an I/O error (58030, 53100). Nothing is changed on disk before the format is known.
 */
export function openStore(directory: string, options: StoreOptions): Promise<Store> {
  return openBy(SUPERBLOCK_FILE, directory, options, BEGINNING);
}

const BEGINNING: StoreOrigin = { timeline: 1, seq: 0, spaceLimit: 1 };

/**
 * As openStore, of a copy that is being made: nobody else opens it before its superblock has its name. A new one goes on from
 * its origin; what is left of another that was not finished is removed first.
 */
export function openUnfinished(directory: string, options: StoreOptions, origin: StoreOrigin): Promise<Store> {
  return openBy(UNFINISHED_FILE, directory, options, origin);
}

/**
 * As openStore, of a store that nobody writes to, and without a lock: taking one writes to the disk, which may be full or may only be read.
 * `options` say readOnly.
 */
export function openUnlocked(directory: string, options: StoreOptions): Promise<Store> {
  const noLock: DirectoryLock = { directory, describe: () => undefined, release: async () => undefined };
  return openBy(SUPERBLOCK_FILE, directory, options, BEGINNING, async () => noLock);
}

async function openBy(
  file: string,
  directory: string,
  options: StoreOptions,
  origin: StoreOrigin,
  takeLock: Vfs['lock'] = (path, holder) => options.vfs.lock(path, holder),
): Promise<Store> {
  const resolved = resolveOptions(options);
  const { vfs, readOnly, create } = resolved;
  const isThere = vfs.exists(directory);
  const isMade = !readOnly && create;
  if (!isThere && !isMade) throw noStoreError(directory, 'The directory does not exist.');
  // What is there already is made durable while everything else goes on.
  const named = isMade ? makeDirectoryDurable(vfs, directory) : Promise.resolve();
  if (!isThere) await named;
  const opened: (() => unknown)[] = [() => named];
  // Compiled while the directory's lock is waited for.
  const checksums = loadChecksums();
  checksums.catch(() => undefined);
  try {
    const lock = await takeLock(directory, resolved.holder);
    opened.push(() => lock.release());
    const checked = await checksums;
    const superblockPath = joinPath(directory, file);
    if (file === UNFINISHED_FILE && !readOnly) clearUnfinished(vfs, directory, resolved.engines);
    if (!vfs.exists(superblockPath)) await makeStore(directory, superblockPath, resolved, checked, origin);
    const store = await openLocked(directory, superblockPath, resolved, checked, lock, opened);
    await named;
    return store;
  } catch (error) {
    for (const close of opened.reverse()) {
      try {
        await close();
      } catch {
        // The error that stopped the opening is the one to tell.
      }
    }
    throw error;
  }
}

async function openLocked(
  directory: string,
  superblockPath: string,
  options: ResolvedOptions,
  checksums: Checksums,
  lock: DirectoryLock,
  opened: (() => unknown)[],
): Promise<Store> {
  const { vfs, readOnly, durability, logger } = options;
  const health = new StoreHealth(logger, readOnly);
  const readers: Readers = { log: undefined, name: undefined, renew: undefined };
  // A process killed between making a name and syncing it leaves one that is there and not durable.
  const listed = readOnly ? Promise.resolve() : vfs.syncDirLater(directory);
  opened.push(() => listed);
  listed.catch(() => undefined);
  const superblock = Superblock.open(vfs, superblockPath, checksums, readOnly, (error) => health.fail(error));
  opened.push(() => superblock.close());
  health.isInPlace = () => superblock.isInPlace();
  for (const message of superblock.damage)
    logger.warn('the superblock is damaged; its other slot is whole', { message });

  const { state } = superblock;
  if (state.identity === undefined && !readOnly) {
    await superblock.update((old) => {
      old.identity = newIdentity();
    });
  }
  // An engine that the store has never been written with has no files, and read-only none are made.
  const factories = readOnly ? options.engines.filter((factory) => isKnown(state, factory)) : options.engines;
  placeEntries(state, factories);
  const placed: PlacedEngine[] = [];
  for (const factory of factories) {
    const engine = await openEngine(directory, factory, options, checksums, superblock, health, readers);
    opened.push(() => engine.close());
    placed.push({
      code: factory.code,
      bit: 1 << factory.code,
      name: factory.name,
      volatile: isVolatile(factory),
      engine,
      pathOf: (file) => joinPath(directory, factory.name, file),
    });
  }
  const catalog = new SpaceCatalog(placed, state.spaceLimit);

  const wal = await openLog(directory, options, checksums, superblock);
  opened.push(() => wal.close());
  readers.log = wal;
  const recovered = await recover(wal, catalog, state, options);
  await listed;
  if (durability === 'fsync' && !readOnly) {
    superblock.beforeWrite = (later) => {
      later.logEnd = Math.max(later.logEnd, wal.recordsSynced);
    };
  }
  const epoch = readOnly ? undefined : beginEpoch(superblock, wal, catalog, durability, recovered);
  return new LogStore({
    directory,
    checksums,
    options,
    lock,
    superblock,
    wal,
    catalog,
    health,
    readers,
    recovered,
    epoch,
  });
}

function beginEpoch(
  superblock: Superblock,
  wal: Wal,
  catalog: SpaceCatalog,
  durability: Durability,
  { isBehindEngines }: RecoveryResult,
): WritingEpoch {
  return new WritingEpoch(superblock, (state) => {
    state.epoch = Math.max(state.epoch + 1, wal.epoch);
    // Segments of before begin at the end of the log or below.
    state.identifiedFrom = Math.min(state.identifiedFrom, wal.end + 1);
    // Opening has made durable what is there, unless nothing was promised.
    state.logEnd = durability === 'memory' ? 0 : Math.max(state.logEnd, wal.recordsSynced);
    state.logSegment = durability === 'memory' ? 0 : wal.segment;
    state.spaceLimit = catalog.reserveBlock();
    // The next commit closes the gap; until it is there the engines stay ahead.
    state.relaxed = durability !== 'fsync' || isBehindEngines;
    if (state.logStart > wal.end) state.logStart = wal.end;
  });
}

async function makeStore(
  directory: string,
  superblockPath: string,
  options: ResolvedOptions,
  checksums: Checksums,
  { timeline, seq, spaceLimit }: StoreOrigin,
): Promise<void> {
  const { vfs } = options;
  const isCopy = superblockPath === joinPath(directory, UNFINISHED_FILE);
  const others = vfs
    .list(directory)
    .filter((name) => !isHarmless(name) && !(isCopy && isEmptyPart(options, directory, name)));
  if (others.includes(UNFINISHED_FILE)) {
    throw new PhantomError(SqlState.ObjectNotInPrerequisiteState, `"${directory}" holds a copy that was not finished`, {
      hint: 'Make the copy again; the store that it was made of has lost nothing.',
    });
  }
  if (others.includes(SUPERBLOCK_FILE)) {
    throw new PhantomError(SqlState.InvalidParameterValue, `there is a store in "${directory}" already`, {
      hint: 'Name an empty directory, or one that does not exist.',
    });
  }
  if (others.includes(LOG_DIRECTORY)) {
    throw corruptionError('a store has lost its superblock', { file: joinPath(directory, SUPERBLOCK_FILE) });
  }
  if (options.readOnly || !options.create) throw noStoreError(directory, 'It has no superblock.');
  if (others.length > 0) {
    throw new PhantomError(SqlState.InvalidParameterValue, `"${directory}" is not empty and holds no store`, {
      detail: `It has "${others[0] as string}".`,
      hint: 'Name an empty directory, or one that does not exist.',
    });
  }
  const state: SuperblockState = {
    generation: 1,
    timeline,
    epoch: 0,
    logStart: 0,
    logStartSeq: seq,
    spaceLimit,
    relaxed: false,
    engines: [],
    identity: newIdentity(),
    identifiedFrom: 0,
    logEnd: 0,
    logSegment: 0,
  };
  vfs.syncDir(parentPath(directory));
  await createSuperblock(vfs, superblockPath, checksums, state);
}

/** A folder of a copy that was given up: its files went, and folders cannot be removed. The next copy to there fills it again. */
function isEmptyPart({ vfs, engines }: ResolvedOptions, directory: string, name: string): boolean {
  if (name !== LOG_DIRECTORY && !engines.some((factory) => factory.name === name)) return false;
  return vfs.list(joinPath(directory, name)).length === 0;
}

/**
 * Removes the files of a copy that was not finished, its superblock last: whenever that is cut off, it is still known for what it
 * is. No effect where there is none, or where it was finished. The caller holds the directory.
 */
function clearUnfinished(vfs: Vfs, directory: string, factories: readonly EngineFactory[]): void {
  if (!vfs.exists(joinPath(directory, UNFINISHED_FILE)) || vfs.exists(joinPath(directory, SUPERBLOCK_FILE))) return;
  for (const name of [LOG_DIRECTORY, ...factories.map((factory) => factory.name)]) {
    const path = joinPath(directory, name);
    if (!vfs.exists(path)) continue;
    for (const file of vfs.list(path)) vfs.remove(joinPath(path, file));
    vfs.syncDir(path);
  }
  vfs.remove(joinPath(directory, UNFINISHED_FILE));
  vfs.syncDir(directory);
}

/** Gives the room of a copy back that failed. */
export async function discardUnfinished(directory: string, options: StoreOptions): Promise<void> {
  const { vfs, engines, holder } = resolveOptions(options);
  if (!vfs.exists(directory)) return;
  const lock = await vfs.lock(directory, holder);
  try {
    clearUnfinished(vfs, directory, engines);
  } finally {
    await lock.release();
  }
}

/** What may lie in a directory that is made a store: hidden files, what a mounted disk brings, a superblock cut off in the making. */
function isHarmless(name: string): boolean {
  return name.startsWith('.') || name === 'lost+found' || /^superblock(\.unfinished)?\.new$/.test(name);
}

/** Every engine that the superblock names must be there; new ones get an entry, written with the next update. */
function placeEntries(state: SuperblockState, factories: readonly EngineFactory[]): void {
  for (const entry of state.engines) {
    const factory = factories.find(({ code }) => code === entry.code);
    if (factory === undefined || factory.name !== entry.name) {
      throw new PhantomError(
        SqlState.InvalidParameterValue,
        `the store has data of engine "${entry.name}" (${entry.code}), which it was not opened with`,
      );
    }
  }
  for (const factory of factories) {
    const { code, name } = factory;
    if (!isVolatile(factory) && !state.engines.some((entry) => entry.code === code))
      state.engines.push({ code, name, generationMin: 0, isIdentified: true });
  }
}

function isKnown(state: SuperblockState, factory: EngineFactory): boolean {
  return isVolatile(factory) || state.engines.some(({ code }) => code === factory.code);
}

/** Its content ends with the store's closing. */
export function isVolatile(factory: EngineFactory): boolean {
  return factory.volatile ?? factory.code === EngineCode.Memory;
}

async function openEngine(
  directory: string,
  factory: EngineFactory,
  options: ResolvedOptions,
  checksums: Checksums,
  superblock: Superblock,
  health: StoreHealth,
  readers: Readers,
): Promise<KvEngine> {
  const { vfs, readOnly, clock, logger, metrics, tracer } = options;
  const path = joinPath(directory, factory.name);
  // A volatile engine has no directory and no entry: it has no files, of which one could be too old.
  if (!isVolatile(factory) && !vfs.exists(path)) {
    if (readOnly) throw noStoreError(directory, `It has no files of engine "${factory.name}".`);
    vfs.makeDir(path);
    vfs.syncDir(directory);
  }
  const entry: EngineEntry = superblock.state.engines.find(({ code }) => code === factory.code) ?? {
    code: factory.code,
    name: factory.name,
    generationMin: 0,
    isIdentified: true,
  };
  const raise = (generation: number): void => {
    entry.generationMin = Math.max(entry.generationMin, generation);
    entry.isIdentified = true;
  };
  const context: EngineContext = {
    vfs,
    directory: path,
    checksums,
    clock,
    logger,
    metrics,
    tracer,
    cacheBytes: Math.ceil(options.cacheBytes / options.engines.length),
    deltaBytesMax: Math.ceil(options.deltaBytesMax / options.engines.length),
    readOnly,
    generationMin: entry.generationMin,
    identity: superblock.state.identity,
    isIdentified: entry.isIdentified,
    recordGeneration: (generation) => superblock.update(() => raise(generation)),
    recordGenerationNow: (generation) => superblock.updateNow(() => raise(generation)),
    syncLog: () => readers.log?.sync() ?? Promise.resolve(),
    syncLogNow: () => readers.log?.syncNow?.(),
    fail: (error) => health.fail(error),
    readerOf: (seq) => readers.name?.(seq),
    renewViews: () => readers.renew?.(),
  };
  return factory.open(context);
}

async function openLog(
  directory: string,
  options: ResolvedOptions,
  checksums: Checksums,
  superblock: Superblock,
): Promise<Wal> {
  const { vfs, readOnly } = options;
  const { state } = superblock;
  const path = joinPath(directory, LOG_DIRECTORY);
  if (!vfs.exists(path)) {
    if (readOnly) throw noStoreError(directory, 'It has no log.');
    vfs.makeDir(path);
    vfs.syncDir(directory);
  }
  // Every opening leaves a log, and durability `fsync` leaves a durable one.
  if (state.epoch > 0 && !state.relaxed && options.log === undefined && vfs.list(path).length === 0) {
    throw corruptionError('the log is gone', { file: path });
  }
  const walOptions: WalOptions = {
    directory: path,
    vfs,
    checksums,
    durability: options.durability,
    droppedBefore: state.logStart,
    // The store's own lock covers everything in its directory.
    lockDirectory: false,
    readOnly,
    clock: options.clock,
    logger: options.logger,
    metrics: options.metrics,
    ...ownerOf(superblock),
    ...(options.segmentBytes === undefined ? {} : { segmentBytes: options.segmentBytes }),
  };
  return (options.log ?? openWal)(walOptions);
}

/** What the superblock knows of the log; nothing while the store has no identity. */
function ownerOf(superblock: Superblock): { readonly owner?: LogOwner } {
  const { identity, identifiedFrom, logSegment, logEnd, epoch } = superblock.state;
  if (identity === undefined) return {};
  const note = (segment: number, end: number) => (state: SuperblockState) => {
    state.logSegment = Math.max(state.logSegment, segment);
    state.logEnd = Math.max(state.logEnd, end);
  };
  return {
    owner: {
      identity,
      identifiedFrom,
      segment: logSegment,
      end: logEnd,
      // Releases without identity counted the epochs of the log on their own.
      epoch: identifiedFrom === NOT_IDENTIFIED ? undefined : epoch,
      recordHead: (segment, end) => superblock.update(note(segment, end)),
      recordHeadNow: (segment, end) => superblock.updateNow(note(segment, end)),
    },
  };
}
