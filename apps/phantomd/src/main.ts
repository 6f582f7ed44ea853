/** The program `phantomd`: arguments to commands, errors to exit codes. */
import { enableCompileCache } from './compile-cache.js';
import { ExitCode } from './exit-codes.js';
import { CommandError, reportError } from './failure.js';
import { makeProgram } from './program.js';

/** A defect is told in full: whoever reads it is to report it. */
function crash(error: unknown): never {
  process.stderr.write(`phantomd: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exit(ExitCode.Failed);
}

// `phantomd sql ... | head` has had enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(ExitCode.Done);
  crash(error);
});
process.on('uncaughtException', crash);
process.on('unhandledRejection', crash);

enableCompileCache(process.env);
try {
  await makeProgram((code) => (process.exitCode = code)).parseAsync();
} catch (error) {
  reportError(error, process.argv.includes('--json'));
  process.exitCode = error instanceof CommandError ? error.exitCode : ExitCode.Failed;
}
