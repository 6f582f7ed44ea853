/** What the document model asks of what it stands in: the composition (`db`) hands it in. */
import { type Clock, type Logger, MemoryBudget, type Scratch } from '@phantom/base';
import type { Catalog, Oid, RowTables } from '@phantom/catalog';
import type { KeyRange, RangeEstimate, SpaceId } from '@phantom/kv';
import type { Mvcc } from '@phantom/mvcc';
import type { DocumentCache } from './document-cache.js';
import type { Room } from './spill/room.js';
import type { TimeLimits } from './time-limit.js';

/** Engines a collection may ask for. */
export type CollectionEngine = 'btree' | 'lsm';

/** Working memory of one operation, where nobody says how much it has. */
const MEMORY_BYTES_MAX = 256 * 1024 * 1024;

export interface DocumentPorts {
  readonly mvcc: Mvcc;
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** Told of documents that break a schema which only warns. */
  readonly logger: Logger;
  /** Database in whose schema `public` the collections stand. */
  readonly databaseOid: Oid;
  /** The role of operations that run in no transaction of the caller's. */
  readonly roleOid: Oid;
  /** How long operations that run in no transaction of the caller's may wait and take, asked for each that writes; undefined: for ever. */
  readonly timeLimits?: () => TimeLimits;
  /** Tables beside the collections, once they are there; undefined where there are none. */
  readonly rowTables?: () => RowTables;
  /** A space that was never used before. */
  allocateSpace(engine: CollectionEngine): SpaceId;
  /** Of the same `mvcc`; undefined: every document is decoded whenever it is read. */
  readonly cache?: DocumentCache;
  /** The working memory of one operation, which it releases; undefined: MEMORY_BYTES_MAX for each. */
  readonly memory?: () => MemoryBudget;
  /** Where sorts and groups put what does not fit into memory; undefined: it is refused (53200). */
  readonly scratch?: Scratch | undefined;
  /** About how much lies in a range: the planner's statistics. */
  estimate(range: KeyRange): RangeEstimate;
}

/** Room for one operation, which releases its memory at the end. */
export function roomFor({ memory, scratch }: DocumentPorts): Room {
  return { memory: memory?.() ?? new MemoryBudget(MEMORY_BYTES_MAX), scratch };
}
