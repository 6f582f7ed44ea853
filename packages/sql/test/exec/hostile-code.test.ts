/**
 * Names and texts that are pieces of JavaScript go through everything that code is generated for: they come back as they were, both back ends
 * agree, and nothing of them runs.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Random } from '@phantom/base';
import type { SqlSession } from '../../src/index.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { runQuery, runStatement } from './answers.js';

const OWNED = 'ownedByText';
const PIECES = [
  '"',
  "'",
  '`',
  '\\',
  '${',
  '}',
  '{',
  '(',
  ')',
  '[',
  ']',
  ';',
  ',',
  '=>',
  '\n',
  '\r',
  '\u2028',
  '\u2029',
  '//',
  '/*',
  '*/',
  '<!--',
  `globalThis.${OWNED}=1`,
  `\${globalThis.${OWNED}=1}`,
  `eval("globalThis.${OWNED}=1")`,
  `"+(globalThis.${OWNED}=1)+"`,
  `');globalThis.${OWNED}=1;('`,
  '__proto__',
  'constructor',
  'prototype',
  'arguments',
  'this',
  'return',
  'yield',
  'await',
  'run',
  'source',
  'emit',
  'NaN',
  'undefined',
  '\\u0022',
  '\\x27',
  '\\0',
  '\ud83d\ude00',
  'é',
  ' ',
  '0x10',
  '1e9',
  '$1',
  '$$',
  '%s',
  'null',
];
const ROUNDS = 60;
/** Names longer than 63 bytes are cut. */
const NAME_BYTES_MAX = 60;

let engine: TestEngine;
let session: SqlSession;
beforeAll(async () => {
  engine = await openEngine();
  session = engine.session();
});
afterAll(() => engine.close());

const random = new Random(20261123);
const text = (): string =>
  Array.from({ length: 1 + random.below(6) }, () => PIECES[random.below(PIECES.length)]).join('');
const literal = (value: string): string => `'${value.replaceAll("'", "''")}'`;

function name(taken: Set<string>): string {
  for (;;) {
    const chosen = text();
    if (Buffer.byteLength(chosen) > NAME_BYTES_MAX || taken.has(chosen)) continue;
    taken.add(chosen);
    return `"${chosen.replaceAll('"', '""')}"`;
  }
}

it('takes pieces of JavaScript for names and for texts', async () => {
  const relations = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    const columns = new Set<string>();
    const [table, cte] = [name(relations), name(relations)];
    const [a, b, c, alias] = [name(columns), name(columns), name(columns), name(columns)];
    const [first, second] = [text(), text()];
    expect(await runStatement(session, `create table ${table} (${a} int primary key, ${b} text, ${c} jsonb)`)).toEqual([
      'CREATE',
    ]);
    const document = literal(JSON.stringify({ [first]: second }));
    await runStatement(
      session,
      `insert into ${table} values (1, ${literal(first)}, ${document}), (2, ${literal(second)}, null), (3, null, '{}')`,
    );
    const questions: readonly (readonly [string, readonly (readonly unknown[])[]])[] = [
      [`select ${b} as ${alias} from ${table} where ${b} = ${literal(first)} and ${a} = 1`, [[first]]],
      [`select ${b} || ${literal(second)} from ${table} where ${a} = 1`, [[first + second]]],
      [`select ${c} ->> ${literal(first)} from ${table} where ${a} = 1`, [[second]]],
      [
        `select case when ${b} in (${literal(first)}, 'x', 'y') then ${literal(second)} end from ${table} where ${a} = 1`,
        [[second]],
      ],
      [
        `with ${cte} as (select ${b} as ${alias}, count(*) as n from ${table} group by ${b}) select n from ${cte} where ${alias} is null`,
        [[1]],
      ],
      [
        `select x.${a} from ${table} x join ${table} y on x.${b} = y.${b} and y.${b} <> ${literal(`${first}!`)} where x.${a} = 1 and y.${a} = 1`,
        [[1]],
      ],
      [`select max(${b}) over (partition by ${a}) from ${table} where ${a} = 2`, [[second]]],
      [`select (select ${b} from ${table} i where i.${a} = o.${a}) from ${table} o where o.${a} = 2`, [[second]]],
      [`select distinct on (${b}) ${b} from ${table} where ${a} = 2 order by ${b}, ${a}`, [[second]]],
    ];
    for (const [sql, expected] of questions) {
      for (const backEnd of ['generated', 'closures'] as const) {
        const { rows } = runQuery(engine, session, sql, { backEnd });
        expect(
          rows.map((row) => row.map((value) => (typeof value === 'bigint' ? Number(value) : value))),
          sql,
        ).toEqual(expected);
      }
    }
    await runStatement(session, `drop table ${table}`);
  }
  expect(Object.hasOwn(globalThis, OWNED)).toBe(false);
});
