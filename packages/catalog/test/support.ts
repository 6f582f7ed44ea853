/** What the tests of the catalog share: a store in memory and small descriptors. */
import { EngineCode } from '@phantom/kv';
import { MemoryEngine } from '@phantom/kv/memory';
import { type Mvcc, createMvcc } from '@phantom/mvcc';
import { type Store, openStore } from '@phantom/store';
import { MemoryVfs } from '@phantom/vfs/testing';
import { Catalog, type SequenceDescriptor, type TableDescriptor } from '../src/index.js';

export interface Opened {
  readonly store: Store;
  readonly mvcc: Mvcc;
  readonly catalog: Catalog;
}

export async function openCatalog(): Promise<Opened> {
  const store = await openStore('/db', {
    vfs: new MemoryVfs(),
    engines: [{ code: EngineCode.Memory, name: 'memory', open: async () => new MemoryEngine() }],
    durability: 'memory',
  });
  const mvcc = createMvcc(store);
  return { store, mvcc, catalog: await Catalog.open(mvcc, { systemEngine: EngineCode.Memory }) };
}

/** The same catalog, read anew from what is stored. */
export function reload(opened: Opened): Promise<Catalog> {
  return Catalog.open(opened.mvcc, { systemEngine: EngineCode.Memory });
}

export function table(oid: number, name: string, more: Partial<TableDescriptor> = {}): TableDescriptor {
  return {
    kind: 'table',
    oid,
    name,
    databaseOid: 5,
    schemaOid: 2200,
    ownerOid: 10,
    persistence: 'permanent',
    engine: 'btree',
    space: 2000 + oid,
    layoutVersion: 1,
    columns: [],
    constraints: [],
    indexOids: [],
    keyColumns: [],
    schemaVersion: 1,
    rowTypeOid: oid + 1,
    ...more,
  };
}

export function sequence(more: Partial<SequenceDescriptor> = {}): SequenceDescriptor {
  return {
    kind: 'sequence',
    oid: 20000,
    name: 's',
    databaseOid: 5,
    schemaOid: 2200,
    ownerOid: 10,
    typeOid: 20,
    start: '1',
    increment: '1',
    minimum: '1',
    maximum: '9223372036854775807',
    cycle: false,
    cache: 1,
    persistence: 'permanent',
    ...more,
  };
}
