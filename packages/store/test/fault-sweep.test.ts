/**
 * The nth operation on the disk fails, for every n until none does: with EIO, with a full disk, with half a write. Every
 * time each caller hears a typed error, a store that still works goes on, and what is opened afterwards has everything
 * that was acknowledged, nothing that was refused, and of what is "unknown" all or nothing.
 */
import { isPhantomError } from '@phantom/base';
import type { VfsOperation } from '@phantom/vfs';
import { FaultyVfs, MemoryVfs, failAt, onOperation } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { type Store, type StoreOptions, openStore } from '../src/index.js';
import { commit, commitNow, readNow, twoEngines } from './support.js';

type Outcome = 'acknowledged' | 'refused' | 'unknown';

function options(vfs: StoreOptions['vfs']): StoreOptions {
  return { vfs, engines: twoEngines(), segmentBytes: 4096, checkpointBytesMax: 6000 };
}

function outcomeOf(error: unknown): Outcome {
  if (!isPhantomError(error)) throw error;
  return error.code === '08007' ? 'unknown' : 'refused';
}

function typed(error: unknown): undefined {
  if (!isPhantomError(error)) throw error;
  return undefined;
}

async function runWorkload(vfs: FaultyVfs): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  let store = await openStore('/db', options(vfs)).catch(typed);
  for (let i = 0; i < 10; i++) {
    const key = `k${i}`;
    if (i === 7) {
      await store?.close().catch(typed);
      store = await openStore('/db', options(vfs)).catch(typed);
    }
    // A store that has failed is opened anew, as its user would do.
    if (store === undefined || store.failure !== undefined) {
      await store?.close();
      store = await openStore('/db', options(vfs)).catch(typed);
      if (store === undefined) continue;
    }
    await commitOne(store, key, i, outcomes);
    if (i === 4) await store.checkpoint().catch(typed);
    if (i === 5 && store.failure === undefined) spaceNumber(store);
  }
  await store?.close().catch(typed);
  return outcomes;
}

async function commitOne(store: Store, key: string, i: number, outcomes: Map<string, Outcome>): Promise<void> {
  const entries = { [`left ${key}`]: key, [`right ${key}`]: 'x'.repeat(i * 120) };
  const told = (error: unknown): unknown => outcomes.set(key, outcomeOf(error));
  if (i % 3 === 0) {
    try {
      commitNow(store, entries);
      outcomes.set(key, 'acknowledged');
    } catch (error) {
      told(error);
    }
  } else {
    await commit(store, entries).then(() => outcomes.set(key, 'acknowledged'), told);
  }
}

function spaceNumber(store: Store): number | undefined {
  try {
    return store.allocateSpaceNumber();
  } catch (error) {
    return typed(error);
  }
}

async function verify(disk: MemoryVfs, outcomes: ReadonlyMap<string, Outcome>, context: string): Promise<void> {
  const store = await openStore('/db', options(disk));
  const seen: string[] = [];
  const wanted: string[] = [];
  for (const [key, outcome] of outcomes) {
    const left = readNow(store, `left ${key}`) !== undefined;
    const right = readNow(store, `right ${key}`) !== undefined;
    seen.push(`${key} ${left} ${right}`);
    const expected = outcome === 'unknown' ? left : outcome === 'acknowledged';
    wanted.push(`${key} ${expected} ${expected}`);
  }
  expect([context, ...seen]).toEqual([context, ...wanted]);
  expect(`${context}: ${store.visibleSeq}`).toBe(`${context}: ${seen.filter((line) => line.endsWith('true')).length}`);
  await store.close({ checkpoint: false });
}

/** What a full disk refuses; everything else fails with EIO only. */
const GROWING: VfsOperation[] = ['open', 'makeDir', 'write', 'truncate', 'rename'];

describe('faults', () => {
  it.each(['EIO', 'ENOSPC', 'short-write'] as const)(
    '%s at any operation loses nothing acknowledged',
    { timeout: 60_000 },
    async (kind) => {
      let fired = true;
      let runs = 0;
      const seen = new Set<Outcome>();
      for (let n = 0; fired; n++) {
        const disk = new MemoryVfs();
        const fault = failAt(n, kind);
        const outcomes = await runWorkload(new FaultyVfs(disk, kind === 'EIO' ? fault : onOperation(GROWING, fault)));
        fired = fault.fired;
        runs++;
        for (const outcome of outcomes.values()) seen.add(outcome);
        const left = n % 2 === 0 ? disk.crashClone(n) : disk.killClone();
        await verify(left, outcomes, `${n % 2 === 0 ? 'power cut' : 'killed'} after ${fault.toString()}`);
      }
      expect(runs).toBeGreaterThan(40);
      expect([...seen].sort()).toEqual(['acknowledged', 'refused', 'unknown']);
    },
  );
});
