/** What the engine does beyond the contract: memory, work counters, disk space, failures. */
import { type PhantomError, ioError } from '@phantom/base';
import { BatchReader, ByteSlot, CursorBatch, EngineCode } from '@phantom/kv';
import { EngineDriver, encode } from '@phantom/kv/testing';
import { MemoryVfs, failAt, onOperation, pathMatch } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { BtreeEngine, btree } from '../src/index.js';
import { testContext } from '@phantom/testkit/engine';
import { QUIET, codeOf, fill, numbered, rig } from './engine-rig.js';

describe('work', () => {
  it('of a get is at most a page a level, and none when they are cached', async () => {
    const { engine, driver } = await rig();
    await fill(driver, 0, 20_000);
    await engine.merge();
    expect(engine.height).toBe(3);
    const { view } = driver.view();
    const slot = new ByteSlot();
    for (let i = 0; i < 20_000; i += 331) {
      const before = engine.stats();
      const key = driver.key(numbered(i));
      expect(view.get(key, 0, key.length, slot)).toBe(true);
      const after = engine.stats();
      expect(after.pagesRead + after.cacheHits - before.pagesRead - before.cacheHits).toBeLessThanOrEqual(
        engine.height,
      );
      view.get(key, 0, key.length, slot);
      expect(engine.stats().pagesRead).toBe(after.pagesRead);
    }
    expect(engine.stats().height).toBe(engine.height);
    expect(engine.stats().cacheBytes).toBeLessThanOrEqual(1 << 20);
    view.release();
    await engine.close();
  });

  it('of an absent key is a filter for each run and a page a level', async () => {
    const { engine, driver } = await rig();
    await fill(driver, 0, 10_000);
    await engine.merge();
    for (let run = 0; run < 3; run++) {
      await fill(driver, run * 1000, run * 1000 + 500);
      await engine.flush();
    }
    expect(engine.stats().runs).toBe(3);
    const { view } = driver.view();
    const slot = new ByteSlot();
    const before = engine.stats();
    for (let i = 0; i < 1000; i++) {
      const key = driver.key(`${numbered(i * 7)}x`);
      expect(view.get(key, 0, key.length, slot)).toBe(false);
    }
    const after = engine.stats();
    const touched = after.pagesRead + after.cacheHits - before.pagesRead - before.cacheHits;
    expect(touched).toBeLessThan(1000 * (engine.height + 0.1));
    view.release();
    await engine.close();
  });

  it('of a flush is three syncs and no page', async () => {
    const { engine, driver, vfs } = await rig();
    await fill(driver, 0, 5000);
    await engine.merge();
    for (let i = 0; i < 500; i++) await driver.commit([driver.put(numbered(i * 10), 'new')]);
    const syncs = vfs.counts.get('sync') ?? 0;
    const pages = engine.stats().bytesMerged;
    await engine.flush();
    expect((vfs.counts.get('sync') ?? 0) - syncs).toBe(2);
    expect(engine.stats().bytesMerged).toBe(pages);
    await engine.close();
  });

  it('of a scan hands out the bytes of pages', async () => {
    const { engine, driver } = await rig();
    await fill(driver, 0, 2000);
    await engine.merge();
    const { view } = driver.view();
    const cursor = view.cursor(driver.everything());
    const batch = new CursorBatch(64);
    const buffers = new Set<Uint8Array>();
    let count = 0;
    for (let n = cursor.fill(batch); n > 0; n = cursor.fill(batch)) {
      count += n;
      for (let i = 0; i < n; i++)
        buffers.add(batch.valueBuffers[i] as Uint8Array).add(batch.keyBuffers[i] as Uint8Array);
    }
    expect(count).toBe(2000);
    expect(buffers.size).toBeLessThan(40);
    cursor.close();
    view.release();
    await engine.close();
  });
});

describe('memory', () => {
  it('is bounded: writers wait for flushes, in order', async () => {
    const { engine, driver } = await rig(QUIET, { deltaBytesMax: 256 * 1024 });
    let most = 0;
    for (let i = 0; i < 60; i++) {
      await fill(driver, i * 100, i * 100 + 100, 200, 100);
      most = Math.max(most, engine.stats().deltaBytes);
    }
    expect(most).toBeLessThan(256 * 1024);
    expect(engine.stats().flushes).toBeGreaterThan(5);
    driver.compareNow();
    await engine.close();
  });

  it('lets through a batch that just fits, and a larger one alone', async () => {
    const { engine, driver } = await rig(QUIET, { deltaBytesMax: 256 * 1024 });
    const large = Array.from({ length: 20 }, (_, i) => driver.put(numbered(i), new Uint8Array(60_000).fill(i)));
    await driver.commit([driver.put('0', '0')]);
    await driver.commit(large);
    await driver.commit(large);
    await driver.commit([driver.put('a', '1')]);
    await driver.commit([driver.put('b', new Uint8Array(250 * 1024))]);
    await driver.commit([driver.put('c', new Uint8Array(250 * 1024))]);
    driver.compareNow();
    await engine.close();
  });

  it('is made room in on the spot for who cannot wait', async () => {
    const { engine, driver } = await rig(QUIET, { deltaBytesMax: 512 * 1024 });
    const reader = new BatchReader();
    const batch = (i: number) =>
      new EngineDriver(engine, EngineCode.Btree).put(numbered(i), new Uint8Array(30_000).fill(i));
    for (let i = 0; i < 60; i++) {
      const operation = batch(i);
      const bytes = encode([operation]);
      engine.admitNow(bytes.length);
      engine.apply(reader.setBatch(bytes), ++driver.seq, Number.POSITIVE_INFINITY);
      driver.model.apply(operation);
    }
    expect(engine.stats().flushes).toBeGreaterThan(2);
    driver.compareNow();
    await engine.flush();
    driver.compareNow();
    await engine.close();
  });

  it('that others have reserved is none for who cannot wait', async () => {
    const { engine } = await rig(QUIET, { deltaBytesMax: 256 * 1024 });
    await engine.admit(200 * 1024);
    expect(await codeOf(() => engine.admitNow(100_000))).toBe('53200');
    let admitted = false;
    const waiting = engine.admit(100_000)?.then(() => {
      admitted = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(admitted).toBe(false);
    engine.unadmit(200 * 1024);
    await waiting;
    expect(admitted).toBe(true);
    await engine.close();
  });

  it('is given up by views when their delta is flushed', async () => {
    const { engine, driver } = await rig();
    await fill(driver, 0, 300);
    const open = driver.view();
    const cursor = open.view.cursor(driver.everything());
    const expected = open.model.entries(new Uint8Array(0), undefined);
    for (let i = 0; i < 100; i++) cursor.next();
    await fill(driver, 0, 300, 50);
    await engine.merge();
    expect(engine.stats().deltaBytes).toBe(0);
    for (let i = 100; i < 300; i++) {
      expect(cursor.next()).toBe(true);
      expect(cursor.value.end - cursor.value.start).toBe(expected[i]?.value.length);
    }
    expect(cursor.next()).toBe(false);
    await fill(driver, 0, 10);
    await engine.flush();
    expect(cursor.prev()).toBe(true);
    cursor.close();
    driver.compareAll(open);
    open.view.release();
    await engine.close();
  });
});

describe('disk space', () => {
  it('is given back at the end of the file', async () => {
    const { engine, driver, vfs } = await rig();
    await fill(driver, 0, 20_000);
    await engine.merge();
    const full = vfs.readFile('engine/tree.db').length;
    await driver.commit([driver.removeRange(numbered(100), numbered(99_999))]);
    await engine.merge();
    await driver.commit([driver.put('x', '1')]);
    await engine.merge();
    await driver.commit([driver.put('y', '1')]);
    await engine.merge();
    expect(vfs.readFile('engine/tree.db').length).toBeLessThan(full / 10);
    expect(engine.stats().fileBytes).toBe(vfs.readFile('engine/tree.db').length);
    driver.compareNow();
    expect([...engine.check()]).toEqual([]);
    await engine.close();
  });

  it('is used again, and held by views only as long as they need it', async () => {
    const { engine, driver, vfs } = await rig();
    await fill(driver, 0, 5000);
    await engine.merge();
    const open = driver.view();
    const size = (): number => vfs.readFile('engine/tree.db').length;
    const first = size();
    for (let round = 0; round < 4; round++) {
      await fill(driver, 0, 5000, 90 + round);
      await engine.merge();
    }
    const pinned = size();
    driver.compareAll(open);
    open.view.release();
    for (let round = 0; round < 4; round++) {
      await fill(driver, 0, 5000, 80 + round);
      await engine.merge();
    }
    expect(pinned).toBeLessThan(first * 4);
    expect(size()).toBeLessThanOrEqual(pinned);
    driver.compareNow();
    expect(vfs.list('engine')).toEqual(['tree.db']);
    expect([...engine.check()]).toEqual([]);
    await engine.close();
  });

  it('of runs goes with their last reader', async () => {
    const { engine, driver, vfs } = await rig();
    await fill(driver, 0, 500);
    await engine.flush();
    const open = driver.view();
    await engine.merge();
    expect(vfs.list('engine').length).toBe(2);
    driver.compareAll(open);
    open.view.release();
    expect(vfs.list('engine')).toEqual(['tree.db']);
    await engine.close();
  });

  it('of unfinished files is taken back when the engine opens', async () => {
    const { engine, driver, vfs, context } = await rig();
    await fill(driver, 0, 500);
    await engine.flush();
    await engine.close();
    vfs.open('engine/0000000000000077.run', { mode: 'create' }).close();
    vfs.open('engine/unrelated', { mode: 'create' }).close();
    const again = await rig(QUIET, { generation: context.generation }, vfs);
    expect(vfs.list('engine')).toEqual(['0000000000000001.run', 'tree.db', 'unrelated']);
    await again.engine.close();
  });
});

describe('views that pin too much', () => {
  it('end with a reason, the oldest first, and give their space back', async () => {
    const { engine, driver } = await rig({ ...QUIET, pinnedBytesMax: 600_000 });
    await fill(driver, 0, 2000);
    await driver.commit([driver.put('long', new Uint8Array(20_000))]);
    await engine.merge();
    const oldest = driver.view();
    const cursors = [oldest.view.cursor(driver.everything()), oldest.view.cursor(driver.everything())];
    for (const cursor of cursors) expect(cursor.next()).toBe(true);
    await fill(driver, 0, 2000, 101);
    driver.compareNow();
    await engine.merge();
    // A view over layers, too: what is in runs and deltas goes with it.
    await fill(driver, 0, 100, 102);
    const second = driver.view();
    const scan = second.view.cursor(driver.everything());
    expect(scan.next()).toBe(true);
    expect(engine.stats().pinnedBytes).toBeGreaterThan(200_000);
    driver.compareAll(oldest);
    await fill(driver, 0, 2000, 103);
    driver.compareNow();
    await engine.merge();
    expect(engine.stats().openViews).toBe(1);
    driver.compareAll(second);
    const third = driver.view();
    await fill(driver, 0, 2000, 104);
    driver.compareNow();
    await engine.merge();
    const detail = expect.stringContaining('The oldest is held by the reader of ');
    const tooOld = expect.objectContaining({ code: '72000', family: 'limit', detail });
    for (const { view } of [oldest, second]) {
      expect(() => view.get(new Uint8Array(8), 0, 8, new ByteSlot())).toThrow(tooOld);
      expect(() => view.cursor(driver.everything()).next()).toThrow(tooOld);
    }
    for (const cursor of [...cursors, scan]) {
      expect(() => {
        while (cursor.next());
      }).toThrow(tooOld);
      cursor.close();
    }
    driver.compareAll(third);
    for (const { view } of [oldest, second, third]) view.release();
    expect(engine.stats()).toMatchObject({ openViews: 0, pinnedBytes: 0 });
    driver.compareNow();
    expect([...engine.check()]).toEqual([]);
    await engine.close();
  });
});

describe('background merges', () => {
  it('keep the runs few while writing goes on', async () => {
    const { engine, driver } = await rig({ runsMax: 4, sliceMs: 0, idleMergeMs: 1e9 }, { deltaBytesMax: 128 * 1024 });
    let most = 0;
    for (let i = 0; i < 150; i++) {
      await fill(driver, (i * 7919) % 50_000, ((i * 7919) % 50_000) + 50, 100, 50);
      most = Math.max(most, engine.stats().runs);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(most).toBeLessThanOrEqual(9);
    expect(engine.stats().merges).toBeGreaterThan(1);
    driver.compareNow();
    await engine.close();
  });

  it('merge runs with each other where the pages would cost too much', async () => {
    const { engine, driver } = await rig({ runsMax: 4, sliceMs: 0, idleMergeMs: 1e9 });
    await fill(driver, 0, 12_000);
    await engine.merge();
    const before = engine.stats();
    const open = driver.view();
    for (let round = 0; round < 12; round++) {
      const touched = Array.from({ length: 60 }, (_, i) => driver.put(numbered((i * 197 + round * 31) % 12_000), 'x'));
      await driver.commit([
        ...touched,
        driver.remove(numbered(round)),
        driver.removeRange(numbered(round * 9), numbered(round * 9 + 5)),
      ]);
      await engine.flush();
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
      driver.compareNow();
    }
    const after = engine.stats();
    expect(after.runs).toBeLessThan(5);
    expect(after.merges - before.merges).toBeGreaterThan(1);
    // Not a page was written.
    expect(after.bytesMerged - before.bytesMerged).toBeLessThan(60_000);
    driver.compareAll(open);
    open.view.release();
    await engine.merge();
    driver.compareNow();
    await engine.close();
  });

  it('make an idle engine a plain tree', async () => {
    const { engine, driver } = await rig({ idleMergeMs: 5 });
    await fill(driver, 0, 1000);
    await engine.flush();
    for (let i = 0; i < 200 && engine.stats().runs > 0; i++) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(engine.stats().runs).toBe(0);
    expect(engine.stats().merges).toBeGreaterThan(0);
    driver.compareNow();
    await engine.close();
  });

  it('leave views of the last unpublished batch possible', async () => {
    const { engine, driver } = await rig();
    await driver.commit([driver.put('a', 'old'), driver.put('b', 'old')]);
    const before = { seq: driver.seq, model: driver.model.clone() };
    await driver.commit([driver.put('a', 'new'), driver.remove('b')]);
    await engine.merge();
    for (let i = 0; i < 2; i++) {
      const late = { view: engine.view(before.seq), model: before.model };
      driver.compareAll(late);
      late.view.release();
    }
    expect(engine.stats().openViews).toBe(0);
    driver.compareNow();
    expect(() => engine.view(before.seq)).toThrow('between the last published and the applied seq');
    await engine.close();
  });

  it('may take in the last batch twice before anybody has asked for a view of it', async () => {
    const { engine, driver, context } = await rig({ runsMax: 3, sliceMs: 0, idleMergeMs: 1e9 });
    await fill(driver, 0, 12_000);
    await engine.merge();
    const { merges } = engine.stats();
    let before = { seq: 0, model: driver.model };
    for (let round = 0; round < 3; round++) {
      before = { seq: driver.seq, model: driver.model.clone() };
      await driver.commit(Array.from({ length: 60 }, (_, i) => driver.put(numbered(i * 197 + round), 'x')));
      await engine.flush();
    }
    for (let turn = 0; turn < 200 && engine.stats().runs > 1; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(engine.stats()).toMatchObject({ runs: 1, merges: merges + 1 });
    await engine.merge();
    expect(engine.stats()).toMatchObject({ runs: 0, merges: merges + 2 });
    expect(context.failures).toEqual([]);
    driver.compareAll({ view: engine.view(before.seq), model: before.model });
    driver.compareNow();
    await engine.close();
  });

  it('end when the engine closes', async () => {
    const { engine, driver, vfs, context } = await rig({ sliceMs: 0, idleMergeMs: 1e9 });
    await fill(driver, 0, 5000);
    const flushing = codeOf(() => engine.flush());
    const merging = codeOf(() => engine.merge());
    await engine.close();
    await engine.close();
    expect(['57P01', undefined]).toContain(await flushing);
    expect(['57P01', undefined]).toContain(await merging);
    const again = await rig(QUIET, { generation: context.generation }, vfs);
    expect([...again.engine.check()]).toEqual([]);
    await again.engine.close();
  });
});

describe('a failure of the disk', () => {
  it('in a commit of files is final: the store is told, writes end, reads go on', async () => {
    const { engine, driver, disk, context } = await rig();
    await fill(driver, 0, 500);
    disk.injector = pathMatch('tree.db', onOperation('sync', failAt(0, 'EIO')));
    expect(await codeOf(() => engine.flush())).toBe('58030');
    expect(context.failures.map((error) => (error as PhantomError).code)).toEqual(['58030']);
    expect(await codeOf(() => engine.admit(1))).toBe('58030');
    expect(await codeOf(() => engine.admitNow(1))).toBe('58030');
    expect(await codeOf(() => engine.flush())).toBe('58030');
    expect(await codeOf(() => engine.merge())).toBe('58030');
    driver.compareNow();
    await engine.close();
  });

  it('in a merge is final, too', async () => {
    const { engine, driver, disk, context } = await rig();
    await fill(driver, 0, 500);
    await engine.flush();
    disk.injector = pathMatch('.run', onOperation('read', failAt(0, 'EIO')));
    expect(await codeOf(() => engine.merge())).toBe('58030');
    expect(context.failures.length).toBe(1);
    driver.compareNow();
    await engine.close();
  });

  it('in a commit of files leaves it in doubt: those in line behind it change nothing', async () => {
    const { vfs, context, engine: first } = await rig();
    await first.close();
    let isFailing = false;
    let refused = 0;
    const recordGeneration = async (value: number): Promise<void> => {
      if (!isFailing) return context.recordGeneration(value);
      refused++;
      // Time enough for the other one to come to its own commit.
      for (let turn = 0; turn < 300; turn++) await new Promise((resolve) => setImmediate(resolve));
      throw ioError('write', 'superblock', new Error('EIO'));
    };
    const failing = { ...context, generationMin: context.generation.value, recordGeneration };
    const engine = await BtreeEngine.open(failing, { ...QUIET, runsMax: 2, sliceMs: 0 });
    const driver = new EngineDriver(engine, EngineCode.Btree);
    for (let i = 0; i < 1500; i += 500) {
      await fill(driver, i, i + 500);
      await engine.flush();
    }
    // The last flush was one too many, and a merge has begun.
    isFailing = true;
    await fill(driver, 2000, 2010);
    expect(await codeOf(() => engine.flush())).toBe('58030');
    for (let turn = 0; turn < 600; turn++) await new Promise((resolve) => setImmediate(resolve));
    await engine.close();
    expect([refused, context.failures.length]).toEqual([1, 1]);
    const again = await rig(QUIET, { generation: context.generation }, vfs);
    expect([...again.engine.check()]).toEqual([]);
    await again.engine.close();
  });

  it('tells who waits for room', async () => {
    const { engine, driver, disk } = await rig(QUIET, { deltaBytesMax: 128 * 1024 });
    await fill(driver, 0, 100, 200, 20);
    disk.injector = onOperation('sync', failAt(0, 'EIO'));
    const codes = await Promise.all([1, 2, 3].map(() => codeOf(() => engine.admit(100_000))));
    expect(codes.every((code) => code === '58030' || code === undefined)).toBe(true);
    expect(codes).toContain('58030');
    await engine.close();
  });
});

describe('opening', () => {
  it('refuses a meta older than what was recorded', async () => {
    const { engine, driver, vfs, context } = await rig();
    await fill(driver, 0, 100);
    await engine.flush();
    await engine.close();
    const late = { value: context.generation.value + 1 };
    expect(await codeOf(() => rig(QUIET, { generation: late }, vfs))).toBe('XX001');
    expect(await codeOf(() => rig(QUIET, { generation: { value: 3 } }, new MemoryVfs()))).toBe('XX001');
  });

  it('for reading writes nothing', async () => {
    const { engine, driver, vfs, context } = await rig();
    await fill(driver, 0, 100);
    await engine.flush();
    await fill(driver, 100, 150);
    const model = driver.model.clone();
    await engine.close();
    const before = vfs.operations - (vfs.counts.get('read') ?? 0);
    const writes = vfs.counts.get('write');
    const reading = await rig(QUIET, { generation: context.generation, readOnly: true }, vfs);
    expect(reading.engine.admit(1e9)).toBe(undefined);
    reading.engine.admitNow(1e9);
    reading.driver.seq = reading.engine.appliedSeq;
    await fill(reading.driver, 100, 150);
    reading.driver.model = model;
    reading.driver.compareNow();
    expect(await reading.engine.flush()).toBe(1);
    await reading.engine.close();
    expect(vfs.counts.get('write')).toBe(writes);
    expect(before).toBeGreaterThan(0);
    expect(await codeOf(() => rig(QUIET, { readOnly: true, directory: 'other' }, vfs))).toBe('58P01');
  });

  it('checks its options', async () => {
    for (const options of [
      { pageBytes: 5000 },
      { pageBytes: 4096 },
      { pageBytes: 65536 },
      { runsMax: 0 },
      { runsMax: 1.5 },
      { idleMergeMs: -1 },
      { sliceMs: Number.NaN },
    ]) {
      expect(await codeOf(() => btree(options))).toBe('22023');
    }
    const factory = btree({ pageBytes: 16_384 });
    expect([factory.code, factory.name]).toEqual([EngineCode.Btree, 'btree']);
    const context = await testContext(new MemoryVfs());
    const engine = await factory.open(context);
    expect(engine.stats().fileBytes).toBe(16_384);
    await engine.close();
  });

  it('keeps the page size that a tree has', async () => {
    const { engine, driver, vfs, context } = await rig({ ...QUIET, pageBytes: 32_768 });
    await fill(driver, 0, 3000);
    await engine.merge();
    await engine.close();
    const again = await rig({ ...QUIET, pageBytes: 8192 }, { generation: context.generation }, vfs);
    again.driver.seq = again.engine.appliedSeq;
    again.driver.model = driver.model;
    again.driver.compareNow();
    await fill(again.driver, 3000, 4000);
    await again.engine.merge();
    again.driver.compareNow();
    expect(vfs.readFile('engine/tree.db').length % 32_768).toBe(0);
    await again.engine.close();
  });
});

describe('the price of a merge', () => {
  it('is what ascending keys touch, not what is there', async () => {
    const { engine, driver } = await rig({ runsMax: 6, idleMergeMs: 1e9, sliceMs: 0 }, { deltaBytesMax: 512 * 1024 });
    await fill(driver, 0, 12_000);
    await engine.merge();
    const written = engine.stats().bytesMerged;
    // Appends of several deltas: their leaves are new ones, so the merges come early and rewrite nothing.
    await fill(driver, 12_000, 24_000);
    await engine.flush();
    for (let i = 0; i < 500 && engine.stats().runs > 2; i++) await new Promise((resolve) => setImmediate(resolve));
    const stats = engine.stats();
    expect(stats.runs).toBeLessThanOrEqual(3);
    expect(stats.bytesMerged - written).toBeLessThan(stats.bytesFlushed);
    driver.compareNow();
    await engine.close();
  });
});
