/** Changes of documents: which ones, what becomes of each, and what was done. */
import type { PlainObject } from './order.js';
import type { Query } from './reader.js';

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
}

export interface Modified {
  readonly matched: number;
  readonly modified: number;
  /** The last document met, before and after: of a change that names its fields perhaps those alone. */
  readonly before: PlainObject | undefined;
  readonly after: PlainObject | undefined;
}
