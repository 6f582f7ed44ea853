/** A B+tree alone on a directory, durable: the engine with a store and its log under it. */
import { checkOptions, optionNames } from '@phantom/base';
import { SINGLE_SPACE_OPTIONS, type SingleSpace, type SingleSpaceOptions, openSingleSpace } from '@phantom/store';
import { btree } from './btree.js';
import type { BtreeOptions } from './options.js';

/** Settings of the store and of the tree, side by side. */
export interface OpenBtreeOptions extends SingleSpaceOptions, BtreeOptions {}

const OPTIONS = optionNames<OpenBtreeOptions>({
  ...SINGLE_SPACE_OPTIONS,
  pageBytes: true,
  runsMax: true,
  idleMergeMs: true,
  pinnedBytesMax: true,
  sliceMs: true,
  workerBytesMin: true,
  memory: true,
});

/**
 * Opens the tree in a directory, making it where there is none. Rejects with 55006 (in use; the detail says by whom), 0A000
 * (a newer format), 58P01 (nothing there and none to be made), XX001 (corruption), 22023 (settings) or an I/O error.
 */
export async function openBtree(directory: string, options: OpenBtreeOptions = {}): Promise<SingleSpace> {
  checkOptions('openBtree', options, OPTIONS);
  return openSingleSpace(directory, btree(options), options);
}
