/** pg_rewrite and pg_rules: the rules of users, and those that make views. */
import type { RuleDescriptor } from '@phantom/catalog';
import { rulesAmong } from '../rewrite/rules-of-relation.js';
import { type CatalogRow, catalogView } from './catalog-view.js';
import { objectTexts } from './object-text.js';
import { rewriteOid } from './oids.js';
import { relationsOf, storedQueryOf } from './pg-objects.js';
import type { SystemView, SystemViewSource } from './system-view.js';

const EVENTS = { insert: '3', update: '2', delete: '4' } as const;
const FIRING = { origin: 'O', always: 'A', replica: 'R', disabled: 'D' } as const;
/** What PostgreSQL keeps for a rule without a condition. */
const NO_CONDITION = '<>';

/** Rules of the session's database, but for those that make views. */
export function* rulesOf(source: SystemViewSource): Iterable<RuleDescriptor> {
  for (const relation of relationsOf(source)) {
    if (relation.kind === 'table' || relation.kind === 'view')
      yield* rulesAmong(relation.ruleOids ?? [], source.objectsSeen);
  }
}

function* rewriteRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const relation of relationsOf(source)) {
    const query = storedQueryOf(relation);
    if (query === undefined) continue;
    yield {
      oid: rewriteOid(relation.oid),
      rulename: '_RETURN',
      ev_class: relation.oid,
      ev_type: '1',
      ev_enabled: 'O',
      is_instead: true,
      ev_qual: NO_CONDITION,
      ev_action: query.querySql,
    };
  }
  for (const rule of rulesOf(source)) {
    const actions = rule.actions.map((action) =>
      action.kind === 'statement' ? action.querySql : `NOTIFY ${action.channel}`,
    );
    yield {
      oid: rule.oid,
      rulename: rule.name,
      ev_class: rule.tableOid,
      ev_type: EVENTS[rule.event],
      ev_enabled: FIRING[rule.firing],
      is_instead: rule.instead,
      ev_qual: rule.condition?.querySql ?? NO_CONDITION,
      ev_action: actions.length === 0 ? NO_CONDITION : actions.join('; '),
    };
  }
}

function* listedRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const rule of rulesOf(source)) {
    const relation = source.objectsSeen.object(rule.tableOid);
    if (relation?.kind !== 'table' && relation?.kind !== 'view') continue;
    yield {
      schemaname: source.schemaNameOf(relation.schemaOid),
      tablename: relation.name,
      rulename: rule.name,
      definition: objectTexts.ruleDefinitionText(source.catalog, rule, false, source.formats),
    };
  }
}

export const RULE_VIEWS: readonly SystemView[] = [
  catalogView('pg_rewrite', rewriteRows),
  catalogView('pg_rules', listedRows),
];
