// `npm start`: build what the daemon needs, then be the daemon.
import { spawn } from 'node:child_process';
import { environment, root, runQuietly } from './process.mjs';

/** Runs `phantomd serve` on ./phantom-data with the sample shop; further arguments are handed on. Exits with its code. */
export async function start(args) {
  console.log('Building what changed (about a minute the first time)');
  await runQuietly('turbo', ['run', 'build', '--filter=@phantom/phantomd', '--output-logs=errors-only']);
  const command = ['apps/phantomd/dist/main.js', 'serve', '--data', './phantom-data', '--sample-shop', ...args];
  const child = spawn(process.execPath, command, { cwd: root, env: environment(), stdio: 'inherit' });
  // A signal to this process alone has to reach the daemon, which then stops in good order.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  const code = await new Promise((resolve) => child.once('close', (exitCode) => resolve(exitCode ?? 1)));
  process.exit(code);
}
