/**
 * Hidden row numbers of tables without a primary key: rising per space, so that rows lie in the order of insertion. The
 * next one is known in memory from the newest row there is, found when the space is first written to after opening;
 * numbers of rows that were never committed may come again after a restart, which nobody can notice.
 */
import { KeyReader } from '@phantom/codec';
import { SPACE_BYTES, type SpaceId, spaceRange } from '@phantom/kv';
import type { MvccTransaction } from '@phantom/mvcc';

export class RowNumbers {
  private readonly nextBySpace = new Map<SpaceId, number>();

  /** A number that no row of the space has, nor any that is being inserted. */
  next(space: SpaceId, transaction: MvccTransaction): number {
    const next = this.nextBySpace.get(space) ?? lastNumber(space, transaction) + 1;
    this.nextBySpace.set(space, next + 1);
    return next;
  }
}

function lastNumber(space: SpaceId, transaction: MvccTransaction): number {
  const cursor = transaction.cursorNewest(spaceRange(space));
  try {
    if (!cursor.prev()) return 0;
    const { buffer, start, end } = cursor.key;
    return Number(new KeyReader(buffer, start + SPACE_BYTES, end).integer());
  } finally {
    cursor.close();
  }
}
