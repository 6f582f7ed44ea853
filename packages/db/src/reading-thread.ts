/**
 * A thread that reads for the database's own: an SQL engine over views that other thread shares, with caches of its own. Nothing
 * here writes, locks or begins a transaction.
 *
 *   view of the read ──► catalog, read key by key ──► SQL engine ──► rows
 *
 * The engine, with its plans and what it has compiled, lasts until a definition or statistics change; pages stay cached.
 */
import { type Checksums, silentLogger, systemClock } from '@phantom/base';
import { btree } from '@phantom/btree';
import { Catalog } from '@phantom/catalog';
import { EngineCode } from '@phantom/kv';
import { lsm } from '@phantom/lsm';
import { type RemoteOutcome, type RemoteRead, SqlEngine, executeRemotely } from '@phantom/sql';
import { AttachedStore } from '@phantom/store';
import { createNodeVfs } from '@phantom/vfs';
import { STATEMENT_CACHE_ENTRIES_MAX } from './options.js';
import { ReadingMvcc, ReadingStorage, ReadingView } from './reading-ports.js';
import { ScratchFiles } from './scratch-files.js';

/** The database that is read, and what the thread may use. */
export interface ReadingPlace {
  readonly directory: string;
  /** Folder of its scratch files in the directory. */
  readonly scratchFolder: string;
  readonly scratchBytesMax: number;
  readonly cacheBytes: number;
  readonly memoryLimitBytes: number;
}

/** Nobody asks for so long: files that were only kept for the next read are let go. */
const REST_MS = 1000;

export class ReadingThread {
  private readonly place: ReadingPlace;
  private readonly store: AttachedStore;
  private readonly view = new ReadingView();
  private readonly scratch: ScratchFiles;
  private engine: SqlEngine | undefined = undefined;
  private catalogKey = '';
  private rest: NodeJS.Timeout | undefined = undefined;

  constructor(place: ReadingPlace, checksums: Checksums) {
    this.place = place;
    const { directory, scratchFolder, scratchBytesMax, cacheBytes } = place;
    const vfs = createNodeVfs();
    this.store = new AttachedStore([btree(), lsm()], { vfs, checksums, cacheBytes });
    this.scratch = new ScratchFiles(vfs, directory, scratchBytesMax, scratchFolder);
  }

  /** Runs a read of what a view shows. */
  *run(
    read: RemoteRead,
    descriptor: unknown,
    send: (block: Uint8Array<ArrayBuffer>) => void,
  ): Generator<undefined, RemoteOutcome> {
    clearTimeout(this.rest);
    const attached = this.store.open(descriptor);
    this.view.aim(attached);
    try {
      return yield* executeRemotely(this.engineFor(read.catalogKey), read, this.view, send);
    } finally {
      this.view.aim(undefined);
      attached.release();
      this.rest = setTimeout(() => this.store.rest(), REST_MS).unref();
    }
  }

  private engineFor(catalogKey: string): SqlEngine {
    const { engine } = this;
    if (engine !== undefined && this.catalogKey === catalogKey) return engine;
    this.catalogKey = catalogKey;
    this.engine = this.openEngine();
    return this.engine;
  }

  private openEngine(): SqlEngine {
    const { view, scratch } = this;
    const { memoryLimitBytes, cacheBytes } = this.place;
    const mvcc = new ReadingMvcc(view);
    return new SqlEngine({
      mvcc,
      catalog: Catalog.read(mvcc, EngineCode.Btree),
      storage: new ReadingStorage(view, () => this.store.reads()),
      clock: systemClock,
      logger: silentLogger,
      readOnly: true,
      memoryLimitBytes,
      queriesMemoryBytesMax: memoryLimitBytes,
      columnCacheBytes: cacheBytes,
      scratch,
      statementCacheEntriesMax: STATEMENT_CACHE_ENTRIES_MAX,
      // Volatile functions are never called here.
      seed: () => 0,
    });
  }
}
