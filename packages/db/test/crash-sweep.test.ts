/**
 * The power is cut after every write, sync, rename and removal of a mixed SQL workload. Whatever the disk then holds, the
 * database opens, nothing acknowledged is lost, nothing is half there, indexes agree with their tables.
 *
 * Of each kind of operation, it is cut after the first and every second from there; on a disk whose syncs take a turn, every fifth. After each
 * with `PHANTOM_SWEEP=whole`.
 */
import type { VfsOp } from '@phantom/vfs';
import { pointsOfEachKind } from '@phantom/testkit';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { type Progress, audit, newProgress, work } from './workload.js';

const CHANGING = new Set(['write', 'sync', 'rename', 'remove', 'syncDir', 'truncate']);

/** A busy machine is slow, and the sweep is long. */
const SWEEP_TIMEOUT_MS = 120_000;

interface PowerCut {
  readonly disk: MemoryVfs;
  readonly progress: Progress;
  readonly after: string;
}

function copyOf(progress: Progress): Progress {
  return {
    acknowledged: new Set(progress.acknowledged),
    sent: new Set(progress.sent),
    tables: new Set(progress.tables),
    ready: progress.ready,
  };
}

describe('power cuts under SQL', () => {
  it.each([
    { seed: 1, everyNth: 2 },
    { seed: 2, everyNth: 5 },
  ])(
    'lose nothing acknowledged and show nothing half done (seed $seed)',
    async ({ seed, everyNth }) => {
      const vfs = new MemoryVfs({ syncTurns: seed - 1 });
      const progress = newProgress();
      const cuts: PowerCut[] = [];
      const isTried = pointsOfEachKind(everyNth);
      let operations = 0;
      vfs.onOperation = ({ operation, path }: VfsOp) => {
        if (!CHANGING.has(operation)) return;
        operations++;
        if (!isTried({ operation, path })) return;
        cuts.push({
          disk: vfs.crashClone(cuts.length * 13 + seed),
          progress: copyOf(progress),
          after: `${operation} ${path}`,
        });
      };
      await work(vfs, seed, 14, progress);
      vfs.onOperation = undefined;
      expect(operations).toBeGreaterThan(100);
      for (const [index, cut] of cuts.entries()) {
        expect([index, cut.after, ...(await audit(cut.disk, cut.progress))]).toEqual([index, cut.after]);
      }
      expect(await audit(vfs, progress)).toEqual([]);
    },
    SWEEP_TIMEOUT_MS,
  );
});
