/** Fires triggers in a session: rows as records for the trigger's function or action, and what comes back as a row. */
import { PhantomError } from '@phantom/base';
import type { TableDescriptor, TriggerDescriptor } from '@phantom/catalog';
import { type RecordShape, SqlRecord } from '@phantom/codec';
import type { Yielded } from '../exec/runtime.js';
import type { EvaluationContext } from '../functions/registry.js';
import type { TriggerCall } from '../routine/routine-language.js';
import type { TriggerFiring, TriggerHost } from '../storage/triggers/statement-triggers.js';
import { type TableTriggers, tableTriggers } from '../storage/triggers/table-triggers.js';
import type { Value } from '../types/type.js';
import type { SqlSession } from './session.js';

const TIMINGS = { before: 'BEFORE', after: 'AFTER', 'instead of': 'INSTEAD OF' } as const;
const LEVELS = { row: 'ROW', statement: 'STATEMENT' } as const;
const OPERATIONS = { insert: 'INSERT', update: 'UPDATE', delete: 'DELETE', truncate: 'TRUNCATE' } as const;

export class TriggerCalls implements TriggerHost {
  private readonly session: SqlSession;

  constructor(session: SqlSession) {
    this.session = session;
  }

  get evaluation(): EvaluationContext {
    return this.session.evaluation;
  }

  triggersOf(table: TableDescriptor): TableTriggers | undefined {
    return tableTriggers(table, this.session.ensureTransaction().objects, this.session.picture);
  }

  *fire(trigger: TriggerDescriptor, firing: TriggerFiring): Generator<Yielded, readonly Value[] | null, void> {
    const { table, event, oldRow, newRow, transitions } = firing;
    const { session } = this;
    const call: TriggerCall = {
      name: trigger.name,
      when: TIMINGS[trigger.timing],
      level: LEVELS[trigger.level],
      operation: OPERATIONS[event],
      relationOid: table.oid,
      tableName: table.name,
      schemaName: session.picture.schemaName(table.schemaOid),
      arguments: trigger.arguments,
      oldRow: recordOf(table, oldRow),
      newRow: recordOf(table, newRow),
    };
    const result = yield* session.routines.fire(trigger, call, table, transitions);
    if (trigger.level === 'statement' || trigger.timing === 'after') return newRow ?? oldRow;
    return result === null ? null : rowOf(table, result, newRow ?? oldRow ?? []);
  }

  defer(trigger: TriggerDescriptor, firing: TriggerFiring): boolean {
    const { constraint, oid, name } = trigger;
    if (constraint === undefined) return false;
    const { deferred } = this.session.ensureTransaction();
    const { deferrable, initiallyDeferred } = constraint;
    if (!deferred.isDeferred({ oid, deferrable, initiallyDeferred })) return false;
    const { session } = this;
    session.roles.refuseRestricted('fire deferred trigger');
    const fire = (): Generator<Yielded, unknown, void> => this.fire(trigger, firing);
    deferred.add({
      constraint: { oid, kind: 'check', tableOid: firing.table.oid },
      *run() {
        if (session.picture.relationByOid(firing.table.oid) === undefined)
          throw new PhantomError('XX000', `the table of trigger "${name}" is gone`);
        yield* fire();
      },
    });
    return true;
  }
}

const shapes = new WeakMap<TableDescriptor, RecordShape>();

function shapeOf(table: TableDescriptor): RecordShape {
  let shape = shapes.get(table);
  if (shape === undefined) {
    const live = table.columns.filter(({ dropped }) => !dropped);
    shape = {
      names: live.map(({ name }) => name),
      types: live.map(({ type }) => type.oid),
      typmods: live.map(({ type }) => type.typmod),
    };
    shapes.set(table, shape);
  }
  return shape;
}

/** A row as the record that triggers know. */
export function recordOf(table: TableDescriptor, row: readonly Value[] | null): SqlRecord | null {
  if (row === null) return null;
  const fields = row.filter((_, i) => table.columns[i]?.dropped === false);
  return new SqlRecord(table.rowTypeOid, fields, shapeOf(table));
}

/** A record as a row of the table; the row it was made of where it is the same. */
function rowOf(table: TableDescriptor, record: SqlRecord, before: readonly Value[]): readonly Value[] {
  let next = 0;
  const row = table.columns.map((column): Value => (column.dropped ? null : (record.fields[next++] ?? null)));
  return row.every((value, i) => value === before[i]) ? before : row;
}
