/**
 * `phantomd backup`, and `phantomd restore` of a backup. A backup is a data directory of its own, so both are the same copy, which is read back
 * before it counts: of a directory that nobody serves, which is not changed, or made by the server that has it.
 */
import { resolve } from 'node:path';
import { isCorruption } from '@phantom/base';
import type { BackupProgress, BackupResult } from '@phantom/db';
import { ExitCode } from './exit-codes.js';
import { CommandError } from './failure.js';
import { openDatabase } from './open-database.js';
import { Progress } from './progress.js';
import { openTarget } from './sql/open-target.js';
import { quoteText } from './sql/table-columns.js';

const MIB = 1024 * 1024;

export interface BackupCommandOptions {
  /** One of the two is given. */
  readonly data?: string;
  readonly url?: string;
  /** Where the copy is to lie. */
  readonly out: string;
  readonly json: boolean;
}

/** Exit code 3 when a part of what is copied cannot be read, 4 when it cannot be opened. */
export async function backup({ data, url, out, json }: BackupCommandOptions): Promise<ExitCode> {
  // As seen from here: a server that is asked by loopback sees the same.
  const directory = resolve(out);
  const made = url === undefined ? await copyDirectory(data as string, directory) : await askServer(url, directory);
  if (json) process.stdout.write(`${JSON.stringify({ directory, ...made })}\n`);
  else process.stdout.write(`${directory}: ${described(made)}\n`);
  return ExitCode.Done;
}

export interface RestoreOptions {
  readonly backup: string;
  /** The directory to be made. */
  readonly data: string;
  readonly json: boolean;
}

export function restore({ backup: from, data, json }: RestoreOptions): Promise<ExitCode> {
  return backup({ data: from, out: data, json });
}

async function copyDirectory(data: string, directory: string): Promise<BackupResult> {
  try {
    const database = await openDatabase(data, { readOnly: true, create: false });
    const progress = new Progress(process.stderr, 1);
    try {
      return await database.backup(directory, { onProgress: (at) => show(progress, at) });
    } finally {
      progress.end();
      await database.close();
    }
  } catch (error) {
    const cause = error instanceof CommandError ? error.cause : error;
    if (isCorruption(cause)) throw new CommandError(ExitCode.Corruption, cause);
    throw error;
  }
}

/** Writing is the first half of it, reading the second. */
function show(progress: Progress, { phase, entries, entriesExpected }: BackupProgress): void {
  progress.bytes = (phase === 'copy' ? 0 : 0.5) + entries / Math.max(1, entriesExpected) / 2;
  progress.rows = entries;
  progress.show();
}

async function askServer(url: string, directory: string): Promise<BackupResult> {
  const target = await openTarget({ url, database: '' });
  try {
    let numbers: readonly number[] = [];
    await target.run(`backup to ${quoteText(directory)}`, ({ rows }) => (numbers = (rows[0] ?? []).map(Number)));
    const [seq = 0, entries = 0, bytes = 0] = numbers;
    return { seq, entries, bytes };
  } finally {
    await target.close();
  }
}

function described({ seq, entries, bytes }: BackupResult): string {
  const size = `${(bytes / MIB).toLocaleString('en', { maximumFractionDigits: 1 })} MiB`;
  return `${entries.toLocaleString('en')} entries, ${size}, up to commit ${seq}; written and read back`;
}
