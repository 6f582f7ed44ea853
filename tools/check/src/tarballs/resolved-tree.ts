/** The whole tree that npm resolved: it may hold nothing that runs on install and nothing built for one platform. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { verdict, type Verdict } from './verdict.js';

interface InstalledManifest {
  readonly name?: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly gypfile?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
}

const installScripts = ['preinstall', 'install', 'postinstall'];

/** One verdict for each package below `node_modules`, nested ones included. */
export function checkResolvedTree(nodeModules: string): Verdict[] {
  return installedFolders(nodeModules).map((folder) => {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as InstalledManifest;
    return verdict(`no install script: ${manifest.name ?? folder}`, findingOf(folder, manifest));
  });
}

function findingOf(folder: string, manifest: InstalledManifest): string | undefined {
  const script = installScripts.find((name) => manifest.scripts?.[name] !== undefined);
  if (script !== undefined) return `has a script ${script}: ${manifest.scripts?.[script] ?? ''}`;
  if (manifest.gypfile === true || existsSync(join(folder, 'binding.gyp'))) return 'builds native code';
  if (manifest.os !== undefined || manifest.cpu !== undefined) return 'is made for one platform';
  const binary = findBinary(folder);
  return binary === undefined ? undefined : `holds a native binary: ${binary}`;
}

/** Every folder with a manifest that npm put there: `x`, `@scope/x`, and those nested in them. */
function installedFolders(nodeModules: string): string[] {
  if (!existsSync(nodeModules)) return [];
  const folders: string[] = [];
  for (const entry of readdirSync(nodeModules, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
    const path = join(nodeModules, entry.name);
    const candidates = entry.name.startsWith('@') ? readdirSync(path).map((name) => join(path, name)) : [path];
    for (const folder of candidates) {
      if (existsSync(join(folder, 'package.json'))) folders.push(folder);
      folders.push(...installedFolders(join(folder, 'node_modules')));
    }
  }
  return folders;
}

function findBinary(folder: string): string | undefined {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.node')) continue;
    if (!entry.parentPath.slice(folder.length).includes('node_modules')) return entry.name;
  }
  return undefined;
}
