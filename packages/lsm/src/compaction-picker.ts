/**
 * Which compaction next? A pure function from the levels and the settings to a job, so that a test can ask it anything.
 *
 *   level 0      runs as they were flushed, small ones merged with each other (tier-picker.ts). Once there are enough full
 *                ones, or merging them costs little, all go into the base level at once
 *   base level   the topmost that is in use; begins as the bottom. A level is put above it when it has become levelFactor
 *    ...         times levelBytes, so that sizes follow from the data, and a small tree is one level
 *   bottom       its size is what it is; each level above may have 1 / levelFactor of the one below
 *
 * (O'Neil et al. 1996 for the levels; tiering above leveling is Dayan and Idreos' "Dostoevsky", 2018, with the one level
 * where it pays: level 0 is read through filters, and the more runs a burst of writes leaves there, the less each byte
 * costs to merge. Sizes from the bottom up are RocksDB's.) Jobs, the first that applies:
 *
 *   drop    runs that lie whole under a range tombstone of a newer run: they are forgotten, unread
 *   move    runs that overlap nothing where they go: they get another level, unread
 *   merge   runs of a level with what they overlap in the next one, for the level that has most too much; of a deep level
 *           the run that overlaps least for its bytes. Then hints: runs made mostly of removals, and runs that cursors
 *           have looked into so often that merging them is cheaper
 *
 * No merge reads a run that is held (held-runs.ts).
 */
import { compareKeys } from '@phantom/base';
import { unionOf } from '@phantom/runs';
import { BOTTOM_LEVEL } from './format.js';
import { freeOfLevel0 } from './held-runs.js';
import { type KeySpan, hullOf, overlapping, spansOverlap } from './key-span.js';

/** What the picker knows of a run. */
export interface PickerRun extends KeySpan {
  readonly bytes: number;
  readonly entries: number;
  readonly removals: number;
  readonly tombstones: readonly KeySpan[];
  /** How often a cursor had to look into it. */
  readonly seeks: number;
}

export interface PickerOptions {
  readonly level0RunsMin: number;
  readonly level0RunsSlow: number;
  readonly levelBytes: number;
  readonly levelFactor: number;
}

/** By number; level 0 newest first, the others in key order. */
export type PickerLevels<R extends PickerRun> = readonly (readonly R[])[];

export type CompactionJob<R extends PickerRun> =
  | { readonly kind: 'drop'; readonly runs: readonly R[] }
  | { readonly kind: 'move'; readonly runs: readonly R[]; readonly to: number }
  | {
      readonly kind: 'merge';
      /** Why, for the log. */
      readonly reason: 'size' | 'removals' | 'seeks';
      readonly from: number;
      readonly to: number;
      /** Of `from`: of level 0 newest first, of others in key order and side by side. */
      readonly upper: readonly R[];
      /** Of `to`, in key order: everything there that lies between the ends of `upper`. */
      readonly lower: readonly R[];
    };

/** A seek that finds nothing costs about as much as merging so many bytes (LevelDB's estimate). */
const SEEK_BYTES = 16 * 1024;
/** Of levelBytes: a run of level 0 that is larger is full, and not merged with others of level 0 any more. */
const FULL_RUN_SHARE = 0.25;
/** Level 0 goes down once what it overlaps in the base level is at most so many times its own bytes. */
const CHEAP_FACTOR = 2;
/** Runs with more removals than this share of their entries are merged down early: they cost every scan over them. */
const REMOVALS_SHARE = 0.5;
/** Smaller ones are not worth a job of their own. */
const REMOVALS_MIN = 1000;

/** Whether a run is not to be read for the time being (held-runs.ts). */
export type IsHeld<R extends PickerRun> = (run: R) => boolean;

/** What to do next; undefined when nothing needs to be done. Without `isHeld` every run may be read. */
export function pickCompaction<R extends PickerRun>(
  present: PickerLevels<R>,
  options: PickerOptions,
  isHeld?: IsHeld<R>,
): CompactionJob<R> | undefined {
  const covered = coveredRuns(present);
  if (covered.length > 0) return { kind: 'drop', runs: covered };
  const targets = levelTargets(present, options);
  const levels = isHeld === undefined ? present : withoutStuck(present, targets.base, isHeld);
  const scores: { readonly level: number; readonly score: number }[] = [];
  for (let level = 0; level < BOTTOM_LEVEL; level++) {
    const score =
      level === 0 ? level0Score(levels, targets.base, options) : levelScore(levels, level, targets, options);
    if (score >= 1) scores.push({ level, score });
  }
  // The fullest first; where held runs leave nothing to do in a level it is the next one's turn.
  for (const { level } of scores.sort((a, b) => b.score - a.score)) {
    const job =
      level === 0 ? mergeLevel0(levels, targets.base, 'size', options) : mergeFrom(levels, level, 'size', isHeld);
    if (job !== undefined) return job;
  }
  return byRemovals(levels, isHeld) ?? bySeeks(levels, targets.base, options, isHeld);
}

/** The levels with that part of level 0 alone that may go down. */
function withoutStuck<R extends PickerRun>(levels: PickerLevels<R>, base: number, isHeld: IsHeld<R>): PickerLevels<R> {
  return [freeOfLevel0(levels[0] ?? [], levels[base] ?? [], isHeld), ...levels.slice(1)];
}

/** What is held of level 0 and of the level below it: what keeps runs of level 0 there. */
export function heldBelow0<R extends PickerRun>(
  levels: PickerLevels<R>,
  options: PickerOptions,
  isHeld: IsHeld<R>,
): readonly R[] {
  const { base } = levelTargets(levels, options);
  return [...(levels[0] ?? []), ...(levels[base] ?? [])].filter(isHeld);
}

export interface LevelTargets {
  /** Where level 0 goes. */
  readonly base: number;
  /** Bytes that each level should have at most, by level; Infinity at the bottom, 0 above the base. */
  readonly bytes: readonly number[];
}

/** Sizes of the levels, from the bottom up. */
export function levelTargets<R extends PickerRun>(levels: PickerLevels<R>, options: PickerOptions): LevelTargets {
  let base = BOTTOM_LEVEL;
  let target = Math.max(...levels.slice(1).map(bytesOf));
  const bytes = Array.from({ length: BOTTOM_LEVEL + 1 }, () => 0);
  bytes[BOTTOM_LEVEL] = Number.POSITIVE_INFINITY;
  while (base > 1 && target / options.levelFactor >= options.levelBytes) {
    target /= options.levelFactor;
    base--;
    bytes[base] = target;
  }
  // Nothing may jump over what lies higher: a level that is no longer wanted is emptied first.
  for (let level = 1; level < base; level++) if ((levels[level] ?? []).length > 0) base = level;
  return { base, bytes };
}

/** How hard writers should be slowed: 0 not at all, 1 as much as may be. */
export function pressureOf(level0Runs: number, slow: number, max: number): number {
  if (level0Runs < slow) return 0;
  return Math.min(1, (level0Runs - slow + 1) / (max - slow + 1));
}

/**
 * The deepest level that a file may go to that is newer than everything there is: all it overlaps lies below. Level 0 when
 * it overlaps something in level 0.
 */
export function levelOfNewest<R extends PickerRun>(levels: PickerLevels<R>, span: KeySpan): number {
  if ((levels[0] ?? []).some((run) => spansOverlap(run, span))) return 0;
  let level = 0;
  while (level < BOTTOM_LEVEL && overlapping(levels[level + 1] ?? [], span).length === 0) level++;
  return level;
}

function bytesOf(runs: readonly PickerRun[]): number {
  let bytes = 0;
  for (const run of runs) bytes += run.bytes;
  return bytes;
}

/** Above 1: the level has too much. */
function levelScore<R extends PickerRun>(
  levels: PickerLevels<R>,
  level: number,
  targets: LevelTargets,
  options: PickerOptions,
): number {
  const runs = levels[level] ?? [];
  if (runs.length === 0) return 0;
  const target = targets.bytes[level] as number;
  return bytesOf(runs) / (target > 0 ? target : options.levelBytes / options.levelFactor);
}

/** As levelScore: by full runs, by bytes, and by runs where they cost reads too much or little is to be rewritten. */
function level0Score<R extends PickerRun>(levels: PickerLevels<R>, base: number, options: PickerOptions): number {
  const runs = levels[0] ?? [];
  const { level0RunsMin, level0RunsSlow, levelBytes } = options;
  if (runs.length === 0) return 0;
  const bytes = bytesOf(runs);
  const fullBytes = fullRunBytes(options);
  const full = runs.filter((run) => run.bytes >= fullBytes).length;
  const score = Math.max(full / level0RunsMin, runs.length / level0RunsSlow, bytes / (2 * levelBytes));
  if (score >= 1 || runs.length < level0RunsMin) return score;
  const isCheap =
    bytesOf(overlapping(levels[base] ?? [], hullOf(runs))) <= CHEAP_FACTOR * bytes ||
    movableRuns(levels, options).length * 2 >= runs.length;
  return isCheap ? runs.length / level0RunsMin : score;
}

/** From how many bytes on a run of level 0 is full. */
export function fullRunBytes(options: PickerOptions): number {
  return options.levelBytes * FULL_RUN_SHARE;
}

/** Runs of level 0 that overlap nothing: neither each other, nor anything in the base level. */
export function movableRuns<R extends PickerRun>(levels: PickerLevels<R>, options: PickerOptions): readonly R[] {
  const level0 = levels[0] ?? [];
  const { base } = levelTargets(levels, options);
  return level0.filter(
    (run, i) =>
      isMovable(run, base) &&
      !level0.some((other, j) => i !== j && spansOverlap(run, other)) &&
      overlapping(levels[base] ?? [], run).length === 0,
  );
}

/** Runs that lie whole under range tombstones of newer ones. */
function coveredRuns<R extends PickerRun>(levels: PickerLevels<R>): R[] {
  const above: KeySpan[] = [];
  const covered: R[] = [];
  let cover = unionOf(above);
  levels.forEach((runs, level) => {
    const own: KeySpan[] = [];
    for (const run of runs) {
      const at = cover.count === 0 ? -1 : cover.find(run.lower, 0, run.lower.length);
      if (at >= 0 && compareKeys(run.upper, cover.uppers[at] as Uint8Array) <= 0) covered.push(run);
      if (run.tombstones.length === 0) continue;
      // In level 0 the next run is an older one; in the others it is a neighbour.
      (level === 0 ? above : own).push(...run.tombstones);
      if (level === 0) cover = unionOf(above);
    }
    if (own.length === 0) return;
    above.push(...own);
    cover = unionOf(above);
  });
  return covered;
}

function mergeLevel0<R extends PickerRun>(
  levels: PickerLevels<R>,
  base: number,
  reason: 'size' | 'seeks',
  options: PickerOptions,
): CompactionJob<R> {
  const upper = levels[0] as readonly R[];
  const lower = overlapping(levels[base] ?? [], hullOf(upper));
  const movable = movableRuns(levels, options);
  if (movable.length * 2 >= upper.length) return { kind: 'move', runs: movable, to: base };
  return { kind: 'merge', reason, from: 0, to: base, upper, lower };
}

/** At the bottom, removals can be dropped, but only by reading them. */
function isMovable(run: PickerRun, to: number): boolean {
  return to < BOTTOM_LEVEL || (run.removals === 0 && run.tombstones.length === 0);
}

/** Of the runs of a level the one that overlaps least for its bytes; removals count for it. */
function mergeFrom<R extends PickerRun>(
  levels: PickerLevels<R>,
  from: number,
  reason: 'size',
  isHeld: IsHeld<R> | undefined,
): CompactionJob<R> | undefined {
  const below = levels[from + 1] ?? [];
  let best: R | undefined;
  let bestCost = Number.POSITIVE_INFINITY;
  for (const run of levels[from] as readonly R[]) {
    if (!isMergeable(levels, from, run, isHeld)) continue;
    const density = run.entries === 0 ? 1 : run.removals / run.entries;
    const cost = bytesOf(overlapping(below, run)) / (run.bytes * (1 + density));
    if (best !== undefined && cost >= bestCost) continue;
    best = run;
    bestCost = cost;
  }
  return best === undefined ? undefined : mergeRun(levels, from, best, reason);
}

/** Neither the run nor what it overlaps below is held. */
function isMergeable<R extends PickerRun>(
  levels: PickerLevels<R>,
  from: number,
  run: R,
  isHeld: IsHeld<R> | undefined,
): boolean {
  return isHeld === undefined || !(isHeld(run) || overlapping(levels[from + 1] ?? [], run).some(isHeld));
}

function mergeRun<R extends PickerRun>(
  levels: PickerLevels<R>,
  from: number,
  run: R,
  reason: 'size' | 'removals' | 'seeks',
): CompactionJob<R> {
  const to = from + 1;
  const lower = overlapping(levels[to] ?? [], run);
  if (lower.length === 0 && isMovable(run, to)) return { kind: 'move', runs: [run], to };
  return { kind: 'merge', reason, from, to, upper: [run], lower };
}

function byRemovals<R extends PickerRun>(
  levels: PickerLevels<R>,
  isHeld: IsHeld<R> | undefined,
): CompactionJob<R> | undefined {
  for (let level = 1; level < BOTTOM_LEVEL; level++) {
    for (const run of levels[level] ?? []) {
      const { entries, removals } = run;
      if (removals < REMOVALS_MIN || removals <= entries * REMOVALS_SHARE) continue;
      if (isMergeable(levels, level, run, isHeld)) return mergeRun(levels, level, run, 'removals');
    }
  }
  return undefined;
}

function bySeeks<R extends PickerRun>(
  levels: PickerLevels<R>,
  base: number,
  options: PickerOptions,
  isHeld: IsHeld<R> | undefined,
): CompactionJob<R> | undefined {
  const level0 = levels[0] ?? [];
  if (level0.length > 0) {
    let seeks = 0;
    for (const run of level0) seeks += run.seeks;
    const bytes = bytesOf(level0) + bytesOf(overlapping(levels[base] ?? [], hullOf(level0)));
    if (seeks * SEEK_BYTES > bytes) return mergeLevel0(levels, base, 'seeks', options);
  }
  for (let level = 1; level < BOTTOM_LEVEL; level++) {
    for (const run of levels[level] ?? []) {
      const bytes = run.bytes + bytesOf(overlapping(levels[level + 1] ?? [], run));
      if (run.seeks * SEEK_BYTES <= bytes) continue;
      if (isMergeable(levels, level, run, isHeld)) return mergeRun(levels, level, run, 'seeks');
    }
  }
  return undefined;
}
