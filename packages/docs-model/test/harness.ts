/** A document model over a store in memory, or on a disk that can crash. */
import { btree } from '@phantom/btree';
import { type Clock, type Logger, silentLogger, systemClock } from '@phantom/base';
import { BootstrapOid, Catalog, type RowTables, preparedSpace, userSpace } from '@phantom/catalog';
import { EngineCode } from '@phantom/kv';
import { MemoryEngine } from '@phantom/kv/memory';
import { type Mvcc, createMvcc } from '@phantom/mvcc';
import { type Store, type StoreOptions, openStore } from '@phantom/store';
import { MemoryVfs } from '@phantom/vfs/testing';
import {
  type Collection,
  type CollectionOptions,
  DocumentModel,
  type TransactionHost,
  openCollection,
} from '../src/index.js';

export interface Harness {
  readonly model: DocumentModel;
  readonly mvcc: Mvcc;
  readonly store: Store;
  readonly catalog: Catalog;
  collection<T extends object = Record<string, unknown>>(name: string, options?: CollectionOptions): Collection<T>;
  close(): Promise<void>;
}

export async function openHarness(
  clock: Clock = systemClock,
  logger: Logger = silentLogger,
  rowTables?: () => RowTables,
): Promise<Harness> {
  const memory = { code: EngineCode.Memory, name: 'memory', open: async () => new MemoryEngine() };
  const store = await openStore('/db', { vfs: new MemoryVfs(), engines: [memory], durability: 'memory' });
  return harnessOver(store, EngineCode.Memory, clock, logger, rowTables);
}

/** Durable, on the given disk. */
export async function openOnDisk(vfs: MemoryVfs, options: Partial<StoreOptions> = {}): Promise<Harness> {
  const store = await openStore('/db', { vfs, engines: [btree()], segmentBytes: 65_536, ...options });
  return harnessOver(store, EngineCode.Btree, systemClock, silentLogger);
}

async function harnessOver(
  store: Store,
  engine: EngineCode,
  clock: Clock,
  logger: Logger,
  rowTables?: () => RowTables,
): Promise<Harness> {
  const mvcc = createMvcc(store, { preparedSpace: preparedSpace(engine) });
  const catalog = await Catalog.open(mvcc, { systemEngine: engine });
  const model = new DocumentModel({
    mvcc,
    catalog,
    clock,
    logger,
    databaseOid: BootstrapOid.FirstDatabase,
    roleOid: BootstrapOid.Superuser,
    ...(rowTables === undefined ? {} : { rowTables }),
    allocateSpace: () => userSpace(engine, store.allocateSpaceNumber()),
    estimate: (range) => store.engine(engine)?.estimate(range) ?? { keys: 0, bytes: 0 },
  });
  return {
    model,
    mvcc,
    store,
    catalog,
    collection: (name, options) => openCollection(model, name, options),
    close: async () => {
      await catalog.close();
      await mvcc.close();
      await store.close();
    },
  };
}

export type OpenIsolation = 'read committed' | 'repeatable read' | 'serializable';

export interface OpenTransaction {
  readonly tx: TransactionHost;
  readonly commit: () => Promise<unknown>;
  readonly rollback: () => void;
}

/** An open transaction; its operations are statements of it. */
export function beginIn({ mvcc, catalog }: Harness, isolation: OpenIsolation = 'repeatable read'): OpenTransaction {
  const storage = mvcc.begin({ isolation });
  const objects = catalog.begin(storage);
  const tx: TransactionHost = {
    documents: (run) => run({ storage, objects, roleOid: BootstrapOid.Superuser, beforeCommit: () => undefined }),
  };
  return { tx, commit: () => storage.commit(), rollback: () => storage.rollback() };
}
