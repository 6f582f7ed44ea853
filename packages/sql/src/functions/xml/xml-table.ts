/**
 * XMLTABLE at run time: a row for each node that the row's expression finds, a value for each column of what its expression
 * finds from there, read by the input of the column's type. After PostgreSQL's XmlTable of xml.c: a column that finds
 * nothing has its default, and one that is no xml finds one node at most.
 */
import { PhantomError } from '@phantom/base';
import type { TypeRef } from '@phantom/catalog';
import { TypeOid } from '../../types/type-oids.js';
import type { SqlType, Value } from '../../types/type.js';
import { textOf, type XmlNode } from '../../xml/tree.js';
import type { XPath } from '../../xml/xpath/xpath-syntax.js';
import { type XPathValue, numberText } from '../../xml/xpath/xpath-values.js';
import type { EvaluationContext } from '../registry.js';
import { XPathReader, compiledXPath, documentTree, nodeValue } from './xpath-functions.js';
import { escapeXml } from './xml-values.js';

export interface XmlTableColumnSpec {
  readonly name: string;
  /** undefined: FOR ORDINALITY. */
  readonly type: TypeRef | undefined;
  readonly notNull: boolean;
}

/** What the clause's expressions came to for one document; a column's path undefined: its name, its default undefined: none. */
export interface XmlTableInput {
  readonly document: string;
  readonly rowPath: string | null;
  readonly namespaces: readonly { readonly prefix: string; readonly uri: string | null }[];
  readonly paths: readonly (string | null | undefined)[];
  readonly defaults: readonly (Value | undefined)[];
}

function pathOf(column: XmlTableColumnSpec, path: string | null | undefined): XPath {
  const text = path === undefined ? column.name : path;
  if (text === null) {
    throw new PhantomError('22004', 'column filter expression must not be null', {
      detail: `Filter for column "${column.name}" is null.`,
    });
  }
  if (text === '') throw new PhantomError('22000', 'column path filter must not be empty string');
  return compiledXPath(text, '42601');
}

/** What was found as the text that the type reads; null where nothing was. */
function foundText(found: XPathValue, type: SqlType): string | null {
  if (typeof found === 'number') return numberText(found);
  if (typeof found === 'string') return type.oid === TypeOid.xml ? escapeXml(found) : found;
  if (typeof found === 'boolean') return type.category === 'N' ? (found ? '1' : '0') : String(found);
  const [first] = found;
  if (first === undefined) return null;
  if (type.oid === TypeOid.xml) return found.map(nodeValue).join('');
  if (found.length > 1) {
    throw new PhantomError('21000', 'more than one value returned by column XPath expression');
  }
  return textOf(first);
}

/** The rows of a document, each with a value for every column. */
export function* xmlTableRows(
  columns: readonly XmlTableColumnSpec[],
  input: XmlTableInput,
  context: EvaluationContext,
): Generator<Value[], void, void> {
  const namespaces = new Map<string, string>();
  for (const { prefix, uri } of input.namespaces) {
    if (uri === null) throw new PhantomError('22004', 'namespace URI must not be null');
    namespaces.set(prefix, uri);
  }
  if (input.rowPath === null) throw new PhantomError('22004', 'row filter expression must not be null');
  if (input.rowPath === '') throw new PhantomError('22000', 'row path filter must not be empty string');
  const reader = new XPathReader(namespaces);
  const document = documentTree(input.document);
  const rowPath = compiledXPath(input.rowPath, '42601');
  const paths = columns.map((column, i) => (column.type === undefined ? undefined : pathOf(column, input.paths[i])));
  const found = reader.read(rowPath, document);
  if (typeof found !== 'object') return;
  let ordinal = 0;
  for (const node of found) {
    ordinal++;
    yield columns.map((column, i) => {
      const path = paths[i];
      if (column.type === undefined || path === undefined) return ordinal;
      return cell(column, column.type, input.defaults[i], reader.read(path, node as XmlNode), context);
    });
  }
}

function cell(
  column: XmlTableColumnSpec,
  { oid, typmod }: TypeRef,
  otherwise: Value | undefined,
  found: XPathValue,
  context: EvaluationContext,
): Value {
  const type = context.types.byOid(oid);
  if (type === undefined) throw new PhantomError('42704', `type with oid ${oid} does not exist`);
  const text = foundText(found, type);
  let value: Value = text === null ? (otherwise ?? null) : type.input(text, typmod, context);
  if (text !== null && typmod >= 0) value = type.coerceTypmod?.(value, typmod, false) ?? value;
  if (value === null && column.notNull) {
    throw new PhantomError('22004', `null is not allowed in column "${column.name}"`);
  }
  return value;
}
