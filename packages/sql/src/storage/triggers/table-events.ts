/**
 * What the statements in one trigger queue have done to one table in one way: whether its triggers before them have fired, the end that
 * those after them wait for, and the rows that transition tables show. Once a trigger has been shown the rows they stay as they are:
 * what is done to the table later is counted anew.
 */
import type { TableDescriptor, TriggerDescriptor, TriggerEvent } from '@phantom/catalog';
import type { Value } from '../../types/type.js';

/** Rows of a statement before and after, as transition tables show them. */
export interface TransitionRows {
  readonly oldRows: readonly (readonly Value[])[];
  readonly newRows: readonly (readonly Value[])[];
}

/** The end of a statement, and the triggers that are due then. */
export interface StatementEnd {
  readonly events: TableEvents;
  readonly due: readonly TriggerDescriptor[];
  /** A later one has taken its place. */
  isOver: boolean;
}

export class TableEvents implements TransitionRows {
  readonly table: TableDescriptor;
  readonly event: TriggerEvent;
  readonly oldRows: (readonly Value[])[] = [];
  readonly newRows: (readonly Value[])[] = [];
  isShown = false;
  private hasBegun = false;
  private end: StatementEnd | undefined;

  constructor(table: TableDescriptor, event: TriggerEvent) {
    this.table = table;
    this.event = event;
  }

  /** A statement begins; true for the first. */
  begins(): boolean {
    const isFirst = !this.hasBegun;
    this.hasBegun = true;
    return isFirst;
  }

  /** A statement ends: the end that counts unless another one follows. */
  ends(due: readonly TriggerDescriptor[]): StatementEnd {
    if (this.end !== undefined) this.end.isOver = true;
    return (this.end = { events: this, due, isOver: false });
  }

  keep(oldRow: readonly Value[] | null, newRow: readonly Value[] | null): void {
    if (oldRow !== null) this.oldRows.push(oldRow);
    if (newRow !== null) this.newRows.push(newRow);
  }

  show(): void {
    this.isShown = true;
  }
}
