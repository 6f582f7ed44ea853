/** The daemon of this project for a bench: a process of its own on a port of its own. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const DAEMON = fileURLToPath(new URL('../../../apps/phantomd/dist/main.js', import.meta.url));

/** `{ port, processId, stop }`, ready for connections. `nodeOptions` go to Node itself: `--cpu-prof`, say. A Unix socket is made in `socketDirectory`. */
export async function startDaemon(data, { durability = 'fsync', nodeOptions = [], socketDirectory } = {}) {
  const serve = [DAEMON, 'serve', '--data', data, '--pg-port', '0', '--http-port', '0', '--durability', durability];
  const socket = socketDirectory === undefined ? [] : ['--unix-socket-directory', socketDirectory];
  const daemon = spawn(process.execPath, [...nodeOptions, ...serve, ...socket], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const port = await new Promise((resolve, reject) => {
    let said = '';
    daemon.stdout.on('data', (bytes) => {
      said += bytes;
      const ready = /phantomd ready pg=\S+:(\d+)/.exec(said);
      if (ready !== null) resolve(Number(ready[1]));
    });
    daemon.once('exit', (code) => reject(new Error(`phantomd ended with ${code}`)));
  });
  return {
    port,
    processId: daemon.pid,
    stop: () =>
      new Promise((resolve) => {
        daemon.once('exit', resolve);
        daemon.kill('SIGTERM');
      }),
  };
}
