/**
 * The nth operation on the disk fails, for n = 0, 1, 2, ... until none does: the workload ends in a typed error or in none,
 * and the database opens again with everything that was acknowledged.
 */
import { isPhantomError } from '@phantom/base';
import { FaultyVfs, type FaultKind, MemoryVfs, failAt, onOperation } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { audit, newProgress, work } from './workload.js';

const OPERATIONS = ['open', 'read', 'write', 'sync', 'rename', 'remove', 'syncDir', 'truncate'] as const;
/** Every operation near the beginning, then in growing steps: later ones repeat what earlier ones do. */
const next = (n: number): number => (n < 40 ? n + 1 : Math.floor(n * 1.08) + 1);
/** A busy machine is slow, and the sweep is long. */
const SWEEP_TIMEOUT_MS = 120_000;

describe('faults of the disk under SQL', () => {
  it.each<FaultKind>(['EIO', 'ENOSPC', 'short-write'])(
    'end in typed errors and lose nothing acknowledged: %s',
    async (kind) => {
      for (let n = 0; ; n = next(n)) {
        const disk = new MemoryVfs();
        const fault = failAt(n, kind);
        const progress = newProgress();
        let failed: unknown;
        try {
          await work(new FaultyVfs(disk, onOperation(OPERATIONS, fault)), 5, 12, progress);
        } catch (error) {
          failed = error;
        }
        if (failed !== undefined && !isPhantomError(failed)) throw failed;
        // What the failed operation left unsynced is lost now.
        expect([kind, n, ...(await audit(disk.crashClone(n), progress))]).toEqual([kind, n]);
        if (!fault.fired) {
          expect(failed).toBeUndefined();
          break;
        }
        expect(n).toBeLessThan(5000);
      }
    },
    SWEEP_TIMEOUT_MS,
  );
});
