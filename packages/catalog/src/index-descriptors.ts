/** What descriptors of indexes are made of. */
import type { TypeRef } from './type-ref.js';

/** A part of an index's key. */
export interface IndexKeyPart {
  /** A column by number, or an expression as SQL text. */
  readonly column?: number;
  readonly expressionSql?: string;
  readonly type: TypeRef;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
  /** Of an inverted index (method `gin`): what of a value is looked for. */
  readonly operatorClass?: 'array_ops' | 'jsonb_ops' | 'jsonb_path_ops' | 'tsvector_ops' | 'gin_trgm_ops';
  /** Of an expression, as written: kept and shown; ANALYZE gathers nothing of expressions. */
  readonly statisticsTarget?: number;
}

/** What an exclusion constraint asks of every two rows. */
export interface ExclusionOperators {
  /** Access method as it was asked for; the index is a tree, whichever it is. */
  readonly method: string;
  /** For each part, its operator in pg_catalog. */
  readonly operators: readonly string[];
}

/** An index over paths of documents. */
export interface DocumentIndexDescriptor {
  readonly kind: 'ordered' | 'text';
  readonly parts: readonly { readonly path: string; readonly descending: boolean; readonly wildcard?: true }[];
  /** Documents without any of the paths have no entry. */
  readonly sparse: boolean;
  /** Filter that a document satisfies to have an entry, as the document model's JSON. */
  readonly partialFilter?: unknown;
  /** Documents go when the date at the path is this old. */
  readonly expireAfterSeconds?: number;
  /** Text: how much a word of a path counts. Default 1. */
  readonly weights?: Readonly<Record<string, number>>;
}
