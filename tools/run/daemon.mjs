// The built daemon as a process of its own, on a directory of its own that goes with it.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './process.mjs';

/** `{ address: 'HOST:PORT', stop }`, ready for connections on a free port; `settings` are further flags of `serve`. */
export async function startDaemon(settings = []) {
  const data = mkdtempSync(join(tmpdir(), 'phantom-clients-'));
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
  return {
    address: await readyAddress(daemon),
    async stop() {
      daemon.kill('SIGTERM');
      await new Promise((resolve) => daemon.once('exit', resolve));
      rmSync(data, { recursive: true, force: true });
    },
  };
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
