import { toHex } from '@phantom/base';
import { describe, expect, it } from 'vitest';
import { BatchGroup, BatchReader, EngineCode, WriteBatch, makeSpaceId, writeSpace } from '../src/index.js';

function keyIn(engine: EngineCode, last: number): Uint8Array {
  const key = new Uint8Array(5);
  writeSpace(key, 0, makeSpaceId(engine, 1));
  key[4] = last;
  return key;
}

function batchOf(...operations: readonly (readonly [EngineCode, number])[]): BatchReader {
  const batch = new WriteBatch();
  for (const [engine, last] of operations) {
    const key = keyIn(engine, last);
    batch.put(key, 0, key.length, key, 4, 5, Uint8Array.of(9));
  }
  return new BatchReader().setBatch(batch.finish().slice());
}

/** The last byte of each key that a group gives, and whether its reader may keep the bytes. */
function given(group: BatchGroup): number[] {
  const reader = new BatchReader();
  group.giveTo(reader);
  expect(reader.isGiven).toBe(true);
  const found: number[] = [];
  while (reader.next()) {
    expect(toHex(reader.bytes, reader.valueStart, reader.valueEnd)).toBe(
      toHex(reader.bytes, reader.keyEnd - 1, reader.keyEnd),
    );
    found.push(reader.bytes[reader.keyEnd - 1] as number);
  }
  return found;
}

describe('a group of batches', () => {
  const { Btree, Lsm } = EngineCode;

  it('is one batch with the operations of its engine, in their order', () => {
    const group = new BatchGroup(Btree, 1024);
    expect(group.count).toBe(0);
    group.add(batchOf([Btree, 1], [Btree, 2]));
    const mixed = batchOf([Btree, 3], [Lsm, 4], [Btree, 5]);
    group.add(mixed);
    // The next engine finds the batch at its beginning.
    expect(mixed.position).toBe(0);
    group.add(batchOf([Btree, 1]));
    expect(group.count).toBe(5);
    expect(given(group)).toEqual([1, 2, 3, 5, 1]);
  });

  it('takes batches that lie one behind the other until one is not its own alone, or it is full', () => {
    const batches = [[1], [2], [3, 4], [5], [6]].map((lasts) =>
      batchOf(...lasts.map((last) => [Btree, last] as const)),
    );
    const other = batchOf([Lsm, 7]);
    const lined = [...batches, other, batchOf([Btree, 8])];
    const bytes = new Uint8Array(4 + lined.reduce((sum, { length }) => sum + length, 0));
    const ranges = new Int32Array(lined.length * 2);
    let at = 4;
    for (const [i, batch] of lined.entries()) {
      bytes.set(batch.bytes, at);
      ranges.set([at, at + batch.length], 2 * i);
      at += batch.length;
    }
    const group = new BatchGroup(Btree, 1024);
    expect(group.addRange(bytes, ranges, 1, lined.length)).toBe(4);
    expect(group.addRange(bytes, ranges, 5, lined.length)).toBe(0);
    expect(group.addRange(bytes, ranges, 6, lined.length)).toBe(1);
    expect(given(group)).toEqual([2, 3, 4, 5, 6, 8]);

    const small = new BatchGroup(Btree, batchOf([Btree, 1]).length + 2);
    expect(small.addRange(bytes, ranges, 0, 5)).toBe(1);
    expect(small.addRange(bytes, ranges, 1, 5)).toBe(0);
    expect(small.addRange(bytes, ranges, 2, 5)).toBe(0);
    expect(given(small)).toEqual([1]);

    // What is no batch of one put is looked at more closely.
    bytes[(ranges[2] as number) + 2] = 1;
    expect(() => group.addRange(bytes, ranges, 0, 5)).toThrow('no valid header');
    expect(group.count).toBe(1);
  });

  it('knows whether a range removal is in it', () => {
    const group = new BatchGroup(Btree, 1024);
    const reader = new BatchReader();
    const removal = (...engines: readonly EngineCode[]): BatchReader => {
      const batch = new WriteBatch();
      for (const engine of engines) {
        const [lower, upper] = [keyIn(engine, 1), keyIn(engine, 9)];
        if (engine === Lsm) batch.removeRange(lower, upper);
        else batch.remove(lower, 0, lower.length);
      }
      return new BatchReader().setBatch(batch.finish().slice());
    };
    for (const [engine, batch, expected] of [
      [Btree, batchOf([Btree, 1]), false],
      [Btree, batchOf([Btree, 1], [Btree, 2]), false],
      [Btree, removal(Btree, Lsm), false],
      [Lsm, removal(Lsm), true],
      [Lsm, removal(Btree, Lsm), true],
    ] as const) {
      const one = engine === Btree ? group : new BatchGroup(Lsm, 1024);
      one.add(batch);
      expect(batch.position).toBe(0);
      one.giveTo(reader);
      expect(reader.mayRemoveRanges).toBe(expected);
    }
  });

  it('takes one batch whatever its size, others while there is room, and begins anew once given', () => {
    const batch = batchOf([Btree, 1], [Btree, 2]);
    for (const [capacityBytes, fits] of [
      [0, false],
      [8 + 2 * batch.length, true],
    ] as const) {
      const group = new BatchGroup(Btree, capacityBytes);
      for (let round = 0; round < 2; round++) {
        expect(group.hasRoomFor(batch)).toBe(true);
        group.add(batch);
        expect(group.room).toBe(batch.room);
        expect(group.hasRoomFor(batch)).toBe(fits);
        expect(given(group)).toEqual([1, 2]);
        expect(group.count).toBe(0);
      }
    }
  });
});
