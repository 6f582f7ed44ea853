import { EngineCode } from '@phantom/kv';
import { engineConformance } from '@phantom/kv/testing';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, it } from 'vitest';
import { BtreeEngine, type BtreeOptions } from '../src/index.js';
import { type TestContext, testContext } from './engine-context.js';

const variants: readonly { name: string; options: BtreeOptions; deltaBytesMax: number }[] = [
  { name: 'B+tree', options: {}, deltaBytesMax: 4 << 20 },
  { name: 'B+tree, small deltas', options: { runsMax: 3, sliceMs: 0, idleMergeMs: 0 }, deltaBytesMax: 2 << 20 },
];

for (const { name, options, deltaBytesMax } of variants) {
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
    describe,
    it,
  });
}
