/** Flushes and compactions in worker threads, on a real disk: the same answers, and ends of every kind. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EngineCode } from '@phantom/kv';
import { EngineDriver, engineConformance } from '@phantom/kv/testing';
import { createNodeVfs } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { LsmEngine, type LsmOptions } from '../src/index.js';
import { deltaCopies, threads } from '../src/offload.js';
import { type TestContext, testContext } from './engine-context.js';
import { SMALL } from './small-options.js';

const OPTIONS: LsmOptions = { ...SMALL, workerBytesMin: 0 };
const root = mkdtempSync(join(tmpdir(), 'phantom-lsm-offload-'));
let places = 0;

afterAll(() => rmSync(root, { recursive: true }));

async function realContext(): Promise<TestContext> {
  const directory = join(root, String(places++));
  mkdirSync(directory);
  return testContext(createNodeVfs(), { directory });
}

const contexts = new Map<LsmEngine, TestContext>();
engineConformance({
  name: 'LSM-tree with worker threads',
  code: EngineCode.Lsm,
  open: async () => {
    const context = await realContext();
    const engine = await LsmEngine.open(context, OPTIONS);
    contexts.set(engine, context);
    return engine;
  },
  reopen: async (engine) => {
    const { directory, generation } = contexts.get(engine as LsmEngine) as TestContext;
    await engine.close();
    const context = await testContext(createNodeVfs(), { directory, generation });
    const reopened = await LsmEngine.open(context, OPTIONS);
    contexts.set(reopened, context);
    return reopened;
  },
  describe,
  it,
  seeds: [1],
  mirrorSteps: 150,
});

describe('background work in worker threads', () => {
  const opened: LsmEngine[] = [];
  afterEach(async () => {
    for (const engine of opened.splice(0)) await engine.close();
  });

  async function open(
    options: LsmOptions = OPTIONS,
  ): Promise<{ engine: LsmEngine; driver: EngineDriver; context: TestContext }> {
    const context = await realContext();
    const engine = await LsmEngine.open(context, options);
    opened.push(engine);
    return { engine, driver: new EngineDriver(engine, EngineCode.Lsm), context };
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
    await engine.compact();
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
    const { engine, driver } = await open({ ...SMALL, workerBytesMin: 1e9 });
    await fill(driver, 1);
    await engine.compact();
    expect(engine.stats()).toMatchObject({ flushes: 1, workerJobs: 0 });
    const inMemory = await LsmEngine.open(await testContext(new MemoryVfs()), OPTIONS);
    opened.push(inMemory);
    const other = new EngineDriver(inMemory, EngineCode.Lsm);
    await fill(other, 1);
    await inMemory.flush();
    expect(inMemory.stats()).toMatchObject({ flushes: 1, workerJobs: 0 });
  });

  it('is waited for on the spot by who cannot await', async () => {
    const context = await realContext();
    const engine = await LsmEngine.open({ ...context, deltaBytesMax: 100_000 }, OPTIONS);
    opened.push(engine);
    const driver = new EngineDriver(engine, EngineCode.Lsm);
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
    const again = await LsmEngine.open(
      await testContext(createNodeVfs(), { directory: context.directory, generation: context.generation }),
      OPTIONS,
    );
    opened.push(again);
    again.view(again.appliedSeq).release();
    await again.settled();
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

  it('tells of damage as it does here', async () => {
    const { engine, driver, context } = await open();
    await fill(driver, 1);
    await engine.flush();
    const name = readdirSync(context.directory).find((file) => file.endsWith('.run')) as string;
    const file = context.vfs.open(join(context.directory, name), { mode: 'write' });
    file.writeAt(100, new Uint8Array(50));
    file.close();
    await fill(driver, 2);
    await expect(engine.compact()).rejects.toMatchObject({
      code: 'XX001',
      family: 'corruption',
      data: { file: expect.stringContaining('.run') },
    });
    expect(context.failures).toMatchObject([{ code: 'XX001' }]);
  });
});
