/**
 * XPath 1.0 (W3C, 16 November 1999) as a tree. The words of its operators are names elsewhere: which they are is told by the
 * token before (section 3.7). `a//b` is read as `a/descendant::b`, unless a predicate of b might ask for places.
 *
 * Left out: the axis `namespace`, whose nodes PostgreSQL has no text for.
 */
import { unsupportedError } from '@phantom/base';

export type XPathAxis =
  | 'ancestor'
  | 'ancestor-or-self'
  | 'attribute'
  | 'child'
  | 'descendant'
  | 'descendant-or-self'
  | 'following'
  | 'following-sibling'
  | 'parent'
  | 'preceding'
  | 'preceding-sibling'
  | 'self';

export type XPathTest =
  /** `local` is `*` for any; `prefix` undefined: no name space, or any where local is `*`. */
  | { readonly kind: 'name'; readonly prefix: string | undefined; readonly local: string }
  | { readonly kind: 'node' | 'text' | 'comment' }
  | { readonly kind: 'instruction'; readonly target: string | undefined };

export interface XPathStep {
  readonly axis: XPathAxis;
  readonly test: XPathTest;
  readonly predicates: readonly XPath[];
}

export type XPathOperator = 'or' | 'and' | '=' | '!=' | '<' | '<=' | '>' | '>=' | '+' | '-' | '*' | 'div' | 'mod' | '|';

export type XPath =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'negate'; readonly operand: XPath }
  | { readonly kind: 'binary'; readonly operator: XPathOperator; readonly left: XPath; readonly right: XPath }
  | { readonly kind: 'call'; readonly name: string; readonly arguments: readonly XPath[] }
  | { readonly kind: 'filter'; readonly base: XPath; readonly predicates: readonly XPath[] }
  /** `start` undefined: the node at hand; 'root': the document. */
  | { readonly kind: 'path'; readonly start: XPath | 'root' | undefined; readonly steps: readonly XPathStep[] };

/** An expression that is none, in libxml2's words. */
export class XPathSyntaxError extends Error {}

/** Parentheses and predicates in one another. */
const DEPTH_MAX = 200;

type TokenKind = 'name' | 'number' | 'string' | 'operator' | 'symbol' | 'end';

interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const NAME_START = '[\\p{L}_]';
const NAME = `${NAME_START}[\\p{L}\\p{M}\\p{Nd}_.\\-\\u00b7]*`;
const TOKEN = new RegExp(
  `\\s*(?:(\\d+(?:\\.\\d*)?(?:[eE][+-]?\\d+)?|\\.\\d+(?:[eE][+-]?\\d+)?)|("[^"]*"|'[^']*')|(::|//|\\.\\.|!=|<=|>=|[()[\\].@,/|+\\-=<>*$])|(${NAME}(?::(?!:)(?:${NAME}|\\*))?))`,
  'uy',
);
const OPERATOR_NAMES: ReadonlySet<string> = new Set(['and', 'or', 'mod', 'div']);
const OPERATOR_SYMBOLS: ReadonlySet<string> = new Set(['/', '//', '|', '+', '-', '=', '!=', '<', '<=', '>', '>=']);
/** Behind these an operand comes. */
const BEFORE_OPERAND: ReadonlySet<string> = new Set(['@', '::', '(', '[', ',', '$']);

const AXES: ReadonlySet<string> = new Set<XPathAxis>([
  'ancestor',
  'ancestor-or-self',
  'attribute',
  'child',
  'descendant',
  'descendant-or-self',
  'following',
  'following-sibling',
  'parent',
  'preceding',
  'preceding-sibling',
  'self',
]);
const NODE_TYPES: ReadonlySet<string> = new Set(['node', 'text', 'comment', 'processing-instruction']);

const END: Token = { kind: 'end', text: '' };
const ANY_NODE: XPathStep = { axis: 'descendant-or-self', test: { kind: 'node' }, predicates: [] };
const LEVELS: readonly (readonly string[])[] = [
  ['or'],
  ['and'],
  ['=', '!='],
  ['<', '<=', '>', '>='],
  ['+', '-'],
  ['*', 'div', 'mod'],
];

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  let end = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const [, number, string, symbol, name] = match;
    const last = tokens.at(-1);
    const operand = last === undefined || last.kind === 'operator' || BEFORE_OPERAND.has(last.text);
    if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (string !== undefined) tokens.push({ kind: 'string', text: string.slice(1, -1) });
    else if (symbol !== undefined) {
      const isOperator = OPERATOR_SYMBOLS.has(symbol) || (symbol === '*' && !operand);
      tokens.push({ kind: isOperator ? 'operator' : 'symbol', text: symbol });
    } else if (name !== undefined) {
      tokens.push({ kind: !operand && OPERATOR_NAMES.has(name) ? 'operator' : 'name', text: name });
    }
    end = TOKEN.lastIndex;
  }
  const rest = text.slice(end).trim();
  if (rest !== '') throw new XPathSyntaxError(/^["']/.test(rest) ? 'Unfinished literal' : 'Invalid expression');
  return tokens;
}

class Parser {
  private readonly tokens: readonly Token[];
  private at = 0;
  private depth = 0;

  constructor(text: string) {
    this.tokens = tokensOf(text);
  }

  whole(): XPath {
    const expression = this.expression();
    if (this.next() !== END) this.fail();
    return expression;
  }

  private fail(complaint = 'Invalid expression'): never {
    throw new XPathSyntaxError(complaint);
  }

  private next(ahead = 0): Token {
    return this.tokens[this.at + ahead] ?? END;
  }

  private is(text: string, ahead = 0): boolean {
    const token = this.next(ahead);
    return (token.kind === 'symbol' || token.kind === 'operator') && token.text === text;
  }

  private accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.at++;
    return true;
  }

  private expression(): XPath {
    if (++this.depth > DEPTH_MAX) this.fail('Recursion limit exceeded');
    const expression = this.binary(0);
    this.depth--;
    return expression;
  }

  private binary(level: number): XPath {
    const operators = LEVELS[level];
    if (operators === undefined) return this.unary();
    let left = this.binary(level + 1);
    for (;;) {
      const token = this.next();
      if (token.kind !== 'operator' || !operators.includes(token.text)) return left;
      this.at++;
      left = { kind: 'binary', operator: token.text as XPathOperator, left, right: this.binary(level + 1) };
    }
  }

  private unary(): XPath {
    let negative = false;
    let signed = false;
    while (this.accept('-')) {
      negative = !negative;
      signed = true;
    }
    const operand = this.union();
    if (!signed) return operand;
    const negated: XPath = { kind: 'negate', operand };
    return negative ? negated : { kind: 'negate', operand: negated };
  }

  private union(): XPath {
    let left = this.path();
    while (this.accept('|')) left = { kind: 'binary', operator: '|', left, right: this.path() };
    return left;
  }

  private path(): XPath {
    if (this.accept('/')) {
      return { kind: 'path', start: 'root', steps: this.atStep() ? this.steps([]) : [] };
    }
    if (this.accept('//')) return { kind: 'path', start: 'root', steps: this.steps([ANY_NODE]) };
    if (!this.atPrimary()) return { kind: 'path', start: undefined, steps: this.steps([]) };
    const primary = this.primary();
    const predicates = this.predicates();
    const start: XPath = predicates.length === 0 ? primary : { kind: 'filter', base: primary, predicates };
    if (this.accept('/')) return { kind: 'path', start, steps: this.steps([]) };
    return this.accept('//') ? { kind: 'path', start, steps: this.steps([ANY_NODE]) } : start;
  }

  private atPrimary(): boolean {
    const token = this.next();
    if (token.kind === 'number' || token.kind === 'string') return true;
    if (token.kind === 'name') return this.is('(', 1) && !NODE_TYPES.has(token.text);
    return token.kind === 'symbol' && (token.text === '(' || token.text === '$');
  }

  private atStep(): boolean {
    const token = this.next();
    return token.kind === 'name' || (token.kind === 'symbol' && ['.', '..', '@', '*'].includes(token.text));
  }

  private primary(): XPath {
    const token = this.next();
    this.at++;
    if (token.kind === 'number') return { kind: 'number', value: Number(token.text) };
    if (token.kind === 'string') return { kind: 'string', value: token.text };
    if (token.text === '(') {
      const inner = this.expression();
      if (!this.accept(')')) this.fail();
      // In parentheses a path is a set of its own: places in its predicates are those in the set.
      return inner.kind === 'path' ? { kind: 'filter', base: inner, predicates: [] } : inner;
    }
    if (token.text === '$') {
      const name = this.next();
      if (name.kind !== 'name') this.fail('Expected $ for variable reference');
      this.at++;
      return { kind: 'variable', name: name.text };
    }
    this.at++;
    const list: XPath[] = [];
    if (!this.is(')')) {
      do list.push(this.expression());
      while (this.accept(','));
    }
    if (!this.accept(')')) this.fail();
    return { kind: 'call', name: token.text, arguments: list };
  }

  private steps(first: readonly XPathStep[]): XPathStep[] {
    const steps = [...first];
    for (;;) {
      const step = this.step();
      const below = steps.at(-1) === ANY_NODE && step.axis === 'child' && step.predicates.length === 0;
      if (below) steps[steps.length - 1] = { ...step, axis: 'descendant' };
      else steps.push(step);
      if (this.accept('//')) steps.push(ANY_NODE);
      else if (!this.accept('/')) return steps;
    }
  }

  private step(): XPathStep {
    if (this.accept('.')) return { axis: 'self', test: { kind: 'node' }, predicates: [] };
    if (this.accept('..')) return { axis: 'parent', test: { kind: 'node' }, predicates: [] };
    let axis: XPathAxis = 'child';
    if (this.accept('@')) axis = 'attribute';
    else if (this.next().kind === 'name' && this.is('::', 1)) {
      const name = this.next().text;
      if (name === 'namespace') throw unsupportedError('the namespace axis of XPath');
      if (!AXES.has(name)) this.fail();
      axis = name as XPathAxis;
      this.at += 2;
    }
    const test = this.test();
    return { axis, test, predicates: this.predicates() };
  }

  private test(): XPathTest {
    if (this.accept('*')) return { kind: 'name', prefix: undefined, local: '*' };
    const token = this.next();
    if (token.kind !== 'name') this.fail();
    this.at++;
    if (NODE_TYPES.has(token.text) && this.accept('(')) {
      let target: string | undefined;
      if (token.text === 'processing-instruction' && this.next().kind === 'string') {
        target = this.next().text;
        this.at++;
      }
      if (!this.accept(')')) this.fail();
      if (token.text === 'processing-instruction') return { kind: 'instruction', target };
      return { kind: token.text as 'node' | 'text' | 'comment' };
    }
    const colon = token.text.indexOf(':');
    if (colon < 0) return { kind: 'name', prefix: undefined, local: token.text };
    return { kind: 'name', prefix: token.text.slice(0, colon), local: token.text.slice(colon + 1) };
  }

  private predicates(): XPath[] {
    const predicates: XPath[] = [];
    while (this.accept('[')) {
      predicates.push(this.expression());
      if (!this.accept(']')) this.fail('Invalid predicate');
    }
    return predicates;
  }
}

/** The expression's tree; XPathSyntaxError where it is none, 0A000 for the axis `namespace`. */
export function parseXPath(text: string): XPath {
  return new Parser(text).whole();
}
