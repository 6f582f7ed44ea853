/** `phantomd restore`: of a backup (backup.ts), or from an archive to any moment that it has. */
import { isCorruption } from '@phantom/base';
import { type RestoreProgress, type RestoreResult, restore as restoreArchive } from '@phantom/db';
import { restore as restoreBackup } from './backup.js';
import { ExitCode } from './exit-codes.js';
import { CommandError } from './failure.js';
import { Progress } from './progress.js';

/** As they are given. */
export interface RestoreArguments {
  readonly dir?: string | undefined;
  readonly data?: string;
  readonly archive?: string;
  readonly toTime?: string;
  readonly toSeq?: string;
  readonly toName?: string;
  readonly json: boolean;
}

/** Exit code 1 for arguments that do not go together, 3 when a part of what is needed is damaged, otherwise as `backup`. */
export async function chosenRestore(given: RestoreArguments, dataDefault: string): Promise<ExitCode> {
  const { dir, data, archive, json } = given;
  if (archive !== undefined) {
    if (dir !== undefined && data !== undefined) throw usage('the data directory to make is given twice');
    return fromArchive(archive, dir ?? data ?? dataDefault, given);
  }
  if ([given.toTime, given.toSeq, given.toName].some((target) => target !== undefined)) {
    throw usage('a backup is of one moment: --to-time, --to-seq and --to-name need --archive');
  }
  if (dir === undefined) throw usage('what is to be restored: a directory that "backup" made, or --archive DIR');
  return restoreBackup({ backup: dir, data: data ?? dataDefault, json });
}

async function fromArchive(
  archive: string,
  directory: string,
  { toTime, toSeq, toName, json }: RestoreArguments,
): Promise<ExitCode> {
  const progress = new Progress(process.stderr, 1);
  let made: RestoreResult;
  try {
    made = await restoreArchive(archive, directory, {
      ...(toTime === undefined ? {} : { toTime: timeOf(toTime) }),
      ...(toSeq === undefined ? {} : { toSeq: seqOf(toSeq) }),
      ...(toName === undefined ? {} : { toName }),
      onProgress: (at) => show(progress, at),
    });
  } catch (error) {
    if (isCorruption(error)) throw new CommandError(ExitCode.Corruption, error);
    throw error;
  } finally {
    progress.end();
  }
  const { seq, timeMs, baseSeq, commits } = made;
  const time = new Date(timeMs).toISOString();
  if (json) process.stdout.write(`${JSON.stringify({ directory, seq, time, baseSeq, commits })}\n`);
  else {
    const count = commits.toLocaleString('en');
    process.stdout.write(
      `${directory}: restored to commit ${seq}, of ${time}; base ${baseSeq} and ${count} commits behind it\n`,
    );
  }
  return ExitCode.Done;
}

/** The phases, one after the other, as if they took as long. */
const PHASES: readonly RestoreProgress['phase'][] = ['verify', 'copy', 'commits'];

function show(progress: Progress, { phase, done, expected }: RestoreProgress): void {
  progress.bytes = (PHASES.indexOf(phase) + done / Math.max(1, expected)) / PHASES.length;
  progress.rows = done;
  progress.show();
}

/** ISO 8601, and as SQL shows a timestamp: with a space, and a zone of hours alone. */
function timeOf(text: string): Date {
  const day = text.trim().replace(/^(\d{4}-\d\d-\d\d)$/, '$1T00:00');
  const iso = day.replace(' ', 'T').replace(/(:\d\d(?:\.\d+)?)([+-]\d\d)(\d\d)?$/, '$1$2:$3');
  const time = new Date(iso.endsWith(':') ? `${iso}00` : iso);
  if (Number.isNaN(time.getTime())) throw usage(`"${text}" is no time: write it as 2026-11-23T18:00:00Z`);
  return time;
}

function seqOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw usage(`"${text}" is no commit: it is a whole number, the seq of a result`);
  return Number(text);
}

function usage(message: string): CommandError {
  return new CommandError(ExitCode.Usage, new Error(message));
}
