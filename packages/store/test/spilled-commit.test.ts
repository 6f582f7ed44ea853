/** Commits of spilled writes: files of several engines and what has none, in one commit; and what becomes of spaces on the move. */
import { EngineCode, type SpaceId, type SpilledWrites, makeSpaceId, spaceRange, writeSpace } from '@phantom/kv';
import { MemoryEngine } from '@phantom/kv/memory';
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Store, openStore } from '../src/index.js';
import { TouchedRanges } from '../src/touched-ranges.js';
import { snapshotEngine } from './snapshot-engine.js';

const BTREE = makeSpaceId(EngineCode.Btree, 7);
const LSM = makeSpaceId(EngineCode.Lsm, 8);
const MEMORY = makeSpaceId(EngineCode.Memory, 9);
const VALUE = new Uint8Array(4).fill(7);

let vfs: MemoryVfs;
let store: Store;

function open(disk: MemoryVfs): Promise<Store> {
  const memory = { code: EngineCode.Memory, name: 'memory', open: async () => new MemoryEngine() };
  const engines = [memory, snapshotEngine(EngineCode.Btree, 'b'), snapshotEngine(EngineCode.Lsm, 'l')];
  return openStore('/db', { vfs: disk, engines });
}

beforeEach(async () => {
  vfs = new MemoryVfs();
  store = await open(vfs);
});

afterEach(() => store.close());

function keyIn(space: SpaceId, n: number): Uint8Array {
  const key = new Uint8Array(8);
  writeSpace(key, 0, space);
  new DataView(key.buffer).setUint32(4, n);
  return key;
}

/** What was put aside, as a list: true for put. */
function spilled(
  entries: readonly (readonly [key: Uint8Array, isPut: boolean])[],
  ranges: readonly SpaceId[] = [],
): SpilledWrites {
  let at = -1;
  const slotOf = (bytes: Uint8Array) => ({
    buffer: bytes,
    start: 0,
    end: bytes.length,
    copy: () => bytes,
    set: () => undefined,
  });
  const list = {
    engine: EngineCode.Btree,
    takeReady: () => [],
    entries: () => ({
      next: () => ++at < entries.length,
      get key() {
        return slotOf((entries[at] as (typeof entries)[number])[0]);
      },
      get value() {
        return slotOf(this.isRemoved ? new Uint8Array(0) : VALUE);
      },
      get isRemoved() {
        return !(entries[at] as (typeof entries)[number])[1];
      },
      close: () => undefined,
    }),
    removedRanges: () => ranges.map((space) => spaceRange(space) as { lower: Uint8Array; upper: Uint8Array }),
  };
  return list as Partial<SpilledWrites> as SpilledWrites;
}

function countIn(space: SpaceId): number {
  const view = store.view();
  const cursor = view.cursor(spaceRange(space));
  let found = 0;
  while (cursor.next()) found++;
  cursor.close();
  view.release();
  return found;
}

async function commit(writes: SpilledWrites): Promise<number> {
  const commit = store.beginSpilledCommit(writes);
  await commit.prepare();
  return new Promise((resolve, reject) => commit.submit({ published: resolve, unknown: reject }));
}

const puts = (space: SpaceId, from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => [keyIn(space, from + i), true] as const);

describe('a commit of spilled writes', () => {
  it('writes to all engines at once, and again after a crash to those that keep anything', async () => {
    expect(await commit(spilled([...puts(MEMORY, 0, 3), ...puts(BTREE, 0, 200), ...puts(LSM, 0, 20)]))).toBe(1);
    expect([countIn(MEMORY), countIn(BTREE), countIn(LSM)]).toEqual([3, 200, 20]);
    const now = store.beginSpilledCommit(spilled([[keyIn(BTREE, 5), false]], [LSM, MEMORY]));
    now.prepareNow();
    now.submit({ published: () => undefined, unknown: () => undefined }, { durability: 'os' });
    store.drainNow();
    now.discard();
    expect([store.visibleSeq, countIn(MEMORY), countIn(BTREE), countIn(LSM)]).toEqual([2, 0, 199, 0]);
    for await (const finding of store.check()) expect(finding).toBeUndefined();
    const disk = vfs.killClone();
    await store.close({ checkpoint: false });
    store = await open(disk);
    expect([store.visibleSeq, countIn(MEMORY), countIn(BTREE), countIn(LSM)]).toEqual([2, 0, 199, 0]);
  });

  it('is a batch where no engine has files', async () => {
    await commit(spilled(puts(MEMORY, 0, 3)));
    expect([store.visibleSeq, countIn(MEMORY)]).toEqual([1, 3]);
  });

  it('leaves nothing when it is given up, or the store takes no more', async () => {
    const given = store.beginSpilledCommit(spilled([...puts(MEMORY, 0, 3), ...puts(BTREE, 0, 20)]));
    await given.prepare();
    given.discard();
    expect(vfs.list('/db/b')).toEqual([]);
    const late = store.beginSpilledCommit(spilled(puts(BTREE, 0, 20)));
    await late.prepare();
    await store.close();
    expect(() => late.submit({ published: () => undefined, unknown: () => undefined })).toThrow(
      expect.objectContaining({ code: '55000' }),
    );
    late.discard();
    expect(vfs.list('/db/b').filter((name) => name !== 'snapshot')).toEqual([]);
    expect(() => store.spill(1 << EngineCode.Btree)).toThrow(expect.objectContaining({ code: '55000' }));
    store = await open(vfs);
    expect(store.spill(1 << EngineCode.Btree)).toBeUndefined();
  });

  it('has a moving space copied again', async () => {
    const [from, to, last, lastTo] = [BTREE, makeSpaceId(EngineCode.Lsm, 20), LSM, makeSpaceId(EngineCode.Btree, 21)];
    await commit(spilled([...puts(from, 0, 50), ...puts(last, 0, 50)]));
    const move = store.moveSpaces([
      { from, to },
      { from: last, to: lastTo },
    ]);
    while (!move.isCopied) await move.step();
    await commit(
      spilled(
        [
          [keyIn(last, 3), false],
          [keyIn(last, 100), true],
        ],
        [from],
      ),
    );
    expect([move.isCopied, move.isCaughtUp]).toEqual([false, false]);
    await move.settle();
    expect([countIn(to), countIn(lastTo)]).toEqual([0, 50]);
    await commit(spilled(puts(makeSpaceId(EngineCode.Btree, 1), 0, 5)));
    expect(move.isCaughtUp).toBe(true);
    move.end();
  });
});

describe('touched ranges', () => {
  it('are few, and hold every key and no other space', () => {
    const touched = new TouchedRanges();
    const keys = [1, 2, 3].flatMap((space) => Array.from({ length: space * 1000 }, (_, n) => keyIn(space, 3 * n)));
    for (const key of keys) touched.addKey(key, 0, key.length);
    touched.addRange(keyIn(9, 0), keyIn(9, 5));
    const ranges = touched.ranges();
    expect(ranges.length).toBeLessThan(70);
    expect(ranges.length).toBeGreaterThan(20);
    const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
    const bounds = ranges.map(({ lower, upper }) => [text(lower), text(upper as Uint8Array)] as const);
    const isIn = (key: Uint8Array): boolean => bounds.some(([lower, upper]) => lower <= text(key) && text(key) < upper);
    expect(keys.every(isIn)).toBe(true);
    expect([keyIn(1, 4000), keyIn(2, 8000), keyIn(4, 0)].some(isIn)).toBe(false);
  });
});
