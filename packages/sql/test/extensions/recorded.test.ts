import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { rows, run } from '../support/statements.js';

/** Expressions and what PostgreSQL 15 answers, as text: `error CODE` for an error. */
type Recorded = readonly [sql: string, answer: string | null];

const EXTENSIONS = ['citext', 'fuzzystrmatch', 'pg_trgm', 'pgcrypto', 'unaccent'];
const BATCH = 40;

describe('recorded answers of extensions of PostgreSQL', () => {
  let engine: TestEngine;
  let session: SqlSession;

  beforeAll(async () => {
    engine = await openEngine();
    session = engine.session();
    for (const name of EXTENSIONS) await run(session, `create extension ${name}`);
  });
  afterAll(() => engine.close());

  /** What is answered otherwise. One statement asks for many answers; errors are asked for one by one. */
  async function differences(recorded: readonly Recorded[]): Promise<string[]> {
    const found: string[] = [];
    const isError = (answer: string | null): boolean => answer?.startsWith('error ') === true;
    const plain = recorded.filter(([, answer]) => !isError(answer));
    for (let i = 0; i < plain.length; i += BATCH) {
      const batch = plain.slice(i, i + BATCH);
      const parts = batch.map(([sql], n) => `select ${n}, (${sql})::text`);
      const answers = await rows(session, `${parts.join(' union all ')} order by 1`);
      batch.forEach(([sql, expected], n) => {
        if (answers[n] !== `${n} ${expected}`) found.push(`${sql}: ${answers[n]} instead of ${expected}`);
      });
    }
    for (const [sql, expected] of recorded) {
      if (!isError(expected)) continue;
      const [answer] = await rows(session, `select (${sql})::text`);
      if (`error ${answer}` !== expected) found.push(`${sql}: ${answer} instead of ${expected}`);
    }
    return found;
  }

  it.each(EXTENSIONS)('are given by %s', async (name) => {
    const lines = readFileSync(new URL(`recorded/${name}.jsonl`, import.meta.url), 'utf8')
      .trim()
      .split('\n');
    expect(await differences(lines.map((line) => JSON.parse(line) as Recorded))).toEqual([]);
  });
});
