/**
 * Failing disks: the nth operation fails, for every n until none does. Each time the error that comes out is a typed one,
 * what was reported as flushed is there when the files are opened again, on a disk that went on and on one that lost its
 * power, and the state is that of one moment.
 */
import { isPhantomError } from '@phantom/base';
import { EngineCode } from '@phantom/kv';
import { Model } from '@phantom/kv/testing';
import type { MemoryVfs as Disk } from '@phantom/vfs/testing';
import { FaultyVfs, MemoryVfs, counting, failAt, failFrom, onOperation } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { BtreeEngine, type BtreeOptions } from '../src/index.js';
import { compareState, type TestContext, testContext } from '@phantom/testkit/engine';
import { Workload } from './workload.js';

const OPTIONS: BtreeOptions = { runsMax: 2, sliceMs: 0, idleMergeMs: 0 };

async function life(context: TestContext): Promise<{ engine?: BtreeEngine; workload?: Workload; error?: unknown }> {
  let engine: BtreeEngine | undefined;
  let workload: Workload | undefined;
  try {
    engine = await BtreeEngine.open(context, OPTIONS);
    workload = new Workload(engine, { seed: 5, rounds: 3, keys: 150 });
    await workload.run();
    return { engine, workload };
  } catch (error) {
    return { ...(engine === undefined ? {} : { engine }), ...(workload === undefined ? {} : { workload }), error };
  }
}

const ALL = ['open', 'read', 'write', 'truncate', 'sync', 'syncDir', 'remove', 'list', 'size', 'close'] as const;
/** What each kind of fault can happen to. */
const VICTIMS = { EIO: ALL, ENOSPC: ['open', 'write', 'sync'], 'short-write': ['write'] } as const;
type Kind = keyof typeof VICTIMS;

async function failOnce(n: number, kind: Kind, forever: boolean): Promise<boolean> {
  const disk: Disk = new MemoryVfs();
  const vfs = new FaultyVfs(disk, counting());
  const context = await testContext(vfs);
  const injector = forever ? failFrom(n, kind) : failAt(n, kind);
  vfs.injector = onOperation(VICTIMS[kind], injector);
  const { engine, workload, error } = await life(context);
  const flushed = engine?.flushedSeq() ?? 0;
  workload?.releaseViews();
  await engine?.close().catch((failure: unknown) => expect(isPhantomError(failure)).toBe(true));
  if (error !== undefined && !isPhantomError(error)) throw error;
  for (const failure of context.failures) if (!isPhantomError(failure)) throw failure;
  for (const left of n % 2 === 0 ? [disk.killClone()] : [disk.crashClone(n)]) {
    if (!left.exists('engine')) continue;
    const again = await BtreeEngine.open(
      await testContext(left, { generation: { value: context.generation.value } }),
      OPTIONS,
    );
    expect(again.flushedSeq()).toBeGreaterThanOrEqual(flushed);
    compareState(again, EngineCode.Btree, workload?.models ?? [new Model()]);
    expect([...again.check()]).toEqual([]);
    await again.close();
  }
  return injector.fired;
}

async function sweep(kind: Kind, forever: boolean): Promise<number> {
  // A disk that stays broken meets the same places as one that fails once: every third is enough.
  for (let n = 0; ; n += forever ? 3 : 1) {
    try {
      if (!(await failOnce(n, kind, forever))) return n;
    } catch (error) {
      throw new Error(`operation ${n} failed with ${kind}: ${(error as Error).message}`, { cause: error });
    }
  }
}

describe('failing disks', () => {
  for (const [kind, least] of [
    ['EIO', 110],
    ['ENOSPC', 30],
    ['short-write', 15],
  ] as const) {
    it(`reopen after the nth operation failed with ${kind}`, async () => {
      expect(await sweep(kind, false)).toBeGreaterThan(least);
    });
    it(`reopen after every operation from the nth on failed with ${kind}`, async () => {
      expect(await sweep(kind, true)).toBeGreaterThan(least);
    });
  }
});
