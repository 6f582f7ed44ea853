/**
 * Functions of SQL/XML as PostgreSQL's ruleutils.c writes them: values that had the names of their columns with those names,
 * literals that were given as content or attributes without a type, and what XMLSERIALIZE cuts to a length in a cast.
 */
import type { TypeRef } from '@phantom/catalog';
import type { Name } from '../../text/ast-leaves.js';
import type * as Ast from '../../text/ast.js';
import { xmlFunctionText } from '../../text/writing/xml-writer.js';

/** How parts of it are written. */
export interface XmlTextWriter {
  expression(node: Ast.Expression): string;
  name(name: Name): string;
  type(type: TypeRef): string;
}

/** The function, which gives values of the type. */
export function xmlText(node: Ast.XmlFunction, result: TypeRef, writer: XmlTextWriter): string {
  const named = node.named.map((one) => {
    const { value, name } = one;
    return name === undefined && value.kind === 'column' ? { ...one, name: value.names.at(-1) } : one;
  });
  const takesAny = node.function === 'element' || node.function === 'forest';
  const text = xmlFunctionText(
    { ...node, named },
    {
      value: (value) => {
        if (takesAny && value.kind === 'string') return `'${value.value.replaceAll("'", "''")}'`;
        return writer.expression(value);
      },
      operand: (value) => `(${writer.expression(value)})`,
      name: (name) => writer.name(name),
      type: () => writer.type(result),
    },
  );
  return node.function === 'serialize' && result.typmod >= 0 ? `(${text})::${writer.type(result)}` : text;
}
