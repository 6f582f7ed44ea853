/** Flushes and merges in worker threads, on a real disk: the same answers, and ends of every kind. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '@phantom/base';
import { EngineCode } from '@phantom/kv';
import { EngineDriver, engineConformance } from '@phantom/kv/testing';
import { createNodeVfs } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { BtreeEngine, type BtreeOptions } from '../src/index.js';
import { deltaCopies, threads } from '../src/offload.js';
import { type TestContext, testContext } from './engine-context.js';

const OPTIONS: BtreeOptions = { runsMax: 3, idleMergeMs: 1e9, workerBytesMin: 0 };
const root = mkdtempSync(join(tmpdir(), 'phantom-btree-offload-'));
let places = 0;

afterAll(() => rmSync(root, { recursive: true }));

async function realContext(): Promise<TestContext> {
  const directory = join(root, String(places++));
  mkdirSync(directory);
  return testContext(createNodeVfs(), { directory });
}

const contexts = new Map<BtreeEngine, TestContext>();
engineConformance({
  name: 'B+tree with worker threads',
  code: EngineCode.Btree,
  open: async () => {
    const context = await realContext();
    const engine = await BtreeEngine.open(context, OPTIONS);
    contexts.set(engine, context);
    return engine;
  },
  reopen: async (engine) => {
    const { directory, generation } = contexts.get(engine as BtreeEngine) as TestContext;
    await engine.close();
    const context = await testContext(createNodeVfs(), { directory, generation });
    const reopened = await BtreeEngine.open(context, OPTIONS);
    contexts.set(reopened, context);
    return reopened;
  },
  describe,
  it,
  seeds: [1],
  mirrorSteps: 150,
});

describe('background work in worker threads', () => {
  const opened: BtreeEngine[] = [];
  afterEach(async () => {
    for (const engine of opened.splice(0)) await engine.close();
  });

  async function open(
    options: BtreeOptions = OPTIONS,
  ): Promise<{ engine: BtreeEngine; driver: EngineDriver; context: TestContext }> {
    const context = await realContext();
    const engine = await BtreeEngine.open(context, options);
    opened.push(engine);
    return { engine, driver: new EngineDriver(engine, EngineCode.Btree), context };
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
    await engine.merge();
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
    const { engine, driver } = await open({ ...OPTIONS, workerBytesMin: 1e9 });
    await fill(driver, 1);
    await engine.merge();
    expect(engine.stats()).toMatchObject({ flushes: 1, merges: 1, workerJobs: 0 });
    const inMemory = await BtreeEngine.open(await testContext(new MemoryVfs()), OPTIONS);
    opened.push(inMemory);
    const other = new EngineDriver(inMemory, EngineCode.Btree);
    await fill(other, 1);
    await inMemory.flush();
    expect(inMemory.stats()).toMatchObject({ flushes: 1, workerJobs: 0 });
  });

  it('is waited for on the spot by who cannot await', async () => {
    const context = await realContext();
    const engine = await BtreeEngine.open({ ...context, deltaBytesMax: 100_000 }, OPTIONS);
    opened.push(engine);
    const driver = new EngineDriver(engine, EngineCode.Btree);
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
    const again = await BtreeEngine.open(
      await testContext(createNodeVfs(), { directory: context.directory, generation: context.generation }),
      OPTIONS,
    );
    opened.push(again);
    again.view(again.appliedSeq).release();
    await again.merge();
    const files = readdirSync(context.directory).filter((name) => name.endsWith('.run'));
    expect(files.length).toBe(again.stats().runs);
  });

  it('is done without the thread when that dies', async () => {
    const { engine, driver, context } = await open();
    await fill(driver, 1, 3000);
    const flushed = engine.flush();
    await threads.flush.terminate();
    await flushed;
    expect(context.failures).toEqual([]);
    driver.compareNow();
    await fill(driver, 2, 3000);
    await engine.flush();
    expect(engine.stats().workerJobs).toBeGreaterThan(0);
    driver.compareNow();
  });

  it('gives pages back and takes them again, whatever views hold', async () => {
    const { engine, driver, context } = await open();
    const random = new Random(3);
    const views = [];
    for (let round = 0; round < 25; round++) {
      const puts = Array.from({ length: 200 }, () => {
        const value = new Uint8Array(random.chance(0.02) ? 9000 : random.below(200)).fill(round);
        return driver.put(String(random.below(4000)), value);
      });
      await driver.commit([...puts, driver.removeRange(String(random.below(3000)), String(random.below(4000)))]);
      if (round % 3 === 1) views.push(driver.view());
      if (round % 2 === 0) await engine.merge();
      else await engine.flush();
      if (round % 5 === 4) views.shift()?.view.release();
      for (const view of views) driver.compareAll(view);
      expect([...engine.check()]).toEqual([]);
    }
    for (const { view } of views) view.release();
    await engine.merge();
    driver.compareNow();
    expect([...engine.check()]).toEqual([]);
    await engine.close();
    const again = await BtreeEngine.open(
      await testContext(createNodeVfs(), { directory: context.directory, generation: context.generation }),
      OPTIONS,
    );
    opened.push(again);
    driver.engine = again;
    driver.compareNow();
    expect([...again.check()]).toEqual([]);
  });

  it('tells of damage as it does here', async () => {
    const { engine, driver, context } = await open();
    await fill(driver, 1);
    await engine.flush();
    const name = readdirSync(context.directory).find((file) => file.endsWith('.run')) as string;
    const file = context.vfs.open(join(context.directory, name), { mode: 'write' });
    file.writeAt(100, new Uint8Array(50));
    file.close();
    await fill(driver, 2);
    await expect(engine.merge()).rejects.toMatchObject({
      code: 'XX001',
      family: 'corruption',
      data: { file: expect.stringContaining('.run') },
    });
    expect(context.failures).toMatchObject([{ code: 'XX001' }]);
  });
});
