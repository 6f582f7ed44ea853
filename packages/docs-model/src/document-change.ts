/** Changes of documents: which ones, what becomes of each, and what was done. */
import type { PlainObject } from './order.js';
import type { Query } from './reader.js';
import type { FieldPatch } from './update/update.js';

/** What becomes of a document: another one, itself (nothing is written), or nothing (`undefined`). */
export type Decision = (document: PlainObject) => PlainObject | undefined;

/** Which documents change, and how. */
export interface DocumentChange {
  readonly query: Query;
  readonly decide: Decision;
  /** Documents go. */
  readonly removes?: boolean | undefined;
  /** Change streams are told that documents were replaced instead of where they were updated. */
  readonly replaces?: boolean | undefined;
  /** Top-level fields that `decide` reads or changes; undefined: any. */
  readonly fields?: ReadonlySet<string> | undefined;
  /** The same as `decide`, for documents that have these fields at the top; undefined: it changes more than single ones. */
  readonly patch?: FieldPatch | undefined;
  /** The caller wants to see whole documents, before and after. */
  readonly shows?: boolean | undefined;
}

export interface Modified {
  readonly matched: number;
  readonly modified: number;
  /** The last document met, before and after: of a change that names its fields and does not show them perhaps those alone, or nothing. */
  readonly before: PlainObject | undefined;
  readonly after: PlainObject | undefined;
}
