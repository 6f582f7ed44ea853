// Starting programs with the pinned tools in PATH.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const onWindows = process.platform === 'win32';

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
export const pnpmVersion = manifest.packageManager.split('@').at(-1);
export const pnpmHome = join(root, '.tools', `pnpm-${pnpmVersion}`);
export const pnpmBin = join(pnpmHome, 'node_modules', '.bin');

/** The environment of every job; `more` is added to it, `binFolders` come first in PATH. */
export function environment(more = {}, binFolders = []) {
  const path = [...binFolders, pnpmBin, join(root, 'node_modules', '.bin'), process.env.PATH ?? process.env.Path];
  const { Path: _windowsSpelling, ...rest } = process.env;
  return {
    ...rest,
    PATH: path.join(delimiter),
    CI: '1',
    DO_NOT_TRACK: '1',
    TURBO_TELEMETRY_DISABLED: '1',
    // Tasks see the whole environment; what a result depends on is named in turbo.json.
    TURBO_ENV_MODE: 'loose',
    PHANTOM_NODE: process.version,
    ...more,
  };
}

/**
 * Runs a program to its end. `onLine` gets each line of its output, otherwise the output goes straight to the terminal.
 * Resolves with the exit code; never rejects.
 */
export function runForCode(command, args, { env = environment(), onLine, input = 'inherit' } = {}) {
  return new Promise((resolve) => {
    const output = onLine === undefined ? 'inherit' : 'pipe';
    const child = spawn(command, args, { cwd: root, env, shell: onWindows, stdio: [input, output, output] });
    if (onLine !== undefined) {
      for (const stream of [child.stdout, child.stderr]) splitLines(stream, onLine);
    }
    child.once('error', (error) => {
      (onLine ?? console.error)(`${command}: ${error.message}`);
      resolve(127);
    });
    child.once('close', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
}

/** Runs a program on the terminal; a failure ends this process with the same code. */
export async function run(command, args, options = {}) {
  const code = await runForCode(command, args, options);
  if (code !== 0) process.exit(code);
}

/** As run, but what the program says is shown only when it fails. */
export async function runQuietly(command, args, options = {}) {
  const lines = [];
  const code = await runForCode(command, args, { ...options, onLine: (line) => lines.push(line), input: 'ignore' });
  if (code === 0) return;
  console.log(lines.join('\n'));
  process.exit(code);
}

function splitLines(stream, onLine) {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop();
    lines.forEach(onLine);
  });
  stream.on('end', () => rest !== '' && onLine(rest));
}
