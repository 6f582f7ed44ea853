/** SQL/XML: the functions whose keywords PostgreSQL keeps from being names of functions, and XMLTABLE. */
import type { Name } from '../ast-leaves.js';
import type { Expression, XmlFunction, XmlTable } from '../ast.js';
import { JsonGrammar } from './json.js';

type NamedValue = XmlFunction['named'][number];
type Namespace = XmlTable['namespaces'][number];
type Column = XmlTable['columns'][number];

export abstract class XmlGrammar extends JsonGrammar {
  /** A call of a function of SQL/XML whose keyword is next; undefined when the keyword is none of them. */
  protected xmlCall(): Expression | undefined {
    const token = this.next();
    const position = token.startOffset;
    switch (token.tokenType.name) {
      case 'xmlconcat':
        this.advance();
        return this.makeXml('concat', position, { arguments: this.parenthesisedList(this.expression) });
      case 'xmlelement':
        return this.xmlElement(position);
      case 'xmlexists':
        return this.xmlExists(position);
      case 'xmlforest':
        this.advance();
        return this.makeXml('forest', position, { named: this.parenthesisedList(this.xmlNamedValue) });
      case 'xmlparse':
        return this.xmlParse(position);
      case 'xmlpi':
        return this.xmlInstruction(position);
      case 'xmlroot':
        return this.xmlRoot(position);
      case 'xmlserialize':
        return this.xmlSerialize(position);
      default:
        return undefined;
    }
  }

  private makeXml(fn: XmlFunction['function'], position: number, parts: Partial<XmlFunction>): XmlFunction {
    return {
      kind: 'xml-function',
      function: fn,
      name: parts.name,
      named: parts.named ?? [],
      arguments: parts.arguments ?? [],
      form: parts.form,
      preserve: parts.preserve ?? false,
      type: parts.type,
      standalone: parts.standalone,
      position,
    };
  }

  private beginXml(): void {
    this.advance();
    this.expect('(');
  }

  private xmlName(): Name {
    this.expect('name');
    return this.label();
  }

  private xmlForm(): 'document' | 'content' {
    if (this.accept('document')) return 'document';
    this.expect('content');
    return 'content';
  }

  private xmlNamedValue(): NamedValue {
    const position = this.position();
    const value = this.expression();
    return { value, name: this.accept('as') ? this.label() : undefined, position };
  }

  private xmlElement(position: number): Expression {
    this.beginXml();
    const name = this.xmlName();
    let named: NamedValue[] = [];
    let content: Expression[] = [];
    let more = this.accept(',');
    if (more && this.at('xmlattributes')) {
      this.advance();
      named = this.parenthesisedList(this.xmlNamedValue);
      more = this.accept(',');
    }
    if (more) content = this.commaList(this.expression);
    this.expect(')');
    return this.makeXml('element', position, { name, named, arguments: content });
  }

  /** XMLEXISTS(path PASSING [BY REF | VALUE] value [BY REF | VALUE]): a value has no other way to be passed here. */
  private xmlExists(position: number): Expression {
    this.beginXml();
    const path = this.primaryExpression();
    const value = this.xmlPassing();
    this.expect(')');
    return this.makeXml('exists', position, { arguments: [path, value] });
  }

  private xmlPassing(): Expression {
    this.expect('passing');
    this.xmlMechanism();
    const value = this.primaryExpression();
    this.xmlMechanism();
    return value;
  }

  private xmlMechanism(): void {
    if (!this.accept('by')) return;
    if (!this.accept('ref')) this.expect('value');
  }

  private xmlParse(position: number): Expression {
    this.beginXml();
    const form = this.xmlForm();
    const value = this.expression();
    const preserve = this.accept('preserve');
    if (preserve || this.accept('strip')) this.expect('whitespace');
    this.expect(')');
    return this.makeXml('parse', position, { form, arguments: [value], preserve });
  }

  private xmlInstruction(position: number): Expression {
    this.beginXml();
    const name = this.xmlName();
    const content = this.accept(',') ? [this.expression()] : [];
    this.expect(')');
    return this.makeXml('pi', position, { name, arguments: content });
  }

  private xmlRoot(position: number): Expression {
    this.beginXml();
    const list = [this.expression()];
    this.expect(',');
    this.expect('version');
    if (!this.accept2('no', 'value')) list.push(this.expression());
    let standalone: XmlFunction['standalone'];
    if (this.accept(',')) {
      this.expect('standalone');
      if (this.accept('yes')) standalone = 'yes';
      else if (this.accept2('no', 'value')) standalone = 'no value';
      else {
        this.expect('no');
        standalone = 'no';
      }
    }
    this.expect(')');
    return this.makeXml('root', position, { arguments: list, standalone });
  }

  private xmlSerialize(position: number): Expression {
    this.beginXml();
    const form = this.xmlForm();
    const value = this.expression();
    this.expect('as');
    const type = this.typeName();
    this.expect(')');
    return this.makeXml('serialize', position, { form, arguments: [value], type });
  }

  /** XMLTABLE (...), without its alias; the keyword is next. */
  protected xmlTable(lateral: boolean): XmlTable {
    const position = this.position();
    this.beginXml();
    let namespaces: Namespace[] = [];
    if (this.accept('xmlnamespaces')) {
      namespaces = this.parenthesisedList(this.xmlNamespace);
      this.expect(',');
    }
    const rowPath = this.primaryExpression();
    const document = this.xmlPassing();
    this.expect('columns');
    const columns = this.commaList(this.xmlColumn);
    this.expect(')');
    return { kind: 'xml-table', namespaces, rowPath, document, columns, lateral, alias: undefined, position };
  }

  private xmlNamespace(): Namespace {
    const position = this.position();
    if (this.accept('default')) return { uri: this.simpleExpression(), name: undefined, position };
    const uri = this.simpleExpression();
    this.expect('as');
    return { uri, name: this.label(), position };
  }

  private xmlColumn(): Column {
    const position = this.position();
    const name = this.columnName();
    if (this.accept2('for', 'ordinality')) {
      return { name, type: undefined, path: undefined, otherwise: undefined, notNull: undefined, position };
    }
    const type = this.typeName();
    let path: Expression | undefined;
    let otherwise: Expression | undefined;
    let notNull: boolean | undefined;
    for (;;) {
      const at = this.position();
      const once = (given: unknown, message: string): void => {
        if (given !== undefined) this.complain('42601', message, at);
      };
      if (this.accept('default')) {
        once(otherwise, 'only one DEFAULT value is allowed');
        otherwise = this.simpleExpression();
      } else if (this.at2('not', 'null') || this.at('null')) {
        once(notNull, `conflicting or redundant NULL / NOT NULL declarations for column "${name.text}"`);
        notNull = this.accept('not');
        this.advance();
      } else if (this.at('Identifier')) {
        const word = this.advance().value;
        if (word !== 'path') this.complain('42601', `unrecognized column option "${word}"`, at);
        once(path, 'only one PATH value per column is allowed');
        path = this.simpleExpression();
      } else break;
    }
    return { name, type, path, otherwise, notNull, position };
  }

  /** c_expr: no operators outside of parentheses. */
  protected abstract primaryExpression(): Expression;
}
