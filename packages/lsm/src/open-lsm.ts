/** An LSM-tree alone on a directory, durable: the engine with a store and its log under it. */
import { checkOptions, optionNames } from '@phantom/base';
import { SINGLE_SPACE_OPTIONS, type SingleSpace, type SingleSpaceOptions, openSingleSpace } from '@phantom/store';
import { lsm } from './lsm.js';
import type { LsmOptions } from './options.js';

/** Settings of the store and of the tree, side by side. */
export interface OpenLsmOptions extends SingleSpaceOptions, LsmOptions {}

const OPTIONS = optionNames<OpenLsmOptions>({
  ...SINGLE_SPACE_OPTIONS,
  level0RunsMin: true,
  level0RunsSlow: true,
  level0RunsMax: true,
  levelBytes: true,
  levelFactor: true,
  runBytesMax: true,
  blockBytes: true,
  filterBitsPerKey: true,
  filterBytesMax: true,
  compression: true,
  bottomCompression: true,
  pinnedBytesMax: true,
  sliceMs: true,
  workerBytesMin: true,
  memory: true,
});

/**
 * Opens the tree in a directory, making it where there is none. Rejects with 55006 (in use; the detail says by whom), 0A000
 * (a newer format), 58P01 (nothing there and none to be made), XX001 (corruption), 22023 (settings) or an I/O error.
 */
export async function openLsm(directory: string, options: OpenLsmOptions = {}): Promise<SingleSpace> {
  checkOptions('openLsm', options, OPTIONS);
  return openSingleSpace(directory, lsm(options), options);
}
