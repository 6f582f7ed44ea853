/** A way to read a table: along its own key or an index, whole or in a range; and the words that all kinds of ways share. */
import type { IndexDescriptor } from '@phantom/catalog';
import type { ColumnId, Expression } from '../../expr/expression.js';
import type { Scan } from '../logical/logical.js';
import type { KeyRangePlan } from './physical.js';

/** A column or an expression of a key, in key order. */
export interface KeyPart {
  readonly column: ColumnId | undefined;
  readonly number: number | undefined;
  /** What the index is over in the place of a column. */
  readonly expression?: Expression | undefined;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
  readonly typeOid: number;
  /** The path finds no row in which the column is null. */
  readonly neverNull?: true;
}

export interface AccessPath {
  readonly index: IndexDescriptor | undefined;
  readonly parts: readonly KeyPart[];
  /** The columns of the rows' own key, which stand behind the parts of an index; none for the table itself. */
  readonly rowKeyParts: readonly KeyPart[];
  readonly range: KeyRangePlan | undefined;
  /** At most one row. */
  readonly unique: boolean;
  /** Conditions the range does not cover. */
  readonly filter: readonly Expression[];
  /** Of a partial index: what is true of all of its rows. */
  readonly predicate?: readonly Expression[];
}

/** A comparison by what it says of its left side. */
export type Role = '=' | '<' | '<=' | '>' | '>=';

/** Comparisons with their sides exchanged. */
export const FLIPPED: Readonly<Record<Role, Role>> = { '=': '=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** True for what is one stretch of keys in their order: of no list of values, no terms or paths, no union, nothing skipped. */
export function isOneStretch({ any, terms, documents, union, skipsFirst }: KeyRangePlan): boolean {
  return (
    any === undefined &&
    terms === undefined &&
    documents === undefined &&
    union === undefined &&
    skipsFirst === undefined
  );
}

/** The columns that a scan makes: what is compared with them must not depend on them. */
export function ownColumns({ scanColumns, rowReference }: Scan): ReadonlySet<ColumnId> {
  const own = new Set<ColumnId>(scanColumns.map((column) => column.id));
  if (rowReference !== undefined) own.add(rowReference);
  return own;
}
