/** Bulk loads through the store: past log and memory, one commit, replayed, and told to who follows changes. */
import { EngineCode, type SpaceId, WriteBatch, makeSpaceId, spaceRange, writeSpace } from '@phantom/kv';
import { MemoryVfs } from '@phantom/vfs/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Store, type StoreOptions, openSingleSpace, openStore } from '../src/index.js';
import { decodeLoads, encodeLoads, touchesRange } from '../src/load-record.js';
import { snapshotEngine } from './snapshot-engine.js';

const SPACE = makeSpaceId(EngineCode.Btree, 7);
const OTHER = makeSpaceId(EngineCode.Lsm, 8);
const VALUE = new Uint8Array(20).fill(7);

let vfs: MemoryVfs;
let btree: ReturnType<typeof snapshotEngine>;
let store: Store;

function open(disk: MemoryVfs, options: Partial<StoreOptions> = {}): Promise<Store> {
  btree = snapshotEngine(EngineCode.Btree, 'b');
  return openStore('/db', { vfs: disk, engines: [btree, snapshotEngine(EngineCode.Lsm, 'l')], ...options });
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

function begin(from: number, to: number) {
  const load = store.beginLoad(EngineCode.Btree);
  if (load === undefined) throw new Error('the double has files');
  for (let n = from; n < to; n++) load.put(keyIn(SPACE, n), 0, 8, VALUE, 0, VALUE.length);
  return load;
}

function count(space: SpaceId): number {
  const view = store.view();
  const cursor = view.cursor(spaceRange(space));
  let found = 0;
  while (cursor.next()) found++;
  cursor.close();
  view.release();
  return found;
}

const filesOf = (): string[] => vfs.list('/db/b').filter((name) => name !== 'snapshot');

describe('a load', () => {
  it('is told to observers, as other commits are, before anybody waits for it any more', async () => {
    const told: string[] = [];
    store.observe({
      published: (batch, seq) => told.push(`${batch.count} at ${seq}, shown ${store.visibleSeq}`),
      loaded: (seq) => told.push(`files at ${seq}, shown ${store.visibleSeq}`),
    });
    await begin(0, 500).commit();
    expect(told).toEqual(['files at 1, shown 1']);
    const batch = new WriteBatch();
    batch.put(keyIn(SPACE, 1), 0, 8, VALUE, 0, VALUE.length);
    await store.admit(batch);
    await new Promise((resolve, reject) => store.submit(batch, { published: resolve, unknown: reject }));
    expect(told[1]).toBe('1 at 2, shown 2');
  });

  it('is one commit, on either thread model, and small in the log', async () => {
    const load = begin(0, 500);
    expect(load.bytes).toBeGreaterThan(500 * 28);
    const appended = store.stats().wal.bytesAppended;
    expect(await load.commit()).toBe(1);
    expect([store.visibleSeq, count(SPACE)]).toEqual([1, 500]);
    expect(begin(500, 600).commitNow()).toBe(2);
    expect([store.visibleSeq, count(SPACE), count(OTHER)]).toEqual([2, 600, 0]);
    expect(store.stats().wal.bytesAppended - appended).toBeLessThan(300);
    for await (const finding of store.check()) expect(finding).toBeUndefined();
  });

  it('is replayed with what came before and behind it, each once', async () => {
    const batch = new WriteBatch();
    batch.put(keyIn(OTHER, 1), 0, 8, VALUE, 0, 1);
    const commit = async (): Promise<void> => {
      await store.admit(batch);
      await new Promise((resolve, reject) => store.submit(batch, { published: resolve, unknown: reject }));
    };
    await commit();
    await begin(0, 10).commit();
    await commit();
    const disk = vfs.crashClone(1);
    await store.close({ checkpoint: false });
    store = await open(disk);
    expect([store.visibleSeq, count(SPACE), count(OTHER)]).toEqual([3, 10, 1]);
    await store.checkpoint();
    await store.close();
    store = await open(disk);
    expect([store.visibleSeq, count(SPACE)]).toEqual([3, 10]);
  });

  it('of nothing commits nothing, and one that is given up leaves nothing', async () => {
    expect(await begin(0, 0).commit()).toBe(0);
    expect(begin(0, 0).commitNow()).toBe(0);
    begin(0, 10).discard();
    expect(filesOf()).toEqual([]);
    const load = begin(0, 10);
    await load.commit();
    load.discard();
    expect(filesOf()).toHaveLength(1);
  });

  it('waits for an engine that has many to name', async () => {
    btree.engine.frozenDeltas = 100;
    await begin(0, 10).commit();
    begin(10, 20).commitNow();
    expect(btree.engine.flushes).toBe(1);
  });

  it('is refused where nothing may be written', async () => {
    await store.close();
    expect(() => store.beginLoad(EngineCode.Btree)).toThrow(expect.objectContaining({ code: '55000' }));
    store = await open(vfs, { readOnly: true });
    expect(() => store.beginLoad(EngineCode.Btree)).toThrow(expect.objectContaining({ code: '25006' }));
  });

  it('passes by who follows other keys, and ends what follows its own', async () => {
    const other = store.changes({ name: 'other', ranges: [spaceRange(OTHER)] });
    const own = store.changes({ name: 'own', ranges: [spaceRange(SPACE)] });
    const [next, gone] = [other.next(), own.next()];
    await begin(0, 10).commit();
    await expect(gone).rejects.toMatchObject({ code: '55000' });
    const batch = new WriteBatch();
    batch.put(keyIn(OTHER, 1), 0, 8, VALUE, 0, 1);
    await store.admit(batch);
    store.submit(batch, { published: () => undefined, unknown: () => undefined });
    expect((await next).value?.seq).toBe(2);
    for (const feed of [other, own]) feed.close();
  });
});

describe('the record of a load', () => {
  const load = { engine: EngineCode.Btree, firstKey: keyIn(SPACE, 5), lastKey: keyIn(SPACE, 9) };
  const files = [{ path: 'load-1', entries: 5, bytes: 500 }];

  it('says again what it was given, and refuses what it is not', () => {
    const bytes = encodeLoads([{ ...load, files }]);
    expect(decodeLoads(bytes)).toEqual([{ ...load, files }]);
    expect(() => decodeLoads(Uint8Array.from([...bytes, 0]))).toThrow(expect.objectContaining({ code: 'XX001' }));
    expect(() => decodeLoads(bytes.subarray(0, -1))).toThrow(expect.objectContaining({ code: 'XX001' }));
    expect(() => decodeLoads(bytes.subarray(0, 0))).toThrow(expect.objectContaining({ code: 'XX001' }));
    const two = [
      { ...load, files },
      { ...load, engine: EngineCode.Lsm, files: [] },
    ];
    expect(decodeLoads(encodeLoads(two))).toEqual(two);
  });

  it('knows which ranges it touches', () => {
    const touches = (from: number, to?: number): boolean =>
      touchesRange(
        { ...load, files },
        { lower: keyIn(SPACE, from), upper: to === undefined ? undefined : keyIn(SPACE, to) },
      );
    expect([touches(0, 5), touches(0, 6), touches(9, 10), touches(10, 20), touches(7), touches(10)]).toEqual([
      false,
      true,
      true,
      false,
      true,
      false,
    ]);
  });
});

it('a single space is loaded from what gives its entries, in order', async () => {
  const space = await openSingleSpace('/one', snapshotEngine(EngineCode.Btree, 'b'), { vfs });
  const entry = (n: number) => ({ key: Uint8Array.of(n), value: VALUE });
  expect(await space.load(Array.from({ length: 200 }, (_, n) => entry(n)))).toEqual({ seq: 1, durability: 'fsync' });
  await space.load(
    (async function* () {
      yield entry(200);
      yield entry(201);
    })(),
  );
  expect([...space.scan()]).toHaveLength(202);
  await expect(space.load([entry(2), entry(1)])).rejects.toMatchObject({ code: '22023', detail: /Entry 2/ });
  await expect(space.load([{ key: 'text' as never, value: VALUE }])).rejects.toMatchObject({ code: '22023' });
  await space.close();
});
