import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AttachedView, EngineCode } from '@phantom/kv';
import { engineConformance } from '@phantom/kv/testing';
import type { ViewAttacher } from '@phantom/store';
import { type Vfs, createNodeVfs } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterAll, describe, it } from 'vitest';
import { LsmEngine, type LsmOptions, lsm } from '../src/index.js';
import { type TestContext, testContext } from '@phantom/testkit/engine';
import { SMALL } from './small-options.js';

interface Variant {
  readonly name: string;
  readonly options: LsmOptions;
  readonly deltaBytesMax: number;
  readonly seeds?: readonly number[];
  readonly vfs: () => Vfs | Promise<Vfs>;
  readonly directory: () => string;
}

const temporary = mkdtempSync(join(tmpdir(), 'phantom-lsm-'));
let directories = 0;
afterAll(() => rmSync(temporary, { recursive: true }));

const memory = { vfs: () => new MemoryVfs({ losesPower: false }), directory: () => 'engine' };
/** One seed for each number of keys that conformance mirrors; more of them with `PHANTOM_SWEEP=whole`. */
const SEEDS = process.env['PHANTOM_SWEEP'] === 'whole' ? [1, 2, 3, 4, 5, 7, 8, 9, 10] : [1, 2, 3];

const variants: readonly Variant[] = [
  { name: 'LSM-tree', options: {}, deltaBytesMax: 4 << 20, seeds: [3], ...memory },
  { name: 'LSM-tree, many small levels', options: SMALL, deltaBytesMax: 2 << 20, seeds: SEEDS, ...memory },
  {
    name: 'LSM-tree on a real disk, deflated',
    options: { ...SMALL, compression: 'none', bottomCompression: 'deflate' },
    deltaBytesMax: 2 << 20,
    seeds: [6],
    vfs: () => createNodeVfs(),
    directory: () => join(temporary, String(directories++)),
  },
];

for (const { name, options, deltaBytesMax, seeds, vfs, directory } of variants) {
  const contexts = new Map<unknown, TestContext>();
  const open = async (context: TestContext): Promise<LsmEngine> => {
    const engine = await LsmEngine.open(context, options);
    contexts.set(engine, context);
    return engine;
  };
  engineConformance({
    name,
    code: EngineCode.Lsm,
    open: async () =>
      open(await testContext(await vfs(), { deltaBytesMax, cacheBytes: 256 * 1024, directory: directory() })),
    reopen: async (engine) => {
      const { vfs: disk, generation, directory: place } = contexts.get(engine) as TestContext;
      await engine.close();
      return open(await testContext(disk, { deltaBytesMax, generation, directory: place }));
    },
    attach: (engine) => attacherOf(contexts.get(engine) as TestContext),
    describe,
    it,
    ...(seeds === undefined ? {} : { seeds }),
  });
}

/** One that opens views as another thread would. */
function attacherOf(context: TestContext): (descriptor: unknown) => AttachedView {
  const attacher = lsm().attach?.(context);
  return (descriptor) => (attacher as ViewAttacher).open(descriptor);
}
