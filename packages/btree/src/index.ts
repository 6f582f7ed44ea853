/** @phantom/btree: a B+tree engine, a delta over copy-on-write pages. */
export { btree } from './btree.js';
export { BtreeEngine, type BtreeStats } from './btree-engine.js';
export { type OpenBtreeOptions, openBtree } from './open-btree.js';
export type { BtreeOptions } from './options.js';
export type {
  RangeOptions,
  ScanOptions,
  SingleSpace,
  SpaceBatch,
  SpaceEntry,
  SpaceOperation,
  SpaceSnapshot,
  WriteOptions,
} from '@phantom/store';
