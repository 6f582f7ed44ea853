/** Rotten bytes anywhere in a store with this tree alone, its log and its superblock included. */
import { toHex } from '@phantom/base';
import { EngineCode } from '@phantom/kv';
import { type RottenStore, WriteRecorder, exchangeBlocks, filesBelow, flipBits, loseWrites } from '@phantom/testkit';
import { MemoryVfs } from '@phantom/vfs/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { type BtreeEngine, openBtree } from '../src/index.js';

const DIRECTORY = '/data/store';
const OPTIONS = { idleMergeMs: 1e9, segmentBytes: 16_384, deltaBytesMax: 100_000 };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function read(vfs: MemoryVfs): Promise<string> {
  const db = await openBtree(DIRECTORY, { ...OPTIONS, vfs, readOnly: true });
  try {
    return [...db.scan()].map(({ key, value }) => `${toHex(key)} ${toHex(value)}`).join();
  } finally {
    await db.close();
  }
}

/** Merged files, a run above them, and a log whose last two groups are in no file. */
async function smallStore(): Promise<RottenStore> {
  const vfs = new MemoryVfs({ losesPower: false });
  const recorder = new WriteRecorder(vfs);
  const db = await openBtree(DIRECTORY, { ...OPTIONS, vfs });
  const put = async (from: number, to: number): Promise<void> => {
    for (let i = from; i < to; i++) await db.put(bytes(`key ${i + 100}`), bytes(`value ${i} of ${to}`));
  };
  await put(0, 12);
  await (db.store.engine(EngineCode.Btree) as BtreeEngine).merge();
  await put(6, 16);
  await (db.store.engine(EngineCode.Btree) as BtreeEngine).merge();
  await put(9, 11);
  await db.deleteRange({ gte: bytes('key 103'), lt: bytes('key 105') });
  await db.flush();
  await put(14, 18);
  const stateBefore = await read(vfs.killClone());
  await db.delete(bytes('key 101'));
  vfs.onOperation = undefined;
  const disk = vfs.killClone();
  await db.close();
  const writes = recorder.survivors(disk);
  return { disk, paths: filesBelow(disk, DIRECTORY), writes, state: await read(disk), stateBefore, read };
}

describe('rotten bytes in a whole store', () => {
  let store: RottenStore;
  beforeAll(async () => {
    store = await smallStore();
  });

  it('are noticed or harmless when a bit flips', async () => {
    expect(store.stateBefore).not.toBe(store.state);
    const { tried, noticed } = await flipBits(store);
    expect(tried).toBeGreaterThan(1000);
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
    // What recovery does not need is not read, and nobody notices that it is gone.
    expect(noticed).toBeGreaterThan(tried / 5);
    expect(await store.read(store.disk)).toBe(store.state);
  }, 60_000);
});
