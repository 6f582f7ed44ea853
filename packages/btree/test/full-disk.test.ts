/** The engine on a disk that is full: what is refused, what goes on, and how it finds out that there is room again. */
import { counting, failAt, failFrom, onOperation, pathMatch } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { QUIET, codeOf, fill, rig } from './engine-rig.js';

describe('a full disk', () => {
  it('refuses writes, keeps reading, and goes on when there is room', async () => {
    const { engine, driver, disk, context } = await rig();
    await fill(driver, 0, 500);
    disk.injector = onOperation('write', failFrom(0, 'ENOSPC'));
    expect(await codeOf(() => engine.flush())).toBe('53100');
    expect(await codeOf(() => engine.admit(100))).toBe('53100');
    expect(await codeOf(() => engine.admitNow(100))).toBe('53100');
    expect(await codeOf(() => engine.admit(100, true))).toBe(undefined);
    engine.unadmit(100);
    const flushing = engine.flush();
    expect(await codeOf(() => engine.admit(100))).toBe('53100');
    expect(await codeOf(() => flushing)).toBe('53100');
    driver.compareNow();
    disk.injector = counting();
    expect(await engine.flush()).toBe(driver.seq);
    await driver.commit([driver.put('z', '1')]);
    driver.compareNow();
    expect(context.failures).toEqual([]);
    await engine.close();
  });

  it('is looked at again by itself', async () => {
    const { engine, driver, disk } = await rig(QUIET, { deltaBytesMax: 128 * 1024 });
    disk.injector = pathMatch('.run', onOperation('write', failAt(0, 'ENOSPC')));
    let refused = 0;
    for (let i = 0; i < 40; i++) {
      const code = await codeOf(() => fill(driver, i * 20, i * 20 + 20, 200, 20));
      if (code === '53100') refused++;
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    expect(refused).toBeGreaterThan(0);
    expect(engine.stats().flushes).toBeGreaterThan(0);
    await engine.close();
  });

  it('is told apart from no more files to be had, which ends as well', async () => {
    const { engine, driver, disk, context } = await rig();
    await fill(driver, 0, 50);
    disk.injector = onOperation('open', failAt(0, 'EMFILE'));
    expect(await codeOf(() => engine.flush())).toBe('53000');
    expect(await codeOf(() => engine.admit(100))).toBe('53000');
    expect(await engine.flush()).toBe(driver.seq);
    expect(await codeOf(() => engine.admit(100))).toBe(undefined);
    expect(context.failures).toEqual([]);
    await engine.close();
  });

  it('lets a merge undo itself and be tried again', async () => {
    const { engine, driver, disk, context } = await rig();
    await fill(driver, 0, 3000);
    await engine.flush();
    disk.injector = pathMatch('tree.db', onOperation('write', failFrom(0, 'ENOSPC')));
    expect(await codeOf(() => engine.merge())).toBe('53100');
    driver.compareNow();
    disk.injector = counting();
    await engine.merge();
    expect(engine.stats().runs).toBe(0);
    expect([...engine.check()]).toEqual([]);
    expect(context.failures).toEqual([]);
    await engine.close();
  });

  it('refuses flushes that would wait for a merge which finds no room, and merges when there is', async () => {
    const { engine, driver, disk, context } = await rig({ ...QUIET, runsMax: 1 });
    const full = failFrom(0, 'ENOSPC');
    // All of the tree but its meta pages.
    disk.injector = pathMatch('tree.db', {
      maybeFault: (op) => (op.operation === 'write' && Number(op.offset) >= 2 * 8192 ? full.maybeFault(op) : undefined),
    });
    let code: string | undefined;
    for (let i = 0; i < 5 && code === undefined; i++) {
      await fill(driver, i * 50, i * 50 + 50);
      code = await codeOf(() => engine.flush());
    }
    expect([code, engine.stats().runs]).toEqual(['53100', 2]);
    expect(await codeOf(() => engine.admit(100))).toBe('53100');
    expect(await codeOf(() => engine.flushNow())).toBe('53100');
    expect(full.count).toBeLessThan(30);
    disk.injector = counting();
    expect(await engine.flush()).toBe(driver.seq);
    expect(await codeOf(() => engine.admit(100))).toBe(undefined);
    driver.compareNow();
    expect(context.failures).toEqual([]);
    await engine.close();
  });
});
