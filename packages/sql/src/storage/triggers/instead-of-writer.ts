/** The writer of a view whose triggers stand for every change: it fires them, and what they do is the change. */
import type { Oid, TriggerEvent } from '@phantom/catalog';
import { REST, type Yielded } from '../../exec/runtime.js';
import type { Value } from '../../types/type.js';
import type { RowReference, StatementWriter, WriteOutcome } from '../table-writer.js';
import type { StatementTriggers } from './statement-triggers.js';
import type { TableTriggers } from './table-triggers.js';

type Row = readonly Value[];

export class InsteadOfWriter implements StatementWriter {
  rowsWritten = 0;
  readonly conflict = undefined;
  /** The row that the triggers have made of the last one. */
  stored: Row = [];
  private readonly triggers: TableTriggers;
  private readonly statement: StatementTriggers;
  private pending: { readonly given: Row; readonly run: Generator<Yielded, Row | null, void> } | undefined;

  constructor(triggers: TableTriggers, statement: StatementTriggers) {
    this.triggers = triggers;
    this.statement = statement;
  }

  get tableOid(): Oid {
    return this.triggers.table.oid;
  }

  beginStatement(): void {
    this.rowsWritten = 0;
    this.pending = undefined;
  }

  insert(values: Row): WriteOutcome | Promise<void> {
    return this.write('insert', null, values, values);
  }

  leavesUnread(): boolean {
    return false;
  }

  update(_old: RowReference, oldValues: Row, values: Row): WriteOutcome | Promise<void> {
    return this.write('update', oldValues, values, values);
  }

  remove(_old: RowReference, oldValues: Row): WriteOutcome | Promise<void> {
    return this.write('delete', oldValues, null, oldValues);
  }

  private write(event: TriggerEvent, oldRow: Row | null, newRow: Row | null, given: Row): WriteOutcome | Promise<void> {
    if (this.pending?.given !== given)
      this.pending = { given, run: this.statement.instead(this.triggers, event, oldRow, newRow) };
    const step = this.pending.run.next();
    if (step.done !== true) return step.value instanceof Promise ? step.value.then(() => undefined) : REST;
    this.pending = undefined;
    if (step.value === null) return 'skipped';
    this.stored = step.value;
    this.rowsWritten++;
    return 'written';
  }
}
