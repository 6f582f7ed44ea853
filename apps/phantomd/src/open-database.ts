/** Opening a data directory for a command: whatever hinders it ends the process with "cannot open". */
import type { Database, DatabaseOptions } from '@phantom/db';
import { ExitCode } from './exit-codes.js';
import { CommandError } from './failure.js';

/** Opens the directory. CommandError with exit code 4 when that cannot be done; nothing in it was touched then. */
export async function openDatabase(directory: string, options: DatabaseOptions): Promise<Database> {
  // Loaded here, so that --help and wrong arguments are answered without it.
  const { open } = await import('@phantom/db');
  try {
    return await open(directory, options);
  } catch (error) {
    throw new CommandError(ExitCode.CannotOpen, error);
  }
}
