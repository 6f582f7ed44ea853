/** Bulk loads of a tree alone: sorted entries that become its files. */
import { EngineCode } from '@phantom/kv';
import { type OpenTree, cutLoads, failLoads, loadSuite } from '@phantom/testkit';
import { describe, expect, it } from 'vitest';
import { openLsm } from '../src/index.js';

const OPTIONS = {
  level0RunsMin: 2,
  blockBytes: 200,
  runBytesMax: 800,
  segmentBytes: 16_384,
  deltaBytesMax: 100_000,
  cacheBytes: 100_000,
};
const open: OpenTree = (directory, vfs) => openLsm(directory, { ...OPTIONS, vfs });

describe('bulk loads', () => {
  loadSuite({ code: EngineCode.Lsm, engine: 'lsm', open: (directory, vfs) => openLsm(directory, { vfs }) });

  it('are whole or absent after a power cut', async () => {
    expect(await cutLoads(open, 9)).toBeGreaterThan(90);
  });

  it('are whole or absent when the disk fails', async () => {
    expect(await failLoads(open, 23)).toBeGreaterThan(90);
  });
});
