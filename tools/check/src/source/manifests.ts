/**
 * What every manifest owes its users: exact versions (a database must not change under a patch release of somebody else),
 * a floor for Node, a licence, no script that runs on install, and published exports that equal those of the sources
 * without the condition that leads to TypeScript.
 */
import { importTable, scope } from '../import-table.js';
import type { Problem } from '../problem.js';
import type { Manifest, Member } from '../workspace.js';

const installScripts = ['preinstall', 'install', 'postinstall', 'prepare'];
const exactVersion = /^\d+\.\d+\.\d+(-[\w.]+)?$/;

/** Every broken promise of every member's manifest. */
export function checkManifests(members: readonly Member[]): Problem[] {
  const problems: Problem[] = [];
  for (const { folder, manifest } of members) {
    const say = (message: string): void => {
      problems.push({ file: `${folder}/package.json`, line: 0, rule: 'manifest', message });
    };
    checkVersions(manifest, say);
    if (manifest.engines?.['node'] === undefined) say('engines.node is missing');
    for (const script of installScripts) {
      if (manifest.scripts?.[script] !== undefined) say(`the script ${script} runs on install`);
    }
    if (manifest.private !== true) checkPublished(manifest, say);
  }
  return problems;
}

function checkVersions(manifest: Manifest, say: (message: string) => void): void {
  for (const group of [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies]) {
    for (const [name, version] of Object.entries(group ?? {})) {
      const wanted = name.startsWith(scope) ? version === 'workspace:*' : exactVersion.test(version);
      if (!wanted)
        say(`${name} must be ${name.startsWith(scope) ? 'workspace:*' : 'an exact version'}, not ${version}`);
    }
  }
}

function checkPublished(manifest: Manifest, say: (message: string) => void): void {
  if (manifest.license !== 'Apache-2.0') say('license must be Apache-2.0');
  if (manifest.publishConfig?.access !== 'public') say('publishConfig.access must be public');
  const row = importTable.find(({ name }) => scope + name === manifest.name);
  for (const name of Object.keys(manifest.dependencies ?? {})) {
    if (!name.startsWith(scope) || row === undefined) continue;
    if (!row.mayImport.includes(name.slice(scope.length))) say(`the import table does not let it depend on ${name}`);
  }
  const expected = JSON.stringify(withoutSource(manifest.exports ?? {}));
  const published = manifest.publishConfig?.exports ?? manifest.exports ?? {};
  if (JSON.stringify(published) !== expected) say('publishConfig.exports must equal exports without @phantom/source');
}

function withoutSource(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => key !== '@phantom/source');
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutSource(inner)]));
}
