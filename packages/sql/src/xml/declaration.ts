/**
 * The declaration that may head an XML text: `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`. It is read as
 * PostgreSQL reads it, apart from what follows it: values of type xml keep it in their text, their output leaves the
 * encoding out (the client's holds) and then the declaration too, if nothing else in it says anything.
 */
import { isNameCharacter, isXmlSpace } from './characters.js';
import { XmlSyntaxError } from './syntax-error.js';

export interface XmlDeclaration {
  /** Characters it takes up; 0 where there is none. */
  readonly length: number;
  readonly version: string | undefined;
  readonly encoding: string | undefined;
  readonly standalone: boolean | undefined;
}

const NONE: XmlDeclaration = { length: 0, version: undefined, encoding: undefined, standalone: undefined };

/** Reads `name = 'value'` where the text has it. */
class Reader {
  readonly text: string;
  at = '<?xml'.length;

  constructor(text: string) {
    this.text = text;
  }

  fail(complaint: string): never {
    throw new XmlSyntaxError([complaint], this.text, this.at);
  }

  skipSpace(): boolean {
    const { at } = this;
    while (isXmlSpace(this.text.charCodeAt(this.at))) this.at++;
    return this.at > at;
  }

  /** The value of the name, if it is next; undefined, and nothing is read, when another thing is. */
  value(name: string, complaint: string): string | undefined {
    const { at } = this;
    const spaced = this.skipSpace();
    if (!this.text.startsWith(name, this.at)) {
      this.at = at;
      return undefined;
    }
    if (!spaced) this.fail('Space required.');
    this.at += name.length;
    this.skipSpace();
    if (this.text[this.at] !== '=') this.fail(complaint);
    this.at++;
    this.skipSpace();
    const quote = this.text[this.at];
    const end = quote === '"' || quote === "'" ? this.text.indexOf(quote, this.at + 1) : -1;
    if (end < 0) this.fail(complaint);
    const value = this.text.slice(this.at + 1, end);
    this.at = end + 1;
    return value;
  }
}

/** The declaration that heads the text; an XmlSyntaxError where one begins and is none. */
export function readDeclaration(text: string): XmlDeclaration {
  if (!text.startsWith('<?xml') || isNameCharacter(text.codePointAt(5) ?? 0)) return NONE;
  const reader = new Reader(text);
  if (!isXmlSpace(text.charCodeAt(reader.at))) reader.fail('Space required.');
  const missing = 'Malformed declaration: missing version.';
  const version = reader.value('version', missing) ?? reader.fail(missing);
  const encoding = reader.value('encoding', 'Missing encoding in text declaration.');
  const onlyTwo = "standalone accepts only 'yes' or 'no'.";
  const standalone = reader.value('standalone', onlyTwo);
  if (standalone !== undefined && standalone !== 'yes' && standalone !== 'no') reader.fail(onlyTwo);
  reader.skipSpace();
  if (!text.startsWith('?>', reader.at)) reader.fail("Parsing XML declaration: '?>' expected.");
  const length = reader.at + 2;
  for (let at = 0; at < length; at++) if (text.charCodeAt(at) > 0x7f) reader.fail('Invalid character value.');
  return { length, version, encoding, standalone: standalone === undefined ? undefined : standalone === 'yes' };
}

/** The declaration as text, without an encoding; empty where it would say what holds anyway. */
export function writeDeclaration(version: string | undefined, standalone: boolean | undefined): string {
  if ((version === undefined || version === '1.0') && standalone === undefined) return '';
  const tail = standalone === undefined ? '' : ` standalone="${standalone ? 'yes' : 'no'}"`;
  return `<?xml version="${version ?? '1.0'}"${tail}?>`;
}

/** A value of type xml as clients get it. */
export function outputXml(text: string): string {
  if (!text.startsWith('<?xml')) return text;
  const { length, version, standalone } = readDeclaration(text);
  if (length === 0) return text;
  const declaration = writeDeclaration(version, standalone);
  // Without the declaration the line that it stood on goes too.
  const from = declaration === '' && text[length] === '\n' ? length + 1 : length;
  return declaration + text.slice(from);
}
