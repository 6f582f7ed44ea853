/**
 * The peers, fetched on first use into a folder of their own beside the workspace: native modules that no package of ours
 * may depend on. A peer that cannot be had is said to be missing; its column stays empty.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', '.peers');
const VERSIONS = {
  'better-sqlite3': '12.11.1',
  'classic-level': '3.0.0',
  lmdb: '3.5.6',
  'rocksdb-native': '3.18.1',
  '@electric-sql/pglite': '0.5.16',
  '@duckdb/node-api': '1.5.6-r.1',
  '@seald-io/nedb': '4.1.2',
  pg: '8.23.1',
};
/** The one whose install script must run: it compiles. */
const BUILT = 'better-sqlite3';

/**
 * The module of a peer, or undefined with a line on stderr. PHANTOM_PEERS_DIR may name another folder for them. Each has a
 * folder of its own within: npm takes away what the folder it installs into does not list.
 */
export function peer(name) {
  const home = join(process.env['PHANTOM_PEERS_DIR'] ?? folder, name.replace('/', '+'));
  mkdirSync(home, { recursive: true });
  if (!existsSync(join(home, 'node_modules', name))) {
    writeFileSync(join(home, 'package.json'), JSON.stringify({ private: true, allowScripts: { [BUILT]: true } }));
    process.stderr.write(`fetching ${name} ${VERSIONS[name]} ...\n`);
    const fetched = spawnSync(
      'npm',
      ['install', '--prefix', home, '--no-audit', '--no-fund', `${name}@${VERSIONS[name]}`],
      { encoding: 'utf8' },
    );
    if (fetched.status !== 0) {
      process.stderr.write(`${name} could not be fetched: ${fetched.stderr.slice(-400)}\n`);
      return undefined;
    }
  }
  try {
    return createRequire(join(home, 'package.json'))(name);
  } catch (error) {
    process.stderr.write(`${name} does not load: ${error.message}\n`);
    return undefined;
  }
}
