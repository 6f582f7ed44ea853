/**
 * Expressions by precedence climbing, with PostgreSQL 15's table (its manual, 4.1.6), from loose to tight:
 *
 *    1 OR   2 AND   3 NOT   4 IS ISNULL NOTNULL   5 < > = <= >= <>   6 BETWEEN IN LIKE ILIKE SIMILAR
 *    7 any other operator   8 + -   9 * / %   10 ^   11 AT TIME ZONE   12 COLLATE   13 unary + -   14 ::
 *
 * 4 (IS DISTINCT FROM alone), 5 and 6 do not associate: `a < b < c` is an error. A prefix operator takes its operand by
 * its own level wherever it stands, as in `a * - b`. A level is looked up by the token's type in one typed array.
 *
 * Chains of AND and OR become one flat node and have no limit; other chains lean to the left, and consumers that walk
 * them by recursion are protected by CHAIN_MAX.
 */
import type { OperatorName } from '../ast-leaves.js';
import type { Expression, LikeTest, LogicalExpression, Period, PeriodTest, RowConstructor } from '../ast.js';
import { keywordType, otherType, type SymbolText, type Token } from '../tokens.js';
import { PrimaryGrammar } from './primaries.js';
import { CHAIN_MAX } from './token-reader.js';

const OR = 1;
const AND = 2;
const NOT = 3;
const IS = 4;
const COMPARISON = 5;
const PATTERN = 6;
const OPERATOR = 7;
const ADDITIVE = 8;
const MULTIPLICATIVE = 9;
const POWER = 10;
const AT = 11;
const COLLATE = 12;
const CAST = 14;

const KEYWORD_LEVELS: Readonly<Record<string, number>> = {
  or: OR,
  and: AND,
  is: IS,
  isnull: IS,
  notnull: IS,
  between: PATTERN,
  in: PATTERN,
  like: PATTERN,
  ilike: PATTERN,
  similar: PATTERN,
  not: PATTERN,
  overlaps: COMPARISON,
  operator: OPERATOR,
  at: AT,
  collate: COLLATE,
};
const SYMBOL_LEVELS: readonly (readonly [number, readonly (SymbolText | 'Operator' | 'Identifier')[]])[] = [
  // An identifier behind an expression is its label, unless it is a period predicate.
  [COMPARISON, ['<', '>', '=', '<=', '>=', '<>', 'Identifier']],
  [OPERATOR, ['Operator']],
  [ADDITIVE, ['+', '-']],
  [MULTIPLICATIVE, ['*', '/', '%']],
  [POWER, ['^']],
  [CAST, ['::']],
];
const COMPARISONS: ReadonlySet<string> = new Set(['<', '>', '=', '<=', '>=', '<>']);
const PERIOD_PREDICATES: ReadonlySet<string> = new Set(['equals', 'contains', 'precedes', 'succeeds', 'immediately']);

export abstract class ExpressionGrammar extends PrimaryGrammar {
  /** Level of each token type as an infix operator, 0 for none. */
  private readonly levels: Uint8Array;

  constructor(skipValidations: boolean) {
    super(skipValidations);
    const indexed: [number, number][] = [];
    for (const [word, level] of Object.entries(KEYWORD_LEVELS))
      indexed.push([keywordType(word)?.tokenTypeIdx ?? 0, level]);
    for (const [level, names] of SYMBOL_LEVELS) {
      for (const name of names) indexed.push([otherType(name).tokenTypeIdx, level]);
    }
    this.levels = new Uint8Array(Math.max(...indexed.map(([index]) => index)) + 1);
    for (const [index, level] of indexed) this.levels[index] = level;
  }

  protected expression(): Expression {
    return this.climb(OR, false);
  }
  protected simpleExpression(): Expression {
    return this.climb(IS, true);
  }
  protected expressionAfter(first: Expression): Expression {
    return this.infix(OR, false, first);
  }

  protected predicateOf(left: Expression): Expression | undefined {
    return this.atPredicate() ? this.infix(IS, false, left) : undefined;
  }

  private atPredicate(): boolean {
    const { name } = this.next().tokenType;
    if (COMPARISONS.has(name) || name === 'in' || name === 'is') return true;
    if (name === 'not' || name === 'between' || name === 'similar') return this.atPattern();
    // PostgreSQL's functions of these names.
    return (name === 'like' || name === 'ilike') && !this.aheadIs(2, '(');
  }

  private climb(level: number, simple: boolean): Expression {
    this.enter();
    const value = this.infix(level, simple, this.operand(simple));
    this.leave();
    return value;
  }

  /** A primary, or a prefix operator with its operand. */
  private operand(simple: boolean): Expression {
    const token = this.next();
    const name = token.tokenType.name;
    if (name === 'Identifier') return this.primary();
    const position = token.startOffset;
    if (name === '-' || name === '+') {
      this.advance();
      return {
        kind: 'unary',
        operator: { schema: [], symbol: name, position },
        operand: this.climb(CAST, simple),
        position,
      };
    }
    if (name === 'not' && !simple) {
      this.advance();
      return { kind: 'not', operand: this.climb(NOT, false), position };
    }
    if (name === 'default' && simple) this.fail();
    if (name === 'Operator' || (name === 'operator' && this.aheadIs(2, '('))) {
      const operator = this.qualifiedOperator();
      return { kind: 'unary', operator, operand: this.climb(OPERATOR + 1, simple), position };
    }
    return this.primary();
  }

  private levelOf(token: Token): number {
    const index = token.tokenTypeIdx;
    return index < this.levels.length ? (this.levels[index] as number) : 0;
  }

  /** Takes infix and postfix operators of `least` or tighter behind `first`. */
  private infix(least: number, simple: boolean, first: Expression): Expression {
    let left = first;
    for (let chain = 0; ; chain++) {
      const token = this.next();
      const level = this.levelOf(token);
      if (level === 0 || level < least) return left;
      if (chain > CHAIN_MAX) this.tooComplex(`A chain of operators may have ${CHAIN_MAX} links.`);
      const next = simple ? this.simpleInfix(token, level, left) : this.anyInfix(token, level, left);
      if (next === undefined) return left;
      left = next;
    }
  }

  private simpleInfix(token: Token, level: number, left: Expression): Expression | undefined {
    if (level === IS) {
      const distinct = this.aheadIs(2, 'distinct') || (this.aheadIs(2, 'not') && this.aheadIs(3, 'distinct'));
      return token.tokenType.name === 'is' && distinct ? this.isTest(left, true) : undefined;
    }
    if (level === CAST) return this.cast(left);
    const word = token.tokenType.name;
    if (level === PATTERN || level === AT || level === COLLATE || word === 'Identifier' || word === 'overlaps')
      return undefined;
    return this.binary(token, level, left, true);
  }

  /** One infix or postfix operator; undefined when the word turns out to be none. */
  private anyInfix(token: Token, level: number, left: Expression): Expression | undefined {
    switch (level) {
      case OR:
        return this.logical('or', OR, left);
      case AND:
        return this.logical('and', AND, left);
      case IS:
        return this.isTest(left, false);
      case PATTERN:
        return this.pattern(token, left);
      case AT:
        return this.atTimeZone(left);
      case COLLATE:
        this.advance();
        return { kind: 'collate', operand: left, collation: this.qualifiedName(), position: token.startOffset };
      case CAST:
        return this.cast(left);
      default:
        return this.binary(token, level, left, false);
    }
  }

  private logical(word: 'and' | 'or', level: number, left: Expression): LogicalExpression {
    const position = this.position();
    const operands = [left];
    while (this.accept(word)) operands.push(this.climb(level + 1, false));
    return { kind: 'logical', operator: word, operands, position };
  }

  private cast(operand: Expression): Expression {
    const position = this.advance().startOffset;
    return { kind: 'cast', operand, type: this.typeName(), spelling: 'colons', position };
  }

  private atTimeZone(operand: Expression): Expression | undefined {
    if (!this.aheadIs(2, 'time') && !this.aheadIs(2, 'local')) return undefined;
    const position = this.advance().startOffset;
    if (this.accept('local')) return { kind: 'at-time-zone', operand, zone: undefined, position };
    this.advance();
    this.expect('zone');
    return { kind: 'at-time-zone', operand, zone: this.climb(AT + 1, false), position };
  }

  // -------------------------------------------------------------------------------------------- binary operators

  private binary(token: Token, level: number, left: Expression, simple: boolean): Expression | undefined {
    const word = token.tokenType.name;
    if (word === 'Identifier' || word === 'overlaps') return this.periodTest(token, left);
    if (word === 'operator' && !this.aheadIs(2, '(')) return undefined;
    const operator = this.qualifiedOperator();
    const quantified = simple ? undefined : this.quantified(operator, left);
    if (quantified !== undefined) return quantified;
    const right = this.climb(level + 1, simple);
    if (level === COMPARISON) this.refuseChain(COMPARISON);
    return { kind: 'binary', operator, left, right, position: operator.position };
  }

  /** Operators that do not associate may not follow one another. */
  private refuseChain(level: number): void {
    const token = this.next();
    if (this.levelOf(token) !== level || token.tokenType.name === 'Identifier') return;
    if (level === PATTERN && !this.atPattern()) return;
    this.fail();
  }

  private quantified(operator: OperatorName, left: Expression): Expression | undefined {
    const word = this.next().tokenType.name;
    if (word !== 'any' && word !== 'all' && word !== 'some') return undefined;
    const { position } = operator;
    this.advance();
    const content = this.parenContent();
    if (Array.isArray(content) && content.length > 1) this.fail();
    const source = Array.isArray(content) ? (content[0] as Expression) : content;
    return { kind: 'quantified', left, operator, quantifier: word === 'all' ? 'all' : 'any', source, position };
  }

  // -------------------------------------------------------------------------------------------- BETWEEN, IN, LIKE

  private atPattern(): boolean {
    const negated = this.next().tokenType.name === 'not';
    const word = this.ahead(negated ? 2 : 1).tokenType.name;
    if (word === 'similar' && !negated) return this.at2('similar', 'to');
    if (word === 'similar') return this.aheadIs(3, 'to');
    return word === 'between' || word === 'in' || word === 'like' || word === 'ilike';
  }

  private pattern(token: Token, left: Expression): Expression | undefined {
    if (!this.atPattern()) return undefined;
    const { startOffset: position } = token;
    const negated = this.accept('not');
    const word = this.advance().tokenType.name;
    if (word === 'in') return this.inTest(left, negated, position);
    if (word === 'between') return this.betweenTest(left, negated, position);
    if (word === 'similar') this.advance();
    return this.likeTest(word as LikeTest['operator'], left, negated, position);
  }

  private inTest(operand: Expression, negated: boolean, position: number): Expression {
    return { kind: 'in', operand, candidates: this.parenContent(), negated, position };
  }

  private betweenTest(operand: Expression, negated: boolean, position: number): Expression {
    const symmetric = this.accept('symmetric');
    if (!symmetric) this.accept('asymmetric');
    const low = this.simpleExpression();
    this.expect('and');
    const high = this.climb(PATTERN + 1, false);
    this.refuseChain(PATTERN);
    return { kind: 'between', operand, low, high, symmetric, negated, position };
  }

  private likeTest(
    operator: LikeTest['operator'],
    operand: Expression,
    negated: boolean,
    position: number,
  ): Expression {
    if (operator !== 'similar') {
      const symbol = (negated ? '!' : '') + (operator === 'like' ? '~~' : '~~*');
      const quantified = this.quantified({ schema: [], symbol, position }, operand);
      if (quantified !== undefined) return quantified;
    }
    const pattern = this.climb(PATTERN + 1, false);
    const escape = this.accept('escape') ? this.climb(PATTERN + 1, false) : undefined;
    this.refuseChain(PATTERN);
    return { kind: 'like', operator, operand, pattern, escape, negated, position };
  }

  // ------------------------------------------------------------------------------------------------------ IS tests

  private isTest(operand: Expression, simple: boolean): Expression {
    const token = this.advance();
    const { startOffset: position } = token;
    if (token.tokenType.name !== 'is') {
      return {
        kind: 'is',
        operand,
        test: 'null',
        form: undefined,
        negated: token.tokenType.name === 'notnull',
        position,
      };
    }
    const negated = this.accept('not');
    if (this.accept('distinct')) {
      this.expect('from');
      const right = this.climb(COMPARISON, simple);
      if (this.levelOf(this.next()) === IS) this.fail();
      return { kind: 'is-distinct', left: operand, right, negated, position };
    }
    for (const test of ['null', 'true', 'false', 'unknown', 'document', 'normalized'] as const) {
      if (this.accept(test)) return { kind: 'is', operand, test, form: undefined, negated, position };
    }
    const form = this.normalForm();
    if (form !== undefined) {
      this.expect('normalized');
      return { kind: 'is', operand, test: 'normalized', form, negated, position };
    }
    this.expectWord('json');
    let type: 'value' | 'object' | 'array' | 'scalar' = 'value';
    if (this.accept('object')) type = 'object';
    else if (this.accept('array')) type = 'array';
    else if (this.acceptWord('scalar')) type = 'scalar';
    else this.accept('value');
    return { kind: 'is-json', operand, type, uniqueKeys: this.jsonUniqueKeys(), negated, position };
  }

  // -------------------------------------------------------------------------------------------- OVERLAPS and periods

  /** `row OVERLAPS row`, and ISO's predicates over periods; undefined when the word is a label or another error. */
  private periodTest(token: Token, left: Expression): Expression | undefined {
    const position = token.startOffset;
    if (token.tokenType.name === 'overlaps' && left.kind === 'row') return this.overlaps(left, position);
    const immediately = token.value === 'immediately';
    if (token.tokenType.name !== 'overlaps') {
      if (token.quoted || !PERIOD_PREDICATES.has(token.value)) return undefined;
      const named = immediately ? 3 : 2;
      if (this.periodOf(left) === undefined && !this.atWord('period', named)) return undefined;
    }
    this.advance();
    const word = immediately ? this.advance().value : token.value;
    if (immediately && word !== 'precedes' && word !== 'succeeds') this.fail();
    const predicate = (immediately ? `immediately-${word}` : word) as PeriodTest['predicate'];
    const right = this.climb(COMPARISON + 1, false);
    return {
      kind: 'period',
      predicate,
      left: this.periodOf(left) ?? left,
      right: this.periodOf(right) ?? right,
      position,
    };
  }

  /** `PERIOD (start, end)`, which has been read as a call. */
  private periodOf(value: Expression): Period | undefined {
    if (value.kind !== 'call' || value.name.length !== 1 || value.arguments.length !== 2) return undefined;
    if (value.name[0]?.text !== 'period' || value.name[0].quoted) return undefined;
    const [start, end] = value.arguments;
    if (start === undefined || end === undefined) return undefined;
    return { kind: 'period-value', start: start.value, end: end.value, position: value.position };
  }

  private overlaps(left: RowConstructor, position: number): Expression {
    this.advance();
    const right = this.primary();
    if (right.kind !== 'row') this.fail();
    for (const [side, row] of [['left', left] as const, ['right', right] as const]) {
      if (row.fields.length === 2) continue;
      this.complain('42601', `wrong number of parameters on ${side} side of OVERLAPS expression`, row.position);
    }
    return { kind: 'overlaps', left, right, position };
  }
}
