/**
 * The workspace as the gates see it: its members with their manifests, and the files a person wrote.
 * Read from the file system, not from git, so that a file not yet committed is judged as well, and a source archive without
 * history can be checked.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Manifest {
  readonly name: string;
  readonly version?: string;
  readonly private?: boolean;
  readonly license?: string;
  readonly engines?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly publishConfig?: { readonly exports?: Readonly<Record<string, unknown>>; readonly access?: string };
}

export interface Member {
  /** Relative to the root, e.g. `packages/wal`. */
  readonly folder: string;
  readonly manifest: Manifest;
}

const groups = ['packages', 'apps', 'tools'];

/** Folders that hold no written text: outputs, caches, data. */
const skippedFolders = new Set([
  'node_modules',
  'dist',
  '.declarations',
  '.tested',
  'coverage',
  'test-results',
  '.turbo',
  '.tools',
  '.peers',
  '.git',
  'phantom-data',
]);

/** Every folder below packages, apps and tools that has a manifest, sorted by folder. */
export function readMembers(root: string): Member[] {
  const members: Member[] = [];
  for (const group of groups) {
    if (!existsSync(join(root, group))) continue;
    for (const name of readdirSync(join(root, group)).sort()) {
      const path = join(root, group, name, 'package.json');
      if (!existsSync(path)) continue;
      members.push({ folder: `${group}/${name}`, manifest: JSON.parse(readFileSync(path, 'utf8')) as Manifest });
    }
  }
  return members;
}

/** The written files below `folder` (relative to the root, '' for all), as sorted paths relative to the root with forward slashes. */
export function listFiles(root: string, folder = ''): string[] {
  const found: string[] = [];
  const visit = (relative: string): void => {
    for (const entry of readdirSync(join(root, relative), { withFileTypes: true })) {
      const path = relative === '' ? entry.name : `${relative}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!skippedFolders.has(entry.name) && path !== 'docs/api') visit(path);
      } else if (entry.isFile()) {
        found.push(path);
      }
    }
  };
  if (existsSync(join(root, folder))) visit(folder);
  return found.sort();
}

/** True for a path that holds program text of ours. */
export function isCode(path: string): boolean {
  return /\.(ts|mts|cts|mjs|cjs|js)$/.test(path);
}
