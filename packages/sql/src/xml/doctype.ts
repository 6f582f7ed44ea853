/**
 * A document type declaration: `<!DOCTYPE a SYSTEM "a.dtd" [ <!ENTITY e "text"> <!ATTLIST a b CDATA "value"> ]>`.
 *
 * What is taken from it: general entities with a text of their own, and attributes with defaults. What is known and never
 * read: external entities and the external subset, neither files nor addresses (their references stand for nothing).
 * Elements, notations and types of attributes are passed over, since nothing validates.
 */
import { isXmlSpace, nameEnd } from './characters.js';
import { XmlSyntaxError } from './syntax-error.js';

export interface DocumentType {
  /** Text of each entity, its references to characters resolved; null for an external one. */
  readonly entities: Map<string, string | null>;
  /** Attributes with defaults, by element and name. */
  readonly defaults: Map<string, Map<string, string>>;
  /** There may be declarations that were not read, so that a reference without one is no error. */
  incomplete: boolean;
}

/** Of numbers in references: where the reference's text is no character. */
export type CharacterReferences = (text: string) => string | undefined;

const MARKUP_ERROR = 'internal error: xmlParseInternalSubset: error detected in Markup declaration';

export class DoctypeReader {
  private readonly text: string;
  private at: number;
  private readonly resolve: CharacterReferences;
  private readonly found: DocumentType = { entities: new Map(), defaults: new Map(), incomplete: false };

  private readonly parameters = new Set<string>();

  /** `at` is behind `<!DOCTYPE`. */
  constructor(text: string, at: number, resolve: CharacterReferences) {
    this.text = text;
    this.at = at;
    this.resolve = resolve;
  }

  /** What it declares, and where it ends. */
  read(): { readonly type: DocumentType; readonly end: number } {
    this.space('Space required after <!DOCTYPE');
    this.name('xmlParseDocTypeDecl : no DOCTYPE name !');
    this.skipSpace();
    if (this.externalId()) this.found.incomplete = true;
    this.skipSpace();
    if (this.accept('[')) {
      this.subset();
      this.skipSpace();
    }
    if (!this.accept('>')) this.fail('DOCTYPE improperly terminated');
    return { type: this.found, end: this.at };
  }

  private fail(complaint: string): never {
    throw new XmlSyntaxError([complaint], this.text, this.at);
  }

  private accept(text: string): boolean {
    if (!this.text.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  private skipSpace(): boolean {
    const { at } = this;
    while (isXmlSpace(this.text.charCodeAt(this.at))) this.at++;
    return this.at > at;
  }

  private space(complaint: string): void {
    if (!this.skipSpace()) this.fail(complaint);
  }

  private name(complaint: string): string {
    const end = nameEnd(this.text, this.at);
    if (end === this.at) this.fail(complaint);
    const name = this.text.slice(this.at, end);
    this.at = end;
    return name;
  }

  private quoted(complaint: string): string {
    const quote = this.text[this.at];
    const end = quote === '"' || quote === "'" ? this.text.indexOf(quote, this.at + 1) : -1;
    if (end < 0) this.fail(complaint);
    const value = this.text.slice(this.at + 1, end);
    this.at = end + 1;
    return value;
  }

  private externalId(): boolean {
    const open = this.accept('PUBLIC');
    if (!open && !this.accept('SYSTEM')) return false;
    this.space("Space required after 'SYSTEM' or 'PUBLIC'");
    if (open) {
      this.quoted('xmlParseExternalID: PUBLIC, no Public Identifier');
      this.space('Space required after the Public Identifier');
    }
    this.quoted('xmlParseExternalID: SYSTEM, no URI');
    return true;
  }

  private subset(): void {
    for (;;) {
      this.skipSpace();
      if (this.accept(']')) return;
      if (this.accept('<!--')) this.until('-->', 'Comment not terminated');
      else if (this.accept('<?')) this.until('?>', 'ParsePI: PI never end ...');
      else if (this.accept('<!ENTITY')) this.entity();
      else if (this.accept('<!ATTLIST')) this.attributes();
      else if (this.accept('<!ELEMENT') || this.accept('<!NOTATION')) this.pass();
      else if (this.accept('%')) {
        this.parameterReference();
      } else this.fail(MARKUP_ERROR);
    }
  }

  /** It stands for declarations that are not read. */
  private parameterReference(): void {
    const name = this.name('xmlParsePEReference: no name');
    if (!this.accept(';')) this.fail("PEReference: expecting ';'");
    if (!this.parameters.has(name) && !this.found.incomplete) this.fail(`PEReference: %${name}; not found`);
    this.found.incomplete = true;
  }

  private until(end: string, complaint: string): void {
    const at = this.text.indexOf(end, this.at);
    if (at < 0) this.fail(complaint);
    this.at = at + end.length;
  }

  /** Over the rest of a declaration, its texts in quotes included. */
  private pass(): void {
    while (!this.accept('>')) {
      const next = this.text[this.at];
      if (next === undefined || next === '<') this.fail(MARKUP_ERROR);
      if (next === '"' || next === "'") this.quoted(MARKUP_ERROR);
      else this.at++;
    }
  }

  private entity(): void {
    this.space("Space required after '<!ENTITY'");
    const parameter = this.accept('%');
    if (parameter) this.space("Space required after '%'");
    const name = this.name('xmlParseEntityDecl: no name');
    this.space('Space required after the entity name');
    let value: string | null = null;
    if (this.externalId()) {
      this.skipSpace();
      if (this.accept('NDATA')) {
        this.space("Space required after 'NDATA'");
        this.name('xmlParseEntityDecl: no name');
      }
    } else {
      const start = this.at;
      const written = this.quoted('EntityValue: " or \' expected');
      const resolved = /%/.test(written) ? undefined : this.resolve(written);
      if (resolved === undefined) {
        this.at = start;
        this.fail(MARKUP_ERROR);
      }
      value = resolved;
    }
    this.skipSpace();
    if (!this.accept('>')) this.fail(`xmlParseEntityDecl: entity ${name} not terminated`);
    // The first declaration of a name holds.
    if (parameter) this.parameters.add(name);
    else if (!this.found.entities.has(name)) this.found.entities.set(name, value);
  }

  private attributes(): void {
    this.space("Space required after '<!ATTLIST'");
    const element = this.name('ATTLIST: no name for Element');
    for (;;) {
      const spaced = this.skipSpace();
      if (this.accept('>')) return;
      if (!spaced) this.fail('Space required after the attribute name');
      const name = this.name('ATTLIST: no name for Attribute');
      this.space('Space required after the attribute name');
      if (this.accept('NOTATION')) this.space("Space required after 'NOTATION'");
      if (this.accept('(')) this.until(')', "')' required to finish ATTLIST enumeration");
      else this.name('xmlParseAttributeType: no type');
      this.space('Space required after the attribute type');
      if (this.accept('#REQUIRED') || this.accept('#IMPLIED')) continue;
      if (this.accept('#FIXED')) this.space("Space required after '#FIXED'");
      const value = this.quoted('AttValue: " or \' expected');
      let known = this.found.defaults.get(element);
      if (known === undefined) this.found.defaults.set(element, (known = new Map<string, string>()));
      if (!known.has(name)) known.set(name, value);
    }
  }
}
