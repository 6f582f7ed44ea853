/** Moving spaces between engines while they are written to: the copy is exact at every moment, and writers cannot run away. */
import { Random } from '@phantom/base';
import { EngineCode, type SpaceId, WriteBatch, makeSpaceId, spaceRange, writeSpace } from '@phantom/kv';
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SpaceMove, type Store, openStore } from '../src/index.js';
import { twoEngines } from './support.js';

const OLD = makeSpaceId(EngineCode.Btree, 7);
const OLD_INDEX = makeSpaceId(EngineCode.Btree, 9);
const OTHER = makeSpaceId(EngineCode.Btree, 8);
const NEW = makeSpaceId(EngineCode.Lsm, 20);
const NEW_INDEX = makeSpaceId(EngineCode.Lsm, 21);
const PAIRS = [
  { from: OLD, to: NEW },
  { from: OLD_INDEX, to: NEW_INDEX },
];

let store: Store;

beforeEach(async () => {
  store = await openStore('/db', { vfs: new MemoryVfs(), engines: twoEngines() });
});

afterEach(() => store.close());

function keyIn(space: SpaceId, n: number): Uint8Array {
  const key = new Uint8Array(8);
  writeSpace(key, 0, space);
  new DataView(key.buffer).setUint32(4, n);
  return key;
}

function put(batch: WriteBatch, space: SpaceId, n: number, value: number, bytes = 16): void {
  const key = keyIn(space, n);
  batch.put(key, 0, key.length, new Uint8Array(bytes).fill(value), 0, bytes);
}

function remove(batch: WriteBatch, space: SpaceId, n: number): void {
  const key = keyIn(space, n);
  batch.remove(key, 0, key.length);
}

async function commit(batch: WriteBatch): Promise<void> {
  const room = store.admit(batch);
  if (room !== undefined) await room;
  await new Promise((resolve, reject) => store.submit(batch, { published: resolve, unknown: reject }));
}

/** Keys without their space, and values, of a space as it is now. */
function contentOf(space: SpaceId): string[] {
  const view = store.view();
  const cursor = view.cursor(spaceRange(space));
  const content: string[] = [];
  while (cursor.next()) content.push(`${cursor.key.copy().slice(4).join('.')}=${cursor.value.copy().join('.')}`);
  cursor.close();
  view.release();
  return content;
}

async function fill(rows: number, bytes = 16): Promise<void> {
  for (let n = 0; n < rows; n += 100) {
    const batch = new WriteBatch();
    for (let i = n; i < Math.min(rows, n + 100); i++) {
      put(batch, OLD, i * 2, i, bytes);
      put(batch, OLD_INDEX, i * 3, i);
      put(batch, OTHER, i, i);
    }
    await commit(batch);
  }
}

function expectMoved(): void {
  expect(contentOf(NEW)).toEqual(contentOf(OLD));
  expect(contentOf(NEW_INDEX)).toEqual(contentOf(OLD_INDEX));
}

describe('moving spaces', () => {
  it('copies every key, in stretches, on either thread model', async () => {
    await fill(1000, 1500);
    for (const isNow of [false, true]) {
      const move = store.moveSpaces(PAIRS);
      let steps = 0;
      while (!move.isCaughtUp) {
        if (isNow) move.stepNow();
        else await move.step();
        steps++;
      }
      move.end();
      expect(steps).toBeGreaterThan(5);
      expect(move.bytesCopied).toBeGreaterThan(1_500_000);
      expectMoved();
      expect(contentOf(OTHER)).toHaveLength(1000);
      const batch = new WriteBatch();
      for (const space of [NEW, NEW_INDEX]) {
        const { lower, upper } = spaceRange(space);
        batch.removeRange(lower, upper as Uint8Array);
      }
      await commit(batch);
      expect(contentOf(NEW)).toEqual([]);
    }
  });

  it('follows what is written before, behind and at the place it has come to', async () => {
    await fill(1200, 1000);
    const random = new Random(11);
    const move = store.moveSpaces(PAIRS);
    for (let step = 0; !move.isCopied || step < 30; step++) {
      const moving = move.step();
      const batch = new WriteBatch();
      for (let i = 0; i < 20; i++) {
        const space = random.chance(0.5) ? OLD : OLD_INDEX;
        if (random.chance(0.7)) put(batch, space, random.below(4000), step);
        else remove(batch, space, random.below(4000));
        put(batch, OTHER, random.below(4000), step);
      }
      if (step % 7 === 3) {
        const from = random.below(3000);
        batch.removeRange(keyIn(OLD, from), keyIn(OLD, from + 50));
      }
      await Promise.all([commit(batch), moving]);
    }
    while (!move.isCaughtUp) await move.step();
    move.end();
    expectMoved();
    // Who has ended follows no more.
    const after = new WriteBatch();
    put(after, OLD, 1, 255);
    await commit(after);
    expect(contentOf(NEW)).not.toEqual(contentOf(OLD));
  });

  it('takes removals of ranges that begin before a space, end behind it, or miss it', async () => {
    await fill(300);
    const move = store.moveSpaces(PAIRS);
    while (!move.isCaughtUp) await move.step();
    const ranges: [Uint8Array, Uint8Array][] = [
      [keyIn(OLD - 1, 0), keyIn(OLD, 100)],
      [keyIn(OLD, 500), keyIn(OTHER, 10)],
      [keyIn(OLD_INDEX - 1, 5), keyIn(OLD_INDEX, 0).slice(0, 4)],
      [keyIn(OLD_INDEX + 1, 0).slice(0, 4), keyIn(OLD_INDEX + 1, 5)],
      [keyIn(OLD_INDEX, 30), keyIn(OLD_INDEX, 60)],
    ];
    for (const [lower, upper] of ranges) {
      const batch = new WriteBatch();
      batch.removeRange(lower, upper);
      await commit(batch);
      while (!move.isCaughtUp) await move.step();
      expectMoved();
    }
    const batch = new WriteBatch();
    batch.removeRange(keyIn(OLD - 1, 0), keyIn(OLD_INDEX + 1, 0));
    await commit(batch);
    while (!move.isCaughtUp) await move.step();
    move.end();
    expect([contentOf(NEW), contentOf(NEW_INDEX)]).toEqual([[], []]);
  });

  it('lets writers wait that outrun the copy, until it has caught up', async () => {
    await fill(600, 2000);
    const move = store.moveSpaces(PAIRS);
    await move.step();
    // Larger than what may be written down.
    const large = new WriteBatch();
    for (let i = 0; i < 17; i++) put(large, OLD, 0, i, 1 << 20);
    await commit(large);
    const next = new WriteBatch();
    put(next, OTHER, 5, 5);
    const room = store.admit(next);
    expect(room).toBeInstanceOf(Promise);
    let isLetGo = false;
    void room?.then(() => (isLetGo = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isLetGo).toBe(false);
    await move.step();
    await room;
    store.unadmit(next);
    move.end();
    move.end();
  });

  it('holds nobody up once it has ended or the copy is complete', async () => {
    await fill(600, 2000);
    const large = (): WriteBatch => {
      const batch = new WriteBatch();
      for (let i = 0; i < 17; i++) put(batch, OLD, 0, i, 1 << 20);
      return batch;
    };
    const move = store.moveSpaces(PAIRS);
    await move.step();
    await commit(large());
    const next = new WriteBatch();
    put(next, OTHER, 5, 5);
    const room = store.admit(next);
    move.end();
    await room;
    store.unadmit(next);
    const second: SpaceMove = store.moveSpaces(PAIRS);
    while (!second.isCopied) await second.step();
    await commit(large());
    expect(store.admit(next)).toBeUndefined();
    store.unadmit(next);
    second.end();
  });

  it('is refused by a store that takes no writes', async () => {
    await fill(10);
    await store.close();
    expect(() => store.moveSpaces(PAIRS)).toThrow(expect.objectContaining({ code: '55000' }));
  });
});
