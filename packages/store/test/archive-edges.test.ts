/** Corners of archives: what a crash or damage leaves in the file that was open, bases and when they are made, large loads. */
import { PhantomError, loadChecksums, silentLogger, writeU32 } from '@phantom/base';
import { EngineCode } from '@phantom/kv';
import type { Injector } from '@phantom/vfs';
import { FaultyVfs, type MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import type { Store } from '../src/index.js';
import { type World, close, contentOf, openRestored, pause, restore, restored, worldOf } from './archive-world.js';
import { batchOf, commit, commitNow, keyNamed, readNow, rejection } from './support.js';

const OPEN = '/archive/commits-0000000000000001.open';

/** Three commits in a file that is open. */
async function openFileOf(world: World): Promise<void> {
  for (let i = 1; i <= 3; i++) await commit(world.store, { 'left k0': `${i}` });
  await world.archiver.flush();
}

/** Turns a bit in the disk as a killed process leaves it, and goes on there. */
async function reopenedDamaged({ vfs, disk }: World, at: number, bytes = 1): Promise<World> {
  const clone = (disk as MemoryVfs).killClone();
  const found = clone.readFile(OPEN).slice(at, at + bytes);
  clone.corrupt(
    OPEN,
    at,
    found.map((byte) => byte ^ 1),
  );
  return worldOf({}, {}, vfs.killClone(), clone);
}

/** A disk on which nothing can be changed below /archive; what was tried is noted. */
function refusing(disk: MemoryVfs, writes: string[]): FaultyVfs {
  const changes = new Set(['lock', 'write', 'truncate', 'rename', 'remove', 'makeDir', 'sync', 'syncDir']);
  const error = new PhantomError('58030', 'the disk can only be read');
  const injector: Injector = {
    maybeFault: ({ operation, path }) => {
      if (!path.startsWith('/archive') || !changes.has(operation)) return undefined;
      writes.push(`${operation} ${path}`);
      return { error };
    },
    toString: () => 'only the archive',
  };
  return new FaultyVfs(disk, injector);
}

const basesMade = (world: World): unknown =>
  world.metrics.samples().find(({ name }) => name === 'phantom_archive_bases_total');

describe('the file that was open when the process died', () => {
  it('is closed behind its last whole commit, and the log has the rest', async () => {
    const world = await worldOf();
    await openFileOf(world);
    for (const at of [60, 180, 250]) {
      const again = await reopenedDamaged(world, at);
      await commit(again.store, { 'left k2': 'later' });
      const content = contentOf(again.store);
      await close(again);
      expect(await restored(again.disk, '/new')).toEqual(content);
    }
    await close(world);
  });

  it('is put aside when nothing of it can be read, and ends early when nothing whole follows', async () => {
    const world = await worldOf();
    await openFileOf(world);
    const again = await reopenedDamaged(world, 20);
    expect(again.told.some((message) => message.startsWith('the archive is damaged where it was written last'))).toBe(
      true,
    );
    expect(again.disk.list('/archive')).toContain('commits-0000000000000001.open.damaged');
    await close(again);
    expect((await restored(again.disk, '/new'))[0]).toBe('3');

    const size = (world.disk as MemoryVfs).readFile(OPEN).length;
    const empty = await reopenedDamaged(world, 0, size);
    expect(empty.told.filter((message) => message.includes('damaged'))).toEqual([]);
    await close(empty);
    expect((await restored(empty.disk, '/new'))[0]).toBe('3');
    await close(world);
  });
});

describe('a file that is closed while it is restored', () => {
  it('is found under its other name', async () => {
    const world = await worldOf();
    await openFileOf(world);
    await close(world);
    const disk = world.disk as MemoryVfs;
    let lists = 0;
    // As it was listed a moment before, to begin with.
    const earlier = Object.assign(Object.create(disk) as MemoryVfs, {
      list: (directory: string): string[] => {
        const isEarlier = directory === '/archive' && lists++ === 0;
        return disk.list(directory).map((name) => (isEarlier ? name.replace(/-\d{16}\.archive$/, '.open') : name));
      },
    });
    expect(await restore(earlier, '/new')).toMatchObject({ seq: 3, commits: 3 });
    expect(lists).toBeGreaterThan(1);
  });
});

describe('an archive that cannot be written', () => {
  it('is restored from all the same', async () => {
    const world = await worldOf();
    await openFileOf(world);
    await close(world);
    const writes: string[] = [];
    const vfs = refusing(world.disk as MemoryVfs, writes);
    expect(await restore(vfs, '/new')).toMatchObject({ seq: 3 });
    expect(writes).toEqual([]);
  });
});

describe('bases', () => {
  it('are made one at a time, and not of an archive that is closed', async () => {
    const world = await worldOf({ baseEveryMs: 0 });
    const first = world.archiver.makeBase();
    expect((await rejection(world.archiver.makeBase())).code).toBe('55000');
    expect(await first).toBe(0);
    await close(world);
    expect((await rejection(world.archiver.makeBase())).code).toBe('55000');
  });

  it('are not made again while nothing is committed, nor before they are due', async () => {
    const idle = await worldOf({ baseEveryMs: 2 });
    idle.clock.advance(10);
    await pause(8);
    expect(basesMade(idle)).toMatchObject({ value: 1 });
    await close(idle);
    const rare = await worldOf({ baseEveryMs: 40 * 24 * 3_600_000 });
    await commit(rare.store, { 'left k0': '1' });
    await pause(3);
    expect(basesMade(rare)).toMatchObject({ value: 1 });
    await close(rare);
  });

  it('that are damaged are passed over, and told of, where an older one will do', async () => {
    const world = await worldOf({ basesKept: 9 });
    await openFileOf(world);
    await world.archiver.makeBase();
    await commit(world.store, { 'left k0': '4' });
    await close(world);
    const disk = world.disk as MemoryVfs;
    const swapped = disk.killClone();
    disk.corrupt('/archive/base-2.info', 33, Uint8Array.of(99));
    const told: string[] = [];
    const logger = { ...silentLogger, warn: (message: string) => void told.push(message) };
    expect(await restore(disk, '/new', { logger })).toMatchObject({ seq: 4, baseSeq: 0, commits: 4 });
    expect(told).toContain('a part of the archive is damaged');
    const again = await worldOf({}, {}, world.vfs, disk);
    expect(again.told[0]).toMatch(/^a part of the archive is damaged/);
    await close(again);
    // The place of another.
    swapped.rename('/archive/base-1', '/archive/elsewhere');
    swapped.rename('/archive/base-2', '/archive/base-1');
    expect((await rejection(restore(swapped, '/new', { toSeq: 1 }))).message).toMatch(
      /^a base is not the one that was made/,
    );
  });
});

describe('what is archived', () => {
  it('may be larger than memory is given to it, and removes ranges', async () => {
    const world = await worldOf();
    const { store, disk } = world;
    await loadMany(store, 40, 'v'.repeat(100_000));
    for (let i = 0; i < 3; i++) commitNow(store, { [`right big${i}`]: 'w'.repeat(1_200_000) });
    const batch = batchOf({});
    batch.removeRange(keyNamed('left big10'), keyNamed('left big20'));
    store.admitNow(batch);
    store.submit(batch, { published: () => undefined, unknown: () => undefined });
    store.drainNow();
    await close(world);
    await restore(disk, '/new');
    const copy = await openRestored(disk, '/new');
    expect([
      readNow(copy, 'left big09')?.length,
      readNow(copy, 'left big10'),
      readNow(copy, 'left big20')?.length,
    ]).toEqual([100_000, undefined, 100_000]);
    expect(readNow(copy, 'right big2')?.length).toBe(1_200_000);
    await copy.close();
  });

  it('by a newer release is refused, untouched', async () => {
    const world = await worldOf();
    await openFileOf(world);
    await close(world);
    const { h32 } = await loadChecksums();
    const disk = world.disk as MemoryVfs;
    const name = '/archive/base-1.info';
    const bytes = disk.readFile(name).slice();
    writeU32(bytes, 8, 2);
    writeU32(bytes, 60, h32(bytes, 0, 60));
    disk.corrupt(name, 0, bytes);
    expect((await rejection(restore(disk, '/new'))).code).toBe('0A000');
    expect((await rejection(worldOf({}, {}, world.vfs, disk))).code).toBe('0A000');
  });
});

async function loadMany(store: Store, count: number, text: string): Promise<void> {
  const load = store.beginLoad(EngineCode.Btree);
  const value = new TextEncoder().encode(text);
  for (let i = 0; i < count; i++) {
    const key = keyNamed(`left big${String(i).padStart(2, '0')}`);
    load?.put(key, 0, key.length, value, 0, value.length);
  }
  await load?.commit();
}
