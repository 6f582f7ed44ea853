/**
 * The power is cut after every write, sync, rename and removal of a workload over two engines, with rotation and
 * checkpoints; and again during the recoveries. Whatever the disk then holds: every acknowledged commit is whole in both
 * engines, every other one is whole or absent, and nothing that was visible is gone.
 */
import { Random } from '@phantom/base';
import type { VfsOp } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { type Store, type StoreOptions, openStore } from '../src/index.js';
import { batchOf, commitNow, readNow, twoEngines } from './support.js';

const CHANGING = new Set(['write', 'sync', 'rename', 'remove', 'syncDir', 'truncate']);
const KEYS = 12;

interface PowerCut {
  readonly disk: MemoryVfs;
  /** Seq of the last commit whose caller had been answered, or that anybody could see. */
  readonly acknowledged: number;
  readonly submitted: number;
  readonly after: string;
}

/** What the commit of a seq writes: one key that all share, one of twelve, and a removal now and then. */
function contentOf(seq: number, seed: number): Record<string, string | undefined> {
  const random = new Random(seed * 1000 + seq);
  const key = seq % KEYS;
  const filler = 'x'.repeat(random.below(seq % 17 === 0 ? 6000 : 120));
  return {
    [`left last`]: String(seq),
    [`right last`]: String(seq),
    [`left k${key}`]: seq % 5 === 0 ? undefined : `${seq}:${filler}`,
    [`right k${(key + 3) % KEYS}`]: `${seq}:${filler}`,
  };
}

function options(vfs: MemoryVfs): StoreOptions {
  return { vfs, engines: twoEngines(), segmentBytes: 8192, checkpointBytesMax: 16_384 };
}

/** The content after each commit, from the same seed. */
function models(seed: number, count: number): Map<string, string | undefined>[] {
  const states = [new Map<string, string | undefined>()];
  for (let seq = 1; seq <= count; seq++) {
    const state = new Map(states[seq - 1]);
    for (const [key, value] of Object.entries(contentOf(seq, seed))) state.set(key, value);
    states.push(state);
  }
  return states;
}

async function runWorkload(vfs: MemoryVfs, seed: number, count: number, relaxedShare = 0): Promise<PowerCut[]> {
  const random = new Random(seed);
  const cuts: PowerCut[] = [];
  const progress = { acknowledged: 0, submitted: 0 };
  let store: Store | undefined;
  vfs.onOperation = ({ operation, path }: VfsOp) => {
    if (!CHANGING.has(operation)) return;
    // What anybody can see is durable, unless commits asked for less.
    const visible = relaxedShare === 0 ? (store?.visibleSeq ?? 0) : 0;
    const acknowledged = Math.max(progress.acknowledged, visible);
    cuts.push({
      disk: vfs.crashClone(cuts.length * 7 + seed),
      acknowledged,
      submitted: progress.submitted,
      after: `${operation} ${path}`,
    });
  };
  store = await openStore('/data/db', options(vfs));
  const reopen = async (): Promise<void> => {
    await store?.close({ checkpoint: random.chance(0.5) });
    store = await openStore('/data/db', options(vfs));
    // The first number of a block puts a record into the log that nobody waits for.
    store.allocateSpaceNumber();
    if (random.chance(0.5)) await store.checkpoint();
  };
  for (let seq = 1; seq <= count;) {
    const group = seq % 7 === 0 ? 1 : 1 + random.below(4);
    const waiting: Promise<void>[] = [];
    for (let i = 0; i < group && seq <= count; i++, seq++) {
      const batch = batchOf(contentOf(seq, seed));
      const room = store.admit(batch);
      if (room !== undefined) await room;
      const target: Store = store;
      const isRelaxed = random.chance(relaxedShare);
      waiting.push(
        new Promise((resolve, unknown) => {
          progress.submitted = target.submit(
            batch,
            {
              published(published) {
                if (!isRelaxed) progress.acknowledged = published;
                resolve();
              },
              unknown,
            },
            isRelaxed ? { durability: 'os' } : {},
          );
        }),
      );
    }
    // Commits are on their way while it runs.
    if (random.chance(0.1)) void store.checkpoint();
    if (random.chance(0.3)) store.drainNow();
    await Promise.all(waiting);
    if (random.chance(0.06)) await reopen();
  }
  await store.close();
  return cuts;
}

/** Opens what a power cut left and holds it against the model. Returns the last commit that is there. */
async function verify(cut: PowerCut, states: readonly Map<string, string | undefined>[]): Promise<number> {
  const store = await openStore('/data/db', options(cut.disk));
  const seq = store.visibleSeq;
  expect([cut.after, seq >= cut.acknowledged, seq <= cut.submitted]).toEqual([cut.after, true, true]);
  const state = states[seq] as Map<string, string | undefined>;
  const seen = [...state.keys()].map((key) => [key, readNow(store, key)]);
  expect([cut.after, ...seen]).toEqual([cut.after, ...state]);
  await store.close({ checkpoint: false });
  return seq;
}

describe('power cuts', { timeout: 60_000 }, () => {
  it.each([1, 2, 3])('lose nothing acknowledged and tear nothing (seed %i)', async (seed) => {
    const count = 60;
    const states = models(seed, count);
    const cuts = await runWorkload(new MemoryVfs({ syncTurns: seed - 1 }), seed, count);
    expect(cuts.length).toBeGreaterThan(150);
    for (const cut of cuts) await verify(cut, states);
  });

  it('lose of relaxed commits the last ones at the most', async () => {
    const states = models(4, 60);
    const cuts = await runWorkload(new MemoryVfs({ syncTurns: 1 }), 4, 60, 0.5);
    expect(cuts.length).toBeGreaterThan(100);
    for (const cut of cuts) await verify(cut, states);
  });

  it('may come during the recovery from another one', async () => {
    const seed = 9;
    const count = 30;
    const states = models(seed, count);
    const cuts = await runWorkload(new MemoryVfs(), seed, count);
    let nested = 0;
    for (let i = 5; i < cuts.length; i += 12) {
      const first = cuts[i] as PowerCut;
      const again: MemoryVfs[] = [];
      first.disk.onOperation = ({ operation }) => {
        if (CHANGING.has(operation)) again.push(first.disk.crashClone(again.length));
      };
      const seq = await verify(first, states);
      for (const disk of again) {
        // What the first recovery had shown by the time of its first commit must stay; before, only what was acknowledged.
        await verify({ ...first, disk, submitted: Math.max(first.submitted, seq) }, states);
        nested++;
      }
    }
    expect(nested).toBeGreaterThan(50);
  });

  it('cannot take back what a recovery has shown', async () => {
    const seed = 5;
    const states = models(seed, 40);
    const cuts = await runWorkload(new MemoryVfs(), seed, 40);
    for (let i = 0; i < cuts.length; i += 9) {
      const { disk, after, submitted } = cuts[i] as PowerCut;
      const store = await openStore('/data/db', options(disk));
      const seq = store.visibleSeq;
      for (let clone = 0; clone < 3; clone++) {
        await verify({ disk: disk.crashClone(clone), acknowledged: seq, submitted, after }, states);
      }
      commitNow(store, { 'left new': 'x', 'right new': 'x' });
      const reopened = await openStore('/data/db', options(disk.crashClone(77)));
      expect(reopened.visibleSeq).toBe(seq + 1);
      expect(readNow(reopened, 'left new')).toBe('x');
      expect(readNow(reopened, 'right new')).toBe('x');
    }
  });
});
