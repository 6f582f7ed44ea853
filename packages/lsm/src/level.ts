/** @phantom/lsm/level: the tree behind the interface of Level, for code that was written against classic-level. */
import { SpaceLevel, type SpaceLevelOptions } from '@phantom/store/level';
import { lsm } from './lsm.js';
import type { LsmOptions } from './options.js';

/** Settings of Level, of the store and of the tree, side by side. */
export interface LsmLevelOptions<K, V> extends SpaceLevelOptions<K, V>, LsmOptions {}

/** The LSM-tree alone on a directory, as an abstract-level database: `new LsmLevel('./data')`. 22023 for bad options. */
export class LsmLevel<K = string, V = string> extends SpaceLevel<K, V> {
  constructor(location: string, options: LsmLevelOptions<K, V> = {}) {
    super(location, lsm(options), options);
  }
}
