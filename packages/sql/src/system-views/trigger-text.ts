/** Triggers as SQL text: what pg_get_triggerdef writes. */
import { isPhantomError } from '@phantom/base';
import type { TableDescriptor, TriggerDescriptor, TriggerEvent, ViewDescriptor } from '@phantom/catalog';
import { triggerConditionText } from '../expr/trigger-condition.js';
import { writtenName } from '../routine/routine-function.js';
import { quoteIdentifier } from '../types/reg-types.js';
import { type TextCatalog, objectTexts, relationName } from './object-text.js';

/** PostgreSQL's order of the events. */
const EVENTS: readonly TriggerEvent[] = ['insert', 'delete', 'update', 'truncate'];

type Relation = TableDescriptor | ViewDescriptor;

/** WHEN's condition; null where there is none. */
export function conditionText(catalog: TextCatalog, trigger: TriggerDescriptor, relation: Relation): string | null {
  const { whenSql } = trigger;
  if (whenSql === undefined) return null;
  if (relation.kind !== 'table') return whenSql;
  const { columns, rowTypeOid } = relation;
  try {
    return triggerConditionText(whenSql, { columns, rowTypeOid, catalog, hasOld: true, hasNew: true });
  } catch (error) {
    if (isPhantomError(error)) return whenSql;
    throw error;
  }
}

/** What the trigger does: the call of its function, or its statements. */
export function actionText(catalog: TextCatalog, trigger: TriggerDescriptor): string {
  const { functionOid, action } = trigger;
  if (action !== undefined) {
    const [first, ...others] = action.statements.map(({ querySql }) => querySql);
    if (others.length === 0) return first ?? '';
    return `BEGIN ATOMIC ${[first, ...others].map((sql) => `${sql}; `).join('')}END`;
  }
  const definition = catalog.functions.functionByOid(functionOid);
  const name = definition === undefined ? '???' : writtenName(catalog, definition);
  const args = trigger.arguments.map((text) => `'${text.replaceAll("'", "''")}'`).join(', ');
  return `EXECUTE FUNCTION ${name}(${args})`;
}

function eventsText({ events, columns }: TriggerDescriptor, relation: Relation): string {
  const nameOf = (number: number): string =>
    relation.kind === 'table'
      ? (relation.columns.find((column) => column.number === number)?.name ?? '?')
      : (relation.columns[number - 1]?.name ?? '?');
  const of = columns.length === 0 ? '' : ` OF ${columns.map((number) => quoteIdentifier(nameOf(number))).join(', ')}`;
  return EVENTS.filter((event) => events.includes(event))
    .map((event) => event.toUpperCase() + (event === 'update' ? of : ''))
    .join(' OR ');
}

/**
 * The whole CREATE TRIGGER statement. `pretty` leaves out the schema where the search path leads to the table, and the parentheses
 * around all of the condition.
 */
export function triggerText(catalog: TextCatalog, trigger: TriggerDescriptor, pretty: boolean): string {
  const relation = catalog.objects.object(trigger.tableOid);
  if (relation?.kind !== 'table' && relation?.kind !== 'view') return '';
  const { constraint, oldTable, newTable, action } = trigger;
  const schema = quoteIdentifier(catalog.schemaName(relation.schemaOid));
  const shown = pretty ? relationName(catalog, relation) : `${schema}.${quoteIdentifier(relation.name)}`;
  const name = quoteIdentifier(trigger.name);
  const word = constraint === undefined ? 'TRIGGER' : 'CONSTRAINT TRIGGER';
  const parts = [`CREATE ${word} ${name} ${trigger.timing.toUpperCase()} ${eventsText(trigger, relation)} ON ${shown}`];
  if (constraint !== undefined) {
    const when = constraint.initiallyDeferred ? 'DEFERRED' : 'IMMEDIATE';
    parts.push(`${constraint.deferrable ? '' : 'NOT '}DEFERRABLE INITIALLY ${when}`);
  }
  const named: string[] = [];
  if (oldTable !== undefined) named.push(`OLD TABLE AS ${quoteIdentifier(oldTable)}`);
  if (newTable !== undefined) named.push(`NEW TABLE AS ${quoteIdentifier(newTable)}`);
  if (action !== undefined && trigger.level === 'row') {
    if (!trigger.events.includes('insert')) named.push(`OLD ROW AS ${quoteIdentifier(action.oldRow)}`);
    if (!trigger.events.includes('delete')) named.push(`NEW ROW AS ${quoteIdentifier(action.newRow)}`);
  }
  if (named.length > 0) parts.push(`REFERENCING ${named.join(' ')}`);
  parts.push(`FOR EACH ${trigger.level.toUpperCase()}`);
  const condition = conditionText(catalog, trigger, relation);
  if (condition !== null) parts.push(`WHEN (${pretty ? objectTexts.prettyText(condition) : condition})`);
  parts.push(actionText(catalog, trigger));
  return parts.join(' ');
}
