/**
 * The trees' worker threads, which must start in every packaging as well: a flush and a compaction or merge of any size are
 * handed to them, and what they wrote is read back.
 */
import { checkEveryPackaging } from './sync-thread.js';
import type { Verdict } from './verdict.js';

const OPENERS: Readonly<Record<string, { readonly open: string; readonly settle: string }>> = {
  '@phantom/lsm': { open: 'openLsm', settle: 'compact' },
  '@phantom/btree': { open: 'openBtree', settle: 'merge' },
};

/** The packages that have worker threads. */
export const workerThreadPackages: readonly string[] = Object.keys(OPENERS);

/** Four verdicts for a package: two direct, two bundled. */
export function checkWorkerThreads(project: string, from: string): Promise<Verdict[]> {
  const { open, settle } = OPENERS[from] as { readonly open: string; readonly settle: string };
  const use = `    const db = await ${open}(folder, { workerBytesMin: 0 });
    const bytes = (i) => new Uint8Array([i >> 8, i & 255]);
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 500; i++) db.put(bytes(i), bytes(i + round));
      await db.put(bytes(500), bytes(500));
      await db.flush();
    }
    const engine = [0, 1, 2, 3].map((code) => db.store.engine(code)).find((found) => found !== undefined);
    await engine.${settle}();
    const { workerJobs } = engine.stats();
    if (workerJobs < 3) throw new Error('the thread did ' + workerJobs + ' jobs');
    const entries = [...db.scan()];
    if (entries.length !== 501 || entries[7].value[1] !== 8) throw new Error('it reads differently');
    await db.close();`;
  return checkEveryPackaging(project, `threads-of-${open}`, { from, name: open, use });
}
