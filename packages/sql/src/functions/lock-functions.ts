/** Advisory locks and waiting. The functions say what is wanted; the session has the locks. */
import { encodeXid8 } from '../types/snapshot-types.js';
import { type Implementations, contextual } from './implementation.js';
import type { AdvisoryCall, EvaluationContext } from './registry.js';

const SESSION: AdvisoryCall = { lasting: true, shared: false, waits: true };
const TRANSACTION: AdvisoryCall = { lasting: false, shared: false, waits: true };

type Integer = number | bigint;

/** Both forms of a lock function; `tells` returns whether it was locked, else void. */
function lockForms(name: string, call: AdvisoryCall): Implementations {
  const answer = (locked: boolean): boolean | string => (call.waits ? '' : locked);
  return {
    [`${name}_int8`]: contextual((key: Integer, context: EvaluationContext) =>
      answer(context.advisory.lock(key, call)),
    ),
    [`${name}_int4`]: contextual((first: number, second: number, context: EvaluationContext) =>
      answer(context.advisory.lock({ first, second }, call)),
    ),
  };
}

function unlockForms(name: string, shared: boolean): Implementations {
  return {
    [`${name}_int8`]: contextual((key: Integer, context: EvaluationContext) => context.advisory.unlock(key, shared)),
    [`${name}_int4`]: contextual((first: number, second: number, context: EvaluationContext) =>
      context.advisory.unlock({ first, second }, shared),
    ),
  };
}

export const lockFunctions: Implementations = {
  ...lockForms('pg_advisory_lock', SESSION),
  ...lockForms('pg_advisory_lock_shared', { ...SESSION, shared: true }),
  ...lockForms('pg_try_advisory_lock', { ...SESSION, waits: false }),
  ...lockForms('pg_try_advisory_lock_shared', { lasting: true, shared: true, waits: false }),
  ...lockForms('pg_advisory_xact_lock', TRANSACTION),
  ...lockForms('pg_advisory_xact_lock_shared', { ...TRANSACTION, shared: true }),
  ...lockForms('pg_try_advisory_xact_lock', { ...TRANSACTION, waits: false }),
  ...lockForms('pg_try_advisory_xact_lock_shared', { lasting: false, shared: true, waits: false }),
  ...unlockForms('pg_advisory_unlock', false),
  ...unlockForms('pg_advisory_unlock_shared', true),
  pg_advisory_unlock_all: contextual((context: EvaluationContext) => {
    context.advisory.unlockAll();
    return '';
  }),
  pg_sleep: contextual((seconds: number, context: EvaluationContext) => {
    context.advisory.sleep(seconds);
    return '';
  }),
  pg_backend_pid: contextual((context: EvaluationContext) => context.backendPid),
  pg_cancel_backend: contextual((pid: number, context: EvaluationContext) => context.signalBackend(pid, 'cancel')),
  // The time that PostgreSQL may wait for the end: here a session has ended when this returns.
  pg_terminate_backend: {
    ...contextual((pid: number, _waitMs: number | bigint, context: EvaluationContext) =>
      context.signalBackend(pid, 'terminate'),
    ),
    defaults: [0],
  },
  // A commit in place of a position in the log.
  pg_export_snapshot: contextual((context: EvaluationContext) => context.exportSnapshot()),
  pg_create_restore_point: contextual((name: string, context: EvaluationContext) =>
    context.createRestorePoint(name).toString(16).padStart(16, '0'),
  ),
  // Part of the extension pg_stat_statements.
  pg_stat_statements_reset: {
    ...contextual((userid: number, dbid: number, queryid: Integer, context: EvaluationContext) => {
      context.resetStatements(userid, dbid, Number(queryid));
      return '';
    }),
    defaults: [0, 0, 0],
  },
  txid_current: contextual((context: EvaluationContext) => context.transactionId),
  pg_current_xact_id: contextual((context: EvaluationContext) => encodeXid8(BigInt(context.transactionId))),
};

/** True for functions that may have to wait: a statement that calls one runs in a transaction and may be executed anew. */
export function mayWait(functionName: string): boolean {
  return (
    functionName.startsWith('pg_advisory_') ||
    functionName.startsWith('pg_try_advisory_') ||
    functionName.startsWith('pg_sleep')
  );
}
