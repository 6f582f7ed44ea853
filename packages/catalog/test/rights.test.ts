import { describe, expect, it } from 'vitest';
import {
  type ColumnDescriptor,
  ObjectMap,
  PUBLIC_ROLE,
  type PolicyDescriptor,
  PredefinedRole,
  type RoleDescriptor,
  type RowSecurity,
  effectiveRoles,
  hasColumnPrivilege,
  hasPrivilege,
  hasRightsOf,
  isSuperuser,
  mayActAs,
  ownsObject,
  policiesFor,
  predefinedRole,
} from '../src/index.js';
import { sequence, table } from './support.js';

function role(oid: number, name: string, more: Partial<RoleDescriptor> = {}): RoleDescriptor {
  return {
    kind: 'role',
    oid,
    name,
    superuser: false,
    login: true,
    createDatabase: false,
    createRole: false,
    inherit: true,
    bypassRowSecurity: false,
    memberOf: [],
    ...more,
  };
}

const column = (number: number, more: Partial<ColumnDescriptor> = {}): ColumnDescriptor => ({
  number,
  name: `c${number}`,
  type: { oid: 23, typmod: -1 },
  notNull: false,
  dropped: false,
  sinceVersion: 1,
  ...more,
});

const grant = (granteeOid: number, privileges: string) => ({ granteeOid, grantorOid: 10, privileges, grantable: '' });

function world(): ObjectMap {
  const map = new ObjectMap();
  map.put(role(10, 'root', { superuser: true }));
  map.put(role(100, 'owner'));
  map.put(role(101, 'reader'));
  map.put(role(102, 'member', { memberOf: [{ roleOid: 101, admin: false }] }));
  map.put(role(103, 'strict', { inherit: false, memberOf: [{ roleOid: 101, admin: false }] }));
  map.put(
    role(104, 'deep', {
      memberOf: [
        { roleOid: 102, admin: false },
        { roleOid: 104, admin: false },
      ],
    }),
  );
  return map;
}

describe('rights', () => {
  it('belong to superusers and owners, through membership too', () => {
    const map = world();
    const t = table(200, 't', { ownerOid: 100 });
    expect(isSuperuser(map, 10)).toBe(true);
    expect(isSuperuser(map, 200)).toBe(false);
    expect(ownsObject(map, 10, t)).toBe(true);
    expect(ownsObject(map, 100, t)).toBe(true);
    expect(ownsObject(map, 101, t)).toBe(false);
    expect(hasPrivilege(map, 10, t, 'r')).toBe(true);
    expect(hasPrivilege(map, 100, t, 'd')).toBe(true);
    expect(hasPrivilege(map, 101, t, 'r')).toBe(false);
    expect(hasPrivilege(map, 101, role(1, 'x'), 'r')).toBe(false);
    expect([...effectiveRoles(map, 104, undefined)].sort()).toEqual([101, 102, 104]);
  });

  it('are granted to roles, to their members that inherit, and to everyone', () => {
    const map = world();
    const t = table(200, 't', { ownerOid: 100, acl: [grant(101, 'r'), grant(0, 'a')] });
    expect(hasPrivilege(map, 101, t, 'r')).toBe(true);
    expect(hasPrivilege(map, 102, t, 'r')).toBe(true);
    expect(hasPrivilege(map, 103, t, 'r')).toBe(false);
    expect(hasPrivilege(map, 103, t, 'a')).toBe(true);
    expect(hasPrivilege(map, 101, t, 'w')).toBe(false);
  });

  it('have defaults by kind of object', () => {
    const map = world();
    const open = { kind: 'schema', oid: 1, name: 'public', databaseOid: 5, ownerOid: 100 } as const;
    expect(hasPrivilege(map, 101, open, 'U')).toBe(true);
    expect(hasPrivilege(map, 101, { ...open, name: 'other' }, 'U')).toBe(false);
    expect(hasPrivilege(map, 101, { kind: 'database', oid: 5, name: 'd', ownerOid: 100 }, 'c')).toBe(true);
    expect(hasPrivilege(map, 101, { kind: 'database', oid: 5, name: 'd', ownerOid: 100 }, 'C')).toBe(false);
    const type = {
      ...sequence({ ownerOid: 100 }),
      kind: 'type',
      arrayOid: 0,
      definition: { kind: 'enum', labels: [] },
    } as const;
    expect(hasPrivilege(map, 101, type, 'U')).toBe(true);
    expect(hasPrivilege(map, 101, sequence({ ownerOid: 100 }), 'U')).toBe(false);
  });

  it('may be on columns alone', () => {
    const map = world();
    const t = table(200, 't', { ownerOid: 100, columns: [column(1, { acl: [grant(101, 'r')] }), column(2)] });
    expect(hasColumnPrivilege(map, 101, t, 'r', [1])).toBe(true);
    expect(hasColumnPrivilege(map, 101, t, 'r', [1, 2])).toBe(false);
    expect(hasColumnPrivilege(map, 101, t, 'r', [])).toBe(true);
    expect(hasColumnPrivilege(map, 101, t, 'w', [])).toBe(false);
    expect(hasColumnPrivilege(map, 100, t, 'w', [2])).toBe(true);
  });

  it('let a role act as those it is a member of', () => {
    const map = world();
    const get = (oid: number): RoleDescriptor => map.object(oid) as RoleDescriptor;
    expect(mayActAs(map, get(10), get(100), undefined)).toBe(true);
    expect(mayActAs(map, get(101), get(101), undefined)).toBe(true);
    expect(mayActAs(map, get(103), get(101), undefined)).toBe(true);
    expect(mayActAs(map, get(104), get(101), undefined)).toBe(true);
    expect(mayActAs(map, get(101), get(100), undefined)).toBe(false);
    expect(mayActAs(map, get(104), get(100), undefined)).toBe(false);
  });

  it('come with predefined roles: all data, and what the owner of the database has', () => {
    const map = world();
    const add = (role: RoleDescriptor | undefined): void => map.put(role as RoleDescriptor);
    add(predefinedRole(PredefinedRole.ReadAllData));
    add(predefinedRole(PredefinedRole.WriteAllData));
    add(predefinedRole(PredefinedRole.DatabaseOwner));
    add(role(105, 'analyst', { memberOf: [{ roleOid: PredefinedRole.ReadAllData, admin: false }] }));
    add(role(106, 'writer', { memberOf: [{ roleOid: PredefinedRole.WriteAllData, admin: false }] }));
    map.put({ kind: 'database', oid: 5, name: 'd', ownerOid: 101 });
    const t = table(200, 't', { ownerOid: 100, acl: [], databaseOid: 5 });
    const schema = { kind: 'schema', oid: 1, name: 's', databaseOid: 5, ownerOid: 100 } as const;
    expect([...'rawdD'].filter((letter) => hasPrivilege(map, 105, t, letter))).toEqual(['r']);
    expect([...'rawdD'].filter((letter) => hasPrivilege(map, 106, t, letter))).toEqual(['a', 'w', 'd']);
    expect([...'UC'].filter((letter) => hasPrivilege(map, 106, schema, letter))).toEqual(['U']);
    expect(hasRightsOf(map, 105, PredefinedRole.ReadAllData)).toBe(true);
    expect(hasRightsOf(map, 105, PredefinedRole.WriteAllData)).toBe(false);
    const owned = { ...t, ownerOid: PredefinedRole.DatabaseOwner };
    expect([101, 102, 103, 100].map((oid) => ownsObject(map, oid, owned))).toEqual([true, true, false, false]);
    const [member, owners] = [103, PredefinedRole.DatabaseOwner].map((oid) => map.object(oid) as RoleDescriptor);
    expect(mayActAs(map, member as RoleDescriptor, owners as RoleDescriptor, 5)).toBe(true);
    expect(mayActAs(map, map.object(100) as RoleDescriptor, owners as RoleDescriptor, 5)).toBe(false);
  });
});

describe('policies', () => {
  const policy = (oid: number, roleOids: readonly number[]): PolicyDescriptor => ({
    kind: 'policy',
    oid,
    name: `p${oid}`,
    databaseOid: 1,
    tableOid: 500,
    permissive: true,
    command: 'all',
    roleOids,
  });
  const secured = (more: Partial<RowSecurity> = {}) => ({
    ...table(500, 'secured', { ownerOid: 100 }),
    rowSecurity: { enabled: true, forced: false, policyOids: [501, 502, 503, 599], ...more },
  });
  const policed = (): ObjectMap => {
    const map = world();
    map.put(role(105, 'free', { bypassRowSecurity: true }));
    for (const each of [policy(501, [PUBLIC_ROLE]), policy(502, [101]), policy(503, [104])]) map.put(each);
    return map;
  };
  const oidsFor = (roleOid: number, more?: Partial<RowSecurity>): number[] | undefined =>
    policiesFor(policed(), secured(more), roleOid)?.map(({ oid }) => oid);

  it('speak of everybody, of a role, and of those who inherit from it', () => {
    expect(oidsFor(101)).toEqual([501, 502]);
    expect(oidsFor(102)).toEqual([501, 502]);
    expect(oidsFor(103)).toEqual([501]);
    expect(oidsFor(104)).toEqual([501, 502, 503]);
    expect(oidsFor(777)).toEqual([501]);
  });

  it('keep nothing from superusers, from who may pass them by, and from the owner unless forced', () => {
    expect(oidsFor(10, { forced: true })).toBeUndefined();
    expect(oidsFor(105, { forced: true })).toBeUndefined();
    expect(oidsFor(100)).toBeUndefined();
    expect(oidsFor(100, { forced: true })).toEqual([501]);
    expect(oidsFor(101, { enabled: false })).toBeUndefined();
    expect(policiesFor(policed(), table(500, 'open', { ownerOid: 100 }), 101)).toBeUndefined();
  });

  it('belong to nobody and have no access list', () => {
    const map = policed();
    expect(hasPrivilege(map, 101, policy(501, []), 'r')).toBe(false);
  });
});
