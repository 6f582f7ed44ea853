/** @phantom/testkit/histories: what clients of a database were told, and whether its isolation levels allow it. */
export { type Anomaly, type AnomalyKind, isForbidden } from './histories/anomaly.js';
export { anomaliesOf, violationsOf } from './histories/check-history.js';
export {
  HistoryRecorder,
  INITIAL,
  type Level,
  type OpenRecord,
  type Operation,
  type Outcome,
  type RecordedTransaction,
} from './histories/history.js';
