/**
 * A parser of XML 1.0 without validation: a text is checked for being well-formed, as a document or as content (any number of
 * elements and texts beside each other), and its parts are told to a handler if there is one. Complaints and their places
 * are libxml2's, which PostgreSQL's users know (see syntax-error.ts).
 *
 *   document   declaration? (comment | instruction)* doctype? (comment | instruction)* element (comment | instruction)*
 *   content    (element | text | CDATA | reference | comment | instruction)*
 *
 * 1. No recursion over elements: the open ones are a list, of at most XML_DEPTH_MAX.
 * 2. Nothing outside of the text is ever read: an external entity stands for nothing.
 * 3. What entities of the text's own expand to is at most XML_EXPANSION_CHARACTERS_MAX altogether, at most
 *    XML_ENTITY_DEPTH_MAX inside each other: a few lines cannot become gigabytes.
 * 4. The handler sees white space of attributes and line ends as the standard normalises them, text in pieces.
 *
 * Left out: validation, namespaces (a prefix without a declaration is no error to PostgreSQL; see tree.ts), version 1.1.
 */
import { isXmlCharacter, isXmlSpace, nameEnd } from './characters.js';
import { readDeclaration } from './declaration.js';
import { type DocumentType, DoctypeReader } from './doctype.js';
import { XmlSyntaxError, lineAt } from './syntax-error.js';

/** Elements that may be open at once: libxml2's limit. */
export const XML_DEPTH_MAX = 256;
/** Entities that may stand within each other: libxml2's limit. */
export const XML_ENTITY_DEPTH_MAX = 40;
/** Characters that the references of one text may expand to. */
export const XML_EXPANSION_CHARACTERS_MAX = 1_000_000;

export interface XmlAttribute {
  readonly name: string;
  readonly value: string;
}

/** Who wants to know the parts. */
export interface XmlHandler {
  start(name: string, attributes: readonly XmlAttribute[]): void;
  end(): void;
  /** A piece of a text; its neighbours may be texts too. */
  text(data: string): void;
  cdata(data: string): void;
  comment(data: string): void;
  instruction(target: string, data: string): void;
}

const LINE_FEED = 0x0a;
const AMPERSAND = 0x26;
const LESS = 0x3c;
const BRACKET = 0x5d;
const PREDEFINED: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);
const LOOP = 'Detected an entity reference loop';

/** What the parsers of a text and of its entities share. */
interface Shared {
  readonly handler: XmlHandler | undefined;
  type: DocumentType | undefined;
  expanded: number;
  entityDepth: number;
  depth: number;
}

interface OpenElement {
  readonly name: string;
  readonly at: number;
}

class Parser {
  private readonly text: string;
  private readonly shared: Shared;
  private readonly open: OpenElement[] = [];
  private at = 0;

  constructor(text: string, shared: Shared) {
    this.text = text;
    this.shared = shared;
  }

  document(): void {
    if (this.text === '') this.fail('switching encoding : no input', 'Document is empty');
    this.at = readDeclaration(this.text).length;
    this.miscellany();
    if (this.text.startsWith('<!DOCTYPE', this.at)) {
      const read = new DoctypeReader(this.text, this.at + 9, (value) => this.withCharacters(value)).read();
      this.shared.type = read.type;
      this.at = read.end;
      this.miscellany();
    }
    if (this.text.charCodeAt(this.at) !== LESS) this.fail("Start tag expected, '<' not found");
    this.element();
    while (this.open.length > 0) this.part();
    this.miscellany();
    if (this.at < this.text.length) this.fail('Extra content at the end of the document');
  }

  /** The rest of the text as content. */
  content(): void {
    while (this.at < this.text.length || this.open.length > 0) this.part();
  }

  private fail(...complaints: string[]): never {
    throw new XmlSyntaxError(complaints, this.text, this.at);
  }

  private failAt(at: number, ...complaints: string[]): never {
    this.at = at;
    return this.fail(...complaints);
  }

  private skipSpace(): boolean {
    const { at } = this;
    while (isXmlSpace(this.text.charCodeAt(this.at))) this.at++;
    return this.at > at;
  }

  /** Comments, instructions and white space around the root. */
  private miscellany(): void {
    for (;;) {
      this.skipSpace();
      if (this.text.startsWith('<?', this.at)) this.instruction();
      else if (this.text.startsWith('<!--', this.at)) this.comment();
      else return;
    }
  }

  /** The next part of content. */
  private part(): void {
    const code = this.text.charCodeAt(this.at);
    if (code !== LESS) {
      if (code === AMPERSAND) this.reference();
      else if (this.at < this.text.length) this.characters();
      else this.premature();
      return;
    }
    const next = this.text[this.at + 1];
    if (next === '/') this.endTag();
    else if (next === '?') this.instruction();
    else if (next !== '!') this.element();
    else if (this.text.startsWith('<!--', this.at)) this.comment();
    else if (this.text.startsWith('<![CDATA[', this.at)) this.cdata();
    else this.element();
  }

  private premature(): never {
    const { name, at } = this.open.at(-1) as OpenElement;
    return this.fail(`Premature end of data in tag ${name} line ${lineAt(this.text, at)}`);
  }

  // ------------------------------------------------------------------------------------------------------ elements

  private element(): void {
    const start = this.at++;
    const end = nameEnd(this.text, this.at);
    if (end === this.at) this.fail('StartTag: invalid element name');
    const name = this.text.slice(this.at, end);
    this.at = end;
    const attributes: XmlAttribute[] = [];
    for (;;) {
      const spaced = this.skipSpace();
      const next = this.text[this.at];
      if (next === '>' || (next === '/' && this.text[this.at + 1] === '>')) break;
      if (next === undefined) this.failInTag(name, start);
      if (!spaced && attributes.length > 0) this.failInTag(name, start, 'attributes construct error');
      attributes.push(this.attribute(name, start, attributes));
    }
    this.addDefaults(name, attributes);
    const { handler } = this.shared;
    handler?.start(name, attributes);
    if (this.text[this.at] === '/') {
      handler?.end();
      this.at += 2;
      return;
    }
    this.at++;
    if (++this.shared.depth > XML_DEPTH_MAX) {
      this.fail(`Excessive depth in document: ${XML_DEPTH_MAX} use XML_PARSE_HUGE option`);
    }
    this.open.push({ name, at: start });
  }

  private failInTag(element: string, start: number, ...complaints: string[]): never {
    return this.fail(...complaints, `Couldn't find end of Start Tag ${element} line ${lineAt(this.text, start)}`);
  }

  private attribute(element: string, start: number, others: readonly XmlAttribute[]): XmlAttribute {
    const wrong = (complaint: string): never => {
      return this.failInTag(element, start, complaint, 'attributes construct error');
    };
    const end = nameEnd(this.text, this.at);
    if (end === this.at) wrong('error parsing attribute name');
    const name = this.text.slice(this.at, end);
    this.at = end;
    this.skipSpace();
    if (this.text[this.at] !== '=') wrong(`Specification mandates value for attribute ${name}`);
    this.at++;
    this.skipSpace();
    const quote = this.text[this.at];
    if (quote !== '"' && quote !== "'") wrong('AttValue: " or \' expected');
    const from = ++this.at;
    const close = this.text.indexOf(quote as string, from);
    const written = this.text.slice(from, close < 0 ? this.text.length : close);
    const less = written.indexOf('<');
    if (less >= 0) {
      this.at = from + less;
      wrong("Unescaped '<' not allowed in attributes values");
    }
    if (close < 0) {
      this.at = this.text.length;
      wrong("AttValue: ' expected");
    }
    const value = this.attributeValue(written, from, 0);
    this.at = close + 1;
    if (others.some((other) => other.name === name)) this.fail(`Attribute ${name} redefined`);
    return { name, value };
  }

  /** The value that was written at `from`, its references resolved; each white space is a space. */
  private attributeValue(written: string, from: number, depth: number): string {
    for (let i = 0; i < written.length; i++) {
      if (!isXmlCharacter(written.charCodeAt(i))) this.failAt(from + i, 'invalid character in attribute value');
    }
    const spaced = written.replaceAll(/[\t\n\r]/g, ' ');
    if (!spaced.includes('&')) return spaced;
    let value = '';
    let done = 0;
    for (let ampersand = spaced.indexOf('&'); ampersand >= 0; ampersand = spaced.indexOf('&', done)) {
      value += spaced.slice(done, ampersand);
      this.at = from + ampersand;
      const reference = this.readReference(spaced, ampersand, from);
      done = reference.end;
      if (reference.text !== undefined) {
        value += reference.text;
        continue;
      }
      const inner = this.entity(reference.name, from + reference.end) ?? '';
      this.enterEntity(inner, depth);
      if (inner.includes('<')) this.fail(`'<' in entity '${reference.name}' is not allowed in attributes values`);
      value += this.attributeValue(inner, this.at, depth + 1);
    }
    return value + spaced.slice(done);
  }

  private addDefaults(element: string, attributes: XmlAttribute[]): void {
    const defaults = this.shared.type?.defaults.get(element);
    if (defaults === undefined) return;
    for (const [name, written] of defaults) {
      if (attributes.some((attribute) => attribute.name === name)) continue;
      const { at } = this;
      attributes.push({ name, value: this.attributeValue(written, at, 0) });
      this.at = at;
    }
  }

  private endTag(): void {
    const top = this.open.at(-1);
    if (top === undefined) this.fail('chunk is not well balanced');
    const from = this.at + 2;
    const end = nameEnd(this.text, from);
    const name = this.text.slice(from, end);
    this.at = end;
    this.skipSpace();
    if (this.text[this.at] !== '>') this.fail("expected '>'");
    this.at++;
    if (name !== top.name) this.mismatch(top, name);
    this.open.pop();
    this.shared.depth--;
    this.shared.handler?.end();
  }

  private mismatch(top: OpenElement, name: string): never {
    const complaints = [
      `Opening and ending tag mismatch: ${top.name} line ${lineAt(this.text, top.at)} and ${name || 'unparsable'}`,
    ];
    const parent = this.open.at(-2);
    if (parent !== undefined && this.at >= this.text.length) {
      complaints.push(`Premature end of data in tag ${parent.name} line ${lineAt(this.text, parent.at)}`);
    }
    return this.fail(...complaints);
  }

  // ---------------------------------------------------------------------------------------------------------- texts

  private characters(): void {
    const { text } = this;
    const from = this.at;
    let at = from;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === LESS || code === AMPERSAND) break;
      if (!isXmlCharacter(code)) this.failAt(at, `PCDATA invalid Char value ${code}`);
      if (code === BRACKET && text.startsWith(']]>', at)) this.failAt(at, "Sequence ']]>' not allowed in content");
    }
    this.at = at;
    this.shared.handler?.text(text.slice(from, at));
  }

  /** Up to `end`, which is consumed; the complaint is where it is missing. */
  private until(end: string, complaint: string, complaintOfCharacter: string): string {
    const from = this.at;
    const found = this.text.indexOf(end, from);
    const data = this.text.slice(from, found < 0 ? this.text.length : found);
    for (let i = 0; i < data.length; i++) {
      const code = data.charCodeAt(i);
      if (!isXmlCharacter(code)) this.failAt(from + i, `${complaintOfCharacter} ${code}`);
    }
    if (found < 0) this.failAt(this.text.length, complaint);
    this.at = found + end.length;
    return data;
  }

  private cdata(): void {
    this.at += '<![CDATA['.length;
    const data = this.until(']]>', 'CData section not finished', 'CDATA invalid Char value');
    this.shared.handler?.cdata(data);
  }

  private comment(): void {
    this.at += '<!--'.length;
    const from = this.at;
    const data = this.until('-->', 'Comment not terminated', 'xmlParseComment: invalid xmlChar value');
    const hyphens = data.endsWith('-') ? data.length - 1 : data.indexOf('--');
    if (hyphens >= 0) this.failAt(from + hyphens, `Double hyphen within comment: <!--${data.slice(0, hyphens)}`);
    this.shared.handler?.comment(data);
  }

  private instruction(): void {
    this.at += 2;
    const end = nameEnd(this.text, this.at);
    if (end === this.at) this.fail('xmlParsePI : no target name');
    const target = this.text.slice(this.at, end);
    this.at = end;
    if (target.toLowerCase() === 'xml') this.fail('XML declaration allowed only at the start of the document');
    if (this.text.startsWith('?>', this.at)) {
      this.at += 2;
      this.shared.handler?.instruction(target, '');
      return;
    }
    const never = `ParsePI: PI ${target} never end ...`;
    if (!this.skipSpace()) {
      const complaints = [`ParsePI: PI ${target} space expected`];
      if (!this.text.includes('?>', this.at)) complaints.push(never);
      this.fail(...complaints);
    }
    const data = this.until('?>', never, 'xmlParsePI: invalid xmlChar value');
    this.shared.handler?.instruction(target, data);
  }

  // ------------------------------------------------------------------------------------------------------ references

  private reference(): void {
    const read = this.readReference(this.text, this.at, 0);
    if (read.text !== undefined) {
      this.at = read.end;
      this.shared.handler?.text(read.text);
      return;
    }
    const inner = this.entity(read.name, read.end);
    this.at = read.end;
    if (inner === undefined) return;
    this.enterEntity(inner, 0);
    this.shared.entityDepth++;
    new Parser(inner, this.shared).content();
    this.shared.entityDepth--;
  }

  /** The reference at `at` of a text that stands at `from` of this one: of a character, or the name of an entity. */
  private readReference(
    text: string,
    at: number,
    from: number,
  ): { readonly end: number; readonly text: string | undefined; readonly name: string } {
    if (text[at + 1] === '#') return this.characterReference(text, at, from);
    const end = nameEnd(text, at + 1);
    if (end === at + 1) this.failAt(from + end, 'xmlParseEntityRef: no name');
    if (text[end] !== ';') this.failAt(from + end, "EntityRef: expecting ';'");
    const name = text.slice(at + 1, end);
    return { end: end + 1, text: PREDEFINED.get(name), name };
  }

  private characterReference(
    text: string,
    at: number,
    from: number,
  ): { readonly end: number; readonly text: string; readonly name: string } {
    const hexadecimal = text[at + 2] === 'x';
    const digits = hexadecimal ? /[0-9A-Fa-f]*/y : /[0-9]*/y;
    const first = at + (hexadecimal ? 3 : 2);
    digits.lastIndex = first;
    const [written] = digits.exec(text) as RegExpExecArray;
    const end = first + written.length;
    if (text[end] !== ';') {
      this.failAt(from + end, `CharRef: invalid ${hexadecimal ? 'hexadecimal' : 'decimal'} value`);
    }
    const code = written === '' ? 0 : Number.parseInt(written, hexadecimal ? 16 : 10);
    if (code > 0x10ffff) this.failAt(from + end + 1, 'xmlParseCharRef: character reference out of bounds');
    const half = code >= 0xd800 && code <= 0xdfff;
    if (half || (code <= 0xffff && !isXmlCharacter(code))) {
      this.failAt(from + end + 1, `xmlParseCharRef: invalid xmlChar value ${code}`);
    }
    return { end: end + 1, text: String.fromCodePoint(code), name: '' };
  }

  /** Text of an entity; undefined where its text is not known and need not be. */
  private entity(name: string, end: number): string | undefined {
    const { type } = this.shared;
    const text = type?.entities.get(name);
    if (text === undefined && type?.incomplete !== true) this.failAt(end, `Entity '${name}' not defined`);
    return text ?? undefined;
  }

  private enterEntity(text: string, depth: number): void {
    const { shared } = this;
    shared.expanded += text.length;
    if (shared.entityDepth + depth >= XML_ENTITY_DEPTH_MAX || shared.expanded > XML_EXPANSION_CHARACTERS_MAX) {
      this.fail(LOOP);
    }
  }

  /** An entity's text with its references to characters resolved; undefined where one of them is none. */
  private withCharacters(written: string): string | undefined {
    let resolved = '';
    let done = 0;
    for (let at = written.indexOf('&#'); at >= 0; at = written.indexOf('&#', done)) {
      const read = /&#(?:[0-9]+|x[0-9A-Fa-f]+);/y;
      read.lastIndex = at;
      if (!read.test(written)) return undefined;
      resolved += written.slice(done, at) + this.characterReference(written, at, 0).text;
      done = read.lastIndex;
    }
    return resolved + written.slice(done);
  }
}

function sharedBy(handler: XmlHandler | undefined): Shared {
  return { handler, type: undefined, expanded: 0, entityDepth: 0, depth: 0 };
}

/** Line ends as the standard has them for whoever reads: line feeds. */
function withLineFeeds(text: string): string {
  return text.includes('\r') ? text.replaceAll(/\r\n?/g, String.fromCharCode(LINE_FEED)) : text;
}

/** Tells the parts of a document to the handler; XmlSyntaxError where it is none. */
export function parseDocument(text: string, handler?: XmlHandler): void {
  new Parser(handler === undefined ? text : withLineFeeds(text), sharedBy(handler)).document();
}

/** Tells the parts of content without a declaration to the handler; XmlSyntaxError where it is none. */
export function parseContent(text: string, handler?: XmlHandler): void {
  new Parser(handler === undefined ? text : withLineFeeds(text), sharedBy(handler)).content();
}
