/**
 * Whether a transaction's snapshot shows what the tables of a plan hold. Names and plans follow the newest catalog, data the
 * snapshot: a table that has moved to other spaces since, or an index that was built since, is empty in an older snapshot.
 * Such a transaction is told to run again (40001); statements at read committed have snapshots of their own and never are.
 */
import { PhantomError } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import type { Seq } from '@phantom/kv';
import type { PreparedPlan } from '../plan/prepared-plan.js';
import type { SqlSession } from './session.js';

/** Tables remembered one by one; past it older snapshots are refused all of them. */
const TABLES_MAX = 4096;

/** Tables that were moved, or given an index, and the commits by which. */
export class FilledTables {
  /** The newest of these commits; 0 while there are none. */
  seq: Seq = 0;
  /** Every table counts as filled by this one at the latest. */
  private floor: Seq = 0;
  private readonly seqs = new Map<Oid, Seq>();

  /** The commit (undefined: it has not come to one) that put a table's new spaces to use. */
  note(oid: Oid, seq: Seq | undefined): void {
    if (seq === undefined) return;
    if (this.seqs.size >= TABLES_MAX) {
      this.seqs.clear();
      this.floor = this.seq;
    }
    this.seqs.set(oid, seq);
    this.seq = seq;
  }

  seqOf(oid: Oid): Seq {
    return this.seqs.get(oid) ?? this.floor;
  }
}

export function checkSnapshotReaches(session: SqlSession, plan: PreparedPlan): void {
  const storage = session.transaction?.storage;
  if (storage === undefined || storage.isolation === 'read committed') return;
  const { snapshotSeq } = storage;
  const { filled, catalog } = session.engine;
  if (snapshotSeq === 0 || snapshotSeq >= filled.seq) return;
  for (const { oid } of plan.dependencies) {
    if (filled.seqOf(oid) <= snapshotSeq) continue;
    const table = catalog.committed.object(oid);
    const name = table?.kind === 'table' ? table.name : '';
    const message = `could not serialize access: table "${name}" was moved or given an index since the snapshot was taken`;
    throw new PhantomError('40001', message, { table: name, hint: 'Run the transaction again.' });
  }
}
