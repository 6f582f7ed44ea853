// The one door to every job of this repository: `node tools/run.mjs JOB`. It needs Node and npm, nothing else.
//
// 1. The pinned pnpm (package.json, `packageManager`) is fetched once into `.tools/` through npm.
// 2. `pnpm install --frozen-lockfile` runs when node_modules is missing or older than the lockfile or a manifest.
// 3. The job runs with both in PATH. What is already done is skipped, so a second run needs no network.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const onWindows = process.platform === 'win32';
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const pnpmVersion = manifest.packageManager.split('@').at(-1);
const pnpmHome = join(root, '.tools', `pnpm-${pnpmVersion}`);
const pnpmBin = join(pnpmHome, 'node_modules', '.bin');

const env = {
  ...process.env,
  PATH: [pnpmBin, join(root, 'node_modules', '.bin'), process.env.PATH ?? process.env.Path].join(delimiter),
  CI: '1',
  TURBO_TELEMETRY_DISABLED: '1',
  DO_NOT_TRACK: '1',
};

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, env, stdio: 'inherit', shell: onWindows, ...options });
  if (result.error) throw result.error;
  if (result.status !== 0) process.exit(result.status ?? 1);
}

function ensurePnpm() {
  if (existsSync(join(pnpmBin, onWindows ? 'pnpm.cmd' : 'pnpm'))) return;
  console.log(`Fetching pnpm ${pnpmVersion} into .tools ...`);
  run('npm', [
    'install',
    '--prefix',
    pnpmHome,
    '--no-save',
    '--no-package-lock',
    '--no-audit',
    '--no-fund',
    `pnpm@${pnpmVersion}`,
  ]);
}

function manifests() {
  const folders = ['packages', 'apps', 'tools'].flatMap((group) =>
    readdirSync(join(root, group), { withFileTypes: true })
      .filter((e) => e.isDirectory())
      .map((e) => join(group, e.name)),
  );
  return [
    'pnpm-lock.yaml',
    'pnpm-workspace.yaml',
    'package.json',
    ...folders.map((folder) => join(folder, 'package.json')),
  ];
}

function ensureInstalled() {
  const mark = join(root, 'node_modules', '.modules.yaml');
  if (existsSync(mark)) {
    const installedAt = statSync(mark).mtimeMs;
    const stale = manifests().some(
      (file) => existsSync(join(root, file)) && statSync(join(root, file)).mtimeMs > installedAt,
    );
    if (!stale) return;
  }
  run('pnpm', ['install', '--frozen-lockfile', '--prefer-offline']);
}

const [job, ...args] = process.argv.slice(2);
ensurePnpm();
if (job === 'install') {
  run('pnpm', ['install', '--no-frozen-lockfile', ...args]);
} else {
  ensureInstalled();
  if (job === 'build') run('turbo', ['run', 'build', '--output-logs=errors-only', ...args]);
  else if (job === 'lint') run('oxlint', args);
  else if (job === 'format') run('oxfmt', args);
  else {
    console.error(`Unknown job ${job}`);
    process.exit(1);
  }
}
