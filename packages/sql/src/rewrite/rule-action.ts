/** An action of a rule as a statement over the rows that it goes over: these are put into its FROM. */
import type { StoredQuery } from '@phantom/catalog';
import { unsupportedError } from '@phantom/base';
import type { BindContext } from '../expr/context.js';
import { RULE_ROWS_NAME, type RangeItem } from '../expr/scope.js';
import type { LogicalNode } from '../plan/logical/logical.js';
import { parseStatement } from '../text/parse.js';
import type { Name } from '../text/ast-leaves.js';
import type * as Ast from '../text/ast.js';
import type { Change } from './change.js';
import { isOneRow } from './rule-rows.js';

/** What an action may be, besides NOTIFY. */
export type ActionStatement = Ast.Query | Change;

export function parseAction({ querySql }: Pick<StoredQuery, 'querySql'>): ActionStatement {
  return parseStatement(querySql) as ActionStatement;
}

/** The rows in FROM. */
const ROWS: Ast.TableRef = {
  kind: 'table',
  name: [{ text: RULE_ROWS_NAME, position: 0, quoted: true }],
  only: false,
  alias: undefined,
  sample: undefined,
  systemTime: undefined,
  position: 0,
};

/** True for an action whose rows are not those of a FROM: VALUES and DEFAULT VALUES, which know them as names around it. */
export function isOfValues(node: ActionStatement): boolean {
  const query = node.kind === 'insert' ? node.source : node.kind === 'query' ? node : undefined;
  return node.kind === 'insert' && query === undefined ? true : query?.body.kind === 'values';
}

/** The statement with the columns of the rows in the place of `old.*` and `new.*` among the values that it inserts. */
export function withSpreadRows<T extends ActionStatement>(node: T, items: readonly RangeItem[]): T {
  if (node.kind !== 'insert' || node.source?.body.kind !== 'values') return node;
  const spread = (value: Ast.Expression): readonly Ast.Expression[] => {
    const [row, ...others] = value.kind === 'star' ? value.qualifier : [];
    const item = others.length > 0 ? undefined : items.find(({ name }) => name === row?.text);
    if (row === undefined || item === undefined) return [value];
    const named = (text: string): Name => ({ text, position: value.position, quoted: true });
    return item.columns.map(({ name }) => ({ kind: 'column', names: [row, named(name)], position: value.position }));
  };
  const rows = node.source.body.rows.map((row) => ({ ...row, values: row.values.flatMap(spread) }));
  return { ...node, source: { ...node.source, body: { ...node.source.body, rows } } };
}

/** The statement with the rows in its FROM; 0A000 for UNION and its kin over rows that there may be several of. */
export function overRows<T extends ActionStatement>(node: T, rows: LogicalNode): T {
  switch (node.kind) {
    case 'query':
      return queryOver(node, rows) as T;
    case 'insert':
      return node.source === undefined ? node : { ...node, source: queryOver(node.source, rows) };
    case 'update':
      return { ...node, from: [ROWS, ...node.from] };
    default:
      return { ...node, using: [ROWS, ...node.using] };
  }
}

function queryOver(query: Ast.Query, rows: LogicalNode): Ast.Query {
  const { body } = query;
  if (body.kind === 'select') return { ...query, body: { ...body, from: [ROWS, ...body.from] } };
  if (body.kind === 'query') return { ...query, body: queryOver(body, rows) };
  if (!isOneRow(rows)) throw unsupportedError('a conditional UNION/INTERSECT/EXCEPT statement');
  return query;
}

/** Whether a syntax tree speaks of the row of that name. */
export function mentionsRow(node: unknown, row: 'old' | 'new'): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if (Array.isArray(node)) return node.some((part) => mentionsRow(part, row));
  const part = node as { readonly kind?: unknown; readonly names?: unknown; readonly qualifier?: unknown };
  const name = part.kind === 'column' ? part.names : part.kind === 'star' ? part.qualifier : undefined;
  if (Array.isArray(name)) return (name[0] as { readonly text: string } | undefined)?.text === row;
  return Object.values(part).some((value) => mentionsRow(value, row));
}

/** The rows as a rule's condition knows them: their columns may be named alone there. */
export function inCondition(items: readonly RangeItem[]): RangeItem[] {
  return items.map((item) => ({ ...item, columnsVisible: true }));
}

/** The context of an action's text: names mean what they meant, and the rights of the relation's owner count. */
export function actionContext(context: BindContext, stored: StoredQuery, ownerOid: number): BindContext {
  const own = context.stored(stored);
  own.viewOwnerOid = ownerOid;
  return own;
}
