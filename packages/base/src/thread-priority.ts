/**
 * Threads that work for long stand back behind those that answer short questions: where processors are short, the kernel gives
 * the short ones their turn first. Linux alone has a priority for each thread; elsewhere nothing changes.
 *
 *    0   the thread that answers
 *   10   flushes and merges, which writers wait for in the end; helpers of the runtime (collections, compiling)
 *   19   costly reads
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';

const { PRIORITY_BELOW_NORMAL, PRIORITY_LOW } = constants.priority;

/** How far a thread stands back. */
export const ThreadPriority = { Background: PRIORITY_BELOW_NORMAL, Idle: PRIORITY_LOW } as const;

export type ThreadPriority = (typeof ThreadPriority)[keyof typeof ThreadPriority];

/** Has the thread that calls it stand back. What the system does not allow is left as it is. */
export function standBack(priority: ThreadPriority): void {
  try {
    // "4711/task/4713": to Linux a thread's number is as good as a process's.
    lower(Number(basename(readlinkSync('/proc/thread-self'))), priority);
  } catch {
    // There is no such file, or no right to it.
  }
}

/**
 * Has all threads of the process stand back that are there now, but for its first: called early, those are the runtime's helpers.
 * What they do is due in the end, so not as far as they can.
 */
export function helpersStandBack(): void {
  try {
    for (const name of readdirSync('/proc/self/task')) {
      if (Number(name) !== process.pid) lower(Number(name), ThreadPriority.Background);
    }
  } catch {
    // There is no such folder, or a thread has ended meanwhile.
  }
}

function lower(thread: number, priority: ThreadPriority): void {
  if (getPriority(thread) < priority) setPriority(thread, priority);
}
