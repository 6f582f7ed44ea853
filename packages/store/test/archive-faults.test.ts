/** An archive whose disk fails, fills up or loses its power: the store goes on, and nothing is restored that was not. */
import { PhantomError, isPhantomError } from '@phantom/base';
import { FaultyVfs, MemoryVfs, counting, failAt, failFrom, onOperation } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { openStore } from '../src/index.js';
import {
  type World,
  close,
  contentOf,
  load,
  openRestored,
  pause,
  restore,
  restored,
  worldOf,
} from './archive-world.js';
import { commit, commitNow, optionsOf, readNow, rejection, twoEngines } from './support.js';

const QUICK = { retryMs: 1, fileBytesMax: 600 };
const NO_FAULT = counting();
/** A sweep takes every so many of its operations, unless all are asked for. */
const STEP = process.env.PHANTOM_SWEEP === 'whole' ? 1 : 15;

/** Until everything is archived, whatever has failed. */
async function caughtUp({ archiver }: World): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const isDone = await archiver.flush().then(
      () => true,
      () => false,
    );
    if (isDone) return;
    await pause(2);
  }
  await archiver.flush();
}

/** Ten commits, a load and a base among them. Returns what the left key had after each. */
async function work({ store, archiver }: World): Promise<void> {
  for (let i = 1; i <= 10; i++) {
    if (i === 6) await load(store, { 'left k0': '6', 'left k2': '6' });
    else await commit(store, { 'left k0': `${i}`, [`right k${i % 2}`]: 'v'.repeat(60) });
    if (i % 3 === 0) await archiver.flush().catch(() => undefined);
    if (i === 5) await archiver.makeBase().catch(() => undefined);
  }
}

describe('an archive on a bad disk', () => {
  it('catches up when any operation has failed, and has every commit', async () => {
    let runs = 0;
    for (let fired = true; fired; runs += STEP) {
      const fault = failAt(runs, runs % 2 === 0 ? 'EIO' : 'ENOSPC');
      const disk = new MemoryVfs();
      const vfs = new MemoryVfs();
      const faulty = new FaultyVfs(disk, fault);
      const open = (): Promise<World | undefined> =>
        worldOf(QUICK, {}, vfs, faulty, false).catch((error: unknown) => {
          if (!isPhantomError(error)) throw error;
          return undefined;
        });
      const world = (await open()) ?? ((await open()) as World);
      await work(world);
      await caughtUp(world);
      const { baseSeq = 0 } = world.archiver.state;
      await close(world);
      fired = fault.fired;
      // As a power cut would leave it.
      const left = runs % 3 === 0 ? disk : disk.crashClone(runs);
      for (const toSeq of runs % 4 === 0 ? [Math.max(5, baseSeq), 6, 10].filter((seq) => seq >= baseSeq) : [10]) {
        const found = await restored(left, `/to-${toSeq}`, { toSeq }).catch((error: unknown) => error as PhantomError);
        // The load alone may have been archived later than it was made.
        const isLate = toSeq === 6 && found instanceof PhantomError && found.message.includes('cannot bring back');
        if (!isLate) expect(found, `fault ${runs}, commit ${toSeq}`).toHaveProperty('0', `${toSeq}`);
      }
    }
    expect(runs).toBeGreaterThan(80);
  });

  it('has what it said was durable after a power cut at any operation, and goes on from there', async () => {
    const disk = new MemoryVfs();
    const vfs = new MemoryVfs();
    const cuts: { disk: MemoryVfs; vfs: MemoryVfs; seq: number; baseSeq: number | undefined }[] = [];
    const worlds: World[] = [];
    disk.onOperation = () => {
      if (worlds[0] === undefined) return;
      const { seq, baseSeq } = worlds[0].archiver.state;
      cuts.push({ disk: disk.crashClone(cuts.length), vfs: vfs.killClone(), seq, baseSeq });
    };
    const world = await worldOf(QUICK, {}, vfs, disk);
    worlds.push(world);
    await work(world);
    await close(world);
    expect(cuts.length).toBeGreaterThan(60);
    for (const [i, cut] of cuts.entries()) {
      if (cut.baseSeq !== undefined && cut.seq > 0 && i % STEP === 0) {
        expect((await restored(cut.disk, '/cut', { toSeq: cut.seq }))[0], `cut ${i}`).toBe(`${cut.seq}`);
      }
      if (i % (2 * STEP) !== 0) continue;
      const again = await worldOf(QUICK, {}, cut.vfs, cut.disk);
      await commit(again.store, { 'left k4': 'later' });
      const content = contentOf(again.store);
      await close(again);
      expect(again.told.filter((message) => message.includes('missing'))).toEqual([]);
      expect(await restored(cut.disk, '/again'), `cut ${i}`).toEqual(content);
    }
  });

  it('holds the log up to its limit, then tells of the gap and begins anew', async () => {
    const disk = new MemoryVfs();
    const faulty = new FaultyVfs(disk, NO_FAULT);
    const world = await worldOf({ ...QUICK, logBytesMax: 100_000 }, {}, new MemoryVfs(), faulty);
    const { store, archiver, told } = world;
    const fill = async (from: number, to: number): Promise<void> => {
      for (let i = from; i <= to; i++) {
        commitNow(store, { 'left k0': `${i}`, 'right k1': `${i} `.repeat(1000) });
        if (i % 5 === 0) await store.checkpoint();
      }
    };
    await fill(1, 3);
    await archiver.flush();
    faulty.injector = failFrom(0, 'ENOSPC');
    await fill(4, 10);
    expect((await rejection(archiver.flush())).code).toBe('53100');
    await pause(10);
    // Once, however often it is tried.
    expect(told.filter((message) => message.startsWith('the archive cannot be written')).length).toBeLessThan(3);
    expect(archiver.state.failure).toBeDefined();
    faulty.injector = NO_FAULT;
    await caughtUp(world);
    expect((await restored(disk, '/held', { toSeq: 7 }))[0]).toBe('7');

    faulty.injector = failFrom(0, 'EIO');
    await fill(11, 120);
    await rejection(archiver.flush());
    faulty.injector = NO_FAULT;
    await caughtUp(world);
    expect(told.find((message) => message.startsWith('commits are missing'))).toMatch(/"from":11,"to":120/);
    expect(world.metrics.samples().find(({ name }) => name === 'phantom_archive_gaps_total')).toMatchObject({
      value: 1,
    });
    await fill(121, 123);
    await close(world);
    const error = await rejection(restore(disk, '/gap', { toSeq: 60 }));
    expect(error).toMatchObject({ code: '55000', message: 'the archive has no commits 11 to 120' });
    expect((await restored(disk, '/before', { toSeq: 10 }))[0]).toBe('10');
    expect((await restored(disk, '/behind', { toSeq: 122 }))[0]).toBe('122');
  });

  it('cannot bring back what came between a load and its archiving, and says so', async () => {
    const disk = new MemoryVfs();
    const faulty = new FaultyVfs(disk, NO_FAULT);
    const world = await worldOf(QUICK, {}, new MemoryVfs(), faulty);
    const { store, archiver } = world;
    faulty.injector = failFrom(0, 'EIO');
    await commit(store, { 'left k0': '1' });
    await rejection(archiver.flush());
    await load(store, { 'left k0': '2', 'left k2': '2' });
    await commit(store, { 'left k0': '3' });
    faulty.injector = NO_FAULT;
    await caughtUp(world);
    await close(world);
    expect(await rejection(restore(disk, '/between', { toSeq: 2 }))).toMatchObject({
      code: '55000',
      message: 'the archive cannot bring back commit 2',
    });
    expect((await restored(disk, '/before', { toSeq: 1 }))[0]).toBe('1');
    expect((await restored(disk, '/whole', { toSeq: 3 }))[0]).toBe('3');
  });

  it('ends when the store fails, and when it is closed without a word', async () => {
    const inner = new MemoryVfs();
    const vfs = new FaultyVfs(inner, NO_FAULT);
    const world = await worldOf(QUICK, {}, vfs as unknown as MemoryVfs);
    await commit(world.store, { 'left k0': '0' });
    vfs.injector = onOperation('sync', failFrom(0, 'EIO'));
    await rejection(commit(world.store, { 'left k0': '1' }));
    await pause(1);
    expect(world.archiver.state.failure).toBeDefined();
    await world.archiver.stop();
    await world.store.close().catch(() => undefined);
    const other = await worldOf(QUICK);
    await other.store.close();
    await pause(1);
    expect((await rejection(other.archiver.flush())).code).toBe('57P01');
    await other.archiver.stop();
  });
});

describe('damage in an archive', () => {
  it('is found in every byte of it', async () => {
    const world = await worldOf({ fileBytesMax: 350 });
    for (let i = 1; i <= 5; i++) {
      await commit(world.store, { 'left k0': `${i}`, 'right k1': 'v'.repeat(40) });
      if (i === 3) await world.archiver.flush();
    }
    await world.archiver.flush();
    const disk = world.disk as MemoryVfs;
    const files = disk.list('/archive').filter((name) => name.startsWith('commits') || name.endsWith('.info'));
    expect(files.some((name) => name.endsWith('.open')) && files.some((name) => name.endsWith('.archive'))).toBe(true);
    for (const name of files) {
      const bytes = disk.readFile(`/archive/${name}`).slice();
      for (let at = 0; at < bytes.length; at += STEP > 1 ? 3 : 1) {
        disk.corrupt(`/archive/${name}`, at, Uint8Array.of((bytes[at] as number) ^ (1 << (at % 8))));
        const error = await rejection(restore(disk, '/new', { toSeq: 5 }));
        // What is open may end anywhere, and then does not reach the target.
        expect(['XX001', ...(name.endsWith('.open') ? ['55000'] : [])], `${name} at ${at}`).toContain(error.code);
        disk.corrupt(`/archive/${name}`, at, bytes.subarray(at, at + 1));
      }
    }
    expect((await restored(disk, '/new', { toSeq: 5 }))[0]).toBe('5');
    await close(world);
  });

  it('is named where files are missing, shortened, exchanged or of another store', async () => {
    const world = await worldOf({ fileBytesMax: 1 });
    for (let i = 1; i <= 4; i++) {
      await commit(world.store, { 'left k0': `${i}` });
      await world.archiver.flush();
    }
    await close(world);
    const disk = world.disk as MemoryVfs;
    const fileOf = (seq: number): string =>
      `/archive/commits-${`${seq}`.padStart(16, '0')}-${`${seq}`.padStart(16, '0')}.archive`;
    const refused = async (change: (copy: MemoryVfs) => void): Promise<string> => {
      const copy = disk.killClone();
      change(copy);
      const { code, message } = await rejection(restore(copy, '/new', { toSeq: 4 }));
      return `${code} ${message}`;
    };
    expect(await refused((copy) => copy.remove(fileOf(2)))).toBe('55000 the archive has no commits 2 to 2');
    expect(await refused((copy) => copy.rename(fileOf(2), fileOf(3)))).toMatch(/^55000 the archive has no commits 2/);
    expect(await refused((copy) => copy.rename(fileOf(3), fileOf(2)))).toMatch(
      /^XX001 a file of the archive has the name of another/,
    );
    const truncate = (copy: MemoryVfs, bytes: number): void => {
      const file = copy.open(fileOf(3), { mode: 'write' });
      file.truncate(bytes);
      file.close();
    };
    expect(await refused((copy) => truncate(copy, 100))).toMatch(/^XX001/);
    expect(await refused((copy) => truncate(copy, 0))).toMatch(/^XX001/);
    const other = await worldOf({ fileBytesMax: 1 });
    for (let i = 1; i <= 3; i++) {
      await commit(other.store, { 'left k0': 'other' });
      await other.archiver.flush();
    }
    await close(other);
    const foreign = (other.disk as MemoryVfs).readFile(fileOf(3));
    expect(await refused((copy) => copy.corrupt(fileOf(3), 0, foreign))).toBe(
      '55000 the archive is of more than one store',
    );
    // A base that is not what its info says.
    expect(
      await refused((copy) => {
        const info = copy.open('/archive/base-1/superblock', { mode: 'write' });
        info.truncate(10);
        info.close();
      }),
    ).toMatch(/^XX001/);
  });
});

describe('a restore', () => {
  it('leaves a whole store or none after a power cut at any operation, and can be made again', async () => {
    const world = await worldOf(QUICK);
    await work(world);
    await close(world);
    const vfs = world.disk as MemoryVfs;
    const clones: MemoryVfs[] = [];
    vfs.onOperation = () => clones.push(clones.length % 3 === 0 ? vfs.killClone() : vfs.crashClone(clones.length));
    await restore(vfs, '/new');
    vfs.onOperation = undefined;
    let whole = 0;
    for (const [i, clone] of clones.entries()) {
      if (i % STEP !== 0 && i < clones.length - 2) continue;
      const copy = await openRestored(clone, '/new').catch((error: unknown) => {
        if (!isPhantomError(error)) throw error;
        return undefined;
      });
      if (copy === undefined) {
        if (i % (3 * STEP) === 0) expect((await restored(clone, '/new'))[0]).toBe('10');
        continue;
      }
      whole++;
      expect([readNow(copy, 'left k0'), copy.visibleSeq]).toEqual(['10', 10]);
      await copy.close();
    }
    expect(whole).toBeGreaterThan(0);
  });

  it('ends in a typed error when any operation fails, and can be made again', async () => {
    const world = await worldOf(QUICK);
    await work(world);
    await close(world);
    const source = world.disk as MemoryVfs;
    let runs = 0;
    for (let fired = true; fired; runs += STEP) {
      const fault = failAt(runs, runs % 2 === 0 ? 'EIO' : 'ENOSPC');
      const vfs = source.killClone();
      const made = await restore(new FaultyVfs(vfs, fault), '/new').catch((error: unknown) => {
        if (!isPhantomError(error)) throw error;
        return undefined;
      });
      fired = fault.fired;
      if (made === undefined && runs % 3 === 0) await restore(vfs, '/new');
      else if (made === undefined) continue;
      const copy = await openStore('/new', { ...optionsOf(vfs), engines: twoEngines(), create: false });
      expect(readNow(copy, 'left k0')).toBe('10');
      await copy.close();
    }
    expect(runs).toBeGreaterThan(60);
  });
});
