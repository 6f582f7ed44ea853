/** Triggers by name, and the list of them that a table or a view keeps. */
import { PhantomError, unsupportedError } from '@phantom/base';
import {
  NameClass,
  type Oid,
  type TableDescriptor,
  type TriggerDescriptor,
  type ViewDescriptor,
} from '@phantom/catalog';
import type { Yielded } from '../../exec/runtime.js';
import type { ObjectRef } from '../../text/ast-access.js';
import type { QualifiedName } from '../../text/ast-leaves.js';
import type { DdlContext } from '../context.js';
import { findRelation, lockForChange, requireOwner } from '../names.js';

/** What triggers may stand on. */
export type TriggeredRelation = TableDescriptor | ViewDescriptor;

/** The table or view of a name; 42809 for what can have no triggers. */
export function triggeredRelation(context: DdlContext, name: QualifiedName): TriggeredRelation {
  const relation = findRelation(context, name);
  if (relation === undefined) {
    const shown = name.map((part) => part.text).join('.');
    throw new PhantomError('42P01', `relation "${shown}" does not exist`);
  }
  if (relation.kind === 'virtual')
    throw new PhantomError('42501', `permission denied: "${relation.name}" is a system catalog`);
  const isFit = relation.kind === 'view' || (relation.kind === 'table' && relation.materialized === undefined);
  if (!isFit) {
    throw new PhantomError('42809', `relation "${relation.name}" cannot have triggers`, {
      detail: `This operation is not supported for ${relation.kind === 'table' ? 'materialized views' : relation.kind === 'index' ? 'indexes' : 'sequences'}.`,
    });
  }
  if (relation.kind === 'table' && relation.collection !== undefined) {
    throw unsupportedError('a trigger of a collection', {
      detail:
        'db.collection() writes documents without a session that could run a trigger, so it would fire for some writes only.',
      hint: 'Follow its changes by db.collection().watch(), or keep the rows in a table.',
      table: relation.name,
    });
  }
  return relation;
}

export function findTrigger(context: DdlContext, relationOid: Oid, name: string): TriggerDescriptor | undefined {
  const oid = context.objects.oidByName(NameClass.Trigger, relationOid, name);
  const trigger = oid === undefined ? undefined : context.objects.object(oid);
  return trigger?.kind === 'trigger' ? trigger : undefined;
}

/** 42704 for a trigger that is not there. */
export function missingTrigger(name: string, relation: TriggeredRelation): PhantomError {
  return new PhantomError('42704', `trigger "${name}" for table "${relation.name}" does not exist`);
}

/** The trigger of a reference and what it stands on, owned by the current role and locked. */
export function* ownTrigger(
  context: DdlContext,
  target: ObjectRef,
): Generator<Yielded, { readonly trigger: TriggerDescriptor; readonly relation: TriggeredRelation }, void> {
  const found = triggeredRelation(context, target.on ?? []);
  requireOwner(context, found);
  const relation = (yield* lockForChange(context, found)) ?? found;
  const name = target.name.at(-1)?.text ?? '';
  const trigger = findTrigger(context, relation.oid, name);
  if (trigger === undefined) throw missingTrigger(name, relation);
  return { trigger, relation };
}

/** Puts the relation with other triggers: every plan over it is made anew. */
export function putTriggers(context: DdlContext, relation: TriggeredRelation, triggerOids: readonly Oid[]): void {
  if (relation.kind === 'view') {
    const insteadOf = new Set(
      triggerOids.flatMap((oid) => {
        const trigger = context.objects.object(oid);
        return trigger?.kind === 'trigger' && trigger.timing === 'instead of' ? trigger.events : [];
      }),
    );
    context.objects.put({ ...relation, triggerOids, insteadOf: [...insteadOf] });
  } else context.objects.put({ ...relation, triggerOids, schemaVersion: relation.schemaVersion + 1 });
}

/** Takes a trigger out of its relation's list, before it goes. */
export function forgetTrigger(context: DdlContext, { oid, tableOid }: TriggerDescriptor): void {
  const relation = context.objects.object(tableOid);
  if (relation?.kind !== 'table' && relation?.kind !== 'view') return;
  putTriggers(
    context,
    relation,
    (relation.triggerOids ?? []).filter((other) => other !== oid),
  );
}

/** Triggers of a table that stand on one of its columns: by UPDATE OF, or in their conditions. */
export function* triggersOnColumn(
  context: Pick<DdlContext, 'objects'>,
  table: TableDescriptor,
  number: number,
): Iterable<TriggerDescriptor> {
  const name = table.columns.find((column) => column.number === number)?.name ?? '';
  const named = new RegExp(`\\b(?:old|new)\\."?${name.replaceAll(/[^\w]/g, '\\$&')}"?(?!\\w)`, 'i');
  for (const oid of table.triggerOids ?? []) {
    const trigger = context.objects.object(oid);
    if (trigger?.kind !== 'trigger') continue;
    if (trigger.columns.includes(number) || (trigger.whenSql !== undefined && named.test(trigger.whenSql)))
      yield trigger;
  }
}
