import { readFileSync } from 'node:fs';
import { Random, isPhantomError, loadChecksums, toHex, writeU32 } from '@phantom/base';
import { FaultyVfs, MemoryVfs, failAt, failFrom, onOperation } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { SLOT_BYTES, type SuperblockState, decodeSlot, encodeSlot } from '../src/format.js';
import { Superblock, createSuperblock } from '../src/superblock.js';

const checksums = await loadChecksums();
const PATH = '/db/superblock';
const IDENTITY = Uint8Array.from({ length: 16 }, (_, at) => 0xa0 + at);

function stateOf(generation = 1): SuperblockState {
  return {
    generation,
    timeline: 3,
    epoch: 4,
    logStart: 5_000_000_000_000,
    logStartSeq: 77,
    spaceLimit: 33,
    relaxed: true,
    engines: [
      { code: 1, name: 'btree', generationMin: 9, isIdentified: true },
      { code: 2, name: 'lsm', generationMin: 2 ** 40, isIdentified: false },
    ],
    identity: IDENTITY,
    identifiedFrom: 12,
    logEnd: 5_000_000_000_100,
    logSegment: 14,
  };
}

async function madeDisk(): Promise<MemoryVfs> {
  const vfs = new MemoryVfs();
  vfs.makeDir('/db');
  vfs.syncDir('/');
  await createSuperblock(vfs, PATH, checksums, stateOf());
  return vfs;
}

const ignore = (): void => undefined;
const open = (vfs: MemoryVfs | FaultyVfs, onSyncFailed: (error: unknown) => void = ignore): Superblock =>
  Superblock.open(vfs, PATH, checksums, false, onSyncFailed);

describe('superblock', () => {
  it('is drawn as the format says', () => {
    const slot = new Uint8Array(SLOT_BYTES);
    encodeSlot(stateOf(), checksums, slot);
    expect(new TextDecoder().decode(slot.subarray(0, 8))).toBe('PHANTOMS');
    expect([...slot.subarray(8, 12)]).toEqual([2, 0, 0, 0]);
    expect([...slot.subarray(52, 58)]).toEqual([2, 0, 1, 0, 129, 5]);
    expect(new TextDecoder().decode(slot.subarray(58, 63))).toBe('btree');
    expect(decodeSlot(slot, checksums, PATH)).toEqual(stateOf());
  });

  it('of the example in docs/formats/store.md is read and written as it says', () => {
    const example: SuperblockState = {
      generation: 3,
      timeline: 1,
      epoch: 2,
      logStart: 8696,
      logStartSeq: 42,
      spaceLimit: 33,
      relaxed: false,
      engines: [{ code: 1, name: 'btree', generationMin: 5, isIdentified: true }],
      identity: IDENTITY,
      identifiedFrom: 0,
      logEnd: 9120,
      logSegment: 2,
    };
    const slot = new Uint8Array(SLOT_BYTES);
    encodeSlot(example, checksums, slot);
    expect(decodeSlot(slot, checksums, PATH)).toEqual(example);
    const hex = toHex(slot, 0, 80) + toHex(slot, 440, 476) + toHex(slot, 4088, 4096);
    const lines = readFileSync(new URL('../../../docs/formats/store.md', import.meta.url), 'utf8').matchAll(
      /^0[0-9a-f]{3} {2}((?:[0-9a-f]{2} ?)+) {2}/gm,
    );
    expect([...lines].map(([, bytes]) => (bytes as string).replaceAll(' ', '')).join('')).toBe(hex);
  });

  it('is read back as it was written, from either slot', async () => {
    const vfs = await madeDisk();
    expect(open(vfs).state).toEqual(stateOf());
    for (const slot of [0, 1]) {
      const broken = vfs.killClone();
      broken.corrupt(PATH, slot * SLOT_BYTES + 20, new Uint8Array([255]));
      const superblock = open(broken);
      expect(superblock.state).toEqual(stateOf());
      expect(superblock.damage).toEqual([`slot ${slot} is unreadable: its checksum is wrong`]);
    }
  });

  it('survives a flipped bit in any byte of either slot, and says so', async () => {
    const vfs = await madeDisk();
    const bytes = vfs.readFile(PATH);
    const wanted = JSON.stringify([stateOf(), 1]);
    const missed: number[] = [];
    for (let at = 0; at < bytes.length; at++) {
      vfs.corrupt(PATH, at, new Uint8Array([(bytes[at] as number) ^ (1 << (at % 8))]));
      const superblock = open(vfs);
      if (JSON.stringify([superblock.state, superblock.damage.length]) !== wanted) missed.push(at);
      superblock.close();
      vfs.corrupt(PATH, at, bytes.subarray(at, at + 1));
    }
    expect(missed).toEqual([]);
  });

  it('reads any bytes as a state, as broken, or as newer', () => {
    const random = new Random(8);
    const seen = new Set<string>();
    for (let i = 0; i < 3000; i++) {
      const slot = new Uint8Array(SLOT_BYTES);
      encodeSlot(stateOf(), checksums, slot);
      for (let changes = random.below(4); changes > 0; changes--) slot[random.below(120)] = random.below(256);
      // Whoever forges the checksums as well gets as far as the fields.
      if (random.chance(0.5)) writeU32(slot, 12, checksums.h32(slot, 0, 12));
      if (random.chance(0.5)) new DataView(slot.buffer).setBigUint64(4088, checksums.h64(slot, 0, 4088), true);
      let found: unknown;
      try {
        found = decodeSlot(random.chance(0.1) ? slot.subarray(0, random.below(4097)) : slot, checksums, PATH);
      } catch (error) {
        found = error;
      }
      seen.add(isPhantomError(found) ? found.code : typeof found);
    }
    expect([...seen].sort()).toEqual(['0A000', 'object', 'string']);
  });

  it('that is broken in both slots, cut short or empty is corruption', async () => {
    for (const length of [0, 5, 4000]) {
      const vfs = await madeDisk();
      const file = vfs.open(PATH, { mode: 'write' });
      file.truncate(length);
      expect(() => open(vfs)).toThrowError(expect.objectContaining({ code: 'XX001' }));
    }
    const vfs = await madeDisk();
    for (const slot of [0, SLOT_BYTES]) vfs.corrupt(PATH, slot, new Uint8Array([0]));
    expect(() => open(vfs)).toThrowError(/neither slot.*PHANTOMS/);
  });

  it('of a newer format is refused by that name, whatever the rest looks like', async () => {
    const vfs = await madeDisk();
    const head = vfs.readFile(PATH).slice(0, 16);
    writeU32(head, 8, 3);
    writeU32(head, 12, checksums.h32(head, 0, 12));
    vfs.corrupt(PATH, SLOT_BYTES, head);
    expect(() => open(vfs)).toThrowError(
      expect.objectContaining({ code: '0A000', data: { file: PATH, format: 3, formatMax: 2 } }),
    );
    writeU32(head, 8, 0);
    writeU32(head, 12, checksums.h32(head, 0, 12));
    vfs.corrupt(PATH, SLOT_BYTES, head);
    expect(open(vfs).damage).toEqual(['slot 1 is unreadable: format 0 never existed']);
  });

  it('has either the old or the new state after a power cut at any operation of an update', async () => {
    const vfs = await madeDisk();
    const clones: MemoryVfs[] = [];
    const superblock = open(vfs);
    vfs.onOperation = () => clones.push(...[1, 2, 3, 4, 5].map((seed) => vfs.crashClone(seed + clones.length)));
    await superblock.update((state) => (state.epoch = 5));
    vfs.onOperation = undefined;
    expect(clones).toHaveLength(20);
    for (const clone of clones) expect([4, 5]).toContain(open(clone).state.epoch);
    expect(open(vfs.crashClone(9)).state).toEqual({ ...stateOf(2), epoch: 5 });
  });

  it('writes concurrent updates together and loses none', async () => {
    const vfs = await madeDisk();
    const superblock = open(vfs);
    const syncs = vfs.counts.get('sync') as number;
    const updates = Array.from({ length: 9 }, (_, i) =>
      superblock.update((state) => (state.spaceLimit = Math.max(state.spaceLimit, 100 + i))),
    );
    await updates[0];
    await Promise.all(updates);
    expect((vfs.counts.get('sync') as number) - syncs).toBe(4);
    expect(open(vfs.crashClone(3)).state.spaceLimit).toBe(108);
  });

  it('lets a synchronous update overtake one that waits for the disk', async () => {
    const vfs = new MemoryVfs({ syncTurns: 1 });
    vfs.makeDir('/db');
    vfs.syncDir('/');
    await createSuperblock(vfs, PATH, checksums, stateOf());
    const superblock = open(vfs);
    const slow = superblock.update((state) => (state.logStartSeq = 100));
    superblock.updateNow((state) => (state.epoch = 50));
    for (const seed of [1, 2, 3]) {
      expect(open(vfs.crashClone(seed)).state).toMatchObject({ epoch: 50, logStartSeq: 100 });
    }
    await slow;
    for (const seed of [1, 2, 3]) {
      expect(open(vfs.crashClone(seed)).state).toMatchObject({ epoch: 50, logStartSeq: 100 });
    }
  });

  it('tells of a failed sync, and forgives a failed write', async () => {
    const disk = await madeDisk();
    const vfs = new FaultyVfs(disk, failAt(-1, 'EIO'));
    const failures: unknown[] = [];
    const superblock = open(vfs, (error) => failures.push(error));
    vfs.injector = onOperation('write', failAt(0, 'ENOSPC'));
    await expect(superblock.update((state) => (state.epoch = 6))).rejects.toMatchObject({ code: '53100' });
    expect(failures).toHaveLength(0);
    await superblock.update((state) => (state.epoch = 7));
    expect(open(disk.crashClone(1)).state.epoch).toBe(7);
    vfs.injector = onOperation('sync', failFrom(0, 'EIO'));
    expect(() => superblock.updateNow((state) => (state.epoch = 8))).toThrowError(
      expect.objectContaining({ code: '58030' }),
    );
    await expect(superblock.update((state) => (state.epoch = 9))).rejects.toMatchObject({ code: '58030' });
    expect(failures.length).toBeGreaterThanOrEqual(2);
    superblock.close();
  });
});
