/** `phantomd check`: walks every file of a data directory and says what is wrong. The directory is not changed. */
import { isCorruption } from '@phantom/base';
import { ExitCode } from './exit-codes.js';
import { CommandError } from './failure.js';
import { openDatabase } from './open-database.js';

export interface CheckOptions {
  readonly data: string;
  readonly json: boolean;
}

/** Prints findings, one a line; exit code 3 when there is corruption, of a file or so deep that nothing can be opened. */
export async function check({ data, json }: CheckOptions): Promise<ExitCode> {
  let findings;
  try {
    const database = await openDatabase(data, { readOnly: true, create: false });
    try {
      findings = await database.check();
    } finally {
      await database.close();
    }
  } catch (error) {
    const cause = error instanceof CommandError ? error.cause : error;
    if (isCorruption(cause)) throw new CommandError(ExitCode.Corruption, cause);
    throw error;
  }
  const isCorrupt = findings.some((finding) => finding.severity === 'corruption');
  if (json) {
    process.stdout.write(`${JSON.stringify({ ok: !isCorrupt, findings })}\n`);
  } else {
    for (const { severity, file, offset, message } of findings) {
      process.stdout.write(`${severity}: ${file}${offset === undefined ? '' : ` at ${offset}`}: ${message}\n`);
    }
    process.stdout.write(isCorrupt ? 'corruption found\n' : 'no corruption found\n');
  }
  return isCorrupt ? ExitCode.Corruption : ExitCode.Done;
}
