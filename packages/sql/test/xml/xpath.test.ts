/** XPath by itself: its limits, and laws that hold for any document. What expressions mean is in the golden scripts. */
import { isPhantomError } from '@phantom/base';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nodeText } from '../../src/xml/tree-text.js';
import { type XmlNode, treeOf } from '../../src/xml/tree.js';
import { XPathEvaluation } from '../../src/xml/xpath/xpath-evaluation.js';
import { XPathSyntaxError, parseXPath } from '../../src/xml/xpath/xpath-syntax.js';
import { XPathError, type XPathValue, numberText } from '../../src/xml/xpath/xpath-values.js';

function evaluate(text: string, document: string | XmlNode, stepsMax?: number): XPathValue {
  const node = typeof document === 'string' ? treeOf(document) : document;
  return new XPathEvaluation(new Map(), stepsMax).evaluate(parseXPath(text), node);
}

it('ends an expression that looks at too many nodes', () => {
  const document = treeOf(`<a>${'<b/>'.repeat(100)}</a>`);
  expect(evaluate('count(//b)', document, 1000)).toBe(100);
  let code: string | undefined;
  try {
    evaluate('count(//b[count(//b) > 0])', document, 1000);
  } catch (error) {
    code = isPhantomError(error) ? error.code : String(error);
  }
  expect(code).toBe('54001');
});

it('refuses an expression that is nested too deep', () => {
  const nested = (depth: number): string => '('.repeat(depth) + '1' + ')'.repeat(depth);
  expect(evaluate(nested(100), '<a/>')).toBe(1);
  expect(() => evaluate(nested(10_000), '<a/>')).toThrow(XPathSyntaxError);
});

it('has every axis in document order, each node once', () => {
  const document = treeOf('<a x="1"><b y="2"><c/>t<!--u--><?v w?></b><b><c><c/></c></b></a>');
  const axes =
    'ancestor ancestor-or-self attribute child descendant descendant-or-self following following-sibling parent preceding preceding-sibling self';
  for (const axis of axes.split(' ')) {
    const found = evaluate(`(//node() | //@*)/${axis}::node()`, document) as readonly XmlNode[];
    const orders = found.map(({ order }) => order);
    expect(orders).toEqual([...new Set(orders)].toSorted((a, b) => a - b));
  }
  // Every node but attributes is the node itself, around it, in it, before it or behind it.
  const all = (evaluate('/descendant-or-self::node()', document) as readonly XmlNode[]).length;
  for (const node of evaluate('//node()', document) as readonly XmlNode[]) {
    const parts = ['self', 'ancestor', 'descendant', 'preceding', 'following'];
    const sizes = parts.map((axis) => (evaluate(`${axis}::node()`, node) as readonly XmlNode[]).length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(all);
  }
});

it('writes numbers with fifteen digits', () => {
  const numbers = [0, -0, 1, -1.5, 0.1 + 0.2, 1 / 3, 1e9, 1e10, 1.5e-7, 2 ** 31, 123456789.5, Number.NaN, -Infinity];
  expect(numbers.map(numberText)).toEqual([
    '0',
    '0',
    '1',
    '-1.5',
    '0.3',
    '0.333333333333333',
    '1000000000',
    '1e+10',
    '1.5e-07',
    '2.147483648e+09',
    '123456789.5',
    'NaN',
    '-Infinity',
  ]);
});

it('writes a document that reads back as the same', () => {
  const name = fc.constantFrom('a', 'b', 'p:c');
  const text = fc.constantFrom('x', '<', '&', '"', '\n', '\t', '\r', 'ü', ']]>');
  const escape = (value: string): string => value.replaceAll(/[<>&"\n\t\r]/g, (found) => `&#${found.charCodeAt(0)};`);
  const { element } = fc.letrec<{ element: string }>((tie) => ({
    element: fc
      .tuple(name, text, fc.array(fc.oneof({ maxDepth: 3 }, text.map(escape), tie('element')), { maxLength: 3 }))
      .map(([tag, value, parts]) => `<${tag} k="${escape(value)}">${parts.join('')}</${tag}>`),
  }));
  const same = fc.property(element, (inside) => {
    const document = treeOf(`<r xmlns:p="q">${inside}</r>`);
    const written = nodeText(document);
    const part = nodeText((document.children[0] as XmlNode).children[0] as XmlNode);
    return nodeText(treeOf(written)) === written && nodeText(treeOf(part)).trimEnd() === part;
  });
  expect(fc.check(same, { seed: 1, numRuns: 300 }).failed).toBe(false);
});

it('gives a value or says what is wrong, for any text', () => {
  const document = treeOf('<a b="1"><c>2</c></a>');
  const piece = fc.constantFrom(
    '/',
    '//',
    'a',
    'c',
    '*',
    '@',
    'b',
    '[',
    ']',
    '(',
    ')',
    '1',
    "'x'",
    '=',
    '<',
    'and',
    'div',
    '-',
    '|',
    '::',
    'child',
    'text()',
    'last()',
    '.',
    '..',
    ',',
    'count',
    '$',
    ' ',
    ':',
  );
  const told = fc.property(fc.array(piece, { maxLength: 8 }), (list) => {
    try {
      evaluate(list.join(''), document);
    } catch (error) {
      return error instanceof XPathSyntaxError || error instanceof XPathError;
    }
    return true;
  });
  expect(fc.check(told, { seed: 1, numRuns: 1000 }).failed).toBe(false);
});
