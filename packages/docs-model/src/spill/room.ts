/** Where a query keeps what it holds, and what becomes of it when that is full. */
import { type MemoryBudget, type Scratch, isPhantomError } from '@phantom/base';

export interface Room {
  readonly memory: MemoryBudget;
  /** For what does not fit into memory; undefined where it is refused (53200). */
  readonly scratch: Scratch | undefined;
}

/** A holder puts aside no less than this share of the memory: others have the rest, and files would be many. */
export const SPILLED_SHARE_MIN = 1 / 16;
/** What a holder takes of it at the most, and what he leaves, so that others find some. */
const HELD_SHARE_MAX = 1 / 2;
const LEFT_SHARE_MIN = 1 / 8;
/** What a merge holds of each file; together they take half of what memory is left at the most. */
const WINDOW_BYTES_MIN = 1024;
const WINDOW_BYTES_MAX = 64 * 1024;
const WINDOWS_SHARE = 1 / 2;

/** Bytes that a merge of so many files holds of each. */
export function windowBytes(memory: MemoryBudget, files: number): number {
  const share = Math.floor((memory.leftBytes * WINDOWS_SHARE) / files);
  return Math.min(Math.max(share, WINDOW_BYTES_MIN), WINDOW_BYTES_MAX);
}

/** True where who holds so many bytes should put them aside, if they are worth it, so that others find room. */
export function isCrowded({ memory }: Room, heldBytes: number): boolean {
  const { limitBytes, leftBytes } = memory;
  if (heldBytes < limitBytes * SPILLED_SHARE_MIN) return false;
  return heldBytes > limitBytes * HELD_SHARE_MAX || leftBytes < limitBytes * LEFT_SHARE_MIN;
}

/** True for the error of a value that no file can hold: it has to stay in memory. */
export function isUnwritable(error: unknown): boolean {
  return (
    isPhantomError(error) &&
    (error.code === '22023' || error.code === '22021' || error.code === '54001' || error.code === '22003')
  );
}
