/** The triggers of a table that fire, in the order of their names, with their conditions bound. */
import type { ObjectReader, Oid, TableDescriptor, TriggerDescriptor, TriggerEvent } from '@phantom/catalog';
import { type TriggerCondition, bindTriggerCondition } from '../../expr/trigger-condition.js';
import type { EvaluationContext } from '../../functions/registry.js';
import type { CatalogPort } from '../../plan/catalog-port.js';
import type { Value } from '../../types/type.js';
import { PartitionCheck } from '../partitions/partition-check.js';
import { parentOidsOf } from '../inheritance/table-tree.js';

export interface BoundTrigger {
  readonly trigger: TriggerDescriptor;
  readonly condition: TriggerCondition | undefined;
}

const NONE: readonly BoundTrigger[] = [];

export class TableTriggers {
  readonly table: TableDescriptor;
  /** Rows of the statement are kept for them: they are known as relations. */
  readonly keepsRows: boolean;
  /** The tables that it is a part of as a partition, or inherits from. */
  readonly above: readonly Oid[];
  /** The table with its schema, for errors. */
  readonly shownName: string;
  private readonly check: PartitionCheck | undefined;
  private readonly byPlace = new Map<string, BoundTrigger[]>();

  constructor(table: TableDescriptor, objects: ObjectReader, catalog: CatalogPort) {
    this.table = table;
    this.shownName = `${catalog.schemaName(table.schemaOid)}.${table.name}`;
    this.above = [...parentOidsOf(table, objects)];
    this.check = table.partition === undefined ? undefined : new PartitionCheck(table, objects, catalog);
    const triggers = (table.triggerOids ?? [])
      .map((oid) => objects.object(oid))
      .filter((object): object is TriggerDescriptor => object?.kind === 'trigger')
      .filter(({ firing }) => firing === 'always' || firing === (catalog.isReplica ? 'replica' : 'origin'))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    this.keepsRows = triggers.some(({ oldTable, newTable }) => oldTable !== undefined || newTable !== undefined);
    for (const trigger of triggers) {
      const bound = { trigger, condition: conditionOf(trigger, table, catalog) };
      for (const event of trigger.events) {
        const place = `${trigger.timing} ${trigger.level} ${event}`;
        const found = this.byPlace.get(place);
        if (found === undefined) this.byPlace.set(place, [bound]);
        else found.push(bound);
      }
    }
  }

  /** True for a row that the table may have, which a partition says by its bound. */
  takes(row: readonly Value[], context: EvaluationContext): boolean {
    return this.check === undefined || this.check.takes(row, context);
  }

  of(
    timing: TriggerDescriptor['timing'],
    level: TriggerDescriptor['level'],
    event: TriggerEvent,
  ): readonly BoundTrigger[] {
    return this.byPlace.get(`${timing} ${level} ${event}`) ?? NONE;
  }
}

function conditionOf(
  { whenSql, events, level }: TriggerDescriptor,
  { columns, rowTypeOid }: TableDescriptor,
  catalog: CatalogPort,
): TriggerCondition | undefined {
  if (whenSql === undefined) return undefined;
  const hasOld = level === 'row' && !events.includes('insert');
  const hasNew = level === 'row' && !events.includes('delete');
  return bindTriggerCondition(whenSql, { columns, rowTypeOid, catalog, hasOld, hasNew });
}

const known = new WeakMap<TableDescriptor, { readonly catalog: CatalogPort; readonly triggers: TableTriggers }>();

/** The table's triggers for a picture of the catalog; undefined for a table without any. */
export function tableTriggers(
  table: TableDescriptor,
  objects: ObjectReader,
  catalog: CatalogPort,
): TableTriggers | undefined {
  if (table.triggerOids === undefined || table.triggerOids.length === 0) return undefined;
  const before = known.get(table);
  if (before?.catalog === catalog) return before.triggers;
  const triggers = new TableTriggers(table, objects, catalog);
  known.set(table, { catalog, triggers });
  return triggers;
}
