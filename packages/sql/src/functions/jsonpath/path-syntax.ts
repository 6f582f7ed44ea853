/**
 * The SQL/JSON path language as a tree: lexer and parser after PostgreSQL's jsonpath_scan.l and jsonpath_gram.y. The same
 * texts are accepted, and 42601 raised for the others.
 */
import { PhantomError } from '@phantom/base';
import { Decimal } from '@phantom/codec';
import { regex } from '../regex/regex.js';

export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';
export type PathMethod = 'type' | 'size' | 'double' | 'ceiling' | 'floor' | 'abs' | 'keyvalue';

/** One accessor or operator; `next` of a chain is held by the chain's list. */
export type PathNode =
  | { readonly kind: 'root' }
  | { readonly kind: 'current' }
  | { readonly kind: 'last' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'literal'; readonly value: null | boolean | string | Decimal }
  | { readonly kind: 'key'; readonly name: string }
  | { readonly kind: 'any key' }
  | { readonly kind: 'any element' }
  /** `.**{first to last}`; Infinity is `last`. */
  | { readonly kind: 'any level'; readonly first: number; readonly last: number }
  | {
      readonly kind: 'subscripts';
      readonly ranges: readonly { readonly from: PathNode; readonly to: PathNode | undefined }[];
    }
  | { readonly kind: 'method'; readonly name: PathMethod }
  | { readonly kind: 'datetime'; readonly template: string | undefined }
  | { readonly kind: 'filter'; readonly condition: PathNode }
  | { readonly kind: 'chain'; readonly steps: readonly PathNode[] }
  | { readonly kind: 'unary'; readonly operator: '+' | '-'; readonly operand: PathNode }
  | {
      readonly kind: 'arithmetic';
      readonly operator: ArithmeticOperator;
      readonly left: PathNode;
      readonly right: PathNode;
    }
  | {
      readonly kind: 'comparison';
      readonly operator: ComparisonOperator;
      readonly left: PathNode;
      readonly right: PathNode;
    }
  | { readonly kind: 'and' | 'or'; readonly left: PathNode; readonly right: PathNode }
  | { readonly kind: 'not' | 'is unknown' | 'exists'; readonly operand: PathNode }
  | { readonly kind: 'starts with'; readonly left: PathNode; readonly right: PathNode }
  | { readonly kind: 'like regex'; readonly operand: PathNode; readonly pattern: string; readonly flags: string };

export interface JsonPath {
  readonly lax: boolean;
  readonly node: PathNode;
}

type TokenKind = 'word' | 'string' | 'number' | 'variable' | 'symbol' | 'end';

interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** True for a quoted string that stands where a word might. */
  readonly quoted: boolean;
}

const SYMBOLS = [
  '**',
  '&&',
  '||',
  '==',
  '!=',
  '<>',
  '<=',
  '>=',
  '<',
  '>',
  '!',
  '?',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  '.',
  ',',
  '*',
  '/',
  '%',
  '+',
  '-',
  '@',
  '$',
];
/** Characters that end a word. */
const SPECIAL = /[?%$.[\]{}()|&!=<>@#,*:\-+/\s"\\]/;
const NUMBER = /(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;

function syntaxError(near: string): PhantomError {
  const where = near === '' ? 'end of jsonpath input' : `or near "${near}" of jsonpath input`;
  return new PhantomError('42601', `syntax error at ${where}`);
}

class PathLexer {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  tokens(): Token[] {
    const tokens: Token[] = [];
    for (;;) {
      this.skip();
      if (this.at >= this.text.length) break;
      tokens.push(this.token());
    }
    tokens.push({ kind: 'end', text: '', quoted: false });
    return tokens;
  }

  private skip(): void {
    for (;;) {
      while (/\s/.test(this.text[this.at] ?? '')) this.at++;
      if (!this.text.startsWith('/*', this.at)) return;
      const end = this.text.indexOf('*/', this.at + 2);
      if (end < 0) throw new PhantomError('42601', 'unexpected end of comment at end of jsonpath input');
      this.at = end + 2;
    }
  }

  private token(): Token {
    const character = this.text[this.at] as string;
    if (character === '"') return { kind: 'string', text: this.string(), quoted: true };
    if (character === '$') {
      this.at++;
      if (this.text[this.at] === '"') return { kind: 'variable', text: this.string(), quoted: true };
      const name = this.word();
      return name === ''
        ? { kind: 'symbol', text: '$', quoted: false }
        : { kind: 'variable', text: name, quoted: false };
    }
    NUMBER.lastIndex = this.at;
    const number = NUMBER.exec(this.text)?.[0];
    if (number !== undefined && /[0-9]/.test(number)) {
      this.at += number.length;
      if (/[A-Za-z_$0-9]/.test(this.text[this.at] ?? '')) {
        throw new PhantomError(
          '42601',
          `trailing junk after numeric literal at or near "${number}${this.text[this.at] as string}" of jsonpath input`,
        );
      }
      return { kind: 'number', text: number, quoted: false };
    }
    const symbol = SYMBOLS.find((one) => this.text.startsWith(one, this.at));
    if (symbol !== undefined) {
      this.at += symbol.length;
      return { kind: 'symbol', text: symbol, quoted: false };
    }
    const word = this.word();
    if (word === '') throw syntaxError(character);
    return { kind: 'word', text: word, quoted: false };
  }

  private word(): string {
    let word = '';
    while (this.at < this.text.length) {
      const character = this.text[this.at] as string;
      if (character === '\\') word += this.escape();
      else if (SPECIAL.test(character)) break;
      else {
        word += character;
        this.at++;
      }
    }
    return word;
  }

  private string(): string {
    let value = '';
    this.at++;
    for (;;) {
      const character = this.text[this.at];
      if (character === undefined)
        throw new PhantomError('42601', 'unterminated quoted string at end of jsonpath input');
      if (character === '"') {
        this.at++;
        return value;
      }
      if (character === '\\') value += this.escape();
      else {
        value += character;
        this.at++;
      }
    }
  }

  private escape(): string {
    const letter = this.text[this.at + 1];
    if (letter === undefined)
      throw new PhantomError('42601', 'unexpected end after backslash at end of jsonpath input');
    this.at += 2;
    const simple = ({ b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' } as Record<string, string>)[letter];
    if (simple !== undefined) return simple;
    if (letter === 'x') return this.hex(/[0-9A-Fa-f]{2}/y, 'invalid hexadecimal character sequence');
    if (letter !== 'u') return letter;
    const braced = /\{([0-9A-Fa-f]{1,6})\}/y;
    braced.lastIndex = this.at;
    const code = braced.exec(this.text);
    if (code === null) return this.unicode();
    this.at += code[0].length;
    return String.fromCodePoint(Number.parseInt(code[1] as string, 16));
  }

  private unicode(): string {
    const first = this.hex(/[0-9A-Fa-f]{4}/y, 'invalid Unicode escape sequence');
    if (!/[\ud800-\udbff]/.test(first) || !this.text.startsWith('\\u', this.at)) return first;
    this.at += 2;
    return first + this.hex(/[0-9A-Fa-f]{4}/y, 'invalid Unicode escape sequence');
  }

  private hex(pattern: RegExp, message: string): string {
    pattern.lastIndex = this.at;
    const digits = pattern.exec(this.text)?.[0];
    if (digits === undefined)
      throw new PhantomError(
        '42601',
        `${message} at or near "${this.text.slice(this.at - 2, this.at + 1)}" of jsonpath input`,
      );
    this.at += digits.length;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }
}

const METHODS: ReadonlySet<string> = new Set(['type', 'size', 'double', 'ceiling', 'floor', 'abs', 'keyvalue']);
const COMPARISONS: Readonly<Record<string, ComparisonOperator>> = {
  '==': '==',
  '!=': '!=',
  '<>': '!=',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};
const PREDICATES: ReadonlySet<PathNode['kind']> = new Set<PathNode['kind']>([
  'comparison',
  'and',
  'or',
  'not',
  'is unknown',
  'exists',
  'starts with',
  'like regex',
]);

class PathParser {
  private readonly tokens: readonly Token[];
  private at = 0;
  private filters = 0;
  private subscripts = 0;

  constructor(text: string) {
    this.tokens = new PathLexer(text).tokens();
  }

  parse(): JsonPath {
    let lax = true;
    if (this.isWord('strict') || this.isWord('lax')) {
      lax = this.next().text.toLowerCase() === 'lax';
    }
    const node = this.or();
    if (this.peek().kind !== 'end') throw syntaxError(this.peek().text);
    return { lax, node };
  }

  private peek(ahead = 0): Token {
    return this.tokens[Math.min(this.at + ahead, this.tokens.length - 1)] as Token;
  }

  private next(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.at++;
    return token;
  }

  private isWord(word: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'word' && token.text.toLowerCase() === word;
  }

  private isSymbol(symbol: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === 'symbol' && token.text === symbol;
  }

  private take(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false;
    this.at++;
    return true;
  }

  private expect(symbol: string): void {
    if (!this.take(symbol)) throw syntaxError(this.peek().text);
  }

  private predicate(node: PathNode): PathNode {
    if (!PREDICATES.has(node.kind)) throw syntaxError(this.peek().text);
    return node;
  }

  private value(node: PathNode): PathNode {
    if (PREDICATES.has(node.kind)) throw syntaxError(this.peek().text);
    return node;
  }

  private or(): PathNode {
    let left = this.and();
    while (this.isSymbol('||')) {
      this.at++;
      left = { kind: 'or', left: this.predicate(left), right: this.predicate(this.and()) };
    }
    return left;
  }

  private and(): PathNode {
    let left = this.not();
    while (this.isSymbol('&&')) {
      this.at++;
      left = { kind: 'and', left: this.predicate(left), right: this.predicate(this.not()) };
    }
    return left;
  }

  private not(): PathNode {
    if (!this.take('!')) return this.comparison();
    if (this.isWord('exists')) return { kind: 'not', operand: this.comparison() };
    this.expect('(');
    const operand = this.predicate(this.or());
    this.expect(')');
    return { kind: 'not', operand };
  }

  private comparison(): PathNode {
    if (this.isWord('exists') && this.isSymbol('(', 1)) {
      this.at += 2;
      const operand = this.value(this.or());
      this.expect(')');
      return { kind: 'exists', operand };
    }
    const left = this.additive();
    const operator = this.peek().kind === 'symbol' ? COMPARISONS[this.peek().text] : undefined;
    if (operator !== undefined) {
      this.at++;
      return { kind: 'comparison', operator, left: this.value(left), right: this.value(this.additive()) };
    }
    if (this.isWord('starts') && this.isWord('with', 1)) {
      this.at += 2;
      return { kind: 'starts with', left: this.value(left), right: this.startsWith() };
    }
    if (this.isWord('like_regex')) {
      this.at++;
      return this.likeRegex(this.value(left));
    }
    return left;
  }

  private startsWith(): PathNode {
    const token = this.next();
    if (token.kind === 'string') return { kind: 'literal', value: token.text };
    if (token.kind === 'variable') return { kind: 'variable', name: token.text };
    throw syntaxError(token.text);
  }

  private likeRegex(operand: PathNode): PathNode {
    const pattern = this.next();
    if (pattern.kind !== 'string') throw syntaxError(pattern.text);
    let flags = '';
    if (this.isWord('flag')) {
      this.at++;
      const given = this.next();
      if (given.kind !== 'string') throw syntaxError(given.text);
      for (const letter of given.text) {
        if (!'isxmq'.includes(letter)) {
          throw new PhantomError('42601', 'invalid input syntax for type jsonpath', {
            detail: `Unrecognized flag character "${letter}" in LIKE_REGEX predicate.`,
          });
        }
        if (!flags.includes(letter)) flags += letter;
      }
    }
    if (flags.includes('x') && !flags.includes('q')) {
      throw new PhantomError('0A000', 'XQuery "x" flag (expanded regular expressions) is not supported');
    }
    regex(pattern.text, regexOptions(flags));
    return { kind: 'like regex', operand, pattern: pattern.text, flags };
  }

  private additive(): PathNode {
    let left = this.multiplicative();
    while (this.isSymbol('+') || this.isSymbol('-')) {
      const operator = this.next().text as ArithmeticOperator;
      left = { kind: 'arithmetic', operator, left: this.value(left), right: this.value(this.multiplicative()) };
    }
    return left;
  }

  private multiplicative(): PathNode {
    let left = this.unary();
    while (this.isSymbol('*') || this.isSymbol('/') || this.isSymbol('%')) {
      const operator = this.next().text as ArithmeticOperator;
      left = { kind: 'arithmetic', operator, left: this.value(left), right: this.value(this.unary()) };
    }
    return left;
  }

  private unary(): PathNode {
    if (!this.isSymbol('+') && !this.isSymbol('-')) return this.accessors();
    const operator = this.next().text as '+' | '-';
    const operand = this.value(this.unary());
    if (operand.kind === 'literal' && operand.value instanceof Decimal) {
      return operator === '-' ? { kind: 'literal', value: operand.value.negate() } : operand;
    }
    return { kind: 'unary', operator, operand };
  }

  private accessors(): PathNode {
    let start: PathNode;
    let closed = false;
    if (this.take('(')) {
      start = this.or();
      this.expect(')');
      if (PREDICATES.has(start.kind) && this.isWord('is') && this.isWord('unknown', 1)) {
        this.at += 2;
        return { kind: 'is unknown', operand: start };
      }
      closed = true;
    } else {
      start = this.primary();
    }
    const steps: PathNode[] = [];
    for (let step = this.accessor(); step !== undefined; step = this.accessor()) steps.push(step);
    if (steps.length === 0) return start;
    const inner = start.kind === 'chain' && closed ? start.steps : [start];
    return { kind: 'chain', steps: [...inner, ...steps] };
  }

  private primary(): PathNode {
    const token = this.next();
    switch (token.kind) {
      case 'symbol':
        if (token.text === '$') return { kind: 'root' };
        if (token.text === '@') {
          if (this.filters === 0) throw new PhantomError('42601', '@ is not allowed in root expressions');
          return { kind: 'current' };
        }
        throw syntaxError(token.text);
      case 'variable':
        return { kind: 'variable', name: token.text };
      case 'string':
        return { kind: 'literal', value: token.text };
      case 'number':
        return { kind: 'literal', value: Decimal.fromString(token.text) };
      case 'word':
        return this.wordPrimary(token);
      default:
        throw syntaxError('');
    }
  }

  private wordPrimary(token: Token): PathNode {
    switch (token.text) {
      case 'null':
        return { kind: 'literal', value: null };
      case 'true':
        return { kind: 'literal', value: true };
      case 'false':
        return { kind: 'literal', value: false };
      default:
    }
    if (token.text.toLowerCase() === 'last') {
      if (this.subscripts === 0) throw new PhantomError('42601', 'LAST is allowed only in array subscripts');
      return { kind: 'last' };
    }
    throw syntaxError(token.text);
  }

  private accessor(): PathNode | undefined {
    if (this.isSymbol('[')) return this.subscript();
    if (this.isSymbol('?') && this.isSymbol('(', 1)) {
      this.at += 2;
      this.filters++;
      const condition = this.predicate(this.or());
      this.filters--;
      this.expect(')');
      return { kind: 'filter', condition };
    }
    if (!this.take('.')) return undefined;
    if (this.take('**')) return this.levels();
    if (this.take('*')) return { kind: 'any key' };
    const token = this.next();
    if (token.kind !== 'word' && token.kind !== 'string') throw syntaxError(token.text);
    if (token.kind === 'word' && this.isSymbol('(')) return this.method(token.text.toLowerCase());
    return { kind: 'key', name: token.text };
  }

  private method(name: string): PathNode {
    this.expect('(');
    if (name === 'datetime') {
      let template: string | undefined;
      if (this.peek().kind === 'string') template = this.next().text;
      this.expect(')');
      return { kind: 'datetime', template };
    }
    if (!METHODS.has(name)) throw syntaxError('(');
    this.expect(')');
    return { kind: 'method', name: name as PathMethod };
  }

  private levels(): PathNode {
    if (!this.take('{')) return { kind: 'any level', first: 0, last: Number.POSITIVE_INFINITY };
    const first = this.level();
    const last = this.isWord('to') ? (this.at++, this.level()) : first;
    this.expect('}');
    return { kind: 'any level', first, last };
  }

  private level(): number {
    const token = this.next();
    if (token.kind === 'word' && token.text.toLowerCase() === 'last') return Number.POSITIVE_INFINITY;
    if (token.kind !== 'number' || !/^\d+$/.test(token.text)) throw syntaxError(token.text);
    return Number(token.text);
  }

  private subscript(): PathNode {
    this.expect('[');
    if (this.isSymbol('*') && this.isSymbol(']', 1)) {
      this.at += 2;
      return { kind: 'any element' };
    }
    const ranges: { from: PathNode; to: PathNode | undefined }[] = [];
    this.subscripts++;
    do {
      const from = this.value(this.or());
      const to = this.isWord('to') ? (this.at++, this.value(this.or())) : undefined;
      ranges.push({ from, to });
    } while (this.take(','));
    this.subscripts--;
    this.expect(']');
    return { kind: 'subscripts', ranges };
  }
}

/** The tree of a path text; 42601 when it is none. */
export function parseJsonPath(text: string): JsonPath {
  if (text.trim() === '') throw new PhantomError('22P02', `invalid input syntax for type jsonpath: "${text}"`);
  return new PathParser(text).parse();
}

/** XQuery's flags as ours: without s the dot stops at newlines, with m anchors work at lines, q takes the pattern literally. */
export function regexOptions(flags: string): string {
  const literal = flags.includes('q') ? 'q' : '';
  const ignoreCase = flags.includes('i') ? 'i' : '';
  if (literal !== '') return literal + ignoreCase;
  const lines = flags.includes('m');
  const dotAll = flags.includes('s');
  return ignoreCase + (lines ? (dotAll ? 'w' : 'n') : dotAll ? 's' : 'p');
}
