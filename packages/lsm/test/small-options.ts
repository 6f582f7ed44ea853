/** Everything so small that a few hundred entries fill several levels. */
import type { LsmOptions } from '../src/index.js';

export const SMALL: LsmOptions = {
  level0RunsMin: 2,
  level0RunsSlow: 6,
  level0RunsMax: 9,
  levelBytes: 6_000,
  levelFactor: 3,
  runBytesMax: 3_000,
  blockBytes: 300,
  sliceMs: 0,
};
