// From a bare clone to installed dependencies, with nothing global but Node and npm.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onWindows, pnpmBin, pnpmHome, pnpmVersion, root, run } from './process.mjs';

const stampFile = join(root, 'node_modules', '.phantom-installed');

/** Fetches the pinned pnpm unless it is there. `npx` would ask the registry each time, cached or not. */
export async function ensurePnpm() {
  if (existsSync(join(pnpmBin, onWindows ? 'pnpm.cmd' : 'pnpm'))) return;
  console.log(`Fetching pnpm ${pnpmVersion} into .tools`);
  await installTool(pnpmHome, `pnpm@${pnpmVersion}`);
}

/** Installs npm packages into a folder of their own below `.tools`, outside the workspace. */
export async function installTool(folder, ...packages) {
  const quiet = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', ['install', '--prefix', folder, ...quiet, ...packages]);
}

/** Installs what the lockfile says, unless it already did for exactly this lockfile and these manifests. */
export async function ensureInstalled() {
  const wanted = dependencyHash();
  const installed = existsSync(join(root, 'node_modules', '.modules.yaml')) && existsSync(stampFile);
  if (installed && readFileSync(stampFile, 'utf8') === wanted) return;
  await run('pnpm', ['install', '--frozen-lockfile', '--prefer-offline']);
  writeFileSync(stampFile, dependencyHash());
}

/** Installs after a manifest was changed by hand, and rewrites the lockfile. */
export async function installLoosely(args) {
  await run('pnpm', ['install', '--no-frozen-lockfile', '--prefer-offline', ...args]);
  writeFileSync(stampFile, dependencyHash());
}

function dependencyHash() {
  const hash = createHash('sha256');
  const members = ['packages', 'apps', 'tools'].flatMap((group) =>
    readdirSync(join(root, group))
      .sort()
      .map((name) => join(group, name, 'package.json')),
  );
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', ...members]) {
    const path = join(root, file);
    if (!existsSync(path)) continue;
    const text = readFileSync(path, 'utf8');
    hash.update(file.endsWith('package.json') ? dependenciesOf(text) : text);
  }
  return hash.digest('hex');
}

/** Only what an install looks at, so that a changed script or description installs nothing. */
function dependenciesOf(text) {
  const { name, dependencies, devDependencies, optionalDependencies, peerDependencies, bin } = JSON.parse(text);
  return JSON.stringify({ name, dependencies, devDependencies, optionalDependencies, peerDependencies, bin });
}
