/** `phantomd sql`: commands, then files, or, when there are neither, stdin: a shell when it is a terminal, a script when not. */
import { buffer } from 'node:stream/consumers';
import { ioError } from '@phantom/base';
import { ExitCode } from '../exit-codes.js';
import { CommandError } from '../failure.js';
import type { OutputFormat } from './format.js';
import { historyFile } from './history.js';
import { readScriptFile, scriptText } from './script-text.js';
import { Runner } from './runner.js';
import { RunningTime } from './running-time.js';
import { type TargetOptions, openTarget } from './open-target.js';

export interface SqlOptions extends TargetOptions {
  readonly commands: readonly string[];
  readonly files: readonly string[];
  readonly format: OutputFormat;
}

const STDIN = '-';

/** Stops at the first error with exit code 2. */
export async function sql(options: SqlOptions): Promise<ExitCode> {
  // Before anything is opened: a file that is not there is a failure of its own.
  const scripts = await Promise.all(options.files.map(readScript));
  const target = await openTarget(options);
  try {
    const runner = new Runner(
      target,
      options.format,
      (text) => process.stdout.write(text),
      new RunningTime(process.stderr),
    );
    return (await runAll(runner, options, scripts)) ? ExitCode.Done : ExitCode.Failed;
  } finally {
    await target.close();
  }
}

async function runAll(runner: Runner, options: SqlOptions, scripts: readonly string[]): Promise<boolean> {
  for (const command of options.commands) {
    const isShells = command.trimStart().startsWith('\\');
    if (isShells ? (await runner.command(command)) === 'failed' : !(await runner.run(command))) return false;
  }
  for (const script of scripts) if (!(await runner.runScript(script))) return false;
  if (options.commands.length > 0 || scripts.length > 0) return true;
  if (!process.stdin.isTTY) return runner.runScript(await readScript(STDIN));
  const { runShell } = await import('./shell.js');
  const history = historyFile(process.env);
  await runShell(runner, { input: process.stdin, output: process.stdout, terminal: true, history });
  return true;
}

async function readScript(file: string): Promise<string> {
  try {
    // Reading descriptor 0 at once fails on a pipe that is not filled yet.
    return file === STDIN ? scriptText(await buffer(process.stdin), 'standard input') : await readScriptFile(file);
  } catch (error) {
    throw new CommandError(ExitCode.Failed, ioError('read', file, error));
  }
}
