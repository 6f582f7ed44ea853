import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AttachedView, EngineCode } from '@phantom/kv';
import { engineConformance } from '@phantom/kv/testing';
import type { ViewAttacher } from '@phantom/store';
import { createNodeVfs } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterAll, describe, it } from 'vitest';
import { BtreeEngine, type BtreeOptions, btree } from '../src/index.js';
import { type TestContext, testContext } from '@phantom/testkit/engine';

/** One seed for each number of keys that conformance mirrors; more of them with `PHANTOM_SWEEP=whole`. */
const SEEDS = process.env['PHANTOM_SWEEP'] === 'whole' ? [4, 5, 6, 7, 8, 9, 10, 11, 12] : [4, 5, 6];

const variants: readonly { name: string; options: BtreeOptions; deltaBytesMax: number; seeds: number[] }[] = [
  { name: 'B+tree', options: {}, deltaBytesMax: 4 << 20, seeds: [1, 2, 3] },
  {
    name: 'B+tree, small deltas',
    options: { runsMax: 3, sliceMs: 0, idleMergeMs: 0 },
    deltaBytesMax: 2 << 20,
    seeds: SEEDS,
  },
];

for (const { name, options, deltaBytesMax, seeds } of variants) {
  const contexts = new Map<unknown, TestContext>();
  const open = async (context: TestContext): Promise<BtreeEngine> => {
    const engine = await BtreeEngine.open(context, options);
    contexts.set(engine, context);
    return engine;
  };
  engineConformance({
    name,
    code: EngineCode.Btree,
    open: async () =>
      open(await testContext(new MemoryVfs({ losesPower: false }), { deltaBytesMax, cacheBytes: 256 * 1024 })),
    reopen: async (engine) => {
      const { vfs, generation } = contexts.get(engine) as TestContext;
      await engine.close();
      return open(await testContext(vfs, { deltaBytesMax, generation }));
    },
    attach: (engine) => attacherOf(contexts.get(engine) as TestContext),
    seeds,
    mirrorSteps: 200,
    describe,
    it,
  });
}

/** One that opens views as another thread would. */
function attacherOf(context: TestContext): (descriptor: unknown) => AttachedView {
  const attacher = btree().attach?.(context);
  return (descriptor) => (attacher as ViewAttacher).open(descriptor);
}

const directories: string[] = [];
const onDisk = new Map<unknown, TestContext>();
const openOnDisk = async (context: TestContext): Promise<BtreeEngine> => {
  const engine = await BtreeEngine.open(context);
  onDisk.set(engine, context);
  return engine;
};
engineConformance({
  name: 'B+tree on a real disk',
  code: EngineCode.Btree,
  open: async () => {
    const directory = mkdtempSync(join(tmpdir(), 'phantom-btree-'));
    directories.push(directory);
    return openOnDisk(await testContext(await createNodeVfs(), { directory }));
  },
  reopen: async (engine) => {
    const { vfs, generation, directory } = onDisk.get(engine) as TestContext;
    await engine.close();
    return openOnDisk(await testContext(vfs, { directory, generation }));
  },
  attach: (engine) => attacherOf(onDisk.get(engine) as TestContext),
  seeds: [1],
  mirrorSteps: 150,
  describe,
  it,
});
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true });
});
