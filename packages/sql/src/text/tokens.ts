/**
 * Token types of SQL, as chevrotain has them, and the one class of tokens.
 *
 * Every keyword, every symbol and every class of literals is a token type; its name is what it looks like in the text
 * (`select`, `(`, `<=`), so that the grammar can be read as SQL. Where a word may stand as a name depends on which of
 * PostgreSQL's four classes of keywords it belongs to; each kind of place is a bit, and a token type holds the bits of all
 * places where it may stand (`places`), so that the question is one AND:
 *
 *   COLUMN_NAME    identifier, unreserved, column name keywords          columns, tables, schemas, aliases
 *   FUNCTION_NAME  identifier, unreserved, type or function keywords     functions, types
 *   ROUTINE_WORD   all but reserved keywords                             first part of a function's name, bare words
 *   BARE_LABEL     all but the words in NOT_BARE_LABELS                  `select 1 label`
 *   LABEL          any word                                              `select 1 as label`, after a dot
 *
 * Chevrotain could answer it by categories, and would number the types; that took three quarters of the parser's construction. So
 * they have their numbers from here, and the parser's vocabulary has none of them: only CONSUME would look into it.
 */
import type { IToken, TokenType } from 'chevrotain';
import { COLUMN_NAMES, type Keyword, NOT_BARE_LABELS, RESERVED, TYPE_OR_FUNCTION, UNRESERVED } from './keywords.js';

// prettier-ignore
export const SYMBOLS = [
  '(', ')', '[', ']', ',', ';', ':', '.', '+', '-', '*', '/', '%', '^', '<', '>', '=', '<=', '>=', '<>',
  '::', ':=', '=>', '..',
] as const;
// prettier-ignore
export const LITERALS = [
  'Identifier', 'String', 'BitString', 'HexString', 'Integer', 'Decimal', 'Parameter', 'Operator', 'Invalid',
] as const;

export type SymbolText = (typeof SYMBOLS)[number];
/**
 * Names of token types. Capitalised ones are classes of
 * tokens; `Operator` is any operator that is no symbol of its own, EOF chevrotain's end.
 */
export type Terminal = Keyword | SymbolText | (typeof LITERALS)[number] | 'EOF';

/** Places where a word may stand as a name: bits of `places`. */
export const COLUMN_NAME = 1;
export const FUNCTION_NAME = 2;
export const ROUTINE_WORD = 4;
export const BARE_LABEL = 8;
export const LABEL = 16;
export type Place = typeof COLUMN_NAME | typeof FUNCTION_NAME | typeof ROUTINE_WORD | typeof BARE_LABEL | typeof LABEL;

/** What an error calls a place. */
export const PLACE_NAMES: Readonly<Record<Place, string>> = {
  [COLUMN_NAME]: 'a column or table name',
  [FUNCTION_NAME]: 'a function or type name',
  [ROUTINE_WORD]: 'a word that is not reserved',
  [BARE_LABEL]: 'a label',
  [LABEL]: 'a name',
};

/** A token type with its number, and the places where it is a name; 0 for what is no word. */
export interface SqlTokenType extends TokenType {
  readonly tokenTypeIdx: number;
  readonly places: number;
}

/** Chevrotain gives its own types, such as the end of the text, numbers below. */
const NUMBER_MIN = 16;

const keywordTypes = new Map<string, SqlTokenType>();
const otherTypes = new Map<string, SqlTokenType>();

function addKeywords(words: readonly string[], places: number): void {
  for (const word of words) {
    const bare = NOT_BARE_LABELS.has(word) ? 0 : BARE_LABEL;
    keywordTypes.set(word, tokenType(word, places | LABEL | bare));
  }
}

function tokenType(name: string, places: number): SqlTokenType {
  return { name, tokenTypeIdx: NUMBER_MIN + keywordTypes.size + otherTypes.size, places };
}

addKeywords(UNRESERVED, COLUMN_NAME | FUNCTION_NAME | ROUTINE_WORD);
addKeywords(COLUMN_NAMES, COLUMN_NAME | ROUTINE_WORD);
addKeywords(TYPE_OR_FUNCTION, FUNCTION_NAME | ROUTINE_WORD);
addKeywords(RESERVED, 0);
const EVERY_PLACE = COLUMN_NAME | FUNCTION_NAME | ROUTINE_WORD | BARE_LABEL | LABEL;
for (const name of [...SYMBOLS, ...LITERALS]) {
  otherTypes.set(name, tokenType(name, name === 'Identifier' ? EVERY_PLACE : 0));
}

/** The token type of a keyword, or undefined for any other word. The word must be in lower case. */
export function keywordType(word: string): SqlTokenType | undefined {
  return keywordTypes.get(word);
}

/** The token type of a symbol or a class of literals. */
export function otherType(name: SymbolText | (typeof LITERALS)[number]): SqlTokenType {
  return otherTypes.get(name) as SqlTokenType;
}

/** One token. It refers to the text it was read from, and cuts its image out of it when asked. */
export class Token implements IToken {
  readonly tokenType: SqlTokenType;
  readonly tokenTypeIdx: number;
  readonly startOffset: number;
  /** Offset of the last character, as chevrotain has it. */
  readonly endOffset: number;
  /**
   * identifier: the folded name; keyword: the word in lower case; string: the decoded value; number: its text in
   * decimal; bit strings: the digits; parameter: its digits; operator: the symbol.
   */
  readonly value: string;
  readonly quoted: boolean;
  private readonly source: string;

  constructor(type: SqlTokenType, source: string, start: number, end: number, value: string, quoted: boolean) {
    this.tokenType = type;
    this.tokenTypeIdx = type.tokenTypeIdx;
    this.startOffset = start;
    this.endOffset = end - 1;
    this.value = value;
    this.quoted = quoted;
    this.source = source;
  }

  /** The token as written. */
  get image(): string {
    return this.source.slice(this.startOffset, this.endOffset + 1);
  }
}
