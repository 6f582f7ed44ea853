/**
 * Expressions of stored queries as PostgreSQL's ruleutils.c writes them: columns with the names of their tables, literals
 * with their types, casts that nobody wrote, and LIKE, IN and BETWEEN as the operators they mean. The syntax tree gives the
 * form, what the binder made of it the names and types.
 *
 * Without `pretty` every operator stands in parentheses; with it those do whose meaning would change.
 */
import { unsupportedError } from '@phantom/base';
import type { TypeRef } from '@phantom/catalog';
import { currentWord } from '../../expr/bind-special.js';
import type { Scope } from '../../expr/scope.js';
import type { Name } from '../../text/ast-leaves.js';
import type * as Ast from '../../text/ast.js';
import { writtenName, writtenOperator } from '../../routine/routine-function.js';
import { TypeOid } from '../../types/type-oids.js';
import { INT4, TEXT } from '../../types/type-refs.js';
import { ITEM_INDENT, lineOf } from './layout.js';
import { NameLayout } from './name-layout.js';
import { type Parent, comparesRows, comparisonIn, quoteLiteral, simpleOperator, spreadRows } from './operator-forms.js';
import { xmlText } from './xml-text.js';

const OTHER: Parent = { kind: 'other' };
const LIST: Parent = { kind: 'list', inside: false };
const ARGUMENT: Parent = { kind: 'list', inside: true };
/** A call with a syntax of its own, in which operators stand in parentheses as in a cast. */
const SYNTAX: Parent = { kind: 'cast' };

const LIKE_OPERATORS = { like: ['~~', '!~~'], ilike: ['~~*', '!~~*'], similar: ['~', '!~'] } as const;
const TRIMS: Readonly<Record<string, string>> = { btrim: 'BOTH', ltrim: 'LEADING', rtrim: 'TRAILING' };

export abstract class ExpressionLayout extends NameLayout {
  /** A query inside of an expression. */
  protected abstract subquery(query: Ast.Query): string;

  /** The expression with the casts it was given without being asked. */
  expression(node: Ast.Expression, parent: Parent = LIST): string {
    const cast = this.options.witness.castOf(node);
    if (cast === undefined || node.kind === 'string' || node.kind === 'null') return this.bare(node, parent);
    return this.castText(this.bare(node, { kind: 'cast' }), node, cast);
  }

  private castText(text: string, operand: Ast.Expression, type: TypeRef): string {
    const wrapped = this.options.pretty ? (this.isSimple(operand, { kind: 'cast' }) ? text : `(${text})`) : `(${text})`;
    return `${wrapped}::${this.typeText(type)}`;
  }

  /** The expression in the parentheses that `pretty` does not spare. */
  private within(node: Ast.Expression, parent: Parent): string {
    const text = this.expression(node, parent);
    const isCast = this.options.witness.castOf(node) !== undefined;
    return !this.options.pretty || isCast || this.isSimple(node, parent) ? text : `(${text})`;
  }

  /** An argument of a call with a syntax of its own, which shows no casts that nobody wrote. */
  private part(node: Ast.Expression): string {
    const text = this.bare(node, SYNTAX);
    return !this.options.pretty || this.isSimple(node, SYNTAX) ? text : `(${text})`;
  }

  /** An operator's text: in parentheses where nothing is spared. */
  private whole(text: string): string {
    return this.options.pretty ? text : `(${text})`;
  }

  private isSimple(written: Ast.Expression, parent: Parent): boolean {
    const node = spreadRows(written) ?? written;
    switch (node.kind) {
      case 'binary':
        if (comparesRows(node)) return parent.kind === 'list';
        return simpleOperator(node, parent) ?? this.isEnclosed(parent);
      case 'unary':
        return this.negativeNumber(node) !== undefined || this.isEnclosed(parent);
      case 'logical':
        if (node.operator === 'and') return parent.kind === 'and' || parent.kind === 'or' || parent.kind === 'list';
        return parent.kind === 'or' || parent.kind === 'list';
      case 'not':
        return parent.kind === 'and' || parent.kind === 'or' || parent.kind === 'list';
      case 'is':
      case 'is-distinct':
      case 'like':
      case 'exists':
      case 'subquery':
      case 'array-subquery':
        return this.isEnclosed(parent);
      case 'in':
        return 'kind' in node.candidates || node.candidates.length === 1
          ? this.isEnclosed(parent)
          : parent.kind === 'list';
      case 'quantified':
        return node.source.kind === 'query' ? this.isEnclosed(parent) : parent.kind === 'list';
      case 'between':
        if (parent.kind === 'list' || parent.kind === 'or') return true;
        return parent.kind === 'and' && node.negated === node.symmetric;
      case 'collate':
        return parent.kind === 'list';
      default:
        return true;
    }
  }

  private isEnclosed(parent: Parent): boolean {
    return parent.kind === 'and' || parent.kind === 'or' || parent.kind === 'not' || parent.kind === 'list';
  }

  protected list(nodes: readonly Ast.Expression[]): string {
    return nodes.map((node) => this.expression(node)).join(', ');
  }

  /** The expression without a cast that it was given. */
  protected bare(node: Ast.Expression, parent: Parent = LIST): string {
    const spread = spreadRows(node);
    if (spread !== undefined) return this.operators(spread);
    switch (node.kind) {
      case 'null':
        return this.nullText(node);
      case 'boolean':
        return String(node.value);
      case 'number':
        return this.numberText(node.text, node);
      case 'string':
        return this.literalText(node);
      case 'column':
        return this.column(node, parent.kind !== 'list' || parent.inside);
      case 'star':
        return this.wholeRow(node);
      case 'current':
        return currentWord(node);
      case 'row':
        return `ROW(${this.list(node.fields)})`;
      case 'array':
        return `${node.bare ? '' : 'ARRAY'}[${this.list(node.elements)}]`;
      case 'subquery':
        return `(${this.subquery(node.query)})`;
      case 'array-subquery':
        return `ARRAY(${this.subquery(node.query)})`;
      case 'exists':
        return `(EXISTS (${this.subquery(node.query)}))`;
      case 'cast':
        return this.cast(node);
      case 'case':
        return this.caseText(node);
      case 'conditional':
        return `${node.function.toUpperCase()}(${this.list(node.arguments)})`;
      case 'grouping':
        return `GROUPING(${this.list(node.arguments)})`;
      case 'call':
        return this.call(node);
      case 'special':
        return this.special(node);
      case 'field':
        return `(${this.expression(node.base)}).${node.field === undefined ? '*' : this.name(node.field)}`;
      case 'subscript':
        return this.subscripted(node);
      case 'xml-function':
        return this.xmlFunction(node);
      default:
        return this.operators(node);
    }
  }

  private operators(node: Ast.Expression): string {
    switch (node.kind) {
      case 'unary': {
        const number = this.negativeNumber(node);
        if (number !== undefined) return this.numberText(number, node);
        const operand = this.within(node.operand, { kind: 'operator', symbol: undefined, first: false });
        return this.whole(`${this.operatorText(node, node.operator.symbol)} ${operand}`);
      }
      case 'binary': {
        const { symbol } = node.operator;
        const left = this.within(node.left, { kind: 'operator', symbol, first: true });
        const right = this.within(node.right, { kind: 'operator', symbol, first: false });
        const text = `${left} ${this.operatorText(node, symbol)} ${right}`;
        return comparesRows(node) ? `(${text})` : this.whole(text);
      }
      case 'logical': {
        const parent: Parent = { kind: node.operator };
        const word = ` ${node.operator.toUpperCase()} `;
        return this.whole(node.operands.map((operand) => this.within(operand, parent)).join(word));
      }
      case 'not':
        return this.whole(`NOT ${this.within(node.operand, { kind: 'not' })}`);
      case 'is': {
        if (node.test === 'normalized') {
          const form = node.form === undefined ? '' : `${node.form.toUpperCase()} `;
          const text = `(${this.part(node.operand)} IS ${form}NORMALIZED)`;
          return node.negated ? this.whole(`NOT ${text}`) : text;
        }
        if (node.test === 'document') {
          const text = `${this.within(node.operand, OTHER)} IS DOCUMENT`;
          return node.negated ? this.whole(`NOT ${text}`) : text;
        }
        return this.whole(
          `${this.within(node.operand, OTHER)} IS ${node.negated ? 'NOT ' : ''}${node.test.toUpperCase()}`,
        );
      }
      case 'is-distinct': {
        const [tested] = node.right.kind === 'null' ? [node.left] : node.left.kind === 'null' ? [node.right] : [];
        if (tested !== undefined)
          return this.whole(`${this.within(tested, OTHER)} IS ${node.negated ? '' : 'NOT '}NULL`);
        return this.whole(
          `${this.within(node.left, OTHER)} IS ${node.negated ? 'NOT ' : ''}DISTINCT FROM ${this.within(node.right, OTHER)}`,
        );
      }
      case 'between':
        return this.between(node);
      case 'in':
        return this.inTest(node);
      case 'like':
        return this.like(node);
      case 'quantified':
        return this.quantified(node);
      case 'at-time-zone': {
        if (node.zone === undefined) throw unsupportedError('AT LOCAL in a view');
        return `(${this.part(node.operand)} AT TIME ZONE ${this.part(node.zone)})`;
      }
      case 'overlaps':
        return `((${this.list(node.left.fields)}) OVERLAPS (${this.list(node.right.fields)}))`;
      case 'collate': {
        const collation = node.collation.map((part) => this.name(part)).join('.');
        const quoted = /^[a-z_][a-z0-9_]*$/.test(collation) || collation.startsWith('"') ? collation : `"${collation}"`;
        return this.whole(`${this.within(node.operand, OTHER)} COLLATE ${quoted}`);
      }
      default:
        throw unsupportedError(`${node.kind} in the definition of a view`);
    }
  }

  private negativeNumber(node: Ast.UnaryExpression): string | undefined {
    return node.operator.symbol === '-' && node.operand.kind === 'number' ? `-${node.operand.text}` : undefined;
  }

  // ---------------------------------------------------------------------------------------------------- constants

  private numberText(text: string, node: Ast.Expression): string {
    const type = this.options.witness.of(node)?.expression.type ?? INT4;
    if (type.oid === TypeOid.int4) return text.startsWith('-') ? `'${text}'::integer` : text;
    const shown = this.outputOf(text, type);
    if (type.oid === TypeOid.numeric && !text.startsWith('-') && /[.eE]/.test(shown)) return shown;
    return `'${shown}'::${this.typeText(type)}`;
  }

  /** A number with its type, whatever that is. */
  protected labelled(node: Ast.Expression & { kind: 'number' }): string {
    const text = this.bare(node);
    return text.includes('::')
      ? text
      : `${text}::${this.typeText(this.options.witness.of(node)?.expression.type ?? INT4)}`;
  }

  private literalText(node: Ast.Expression & { kind: 'string' }): string {
    const type = this.options.witness.literalAt(node.position) ?? TEXT;
    const text = this.outputOf(node.value, type);
    if (type.oid === TypeOid.bool) return text === 't' ? 'true' : 'false';
    if (type.oid === TypeOid.int4 && !text.startsWith('-')) return text;
    return `${quoteLiteral(text)}::${this.typeText(type)}`;
  }

  private nullText(node: Ast.Expression): string {
    const type = this.options.witness.castOf(node) ?? TEXT;
    return `NULL::${this.typeText(type)}`;
  }

  // ------------------------------------------------------------------------------------------------------ columns

  private column(node: Ast.Expression & { kind: 'column' }, inside: boolean): string {
    const bound = this.options.witness.of(node);
    if (bound === undefined) return node.names.map((name) => this.name(name)).join('.');
    const { expression, scope } = bound;
    const rows = expression.kind === 'row' || (expression.kind === 'case' && expression.otherwise.kind === 'row');
    if (rows) return this.rowText(node.names[0] as Name, scope, expression.type, inside);
    const text = this.columnText(expression, scope);
    if (text !== undefined) return text;
    if (expression.kind === 'field') throw unsupportedError('a field of a column in the definition of a view');
    return this.mergedText(expression, scope) ?? this.name(node.names[node.names.length - 1] as Name);
  }

  private wholeRow(node: Ast.Expression & { kind: 'star' }): string {
    return `${node.qualifier.map((name) => this.name(name)).join('.')}.*`;
  }

  private rowText(name: Name, scope: Scope, type: TypeRef, inside: boolean): string {
    for (let level: Scope | undefined = scope; level !== undefined; level = level.parent) {
      const item = level.items.find((candidate) => candidate.relationVisible && candidate.name === name.text);
      if (item === undefined) continue;
      const row = `${this.itemName(item)}.*`;
      return inside || type.oid === TypeOid.record ? row : `${row}::${this.typeText(type)}`;
    }
    return this.name(name);
  }

  // ---------------------------------------------------------------------------------------------- casts and CASE

  private cast(node: Ast.CastExpression): string {
    const bound = this.options.witness.of(node)?.expression;
    if (node.operand.kind === 'string') {
      const { operand } = node;
      // The literal was read as the type itself, with its modifier.
      return this.literalText(operand);
    }
    if (node.operand.kind === 'null') return bound === undefined ? 'NULL' : `NULL::${this.typeText(bound.type)}`;
    const inner = this.options.witness.of(node.operand)?.expression;
    // The elements of an array were read as those of the type at once.
    if (node.operand.kind === 'array' && bound?.kind === 'array') {
      const text = this.expression(node.operand);
      // Without any nothing else says what it is an array of.
      return node.operand.elements.length === 0 ? `${text}::${this.typeText(bound.type)}` : text;
    }
    if (node.operand.kind === 'row' && bound !== undefined)
      return `${this.bare(node.operand)}::${this.typeText(bound.type)}`;
    const unchanged = bound !== undefined && inner !== undefined && bound.type.oid === inner.type.oid;
    if (unchanged && bound.type.typmod === inner.type.typmod) return this.expression(node.operand);
    return this.castText(this.expression(node.operand, { kind: 'cast' }), node.operand, bound?.type ?? TEXT);
  }

  private caseText(node: Ast.CaseExpression): string {
    this.indent += ITEM_INDENT;
    const line = (word: string): string => lineOf(this.indent, word);
    let text = node.operand === undefined ? '' : ` ${this.expression(node.operand)}`;
    for (const branch of node.branches) {
      text += `${line('WHEN ')}${this.expression(branch.when)} THEN ${this.expression(branch.result)}`;
    }
    const type = this.options.witness.of(node)?.expression.type ?? TEXT;
    const otherwise = node.otherwise === undefined ? `NULL::${this.typeText(type)}` : this.expression(node.otherwise);
    text += `${line('ELSE ')}${otherwise}`;
    this.indent -= ITEM_INDENT;
    return `${lineOf(this.indent, 'CASE')}${text}${lineOf(this.indent, 'END')}`;
  }

  // ------------------------------------------------------------------------------------------------- comparisons

  private between(node: Ast.BetweenTest): string {
    const part = (symbol: string, bound: Ast.Expression): string => {
      const left = this.within(node.operand, { kind: 'operator', symbol, first: true });
      const shown = this.operatorText(node, symbol);
      return this.whole(`${left} ${shown} ${this.within(bound, { kind: 'operator', symbol, first: false })}`);
    };
    const range = (low: Ast.Expression, high: Ast.Expression): string =>
      node.negated ? `${part('<', low)} OR ${part('>', high)}` : `${part('>=', low)} AND ${part('<=', high)}`;
    const given = this.whole(range(node.low, node.high));
    if (!node.symmetric) return given;
    const turned = this.whole(range(node.high, node.low));
    if (!node.negated) return this.whole(`${given} OR ${turned}`);
    return this.options.pretty ? `(${given}) AND (${turned})` : `(${given} AND ${turned})`;
  }

  private inTest(node: Ast.InTest): string {
    const left = this.within(node.operand, { kind: 'operator', symbol: '=', first: true });
    if ('kind' in node.candidates) {
      const row = node.operand.kind === 'row' ? `(${this.list(node.operand.fields)})` : left;
      const text = `(${row} IN (${this.subquery(node.candidates)}))`;
      return node.negated ? this.whole(`NOT ${text}`) : text;
    }
    const [only] = node.candidates;
    if (node.candidates.length === 1 && only !== undefined) {
      const symbol = node.negated ? '<>' : '=';
      const shown = this.operatorText(node, symbol);
      return this.whole(`${left} ${shown} ${this.within(only, { kind: 'operator', symbol, first: false })}`);
    }
    const values = this.asTexts(`ARRAY[${this.list(node.candidates)}]`, node.operand, only);
    const shown = this.operatorText(node, node.negated ? '<>' : '=');
    return this.whole(`${left} ${shown} ${node.negated ? 'ALL' : 'ANY'} (${values})`);
  }

  /** An array of varchar that is compared with what was made a text: it is one of texts then, as PostgreSQL sees it. */
  private asTexts(array: string, left: Ast.Expression, element: Ast.Expression | undefined): string {
    const { witness } = this.options;
    if (element === undefined || witness.castOf(left)?.oid !== TypeOid.text) return array;
    const type = element.kind === 'string' ? witness.literalAt(element.position) : witness.of(element)?.expression.type;
    if (type?.oid !== TypeOid.varchar) return array;
    return this.options.pretty ? `${array}::text[]` : `(${array})::text[]`;
  }

  private like(node: Ast.LikeTest): string {
    const symbol = LIKE_OPERATORS[node.operator][node.negated ? 1 : 0];
    const left = this.within(node.operand, { kind: 'operator', symbol, first: true });
    const escape = node.escape === undefined ? '' : `, ${this.expression(node.escape)}`;
    let pattern = this.within(node.pattern, { kind: 'operator', symbol, first: false });
    if (node.operator === 'similar') pattern = `similar_to_escape(${pattern}${escape})`;
    else if (escape !== '') pattern = `like_escape(${pattern}${escape})`;
    return this.whole(`${left} ${this.operatorText(node, symbol)} ${pattern}`);
  }

  /** The operator that the expression was bound to, with its schema where that is needed. */
  private operatorText(node: Ast.Expression, symbol: string): string {
    const bound = this.options.witness.of(node)?.expression;
    const operator = bound?.kind === 'call' ? bound.operator : undefined;
    const comparison = bound === undefined ? undefined : comparisonIn(bound);
    return writtenOperator(this.options.catalog, symbol, comparison, operator);
  }

  private quantified(node: Ast.Quantified): string {
    const { symbol } = node.operator;
    const left = this.within(node.left, { kind: 'operator', symbol, first: true });
    const quantifier = node.quantifier.toUpperCase();
    if (node.source.kind === 'query') {
      const word = symbol === '=' && quantifier === 'ANY' ? 'IN' : `${symbol} ${quantifier}`;
      const row = node.left.kind === 'row' ? `(${this.list(node.left.fields)})` : left;
      return `(${row} ${word} (${this.subquery(node.source)}))`;
    }
    const { source } = node;
    const array = source.kind === 'cast' ? source.operand : source;
    const element = array.kind === 'array' ? array.elements[0] : undefined;
    const values = this.asTexts(this.arraySource(source), node.left, element);
    return this.whole(`${left} ${this.operatorText(node, symbol)} ${quantifier} (${values})`);
  }

  /** An array of ANY or ALL. A subquery that gives one must not be read as one that gives rows, so it gets a cast. */
  private arraySource(node: Ast.Expression): string {
    let source = node;
    while (source.kind === 'cast') source = source.operand;
    if (source.kind !== 'subquery') return this.within(node, OTHER);
    const type = this.options.witness.of(node)?.expression.type ?? TEXT;
    return `(${this.expression(source, OTHER)})::${this.typeText(type)}`;
  }

  // ------------------------------------------------------------------------------------------------------- calls

  private subscripted(node: Ast.Subscripted): string {
    const base = node.base.kind === 'column' ? this.expression(node.base) : `(${this.expression(node.base)})`;
    const bound = (value: Ast.Expression | undefined): string => (value === undefined ? '' : this.expression(value));
    const parts = node.subscripts.map((subscript) =>
      subscript.kind === 'index'
        ? `[${this.expression(subscript.index)}]`
        : `[${bound(subscript.lower)}:${bound(subscript.upper)}]`,
    );
    return base + parts.join('');
  }

  private call(node: Ast.FunctionCall): string {
    const bound = this.options.witness.of(node)?.expression;
    const argument = (one: Ast.CallArgument, i: number): string => {
      const name = one.name === undefined ? '' : `${this.name(one.name)} => `;
      const { value } = one;
      const declared =
        bound?.kind === 'call' ? (bound.function.argumentTypes[i] ?? bound.function.variadic) : undefined;
      // What may be of any type has none while it is a literal.
      const text =
        declared === TypeOid.any && value.kind === 'string'
          ? quoteLiteral(value.value)
          : this.expression(value, ARGUMENT);
      return `${one.variadic ? 'VARIADIC ' : ''}${name}${text}`;
    };
    let inside = node.star ? '*' : node.arguments.map(argument).join(', ');
    if (node.distinct) inside = `DISTINCT ${inside}`;
    if (node.orderBy.length > 0) inside += ` ORDER BY ${this.sortItems(node.orderBy)}`;
    const written =
      bound?.kind === 'call' && bound.function.routine !== undefined
        ? writtenName(this.options.catalog, bound.function)
        : this.name(node.name[node.name.length - 1] as Name);
    let text = `${written}(${inside})`;
    if (node.withinGroup.length > 0) text += ` WITHIN GROUP (ORDER BY ${this.sortItems(node.withinGroup)})`;
    if (node.filter !== undefined) text += ` FILTER (WHERE ${this.expression(node.filter)})`;
    if (node.over === undefined) return text;
    return `${text} OVER ${'kind' in node.over ? this.window(node.over) : this.name(node.over)}`;
  }

  private special(node: Ast.SpecialFunction): string {
    const [first, second, third, fourth] = node.arguments.map((part) => this.bare(part, OTHER));
    const tail = (word: string, text: string | undefined): string => (text === undefined ? '' : ` ${word} ${text}`);
    switch (node.function) {
      case 'extract': {
        const [field] = node.arguments;
        return `EXTRACT(${field?.kind === 'string' ? field.value : first} FROM ${second})`;
      }
      case 'position':
        return `POSITION((${second}) IN (${first}))`;
      case 'substring': {
        // By a pattern it is an ordinary function.
        const [, from] = node.arguments;
        const isPattern = from !== undefined && this.isText(from);
        if (isPattern) return `"substring"(${[first, second, third].filter((part) => part !== undefined).join(', ')})`;
        return `SUBSTRING(${first} FROM ${second}${tail('FOR', third)})`;
      }
      case 'substring-similar':
        return `SUBSTRING(${first} SIMILAR ${second} ESCAPE ${third})`;
      case 'overlay':
        return `OVERLAY(${first} PLACING ${second} FROM ${third}${tail('FOR', fourth)})`;
      case 'normalize': {
        const [, form] = node.arguments;
        return `NORMALIZE(${first}${form?.kind === 'string' ? `, ${form.value.toUpperCase()}` : ''})`;
      }
      case 'collation-for':
        return `COLLATION FOR (${first})`;
      default:
        return `TRIM(${TRIMS[node.function]}${second === undefined ? '' : ` ${second}`} FROM ${first})`;
    }
  }

  private xmlFunction(node: Ast.XmlFunction): string {
    return xmlText(node, this.options.witness.of(node)?.expression.type ?? TEXT, {
      expression: (value) => this.expression(value),
      name: (name) => this.name(name),
      type: (type) => this.typeText(type),
    });
  }

  private isText(node: Ast.Expression): boolean {
    const oid = this.options.witness.of(node)?.expression.type.oid ?? 0;
    return oid === TypeOid.unknown || this.options.context.catalog.types.byOid(oid)?.category === 'S';
  }

  // ------------------------------------------------------------------------------------------------ sorts, windows

  /** Sort keys over expressions alone, as in aggregates and windows. */
  protected sortItems(items: readonly Ast.SortItem[]): string {
    return items.map((item) => this.sortKey(item.value) + this.direction(item)).join(', ');
  }

  /** A key of a sort or a group: functions stand in parentheses, lest they be read as something else. */
  protected sortKey(node: Ast.Expression): string {
    const text = this.expression(node);
    const plain = node.kind === 'column' || node.kind === 'number' || node.kind === 'string';
    const cast = this.options.witness.castOf(node);
    const isCall =
      node.kind === 'call' ||
      node.kind === 'special' ||
      node.kind === 'current' ||
      (cast !== undefined && cast.oid !== TypeOid.text);
    return (plain && !isCall) || !(this.options.pretty || isCall) ? text : `(${text})`;
  }

  protected direction({ direction, nulls, using }: Ast.SortItem): string {
    if (using !== undefined && using.symbol !== '<' && using.symbol !== '>') return ` USING ${using.symbol}`;
    const descending = direction === 'desc' || using?.symbol === '>';
    const usual = descending ? 'first' : 'last';
    const word = nulls === undefined || nulls === usual ? '' : ` NULLS ${nulls.toUpperCase()}`;
    return `${descending ? ' DESC' : ''}${word}`;
  }

  protected window(window: Ast.WindowSpecification): string {
    const parts = [
      window.base === undefined ? '' : this.name(window.base),
      window.partitionBy.length === 0
        ? ''
        : `PARTITION BY ${window.partitionBy.map((part) => this.sortKey(part)).join(', ')}`,
      window.orderBy.length === 0 ? '' : `ORDER BY ${this.sortItems(window.orderBy)}`,
      window.frame === undefined ? '' : this.frame(window.frame),
    ];
    return `(${parts.filter((part) => part !== '').join(' ')})`;
  }

  private frame(frame: Ast.WindowFrame): string {
    const bound = ({ kind, offset }: Ast.FrameBound): string => {
      const word = kind.replace('-', ' ').toUpperCase();
      return offset === undefined ? word : `${this.bare(offset, LIST)} ${word}`;
    };
    const start = bound(frame.start);
    const extent = frame.end === undefined ? start : `BETWEEN ${start} AND ${bound(frame.end)}`;
    const exclude =
      frame.exclude === undefined || frame.exclude === 'no-others'
        ? ''
        : ` EXCLUDE ${frame.exclude.replace('-', ' ').toUpperCase()}`;
    return `${frame.unit.toUpperCase()} ${extent}${exclude}`;
  }
}
