/** DROP and ALTER RULE, and ALTER TABLE ... ENABLE and DISABLE RULE. */
import { PhantomError } from '@phantom/base';
import { NameClass, type ObjectDescriptor } from '@phantom/catalog';
import type { AlterTableAction, Drop, Rename } from '../../text/ast-schema.js';
import type { DdlContext, DdlExecution } from '../context.js';
import { dropAll } from '../drop.js';
import { claimName, findRelation } from '../names.js';
import { RETURN_RULE, type RuledRelation, findRule, missingRule, ownRule, putRules } from './rule-names.js';

export function* dropRules(context: DdlContext, node: Drop): DdlExecution {
  const going: ObjectDescriptor[] = [];
  for (const target of node.objects) {
    const on = target.on ?? [];
    const name = target.name.at(-1)?.text ?? '';
    const found = findRelation(context, on);
    if (found?.kind === 'view' && name === RETURN_RULE) {
      throw new PhantomError(
        '2BP01',
        `cannot drop rule ${RETURN_RULE} on view ${found.name} because view ${found.name} requires it`,
        { hint: `You can drop view ${found.name} instead.` },
      );
    }
    if (node.ifExists) {
      const shown = on.map((part) => part.text).join('.');
      const missing =
        found === undefined
          ? `relation "${shown}" does not exist`
          : findRule(context, found.oid, name) === undefined
            ? `rule "${name}" for relation "${shown}" does not exist`
            : undefined;
      if (missing !== undefined) {
        context.notice('NOTICE', '00000', `${missing}, skipping`);
        continue;
      }
    }
    going.push((yield* ownRule(context, target)).rule);
  }
  yield* dropAll(context, going, node.cascade);
  return undefined;
}

export function* renameRule(context: DdlContext, { target, to }: Rename): DdlExecution {
  const found = findRelation(context, target.on ?? []);
  if (found?.kind === 'view' && target.name.at(-1)?.text === RETURN_RULE)
    throw new PhantomError('42P17', 'renaming an ON SELECT rule is not allowed');
  const { rule, relation } = yield* ownRule(context, target);
  const isReturn = relation.kind === 'view' && to.text === RETURN_RULE;
  if (isReturn || (yield* claimName(context, NameClass.Rule, relation.oid, to.text)) !== undefined)
    throw new PhantomError('42710', `rule "${to.text}" for relation "${relation.name}" already exists`);
  context.objects.put({ ...rule, name: to.text });
  putRules(context, relation, relation.ruleOids ?? []);
  return undefined;
}

type Switch = Extract<
  AlterTableAction,
  { kind: 'enable-trigger' | 'disable-trigger' | 'enable-rule' | 'disable-rule' }
>;

/** ENABLE and DISABLE RULE. */
export function switchRule(context: DdlContext, relation: RuledRelation, action: Switch): void {
  const name = action.name?.text ?? '';
  const rule = findRule(context, relation.oid, name);
  if (rule === undefined) throw missingRule(name, relation);
  context.objects.put({ ...rule, firing: action.kind === 'enable-rule' ? action.firing : 'disabled' });
  putRules(context, relation, relation.ruleOids ?? []);
}
