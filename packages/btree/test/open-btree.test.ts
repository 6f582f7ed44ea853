/** The tree alone on a directory; the face itself is tested with the store. */
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it, vi } from 'vitest';
import { type BtreeStats, openBtree } from '../src/index.js';

/** For what is done in the background, on a machine that may be busy. */
const WAIT = { timeout: 20_000, interval: 10 };

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('openBtree', () => {
  it('keeps what was written over a restart and a power cut', async () => {
    const vfs = new MemoryVfs();
    {
      await using space = await openBtree('/data/alone', { vfs });
      for (let i = 0; i < 300; i++) space.putSync(bytes(`key ${i + 1000}`), bytes(`value ${i}`));
      await space.flush();
      await space.deleteRange({ gte: bytes('key 1100') });
      expect(await space.check()).toEqual([]);
    }
    await using again = await openBtree('/data/alone', { vfs: vfs.crashClone(1), runsMax: 2 });
    expect([...again.scan({ reverse: true, limit: 1 })]).toEqual([
      { key: bytes('key 1099'), value: bytes('value 99') },
    ]);
    expect([...again.scan()]).toHaveLength(100);
    expect(again.get(bytes('key 1100'))).toBeUndefined();
  });

  it('gives the space of what was removed back, and reads what is there now, though nobody writes any more', async () => {
    await using space = await openBtree('/data/alone', { vfs: new MemoryVfs(), idleMergeMs: 0 });
    const batch = space.batch();
    for (let i = 0; i < 5000; i++) batch.put(bytes(`key ${i + 10_000}`), new Uint8Array(100));
    await space.write(batch);
    await space.flush();
    const stats = (): BtreeStats => space.stats().engines[0] as BtreeStats;
    await vi.waitFor(() => expect(stats().runs).toBe(0), WAIT);
    const filled = stats().fileBytes;
    await space.deleteRange({});
    await space.flush();
    // Leaves a view for the next reader.
    expect(space.get(bytes('key 10000'))).toBeUndefined();
    await vi.waitFor(() => expect(stats().fileBytes).toBeLessThan(filled / 10), WAIT);
    expect([stats().runs, stats().pinnedBytes]).toEqual([0, 0]);
  });

  it('refuses settings that cannot be', async () => {
    await expect(openBtree('/data/alone', { vfs: new MemoryVfs(), runsMax: 0 })).rejects.toMatchObject({
      code: '22023',
    });
  });
});
