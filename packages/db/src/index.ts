/** @phantom/db: the embedded database. */
export { PhantomError, isPhantomError } from '@phantom/base';
export { type Archive, type RestoreOptions, restore, restoreOn } from './archives.js';
export { type QueryOptions, type QueryResult } from './async-query.js';
export { type BackupOptions, type BackupProgress, type BackupResult } from './backups.js';
export { Connection } from './connection.js';
export { type CopyOptions, type CopyResult } from './copy-into.js';
export { Database, type DamagedPlace, type DatabaseStats, type IntegrityFacts } from './database.js';
export { type Branches, Distributed, type DistributedOptions, type DistributedResult } from './distributed.js';
export type { ArchiveOptions, ArchiveState, RestoreProgress, RestoreResult } from '@phantom/store';
export type { Finding } from '@phantom/kv';
export { expectPlan } from './expect-plan.js';
export { open, openOn } from './open.js';
export { type DatabaseOptions } from './options.js';
export { type SagaStartOptions, Sagas, defineSaga } from './sagas.js';
export { type SqlAnswer, SqlBranch, type SqlConnection, type SqlSource } from './sql-participant.js';
export { type RepairOptions, repair, repairOn } from './repair/repair.js';
export type { LostRow, LostRows, RebuiltIndex, RepairReport, SalvagedTable, UnfinishedIndex } from './repair/report.js';
export { type RunResult, Statement } from './statement.js';
export { type Isolation, SyncTransaction, Transaction, type TransactionOptions } from './transaction.js';
export {
  Collection,
  type CollectionOptions,
  Decimal,
  DocumentCursor,
  type Explanation,
  type Filter,
  FindCursor,
  PipelineCursor,
  type PipelineExplanation,
  type FindOptions,
  type FromSchema,
  ObjectId,
  Uuid,
  type WithId,
} from '@phantom/docs-model';
export {
  type CompensationContext,
  type LocalStep,
  type RemoteStep,
  type RetryPolicy,
  type SagaDefinition,
  type SagaState,
  type SagaStatus,
  type SagaStep,
  type StepContext,
} from '@phantom/txn-2pc-saga';
