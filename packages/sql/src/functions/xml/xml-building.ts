/**
 * What the constructors of SQL/XML make (ISO 9075-14, 6.10 and on), in PostgreSQL's form: no name spaces are added, an
 * element without content is `<a/>`, and the declarations of values that are put together become one, or none.
 */
import { PhantomError } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import type { Value } from '../../types/type.js';
import { type XmlDeclaration, readDeclaration, writeDeclaration } from '../../xml/declaration.js';
import { attributeText } from '../../xml/tree-text.js';
import type { EvaluationContext } from '../registry.js';
import { xmlText } from './xml-values.js';

/** A name of XML, and the type of the value that belongs to it. */
export interface XmlPart {
  readonly name: string;
  readonly oid: Oid;
}

/** An attribute or element of each value that is not null. */
type PartWriter = (name: string, text: string) => string;

function writeParts(
  parts: readonly XmlPart[],
  values: readonly Value[],
  context: EvaluationContext,
  escape: boolean,
  write: PartWriter,
): string {
  let text = '';
  parts.forEach(({ name, oid }, i) => {
    const value = values[i];
    if (value !== null) text += write(name, xmlText(value, oid, context, escape));
  });
  return text;
}

/** XMLELEMENT: the values of the attributes come first. */
export function xmlElement(
  name: string,
  attributes: readonly XmlPart[],
  contents: readonly Oid[],
  values: readonly Value[],
  context: EvaluationContext,
): string {
  const head = writeParts(attributes, values, context, false, (key, text) => ` ${key}="${attributeText(text)}"`);
  let inside = '';
  contents.forEach((oid, i) => {
    const value = values[attributes.length + i];
    if (value !== null) inside += xmlText(value, oid, context);
  });
  return inside === '' ? `<${name}${head}/>` : `<${name}${head}>${inside}</${name}>`;
}

/** XMLFOREST: an element of each value; null where all of them are. */
export function xmlForest(
  elements: readonly XmlPart[],
  values: readonly Value[],
  context: EvaluationContext,
): string | null {
  if (values.every((value) => value === null)) return null;
  return writeParts(elements, values, context, true, (name, text) => `<${name}>${text}</${name}>`);
}

/** Values put one behind the other, as XMLCONCAT and xmlagg have it. */
export class XmlSequence {
  private readonly parts: string[] = [];
  private version: string | undefined;
  private versionless = false;
  /** Of all so far: whether each says it, and all say yes. */
  private standalone: boolean | undefined = true;

  add(value: string): void {
    const { length, version, standalone }: XmlDeclaration = readDeclaration(value);
    if (standalone === undefined || this.standalone === undefined) this.standalone = undefined;
    else if (!standalone) this.standalone = false;
    if (version === undefined || (this.version !== undefined && this.version !== version)) this.versionless = true;
    else this.version = version;
    this.parts.push(length === 0 ? value : value.slice(length));
  }

  /** All of it under one declaration, if there has to be one; null where nothing was added. */
  text(): string | null {
    if (this.parts.length === 0) return null;
    const version = this.versionless ? undefined : this.version;
    return writeDeclaration(version, this.standalone) + this.parts.join('');
  }
}

/** XMLCONCAT, without the nulls; null where there is nothing else. */
export function xmlConcat(values: readonly (string | null)[]): string | null {
  const sequence = new XmlSequence();
  for (const value of values) if (value !== null) sequence.add(value);
  return sequence.text();
}

/** XMLPI; `content` is undefined where none was written. 42601 and 2200T for what would be none. */
export function xmlInstruction(target: string, content: string | null | undefined): string | null {
  const message = 'invalid XML processing instruction';
  if (target.toLowerCase() === 'xml') {
    const detail = `XML processing instruction target name cannot be "${target}".`;
    throw new PhantomError('42601', message, { detail });
  }
  if (content === null) return null;
  if (content === undefined) return `<?${target}?>`;
  if (content.includes('?>')) {
    throw new PhantomError('2200T', message, { detail: 'XML processing instruction cannot contain "?>".' });
  }
  return `<?${target} ${content.replace(/^ +/, '')}?>`;
}

/** XMLROOT: the value under another declaration. `standalone` undefined: as it was; 'no value': not said. */
export function xmlRoot(
  value: string,
  version: string | null | undefined,
  standalone: 'yes' | 'no' | 'no value' | undefined,
): string {
  const old = readDeclaration(value);
  const alone =
    standalone === undefined ? old.standalone : standalone === 'no value' ? undefined : standalone === 'yes';
  return writeDeclaration(version ?? undefined, alone) + value.slice(old.length);
}

/** xmlcomment; 2200S for a text that would end it. */
export function xmlComment(text: string): string {
  if (text.includes('--') || text.endsWith('-')) throw new PhantomError('2200S', 'invalid XML comment');
  return `<!--${text}-->`;
}
