/**
 * Golden scripts, one for each area of the grammar: a statement, a line of dashes, and the tree (or the error) that comes
 * of it. `PHANTOM_REWRITE=1` writes what is found.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isPhantomError } from '@phantom/base';
import { describe, expect, it } from 'vitest';
import { parseScript } from '../../src/text/parse.js';
import { showTree } from './tree.js';

const folder = fileURLToPath(new URL('golden/', import.meta.url));

function outcome(text: string): string {
  try {
    return parseScript(text)
      .map((statement) => showTree(statement.node))
      .join('\n');
  } catch (error) {
    if (!isPhantomError(error)) throw error;
    const place = `line ${String(error.data?.['line'])}, column ${String(error.data?.['column'])}`;
    const more = [error.detail, error.hint].filter((part) => part !== undefined).map((part) => `\n  ${part}`);
    return `${error.code} at ${error.position} (${place}): ${error.message}${more.join('')}`;
  }
}

/** Statements of a golden file: each reaches to a line of dashes; what follows, up to an empty line, is the outcome. */
function run(file: string): string {
  return file
    .trim()
    .split(/\n\n(?=[^ \])])/)
    .map((block) => {
      const statement = block.split('\n----')[0] as string;
      return `${statement}\n----\n${outcome(statement)}\n`;
    })
    .join('\n');
}

const rewrite = process.env['PHANTOM_REWRITE'] !== undefined;

describe('golden trees', () => {
  it.each(readdirSync(folder).toSorted())('%s', (name) => {
    const expected = readFileSync(folder + name, 'utf8');
    const actual = run(expected);
    if (rewrite) writeFileSync(folder + name, actual);
    expect(actual).toBe(rewrite ? actual : expected);
  });
});
