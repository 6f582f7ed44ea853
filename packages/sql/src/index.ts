/** @phantom/sql: SQL over transactions: parser, planner, executor, sessions. */
export type { CopyChannel } from './copy/copy-channel.js';
export { type CopiedRow, type CopiedRows, ValueChannel } from './copy/value-rows.js';
export type { NoticeSeverity } from './ddl/context.js';
export type { RowBatch, RowSink, WorkCounters } from './exec/runtime.js';
export type { ConnectionEncryption, ConnectionEnds } from './functions/registry.js';
export type { FileSetting, ListedRule, ServerFacts } from './session/server-facts.js';
export type { PlanField, PreparedPlan } from './plan/prepared-plan.js';
export { commandTag } from './session/command-tag.js';
export { type TextEncoding, textEncoding } from './functions/encodings.js';
export { CatalogConflictNames } from './session/conflict-names.js';
export { SqlEngine, type SqlEngineOptions } from './session/engine.js';
export type { Notification } from './session/notifications.js';
export type { StorageReads } from './exec/storage-work.js';
export { type FetchOutcome, Portal } from './session/portal.js';
export { SessionRowTables } from './session/row-tables.js';
export type {
  BackupFacts,
  ReadView,
  ReadWorkers,
  RemoteRows,
  StoragePort,
  StorageWork,
  SpaceLoad,
  TableAdvice,
  TableEngine,
} from './session/ports.js';
export { type RemoteOutcome, type RemoteRead, executeRemotely } from './session/remote-read.js';
export type { ServerSettings } from './session/server-settings.js';
export { type Notice, type SessionOptions, SqlSession, type TransactionStatus } from './session/session.js';
export { type DamagedObject, damagedObjects } from './session/damage-names.js';
export { StoredNames, type StoredSpace } from './session/stored-names.js';
export type { SessionStatement } from './session/statement.js';
export { controlBlock, lookUp, lookUpWithin, readNow, writePoint, writePointInTurn } from './session/straight-roads.js';
export type { OpeningModes } from './session/transaction-modes.js';
export type { ParsedStatement } from './text/ast-statements.js';
export { buildParser } from './text/parse.js';
export { NumberText, exactJsonText, parseExactJson } from './types/exact-json.js';
export { type JsOptions, jsReader, jsWriter } from './types/js-values.js';
export type { SqlType, TypeContext, TypeLookup, Value } from './types/type.js';
