/** DROP and ALTER TRIGGER, and ALTER TABLE ... ENABLE and DISABLE TRIGGER. */
import { PhantomError } from '@phantom/base';
import {
  NameClass,
  type Oid,
  type ObjectDescriptor,
  type TableDescriptor,
  type TriggerDescriptor,
  isSuperuser,
} from '@phantom/catalog';
import type { AlterTableAction, Drop, Rename } from '../../text/ast-schema.js';
import type { Name } from '../../text/ast-leaves.js';
import type { Expression } from '../../text/ast.js';
import { deparseExpression } from '../../text/deparse.js';
import { parseExpression } from '../../text/parse.js';
import type { DdlContext, DdlExecution } from '../context.js';
import { dropAll } from '../drop.js';
import type { Yielded } from '../../exec/runtime.js';
import { claimName, findRelation, lockForChange } from '../names.js';
import { rewriteTree } from '../rewrite-tree.js';
import { keysOfRows } from '../../storage/table-rules.js';
import { partsOfTrigger } from './partition-triggers.js';
import { type TriggeredRelation, findTrigger, missingTrigger, ownTrigger, putTriggers } from './trigger-names.js';

export function* dropTriggers(context: DdlContext, node: Drop): DdlExecution {
  const going: ObjectDescriptor[] = [];
  for (const target of node.objects) {
    const on = target.on ?? [];
    const name = target.name.at(-1)?.text ?? '';
    if (node.ifExists) {
      const found = findRelation(context, on);
      const shown = on.map((part) => part.text).join('.');
      const missing =
        found === undefined
          ? `relation "${shown}" does not exist`
          : findTrigger(context, found.oid, name) === undefined
            ? `trigger "${name}" for relation "${shown}" does not exist`
            : undefined;
      if (missing !== undefined) {
        context.notice('NOTICE', '00000', `${missing}, skipping`);
        continue;
      }
    }
    going.push((yield* ownTrigger(context, target)).trigger);
  }
  yield* dropAll(context, going, node.cascade);
  return undefined;
}

export function* renameTrigger(context: DdlContext, { target, to }: Rename): DdlExecution {
  const { trigger, relation } = yield* ownTrigger(context, target);
  const above = context.objects.object(trigger.parentOid ?? 0);
  if (above?.kind === 'trigger')
    throw new PhantomError('XX000', `cannot rename trigger "${trigger.name}" on table "${relation.name}"`, {
      hint: `Rename the trigger on the partitioned table "${context.objects.object(above.tableOid)?.name}" instead.`,
    });
  yield* giveName(context, trigger, relation, to.text);
  return undefined;
}

function* giveName(
  context: DdlContext,
  trigger: TriggerDescriptor,
  relation: TriggeredRelation,
  name: string,
): Generator<Yielded, void, void> {
  if ((yield* claimName(context, NameClass.Trigger, relation.oid, name)) !== undefined)
    throw new PhantomError('42710', `trigger "${name}" for relation "${relation.name}" already exists`);
  context.objects.put({ ...trigger, name });
  putTriggers(context, relation, relation.triggerOids ?? []);
  for (const part of partsOfTrigger(context, trigger.oid)) {
    const table = yield* lockForChange(context, context.objects.object(part.tableOid) as TableDescriptor);
    if (table !== undefined) yield* giveName(context, part, table, name);
  }
}

type Switch = Extract<
  AlterTableAction,
  { kind: 'enable-trigger' | 'disable-trigger' | 'enable-rule' | 'disable-rule' }
>;

/** ENABLE and DISABLE TRIGGER name, ALL or USER. */
export function switchTriggers(context: DdlContext, table: TableDescriptor, action: Switch): void {
  const firing = action.kind === 'enable-trigger' ? action.firing : 'disabled';
  const oids = table.triggerOids ?? [];
  const name = action.name?.text;
  const switched = oids.flatMap((oid) => {
    const trigger = context.objects.object(oid);
    return trigger?.kind === 'trigger' && (name === undefined || trigger.name === name) ? [trigger] : [];
  });
  if (name !== undefined && switched.length === 0) throw missingTrigger(name, table);
  for (const trigger of switched) context.objects.put({ ...trigger, firing });
  putTriggers(context, table, oids);
  if (action.which === 'all') switchForeignKeys(context, table.oid, action.kind === 'disable-trigger');
}

/** ALL is said of foreign keys too, which PostgreSQL looks after by triggers: superusers alone may have them passed over. */
function switchForeignKeys(context: DdlContext, oid: Oid, off: boolean): void {
  const table = context.objects.object(oid) as TableDescriptor;
  const refers = table.constraints.some(({ kind }) => kind === 'foreign key');
  if (!refers && keysOfRows(table, context.objects).length === 0 && table.foreignKeysOff === undefined) return;
  if (!isSuperuser(context.objects, context.roleOid))
    throw new PhantomError(
      '42501',
      `permission denied: the foreign keys of "${table.name}" are triggers of the system`,
      {
        hint: 'DISABLE TRIGGER USER leaves them alone.',
      },
    );
  const { foreignKeysOff: _before, ...rest } = table;
  context.objects.put({ ...rest, ...(off ? { foreignKeysOff: true } : {}), schemaVersion: table.schemaVersion + 1 });
}

/** The same for those that partitions of the table have of its triggers, and for foreign keys of their rows. */
export function* switchOnPartitions(
  context: DdlContext,
  table: TableDescriptor,
  { kind, name, which }: Switch,
): Generator<Yielded, void, void> {
  const { triggerOids = [] } = table;
  if (which === 'all') keysOnPartitions(context, table, kind === 'disable-trigger');
  for (const oid of triggerOids) {
    const trigger = context.objects.object(oid);
    if (trigger?.kind !== 'trigger' || (name !== undefined && trigger.name !== name.text)) continue;
    yield* switchParts(context, trigger);
  }
}

function keysOnPartitions(context: DdlContext, table: TableDescriptor, off: boolean): void {
  for (const { oid } of context.picture.partitionsOf(table)) {
    switchForeignKeys(context, oid, off);
    keysOnPartitions(context, context.objects.object(oid) as TableDescriptor, off);
  }
}

function* switchParts(context: DdlContext, { oid, firing }: TriggerDescriptor): Generator<Yielded, void, void> {
  for (const part of partsOfTrigger(context, oid)) {
    const table = yield* lockForChange(context, context.objects.object(part.tableOid) as TableDescriptor);
    if (table === undefined) continue;
    const switched = { ...part, firing };
    context.objects.put(switched);
    putTriggers(context, table, table.triggerOids ?? []);
    yield* switchParts(context, switched);
  }
}

/** A column of a table is called something else: conditions of triggers name it behind `old` and `new`. */
export function renameInConditions(context: DdlContext, table: TableDescriptor, from: string, to: string): void {
  for (const oid of table.triggerOids ?? []) {
    const trigger = context.objects.object(oid);
    if (trigger?.kind !== 'trigger' || trigger.whenSql === undefined) continue;
    context.objects.put(renamedIn(trigger, trigger.whenSql, from, to));
  }
}

function renamedIn(trigger: TriggerDescriptor, sql: string, from: string, to: string): TriggerDescriptor {
  const renamed = rewriteTree(parseExpression(sql), (part) => {
    if (part['kind'] !== 'column') return undefined;
    const [row, column, ...rest] = part['names'] as readonly Name[];
    if (row === undefined || column?.text !== from) return undefined;
    return { ...part, names: [row, { ...column, text: to, quoted: true }, ...rest] };
  });
  return { ...trigger, whenSql: deparseExpression(renamed as Expression) };
}
