/** DROP and ALTER TRIGGER, and ALTER TABLE ... ENABLE and DISABLE TRIGGER. */
import { PhantomError } from '@phantom/base';
import { NameClass, type ObjectDescriptor, type TableDescriptor, type TriggerDescriptor } from '@phantom/catalog';
import type { AlterTableAction, Drop, Rename } from '../../text/ast-schema.js';
import type { Name } from '../../text/ast-leaves.js';
import type { Expression } from '../../text/ast.js';
import { deparseExpression } from '../../text/deparse.js';
import { parseExpression } from '../../text/parse.js';
import type { DdlContext, DdlExecution } from '../context.js';
import { dropAll } from '../drop.js';
import { claimName, findRelation } from '../names.js';
import { rewriteTree } from '../rewrite-tree.js';
import { findTrigger, missingTrigger, ownTrigger, putTriggers } from './trigger-names.js';

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
  if ((yield* claimName(context, NameClass.Trigger, relation.oid, to.text)) !== undefined)
    throw new PhantomError('42710', `trigger "${to.text}" for relation "${relation.name}" already exists`);
  context.objects.put({ ...trigger, name: to.text });
  putTriggers(context, relation, relation.triggerOids ?? []);
  return undefined;
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
