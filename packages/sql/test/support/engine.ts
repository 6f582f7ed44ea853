/** A whole SQL engine in memory, for tests: everything below `db`, without it. */
import { type Clock, ManualClock, silentLogger } from '@phantom/base';
import { Catalog, preparedSpace, userSpace } from '@phantom/catalog';
import { EngineCode, type KeyRange, type RangeEstimate } from '@phantom/kv';
import { MemoryEngine } from '@phantom/kv/memory';
import { type Mvcc, type MvccOptions, createMvcc } from '@phantom/mvcc';
import { type Store, type StoreOptions, openStore } from '@phantom/store';
import { MemoryVfs } from '@phantom/vfs/testing';
import { CatalogConflictNames, type SessionOptions, SqlEngine, type SqlSession } from '../../src/index.js';

export interface TestEngine {
  readonly engine: SqlEngine;
  readonly store: Store;
  readonly mvcc: Mvcc;
  readonly clock: Clock;
  session(options?: Partial<SessionOptions>): SqlSession;
  close(): Promise<void>;
}

/** Time stands still unless a clock is given: then long statements give way. */
export async function openEngine(
  clock: Clock = new ManualClock(),
  disk: Pick<StoreOptions, 'vfs' | 'durability'> = { vfs: new MemoryVfs(), durability: 'memory' },
  waits: Pick<MvccOptions, 'deadlockPolicy' | 'waiting'> = {},
): Promise<TestEngine> {
  const store = await openStore('/db', {
    ...disk,
    engines: [{ code: EngineCode.Memory, name: 'memory', open: async () => new MemoryEngine() }],
    clock,
  });
  const names = new CatalogConflictNames();
  const mvcc = createMvcc(store, { ...waits, clock, names, preparedSpace: preparedSpace(EngineCode.Memory) });
  const catalog = await Catalog.open(mvcc, { systemEngine: EngineCode.Memory });
  names.catalog = catalog;
  let seed = 1;
  const engine = new SqlEngine({
    mvcc,
    catalog,
    storage: {
      lastSync: store.lastSync,
      view: () => store.view(),
      reads: () => ({ cacheHits: 0, pagesRead: 0, bytesRead: 0 }),
      work: () => ({ checkpoints: 1, logRecords: 2, logBytes: 300, logWrites: 4, logSyncs: 5, archive: undefined }),
      estimate: (range: KeyRange): RangeEstimate =>
        store.engine(EngineCode.Memory)?.estimate(range) ?? { keys: 0, bytes: 0 },
      locate: (file: string, offset: number | undefined) => store.locate(file, offset),
      split: (range, parts) => store.engine(EngineCode.Memory)?.split(range, parts) ?? [range],
      allocateSpace: () => userSpace(EngineCode.Memory, store.allocateSpaceNumber()),
      moveSpaces: (pairs) => store.moveSpaces(pairs),
      beginLoad: () => undefined,
      advise: () => undefined,
      finishQueuedNow: () => {
        const before = store.visibleSeq;
        store.drainNow();
        return store.visibleSeq !== before;
      },
      checkpoint: () => store.checkpoint(),
      createRestorePoint: () => undefined,
      backup: () => Promise.reject(new Error('a store in memory alone has no copies')),
    },
    clock,
    logger: silentLogger,
    readOnly: false,
    memoryLimitBytes: 64 * 1024 * 1024,
    statementCacheEntriesMax: 256,
    seed: () => seed++,
  });
  return {
    engine,
    store,
    mvcc,
    clock,
    session: (options = {}) => engine.createSession({ database: 'phantom', user: 'phantom', ...options }),
    close: async () => {
      await engine.close();
      await mvcc.close();
      await store.close();
    },
  };
}
