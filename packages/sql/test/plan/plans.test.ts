/**
 * Plans as text: each script makes tables and shows EXPLAIN without costs for its queries. `PHANTOM_REWRITE=1` writes what
 * the planner does now into the files, to be read in the diff.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../support/engine.js';
import { parseAnswers, planQuery, runStatement } from '../exec/answers.js';

const folder = fileURLToPath(new URL('plans/', import.meta.url));

const isPlanned = (sql: string): boolean => !/^\s*(create|insert into \w+ (select|values)|analyze)/i.test(sql);

async function explainScript(text: string): Promise<string> {
  const engine = await openEngine();
  const session = engine.session();
  const lines: string[] = [];
  for (const line of text.split('\n')) if (line.startsWith('#')) lines.push(line);
  for (const { sql } of parseAnswers(text)) {
    lines.push('', `> ${sql};`);
    if (isPlanned(sql)) lines.push(...planQuery(session, sql).explain({ costs: false }));
    else lines.push(...(await runStatement(session, sql)).slice(0, 1));
  }
  await engine.close();
  return `${lines.join('\n')}\n`;
}

describe('plans', () => {
  for (const file of readdirSync(folder).sort()) {
    it(file.replace('.plan.txt', ''), async () => {
      const actual = await explainScript(readFileSync(folder + file, 'utf8'));
      if (process.env['PHANTOM_REWRITE'] !== undefined) writeFileSync(folder + file, actual);
      expect(actual).toBe(readFileSync(folder + file, 'utf8'));
    });
  }
});
