/**
 * A file that holds a private key: read only when nobody else may read it, by PostgreSQL's rule, so that a key which many know is not served.
 *
 *   owner          at most
 *   the daemon's   0600
 *   root           0640: a group whose members are handed keys, as ssl-cert is on Debian
 *
 * Windows has no such permissions, and is asked for none.
 */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { PhantomError, ioError } from '@phantom/base';

const CONFIG_FILE_ERROR = 'F0000';
const OTHERS = 0o077;
const OTHERS_BUT_READING_GROUP = 0o037;

/** Who owns a file, and who may do what with it. */
export interface FileRights {
  readonly uid: number;
  readonly mode: number;
}

/** The bytes of the file; F0000 when others may read it, 58P01, 58030 and the like as of ioError when it cannot be read. */
export function readPrivateKey(file: string): Buffer {
  try {
    const descriptor = openSync(file, 'r');
    try {
      // Of what is read, not of what has the name by then.
      const wrong = wrongRights(fstatSync(descriptor), process.geteuid?.());
      if (wrong !== undefined)
        throw new PhantomError(CONFIG_FILE_ERROR, `private key file "${file}" ${wrong.message}`, wrong);
      return readFileSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw ioError('read', file, error);
  }
}

/** What is wrong with the rights of a key for a process of this user; undefined when nothing is, or there are no users. */
export function wrongRights(
  { uid, mode }: FileRights,
  user: number | undefined,
): { readonly message: string; readonly detail?: string } | undefined {
  if (user === undefined) return undefined;
  if (uid !== user && uid !== 0) return { message: 'must be owned by the database user or root' };
  if ((mode & (uid === 0 ? OTHERS_BUT_READING_GROUP : OTHERS)) === 0) return undefined;
  return {
    message: 'has group or world access',
    detail:
      'File must have permissions u=rw (0600) or less if owned by the database user, or permissions u=rw,g=r (0640) or less if owned by root.',
  };
}
