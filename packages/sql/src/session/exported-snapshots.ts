/**
 * pg_export_snapshot and SET TRANSACTION SNAPSHOT: several sessions that read the same moment, as those of `pg_dump -j` do.
 *
 * An exported snapshot is held by a read-only transaction of its own, which ends with the one that exported it: at read committed
 * that one goes on to newer ones. Who imports it reads by it as long as his own transaction lives, whatever becomes of the exporter.
 * A name is told by nobody but the exporter, and may be told to sessions of the same database alone.
 *
 * Left out: transactions that import and write. What was committed since the snapshot would have to be known for as long as somebody
 * may import it.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { Mvcc, MvccTransaction } from '@phantom/mvcc';
import type { SqlSession } from './session.js';
import type { SessionTransaction } from './transaction.js';
import { shownModes } from './transaction-modes.js';

/** Snapshots that one transaction may have exported. */
const EXPORTED_MAX = 1000;

interface Exported {
  readonly databaseOid: number;
  readonly holder: MvccTransaction;
}

/** The exported snapshots of all sessions, by their names. */
export class ExportedSnapshots {
  private readonly mvcc: Mvcc;
  private readonly byName = new Map<string, Exported>();
  private readonly counts = new WeakMap<MvccTransaction, number>();

  constructor(mvcc: Mvcc) {
    this.mvcc = mvcc;
  }

  /** Exports what a transaction reads by at present, until it ends; the name for it. 53400 past a thousand of one transaction. */
  export(exporter: MvccTransaction, databaseOid: number): string {
    const count = (this.counts.get(exporter) ?? 0) + 1;
    if (count > EXPORTED_MAX)
      throw new PhantomError('53400', `a transaction can export ${EXPORTED_MAX} snapshots at the most`);
    this.counts.set(exporter, count);
    const holder = this.mvcc.begin({
      isolation: 'repeatable read',
      readOnly: true,
      label: 'exported snapshot',
      snapshotOf: exporter,
    });
    const name = `${hex(holder.id)}-${hex(holder.snapshotSeq)}-${count}`;
    this.byName.set(name, { databaseOid, holder });
    exporter.onEnd(() => {
      this.byName.delete(name);
      if (holder.status === 'active') holder.rollback();
    });
    return name;
  }

  /** The transaction that holds a snapshot. 22023 where there is none of the name, 0A000 in another database. */
  holderOf(name: string, databaseOid: number): MvccTransaction {
    const exported = this.byName.get(name);
    if (exported === undefined) throw new PhantomError('22023', `invalid snapshot identifier: "${name}"`);
    if (exported.databaseOid !== databaseOid)
      throw new PhantomError('0A000', 'cannot import a snapshot from a different database');
    return exported.holder;
  }
}

function hex(number: number): string {
  return number.toString(16).toUpperCase().padStart(8, '0');
}

/** A session, as far as it is asked. */
export interface SnapshotExporter {
  readonly engine: { readonly snapshots: ExportedSnapshots };
  readonly transaction: SessionTransaction | undefined;
  readonly databaseOid: number;
}

/** pg_export_snapshot(): 25001 behind a savepoint. */
export function exportSnapshot({ engine, transaction, databaseOid }: SnapshotExporter): string {
  if (transaction === undefined) throw new PhantomError('25P01', 'there is no transaction to export a snapshot of');
  if (transaction.hasSavepoints) throw new PhantomError('25001', 'cannot export a snapshot from a subtransaction');
  return engine.snapshots.export(transaction.storage, databaseOid);
}

/** SET TRANSACTION SNAPSHOT: the transaction, which has done nothing yet, begins anew and reads by the snapshot. */
export function importSnapshot(session: SqlSession, name: string): void {
  const { transaction, engine, databaseOid, settings } = session;
  if (transaction === undefined || !transaction.explicit) {
    session.notice('WARNING', '25P01', 'SET TRANSACTION can only be used in transaction blocks');
    return;
  }
  if (transaction.hasBegun || transaction.hasSavepoints)
    throw new PhantomError('25001', 'SET TRANSACTION SNAPSHOT must be called before any query');
  const modes = shownModes(settings);
  if (modes.isolation !== 'repeatable read' && modes.isolation !== 'serializable')
    throw new PhantomError(
      '0A000',
      'a snapshot-importing transaction must have isolation level SERIALIZABLE or REPEATABLE READ',
    );
  const snapshotOf = engine.snapshots.holderOf(name, databaseOid);
  if (modes.isolation === 'serializable')
    throw new PhantomError(
      '0A000',
      'a serializable transaction cannot import a snapshot from a non-serializable transaction',
    );
  if (!modes.readOnly)
    throw unsupportedError('SET TRANSACTION SNAPSHOT in a transaction that may write', {
      hint: 'Begin it with BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY.',
    });
  session.rollback();
  session.openTransaction(true, { ...modes, snapshotOf });
}
