/** Flushes and merges in worker threads. */
import { Random } from '@phantom/base';
import { EngineCode } from '@phantom/kv';
import { offloadSuite } from '@phantom/testkit/engine';
import { expect, it } from 'vitest';
import { BtreeEngine } from '../src/index.js';
import { deltaCopies, threads } from '../src/offload.js';

offloadSuite<BtreeEngine>({
  name: 'B+tree with worker threads',
  code: EngineCode.Btree,
  open: (context, workerBytesMin) => BtreeEngine.open(context, { runsMax: 3, idleMergeMs: 1e9, workerBytesMin }),
  settle: (engine) => engine.merge(),
  deltaCopies,
  killThread: () => threads.flush.terminate(),
  more: (open, reopen) => {
    it('leaves a merge of few entries to the thread when they touch many pages', async () => {
      const { engine, driver } = await open(200_000);
      const keys = 4000;
      const put = (number: number): ReturnType<typeof driver.put> =>
        driver.put(String(number).padStart(8, '0'), new Uint8Array(100));
      await driver.commit(Array.from({ length: keys }, (_, number) => put(number)));
      await engine.merge();
      const jobs = engine.stats().workerJobs;
      await driver.commit(Array.from({ length: 40 }, (_, number) => put((number * keys) / 40)));
      await engine.flush();
      expect(engine.stats().workerJobs).toBe(jobs);
      await engine.merge();
      expect(engine.stats().workerJobs).toBe(jobs + 1);
      driver.compareNow();
      expect([...engine.check()]).toEqual([]);
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
      const again = await reopen(context);
      driver.engine = again;
      driver.compareNow();
      expect([...again.check()]).toEqual([]);
    });
  },
});
