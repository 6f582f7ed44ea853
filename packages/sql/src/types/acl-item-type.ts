/** aclitem: a right on an object, `grantee=letters/grantor`, a star behind what may be handed on. Kept as that text. */
import { PhantomError } from '@phantom/base';
import { PrivilegeLetters } from '@phantom/catalog';
import { TEXT_STORAGE, builtinType, compareTexts } from './base-type.js';
import { catalogOf } from './reg-types.js';
import { TypeOid } from './type-oids.js';
import type { SqlType, TypeContext } from './type.js';

/** What each letter allows, in PostgreSQL's order; the last two are rights to settings, which no list of ours has. */
const RIGHTS: ReadonlyMap<string, string> = new Map([
  ...Object.entries(PrivilegeLetters)
    .filter(([name]) => name !== 'temp')
    .map(([name, letter]) => [letter, name.toUpperCase()] as const),
  ['s', 'SET'],
  ['A', 'ALTER SYSTEM'],
]);
const LETTERS = [...RIGHTS.keys()].join('');

/** The role that grants where a text does not say. */
const FIRST_ROLE = 10;

/** A name, quoted or not, behind blanks and before some. */
const NAME = /\s*((?:"(?:[^"]|"")*"|[\p{L}\p{N}_])*)\s*/uy;
const PRIVILEGES = /[a-z*]*/iy;

/** A role's name as rights have it: quoted where it has other than letters, digits and underscores. */
export function aclName(name: string): string {
  return /^[A-Za-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** The letters in PostgreSQL's order, those that may be handed on with a star. */
export function aclLetters(privileges: string, grantable: string): string {
  let letters = '';
  for (const letter of LETTERS) {
    if (!privileges.includes(letter)) continue;
    letters += grantable.includes(letter) ? `${letter}*` : letter;
  }
  return letters;
}

/** Names of roles and rights of an aclitem in the form in which it is kept; the grantee is '' for everybody. */
export function aclParts(item: string): {
  readonly grantee: string;
  readonly grantor: string;
  readonly rights: readonly { readonly name: string; readonly isGrantable: boolean }[];
} {
  const [, grantee = '', letters = '', grantor = ''] = /^("(?:[^"]|"")*"|[^=]*)=([^/]*)\/(.*)$/s.exec(item) ?? [];
  const rights = [...letters.matchAll(/([a-z])(\*?)/gi)].map(([, letter = '', star]) => ({
    name: RIGHTS.get(letter) ?? '',
    isGrantable: star === '*',
  }));
  return { grantee: unquoted(grantee), grantor: unquoted(grantor), rights };
}

function unquoted(name: string): string {
  return name.replaceAll(/"(?:[^"]|"")*"/g, (quoted) => quoted.slice(1, -1).replaceAll('""', '"'));
}

/** Reads a right as it is written; 22P02 for what is none, 42704 for a role that is not there. */
function parseAclItem(text: string, context: TypeContext): string {
  let at = 0;
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const match = pattern.exec(text) as RegExpExecArray;
    at = pattern.lastIndex;
    return match[1] ?? match[0];
  };
  const takeName = (): string => unquoted(take(NAME));
  let grantee = takeName();
  if (text[at] !== '=') {
    if (grantee !== 'group' && grantee !== 'user') {
      const hint = 'ACL key word must be "group" or "user".';
      throw new PhantomError('22P02', `unrecognized key word: "${grantee}"`, { hint });
    }
    grantee = takeName();
    if (grantee === '') {
      const hint = 'A name must follow the "group" or "user" key word.';
      throw new PhantomError('22P02', 'missing name', { hint });
    }
  }
  if (text[at] !== '=') throw malformed('missing "=" sign');
  at++;
  const privileges = take(PRIVILEGES);
  if (!/^[arwdDxtXUCTcsA*]*$/.test(privileges)) throw malformed(`invalid mode character: must be one of "${LETTERS}"`);
  const grantable = [...privileges.matchAll(/([a-z])\*/gi)].map(([, letter]) => letter).join('');
  const catalog = catalogOf(context);
  let grantor = catalog?.roleName(FIRST_ROLE) ?? '';
  if (text[at] === '/') {
    at++;
    grantor = takeName();
    if (grantor === '') throw malformed('a name must follow the "/" sign');
  }
  if (text.slice(at).trim() !== '') throw malformed('extra garbage at the end of the ACL specification');
  for (const name of [grantee, grantor]) {
    if (name !== '' && catalog !== undefined && catalog.roleOid(name) === undefined)
      throw new PhantomError('42704', `role "${name}" does not exist`);
  }
  return `${aclName(grantee)}=${aclLetters(privileges, grantable)}/${aclName(grantor)}`;
}

function malformed(message: string): PhantomError {
  return new PhantomError('22P02', message);
}

export const aclItemType: SqlType = builtinType<string>(TypeOid.aclitem, {
  storage: TEXT_STORAGE,
  input: (text, _typmod, context) => parseAclItem(text, context),
  compare: compareTexts,
});
