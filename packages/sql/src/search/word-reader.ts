/**
 * Reads words one after another from the texts of vectors and queries, by PostgreSQL's rules.
 *
 *   vector   word  'a word'  wo\'rd  word:1A,2      words end at blanks; positions may follow
 *   query    word  'a word'  wo\'rd                 operators end words too, and a colon does
 *   web      word                                   as queries, but that ' and \ are ordinary and " ends words
 *
 * A quote is doubled or has a backslash before it inside of quotes. Errors are 42601.
 */
import { PhantomError } from '@phantom/base';
import type { Lexeme, Position, Weight } from './vector.js';

export type WordStyle = 'vector' | 'query' | 'web';

const BLANK = /[\t-\r \u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000]/;
/** Characters that end a word of a query. */
export const OPERATORS = '!&|()<';
/** The last place of a text; what stands behind it is taken to stand there. */
export const POSITION_MAX = 16383;
const WEIGHTS: Readonly<Record<string, Weight>> = { A: 3, a: 3, '*': 3, B: 2, b: 2, C: 1, c: 1, D: 0, d: 0 };

/** What PostgreSQL takes for a blank. */
export function isBlank(character: string | undefined): boolean {
  return character !== undefined && BLANK.test(character);
}

export class WordReader {
  /** Where the next character is read, in UTF-16 units. */
  at = 0;
  private readonly text: string;
  private readonly style: WordStyle;

  constructor(text: string, style: WordStyle) {
    this.text = text;
    this.style = style;
  }

  /** The next word, with its positions in a vector; undefined at the end. */
  next(): Lexeme | undefined {
    const { text } = this;
    while (isBlank(text[this.at])) this.at++;
    const first = text[this.at];
    if (first === undefined) return undefined;
    if (this.style !== 'web' && first === "'") return this.quoted();
    return this.plain();
  }

  private plain(): Lexeme {
    const { text, style } = this;
    let word = '';
    for (;;) {
      const character = text[this.at];
      if (character === undefined || (isBlank(character) && word !== '')) break;
      if (style === 'web' && character === '"' && word !== '') break;
      if (character === ':' && word !== '') {
        if (style !== 'vector') break;
        return { word, positions: this.positions() };
      }
      if (style !== 'vector' && OPERATORS.includes(character)) {
        if (word === '') throw this.wrong();
        break;
      }
      if (character === '\\' && style !== 'web') word += this.escaped();
      else {
        word += character;
        this.at++;
      }
    }
    return { word, positions: [] };
  }

  private quoted(): Lexeme {
    const { text } = this;
    let word = '';
    this.at++;
    for (;;) {
      const character = text[this.at];
      if (character === undefined) throw this.wrong();
      if (character === "'") {
        this.at++;
        if (text[this.at] !== "'") break;
        word += "'";
        this.at++;
      } else if (character === '\\') word += this.escaped();
      else {
        const end = this.endOfRun();
        word += text.slice(this.at, end);
        this.at = end;
      }
    }
    if (word === '') throw this.wrong();
    if (this.style !== 'vector' || text[this.at] !== ':') return { word, positions: [] };
    return { word, positions: this.positions() };
  }

  /** Where the characters end that mean themselves between quotes. */
  private endOfRun(): number {
    let end = this.at + 1;
    while (end < this.text.length && this.text[end] !== "'" && this.text[end] !== '\\') end++;
    return end;
  }

  /** The character behind a backslash. */
  private escaped(): string {
    const code = this.text.codePointAt(++this.at);
    if (code === undefined) throw new PhantomError('42601', `there is no escaped character: "${this.text}"`);
    const character = String.fromCodePoint(code);
    this.at += character.length;
    return character;
  }

  /** `:1A,2` behind a word. */
  private positions(): readonly Position[] {
    const found: Position[] = [];
    do {
      this.at++;
      const number = this.number();
      if (number === undefined) throw this.wrong();
      if (number === 0) throw new PhantomError('42601', `wrong position info in tsvector: "${this.text}"`);
      let weight: Weight | undefined;
      for (;;) {
        const letter = WEIGHTS[this.text[this.at] ?? ''];
        if (letter === undefined) break;
        if (weight !== undefined && weight !== 0) throw this.wrong();
        weight = letter;
        this.at++;
      }
      found.push({ at: Math.min(number, POSITION_MAX), weight: weight ?? 0 });
    } while (this.text[this.at] === ',');
    const next = this.text[this.at];
    if (next !== undefined && !isBlank(next)) throw this.wrong();
    return found;
  }

  private number(): number | undefined {
    const start = this.at;
    while (this.text.charCodeAt(this.at) >= 48 && this.text.charCodeAt(this.at) <= 57) this.at++;
    return start === this.at ? undefined : Number(this.text.slice(start, this.at));
  }

  private wrong(): PhantomError {
    return new PhantomError(
      '42601',
      `syntax error in ts${this.style === 'vector' ? 'vector' : 'query'}: "${this.text}"`,
    );
  }
}
