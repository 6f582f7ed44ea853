/**
 * The writer of a table that another model keeps (a collection of documents): it holds rows against others as row-writer.ts does, and
 * hands what is to be written to the model. Conflicts cannot be arbitrated: ON CONFLICT is 0A000.
 */
import { unsupportedError } from '@phantom/base';
import type { Oid, ProvidedWriter, TableDescriptor, TableProvider } from '@phantom/catalog';
import { LockStrength } from '@phantom/mvcc';
import type { Value } from '../types/type.js';
import { providerTransaction } from './provider-transaction.js';
import type { RowReference, StatementWriter, WriteOutcome } from './table-writer.js';
import type { WriterContext } from './writer-context.js';

export class ProvidedTableWriter implements StatementWriter {
  rowsWritten = 0;
  readonly conflict = undefined;
  readonly tableOid: Oid;
  private readonly context: WriterContext;
  private readonly provided: ProvidedWriter;
  private tableLocked = false;

  constructor(table: TableDescriptor, provider: TableProvider, context: WriterContext) {
    this.tableOid = table.oid;
    this.context = context;
    this.provided = provider.writer(table, providerTransaction(context));
  }

  beginStatement(): void {
    this.rowsWritten = 0;
  }

  insert(values: readonly Value[], arbiter?: readonly Oid[]): WriteOutcome | Promise<void> {
    if (arbiter !== undefined) throw unsupportedError('ON CONFLICT on a collection');
    return this.lockTable() ?? this.done(this.provided.insert(values));
  }

  update(old: RowReference, _oldValues: readonly Value[], values: readonly Value[]): WriteOutcome | Promise<void> {
    return this.lockTable() ?? this.holdRow(old) ?? this.done(this.provided.update(old.key, old.row, values));
  }

  remove(old: RowReference): WriteOutcome | Promise<void> {
    return this.lockTable() ?? this.holdRow(old) ?? this.done(this.provided.remove(old.key, old.row));
  }

  finishStatement(): undefined {
    return undefined;
  }

  private done(wait: Promise<void> | undefined): WriteOutcome | Promise<void> {
    if (wait !== undefined) return wait;
    this.rowsWritten++;
    return 'written';
  }

  private lockTable(): Promise<void> | undefined {
    if (this.tableLocked) return undefined;
    const wait = this.context.lockTable(this.tableOid);
    if (wait === undefined) this.tableLocked = true;
    return wait;
  }

  /** Makes sure that nobody else changes a row that was read, and that it still is what was read. */
  private holdRow({ key }: RowReference): WriteOutcome | Promise<void> | undefined {
    const { transaction } = this.context;
    if (transaction.concurrency === 'locking') {
      const wait = transaction.lock(key, 0, key.length, LockStrength.Update, 'wait');
      if (wait instanceof Promise) return wait;
    }
    if (!transaction.changedSinceSnapshot(key, 0, key.length)) return undefined;
    if (transaction.isolation === 'read committed') return 'changed';
    throw transaction.lostRace(key, 0, key.length);
  }
}
