/**
 * What one statement's writes fire and owe. Triggers of rows before they are written fire as the writer goes; what comes after waits
 * in a queue, in order, until the statement has written everything.
 *
 *   BEFORE statement ─► (BEFORE row ─► write)* ─► for each row that was written: foreign keys, AFTER row ─► AFTER statement
 *
 * The action of a foreign key is a statement inside of this one, and what it fires and owes comes last in the same queue. The triggers
 * of statements fire once for all that are done to a table in one way, with the rows of all, as PostgreSQL does it: before the first,
 * and in the place of the last (table-events.ts). A statement of a trigger has a queue of its own: what that writes fires its triggers
 * before the next one here fires.
 */
import { PhantomError, assert } from '@phantom/base';
import type { Oid, TableDescriptor, TriggerDescriptor, TriggerEvent } from '@phantom/catalog';
import type { Yielded } from '../../exec/runtime.js';
import type { EvaluationContext } from '../../functions/registry.js';
import type { Value } from '../../types/type.js';
import { type StatementEnd, TableEvents } from './table-events.js';
import type { BoundTrigger, TableTriggers } from './table-triggers.js';

/** Rows that one statement may have written that wait for their triggers. */
const TRIGGER_EVENTS_MAX = 4_000_000;

/** A table that a statement writes to, and how. */
export interface ModificationTarget {
  readonly table: TableDescriptor;
  readonly event: TriggerEvent;
  /** Numbers of the columns that an UPDATE sets. */
  readonly assigned: readonly number[];
}

/** What a row that was written owes: a look at other rows, or the action of a foreign key on them. */
export interface OwedCheck {
  /** It may fire triggers. */
  readonly fires: boolean;
  /** A promise: wait, then call again. */
  settle(): Promise<void> | undefined;
}

/** A row that was written, and its triggers. */
interface RowEvent {
  readonly events: TableEvents;
  readonly oldRow: readonly Value[] | null;
  readonly newRow: readonly Value[] | null;
  readonly due: readonly TriggerDescriptor[];
}

export interface TriggerFiring {
  readonly table: TableDescriptor;
  readonly event: TriggerEvent;
  readonly oldRow: readonly Value[] | null;
  readonly newRow: readonly Value[] | null;
  readonly transitions: TableEvents | undefined;
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
  /** The action of a foreign key that is under way. */
  private acting: ModificationTarget | undefined;
  private queue: (OwedCheck | RowEvent | StatementEnd)[] = [];
  /** How far the queue is settled. */
  private settled = 0;
  private rows = 0;
  private tables: TableEvents[] = [];

  constructor(host: TriggerHost | undefined) {
    this.host = host;
  }

  /** A new statement, or the same one anew: nothing is owed. */
  reset(): void {
    this.targets = NO_TARGETS;
    this.acting = undefined;
    this.settled = 0;
    this.rows = 0;
    if (this.queue.length > 0) this.queue = [];
    if (this.tables.length > 0) this.tables = [];
  }

  /** To be settled when everything is written, in its turn. */
  owe(check: OwedCheck): void {
    this.queue.push(check);
  }

  /** Fires what comes before a statement that writes to the tables. */
  *begin(targets: readonly ModificationTarget[]): Generator<Yielded, void, void> {
    this.targets = targets;
    for (const target of targets) yield* this.fireBefore(target);
  }

  /** Runs a statement inside of this one: the action of a foreign key. */
  *within(target: ModificationTarget, change: Generator<Yielded, void, void>): Generator<Yielded, void, void> {
    this.acting = target;
    try {
      yield* this.fireBefore(target);
      yield* change;
      this.endsWith(target);
    } finally {
      this.acting = undefined;
    }
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
      if (!this.isDue(bound, triggers, event, oldRow, proposed)) continue;
      const { table } = triggers;
      row = yield* this.fire(bound.trigger, { table, event, oldRow, newRow: proposed, transitions: undefined });
      if (row === null) return null;
      // An update asks for the row's place after its triggers, an insertion before them.
      if (event === 'insert' && bound.trigger.parentOid !== undefined && !this.takes(triggers, row))
        throw leavesPartition(triggers, bound.trigger);
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
    const { table, keepsRows } = triggers;
    const due = triggers
      .of('after', 'row', event)
      .filter((bound) => this.isDue(bound, triggers, event, oldRow, newRow))
      .map(({ trigger }) => trigger);
    if (!keepsRows && due.length === 0) return;
    this.countRow();
    const [before, after] = [oldRow?.slice() ?? null, newRow?.slice() ?? null];
    const events = this.eventsOf({ table, event });
    if (keepsRows) events.keep(before, after);
    if (due.length > 0) this.queue.push({ events, oldRow: before, newRow: after, due });
  }

  /** Notes a row that was written to a partition, for triggers of the table's statements that know rows as relations. */
  routed(
    table: TableDescriptor,
    event: TriggerEvent,
    oldRow: readonly Value[] | null,
    newRow: readonly Value[] | null,
  ): void {
    // A table in between has no statement of its own.
    if (this.targetOf(table.oid) === undefined) return;
    this.countRow();
    this.eventsOf({ table, event }).keep(oldRow?.slice() ?? null, newRow?.slice() ?? null);
  }

  private countRow(): void {
    if (this.rows++ < TRIGGER_EVENTS_MAX) return;
    throw new PhantomError('53200', `a statement may write ${TRIGGER_EVENTS_MAX} rows that wait for triggers`, {
      hint: 'Write fewer rows at a time, or use a trigger of the statement.',
    });
  }

  /** True for a row that the triggers' table may have, which a partition says by its bound. */
  takes(triggers: TableTriggers, row: readonly Value[]): boolean {
    return this.host === undefined || triggers.takes(row, this.host.evaluation);
  }

  /** Everything is written: settles what is owed, and fires what comes after. */
  *finish(): Generator<Yielded, void, void> {
    for (const target of closingOrder(this.targets)) this.endsWith(target);
    yield* this.settle();
  }

  /** Settles and fires what is in the queue, with all that comes into it meanwhile. */
  *settle(): Generator<Yielded, void, void> {
    while (this.settled < this.queue.length) {
      const next = this.queue[this.settled++] as OwedCheck | RowEvent | StatementEnd;
      if ('settle' in next) for (let wait = next.settle(); wait !== undefined; wait = next.settle()) yield wait;
      else if ('oldRow' in next) yield* this.fireRow(next);
      else yield* this.fireAfter(next);
    }
  }

  /** As `finish`, for a statement on tables without triggers; false where somebody is to be waited for, or triggers would fire. */
  finishNow(): boolean {
    while (this.settled < this.queue.length) {
      const next = this.queue[this.settled++] as OwedCheck | RowEvent | StatementEnd;
      if (!('settle' in next) || next.fires || next.settle() !== undefined) return false;
    }
    return true;
  }

  private *fireRow({ events, oldRow, newRow, due }: RowEvent): Generator<Yielded, void, void> {
    const { table, event } = events;
    const firing = { table, event, oldRow, newRow, transitions: events };
    for (const trigger of due) {
      if (this.host?.defer(trigger, firing) !== true) yield* this.fire(trigger, firing);
    }
  }

  private *fireBefore(target: ModificationTarget): Generator<Yielded, void, void> {
    const triggers = this.host?.triggersOf(target.table);
    if (triggers === undefined || !this.eventsOf(target).begins()) return;
    for (const trigger of this.statementTriggers('before', triggers, target))
      yield* this.fire(trigger, { ...target, oldRow: null, newRow: null, transitions: undefined });
  }

  /** What the target says is written: its triggers are next in the queue, in the place of those that wait there for its like. */
  private endsWith(target: ModificationTarget): void {
    const triggers = this.host?.triggersOf(target.table);
    if (triggers === undefined || triggers.of('after', 'statement', target.event).length === 0) return;
    const end = this.eventsOf(target).ends(this.statementTriggers('after', triggers, target));
    this.queue.push(end);
  }

  private *fireAfter({ events, due, isOver }: StatementEnd): Generator<Yielded, void, void> {
    if (isOver) return;
    const { table, event } = events;
    for (const trigger of due)
      yield* this.fire(trigger, { table, event, oldRow: null, newRow: null, transitions: events });
  }

  private statementTriggers(
    timing: 'before' | 'after',
    triggers: TableTriggers,
    { event }: ModificationTarget,
  ): TriggerDescriptor[] {
    return triggers
      .of(timing, 'statement', event)
      .filter((bound) => this.isDue(bound, triggers, event, null, null))
      .map(({ trigger }) => trigger);
  }

  /** What has been done to the table in this way, and has not been shown to a trigger. */
  private eventsOf({ table, event }: Pick<ModificationTarget, 'table' | 'event'>): TableEvents {
    let events = this.tables.find((known) => known.table.oid === table.oid && known.event === event && !known.isShown);
    if (events === undefined) this.tables.push((events = new TableEvents(table, event)));
    return events;
  }

  private targetOf(oid: Oid): ModificationTarget | undefined {
    if (this.acting?.table.oid === oid) return this.acting;
    return this.targets.find(({ table }) => table.oid === oid);
  }

  private isDue(
    { trigger, condition }: BoundTrigger,
    { table, above }: TableTriggers,
    event: TriggerEvent,
    oldRow: readonly Value[] | null,
    newRow: readonly Value[] | null,
  ): boolean {
    if (event === 'update' && trigger.columns.length > 0) {
      const target =
        this.acting ??
        this.targets.find(
          (candidate) =>
            candidate.event === 'update' && (candidate.table.oid === table.oid || above.includes(candidate.table.oid)),
        );
      if (!trigger.columns.some((number) => target !== undefined && isAssigned(target, table, number))) return false;
    }
    if (condition === undefined) return true;
    return this.host !== undefined && condition(oldRow, newRow, this.host.evaluation);
  }

  private fire(trigger: TriggerDescriptor, firing: TriggerFiring): ReturnType<TriggerHost['fire']> {
    assert(this.host !== undefined, 'whoever has no triggers to fire has no writers that ask for them');
    if (trigger.oldTable !== undefined || trigger.newTable !== undefined) firing.transitions?.show();
    return this.host.fire(trigger, firing);
  }
}

/** True for a column of the table, or of a partition of it, that the target says is set. Columns correspond by name. */
function isAssigned({ table, assigned }: ModificationTarget, own: TableDescriptor, number: number): boolean {
  if (own.oid === table.oid) return assigned.includes(number);
  const name = own.columns.find((column) => column.number === number)?.name;
  return table.columns.some((column) => column.name === name && assigned.includes(column.number));
}

function leavesPartition({ shownName }: TableTriggers, { name }: TriggerDescriptor): PhantomError {
  return new PhantomError(
    '0A000',
    'moving row to another partition during a BEFORE FOR EACH ROW trigger is not supported',
    { detail: `Before executing trigger "${name}", the row was to be in partition "${shownName}".` },
  );
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
