/** docs/documents.md names every operator, and beside it a test that has it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { expressionOperators } from '../src/aggregate/registry.js';
import { simpleStages } from '../src/aggregate/stages.js';
import { updateOperators } from '../src/update/operators.js';

const root = join(import.meta.dirname, '../../..');
const page = readFileSync(join(root, 'docs/documents.md'), 'utf8');
const quoted = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, name]) => name as string);

/** Kinds of operators, those of each, and the test beside them. */
const rows = [...page.matchAll(/^\| ([a-z]+)[^|]* \| ((?:`\$\w+` ?)+) \| `([\w-]+\.test\.ts)` \|$/gm)].map(
  ([, kind, operators, test]) => ({
    kind: kind as string,
    operators: quoted(operators as string),
    test: test as string,
  }),
);

it('names operators that their tests have', () => {
  for (const { operators, test } of rows) {
    const text = readFileSync(join(import.meta.dirname, test), 'utf8');
    const untested = operators.filter((name) => !new RegExp(`\\${name}\\b`).test(text));
    expect(untested, test).toEqual([]);
  }
});

it('names every operator there is', () => {
  const all = { expressions: expressionOperators, updates: updateOperators, stages: simpleStages };
  for (const [kind, operators] of Object.entries(all)) {
    const named = new Set(rows.filter((row) => row.kind === kind).flatMap((row) => row.operators));
    expect([...operators.keys()].filter((name) => !named.has(name))).toEqual([]);
  }
});

it('names tests that exist', () => {
  const paths = quoted(page).filter((name) => name.startsWith('packages/'));
  expect(paths.length).toBeGreaterThan(10);
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
