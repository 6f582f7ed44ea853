/** COPY, cursors, prepared statements, EXPLAIN, locks, notices and maintenance. */
import type { Name, Option, QualifiedName } from '../ast-leaves.js';
import type { RefreshMaterializedView, Truncate } from '../ast-schema.js';
import type {
  CloseCursor,
  Cluster,
  Copy,
  CopyOption,
  Deallocate,
  DeclareCursor,
  Discard,
  Fetch,
  LockTable,
  MaintenanceTarget,
  Notify,
  Reindex,
  TwoPhase,
  Vacuum,
} from '../ast-session.js';
import type { Explain, Prepare, Statement } from '../ast-statements.js';
import { AccessGrammar } from './access.js';

export abstract class CommandGrammar extends AccessGrammar {
  // -------------------------------------------------------------------------------------------------------- COPY

  protected copy(position: number): Copy {
    if (this.at('(')) {
      const query = this.parenthesised(this.queryOrChange);
      this.expect('to');
      return this.copyRest('to', undefined, [], query, [], position);
    }
    const options: CopyOption[] = [];
    const at = this.position();
    if (this.accept('binary')) options.push({ name: 'format', value: 'binary', position: at });
    const table = this.qualifiedName();
    const columns = this.optionalNames();
    const direction = this.accept('from') ? 'from' : (this.expect('to'), 'to');
    return this.copyRest(direction as Copy['direction'], table, columns, undefined, options, position);
  }

  private copyRest(
    direction: Copy['direction'],
    table: QualifiedName | undefined,
    columns: Name[],
    query: Copy['query'],
    options: CopyOption[],
    position: number,
  ): Copy {
    let endpoint: Copy['endpoint'] = 'client';
    let path: string | undefined;
    const program = this.accept('program');
    if (program || this.at('String')) {
      endpoint = program ? 'program' : 'file';
      path = this.stringValue();
    } else if (!this.accept('stdin')) this.expect('stdout');
    const at = this.position();
    if (this.accept('delimiters') || this.accept2('using', 'delimiters')) {
      options.push({ name: 'delimiter', value: this.stringValue(), position: at });
    }
    this.accept('with');
    if (this.at('(')) options.push(...this.parenthesisedList(this.copyOption));
    else for (let old = this.oldCopyOption(); old !== undefined; old = this.oldCopyOption()) options.push(old);
    const where = this.optionalWhere();
    if (where !== undefined && direction === 'to') {
      this.complain('42601', 'WHERE clause not allowed with COPY TO', where.position);
    }
    return { kind: 'copy', direction, table, columns, query, where, endpoint, path, options, position };
  }

  /** `name [value]` in parentheses. */
  private copyOption(): CopyOption {
    const position = this.position();
    const name = this.label().text;
    if (this.at(',') || this.at(')')) return { name, value: true, position };
    if (this.accept('*')) return { name, value: '*', position };
    if (this.at('(')) return { name, value: this.parenthesisedList(this.copyColumn), position };
    const number = this.signedNumber();
    if (number?.kind === 'number') return { name, value: Number(number.text), position };
    return { name, value: this.at('String') ? this.stringValue() : this.label().text, position };
  }
  private copyColumn(): Name {
    return this.wordOrString();
  }

  /** The syntax of before PostgreSQL 9: options one after the other. */
  private oldCopyOption(): CopyOption | undefined {
    const position = this.position();
    const word = this.next().tokenType.name;
    switch (word) {
      case 'binary':
      case 'csv':
        this.advance();
        return { name: 'format', value: word, position };
      case 'freeze':
      case 'header':
        this.advance();
        return { name: word, value: true, position };
      case 'delimiter':
      case 'null':
      case 'quote':
      case 'escape':
        this.advance();
        this.accept('as');
        return { name: word, value: this.stringValue(), position };
      case 'encoding':
        this.advance();
        return { name: word, value: this.stringValue(), position };
      case 'force': {
        this.advance();
        if (this.accept('quote')) return { name: 'force_quote', value: this.starOrColumns(), position };
        const not = this.accept('not');
        this.expect('null');
        return { name: not ? 'force_not_null' : 'force_null', value: this.commaList(this.columnName), position };
      }
      default:
        return undefined;
    }
  }
  private starOrColumns(): '*' | Name[] {
    return this.accept('*') ? '*' : this.commaList(this.columnName);
  }

  // ----------------------------------------------------------------------------------------------------- cursors

  protected declareCursor(position: number): DeclareCursor {
    const name = this.columnName();
    let binary = false;
    let insensitive: boolean | undefined;
    let scroll: boolean | undefined;
    for (;;) {
      if (this.accept2('no', 'scroll')) scroll = false;
      else if (this.accept('scroll')) scroll = true;
      else if (this.accept('binary')) binary = true;
      else if (this.accept('insensitive')) insensitive = true;
      else if (this.accept('asensitive')) insensitive = false;
      else break;
    }
    this.expect('cursor');
    const hold = this.accept2('with', 'hold');
    if (!hold && this.accept('without')) this.expect('hold');
    this.expect('for');
    return { kind: 'declare-cursor', name, binary, insensitive, scroll, hold, query: this.query(), position };
  }

  protected fetchRows(move: boolean, position: number): Fetch {
    const word = this.next().tokenType.name;
    // A cursor may be named like a direction; then nothing follows.
    const alone = this.atColumnName() && (this.aheadIs(2, 'EOF') || this.aheadIs(2, ';'));
    const { direction, count } = alone ? { direction: 'forward' as const, count: 1 } : this.fetchDirection(word);
    if (!this.accept('from')) this.accept('in');
    return { kind: 'fetch', move, direction, count, cursor: this.columnName(), position };
  }

  private fetchDirection(word: string): Pick<Fetch, 'direction' | 'count'> {
    switch (word) {
      case 'next':
      case 'prior':
        this.advance();
        return { direction: word === 'next' ? 'forward' : 'backward', count: 1 };
      case 'first':
      case 'last':
        this.advance();
        return { direction: 'absolute', count: word === 'first' ? 1 : -1 };
      case 'absolute':
      case 'relative':
        this.advance();
        return { direction: word, count: Number(this.signedInteger()) };
      case 'all':
        this.advance();
        return { direction: 'forward', count: 'all' };
      case 'forward':
      case 'backward':
        this.advance();
        if (this.accept('all')) return { direction: word, count: 'all' };
        return { direction: word, count: this.atNumber() ? Number(this.signedInteger()) : 1 };
      default:
        return { direction: 'forward', count: this.atNumber() ? Number(this.signedInteger()) : 1 };
    }
  }

  private atNumber(): boolean {
    return this.at('Integer') || this.at('-') || this.at('+');
  }

  protected closeCursor(position: number): CloseCursor {
    return { kind: 'close', name: this.accept('all') ? undefined : this.columnName(), position };
  }

  // --------------------------------------------------------------------------------------------------- prepared

  protected prepareStatement(position: number): Prepare | TwoPhase {
    if (this.at('transaction') && this.aheadIs(2, 'String')) {
      this.advance();
      return { kind: 'prepare-transaction', id: this.stringLiteralValue(), position };
    }
    const name = this.columnName();
    const types = this.at('(') ? this.parenthesisedList(() => this.typeName()) : [];
    this.expect('as');
    const { value: statement, span } = this.span<Statement>(this.queryOrChange);
    return { kind: 'prepare', name, types, statement, span, position };
  }

  protected deallocate(position: number): Deallocate {
    if (!this.aheadIs(2, 'EOF') && !this.aheadIs(2, ';')) this.accept('prepare');
    return { kind: 'deallocate', name: this.accept('all') ? undefined : this.columnName(), position };
  }

  protected explain(position: number): Explain {
    let options: Option[] = [];
    const flag = (word: 'analyze' | 'verbose'): void => {
      const at = this.position();
      const found = this.accept(word) || (word === 'analyze' && this.accept('analyse'));
      const name: Name = { text: word, position: at, quoted: false };
      if (found) options.push({ namespace: undefined, name, value: undefined, position: at });
    };
    if (this.at('(') && !this.atQueryBehindParen()) options = this.utilityOptions();
    else {
      flag('analyze');
      flag('verbose');
    }
    return { kind: 'explain', options, statement: this.explainable(), position };
  }

  private atQueryBehindParen(): boolean {
    const word = this.ahead(2).tokenType.name;
    return word === '(' || word === 'select' || word === 'with' || word === 'table' || word === 'values';
  }

  private explainable(): Statement {
    switch (this.next().tokenType.name) {
      case 'create':
      case 'refresh': {
        const start = this.next();
        const statement = this.statement();
        if (statement.kind !== 'create-table-as' && statement.kind !== 'refresh-materialized-view') this.fail(start);
        return statement;
      }
      case 'declare':
      case 'execute':
        return this.statement();
      default:
        if (!this.atQueryOrChange()) this.fail();
        return this.queryOrChange();
    }
  }

  // ------------------------------------------------------------------------------------------------- maintenance

  protected vacuum(position: number): Vacuum {
    let options: Option[] = [];
    if (this.at('(')) options = this.utilityOptions();
    else {
      for (const word of ['full', 'freeze', 'verbose', 'analyze', 'analyse'] as const) {
        if (!this.at(word)) continue;
        const token = this.advance();
        const name = { ...this.makeName(token), text: word === 'analyse' ? 'analyze' : word };
        options.push({ namespace: undefined, name, value: undefined, position: token.startOffset });
      }
    }
    return { kind: 'vacuum', options, tables: this.maintenanceTargets(), position };
  }

  protected analyze(position: number): Vacuum {
    let options: Option[] = [];
    if (this.at('(')) options = this.utilityOptions();
    else if (this.at('verbose')) {
      const token = this.advance();
      options = [{ namespace: undefined, name: this.makeName(token), value: undefined, position: token.startOffset }];
    }
    return { kind: 'analyze', options, tables: this.maintenanceTargets(), position };
  }

  private maintenanceTargets(): MaintenanceTarget[] {
    return this.atColumnName() ? this.commaList(this.maintenanceTarget) : [];
  }
  private maintenanceTarget(): MaintenanceTarget {
    const position = this.position();
    return { name: this.qualifiedName(), columns: this.optionalNames(), position };
  }

  protected reindex(position: number): Reindex {
    const options = this.at('(') ? this.utilityOptions() : [];
    for (const object of ['index', 'table', 'schema', 'system', 'database'] as const) {
      if (!this.accept(object)) continue;
      const concurrently = this.accept('concurrently');
      return { kind: 'reindex', object, name: this.qualifiedName(), concurrently, options, position };
    }
    return this.fail();
  }

  protected cluster(position: number): Cluster {
    let options: Option[] = [];
    if (this.at('(')) options = this.utilityOptions();
    else if (this.at('verbose')) {
      const token = this.advance();
      options = [{ namespace: undefined, name: this.makeName(token), value: undefined, position: token.startOffset }];
    }
    if (!this.atColumnName()) return { kind: 'cluster', table: undefined, index: undefined, options, position };
    const first = this.qualifiedName();
    if (this.accept('on')) {
      return { kind: 'cluster', table: this.qualifiedName(), index: first.at(-1), options, position };
    }
    const index = this.accept('using') ? this.columnName() : undefined;
    return { kind: 'cluster', table: first, index, options, position };
  }

  protected refresh(position: number): RefreshMaterializedView {
    this.expect('materialized');
    this.expect('view');
    const concurrently = this.accept('concurrently');
    const name = this.qualifiedName();
    return { kind: 'refresh-materialized-view', name, concurrently, withData: this.withData(), position };
  }

  protected truncate(position: number): Truncate {
    this.accept('table');
    const tables = this.commaList(this.relation);
    const restartIdentity = this.accept('restart');
    if (restartIdentity || this.accept('continue')) this.expect('identity');
    return { kind: 'truncate', tables, restartIdentity, cascade: this.cascade(), position };
  }

  /** relation_expr: a table with ONLY or `*`. */
  protected relation(): { name: QualifiedName; only: boolean } {
    const only = this.accept('only');
    const name = only && this.at('(') ? this.parenthesised(this.qualifiedName) : this.qualifiedName();
    if (!only) this.accept('*');
    return { name, only };
  }

  protected lock(position: number): LockTable {
    this.accept('table');
    const tables = this.commaList(this.relation);
    let mode = 'access exclusive';
    if (this.accept('in')) {
      mode = this.lockMode();
      this.expect('mode');
    }
    return { kind: 'lock-table', tables, mode, nowait: this.accept('nowait'), position };
  }

  private lockMode(): string {
    if (this.accept2('access', 'share')) return 'access share';
    if (this.accept2('row', 'share')) return 'row share';
    if (this.accept2('row', 'exclusive')) return 'row exclusive';
    if (this.accept('share')) {
      if (this.accept2('update', 'exclusive')) return 'share update exclusive';
      return this.accept2('row', 'exclusive') ? 'share row exclusive' : 'share';
    }
    if (this.accept('exclusive')) return 'exclusive';
    this.expect('access');
    this.expect('exclusive');
    return 'access exclusive';
  }

  protected discard(position: number): Discard {
    if (this.accept('all')) return { kind: 'discard', what: 'all', position };
    if (this.accept('plans')) return { kind: 'discard', what: 'plans', position };
    if (this.accept('sequences')) return { kind: 'discard', what: 'sequences', position };
    if (!this.accept('temp')) this.expect('temporary');
    return { kind: 'discard', what: 'temporary', position };
  }

  protected notify(kind: Notify['kind'], position: number): Notify {
    if (kind === 'unlisten' && this.accept('*')) return { kind, channel: undefined, payload: undefined, position };
    const channel = this.columnName();
    const payload = kind === 'notify' && this.accept(',') ? this.stringLiteralValue() : undefined;
    return { kind, channel, payload, position };
  }
}
