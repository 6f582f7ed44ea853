/** SET, RESET, SHOW, transactions, and the values that settings take. */
import type { Name } from '../ast-leaves.js';
import type {
  Begin,
  EndTransaction,
  Reset,
  Savepoint,
  SetConstraints,
  SetSetting,
  SettingItem,
  SettingValue,
  SetTransaction,
  Show,
  TransactionModes,
  TwoPhase,
} from '../ast-session.js';
import { RoutineGrammar } from './routines.js';

type Scope = SetSetting['scope'];

export abstract class SettingGrammar extends RoutineGrammar {
  // ------------------------------------------------------------------------------------------------- transactions

  protected transactionModes(required = false): TransactionModes {
    let isolation: TransactionModes['isolation'];
    let readOnly: boolean | undefined;
    let deferrable: boolean | undefined;
    for (let first = true; ; first = false) {
      const comma = !first && this.accept(',');
      if (this.accept2('isolation', 'level')) isolation = this.isolationLevel();
      else if (this.accept2('read', 'only')) readOnly = true;
      else if (this.accept2('read', 'write')) readOnly = false;
      else if (this.accept('deferrable')) deferrable = true;
      else if (this.accept2('not', 'deferrable')) deferrable = false;
      else if (comma || (first && required)) this.fail();
      else return { isolation, readOnly, deferrable };
    }
  }

  private isolationLevel(): TransactionModes['isolation'] {
    if (this.accept2('read', 'uncommitted')) return 'read uncommitted';
    if (this.accept2('read', 'committed')) return 'read committed';
    if (this.accept2('repeatable', 'read')) return 'repeatable read';
    this.expect('serializable');
    return 'serializable';
  }

  private work(): void {
    if (!this.accept('work')) this.accept('transaction');
  }

  protected begin(start: boolean, position: number): Begin {
    if (start) this.expect('transaction');
    else this.work();
    return { kind: 'begin', start, modes: this.transactionModes(), position };
  }

  private chain(): boolean {
    if (!this.accept('and')) return false;
    const chain = !this.accept('no');
    this.expect('chain');
    return chain;
  }

  /** COMMIT, END, ROLLBACK and ABORT with what may follow; the word has been read. */
  protected endTransaction(word: string, position: number): EndTransaction | Savepoint | TwoPhase {
    const rollback = word === 'rollback' || word === 'abort';
    if ((word === 'commit' || word === 'rollback') && this.accept('prepared')) {
      return { kind: rollback ? 'rollback-prepared' : 'commit-prepared', id: this.stringLiteralValue(), position };
    }
    this.work();
    if (word === 'rollback' && this.accept('to')) {
      this.accept('savepoint');
      return { kind: 'rollback-to', name: this.columnName(), position };
    }
    return { kind: rollback ? 'rollback' : 'commit', chain: this.chain(), position };
  }

  protected setConstraints(position: number): SetConstraints {
    const names = this.accept('all') ? [] : this.qualifiedNames();
    const deferred = this.accept('deferred');
    if (!deferred) this.expect('immediate');
    return { kind: 'set-constraints', names, deferred, position };
  }

  // ------------------------------------------------------------------------------------------------------ settings

  /** SET of every kind; the word has been read. */
  protected set(position: number): SetSetting | SetTransaction | SetConstraints {
    if (this.accept('constraints')) return this.setConstraints(position);
    const scope: Scope = this.at('local') ? 'local' : 'session';
    if (this.at('session') && this.aheadIs(2, 'characteristics')) {
      this.advance();
      this.advance();
      this.expect('as');
      this.expect('transaction');
      return { kind: 'set-transaction', session: true, modes: this.transactionModes(true), position };
    }
    if (this.at('local') || (this.at('session') && !this.aheadIs(2, 'authorization') && !this.assigns(2)))
      this.advance();
    if (this.at('transaction') && !this.assigns(2)) {
      this.advance();
      if (this.accept('snapshot')) {
        return this.makeSet(scope, 'transaction_snapshot', this.oneString(), position);
      }
      return { kind: 'set-transaction', session: false, modes: this.transactionModes(true), position };
    }
    return this.setRest(scope, position);
  }

  /** True when the word at `count` assigns: TO, = or a dot. */
  private assigns(count: number): boolean {
    return this.aheadIs(count, 'to') || this.aheadIs(count, '=') || this.aheadIs(count, '.');
  }

  private makeSet(scope: Scope, name: string, value: SettingValue, position: number): SetSetting {
    return { kind: 'set', scope, name, value, position };
  }

  /** set_rest_more: a setting, or one of the forms with words of their own. */
  protected setRest(scope: Scope, position: number): SetSetting {
    if (!this.assigns(2)) {
      const special = this.specialSetting();
      if (special !== undefined) return this.makeSet(scope, special.name, special.value, position);
    }
    const name = this.settingName();
    if (this.at('from') && this.aheadIs(2, 'current')) {
      const at = this.advance().startOffset;
      this.advance();
      return this.makeSet(scope, name, { kind: 'current', position: at }, position);
    }
    if (!this.accept('to')) this.expect('=');
    return this.makeSet(scope, name, this.settingValue(), position);
  }

  private specialSetting(): { name: string; value: SettingValue } | undefined {
    const at = this.position();
    if (this.accept2('time', 'zone')) return { name: 'timezone', value: this.zoneValue() };
    if (this.accept2('session', 'authorization')) {
      const name = 'session_authorization';
      return this.accept('default')
        ? { name, value: { kind: 'default', position: at } }
        : { name, value: this.oneWord() };
    }
    if (this.accept2('xml', 'option')) {
      if (!this.at('document') && !this.at('content')) this.fail();
      return { name: 'xmloption', value: this.oneWord() };
    }
    switch (this.next().tokenType.name) {
      case 'names': {
        this.advance();
        const none = !this.at('String');
        if (none) this.accept('default');
        return { name: 'client_encoding', value: none ? { kind: 'default', position: at } : this.oneString() };
      }
      case 'role':
        this.advance();
        return { name: 'role', value: this.oneWord() };
      case 'schema':
        this.advance();
        return { name: 'search_path', value: this.oneString() };
      case 'catalog':
        this.advance();
        return { name: 'catalog', value: this.oneString() };
      default:
        return this.atWord('seed') && this.aheadIs(2, 'Decimal') ? this.seedSetting() : undefined;
    }
  }

  private seedSetting(): { name: string; value: SettingValue } {
    this.advance();
    const position = this.position();
    return { name: 'seed', value: { kind: 'values', values: [this.settingItem()], position } };
  }

  private oneString(): SettingValue {
    const { startOffset: position } = this.next();
    const text = this.stringValue();
    return { kind: 'values', values: [{ kind: 'string', text, position }], position };
  }

  private oneWord(): SettingValue {
    const position = this.position();
    const name: Name = this.wordOrString();
    return { kind: 'values', values: [{ kind: 'word', text: name.text, position }], position };
  }

  private zoneValue(): SettingValue {
    const position = this.position();
    if (this.accept('default') || this.accept('local')) return { kind: 'default', position };
    if (!this.at('interval')) return { kind: 'values', values: [this.settingItem()], position };
    this.advance();
    if (this.accept('(')) {
      this.integer();
      this.expect(')');
    }
    const text = this.stringValue();
    const { fields } = this.intervalFields();
    if (fields.some((field) => field !== 'hour' && field !== 'minute')) {
      this.complain('42601', 'time zone interval must be HOUR or HOUR TO MINUTE', position);
    }
    return { kind: 'values', values: [{ kind: 'interval', text, fields, position }], position };
  }

  /** var_name: words with dots, in lower case unless quoted. */
  protected settingName(): string {
    let name = this.columnName().text;
    while (this.accept('.')) name += `.${this.columnName().text}`;
    return name;
  }

  private settingValue(): SettingValue {
    const position = this.position();
    if (this.accept('default')) return { kind: 'default', position };
    return { kind: 'values', values: this.commaList(this.settingItem), position };
  }

  private settingItem(): SettingItem {
    const position = this.position();
    if (this.at('String')) return { kind: 'string', text: this.advance().value, position };
    const number = this.signedNumber();
    if (number?.kind === 'number') return { kind: 'number', text: number.text, position };
    for (const word of ['true', 'false', 'on'] as const)
      if (this.accept(word)) return { kind: 'word', text: word, position };
    return { kind: 'word', text: this.nonReservedWord().text, position };
  }

  /** RESET and SHOW: a name, ALL, or one of the forms in words. */
  protected settingOrAll(): string | undefined {
    if (this.accept('all')) return undefined;
    if (this.accept2('time', 'zone')) return 'timezone';
    if (this.accept2('session', 'authorization')) return 'session_authorization';
    if (this.accept('transaction')) {
      this.expect('isolation');
      this.expect('level');
      return 'transaction_isolation';
    }
    return this.settingName();
  }

  protected resetSetting(position: number): Reset {
    return { kind: 'reset', name: this.settingOrAll(), position };
  }
  protected show(position: number): Show {
    return { kind: 'show', name: this.settingOrAll(), position };
  }

  protected settingClause(): SetSetting | Reset {
    const position = this.position();
    if (this.accept('reset')) return this.resetSetting(position);
    this.expect('set');
    return this.setRest('session', position);
  }
}
