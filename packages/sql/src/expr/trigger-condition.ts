/** WHEN of a trigger: a condition over the rows before and after, known as `old` and `new`. */
import type { ColumnDescriptor, Oid } from '@phantom/catalog';
import { evaluateExpression } from '../exec/evaluate-expression.js';
import type { EvaluationContext } from '../functions/registry.js';
import { rangeItem } from '../plan/binder/range-items.js';
import { StatementBinder } from '../plan/binder/statement-binder.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import { expressionText } from '../plan/expression-text.js';
import { columnsOf } from '../plan/logical/walk.js';
import { foldExpression } from '../plan/rules/constant-folding.js';
import { hasSubquery } from '../plan/rules/facts.js';
import { sqlReader } from '../plan/sql-reader.js';
import { quoteIdentifier } from '../types/reg-types.js';
import type { Value } from '../types/type.js';
import { coerceToBoolean } from './coercion.js';
import { BindContext } from './context.js';
import { columnReference, type ColumnId, type Expression } from './expression.js';
import { Scope } from './scope.js';

/** True when the trigger is to fire for the rows, given by column position. */
export type TriggerCondition = (
  oldRow: readonly Value[] | null,
  newRow: readonly Value[] | null,
  context: EvaluationContext,
) => boolean;

export interface TriggerConditionRequest {
  readonly columns: readonly ColumnDescriptor[];
  readonly rowTypeOid: Oid;
  readonly catalog: CatalogPort;
  /** Rows that there are for every event of the trigger. */
  readonly hasOld: boolean;
  readonly hasNew: boolean;
  /** The trigger is made, and fires before columns are generated: 42P17 where the condition would read those of the new row. */
  readonly refusesGenerated?: boolean;
}

/** Binds a condition. 42P17 for a row that some event does not have; else the binder's errors. */
export function bindTriggerCondition(sql: string, request: TriggerConditionRequest): TriggerCondition {
  const { columns, catalog } = request;
  const { bound, places, context } = bindCondition(sql, request);
  const evaluate = evaluateExpression(foldExpression(bound, context), [], places, catalog.types);
  const none = columns.map((): Value => null);
  return (oldRow, newRow, evaluation) => evaluate([...(oldRow ?? none), ...(newRow ?? none)], evaluation) === true;
}

/** The condition as PostgreSQL writes it. */
export function triggerConditionText(sql: string, request: TriggerConditionRequest): string {
  const { columns, rowTypeOid } = request;
  const { bound, places, context } = bindCondition(sql, request);
  const rowName = (place: number): string => (place < columns.length ? 'old' : 'new');
  return expressionText(bound, {
    context,
    columnName: (column) => {
      const place = places.get(column) ?? 0;
      const name = columns[place % columns.length]?.name ?? '?';
      return `${rowName(place)}.${quoteIdentifier(name)}`;
    },
    wholeRow: ({ type, fields }) => {
      if (type.oid !== rowTypeOid) return undefined;
      const [first, ...others] = new Set(
        fields.map((field) => (field.kind === 'column' ? rowName(places.get(field.column) ?? 0) : undefined)),
      );
      return first === undefined || others.length > 0 ? undefined : `${first}.*`;
    },
  });
}

interface BoundCondition {
  readonly bound: Expression;
  readonly places: ReadonlyMap<ColumnId, number>;
  readonly context: BindContext;
}

function bindCondition(sql: string, request: TriggerConditionRequest): BoundCondition {
  const { columns, rowTypeOid, catalog, hasOld, hasNew } = request;
  const context = new BindContext({ catalog, text: sql });
  const scope = new Scope(context, undefined);
  scope.clause = 'trigger WHEN conditions';
  const places = new Map<ColumnId, number>();
  const item = (name: string, from: number): ReturnType<typeof rangeItem> => {
    const shown = columns.flatMap((column, i) => {
      if (column.dropped) return [];
      const id = context.newColumn(column.name, column.type);
      places.set(id, from + i);
      return [{ name: column.name, expression: columnReference(id, column.type), type: column.type }];
    });
    return { ...rangeItem(name, shown), columnsVisible: false, rowTypeOid };
  };
  scope.items = [item('old', 0), item('new', columns.length)];
  const binder = new StatementBinder(context, sqlReader);
  const node = binder.parseExpression(sql);
  const bound = coerceToBoolean(context, binder.bind(node, scope), 'WHEN', node.position);
  if (hasSubquery(bound)) throw context.error('0A000', 'cannot use subquery in trigger WHEN condition', node.position);
  const used = [...columnsOf(bound)].map((column) => places.get(column) ?? 0);
  if (!hasOld && used.some((place) => place < columns.length))
    throw context.error('42P17', "INSERT trigger's WHEN condition cannot reference OLD values", node.position);
  if (!hasNew && used.some((place) => place >= columns.length))
    throw context.error('42P17', "DELETE trigger's WHEN condition cannot reference NEW values", node.position);
  if (request.refusesGenerated === true) refuseGenerated(columns, used, context, node.position);
  return { bound, places, context };
}

/** `used`: places of columns, those of the old row first. */
function refuseGenerated(
  columns: readonly ColumnDescriptor[],
  used: readonly number[],
  context: BindContext,
  position: number | undefined,
): void {
  const ofNew = columns.filter((_, i) => used.includes(columns.length + i));
  const generated = ofNew.find((column) => column.generated !== undefined);
  if (generated === undefined) return;
  const isWholeRow = ofNew.length === columns.filter(({ dropped }) => !dropped).length;
  throw context.error('42P17', "BEFORE trigger's WHEN condition cannot reference NEW generated columns", position, {
    detail: isWholeRow
      ? 'A whole-row reference is used and the table contains generated columns.'
      : `Column "${generated.name}" is a generated column.`,
  });
}
