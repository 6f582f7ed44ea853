/**
 * How soon what a merge met damage in is tried again: what is damaged may have been dropped, or made again, by then. Each time twice as
 * late, up to the other.
 */
export const DAMAGE_RETRY_MS = 30_000;
export const DAMAGE_RETRY_MS_MAX = 3_600_000;

/** The pause after one of `beforeMs`; 0: the first. */
export function nextDamageRetryMs(beforeMs: number): number {
  return Math.min(Math.max(beforeMs * 2, DAMAGE_RETRY_MS), DAMAGE_RETRY_MS_MAX);
}
