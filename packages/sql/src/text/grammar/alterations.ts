/** ALTER, DROP and COMMENT of every kind of object. */
import type { ObjectKind, ObjectRef } from '../ast-access.js';
import type { Name, QualifiedName } from '../ast-leaves.js';
import type { AlterDomain, AlterEnum, AlterTable, Comment, Rename } from '../ast-schema.js';
import type { AlterSetting } from '../ast-session.js';
import type { Statement, Unsupported } from '../ast-statements.js';
import { CommandGrammar } from './commands.js';

type Relation = AlterTable['object'];
const RELATIONS: ReadonlySet<ObjectKind> = new Set<ObjectKind>([
  'table',
  'view',
  'materialized view',
  'index',
  'sequence',
  'foreign table',
]);
const UNSUPPORTED: ReadonlySet<ObjectKind> = new Set<ObjectKind>([
  'access method',
  'event trigger',
  'foreign data wrapper',
  'operator class',
  'operator family',
  'publication',
  'server',
  'subscription',
  'tablespace',
  'text search configuration',
  'text search dictionary',
  'text search parser',
  'text search template',
  'transform',
  'user mapping',
  'conversion',
]);

export abstract class AlterationGrammar extends CommandGrammar {
  /** A statement known by name alone: its clauses are skipped. */
  protected unsupported(feature: string, position: number): Unsupported {
    while (!this.atEnd() && !this.at(';')) this.advance();
    return { kind: 'unsupported', feature, position };
  }

  // ------------------------------------------------------------------------------------------------ DROP, COMMENT

  protected drop(position: number): Statement {
    if (this.at('owned')) return this.ownedBy(false, position);
    const start = this.next();
    const object = this.objectKind();
    if (object === 'database') return this.dropDatabase(position);
    if (object === 'column' || object === 'constraint' || object === 'large object') this.fail(start);
    if (object === 'user mapping') {
      return this.unsupported(`DROP ${object.toUpperCase()}`, position);
    }
    const concurrently = object === 'index' && this.accept('concurrently');
    const ifExists = this.ifExists();
    const objects = this.commaList((): ObjectRef => this.objectRef(object));
    return { kind: 'drop', object, objects, ifExists, concurrently, cascade: this.cascade(), position };
  }

  private dropDatabase(position: number): Statement {
    const ifExists = this.ifExists();
    const name = this.columnName();
    let force = false;
    const told = this.accept('with');
    if (told || this.at('(')) {
      this.parenthesisedList(() => this.expect('force'));
      force = true;
    }
    return { kind: 'drop-database', name, ifExists, force, position };
  }

  protected comment(position: number): Comment {
    this.expect('on');
    const target = this.objectRef(this.objectKind());
    this.expect('is');
    const text = this.accept('null') ? undefined : this.stringLiteralValue();
    return { kind: 'comment', target, text, position };
  }

  // -------------------------------------------------------------------------------------------------------- ALTER

  protected alter(position: number): Statement {
    if (this.at('default')) {
      this.advance();
      this.expect('privileges');
      return this.alterDefaultPrivileges(position);
    }
    if (this.accept('system')) return this.alterSetting(undefined, undefined, position);
    const start = this.next();
    const group = this.at('group');
    const object = this.objectKind();
    if (object === 'column' || object === 'constraint' || object === 'cast') this.fail(start);
    if (RELATIONS.has(object)) return this.alterRelation(object as Relation, position);
    switch (object) {
      case 'type':
        return this.alterTypeStatement(position);
      case 'domain':
        return this.alterDomain(position);
      case 'database':
        return this.alterDatabase(position);
      case 'role':
        return group ? this.alterGroupOrRename(position) : this.alterRoleStatement(position);
      case 'policy':
        return this.alterPolicy(position);
      case 'statistics':
        return this.alterStatistics(position);
      default:
        return this.alterObject(object, position);
    }
  }

  /** RENAME TO, OWNER TO, SET SCHEMA and DEPENDS, which most kinds have; undefined when none follows. */
  private commonAlteration(target: ObjectRef, ifExists: boolean, position: number): Statement | undefined {
    if (this.accept2('rename', 'to')) return this.makeRename(target, undefined, ifExists, position);
    if (this.accept2('owner', 'to')) {
      return { kind: 'alter-owner', target, ifExists, owner: this.roleSpecification(), position };
    }
    if (this.accept2('set', 'schema')) {
      return { kind: 'alter-schema', target, ifExists, schema: this.columnName(), position };
    }
    const remove = this.at2('no', 'depends');
    if (remove) this.advance();
    if (!this.at('depends')) return undefined;
    this.advance();
    this.expect('on');
    this.expect('extension');
    return { kind: 'alter-depends', target, remove, extension: this.columnName(), position };
  }

  private makeRename(
    target: ObjectRef,
    relation: Rename['relation'],
    ifExists: boolean,
    position: number,
    only = false,
  ): Rename {
    const to = this.columnName();
    const cascade = target.object === 'column' && relation === 'type' && this.cascade();
    return { kind: 'rename', target, relation, only, ifExists, cascade, to, position };
  }

  // ---------------------------------------------------------------------------------------------------- relations

  private alterRelation(object: Relation, position: number): Statement {
    if (this.at2('all', 'in')) return this.unsupported(`ALTER ${object.toUpperCase()} ALL IN TABLESPACE`, position);
    const ifExists = this.ifExists();
    const at = this.position();
    const { name, only } = this.relation();
    const target = this.makeRef(object as ObjectKind, name, at);
    if (this.at('rename')) return this.renameRelation(object, target, only, ifExists, position);
    // OWNER TO is an action of ALTER TABLE, but alone it is what other kinds have.
    const common = this.at2('owner', 'to') ? undefined : this.commonAlteration(target, ifExists, position);
    if (common !== undefined) return common;
    if (object === 'sequence' && !this.at('owner') && !(this.at('set') && !this.aheadIs(2, 'schema'))) {
      const options = this.sequenceOptions();
      if (options.length === 0) this.fail();
      return { kind: 'alter-sequence', name, ifExists, options, position };
    }
    return this.makeAlterTable(object, name, only, ifExists, this.alterTableActions(object), position);
  }

  private renameRelation(
    relation: Relation,
    target: ObjectRef,
    only: boolean,
    ifExists: boolean,
    position: number,
  ): Statement {
    this.advance();
    if (this.accept('to')) return this.makeRename(target, relation, ifExists, position, only);
    const constraint = this.accept('constraint');
    if (!constraint) this.accept('column');
    const name = this.columnName();
    this.expect('to');
    const part = this.partOf(constraint ? 'constraint' : 'column', target, name);
    return this.makeRename(part, relation, ifExists, position, only);
  }

  private partOf(object: 'column' | 'constraint' | 'domain constraint', owner: ObjectRef, name: Name): ObjectRef {
    if (object === 'column') return this.makeRef(object, [...owner.name, name], owner.position);
    return { ...this.makeRef(object, [name], owner.position), on: owner.name };
  }

  // ------------------------------------------------------------------------------------------------ types, domains

  private alterTypeStatement(position: number): Statement {
    const at = this.position();
    const name = this.qualifiedName();
    const target = this.makeRef('type', name, at);
    if (this.at('add') && this.aheadIs(2, 'value')) return this.addEnumLabel(name, position);
    if (this.accept2('rename', 'value')) {
      const from = this.stringLiteralValue();
      this.expect('to');
      return { kind: 'alter-enum', name, action: { kind: 'rename', from, to: this.stringLiteralValue() }, position };
    }
    if (this.accept2('rename', 'attribute')) {
      const attribute = this.columnName();
      this.expect('to');
      return this.makeRename(this.partOf('column', target, attribute), 'type', false, position);
    }
    const common = this.commonAlteration(target, false, position);
    if (common !== undefined) return common;
    if (this.at2('set', '(')) {
      this.advance();
      return { kind: 'alter-definition', target, options: this.definitionList(), position };
    }
    return this.makeAlterTable('type', name, false, false, this.alterTableActions('type'), position);
  }

  private addEnumLabel(name: QualifiedName, position: number): AlterEnum {
    this.advance();
    this.advance();
    const ifNotExists = this.ifNotExists();
    const label = this.stringLiteralValue();
    const place = this.accept('before') ? 'before' : this.accept('after') ? 'after' : undefined;
    const neighbour = place === undefined ? undefined : this.stringLiteralValue();
    return { kind: 'alter-enum', name, action: { kind: 'add', label, ifNotExists, place, neighbour }, position };
  }

  private alterDomain(position: number): Statement {
    const at = this.position();
    const name = this.qualifiedName();
    const target = this.makeRef('domain', name, at);
    if (this.accept2('rename', 'constraint')) {
      const constraint = this.columnName();
      this.expect('to');
      return this.makeRename(this.partOf('domain constraint', target, constraint), 'domain', false, position);
    }
    const common = this.commonAlteration(target, false, position);
    if (common !== undefined) return common;
    return { kind: 'alter-domain', name, action: this.domainAction(), position };
  }

  private domainAction(): AlterDomain['action'] {
    const position = this.position();
    if (this.accept2('set', 'default')) return { kind: 'set-default', value: this.expression(), position };
    if (this.accept2('drop', 'default')) return { kind: 'drop-default', position };
    if (this.accept2('validate', 'constraint'))
      return { kind: 'validate-constraint', name: this.columnName(), position };
    if (this.accept2('drop', 'constraint')) {
      const ifExists = this.ifExists();
      return { kind: 'drop-constraint', ifExists, name: this.columnName(), cascade: this.cascade(), position };
    }
    if (this.accept('add')) return { kind: 'add-constraint', constraint: this.tableConstraint(), position };
    const set = this.accept('set');
    if (!set) this.expect('drop');
    this.expect('not');
    this.expect('null');
    return { kind: set ? 'set-not-null' : 'drop-not-null', position };
  }

  // -------------------------------------------------------------------------------------------- databases and roles

  private alterSetting(target: ObjectRef | undefined, inDatabase: Name | undefined, position: number): AlterSetting {
    return { kind: 'alter-setting', target, inDatabase, setting: this.settingClause(), position };
  }

  private alterDatabase(position: number): Statement {
    const at = this.position();
    const name = this.columnName();
    const target = this.makeRef('database', [name], at);
    const common = this.commonAlteration(target, false, position);
    if (common !== undefined) return common;
    if (this.at2('set', 'tablespace')) return this.unsupported('ALTER DATABASE SET TABLESPACE', position);
    if (this.at('set') || this.at('reset')) return this.alterSetting(target, undefined, position);
    if (this.at('refresh')) return this.unsupported('ALTER DATABASE REFRESH COLLATION VERSION', position);
    return { kind: 'alter-database', name, options: this.databaseOptions(), position };
  }

  private alterRoleStatement(position: number): Statement {
    const at = this.position();
    const everybody = this.accept('all');
    const role = everybody ? undefined : this.roleSpecification();
    const name = role?.name === undefined ? [] : [role.name];
    const target = this.makeRef('role', name, at);
    if (role !== undefined && this.accept2('rename', 'to')) return this.makeRename(target, undefined, false, position);
    const inDatabase = this.accept2('in', 'database') ? this.columnName() : undefined;
    if (everybody || inDatabase !== undefined || this.at('set') || this.at('reset')) {
      return this.alterSetting(target, inDatabase, position);
    }
    if (role === undefined) this.fail();
    return this.alterRole(role, position);
  }

  private alterGroupOrRename(position: number): Statement {
    const at = this.position();
    const role = this.roleSpecification();
    if (!this.accept2('rename', 'to')) return this.alterGroup(role, position);
    return this.makeRename(
      this.makeRef('role', role.name === undefined ? [] : [role.name], at),
      undefined,
      false,
      position,
    );
  }

  // ------------------------------------------------------------------------------------------------------- others

  private alterPolicy(position: number): Statement {
    const at = this.position();
    const ifExists = this.ifExists();
    const name = this.columnName();
    this.expect('on');
    const table = this.qualifiedName();
    if (this.accept2('rename', 'to')) {
      return this.makeRename({ ...this.makeRef('policy', [name], at), on: table }, undefined, ifExists, position);
    }
    return this.policy('alter-policy', name, table, position);
  }

  private alterStatistics(position: number): Statement {
    const ifExists = this.ifExists();
    const at = this.position();
    const name = this.qualifiedName();
    const common = this.commonAlteration(this.makeRef('statistics', name, at), ifExists, position);
    if (common !== undefined) return common;
    this.expect('set');
    this.expect('statistics');
    return { kind: 'alter-statistics', name, ifExists, target: Number(this.signedInteger()), position };
  }

  private alterObject(object: ObjectKind, position: number): Statement {
    const feature = `ALTER ${object.toUpperCase()}`;
    if (UNSUPPORTED.has(object)) return this.unsupported(feature, position);
    const target = this.objectRef(object);
    const common = this.commonAlteration(target, false, position);
    if (common !== undefined) return common;
    switch (object) {
      case 'function':
      case 'procedure':
      case 'routine':
        return this.alterRoutine(target, position);
      case 'operator':
        this.expect('set');
        return { kind: 'alter-definition', target, options: this.definitionList(), position };
      case 'collection':
        return this.alterCollection(target.name, position);
      case 'collation':
        this.expect('refresh');
        this.expect('version');
        return { kind: 'alter-definition', target, options: [], position };
      case 'extension':
        return this.unsupported(feature, position);
      default:
        return this.fail();
    }
  }
}
