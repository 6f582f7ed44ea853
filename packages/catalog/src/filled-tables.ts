/**
 * Whether a transaction's snapshot shows what a table holds. Names and plans follow the newest catalog, data the snapshot: a table that
 * has moved to other spaces since, or an index that was built since, is empty in an older snapshot. Such a transaction is told to
 * run again (40001); statements at read committed have snapshots of their own and never are.
 */
import { PhantomError } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import type { MvccTransaction } from '@phantom/mvcc';
import type { Oid } from './descriptors.js';

/** Tables remembered one by one; past it older snapshots are refused all of them. */
const TABLES_MAX = 4096;

/** Tables that were moved, or given an index, and the commits by which. */
export class FilledTables {
  /** The newest of these commits; 0 while there are none. */
  private newest: Seq = 0;
  /** Every table counts as filled by this one at the latest. */
  private floor: Seq = 0;
  private readonly seqs = new Map<Oid, Seq>();

  /** Puts a table's new spaces to use with the commit of the transaction, if it comes to one. */
  fillBy(transaction: MvccTransaction, oid: Oid): void {
    transaction.onEnd((seq) => {
      if (seq === undefined) return;
      if (this.seqs.size >= TABLES_MAX) {
        this.seqs.clear();
        this.floor = this.newest;
      }
      this.seqs.set(oid, seq);
      this.newest = seq;
    });
  }

  /** True when a snapshot may be older than what some table holds: each table is to be checked. */
  mayBeNewer({ isolation, snapshotSeq }: MvccTransaction): boolean {
    return this.newest > 0 && isolation !== 'read committed' && snapshotSeq !== 0 && snapshotSeq < this.newest;
  }

  /** 40001 for a table that was filled since the transaction's snapshot. */
  check(transaction: MvccTransaction, oid: Oid, name: string): void {
    if (!this.mayBeNewer(transaction) || (this.seqs.get(oid) ?? this.floor) <= transaction.snapshotSeq) return;
    const message = `could not serialize access: table "${name}" was moved or given an index since the snapshot was taken`;
    throw new PhantomError('40001', message, { table: name, hint: 'Run the transaction again.' });
  }
}
