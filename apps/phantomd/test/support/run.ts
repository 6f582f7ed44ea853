/** phantomd's commands, run in this process. */
import { makeProgram } from '../../src/program.js';
import { capture } from './capture.js';

/** Runs `phantomd ARGS`: its exit code, if it set one, and what it wrote to stdout. Rejects with what the command failed with. */
export async function run(...args: string[]): Promise<{ code: number | undefined; out: string }> {
  let code: number | undefined;
  const { out } = await capture(() => makeProgram((exit) => (code = exit)).parseAsync(['node', 'phantomd', ...args]));
  return { code, out };
}

/** What it fails with; what it gives when it does not. */
export const rejected = (...args: string[]): Promise<unknown> => run(...args).catch((error: unknown) => error);
