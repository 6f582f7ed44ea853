/**
 * Which runs of level 0 should become one? The tiers of level 0: flushes are small, so that the log is (a store begins a
 * checkpoint every few megabytes), and merging four megabytes into a level of hundreds would write it again each time.
 *
 *   level 0, newest first    4  4  4  4 | 16 | 32 32      megabytes; alike: 4 4 4 4 and 16, which become one of 32
 *                            full from here on: ^^        full runs wait for the level below
 *
 * Each of the newest runs that is at most twice as large as all those above it together counts as alike, so a run is
 * written again only with others that weigh about as much (tiering: Dayan and Idreos, "Dostoevsky", 2018). A byte is
 * written once or twice more on its way and level 0 keeps few runs, also while a long compaction into the level below is
 * under way: a merge of tiers takes none of its runs and may go on beside it.
 */
import {
  type PickerLevels,
  type PickerOptions,
  type PickerRun,
  fullRunBytes,
  movableRuns,
} from './compaction-picker.js';
import { cutsAround } from './held-runs.js';
import { type KeySpan, hullOf, spansOverlap } from './key-span.js';

/**
 * Runs that become one, newest first; undefined when none should. Those that are `taken` belong to a compaction under way, or are held.
 * Where some of level 0 cannot go down because of what is `held`, no run of it is full: it is merged with others whatever its size, and
 * what is written is cut around what is held, so it takes more runs to become fewer.
 */
export function pickTier<R extends PickerRun>(
  levels: PickerLevels<R>,
  isTaken: (run: R) => boolean,
  options: PickerOptions,
  held: readonly KeySpan[] = [],
): readonly R[] | undefined {
  const level0 = levels[0] ?? [];
  const isStuck = held.some((span) => level0.some((run) => spansOverlap(run, span)));
  const alike = alikeRuns(level0, isTaken, isStuck ? Number.POSITIVE_INFINITY : fullRunBytes(options));
  const runsMin = isStuck && level0.length >= options.level0RunsSlow ? 2 : options.level0RunsMin;
  if (alike.length < runsMin) return undefined;
  if (isStuck) return alike.length > cutsAround(held, hullOf(alike)).length + 1 ? alike : undefined;
  // Runs that lie beside each other will be moved down unread.
  return movableRuns(levels, options).length * 2 >= level0.length ? undefined : alike;
}

function alikeRuns<R extends PickerRun>(
  level0: readonly R[],
  isTaken: (run: R) => boolean,
  fullBytes: number,
): readonly R[] {
  let bytes = 0;
  let count = 0;
  for (const run of level0) {
    if (isTaken(run) || run.bytes >= fullBytes || (count > 0 && run.bytes > bytes * 2)) break;
    bytes += run.bytes;
    count++;
  }
  return level0.slice(0, count);
}
