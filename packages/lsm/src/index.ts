/** @phantom/lsm: an LSM-tree engine, a delta over levels of sorted runs. */
export { lsm } from './lsm.js';
export { type LevelStats, LsmEngine, type LsmStats } from './lsm-engine.js';
export { type OpenLsmOptions, openLsm } from './open-lsm.js';
export type { LsmOptions } from './options.js';
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
