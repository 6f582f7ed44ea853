/** The file of a run: its checks, its parts, its life. */
import { type Checksums, compareKeys, isPhantomError, loadChecksums, readU32, writeU32 } from '@phantom/base';
import { ByteSlot, CursorBatch, type KeyRange } from '@phantom/kv';
import { MemoryVfs } from '@phantom/vfs/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { BlockCache, Lookup, Run, RunWriter, VersionKind } from '../src/index.js';
import { blockSeed } from '../src/format.js';
import { type ModelVersion, getFrom, writeModel } from './run-model.js';

let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});

const EVERYTHING: KeyRange = { lower: new Uint8Array(0), upper: undefined };
const NO_BYTES = new Uint8Array(0);

function numbered(i: number): Uint8Array {
  const key = new Uint8Array(8);
  new DataView(key.buffer).setUint32(2, i);
  return key;
}

function ascending(count: number, valueBytes: number): ModelVersion[] {
  return Array.from({ length: count }, (_, i) => ({
    key: numbered(i),
    seq: 5,
    value: new Uint8Array(valueBytes).fill(i),
  }));
}

describe('the file of a run', () => {
  it('has partitions, which a big cache keeps and a small one gives up', () => {
    const list = ascending(10_000, 3);
    let whole = 0;
    for (const filterBytes of [512 * 1024, 56 * 1024]) {
      const cache = new BlockCache(512 * 1024, filterBytes);
      const run = writeModel(list, [], { checksums, cache, writer: { blockBytes: 60 } });
      expect(run.partitionCount).toBeGreaterThan(1);
      for (let i = 0; i < list.length; i += 97) {
        expect(getFrom(run, numbered(i), 9)).toEqual({ lookup: Lookup.Found, value: (list[i] as ModelVersion).value });
      }
      // With too little room for one partition, each block costs its index anew.
      const range = whole === 0 ? EVERYTHING : { lower: numbered(0), upper: numbered(1000) };
      const cursor = run.cursor(range, 9);
      let count = 0;
      while (cursor.next()) count++;
      expect(count).toBe(whole === 0 ? list.length : 1000);
      while (cursor.prev()) count--;
      expect(count).toBe(0);
      expect(cache.bytes).toBeLessThanOrEqual(512 * 1024);
      expect(cache.filters.bytes).toBeLessThanOrEqual(filterBytes);
      whole = Math.max(whole, cache.filters.bytes);
      expect([...run.check()]).toEqual([]);
      run.release();
      expect(cache.bytes + cache.filters.bytes).toBe(0);
      expect(cache.count + cache.filters.count).toBe(0);
    }
    // The second had too little room for all of them.
    expect(whole).toBeGreaterThan(56 * 1024);
  });

  it('can be read without any cache', () => {
    const list = ascending(300, 3);
    const cache = new BlockCache(0, 0);
    const run = writeModel(list, [], { checksums, cache, writer: { blockBytes: 200 } });
    for (const { key, value } of list) expect(getFrom(run, key, 9)).toEqual({ lookup: Lookup.Found, value });
    expect(cache.count).toBe(0);
    run.release();
  });

  it('takes blocks in that come again and again, and none that lookups of all keys pass by', () => {
    const list = ascending(4000, 100);
    const cache = new BlockCache(128 * 1024);
    const run = writeModel(list, [], { checksums, cache, writer: { blockBytes: 1000 } });
    const readsOf = (from: number, to: number, step = 1): number => {
      const before = run.counters.blocksRead;
      for (let i = from; i < to; i += step) getFrom(run, numbered(i), 9);
      return run.counters.blocksRead - before;
    };
    // Those that lie in a block follow each other.
    expect(readsOf(0, 4000)).toBeLessThan(run.blockCount * 2.1);
    for (let round = 0; round < 20; round++) readsOf(3000, 3400, 10);
    expect(readsOf(3000, 3400)).toBe(0);
    expect(readsOf(0, 3000, 10)).toBeGreaterThan(250);
    expect(readsOf(3000, 3400)).toBe(0);
    run.release();
  });

  it('keeps what finds a block, whatever becomes of the blocks', () => {
    const list = ascending(10_000, 3);
    const vfs = new MemoryVfs({ losesPower: false });
    const run = writeModel(list, [], { checksums, vfs, cache: new BlockCache(0), writer: { blockBytes: 60 } });
    for (const { key } of list) getFrom(run, key, 9);
    let reads = 0;
    vfs.onOperation = ({ operation }) => void (reads += operation === 'read' ? 1 : 0);
    for (let i = 0; i < list.length; i += 97) {
      reads = 0;
      getFrom(run, numbered(i), 9);
      expect(reads).toBe(1);
    }
    run.release();
  });

  it.each([[0], [4 << 20]])('reads many blocks at once for who walks through it, with a cache of %i bytes', (bytes) => {
    const list = ascending(10_000, 20);
    const vfs = new MemoryVfs({ losesPower: false });
    const run = writeModel(list, [], { checksums, vfs, cache: new BlockCache(bytes), writer: { blockBytes: 1000 } });
    let reads = 0;
    vfs.onOperation = ({ operation }) => void (reads += operation === 'read' ? 1 : 0);
    const walk = run.cursor(EVERYTHING, 9);
    for (const { value } of list) expect(walk.next() && walk.value.copy()).toEqual(value);
    expect(walk.next()).toBe(false);
    expect(reads).toBeLessThan(run.blockCount / 4);
    reads = 0;
    const near = run.cursor(EVERYTHING, 9);
    near.next();
    // The index has to be read where nothing is kept, and one block.
    expect(reads).toBeLessThanOrEqual(bytes === 0 ? 3 : 0);
    walk.close();
    near.close();
    run.release();
  });

  it('leaves alone what it has shown while blocks come and go', () => {
    const list = ascending(2000, 20);
    const run = writeModel(list, [], { checksums, cache: new BlockCache(64 * 1024), writer: { blockBytes: 500 } });
    const cursor = run.cursor(EVERYTHING, 9);
    const batch = new CursorBatch(50);
    cursor.next();
    cursor.fillBefore(batch, undefined);
    const slots = list.map(({ key }) => {
      const slot = new ByteSlot();
      expect(run.get(key, 0, key.length, 9, slot)).toBe(Lookup.Found);
      return slot;
    });
    expect(slots.map((slot) => slot.copy())).toEqual(list.map(({ value }) => value));
    expect(cursor.value.copy()).toEqual((list[batch.count - 1] as ModelVersion).value);
    for (let i = 0; i < batch.count; i++) {
      const value = (batch.valueBuffers[i] as Uint8Array).slice(batch.valueStarts[i], batch.valueEnds[i]);
      expect(value).toEqual((list[i] as ModelVersion).value);
    }
    cursor.close();
    run.release();
  });

  it('reads a block once for hot keys, and none for most absent ones', () => {
    const list = ascending(5000, 20);
    const run = writeModel(
      list.filter((_, i) => i % 2 === 0),
      [],
      { checksums, cache: new BlockCache(4 << 20) },
    );
    for (let round = 0; round < 5; round++) for (let i = 0; i < 5000; i += 2) getFrom(run, numbered(i), 9);
    expect(run.counters.blocksRead).toBe(run.blockCount);
    const before = { ...run.counters };
    for (let i = 1; i < 5000; i += 2) expect(getFrom(run, numbered(i), 9).lookup).toBe(Lookup.Absent);
    expect(run.counters.filterMisses - before.filterMisses).toBeGreaterThan(2400);
    run.release();
  });

  it('finds keys that share less than those at the restart points of their block', () => {
    const list = ascending(17, 3);
    for (const last of [4, 200]) list.push({ key: Uint8Array.of(1, last, 7), seq: 5, value: Uint8Array.of(last) });
    const run = writeModel(list, [], { checksums });
    for (const { key, value } of list) expect(getFrom(run, key, 9)).toEqual({ lookup: Lookup.Found, value });
    for (const absent of [Uint8Array.of(0), Uint8Array.of(1, 5), Uint8Array.of(1, 200, 7, 0), numbered(17)]) {
      expect(getFrom(run, absent, 9).lookup).toBe(Lookup.Absent);
    }
    run.release();
  });

  it('says what a range holds and where to cut it', () => {
    const run = writeModel(ascending(20_000, 30), [], { checksums, writer: { blockBytes: 500 } });
    const whole = run.estimate(EVERYTHING);
    expect(whole).toEqual({ keys: 20_000, bytes: run.bytes });
    const tenth = run.estimate({ lower: numbered(4000), upper: numbered(6000) });
    expect(tenth.keys).toBeGreaterThan(1900);
    expect(tenth.keys).toBeLessThan(2100);
    expect(run.estimate({ lower: numbered(6000), upper: numbered(4000) }).keys).toBe(0);
    expect(run.estimate({ lower: NO_BYTES, upper: Uint8Array.of(0) }).keys).toBe(0);
    const cuts = run.cuts(EVERYTHING, 4);
    const counts = cuts.map((cut) => run.estimate({ lower: NO_BYTES, upper: cut }).keys);
    expect(counts.map((count) => Math.round(count / 1000))).toEqual([5, 10, 15]);
    run.release();
    const empty = writeModel([], [], { checksums });
    expect(empty.estimate(EVERYTHING)).toEqual({ keys: 0, bytes: 0 });
    expect(empty.cuts(EVERYTHING, 4)).toEqual([]);
    expect(empty.cursor(EVERYTHING, 9).prev()).toBe(false);
    empty.release();
  });

  it('keeps big values, and entries that fill a block each', () => {
    const list = [0, 1, 127, 128, 16_383, 16_384, 70_000, 1_000_000].map((bytes, i) => ({
      key: numbered(i),
      seq: i + 1,
      value: new Uint8Array(bytes).fill(i),
    }));
    const run = writeModel(list, [], { checksums });
    for (const { key, value } of list) {
      const found = getFrom(run, key, 99).value as Uint8Array;
      expect(compareKeys(found, value)).toBe(0);
    }
    expect(run.seqMin).toBe(1);
    expect(run.seqMax).toBe(8);
    run.release();
  });

  it('shows ranges removed up to a seq only', () => {
    const range = (seq: number) => ({ lower: numbered(2), upper: numbered(5), seq });
    const run = writeModel(ascending(8, 1), [range(7), range(3)], { checksums });
    expect(run.rangeTombstones(2)).toEqual([]);
    expect(run.rangeTombstones(2)).toBe(run.rangeTombstones(1));
    expect(run.rangeTombstones(3)).toEqual([range(3)]);
    expect(run.rangeTombstones(100)).toEqual([range(7), range(3)]);
    expect(run.rangeTombstoneCount).toBe(2);
    run.release();
  });

  it('is given another base by whoever takes it over', () => {
    const vfs = new MemoryVfs();
    const run = writeModel(
      ascending(3, 1).map((item) => ({ ...item, seq: 0 })),
      [],
      { checksums, vfs, path: 'a' },
    );
    run.release();
    const taken = new Run({ vfs, path: 'a', checksums, cache: new BlockCache(1 << 20), seqBase: 50 });
    expect(getFrom(taken, numbered(1), 49).lookup).toBe(Lookup.Absent);
    expect(getFrom(taken, numbered(1), 50).lookup).toBe(Lookup.Found);
    expect(taken.seqMax).toBe(50);
    taken.release();
  });

  it('goes with its last holder once it is doomed', () => {
    const vfs = new MemoryVfs();
    const run = writeModel(ascending(3, 1), [], { checksums, vfs, path: 'a' });
    run.retain();
    run.removeWhenReleased();
    run.release();
    expect(vfs.exists('a')).toBe(true);
    run.release();
    expect(vfs.exists('a')).toBe(false);
    expect(() => run.release()).toThrow('released more often');
    expect(() => run.retain()).toThrow('after it was closed');
  });

  it('is released quietly though its file cannot be removed', () => {
    const vfs = new MemoryVfs();
    const warnings: string[] = [];
    const logger = {
      debug: () => undefined,
      info: () => undefined,
      error: () => undefined,
      warn: (text: string) => void warnings.push(text),
    };
    writeModel(ascending(3, 1), [], { checksums, vfs, path: 'a' }).release();
    const run = new Run({ vfs, path: 'a', checksums, logger, cache: new BlockCache(1 << 20) });
    run.moved('gone/away');
    run.removeWhenReleased();
    run.release();
    expect(warnings).toEqual(['a run could not be closed or removed']);
  });
});

describe('a writer', () => {
  it('insists on the order of what it is fed', () => {
    const vfs = new MemoryVfs();
    const writer = new RunWriter({ vfs, path: 'a', checksums, identity: 1, seqBase: 5 });
    const add = (key: number, seq: number): void =>
      writer.add(numbered(key), 0, 8, seq, VersionKind.Remove, NO_BYTES, 0, 0);
    add(3, 9);
    expect(() => add(2, 9)).toThrow('ascend');
    expect(() => add(3, 9)).toThrow('descend');
    expect(() => add(4, 4)).toThrow('seq base');
    expect(() => writer.addRangeTombstone({ lower: numbered(1), upper: numbered(2), seq: 4 })).toThrow('seq base');
    expect(writer.bytes).toBeGreaterThan(0);
    expect(() => new RunWriter({ vfs, path: 'a', checksums, identity: 1 })).toThrow('a');
    writer.close();
  });

  it('is fed in slices of time and syncs on either way', async () => {
    const vfs = new MemoryVfs();
    const source = writeModel(ascending(1000, 10), [], { checksums, vfs });
    const writer = new RunWriter({ vfs, path: 'copy', checksums, identity: 7 });
    const versions = source.versions(true);
    let nowMs = 0;
    let slices = 1;
    while (!writer.addFrom(versions, () => nowMs++, nowMs)) slices++;
    expect(slices).toBeGreaterThan(10);
    const { bytes, entries, removals } = writer.finish();
    expect({ entries, removals, path: writer.path }).toEqual({ entries: 1000, removals: 0, path: 'copy' });
    await writer.sync();
    writer.close();
    const copy = new Run({ vfs, path: 'copy', checksums, cache: new BlockCache(1 << 20), bytes, identity: 7 });
    expect(getFrom(copy, numbered(999), 5).lookup).toBe(Lookup.Found);
    copy.release();
    source.release();
  });
});

describe('a damaged run', () => {
  const list = ascending(60, 20).map((item, i) => (i % 5 === 0 ? { ...item, value: undefined } : item));
  const ranges = [{ lower: numbered(20), upper: numbered(30), seq: 6 }];

  function readAll(vfs: MemoryVfs, bytes: number, identity: number): string {
    const run = new Run({ vfs, path: 'a', checksums, cache: new BlockCache(1 << 20), bytes, identity });
    try {
      let text = '';
      const cursor = run.cursor(EVERYTHING, 9);
      while (cursor.next())
        text += `${cursor.key.copy().join('.')}=${cursor.removed ? '-' : cursor.value.copy().join('.')} `;
      const slot = new ByteSlot();
      for (const { key } of list) text += run.get(key, 0, key.length, 9, slot);
      return text;
    } finally {
      run.release();
    }
  }

  it('says so whichever bit has flipped', () => {
    const vfs = new MemoryVfs({ losesPower: false });
    const { bytes, identity } = writeModel(list, ranges, { checksums, vfs, path: 'a', writer: { blockBytes: 500 } });
    const whole = vfs.readFile('a');
    const expected = readAll(vfs, bytes, identity);
    for (let at = 0; at < whole.length; at++) {
      vfs.corrupt('a', at, Uint8Array.of((whole[at] as number) ^ (1 << (at & 7))));
      let found: unknown;
      try {
        found = readAll(vfs, bytes, identity);
      } catch (error) {
        found = error;
      }
      if (!isPhantomError(found) || found.code !== 'XX001')
        throw new Error(`byte ${at} is flipped and nobody noticed: ${String(found)}`);
      vfs.corrupt('a', at, whole.subarray(at, at + 1));
    }
    expect(readAll(vfs, bytes, identity)).toBe(expected);
  });

  it('says so when blocks have changed places, and check finds them', () => {
    const vfs = new MemoryVfs({ losesPower: false });
    const run = writeModel(ascending(200, 20), [], { checksums, vfs, path: 'a', writer: { blockBytes: 300 } });
    const whole = vfs.readFile('a');
    // The first two data blocks are of the same size: entries of the same shape.
    const second = findBlock(whole, 1);
    vfs.corrupt('a', 32, whole.slice(second, second + second - 32));
    expect([...run.check()].map(({ message }) => message).join()).toContain('checksum');
    expect(() => getFrom(run, numbered(0), 9)).toThrow('checksum');
    run.release();
  });

  it('says so when the file has another length or is another run', () => {
    const vfs = new MemoryVfs({ losesPower: false });
    const { bytes, identity } = writeModel(list, ranges, { checksums, vfs, path: 'a' });
    const open = (more: { bytes?: number; identity?: number }): Run =>
      new Run({ vfs, path: 'a', checksums, cache: new BlockCache(1 << 20), ...more });
    expect(() => open({ bytes: bytes + 1 })).toThrow('size');
    expect(() => open({ identity: identity + 1 })).toThrow('another');
    const file = vfs.open('a', { mode: 'write' });
    for (const keep of [bytes - 1, 79, 10, 0]) {
      file.truncate(keep);
      expect(() => open({})).toThrow(/cut short|footer/);
    }
  });

  it('refuses what a later format may bring', () => {
    const vfs = new MemoryVfs({ losesPower: false });
    const run = writeModel(ascending(3, 1), [], { checksums, vfs, path: 'a' });
    const whole = vfs.readFile('a');
    const end = findBlock(whole, 1);
    const block = whole.slice(32, end);
    block[block.length - 9] = 3;
    const checksum = checksums.h64(block, 0, block.length - 8, blockSeed(run.identity, 32));
    writeU32(block, block.length - 8, Number(checksum & 0xffffffffn));
    writeU32(block, block.length - 4, Number(checksum >> 32n));
    vfs.corrupt('a', 32, block);
    expect(() => getFrom(run, numbered(0), 9)).toThrow('block codec 3');
    run.release();
  });
});

/** Where the n-th block begins, found by trying checksums. */
function findBlock(whole: Uint8Array, n: number): number {
  const identity = readU32(whole, 16);
  let offset = 32;
  for (let block = 0; block < n; block++) {
    let end = offset + 9;
    for (; ; end++) {
      const checksum = checksums.h64(whole, offset, end - 8, blockSeed(identity, offset));
      const view = new DataView(whole.buffer, whole.byteOffset);
      if (view.getBigUint64(end - 8, true) === checksum) break;
    }
    offset = end;
  }
  return offset;
}
