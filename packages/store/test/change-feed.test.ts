/** Following commits: each once, in order, never early, from the log or from memory; and what is gone is said to be gone. */
import { Random } from '@phantom/base';
import { EngineCode, type KeyRange, OperationKind, makeSpaceId, spaceRange } from '@phantom/kv';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { type Change, type ChangeFeed, type Store, type StoreOptions, openStore } from '../src/index.js';
import { MemoryLog, MemoryLogDisk } from './memory-log.js';
import { batchOf, commit, commitNow, optionsOf, rejection, turns, twoEngines, withStore } from './support.js';

const LEFT = spaceRange(makeSpaceId(EngineCode.Btree, 1));
const RIGHT = spaceRange(makeSpaceId(EngineCode.Lsm, 1));
const TEXT = new TextDecoder();

function feedOf(store: Store, options: { after?: number; fromTimeMs?: number; logBytesMax?: number } = {}): ChangeFeed {
  return store.changes({ name: 'test', ranges: [LEFT], ...options });
}

/** `seq: key=value ...` of a change, its removals as `key-`. */
function textOf({ seq, batch }: Change): string {
  const parts: string[] = [];
  while (batch.next()) {
    const key = TEXT.decode(batch.bytes.subarray(batch.keyStart + 4, batch.keyEnd));
    const value = TEXT.decode(batch.bytes.subarray(batch.valueStart, batch.valueEnd)).slice(0, 8);
    parts.push(batch.kind === OperationKind.Put ? `${key}=${value}` : `${key}-`);
  }
  return `${seq}: ${parts.join(' ')}`;
}

async function take(feed: ChangeFeed, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const { value } = await feed.next();
    if (value === undefined) break;
    texts.push(textOf(value));
  }
  return texts;
}

describe('a change feed', () => {
  it('gives history, then what is committed, in order and each once', () =>
    withStore(async (store) => {
      for (let i = 1; i <= 3; i++) await commit(store, { [`left ${i}`]: `v${i}` });
      const feed = feedOf(store, { after: 1 });
      expect(await take(feed, 2)).toEqual(['2: 2=v2', '3: 3=v3']);
      const waiting = take(feed, 2);
      await commit(store, { 'left 4': 'v4', 'left 1': undefined });
      commitNow(store, { 'left 5': 'v5' });
      expect(await waiting).toEqual(['4: 4=v4 1-', '5: 5=v5']);
      expect(feed.seq).toBe(5);
      feed.close();
    }));

  it('passes over what touches none of its ranges, and says how far it has come', () =>
    withStore(async (store) => {
      await commit(store, { 'right a': 'x' });
      const feed = feedOf(store, { after: 0 });
      await commit(store, { 'right b': 'x' });
      await commit(store, { 'left a': 'x', 'right c': 'x' });
      expect(await take(feed, 1)).toEqual(['3: a=x c=x']);
      await commit(store, { 'right d': 'x' });
      expect(feed.seq).toBe(4);
      const both = store.changes({ name: 'both', ranges: [LEFT, RIGHT], after: 3 });
      expect(await take(both, 1)).toEqual(['4: d=x']);
      both.close();
      feed.close();
    }));

  it('sees the removal of a range that its own lies in', () =>
    withStore(async (store) => {
      const inner: KeyRange = { lower: Uint8Array.of(0x10, 0, 0, 1, 0x62), upper: Uint8Array.of(0x10, 0, 0, 1, 0x63) };
      const feed = store.changes({ name: 'inner', ranges: [inner] });
      const remove = async (lower: number, upper: number): Promise<void> => {
        const batch = batchOf({});
        batch.removeRange(Uint8Array.of(0x10, 0, 0, 1, lower), Uint8Array.of(0x10, 0, 0, 1, upper));
        await store.admit(batch);
        await new Promise((published, unknown) => store.submit(batch, { published, unknown }));
      };
      await remove(0x60, 0x62);
      await remove(0x63, 0x70);
      await remove(0x60, 0x63);
      expect((await feed.next()).value?.seq).toBe(3);
      feed.close();
    }));

  it('buffers little for a slow reader, who loses nothing', () =>
    withStore(
      async (store) => {
        const feed = feedOf(store);
        const value = 'v'.repeat(300_000);
        for (let i = 1; i <= 12; i++) await commit(store, { [`left ${i}`]: value });
        const buffered = (feed as unknown as { bufferBytes: number }).bufferBytes;
        expect(buffered).toBeGreaterThan(0);
        expect(buffered).toBeLessThan(2 ** 20);
        expect(await take(feed, 12)).toEqual(Array.from({ length: 12 }, (_, i) => `${i + 1}: ${i + 1}=vvvvvvvv`));
        await commit(store, { 'left z': 'last' });
        expect(await take(feed, 1)).toEqual(['13: z=last']);
        feed.close();
      },
      { segmentBytes: 1 << 20 },
    ));

  it('shows nothing before it is visible', async () => {
    const disk = new MemoryLogDisk();
    let log: MemoryLog | undefined;
    const store = await openStore('/db', {
      vfs: new MemoryVfs(),
      engines: twoEngines(),
      log: async () => (log = new MemoryLog(disk)),
    });
    const feed = feedOf(store, { after: 0 });
    (log as unknown as MemoryLog).held = true;
    const committed = commit(store, { 'left a': 'x' });
    let shown = false;
    const next = take(feed, 1).then((texts) => {
      shown = true;
      return texts;
    });
    await turns(5);
    expect(shown).toBe(false);
    (log as unknown as MemoryLog).release();
    await committed;
    expect(await next).toEqual(['1: a=x']);
    (log as unknown as MemoryLog).held = false;
    await store.close();
    expect(await feed.next()).toEqual({ done: true, value: undefined });
  });

  it('ends when it is closed, and when the store is', () =>
    withStore(async (store) => {
      const [first, second] = [feedOf(store), feedOf(store)];
      const waiting = [first.next(), second.next()];
      await first.return?.();
      await store.close();
      expect(await Promise.all(waiting)).toEqual([
        { done: true, value: undefined },
        { done: true, value: undefined },
      ]);
      expect(() => feedOf(store)).toThrow(expect.objectContaining({ code: '55000' }));
    }));

  it('refuses a seq that is yet to come', () =>
    withStore(async (store) => {
      expect(() => feedOf(store, { after: 1 })).toThrow(expect.objectContaining({ code: '22023' }));
    }));

  it('begins at a moment', async () => {
    let nowMs = 1000;
    const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs };
    await withStore(
      async (store) => {
        for (let i = 1; i <= 5; i++) {
          nowMs = i * 1000;
          await commit(store, { [`left ${i}`]: 'x' });
        }
        const feed = feedOf(store, { fromTimeMs: 3000 });
        expect(await take(feed, 3)).toEqual(['3: 3=x', '4: 4=x', '5: 5=x']);
        feed.close();
        const later = feedOf(store, { fromTimeMs: 9000 });
        const waiting = take(later, 1);
        nowMs = 8000;
        await commit(store, { 'left 6': 'x' });
        nowMs = 9000;
        await commit(store, { 'left 7': 'x' });
        expect(await waiting).toEqual(['7: 7=x']);
        later.close();
      },
      { clock },
    );
  });
});

describe('the log behind a change feed', () => {
  const filling = (i: number): Record<string, string> => ({ [`left ${i}`]: `${i} `.repeat(400) });

  async function fill(store: Store, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      await commit(store, filling(i));
      if (i % 20 === 19) await store.checkpoint();
    }
  }

  it('stays while it is followed, up to the limit', () =>
    withStore(async (store) => {
      const value = 'v'.repeat(10_000);
      const fillUp = async (): Promise<void> => {
        for (let i = 1; i <= 150; i++) {
          await commit(store, { 'left a': value });
          if (i % 20 === 0) await store.checkpoint();
        }
      };
      const follows = feedOf(store);
      await fillUp();
      expect(await take(follows, 150)).toHaveLength(150);
      follows.close();
      const lags = feedOf(store, { logBytesMax: 30_000 });
      await fillUp();
      // What it buffered is not lost; what it did not is gone, and it is told so.
      expect(await take(lags, 100)).toHaveLength(100);
      expect(await rejection(take(lags, 50))).toMatchObject({
        code: '55000',
        detail: expect.stringMatching(/held back/) as string,
      });
      lags.close();
    }));

  it('goes when nobody wants it, and who comes later is told', () =>
    withStore(async (store) => {
      await fill(store, 100);
      expect(await rejection(take(feedOf(store, { after: 3 }), 1))).toMatchObject({ code: '55000' });
      expect(await rejection(take(feedOf(store, { fromTimeMs: 1 }), 1))).toMatchObject({ code: '55000' });
      const feed = feedOf(store, { after: 99 });
      expect(await take(feed, 1)).toHaveLength(1);
    }));

  it('is kept over restarts as far as the store was told', async () => {
    const vfs = new MemoryVfs();
    const options: StoreOptions = optionsOf(vfs, { changesKeepBytes: 100_000 });
    let seq = 0;
    for (let round = 0; round < 3; round++) {
      const store = await openStore('/data/db', options);
      const feed = feedOf(store, { after: seq });
      await fill(store, 30);
      seq += 20;
      expect((await take(feed, 20)).at(-1)).toMatch(new RegExp(`^${seq}: `));
      await store.close();
    }
    const store = await openStore('/data/db', options);
    expect(store.stats().wal.segments).toBeLessThan(12);
    expect((await take(feedOf(store, { after: seq }), 30)).at(-1)).toMatch(/^90: /);
    await store.close();
  });

  it('gives every acknowledged commit once after a crash', async () => {
    const random = new Random(7);
    let vfs = new MemoryVfs();
    let last = 0;
    let acknowledged = 0;
    for (let round = 0; round < 6; round++) {
      const store = await openStore('/data/db', optionsOf(vfs, { changesKeepBytes: 1 << 20 }));
      const feed = feedOf(store, { after: last });
      const count = 5 + random.below(20);
      for (let i = 0; i < count; i++) acknowledged = Math.max(acknowledged, await commit(store, filling(i)));
      if (random.below(2) === 0) await store.checkpoint();
      const wanted = random.below(acknowledged - last + 1);
      for (const text of await take(feed, wanted)) expect(Number.parseInt(text, 10)).toBe(++last);
      const crashed = vfs.crashClone(random.below(1000));
      await store.close();
      vfs = crashed;
    }
    const store = await openStore('/data/db', optionsOf(vfs));
    for (const text of await take(feedOf(store, { after: last }), acknowledged - last)) {
      expect(Number.parseInt(text, 10)).toBe(++last);
    }
    expect(last).toBe(acknowledged);
    await store.close();
  });
});
