/** @phantom/testkit/histories: what clients of a database were told, and whether its isolation levels allow it. */
export { type Anomaly, type AnomalyKind, isForbidden } from './histories/anomaly.js';
export { anomaliesOf, violationsOf } from './histories/check-history.js';
export {
  type BatchStatement,
  type BeginOptions,
  type HistoryClient,
  type HistoryDatabase,
  RecordingClient,
  sqlStateOf,
} from './histories/client.js';
export {
  type DisasterReport,
  type OpenHistoryDatabase,
  faultHistories,
  powerCutHistories,
} from './histories/disaster.js';
export {
  HistoryRecorder,
  INITIAL,
  type Level,
  type OpenRecord,
  type Operation,
  type Outcome,
  type RecordedTransaction,
} from './histories/history.js';
export { SCENARIOS, type Scenario, anomalyTable, levelsOfOccurrence } from './histories/scenario.js';
export { HISTORIES_TIMEOUT_MS, runsForLong, seedsToTry } from './histories/seeds.js';
export { type Rows, SqlClient, type SqlConnection, commitPrepared, schemaStatements } from './histories/sql-client.js';
export { TRANSFERS_TOTAL, type TransferOptions, sumsSeen } from './histories/transfers.js';
export { RandomWorkload, type WorkloadOptions, randomHistory } from './histories/workload.js';
