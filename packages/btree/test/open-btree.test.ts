/** The tree alone on a directory; the face itself is tested with the store. */
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { openBtree } from '../src/index.js';

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

  it('refuses settings that cannot be', async () => {
    await expect(openBtree('/data/alone', { vfs: new MemoryVfs(), runsMax: 0 })).rejects.toMatchObject({
      code: '22023',
    });
  });
});
