/**
 * Token types of SQL for chevrotain, and the one class of tokens.
 *
 * Every keyword, every symbol and every class of literals is a token type; its name is what it looks like in the text
 * (`select`, `(`, `<=`), so that the grammar can be read as SQL. Where PostgreSQL allows a keyword as a name depends on
 * the keyword's class (keywords.ts); these places are categories in chevrotain's sense, token types whose members are
 * others:
 *
 *   AnyColumnName     identifier, unreserved, column name keywords          columns, tables, schemas, aliases
 *   AnyFunctionName   identifier, unreserved, type or function keywords     functions, types
 *   AnyRoutineWord    union of the two                                      first part of a qualified function name
 *   AnyBareLabel      identifier, keywords not listed in NOT_BARE_LABELS    `select 1 label`
 *   AnyLabel          identifier, all keywords                              `select 1 as label`, after a dot
 */
import type { IToken, TokenType } from 'chevrotain';
import { COLUMN_NAME, type Keyword, NOT_BARE_LABELS, RESERVED, TYPE_OR_FUNCTION, UNRESERVED } from './keywords.js';

// prettier-ignore
const SYMBOLS = [
  '(', ')', '[', ']', ',', ';', ':', '.', '+', '-', '*', '/', '%', '^', '<', '>', '=', '<=', '>=', '<>',
  '::', ':=', '=>', '..',
] as const;
// prettier-ignore
const LITERALS = [
  'Identifier', 'String', 'BitString', 'HexString', 'Integer', 'Decimal', 'Parameter', 'Operator', 'Invalid',
] as const;

export type SymbolText = (typeof SYMBOLS)[number];
/**
 * Names of token types, categories left out. Capitalised ones are classes of
 * tokens; `Operator` is any operator that is no symbol of its own, EOF chevrotain's end.
 */
export type Terminal = Keyword | SymbolText | (typeof LITERALS)[number] | 'EOF';

function tokenType(name: string, categories: readonly TokenType[] = []): TokenType {
  return { name, CATEGORIES: [...categories] };
}

export const AnyLabel = tokenType('a name');
export const AnyBareLabel = tokenType('a label');
export const AnyColumnName = tokenType('a column or table name');
export const AnyFunctionName = tokenType('a function or type name');
export const AnyRoutineWord = tokenType('a routine name');
const CATEGORIES = [AnyLabel, AnyBareLabel, AnyColumnName, AnyFunctionName, AnyRoutineWord];

const keywordTypes = new Map<string, TokenType>();
const otherTypes = new Map<string, TokenType>();

function addKeywords(words: readonly string[], categories: readonly TokenType[]): void {
  for (const word of words) {
    const own = NOT_BARE_LABELS.has(word) ? categories : [AnyBareLabel, ...categories];
    keywordTypes.set(word, tokenType(word, own));
  }
}
addKeywords(UNRESERVED, [AnyLabel, AnyColumnName, AnyFunctionName, AnyRoutineWord]);
addKeywords(COLUMN_NAME, [AnyLabel, AnyColumnName, AnyRoutineWord]);
addKeywords(TYPE_OR_FUNCTION, [AnyLabel, AnyFunctionName, AnyRoutineWord]);
addKeywords(RESERVED, [AnyLabel]);
for (const name of [...SYMBOLS, ...LITERALS]) otherTypes.set(name, tokenType(name));
otherTypes.set('Identifier', tokenType('Identifier', CATEGORIES));

/** The token type of a keyword, or undefined for any other word. The word must be in lower case. */
export function keywordType(word: string): TokenType | undefined {
  return keywordTypes.get(word);
}

/** The token type of a symbol or a class of literals. */
export function otherType(name: SymbolText | (typeof LITERALS)[number]): TokenType {
  return otherTypes.get(name) as TokenType;
}

/** All token types, for the parser's vocabulary. */
export function vocabulary(): TokenType[] {
  return [...CATEGORIES, ...keywordTypes.values(), ...otherTypes.values()];
}

/** One token. It refers to the text it was read from, and cuts its image out of it when asked. */
export class Token implements IToken {
  readonly tokenType: TokenType;
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

  constructor(type: TokenType, source: string, start: number, end: number, value: string, quoted: boolean) {
    this.tokenType = type;
    this.tokenTypeIdx = type.tokenTypeIdx as number;
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
