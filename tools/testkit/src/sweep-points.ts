/**
 * Which points of a sweep over a life are tried. Lives repeat themselves, and a point costs as much as all that is proved at it; so of each
 * kind of point, an operation on a kind of file, the first is tried and each nth after it. `PHANTOM_SWEEP=whole` tries all.
 */
import type { VfsOp } from '@phantom/vfs';

/** Tells of each operation of a life, asked in turn, whether it is a point to try. */
export function pointsOfEachKind(everyNth: number): (operation: VfsOp) => boolean {
  const nth = process.env['PHANTOM_SWEEP'] === 'whole' ? 1 : everyNth;
  const seenOfKind = new Map<string, number>();
  return ({ operation, path }) => {
    // Files of a kind differ in their numbers.
    const kind = `${operation} ${path.replaceAll(/\d[\da-f]*/g, '#')}`;
    const seen = seenOfKind.get(kind) ?? 0;
    seenOfKind.set(kind, seen + 1);
    return seen % nth === 0;
  };
}
