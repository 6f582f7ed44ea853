/**
 * Nodes as XML again, in libxml2's form: declarations of name spaces before attributes, an element without content as
 * `<a/>`, every value in double quotes. A part that is taken out of its document declares what it uses of the name spaces
 * that were declared around it.
 */
import type { XmlNamespace, XmlNode } from './tree.js';

const TEXT_ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;' };
const ATTRIBUTE_ESCAPES: Readonly<Record<string, string>> = {
  ...TEXT_ESCAPES,
  '"': '&quot;',
  '\n': '&#10;',
  '\t': '&#9;',
};

function text(value: string): string {
  return value.replaceAll(/[&<>\r]/g, (found) => TEXT_ESCAPES[found] as string);
}

/** A value as it stands between the quotes of an attribute. */
export function attributeText(value: string): string {
  return /[&<>"\r\n\t]/.test(value)
    ? value.replaceAll(/[&<>"\r\n\t]/g, (found) => ATTRIBUTE_ESCAPES[found] as string)
    : value;
}

function namespaceText({ prefix, uri }: XmlNamespace): string {
  return ` xmlns${prefix === '' ? '' : `:${prefix}`}="${attributeText(uri)}"`;
}

function elementText(node: XmlNode, namespaces: readonly XmlNamespace[]): string {
  let head = `<${node.name}${namespaces.map(namespaceText).join('')}`;
  for (const attribute of node.attributes) head += ` ${attribute.name}="${attributeText(attribute.value)}"`;
  if (node.children.length === 0) return `${head}/>`;
  return `${head}>${node.children.map(within).join('')}</${node.name}>`;
}

/** A node among those around it. */
function within(node: XmlNode): string {
  switch (node.kind) {
    case 'element':
      return elementText(node, node.namespaces);
    case 'text':
      return text(node.value);
    case 'cdata':
      return `<![CDATA[${node.value}]]>`;
    case 'comment':
      return `<!--${node.value}-->`;
    case 'instruction':
      return `<?${node.name}${node.value === '' ? '' : ` ${node.value}`}?>`;
    default:
      return '';
  }
}

/** What an element that is taken out has to declare: what it declares, and what it and its parts use. */
function neededNamespaces(element: XmlNode): readonly XmlNamespace[] {
  const needed = [...element.namespaces];
  const use = (node: XmlNode, known: ReadonlySet<string>): void => {
    if (node.uri === '' || node.prefix === 'xml' || known.has(node.prefix)) return;
    if (!needed.some(({ prefix }) => prefix === node.prefix)) needed.push({ prefix: node.prefix, uri: node.uri });
  };
  const visit = (node: XmlNode, outer: ReadonlySet<string>): void => {
    const known =
      node === element || node.namespaces.length === 0
        ? outer
        : new Set([...outer, ...node.namespaces.map(({ prefix }) => prefix)]);
    use(node, known);
    for (const attribute of node.attributes) use(attribute, known);
    for (const child of node.children) if (child.kind === 'element') visit(child, known);
  };
  visit(element, new Set());
  return needed;
}

/** A node by itself; of a document each part stands on a line of its own. Attributes are no XML: their values are. */
export function nodeText(node: XmlNode): string {
  if (node.kind === 'document') return node.children.map((child) => `${within(child)}\n`).join('');
  return node.kind === 'element' ? elementText(node, neededNamespaces(node)) : within(node);
}
