/**
 * Threads that read for long stand back behind those that answer short questions: where processors are short, the kernel gives
 * the short ones their turn first. Linux alone has a priority for each thread; elsewhere nothing changes.
 */
import { readlinkSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { basename } from 'node:path';

/** Has the thread that calls it stand back. What the system does not allow is left as it is. */
export function standBack(): void {
  try {
    // "4711/task/4713": to Linux a thread's number is as good as a process's.
    const thread = Number(basename(readlinkSync('/proc/thread-self')));
    const { PRIORITY_LOW: wanted } = constants.priority;
    if (getPriority(thread) < wanted) setPriority(thread, wanted);
  } catch {
    // There is no such file, or no right to it.
  }
}
