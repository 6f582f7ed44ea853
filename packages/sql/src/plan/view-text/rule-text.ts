/** The definition of a rule as PostgreSQL shows it (pg_get_ruledef). What the writer does not know is shown as it is stored. */
import { isPhantomError } from '@phantom/base';
import type { RuleDescriptor, StoredQuery, TableDescriptor, ViewDescriptor } from '@phantom/catalog';
import { BindContext } from '../../expr/context.js';
import { Scope } from '../../expr/scope.js';
import { inCondition, parseAction } from '../../rewrite/rule-action.js';
import { boundForm, rowsOf } from '../../rewrite/stored-rule.js';
import type { Expression, Query, Select } from '../../text/ast.js';
import { deparseExpression } from '../../text/deparse.js';
import { quoteIdentifier } from '../../types/reg-types.js';
import { StatementBinder } from '../binder/statement-binder.js';
import { sqlReader } from '../sql-reader.js';
import { ChangeLayout } from './change-layout.js';
import { finishLines } from './layout.js';
import { QueryWitness } from './query-witness.js';
import type { ViewTextRequest } from './view-text.js';

export interface RuleTextRequest extends Omit<ViewTextRequest, 'columns'> {
  readonly relation: TableDescriptor | ViewDescriptor;
  /** What the relation is called in the text. */
  readonly shown: string;
}

export function ruleText(rule: RuleDescriptor, request: RuleTextRequest): string {
  const { name, event, condition, instead } = rule;
  let text = `CREATE RULE ${quoteIdentifier(name)} AS\n    ON ${event.toUpperCase()} TO ${request.shown}`;
  if (condition !== undefined) text += `\n   WHERE ${conditionText(rule, condition, request)}`;
  text += ` DO ${instead ? 'INSTEAD ' : ''}`;
  const actions = rule.actions.map((action) => {
    if (action.kind === 'statement') return actionText(rule, action, request);
    const payload = action.payload === '' ? '' : `, '${action.payload.replaceAll("'", "''")}'`;
    return `\n NOTIFY ${quoteIdentifier(action.channel)}${payload}`;
  });
  if (actions.length === 0) return `${text}NOTHING;`;
  if (actions.length > 1) return `${text}(${actions.map((action) => `${action};\n`).join('')});`;
  const [action = ''] = actions;
  return `${action.startsWith('\n') ? text.trimEnd() : text}${action};`;
}

/** Binds a part of the rule with the names that it was stored with, and has it written. */
function laidOut(
  rule: RuleDescriptor,
  stored: StoredQuery,
  request: RuleTextRequest,
  write: (layout: ChangeLayout, binder: StatementBinder, rows: ReturnType<typeof rowsOf>) => string,
): string {
  const { relation, catalog, pretty, types } = request;
  const context = new BindContext({ catalog: catalog.withSearchPath(stored.searchPath), text: stored.querySql });
  const names = new Map((stored.names ?? []).map((entry) => [entry.name, entry]));
  const own = { name: ROWS_NAME, oid: relation.oid, columns: rule.rowColumns };
  context.storedNames = names.set(ROWS_NAME, own);
  const witness = new QueryWitness();
  context.witness = witness;
  const binder = new StatementBinder(context, sqlReader);
  const rows = rowsOf(binder, { relation, event: rule.event }, () => undefined, rule.rowColumns);
  const relationName = (oid: number): string | undefined => request.relationName(oid);
  const layout = new ChangeLayout({ context, catalog, witness, pretty, types, relationName });
  for (const item of rows.items) {
    const node = {};
    witness.placed(node, [item]);
    layout.nameRows(node, item.name ?? '', [{ text: ROWS_NAME, position: 0, quoted: true }]);
  }
  return finishLines(write(layout, binder, rows));
}

/** What the relation of a rule is called among the stored names. No query can name it. */
const ROWS_NAME = '\u0000rows';

function actionText(rule: RuleDescriptor, stored: StoredQuery, request: RuleTextRequest): string {
  try {
    return laidOut(rule, stored, request, (layout, binder, rows) => {
      const { form } = boundForm(binder, parseAction(stored), rows);
      return layout.statement(form, ['old', 'new']);
    });
  } catch (error) {
    if (isPhantomError(error)) return ` ${stored.querySql}`;
    throw error;
  }
}

function conditionText(rule: RuleDescriptor, stored: StoredQuery, request: RuleTextRequest): string {
  const where = ((parseAction(stored) as Query).body as Select).where as Expression;
  try {
    return laidOut(rule, stored, request, (layout, binder, rows) => {
      const scope = new Scope(binder.context, undefined);
      scope.items = inCondition(rows.items);
      binder.bind(where, scope);
      return layout.condition(where);
    });
  } catch (error) {
    if (isPhantomError(error)) return deparseExpression(where);
    throw error;
  }
}
