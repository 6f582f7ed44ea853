/**
 * The definition of a view as PostgreSQL shows it: bound from its stored text, then written from the syntax tree and what
 * the binder made of it. What the writer does not know (SQL/JSON, fields of columns) is shown as it is stored, in one line.
 */
import { isPhantomError } from '@phantom/base';
import type { StoredQuery } from '@phantom/catalog';
import { BindContext } from '../../expr/context.js';
import type { TypeContext } from '../../types/type.js';
import { StatementBinder } from '../binder/statement-binder.js';
import type { CatalogPort } from '../catalog-port.js';
import { sqlReader } from '../sql-reader.js';
import { finishLines } from './layout.js';
import { QueryLayout } from './query-layout.js';
import { QueryWitness } from './query-witness.js';

export interface ViewTextRequest {
  readonly catalog: CatalogPort;
  /** Names of the view's own columns. */
  readonly columns: readonly string[];
  /** Parentheses are left out where they do not matter. */
  readonly pretty: boolean;
  readonly types: TypeContext;
  relationName(oid: number): string | undefined;
}

export function viewText(stored: StoredQuery, request: ViewTextRequest): string {
  try {
    return `${laidOut(stored, request)};`;
  } catch (error) {
    if (isPhantomError(error)) return ` ${stored.querySql};`;
    throw error;
  }
}

function laidOut(stored: StoredQuery, request: ViewTextRequest): string {
  const { querySql } = stored;
  const context = new BindContext({ catalog: request.catalog.withSearchPath(stored.searchPath), text: querySql });
  context.storedNames = new Map((stored.names ?? []).map((entry) => [entry.name, entry]));
  const witness = new QueryWitness();
  context.witness = witness;
  const query = sqlReader.query(querySql);
  new StatementBinder(context, sqlReader).bindQuery(query, undefined);
  const { catalog, pretty, types, columns } = request;
  const relationName = (oid: number): string | undefined => request.relationName(oid);
  const layout = new QueryLayout({ context, catalog, witness, pretty, types, relationName });
  return finishLines(layout.query(query, { names: columns, hidden: false }));
}
