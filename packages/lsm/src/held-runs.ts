/**
 * Runs that damage was met in, and how compactions go on around them. A compaction that fails has undone itself, so all that is lost
 * by one is its work; to end writing for it, as RocksDB does, would make one bad block of one index the end of a whole database.
 * As Pebble does with its problem spans, what is damaged is left alone for a while and tried again: a read may have failed for a
 * reason that passes, and what is damaged may have been removed since, when it is passed over unread.
 *
 *   base level   |  a-f  |  f-m  X  |  m-t  |          X: held
 *   level 0      |-a-f--)|--f-m----)|--m-t--)          merges of level 0 cut what they write where held runs begin and end:
 *                  may go   stays     may go           so what lies beside one goes down, and what lies over it gathers
 *
 * What gathers is merged with each other however large it is, so that level 0 gets few runs even when all of it has to stay. Only if
 * even that is impossible, because most of level 0 itself is damaged, level0RunsMax ends writing: removals are still taken, so that
 * what is damaged can be dropped, and it goes on as soon as there is room.
 *
 * Invariants:
 *   1. No merge reads a held run, unless somebody asked for everything to be merged. Dropping and moving are allowed: they read nothing.
 *   2. Nothing is merged past a held run: what is newer than one in level 0 stays above it, and what is written to a level never
 *      reaches over a held run of that level.
 *
 * A list in memory alone: whoever opens the store again finds out again.
 */
import { type PhantomError, compareKeys } from '@phantom/base';
import type { Finding } from '@phantom/kv';
import { nextDamageRetryMs } from '@phantom/runs';
import { type KeySpan, hullOf, overlapping, spansOverlap } from './key-span.js';

/** Merges of level 0 are cut around so many held runs one by one. */
const CUT_SPANS_MAX = 4;

/** What is to be known of a run here. */
export interface HoldableRun extends KeySpan {
  readonly number: number;
  readonly run: { readonly path: string };
}

interface Hold {
  readonly number: number;
  /** When it is tried again, by the monotonic clock. */
  readonly untilMs: number;
  readonly delayMs: number;
  /** The run, and where in it, if the error says so. */
  readonly finding: Finding;
}

export class HeldRuns {
  private readonly holds = new Map<number, Hold>();
  /** Those whose time has come: they are tried once more, and what is met then is no news. */
  private readonly tried = new Map<number, Hold>();

  /** Runs that are known to be damaged, held at present or about to be tried again. */
  get all(): readonly Finding[] {
    return [...this.holds.values(), ...this.tried.values()].map(({ finding }) => finding);
  }

  get count(): number {
    return this.holds.size;
  }

  /** When the next one is tried again; Infinity when none is held. */
  get nextMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { untilMs } of this.holds.values()) next = Math.min(next, untilMs);
    return next;
  }

  isHeld(run: { readonly number: number }): boolean {
    return this.holds.has(run.number);
  }

  /**
   * Holds the run of a failed merge that the error names, or all of them when it names none. True when one of them was not known to be
   * damaged.
   */
  hold(inputs: readonly HoldableRun[], error: PhantomError, nowMs: number): boolean {
    const { file, offset } = error.data ?? {};
    const named = inputs.filter(({ run }) => run.path === file);
    let isNews = false;
    for (const { number, run } of named.length > 0 ? named : inputs) {
      const before = this.holds.get(number) ?? this.tried.get(number);
      const delayMs = nextDamageRetryMs(before?.delayMs ?? 0);
      const place = named.length > 0 && typeof offset === 'number' ? { offset } : {};
      const finding: Finding = { severity: 'corruption', file: run.path, ...place, message: error.message };
      this.tried.delete(number);
      this.holds.set(number, { number, finding, delayMs, untilMs: nowMs + delayMs });
      if (before === undefined) isNews = true;
    }
    return isNews;
  }

  /** Lets those be tried again whose time has come. */
  expire(nowMs: number): void {
    for (const hold of this.holds.values()) if (hold.untilMs <= nowMs) this.release(hold);
  }

  /** Lets all of them be tried again. */
  releaseAll(): void {
    for (const hold of this.holds.values()) this.release(hold);
  }

  /** Forgets runs that are not there any more. */
  keepOnly(present: readonly { readonly number: number }[]): void {
    if (this.holds.size + this.tried.size === 0) return;
    const numbers = new Set(present.map(({ number }) => number));
    for (const holds of [this.holds, this.tried]) {
      for (const number of holds.keys()) if (!numbers.has(number)) holds.delete(number);
    }
  }

  /** Lets those be tried again that newer range tombstones reach over. */
  releaseUnder(tombstones: readonly KeySpan[], present: readonly HoldableRun[]): void {
    if (this.holds.size === 0 || tombstones.length === 0) return;
    for (const run of present) {
      const hold = this.holds.get(run.number);
      if (hold !== undefined && tombstones.some((tombstone) => spansOverlap(tombstone, run))) this.release(hold);
    }
  }

  private release(hold: Hold): void {
    this.holds.delete(hold.number);
    this.tried.set(hold.number, hold);
  }
}

/**
 * What of level 0, newest first, may be merged into the base level while some runs are held: the largest group that lies between two
 * held runs of the base level, and is older than everything in level 0 that has to stay and overlaps it.
 */
export function freeOfLevel0<R extends KeySpan & { readonly bytes: number }>(
  level0: readonly R[],
  base: readonly R[],
  isHeld: (run: R) => boolean,
): readonly R[] {
  const stuck: R[] = [];
  const free: R[] = [];
  for (const run of level0.toReversed()) {
    const isStuck =
      isHeld(run) || overlapping(base, run).some(isHeld) || stuck.some((other) => spansOverlap(run, other));
    (isStuck ? stuck : free).unshift(run);
  }
  const walls = base.filter(isHeld);
  if (walls.length === 0) return free;
  // None of them overlaps a wall, so each lies before the first one that it does not lie behind.
  const groups = Array.from({ length: walls.length + 1 }, (): R[] => []);
  for (const run of free) {
    (groups[countBefore(walls, run)] as R[]).push(run);
  }
  const bytesOf = (runs: readonly R[]): number => runs.reduce((sum, { bytes }) => sum + bytes, 0);
  return groups.reduce((largest, group) => (bytesOf(group) > bytesOf(largest) ? group : largest));
}

/** How many spans, which are in order, lie before another one. */
function countBefore(walls: readonly KeySpan[], span: KeySpan): number {
  let at = 0;
  while (at < walls.length && compareKeys((walls[at] as KeySpan).upper, span.lower) <= 0) at++;
  return at;
}

/**
 * Keys at which a merge of level 0 with itself ends a run, ascending: where held runs below or beside it begin and end. Where there
 * are many of them they count as one.
 */
export function cutsAround(held: readonly KeySpan[], span: KeySpan): Uint8Array[] {
  const over = held.filter((run) => spansOverlap(run, span));
  const cuts = (over.length > CUT_SPANS_MAX ? [hullOf(over)] : over)
    .flatMap(({ lower, upper }) => [lower, upper])
    .filter((key) => compareKeys(key, span.lower) > 0 && compareKeys(key, span.upper) < 0)
    .sort(compareKeys);
  return cuts.filter((key, i) => i === 0 || compareKeys(key, cuts[i - 1] as Uint8Array) > 0);
}
