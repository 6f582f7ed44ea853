/**
 * Expressions as text. Parentheses stand where the tree would be read back differently without them, by the levels of
 * `grammar/expressions.ts`; a chain that leans to the left needs none, so its depth does not become nesting.
 */
import { unreachable } from '@phantom/base';
import type { Name, OperatorName } from '../ast-leaves.js';
import type {
  CallArgument,
  CaseExpression,
  CastExpression,
  Expression,
  FrameBound,
  FunctionCall,
  JsonExpression,
  LikeTest,
  Period,
  Query,
  SortItem,
  SpecialFunction,
  Subscripted,
  WindowFrame,
  WindowSpecification,
  XmlFunction,
} from '../ast.js';
import { TypeWriter } from './type-writer.js';

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
const UNARY = 13;
const CAST = 14;
const PRIMARY = 15;
const SYMBOL_LEVELS: ReadonlyMap<string, number> = new Map([
  ...['<', '>', '=', '<=', '>=', '<>'].map((symbol) => [symbol, COMPARISON] as const),
  ...['+', '-'].map((symbol) => [symbol, ADDITIVE] as const),
  ...['*', '/', '%'].map((symbol) => [symbol, MULTIPLICATIVE] as const),
  ['^', POWER],
]);

function operatorLevel(operator: OperatorName): number {
  return operator.schema.length > 0 ? OPERATOR : (SYMBOL_LEVELS.get(operator.symbol) ?? OPERATOR);
}

function isSign(operator: OperatorName): boolean {
  return operator.schema.length === 0 && (operator.symbol === '-' || operator.symbol === '+');
}

/** How tightly the outermost operator of an expression binds. */
function levelOf(node: Expression): number {
  switch (node.kind) {
    case 'logical':
      return node.operator === 'or' ? 1 : 2;
    case 'not':
      return NOT;
    case 'is':
    case 'is-distinct':
    case 'is-json':
      return IS;
    case 'overlaps':
    case 'period':
      return COMPARISON;
    case 'between':
    case 'in':
    case 'like':
      return PATTERN;
    case 'quantified':
      return node.operator.symbol.endsWith('~~') || node.operator.symbol.endsWith('~~*')
        ? PATTERN
        : operatorLevel(node.operator);
    case 'binary':
      return operatorLevel(node.operator);
    case 'unary':
      return isSign(node.operator) ? UNARY : OPERATOR;
    case 'at-time-zone':
      return AT;
    case 'collate':
      return COLLATE;
    case 'cast':
      return node.spelling === 'colons' ? CAST : PRIMARY;
    default:
      return PRIMARY;
  }
}

export abstract class ExpressionWriter extends TypeWriter {
  protected abstract query(query: Query): string;
  /** The nodes of SQL/JSON. */
  protected abstract json(node: JsonExpression): string;
  /** The functions of SQL/XML. */
  protected abstract xml(node: XmlFunction): string;

  /** The expression, in parentheses if it binds less tightly than `level`. */
  protected at(level: number, node: Expression): string {
    const text = this.expression(node);
    return levelOf(node) < level ? `(${text})` : text;
  }
  /**
   * The left side of an operator that does not associate. What ends in a word or a parenthesis of its own (`a IS NULL`,
   * `a IN (1)`) may stand there all the same.
   */
  protected left(level: number, node: Expression): string {
    const closed = node.kind === 'is' || node.kind === 'is-json' || node.kind === 'in' || node.kind === 'quantified';
    return this.at(closed ? level : level + 1, node);
  }
  /** For places where PostgreSQL allows simple expressions only. */
  protected simple(node: Expression): string {
    // DEFAULT is none of them; in parentheses it is.
    return node.kind === 'default' ? '(DEFAULT)' : this.at(CAST, node);
  }
  protected list(nodes: readonly Expression[]): string {
    return nodes.map((node) => this.expression(node)).join(', ');
  }

  expression(node: Expression): string {
    switch (node.kind) {
      case 'null':
        return 'NULL';
      case 'boolean':
        return node.value ? 'true' : 'false';
      case 'number':
        return node.text;
      case 'string':
        return this.string(node.value);
      case 'bit-string':
        return `${node.base === 'binary' ? 'B' : 'X'}'${node.digits}'`;
      case 'parameter':
        return `$${node.index}`;
      case 'column':
        return this.qualifiedName(node.names);
      case 'star':
        return [...node.qualifier.map((name) => this.name(name)), '*'].join('.');
      case 'default':
        return 'DEFAULT';
      case 'inserted-value':
        return `VALUES(${this.qualifiedName(node.column)})`;
      case 'current-of':
        return `CURRENT OF ${this.name(node.cursor)}`;
      case 'current':
        return node.function.toUpperCase() + (node.precision === undefined ? '' : `(${node.precision})`);
      case 'field':
        return `(${this.expression(node.base)}).${node.field === undefined ? '*' : this.name(node.field)}`;
      case 'subscript':
        return this.subscripted(node);
      case 'is-json':
      case 'json-constructor':
      case 'json-aggregate':
      case 'json-query-function':
        return this.json(node);
      case 'xml-function':
        return this.xml(node);
      default:
        return this.compound(node);
    }
  }

  private compound(node: Exclude<Expression, { kind: `json-${string}` | 'is-json' | 'xml-function' }>): string {
    switch (node.kind) {
      case 'exists':
        return `EXISTS (${this.query(node.query)})`;
      case 'unique':
        return `UNIQUE (${this.query(node.query)})`;
      case 'subquery':
        return `(${this.query(node.query)})`;
      case 'array-subquery':
        return `ARRAY(${this.query(node.query)})`;
      case 'array':
        return `${node.bare ? '' : 'ARRAY'}[${this.list(node.elements)}]`;
      case 'row':
        return `${node.explicit ? 'ROW' : ''}(${this.list(node.fields)})`;
      case 'cast':
        return this.cast(node);
      case 'case':
        return this.caseExpression(node);
      case 'conditional':
        return `${node.function.toUpperCase()}(${this.list(node.arguments)})`;
      case 'grouping':
        return `GROUPING(${this.list(node.arguments)})`;
      case 'call':
        return this.call(node);
      case 'special':
        return this.special(node);
      case 'overlaps':
        return `${this.expression(node.left)} OVERLAPS ${this.expression(node.right)}`;
      case 'period':
        return `${this.period(node.left)} ${node.predicate.replace('-', ' ').toUpperCase()} ${this.period(node.right)}`;
      default:
        return this.operators(node as Extract<Expression, { kind: 'unary' }>);
    }
  }

  private operators(node: Expression): string {
    switch (node.kind) {
      case 'unary': {
        const operand = isSign(node.operator) ? CAST : OPERATOR + 1;
        return `${this.operator(node.operator)} ${this.at(operand, node.operand)}`;
      }
      case 'binary': {
        const level = operatorLevel(node.operator);
        const left = level === COMPARISON ? this.left(COMPARISON, node.left) : this.at(level, node.left);
        return `${left} ${this.operator(node.operator)} ${this.at(level + 1, node.right)}`;
      }
      case 'logical': {
        const level = node.operator === 'or' ? 1 : 2;
        return node.operands.map((operand) => this.at(level + 1, operand)).join(` ${node.operator.toUpperCase()} `);
      }
      case 'not':
        return `NOT ${this.at(NOT, node.operand)}`;
      case 'is': {
        const form = node.form === undefined ? '' : `${node.form.toUpperCase()} `;
        return `${this.left(IS, node.operand)} IS ${node.negated ? 'NOT ' : ''}${form}${node.test.toUpperCase()}`;
      }
      case 'is-distinct':
        return `${this.at(COMPARISON, node.left)} IS ${node.negated ? 'NOT ' : ''}DISTINCT FROM ${this.at(COMPARISON, node.right)}`;
      case 'between': {
        const words = `${node.negated ? 'NOT ' : ''}BETWEEN ${node.symmetric ? 'SYMMETRIC ' : ''}`;
        return `${this.at(OPERATOR, node.operand)} ${words}${this.simple(node.low)} AND ${this.at(OPERATOR, node.high)}`;
      }
      case 'in': {
        const inside = 'kind' in node.candidates ? this.query(node.candidates) : this.list(node.candidates);
        return `${this.left(PATTERN, node.operand)} ${node.negated ? 'NOT ' : ''}IN (${inside})`;
      }
      case 'like':
        return this.like(node);
      case 'quantified': {
        const level = levelOf(node);
        const left =
          level === COMPARISON || level === PATTERN ? this.left(level, node.left) : this.at(level, node.left);
        const source = node.source.kind === 'query' ? this.query(node.source) : this.expression(node.source);
        return `${left} ${this.quantifiedOperator(node.operator)} ${node.quantifier.toUpperCase()} (${source})`;
      }
      case 'at-time-zone':
        return `${this.at(AT, node.operand)} AT ${node.zone === undefined ? 'LOCAL' : `TIME ZONE ${this.at(AT + 1, node.zone)}`}`;
      case 'collate':
        return `${this.at(COLLATE, node.operand)} COLLATE ${this.qualifiedName(node.collation)}`;
      default:
        return unreachable(node as never);
    }
  }

  private quantifiedOperator(operator: OperatorName): string {
    if (operator.schema.length > 0) return this.operator(operator);
    const words: Record<string, string> = { '~~': 'LIKE', '!~~': 'NOT LIKE', '~~*': 'ILIKE', '!~~*': 'NOT ILIKE' };
    return words[operator.symbol] ?? operator.symbol;
  }

  private like(node: LikeTest): string {
    const word = node.operator === 'similar' ? 'SIMILAR TO' : node.operator.toUpperCase();
    const escape = node.escape === undefined ? '' : ` ESCAPE ${this.at(OPERATOR, node.escape)}`;
    const operand = this.at(OPERATOR, node.operand);
    return `${operand} ${node.negated ? 'NOT ' : ''}${word} ${this.at(OPERATOR, node.pattern)}${escape}`;
  }

  private period(side: Period | Expression): string {
    if (side.kind !== 'period-value') return this.at(PATTERN, side);
    return `PERIOD (${this.expression(side.start)}, ${this.expression(side.end)})`;
  }

  private subscripted(node: Subscripted): string {
    const bare = node.base.kind === 'column' || node.base.kind === 'parameter';
    const base = bare ? this.expression(node.base) : `(${this.expression(node.base)})`;
    return base + node.subscripts.map((subscript) => this.subscript(subscript)).join('');
  }

  protected subscript(subscript: Subscripted['subscripts'][number]): string {
    if (subscript.kind === 'index') return `[${this.expression(subscript.index)}]`;
    const bound = (value: Expression | undefined): string => (value === undefined ? '' : this.expression(value));
    return `[${bound(subscript.lower)}:${bound(subscript.upper)}]`;
  }

  private cast(node: CastExpression): string {
    if (node.spelling === 'colons') return `${this.at(CAST, node.operand)}::${this.typeName(node.type)}`;
    if (node.spelling === 'cast') return `CAST(${this.expression(node.operand)} AS ${this.typeName(node.type)})`;
    return `${this.typeHead(node.type)} ${this.expression(node.operand)}${this.intervalFields(node.type)}`;
  }

  private caseExpression(node: CaseExpression): string {
    const operand = node.operand === undefined ? '' : ` ${this.expression(node.operand)}`;
    const branches = node.branches.map((branch) => {
      return ` WHEN ${this.expression(branch.when)} THEN ${this.expression(branch.result)}`;
    });
    const otherwise = node.otherwise === undefined ? '' : ` ELSE ${this.expression(node.otherwise)}`;
    return `CASE${operand}${branches.join('')}${otherwise} END`;
  }

  // ------------------------------------------------------------------------------------------------------- calls

  private argument(argument: CallArgument): string {
    const name = argument.name === undefined ? '' : `${this.name(argument.name)} => `;
    return `${argument.variadic ? 'VARIADIC ' : ''}${name}${this.expression(argument.value)}`;
  }

  private call(node: FunctionCall): string {
    let inside = node.star ? '*' : node.arguments.map((argument) => this.argument(argument)).join(', ');
    if (node.distinct) inside = `DISTINCT ${inside}`;
    if (node.onOverflow !== undefined) {
      const filler = node.onOverflow.filler === undefined ? '' : ` ${this.expression(node.onOverflow.filler)}`;
      const count = node.onOverflow.withCount ? 'WITH COUNT' : 'WITHOUT COUNT';
      inside += node.onOverflow.action === 'error' ? ' ON OVERFLOW ERROR' : ` ON OVERFLOW TRUNCATE${filler} ${count}`;
    }
    if (node.orderBy.length > 0) inside += ` ${this.orderBy(node.orderBy)}`;
    let text = `${this.qualifiedName(node.name)}(${inside})`;
    if (node.from !== undefined) text += ` FROM ${node.from.toUpperCase()}`;
    if (node.nulls !== undefined) text += ` ${node.nulls.toUpperCase()} NULLS`;
    if (node.withinGroup.length > 0) text += ` WITHIN GROUP (${this.orderBy(node.withinGroup)})`;
    return text + this.filterAndOver(node.filter, node.over);
  }

  protected filterAndOver(filter: Expression | undefined, over: WindowSpecification | Name | undefined): string {
    const where = filter === undefined ? '' : ` FILTER (WHERE ${this.expression(filter)})`;
    if (over === undefined) return where;
    return `${where} OVER ${'kind' in over ? this.window(over) : this.name(over)}`;
  }

  private special(node: SpecialFunction): string {
    const [first, second, third, fourth] = node.arguments.map((argument) => this.expression(argument));
    const tail = (word: string, text: string | undefined): string => (text === undefined ? '' : ` ${word} ${text}`);
    switch (node.function) {
      case 'extract':
        return `EXTRACT(${first} FROM ${second})`;
      case 'position': {
        const [text, part] = node.arguments as [Expression, Expression];
        return `POSITION(${this.simple(part)} IN ${this.simple(text)})`;
      }
      case 'substring':
        return `SUBSTRING(${first} FROM ${second}${tail('FOR', third)})`;
      case 'substring-similar':
        return `SUBSTRING(${first} SIMILAR ${second} ESCAPE ${third})`;
      case 'overlay':
        return `OVERLAY(${first} PLACING ${second} FROM ${third}${tail('FOR', fourth)})`;
      case 'normalize':
        return `NORMALIZE(${first}${second === undefined ? '' : `, ${second.slice(1, -1).toUpperCase()}`})`;
      case 'collation-for':
        return `COLLATION FOR (${first})`;
      default:
        return this.trim(node);
    }
  }

  private trim(node: SpecialFunction): string {
    const words: Record<string, string> = { btrim: 'BOTH', ltrim: 'LEADING', rtrim: 'TRAILING' };
    const texts = node.arguments.map((argument) => this.expression(argument));
    const last = texts.length > 1 ? `${texts.pop()} ` : '';
    return `TRIM(${words[node.function]} ${last}FROM ${texts.join(', ')})`;
  }

  // ------------------------------------------------------------------------------------------------ sorts, windows

  protected orderBy(items: readonly SortItem[]): string {
    return `ORDER BY ${items.map((item) => this.sortItem(item)).join(', ')}`;
  }

  private sortItem(item: SortItem): string {
    const using = item.using === undefined ? undefined : `USING ${this.operator(item.using)}`;
    return this.expression(item.value) + this.clause('', using) + this.direction(item.direction, item.nulls);
  }

  protected direction(direction: 'asc' | 'desc' | undefined, nulls: 'first' | 'last' | undefined): string {
    return this.clause('', direction?.toUpperCase()) + this.clause('NULLS ', nulls?.toUpperCase());
  }

  protected window(window: WindowSpecification): string {
    const parts = [
      window.base === undefined ? '' : this.name(window.base),
      window.partitionBy.length === 0 ? '' : `PARTITION BY ${this.list(window.partitionBy)}`,
      window.orderBy.length === 0 ? '' : this.orderBy(window.orderBy),
      window.frame === undefined ? '' : this.frame(window.frame),
    ];
    return `(${parts.filter((part) => part !== '').join(' ')})`;
  }

  private frame(frame: WindowFrame): string {
    const start = this.frameBound(frame.start);
    const extent = frame.end === undefined ? start : `BETWEEN ${start} AND ${this.frameBound(frame.end)}`;
    const exclude = frame.exclude === undefined ? '' : ` EXCLUDE ${frame.exclude.replace('-', ' ').toUpperCase()}`;
    return `${frame.unit.toUpperCase()} ${extent}${exclude}`;
  }

  private frameBound(bound: FrameBound): string {
    const word = bound.kind.replace('-', ' ').toUpperCase();
    return bound.offset === undefined ? word : `${this.expression(bound.offset)} ${word}`;
  }
}
