/** What statistics and the log show of a statement: never a value, and one text for what differs in values, blanks and comments. */
import { expect, it } from 'vitest';
import { SHOWN_CHARACTERS_MAX, normalisedText, withoutPassword } from '../../src/text/normalised-text.js';

it.each([
  ['select 1', 'select $1'],
  [
    "select\n  'a', E'it\\'s', U&'\\0061', $tag$x$tag$, B'01', X'ff', 1.5e3, .5",
    'select $1, $2, $3, $4, $5, $6, $7, $8',
  ],
  ['select * from t where a = $2 and b = 7', 'select * from t where a = $2 and b = $3'],
  ["/* trace='x' */ select a -- 'secret'\n from \"T\"", 'select a from "T"'],
  ["alter role a password 'hush';", 'alter role a password $1'],
  ["select 'never closed", 'select'],
  ["select 'a\u{1f600}', true, null", 'select $1, true, null'],
  ["select 'a' \n 'b'", 'select $1'],
  ['select a->>\'x\', b::int[1], "1"', 'select a->>$1, b::int[$2], "1"'],
  ['', ''],
])('shows %j as %j', (text, shown) => {
  expect(normalisedText(text)).toBe(shown);
});

it('numbers constants that were parameters with the others', () => {
  expect(normalisedText('select 5 from t where a = $1 limit 3', true)).toBe('select $1 from t where a = $2 limit $3');
});

it('reads backslashes as its client means them', () => {
  expect(normalisedText("select 'it\\'s a secret', 1", false, true)).toBe('select $1, $2');
});

it('shows the beginning of a long text, and no part of a value that the cut has broken', () => {
  const rows = Array.from({ length: 5000 }, (_, n) => `(${n}, 'secret ${n}')`).join(', ');
  const shown = normalisedText(`insert into t values ${rows}`);
  expect(shown).toMatch(/^insert into t values \(\$1, \$2\), .* \.\.\.$/);
  expect(shown.length).toBeLessThan(SHOWN_CHARACTERS_MAX);
  expect(shown).not.toContain('secret');
  expect(normalisedText(`select ${'a'.repeat(SHOWN_CHARACTERS_MAX - 8)}\u{1f600}`)).toMatch(/^select a+ \.\.\.$/);
});

it('shows nothing of a text that is none', () => {
  expect(normalisedText("select 'a\ud800'")).toBe('');
});

it.each([
  ["alter role ada login password 'hush'; select 1", 'alter role ada login password ...'],
  ["CREATE USER ada VALID UNTIL '2030-01-01' PASSWORD 'hush'", 'CREATE USER ada VALID UNTIL $1 password ...'],
  ["do $$ begin execute 'alter role a password ''hush'''; end $$", 'do password ...'],
  ["do $$ declare p text := 'hush'; begin execute format('alter role a password %L', p); end $$", 'do password ...'],
  ["select password from account where name = 'ada'", "select password from account where name = 'ada'"],
  ["select 'a user'", "select 'a user'"],
])('keeps passwords of roles out of activity: %j', (text, shown) => {
  expect(withoutPassword(text)).toBe(shown);
});
