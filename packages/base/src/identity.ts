/**
 * What tells one store from every other: 128 random bits, made when the store is and written into each of its files that
 * could be taken for another store's. Files that two stores have under the same names (a log's segments, a tree, a
 * manifest) look alike in all else, numbers and checksums included; so whoever opens one compares this first.
 */
import { toHex } from './bytes.js';
import { PhantomError, SqlState } from './errors.js';

export const IDENTITY_BYTES = 16;

/** IDENTITY_BYTES bytes, never all zero. */
export type Identity = Uint8Array;

export function newIdentity(): Identity {
  return crypto.getRandomValues(new Uint8Array(IDENTITY_BYTES));
}

/** The identity at a place of a file's bytes; undefined where zeros stand for none. */
export function readIdentity(bytes: Uint8Array, at: number): Identity | undefined {
  const identity = bytes.slice(at, at + IDENTITY_BYTES);
  return identity.every((byte) => byte === 0) ? undefined : identity;
}

export function sameIdentity(a: Identity | undefined, b: Identity | undefined): boolean {
  return identityText(a) === identityText(b);
}

/** As people read it: 32 hexadecimal digits. */
export function identityText(identity: Identity | undefined): string {
  return identity === undefined ? 'none' : toHex(identity);
}

/** A file of another store, or of none, lies where one of this store is expected. Nothing was changed. */
export function foreignFileError(
  file: string,
  expected: Identity | undefined,
  found: Identity | undefined,
): PhantomError {
  return new PhantomError(SqlState.DataCorrupted, `"${file}" does not belong to this store`, {
    detail: `The store is ${identityText(expected)}, the file is of ${identityText(found)}.`,
    hint: "Put the store's own file back, or all files of one copy or backup together; nothing was changed.",
    data: { file, expected: identityText(expected), found: identityText(found) },
  });
}
