// Folders outside of the workspace that hold clients as their users install them.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, runQuietly } from './process.mjs';

/** A folder with these packages in it, installed the first time and whenever a version changes. */
export async function clientFolder(name, dependencies) {
  const folder = join(root, '.peers', name);
  const manifest = join(folder, 'package.json');
  const wanted = JSON.stringify({ private: true, type: 'module', dependencies });
  if (!existsSync(manifest) || readFileSync(manifest, 'utf8') !== wanted) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(manifest, wanted);
    await runQuietly('npm', ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund']);
  }
  return folder;
}

/** Imports packages of such a folder by name. */
export function importerOf(folder) {
  const require = createRequire(join(folder, 'package.json'));
  return (name) => import(pathToFileURL(require.resolve(name)).href);
}
