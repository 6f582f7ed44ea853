/** @phantom/btree/level: the tree behind the interface of Level, for code that was written against classic-level. */
import { SpaceLevel, type SpaceLevelOptions } from '@phantom/store/level';
import { btree } from './btree.js';
import type { BtreeOptions } from './options.js';

/** Settings of Level, of the store and of the tree, side by side. */
export interface BtreeLevelOptions<K, V> extends SpaceLevelOptions<K, V>, BtreeOptions {}

/** The B+tree alone on a directory, as an abstract-level database: `new BtreeLevel('./data')`. 22023 for bad options. */
export class BtreeLevel<K = string, V = string> extends SpaceLevel<K, V> {
  constructor(location: string, options: BtreeLevelOptions<K, V> = {}) {
    super(location, btree(options), options);
  }
}
