/** @phantom/lsm: an LSM-tree engine, a delta over levels of sorted runs. */
export { lsm } from './lsm.js';
export { type LevelStats, LsmEngine, type LsmStats } from './lsm-engine.js';
export type { LsmOptions } from './options.js';
