/** @phantom/runs: the delta in memory and the sorted run on disk, shared by both trees. */
export { type Layer, type LayerCursor, Lookup, type RangeTombstone, type VersionCursor, VersionKind } from './layer.js';
