/** Tests of text columns on their bytes choose the rows that tests of their values choose. */
import { expect, it } from 'vitest';
import { openEngine } from '../support/engine.js';
import { runQuery, runStatement } from './answers.js';

const CONDITIONS = [
  "S = 'ab'",
  "'ab' = S",
  "not S = 'ab'",
  "S <> 'ab'",
  "not (S <> 'ab')",
  "S = ''",
  "S = 'äöü'",
  "S in ('ab', 'äöü', 'nobody')",
  "S not in ('ab', '😀')",
  "S in ('ab', null)",
  "S not in ('ab', null)",
  "(S = 'ab') is not true",
  "(S in ('ab')) is unknown",
  "S = any('{}'::text[])",
  "not (S = any('{}'::text[]))",
  "S <> all(array['ab', 'b'])",
  "S = 'ab' or S = 'b'",
  "S > 'a' and S = 'ab'",
  "substring(S from 1 for 1) = 'a'",
  "substring(S from 1 for 1) <> 'ä'",
  "substring(S, 1, 2) in ('ab', 'äö')",
  "substring(S, 1, 2) in ('ab', 'b')",
  "not (substring(S, 1, 1) in ('a', '😀'))",
  "substring(S from 2 for 1) = 'b'",
  "substr(S, 1, 0) = ''",
  "substr(S, 1, null) = 'a'",
  "left(S, 1) = 'a'",
  "'😀' = left(S, 1)",
  "left(S, -1) = 'a'",
  "starts_with(S, 'a')",
  "not starts_with(S, '')",
  "S ^@ 'ä'",
  ...['%', '', 'a%', '%b', '%a%b%', 'a%b', 'ab%b', '%ö%', 'ä%ü', '😀%', '%\\\\%', '\\\\ab', '_b', 'a_'].flatMap(
    (pattern) => [`S like '${pattern}'`, `S not like '${pattern}'`, `not (S like '${pattern}')`],
  ),
];

it('finds what a test of the value finds', async () => {
  const test = await openEngine();
  const session = test.session();
  await runStatement(session, 'create table t (id int primary key, v varchar(20), s text, n text not null)');
  await runStatement(
    session,
    "insert into t values (1, 'ab', 'ab', 'ab'), (2, null, null, 'b'), (3, '', '', ''), (4, 'äöü', 'äöü', 'äöü'), (5, 'b', '😀', '😀'), (6, 'AB', 'aB', 'abc')",
  );
  // A column that came later: rows are read by way of the present layout.
  await runStatement(session, "alter table t add column late text default 'ab'");
  await runStatement(session, "insert into t values (7, 'x', 'ab', 'ab', null), (8, 'ab', 'b', 'b', 'b')");
  for (const column of ['v', 's', 'n', 'late']) {
    for (const condition of CONDITIONS) {
      const ids = (operand: string, backEnd: 'generated' | 'closures'): unknown[] =>
        runQuery(test, session, `select id from t where ${condition.replaceAll('S', operand)}`, {
          backEnd,
        }).rows.flat();
      const expected = ids(`(${column} || '')`, 'generated');
      expect(ids(column, 'generated'), `${column}: ${condition}`).toEqual(expected);
      expect(ids(column, 'closures'), `${column}: ${condition}`).toEqual(expected);
    }
  }
  await test.close();
});
