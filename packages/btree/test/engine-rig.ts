/** An engine over a disk that can be made to fail, with its driver. */
import { isPhantomError } from '@phantom/base';
import { EngineCode } from '@phantom/kv';
import { EngineDriver } from '@phantom/kv/testing';
import { FaultyVfs, MemoryVfs, counting } from '@phantom/vfs/testing';
import { BtreeEngine, type BtreeOptions } from '../src/index.js';
import { type ContextOptions, type TestContext, testContext } from '@phantom/testkit/engine';

export const numbered = (i: number): string => String(i).padStart(6, '0');
export const QUIET: BtreeOptions = { idleMergeMs: 1e9 };

export interface Rig {
  readonly vfs: MemoryVfs;
  readonly disk: FaultyVfs;
  readonly context: TestContext;
  readonly engine: BtreeEngine;
  readonly driver: EngineDriver;
}

export async function rig(
  options: BtreeOptions = QUIET,
  more: ContextOptions = {},
  vfs = new MemoryVfs(),
): Promise<Rig> {
  const disk = new FaultyVfs(vfs, counting());
  const context = await testContext(disk, more);
  const engine = await BtreeEngine.open(context, options);
  return { vfs, disk, context, engine, driver: new EngineDriver(engine, EngineCode.Btree) };
}

/** The code of the PhantomError that comes out. */
export async function codeOf(action: () => unknown): Promise<string | undefined> {
  try {
    await action();
    return undefined;
  } catch (error) {
    if (!isPhantomError(error)) throw error;
    return error.code;
  }
}

export async function fill(
  driver: EngineDriver,
  from: number,
  to: number,
  valueBytes = 100,
  perBatch = 200,
): Promise<void> {
  for (let i = from; i < to; i += perBatch) {
    const count = Math.min(perBatch, to - i);
    await driver.commit(
      Array.from({ length: count }, (_, j) => driver.put(numbered(i + j), new Uint8Array(valueBytes).fill(i))),
    );
  }
}
