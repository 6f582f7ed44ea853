/** OPEN, FETCH, MOVE and CLOSE, and the phrases that several statements share: INTO, USING, names of errors. */
import type { BodyReader } from './body-reader.js';
import type {
  ConditionNode,
  CursorArgument,
  DynamicNode,
  ExpressionFragment,
  FetchDirection,
  FetchNode,
  IntoNode,
  Node,
  TargetNode,
} from './syntax.js';

export class PerformedStatements {
  protected readonly reader: BodyReader;

  constructor(reader: BodyReader) {
    this.reader = reader;
  }

  /** The name of an error, or SQLSTATE '...'. */
  condition(): ConditionNode {
    const { reader } = this;
    const { at } = reader;
    if (!reader.acceptWord('sqlstate')) return { kind: 'name', text: reader.name(), at };
    const text = reader.acceptString();
    if (text === undefined) return reader.fail();
    if (!/^[0-9A-Z]{5}$/.test(text)) throw reader.error('42601', 'invalid SQLSTATE code', at);
    return { kind: 'state', text, at };
  }

  protected target(): TargetNode {
    const { at } = this.reader;
    return { path: this.reader.namePath(), at };
  }

  protected targets(): readonly TargetNode[] {
    const targets = [this.target()];
    while (this.reader.acceptSymbol(',')) targets.push(this.target());
    return targets;
  }

  /** Behind INTO. */
  protected into(): IntoNode {
    return { strict: this.reader.acceptWord('strict'), targets: this.targets() };
  }

  /** Behind EXECUTE, up to one of the words or symbols: a text and the values of its parameters. */
  protected dynamic(...ends: readonly string[]): DynamicNode {
    const text = this.reader.expression('using', ...ends);
    return { kind: 'dynamic', text, using: this.reader.acceptWord('using') ? this.using(...ends) : [] };
  }

  protected using(...ends: readonly string[]): readonly ExpressionFragment[] {
    const values: ExpressionFragment[] = [];
    do values.push(this.reader.expression(',', ...ends));
    while (this.reader.acceptSymbol(','));
    return values;
  }

  protected cursorStatement(word: 'open' | 'fetch' | 'move' | 'close'): Node {
    switch (word) {
      case 'open':
        return this.open();
      case 'close': {
        const { at, line } = this.reader;
        this.reader.advance();
        const cursor = this.target();
        this.reader.expectSymbol(';');
        return { kind: 'close', at, line, cursor };
      }
      default:
        return this.fetch(word === 'move');
    }
  }

  private open(): Node {
    const { reader } = this;
    const { at, line } = reader;
    reader.advance();
    const cursor = this.target();
    const isBackward = !reader.acceptWord('no');
    const scroll = reader.acceptWord('scroll') ? isBackward : undefined;
    const base = { kind: 'open', at, line, cursor, scroll, argumentsAt: reader.at } as const;
    if (reader.acceptWord('for')) {
      if (reader.acceptWord('execute')) {
        const query = this.dynamic(';');
        reader.expectSymbol(';');
        return { ...base, query, arguments: [] };
      }
      const { first, end } = reader.skipTo([';'], 'statement');
      const query = reader.statementOf(first, end);
      reader.expectSymbol(';');
      return { ...base, query, arguments: [] };
    }
    const args = reader.isSymbol('(') ? this.cursorArguments(reader.mark) : [];
    reader.expectSymbol(';');
    return { ...base, query: undefined, arguments: args };
  }

  /** `(a, name := b)`, from the parenthesis at the mark on; the reader stands behind it afterwards. */
  protected cursorArguments(mark: number): readonly CursorArgument[] {
    const { reader } = this;
    reader.goTo(mark);
    reader.expectSymbol('(');
    const args: CursorArgument[] = [];
    do {
      const { at } = reader;
      const isNamed = reader.isSymbol(':=', 1) || reader.isSymbol('=>', 1);
      const name = isNamed ? reader.name() : undefined;
      if (isNamed) reader.advance();
      args.push({ at, name, value: reader.expression(',', ')') });
    } while (reader.acceptSymbol(','));
    reader.expectSymbol(')');
    return args;
  }

  private fetch(moves: boolean): Node {
    const { reader } = this;
    const { at, line } = reader;
    reader.advance();
    const { direction, count } = this.direction();
    if (!reader.acceptWord('from')) reader.acceptWord('in');
    const cursor = this.target();
    const into = !moves && reader.acceptWord('into') ? this.targets() : [];
    if (!moves && into.length === 0) reader.fail();
    reader.expectSymbol(';');
    return { kind: 'fetch', at, line, moves, direction, count, cursor, into };
  }

  private direction(): { readonly direction: FetchDirection; readonly count: FetchNode['count'] } {
    const { reader } = this;
    const isOnlyName = reader.isName() && (reader.isWord('into', 1) || reader.isSymbol(';', 1));
    if (isOnlyName) return { direction: 'forward', count: 1 };
    const word = reader.word ?? '';
    const fixed = FIXED_DIRECTIONS[word];
    if (fixed !== undefined) {
      reader.advance();
      return fixed;
    }
    switch (word) {
      case 'absolute':
      case 'relative':
        reader.advance();
        return { direction: word, count: reader.expression('from', 'in') };
      case 'forward':
      case 'backward':
        reader.advance();
        if (reader.acceptWord('all')) return { direction: word, count: 'all' };
        if (reader.isWord('from') || reader.isWord('in')) return { direction: word, count: 1 };
        return { direction: word, count: reader.expression('from', 'in') };
      case 'from':
      case 'in':
        return { direction: 'forward', count: 1 };
      default:
        return { direction: 'forward', count: reader.expression('from', 'in') };
    }
  }
}

const FIXED_DIRECTIONS: Readonly<Record<string, { direction: FetchDirection; count: number | 'all' }>> = {
  next: { direction: 'forward', count: 1 },
  prior: { direction: 'backward', count: 1 },
  first: { direction: 'absolute', count: 1 },
  last: { direction: 'absolute', count: -1 },
  all: { direction: 'forward', count: 'all' },
};
