/** What an opened store is made of: open-store.ts puts it together, store.ts and check.ts work with it. */
import type { Checksums } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import type { DirectoryLock } from '@phantom/vfs';
import type { Wal } from '@phantom/wal';
import type { StoreHealth } from './health.js';
import type { ResolvedOptions } from './options.js';
import type { RecoveryResult } from './recovery.js';
import type { SpaceCatalog } from './space-catalog.js';
import type { Superblock } from './superblock.js';
import type { WritingEpoch } from './writing-epoch.js';

/** What engines ask about views and the log, which are there only after them. */
export interface Readers {
  log: Wal | undefined;
  /** Says who holds a view of a seq: the floor above knows, the engines below tell it in their errors. */
  name: ((seq: Seq) => string | undefined) | undefined;
  /** See EngineContext.renewViews. */
  renew: (() => Seq) | undefined;
}

export interface StoreParts {
  readonly directory: string;
  readonly checksums: Checksums;
  readonly options: ResolvedOptions;
  readonly lock: DirectoryLock;
  readonly superblock: Superblock;
  readonly wal: Wal;
  readonly catalog: SpaceCatalog;
  readonly health: StoreHealth;
  readonly readers: Readers;
  readonly recovered: RecoveryResult;
  /** None when the store is read-only. */
  readonly epoch: WritingEpoch | undefined;
}
