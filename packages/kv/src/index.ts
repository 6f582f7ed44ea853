/** @phantom/kv: the engine contract, keys, ranges and write batches, and the ordered map that deltas are made of. */
export { NONE } from './arena-node.js';
export { ArenaTree, type ArenaTreeDescriptor, type ArenaTreeOptions, ENTRY_HEADER_WORDS } from './arena-tree.js';
export { ArenaTreeCursor } from './arena-tree-cursor.js';
export { BatchGroup } from './batch-group.js';
export { ARENA_BYTES_MAX, ByteArena } from './byte-arena.js';
export { ByteSlot, CursorBatch } from './engine.js';
export type {
  AttachedView,
  EngineStats,
  Finding,
  KvCursor,
  KvEngine,
  KvView,
  RangeEstimate,
  ReadyRun,
  ScrubStep,
  SortedRunRef,
  SortedWriter,
  ViewShare,
} from './engine.js';
export { EntrySorter, type OrderedEntries } from './entry-sorter.js';
export { NewEntries } from './new-entries.js';
export { type KeyRange, keyAfter, prefixEnd, prefixRange, spaceRange } from './key-range.js';
export {
  type LostRange,
  type SalvageFinding,
  type SalvageReport,
  type SalvagedEngine,
  type SalvagedEntry,
  type SalvagedLayer,
  type SalvagedRemoval,
  type SalvagedRow,
  isLostRange,
  mergeSalvaged,
} from './salvage.js';
export { SEQ_NONE, type Seq } from './seq.js';
export {
  EngineCode,
  SPACE_BYTES,
  SPACE_NUMBER_MAX,
  type SpaceId,
  engineOfKey,
  engineOfSpace,
  makeSpaceId,
  spaceOfKey,
  writeSpace,
} from './space.js';
export { type SpillWriter, type SpilledEntries, type SpilledWrites, Written } from './spilled-writes.js';
export {
  BATCH_BYTES_MAX,
  BATCH_FORMAT,
  BATCH_HEADER_BYTES,
  BatchMark,
  BatchReader,
  KEY_BYTES_MAX,
  OperationKind,
  type ValueSource,
  WriteBatch,
  putBytes,
} from './write-batch.js';
