/**
 * Power cuts: after every write and sync of a life with flushes, compactions, ingested files and manifests rewritten, in
 * one way each, or in two with `PHANTOM_SWEEP=whole`, the files open again, hold exactly the state of their flushedSeq, and that
 * is no older than what was reported; and a file that the log would hand over again is taken over again.
 */
import { EngineCode } from '@phantom/kv';
import type { VfsOperation } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { LsmEngine, type LsmOptions } from '../src/index.js';
import { compareState, testContext } from '@phantom/testkit/engine';
import { SMALL } from './small-options.js';
import { Workload } from './workload.js';

const CHANGES = new Set<VfsOperation>(['write', 'sync', 'truncate', 'remove', 'open', 'syncDir', 'rename']);

/** In how many ways each cut goes: which of the unsynced writes are there, and how far. */
const WAYS = process.env['PHANTOM_SWEEP'] === 'whole' ? 2 : 1;

/** Long, for machines that have much else to do. */
const SWEEP_TIMEOUT_MS = 120_000;

interface Cut {
  readonly disk: MemoryVfs;
  readonly flushedSeq: number;
  readonly appliedSeq: number;
  readonly generation: number;
  readonly after: string;
}

async function sweep(seed: number, rounds: number, options: LsmOptions, everyNth: number): Promise<number> {
  const vfs = new MemoryVfs();
  const context = await testContext(vfs);
  const live: { engine?: LsmEngine } = {};
  const cuts: Cut[] = [];
  let operations = 0;
  vfs.onOperation = ({ operation, path }) => {
    if (!CHANGES.has(operation) || operations++ % everyNth !== 0) return;
    for (let way = 0; way < WAYS; way++) {
      cuts.push({
        disk: vfs.crashClone(seed * 100_000 + cuts.length),
        flushedSeq: live.engine?.flushedSeq() ?? 0,
        appliedSeq: live.engine?.appliedSeq ?? 0,
        generation: context.generation.value,
        after: `operation ${vfs.operations}, ${operation} ${path}`,
      });
    }
  };
  const engine = await LsmEngine.open(context, options);
  live.engine = engine;
  const workload = new Workload(engine, { seed, rounds, vfs });
  await workload.run();
  await engine.close();
  vfs.onOperation = undefined;
  for (const cut of cuts) {
    if (!cut.disk.exists('engine')) continue;
    try {
      await proveCut(cut, workload, options);
    } catch (error) {
      throw new Error(`power cut after ${cut.after}: ${(error as Error).message}`, { cause: error });
    }
  }
  return cuts.length;
}

async function proveCut(cut: Cut, workload: Workload, options: LsmOptions): Promise<void> {
  const context = await testContext(cut.disk, { generation: { value: cut.generation } });
  const reopened = await LsmEngine.open(context, options);
  expect(reopened.flushedSeq()).toBeGreaterThanOrEqual(cut.flushedSeq);
  // What the log would say next, if that is a file.
  const seq = reopened.flushedSeq() + 1;
  const file = workload.handedOver.get(seq);
  if (file !== undefined && seq <= cut.appliedSeq) reopened.ingest([file], seq);
  compareState(reopened, EngineCode.Lsm, workload.models);
  expect([...reopened.check()]).toEqual([]);
  await reopened.flush();
  await reopened.settled();
  const { runs } = reopened.stats();
  await reopened.close();
  // Nobody needs any other file now.
  const left = cut.disk.list('engine').filter((name) => name.endsWith('.run')).length;
  expect(left).toBe(runs);
}

describe('power cuts', () => {
  it(
    'leave the state of flushedSeq, whole, with many small levels',
    async () => {
      expect(await sweep(1, 9, SMALL, 11)).toBeGreaterThan(40 * WAYS);
    },
    SWEEP_TIMEOUT_MS,
  );

  it(
    'leave the state of flushedSeq, whole, at every single write',
    async () => {
      expect(await sweep(2, 6, { ...SMALL, levelBytes: 30_000, runBytesMax: 20_000 }, 1)).toBeGreaterThan(125 * WAYS);
    },
    SWEEP_TIMEOUT_MS,
  );
});
