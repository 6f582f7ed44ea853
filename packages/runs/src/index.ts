/** @phantom/runs: the delta in memory and the sorted run on disk, shared by both trees. */
export { Admission } from './admission.js';
export { Delta, type DeltaDescriptor, type DeltaOptions } from './delta.js';
export { type Layer, type LayerCursor, Lookup, type RangeTombstone, type VersionCursor, VersionKind } from './layer.js';
export { BlockCache, type CacheItem } from './block-cache.js';
export type { Compression } from './block-codec.js';
export { FilterBuilder, KeyHash, mayContain } from './filter.js';
export { Job, type JobBody, PAUSE, type Wait } from './job.js';
export { KeyIndex, countBelow, signedDiscriminator } from './key-index.js';
export { type FrozenLayer, MemoryLayers } from './memory-layers.js';
export { MergingCursor, type MergeSource } from './merging-cursor.js';
export { MergingVersions, type VersionSource } from './merging-versions.js';
export { KeyIntervals, RangeCover, overlaps, unionOf } from './range-cover.js';
export type { PlacedTombstone } from './range-tombstones.js';
export { RevokedLayer, viewTooOldError } from './revoked-layer.js';
export { Run, type RunCounters, type RunOptions } from './run-reader.js';
export { type RunSummary, RunWriter, type RunWriterOptions } from './run-writer.js';
export { SharedMemory, type SharedMemoryOptions } from './shared-memory.js';
