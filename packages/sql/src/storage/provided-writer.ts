/**
 * The writer of a table that another model keeps (a collection of documents): it holds rows against others as row-writer.ts does, and
 * hands what is to be written to the model.
 */
import type { Oid, ProvidedWriter, TableDescriptor, TableProvider } from '@phantom/catalog';
import { ByteSlot } from '@phantom/kv';
import { LockStrength } from '@phantom/mvcc';
import type { Value } from '../types/type.js';
import { providerTransaction } from './provider-transaction.js';
import type { Arbitration, RowReference, StatementWriter, WriteOutcome } from './table-writer.js';
import type { WriterContext } from './writer-context.js';

export class ProvidedTableWriter implements StatementWriter {
  rowsWritten = 0;
  conflict: RowReference | undefined;
  readonly tableOid: Oid;
  private readonly context: WriterContext;
  private readonly provided: ProvidedWriter;
  private readonly slot = new ByteSlot();
  private tableLocked = false;

  constructor(table: TableDescriptor, provider: TableProvider, context: WriterContext) {
    this.tableOid = table.oid;
    this.context = context;
    this.provided = provider.writer(table, providerTransaction(context));
  }

  beginStatement(): void {
    this.rowsWritten = 0;
    this.conflict = undefined;
    // Going back to a savepoint gives locks back.
    this.tableLocked = false;
  }

  insert(values: readonly Value[], arbitration?: Arbitration): WriteOutcome | Promise<void> {
    const wait = this.lockTable() ?? (arbitration === undefined ? undefined : this.meet(values, arbitration));
    return wait ?? this.done(this.provided.insert(values));
  }

  /** The row in the way of a new one, held, as `conflict`; undefined when there is none. */
  private meet(values: readonly Value[], { arbiters }: Arbitration): WriteOutcome | Promise<void> | undefined {
    const key = this.provided.conflict(values, arbiters);
    if (key === undefined || key instanceof Promise) return key;
    const { transaction } = this.context;
    if (transaction.concurrency === 'locking') {
      const wait = transaction.lock(key, 0, key.length, LockStrength.Update, 'wait');
      if (wait instanceof Promise) return wait;
    }
    if (transaction.isolation !== 'read committed' && transaction.changedSinceSnapshot(key, 0, key.length))
      throw transaction.lostRace(key, 0, key.length);
    if (!transaction.getNewest(key, 0, key.length, this.slot)) return 'changed';
    this.conflict = { key, row: this.slot.copy() };
    return 'conflict';
  }

  leavesUnread(): boolean {
    return false;
  }

  update(old: RowReference, _oldValues: readonly Value[], values: readonly Value[]): WriteOutcome | Promise<void> {
    return this.lockTable() ?? this.holdRow(old) ?? this.done(this.provided.update(old.key, old.row, values));
  }

  remove(old: RowReference): WriteOutcome | Promise<void> {
    return this.lockTable() ?? this.holdRow(old) ?? this.done(this.provided.remove(old.key, old.row));
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
  private holdRow(old: RowReference): WriteOutcome | Promise<void> | undefined {
    const { key } = old;
    const { transaction } = this.context;
    if (transaction.concurrency === 'locking') {
      const wait = transaction.lock(key, 0, key.length, LockStrength.Update, 'wait');
      if (wait instanceof Promise) return wait;
    }
    // The row a conflict was met on was read in its newest version, and is held since.
    if (old === this.conflict) return undefined;
    if (!transaction.changedSinceSnapshot(key, 0, key.length)) return undefined;
    if (transaction.isolation === 'read committed') return 'changed';
    throw transaction.lostRace(key, 0, key.length);
  }
}
