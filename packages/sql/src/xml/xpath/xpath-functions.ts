/** The core functions of XPath 1.0 (section 4). `id` knows `xml:id` alone, since no types of attributes are read. */
import { type XmlNode, textOf } from '../tree.js';
import { XPathError, type XPathValue, booleanOf, nodesOf, numberOf, stringOf } from './xpath-values.js';

/** Where an expression is evaluated. */
export interface XPathContext {
  readonly node: XmlNode;
  readonly position: number;
  readonly size: number;
}

interface CoreFunction {
  readonly least: number;
  readonly most: number;
  readonly call: (args: readonly XPathValue[], context: XPathContext) => XPathValue;
}

function fixed(count: number, call: CoreFunction['call']): CoreFunction {
  return { least: count, most: count, call };
}

/** A function of one argument that is the node at hand where it is left out. */
function ofNode(call: (node: XmlNode | undefined) => string): CoreFunction {
  return {
    least: 0,
    most: 1,
    call: ([set], { node }) => call(set === undefined ? node : nodesOf(set)[0]),
  };
}

function ofText(call: (text: string) => XPathValue): CoreFunction {
  return { least: 0, most: 1, call: ([value], { node }) => call(value === undefined ? textOf(node) : stringOf(value)) };
}

function documentOf(node: XmlNode): XmlNode {
  let at = node;
  while (at.parent !== undefined) at = at.parent;
  return at;
}

function withIds(ids: ReadonlySet<string>, node: XmlNode, found: XmlNode[]): XmlNode[] {
  if (node.attributes.some(({ name, value }) => name === 'xml:id' && ids.has(value))) found.push(node);
  for (const child of node.children) if (child.kind === 'element') withIds(ids, child, found);
  return found;
}

function hasLanguage(wanted: string, node: XmlNode): boolean {
  for (let at: XmlNode | undefined = node; at !== undefined; at = at.parent) {
    const language = at.attributes.find(({ name }) => name === 'xml:lang')?.value.toLowerCase();
    if (language !== undefined) return language === wanted || language.startsWith(`${wanted}-`);
  }
  return false;
}

/** Characters from the rounded place on, counted from 1. */
function substring(text: string, from: number, count: number): string {
  const start = Math.round(from);
  const end = start + Math.round(count);
  let cut = '';
  let place = 1;
  for (const character of text) {
    if (place >= start && place < end) cut += character;
    place++;
  }
  return cut;
}

function translate(text: string, from: string, to: string): string {
  const wanted = [...to];
  const table = new Map<string, string>();
  [...from].forEach((character, i) => {
    if (!table.has(character)) table.set(character, wanted[i] ?? '');
  });
  return [...text].map((character) => table.get(character) ?? character).join('');
}

const FUNCTIONS: Readonly<Record<string, CoreFunction>> = {
  last: fixed(0, (_, { size }) => size),
  position: fixed(0, (_, { position }) => position),
  count: fixed(1, ([set]) => nodesOf(set as XPathValue).length),
  id: fixed(1, ([value], { node }) => {
    const texts = typeof value === 'object' ? value.map(textOf) : [stringOf(value as XPathValue)];
    const ids = new Set(texts.flatMap((text) => text.split(/[ \t\r\n]+/)));
    return withIds(ids, documentOf(node), []);
  }),
  'local-name': ofNode((node) => node?.local ?? ''),
  'namespace-uri': ofNode((node) => node?.uri ?? ''),
  name: ofNode((node) => node?.name ?? ''),
  string: ofText((text) => text),
  concat: {
    least: 2,
    most: Number.POSITIVE_INFINITY,
    call: (args) => args.map(stringOf).join(''),
  },
  'starts-with': fixed(2, ([text, start]) => stringOf(text as XPathValue).startsWith(stringOf(start as XPathValue))),
  contains: fixed(2, ([text, part]) => stringOf(text as XPathValue).includes(stringOf(part as XPathValue))),
  'substring-before': fixed(2, ([value, part]) => {
    const text = stringOf(value as XPathValue);
    return text.slice(0, Math.max(0, text.indexOf(stringOf(part as XPathValue))));
  }),
  'substring-after': fixed(2, ([value, part]) => {
    const text = stringOf(value as XPathValue);
    const wanted = stringOf(part as XPathValue);
    const at = text.indexOf(wanted);
    return at < 0 ? '' : text.slice(at + wanted.length);
  }),
  substring: {
    least: 2,
    most: 3,
    call: ([text, from, count]) =>
      substring(
        stringOf(text as XPathValue),
        numberOf(from as XPathValue),
        count === undefined ? Number.POSITIVE_INFINITY : numberOf(count),
      ),
  },
  'string-length': ofText((text) => [...text].length),
  'normalize-space': ofText((text) => text.replaceAll(/[ \t\r\n]+/g, ' ').replaceAll(/^ | $/g, '')),
  translate: fixed(3, (args) => {
    const [text = '', from = '', to = ''] = args.map(stringOf);
    return translate(text, from, to);
  }),
  boolean: fixed(1, ([value]) => booleanOf(value as XPathValue)),
  not: fixed(1, ([value]) => !booleanOf(value as XPathValue)),
  true: fixed(0, () => true),
  false: fixed(0, () => false),
  lang: fixed(1, ([wanted], { node }) => hasLanguage(stringOf(wanted as XPathValue).toLowerCase(), node)),
  number: { least: 0, most: 1, call: ([value], { node }) => numberOf(value ?? [node]) },
  sum: fixed(1, ([set]) => nodesOf(set as XPathValue).reduce((sum, node) => sum + numberOf([node]), 0)),
  floor: fixed(1, ([value]) => Math.floor(numberOf(value as XPathValue))),
  ceiling: fixed(1, ([value]) => Math.ceil(numberOf(value as XPathValue))),
  round: fixed(1, ([value]) => Math.round(numberOf(value as XPathValue))),
};

/** The function's value; an XPathError where there is none of that name, or not with so many arguments. */
export function callXPath(name: string, args: readonly XPathValue[], context: XPathContext): XPathValue {
  const found = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (found === undefined) throw new XPathError('Unregistered function');
  if (args.length < found.least || args.length > found.most) throw new XPathError('Invalid number of arguments');
  return found.call(args, context);
}
