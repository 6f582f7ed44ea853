/** What a change stream tells, and what one is asked for. The names are those of MongoDB's change streams. */
import type { WithId } from '../collection-types.js';

interface EventBase {
  /** The resume token: where a stream goes on behind this event. Sorts in the order of events. */
  readonly _id: string;
  /** When the change was committed. */
  readonly wallTime: Date;
  readonly ns: { readonly db: string; readonly coll: string };
}

interface DocumentEvent extends EventBase {
  readonly documentKey: { readonly _id: unknown };
}

export interface UpdateDescription {
  /** New values by their dotted paths. */
  readonly updatedFields: Readonly<Record<string, unknown>>;
  readonly removedFields: readonly string[];
}

export type ChangeEvent<T> =
  | (DocumentEvent & { readonly operationType: 'insert' | 'replace'; readonly fullDocument: WithId<T> })
  | (DocumentEvent & {
      readonly operationType: 'update';
      readonly updateDescription: UpdateDescription;
      /** With the option `fullDocument`: the document as this change left it. */
      readonly fullDocument?: WithId<T>;
    })
  | (DocumentEvent & { readonly operationType: 'delete' })
  /** Everything went at once (TRUNCATE), the collection itself went, and the end of the stream after that. */
  | (EventBase & { readonly operationType: 'truncate' | 'drop' | 'invalidate' });

export interface WatchOptions {
  /** The token of an event: go on behind it, also in another process. 55000 when the log no longer reaches back to it. */
  readonly resumeAfter?: string;
  /** As resumeAfter; a stream that was ended by `invalidate` begins anew. */
  readonly startAfter?: string;
  /** Begin with the first change committed at this moment or later, since the last TRUNCATE at the earliest. 55000 when the log no longer reaches back to it. */
  readonly startAtOperationTime?: Date;
  /**
   * `default`: updates come with what they changed alone. Any other: with the document as the change left it, too; it is in
   * the log, so it is always there, and never newer than the change.
   */
  readonly fullDocument?: 'default' | 'updateLookup' | 'whenAvailable' | 'required';
  /** Log that the stream may hold back while nobody reads it; past it, it may lose its place (55000). Default 1 GiB. */
  readonly logBytesMax?: number;
}
