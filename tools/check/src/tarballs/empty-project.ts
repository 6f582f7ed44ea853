/**
 * A user's empty project, outside the repository, with every packed package installed together by plain npm.
 * `--ignore-scripts` because nothing of ours may need one; `--prefer-offline` so that a second run takes all from npm's cache.
 */
import { mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exec, said, type ExecResult } from './exec.js';
import { verdict, type Verdict } from './verdict.js';
import type { Member } from '../workspace.js';

export interface EmptyProject {
  /** A folder of its own; removed by `dispose`. */
  readonly folder: string;
  dispose(): void;
}

/** Makes the folder. Its real path is taken, since some systems hand out a link as the temporary folder. */
export function createEmptyProject(): EmptyProject {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'phantom-tarballs-')));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'empty-project', private: true, type: 'module' }));
  return { folder, dispose: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Packs every published member with pnpm (which resolves `workspace:*` and applies publishConfig); the tarballs' paths in order. */
export async function packAll(
  root: string,
  members: readonly Member[],
  destination: string,
): Promise<{ verdicts: Verdict[]; tarballs: string[] }> {
  const verdicts: Verdict[] = [];
  for (const { folder, manifest } of members) {
    const result = await exec('pnpm', ['pack', '--pack-destination', destination], { cwd: join(root, folder) });
    verdicts.push(verdict(`pack ${manifest.name}`, result.status === 0 ? undefined : said(result)));
  }
  const tarballs = readdirSync(destination).filter((name) => name.endsWith('.tgz'));
  return { verdicts, tarballs: tarballs.map((name) => join(destination, name)) };
}

/**
 * Installs all tarballs at once. A warning about Node's version counts as a failure: the packages promise Node 20.
 * npm asks the registry for each of our names on the way, though the tarballs answer; without a network that question has to fail
 * at once, so the first attempt makes no retries, and only when it fails another does.
 */
export async function installAll(project: EmptyProject, tarballs: readonly string[]): Promise<Verdict> {
  const quiet = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock'];
  const install = (...more: string[]): Promise<ExecResult> =>
    exec('npm', ['install', ...quiet, ...more, ...tarballs], { cwd: project.folder, timeoutMs: 180_000 });
  let result = await install('--fetch-retries=0', '--fetch-timeout=20000');
  if (result.status !== 0) result = await install();
  if (result.status !== 0) return verdict('npm install of all tarballs', said(result));
  const engine = /EBADENGINE[\s\S]*/.exec(result.stderr);
  return verdict('npm install of all tarballs', engine === null ? undefined : engine[0].slice(0, 800));
}
