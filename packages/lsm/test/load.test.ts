/** Bulk loads of a tree alone: sorted entries that become its files. */
import { EngineCode } from '@phantom/kv';
import { type OpenTree, cutLoads, failLoads } from '@phantom/testkit';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { openLsm } from '../src/index.js';

const OPTIONS = {
  level0RunsMin: 2,
  blockBytes: 200,
  runBytesMax: 800,
  segmentBytes: 16_384,
  deltaBytesMax: 100_000,
  cacheBytes: 100_000,
};
const open: OpenTree = (directory, vfs) => openLsm(directory, { ...OPTIONS, vfs });
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const entry = (number: number, value = 'x'): { key: Uint8Array; value: Uint8Array } => ({
  key: bytes(String(number).padStart(6, '0')),
  value: bytes(value.repeat(40)),
});
const entries = (from: number, to: number, value?: string) =>
  Array.from({ length: to - from }, (_, i) => entry(from + i, value));

describe('bulk loads', () => {
  it('take neither log nor memory, and are read like other writes', async () => {
    const db = await openLsm('/load', { vfs: new MemoryVfs() });
    await db.put(entry(1500).key, bytes('older'));
    const appended = db.stats().wal.bytesAppended;
    const { seq } = await db.load(entries(1000, 4000));
    expect([seq, db.store.visibleSeq]).toEqual([2, 2]);
    expect(db.stats().wal.bytesAppended - appended).toBeLessThan(500);
    expect(db.stats().engines[0]?.deltaBytes).toBeLessThan(2000);
    await db.put(entry(2000).key, bytes('younger'));
    const read = () =>
      [1500, 2000, 3999].map((number) => String(Buffer.from(db.get(entry(number).key) ?? [])).slice(0, 7));
    expect(read()).toEqual(['xxxxxxx', 'younger', 'xxxxxxx']);
    await db.flush();
    expect(read()).toEqual(['xxxxxxx', 'younger', 'xxxxxxx']);
    expect([...db.scan()]).toHaveLength(3000);
    expect(await db.check()).toEqual([]);
    await db.close();
  });

  it('are seen by no view from before, and not before they are complete', async () => {
    const db = await openLsm('/load', { vfs: new MemoryVfs() });
    await db.load(entries(0, 10, 'a'));
    const snapshot = db.snapshot();
    let seen = -1;
    async function* slowly() {
      yield* entries(5, 10, 'b');
      seen = [...db.scan()].filter(({ value }) => value[0] === 98).length;
      yield* entries(10, 15, 'b');
    }
    await db.load(slowly());
    expect(seen).toBe(0);
    expect([...snapshot.scan()].map(({ value }) => value[0])).toEqual(Array.from({ length: 10 }, () => 97));
    expect([...db.scan()].filter(({ value }) => value[0] === 98)).toHaveLength(10);
    snapshot.close();
    await db.close();
  });

  it('leave nothing when they are refused', async () => {
    const vfs = new MemoryVfs();
    const db = await openLsm('/load', { vfs });
    await db.load([]);
    const files = vfs.list('/load/lsm');
    await expect(db.load([entry(2), entry(1)])).rejects.toMatchObject({ code: '22023' });
    await expect(db.load([entry(2), entry(2)])).rejects.toMatchObject({ code: '22023' });
    await expect(
      db.load(
        (function* () {
          yield entry(1);
          throw new Error('of the caller');
        })(),
      ),
    ).rejects.toThrow('of the caller');
    expect([...db.scan()]).toEqual([]);
    expect(vfs.list('/load/lsm')).toEqual(files);
    expect(db.store.visibleSeq).toBe(0);
    await db.close();
  });

  it('are not passed over in silence by who follows changes', async () => {
    const db = await openLsm('/load', { vfs: new MemoryVfs() });
    const [lower, upper] = [Uint8Array.of(EngineCode.Lsm << 4), Uint8Array.of((EngineCode.Lsm << 4) + 1)];
    const feed = db.store.changes({ name: 'test', ranges: [{ lower, upper }] });
    const next = feed.next();
    await db.load(entries(0, 10));
    await expect(next).rejects.toMatchObject({ code: '55000' });
    feed.close();
    await db.close();
  });

  it('are whole or absent after a power cut', async () => {
    expect(await cutLoads(open, 9)).toBeGreaterThan(90);
  });

  it('are whole or absent when the disk fails', async () => {
    expect(await failLoads(open, 23)).toBeGreaterThan(90);
  });
});
