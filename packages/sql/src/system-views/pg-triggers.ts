/** pg_trigger and information_schema.triggers: the triggers of users. Foreign keys are kept without triggers here. */
import { type TriggerDescriptor, type TriggerEvent, hasPrivilege } from '@phantom/catalog';
import { SqlArray } from '@phantom/codec';
import { TypeOid } from '../types/type-oids.js';
import { type CatalogRow, catalogView, informationView } from './catalog-view.js';
import { relationsOf } from './pg-objects.js';
import type { SystemView, SystemViewSource } from './system-view.js';
import { actionText, conditionText } from './trigger-text.js';

/** Bits of tgtype. */
const ROW = 1;
const TIMING_BITS = { before: 2, after: 0, 'instead of': 64 } as const;
const EVENT_BITS = { insert: 4, delete: 8, update: 16, truncate: 32 } as const;
const FIRING = { origin: 'O', always: 'A', replica: 'R', disabled: 'D' } as const;

/** Triggers of the session's database. */
export function* triggersOf(source: SystemViewSource): Iterable<TriggerDescriptor> {
  for (const relation of relationsOf(source)) {
    if (relation.kind !== 'table' && relation.kind !== 'view') continue;
    for (const oid of relation.triggerOids ?? []) {
      const trigger = source.objectsSeen.object(oid);
      if (trigger?.kind === 'trigger') yield trigger;
    }
  }
}

const UTF8 = new TextEncoder();

function* triggerRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const trigger of triggersOf(source)) {
    const { events, columns, constraint } = trigger;
    yield {
      oid: trigger.oid,
      tgrelid: trigger.tableOid,
      tgname: trigger.name,
      tgparentid: trigger.parentOid ?? 0,
      tgfoid: trigger.functionOid,
      tgtype: events.reduce(
        (bits, event) => bits | EVENT_BITS[event],
        TIMING_BITS[trigger.timing] | (trigger.level === 'row' ? ROW : 0),
      ),
      tgenabled: FIRING[trigger.firing],
      tgisinternal: false,
      tgconstraint: constraint === undefined ? 0 : trigger.oid,
      tgdeferrable: constraint?.deferrable ?? false,
      tginitdeferred: constraint?.initiallyDeferred ?? false,
      tgnargs: trigger.arguments.length,
      tgattr: new SqlArray(
        TypeOid.int2,
        columns.length === 0 ? [] : [columns.length],
        columns.length === 0 ? [] : [0],
        columns,
      ),
      tgargs: UTF8.encode(trigger.arguments.map((text) => `${text}\0`).join('')),
      tgqual: trigger.whenSql ?? null,
      tgoldtable: trigger.oldTable ?? null,
      tgnewtable: trigger.newTable ?? null,
    };
  }
}

const LISTED: readonly TriggerEvent[] = ['insert', 'delete', 'update'];

/** A row for each event, numbered in the order in which triggers of one kind fire. */
function* informationRows(source: SystemViewSource): Iterable<CatalogRow> {
  const orders = new Map<string, number>();
  const triggers = [...triggersOf(source)].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const trigger of triggers) {
    const relation = source.objectsSeen.object(trigger.tableOid);
    if (relation?.kind !== 'table' && relation?.kind !== 'view') continue;
    if (![...'awdDxt'].some((letter) => hasPrivilege(source.objectsSeen, source.roleOid, relation, letter))) continue;
    const schema = source.schemaNameOf(relation.schemaOid);
    for (const event of LISTED) {
      if (!trigger.events.includes(event)) continue;
      const kind = `${relation.oid} ${event} ${trigger.level} ${trigger.timing}`;
      const order = (orders.get(kind) ?? 0) + 1;
      orders.set(kind, order);
      yield {
        trigger_catalog: source.databaseName,
        trigger_schema: schema,
        trigger_name: trigger.name,
        event_manipulation: event.toUpperCase(),
        event_object_catalog: source.databaseName,
        event_object_schema: schema,
        event_object_table: relation.name,
        action_order: order,
        action_condition: conditionText(source.catalog, trigger, relation),
        action_statement: actionText(source.catalog, trigger),
        action_orientation: trigger.level.toUpperCase(),
        action_timing: trigger.timing.toUpperCase(),
        action_reference_old_table: trigger.oldTable ?? null,
        action_reference_new_table: trigger.newTable ?? null,
      };
    }
  }
}

export const TRIGGER_VIEWS: readonly SystemView[] = [
  catalogView('pg_trigger', triggerRows),
  informationView('triggers', informationRows),
];
