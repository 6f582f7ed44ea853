/** What a rule found: one line for a reader, with the place to go to. */

export interface Problem {
  /** Path relative to the root of the repository, with forward slashes. */
  readonly file: string;
  /** 1-based; 0 when the whole file is meant. */
  readonly line: number;
  /** Short name of the rule, e.g. `import-table`. */
  readonly rule: string;
  readonly message: string;
}

/** `packages/sql/src/x.ts:12 import-table: sql may not import lsm`. */
export function formatProblem(problem: Problem): string {
  const place = problem.line > 0 ? `${problem.file}:${problem.line}` : problem.file;
  return `${place} ${problem.rule}: ${problem.message}`;
}

/** Orders by file, then line, then rule, so that two runs print the same text. */
export function compareProblems(a: Problem, b: Problem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  if (a.line !== b.line) return a.line - b.line;
  return a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : 0;
}
