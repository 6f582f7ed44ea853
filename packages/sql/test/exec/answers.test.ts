/** PostgreSQL's answers, on both back ends. `PHANTOM_ANSWERS=name` runs one script alone. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import type { BackEnd } from '../../src/plan/plan-statement.js';
import { openEngine, type TestEngine } from '../support/engine.js';
import { answerLines, errorLines, isQuery, parseAnswers, runQuery, runStatement } from './answers.js';

const folder = fileURLToPath(new URL('answers/', import.meta.url));
const only = process.env['PHANTOM_ANSWERS'];

function answer(engine: TestEngine, session: SqlSession, sql: string, backEnd: BackEnd): string[] {
  try {
    return answerLines(session, runQuery(engine, session, sql, { backEnd }));
  } catch (error) {
    return errorLines(error);
  }
}

for (const file of readdirSync(folder).sort()) {
  if (only !== undefined && !file.startsWith(only)) continue;
  describe(file.replace('.sql.txt', ''), () => {
    let engine: TestEngine;
    let session: SqlSession;
    beforeAll(async () => {
      engine = await openEngine();
      session = engine.session();
    });
    afterAll(() => engine.close());
    const blocks = parseAnswers(readFileSync(folder + file, 'utf8'));
    blocks.forEach((block, i) => {
      it(`${i + 1}: ${block.sql}`, async () => {
        if (!isQuery(block.sql)) {
          expect(await runStatement(session, block.sql)).toEqual(block.answer);
          return;
        }
        expect(answer(engine, session, block.sql, 'generated')).toEqual(block.answer);
        expect(answer(engine, session, block.sql, 'closures')).toEqual(block.answer);
      });
    });
  });
}
