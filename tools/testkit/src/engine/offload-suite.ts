/** Background work of an engine in worker threads, on a real disk: the same answers, and ends of every kind. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineCode, EngineStats, KvEngine } from '@phantom/kv';
import { EngineDriver, engineConformance } from '@phantom/kv/testing';
import { createNodeVfs } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { type TestContext, testContext } from './engine-context.js';

/** What the suite needs of an engine with worker threads. */
export interface OffloadingEngine extends KvEngine {
  stats(): EngineStats & { readonly workerJobs: number };
}

interface OffloadSuiteOptions<Engine extends OffloadingEngine> {
  readonly name: string;
  readonly code: EngineCode;
  /** Opens with little memory; jobs of fewer bytes than `workerBytesMin` stay on this thread. */
  open(context: TestContext, workerBytesMin: number): Promise<Engine>;
  /** Does the work that flushes leave for later: a merge, a compaction. */
  settle(engine: Engine): Promise<void>;
  /** The buffers that carry deltas to the threads. */
  readonly deltaCopies: { readonly buffersMade: number };
  /** Kills the thread that flushes. */
  killThread(): Promise<unknown>;
  /** Tests of this engine alone, beside the suite's. */
  more?(
    open: (workerBytesMin?: number) => Promise<Opened<Engine>>,
    reopen: (context: TestContext) => Promise<Engine>,
  ): void;
}

interface Opened<Engine> {
  readonly engine: Engine;
  readonly driver: EngineDriver;
  readonly context: TestContext;
}

/** Registers the engine conformance suite over worker threads, and what is to be said of the threads themselves. */
export function offloadSuite<Engine extends OffloadingEngine>(options: OffloadSuiteOptions<Engine>): void {
  const { name, code, settle, deltaCopies } = options;
  const root = mkdtempSync(join(tmpdir(), 'phantom-offload-'));
  let places = 0;
  afterAll(() => rmSync(root, { recursive: true }));

  async function realContext(): Promise<TestContext> {
    const directory = join(root, String(places++));
    mkdirSync(directory);
    return testContext(createNodeVfs(), { directory });
  }
  const again = ({ directory, generation }: TestContext) => testContext(createNodeVfs(), { directory, generation });

  const contexts = new Map<KvEngine, TestContext>();
  const openIn = async (context: TestContext): Promise<Engine> => {
    const engine = await options.open(context, 0);
    contexts.set(engine, context);
    return engine;
  };
  engineConformance({
    name,
    code,
    open: async () => openIn(await realContext()),
    reopen: async (engine) => {
      await engine.close();
      return openIn(await again(contexts.get(engine) as TestContext));
    },
    describe,
    it,
    seeds: [1],
    mirrorSteps: 150,
  });

  describe('background work in worker threads', () => {
    const opened: Engine[] = [];
    afterEach(async () => {
      for (const engine of opened.splice(0)) await engine.close();
    });

    async function openOn(context: TestContext, workerBytesMin = 0): Promise<Engine> {
      const engine = await options.open(context, workerBytesMin);
      opened.push(engine);
      return engine;
    }

    async function open(workerBytesMin = 0): Promise<Opened<Engine>> {
      const context = await realContext();
      const engine = await openOn(context, workerBytesMin);
      return { engine, driver: new EngineDriver(engine, code), context };
    }

    async function fill(driver: EngineDriver, round: number, count = 300): Promise<void> {
      const value = new Uint8Array(100).fill(round);
      await driver.commit(Array.from({ length: count }, (_, i) => driver.put(`${i * 7 + round}`, value)));
    }

    it('is done there when it is large enough', async () => {
      const { engine, driver } = await open();
      const before = driver.view();
      for (let round = 0; round < 6; round++) {
        await fill(driver, round);
        await engine.flush();
      }
      await driver.commit([driver.removeRange('1', '2')]);
      await settle(engine);
      const { workerJobs, flushes, merges } = engine.stats();
      expect(workerJobs).toBe(flushes + merges);
      expect(merges).toBeGreaterThan(0);
      driver.compareNow();
      driver.compareAll(before);
      before.view.release();
      expect([...engine.check()]).toEqual([]);
    });

    it('has the use of the same shared memory, however many deltas are flushed', async () => {
      const { engine, driver } = await open();
      await fill(driver, 0);
      await engine.flush();
      const before = deltaCopies.buffersMade;
      for (let round = 1; round <= 20; round++) {
        await fill(driver, round, 200 + 10 * round);
        await engine.flush();
      }
      expect(engine.stats().flushes).toBe(21);
      expect(deltaCopies.buffersMade).toBe(before);
      driver.compareNow();
    });

    it('stays here when it is small, or the disk is not shared', async () => {
      const { engine, driver } = await open(1e9);
      await fill(driver, 1);
      await settle(engine);
      expect(engine.stats()).toMatchObject({ flushes: 1, workerJobs: 0 });
      const inMemory = await openOn(await testContext(new MemoryVfs()));
      const other = new EngineDriver(inMemory, code);
      await fill(other, 1);
      await inMemory.flush();
      expect(inMemory.stats()).toMatchObject({ flushes: 1, workerJobs: 0 });
    });

    it('is waited for on the spot by who cannot await', async () => {
      const engine = await openOn({ ...(await realContext()), deltaBytesMax: 100_000 });
      const driver = new EngineDriver(engine, code);
      for (let round = 0; round < 4; round++) {
        await fill(driver, round, 250);
        engine.admitNow(50_000);
        engine.unadmit(50_000);
      }
      expect(engine.stats().workerJobs).toBeGreaterThan(1);
      driver.compareNow();
    });

    it('ends with the engine, and leaves nothing behind', async () => {
      const { engine, driver, context } = await open();
      for (let round = 0; round < 5; round++) {
        await fill(driver, round, 3000);
        if (round < 4) await engine.flush();
      }
      const flushing = engine.flush().catch((error: { code: string }) => error.code);
      await engine.close();
      expect(['57P01', driver.seq]).toContain(await flushing);
      const reopened = await openOn(await again(context));
      reopened.view(reopened.appliedSeq).release();
      await settle(reopened);
      const files = readdirSync(context.directory).filter((file) => file.endsWith('.run'));
      expect(files.length).toBe(reopened.stats().runs);
    });

    it('is done without the thread when that dies', async () => {
      const { engine, driver, context } = await open();
      await fill(driver, 1, 3000);
      const flushed = engine.flush();
      await options.killThread();
      await flushed;
      expect(context.failures).toEqual([]);
      driver.compareNow();
      await fill(driver, 2, 3000);
      await engine.flush();
      expect(engine.stats().workerJobs).toBeGreaterThan(0);
      driver.compareNow();
    });

    it('tells of damage as it does here', async () => {
      const { engine, driver, context } = await open();
      await fill(driver, 1);
      await engine.flush();
      const damaged = readdirSync(context.directory).find((file) => file.endsWith('.run')) as string;
      const file = context.vfs.open(join(context.directory, damaged), { mode: 'write' });
      file.writeAt(100, new Uint8Array(50));
      file.close();
      await fill(driver, 2);
      await expect(settle(engine)).rejects.toMatchObject({
        code: 'XX001',
        family: 'corruption',
        data: { file: expect.stringContaining('.run') },
      });
      expect(engine.stats().damage).toMatchObject([{ file: expect.stringContaining(damaged) }]);
      expect(context.failures).toEqual([]);
    });

    options.more?.(open, async (context) => openOn(await again(context)));
  });
}
