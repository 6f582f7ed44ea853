/** Rotten bytes anywhere in a store with one tree alone, its log and its superblock included. */
import { toHex } from '@phantom/base';
import type { Vfs } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { filesBelow } from './files-below.js';
import { type RottenStore, WriteRecorder, exchangeBlocks, flipBits, loseWrites } from './rotten-store.js';

/** What the suite needs of a tree alone. */
interface Tree {
  put(key: Uint8Array, value: Uint8Array): Promise<unknown>;
  delete(key: Uint8Array): Promise<unknown>;
  deleteRange(range: { gte: Uint8Array; lt: Uint8Array }): Promise<unknown>;
  load(entries: Iterable<{ key: Uint8Array; value: Uint8Array }>): Promise<unknown>;
  scan(): Iterable<{ readonly key: Uint8Array; readonly value: Uint8Array }>;
  flush(): Promise<unknown>;
  close(): Promise<void>;
}

interface RottenSuiteOptions<Alone extends Tree> {
  open(directory: string, options: { readonly vfs: Vfs; readonly readOnly: boolean }): Promise<Alone>;
  /** Does the work that flushes leave for later: a merge, a compaction. */
  settle(tree: Alone): Promise<void>;
  /** The least share of lost writes that is noticed: what recovery does not need is not read, and nobody notices that it is gone. */
  readonly noticedLossesMin: number;
}

const DIRECTORY = '/data/store';
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export function rottenSuite<Alone extends Tree>({ open, settle, noticedLossesMin }: RottenSuiteOptions<Alone>): void {
  async function read(vfs: MemoryVfs): Promise<string> {
    const db = await open(DIRECTORY, { vfs, readOnly: true });
    try {
      return [...db.scan()].map(({ key, value }) => `${toHex(key)} ${toHex(value)}`).join();
    } finally {
      await db.close();
    }
  }

  /** Merged files, a run above them, and a log whose last groups are in no file; the very last names the files of a load. */
  async function smallStore(): Promise<RottenStore> {
    const vfs = new MemoryVfs({ losesPower: false });
    const recorder = new WriteRecorder(vfs);
    const db = await open(DIRECTORY, { vfs, readOnly: false });
    const put = async (from: number, to: number): Promise<void> => {
      for (let i = from; i < to; i++) await db.put(bytes(`key ${i + 100}`), bytes(`value ${i} of ${to}`));
    };
    await put(0, 12);
    await settle(db);
    await put(6, 16);
    await settle(db);
    await put(9, 11);
    await db.deleteRange({ gte: bytes('key 103'), lt: bytes('key 105') });
    await db.flush();
    await put(14, 18);
    await db.delete(bytes('key 101'));
    const stateBefore = await read(vfs.killClone());
    await db.load(Array.from({ length: 6 }, (_, i) => ({ key: bytes(`key ${i + 113}`), value: bytes(`loaded ${i}`) })));
    vfs.onOperation = undefined;
    const disk = vfs.killClone();
    await db.close();
    const writes = recorder.survivors(disk);
    const paths = filesBelow(disk, DIRECTORY);
    expect(paths.some((path) => path.includes('/load-'))).toBe(true);
    return { disk, paths, writes, state: await read(disk), stateBefore, read };
  }

  describe('rotten bytes in a whole store', () => {
    let store: RottenStore;
    beforeAll(async () => {
      store = await smallStore();
    });

    it('are noticed or harmless when a bit flips', async () => {
      expect(store.stateBefore).not.toBe(store.state);
      const { tried, noticed } = await flipBits(store);
      expect(tried).toBeGreaterThan(800);
      expect(noticed).toBeGreaterThan(tried / 4);
    }, 60_000);

    it('are noticed or harmless when a block lies in the place of another', async () => {
      const { tried, noticed } = await exchangeBlocks(store);
      expect(tried).toBeGreaterThan(20);
      expect(noticed).toBeGreaterThan(tried / 4);
    }, 60_000);

    it('are noticed or harmless when a write was lost', async () => {
      const { tried, noticed } = await loseWrites(store);
      expect(tried).toBeGreaterThan(20);
      expect(noticed).toBeGreaterThan(tried * noticedLossesMin);
      expect(await store.read(store.disk)).toBe(store.state);
    }, 60_000);
  });
}
