/** What the engine does beyond the contract: where data goes, what it costs, and what happens when the disk is in the way. */
import { ManualClock, type PhantomError, ioError } from '@phantom/base';
import { ByteSlot, EngineCode, type SortedRunRef } from '@phantom/kv';
import { EngineDriver, type ModelOperation } from '@phantom/kv/testing';
import { RunWriter, VersionKind, ingestedNumber } from '@phantom/runs';
import { FaultyVfs, MemoryVfs, counting, failAt, failFrom, onOperation, pathMatch } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { LsmEngine, type LsmOptions, lsm } from '../src/index.js';
import { type ContextOptions, type TestContext, testContext } from '@phantom/testkit/engine';
import { SMALL } from './small-options.js';

const numbered = (i: number): string => String(i).padStart(6, '0');
const NOISE = new Uint8Array(64).map((_, i) => (i * 151) % 256);

interface Opened {
  readonly vfs: MemoryVfs;
  readonly context: TestContext;
  readonly engine: LsmEngine;
  readonly driver: EngineDriver;
}

async function open(
  options: LsmOptions = SMALL,
  contextOptions: ContextOptions = {},
  vfs = new MemoryVfs(),
): Promise<Opened> {
  const context = await testContext(vfs, contextOptions);
  const engine = await LsmEngine.open(context, options);
  return { vfs, context, engine, driver: new EngineDriver(engine, EngineCode.Lsm) };
}

/** Commits a put for each number and flushes. */
async function fill({ engine, driver }: Opened, from: number, to: number, step = 1): Promise<void> {
  const puts: ModelOperation[] = [];
  for (let i = from; i < to; i += step) puts.push(driver.put(numbered(i), Uint8Array.of(...NOISE, i & 255, i >>> 8)));
  await driver.commit(puts);
  await engine.flush();
}

describe('views that pin too much', () => {
  it('end with a reason, the oldest first, and give their space back', async () => {
    const opened = await open({ ...SMALL, pinnedBytesMax: 60_000 });
    const { engine, driver, vfs } = opened;
    const views = [];
    for (let round = 0; round < 3; round++) {
      await fill(opened, 0, 800);
      await engine.compact();
      const open = driver.view();
      const cursor = open.view.cursor(driver.everything());
      expect(cursor.next()).toBe(true);
      views.push({ open, cursor });
    }
    await fill(opened, 0, 800);
    driver.compareNow();
    await engine.compact();
    const held = engine.stats().openViews;
    expect(held).toBeGreaterThan(0);
    expect(held).toBeLessThan(3);
    expect(engine.stats().pinnedBytes).toBeLessThanOrEqual(60_000);
    const detail = expect.stringContaining('The oldest is held by the reader of ');
    const tooOld = expect.objectContaining({ code: '72000', family: 'limit', detail });
    for (const { open, cursor } of views.slice(0, -held)) {
      expect(() => open.view.get(new Uint8Array(8), 0, 8, new ByteSlot())).toThrow(tooOld);
      expect(() => open.view.cursor(driver.everything())).toThrow(tooOld);
      expect(() => cursor.next()).toThrow(tooOld);
      cursor.close();
    }
    for (const { open } of views.slice(-held)) driver.compareAll(open);
    for (const { open } of views) open.view.release();
    expect(engine.stats()).toMatchObject({ openViews: 0, pinnedBytes: 0 });
    expect(vfs.list('engine').filter((name) => name.endsWith('.run')).length).toBe(engine.stats().runs);
    driver.compareNow();
    await engine.close();
  });
});

const levelsOf = (engine: LsmEngine): number[] => engine.stats().levels.map(({ runs }) => runs);

describe('where data goes', () => {
  it('moves sorted loads to the bottom without reading them', async () => {
    const opened = await open();
    for (let i = 0; i < 12; i++) await fill(opened, i * 50, i * 50 + 50);
    await opened.engine.settled();
    const stats = opened.engine.stats();
    expect([stats.bytesReadByCompactions, stats.merges]).toEqual([0, 0]);
    expect(stats.moves).toBeGreaterThan(9);
    expect(stats.writeAmplification).toBe(1);
    opened.driver.compareNow();
    await opened.engine.close();
  });

  it('grows levels upwards from the bottom, and compacts to one', async () => {
    const opened = await open();
    for (let i = 0; i < 14; i++) await fill(opened, i, 600, 7);
    await opened.engine.settled();
    expect(
      levelsOf(opened.engine)
        .slice(1)
        .filter((runs) => runs > 0).length,
    ).toBeGreaterThan(1);
    expect(opened.engine.stats().writeAmplification).toBeGreaterThan(1.5);
    opened.driver.compareNow();
    await opened.engine.compact();
    const levels = levelsOf(opened.engine);
    expect(levels.slice(0, 6)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(opened.engine.stats().spaceAmplification).toBe(1);
    expect(opened.engine.stats().readAmplification).toBe(1);
    opened.driver.compareNow();
    await opened.engine.close();
  });

  it('forgets what lies under a range removal without reading it, while views still see it', async () => {
    const opened = await open();
    const { engine, driver } = opened;
    for (let i = 0; i < 6; i++) await fill(opened, i, 400, 3);
    await engine.compact();
    const before = driver.view();
    const { bytesReadByCompactions: read, fileBytes } = engine.stats();
    await driver.commit([driver.removeRange(numbered(0), numbered(1000))]);
    await engine.flush();
    await engine.settled();
    const stats = engine.stats();
    expect(stats.bytesReadByCompactions).toBe(read);
    expect(stats.drops).toBeGreaterThan(3);
    expect(stats.fileBytes).toBeLessThan(fileBytes / 10);
    expect(stats.pinnedBytes).toBe(fileBytes);
    driver.compareNow();
    driver.compareAll(before);
    before.view.release();
    expect(engine.stats().pinnedBytes).toBe(0);
    await engine.close();
  });

  it('keeps the files of a view until it is released', async () => {
    const opened = await open();
    const { engine, driver, vfs } = opened;
    await fill(opened, 0, 300);
    const view = driver.view();
    for (let i = 0; i < 5; i++) await fill(opened, 0, 300);
    await engine.compact();
    const runs = (): number => vfs.list('engine').filter((name) => name.endsWith('.run')).length;
    const pinned = engine.stats().pinnedBytes;
    expect(pinned).toBeGreaterThan(0);
    const withView = runs();
    driver.compareAll(view);
    view.view.release();
    // The last batch counts as published once somebody looks at it.
    driver.compareNow();
    expect(engine.stats().pinnedBytes).toBe(0);
    expect(runs()).toBeLessThan(withView);
    expect(runs()).toBe(engine.stats().runs);
    await engine.close();
  });

  it('shows the state before an unpublished batch, though that is flushed and compacted, twice', async () => {
    const opened = await open();
    const { engine, driver } = opened;
    await fill(opened, 0, 100);
    const before = { view: engine.view(driver.seq), model: driver.model.clone() };
    before.view.release();
    await driver.commit([driver.put(numbered(1), 'unpublished'), driver.removeRange(numbered(20), numbered(60))]);
    await engine.compact();
    await engine.compact();
    const late = { view: engine.view(driver.seq - 1), model: before.model };
    driver.compareAll(late);
    const later = { view: engine.view(driver.seq - 1), model: before.model };
    late.view.release();
    driver.compareAll(later);
    later.view.release();
    driver.compareNow();
    engine.advance(++driver.seq);
    driver.compareNow();
    expect(engine.stats().pinnedBytes).toBe(0);
    await engine.close();
  });

  it('merges runs early that cursors look into often', async () => {
    const opened = await open({ level0RunsMin: 100, level0RunsSlow: 100, level0RunsMax: 100, blockBytes: 300 });
    const { engine, driver } = opened;
    await fill(opened, 0, 100);
    await fill(opened, 0, 100, 2);
    for (let i = 0; i < 10; i++) driver.compareNow();
    await engine.settled();
    expect(engine.stats().merges).toBe(1);
    expect(levelsOf(engine)).toEqual([0, 0, 0, 0, 0, 0, 1]);
    await engine.close();
  });
});

describe('estimates', () => {
  it('add up what the levels hold, and cut where most of it lies', async () => {
    const opened = await open({ ...SMALL, compression: 'none' });
    const { engine, driver } = opened;
    await fill(opened, 0, 3000);
    await engine.compact();
    for (let i = 0; i < 3; i++) await fill(opened, i, 3000, 500);
    const all = driver.everything();
    expect(engine.estimate(all).keys).toBe(3018);
    const tenth = engine.estimate(driver.range(numbered(1000), numbered(1300)));
    expect(tenth.keys).toBeGreaterThan(200);
    expect(tenth.keys).toBeLessThan(400);
    const parts = engine.split(all, 5);
    expect(parts).toHaveLength(5);
    for (const part of parts) {
      const { keys } = engine.estimate(part);
      expect(keys).toBeGreaterThan(400);
      expect(keys).toBeLessThan(800);
    }
    expect(engine.split(driver.range('x', 'y'), 3)).toHaveLength(1);
    await engine.close();
  });
});

describe('writers', () => {
  const slow: LsmOptions = {
    ...SMALL,
    level0RunsMin: 2,
    level0RunsSlow: 2,
    level0RunsMax: 3,
    levelBytes: 1e6,
    runBytesMax: 1e6,
  };

  it('are slowed while compactions lag behind, and let go when the engine is closed', async () => {
    const opened = await open(slow, { deltaBytesMax: 64 << 20 });
    const { engine } = opened;
    await fill(opened, 0, 4000);
    await fill(opened, 0, 4000);
    const waiting = engine.admit(100_000);
    expect(waiting).toBeInstanceOf(Promise);
    expect(engine.stats().delayedMs).toBeGreaterThan(0);
    const late = (engine.admit(8_000_000) as Promise<void>).catch((error: Error) => error.message);
    await waiting;
    engine.unadmit(100_000);
    await engine.close();
    expect(await late).toBe('the engine was closed');
  });

  it('help along when they cannot wait, and wait for the compaction at the end', async () => {
    const opened = await open(slow, { deltaBytesMax: 200_000 });
    const { engine, driver } = opened;
    const commit = async (round: number): Promise<void> => {
      const puts = Array.from({ length: 100 }, (_, i) => driver.put(numbered(i * 7 + round), NOISE));
      engine.admitNow(75_000);
      await driver.commit(puts);
      engine.unadmit(75_000);
    };
    for (let round = 0; round < 60; round++) await commit(round);
    const { flushes, merges, levels } = engine.stats();
    expect(flushes).toBeGreaterThan(5);
    expect(merges).toBeGreaterThan(1);
    expect(levels[0]?.runs).toBeLessThanOrEqual(3);
    driver.compareNow();
    await engine.close();
  });

  it('may be larger than all memory, and come in alone', async () => {
    const { engine, driver } = await open(SMALL, { deltaBytesMax: 100_000 });
    const large = Array.from({ length: 30 }, (_, i) => driver.put(numbered(i), new Uint8Array(10_000).fill(i)));
    await driver.commit([driver.put('0', NOISE)]);
    await driver.commit(large);
    await driver.commit(large);
    driver.compareNow();
    await engine.close();
  });

  it('are told when memory is reserved by others', async () => {
    const { engine } = await open(SMALL, { deltaBytesMax: 100_000 });
    await engine.admit(90_000);
    expect(() => engine.admitNow(90_000)).toThrow('reserved by other transactions');
    engine.unadmit(90_000);
    await engine.close();
    await expect(engine.admit(1)).rejects.toThrow('closed');
  });
});

describe('a full disk', () => {
  it('refuses writes while a flush finds no room, but not removals, and goes on when there is room', async () => {
    const vfs = new MemoryVfs();
    const faulty = new FaultyVfs(vfs, counting());
    const context = await testContext(faulty);
    const engine = await LsmEngine.open(context, SMALL);
    const driver = new EngineDriver(engine, EngineCode.Lsm);
    await fill({ vfs, context, engine, driver }, 0, 100);
    vfs.capacityBytes = 0;
    await driver.commit([driver.put(numbered(5), 'new')]);
    await expect(engine.flush()).rejects.toMatchObject({ code: '53100' });
    await expect(engine.admit(100)).rejects.toMatchObject({ code: '53100' });
    expect(() => engine.admitNow(100)).toThrow('no space left');
    expect(engine.admit(100, true)).toBeUndefined();
    engine.unadmit(100);
    const flushing = engine.flush();
    await expect(engine.admit(100)).rejects.toMatchObject({ code: '53100' });
    await expect(flushing).rejects.toMatchObject({ code: '53100' });
    driver.compareNow();
    vfs.capacityBytes = Number.POSITIVE_INFINITY;
    faulty.injector = onOperation('open', failAt(0, 'EMFILE'));
    await expect(engine.flush()).rejects.toMatchObject({ code: '53000' });
    await engine.flush();
    expect(engine.admit(100)).toBeUndefined();
    expect(context.failures).toEqual([]);
    await engine.close();
  });

  it('holds compactions back and lets writes go on as long as there is room for them', async () => {
    const disk = new MemoryVfs();
    const faulty = new FaultyVfs(disk, counting());
    const context = await testContext(faulty);
    const engine = await LsmEngine.open(context, { ...SMALL, level0RunsMin: 4, level0RunsSlow: 5, level0RunsMax: 6 });
    const opened = { vfs: disk, context, engine, driver: new EngineDriver(engine, EngineCode.Lsm) };
    for (let i = 0; i < 3; i++) await fill(opened, 0, 50);
    // Flushes take one number each; a compaction's runs have later ones.
    faulty.injector = onOperation('write', pathMatch(/0000000[5-9]|000000[1-9]\d/, failFrom(0, 'ENOSPC')));
    await fill(opened, 0, 50);
    await expect(engine.settled()).rejects.toMatchObject({ code: '53100' });
    expect(engine.admit(10)).toBeUndefined();
    engine.unadmit(10);
    opened.driver.compareNow();
    faulty.injector = counting();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await engine.settled();
    expect(engine.stats().merges).toBe(1);
    expect(context.failures).toEqual([]);
    await engine.close();
  });
});

describe('a failing disk', () => {
  it('ends writing for good and lets reading go on', async () => {
    const disk = new MemoryVfs();
    const faulty = new FaultyVfs(disk, counting());
    const context = await testContext(faulty);
    const engine = await LsmEngine.open(context, SMALL);
    const driver = new EngineDriver(engine, EngineCode.Lsm);
    await driver.commit([driver.put('a', '1')]);
    faulty.injector = onOperation('sync', failAt(0, 'EIO'));
    await expect(engine.flush()).rejects.toMatchObject({ code: '58030' });
    await expect(engine.flush()).rejects.toMatchObject({ code: '58030' });
    await expect(engine.admit(10)).rejects.toMatchObject({ code: '58030' });
    expect(() => engine.admitNow(10, true)).toThrow('injected');
    await expect(engine.settled()).rejects.toMatchObject({ code: '58030' });
    expect(context.failures).toHaveLength(1);
    driver.compareNow();
    await engine.close();
  });
});

describe('a commit of files whose outcome is in doubt', () => {
  it('is the last: those in line behind it change nothing', async () => {
    const vfs = new MemoryVfs();
    const context = await testContext(vfs);
    let isFailing = false;
    let refused = 0;
    const failing: TestContext = {
      ...context,
      recordGeneration: async (value) => {
        if (!isFailing) return context.recordGeneration(value);
        refused++;
        // Time enough for a compaction to come to its own commit.
        for (let turn = 0; turn < 300; turn++) await new Promise((resolve) => setImmediate(resolve));
        throw ioError('write', 'superblock', new Error('EIO'));
      },
    };
    const engine = await LsmEngine.open(failing, SMALL);
    const driver = new EngineDriver(engine, EngineCode.Lsm);
    const opened = { vfs, context, engine, driver };
    for (let round = 0; engine.stats().runs < 2; round++) await fill(opened, round, 100 + round);
    isFailing = true;
    await expect(fill(opened, 50, 60)).rejects.toMatchObject({ code: '58030' });
    await expect(engine.settled()).rejects.toMatchObject({ code: '58030' });
    await engine.close();
    expect([refused, context.failures.length]).toEqual([1, 1]);
    const again = await open(SMALL, { generation: context.generation }, vfs);
    expect([...again.engine.check()]).toEqual([]);
    await again.engine.close();
  });
});

describe('opening to read', () => {
  it('changes nothing on disk and applies what the log has', async () => {
    const { vfs, context, engine, driver } = await open();
    await fill({ vfs, context, engine, driver }, 0, 100);
    await driver.commit([driver.put('a', 'in the log only')]);
    await engine.close();
    const before = vfs.list('engine').map((name) => [name, vfs.readFile(`engine/${name}`)]);
    const reading = await testContext(vfs, { readOnly: true, generation: { value: context.generation.value } });
    driver.engine = await LsmEngine.open(reading, SMALL);
    await driver.replay(0);
    driver.compareNow();
    expect(await driver.engine.flush()).toBe(1);
    await driver.engine.close();
    expect(vfs.list('engine').map((name) => [name, vfs.readFile(`engine/${name}`)])).toEqual(before);
    await expect(
      testContext(new MemoryVfs(), { readOnly: true }).then((empty) => LsmEngine.open(empty)),
    ).rejects.toThrow('there is no LSM-tree');
  });
});

describe('files that are handed over', () => {
  /** A file of puts, synced. */
  async function prepare(
    opened: Opened,
    path: string,
    numbers: readonly number[],
    value: string,
  ): Promise<SortedRunRef> {
    const { vfs, context, driver } = opened;
    const { checksums } = context;
    const writer = new RunWriter({ vfs, path, checksums, identity: ingestedNumber(checksums, path), blockBytes: 200 });
    for (const i of numbers) {
      const operation = driver.put(numbered(i), value);
      driver.model.apply(operation);
      const { key, value: bytes } = operation as { key: Uint8Array; value: Uint8Array };
      writer.add(key, 0, key.length, 0, VersionKind.Put, bytes, 0, bytes.length);
    }
    const { entries, bytes } = writer.finish();
    await writer.sync();
    writer.close();
    vfs.syncDir('.');
    return { path, entries, bytes };
  }

  const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

  it('go as deep as nothing lies above them, and are seen at once', async () => {
    const opened = await open({ ...SMALL, level0RunsMin: 3 });
    const { engine, driver } = opened;
    await fill(opened, 0, 100);
    await engine.compact();
    const first = await prepare(opened, 'one', range(200, 300), 'loaded');
    const over = await prepare(opened, 'two', range(250, 260), 'loaded later');
    const before = driver.view();
    const { keys } = engine.estimate(driver.everything());
    engine.ingest([first, over], ++driver.seq);
    driver.compareNow();
    // Planners know of them before they are flushed.
    expect(engine.estimate(driver.everything()).keys).toBe(keys + 110);
    expect(driver.engine.flushedSeq()).toBeLessThan(driver.seq);
    await engine.flush();
    expect(
      engine
        .stats()
        .levels.slice(5)
        .map(({ runs }) => runs),
    ).toEqual([1, 3]);
    driver.compareNow();
    engine.ingest([first], driver.seq);
    await driver.commit([driver.put(numbered(255), 'newer')]);
    engine.ingest([await prepare(opened, 'three', range(255, 256), 'newest')], ++driver.seq);
    await engine.flush();
    expect(levelsOf(engine)[0]).toBe(2);
    driver.compareNow();
    before.view.release();
    await engine.compact();
    driver.compareNow();
    await engine.close();
  });

  it('stay out of the way of a compaction that is under way', async () => {
    const opened = await open(
      { ...SMALL, level0RunsMin: 2, levelBytes: 1e7, runBytesMax: 1e6 },
      { deltaBytesMax: 16 << 20 },
    );
    const { engine, driver } = opened;
    await fill(opened, 0, 9000, 3);
    const file = await prepare(opened, 'gap', [3001], 'in a gap');
    await fill(opened, 0, 9000, 3);
    engine.ingest([file], ++driver.seq);
    await engine.flush();
    expect(levelsOf(engine)[0]).toBeGreaterThan(0);
    driver.compareNow();
    await engine.settled();
    await engine.compact();
    driver.compareNow();
    await engine.close();
  });

  it('are taken over again after a crash, wherever they are, and are no orphans', async () => {
    const opened = await open();
    const { engine, driver, vfs, context } = opened;
    await fill(opened, 0, 100);
    const file = await prepare(opened, 'load', range(50, 60), 'loaded');
    const disks: MemoryVfs[] = [];
    // Renamed, and not yet named by a manifest.
    vfs.onOperation = ({ operation }) => void (operation === 'rename' && disks.push(vfs.killClone()));
    engine.ingest([file], ++driver.seq);
    const generation = { value: context.generation.value };
    await engine.flush();
    await engine.close();
    const crashed = disks[0] as MemoryVfs;
    expect(crashed.exists('load')).toBe(false);
    const again = await open(SMALL, { generation }, crashed);
    expect(again.engine.flushedSeq()).toBe(driver.seq - 1);
    again.engine.ingest([file], driver.seq);
    again.driver.seq = driver.seq;
    again.driver.model = driver.model;
    again.driver.compareNow();
    await again.engine.flush();
    await again.engine.close();
    const last = await open(SMALL, { generation: { value: again.context.generation.value } }, crashed);
    last.driver.seq = driver.seq;
    last.driver.model = driver.model;
    last.driver.compareNow();
    await last.engine.close();
  });

  it('are refused when they are too many or no runs', async () => {
    const opened = await open();
    const { engine } = opened;
    const file = await prepare(opened, 'load', [1], 'x');
    expect(() =>
      engine.ingest(
        Array.from({ length: 1025 }, () => file),
        1,
      ),
    ).toThrow('1025 files');
    expect(() => engine.ingest([file, { ...file, path: 'none' }], 1)).toThrow('no such file');
    await engine.close();
  });
});

describe('what a lost process left', () => {
  it('is removed once recovery is over, and its numbers are not used again', async () => {
    const opened = await open();
    const { vfs, context, driver } = opened;
    await fill(opened, 0, 100);
    await opened.engine.close();
    for (const name of ['0000000000000900.run', '4503599627370497.run', 'somebody-elses']) {
      vfs.open(`engine/${name}`, { mode: 'create-new' }).close();
    }
    const again = await LsmEngine.open(await testContext(vfs, { generation: context.generation }), SMALL);
    driver.engine = again;
    await driver.commit([driver.put('a', '1')]);
    await again.flush();
    expect(vfs.list('engine')).toContain('0000000000000901.run');
    expect(vfs.list('engine')).toContain('0000000000000900.run');
    driver.compareNow();
    expect(vfs.list('engine').filter((name) => !name.startsWith('manifest'))).toEqual([
      '0000000000000001.run',
      '0000000000000901.run',
      'somebody-elses',
    ]);
    await again.close();
  });

  it('does no harm when it cannot be removed', async () => {
    const { vfs, context, engine, driver } = await open();
    await fill({ vfs, context, engine, driver }, 0, 10);
    await engine.close();
    const faulty = new FaultyVfs(vfs, counting());
    driver.engine = await LsmEngine.open(await testContext(faulty, { generation: context.generation }), SMALL);
    faulty.injector = onOperation('list', failAt(0, 'EIO'));
    expect(() => driver.compareNow()).not.toThrow();
    await driver.engine.close();
  });
});

describe('options', () => {
  const bad: readonly LsmOptions[] = [
    { level0RunsMin: 0 },
    { level0RunsMin: 9, level0RunsSlow: 8 },
    { level0RunsSlow: 50 },
    { levelBytes: 0 },
    { levelFactor: 1 },
    { runBytesMax: 1.5 },
    { filterBitsPerKey: -1 },
    { sliceMs: -1 },
    { compression: 'zip' as 'lz4' },
  ];

  it.each(bad)('are refused when they cannot be: %j', (options) => {
    let error: PhantomError | undefined;
    try {
      lsm(options);
    } catch (caught) {
      error = caught as PhantomError;
    }
    expect(error?.code).toBe('22023');
  });
});

describe('the clock', () => {
  it('is the one that the context brings', async () => {
    const vfs = new MemoryVfs();
    const context = { ...(await testContext(vfs)), clock: new ManualClock() };
    const engine = await LsmEngine.open(context, SMALL);
    const driver = new EngineDriver(engine, EngineCode.Lsm);
    await driver.commit([driver.put('a', '1')]);
    await engine.flush();
    const { view } = driver.view();
    const key = driver.key('a');
    expect(view.get(key, 0, key.length, new ByteSlot())).toBe(true);
    view.release();
    view.release();
    await engine.close();
    await engine.close();
  });
});
