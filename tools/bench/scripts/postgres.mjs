/** A PostgreSQL server of our own for a bench: a fresh data directory, default settings, stopped and removed at the end. */
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { peer } from './peers.mjs';

const PLACES = ['/usr/lib/postgresql/15/bin', '/usr/local/bin', '/usr/bin'];

/** `{ client, directory, processId, stop }` with a connected `pg` client and the directory of its Unix socket, or undefined with a line on stderr when there is no server to be had. */
export async function startPostgres() {
  const programs = PLACES.find((place) => existsSync(join(place, 'initdb')));
  const pg = programs === undefined ? undefined : peer('pg');
  if (programs === undefined || pg === undefined) {
    process.stderr.write('no PostgreSQL server programs here: its column stays empty\n');
    return undefined;
  }
  const directory = mkdtempSync(join(tmpdir(), 'phantom-bench-pg-'));
  const port = 20_000 + (process.pid % 30_000);
  // The server refuses to run as root.
  const asRoot = userInfo().uid === 0;
  if (asRoot) {
    const uid = Number(spawnSync('id', ['-u', 'postgres'], { encoding: 'utf8' }).stdout);
    chownSync(directory, uid, uid);
  }
  const run = (...command) => {
    const [program, ...args] = asRoot ? ['runuser', '-u', 'postgres', '--', ...command] : command;
    return spawnSync(program, args, { stdio: 'ignore', cwd: directory });
  };
  const data = join(directory, 'data');
  run(join(programs, 'initdb'), '-D', data, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--locale=C');
  const control = join(programs, 'pg_ctl');
  run(control, '-D', data, '-w', '-o', `-p ${port} -k ${directory}`, '-l', join(directory, 'log'), 'start');
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
  await client.connect();
  return {
    client,
    directory,
    processId: Number(readFileSync(join(data, 'postmaster.pid'), 'latin1').split('\n')[0]),
    async stop() {
      await client.end();
      run(control, '-D', data, '-m', 'immediate', '-w', 'stop');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
