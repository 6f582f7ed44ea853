/**
 * An XML document as a tree of nodes, for XPath. Every node knows its parent and its place in document order; names are
 * split into prefix and local part where the prefix is declared, and stay whole where it is not, as libxml2 has them.
 * Entities are expanded, declarations of name spaces are no attributes.
 */
import { PhantomError } from '@phantom/base';
import { type XmlAttribute, type XmlHandler, parseDocument } from './parser.js';

/** Nodes of one document: some 150 bytes each. */
export const XML_NODES_MAX = 5_000_000;

const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';

export type XmlNodeKind = 'document' | 'element' | 'attribute' | 'text' | 'cdata' | 'comment' | 'instruction';

/** A declaration of a name space; the prefix is empty for the default one, the address where that is taken back. */
export interface XmlNamespace {
  readonly prefix: string;
  readonly uri: string;
}

const NONE: readonly never[] = [];

export class XmlNode {
  readonly kind: XmlNodeKind;
  readonly parent: XmlNode | undefined;
  /** Place in document order, from 0; attributes stand behind their element. */
  readonly order: number;
  /** As written: of elements and attributes, and the target of an instruction. */
  readonly name: string;
  readonly prefix: string;
  readonly local: string;
  readonly uri: string;
  /** Of all but elements and documents. */
  value: string;
  /** Those of elements and documents. */
  children: readonly XmlNode[] = NONE;
  attributes: readonly XmlNode[] = NONE;
  namespaces: readonly XmlNamespace[] = NONE;
  /** Place among the parent's children. */
  index = 0;

  constructor(kind: XmlNodeKind, parent: XmlNode | undefined, order: number, name: string, uri: string, value: string) {
    this.kind = kind;
    this.parent = parent;
    this.order = order;
    this.name = name;
    this.uri = uri;
    const colon = uri === '' ? -1 : name.indexOf(':');
    this.prefix = colon < 0 ? '' : name.slice(0, colon);
    this.local = name.slice(colon + 1);
    this.value = value;
  }
}

/** Makes a tree of what a parser tells. */
class TreeBuilder implements XmlHandler {
  readonly document = new XmlNode('document', undefined, 0, '', '', '');
  private current = this.document;
  private count = 1;
  private readonly scopes: Map<string, string>[] = [new Map([['xml', XML_NAMESPACE]])];

  private place(): number {
    if (this.count >= XML_NODES_MAX) {
      throw new PhantomError('54000', 'XML document has too many nodes', {
        detail: `A document that is looked into has at most ${XML_NODES_MAX} elements, attributes and texts.`,
      });
    }
    return this.count++;
  }

  private add(node: XmlNode): void {
    const { current } = this;
    if (current.children === NONE) current.children = [];
    const children = current.children as XmlNode[];
    node.index = children.length;
    children.push(node);
  }

  private uriOf(name: string, ofAttribute: boolean): string {
    const colon = name.indexOf(':');
    if (colon < 0 && ofAttribute) return '';
    return this.scopes[this.scopes.length - 1]?.get(colon < 0 ? '' : name.slice(0, colon)) ?? '';
  }

  start(name: string, attributes: readonly XmlAttribute[]): void {
    const declared = attributes.filter((one) => one.name === 'xmlns' || one.name.startsWith('xmlns:'));
    const outer = this.scopes[this.scopes.length - 1] as Map<string, string>;
    const namespaces = declared.map((one) => ({ prefix: one.name.slice('xmlns:'.length), uri: one.value }));
    this.scopes.push(
      declared.length === 0
        ? outer
        : new Map([...outer, ...namespaces.map(({ prefix, uri }) => [prefix, uri] as const)]),
    );
    const node = new XmlNode('element', this.current, this.place(), name, this.uriOf(name, false), '');
    node.namespaces = namespaces;
    if (attributes.length > declared.length) {
      node.attributes = attributes
        .filter((one) => !declared.includes(one))
        .map((one) => new XmlNode('attribute', node, this.place(), one.name, this.uriOf(one.name, true), one.value));
    }
    this.add(node);
    this.current = node;
  }

  end(): void {
    this.scopes.pop();
    this.current = this.current.parent as XmlNode;
  }

  text(data: string): void {
    const last = this.current.children.at(-1);
    if (last?.kind === 'text') last.value += data;
    else this.add(new XmlNode('text', this.current, this.place(), '', '', data));
  }

  cdata(data: string): void {
    this.add(new XmlNode('cdata', this.current, this.place(), '', '', data));
  }

  comment(data: string): void {
    this.add(new XmlNode('comment', this.current, this.place(), '', '', data));
  }

  instruction(target: string, data: string): void {
    this.add(new XmlNode('instruction', this.current, this.place(), target, '', data));
  }
}

/** The document's tree; an XmlSyntaxError where the text is none, 54000 where it has too many nodes. */
export function treeOf(text: string): XmlNode {
  const builder = new TreeBuilder();
  parseDocument(text, builder);
  return builder.document;
}

/** The text in the node: of an element or a document that of all texts in it. */
export function textOf(node: XmlNode): string {
  if (node.kind !== 'element' && node.kind !== 'document') return node.value;
  const [only] = node.children;
  if (node.children.length === 1 && only !== undefined && only.kind !== 'element') {
    return only.kind === 'text' || only.kind === 'cdata' ? only.value : '';
  }
  let text = '';
  for (const child of node.children) {
    if (child.kind === 'text' || child.kind === 'cdata') text += child.value;
    else if (child.kind === 'element') text += textOf(child);
  }
  return text;
}
