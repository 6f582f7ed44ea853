/** Whether a transaction's snapshot shows what the tables of a plan hold. */
import { PhantomError } from '@phantom/base';
import type { PreparedPlan } from '../plan/prepared-plan.js';
import type { SqlSession } from './session.js';

/**
 * 40001 when the snapshot is older than the spaces in which a table lies since it was moved to another engine or rewritten: it would find
 * them empty. Statements at read committed have a snapshot of their own and never are.
 */
export function checkSnapshotReaches(session: SqlSession, plan: PreparedPlan): void {
  const storage = session.transaction?.storage;
  if (storage === undefined || storage.isolation === 'read committed') return;
  const { snapshotSeq } = storage;
  const { catalog, filledSeq, rewrittenSeqs } = session.engine;
  if (snapshotSeq === 0 || snapshotSeq >= filledSeq) return;
  for (const { relationOid } of plan.privileges) {
    const table = catalog.committed.object(relationOid);
    if (table?.kind !== 'table') continue;
    if (Math.max(table.filledSeq ?? 0, rewrittenSeqs.get(table.oid) ?? 0) > snapshotSeq) {
      const message = `could not serialize access: table "${table.name}" has moved since the snapshot was taken`;
      throw new PhantomError('40001', message, { table: table.name, hint: 'Run the transaction again.' });
    }
  }
}
