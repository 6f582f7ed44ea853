/** Roles and rights: CREATE and ALTER ROLE, GRANT, REVOKE, default privileges, policies, owned objects. */
import type {
  AlterDefaultPrivileges,
  AlterGroup,
  AlterRole,
  CreatePolicy,
  CreateRole,
  Grant,
  GrantRole,
  ObjectKind,
  ObjectRef,
  OwnedBy,
  Privilege,
  RoleOption,
  RoleSpecification,
} from '../ast-access.js';
import type { Name } from '../ast-leaves.js';
import type { Keyword } from '../keywords.js';
import { COLUMN_NAME } from '../tokens.js';
import { SettingGrammar } from './settings.js';

const FLAGS: Readonly<Record<string, readonly [RoleOption['name'], boolean]>> = {
  superuser: ['superuser', true],
  nosuperuser: ['superuser', false],
  createdb: ['createdb', true],
  nocreatedb: ['createdb', false],
  createrole: ['createrole', true],
  nocreaterole: ['createrole', false],
  createuser: ['createrole', true],
  nocreateuser: ['createrole', false],
  inherit: ['inherit', true],
  noinherit: ['inherit', false],
  login: ['login', true],
  nologin: ['login', false],
  replication: ['replication', true],
  noreplication: ['replication', false],
  bypassrls: ['bypassrls', true],
  nobypassrls: ['bypassrls', false],
};
/** `ON ALL TABLES IN SCHEMA` and default privileges name kinds in the plural. */
const PLURALS: readonly (readonly [Keyword, ObjectKind])[] = [
  ['tables', 'table'],
  ['sequences', 'sequence'],
  ['functions', 'function'],
  ['procedures', 'procedure'],
  ['routines', 'routine'],
  ['types', 'type'],
  ['schemas', 'schema'],
];
const GRANTABLE: readonly Keyword[] = [
  ...(['table', 'sequence', 'function', 'procedure', 'routine', 'schema', 'database', 'domain', 'type'] as const),
  ...(['language', 'tablespace', 'foreign', 'large', 'parameter'] as const),
];

export abstract class AccessGrammar extends SettingGrammar {
  // ------------------------------------------------------------------------------------------------------- roles

  protected createRole(spelling: CreateRole['spelling'], position: number): CreateRole {
    const name = this.roleSpecification();
    this.accept('with');
    return { kind: 'create-role', spelling, name, options: this.roleOptions(), position };
  }

  protected alterRole(role: RoleSpecification, position: number): AlterRole {
    this.accept('with');
    return { kind: 'alter-role', role, options: this.roleOptions(), position };
  }

  protected alterGroup(group: RoleSpecification, position: number): AlterGroup {
    const action = this.accept('add') ? 'add' : (this.expect('drop'), 'drop');
    this.expect('user');
    return { kind: 'alter-group', group, action: action as AlterGroup['action'], members: this.roleList(), position };
  }

  private roleOptions(): RoleOption[] {
    const options: RoleOption[] = [];
    while (!this.atEnd() && !this.at(';')) options.push(this.roleOption());
    return options;
  }

  private roleOption(): RoleOption {
    const token = this.next();
    const position = token.startOffset;
    const flag = token.quoted ? undefined : FLAGS[token.value];
    if (flag !== undefined) {
      this.advance();
      return { name: flag[0], value: flag[1], position };
    }
    const encrypted = this.accept('encrypted');
    if (this.accept('password')) {
      const value = !encrypted && this.accept('null') ? null : this.stringValue();
      return { name: 'password', value, position };
    }
    if (this.accept2('connection', 'limit')) {
      return { name: 'connection-limit', value: Number(this.signedInteger()), position };
    }
    if (this.accept2('valid', 'until')) return { name: 'valid-until', value: this.stringValue(), position };
    if (this.accept('sysid')) return { name: 'sysid', value: this.integer(), position };
    if (this.accept('in')) {
      if (!this.accept('role')) this.expect('group');
      return { name: 'in-role', value: this.roleList(), position };
    }
    if (this.accept('admin')) return { name: 'admin', value: this.roleList(), position };
    if (this.accept('role') || this.accept('user')) return { name: 'role', value: this.roleList(), position };
    this.wanted('an option of a role');
    if (token.tokenType.name !== 'Identifier') this.fail();
    return this.complain('42601', `unrecognized role option "${token.value}"`, position);
  }

  protected ownedBy(reassign: boolean, position: number): OwnedBy {
    this.expect('owned');
    this.expect('by');
    const roles = this.roleList();
    if (!reassign) return { kind: 'drop-owned', roles, to: undefined, cascade: this.cascade(), position };
    this.expect('to');
    return { kind: 'reassign-owned', roles, to: this.roleSpecification(), cascade: false, position };
  }

  // ----------------------------------------------------------------------------------------------- GRANT and REVOKE

  /** GRANT and REVOKE; the word has been read. */
  protected grant(revoke: boolean, position: number): Grant | GrantRole {
    let grantOption = false;
    let adminOption = false;
    if (revoke && this.accept2('grant', 'option')) {
      this.expect('for');
      grantOption = true;
    } else if (revoke && this.accept2('admin', 'option')) {
      this.expect('for');
      adminOption = true;
    }
    const privileges = this.privileges();
    if (!this.at('on')) return this.grantRole(revoke, privileges, adminOption, position);
    const objects = this.grantObjects();
    return this.finishGrant(revoke, privileges, objects, grantOption, position);
  }

  private finishGrant(
    revoke: boolean,
    privileges: readonly Privilege[],
    objects: Pick<Grant, 'object' | 'objects' | 'allInSchemas'>,
    option: boolean,
    position: number,
  ): Grant {
    this.expect(revoke ? 'from' : 'to');
    const roles = this.grantees();
    let grantOption = option;
    if (!revoke && this.accept2('with', 'grant')) {
      this.expect('option');
      grantOption = true;
    }
    const grantedBy = this.grantedBy();
    const cascade = revoke && this.cascade();
    return { kind: 'grant', revoke, privileges, ...objects, roles, grantOption, grantedBy, cascade, position };
  }

  private grantees(): RoleSpecification[] {
    return this.commaList(() => {
      this.accept('group');
      return this.roleSpecification();
    });
  }

  private grantedBy(): RoleSpecification | undefined {
    if (!this.accept2('granted', 'by')) return undefined;
    return this.roleSpecification();
  }

  private grantRole(revoke: boolean, privileges: readonly Privilege[], option: boolean, position: number): GrantRole {
    const granted = privileges.map((privilege): Name => {
      if (privilege.name === 'all' || privilege.columns.length > 0) this.fail();
      return { text: privilege.name, position: privilege.position, quoted: false };
    });
    this.expect(revoke ? 'from' : 'to');
    const roles = this.roleList();
    let adminOption = option;
    if (!revoke && this.accept2('with', 'admin')) {
      this.expect('option');
      adminOption = true;
    }
    const grantedBy = this.grantedBy();
    return {
      kind: 'grant-role',
      revoke,
      granted,
      roles,
      adminOption,
      grantedBy,
      cascade: revoke && this.cascade(),
      position,
    };
  }

  private privileges(): Privilege[] {
    const position = this.position();
    if (this.accept('all')) {
      this.accept('privileges');
      return [{ name: 'all', columns: this.optionalNames(), position }];
    }
    return this.commaList(this.privilege);
  }

  private privilege(): Privilege {
    const position = this.position();
    let name: string;
    if (this.at2('alter', 'system')) {
      this.advance();
      this.advance();
      name = 'alter system';
    } else {
      const reserved = this.at('select') || this.at('references') || this.at('create');
      if (!reserved && !this.atPlace(COLUMN_NAME)) this.fail();
      name = this.advance().value;
    }
    return { name, columns: this.optionalNames(), position };
  }

  private grantObjects(): Pick<Grant, 'object' | 'objects' | 'allInSchemas'> {
    this.expect('on');
    if (this.accept('all')) {
      const object = this.pluralKind();
      this.expect('in');
      this.expect('schema');
      return { object, objects: [], allInSchemas: this.commaList(this.columnName) };
    }
    const told = GRANTABLE.some((word) => this.at(word) && this.tellsKind(word));
    const object = told ? this.grantKind() : 'table';
    return { object, objects: this.commaList((): ObjectRef => this.grantRef(object)), allInSchemas: [] };
  }

  /** True when the word names a kind, and not a table of that name (`GRANT SELECT ON type TO ...`). */
  private tellsKind(word: Keyword): boolean {
    return (
      word === 'table' ||
      word === 'foreign' ||
      !(this.aheadIs(2, 'to') || this.aheadIs(2, 'from') || this.aheadIs(2, ','))
    );
  }

  private grantKind(): ObjectKind {
    if (this.accept2('foreign', 'server')) return 'server';
    if (this.accept('parameter')) return this.complain('0A000', 'GRANT ON PARAMETER is not supported', this.position());
    return this.objectKind();
  }

  private grantRef(object: ObjectKind): ObjectRef {
    return object === 'function' || object === 'procedure' || object === 'routine'
      ? this.objectRef(object)
      : this.makeRef(
          object,
          object === 'large object' ? this.largeObjectName() : this.qualifiedName(),
          this.position(),
        );
  }

  private largeObjectName(): Name[] {
    const { startOffset: position } = this.next();
    return [{ text: this.signedInteger(), position, quoted: false }];
  }

  private pluralKind(): ObjectKind {
    for (const [word, kind] of PLURALS) if (this.accept(word)) return kind;
    return this.fail();
  }

  protected alterDefaultPrivileges(position: number): AlterDefaultPrivileges {
    let forRoles: readonly RoleSpecification[] = [];
    let inSchemas: readonly Name[] = [];
    for (;;) {
      if (this.accept2('in', 'schema')) inSchemas = this.commaList(this.columnName);
      else if (this.accept('for')) {
        if (!this.accept('role')) this.expect('user');
        forRoles = this.roleList();
      } else break;
    }
    const at = this.position();
    const revoke = this.accept('revoke');
    if (!revoke) this.expect('grant');
    let option = false;
    if (revoke && this.accept2('grant', 'option')) {
      this.expect('for');
      option = true;
    }
    const privileges = this.privileges();
    this.expect('on');
    const object = this.pluralKind();
    const grant = this.finishGrant(revoke, privileges, { object, objects: [], allInSchemas: [] }, option, at);
    return { kind: 'alter-default-privileges', forRoles, inSchemas, grant, position };
  }

  // ----------------------------------------------------------------------------------------------------- policies

  protected policy(
    kind: CreatePolicy['kind'],
    name: Name,
    table: CreatePolicy['table'],
    position: number,
  ): CreatePolicy {
    const creates = kind === 'create-policy';
    let permissive = true;
    if (creates && this.accept('as')) {
      if (this.acceptWord('restrictive')) permissive = false;
      else this.expectWord('permissive');
    }
    let command: CreatePolicy['command'] = 'all';
    if (creates && this.accept('for')) command = this.policyCommand();
    const roles = this.accept('to') ? this.roleList() : [];
    const using = this.accept('using') ? this.parenthesised(this.expression) : undefined;
    const check = this.accept2('with', 'check') ? this.parenthesised(this.expression) : undefined;
    return { kind, name, table, permissive, command, roles, using, check, position };
  }

  private policyCommand(): CreatePolicy['command'] {
    for (const word of ['all', 'select', 'insert', 'update', 'delete'] as const) if (this.accept(word)) return word;
    return this.fail();
  }
}
