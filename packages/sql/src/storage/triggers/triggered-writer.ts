/**
 * The writer of a table with triggers: asks those of the row before it writes, and notes what was written for those that come
 * after. A trigger that waits makes the call wait: the caller repeats it with the same row, and the trigger goes on.
 */
import type { Oid, TriggerEvent } from '@phantom/catalog';
import { REST, type Yielded } from '../../exec/runtime.js';
import type { Value } from '../../types/type.js';
import type { Arbitration, MovedRow, RowReference, StatementWriter, WriteOutcome } from '../table-writer.js';
import type { StatementTriggers } from './statement-triggers.js';
import type { TableTriggers } from './table-triggers.js';

type Row = readonly Value[];

/** A row on whose way to the table somebody has to be waited for. */
interface Pending {
  /** The array that the caller repeats the call with. */
  readonly given: Row;
  readonly triggers: Generator<Yielded, Row | null, void>;
  /** What the triggers have made of it; undefined while they run. */
  outcome: Row | null | undefined;
}

export class TriggeredWriter implements StatementWriter {
  /** The row as it was written last, or as it was to be inserted when a conflict was met. */
  stored: Row = [];
  private readonly inner: StatementWriter;
  private readonly triggers: TableTriggers;
  private readonly statement: StatementTriggers;
  private pending: Pending | undefined;

  constructor(inner: StatementWriter, triggers: TableTriggers, statement: StatementTriggers) {
    this.inner = inner;
    this.triggers = triggers;
    this.statement = statement;
  }

  get tableOid(): Oid {
    return this.inner.tableOid;
  }

  get rowsWritten(): number {
    return this.inner.rowsWritten;
  }

  get marksRows(): boolean {
    return this.inner.marksRows === true;
  }

  get conflict(): RowReference | undefined {
    return this.inner.conflict;
  }

  beginStatement(): void {
    this.pending = undefined;
    this.inner.beginStatement();
  }

  insert(values: Row, arbitration?: Arbitration): WriteOutcome | Promise<void> {
    return this.write('insert', null, values, values, (row) => this.inner.insert(row, arbitration));
  }

  leavesUnread(): boolean {
    return false;
  }

  update(old: RowReference, oldValues: Row, values: Row, mayLeave = false): WriteOutcome | Promise<void> {
    return this.write('update', oldValues, values, values, (row) => {
      if (mayLeave && !this.statement.takes(this.triggers, row)) {
        this.stored = row;
        return 'leaves';
      }
      return this.inner.update(old, oldValues, row);
    });
  }

  remove(old: RowReference, oldValues: Row, moved?: MovedRow): WriteOutcome | Promise<void> {
    return this.write('delete', oldValues, null, oldValues, () => this.inner.remove(old, oldValues, moved));
  }

  private write(
    event: TriggerEvent,
    oldRow: Row | null,
    newRow: Row | null,
    given: Row,
    write: (row: Row) => WriteOutcome | Promise<void>,
  ): WriteOutcome | Promise<void> {
    let { pending } = this;
    if (pending === undefined || pending.given !== given) {
      const proposed = newRow === null ? null : this.withoutGenerated(newRow);
      const triggers = this.statement.before(this.triggers, event, oldRow, proposed);
      this.pending = pending = { given, triggers, outcome: undefined };
    }
    while (pending.outcome === undefined) {
      const step = pending.triggers.next();
      if (step.done === true) pending.outcome = step.value;
      else return step.value instanceof Promise ? step.value.then(() => undefined) : REST;
    }
    const row = pending.outcome;
    if (row === null) {
      this.pending = undefined;
      return 'skipped';
    }
    const outcome = write(row);
    if (outcome instanceof Promise) return outcome;
    this.pending = undefined;
    if (outcome === 'written' || outcome === 'conflict') this.stored = this.inner.stored ?? row;
    if (outcome !== 'written') return outcome;
    this.statement.written(this.triggers, event, oldRow, event === 'delete' ? null : this.stored);
    return outcome;
  }

  /** Generated columns are computed from what the triggers make of the others. */
  private withoutGenerated(row: Row): Row {
    const { columns } = this.triggers.table;
    if (!columns.some(({ generated }) => generated !== undefined)) return row;
    return row.map((value, i) => (columns[i]?.generated === undefined ? value : null));
  }
}
