/** A log that was cut, emptied or put back from an older copy: opening says so, unless what is missing is younger than a second. */
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Store, openStore } from '../src/index.js';
import { commit, optionsOf, readNow, rejection } from './support.js';

const DIRECTORY = '/data/db';
const LOG = `${DIRECTORY}/log`;
/** Behind the header of a segment. */
const FIRST_CUT = 64;
const STRIDE = 29;

type Damage = (vfs: MemoryVfs, path: string, at: number) => void;

const WAYS: readonly { readonly name: string; readonly damage: Damage }[] = [
  {
    name: 'cut',
    damage: (vfs, path, at) => {
      const file = vfs.open(path, { mode: 'write' });
      file.truncate(at);
      file.close();
    },
  },
  {
    name: 'emptied',
    damage: (vfs, path, at) => vfs.corrupt(path, at, new Uint8Array(vfs.readFile(path).length - at)),
  },
];

async function write(store: Store, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) await commit(store, { [`left key ${i}`]: 'x'.repeat(20), 'right key': String(i) });
}

function logOf(vfs: MemoryVfs): string {
  return `${LOG}/${
    vfs
      .list(LOG)
      .filter((name) => name.endsWith('.wal'))
      .toSorted()
      .at(-1) as string
  }`;
}

/** Behind the last byte that is not zero. */
function endOf(bytes: Uint8Array): number {
  return bytes.findLastIndex((byte) => byte !== 0) + 1;
}

/** The last commit that is there, or the code of the error that opening ends with. */
async function lastIn(vfs: MemoryVfs): Promise<number | string> {
  let store: Store;
  try {
    store = await openStore(DIRECTORY, optionsOf(vfs));
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
  const last = Number(readNow(store, 'right key') ?? -1);
  for (let i = 0; i <= last; i++) expect(readNow(store, `left key ${i}`)).toBeDefined();
  await store.close();
  return last;
}

describe('a log that lacks its end', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it.each(WAYS)('is refused when it is $name anywhere before what was there a second ago', async ({ damage }) => {
    const vfs = new MemoryVfs({ losesPower: false });
    const store = await openStore(DIRECTORY, optionsOf(vfs));
    await write(store, 0, 12);
    const older = vfs.readFile(logOf(vfs)).slice();
    await write(store, 12, 20);
    await vi.advanceTimersByTimeAsync(1000);
    const noted = endOf(vfs.readFile(logOf(vfs)));
    await write(store, 20, 30);
    const end = endOf(vfs.readFile(logOf(vfs)));
    expect(await lastIn(vfs.killClone())).toBe(29);
    for (let at = FIRST_CUT; at < end; at += STRIDE) {
      const clone = vfs.killClone();
      damage(clone, logOf(clone), at);
      const last = await lastIn(clone);
      if (at < noted) expect(last, `at ${at}`).toBe('XX001');
      else expect(last, `at ${at}`).toBeGreaterThanOrEqual(19);
    }
    const replaced = vfs.killClone();
    replaced.corrupt(logOf(replaced), 0, older);
    expect(await lastIn(replaced)).toBe('XX001');
    await store.close();

    // After a clean close all of it is remembered.
    for (let at = FIRST_CUT; at < end; at += STRIDE) {
      const clone = vfs.killClone();
      damage(clone, logOf(clone), at);
      expect(await lastIn(clone), `at ${at}`).toBe('XX001');
    }
  });

  it('is remembered once for commits that come together, and never when nothing is promised', async () => {
    for (const durability of ['fsync', 'os'] as const) {
      const vfs = new MemoryVfs({ losesPower: false });
      const store = await openStore(DIRECTORY, optionsOf(vfs, { durability }));
      await write(store, 0, 3);
      let writes = 0;
      vfs.onOperation = ({ operation, path }) => {
        if (operation === 'write' && path.endsWith('/superblock')) writes++;
      };
      await vi.advanceTimersByTimeAsync(5000);
      expect(writes).toBe(durability === 'fsync' ? 2 : 0);
      await store.close();
    }
  });

  it('that cannot be remembered ends the store when it is a sync that has failed', async () => {
    const vfs = new MemoryVfs({ losesPower: false });
    const store = await openStore(DIRECTORY, optionsOf(vfs));
    await write(store, 0, 3);
    vfs.onOperation = ({ operation, path }) => {
      if (operation === 'sync' && path.endsWith('/superblock')) throw new Error('EIO');
    };
    await vi.advanceTimersByTimeAsync(1000);
    vfs.onOperation = undefined;
    expect(store.failure).toBeDefined();
    expect(await rejection(commit(store, { 'left a': '1' }))).toBe(store.failure);
    await store.close();
    expect(await lastIn(vfs)).toBe(2);
  });
});
