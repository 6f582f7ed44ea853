/** Sorted files that are handed over whole: bulk loads. */
import type { SortedRunRef } from '@phantom/kv';
import { RunWriter, VersionKind, ingestedNumber } from '@phantom/runs';
import { type MemoryVfs, counting, failAt, failFrom, onOperation } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { QUIET, type Rig, codeOf, fill, numbered, rig } from './engine-rig.js';

describe('files handed over', () => {
  async function sortedFile(
    { context, driver, vfs }: Rig,
    path: string,
    from: number,
    to: number,
  ): Promise<SortedRunRef> {
    const { checksums } = context;
    const writer = new RunWriter({ vfs, path, checksums, identity: ingestedNumber(checksums, path) });
    for (let i = from; i < to; i++) {
      const key = driver.key(numbered(i));
      const value = new TextEncoder().encode(`loaded ${i}`);
      writer.add(key, 0, key.length, 0, VersionKind.Put, value, 0, value.length);
      driver.model.apply(driver.put(numbered(i), value));
    }
    const { entries, bytes } = writer.finish();
    await writer.sync();
    writer.close();
    return { path, entries, bytes };
  }

  it('are read at once, at the seq of their record, and merged like runs', async () => {
    const it = await rig();
    const { engine, driver, vfs } = it;
    await fill(driver, 0, 200);
    const before = driver.view();
    const refs = [await sortedFile(it, 'load-1', 100, 400), await sortedFile(it, 'load-2', 400, 500)];
    engine.ingest(refs, ++driver.seq);
    driver.compareNow();
    driver.compareAll(before);
    // Planners know of them before they are flushed.
    expect(engine.estimate(driver.everything()).keys).toBe(600);
    await driver.commit([driver.remove(numbered(150)), driver.put(numbered(300), 'later')]);
    driver.compareNow();
    await engine.flush();
    expect(vfs.list('.')).toEqual(['engine']);
    driver.compareNow();
    driver.compareAll(before);
    await engine.merge();
    driver.compareNow();
    driver.compareAll(before);
    before.view.release();
    expect(vfs.list('engine')).toEqual(['tree.db']);
    expect([...engine.check()]).toEqual([]);
    await engine.close();
  });

  it('are found again when replay hands them over a second time', async () => {
    const it = await rig();
    const { driver, vfs, context } = it;
    const refs = [await sortedFile(it, 'load', 0, 100)];
    vfs.syncDir('.');
    let cut: MemoryVfs | undefined;
    vfs.onOperation = ({ operation, path }) => {
      // The moment between the new name and the meta that names it.
      if (operation === 'syncDir' && path === 'engine') cut ??= vfs.killClone();
    };
    it.engine.ingest(refs, ++driver.seq);
    await it.engine.flush();
    vfs.onOperation = undefined;
    await it.engine.close();
    expect(cut?.exists('load')).toBe(false);
    const again = await rig(QUIET, { generation: { value: 1 } }, cut as MemoryVfs);
    expect(again.engine.appliedSeq).toBe(0);
    again.engine.ingest(refs, 1);
    again.driver.seq = 1;
    again.driver.model = driver.model;
    again.driver.compareNow();
    await again.engine.flush();
    again.engine.ingest(refs, 1);
    again.driver.compareNow();
    await again.engine.close();
    expect(context.failures).toEqual([]);
    // A third time nobody asks for them any more.
    const orphaned = await rig(QUIET, { generation: { value: 1 } }, cut as MemoryVfs);
    orphaned.driver.seq = 1;
    orphaned.driver.model = driver.model;
    orphaned.driver.compareNow();
    await orphaned.engine.close();
  });

  it('that the log does not name are removed by the first view', async () => {
    const it = await rig();
    await it.engine.close();
    it.vfs.open('engine/4503599627370497.run', { mode: 'create' }).close();
    const again = await rig(QUIET, { generation: it.context.generation }, it.vfs);
    expect(it.vfs.exists('engine/4503599627370497.run')).toBe(true);
    again.engine.view(0).release();
    expect(it.vfs.exists('engine/4503599627370497.run')).toBe(false);
    await again.engine.close();
    it.vfs.open('engine/4503599627370498.run', { mode: 'create' }).close();
    const failing = await rig(QUIET, { generation: it.context.generation }, it.vfs);
    failing.disk.injector = onOperation('list', failAt(0, 'EIO'));
    failing.engine.view(0).release();
    await failing.engine.close();
  });

  it('that replay handed over and nothing names yet are not removed by the first view', async () => {
    const it = await rig();
    const { driver, vfs } = it;
    const refs = [await sortedFile(it, 'load', 0, 100)];
    let cut: MemoryVfs | undefined;
    vfs.onOperation = ({ operation, path }) => {
      if (operation === 'syncDir' && path === 'engine') cut ??= vfs.killClone();
    };
    it.engine.ingest(refs, ++driver.seq);
    await it.engine.flush();
    vfs.onOperation = undefined;
    await it.engine.close();
    const again = await rig(QUIET, { generation: { value: 1 } }, cut as MemoryVfs);
    // No meta can name it for now.
    again.disk.injector = onOperation(['syncDir'], failFrom(0, 'ENOSPC'));
    again.engine.ingest(refs, 1);
    again.driver.seq = 1;
    again.driver.model = driver.model;
    again.driver.compareNow();
    await new Promise((resolve) => setImmediate(resolve));
    again.disk.injector = counting();
    await again.engine.flush();
    await again.engine.close();
    const third = await rig(QUIET, { generation: again.context.generation }, cut as MemoryVfs);
    third.driver.seq = 1;
    third.driver.model = driver.model;
    third.driver.compareNow();
    await third.engine.close();
  });

  it('must exist and be few enough', async () => {
    const it = await rig();
    expect(await codeOf(() => it.engine.ingest([{ path: 'nowhere', entries: 1, bytes: 1 }], 1))).toBe('58P01');
    const many = Array.from({ length: 63 }, () => ({ path: 'nowhere', entries: 1, bytes: 1 }));
    expect(await codeOf(() => it.engine.ingest(many, 1))).toBe('54000');
    const ref = await sortedFile(it, 'load', 0, 10);
    expect(await codeOf(() => it.engine.ingest([ref, { path: 'nowhere', entries: 1, bytes: 1 }], 1))).toBe('58P01');
    await it.engine.close();
  });
});
