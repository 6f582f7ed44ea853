/**
 * Blocks of PL/pgSQL and their declarations, after pl_gram.y of PostgreSQL 15.
 *
 *   [<<label>>] [DECLARE declaration; ...] BEGIN statement; ... [EXCEPTION WHEN condition [OR ...] THEN ...] END [label]
 */
import { unsupportedError } from '@phantom/base';
import { BodyReader } from './body-reader.js';
import { StatementParser } from './parse-statements.js';
import type { BlockNode, BodyNode, ConditionNode, Declaration, DeclaredType, HandlerNode, Node } from './syntax.js';

/** Reads a body; 42601 and kin with a position in it. */
export function parseBody(source: string): BodyNode {
  const { text, ...options } = readOptions(source);
  const reader = new BodyReader(text);
  const parser = new BodyParser(reader);
  const block = parser.block();
  reader.acceptSymbol(';');
  if (!reader.isAtEnd) reader.fail();
  return { block, ...options, endsTransactions: parser.endsTransactions };
}

const OPTION = /^[ \t]*#[ \t]*(\w+)[ \t]+(\w+)[ \t]*$/;
const CONFLICTS = { error: 'neither', use_variable: 'variables', use_column: 'columns' } as const;

interface BodyOptions {
  text: string;
  conflict: BodyNode['conflict'];
  printsStrictParameters: BodyNode['printsStrictParameters'];
}

/** Takes the lines that begin with # off the front of a body: spaces are left in their place. */
function readOptions(source: string): Readonly<BodyOptions> {
  const lines = source.split('\n');
  const options: BodyOptions = { text: '', conflict: undefined, printsStrictParameters: undefined };
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string;
    if (line.trim() === '') continue;
    const [, name, value] = OPTION.exec(line) ?? [];
    if (name === 'option' && value === 'dump') throw unsupportedError('#option dump');
    if (name === 'variable_conflict' && value !== undefined && value in CONFLICTS)
      options.conflict = CONFLICTS[value as keyof typeof CONFLICTS];
    else if (name === 'print_strict_params' && (value === 'on' || value === 'off'))
      options.printsStrictParameters = value === 'on';
    else break;
    lines[i] = ' '.repeat(line.length);
  }
  options.text = lines.join('\n');
  return options;
}

class BodyParser {
  private readonly reader: BodyReader;
  private readonly statements: StatementParser;

  constructor(reader: BodyReader) {
    this.reader = reader;
    this.statements = new StatementParser(reader, (label) => this.block(label));
  }

  get endsTransactions(): boolean {
    return this.statements.endsTransactions;
  }

  /** A block whose label, if it has one, may have been read. */
  block(given?: string): BlockNode {
    const { reader } = this;
    const label = given ?? this.statements.optionalLabel();
    const { at, line } = reader;
    const declarations: Declaration[] = [];
    while (reader.acceptWord('declare')) {
      while (!reader.isWord('begin') && !reader.isWord('declare')) declarations.push(this.declaration());
    }
    const begin = reader.line;
    reader.expectWord('begin');
    const body = this.statements.list('exception', 'end');
    const handlers: HandlerNode[] = [];
    if (reader.acceptWord('exception')) {
      do handlers.push(this.handler());
      while (reader.isWord('when'));
    }
    reader.expectWord('end');
    this.statements.endLabel(label);
    return { kind: 'block', at, line: declarations.length > 0 ? begin : line, label, declarations, body, handlers };
  }

  private handler(): HandlerNode {
    const { reader } = this;
    const { at } = reader;
    reader.expectWord('when');
    const conditions: ConditionNode[] = [this.statements.condition()];
    while (reader.acceptWord('or')) conditions.push(this.statements.condition());
    reader.expectWord('then');
    const body: readonly Node[] = this.statements.list('when', 'end');
    return { at, conditions, body };
  }

  private declaration(): Declaration {
    const { reader } = this;
    const { at, line } = reader;
    const name = reader.name();
    if (reader.isWord('alias') && reader.isWord('for', 1)) {
      reader.advance();
      reader.advance();
      const target = reader.namePath();
      reader.expectSymbol(';');
      return { kind: 'alias', at, name, target };
    }
    if (this.isCursor()) return this.cursor(name, at, line);
    const constant = reader.acceptWord('constant');
    const type = this.type('not', 'collate', 'default', ':=', '=', ';');
    if (reader.acceptWord('collate')) reader.namePath();
    const notNull = reader.acceptWord('not');
    if (notNull) reader.expectWord('null');
    const hasInitial = reader.acceptWord('default') || reader.acceptSymbol(':=') || reader.acceptSymbol('=');
    const initial = hasInitial ? reader.expression(';') : undefined;
    reader.expectSymbol(';');
    if (notNull && initial === undefined)
      throw reader.error('22004', `variable "${name}" must have a default value, since it's declared NOT NULL`, at);
    return { kind: 'variable', at, line, name, constant, type, notNull, initial };
  }

  private isCursor(): boolean {
    const { reader } = this;
    let ahead = 0;
    if (reader.isWord('no')) ahead++;
    if (reader.isWord('scroll', ahead)) ahead++;
    if (!reader.isWord('cursor', ahead)) return false;
    return reader.isSymbol('(', ahead + 1) || reader.isWord('for', ahead + 1) || reader.isWord('is', ahead + 1);
  }

  private cursor(name: string, at: number, line: number): Declaration {
    const { reader } = this;
    const isBackward = !reader.acceptWord('no');
    const scroll = reader.acceptWord('scroll') ? isBackward : undefined;
    reader.expectWord('cursor');
    const parameters: { at: number; name: string; type: DeclaredType }[] = [];
    if (reader.acceptSymbol('(')) {
      do parameters.push({ at: reader.at, name: reader.name(), type: this.type(',', ')') });
      while (reader.acceptSymbol(','));
      reader.expectSymbol(')');
    }
    if (!reader.acceptWord('is')) reader.expectWord('for');
    const { first, end } = reader.skipTo([';'], 'statement');
    const query = reader.statementOf(first, end);
    reader.expectSymbol(';');
    return { kind: 'cursor', at, line, name, scroll, parameters, query };
  }

  /** A type that ends before one of the words and symbols. */
  private type(...ends: readonly string[]): DeclaredType {
    const { reader } = this;
    const { at } = reader;
    const { first, end } = this.reader.skipTo(ends, 'data type declaration');
    const last = reader.tokenAt(end - 1);
    const isDerived = end - first >= 3 && reader.tokenAt(end - 2)?.image === '%';
    const word = last?.value.toLowerCase();
    if (!isDerived || (word !== 'type' && word !== 'rowtype'))
      return { kind: 'type', name: reader.typeOf(first, end), at };
    const path = reader.pathBetween(first, end - 2);
    return { kind: word === 'type' ? 'same-as' : 'row-of', path, at };
  }
}
