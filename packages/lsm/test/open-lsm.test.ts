/** The tree alone on a directory: what users of it see, over restarts and power cuts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock, Random, toHex } from '@phantom/base';
import { EngineCode } from '@phantom/kv';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import {
  type LsmEngine,
  type LsmStats,
  type OpenLsmOptions,
  type SingleSpace,
  type SpaceOperation,
  openLsm,
} from '../src/index.js';
import { SMALL } from './small-options.js';

const OPTIONS: OpenLsmOptions = { ...SMALL, segmentBytes: 16_384, deltaBytesMax: 400_000, checkpointBytesMax: 60_000 };

/** Live entries by key, in hexadecimal. */
type Model = Map<string, string>;

function randomWrites(random: Random, count: number): SpaceOperation[] {
  return Array.from({ length: count }, (): SpaceOperation => {
    const key = Uint8Array.of(random.below(3), random.below(256));
    const dice = random.below(20);
    if (dice === 0)
      return { type: 'deleteRange', gte: key, lt: Uint8Array.of(key[0] as number, (key[1] as number) + 20) };
    if (dice < 5) return { type: 'delete', key };
    return { type: 'put', key, value: random.bytes(random.below(200)) };
  });
}

function applyTo(model: Model, operations: readonly SpaceOperation[]): void {
  for (const operation of operations) {
    if (operation.type === 'put') model.set(toHex(operation.key), toHex(operation.value));
    else if (operation.type === 'delete') model.delete(toHex(operation.key));
    else {
      const lower = toHex(operation.gte as Uint8Array);
      const upper = toHex(operation.lt as Uint8Array);
      for (const key of model.keys()) if (key >= lower && key < upper) model.delete(key);
    }
  }
}

function shown(space: SingleSpace): [string, string][] {
  return [...space.scan()].map(({ key, value }) => [toHex(key), toHex(value)]);
}

const sorted = (model: Model): [string, string][] => [...model].sort(([a], [b]) => (a < b ? -1 : 1));

describe('openLsm', () => {
  it('lets go of files that a compaction replaced, though nobody writes any more', async () => {
    await using space = await openLsm('/data/alone', { ...OPTIONS, vfs: new MemoryVfs() });
    const random = new Random(2);
    for (let round = 0; round < 3; round++) {
      await space.write(
        Array.from({ length: 50 }, (_, i) => ({ type: 'put', key: Uint8Array.of(i), value: random.bytes(99) })),
      );
      await space.flush();
    }
    const stats = (): LsmStats => space.stats().engines[0] as LsmStats;
    const written = stats().fileBytes;
    // Leaves a view for the next reader.
    expect(space.get(Uint8Array.of(1))).toHaveLength(99);
    await (space.store.engine(EngineCode.Lsm) as LsmEngine).compact();
    expect(space.get(Uint8Array.of(1))).toHaveLength(99);
    expect([stats().pinnedBytes, stats().openViews]).toEqual([0, 1]);
    expect(stats().fileBytes).toBeLessThan(written);
  });

  it('shows what was written, by whatever call, and all of it again after a restart', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'phantom-lsm-'));
    const random = new Random(1);
    const model: Model = new Map();
    let space = await openLsm(directory, OPTIONS);
    for (let round = 0; round < 150; round++) {
      const operations = randomWrites(random, 1 + random.below(40));
      if (random.chance(0.5)) await space.write(operations);
      else space.writeSync(operations);
      applyTo(model, operations);
      if (round % 60 === 59) {
        await space.close();
        space = await openLsm(directory, OPTIONS);
      }
      if (round % 10 === 9) expect(shown(space)).toEqual(sorted(model));
    }
    const engine = space.stats().engines[0] as LsmStats;
    expect(engine.runs).toBeGreaterThan(0);
    expect(engine.levels.length).toBe(7);
    expect(await space.check()).toEqual([]);
    await space.close();
    rmSync(directory, { recursive: true });
  });

  it('loses nothing that was acknowledged when the power goes, and shows whole commits only', async () => {
    const vfs = new MemoryVfs();
    const random = new Random(2);
    const states: [string, string][][] = [[]];
    const model: Model = new Map();
    const cuts: { disk: MemoryVfs; acknowledged: number }[] = [];
    let acknowledged = 0;
    const space = await openLsm('/data/alone', { ...OPTIONS, vfs });
    let operations = 0;
    vfs.onOperation = () => {
      if (operations++ % 45 === 0) cuts.push({ disk: vfs.crashClone(operations), acknowledged });
    };
    for (let round = 0; round < 60; round++) {
      const writes = randomWrites(random, 30);
      applyTo(model, writes);
      states.push(sorted(model));
      const { seq } = await space.write(writes);
      acknowledged = seq;
      if (round % 9 === 8) await space.flush();
    }
    vfs.onOperation = undefined;
    await space.close();
    expect(cuts.length).toBeGreaterThan(10);
    for (const cut of cuts) {
      await using again = await openLsm('/data/alone', { ...OPTIONS, vfs: cut.disk });
      const { visibleSeq } = again.stats();
      expect(visibleSeq).toBeGreaterThanOrEqual(cut.acknowledged);
      expect(shown(again)).toEqual(states[visibleSeq]);
    }
  }, 60_000);

  it('lets writers share syncs', async () => {
    const space = await openLsm('/data/alone', { vfs: new MemoryVfs({ syncTurns: 3 }) });
    const key = (i: number): Uint8Array => Uint8Array.of(i >> 8, i & 255);
    await Promise.all(Array.from({ length: 64 }, (_, i) => space.put(key(i), key(i))));
    const { commits, syncs } = space.stats();
    expect(commits).toBe(64);
    expect(syncs).toBeLessThan(10);
    await space.close();
  });

  it('keeps the log short under writers that never let others run', async () => {
    const clock = new ManualClock();
    const limits = { checkpointBytesMin: 4000, checkpointBytesMax: 400_000 };
    const space = await openLsm('/data/alone', { ...SMALL, ...limits, clock, vfs: new MemoryVfs() });
    const logBytes: number[] = [];
    for (let i = 0; i < 40; i++) {
      space.putSync(Uint8Array.of(i), new Uint8Array(1000));
      clock.advance(100);
      logBytes.push(space.stats().logBytesSinceCheckpoint);
    }
    expect(Math.max(...logBytes)).toBeLessThan(18_000);
    expect(space.stats().checkpoints).toBeLessThan(10);
    await space.close();
  });

  it('refuses settings that cannot be', async () => {
    await expect(openLsm('/data/alone', { vfs: new MemoryVfs(), levelFactor: 0 })).rejects.toMatchObject({
      code: '22023',
    });
    await expect(openLsm('/none', { vfs: new MemoryVfs(), create: false })).rejects.toMatchObject({ code: '58P01' });
  });
});
