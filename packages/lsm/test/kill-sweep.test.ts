/**
 * A process that is killed, and a power cut while the next one works: what the first wrote and never synced is read by the
 * second one, and a crash takes it all the same. So nothing may stand on it before it is written anew.
 */
import { EngineCode } from '@phantom/kv';
import { EngineDriver, type Model } from '@phantom/kv/testing';
import type { VfsOperation } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { LsmEngine } from '../src/index.js';
import { testContext } from './engine-context.js';
import { SMALL } from './small-options.js';
import { Workload, compareState } from './workload.js';

const CHANGES = new Set<VfsOperation>(['write', 'sync', 'truncate', 'remove', 'open', 'syncDir', 'rename']);
const OPTIONS = SMALL;

/** One cut in so many changes, others for each kill. */
const EVERY = 13;

interface Moment {
  readonly disk: MemoryVfs;
  readonly flushedSeq: number;
  readonly generation: number;
  readonly after: string;
}

/** Calls back after every change to a disk, with what was promised by then. */
function watch(vfs: MemoryVfs, generation: { value: number }, seen: (moment: Omit<Moment, 'disk'>) => void) {
  const live: { engine?: LsmEngine } = {};
  vfs.onOperation = ({ operation, path }) => {
    if (!CHANGES.has(operation)) return;
    const flushedSeq = live.engine?.flushedSeq() ?? 0;
    seen({ flushedSeq, generation: generation.value, after: `operation ${vfs.operations}, ${operation} ${path}` });
  };
  return live;
}

/** The life of the second process, on what the first one left; and what it leaves to a third when the power goes. */
async function workOn(killed: Moment, models: readonly Model[], seed: number): Promise<number> {
  const context = await testContext(killed.disk, { generation: { value: killed.generation } });
  const cuts: Moment[] = [];
  let operations = 0;
  const live = watch(killed.disk, context.generation, (moment) => {
    if (operations++ % EVERY !== seed % EVERY) return;
    cuts.push({ ...moment, disk: killed.disk.crashClone(seed * 1000 + operations) });
  });
  const engine = await LsmEngine.open(context, OPTIONS);
  live.engine = engine;
  const driver = new EngineDriver(engine, EngineCode.Lsm);
  driver.seq = engine.appliedSeq;
  driver.model = (models[engine.appliedSeq] as Model).clone();
  const known = [...models];
  for (const value of ['one', 'two']) {
    await driver.commit([driver.put('00001', value), driver.removeRange('00010', '00100'), driver.put('00020', value)]);
    known[driver.seq] = driver.model.clone();
    await engine.compact();
  }
  await engine.close();
  killed.disk.onOperation = undefined;
  for (const cut of cuts) {
    try {
      const again = await LsmEngine.open(
        await testContext(cut.disk, { generation: { value: cut.generation } }),
        OPTIONS,
      );
      expect(again.flushedSeq()).toBeGreaterThanOrEqual(cut.flushedSeq);
      compareState(again, known);
      expect([...again.check()]).toEqual([]);
      await again.close();
    } catch (error) {
      throw new Error(`then power cut after ${cut.after}: ${(error as Error).message}`, { cause: error });
    }
  }
  return cuts.length;
}

describe('a killed process', () => {
  it('leaves nothing that a power cut in the next one could take away', async () => {
    const vfs = new MemoryVfs();
    const context = await testContext(vfs);
    const kills: Moment[] = [];
    const live = watch(vfs, context.generation, (moment) => kills.push({ ...moment, disk: vfs.killClone() }));
    const engine = await LsmEngine.open(context, OPTIONS);
    live.engine = engine;
    const workload = new Workload(engine, { seed: 7, rounds: 3, vfs });
    await workload.run();
    await engine.close();
    vfs.onOperation = undefined;
    let cuts = 0;
    for (const [i, killed] of kills.entries()) {
      try {
        if (i % 3 === 0) cuts += await workOn(killed, workload.models, i);
      } catch (error) {
        throw new Error(`killed after ${killed.after}, ${(error as Error).message}`, { cause: error });
      }
    }
    expect(cuts).toBeGreaterThan(100);
  }, 60_000);
});
