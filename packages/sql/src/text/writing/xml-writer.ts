/** SQL/XML as text. */
import type { XmlFunction, XmlTable } from '../ast.js';
import { JsonWriter } from './json-writer.js';

export abstract class XmlWriter extends JsonWriter {
  protected xml(node: XmlFunction): string {
    return xmlFunctionText(node, {
      value: (value) => this.expression(value),
      operand: (value) => this.at(PRIMARY, value),
      name: (name) => this.name(name),
      type: (type) => this.typeName(type),
    });
  }

  protected xmlTable(node: XmlTable): string {
    const text = xmlTableText(node, {
      operand: (value) => this.at(PRIMARY, value),
      simple: (value) => this.simple(value),
      uri: (value) => this.simple(value),
      name: (name) => this.name(name),
      type: (type) => this.typeName(type),
    });
    return `${node.lateral ? 'LATERAL ' : ''}${text}${this.tableAlias(node.alias)}`;
  }
}

/** The level of `expression-writer.ts` at which everything else stands in parentheses. */
const PRIMARY = 15;

/** How parts of a function of SQL/XML are written. */
export interface XmlPartWriter {
  value(value: XmlFunction['arguments'][number]): string;
  /** Where no operator may stand. */
  operand(value: XmlFunction['arguments'][number]): string;
  name(name: NonNullable<XmlFunction['name']>): string;
  type(type: NonNullable<XmlFunction['type']>): string;
}

/** The function with the names that values have of their columns. */
export function withColumnNames(node: XmlFunction): XmlFunction {
  const named = node.named.map((one) => {
    const { value, name } = one;
    return name === undefined && value.kind === 'column' ? { ...one, name: value.names.at(-1) } : one;
  });
  return { ...node, named };
}

/** A function of SQL/XML around its parts. */
export function xmlFunctionText(node: XmlFunction, writer: XmlPartWriter): string {
  const named = node.named.map(({ value, name }) => {
    return writer.value(value) + (name === undefined ? '' : ` AS ${writer.name(name)}`);
  });
  const list = node.arguments.map((value) => writer.value(value));
  const form = node.form?.toUpperCase() ?? '';
  const target = node.name === undefined ? [] : [`NAME ${writer.name(node.name)}`];
  switch (node.function) {
    case 'element': {
      const attributes = named.length === 0 ? [] : [`XMLATTRIBUTES(${named.join(', ')})`];
      return `XMLELEMENT(${[...target, ...attributes, ...list].join(', ')})`;
    }
    case 'pi':
      return `XMLPI(${[...target, ...list].join(', ')})`;
    case 'concat':
      return `XMLCONCAT(${list.join(', ')})`;
    case 'forest':
      return `XMLFOREST(${named.join(', ')})`;
    case 'exists': {
      const [path, value] = node.arguments.map((part) => writer.operand(part));
      return `XMLEXISTS(${path} PASSING ${value})`;
    }
    case 'parse':
      return `XMLPARSE(${form} ${list[0]} ${node.preserve ? 'PRESERVE' : 'STRIP'} WHITESPACE)`;
    case 'root': {
      const standalone = node.standalone === undefined ? '' : `, STANDALONE ${node.standalone.toUpperCase()}`;
      return `XMLROOT(${list[0]}, VERSION ${list[1] ?? 'NO VALUE'}${standalone})`;
    }
    default:
      return `XMLSERIALIZE(${form} ${list[0]} AS ${node.type === undefined ? '' : writer.type(node.type)})`;
  }
}

/** How parts of XMLTABLE are written. */
export interface XmlTablePartWriter extends Omit<XmlPartWriter, 'value'> {
  /** Where PostgreSQL allows simple expressions only. */
  simple(value: XmlTable['rowPath']): string;
  uri(value: XmlTable['rowPath']): string;
}

/** XMLTABLE around its parts, without its alias. */
export function xmlTableText(node: XmlTable, writer: XmlTablePartWriter): string {
  const namespaces = node.namespaces.map(({ uri, name }) =>
    name === undefined ? `DEFAULT ${writer.uri(uri)}` : `${writer.uri(uri)} AS ${writer.name(name)}`,
  );
  const columns = node.columns.map((column) => {
    const name = writer.name(column.name);
    if (column.type === undefined) return `${name} FOR ORDINALITY`;
    const otherwise = column.otherwise === undefined ? '' : ` DEFAULT ${writer.simple(column.otherwise)}`;
    const path = column.path === undefined ? '' : ` PATH ${writer.simple(column.path)}`;
    const nulls = column.notNull === undefined ? '' : column.notNull ? ' NOT NULL' : ' NULL';
    return `${name} ${writer.type(column.type)}${otherwise}${path}${nulls}`;
  });
  const head = namespaces.length === 0 ? '' : `XMLNAMESPACES (${namespaces.join(', ')}), `;
  const passed = `${writer.operand(node.rowPath)} PASSING ${writer.operand(node.document)}`;
  return `XMLTABLE(${head}${passed} COLUMNS ${columns.join(', ')})`;
}
