/**
 * Documents that expire: an index with `expireAfterSeconds` over a path says that a document goes once the date there is so old (the
 * oldest, where there are several; documents without a date stay). A sweep removes them in commits of their own, a bounded number
 * each, in the name of the collection's owner, so a document may outlive its time by a sweep's interval, and readers may see it until then.
 */
import { type Logger, PhantomError, isPhantomError } from '@phantom/base';
import { openCollection } from './collection.js';
import { DocumentModel } from './model.js';

const SWEEP_INTERVAL_MS = 60_000;
/** Documents removed in one commit. */
const DOCUMENTS_PER_COMMIT = 1000;

/** Removes what has expired now; tells how many documents went. */
export async function expireDocuments(model: DocumentModel): Promise<number> {
  const { catalog, clock, databaseOid } = model.ports;
  let removed = 0;
  for (const index of Array.from(catalog.committed.objects())) {
    if (index.kind !== 'index' || index.databaseOid !== databaseOid) continue;
    const seconds = index.document?.expireAfterSeconds;
    const path = index.document?.parts[0]?.path;
    const table = catalog.committed.object(index.tableOid);
    if (seconds === undefined || path === undefined || table?.kind !== 'table') continue;
    const owners = new DocumentModel({ ...model.ports, roleOid: table.ownerOid });
    const collection = openCollection<Record<string, unknown>>(owners, table.name);
    const filter = { [path]: { $lte: new Date(clock.nowMs() - seconds * 1000) } };
    for (;;) {
      const old = await collection.find(filter, { limit: DOCUMENTS_PER_COMMIT, projection: { _id: 1 } }).toArray();
      if (old.length === 0) break;
      // The filter is asked again: the date may have been moved meanwhile.
      const { deletedCount } = await collection.deleteMany({ ...filter, _id: { $in: old.map(({ _id }) => _id) } });
      removed += deletedCount;
      if (deletedCount < DOCUMENTS_PER_COMMIT) break;
    }
  }
  return removed;
}

export interface Expiry {
  /** No sweep begins afterwards; resolves when the one under way has ended. */
  stop(): Promise<void>;
}

/** Sweeps once a minute, without keeping the process alive. What goes wrong is logged and tried again at the next sweep. */
export function startExpiry(model: DocumentModel, logger: Logger): Expiry {
  let sweep: Promise<unknown> = Promise.resolve();
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    sweep = expireDocuments(model)
      .catch((error: unknown) => {
        const { message } = error instanceof Error ? error : new PhantomError('XX000', String(error));
        logger.warn('documents could not be expired', {
          message,
          code: isPhantomError(error) ? error.code : undefined,
        });
      })
      .finally(() => {
        busy = false;
      });
  }, SWEEP_INTERVAL_MS);
  timer.unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await sweep;
    },
  };
}
