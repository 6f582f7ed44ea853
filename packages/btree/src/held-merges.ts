/**
 * What merges have met damage in, and for how long it is left alone. A merge that fails has undone itself, so all that is lost by one is
 * its work: runs go on being merged with each other, around those that are damaged, and writing ends only where not even that keeps
 * their number down. Once the pause is over everything is tried again: a read may have failed for a reason that passes, and what is
 * damaged may have been removed since, when it is passed over unread.
 *
 *   runs, newest first   |  |   ||   | X |  ||  |        X: held
 *                        └── may ──┘     └ may ┘
 *   pages                     held with any of it: into them go all runs, down to the oldest
 *
 * In memory alone: whoever opens the store again finds out again. An LSM-tree, whose merges reach only some keys, has more to choose
 * from (packages/lsm/src/held-runs.ts).
 */
import { isPhantomError } from '@phantom/base';
import type { Finding } from '@phantom/kv';
import { nextDamageRetryMs } from '@phantom/runs';

/** What is to be known of a run here. */
export interface HoldableRun {
  readonly run: { readonly path: string };
}

export class HeldMerges {
  private readonly paths = new Set<string>();
  private untilMs = 0;
  private delayMs = 0;
  /** Why there is a pause. */
  private error: Error | undefined = undefined;
  private met: Finding | undefined = undefined;

  /** The damage that was met last, until a merge into the pages has met none. */
  get findings(): readonly Finding[] {
    return this.met === undefined ? [] : [this.met];
  }

  /** Why nothing goes into the pages for the moment. */
  get reason(): Error | undefined {
    return this.error;
  }

  /** How long until all is tried again. */
  restMs(nowMs: number): number {
    return Math.max(0, this.untilMs - nowMs);
  }

  isHeld({ run }: HoldableRun): boolean {
    return this.paths.has(run.path);
  }

  /**
   * A merge of these runs has failed: holds the one that the error names; all of them, when it names none and they were merged with each
   * other. True when this is news.
   */
  hold(error: Error, merged: readonly HoldableRun[], into: 'runs' | 'tree', directory: string, nowMs: number): boolean {
    const { file, offset } = isPhantomError(error) ? (error.data ?? {}) : {};
    const named = merged.filter(({ run }) => run.path === file);
    for (const { run } of named.length > 0 || into === 'tree' ? named : merged) this.paths.add(run.path);
    const isNews = this.met?.message !== error.message;
    // A pause that is not over is not prolonged by what is met in it.
    if (this.error === undefined) {
      this.delayMs = nextDamageRetryMs(this.delayMs);
      this.untilMs = nowMs + this.delayMs;
    }
    this.error = error;
    this.met = {
      severity: 'corruption',
      file: typeof file === 'string' ? file : directory,
      ...(typeof offset === 'number' ? { offset } : {}),
      message: error.message,
    };
    return isNews;
  }

  /** Has all of it tried again once the pause is over. */
  expire(nowMs: number): void {
    if (this.error !== undefined && this.untilMs <= nowMs) this.release();
  }

  /** Has all of it tried again. */
  release(): void {
    this.paths.clear();
    this.error = undefined;
  }

  /** Everything went into the pages. */
  forget(): void {
    this.release();
    this.delayMs = 0;
    this.met = undefined;
  }
}
