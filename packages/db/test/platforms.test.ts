/** A disk with the promises of Windows: directories cannot be synced, and an open file cannot be renamed over. */
import { MemoryVfs } from '@phantom/vfs/testing';
import { expect, it } from 'vitest';
import { audit, newProgress, work } from './workload.js';

it('runs the mixed workload, checkpoints and reopens where directories have no sync and open files no rename', async () => {
  const vfs = new MemoryVfs({ capabilities: { directorySync: false, renameOverOpen: false, fullSync: true } });
  const progress = newProgress();
  await work(vfs, 3, 14, progress);
  expect(await audit(vfs, progress)).toEqual([]);
  expect(await audit(vfs.crashClone(9), progress)).toEqual([]);
});
