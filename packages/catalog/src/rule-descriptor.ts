/** Rules of rewriting: what a statement that names a relation comes to (CREATE RULE). */
import type { StoredQuery } from './stored-query.js';
import type { Oid } from './type-ref.js';

export interface RuleDescriptor {
  readonly kind: 'rule';
  readonly oid: Oid;
  readonly name: string;
  readonly databaseOid: Oid;
  /** The table or view. */
  readonly tableOid: Oid;
  readonly event: 'insert' | 'update' | 'delete';
  /** The statement itself is not run, or only where `condition` is not true. */
  readonly instead: boolean;
  /** `SELECT WHERE condition`, over the rows `old` and `new`. */
  readonly condition?: StoredQuery;
  /** In the order in which they run; empty: nothing is done. */
  readonly actions: readonly RuleAction[];
  /** What columns of `old` and `new` were called, by number (of a view by place); empty where there was none. */
  readonly rowColumns: readonly string[];
  /** `disabled` never applies; `replica` only where rows are replicated, which is never here. */
  readonly firing: 'origin' | 'always' | 'replica' | 'disabled';
  readonly comment?: string;
}

/** A query or a change, over the rows `old` and `new`; or NOTIFY. */
export type RuleAction =
  | (StoredQuery & { readonly kind: 'statement' })
  | { readonly kind: 'notify'; readonly channel: string; readonly payload: string };
