/**
 * The packed-tarball gate: what a user gets from the registry, tried before it is there. Every published package is packed, all
 * are installed together into an empty project, and then used in each way that the README promises.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readMembers, type Member } from '../workspace.js';
import { createEmptyProject, installAll, packAll } from './empty-project.js';
import { checkBundles, checkImportable, importEverything, specifiersOf } from './entry-points.js';
import { exec, said } from './exec.js';
import { checkPublishedTypes } from './published-types.js';
import { checkWithPublint } from './publint.js';
import { checkReadmeExamples } from './readme-example.js';
import { checkResolvedTree } from './resolved-tree.js';
import { checkSyncThread, syncThreadPackage } from './sync-thread.js';
import { checkWorkerThreads, workerThreadPackages } from './worker-threads.js';
import { verdict, type Verdict } from './verdict.js';

/** Tries everything on the built packages below `root`; `say` gets a line for each stage. */
export async function checkTarballs(root: string, say: (line: string) => void): Promise<Verdict[]> {
  const members = publishedMembers(root);
  const unbuilt = members.filter(({ folder }) => !existsSync(join(root, folder, 'dist')));
  if (unbuilt.length > 0) return unbuilt.map(({ manifest }) => verdict(`pack ${manifest.name}`, 'is not built'));
  const project = createEmptyProject();
  try {
    const packed = await packAll(root, members, project.folder);
    say(`packed ${packed.tarballs.length}`);
    const installed = await installAll(project, packed.tarballs);
    const before = [...packed.verdicts, installed];
    if (!existsSync(join(project.folder, 'node_modules'))) return before;
    say('installed together');
    return [...before, ...(await useInstalled(root, project.folder, members, say))];
  } finally {
    project.dispose();
  }
}

/** The members that are published, in the order of their folders. */
export function publishedMembers(root: string): Member[] {
  return readMembers(root).filter(({ manifest }) => manifest.private !== true);
}

async function useInstalled(
  root: string,
  project: string,
  members: readonly Member[],
  say: (line: string) => void,
): Promise<Verdict[]> {
  const specifiers = members.flatMap(specifiersOf);
  const verdicts = checkResolvedTree(join(project, 'node_modules'));
  say(`looked for install scripts in ${verdicts.length} packages`);
  verdicts.push(...(await checkImportable(project, specifiers)));
  say(`imported and required ${specifiers.length} entry points`);
  verdicts.push(...(await checkBundles(project, specifiers.map(importEverything))));
  say('bundled them in both formats');
  if (members.some(({ manifest }) => manifest.name === syncThreadPackage)) {
    verdicts.push(...(await checkSyncThread(project)));
    say('started the sync thread from source, require and bundles');
  }
  for (const name of workerThreadPackages) {
    if (!members.some(({ manifest }) => manifest.name === name)) continue;
    verdicts.push(...(await checkWorkerThreads(project, name)));
    say(`started the worker threads of ${name} from source, require and bundles`);
  }
  verdicts.push(...checkPublishedTypes(project, specifiers, join(root, 'node_modules', '@types')));
  verdicts.push(
    ...(await checkWithPublint(
      project,
      members.map(({ manifest }) => manifest.name),
    )),
  );
  say('compiled against the declarations');
  verdicts.push(...(await checkReadmeExamples(root, project, members)));
  verdicts.push(...(await checkPrograms(project, members)));
  say('ran the README examples and the programs');
  return verdicts;
}

/** Each installed program answers `--help`. */
async function checkPrograms(project: string, members: readonly Member[]): Promise<Verdict[]> {
  const names = members.flatMap(({ manifest }) => Object.keys(manifest.bin ?? {}));
  const verdicts: Verdict[] = [];
  for (const name of names) {
    const result = await exec(join(project, 'node_modules', '.bin', name), ['--help'], {
      cwd: project,
      timeoutMs: 15_000,
    });
    verdicts.push(verdict(`${name} --help`, result.status === 0 ? undefined : said(result)));
  }
  return verdicts;
}
