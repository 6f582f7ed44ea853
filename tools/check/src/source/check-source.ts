/** All rules over the sources, in one pass. */
import { compareProblems, type Problem } from '../problem.js';
import { checkCircles } from './circles.js';
import { checkDeadFiles } from './dead-files.js';
import { checkImports } from './import-rules.js';
import { checkLockfile } from './lockfile.js';
import { checkManifests } from './manifests.js';
import { readSourceTree } from './source-tree.js';
import { checkText } from './text-rules.js';

export interface SourceReport {
  readonly fileCount: number;
  /** Sorted; empty when the tree keeps every rule. */
  readonly problems: readonly Problem[];
}

/** Judges the tree below `root`. Reads only. */
export function checkSource(root: string): SourceReport {
  const tree = readSourceTree(root);
  const problems = [
    ...checkImports(tree),
    ...checkCircles(tree),
    ...checkDeadFiles(tree),
    ...checkText(root),
    ...checkLockfile(root),
    ...checkManifests(tree.members),
  ];
  return { fileCount: tree.files.size, problems: problems.sort(compareProblems) };
}
