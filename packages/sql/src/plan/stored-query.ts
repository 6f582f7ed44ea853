/** A query that is to be kept as text: what it gives, what it stands on, and what everything in it is called today. */
import type { Oid, StoredName, StoredQuery, TypeRef } from '@phantom/catalog';
import type { BoundField } from '../expr/binder.js';
import { coerceToBoolean } from '../expr/coercion.js';
import { BindContext, type BindContextOptions, type ParameterNames } from '../expr/context.js';
import { Scope } from '../expr/scope.js';
import { bindUnrewritten } from '../rewrite/rewrite-change.js';
import type { Delete, Insert, Merge, Query, Update } from '../text/ast.js';
import { bindFromList } from './binder/bind-from.js';
import { StatementBinder } from './binder/statement-binder.js';
import type { CatalogPort, NamedRelation } from './catalog-port.js';
import { planStatement } from './plan-statement.js';
import { sqlReader } from './sql-reader.js';
import type { PreparedPlan } from './prepared-plan.js';

export interface QueryToStore {
  readonly fields: readonly BoundField[];
  readonly names: readonly StoredName[];
  /**
   * Relations it names, each with the columns it uses; 0 for the relation itself. Routines that it calls, and the columns it
   * uses of the tables whose rows they give. Indexes of primary keys by which it groups.
   */
  readonly uses: readonly { readonly oid: Oid; readonly column: number }[];
  readonly parameters: number;
}

/** Binds a query without planning it. Raises the binder's errors, with positions in `text`. */
export function describeQuery(query: Query, catalog: CatalogPort, text: string): QueryToStore {
  return described(catalog, text, (binder) => binder.bindQuery(query, undefined).fields);
}

/** What a body in SQL may consist of. */
export type BodyStatement = Query | Insert | Update | Delete | Merge;

/** The same of a statement of a routine's body, with the routine's parameters. */
export function describeStatement(
  node: BodyStatement,
  catalog: CatalogPort,
  text: string,
  parameters: { readonly types: readonly TypeRef[]; readonly names: ParameterNames },
): QueryToStore {
  const bind = (binder: StatementBinder): readonly BoundField[] =>
    (node.kind === 'query' ? binder.bindQuery(node, undefined) : bindUnrewritten(binder, node, undefined)).fields;
  return described(catalog, text, bind, { parameterTypes: parameters.types, parameterNames: parameters.names });
}

/** The same of a query that stands for the condition of a policy. */
export function describePolicy(query: Query, catalog: CatalogPort, text: string): QueryToStore {
  return described(catalog, text, (binder) => {
    const { body } = query;
    if (body.kind !== 'select' || body.where === undefined) return [];
    const scope = new Scope(binder.context, undefined);
    bindFromList(binder, body.from, scope);
    scope.clause = 'policy expressions';
    coerceToBoolean(binder.context, binder.bind(body.where, scope), 'POLICY', body.where.position);
    return [];
  });
}

/** What `bind` tells as it binds a text that is to be stored. */
export function described(
  catalog: CatalogPort,
  text: string,
  bind: (binder: StatementBinder) => readonly BoundField[],
  options: Pick<BindContextOptions, 'parameterTypes' | 'parameterNames'> = {},
): QueryToStore {
  const context = new BindContext({ catalog, text, ...options });
  const names = new Map<string, StoredName>();
  const direct = new Set<Oid>();
  context.nameListener = (written, relation) => {
    names.set(written, { name: written, oid: relation.oid, columns: columnNames(relation) });
    direct.add(relation.oid);
  };
  const fields = bind(new StatementBinder(context, sqlReader));
  const uses = new Map<string, { oid: Oid; column: number }>();
  const use = (oid: Oid, column: number): void => void uses.set(`${oid}.${column}`, { oid, column });
  for (const oid of direct) use(oid, 0);
  for (const oid of context.routines) use(oid, 0);
  for (const oid of context.groupingKeys) use(oid, 0);
  for (const { oid, column } of context.rowColumns) use(oid, column);
  for (const right of context.privileges()) {
    if (right.asRoleOid !== undefined || !direct.has(right.relationOid)) continue;
    for (const column of right.columns ?? []) use(right.relationOid, column);
  }
  return { fields, names: [...names.values()], uses: [...uses.values()], parameters: context.parameters.all().length };
}

/** Plans a stored query with the rights of its relation's owner. */
export function planStored(stored: StoredQuery, ownerOid: Oid, catalog: CatalogPort): PreparedPlan {
  const { querySql } = stored;
  return planStatement(sqlReader.query(querySql), catalog.withSearchPath(stored.searchPath), {
    text: querySql,
    stored: { names: stored.names ?? [], ownerOid },
  });
}

function columnNames(relation: NamedRelation): string[] {
  switch (relation.kind) {
    case 'table': {
      const byNumber: string[] = [];
      for (const column of relation.columns) byNumber[column.number - 1] = column.dropped ? '' : column.name;
      return byNumber;
    }
    case 'view':
    case 'virtual':
      return relation.columns.map((column) => column.name);
    default:
      return [];
  }
}
