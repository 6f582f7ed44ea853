/** Rules by name, and the list of them that a table or a view keeps. */
import { PhantomError, unsupportedError } from '@phantom/base';
import { NameClass, type Oid, type RuleDescriptor, type TableDescriptor, type ViewDescriptor } from '@phantom/catalog';
import type { Yielded } from '../../exec/runtime.js';
import type { ObjectRef } from '../../text/ast-access.js';
import type { QualifiedName } from '../../text/ast-leaves.js';
import type { DdlContext } from '../context.js';
import { findRelation, lockForChange, requireOwner, undefinedRelation } from '../names.js';

/** What rules may stand on. */
export type RuledRelation = TableDescriptor | ViewDescriptor;

/** The name of the rule that makes a relation a view. */
export const RETURN_RULE = '_RETURN';

/** The table or view of a name, of the current role's own; 42809 for what can have no rules. */
export function ruledRelation(context: DdlContext, name: QualifiedName): RuledRelation {
  const relation = findRelation(context, name);
  if (relation === undefined) throw undefinedRelation(name);
  if (relation.kind === 'virtual')
    throw new PhantomError('42501', `permission denied: "${relation.name}" is a system catalog`);
  if (relation.kind === 'table' && relation.materialized !== undefined)
    throw unsupportedError('a rule on a materialized view', { table: relation.name });
  if (relation.kind === 'index') throw new PhantomError('42809', `"${relation.name}" is an index`);
  if (relation.kind !== 'table' && relation.kind !== 'view') {
    throw new PhantomError('42809', `relation "${relation.name}" cannot have rules`, {
      detail: 'This operation is not supported for sequences.',
    });
  }
  requireOwner(context, relation);
  if (relation.kind === 'table' && relation.collection !== undefined) {
    throw unsupportedError('a rule on a collection', {
      detail: 'db.collection() writes documents without statements that a rule could rewrite.',
      table: relation.name,
    });
  }
  return relation;
}

export function findRule(context: DdlContext, relationOid: Oid, name: string): RuleDescriptor | undefined {
  const oid = context.objects.oidByName(NameClass.Rule, relationOid, name);
  const rule = oid === undefined ? undefined : context.objects.object(oid);
  return rule?.kind === 'rule' ? rule : undefined;
}

/** 42704 for a rule that is not there. */
export function missingRule(name: string, relation: RuledRelation): PhantomError {
  return new PhantomError('42704', `rule "${name}" for relation "${relation.name}" does not exist`);
}

/** The rule of a reference and what it stands on, which is the current role's own and locked. */
export function* ownRule(
  context: DdlContext,
  target: ObjectRef,
): Generator<Yielded, { readonly rule: RuleDescriptor; readonly relation: RuledRelation }, void> {
  const found = ruledRelation(context, target.on ?? []);
  const relation = (yield* lockForChange(context, found)) ?? found;
  const name = target.name.at(-1)?.text ?? '';
  const rule = findRule(context, relation.oid, name);
  if (rule === undefined) throw missingRule(name, relation);
  return { rule, relation };
}

/** What an entry of a list is and what it should be, for messages. */
export function typesDetail(
  { picture }: DdlContext,
  list: string,
  given: Oid,
  wanted: Oid,
): { readonly detail: string } {
  const [has, column] = [given, wanted].map((oid) => picture.types.byOid(oid)?.displayName ?? String(oid));
  return { detail: `${list} entry has type ${has}, but column has type ${column}.` };
}

/** Puts the relation with other rules: every plan over it is made anew. */
export function putRules(context: DdlContext, relation: RuledRelation, oids: readonly Oid[]): void {
  const { ruleOids: _before, ...rest } = relation;
  const changed = (oids.length === 0 ? rest : { ...rest, ruleOids: oids }) as RuledRelation;
  context.objects.put(changed.kind === 'table' ? { ...changed, schemaVersion: changed.schemaVersion + 1 } : changed);
}

/** Takes a rule out of its relation's list, before it goes. */
export function forgetRule(context: DdlContext, { oid, tableOid }: RuleDescriptor): void {
  const relation = context.objects.object(tableOid);
  if (relation?.kind !== 'table' && relation?.kind !== 'view') return;
  putRules(
    context,
    relation,
    (relation.ruleOids ?? []).filter((other) => other !== oid),
  );
}
