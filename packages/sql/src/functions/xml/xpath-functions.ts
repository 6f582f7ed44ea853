/**
 * xpath, xpath_exists and XMLEXISTS: what an expression finds in a document, as values of type xml.
 *
 *   set of nodes    each node: elements with the name spaces they use, texts and values of attributes with their signs escaped
 *   other values    one text: a number as float8 shows it, `true` or `false`, a text with its signs escaped
 */
import { PhantomError } from '@phantom/base';
import { SqlArray } from '@phantom/codec';
import { TypeOid } from '../../types/type-oids.js';
import { formatFloat8 } from '../../types/float-types.js';
import { XmlSyntaxError } from '../../xml/syntax-error.js';
import { nodeText } from '../../xml/tree-text.js';
import { type XmlNode, textOf, treeOf } from '../../xml/tree.js';
import { XPathEvaluation } from '../../xml/xpath/xpath-evaluation.js';
import { type XPath, XPathSyntaxError, parseXPath } from '../../xml/xpath/xpath-syntax.js';
import { XPathError, type XPathValue } from '../../xml/xpath/xpath-values.js';
import type { Implementations } from '../implementation.js';
import { escapeXml } from './xml-values.js';

/** Expressions whose trees are kept. */
const EXPRESSIONS_KEPT_MAX = 256;
const expressions = new Map<string, XPath>();

/** The tree of an expression, kept by its text; the code, XX000 as in PostgreSQL, for what is no expression. */
export function compiledXPath(text: string, code = 'XX000'): XPath {
  let expression = expressions.get(text);
  if (expression !== undefined) return expression;
  try {
    expression = parseXPath(text);
  } catch (error) {
    if (!(error instanceof XPathSyntaxError)) throw error;
    throw new PhantomError(code, 'invalid XPath expression', { detail: error.message, family: 'input' });
  }
  if (expressions.size >= EXPRESSIONS_KEPT_MAX) expressions.clear();
  expressions.set(text, expression);
  return expression;
}

/** The document's tree; 2200M where the value is content and no document. */
export function documentTree(value: string): XmlNode {
  try {
    return treeOf(value);
  } catch (error) {
    if (!(error instanceof XmlSyntaxError)) throw error;
    throw new PhantomError('2200M', 'could not parse XML document', { detail: error.report, family: 'input' });
  }
}

/** Evaluates expressions over one document, with one count of their steps. */
export class XPathReader {
  private readonly evaluation: XPathEvaluation;

  constructor(namespaces: ReadonlyMap<string, string>) {
    this.evaluation = new XPathEvaluation(namespaces);
  }

  /** XX000 where the expression has no value, as in PostgreSQL. */
  read(expression: XPath, node: XmlNode): XPathValue {
    try {
      return this.evaluation.evaluate(expression, node);
    } catch (error) {
      if (!(error instanceof XPathError)) throw error;
      throw new PhantomError('XX000', 'could not create XPath object', { detail: error.message, family: 'input' });
    }
  }
}

const NAMESPACES_DETAIL = 'The array must be two-dimensional with length of the second axis equal to 2.';

/** Name spaces by prefix, of pairs in an array. */
function namespacesOf(array: SqlArray): ReadonlyMap<string, string> {
  const { dimensions, items } = array;
  if (dimensions.length > 0 && (dimensions.length !== 2 || dimensions[1] !== 2)) {
    throw new PhantomError('22000', 'invalid array for XML namespace mapping', { detail: NAMESPACES_DETAIL });
  }
  const namespaces = new Map<string, string>();
  for (let i = 0; i + 1 < items.length; i += 2) {
    const prefix = items[i] as string | null;
    const uri = items[i + 1] as string | null;
    if (prefix === null || uri === null) {
      throw new PhantomError('22004', 'neither namespace name nor URI may be null');
    }
    if (prefix === '') {
      const message = `could not register XML namespace with name "" and URI "${uri}"`;
      throw new PhantomError('XX000', message, { family: 'input' });
    }
    namespaces.set(prefix, uri);
  }
  return namespaces;
}

const NO_NAMESPACES: ReadonlyMap<string, string> = new Map();

/** A node as a value of type xml. */
export function nodeValue(node: XmlNode): string {
  return node.kind === 'attribute' || node.kind === 'text' ? escapeXml(textOf(node)) : nodeText(node);
}

/** What is no set of nodes, as a value of type xml. */
function scalarValue(value: number | string | boolean): string {
  if (typeof value === 'string') return escapeXml(value);
  return typeof value === 'number' ? formatFloat8(value) : String(value);
}

function evaluated(text: string, value: string, namespaces: ReadonlyMap<string, string>): XPathValue {
  if (text === '') throw new PhantomError('22000', 'empty XPath expression');
  const document = documentTree(value);
  return new XPathReader(namespaces).read(compiledXPath(text), document);
}

function xpath(text: string, value: string, namespaces: ReadonlyMap<string, string>): SqlArray {
  const found = evaluated(text, value, namespaces);
  const items = typeof found === 'object' ? found.map(nodeValue) : [scalarValue(found)];
  return SqlArray.of(TypeOid.xml, items);
}

function exists(text: string, value: string, namespaces: ReadonlyMap<string, string>): boolean {
  const found = evaluated(text, value, namespaces);
  return typeof found !== 'object' || found.length > 0;
}

export const xpathFunctions: Implementations = {
  xpath: (text: string, value: string, namespaces: SqlArray) => xpath(text, value, namespacesOf(namespaces)),
  'xpath:text,xml': (text: string, value: string) => xpath(text, value, NO_NAMESPACES),
  xpath_exists: (text: string, value: string, namespaces: SqlArray) => exists(text, value, namespacesOf(namespaces)),
  'xpath_exists:text,xml': (text: string, value: string) => exists(text, value, NO_NAMESPACES),
  xmlexists: (text: string, value: string) => exists(text, value, NO_NAMESPACES),
};
