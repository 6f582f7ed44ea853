/**
 * Primary expressions (PostgreSQL's c_expr): literals, columns, parameters, calls, CASE, ARRAY, ROW, CAST, subqueries and
 * whatever stands in parentheses, with the subscripts and fields behind them.
 *
 * A parenthesis may open a query, an expression or a row, and which of them is known only at the end of the innermost
 * one: `((select 1))` is a subquery, `((select 1) + 1)` an expression, `((select 1) union select 2)` a query again.
 * `parenContent` therefore returns a query or a list of expressions, and whoever asked decides.
 */
import type { Name, OperatorName, StringLiteral, TypeName } from '../ast-leaves.js';
import type { CaseBranch, Expression, Query, Subscript, SubqueryExpression } from '../ast.js';
import { COLUMN_NAME, FUNCTION_NAME, ROUTINE_WORD, type Token } from '../tokens.js';
import { CallGrammar } from './calls.js';
import { CHAIN_MAX } from './token-reader.js';

/** The inside of parentheses. */
export type ParenContent = Query | Expression[];

export abstract class PrimaryGrammar extends CallGrammar {
  /** Inside ON DUPLICATE KEY UPDATE, where VALUES(c) is a value and VALUES begins no query. */
  protected insertedValues = false;

  override prepare(text: string, tokens: Token[], watched: Token | undefined): void {
    this.insertedValues = false;
    super.prepare(text, tokens, watched);
  }

  /** Goes on with an expression whose first operand has been read. */
  protected abstract expressionAfter(first: Expression): Expression;
  /** A comparison or test of `left` that begins here behind it; undefined where an expression of its own begins. */
  protected abstract predicateOf(left: Expression): Expression | undefined;
  /** Goes on with a query whose first operand, in parentheses, has been read. */
  protected abstract queryAfter(first: Query): Query;

  protected atQuery(): boolean {
    switch (this.next().tokenType.name) {
      case 'select':
      case 'with':
      case 'table':
        return true;
      case 'values':
        return !this.insertedValues && this.aheadIs(2, '(');
      default:
        return false;
    }
  }

  // ------------------------------------------------------------------------------------------------- parentheses

  /** True where a query in parentheses goes on as a query. */
  protected atQueryTail(): boolean {
    switch (this.next().tokenType.name) {
      case 'union':
      case 'intersect':
      case 'except':
      case 'order':
      case 'limit':
      case 'offset':
      case 'fetch':
      case 'for':
        return true;
      default:
        return false;
    }
  }

  /** Reads `( ... )`. */
  protected parenContent(): ParenContent {
    this.enter();
    this.expect('(');
    let content: ParenContent;
    if (this.atQuery()) content = this.query();
    else if (this.at('(')) content = this.nestedContent();
    else content = this.commaList(this.expression);
    this.expect(')');
    this.leave();
    return content;
  }

  /** `(` and another `(` next. */
  private nestedContent(): ParenContent {
    const start = this.position();
    const inner = this.parenContent();
    if (!Array.isArray(inner)) {
      if (this.at(')')) return inner as Query;
      if (this.atQueryTail()) return this.queryAfter(inner as Query);
    }
    const first = this.expressionAfter(this.indirection(this.parenValue(inner, start)));
    const items = [first];
    while (this.accept(',')) items.push(this.expression());
    return items;
  }

  /** What parentheses mean as an expression. */
  protected parenValue(content: ParenContent, position: number): Expression {
    if (!Array.isArray(content)) return { kind: 'subquery', query: content as Query, position };
    if (content.length === 1) return content[0] as Expression;
    return { kind: 'row', fields: content, explicit: false, position };
  }

  /** `( query )`, where nothing else may stand. */
  protected parenQuery(): Query {
    this.enter();
    this.expect('(');
    let query: Query;
    if (this.at('(')) {
      query = this.parenQuery();
      if (this.atQueryTail()) query = this.queryAfter(query);
    } else if (this.atQuery()) query = this.query();
    else this.fail();
    this.expect(')');
    this.leave();
    return query;
  }

  // ----------------------------------------------------------------------------------------------------- primary

  protected primaryExpression(): Expression {
    return this.primary();
  }

  protected primary(): Expression {
    const token = this.next();
    const position = token.startOffset;
    switch (token.tokenType.name) {
      case 'Identifier':
        return this.columnOrCall();
      case 'Integer':
      case 'Decimal':
        this.advance();
        return { kind: 'number', text: token.value, integer: token.tokenType.name === 'Integer', position };
      case 'String':
        this.advance();
        return { kind: 'string', value: token.value, position };
      case 'BitString':
      case 'HexString':
        return this.bitString();
      case 'Parameter':
        this.advance();
        return this.indirection({ kind: 'parameter', index: Number(token.value), position });
      case '(':
        return this.indirection(this.parenValue(this.parenContent(), position));
      case 'null':
        this.advance();
        return { kind: 'null', position };
      case 'true':
      case 'false':
        this.advance();
        return { kind: 'boolean', value: token.tokenType.name === 'true', position };
      case 'case':
        return this.caseExpression();
      case 'cast':
        return this.castCall();
      case 'array':
        return this.arrayExpression();
      case 'unique':
        this.advance();
        return { kind: 'unique', query: this.parenQuery(), position };
      case 'default':
        this.advance();
        return { kind: 'default', position };
      default:
        return this.keywordPrimary(token, position);
    }
  }

  /** A primary that begins with a keyword which may also be a name, or that cannot begin one. */
  private keywordPrimary(token: Token, position: number): Expression {
    if (this.aheadIs(2, '(')) {
      const special = this.specialCall() ?? this.parenthesisedKeyword(token, position);
      if (special !== undefined) return special;
    }
    const current = this.currentValue();
    if (current !== undefined) return current;
    if (token.tokenType.name === 'collation' && this.aheadIs(2, 'for')) return this.collationFor(position);
    if (this.atTypedLiteral()) return this.systemLiteral(position);
    if (token.tokenType.name === 'next' && this.aheadIs(2, 'value') && this.aheadIs(3, 'for')) {
      return this.nextValue(position);
    }
    if (this.mayStand(token, ROUTINE_WORD)) return this.columnOrCall();
    this.wanted('an expression');
    return this.fail();
  }

  private parenthesisedKeyword(token: Token, position: number): Expression | undefined {
    switch (token.tokenType.name) {
      case 'exists':
        this.advance();
        return { kind: 'exists', query: this.parenQuery(), position };
      case 'row': {
        this.advance();
        this.advance();
        const fields = this.at(')') ? [] : this.commaList(this.expression);
        this.expect(')');
        return this.indirection({ kind: 'row', fields, explicit: true, position });
      }
      case 'grouping':
        this.advance();
        return { kind: 'grouping', arguments: this.parenthesisedList(this.expression), position };
      case 'values':
        if (!this.insertedValues) return undefined;
        this.advance();
        return { kind: 'inserted-value', column: this.parenthesised(this.qualifiedName), position };
      default:
        return undefined;
    }
  }

  /** ISO's NEXT VALUE FOR: a call of nextval. */
  private nextValue(position: number): Expression {
    for (let i = 0; i < 3; i++) this.advance();
    const start = this.position();
    const parts = this.qualifiedName();
    const value = parts.map((part) => `"${part.text.replaceAll('"', '""')}"`).join('.');
    const name = [
      { text: 'pg_catalog', position, quoted: false },
      { text: 'nextval', position, quoted: false },
    ];
    const sequence: StringLiteral = { kind: 'string', value, position: start };
    return {
      kind: 'call',
      name,
      arguments: [{ name: undefined, value: sequence, variadic: false, position: start }],
      star: false,
      distinct: false,
      orderBy: [],
      withinGroup: [],
      filter: undefined,
      nulls: undefined,
      from: undefined,
      onOverflow: undefined,
      over: undefined,
      position,
    };
  }

  private bitString(): Expression {
    const token = this.advance();
    const base = token.tokenType.name === 'BitString' ? 'binary' : 'hexadecimal';
    const bad = (base === 'binary' ? /[^01]/u : /[^0-9a-fA-F]/u).exec(token.value);
    if (bad !== null) this.complain('22P02', `"${bad[0]}" is not a valid ${base} digit`, token.startOffset);
    return { kind: 'bit-string', base, digits: token.value, position: token.startOffset };
  }

  protected collationFor(position: number): Expression {
    this.advance();
    this.advance();
    return { kind: 'special', function: 'collation-for', arguments: [this.parenthesised(this.expression)], position };
  }

  private stringLiteral(): StringLiteral {
    const token = this.expect('String');
    return { kind: 'string', value: token.value, position: token.startOffset };
  }

  /** `timestamp '...'`, `interval '...' hour to minute`, `char(3) '...'`. */
  private systemLiteral(position: number): Expression {
    let type: TypeName = this.systemType(true);
    const operand = this.stringLiteral();
    if ((type.name[0] as Name).text === 'interval' && type.modifiers.length === 0) {
      const { fields, precision } = this.intervalFields();
      type = { ...type, intervalFields: fields, modifiers: precision };
    }
    return { kind: 'cast', operand, type, spelling: 'literal', position };
  }

  protected castCall(): Expression {
    const position = this.advance().startOffset;
    this.expect('(');
    const operand = this.expression();
    this.expect('as');
    const type = this.typeName();
    this.expect(')');
    return { kind: 'cast', operand, type, spelling: 'cast', position };
  }

  private caseExpression(): Expression {
    const position = this.advance().startOffset;
    const operand = this.at('when') ? undefined : this.expression();
    const branches: CaseBranch[] = [];
    const predicates = new Set<Expression>();
    do {
      const at = this.expect('when').startOffset;
      // ISO's list of operands is one branch for each, with the same result.
      const tests =
        operand === undefined ? [this.expression()] : this.commaList(() => this.caseTest(operand, predicates));
      this.expect('then');
      const result = this.expression();
      for (const when of tests) branches.push({ when, result, position: at });
    } while (this.at('when'));
    const otherwise = this.accept('else') ? this.expression() : undefined;
    this.expect('end');
    if (operand === undefined || predicates.size === 0) return { kind: 'case', operand, branches, otherwise, position };
    const searched = branches.map((branch): CaseBranch => {
      const { when } = branch;
      if (predicates.has(when)) return branch;
      const operator: OperatorName = { schema: [], symbol: '=', position: when.position };
      return { ...branch, when: { kind: 'binary', operator, left: operand, right: when, position: when.position } };
    });
    return { kind: 'case', operand: undefined, branches: searched, otherwise, position };
  }

  /** A value, or ISO's predicate without its left side (`WHEN < 5`, `WHEN IS NULL`), which is the operand then. */
  private caseTest(operand: Expression, predicates: Set<Expression>): Expression {
    const predicate = this.predicateOf(operand);
    if (predicate === undefined) return this.expression();
    predicates.add(predicate);
    return predicate;
  }

  private arrayExpression(): Expression {
    const position = this.advance().startOffset;
    if (this.at('(')) {
      const node: SubqueryExpression = { kind: 'array-subquery', query: this.parenQuery(), position };
      return this.indirection(node);
    }
    if (!this.at('[')) this.fail();
    return this.indirection(this.arrayElements(position, false));
  }

  private arrayElements(position: number, bare: boolean): Expression {
    this.enter();
    this.expect('[');
    let elements: Expression[] = [];
    if (this.at('[')) elements = this.commaList(() => this.arrayElements(this.position(), true));
    else if (!this.at(']')) elements = this.commaList(this.expression);
    this.expect(']');
    this.leave();
    return { kind: 'array', elements, bare, position };
  }

  // ------------------------------------------------------------------------------------- columns, calls, literals

  /** A column, `t.*`, a call, or a literal of a named type. The next token is a word that may begin one. */
  private columnOrCall(): Expression {
    const first = this.advance();
    const position = first.startOffset;
    const names = [this.makeName(first)];
    while (this.at('.')) {
      this.advance();
      if (this.accept('*')) return { kind: 'star', qualifier: names, position };
      names.push(this.label());
    }
    const follower = this.next().tokenType.name;
    if (follower === '(' && (names.length > 1 || this.mayStand(first, FUNCTION_NAME))) {
      return this.indirection(this.call(names, position));
    }
    if (follower === 'String' && (names.length > 1 || this.mayStand(first, FUNCTION_NAME))) {
      const type = this.makeType(names, false, [], [], false, position);
      return { kind: 'cast', operand: this.stringLiteral(), type, spelling: 'literal', position };
    }
    if (!this.mayStand(first, COLUMN_NAME)) this.fail();
    const word = first.quoted || names.length > 1 ? '' : first.value;
    if (word === 'system_user' || word === 'current_path') {
      return { kind: 'current', function: word, precision: undefined, position };
    }
    return follower === '['
      ? this.indirection({ kind: 'column', names, position })
      : { kind: 'column', names, position };
  }

  /** Subscripts and fields behind a primary. */
  protected indirection(base: Expression): Expression {
    let value = base;
    for (let chain = 0; ; chain++) {
      if (chain > CHAIN_MAX) this.tooComplex(`A chain of fields may have ${CHAIN_MAX} links.`);
      const position = this.position();
      if (this.at('[')) value = { kind: 'subscript', base: value, subscripts: this.subscripts(), position };
      else if (this.at('.')) {
        this.advance();
        value = { kind: 'field', base: value, field: this.accept('*') ? undefined : this.label(), position };
      } else return value;
    }
  }

  protected subscripts(): Subscript[] {
    const list: Subscript[] = [];
    while (this.accept('[')) {
      const lower = this.at(':') ? undefined : this.expression();
      if (this.accept(':')) {
        const upper = this.at(']') ? undefined : this.expression();
        list.push({ kind: 'slice', lower, upper });
      } else if (lower === undefined) this.fail();
      else list.push({ kind: 'index', index: lower });
      this.expect(']');
    }
    return list;
  }
}
