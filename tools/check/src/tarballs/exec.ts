/** Runs a program to its end and hands back what it said; never throws for an exit code. */
import { spawn } from 'node:child_process';

export interface ExecResult {
  /** Exit code; -1 when the program could not start or was stopped by the time limit. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ExecOptions {
  readonly cwd: string;
  readonly timeoutMs?: number;
}

const timeoutMsDefault = 60_000;

/** Starts `command` (found through PATH) with the arguments as they are. Its output is kept whole in memory. */
export function exec(command: string, args: readonly string[], options: ExecOptions): Promise<ExecResult> {
  const timeoutMs = options.timeoutMs ?? timeoutMsDefault;
  return new Promise((resolve) => {
    // npm and pnpm are .cmd files on Windows, which only a shell starts.
    const shell = process.platform === 'win32' && !command.endsWith('.exe');
    const child = spawn(command, [...args], { cwd: options.cwd, shell, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    const timer = setTimeout(() => {
      stderr += `\nstopped after ${timeoutMs} ms`;
      child.kill('SIGKILL');
    }, timeoutMs);
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.once('error', (error) => (stderr += String(error)));
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ status: code ?? -1, stdout, stderr });
    });
  });
}

/** Runs a script file with this Node. */
export function runNode(script: string, options: ExecOptions): Promise<ExecResult> {
  return exec(process.execPath, [script], options);
}

/** What a program said, errors first, short enough to print. */
export function said(result: ExecResult): string {
  const lines = `${result.stderr.trim()}\n${result.stdout.trim()}`.split('\n');
  const text = lines
    .filter((line) => !/^\s+at .*node:internal/.test(line))
    .join('\n')
    .trim();
  return text.length > 700 ? `${text.slice(0, 700)} ...` : text;
}

/** Maps with at most `limit` calls under way, results in the order of the input. */
export async function mapLimited<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++;
      results[at] = await work(items[at]!);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, lane));
  return results;
}
