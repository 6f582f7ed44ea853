/**
 * PostgreSQL's four row lock strengths and which of them exclude each other (its documentation, "Row-Level Locks"):
 *
 *                  KeyShare  Share  NoKeyUpdate  Update
 *   KeyShare                                       x
 *   Share                             x            x
 *   NoKeyUpdate              x        x            x
 *   Update            x      x        x            x
 *
 * A reference to a row's key (a foreign key) takes KeyShare, an update that leaves the key alone NoKeyUpdate: so children
 * are inserted while their parent is updated. A stronger lock covers every weaker one.
 */
import type { LockStrength } from './types.js';

/** Bit s of the entry for t is set when s and t exclude each other. */
const CONFLICTS = [0b1000, 0b1100, 0b1110, 0b1111] as const;

export const STRENGTH_NAMES = ['key share', 'share', 'no key update', 'update'] as const;

export function excludes(a: LockStrength, b: LockStrength): boolean {
  return ((CONFLICTS[a] as number) & (1 << b)) !== 0;
}
