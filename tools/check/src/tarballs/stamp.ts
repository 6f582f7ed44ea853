/**
 * Remembers that exactly these packages passed, so that a run in which nothing changed costs only the hashing.
 * The key covers all that is packed, the program that judges, and the Node version.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Member } from '../workspace.js';

/** A hash over every file that the members' tarballs could hold, and over `extraFiles`. */
export function packedContentHash(root: string, members: readonly Member[], extraFiles: readonly string[]): string {
  const hash = createHash('sha256').update(process.version);
  const add = (path: string): void => {
    if (existsSync(path)) hash.update(`${path.slice(root.length)}\0`).update(readFileSync(path));
  };
  for (const { folder } of members) {
    for (const name of ['package.json', 'README.md', 'LICENSE']) add(join(root, folder, name));
    const dist = join(root, folder, 'dist');
    if (!existsSync(dist)) continue;
    const files = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    for (const path of files.map((entry) => join(entry.parentPath, entry.name)).sort()) add(path);
  }
  extraFiles.forEach(add);
  return hash.digest('hex');
}

/** How many checks passed for this hash last time; undefined when they did not, or for other content. */
export function readStamp(file: string, hash: string): number | undefined {
  if (!existsSync(file)) return undefined;
  const stamp = JSON.parse(readFileSync(file, 'utf8')) as { hash?: string; checks?: number };
  return stamp.hash === hash ? stamp.checks : undefined;
}

export function writeStamp(file: string, hash: string, checks: number): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ hash, checks }));
}
