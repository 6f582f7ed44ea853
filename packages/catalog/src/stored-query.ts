/** Queries as the catalog keeps them: of views, policies, bodies of routines, actions of triggers and rules. */
import type { Oid } from './type-ref.js';

/**
 * A query kept as text, with what its names meant when it was made: a renamed table or column is still the one it was,
 * and columns that came later are not seen by `*`.
 */
export interface StoredQuery {
  readonly querySql: string;
  /** search_path at creation: names of functions and types inside are bound with it. */
  readonly searchPath: readonly string[];
  readonly names?: readonly StoredName[];
}

/** What one relation was called when a query was stored. */
export interface StoredName {
  /** As written, parts joined by dots. */
  readonly name: string;
  readonly oid: Oid;
  /** Columns by number (from 1; of a view by place), as they were called then; empty where there was none. */
  readonly columns: readonly string[];
}
