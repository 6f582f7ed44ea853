/** The lockfile has to install from any registry: it names packages and their hashes, never a host. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from '../problem.js';

/** One problem for each line that names a host or a tarball, and for a settings file that names a registry. */
export function checkLockfile(root: string): Problem[] {
  const problems: Problem[] = [];
  const scan = (file: string, pattern: RegExp, message: string): void => {
    if (!existsSync(join(root, file))) return;
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .forEach((text, index) => {
        if (pattern.test(text)) problems.push({ file, line: index + 1, rule: 'lockfile', message });
      });
  };
  if (!existsSync(join(root, 'pnpm-lock.yaml'))) {
    problems.push({ file: 'pnpm-lock.yaml', line: 0, rule: 'lockfile', message: 'there is none' });
  }
  scan('pnpm-lock.yaml', /https?:\/\/|\btarball:/, 'names a registry host');
  scan('.npmrc', /registry|_auth/i, 'names a registry');
  return problems;
}
