/** An archive brings a store back as it was at any commit, and says what it cannot. */
import { Random, silentLogger } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import {
  type ArchiveOptions,
  type RestoreOptions,
  type Store,
  openArchive,
  openStore,
  restoreStore,
} from '../src/index.js';
import { NAMES, close, contentOf, load, openRestored, pause, restore, restored, worldOf } from './archive-world.js';
import { commit, commitNow, optionsOf, rejection, twoEngines } from './support.js';

describe('an archive', () => {
  it('brings back every commit, by seq and by time, loads among them', async () => {
    const world = await worldOf({ fileBytesMax: 1000, basesKept: 9 });
    const { store, archiver, clock, disk } = world;
    const random = new Random(7);
    const moments: { seq: Seq; timeMs: number; content: (string | undefined)[] }[] = [];
    for (let i = 0; i < 90; i++) {
      clock.advance(random.below(3));
      const name = NAMES[random.below(NAMES.length)] as string;
      if (i % 17 === 5) await load(store, { 'left k0': `loaded ${i}`, 'left k2': `also ${i}` });
      else await commit(store, { [name]: random.below(4) === 0 ? undefined : `${i}`, 'memory x': `${i}` });
      if (i % 29 === 7) await commit(store, { 'memory only': 'gone' });
      moments.push({ seq: store.visibleSeq, timeMs: clock.nowMs(), content: contentOf(store) });
      if (i === 60) await archiver.makeBase();
      if (i % 25 === 3) await archiver.flush();
    }
    await archiver.flush();
    expect(disk.list('/archive').filter((name) => name.endsWith('.archive')).length).toBeGreaterThan(1);
    for (let i = 0; i < 6; i++) {
      const at = random.below(moments.length);
      const { seq, content } = moments[at] as (typeof moments)[number];
      expect(await restored(disk, `/seq-${i}`, { toSeq: seq }), `commit ${seq}`).toEqual(content);
      const { timeMs } = moments[at] as (typeof moments)[number];
      const last = moments.findLast((moment) => moment.timeMs === timeMs);
      expect(await restored(disk, `/time-${i}`, { toTimeMs: timeMs }), `${timeMs}`).toEqual(last?.content);
    }
    expect(await restored(disk, '/latest')).toEqual(moments.at(-1)?.content);
    await close(world);
    // Closed, it says the same.
    expect(await restored(disk, '/closed')).toEqual(moments.at(-1)?.content);
  });

  it('goes on with its seq and with numbers that were never handed out, under another identity', async () => {
    const world = await worldOf();
    const { store, archiver, disk } = world;
    commitNow(store, { 'right k1': 'first' });
    await archiver.makeBase();
    const numbers = [store.allocateSpaceNumber(), store.allocateSpaceNumber()];
    for (let i = 0; i < 5; i++) commitNow(store, { 'left k0': `${i}` });
    await archiver.flush();
    const told: string[] = [];
    const result = await restore(disk, '/new', { onProgress: ({ phase }) => told.push(phase) });
    expect(result).toMatchObject({ seq: 6, baseSeq: 1, commits: 5 });
    expect([...new Set(told)]).toEqual(['verify', 'copy', 'commits']);
    const copy = await openRestored(disk, '/new');
    expect(copy.visibleSeq).toBe(6);
    expect(numbers).not.toContain(copy.allocateSpaceNumber());
    expect(copy.identity).not.toEqual(store.identity);
    expect(commitNow(copy, { 'left k0': 'own' })).toBe(7);
    await close(world);
    const ports = {
      vfs: disk,
      engines: twoEngines(),
      clock: world.clock,
      logger: silentLogger,
      metrics: world.metrics,
    };
    expect(await rejection(openArchive(copy, { directory: '/archive' }, ports))).toMatchObject({
      code: '55000',
      message: '"/archive" is the archive of another store',
    });
    await copy.close();
  });

  it('goes on where it stopped, and costs what was changed', async () => {
    const vfs = new MemoryVfs();
    const disk = new MemoryVfs();
    const first = await worldOf({}, {}, vfs, disk);
    for (let i = 0; i < 400; i++) commitNow(first.store, { [`left row ${i}`]: 'v'.repeat(300) });
    await first.archiver.makeBase();
    await close(first);
    const bytesOf = (): number =>
      disk
        .list('/archive')
        .filter((name) => name.startsWith('commits'))
        .reduce((sum, name) => sum + disk.readFile(`/archive/${name}`).length, 0);
    const before = bytesOf();
    const again = await worldOf({}, {}, vfs, disk);
    for (let i = 0; i < 4; i++) commitNow(again.store, { [`left row ${i}`]: 'w'.repeat(300) });
    await close(again);
    expect(bytesOf() - before).toBeLessThan(0.05 * 400 * 300);
    expect(again.told).toEqual([]);
    expect(await restore(disk, '/new')).toMatchObject({ seq: 404, baseSeq: 400, commits: 4 });
  });

  it('begins with a base when it is given a store with a past', async () => {
    const vfs = new MemoryVfs();
    const store = await openStore('/db', optionsOf(vfs));
    for (let i = 0; i < 30; i++) commitNow(store, { 'left k0': `${i} `.repeat(2000) });
    await store.close();
    const world = await worldOf({}, {}, vfs);
    await world.archiver.flush();
    expect(world.archiver.state).toMatchObject({ seq: 30, baseSeq: 30, failure: undefined });
    expect(await rejection(restore(world.disk, '/early', { toSeq: 29 }))).toMatchObject({
      code: '55000',
      message: 'the archive begins behind the target',
    });
    expect(await restore(world.disk, '/new')).toMatchObject({ seq: 30, commits: 0 });
    await close(world);
  });

  it('keeps as many bases as it is told, and the commits behind the oldest', async () => {
    const world = await worldOf({ basesKept: 2, fileBytesMax: 1 });
    const { store, archiver, disk } = world;
    for (let i = 1; i <= 5; i++) {
      await commit(store, { 'left k0': `${i}` });
      archiver.createPoint(`point ${i}`);
      await archiver.flush();
      await archiver.makeBase();
    }
    expect(disk.list('/archive').filter((name) => name.startsWith('commits-'))).toEqual([
      'commits-0000000000000005-0000000000000005.archive',
    ]);
    expect((await rejection(restore(disk, '/old', { toSeq: 3 }))).message).toBe('the archive begins behind the target');
    expect((await restored(disk, '/kept', { toName: 'point 4' }))[0]).toBe('4');
    expect((await rejection(restore(disk, '/old', { toName: 'point 3' }))).code).toBe('22023');
    await close(world);
  });

  it('closes a file when its time is over, and makes bases when they are due', async () => {
    const world = await worldOf({ timeoutMs: 1, baseEveryMs: 20 });
    await world.archiver.flush();
    const files = (): number => world.disk.list('/archive').filter((name) => name.startsWith('commits-')).length;
    // A slow machine may begin the file as late as when it is flushed: then its time is over at the next flush.
    for (let i = 1; files() < 2; i++) {
      await commit(world.store, { 'left k0': `${i}` });
      await pause(3);
      await world.archiver.flush();
    }
    world.clock.advance(30);
    while ((world.archiver.state.baseSeq ?? 0) < 2) await pause(5);
    expect(files()).toBeGreaterThanOrEqual(2);
    await close(world);
  });

  it('refuses targets that it does not have', async () => {
    const world = await worldOf();
    for (let i = 0; i < 3; i++) commitNow(world.store, { 'left k0': `${i}` });
    await close(world);
    const { disk } = world;
    const nowMs = world.clock.nowMs();
    const refused = async (target: Partial<RestoreOptions>): Promise<string> => {
      const { code, message } = await rejection(restore(disk, '/new', target));
      return `${code} ${message}`;
    };
    expect(await refused({ toSeq: 9 })).toBe('55000 the archive ends before the target');
    expect(await refused({ toTimeMs: nowMs + 1 })).toBe('55000 the archive ends before the target');
    expect(await refused({ toTimeMs: nowMs - 1 })).toBe('55000 the archive begins behind the target');
    expect(await refused({ toSeq: 1, toTimeMs: 5 })).toMatch(/^22023/);
    expect(await refused({ toSeq: -1 })).toMatch(/^22023/);
    expect((await rejection(restoreStore('/nothing', '/new', { vfs: disk, makeEngines: twoEngines }))).code).toBe(
      '58P01',
    );
    expect(disk.exists('/new')).toBe(false);
  });

  it('is refused to who cannot write it', async () => {
    const world = await worldOf();
    await commit(world.store, { 'left k0': '1' });
    const ports = {
      vfs: world.disk,
      engines: twoEngines(),
      clock: world.clock,
      logger: silentLogger,
      metrics: world.metrics,
    };
    const open = (store: Store, options: Partial<ArchiveOptions> = {}): Promise<string> =>
      rejection(openArchive(store, { directory: '/archive', ...options }, ports)).then(({ code }) => code);
    expect(await open(world.store)).toBe('55006');
    expect(await open(world.store, { directory: '' })).toBe('22023');
    expect(await open(world.store, { basesKept: 0 })).toBe('22023');
    const older = world.vfs.killClone();
    commitNow(world.store, { 'left k0': '2' });
    await close(world);
    const reading = await openStore('/db', optionsOf(older, { readOnly: true }));
    expect(await open(reading)).toBe('25006');
    await reading.close();
    expect(await rejection(worldOf({}, {}, older, world.disk))).toMatchObject({
      code: '55000',
      message: 'the archive in "/archive" is ahead of the store',
    });
  });
});
