/**
 * What one statement's writes fire. Triggers of rows before they are written fire as the writer goes; what comes after waits in a
 * queue until the statement has written everything and its own constraints hold.
 *
 *   BEFORE statement ─► (BEFORE row ─► write)* ─► foreign keys ─► AFTER row, in the order of the writes ─► AFTER statement
 *
 * Each statement has a queue of its own: what a trigger writes fires its triggers before the next one here fires.
 */
import { PhantomError, assert } from '@phantom/base';
import type { Oid, TableDescriptor, TriggerDescriptor, TriggerEvent } from '@phantom/catalog';
import type { Yielded } from '../../exec/runtime.js';
import type { EvaluationContext } from '../../functions/registry.js';
import type { Value } from '../../types/type.js';
import type { BoundTrigger, TableTriggers } from './table-triggers.js';

/** Rows that wait for their triggers in one statement. */
const TRIGGER_EVENTS_MAX = 4_000_000;

/** A table that a statement writes to, and how. */
export interface ModificationTarget {
  readonly table: TableDescriptor;
  readonly event: TriggerEvent;
  /** Numbers of the columns that an UPDATE sets. */
  readonly assigned: readonly number[];
}

/** A row that was written. */
interface RowEvent {
  readonly triggers: TableTriggers;
  readonly event: TriggerEvent;
  readonly oldRow: readonly Value[] | null;
  readonly newRow: readonly Value[] | null;
}

/** Rows of a statement before and after, as transition tables show them. */
export interface TransitionRows {
  readonly oldRows: readonly (readonly Value[])[];
  readonly newRows: readonly (readonly Value[])[];
}

export interface TriggerFiring {
  readonly table: TableDescriptor;
  readonly event: TriggerEvent;
  readonly oldRow: readonly Value[] | null;
  readonly newRow: readonly Value[] | null;
  readonly transitions: TransitionRows | undefined;
}

/** What fires triggers: the session. The outcome is the row to go on with; null passes it over. */
export interface TriggerHost {
  readonly evaluation: EvaluationContext;
  triggersOf(table: TableDescriptor): TableTriggers | undefined;
  fire(trigger: TriggerDescriptor, firing: TriggerFiring): Generator<Yielded, readonly Value[] | null, void>;
  /** Has a constraint trigger wait for the commit, if it is to; false when it fires now. */
  defer(trigger: TriggerDescriptor, firing: TriggerFiring): boolean;
}

const NO_TARGETS: readonly ModificationTarget[] = [];

export class StatementTriggers {
  private readonly host: TriggerHost | undefined;
  private targets: readonly ModificationTarget[] = NO_TARGETS;
  private events: RowEvent[] = [];

  constructor(host: TriggerHost | undefined) {
    this.host = host;
  }

  /** Rows wait for their triggers. */
  get isPending(): boolean {
    return this.events.length > 0;
  }

  /** A new statement, or the same one anew: nothing is owed. */
  reset(): void {
    this.targets = NO_TARGETS;
    if (this.events.length > 0) this.events = [];
  }

  /** Fires what comes before a statement that writes to the tables. */
  *begin(targets: readonly ModificationTarget[]): Generator<Yielded, void, void> {
    this.targets = targets;
    for (const target of targets) yield* this.fireStatement('before', target);
  }

  /** The row that is to be written in the place of the one proposed; null passes it over. */
  before(
    triggers: TableTriggers,
    event: TriggerEvent,
    oldRow: readonly Value[] | null,
    newRow: readonly Value[] | null,
  ): Generator<Yielded, readonly Value[] | null, void> {
    return this.inTurn('before', triggers, event, oldRow, newRow);
  }

  /** The row that triggers have written in their way; null where they have passed it over. */
  instead(
    triggers: TableTriggers,
    event: TriggerEvent,
    oldRow: readonly Value[] | null,
    newRow: readonly Value[] | null,
  ): Generator<Yielded, readonly Value[] | null, void> {
    return this.inTurn('instead of', triggers, event, oldRow, newRow);
  }

  private *inTurn(
    timing: 'before' | 'instead of',
    triggers: TableTriggers,
    event: TriggerEvent,
    oldRow: readonly Value[] | null,
    newRow: readonly Value[] | null,
  ): Generator<Yielded, readonly Value[] | null, void> {
    let row = newRow ?? oldRow;
    for (const bound of triggers.of(timing, 'row', event)) {
      const proposed = event === 'delete' ? null : row;
      if (!this.isDue(bound, triggers.table, event, oldRow, proposed)) continue;
      const { table } = triggers;
      row = yield* this.fire(bound.trigger, { table, event, oldRow, newRow: proposed, transitions: undefined });
      if (row === null) return null;
    }
    return row;
  }

  /** Notes a row that was written. */
  written(
    triggers: TableTriggers,
    event: TriggerEvent,
    oldRow: readonly Value[] | null,
    newRow: readonly Value[] | null,
  ): void {
    const { keepsRows } = triggers;
    if (!keepsRows && triggers.of('after', 'row', event).length === 0) return;
    if (this.events.length === TRIGGER_EVENTS_MAX) {
      throw new PhantomError('53200', `a statement may write ${TRIGGER_EVENTS_MAX} rows that wait for triggers`, {
        hint: 'Write fewer rows at a time, or use a trigger of the statement.',
      });
    }
    this.events.push({ triggers, event, oldRow: oldRow?.slice() ?? null, newRow: newRow?.slice() ?? null });
  }

  /** Everything is written: fires what comes after. */
  *finish(): Generator<Yielded, void, void> {
    const { events, targets } = this;
    if (events.length > 0) this.events = [];
    const transitions = transitionsOf(events);
    for (const { triggers, event, oldRow, newRow } of events) {
      for (const bound of triggers.of('after', 'row', event)) {
        if (!this.isDue(bound, triggers.table, event, oldRow, newRow)) continue;
        const { table } = triggers;
        const firing = { table, event, oldRow, newRow, transitions: transitions.get(placeOf(table.oid, event)) };
        if (this.host?.defer(bound.trigger, firing) !== true) yield* this.fire(bound.trigger, firing);
      }
    }
    for (const target of closingOrder(targets))
      yield* this.fireStatement('after', target, transitions.get(placeOf(target.table.oid, target.event)));
  }

  private *fireStatement(
    timing: 'before' | 'after',
    { table, event }: ModificationTarget,
    transitions: TransitionRows = NO_ROWS,
  ): Generator<Yielded, void, void> {
    for (const bound of this.host?.triggersOf(table)?.of(timing, 'statement', event) ?? []) {
      if (!this.isDue(bound, table, event, null, null)) continue;
      yield* this.fire(bound.trigger, { table, event, oldRow: null, newRow: null, transitions });
    }
  }

  private isDue(
    { trigger, condition }: BoundTrigger,
    { oid, columns }: TableDescriptor,
    event: TriggerEvent,
    oldRow: readonly Value[] | null,
    newRow: readonly Value[] | null,
  ): boolean {
    if (event === 'update' && trigger.columns.length > 0) {
      const target = this.targets.find((candidate) => candidate.table.oid === oid && candidate.event === 'update');
      const sets = (number: number): boolean => {
        if (target !== undefined) return target.assigned.includes(number);
        // An action of a foreign key says nothing: the rows do.
        const at = columns.findIndex((column) => column.number === number);
        return oldRow?.[at] !== newRow?.[at];
      };
      if (!trigger.columns.some(sets)) return false;
    }
    if (condition === undefined) return true;
    return this.host !== undefined && condition(oldRow, newRow, this.host.evaluation);
  }

  private fire(trigger: TriggerDescriptor, firing: TriggerFiring): ReturnType<TriggerHost['fire']> {
    assert(this.host !== undefined, 'whoever has no triggers to fire has no writers that ask for them');
    return this.host.fire(trigger, firing);
  }
}

/** What ON CONFLICT and MERGE do to a table ends in the opposite order of its beginning. */
function closingOrder(targets: readonly ModificationTarget[]): readonly ModificationTarget[] {
  if (targets.length < 2) return targets;
  const byTable = new Map<Oid, ModificationTarget[]>();
  for (const target of targets) {
    const ofTable = byTable.get(target.table.oid);
    if (ofTable === undefined) byTable.set(target.table.oid, [target]);
    else ofTable.unshift(target);
  }
  return [...byTable.values()].flat();
}

const NO_ROWS: TransitionRows = { oldRows: [], newRows: [] };

function placeOf(tableOid: Oid, event: TriggerEvent): string {
  return `${tableOid} ${event}`;
}

function transitionsOf(events: readonly RowEvent[]): ReadonlyMap<string, TransitionRows> {
  const found = new Map<string, { oldRows: (readonly Value[])[]; newRows: (readonly Value[])[] }>();
  for (const { triggers, event, oldRow, newRow } of events) {
    if (!triggers.keepsRows) continue;
    const place = placeOf(triggers.table.oid, event);
    let rows = found.get(place);
    if (rows === undefined) found.set(place, (rows = { oldRows: [], newRows: [] }));
    if (oldRow !== null) rows.oldRows.push(oldRow);
    if (newRow !== null) rows.newRows.push(newRow);
  }
  return found;
}
