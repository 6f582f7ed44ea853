/** What an open database is made of, and how it ends. The pieces are assembled in open.ts; handles on it are `Database`. */
import type { Metrics } from '@phantom/base';
import type { Catalog } from '@phantom/catalog';
import type { DocumentModel, Expiry } from '@phantom/docs-model';
import type { Mvcc } from '@phantom/mvcc';
import type { SqlEngine } from '@phantom/sql';
import type { Archiver, Store } from '@phantom/store';
import type { Backups } from './backups.js';
import type { Coordination } from './coordination.js';
import type { DatabaseOptions } from './options.js';
import type { QueryWorkers } from './query-workers.js';
import type { SagaRuns } from './saga-runs.js';
import type { TableUpkeep } from './table-upkeep.js';

export interface DatabaseParts {
  readonly store: Store;
  readonly mvcc: Mvcc;
  readonly catalog: Catalog;
  readonly engine: SqlEngine;
  /** Threads for costly reads; undefined where there are none. */
  readonly workers: QueryWorkers | undefined;
  readonly documents: DocumentModel;
  readonly backups: Backups;
  /** Undefined where commits are not archived. */
  readonly archiver: Archiver | undefined;
  readonly coordination: Coordination;
  readonly sagas: SagaRuns;
  /** Removes documents whose time has come; undefined where nothing may be written. */
  readonly expiry: Expiry | undefined;
  readonly upkeep: readonly TableUpkeep[];
  readonly metrics: Metrics;
  readonly database: string;
  readonly user: string;
  readonly options: DatabaseOptions;
}

/** Ends what is under way, writes a checkpoint and frees the directory. */
export async function closeParts(parts: DatabaseParts): Promise<void> {
  const { archiver, backups, coordination, sagas, upkeep, expiry, engine, workers, store, catalog, mvcc } = parts;
  try {
    await backups.stop();
    await sagas.close();
    await coordination.close();
    await Promise.all(upkeep.map((one) => one.stop()));
    await expiry?.stop();
    await engine.close();
    await workers?.close();
    if (!store.readOnly && store.failure === undefined) await catalog.close();
  } finally {
    // The directory is free whatever else has failed.
    await mvcc.close();
    // What was committed until now is archived.
    await archiver?.stop();
    await store.close();
  }
}
