/** The locks under which the definition of a whole may change: those of its partitions too, however deep. */
import type { TableDescriptor } from '@phantom/catalog';
import type { Yielded } from '../../exec/runtime.js';
import type { DdlContext } from '../context.js';
import { lockForChange } from '../names.js';

/**
 * Waits for all that are at work on the partitions below a table, whose lock the caller holds. Each is locked before it is asked for its own
 * partitions, which come and go under its lock: what is asked afterwards stays so until the transaction ends.
 */
export function* lockPartitions(context: DdlContext, table: TableDescriptor): Generator<Yielded, void, void> {
  if (table.partitioned === undefined) return;
  for (const partition of context.picture.partitionsOf(table)) {
    const locked = yield* lockForChange(context, partition);
    if (locked !== undefined) yield* lockPartitions(context, locked);
  }
}
