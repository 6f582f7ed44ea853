/**
 * Functions of SQL/XML as PostgreSQL's ruleutils.c writes them: values that had the names of their columns with those names,
 * literals that were given as content or attributes without a type, and what XMLSERIALIZE cuts to a length in a cast.
 */
import type { TypeRef } from '@phantom/catalog';
import type { Name, TypeName } from '../../text/ast-leaves.js';
import type * as Ast from '../../text/ast.js';
import { withColumnNames, xmlFunctionText, xmlTableText } from '../../text/writing/xml-writer.js';

/** How parts of it are written. */
export interface XmlTextWriter {
  expression(node: Ast.Expression): string;
  name(name: Name): string;
  type(type: TypeRef): string;
}

/** The function, which gives values of the type. */
export function xmlText(node: Ast.XmlFunction, result: TypeRef, writer: XmlTextWriter): string {
  const takesAny = node.function === 'element' || node.function === 'forest';
  const text = xmlFunctionText(withColumnNames(node), {
    value: (value) => {
      if (takesAny && value.kind === 'string') return `'${value.value.replaceAll("'", "''")}'`;
      return writer.expression(value);
    },
    operand: (value) => `(${writer.expression(value)})`,
    name: (name) => writer.name(name),
    type: () => writer.type(result),
  });
  return node.function === 'serialize' && result.typmod >= 0 ? `(${text})::${writer.type(result)}` : text;
}

/** XMLTABLE, without its alias. */
export function xmlTableLayout(
  node: Ast.XmlTable,
  writer: Pick<XmlTextWriter, 'expression' | 'name'> & { typeName(type: TypeName): string },
): string {
  const enclosed = (value: Ast.Expression): string => `(${writer.expression(value)})`;
  return xmlTableText(
    {
      ...node,
      columns: node.columns.map((column) => (column.notNull === false ? { ...column, notNull: undefined } : column)),
    },
    {
      operand: enclosed,
      simple: enclosed,
      uri: (value) => writer.expression(value),
      name: (name) => writer.name(name),
      type: (type) => writer.typeName(type),
    },
  );
}
