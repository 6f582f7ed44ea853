/** Pins the plan of a statement in a user's own tests: an index that is no longer used fails a test instead of a night. */
import { PhantomError } from '@phantom/base';
import type { Database } from './database.js';

/**
 * Compares `EXPLAIN (COSTS OFF)` of a statement with the lines expected; indentation they have in common and empty lines
 * around them do not count. P0004 with both when they differ. Plans follow the statistics: run ANALYZE before, on data of
 * the size that matters.
 */
export function expectPlan(db: Pick<Database, 'prepare'>, sql: string, expected: string): void {
  const rows = db.prepare<Record<string, string>>(`explain (costs off) ${sql}`).all();
  const actual = rows.map((row) => row['QUERY PLAN'] as string).join('\n');
  const wanted = dedent(expected);
  if (actual === wanted) return;
  throw new PhantomError('P0004', 'the statement has another plan than expected', {
    detail: `Expected:\n${wanted}\n\nActual:\n${actual}`,
    hint: 'Run ANALYZE first; if the new plan is as good, expect that one.',
  });
}

function dedent(text: string): string {
  const lines = text.split('\n');
  while (lines[0]?.trim() === '') lines.shift();
  while (lines.at(-1)?.trim() === '') lines.pop();
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.length - line.trimStart().length);
  const common = Math.min(...indents, Number.MAX_SAFE_INTEGER);
  return lines.map((line) => line.slice(common).trimEnd()).join('\n');
}
