/** The queue between append and answer, over a log that syncs when the test says so. */
import { PhantomError } from '@phantom/base';
import { EngineCode, type Seq } from '@phantom/kv';
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { type CommitListener, type Store, type StoreOptions, openStore } from '../src/index.js';
import { type MemoryLog, memoryLog } from './memory-log.js';
import { type SnapshotEngine, snapshotEngine } from './snapshot-engine.js';
import { Told, batchOf, commit, commitNow, readNow, turns } from './support.js';

interface Bench {
  readonly store: Store;
  readonly log: MemoryLog;
  readonly left: SnapshotEngine;
  readonly right: SnapshotEngine;
}

const opened: Store[] = [];

async function openBench(options: Partial<StoreOptions> = {}): Promise<Bench> {
  const log = memoryLog();
  const left = snapshotEngine(EngineCode.Btree, 'left');
  const right = snapshotEngine(EngineCode.Lsm, 'right');
  const store = await openStore('/db', { vfs: new MemoryVfs(), engines: [left, right], log: log.open, ...options });
  opened.push(store);
  return { store, log: log.log, left: left.engine, right: right.engine };
}

function submit(store: Store, key: string, listener: CommitListener, durability?: 'fsync' | 'os'): Seq {
  const batch = batchOf({ [key]: key });
  store.admitNow(batch);
  return store.submit(batch, listener, { durability });
}

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close({ checkpoint: false });
});

describe('a large batch', () => {
  const large = 'x'.repeat(1024 * 1024);

  it('is foreseen by the engine that it is for while it is synced, where it is the next to be applied', async () => {
    const { store, log, left, right } = await openBench();
    const whileSynced = async (...commits: Record<string, string>[]): Promise<void> => {
      log.held = true;
      const committed = commits.map((entries) => commit(store, entries));
      await turns(2);
      expect(readNow(store, Object.keys(commits[0] as object)[0] as string)).toBeUndefined();
      log.held = false;
      log.release();
      await Promise.all(committed);
    };
    await whileSynced({ 'left a': large, 'left b': 'b' }, { 'left a': large, 'left c': 'c', 'left d': 'd' });
    expect([left.foreseen, right.foreseen]).toEqual([[2], []]);
    await whileSynced({ 'left e': large, 'right a': large });
    await whileSynced({ 'right b': 'small' });
    await whileSynced({ 'right c': large });
    expect([left.foreseen, right.foreseen]).toEqual([[2], [1]]);
    expect([readNow(store, 'left d'), readNow(store, 'right c') === large]).toEqual(['d', true]);
  });

  it('ends the store where that cannot be done', async () => {
    const { store, log, left } = await openBench();
    log.held = true;
    left.failForesee = new RangeError('Array buffer allocation failed');
    await expect(commit(store, { 'left a': large })).rejects.toMatchObject({ code: '08007' });
    expect(store.stats().queuedCommits).toBe(0);
  });
});

describe('group commit', () => {
  it('serves everybody who waits with one sync, in the order of seqs', async () => {
    const { store, log } = await openBench();
    const told = new Told();
    for (let i = 0; i < 100; i++) expect(submit(store, `left k${i}`, told)).toBe(i + 1);
    expect(store.assignedSeq).toBe(100);
    expect(store.visibleSeq).toBe(0);
    expect(store.stats().queuedCommits).toBe(100);
    await store.drain();
    expect(told.seqs).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(log.syncs).toBe(1);
    expect(store.stats()).toMatchObject({ commits: 100, syncs: 1, visibleSeq: 100, queuedCommits: 0 });
  });

  it('tells how many commits the last sync has served, and when', async () => {
    const { store } = await openBench();
    const told = new Told();
    expect(store.lastSync).toEqual({ beganMs: 0, endedMs: 0, commits: 0 });
    for (let i = 0; i < 3; i++) submit(store, `left k${i}`, told);
    await store.drain();
    expect(store.lastSync.commits).toBe(3);
    expect(store.lastSync.endedMs).toBeGreaterThanOrEqual(store.lastSync.beganMs);
    submit(store, 'left k3', told);
    store.drainNow();
    expect(store.lastSync.commits).toBe(1);
  });

  it('keeps callers that commit in a loop together', async () => {
    const { store, log } = await openBench();
    const rounds = 10;
    await Promise.all(
      Array.from({ length: 16 }, async (_, caller) => {
        for (let round = 0; round < rounds; round++) await commit(store, { [`left ${caller}`]: String(round) });
      }),
    );
    expect(log.syncs).toBe(rounds);
  });

  it('waits for company while the event loop finds work, and no longer than a millisecond', async () => {
    // Every look at the clock finds it a tenth of a millisecond later, as if each turn had been somebody's.
    let nowMs = 0;
    let stepMs = 0.1;
    const clock = { nowMs: () => nowMs, monotonicMs: () => (nowMs += stepMs) };
    const { store, log } = await openBench({ clock });
    const turnsUntilSync = async (listener: CommitListener): Promise<number> => {
      const before = log.syncs;
      submit(store, 'left k', listener);
      for (let turned = 0; ; turned++) {
        if (log.syncs > before) return turned;
        await turns(1);
      }
    };
    const told = new Told();
    expect(await turnsUntilSync(told)).toBe(1);
    await store.drain();
    for (let i = 0; i < 2; i++) submit(store, 'left k', told);
    await store.drain();
    const waited = await turnsUntilSync(told);
    expect(waited).toBeGreaterThan(5);
    expect(waited).toBeLessThanOrEqual(11);
    await store.drain();
    // It came alone, so the next one asks for no company.
    expect(await turnsUntilSync(told)).toBe(1);
    await store.drain();
    for (let i = 0; i < 2; i++) submit(store, 'left k', told);
    await store.drain();
    // A turn without work ends the wait.
    stepMs = 0;
    expect(await turnsUntilSync(told)).toBe(1);
    await store.drain();
    expect(told.seqs).toHaveLength(8);
  });

  it('shows nothing before its sync has ended', async () => {
    const { store, log } = await openBench();
    log.held = true;
    const told = new Told();
    submit(store, 'left a', told);
    await turns();
    submit(store, 'left b', told);
    await turns();
    expect(readNow(store, 'left a')).toBeUndefined();
    expect(log.syncs).toBe(1);
    log.release();
    await turns();
    expect(told.seqs).toEqual([1]);
    expect(readNow(store, 'left a')).toBe('left a');
    expect(readNow(store, 'left b')).toBeUndefined();
    log.held = false;
    log.release();
    await store.drain();
    expect(told.seqs).toEqual([1, 2]);
  });

  it('grows with as many as come', async () => {
    const { store } = await openBench();
    const told = new Told();
    for (let i = 0; i < 40; i++) submit(store, `left k${i}`, told);
    await store.drain();
    for (let i = 0; i < 200; i++) submit(store, `right k${i}`, told);
    await store.drain();
    expect(told.seqs).toHaveLength(240);
    expect(readNow(store, 'right k199')).toBe('right k199');
  });

  it('copies the bytes of a batch, unless they are lent', async () => {
    const { store } = await openBench();
    const batch = batchOf({ 'left a': 'first' });
    const told = new Told();
    store.admitNow(batch);
    store.submit(batch, told);
    batch.finish().fill(0xff);
    const large = batchOf({ 'left b': 'x'.repeat(100_000), 'right c': 'y' });
    store.admitNow(large);
    store.submit(large, told);
    const size = large.finish().length;
    large.finish().fill(0xff, 8);
    const lent = batchOf({ 'left d': 'z' });
    store.admitNow(lent);
    store.submit(lent, told, { borrow: true });
    // More than one chunk of bytes, all in the queue at once.
    for (let i = 0; i < 30; i++) submit(store, `left ${'k'.repeat(1000)}${i}${'v'.repeat(1000)}`, told);
    for (let i = 0; i < 200; i++) {
      const filler = batchOf({ [`right f${i}`]: 'f'.repeat(3000) });
      store.admitNow(filler);
      store.submit(filler, told);
      filler.finish().fill(0xff, 8);
    }
    await store.drain();
    expect(size).toBeGreaterThan(100_000);
    expect(readNow(store, 'left a')).toBe('first');
    expect(readNow(store, 'left b')).toBe('x'.repeat(100_000));
    expect(readNow(store, 'left d')).toBe('z');
    expect(readNow(store, 'right f0')).toBe('f'.repeat(3000));
    expect(readNow(store, 'right f199')).toBe('f'.repeat(3000));
  });
});

describe('durability', () => {
  it('os hands over to the operating system and waits for nobody', async () => {
    const { store, log } = await openBench({ durability: 'os' });
    await commit(store, { 'left a': '1' });
    expect(log.writes).toBeGreaterThan(0);
    expect(log.syncs).toBe(0);
    expect(store.durability).toBe('os');
  });

  it('memory does not even write', async () => {
    const { store, log } = await openBench({ durability: 'memory' });
    await commit(store, { 'left a': '1' });
    commitNow(store, { 'left b': '1' });
    expect([log.writes, log.syncs]).toEqual([0, 0]);
  });

  it('os of one commit does not wait, but for those before it', async () => {
    const { store, log } = await openBench();
    const told = new Told();
    submit(store, 'left a', told, 'os');
    await turns(1);
    expect(told.seqs).toEqual([1]);
    expect([log.writes, log.syncs]).toEqual([1, 0]);
    log.held = true;
    submit(store, 'left b', told);
    submit(store, 'left c', told, 'os');
    await turns();
    expect(told.seqs).toEqual([1]);
    log.held = false;
    log.release();
    await store.drain();
    expect(told.seqs).toEqual([1, 2, 3]);
  });

  it('os of one commit is synced soon all the same', async () => {
    const { store, log } = await openBench();
    submit(store, 'left a', new Told(), 'os');
    await store.drain();
    expect(log.durable).toBeLessThan(log.end);
    await new Promise((resolve) => {
      setTimeout(resolve, 260);
    });
    expect(log.durable).toBe(log.end);
    log.failNextSync = new Error('disk');
    submit(store, 'left b', new Told(), 'os');
    await new Promise((resolve) => {
      setTimeout(resolve, 260);
    });
    expect(store.failure?.message).toContain('disk');
  });
});

describe('a synchronous caller', () => {
  it('finishes everything queued before, whatever is under way', async () => {
    const { store, log } = await openBench();
    log.held = true;
    const told = new Told();
    submit(store, 'left a', told);
    await turns();
    submit(store, 'left b', told);
    expect(commitNow(store, { 'left c': '3' })).toBe(3);
    expect(told.seqs).toEqual([1, 2]);
    log.held = false;
    log.release();
    await turns();
    expect(commitNow(store, { 'left d': '4' })).toBe(4);
    store.drainNow();
    await store.drain();
  });

  it('takes over a large batch that is being applied in slices', async () => {
    const { store } = await openBench();
    const entries: Record<string, string> = {};
    for (let i = 0; i < 25_000; i++) entries[`left k${i}`] = 'v';
    for (let i = 0; i < 10; i++) entries[`right k${i}`] = 'v';
    const batch = batchOf(entries);
    store.admitNow(batch);
    const told = new Told();
    store.submit(batch, told);
    const slices: number[] = [];
    while (told.seqs.length === 0 && slices.length < 3) {
      await turns(1);
      slices.push(told.seqs.length);
      expect(readNow(store, 'left k0')).toBe(told.seqs.length === 0 ? undefined : 'v');
    }
    expect(slices[0]).toBe(0);
    expect(commitNow(store, { 'left k0': 'later' })).toBe(2);
    expect(told.seqs).toEqual([1]);
    expect(readNow(store, 'left k0')).toBe('later');
    expect(readNow(store, 'left k24999')).toBe('v');
    expect(readNow(store, 'right k9')).toBe('v');
    await turns();
  });

  it('is refused where the log cannot sync at once', async () => {
    const { store, log } = await openBench();
    log.caps.syncNow = false;
    expect(() => store.admitNow(batchOf({ 'left a': '1' }))).toThrowError(expect.objectContaining({ code: '0A000' }));
    log.caps.syncNow = true;
  });
});

describe('a large batch', () => {
  it('leaves the event loop its turns and shows nothing until it is in', async () => {
    const { store } = await openBench();
    const entries: Record<string, string> = {};
    for (let i = 0; i < 60_000; i++) entries[`${i % 2 === 0 ? 'left' : 'right'} k${i}`] = 'v';
    const done = commit(store, entries);
    let turnsTaken = 0;
    let isDone = false;
    void done.then(() => (isDone = true));
    while (!isDone) {
      expect(readNow(store, 'left k0')).toBeUndefined();
      await turns(1);
      turnsTaken++;
    }
    expect(turnsTaken).toBeGreaterThan(3);
    expect(readNow(store, 'right k59999')).toBe('v');
  });
});

describe('listeners', () => {
  it('may commit and drain themselves', async () => {
    const { store } = await openBench();
    const seqs: string[] = [];
    const inner = new Told();
    submit(store, 'left a', {
      published(seq) {
        seqs.push(`a${seq}`);
        submit(store, 'left c', inner);
        store.drainNow();
        seqs.push(`c${inner.seqs[0]}`);
      },
      unknown() {},
    });
    submit(store, 'left b', { published: (seq) => void seqs.push(`b${seq}`), unknown() {} });
    await store.drain();
    expect(seqs).toEqual(['a1', 'b2', 'c3']);
  });

  it('that throw fail the store, but not the commit', async () => {
    const { store } = await openBench();
    submit(store, 'left a', {
      published() {
        throw new Error('a defect');
      },
      unknown() {},
    });
    await turns();
    expect(store.failure?.message).toContain('a defect');
    expect(readNow(store, 'left a')).toBe('left a');
  });
});

describe('failures', () => {
  it('of a sync leave the outcome unknown, end writing and keep reading', async () => {
    const { store, log } = await openBench();
    await commit(store, { 'left a': '1' });
    log.failNextSync = new Error('the disk is gone');
    const told = new Told();
    submit(store, 'left b', told);
    submit(store, 'left c', told);
    await expect(store.drain()).rejects.toMatchObject({ code: '08007' });
    expect(told.errors.map((error) => (error as { code?: string }).code)).toEqual(['08007', '08007']);
    expect(told.seqs).toEqual([]);
    expect(store.failure?.message).toContain('the disk is gone');
    expect(readNow(store, 'left a')).toBe('1');
    expect(readNow(store, 'left b')).toBeUndefined();
    expect(store.visibleSeq).toBe(1);
    await expect(store.admit(batchOf({ 'left d': '1' }))).rejects.toBe(store.failure);
    expect(() => store.submit(batchOf({ 'left d': '1' }), told)).toThrowError(store.failure);
    expect(() => store.allocateSpaceNumber()).toThrowError(store.failure);
    await expect(store.checkpoint()).rejects.toBe(store.failure);
  });

  it('of a synchronous sync are told as unknown as well', async () => {
    const { store, log } = await openBench();
    log.failNextSync = new Error('the disk is gone');
    const told = new Told();
    submit(store, 'left b', told);
    expect(() => store.drainNow()).toThrowError(expect.objectContaining({ code: '08007' }));
    expect(told.errors).toHaveLength(1);
    store.drainNow();
    await turns();
  });

  it('of a sync that comes late, after a synchronous caller has failed, change nothing', async () => {
    const { store, log } = await openBench();
    log.held = true;
    const told = new Told();
    submit(store, 'left a', told);
    await turns();
    log.failNextSync = new Error('the disk is gone');
    expect(() => store.drainNow()).toThrowError(expect.objectContaining({ code: '08007' }));
    log.release();
    await turns();
    expect(told.errors).toHaveLength(1);
    expect(told.seqs).toHaveLength(0);
  });

  it.each([true, false])(
    'of a write without sync leave the outcome unknown (synchronous: %s)',
    async (isSynchronous) => {
      const { store, log } = await openBench({ durability: 'os' });
      log.write = () => {
        throw new Error('no write');
      };
      const told = new Told();
      submit(store, 'left a', told);
      let code: unknown;
      try {
        if (isSynchronous) store.drainNow();
      } catch (error) {
        ({ code } = error as { code: string });
      }
      expect(code).toBe(isSynchronous ? '08007' : undefined);
      await turns();
      expect(told.errors).toHaveLength(1);
    },
  );

  it('of an engine poison the store', async () => {
    const { store, right } = await openBench();
    right.failApply = new Error('memory in doubt');
    const told = new Told();
    submit(store, 'left a', told);
    submit(store, 'right b', told);
    submit(store, 'left c', told);
    await expect(store.drain()).rejects.toMatchObject({ code: '08007' });
    expect(told.seqs).toEqual([1]);
    expect(told.errors).toHaveLength(2);
    expect(store.failure).toMatchObject({ code: 'XX000' });
  });

  it('of the lease end writing at once', async () => {
    const { store, log } = await openBench();
    log.lose(new Error('deposed'));
    expect(store.failure?.message).toContain('deposed');
    await expect(commit(store, { 'left a': '1' })).rejects.toThrowError('deposed');
  });

  it('of a full disk refuse one commit and are forgotten', async () => {
    const { store, log, left } = await openBench();
    log.failNextAppend = Object.assign(new Error('full'), { name: 'PhantomError', code: '53100' });
    await expect(commit(store, { 'left a': '1' })).rejects.toMatchObject({ code: '53100' });
    expect(store.failure).toBeUndefined();
    expect(left.admitted).toBe(0);
    expect(await commit(store, { 'left a': '1' })).toBe(1);
  });

  it('of an append that the log says it has not taken are refusals too', async () => {
    const { store, log } = await openBench();
    log.failNextAppend = new PhantomError('58030', 'no segment could be made');
    await expect(commit(store, { 'left a': '1' })).rejects.toMatchObject({ code: '58030' });
    expect(store.failure).toBeUndefined();
    log.failNextAppend = new PhantomError('58030', 'half of it was written');
    log.lose(new Error('a write failed'));
    await expect(commit(store, { 'left a': '1' })).rejects.toThrowError('a write failed');
  });

  it('of an append for another reason leave the outcome unknown', async () => {
    const { store, log } = await openBench();
    log.failNextAppend = new Error('broken');
    await expect(commit(store, { 'left a': '1' })).rejects.toMatchObject({ code: '08007' });
    expect(store.failure).toBeDefined();
  });
});
