/** SQL/JSON as text. */
import type { JsonReturning, JsonWrapper } from '../ast-json.js';
import type { Name } from '../ast-leaves.js';
import type {
  IsJsonTest,
  JsonAggregate,
  JsonBehavior,
  JsonConstructor,
  JsonExpression,
  JsonQueryFunction,
  JsonTable,
  JsonTableColumn,
  JsonValueExpression,
} from '../ast.js';
import { ExpressionWriter } from './expression-writer.js';

const CONSTRUCTORS = {
  object: 'JSON_OBJECT',
  array: 'JSON_ARRAY',
  'array-query': 'JSON_ARRAY',
  json: 'JSON',
  scalar: 'JSON_SCALAR',
  serialize: 'JSON_SERIALIZE',
} as const;

export abstract class JsonWriter extends ExpressionWriter {
  protected json(node: JsonExpression): string {
    switch (node.kind) {
      case 'is-json':
        return this.isJson(node);
      case 'json-constructor':
        return this.jsonConstructor(node);
      case 'json-aggregate':
        return this.jsonAggregate(node);
      default:
        return this.jsonQueryFunction(node);
    }
  }

  private isJson(node: IsJsonTest): string {
    const unique = node.uniqueKeys ? ' WITH UNIQUE KEYS' : '';
    return `${this.left(4, node.operand)} IS ${node.negated ? 'NOT ' : ''}JSON ${node.type.toUpperCase()}${unique}`;
  }

  private format(formatJson: boolean, encoding: Name | undefined): string {
    return formatJson ? ` FORMAT JSON${encoding === undefined ? '' : ` ENCODING ${this.name(encoding)}`}` : '';
  }
  private value(value: JsonValueExpression): string {
    return this.expression(value.value) + this.format(value.formatJson, value.encoding);
  }
  private returning(returning: JsonReturning | undefined): string {
    if (returning === undefined) return '';
    return ` RETURNING ${this.typeName(returning.type)}${this.format(returning.formatJson, returning.encoding)}`;
  }
  private nulls(nulls: 'null' | 'absent' | undefined): string {
    return nulls === undefined ? '' : ` ${nulls.toUpperCase()} ON NULL`;
  }

  private jsonConstructor(node: JsonConstructor): string {
    const members = node.members.map((member) => `${this.expression(member.key)} : ${this.value(member.value)}`);
    const inside = [...members, ...node.elements.map((element) => this.value(element))].join(', ');
    const query = node.query === undefined ? '' : this.query(node.query);
    const unique = node.uniqueKeys ? ' WITH UNIQUE KEYS' : '';
    return `${CONSTRUCTORS[node.function]}(${inside}${query}${this.nulls(node.nulls)}${unique}${this.returning(node.returning)})`;
  }

  private jsonAggregate(node: JsonAggregate): string {
    const key = node.key === undefined ? '' : `${this.expression(node.key)} : `;
    const orderBy = node.orderBy.length === 0 ? '' : ` ${this.orderBy(node.orderBy)}`;
    const unique = node.uniqueKeys ? ' WITH UNIQUE KEYS' : '';
    const tail = `${orderBy}${this.nulls(node.nulls)}${unique}${this.returning(node.returning)}`;
    const name = node.function === 'object' ? 'JSON_OBJECTAGG' : 'JSON_ARRAYAGG';
    return `${name}(${key}${this.value(node.value)}${tail})${this.filterAndOver(node.filter, node.over)}`;
  }

  private passing(passing: JsonQueryFunction['passing']): string {
    const items = passing.map((item) => `${this.value(item.value)} AS ${this.name(item.name)}`);
    return items.length === 0 ? '' : ` PASSING ${items.join(', ')}`;
  }
  private wrapper(wrapper: JsonWrapper | undefined): string {
    if (wrapper === undefined) return '';
    return wrapper === 'without' ? ' WITHOUT WRAPPER' : ` WITH ${wrapper.toUpperCase()} WRAPPER`;
  }
  private quotes(quotes: 'keep' | 'omit' | undefined): string {
    return quotes === undefined ? '' : ` ${quotes.toUpperCase()} QUOTES`;
  }
  private behavior(behavior: JsonBehavior | undefined, on: string): string {
    if (behavior === undefined) return '';
    const value = behavior.value === undefined ? '' : ` ${this.expression(behavior.value)}`;
    return ` ${behavior.action.replace('-', ' ').toUpperCase()}${value} ON ${on}`;
  }

  private jsonQueryFunction(node: JsonQueryFunction): string {
    const head = `${this.value(node.context)}, ${this.expression(node.path)}${this.passing(node.passing)}`;
    const middle = `${this.returning(node.returning)}${this.wrapper(node.wrapper)}${this.quotes(node.quotes)}`;
    const tail = this.behavior(node.onEmpty, 'EMPTY') + this.behavior(node.onError, 'ERROR');
    return `JSON_${node.function.toUpperCase()}(${head}${middle}${tail})`;
  }

  protected jsonTable(node: JsonTable): string {
    const name = node.pathName === undefined ? '' : ` AS ${this.name(node.pathName)}`;
    const head = `${this.value(node.context)}, ${this.expression(node.path)}${name}${this.passing(node.passing)}`;
    const columns = node.columns.map((column) => this.jsonColumn(column)).join(', ');
    const text = `JSON_TABLE(${head} COLUMNS (${columns})${this.behavior(node.onError, 'ERROR')})`;
    return `${node.lateral ? 'LATERAL ' : ''}${text}${this.tableAlias(node.alias)}`;
  }

  private jsonColumn(column: JsonTableColumn): string {
    const name = column.name === undefined ? '' : this.name(column.name);
    if (column.kind === 'ordinality') return `${name} FOR ORDINALITY`;
    if (column.kind === 'nested') {
      const columns = column.columns.map((inner) => this.jsonColumn(inner)).join(', ');
      return `NESTED PATH ${this.string(column.path ?? '')}${name === '' ? '' : ` AS ${name}`} COLUMNS (${columns})`;
    }
    const type = column.type === undefined ? '' : ` ${this.typeName(column.type)}`;
    const exists = column.kind === 'exists' ? ' EXISTS' : '';
    const path = column.path === undefined ? '' : ` PATH ${this.string(column.path)}`;
    const tail = `${path}${this.wrapper(column.wrapper)}${this.quotes(column.quotes)}`;
    const behaviors = this.behavior(column.onEmpty, 'EMPTY') + this.behavior(column.onError, 'ERROR');
    return `${name}${type}${exists}${column.formatJson ? ' FORMAT JSON' : ''}${tail}${behaviors}`;
  }
}
