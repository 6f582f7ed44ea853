/** What the catalog knows of partitioned tables and their partitions besides what it knows of all tables. */
import type { TypeRef } from './type-ref.js';

/** How the rows of a partitioned table are told apart. */
export interface PartitionKey {
  readonly strategy: 'list' | 'range' | 'hash';
  readonly parts: readonly PartitionKeyPart[];
  /** Of hash partitions: whose hash says where rows lie. Absent where that is the one by bytes, which only older tables have. */
  readonly hash?: 'postgresql';
}

/** A column by number, or an expression as SQL text. */
export interface PartitionKeyPart {
  readonly column?: number;
  readonly expressionSql?: string;
  readonly type: TypeRef;
  /** The operator class as written, where it is not the type's default one. The order is the same. */
  readonly operatorClass?: string;
}

/** A value as text (ISO dates, UTC), or what lies before or behind all values. */
export type PartitionDatum = { readonly value: string } | 'minvalue' | 'maxvalue';

/** Which rows of a partitioned table lie in a partition. */
export type PartitionBound =
  /** All that no other partition takes; one of the values, as texts; from one key, inclusive, to another, exclusive. */
  | { readonly kind: 'default' }
  | { readonly kind: 'list'; readonly values: readonly (string | null)[] }
  | { readonly kind: 'range'; readonly from: readonly PartitionDatum[]; readonly to: readonly PartitionDatum[] }
  | { readonly kind: 'hash'; readonly modulus: number; readonly remainder: number };
