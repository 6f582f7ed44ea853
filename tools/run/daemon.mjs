// The built daemon as a process of its own.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './process.mjs';

/**
 * `{ address: 'HOST:PORT', processId, stop, kill }`, ready for connections on a free port; `settings` are further flags of `serve`.
 * Without a directory it gets one of its own, which goes with it.
 */
export async function startDaemon(settings = [], directory = undefined) {
  const data = directory ?? mkdtempSync(join(tmpdir(), 'phantom-daemon-'));
  const daemon = spawn(
    process.execPath,
    [
      join(root, 'apps/phantomd/dist/main.js'),
      'serve',
      '--data',
      data,
      '--pg-port',
      '0',
      '--http-port',
      '0',
      ...settings,
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const address = await readyAddress(daemon);
  const end = async (signal) => {
    daemon.kill(signal);
    await new Promise((resolve) => daemon.once('exit', resolve));
    if (directory === undefined) rmSync(data, { recursive: true, force: true });
  };
  return { address, processId: daemon.pid, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') };
}

/** HOST:PORT of the line that the daemon prints when it accepts connections. */
function readyAddress(daemon) {
  return new Promise((resolve, reject) => {
    let text = '';
    daemon.once('exit', (code) => reject(new Error(`the daemon ended with code ${code}`)));
    daemon.stdout.on('data', (chunk) => {
      text += chunk;
      const ready = /^phantomd ready pg=(\S+)/m.exec(text);
      if (ready !== null) resolve(ready[1]);
    });
  });
}
