/**
 * The door of the parser: SQL text in, syntax trees out.
 *
 * The parser is built on first use, or before it by who has nothing else to do (`buildParser`), and kept. Parsing is
 * synchronous and not re-entrant, which nothing here needs.
 */
import type { PhantomError } from '@phantom/base';
import type { TypeName } from './ast-leaves.js';
import type { ParsedStatement, Statement } from './ast-statements.js';
import type { Expression } from './ast.js';
import { tooComplexError, UnexpectedToken } from './grammar/token-reader.js';
import { scan, type Scan } from './lexer.js';
import { SqlParser } from './parser.js';
import { syntaxErrorNear } from './syntax-error.js';

let parser: SqlParser | undefined;

/** The one parser of this process; the first call builds it. */
export function parserInstance(): SqlParser {
  parser ??= new SqlParser(true);
  return parser;
}

/** Builds the parser now, which takes some milliseconds, and not with the first statement. */
export function buildParser(): void {
  parserInstance();
}

/** How many of the expected words an error names. */
const EXPECTED_MAX = 12;

function parse<T>(text: string, read: (parser: SqlParser, scanned: Scan) => T, escapes = false): T {
  const reader = parserInstance();
  const scanned = scan(text, escapes);
  // The parser appends sentinels to the vector it is given, so a second reading needs its own.
  reader.prepare(text, scanned.tokens.slice(), undefined);
  try {
    return read(reader, scanned);
  } catch (thrown) {
    if (thrown instanceof UnexpectedToken) throw syntaxError(text, scanned, thrown.token, read);
    // The depth limit keeps far from the end of the stack, unless the caller stood near it already.
    if (thrown instanceof RangeError) throw tooComplexError('The stack ended while the statement was parsed.');
    throw thrown;
  }
}

function syntaxError<T>(
  text: string,
  scanned: Scan,
  token: UnexpectedToken['token'],
  read: (parser: SqlParser, scanned: Scan) => T,
): PhantomError {
  if (token.tokenType.name === 'Invalid' && scanned.error !== undefined) return scanned.error;
  const reader = parserInstance();
  reader.prepare(text, scanned.tokens.slice(), token);
  try {
    read(reader, scanned);
  } catch (thrown) {
    if (!(thrown instanceof UnexpectedToken)) throw thrown;
  }
  const { words, behind } = reader.expected();
  const index = scanned.tokens.indexOf(token);
  const blamed = behind ? scanned.tokens[index + 1] : scanned.tokens[index];
  if (blamed?.tokenType.name === 'Invalid' && scanned.error !== undefined) return scanned.error;
  const ranked = words.toSorted((a, b) => expectedRank(a) - expectedRank(b));
  const shown = ranked.slice(0, EXPECTED_MAX).map(showExpected);
  const more = words.length > EXPECTED_MAX ? ', among others' : '';
  const detail = words.length === 0 ? undefined : `Expected ${shown.join(', ')}${more}.`;
  const start = blamed?.startOffset ?? text.length;
  const end = blamed === undefined ? start : blamed.endOffset + 1;
  return syntaxErrorNear('syntax error', text, start, end, { detail, data: { expected: words } });
}

const CLASSES: Readonly<Record<string, string>> = {
  Identifier: 'a name',
  String: 'a string',
  Integer: 'an integer',
  Decimal: 'a number',
};

/** Keywords in capitals, symbols in quotes, descriptions as they are. */
function showExpected(word: string): string {
  if (/^[a-z_]+$/.test(word)) return word.toUpperCase();
  return /^\W+$/.test(word) ? `"${word}"` : (CLASSES[word] ?? word);
}

/** What most often is missing comes first: a closing parenthesis, then descriptions, then words. */
function expectedRank(word: string): number {
  return word === ')' ? 0 : word.startsWith('a ') || word.startsWith('an ') ? 1 : 2;
}

/** All statements of a text, in order; empty statements are left out. Throws 42601 and kin at the first error. */
export function parseScript(text: string): ParsedStatement[] {
  return parse(text, (reader) => reader.script());
}

/** Of a script in which backslashes in plain strings are escapes. */
interface ScriptWithEscapes {
  readonly statements: ParsedStatement[];
  /** As of a scan. */
  readonly plainEscapes: readonly string[];
}

/** All statements of a client that switched standard_conforming_strings off. */
export function parseScriptWithEscapes(text: string): ScriptWithEscapes {
  return parse(text, (reader, { plainEscapes }) => ({ statements: reader.script(), plainEscapes }), true);
}

/** The one statement of a text; an empty text and a second statement are 42601. */
export function parseStatement(text: string): Statement {
  return parse(text, (reader) => reader.oneStatement());
}

/** An expression that is the whole text: a stored default or check. */
export function parseExpression(text: string): Expression {
  return parse(text, (reader) => reader.oneExpression());
}

/** A type that is the whole text: `numeric(10, 2)[]`. */
export function parseTypeName(text: string): TypeName {
  return parse(text, (reader) => reader.oneTypeName());
}
