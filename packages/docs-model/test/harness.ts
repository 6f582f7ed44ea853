/** A document model over a store in memory. */
import { type Clock, type Logger, silentLogger, systemClock } from '@phantom/base';
import { BootstrapOid, Catalog, userSpace } from '@phantom/catalog';
import { EngineCode } from '@phantom/kv';
import { MemoryEngine } from '@phantom/kv/memory';
import { type Mvcc, createMvcc } from '@phantom/mvcc';
import { type Store, openStore } from '@phantom/store';
import { MemoryVfs } from '@phantom/vfs/testing';
import { type Collection, type CollectionOptions, DocumentModel, openCollection } from '../src/index.js';

export interface Harness {
  readonly model: DocumentModel;
  readonly mvcc: Mvcc;
  readonly store: Store;
  readonly catalog: Catalog;
  collection<T extends object = Record<string, unknown>>(name: string, options?: CollectionOptions): Collection<T>;
  close(): Promise<void>;
}

export async function openHarness(clock: Clock = systemClock, logger: Logger = silentLogger): Promise<Harness> {
  const memory = { code: EngineCode.Memory, name: 'memory', open: async () => new MemoryEngine() };
  const store = await openStore('/db', { vfs: new MemoryVfs(), engines: [memory], durability: 'memory' });
  const mvcc = createMvcc(store);
  const catalog = await Catalog.open(mvcc, { systemEngine: EngineCode.Memory });
  const model = new DocumentModel({
    mvcc,
    catalog,
    clock,
    logger,
    databaseOid: BootstrapOid.FirstDatabase,
    ownerOid: BootstrapOid.Superuser,
    allocateSpace: () => userSpace(EngineCode.Memory, store.allocateSpaceNumber()),
    estimate: (range) => store.engine(EngineCode.Memory)?.estimate(range) ?? { keys: 0, bytes: 0 },
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
