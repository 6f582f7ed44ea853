/**
 * Files that nothing leads to. The ways in are: what a manifest or a tsup config names (`src/...ts`), test files, and benches.
 * A file of `src` that only a test reaches is dead: it ships nothing.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from '../problem.js';
import type { Member } from '../workspace.js';
import type { SourceTree } from './source-tree.js';

/** One problem for each unreachable file of `src`, `test` or `bench`. */
export function checkDeadFiles(tree: SourceTree): Problem[] {
  const problems: Problem[] = [];
  for (const member of tree.members) {
    const own = [...tree.files.values()].filter((file) => file.member === member);
    const shipped = reach(tree, entriesOf(tree.root, member));
    const used = reach(tree, [
      ...shipped,
      ...own.filter((file) => isWayIn(file.path, file.area)).map((file) => file.path),
    ]);
    for (const file of own) {
      if (file.area === 'src' && !shipped.has(file.path)) {
        problems.push({ file: file.path, line: 0, rule: 'dead-file', message: 'no entry of the package leads here' });
      } else if (file.area === 'test' && !used.has(file.path)) {
        problems.push({ file: file.path, line: 0, rule: 'dead-file', message: 'no test leads here' });
      }
    }
  }
  return problems;
}

/** Sources named by the manifest (the `@phantom/source` condition, scripts) or by the build. */
function entriesOf(root: string, member: Member): string[] {
  const entries: string[] = [];
  for (const config of ['package.json', 'tsup.config.ts']) {
    const path = join(root, member.folder, config);
    if (!existsSync(path)) continue;
    for (const match of readFileSync(path, 'utf8').matchAll(/src\/[\w\-./]+?\.ts/g)) {
      entries.push(`${member.folder}/${match[0]}`);
    }
  }
  return entries;
}

function isWayIn(path: string, area: string): boolean {
  return area === 'test' ? /\.test\.(ts|mjs)$/.test(path) : area !== 'src';
}

function reach(tree: SourceTree, entries: Iterable<string>): Set<string> {
  const seen = new Set<string>();
  const queue = [...entries];
  for (const path of queue) {
    const file = tree.files.get(path);
    if (file === undefined || seen.has(path)) continue;
    seen.add(path);
    queue.push(...file.targets);
  }
  return seen;
}
