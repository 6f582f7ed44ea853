/** ALTER TABLE and the ALTERs of other relations that share its actions. */
import type { Name } from '../ast-leaves.js';
import type { AlterTable, AlterTableAction, Deferral, SequenceOption } from '../ast-schema.js';
import type { Keyword } from '../keywords.js';
import { ObjectGrammar } from './objects.js';

type Firing = 'origin' | 'always' | 'replica';

export abstract class AlterTableGrammar extends ObjectGrammar {
  /** The actions behind the name of a relation. */
  protected alterTableActions(object: AlterTable['object']): AlterTableAction[] {
    return this.commaList(() => this.alterTableAction(object));
  }

  protected makeAlterTable(
    object: AlterTable['object'],
    name: AlterTable['name'],
    only: boolean,
    ifExists: boolean,
    actions: readonly AlterTableAction[],
    position: number,
  ): AlterTable {
    return { kind: 'alter-table', object, name, only, ifExists, actions, position };
  }

  private alterTableAction(object: AlterTable['object']): AlterTableAction {
    const position = this.position();
    const word = this.next().tokenType.name;
    switch (word) {
      case 'add':
        return this.addAction(position);
      case 'drop':
        return this.dropAction(position);
      case 'alter':
        return this.alterAction(position);
      case 'validate':
        this.advance();
        this.expect('constraint');
        return { kind: 'validate-constraint', name: this.columnName(), position };
      case 'set':
        return this.setAction(position);
      case 'reset':
        this.advance();
        return { kind: 'reset-options', options: this.storageOptions(), position };
      case 'cluster':
        this.advance();
        this.expect('on');
        return { kind: 'cluster-on', name: this.columnName(), position };
      case 'inherit':
        this.advance();
        return { kind: 'inherit', table: this.qualifiedName(), position };
      case 'no':
        return this.noAction(position);
      case 'of':
        this.advance();
        return { kind: 'of', table: this.qualifiedName(), position };
      case 'not':
        this.advance();
        this.expect('of');
        return { kind: 'not-of', position };
      case 'owner':
        this.advance();
        this.expect('to');
        return { kind: 'owner', owner: this.roleSpecification(), position };
      case 'enable':
      case 'disable':
        return this.enableAction(word === 'enable', position);
      case 'force':
        this.advance();
        return this.rowSecurity('force', position);
      case 'replica':
        return this.replicaIdentity(position);
      case 'attach':
        return this.attachPartition(object === 'index', position);
      case 'detach':
        return this.detachPartition(position);
      default:
        this.wanted('an action of ALTER TABLE');
        return this.fail();
    }
  }

  // ------------------------------------------------------------------------------------------------- add and drop

  private addAction(position: number): AlterTableAction {
    this.advance();
    if (this.accept('attribute')) {
      return { kind: 'add-attribute', attribute: this.fieldDefinition(), cascade: this.cascade(), position };
    }
    if (this.atTableConstraint()) return { kind: 'add-constraint', constraint: this.tableConstraint(), position };
    if (this.atWord('period') && this.aheadIs(2, 'for')) {
      return { kind: 'add-period', period: this.periodDefinition(), position };
    }
    if (this.at('system') && this.atWord('versioning', 2)) {
      this.advance();
      this.advance();
      return { kind: 'add-system-versioning', position };
    }
    this.accept('column');
    const ifNotExists = this.ifNotExists();
    return { kind: 'add-column', ifNotExists, column: this.columnDefinition(), cascade: false, position };
  }

  private dropAction(position: number): AlterTableAction {
    this.advance();
    if (this.accept('attribute')) {
      const ifExists = this.ifExists();
      return { kind: 'drop-attribute', ifExists, name: this.columnName(), cascade: this.cascade(), position };
    }
    if (this.accept('constraint')) {
      const ifExists = this.ifExists();
      return { kind: 'drop-constraint', ifExists, name: this.columnName(), cascade: this.cascade(), position };
    }
    if (this.atWord('period') && this.aheadIs(2, 'for')) {
      this.advance();
      this.advance();
      return { kind: 'drop-period', name: this.columnName(), position };
    }
    if (this.at('system') && this.atWord('versioning', 2)) {
      this.advance();
      this.advance();
      return { kind: 'drop-system-versioning', position };
    }
    this.accept('column');
    const ifExists = this.ifExists();
    return { kind: 'drop-column', ifExists, name: this.columnName(), cascade: this.cascade(), position };
  }

  // ------------------------------------------------------------------------------------------------- ALTER COLUMN

  private alterAction(position: number): AlterTableAction {
    this.advance();
    if (this.accept('constraint')) return this.alterConstraint(position);
    if (this.accept('attribute')) return this.alterType(this.columnName(), position);
    this.accept('column');
    if (this.at('Integer')) {
      const column = this.integer();
      this.expect('set');
      this.expect('statistics');
      return { kind: 'set-statistics', column, value: Number(this.signedInteger()), position };
    }
    const column = this.columnName();
    switch (this.next().tokenType.name) {
      case 'set':
        return this.setColumn(column, position);
      case 'drop':
        return this.dropFromColumn(column, position);
      case 'reset':
        this.advance();
        return { kind: 'reset-column-options', column, options: this.storageOptions(), position };
      case 'add': {
        this.advance();
        this.expect('generated');
        const always = this.generatedWhen();
        this.expect('as');
        this.expect('identity');
        return { kind: 'add-identity', column, always, options: this.identityOptions(), position };
      }
      case 'type':
        return this.alterType(column, position);
      case 'restart':
        return this.setIdentity(column, position);
      default:
        this.wanted('an action of ALTER COLUMN');
        return this.fail();
    }
  }

  private identityOptions(): SequenceOption[] {
    if (!this.accept('(')) return [];
    const options = this.sequenceOptions();
    this.expect(')');
    return options;
  }

  private alterConstraint(position: number): AlterTableAction {
    const name = this.columnName();
    const { deferrable, initiallyDeferred } = this.constraintAttributes('FOREIGN KEY');
    const deferral: Deferral = { deferrable, initiallyDeferred };
    return { kind: 'alter-constraint', name, deferral, position };
  }

  /** [SET DATA] TYPE type. */
  private alterType(column: Name, position: number): AlterTableAction {
    if (this.accept('set')) this.expect('data');
    this.expect('type');
    const type = this.typeName();
    const collation = this.optionalCollation();
    const using = this.accept('using') ? this.expression() : undefined;
    return { kind: 'alter-type', column, type, collation, using, cascade: this.cascade(), position };
  }

  private setColumn(column: Name, position: number): AlterTableAction {
    const second = this.ahead(2).tokenType.name;
    if (second === 'data') return this.alterType(column, position);
    if (
      second === 'generated' ||
      second === 'increment' ||
      second === 'start' ||
      second === 'cache' ||
      second === 'no'
    ) {
      return this.setIdentity(column, position);
    }
    if (second === 'minvalue' || second === 'maxvalue' || second === 'cycle' || second === 'restart') {
      return this.setIdentity(column, position);
    }
    this.advance();
    if (this.accept('default')) return { kind: 'set-default', column, value: this.expression(), position };
    if (this.accept2('not', 'null')) return { kind: 'set-not-null', column, position };
    if (this.accept('statistics')) {
      return { kind: 'set-statistics', column, value: Number(this.signedInteger()), position };
    }
    if (this.accept('storage')) return { kind: 'set-storage', column, value: this.compressionName(), position };
    if (this.accept('compression')) return { kind: 'set-compression', column, value: this.compressionName(), position };
    if (this.accept('expression')) {
      this.expect('as');
      return { kind: 'set-expression', column, value: this.parenthesised(this.expression), position };
    }
    return { kind: 'set-column-options', column, options: this.storageOptions(), position };
  }

  /** One or more of RESTART, SET option and SET GENERATED. */
  private setIdentity(column: Name, position: number): AlterTableAction {
    let always: boolean | undefined;
    const options: SequenceOption[] = [];
    while (this.at('set') || this.at('restart')) {
      if (this.accept('set') && this.accept('generated')) always = this.generatedWhen();
      else {
        const option = this.sequenceOption();
        if (option === undefined) this.fail();
        options.push(option);
      }
    }
    return { kind: 'set-identity', column, always, options, position };
  }

  private dropFromColumn(column: Name, position: number): AlterTableAction {
    this.advance();
    if (this.accept('default')) return { kind: 'drop-default', column, position };
    if (this.accept2('not', 'null')) return { kind: 'drop-not-null', column, position };
    const identity = this.accept('identity');
    if (!identity) this.expect('expression');
    const kind = identity ? 'drop-identity' : 'drop-expression';
    return { kind, column, ifExists: this.ifExists(), position };
  }

  // --------------------------------------------------------------------------------------------- the table itself

  private setAction(position: number): AlterTableAction {
    this.advance();
    if (this.at('(')) return { kind: 'set-options', options: this.storageOptions(), position };
    if (this.accept('logged')) return { kind: 'set-logged', position };
    if (this.accept('unlogged')) return { kind: 'set-unlogged', position };
    if (this.accept2('without', 'cluster')) return { kind: 'set-without-cluster', position };
    if (this.accept2('without', 'oids')) return { kind: 'set-without-oids', position };
    if (this.accept2('access', 'method')) return { kind: 'set-access-method', name: this.columnName(), position };
    this.expect('tablespace');
    return { kind: 'set-tablespace', name: this.columnName(), position };
  }

  private noAction(position: number): AlterTableAction {
    this.advance();
    if (this.accept('force')) return this.rowSecurity('no-force', position);
    this.expect('inherit');
    return { kind: 'no-inherit', table: this.qualifiedName(), position };
  }

  private rowSecurity(mode: 'enable' | 'disable' | 'force' | 'no-force', position: number): AlterTableAction {
    this.expect('row');
    this.expect('level');
    this.expect('security');
    return { kind: 'row-security', mode, position };
  }

  private enableAction(enable: boolean, position: number): AlterTableAction {
    this.advance();
    if (this.at('row')) return this.rowSecurity(enable ? 'enable' : 'disable', position);
    let firing: Firing = 'origin';
    if (enable && this.accept('always')) firing = 'always';
    else if (enable && this.accept('replica')) firing = 'replica';
    const trigger = this.accept('trigger');
    if (!trigger) this.expect('rule');
    const kind = `${enable ? 'enable' : 'disable'}-${trigger ? 'trigger' : 'rule'}` as const;
    if (trigger && this.accept('all')) return { kind, name: undefined, which: 'all', firing, position };
    if (trigger && this.accept('user')) return { kind, name: undefined, which: 'user', firing, position };
    return { kind, name: this.columnName(), which: 'named', firing, position };
  }

  private replicaIdentity(position: number): AlterTableAction {
    this.advance();
    this.expect('identity');
    for (const word of ['nothing', 'full', 'default'] as const satisfies readonly Keyword[]) {
      if (this.accept(word)) return { kind: 'replica-identity', mode: word, index: undefined, position };
    }
    this.expect('using');
    this.expect('index');
    return { kind: 'replica-identity', mode: 'index', index: this.columnName(), position };
  }

  private attachPartition(index: boolean, position: number): AlterTableAction {
    this.advance();
    this.expect('partition');
    const table = this.qualifiedName();
    if (index) return { kind: 'attach-index-partition', table, position };
    return { kind: 'attach-partition', table, bound: this.partitionBound(), position };
  }

  private detachPartition(position: number): AlterTableAction {
    this.advance();
    this.expect('partition');
    const table = this.qualifiedName();
    if (this.accept('concurrently')) return { kind: 'detach-partition', table, mode: 'concurrently', position };
    return { kind: 'detach-partition', table, mode: this.accept('finalize') ? 'finalize' : 'now', position };
  }
}
