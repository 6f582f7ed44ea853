/**
 * Failing disks: the nth operation fails, for every n until none does. Each time the error that comes out is a typed one,
 * what was reported as flushed is there when the files are opened again, on a disk that went on and on one that lost its
 * power, and the state is that of one moment.
 */
import { isPhantomError } from '@phantom/base';
import { EngineCode } from '@phantom/kv';
import { Model } from '@phantom/kv/testing';
import { FaultyVfs, MemoryVfs, counting, failAt, failFrom, onOperation } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { LsmEngine, type LsmOptions } from '../src/index.js';
import { compareState, type TestContext, testContext } from '@phantom/testkit/engine';
import { SMALL } from './small-options.js';
import { Workload } from './workload.js';

const OPTIONS: LsmOptions = { ...SMALL, levelBytes: 20_000, runBytesMax: 10_000, blockBytes: 1000 };

/** Long, for machines that have much else to do. */
const SWEEP_TIMEOUT_MS = 120_000;

interface Life {
  readonly engine?: LsmEngine;
  readonly workload?: Workload;
  readonly error?: unknown;
}

async function live(context: TestContext): Promise<Life> {
  let engine: LsmEngine | undefined;
  let workload: Workload | undefined;
  try {
    engine = await LsmEngine.open(context, OPTIONS);
    workload = new Workload(engine, { seed: 5, rounds: 3, keys: 120, vfs: context.vfs });
    await workload.run();
    return { engine, workload };
  } catch (error) {
    return { ...(engine === undefined ? {} : { engine }), ...(workload === undefined ? {} : { workload }), error };
  }
}

/** What each kind of fault can happen to. */
const VICTIMS = {
  EIO: ['open', 'write', 'truncate', 'sync', 'syncDir', 'remove', 'rename', 'list', 'size', 'close'],
  'EIO while reading': ['read'],
  ENOSPC: ['open', 'write', 'sync'],
  'short-write': ['write'],
} as const;
type Kind = keyof typeof VICTIMS;

async function failOnce(n: number, kind: Kind, forever: boolean): Promise<boolean> {
  const disk = new MemoryVfs();
  const vfs = new FaultyVfs(disk, counting());
  const context = await testContext(vfs);
  const fault = kind === 'EIO while reading' ? 'EIO' : kind;
  const injector = forever ? failFrom(n, fault) : failAt(n, fault);
  vfs.injector = onOperation(VICTIMS[kind], injector);
  const { engine, workload, error } = await live(context);
  const flushed = engine?.flushedSeq() ?? 0;
  const applied = engine?.appliedSeq ?? 0;
  workload?.releaseViews();
  await engine?.close().catch((failure: unknown) => expect(isPhantomError(failure)).toBe(true));
  if (error !== undefined && !isPhantomError(error)) throw error;
  for (const failure of context.failures) if (!isPhantomError(failure)) throw failure;
  const left = n % 2 === 0 ? disk.killClone() : disk.crashClone(n);
  if (!left.exists('engine')) return injector.fired;
  const again = await LsmEngine.open(
    await testContext(left, { generation: { value: context.generation.value } }),
    OPTIONS,
  );
  expect(again.flushedSeq()).toBeGreaterThanOrEqual(flushed);
  const seq = again.flushedSeq() + 1;
  const file = workload?.handedOver.get(seq);
  if (file !== undefined && seq <= applied) again.ingest([file], seq);
  compareState(again, EngineCode.Lsm, workload?.models ?? [new Model()]);
  expect([...again.check()]).toEqual([]);
  await again.close();
  return injector.fired;
}

async function sweep(kind: Kind, forever: boolean): Promise<number> {
  // A disk that stays broken meets the same places as one that fails once, and reads are many: every nth is enough.
  const step = (forever ? 3 : 1) * (kind === 'EIO while reading' ? 7 : 1);
  for (let n = 0; ; n += step) {
    try {
      if (!(await failOnce(n, kind, forever))) return n;
    } catch (error) {
      throw new Error(`operation ${n} failed with ${kind}: ${(error as Error).message}`, { cause: error });
    }
  }
}

describe('failing disks', () => {
  for (const [kind, least] of [
    ['EIO', 100],
    ['EIO while reading', 80],
    ['ENOSPC', 40],
    ['short-write', 15],
  ] as const) {
    it(
      `reopen after the nth operation failed with ${kind}`,
      async () => {
        expect(await sweep(kind, false)).toBeGreaterThan(least);
      },
      SWEEP_TIMEOUT_MS,
    );
    it(
      `reopen after every operation from the nth on failed with ${kind}`,
      async () => {
        expect(await sweep(kind, true)).toBeGreaterThan(least);
      },
      SWEEP_TIMEOUT_MS,
    );
  }
});
