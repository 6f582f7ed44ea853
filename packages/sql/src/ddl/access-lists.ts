/**
 * Access lists and how GRANT and REVOKE change them. One entry says what one grantor gave to one grantee; what a grantee
 * passed on falls with the grant option it stood on (CASCADE), or keeps it from being taken away (RESTRICT).
 */
import { PhantomError } from '@phantom/base';
import { type AclItem, type Oid, PUBLIC_ROLE } from '@phantom/catalog';

/** Order of letters in an entry, PostgreSQL's. */
const LETTER_ORDER = 'arwdDxtXUCTc';

/** The letters of both, each once, in order. */
export function joinLetters(a: string, b: string): string {
  return [...LETTER_ORDER].filter((letter) => a.includes(letter) || b.includes(letter)).join('');
}

/** The letters of the first that the second does not have. */
export function withoutLetters(a: string, b: string): string {
  return [...a].filter((letter) => !b.includes(letter)).join('');
}

/** The letters that both have. */
export function commonLetters(a: string, b: string): string {
  return [...a].filter((letter) => b.includes(letter)).join('');
}

/** One GRANT or REVOKE as it changes one list. */
export interface AclChange {
  readonly revoke: boolean;
  readonly grantees: readonly Oid[];
  readonly grantorOid: Oid;
  readonly letters: string;
  /** WITH GRANT OPTION, or GRANT OPTION FOR alone. */
  readonly grantOption: boolean;
  readonly cascade: boolean;
  readonly ownerOid: Oid;
}

/** The list after the change. 0LP01 for circles, 2BP01 when a REVOKE would leave rights without their grantor's. */
export function changedAcl(acl: readonly AclItem[], change: AclChange): readonly AclItem[] {
  let list = acl;
  for (const granteeOid of change.grantees) {
    if (change.grantOption && granteeOid === PUBLIC_ROLE) {
      throw new PhantomError('0LP01', 'grant options can only be granted to roles');
    }
    list = change.revoke ? revoked(list, granteeOid, change) : granted(list, granteeOid, change);
  }
  return list;
}

function granted(acl: readonly AclItem[], granteeOid: Oid, change: AclChange): readonly AclItem[] {
  const { grantorOid, letters, grantOption, ownerOid } = change;
  if (grantOption && granteeOid !== ownerOid && reaches(acl, granteeOid, grantorOid, letters)) {
    throw new PhantomError('0LP01', 'grant options cannot be granted back to your own grantor');
  }
  const index = acl.findIndex((item) => item.granteeOid === granteeOid && item.grantorOid === grantorOid);
  const before = acl[index] ?? { granteeOid, grantorOid, privileges: '', grantable: '' };
  const after: AclItem = {
    ...before,
    privileges: joinLetters(before.privileges, letters),
    grantable: grantOption && granteeOid !== ownerOid ? joinLetters(before.grantable, letters) : before.grantable,
  };
  return index < 0 ? [...acl, after] : acl.map((item, i) => (i === index ? after : item));
}

/** True when the grantor has its grant options from the grantee, directly or through others. */
function reaches(acl: readonly AclItem[], fromOid: Oid, toOid: Oid, letters: string): boolean {
  const seen = new Set<Oid>();
  const pending = [toOid];
  for (let oid = pending.pop(); oid !== undefined; oid = pending.pop()) {
    if (oid === fromOid) return true;
    if (seen.has(oid)) continue;
    seen.add(oid);
    for (const item of acl) {
      if (item.granteeOid === oid && item.grantorOid !== oid && commonLetters(item.grantable, letters) !== '') {
        pending.push(item.grantorOid);
      }
    }
  }
  return false;
}

function revoked(acl: readonly AclItem[], granteeOid: Oid, change: AclChange): readonly AclItem[] {
  const { grantorOid, letters, grantOption, cascade, ownerOid } = change;
  let list: readonly AclItem[] = acl
    .map((item) => {
      if (item.granteeOid !== granteeOid || item.grantorOid !== grantorOid) return item;
      return {
        ...item,
        privileges: grantOption ? item.privileges : withoutLetters(item.privileges, letters),
        grantable: withoutLetters(item.grantable, letters),
      };
    })
    .filter((item) => item.privileges !== '' || item.grantable !== '');
  if (granteeOid === ownerOid) return list;
  const still = list.filter((item) => item.granteeOid === granteeOid).map((item) => item.grantable);
  const lost = withoutLetters(letters, still.join(''));
  for (const item of list) {
    const dependent = item.grantorOid === granteeOid ? commonLetters(item.privileges, lost) : '';
    if (dependent === '') continue;
    if (!cascade) {
      throw new PhantomError('2BP01', 'dependent privileges exist', { hint: 'Use CASCADE to revoke them too.' });
    }
    list = revoked(list, item.granteeOid, {
      ...change,
      grantorOid: granteeOid,
      letters: dependent,
      grantOption: false,
    });
  }
  return list;
}
