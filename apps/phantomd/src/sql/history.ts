/** What was typed in earlier shells, in a file of the user's own. Lines that hold a password are not kept. */
import { readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export const HISTORY_LINES_MAX = 1000;

export const HISTORY_VARIABLE = 'PHANTOM_HISTORY';

/** Where it is kept: PHANTOM_HISTORY, or a file in the home directory. */
export function historyFile(environment: Readonly<Record<string, string | undefined>>): string {
  return environment[HISTORY_VARIABLE] ?? join(homedir(), '.phantomd_history');
}

/** Lines, the newest first, as readline has them; none when the file cannot be read. */
export function readHistory(file: string): string[] {
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines
      .filter((line) => line !== '')
      .reverse()
      .slice(0, HISTORY_LINES_MAX);
  } catch {
    return [];
  }
}

/** Keeps them for the next shell. A home that cannot be written to has no history. */
export function writeHistory(file: string, newestFirst: readonly string[]): void {
  const lines = newestFirst.filter((line) => line !== '' && !/password/i.test(line)).slice(0, HISTORY_LINES_MAX);
  try {
    writeFileSync(
      file,
      lines
        .toReversed()
        .map((line) => `${line}\n`)
        .join(''),
      { mode: 0o600 },
    );
  } catch {
    // The shell works as well without.
  }
}
