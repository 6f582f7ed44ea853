/**
 * Power cuts: after every write and sync of a life with flushes and merges, in one way each, or in three with `PHANTOM_SWEEP=whole`,
 * the files open again, hold exactly the state of their flushedSeq, and that is no older than what was reported.
 */
import { EngineCode } from '@phantom/kv';
import type { VfsOperation } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { BtreeEngine, type BtreeOptions } from '../src/index.js';
import { compareState, testContext } from '@phantom/testkit/engine';
import { Workload, type WorkloadOptions } from './workload.js';

const CHANGES = new Set<VfsOperation>(['write', 'sync', 'truncate', 'remove', 'open', 'syncDir', 'rename']);

/** In how many ways each cut goes: which of the unsynced writes are there, and how far. */
const WAYS = process.env['PHANTOM_SWEEP'] === 'whole' ? 3 : 1;

interface Cut {
  readonly disk: MemoryVfs;
  readonly flushedSeq: number;
  readonly generation: number;
  readonly after: string;
}

async function sweep(options: BtreeOptions, life: WorkloadOptions): Promise<number> {
  const { seed } = life;
  const vfs = new MemoryVfs();
  const context = await testContext(vfs);
  const live: { engine?: BtreeEngine } = {};
  const cuts: Cut[] = [];
  vfs.onOperation = ({ operation, path }) => {
    if (!CHANGES.has(operation)) return;
    for (let way = 0; way < WAYS; way++) {
      cuts.push({
        disk: vfs.crashClone(seed * 100_000 + cuts.length),
        flushedSeq: live.engine?.flushedSeq() ?? 0,
        generation: context.generation.value,
        after: `operation ${vfs.operations}, ${operation} ${path}`,
      });
    }
  };
  const engine = await BtreeEngine.open(context, options);
  live.engine = engine;
  const workload = new Workload(engine, life);
  await workload.run();
  await engine.close();
  vfs.onOperation = undefined;
  for (const cut of cuts) {
    try {
      if (!cut.disk.exists('engine')) continue;
      const reopened = await BtreeEngine.open(
        await testContext(cut.disk, { generation: { value: cut.generation } }),
        options,
      );
      expect(reopened.flushedSeq()).toBeGreaterThanOrEqual(cut.flushedSeq);
      compareState(reopened, EngineCode.Btree, workload.models);
      expect([...reopened.check()]).toEqual([]);
      await reopened.close();
    } catch (error) {
      throw new Error(`power cut after ${cut.after}: ${(error as Error).message}`, { cause: error });
    }
  }
  return cuts.length;
}

describe('power cuts', () => {
  it('leave the state of flushedSeq, whole, with merges in between', async () => {
    expect(await sweep({ runsMax: 4, sliceMs: 0 }, { seed: 1, rounds: 7 })).toBeGreaterThan(90 * WAYS);
  });

  it('leave the state of flushedSeq, whole, with merges at once', async () => {
    expect(await sweep({ runsMax: 2, sliceMs: 0, idleMergeMs: 0 }, { seed: 2, rounds: 5 })).toBeGreaterThan(70 * WAYS);
  });

  it('leave the state of flushedSeq, whole, with runs merged into each other', async () => {
    const options = { runsMax: 3, sliceMs: 0, idleMergeMs: 1e9 };
    // It takes many keys before runs are merged with each other rather than into the tree.
    expect(await sweep(options, { seed: 3, rounds: 7, keys: 2000, preloaded: 2000 })).toBeGreaterThan(80 * WAYS);
  });
});
