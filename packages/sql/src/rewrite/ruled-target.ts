/** The relation whose rules a change has to do with: the one it names, or the first below it that it is passed on to. */
import type { Oid, RuleDescriptor, TableDescriptor, ViewDescriptor } from '@phantom/catalog';
import type { Binder } from '../expr/binder.js';
import { findRelation } from '../plan/binder/bind-relation.js';
import { whyNotUpdatable } from '../plan/binder/updatable.js';
import type { QualifiedName } from '../text/ast-leaves.js';
import type { Change } from './change.js';

export interface RuledTarget {
  readonly relation: TableDescriptor | ViewDescriptor;
  /** Its rules for the event, in the order in which they apply. */
  readonly rules: readonly RuleDescriptor[];
  /** It has rules for UPDATE, whatever the event. */
  readonly hasUpdateRules: boolean;
  /** The change names it, not a view over it. */
  readonly isNamed: boolean;
}

/**
 * The target, where a rule has to do with the change; views that `passed` names hand the change on whatever their rules say.
 * Raises 42P01 for a name that is none.
 */
export function ruledTarget(binder: Binder, change: Change, passed: ReadonlySet<Oid>): RuledTarget | undefined {
  const { table, kind } = change;
  return below(binder, table.name, table.position, kind, passed, true);
}

function below(
  binder: Binder,
  name: QualifiedName,
  position: number,
  verb: Change['kind'],
  passed: ReadonlySet<Oid>,
  isNamed: boolean,
): RuledTarget | undefined {
  const { context } = binder;
  const relation = findRelation(binder, name, name[0]?.position ?? position);
  if (relation.kind !== 'table' && relation.kind !== 'view') return undefined;
  if (relation.ruleOids !== undefined && !passed.has(relation.oid)) {
    const all = context.catalog.rulesOf(relation);
    const rules = all.filter(({ event }) => event === verb);
    const hasUpdateRules = all.some(({ event }) => event === 'update');
    if (rules.length > 0 || (verb === 'insert' && hasUpdateRules)) return { relation, rules, hasUpdateRules, isNamed };
  }
  if (relation.kind === 'table' || relation.insteadOf?.includes(verb) === true) return undefined;
  const query = binder.parseQuery(relation.querySql);
  const { body } = query;
  const from = body.kind === 'select' ? body.from[0] : undefined;
  if (from?.kind !== 'table' || whyNotUpdatable(query, context.catalog) !== undefined) return undefined;
  return below(binder.within(context.stored(relation)), from.name, from.position, verb, passed, false);
}
