/** Statements that assign, return, raise, and work with queries and cursors. */
import { PhantomError } from '@phantom/base';
import { PerformedStatements } from './parse-cursors.js';
import type { AssignNode, DynamicNode, IntoNode, Node, RaiseLevel, RaiseNode } from './syntax.js';

const LEVELS: ReadonlySet<string> = new Set(['debug', 'log', 'info', 'notice', 'warning', 'exception']);

export class CommandParser extends PerformedStatements {
  /** COMMIT, ROLLBACK, or a CALL of what may say so has been read. */
  endsTransactions = false;

  /** True before `variable := `, `record.field = `, `array[1] := `. */
  protected isAssignment(): boolean {
    const { reader } = this;
    if (reader.token()?.tokenType.name !== 'Parameter' && !reader.isName()) return false;
    return [':=', '=', '.', '['].some((symbol) => reader.isSymbol(symbol, 1));
  }

  protected assignment(): AssignNode {
    const { reader } = this;
    const { at, line } = reader;
    const path = reader.namePath();
    if (reader.acceptSymbol(':=') || reader.acceptSymbol('=')) {
      const value = reader.expression(';');
      reader.expectSymbol(';');
      return { kind: 'assign', at, line, target: { path, at }, part: undefined, value };
    }
    const start = reader.at;
    const subscripts = reader.skipTo([':=', '=']);
    const part = reader.partOf(path[path.length - 1] as string, start, subscripts.end);
    reader.advance();
    const value = reader.expression(';');
    // Subscripts are computed with the value.
    const names = reader.namesIn(subscripts.first, reader.mark);
    reader.expectSymbol(';');
    return { kind: 'assign', at, line, target: { path, at }, part, value: { ...value, ...names } };
  }

  protected command(): Node {
    const { reader } = this;
    const { at, line, word } = reader;
    switch (word) {
      case 'return':
        return this.returnStatement();
      case 'raise':
        return this.raise();
      case 'assert': {
        reader.advance();
        const condition = reader.expression(',', ';');
        const message = reader.acceptSymbol(',') ? reader.expression(';') : undefined;
        reader.expectSymbol(';');
        return { kind: 'assert', at, line, condition, message };
      }
      case 'execute':
        return this.execute();
      case 'perform': {
        reader.advance();
        const { first, end } = reader.skipTo([';']);
        const statement = reader.statementOf(first, end, 'SELECT ');
        reader.expectSymbol(';');
        return { kind: 'perform', at, line, statement };
      }
      case 'get':
        return this.diagnostics();
      case 'commit':
      case 'rollback':
        return this.endTransaction(word);
      case 'open':
      case 'fetch':
      case 'move':
      case 'close':
        return this.cursorStatement(word);
      case undefined:
        if (!reader.isSymbol('(')) return reader.fail();
        return this.sql();
      default:
        return this.sql();
    }
  }

  private returnStatement(): Node {
    const { reader } = this;
    const { at, line } = reader;
    reader.advance();
    if (reader.isWord('query') && !reader.isSymbol(';', 1)) {
      reader.advance();
      if (reader.acceptWord('execute')) {
        const query = this.dynamic(';');
        reader.expectSymbol(';');
        return { kind: 'return-query', at, line, query };
      }
      const { first, end } = reader.skipTo([';'], 'statement');
      const query = reader.statementOf(first, end);
      reader.expectSymbol(';');
      return { kind: 'return-query', at, line, query };
    }
    const isNext = reader.isWord('next') && reader.acceptWord('next');
    const value = reader.isSymbol(';') ? undefined : reader.expression(';');
    reader.expectSymbol(';');
    return { kind: isNext ? 'return-next' : 'return', at, line, value };
  }

  private raise(): RaiseNode {
    const { reader } = this;
    const { at, line } = reader;
    reader.advance();
    const isLevel = reader.word !== undefined && LEVELS.has(reader.word);
    const level = isLevel ? (reader.advance().value as RaiseLevel) : 'exception';
    const node = {
      kind: 'raise',
      at,
      line,
      level,
      condition: undefined,
      format: undefined,
      arguments: [],
      options: [],
    } as const;
    if (!isLevel && reader.acceptSymbol(';')) return node;
    let condition: RaiseNode['condition'];
    const args: RaiseNode['arguments'][number][] = [];
    const options: RaiseNode['options'][number][] = [];
    const format = reader.acceptString();
    if (format !== undefined) {
      while (reader.acceptSymbol(',')) args.push(reader.expression(',', 'using', ';'));
      checkFormat(format, args.length);
    } else if (!reader.isWord('using')) condition = this.condition();
    if (reader.acceptWord('using')) {
      do {
        const place = reader.at;
        const name = reader.advance().value.toLowerCase();
        if (!reader.acceptSymbol('=')) reader.expectSymbol(':=');
        options.push({ name, value: reader.expression(',', ';'), at: place });
      } while (reader.acceptSymbol(','));
    }
    reader.expectSymbol(';');
    return { ...node, condition, format, arguments: args, options };
  }

  private execute(): Node {
    const { reader } = this;
    const { at, line } = reader;
    reader.advance();
    const text = reader.expression('into', 'using', ';');
    let into: IntoNode | undefined;
    let using: DynamicNode['using'] | undefined;
    for (;;) {
      if (into === undefined && reader.acceptWord('into')) into = this.into();
      else if (using === undefined && reader.acceptWord('using')) using = this.using('into', ';');
      else break;
    }
    reader.expectSymbol(';');
    return { kind: 'execute', at, line, dynamic: { kind: 'dynamic', text, using: using ?? [] }, into };
  }

  private diagnostics(): Node {
    const { reader } = this;
    const { at, line } = reader;
    reader.advance();
    const stacked = reader.acceptWord('stacked');
    if (!stacked) reader.acceptWord('current');
    reader.expectWord('diagnostics');
    const items: Extract<Node, { kind: 'diagnostics' }>['items'][number][] = [];
    do {
      const target = this.target();
      if (!reader.acceptSymbol(':=')) reader.expectSymbol('=');
      const place = reader.at;
      const item = reader.advance().value;
      const known = stacked ? STACKED_ITEMS : CURRENT_ITEMS;
      if (!known.has(item)) {
        const isElsewhere = (stacked ? CURRENT_ITEMS : STACKED_ITEMS).has(item);
        const where = stacked ? 'STACKED DIAGNOSTICS' : 'CURRENT DIAGNOSTICS';
        throw isElsewhere
          ? reader.error('42601', `diagnostics item ${item.toUpperCase()} is not allowed in GET ${where}`, place)
          : reader.error('42601', 'unrecognized GET DIAGNOSTICS item', place);
      }
      items.push({ target, item });
    } while (reader.acceptSymbol(','));
    reader.expectSymbol(';');
    return { kind: 'diagnostics', at, line, stacked, items };
  }

  private endTransaction(kind: 'commit' | 'rollback'): Node {
    const { reader } = this;
    const { at, line } = reader;
    this.endsTransactions = true;
    reader.advance();
    let chain = false;
    if (reader.acceptWord('and')) {
      chain = !reader.acceptWord('no');
      reader.expectWord('chain');
    }
    reader.expectSymbol(';');
    return { kind, at, line, chain };
  }

  /** A statement of SQL, which may say INTO where it likes. */
  private sql(): Node {
    const { reader } = this;
    const { at, line } = reader;
    const first = reader.mark;
    const isCall = reader.isWord('call') || reader.isWord('do');
    let into: IntoNode | undefined;
    let hole: { from: number; to: number } | undefined;
    while (!reader.isSymbol(';')) {
      const previous = reader.mark === first ? undefined : reader.tokenAt(reader.mark - 1)?.value;
      const isInto = reader.isWord('into') && previous !== 'insert' && previous !== 'merge';
      if (!isInto || reader.mark === first) {
        reader.advance();
        continue;
      }
      if (into !== undefined) throw reader.error('42601', 'INTO specified more than once');
      const from = reader.mark;
      reader.advance();
      into = this.into();
      hole = { from, to: reader.mark };
    }
    const statement = reader.statementOf(first, reader.mark, '', hole);
    reader.expectSymbol(';');
    if (isCall) this.endsTransactions = true;
    return isCall ? { kind: 'call', at, line, statement } : { kind: 'sql', at, line, statement, into };
  }
}

const CURRENT_ITEMS: ReadonlySet<string> = new Set(['row_count', 'pg_context']);
const STACKED_ITEMS: ReadonlySet<string> = new Set([
  'returned_sqlstate',
  'message_text',
  'pg_exception_detail',
  'pg_exception_hint',
  'pg_exception_context',
  'column_name',
  'constraint_name',
  'pg_datatype_name',
  'table_name',
  'schema_name',
]);

/** A % in the format stands for an argument, %% for itself. */
function checkFormat(format: string, given: number): void {
  const wanted = format.replaceAll('%%', '').split('%').length - 1;
  if (wanted === given) return;
  throw new PhantomError('42601', `too ${given > wanted ? 'many' : 'few'} parameters specified for RAISE`);
}
