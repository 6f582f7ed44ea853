/** Rights as PostgreSQL writes them: `grantee=letters/grantor`, a star behind what may be handed on. */
import type { AclItem } from '@phantom/catalog';
import { SqlArray } from '@phantom/codec';
import { aclLetters, aclName } from '../types/acl-item-type.js';
import { TypeOid } from '../types/type-oids.js';
import type { Value } from '../types/type.js';
import type { SystemViewSource } from './system-view.js';

/** The list as aclitem[]; null for the default rights. */
export function aclItems(source: SystemViewSource, items: readonly AclItem[] | undefined): Value {
  if (items === undefined) return null;
  return SqlArray.of(
    TypeOid.aclitem,
    items.map((item) => aclItemText(source, item)),
  );
}

function aclItemText(source: SystemViewSource, { granteeOid, grantorOid, privileges, grantable }: AclItem): string {
  const name = (oid: number): string => (oid === 0 ? '' : aclName(source.roleNameOf(oid)));
  return `${name(granteeOid)}=${aclLetters(privileges, grantable)}/${name(grantorOid)}`;
}

/** Letters that owner and PUBLIC have on a new object, by PostgreSQL's letter of its kind. */
const DEFAULTS: Readonly<Record<string, readonly [owner: string, everybody: string]>> = {
  r: ['arwdDxt', ''],
  s: ['rwU', ''],
  d: ['CTc', 'Tc'],
  n: ['UC', ''],
  f: ['X', 'X'],
  l: ['U', 'U'],
  L: ['rw', ''],
  T: ['U', 'U'],
  t: ['C', ''],
};

/** acldefault: the rights of an object that nobody has granted or revoked anything on. */
export function defaultPrivileges(kind: string, owner: string): string[] {
  const letters = DEFAULTS[kind];
  if (letters === undefined) return [];
  const [own, everybody] = letters;
  return [...(everybody === '' ? [] : [`=${everybody}/${owner}`]), `${owner}=${own}/${owner}`];
}
