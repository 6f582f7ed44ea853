/**
 * A process that is killed, and a power cut while the next one works: what the first wrote and never synced is read by the
 * second one, and a crash takes it all the same. So nothing may stand on it before it is written anew.
 */
import type { EngineCode, KvEngine } from '@phantom/kv';
import { EngineDriver, type Model } from '@phantom/kv/testing';
import type { VfsOperation } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';
import { expect } from 'vitest';
import { compareState } from './compare-state.js';
import { type TestContext, testContext } from './engine-context.js';

const CHANGES = new Set<VfsOperation>(['write', 'sync', 'truncate', 'remove', 'open', 'syncDir', 'rename']);

interface KillSweepOptions<Engine extends KvEngine> {
  readonly code: EngineCode;
  open(context: TestContext): Promise<Engine>;
  /** Does the work that flushes leave for later: a merge, a compaction. */
  settle(engine: Engine): Promise<void>;
  /** The life of the first process; its models by seq are there when it has run. */
  workload(engine: Engine, vfs: MemoryVfs): { readonly models: readonly Model[]; run(): Promise<void> };
  /** One kill in so many changes of the first process is followed by a second one. */
  readonly killsEvery: number;
  /** One power cut in so many changes of the second process, others for each kill. */
  readonly cutsEvery: number;
}

interface Moment {
  readonly disk: MemoryVfs;
  readonly flushedSeq: number;
  readonly generation: number;
  readonly after: string;
}

/** Runs it all; the number of power cuts that were survived. Throws with the two moments for one that was not. */
export async function killSweep<Engine extends KvEngine>(options: KillSweepOptions<Engine>): Promise<number> {
  const vfs = new MemoryVfs();
  const context = await testContext(vfs);
  const kills: Moment[] = [];
  const live = watch(vfs, context.generation, (moment) => kills.push({ ...moment, disk: vfs.killClone() }));
  const engine = await options.open(context);
  live.engine = engine;
  const workload = options.workload(engine, vfs);
  await workload.run();
  await engine.close();
  vfs.onOperation = undefined;
  let cuts = 0;
  for (let i = 0; i < kills.length; i += options.killsEvery) {
    const killed = kills[i] as Moment;
    try {
      cuts += await workOn(killed, workload.models, i, options);
    } catch (error) {
      throw new Error(`killed after ${killed.after}, ${(error as Error).message}`, { cause: error });
    }
  }
  return cuts;
}

/** Calls back after every change to a disk, with what was promised by then. */
function watch(vfs: MemoryVfs, generation: { value: number }, seen: (moment: Omit<Moment, 'disk'>) => void) {
  const live: { engine?: KvEngine } = {};
  vfs.onOperation = ({ operation, path }) => {
    if (!CHANGES.has(operation)) return;
    const flushedSeq = live.engine?.flushedSeq() ?? 0;
    seen({ flushedSeq, generation: generation.value, after: `operation ${vfs.operations}, ${operation} ${path}` });
  };
  return live;
}

/** The life of the second process, on what the first one left; and what it leaves to a third when the power goes. */
async function workOn<Engine extends KvEngine>(
  killed: Moment,
  models: readonly Model[],
  seed: number,
  { code, open, settle, cutsEvery }: KillSweepOptions<Engine>,
): Promise<number> {
  const context = await testContext(killed.disk, { generation: { value: killed.generation } });
  const cuts: Moment[] = [];
  let operations = 0;
  const live = watch(killed.disk, context.generation, (moment) => {
    if (operations++ % cutsEvery !== seed % cutsEvery) return;
    cuts.push({ ...moment, disk: killed.disk.crashClone(seed * 1000 + operations) });
  });
  const engine = await open(context);
  live.engine = engine;
  const driver = new EngineDriver(engine, code);
  driver.seq = engine.appliedSeq;
  driver.model = (models[engine.appliedSeq] as Model).clone();
  const known = [...models];
  for (const value of ['one', 'two']) {
    await driver.commit([driver.put('00001', value), driver.removeRange('00010', '00100'), driver.put('00020', value)]);
    known[driver.seq] = driver.model.clone();
    await settle(engine);
  }
  await engine.close();
  killed.disk.onOperation = undefined;
  for (const cut of cuts) {
    try {
      const again = await open(await testContext(cut.disk, { generation: { value: cut.generation } }));
      expect(again.flushedSeq()).toBeGreaterThanOrEqual(cut.flushedSeq);
      compareState(again, code, known);
      expect([...again.check()]).toEqual([]);
      await again.close();
    } catch (error) {
      throw new Error(`then power cut after ${cut.after}: ${(error as Error).message}`, { cause: error });
    }
  }
  return cuts.length;
}
