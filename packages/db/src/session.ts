/** @phantom/db/session: what a protocol server needs of a database: sessions, portals, types, values as text and bytes. */
export {
  type FetchOutcome,
  type Notice,
  type NoticeSeverity,
  type ParsedStatement,
  type PlanField,
  Portal,
  type PreparedPlan,
  type RowBatch,
  type SessionOptions,
  type SessionStatement,
  type SqlType,
  SqlSession,
  type TransactionStatus,
  type TypeContext,
  type Value,
} from '@phantom/sql';
