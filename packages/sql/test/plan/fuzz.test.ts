/**
 * Statements of the golden scripts, broken at random: words removed, doubled, swapped, replaced by words of other
 * statements. Whatever comes of it, parser, binder and planner end in a plan or an SQLSTATE that is not XX000.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { isPhantomError } from '@phantom/base';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine, type TestEngine } from '../support/engine.js';

const SEED = Number(process.env['PHANTOM_FUZZ_SEED'] ?? 20_251_121);
const RUNS = Number(process.env['PHANTOM_FUZZ_RUNS'] ?? 2000);

const folder = new URL('../golden/scripts/', import.meta.url);
const FILES =
  /^(?:queries|subqueries|joins|aggregates|windows|ctes|changes|expressions|casts|names|sql-json|collations|parts-of-columns|sets-and-rows|strictness)\b/;

const lines = readdirSync(folder)
  .filter((file) => FILES.test(file))
  .flatMap((file) => readFileSync(new URL(file, folder), 'utf8').split('\n'))
  .filter((line) => line.startsWith('> '))
  .map((line) => line.slice(2).replace(/;$/, ''));
const statements = lines.filter((line) => /^(?:select|with|insert|update|delete|merge|values|table)\b/.test(line));
/** What the statements speak of: the first definition of each name counts, others fail. */
const definitions = lines.filter((line) => /^create (?:table|view|type|unique|index|sequence)\b/.test(line));

const tokensOf = (sql: string): string[] => sql.match(/'(?:[^']|'')*'|"[^"]*"|\w+|\s+|[^\w\s]/g) ?? [];

/** What may happen to a statement, given as numbers that choose places in it. */
const mutation = fc.record({
  kind: fc.constantFrom('drop', 'double', 'swap', 'replace', 'splice'),
  at: fc.nat(),
  other: fc.nat(),
  from: fc.nat(),
});

function mutate(tokens: string[], change: { kind: string; at: number; other: number; from: number }): void {
  if (tokens.length === 0) return;
  const at = change.at % tokens.length;
  const donor = tokensOf(statements[change.from % statements.length] as string);
  const foreign = donor[change.other % Math.max(1, donor.length)] ?? ',';
  switch (change.kind) {
    case 'drop':
      tokens.splice(at, 1);
      break;
    case 'double':
      tokens.splice(at, 0, tokens[at] as string);
      break;
    case 'swap': {
      const other = change.other % tokens.length;
      [tokens[at], tokens[other]] = [tokens[other] as string, tokens[at] as string];
      break;
    }
    case 'replace':
      tokens[at] = foreign;
      break;
    default:
      tokens.splice(at, tokens.length, ...donor.slice(change.other % Math.max(1, donor.length)));
  }
}

describe('broken statements', () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await openEngine();
    const session = engine.session();
    for (const sql of definitions) {
      try {
        await session.portal(session.prepareText(sql), []).fetch(0, () => undefined);
        await session.sync();
      } catch (error) {
        if (!isPhantomError(error)) throw error;
      }
    }
    session.close();
  });
  afterAll(() => engine.close());

  it('ends each in a plan or an SQLSTATE', () => {
    const session = engine.session();
    expect(statements.length).toBeGreaterThan(500);
    fc.assert(
      fc.property(fc.nat(), fc.array(mutation, { minLength: 1, maxLength: 3 }), (which, changes) => {
        const tokens = tokensOf(statements[which % statements.length] as string);
        for (const change of changes) mutate(tokens, change);
        const sql = tokens.join('');
        try {
          for (const parsed of session.parse(sql)) session.prepare(parsed, sql.slice(parsed.start, parsed.end));
        } catch (error) {
          if (!isPhantomError(error)) throw new Error(`${sql}\n${String((error as Error).stack)}`);
          if (String((error as unknown as { code: string }).code).startsWith('XX'))
            throw new Error(`${sql}: ${error.message}`);
        }
      }),
      { seed: SEED, numRuns: RUNS, endOnFailure: true },
    );
    session.close();
  });
});
