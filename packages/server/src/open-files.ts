/**
 * How many files a process may have open (`ulimit -n`): each client is one. Node raises the soft limit to the hard one when it starts, so
 * what is found here is what there is. Linux tells it in a file; elsewhere nobody knows without a native call, and nothing is said.
 */
import { readFileSync } from 'node:fs';

/** Files that the database, the log, threads and the runtime have open themselves, roughly: runs of large stores come on top. */
export const FILES_BESIDE_CLIENTS = 128;

/** The limit; undefined where there is none or it is not known. */
export function openFilesMax(limits: string = limitsOfProcess()): number | undefined {
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}

/** Clients for which there are no files; 0 for none. */
export function clientsWithoutFiles(clientsMax: number, filesMax: number | undefined): number {
  return filesMax === undefined ? 0 : Math.max(0, clientsMax + FILES_BESIDE_CLIENTS - filesMax);
}

function limitsOfProcess(): string {
  try {
    return readFileSync('/proc/self/limits', 'utf8');
  } catch {
    return '';
  }
}
