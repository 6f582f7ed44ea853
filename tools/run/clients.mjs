// `node tools/run.mjs clients [NAME ...]`: clients people use, in the versions below, against the built daemon. They are installed
// into a folder of their own, outside of the workspace, the first time. A line for each; exit code 1 when one fails.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { conversations } from './client-conversations.mjs';
import { root, runQuietly } from './process.mjs';

const VERSIONS = {
  'drizzle-kit': '0.31.11',
  'drizzle-orm': '0.45.4',
  knex: '3.3.0',
  kysely: '0.28.18',
  pg: '8.23.1',
  postgres: '3.4.9',
  'reflect-metadata': '0.2.2',
  sequelize: '6.37.8',
  typeorm: '0.3.31',
};

export async function talkToClients(names) {
  const folder = join(root, '.peers', 'clients');
  const manifest = join(folder, 'package.json');
  const wanted = JSON.stringify({ private: true, type: 'module', dependencies: VERSIONS });
  if (!existsSync(manifest) || readFileSync(manifest, 'utf8') !== wanted) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(manifest, wanted);
    await runQuietly('npm', ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund']);
  }
  const require = createRequire(manifest);
  const load = (name) => import(pathToFileURL(require.resolve(name)).href);
  const data = mkdtempSync(join(tmpdir(), 'phantom-clients-'));
  const daemon = spawn(
    process.execPath,
    [join(root, 'apps/phantomd/dist/main.js'), 'serve', '--data', data, '--pg-port', '0', '--http-port', '0'],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  let failed = false;
  try {
    const url = `postgres://phantom@${await readyAddress(daemon)}/phantom`;
    for (const [name, talk] of Object.entries(conversations)) {
      if (names.length > 0 && !names.includes(name)) continue;
      try {
        await talk({ load, url, folder });
        console.log(`${name} ${VERSIONS[name] ?? ''}: passed`);
      } catch (error) {
        failed = true;
        console.log(`${name} ${VERSIONS[name] ?? ''}: FAILED\n${error instanceof Error ? error.stack : error}`);
      }
    }
  } finally {
    daemon.kill('SIGTERM');
    await new Promise((resolve) => daemon.once('exit', resolve));
    rmSync(data, { recursive: true, force: true });
  }
  process.exit(failed ? 1 : 0);
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
