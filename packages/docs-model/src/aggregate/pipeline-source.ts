/** What stages need of the collections around them. */
import type { MemoryBudget } from '@phantom/base';
import { compileFilter } from '../filter/filter.js';
import { SLOT_BYTES, documentBytes } from '../memory-bytes.js';
import type { PlainObject } from '../order.js';
import type { Room } from '../spill/room.js';
import type { Query } from '../reader.js';
import type { Variables } from './evaluate.js';
import type { Work } from './work.js';
import type { Documents } from './stages.js';

/** What pipelines ask of the collections around them; all in one transaction. */
export interface PipelineSource {
  /** Where all stages together keep what they hold. */
  readonly room: Room;
  /** What the expressions of one pipeline may make and do. */
  newWork(): Work;
  /** Batches of a query's documents; `fields`: only those are needed. */
  scan(collection: string, query: Query, fields: ReadonlySet<string> | undefined): Documents;
  /** Replaces what a collection holds. */
  replace(collection: string, documents: readonly PlainObject[]): Promise<void>;
  /** Merges documents into a collection, by $merge's rules. 22023 without a unique index over the rules' paths. */
  merge(collection: string, documents: readonly PlainObject[], rules: MergeRules): Promise<void>;
}

/** What becomes of a document that is there when another comes to be merged into it; a function makes what takes its place. */
export type WhenMatched =
  | 'replace'
  | 'keepExisting'
  | 'merge'
  | 'fail'
  | ((existing: PlainObject, document: PlainObject) => PlainObject);

export interface MergeRules {
  /** Paths that tell which document another is merged into: the `_id`, or those of a unique index. */
  readonly on: readonly string[];
  readonly whenMatched: WhenMatched;
  readonly whenNotMatched: 'insert' | 'discard' | 'fail';
}

/** All documents of a stage, taken from the memory of who holds them from now on. */
export async function collect(documents: Documents, memory: MemoryBudget, work: Work): Promise<PlainObject[]> {
  const all: PlainObject[] = [];
  for await (const batch of documents)
    for (const document of batch) {
      if (work.isDue()) await work.rest();
      memory.take(SLOT_BYTES + documentBytes(document));
      all.push(document);
    }
  return all;
}

/** A query that has a filter alone. */
export function queryFor(filter: PlainObject, variables?: Variables): Query {
  return {
    filter: compileFilter(filter, variables),
    sort: [],
    skip: 0,
    limit: 0,
    projection: undefined,
    hint: undefined,
  };
}

/** Documents as the input of a stage. */
export async function* once(documents: readonly PlainObject[]): AsyncGenerator<readonly PlainObject[]> {
  yield documents;
}
