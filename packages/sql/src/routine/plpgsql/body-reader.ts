/**
 * A body as a row of tokens, by the scanner of SQL: words to ask for, and pieces of SQL cut out between them.
 *
 *   IF  n > 0 AND f(n)  THEN        the piece ends at a word or symbol outside of all parentheses
 *       └──fragment───┘
 *
 * Errors point into the body. Where the statement that makes the routine holds the body as it is, they are moved there.
 */
import { PhantomError } from '@phantom/base';
import type { TypeName } from '../../text/ast-leaves.js';
import { scan } from '../../text/lexer.js';
import { parseExpression, parseStatement, parseTypeName } from '../../text/parse.js';
import { errorAt, locate, syntaxErrorNear } from '../../text/syntax-error.js';
import { COLUMN_NAME, LABEL, type Token } from '../../text/tokens.js';
import type * as Ast from '../../text/ast.js';
import type { ExpressionFragment, Fragment, NamePath, StatementFragment } from './syntax.js';

/** Words with which a query begins: an expression that holds none can be computed at once. */
const QUERY_WORDS: ReadonlySet<string> = new Set(['select', 'values', 'with', 'table']);

/** Words that no variable or label can be called by, unless they are quoted. */
const RESERVED: ReadonlySet<string> = new Set(
  'all begin by case declare else end execute for foreach from if in into loop not null or strict then to using when while'.split(
    ' ',
  ),
);

/** The token's word in lower case, whether SQL knows it as a keyword or not; undefined for all else. */
function wordOf(token: Token | undefined): string | undefined {
  if (token === undefined || token.quoted) return undefined;
  return (token.tokenType.places & LABEL) === 0 ? undefined : token.value;
}

export class BodyReader {
  readonly source: string;
  private readonly tokens: readonly Token[];
  private readonly scanError: PhantomError | undefined;
  private index = 0;
  private depth = 0;

  constructor(source: string) {
    this.source = source;
    const { tokens, error } = scan(source);
    this.tokens = tokens;
    this.scanError = error;
  }

  // --------------------------------------------------------------------------------------------------- tokens

  token(ahead = 0): Token | undefined {
    return this.tokens[this.index + ahead];
  }

  /** Offset of the next token. */
  get at(): number {
    return this.token()?.startOffset ?? this.source.length;
  }

  /** The number of the line on which the next token stands, from 1. */
  get line(): number {
    return locate(this.source, this.at).line;
  }

  get isAtEnd(): boolean {
    return this.index >= this.tokens.length;
  }

  get word(): string | undefined {
    return wordOf(this.token());
  }

  isWord(word: string, ahead = 0): boolean {
    return wordOf(this.token(ahead)) === word;
  }

  isSymbol(symbol: string, ahead = 0): boolean {
    const token = this.token(ahead);
    return token !== undefined && (token.tokenType.name === symbol || isOperator(token, symbol));
  }

  advance(): Token {
    const token = this.token();
    if (token === undefined) this.fail();
    this.index++;
    return token;
  }

  acceptWord(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.index++;
    return true;
  }

  acceptSymbol(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false;
    this.index++;
    return true;
  }

  expectWord(word: string): void {
    if (!this.acceptWord(word)) this.fail();
  }

  expectSymbol(symbol: string): void {
    if (!this.acceptSymbol(symbol)) this.fail();
  }

  /** A string literal; undefined when the next token is none. */
  acceptString(): string | undefined {
    if (this.token()?.tokenType.name !== 'String') return undefined;
    return this.advance().value;
  }

  /** A name: any word that PL/pgSQL does not reserve, or a quoted one. */
  name(): string {
    if (!this.isName()) this.fail();
    return this.advance().value;
  }

  isName(ahead = 0): boolean {
    const token = this.token(ahead);
    const word = wordOf(token);
    return word === undefined ? token?.quoted === true : !RESERVED.has(word);
  }

  /** `a.b.c`, or `$1` alone. */
  namePath(): NamePath {
    if (this.token()?.tokenType.name === 'Parameter') return [`$${this.advance().value}`];
    const path = [this.name()];
    while (this.isSymbol('.') && this.token(1) !== undefined) {
      this.advance();
      path.push(this.advance().value);
    }
    return path;
  }

  // --------------------------------------------------------------------------------------------------- errors

  /** The next token does not fit. */
  fail(token = this.token()): never {
    if (token?.tokenType.name === 'Invalid' && this.scanError !== undefined) throw this.scanError;
    const start = token?.startOffset ?? this.source.length;
    const end = token === undefined ? start : token.endOffset + 1;
    throw syntaxErrorNear('syntax error', this.source, start, end);
  }

  error(code: string, message: string, at = this.at): PhantomError {
    return errorAt(code, message, this.source, at);
  }

  // ------------------------------------------------------------------------------------------------ fragments

  /** Goes deeper into blocks and loops that stand inside each other. */
  nested<T>(read: () => T): T {
    if (++this.depth > NESTING_MAX) {
      throw new PhantomError('54001', 'stack depth limit exceeded', {
        hint: `Blocks may be nested ${NESTING_MAX} deep.`,
        family: 'limit',
      });
    }
    const result = read();
    this.depth--;
    return result;
  }

  /** Stands before the first of the words and symbols that is outside of parentheses; 42601 where none comes before `;`. */
  skipTo(ends: readonly string[], what = 'expression'): { readonly first: number; readonly end: number } {
    const first = this.index;
    let open = 0;
    for (;;) {
      const token = this.token();
      if (token === undefined || token.tokenType.name === 'Invalid') this.fail(token);
      const { name } = token.tokenType;
      if (open === 0 && ends.some((end) => name === end || wordOf(token) === end || isOperator(token, end))) break;
      if (name === '(' || name === '[') open++;
      if ((name === ')' || name === ']') && --open < 0) throw this.error('42601', 'mismatched parentheses');
      if (name === ';') {
        if (open > 0) throw this.error('42601', 'mismatched parentheses');
        throw this.error('42601', `missing "${(ends[0] ?? '').toUpperCase()}" at end of SQL ${what}`);
      }
      this.index++;
    }
    if (this.index === first) throw this.error('42601', `missing ${what}`);
    return { first, end: this.index };
  }

  /** The expression up to one of the words or symbols, which is left to be read. */
  expression(...ends: readonly string[]): ExpressionFragment {
    const { first, end } = this.skipTo(ends);
    return this.expressionOf(first, end);
  }

  /** A query begins with the token of the number. */
  isQueryAt(index: number): boolean {
    const token = this.tokens[index];
    return token !== undefined && isQueryWord(token);
  }

  /** The next token's number among all, for `expressionOf` and `statementOf`. */
  get mark(): number {
    return this.index;
  }

  /** An expression made of the tokens from one mark to another; `around` is put around its text. */
  expressionOf(
    first: number,
    end: number,
    around?: { readonly before: string; readonly path: NamePath },
  ): ExpressionFragment {
    const inner = this.textOf(first, end);
    const before = around?.before ?? '';
    const text = around === undefined ? inner.text : `${before}${inner.text})`;
    const paths = around === undefined ? inner.paths : [...inner.paths, around.path];
    const prefix = 'SELECT ';
    const queryText = prefix + text;
    const at = inner.at - before.length;
    let expression: ExpressionFragment['expression'];
    try {
      expression = parseExpression(text);
    } catch (error) {
      if (!(error instanceof PhantomError) || error.code !== '42601') throw this.moved(error, at);
    }
    const query = this.parsed(at - prefix.length, () => parseStatement(queryText));
    if (query.kind !== 'query') this.fail(this.tokens[first]);
    const isPlain = expression !== undefined && !this.tokens.slice(first, end).some(isQueryWord);
    return { ...inner, at, text, paths, expression, query, queryText, isPlain };
  }

  /** The statement from a mark up to `;`, read behind it; what is between `hole` is left out. */
  statementOf(
    first: number,
    end: number,
    before = '',
    hole?: { readonly from: number; readonly to: number },
  ): StatementFragment {
    const inner = this.textOf(first, end, hole);
    let { text } = inner;
    if (hole !== undefined) {
      const from = (this.tokens[hole.from] as Token).startOffset - inner.at;
      const to = (this.tokens[hole.to - 1] as Token).endOffset + 1 - inner.at;
      text = text.slice(0, from) + ' '.repeat(to - from) + text.slice(to);
    }
    const at = inner.at - before.length;
    text = before + text;
    return { kind: 'statement', ...inner, at, text, node: this.parsed(at, () => parseStatement(text)) };
  }

  /** A type that is the text between two marks. */
  typeOf(first: number, end: number): TypeName {
    const { at, text } = this.textOf(first, end);
    return this.parsed(at, () => parseTypeName(text));
  }

  /** `name` with the subscripts and fields from an offset on to a mark, as the target of an assignment. */
  partOf(name: string, start: number, end: number): Ast.TargetColumn {
    const before = `UPDATE _ SET "${name.replaceAll('"', '""')}"`;
    const last = this.tokens[end - 1] as Token;
    const text = `${before}${this.source.slice(start, last.endOffset + 1)} = NULL`;
    const node = this.parsed(start - before.length, () => parseStatement(text));
    const target = node.kind === 'update' ? node.assignments[0]?.targets[0] : undefined;
    if (target === undefined) this.fail(last);
    return target;
  }

  tokenAt(mark: number): Token | undefined {
    return this.tokens[mark];
  }

  mayBeName(mark: number): boolean {
    return ((this.tokens[mark]?.tokenType.places ?? 0) & COLUMN_NAME) !== 0;
  }

  goTo(mark: number): void {
    this.index = mark;
  }

  /** The names between two marks, dots left out. */
  pathBetween(first: number, end: number): NamePath {
    return this.tokens.slice(first, end).flatMap(({ tokenType, value }) => {
      if (tokenType.name === '.') return [];
      return [tokenType.name === 'Parameter' ? `$${value}` : value];
    });
  }

  private textOf(first: number, end: number, hole?: { readonly from: number; readonly to: number }): Fragment {
    const at = this.tokens[first]?.startOffset ?? this.source.length;
    const last = this.tokens[end - 1] as Token;
    const text = this.source.slice(at, last.endOffset + 1);
    return { at, text, ...this.namesIn(first, end, hole) };
  }

  /** What may be variables between two marks. */
  namesIn(
    first: number,
    end: number,
    hole?: { readonly from: number; readonly to: number },
  ): Pick<Fragment, 'paths' | 'usesNumbers'> {
    const paths = new Map<string, NamePath>();
    let usesNumbers = false;
    for (let i = first; i < end; i++) {
      if (hole !== undefined && i >= hole.from && i < hole.to) continue;
      const token = this.tokens[i] as Token;
      const isNumber = token.tokenType.name === 'Parameter';
      if (isNumber) usesNumbers = true;
      else if ((token.tokenType.places & COLUMN_NAME) === 0) continue;
      const path = [isNumber ? `$${token.value}` : token.value];
      while (i + 2 < end && this.tokens[i + 1]?.tokenType.name === '.') {
        const next = this.tokens[i + 2] as Token;
        if ((next.tokenType.places & LABEL) === 0) break;
        path.push(next.value);
        i += 2;
      }
      // A number alone is known as such.
      if (!isNumber || path.length > 1) paths.set(path.join('\0'), path);
    }
    return { paths: [...paths.values()], usesNumbers };
  }

  /** Runs the parser of SQL on text that stands at an offset of the body. */
  private parsed<T>(at: number, parse: () => T): T {
    try {
      return parse();
    } catch (error) {
      throw this.moved(error, at);
    }
  }

  private moved(error: unknown, at: number): unknown {
    if (!(error instanceof PhantomError) || error.position === undefined) return error;
    // What was put before the text can be longer than what stands before it.
    const shift = at >= 0 ? locate(this.source, at).position - 1 : at;
    return error.with({ position: Math.max(1, error.position + shift) });
  }
}

/** How deep blocks, loops and conditions may stand inside each other. */
const NESTING_MAX = 200;

function isOperator(token: Token, symbol: string): boolean {
  return token.tokenType.name === 'Operator' && token.value === symbol;
}

function isQueryWord(token: Token): boolean {
  const word = wordOf(token);
  return word !== undefined && QUERY_WORDS.has(word);
}
