/**
 * The JSON-Schema-Test-Suite through the validator of collections, from a copy that PHANTOM_SCHEMA_SUITE names (`npm run schemas`
 * fetches one). What fails is listed here, so that nothing else may.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isPhantomError } from '@phantom/base';
import type { PlainObject } from '../src/order.js';
import { schemaValidator } from '../src/schema.js';

const SUITE = process.env['PHANTOM_SCHEMA_SUITE'] ?? '';

interface Group {
  readonly description: string;
  readonly schema: unknown;
  readonly tests: readonly { readonly description: string; readonly data: unknown; readonly valid: boolean }[];
}

interface Outcome {
  passed: number;
  /** How many schemas of a file are refused. */
  readonly refused: Record<string, number>;
  readonly wrong: string[];
}

function runDraft(draft: string, schemaOf: (schema: unknown) => unknown): Outcome {
  const outcome: Outcome = { passed: 0, refused: {}, wrong: [] };
  const folder = join(SUITE, 'tests', draft);
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
    for (const group of JSON.parse(readFileSync(join(folder, file), 'utf8')) as Group[]) {
      const name = file.replace('.json', '');
      try {
        const validate = schemaValidator(schemaOf(group.schema));
        for (const { description, data, valid } of group.tests) {
          if ((validate(data as PlainObject).length === 0) === valid) outcome.passed++;
          else outcome.wrong.push(`${name}: ${group.description}: ${description}`);
        }
      } catch (error) {
        if (!isPhantomError(error)) throw error;
        outcome.refused[name] = (outcome.refused[name] ?? 0) + 1;
      }
    }
  }
  return outcome;
}

const NAME = 'the JSON-Schema-Test-Suite (needs its files: `npm run schemas` downloads them)';

describe.runIf(existsSync(join(SUITE, 'tests')))(NAME, () => {
  it('holds for draft 2020-12', () => {
    const { passed, refused, wrong } = runDraft('draft2020-12', (schema) => schema);
    expect(wrong).toEqual([]);
    // References that would have to be fetched, relative to others, and dynamic; metaschemas of one's own; see schema-limits.ts.
    expect(refused).toEqual({
      dynamicRef: 20,
      enum: 1,
      properties: 1,
      ref: 3,
      refRemote: 15,
      unevaluatedItems: 10,
      unevaluatedProperties: 4,
      vocabulary: 2,
    });
    expect(passed).toBeGreaterThan(1000);
  });

  it('holds for draft 7', () => {
    const { passed, refused, wrong } = runDraft('draft7', (schema) =>
      typeof schema === 'object' && schema !== null
        ? { $schema: 'http://json-schema.org/draft-07/schema#', ...schema }
        : schema,
    );
    expect(wrong).toEqual([]);
    expect(refused).toEqual({ properties: 1, ref: 2, refRemote: 11 });
    expect(passed).toBeGreaterThan(800);
  });
});
