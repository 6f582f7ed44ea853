/**
 * What every part of the grammar stands on: chevrotain's parser, read one token at a time.
 *
 * Chevrotain keeps the token vector and the stack of rules. Its look-ahead tables are not used:
 * most decisions of SQL depend on where a keyword may be a name, which PostgreSQL settles by precedence and context and
 * not by k tokens, and building tables for some 250 productions costs well over 100 ms where a session wants to open in
 * a few. So rules are few (the entries and the kinds of statements, `parser.ts`), and inside them the grammar is read by
 * methods that ask for the next token by name, as recursive descent does: `if (this.accept('where')) ...`.
 *
 * Each area of the grammar is a class that extends the one below it; what an area needs from above is an abstract
 * method here (expressions need queries and queries need expressions).
 *
 * On an error the text is read a second time, and this time every question asked about the offending token is noted:
 * that is the list of what was expected. The first reading pays one test of a field for it.
 */
import { PhantomError } from '@phantom/base';
import { EmbeddedActionsParser } from 'chevrotain';
import type { Name, QualifiedName } from '../ast-leaves.js';
import type { Statement } from '../ast-statements.js';
import type { Expression, Query } from '../ast.js';
import { errorAt } from '../syntax-error.js';
import { COLUMN_NAME, LABEL, type Place, PLACE_NAMES, type Terminal, type Token } from '../tokens.js';

/** How deep expressions, queries and statements may stand inside each other. Far below what the stack can bear. */
export const DEPTH_MAX = 500;
/** Longest chain of infix operators, casts or joins whose tree leans to one side; AND, OR and UNION have no limit. */
export const CHAIN_MAX = 1000;

/** What fits behind nearly every name helps nobody as an expectation. */
const EVERYWHERE: ReadonlySet<string> = new Set(['.', '[']);

/** Chevrotain wants one, and looks into it for what no rule here does (tokens.ts). */
const VOCABULARY = [{ name: 'Any' }];

/** Thrown inside the parser when a token does not fit; becomes a PhantomError at the door. */
export class UnexpectedToken {
  readonly token: Token;

  constructor(token: Token) {
    this.token = token;
  }
}

export abstract class TokenReader extends EmbeddedActionsParser {
  /** The text being parsed, for spans and errors. */
  protected text = '';
  private depth = 0;
  /** The offending token, in the second reading. */
  private watched: Token | undefined = undefined;
  private readonly expectations = new Set<string>();
  /** What would have had to follow the watched token where it was the first word of a phrase. */
  private readonly continuations = new Set<string>();

  constructor(skipValidations: boolean) {
    super(VOCABULARY, { skipValidations, recoveryEnabled: false, maxLookahead: 3 });
  }

  protected abstract expression(): Expression;
  /** PostgreSQL's b_expr: an expression without AND, OR, NOT, IN, LIKE, BETWEEN and IS NULL. */
  protected abstract simpleExpression(): Expression;
  protected abstract query(): Query;
  protected abstract statement(): Statement;

  /** Makes the parser ready for tokens; `watched` asks for a second reading that collects expectations. */
  prepare(text: string, tokens: Token[], watched: Token | undefined): void {
    this.text = text;
    this.depth = 0;
    this.watched = watched;
    this.expectations.clear();
    this.continuations.clear();
    this.input = tokens;
  }

  /**
   * What would have been accepted, in the order of asking: in place of the watched token, or, when that token began a
   * phrase, behind it. In that case the token behind it is the one to blame.
   */
  expected(): { words: string[]; behind: boolean } {
    const behind = this.continuations.size > 0;
    const words = [...(behind ? this.continuations : this.expectations)];
    return { words: words.filter((word) => !EVERYWHERE.has(word)), behind };
  }

  // ---------------------------------------------------------------------------------------------------- tokens

  /** The next token, not consumed. */
  protected next(): Token {
    return this.LA_FAST(1) as Token;
  }
  /** The token `count` places ahead; 1 is the next one. At most 4. */
  protected ahead(count: number): Token {
    return this.LA_FAST(count) as Token;
  }
  protected advance(): Token {
    const token = this.LA_FAST(1) as Token;
    this.SKIP_TOKEN();
    return token;
  }
  /** End of the last consumed token, in UTF-16 units. */
  protected lastEnd(): number {
    const token = this.LA(0) as Token;
    return Number.isNaN(token.startOffset) ? 0 : token.endOffset + 1;
  }
  protected position(): number {
    const offset = this.LA_FAST(1).startOffset;
    return Number.isNaN(offset) ? this.text.length : offset;
  }
  protected atEnd(): boolean {
    return this.LA_FAST(1).tokenType.name === 'EOF';
  }

  protected at(terminal: Terminal): boolean {
    const token = this.LA_FAST(1);
    if (token.tokenType.name === terminal) return true;
    if (this.watched === token) this.expectations.add(terminal);
    return false;
  }
  /** True before a phrase of two words. */
  protected at2(first: Terminal, second: Terminal): boolean {
    if (!this.at(first)) return false;
    if (this.LA_FAST(2).tokenType.name === second) return true;
    if (this.watched === this.LA_FAST(1)) this.continuations.add(second);
    return false;
  }
  protected aheadIs(count: number, terminal: Terminal): boolean {
    return this.LA_FAST(count).tokenType.name === terminal;
  }
  /** A word that is no keyword of PostgreSQL 15 (or whose keyword may be a name) but has a meaning here. */
  protected atWord(word: string, count = 1): boolean {
    const token = this.LA_FAST(count) as Token;
    if (token.value === word && token.quoted === false && token.tokenType.name === 'Identifier') return true;
    if (this.watched === token) this.expectations.add(word);
    return false;
  }
  /** True when the token may stand as a name in such a place. */
  protected atPlace(place: Place, count = 1): boolean {
    const token = this.LA_FAST(count) as Token;
    if (this.mayStand(token, place)) return true;
    if (this.watched === token) this.expectations.add(PLACE_NAMES[place]);
    return false;
  }
  protected mayStand(token: Token, place: Place): boolean {
    return (token.tokenType.places & place) !== 0;
  }
  /** Notes what a decision made by other means would have accepted. */
  protected wanted(what: string): void {
    if (this.watched === this.LA_FAST(1)) this.expectations.add(what);
  }

  protected accept(terminal: Terminal): boolean {
    if (!this.at(terminal)) return false;
    this.SKIP_TOKEN();
    return true;
  }
  protected accept2(first: Terminal, second: Terminal): boolean {
    if (!this.at2(first, second)) return false;
    this.SKIP_TOKEN();
    this.SKIP_TOKEN();
    return true;
  }
  protected acceptWord(word: string): boolean {
    if (!this.atWord(word)) return false;
    this.SKIP_TOKEN();
    return true;
  }
  protected expect(terminal: Terminal): Token {
    if (!this.at(terminal)) this.fail();
    return this.advance();
  }
  protected expectWord(word: string): Token {
    if (!this.atWord(word)) this.fail();
    return this.advance();
  }

  /** The next token does not fit. */
  protected fail(token: Token = this.next()): never {
    throw new UnexpectedToken(token);
  }
  /** An error of its own words at a position. */
  protected complain(code: string, message: string, position: number, hint?: string): never {
    throw errorAt(code, message, this.text, position, { hint });
  }
  protected enter(): void {
    if (++this.depth > DEPTH_MAX) this.tooComplex(`Expressions and queries may be nested ${DEPTH_MAX} deep.`);
  }
  protected leave(): void {
    this.depth--;
  }
  protected tooComplex(detail: string): never {
    throw tooComplexError(detail);
  }

  // --------------------------------------------------------------------------------------------- names and lists

  protected makeName(token: Token): Name {
    return { text: token.value, position: token.startOffset, quoted: token.quoted };
  }
  /** ColId: a column, table, schema, alias, cursor, setting or role. */
  protected columnName(): Name {
    if (this.LA_FAST(1).tokenType.name !== 'Identifier' && !this.atPlace(COLUMN_NAME)) this.fail();
    return this.makeName(this.advance());
  }
  /** ColLabel: any word at all. */
  protected label(): Name {
    if (this.LA_FAST(1).tokenType.name !== 'Identifier' && !this.atPlace(LABEL)) this.fail();
    return this.makeName(this.advance());
  }
  protected atColumnName(): boolean {
    return this.LA_FAST(1).tokenType.name === 'Identifier' || this.atPlace(COLUMN_NAME);
  }
  protected commaList<T>(item: (this: this) => T): T[] {
    const items = [item.call(this)];
    while (this.accept(',')) items.push(item.call(this));
    return items;
  }
  protected parenthesised<T>(item: (this: this) => T): T {
    this.expect('(');
    const value = item.call(this);
    this.expect(')');
    return value;
  }
  protected parenthesisedList<T>(item: (this: this) => T): T[] {
    this.expect('(');
    const items = this.commaList(item);
    this.expect(')');
    return items;
  }
  /** `( names )`, or nothing. */
  protected optionalNames(): Name[] {
    return this.at('(') ? this.parenthesisedList(this.columnName) : [];
  }
  /** any_name, qualified_name: `a.b.c`. */
  protected qualifiedName(): QualifiedName {
    const names = [this.columnName()];
    while (this.accept('.')) names.push(this.label());
    return names;
  }
  protected qualifiedNames(): QualifiedName[] {
    return this.commaList(this.qualifiedName);
  }

  // ------------------------------------------------------------------------------------------ phrases of many areas

  protected ifExists(): boolean {
    if (!this.at2('if', 'exists')) return false;
    return this.accept2('if', 'exists');
  }
  protected ifNotExists(): boolean {
    if (!this.at2('if', 'not')) return false;
    this.accept2('if', 'not');
    this.expect('exists');
    return true;
  }
  /** CASCADE, or RESTRICT, which is the default. */
  protected cascade(): boolean {
    if (this.accept('cascade')) return true;
    this.accept('restrict');
    return false;
  }
  protected stringValue(): string {
    return this.expect('String').value;
  }
}

/** 54001 of everything that is nested or chained past a limit. */
export function tooComplexError(detail: string): PhantomError {
  return new PhantomError('54001', 'stack depth limit exceeded', { detail, family: 'limit' });
}
