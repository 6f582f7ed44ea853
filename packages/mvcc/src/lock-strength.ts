/**
 * Lock modes and which of them exclude each other, as in PostgreSQL (its documentation, chapter 13.3).
 *
 *   rows           KeyShare  Share  NoKeyUpdate  Update
 *   KeyShare                                       x
 *   Share                             x            x
 *   NoKeyUpdate              x        x            x
 *   Update            x      x        x            x
 *
 * A reference to a row's key (a foreign key) takes KeyShare, an update that leaves the key alone NoKeyUpdate: so children
 * are inserted while their parent is updated.
 *
 *   tables                 AS  RS  RX  SUX  S  SRX  X  AX
 *   AccessShare                                        x       reading
 *   RowShare                                       x   x       locking rows
 *   RowExclusive                            x   x  x   x       writing
 *   ShareUpdateExclusive                x   x   x  x   x
 *   Share                          x    x       x  x   x       building an index
 *   ShareRowExclusive              x    x   x   x  x   x
 *   Exclusive                  x   x    x   x   x  x   x       changing the definition
 *   AccessExclusive        x   x   x    x   x   x  x   x
 *
 * A key is locked in modes of one kind only. What an owner holds covers a mode when it excludes everything the mode does.
 */
import { type LockMode, LockStrength } from './types.js';

/** Bit m of the entry for n is set when m and n exclude each other. */
const CONFLICTS = [
  0b1000,
  0b1100,
  0b1110,
  0b1111,
  0b1000_0000 << 4,
  0b1100_0000 << 4,
  0b1111_0000 << 4,
  0b1111_1000 << 4,
  0b1110_1100 << 4,
  0b1111_1100 << 4,
  0b1111_1110 << 4,
  0b1111_1111 << 4,
] as const;

/** What errors call a mode. */
export const MODE_NAMES = [
  'key share',
  'share',
  'no key update',
  'update',
  'access share',
  'row share',
  'row exclusive',
  'share update exclusive',
  'share',
  'share row exclusive',
  'exclusive',
  'access exclusive',
] as const;

export function excludes(a: LockMode, b: LockMode): boolean {
  return ((CONFLICTS[a] as number) & (1 << b)) !== 0;
}

/** The modes that a mode excludes, a bit for each. */
export function excludedBy(mode: LockMode): number {
  return CONFLICTS[mode] as number;
}

/** True for the modes of rows, false for those of tables. */
export function isRowMode(mode: LockMode): boolean {
  return mode <= LockStrength.Update;
}
