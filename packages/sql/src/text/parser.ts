/**
 * The parser: the entries that parse.ts calls, and the first word of a statement, which decides how it is read.
 *
 * The entries are the rules that chevrotain knows. Their bodies are actions of ours (`token-reader.ts` says why), so
 * nothing is recorded and no look-ahead is computed; construction is the price of the vocabulary.
 */
import type { TypeName } from './ast-leaves.js';
import type { ParsedStatement, Statement } from './ast-statements.js';
import type { Expression } from './ast.js';
import { CreationGrammar } from './grammar/creations.js';

type Entry<T> = () => T;

export class SqlParser extends CreationGrammar {
  readonly script: Entry<ParsedStatement[]>;
  readonly oneStatement: Entry<Statement>;
  readonly oneExpression: Entry<Expression>;
  readonly oneTypeName: Entry<TypeName>;

  /** `skipValidations` is true outside tests: checking the grammar costs more than all the rest. */
  constructor(skipValidations: boolean) {
    super(skipValidations);
    this.script = this.entry('script', this.readScript);
    this.oneStatement = this.entry('oneStatement', this.readOneStatement);
    this.oneExpression = this.entry('oneExpression', () => this.whole(this.expression));
    this.oneTypeName = this.entry('oneTypeName', () => this.whole(() => this.typeName(true)));
    this.performSelfAnalysis();
  }

  /** A rule of chevrotain whose body is an action. */
  private entry<T>(name: string, read: (this: this) => T): Entry<T> {
    const action = (): T => read.call(this);
    return this.RULE(name, () => this.ACTION(action));
  }

  private whole<T>(read: (this: this) => T): T {
    const value = read.call(this);
    if (!this.atEnd()) this.fail();
    return value;
  }

  private readScript(): ParsedStatement[] {
    const statements: ParsedStatement[] = [];
    for (;;) {
      while (this.accept(';'));
      if (this.atEnd()) return statements;
      const start = this.position();
      const node = this.statement();
      statements.push({ node, start, end: this.lastEnd() });
      if (!this.atEnd() && !this.at(';')) this.fail();
    }
  }

  private readOneStatement(): Statement {
    const [first, second] = this.readScript();
    if (second !== undefined) {
      this.complain('42601', 'cannot insert multiple commands into a prepared statement', second.start);
    }
    return first === undefined ? this.fail() : first.node;
  }

  protected statement(): Statement {
    this.enter();
    const token = this.next();
    const word = token.tokenType.name;
    this.wanted('a statement');
    const node =
      this.dataStatement(word) ??
      this.schemaStatement(word, token.startOffset) ??
      this.sessionStatement(word, token.startOffset) ??
      this.maintenanceStatement(word, token.startOffset);
    this.leave();
    return node;
  }

  private dataStatement(word: string): Statement | undefined {
    switch (word) {
      case 'select':
      case 'values':
      case 'table':
      case '(':
        return this.query();
      case 'with':
      case 'insert':
      case 'update':
      case 'delete':
      case 'merge':
        return this.queryOrChange();
      default:
        return undefined;
    }
  }

  private schemaStatement(word: string, position: number): Statement | undefined {
    switch (word) {
      case 'create':
        this.advance();
        return this.create(position);
      case 'alter':
        this.advance();
        return this.alter(position);
      case 'drop':
        this.advance();
        return this.drop(position);
      case 'comment':
        this.advance();
        return this.comment(position);
      case 'grant':
      case 'revoke':
        this.advance();
        return this.grant(word === 'revoke', position);
      case 'reassign':
        this.advance();
        return this.ownedBy(true, position);
      case 'truncate':
        this.advance();
        return this.truncate(position);
      case 'refresh':
        this.advance();
        return this.refresh(position);
      case 'security':
        return this.unsupported('SECURITY LABEL', position);
      case 'import':
        return this.unsupported('IMPORT FOREIGN SCHEMA', position);
      default:
        return undefined;
    }
  }

  private sessionStatement(word: string, position: number): Statement | undefined {
    switch (word) {
      case 'begin':
      case 'start':
        this.advance();
        return this.begin(word === 'start', position);
      case 'commit':
      case 'end':
      case 'rollback':
      case 'abort':
        this.advance();
        return this.endTransaction(word, position);
      case 'savepoint':
        this.advance();
        return { kind: 'savepoint', name: this.columnName(), position };
      case 'release':
        this.advance();
        this.accept('savepoint');
        return { kind: 'release', name: this.columnName(), position };
      case 'set':
        this.advance();
        return this.set(position);
      case 'reset':
        this.advance();
        return this.resetSetting(position);
      case 'show':
        this.advance();
        return this.show(position);
      case 'discard':
        this.advance();
        return this.discard(position);
      case 'prepare':
        this.advance();
        return this.prepareStatement(position);
      case 'execute':
        return this.executePrepared();
      case 'deallocate':
        this.advance();
        return this.deallocate(position);
      case 'declare':
        this.advance();
        return this.declareCursor(position);
      case 'fetch':
      case 'move':
        this.advance();
        return this.fetchRows(word === 'move', position);
      case 'close':
        this.advance();
        return this.closeCursor(position);
      default:
        return undefined;
    }
  }

  private maintenanceStatement(word: string, position: number): Statement {
    const start = this.next();
    if (!this.atEnd()) this.advance();
    switch (word) {
      case 'explain':
        return this.explain(position);
      case 'copy':
        return this.copy(position);
      case 'call':
        return this.callStatement(position);
      case 'do':
        return this.doBlock(position);
      case 'lock':
        return this.lock(position);
      case 'listen':
      case 'unlisten':
      case 'notify':
        return this.notify(word, position);
      case 'vacuum':
        return this.vacuum(position);
      case 'analyze':
      case 'analyse':
        return this.analyze(position);
      case 'reindex':
        return this.reindex(position);
      case 'cluster':
        return this.cluster(position);
      case 'Identifier':
        // No keyword of PostgreSQL's, and so a name everywhere else.
        if (start.value === 'backup' && start.quoted === false) return this.backup(position);
        return this.fail(start);
      case 'checkpoint':
        return { kind: 'checkpoint', position };
      case 'load':
        return { kind: 'load', path: this.stringLiteralValue(), position };
      default:
        return this.fail(start);
    }
  }

  private backup(position: number): Statement {
    this.expect('to');
    return { kind: 'backup', directory: this.stringLiteralValue(), position };
  }
}
