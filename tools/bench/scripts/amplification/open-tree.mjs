/** A tree alone, with what the advisor knows of it. Memory is small, so that 200,000 rows are to it what 3 million are to the default. */
import { EngineCode, makeSpaceId } from '@phantom/kv';

const MIB = 1024 * 1024;
export const CONFIGURATION = { cacheBytes: 4 * MIB, deltaBytesMax: 4 * MIB };

export async function openTree(engine, directory, options = CONFIGURATION) {
  const isLsm = engine === 'lsm';
  const open = isLsm ? (await import('@phantom/lsm')).openLsm : (await import('@phantom/btree')).openBtree;
  const db = await open(directory, options);
  const code = isLsm ? EngineCode.Lsm : EngineCode.Btree;
  const kv = db.store.engine(code);
  // The one space of a tree alone.
  const space = makeSpaceId(code, 0);
  return {
    db,
    stats: () => kv.stats(),
    /** Resolves when nothing is left to do in the background. */
    async settle() {
      await db.flush();
      await (isLsm ? kv.settled() : kv.merge());
    },
    /** Brings everything into the lowest level, whether it pays or not. */
    mergeAll: () => (isLsm ? kv.compact() : kv.merge()),
    advise: () => db.store.advise([space]),
  };
}
