/** Binding of expressions over the columns of one row; see row-expression-types.ts. */
import { PhantomError } from '@phantom/base';
import type { TableDescriptor } from '@phantom/catalog';
import { evaluateExpression } from '../exec/evaluate-expression.js';
import { StatementBinder } from '../plan/binder/statement-binder.js';
import { rangeItem } from '../plan/binder/range-items.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import { expressionText, literalText } from '../plan/expression-text.js';
import { operandOf } from '../plan/physical/document-operand.js';
import { sqlReader } from '../plan/sql-reader.js';
import { foldExpression } from '../plan/rules/constant-folding.js';
import { hasSubquery } from '../plan/rules/facts.js';
import { columnsOf } from '../plan/logical/walk.js';
import { quoteIdentifier } from '../types/reg-types.js';
import { coerceToBoolean, isUnknown, coerce, tryCoerce } from './coercion.js';
import { BindContext } from './context.js';
import { columnReference, type ColumnId, type Expression } from './expression.js';
import type { RowExpression, RowExpressionRequest } from './row-expression-types.js';
import { Scope, type Clause } from './scope.js';
import { TypeOid } from '../types/type-oids.js';
import { TEXT } from '../types/type-refs.js';
import { someExpression } from './walk.js';

const CLAUSES: Readonly<Record<RowExpressionRequest['purpose'], Clause>> = {
  check: 'check constraints',
  default: 'DEFAULT expressions',
  generated: 'column generation expressions',
  index: 'index expressions',
  predicate: 'index predicates',
  policy: 'policy expressions',
  transform: 'transform expressions',
};

const SUBQUERY_WORDS: Readonly<Record<RowExpressionRequest['purpose'], string>> = {
  check: 'check constraint',
  default: 'DEFAULT expression',
  generated: 'column generation expression',
  index: 'index expression',
  predicate: 'index predicate',
  policy: 'policy expression',
  transform: 'transform expression',
};

/** Binds an expression text. Raises the binder's errors, with positions in that text. */
export function bindRowExpression(sql: string, request: RowExpressionRequest): RowExpression {
  const { expression, ids, context } = bindRow(sql, request);
  return compile(expression, request, ids, context);
}

/** The expression as a query's own would be, folded, and the ids of the request's columns in it. */
export function foldedRowExpression(
  sql: string,
  request: RowExpressionRequest,
): { readonly expression: Expression; readonly ids: readonly ColumnId[] } {
  const { expression, ids, context } = bindRow(sql, request);
  return { expression: foldExpression(expression, context), ids };
}

/** The expression as PostgreSQL writes it: names resolved, constants and casts with their types. */
export function rowExpressionText(sql: string, request: RowExpressionRequest): string {
  const { target } = request;
  // A modifier changes the value that is stored, not what is written; that of an interval says how its text is read.
  const plain = target === undefined || target.oid === TypeOid.interval ? target : { ...target, typmod: -1 };
  const { expression, ids, context } = bindRow(sql, { ...request, target: plain });
  // What an assignment casts is not written.
  let shown = expression;
  if (target !== undefined)
    while ((shown.kind === 'typmod' || shown.kind === 'cast') && !shown.explicit) shown = shown.operand;
  // A literal is read as what it is assigned to.
  if (target !== undefined && shown.kind === 'constant' && typeof shown.value === 'string') {
    if (shown.type.oid === TypeOid.text && target.oid !== TypeOid.text)
      return literalText(shown.value, target.oid, context);
    shown = { ...shown, type: { ...target, typmod: -1 } };
  }
  return expressionText(shown, {
    context,
    columnName: (column) => quoteIdentifier(request.columns[ids.indexOf(column)]?.name ?? '?'),
  });
}

/** The path of a collection's documents that an expression shows; undefined when it shows something else. */
export function documentPathOf(sql: string, table: TableDescriptor, catalog: CatalogPort): string | undefined {
  const { columns, name: relationName } = table;
  const { expression, ids, context } = bindRow(sql, {
    columns,
    relationName,
    catalog,
    target: undefined,
    purpose: 'index',
  });
  const scanColumns = columns.map(({ number }, i) => ({ id: ids[i] as ColumnId, number }));
  return operandOf(foldExpression(expression, context), { table, scanColumns })?.path;
}

interface BoundRow {
  readonly expression: Expression;
  readonly ids: readonly ColumnId[];
  readonly context: BindContext;
}

function bindRow(sql: string, request: RowExpressionRequest): BoundRow {
  const { catalog, columns, purpose } = request;
  const context = new BindContext({ catalog, text: sql });
  const binder = new StatementBinder(context, sqlReader);
  const scope = new Scope(context, undefined);
  scope.clause = CLAUSES[purpose];
  const ids: ColumnId[] = columns.map((column) => context.newColumn(column.name, column.type));
  if (columns.length > 0) scope.items = [rowItem(request, ids)];
  const node = binder.parseExpression(sql);
  let expression: Expression = binder.bind(node, scope);
  if (hasSubquery(expression)) {
    throw context.error('0A000', `cannot use subquery in ${SUBQUERY_WORDS[purpose]}`, node.position);
  }
  if (purpose === 'check' || purpose === 'predicate' || purpose === 'policy') {
    expression = coerceToBoolean(context, expression, purpose === 'check' ? 'CHECK' : 'WHERE', node.position);
  }
  const { target } = request;
  if (target !== undefined) {
    const coerced = tryCoerce(context, expression, target, 'assignment', node.position);
    if (coerced === undefined) {
      const from = context.typeName(isUnknown(expression) ? TEXT.oid : expression.type.oid);
      throw context.error(
        '42804',
        `column is of type ${context.typeName(target.oid)} but expression is of type ${from}`,
        node.position,
        { hint: 'You will need to rewrite or cast the expression.' },
      );
    }
    expression = coerced;
  } else if (isUnknown(expression)) {
    expression = coerce(context, expression, TEXT, 'implicit', node.position);
  }
  return { expression, ids, context };
}

function rowItem(request: RowExpressionRequest, ids: readonly ColumnId[]): ReturnType<typeof rangeItem> {
  const live = request.columns
    .map((column, i) => ({ column, id: ids[i] as ColumnId }))
    .filter(({ column }) => !column.dropped);
  return rangeItem(
    request.relationName,
    live.map(({ column, id }) => ({
      name: column.name,
      expression: columnReference(id, column.type),
      type: column.type,
    })),
  );
}

/** Types whose text depends on nothing but the value: what joins them to a text is as immutable as they are. */
const PLAIN_TEXT_TYPES: ReadonlySet<number> = new Set([16, 18, 19, 20, 21, 23, 26, 700, 701, 1083, 1266, 1700, 2950]);

/** `text || anything` is stable in the catalog, for the sake of types like timestamptz. */
function volatilityOfCall(call: Extract<Expression, { kind: 'call' }>): string {
  const { name, volatility } = call.function;
  if (name !== 'textanycat' && name !== 'anytextcat') return volatility;
  const other = call.arguments[name === 'textanycat' ? 1 : 0];
  return other !== undefined && PLAIN_TEXT_TYPES.has(other.type.oid) ? 'immutable' : volatility;
}

function volatilityOf(expression: Expression): RowExpression['volatility'] {
  const has = (level: string): boolean =>
    someExpression(
      expression,
      (part) =>
        (part.kind === 'call' && volatilityOfCall(part) === level) ||
        (part.kind === 'cast' && part.definition.call !== undefined && part.definition.volatility === level),
    );
  return has('volatile') ? 'volatile' : has('stable') ? 'stable' : 'immutable';
}

function compile(
  bound: Expression,
  request: RowExpressionRequest,
  ids: readonly ColumnId[],
  context: BindContext,
): RowExpression {
  const expression = foldExpression(bound, context);
  const volatility = volatilityOf(expression);
  const used = [...columnsOf(bound)].sort((a, b) => a - b);
  const places = new Map(used.map((column, i) => [column, i] as const));
  const columns = used.map((column) => {
    const descriptor = request.columns[ids.indexOf(column)];
    if (descriptor === undefined) throw new PhantomError('XX000', 'a row expression uses a column of no row');
    return descriptor.number;
  });
  const evaluate = evaluateExpression(expression, [], places, request.catalog.types);
  return { type: expression.type, columns, volatility, routines: context.routines, evaluate };
}
