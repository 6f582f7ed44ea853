/**
 * What of the standard works: each feature's examples are run, and the page in docs/sql-features.md says what came of them.
 * A claim on the page whose example fails breaks this test; PHANTOM_REWRITE=1 writes the page anew. (An example that has
 * come to work since then breaks nothing: the page is behind, not wrong.)
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { isPhantomError } from '@phantom/base';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { featureFacts } from '../../src/system-views/feature-facts.js';
import { openEngine, type TestEngine } from '../support/engine.js';

interface Probe {
  readonly id: string;
  readonly title: string;
  readonly sql: string;
}

interface Outcome {
  readonly probe: Probe;
  /** SQLSTATE; undefined when everything ran. */
  readonly code: string | undefined;
}

const FACTS = new URL('../../src/system-views/feature-facts.ts', import.meta.url);
const PAGE = new URL('../../../../docs/sql-features.md', import.meta.url);

function lines(file: string): string[] {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8');
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

const probes = lines('probes.txt').map((line): Probe => {
  const match = /^(\S+) (.*?): (.*)$/.exec(line);
  if (match === null) throw new Error(`no probe: ${line}`);
  return { id: match[1] as string, title: match[2] as string, sql: (match[3] as string).replaceAll('\\n', '\n') };
});

const featureOf = (id: string): string => id.slice(0, 4);

/** Names by ID; features that are newer than the list take the title of their example. */
function featureNames(): Map<string, string> {
  const names = new Map(lines('names.txt').map((line) => line.split(' | ') as [string, string]));
  for (const probe of probes) {
    if (!names.has(featureOf(probe.id))) names.set(featureOf(probe.id), probe.title);
  }
  return new Map([...names].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

async function run(engine: TestEngine, probe: Probe, number: number): Promise<Outcome> {
  const session = engine.session();
  const execute = async (sql: string): Promise<void> => {
    for (const parsed of session.parse(sql)) {
      const statement = session.prepare(parsed, sql.slice(parsed.start, parsed.end));
      await session.portal(statement, []).fetch(0, () => undefined);
      await session.sync();
    }
  };
  try {
    // What only reads shares the first schema.
    const schema = /^(?:select|with|values|table|\()/.test(probe.sql) ? 'examples' : `example_${number}`;
    if (!session.picture.schemaExists(schema)) {
      await execute(`create schema ${schema}; set search_path = ${schema};
        create table t (a int primary key, b text, c numeric); insert into t values (1, 'x', 1.5), (2, 'y', null)`);
    }
    await execute(`set search_path = ${schema}; ${probe.sql}`);
    return { probe, code: undefined };
  } catch (error) {
    if (!isPhantomError(error)) throw error;
    return { probe, code: (error as unknown as { code: string }).code };
  } finally {
    session.close();
  }
}

function status(outcomes: readonly Outcome[]): string {
  const failed = outcomes.filter((outcome) => outcome.code !== undefined);
  if (outcomes.length === 0 || failed.length === outcomes.length) return 'no';
  if (failed.length === 0) return 'yes';
  return `in part; not: ${failed.map(({ probe }) => `${probe.title} (${probe.id})`).join(', ')}`;
}

function writePage(outcomes: readonly Outcome[]): string {
  const rows: string[] = [];
  const counts = { yes: 0, part: 0, no: 0 };
  for (const [id, name] of featureNames()) {
    const own = outcomes.filter(({ probe }) => featureOf(probe.id) === id);
    const said = status(own);
    counts[said === 'yes' || said === 'no' ? said : 'part']++;
    const tests = own.filter((outcome) => outcome.code === undefined).map(({ probe }) => probe.id);
    const shown = name.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    rows.push(`| ${id} | ${shown} | ${said} | ${tests.join(' ')} |`);
  }
  return `# SQL by feature

What of ISO/IEC 9075 works, by the IDs of its features. The page is written by a test that runs an example of each
([probes.txt](../packages/sql/test/features/probes.txt)): \`yes\` means that all examples of the feature run, and the last
column names them. That an example runs is the least one may ask; what the answers are is tested by the golden scripts in
\`packages/sql/test/golden\`, which are compared with PostgreSQL 15. What is not supported raises \`0A000\` with its name, or
\`42601\` where the syntax is not known.

${counts.yes} features work, ${counts.part} in part, ${counts.no} do not.

| ID | Feature | Works | Examples that run |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

describe('features of the standard', () => {
  let engine: TestEngine;
  const outcomes: Outcome[] = [];
  beforeAll(async () => {
    engine = await openEngine();
    for (const [number, probe] of probes.entries()) outcomes.push(await run(engine, probe, number));
  }, 60_000);
  afterAll(() => engine.close());

  it('ends every example in a result or an SQLSTATE', () => {
    expect(outcomes.filter(({ code }) => code?.startsWith('XX'))).toEqual([]);
  });

  it('keeps what the page claims', () => {
    const actual = writePage(outcomes);
    if (process.env['PHANTOM_REWRITE'] !== undefined) writeFileSync(PAGE, actual);
    const page = readFileSync(PAGE, 'utf8');
    const failed = new Map(outcomes.flatMap(({ probe, code }) => (code === undefined ? [] : [[probe.id, code]])));
    const broken: string[] = [];
    for (const row of page.split('\n')) {
      const tests = /^\| [A-Z]\d+ \|.*\| ([^|]*) \|$/.exec(row)?.[1] ?? '';
      for (const id of tests.split(' ')) if (failed.has(id)) broken.push(`${id} ${failed.get(id)}`);
    }
    expect(broken).toEqual([]);
  });

  it('tells in information_schema.sql_features what the page says', () => {
    const rows = readFileSync(PAGE, 'utf8').matchAll(/^\| ([A-Z]\d+) \| (.*?) \| (yes|no|in part)[^|]*\|/gm);
    const said = [...rows].map(([, id, name, works]) => {
      const plain = name?.replaceAll('\\|', '|').replaceAll('&lt;', '<').replaceAll('&gt;', '>');
      return `${id} ${works === 'yes' ? 'yes' : 'no'} ${plain}`;
    });
    if (process.env['PHANTOM_REWRITE'] !== undefined) {
      const text = readFileSync(FACTS, 'utf8');
      writeFileSync(
        FACTS,
        text.replace(/`[^`]*`/, () => `\`\n${said.join('\n')}\n\``),
      );
    }
    expect(featureFacts.trim().split('\n')).toEqual(said);
  });

  it('has a row for every feature', () => {
    const page = readFileSync(PAGE, 'utf8');
    expect([...featureNames().keys()].filter((id) => !page.includes(`\n| ${id} |`))).toEqual([]);
  });
});
