/**
 * Filling a new space past write set, log and memory: its entries, which come in the order of their keys, go straight into files of the
 * engine. That is a commit of its own, into a space that is noted as unfinished until the transaction around it commits: a rollback
 * or a crash has it cleared away.
 *
 * Behind it a snapshot of before would find the space empty, so it is for a statement that is alone in its transaction and reads by
 * a new snapshot, and that has nothing read the space before its end but by what is newest.
 */
import type { SpaceId } from '@phantom/kv';
import type { Yielded } from '../exec/runtime.js';
import type { SpaceLoad, TableEngine } from '../session/ports.js';
import type { DdlContext } from './context.js';

/** From this size on entries are loaded: below it a file and a commit more cost more than they save. */
const LOADED_BYTES_MIN = 1024 * 1024;

/** A load of about so many bytes; undefined where they are better written by the transaction. The caller discards it at the end. */
export function beginLoad(context: DdlContext, engine: TableEngine, bytes: number): SpaceLoad | undefined {
  const { inTransactionBlock, transaction, storage } = context;
  if (inTransactionBlock || transaction.isolation !== 'read committed' || bytes < LOADED_BYTES_MIN) return undefined;
  return storage.beginLoad(engine);
}

/** Commits what was loaded into a space. */
export function* commitLoad(context: DdlContext, load: SpaceLoad, space: SpaceId): Generator<Yielded, void, void> {
  const { catalog, transaction, synchronous } = context;
  const spaces = [space];
  context.onEnd((committed) => {
    // If that fails, it goes with the next opening.
    if (!committed) catalog.unfinished.clear(spaces).catch(() => undefined);
  });
  if (synchronous) catalog.unfinished.noteNow(spaces);
  else yield catalog.unfinished.note(spaces);
  if (synchronous) load.commitNow();
  else yield load.commit().then(() => undefined);
  catalog.unfinished.finish(transaction, spaces);
}
