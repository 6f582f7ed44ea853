/**
 * Rules over the bare text of written files: length, unfinished work, switched-off checks, and traces of one machine.
 * They know no syntax, so what they look for is spelled to be rare in honest text.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from '../problem.js';
import { isCode, listFiles } from '../workspace.js';

/** A file longer than this holds more than one concept. */
export const linesMax = 600;

interface TextRule {
  readonly rule: string;
  readonly pattern: RegExp;
  readonly message: string;
  /** True when the rule holds for documents and settings too, not for code alone. */
  readonly everywhere: boolean;
}

const textRules: readonly TextRule[] = [
  {
    rule: 'unfinished',
    // Spelled in halves, so that this file does not find itself.
    pattern: new RegExp(`\\b(?:${'TO'}DO|${'FIX'}ME)\\b|\\bnot (?:yet )?${'implement'}ed\\b`),
    message: 'finish it, or raise 0A000: ... is not supported',
    everywhere: false,
  },
  {
    rule: 'switched-off',
    pattern: new RegExp(`@ts-${'ignore'}|@ts-${'nocheck'}|(?:ox|es)lint-${'disable'}|${'c8'} ignore|${'v8'} ignore`),
    message: 'mend what the checker found instead of silencing it',
    everywhere: false,
  },
  {
    rule: 'machine-path',
    pattern: /(?:^|[\s"'`(=:,])(?:\/(?:home|Users|root|work|farm)\/[\w.]|[A-Z]:\\+Users\\)/,
    message: 'a path of one machine',
    everywhere: true,
  },
];

/** Applies every text rule to every written file of the repository. The licence and the lockfile have rules of their own. */
export function checkText(root: string): Problem[] {
  const problems: Problem[] = [];
  for (const file of listFiles(root)) {
    if (!isText(file) || file.includes('/test/fixtures/')) continue;
    const lines = readFileSync(join(root, file), 'utf8').split('\n');
    if (lines.at(-1) === '') lines.pop();
    if (isCode(file) && lines.length > linesMax) {
      problems.push({ file, line: 0, rule: 'file-length', message: `${lines.length} lines, ${linesMax} at most` });
    }
    const rules = textRules.filter((rule) => rule.everywhere || isCode(file));
    lines.forEach((text, index) => {
      for (const { rule, pattern, message } of rules) {
        if (pattern.test(text)) problems.push({ file, line: index + 1, rule, message });
      }
    });
  }
  return problems;
}

function isText(file: string): boolean {
  return /\.(ts|mts|cts|mjs|cjs|js|json|md|yaml|yml|sql|sh|txt)$/.test(file) && file !== 'pnpm-lock.yaml';
}
