/**
 * Row triggers of partitioned tables: each is made again on every partition, where it fires for the rows, and goes with the one that it
 * was made for. The partitioned table's own never fires, since it has no rows.
 */
import { PhantomError } from '@phantom/base';
import { NameClass, type TableDescriptor, type TriggerDescriptor } from '@phantom/catalog';
import type { Yielded } from '../../exec/runtime.js';
import { RowMap } from '../../storage/partitions/row-map.js';
import type { DdlContext } from '../context.js';
import { forgetObject } from '../forget-object.js';
import { claimName, lockForChange } from '../names.js';
import { forgetTrigger, putTriggers } from './trigger-names.js';

type Step = Generator<Yielded, void, void>;

/** Makes the row triggers of a table on a new partition. 42710 where it has one of the same name. */
export function* inheritTriggers(context: DdlContext, parent: TableDescriptor, oid: number): Step {
  for (const triggerOid of parent.triggerOids ?? []) {
    const trigger = context.objects.object(triggerOid);
    if (trigger?.kind === 'trigger' && trigger.level === 'row')
      yield* inheritTrigger(context, parent, trigger, context.objects.object(oid) as TableDescriptor);
  }
}

/** Makes a row trigger on each partition of its table, or in the place of what it was there before. */
export function* triggerOnPartitions(context: DdlContext, oid: number, trigger: TriggerDescriptor): Step {
  const table = context.objects.object(oid) as TableDescriptor;
  for (const partition of context.picture.partitionsOf(table)) {
    const locked = yield* lockForChange(context, partition);
    if (locked !== undefined) yield* inheritTrigger(context, table, trigger, locked);
  }
}

function* inheritTrigger(
  context: DdlContext,
  parent: TableDescriptor,
  trigger: TriggerDescriptor,
  partition: TableDescriptor,
): Step {
  const { objects } = context;
  const existing = yield* claimName(context, NameClass.Trigger, partition.oid, trigger.name);
  const before = existing?.kind === 'trigger' ? existing : undefined;
  if (existing !== undefined && before?.parentOid !== trigger.oid)
    throw new PhantomError('42710', `trigger "${trigger.name}" for relation "${partition.name}" already exists`);
  const { comment: _comment, ...rest } = trigger;
  const own: TriggerDescriptor = {
    ...rest,
    oid: before?.oid ?? context.catalog.allocateOid(),
    tableOid: partition.oid,
    columns: new RowMap(parent, partition).numbersOf(trigger.columns),
    parentOid: trigger.oid,
  };
  objects.put(own);
  for (const referencedOid of [partition.oid, trigger.oid]) {
    const dependency = { dependentOid: own.oid, dependentColumn: 0, referencedOid, referencedColumn: 0 };
    objects.addDependency({ ...dependency, strength: 'automatic' });
  }
  const others = (partition.triggerOids ?? []).filter((oid) => oid !== own.oid);
  putTriggers(context, partition, [...others, own.oid]);
  if (partition.partitioned !== undefined) yield* triggerOnPartitions(context, partition.oid, own);
}

/** The triggers that have been made of one on the partitions of its table. */
export function partsOfTrigger({ objects }: Pick<DdlContext, 'objects'>, oid: number): TriggerDescriptor[] {
  return [...objects.dependentsOf(oid)].flatMap(({ dependentOid }) => {
    const trigger = objects.object(dependentOid);
    return trigger?.kind === 'trigger' && trigger.parentOid === oid ? [trigger] : [];
  });
}

/** A partition leaves its table: the triggers that it has of that one go. */
export function dropInheritedTriggers(context: DdlContext, { triggerOids = [] }: TableDescriptor): void {
  for (const oid of triggerOids) {
    const trigger = context.objects.object(oid);
    if (trigger?.kind === 'trigger' && trigger.parentOid !== undefined) forget(context, trigger);
  }
}

function forget(context: DdlContext, trigger: TriggerDescriptor): void {
  for (const part of partsOfTrigger(context, trigger.oid)) forget(context, part);
  forgetTrigger(context, trigger);
  forgetObject(context, trigger.oid);
}
