/** @phantom/store: the one write path; one log under many engines, recovery and checkpoints. */
export type { ArchiveState, Archiver } from './archive/archiver.js';
export { openArchive } from './archive/open-archive.js';
export type { ArchiveOptions, ArchivePorts } from './archive/options.js';
export { type RestoreOptions, type RestoreProgress, type RestoreResult, restoreStore } from './archive/restore.js';
export { AttachedStore } from './attached-store.js';
export type { BulkLoad } from './bulk-load.js';
export type { ChangeFeed, ChangeFeedOptions } from './change-feed.js';
export type { EngineAdvice, EngineEstimate } from './engine-advice.js';
export type { SpaceEvidence } from './engine-costs.js';
export { openStore } from './open-store.js';
export { STORE_FORMAT } from './format.js';
export {
  SINGLE_SPACE_OPTIONS,
  type ScanOptions,
  SingleSpace,
  type SingleSpaceOptions,
  type SpaceReader,
  type SpaceSnapshot,
  type WriteOptions,
  openSingleSpace,
} from './single-space.js';
export type { SpaceEntries } from './space-load.js';
export { SpaceBatch, type SpaceOperation } from './space-batch.js';
export { type RangeOptions, SINGLE_SPACE_KEY_BYTES_MAX } from './space-keys.js';
export type { SpaceMove, SpacePair } from './space-move.js';
export type { SpilledCommit } from './spilled-commit.js';
export { type SalvageOptions, SalvagedStore, salvageStore } from './salvage.js';
export { type SalvageCopyOptions, copySalvaged } from './salvage-copy.js';
export { type CopyProgress, type StoreCopy, type StoreCopyOptions, copyStore } from './store-copy.js';
export type { ScrubPass } from './scrub-state.js';
export type { ScrubFacts } from './scrubber.js';
export type { SpaceUse } from './space-use.js';
export type { SpaceEntry } from './space-scan.js';
export type {
  AttachContext,
  Change,
  CommitListener,
  CommitObserver,
  CommitResult,
  EngineContext,
  EngineFactory,
  EngineReads,
  LogFactory,
  SalvageContext,
  Store,
  StoreOptions,
  StoreOrigin,
  StoreStats,
  StoreView,
  SubmitOptions,
  SyncGroup,
  TableAdvice,
  ViewAttacher,
} from './types.js';
