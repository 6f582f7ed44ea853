/**
 * Whom a session acts as. Three roles: who logged in, what SET SESSION AUTHORIZATION has made of that, and what SET ROLE has
 * made of it in turn. A rollback takes the last two back.
 *
 * A security-restricted operation runs what somebody else has written, as its owner (REFRESH MATERIALIZED VIEW). It may leave
 * nothing behind that would run after it with the rights of whoever has asked for it.
 */
import { PhantomError } from '@phantom/base';
import {
  NameClass,
  type ObjectReader,
  type Oid,
  PredefinedRole,
  type RoleDescriptor,
  hasRightsOf,
  mayActAs,
} from '@phantom/catalog';
import type { Settings } from './settings.js';

/** What is asked of the session. */
export interface RolesOwner {
  readonly settings: Settings;
  readonly databaseOid: Oid;
  inTransaction(): boolean;
  /** The catalog as the session sees it. */
  objects(): ObjectReader;
  /** Whatever depends on the current role must be asked for anew. */
  roleChanged(): void;
}

/** Who logged in, and what SET SESSION AUTHORIZATION and SET ROLE have made of that. */
export interface ActingRoles {
  readonly loginName: string;
  readonly sessionOid: Oid;
  readonly roleOid: Oid;
}

export class SessionRoles {
  private readonly owner: RolesOwner;
  private readonly loginOid: Oid;
  private sessionOid: Oid;
  private roleOid: Oid;
  private restrictions = 0;
  /** How deep it acts as somebody whom it has become. */
  private definers = 0;

  constructor(owner: RolesOwner, login: RoleDescriptor) {
    this.owner = owner;
    this.loginOid = login.oid;
    this.sessionOid = login.oid;
    this.roleOid = login.oid;
    owner.settings.setInternal('is_superuser', login.superuser ? 'on' : 'off');
    owner.settings.setInternal('session_authorization', login.name);
  }

  get currentOid(): Oid {
    return this.roleOid;
  }

  get currentName(): string {
    return this.roleOf(this.roleOid).name;
  }

  /** Whether it may see settings that are guarded. */
  get mayReadAllSettings(): boolean {
    return hasRightsOf(this.owner.objects(), this.roleOid, PredefinedRole.ReadAllSettings);
  }

  get sessionRoleOid(): Oid {
    return this.sessionOid;
  }

  get sessionName(): string {
    return this.roleOf(this.sessionOid).name;
  }

  /** What SHOW role tells: none where the session acts as itself. */
  get setting(): string {
    return this.roleOid === this.sessionOid ? 'none' : this.currentName;
  }

  /** SET ROLE; 42501 when the session's user may not act as the role; undefined is NONE. */
  actAs(name: string | undefined, local = false): void {
    this.refuseChange('role');
    const role = name === undefined ? undefined : this.existing(name);
    if (
      role !== undefined &&
      !mayActAs(this.owner.objects(), this.roleOf(this.sessionOid), role, this.owner.databaseOid)
    )
      throw new PhantomError('42501', `permission denied to set role "${role.name}"`);
    this.change(this.sessionOid, role?.oid ?? this.sessionOid, local);
  }

  /** SET SESSION AUTHORIZATION: only a superuser who logged in may become somebody else. */
  authorizeAs(name: string | undefined, local = false): void {
    this.refuseChange('session_authorization');
    const role = name === undefined ? this.roleOf(this.loginOid) : this.existing(name);
    if (role.oid !== this.loginOid && !this.roleOf(this.loginOid).superuser)
      throw new PhantomError('42501', 'permission denied to set session authorization');
    this.change(role.oid, role.oid, local);
  }

  /** Acts as a role, asking nobody, until the returned function is called: what a function of its owner's rights does. */
  become(roleOid: Oid): () => void {
    const { sessionOid, roleOid: before } = this;
    if (roleOid !== before) this.take(sessionOid, roleOid);
    this.definers++;
    return () => {
      this.definers--;
      if (roleOid !== before) this.take(sessionOid, before);
    };
  }

  /** Acts as a role in a security-restricted operation until the returned function is called; settings go back as well. */
  restrictTo(roleOid: Oid): () => void {
    const { settings } = this.owner;
    const mark = settings.mark();
    const leave = this.become(roleOid);
    this.restrictions++;
    return () => {
      this.restrictions--;
      settings.rollbackTo(mark);
      leave();
    };
  }

  /** 42501 inside a security-restricted operation for what it may not do, as PostgreSQL words it. */
  refuseRestricted(what: string): void {
    if (this.restrictions > 0) throw new PhantomError('42501', `cannot ${what} within security-restricted operation`);
  }

  /** 42501 where the owner of what runs would get the rights of whoever has called it. */
  private refuseChange(setting: string): void {
    this.refuseRestricted(`set parameter "${setting}"`);
    if (this.definers > 0)
      throw new PhantomError('42501', `cannot set parameter "${setting}" within security-definer function`);
  }

  /** Whom it acts as, for `adopt`. */
  get acting(): ActingRoles {
    return { loginName: this.roleOf(this.loginOid).name, sessionOid: this.sessionOid, roleOid: this.roleOid };
  }

  /** Acts as another session of the same login does, asking nobody. */
  adopt({ sessionOid, roleOid }: ActingRoles): void {
    this.take(sessionOid, roleOid);
  }

  private existing(name: string): RoleDescriptor {
    const objects = this.owner.objects();
    const oid = objects.oidByName(NameClass.Role, 0, name);
    const role = oid === undefined ? undefined : objects.object(oid);
    if (role?.kind !== 'role') throw new PhantomError('22023', `role "${name}" does not exist`);
    return role;
  }

  private roleOf(oid: Oid): RoleDescriptor {
    const role = this.owner.objects().object(oid);
    if (role?.kind !== 'role') throw new PhantomError('22023', `role with OID ${oid} does not exist`);
    return role;
  }

  private change(sessionOid: Oid, roleOid: Oid, local: boolean): void {
    const { settings } = this.owner;
    const inTransaction = this.owner.inTransaction();
    if (local && !inTransaction) return;
    const before = { sessionOid: this.sessionOid, roleOid: this.roleOid };
    this.take(sessionOid, roleOid);
    if (inTransaction) settings.undoWith(() => this.take(before.sessionOid, before.roleOid), local);
  }

  private take(sessionOid: Oid, roleOid: Oid): void {
    this.sessionOid = sessionOid;
    this.roleOid = roleOid;
    const { settings } = this.owner;
    settings.setInternal('is_superuser', this.roleOf(roleOid).superuser ? 'on' : 'off');
    settings.setInternal('session_authorization', this.roleOf(sessionOid).name);
    this.owner.roleChanged();
  }
}
