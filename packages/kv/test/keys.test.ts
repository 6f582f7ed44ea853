import { Random, compareKeys } from '@phantom/base';
import { describe, expect, it } from 'vitest';
import {
  ARENA_BYTES_MAX,
  ByteArena,
  ByteSlot,
  CursorBatch,
  EngineCode,
  SPACE_NUMBER_MAX,
  engineOfKey,
  engineOfSpace,
  keyAfter,
  makeSpaceId,
  prefixEnd,
  prefixRange,
  spaceOfKey,
  spaceRange,
  writeSpace,
} from '../src/index.js';

describe('spaces', () => {
  it('keep engine and number apart', () => {
    for (const engine of [EngineCode.Memory, EngineCode.Btree, EngineCode.Lsm]) {
      for (const number of [0, 1, 12_345, SPACE_NUMBER_MAX]) {
        const space = makeSpaceId(engine, number);
        const key = new Uint8Array(9).fill(0xff);
        expect(writeSpace(key, 3, space)).toBe(7);
        expect(spaceOfKey(key, 3)).toBe(space);
        expect(engineOfKey(key, 3)).toBe(engine);
        expect(engineOfSpace(space)).toBe(engine);
        expect(space & SPACE_NUMBER_MAX).toBe(number);
      }
    }
    expect(() => makeSpaceId(EngineCode.Btree, SPACE_NUMBER_MAX + 1)).toThrow('28 bits');
    expect(() => makeSpaceId(EngineCode.Btree, -1)).toThrow('28 bits');
  });

  it('lie side by side', () => {
    const range = spaceRange(makeSpaceId(EngineCode.Lsm, 255));
    expect(range).toEqual({ lower: Uint8Array.of(0x20, 0, 0, 255), upper: Uint8Array.of(0x20, 0, 1) });
  });
});

describe('key ranges', () => {
  it('end behind every key with the prefix, and before every other', () => {
    const random = new Random(1);
    for (let i = 0; i < 2000; i++) {
      const prefix = random.bytes(1 + random.below(4)).map((byte) => (random.chance(0.4) ? 0xff : byte));
      const key = Uint8Array.of(...prefix, ...random.bytes(random.below(3)));
      const { lower, upper } = prefixRange(prefix);
      expect(compareKeys(key, lower) >= 0 && (upper === undefined || compareKeys(key, upper) < 0)).toBe(true);
      const isEndless = prefix.every((byte) => byte === 0xff);
      expect(upper === undefined).toBe(isEndless);
      expect(isEndless || (upper as Uint8Array).some((byte, at) => byte !== prefix[at])).toBe(true);
    }
    expect(prefixEnd(new Uint8Array(0))).toBeUndefined();
  });

  it('have a smallest key behind each', () => {
    const key = Uint8Array.of(1, 2);
    expect(keyAfter(key)).toEqual(Uint8Array.of(1, 2, 0));
    expect(compareKeys(keyAfter(key), key)).toBeGreaterThan(0);
    expect(compareKeys(keyAfter(key), Uint8Array.of(1, 2, 0, 0))).toBeLessThan(0);
  });
});

describe('slots and batches of references', () => {
  it('refer to bytes and copy them on demand', () => {
    const slot = new ByteSlot();
    expect(slot.copy()).toEqual(new Uint8Array(0));
    const bytes = Uint8Array.of(1, 2, 3, 4);
    slot.set(bytes, 1, 3);
    const copy = slot.copy();
    bytes[1] = 9;
    expect(copy).toEqual(Uint8Array.of(2, 3));
    const batch = new CursorBatch(3);
    expect([batch.capacity, batch.count, batch.keyBuffers.length, batch.valueEnds.length]).toEqual([3, 0, 3, 3]);
  });
});

describe('ByteArena', () => {
  it('keeps offsets and old buffers as it grows', () => {
    const arena = new ByteArena(0);
    arena.append(new Uint8Array(20), 0, 20);
    const first = arena.buffer;
    const random = new Random(3);
    const pieces: { at: number; bytes: Uint8Array }[] = [];
    for (let i = 0; i < 200; i++) {
      const bytes = random.bytes(random.below(120));
      const around = Uint8Array.of(7, ...bytes, 7);
      pieces.push({ at: arena.append(around, 1, 1 + bytes.length), bytes });
    }
    expect(arena.buffer).not.toBe(first);
    for (const { at, bytes } of pieces) expect(arena.buffer.slice(at, at + bytes.length)).toEqual(bytes);
    expect(arena.length).toBe(pieces.reduce((sum, { bytes }) => sum + bytes.length, 20));
    expect(first.slice(0, 20)).toEqual(arena.buffer.slice(0, 20));
  });

  it('takes memory with its first byte, and none for a buffer that it is given', () => {
    const arena = new ByteArena(1000);
    expect(arena.buffer.length).toBe(0);
    const given = Uint8Array.of(1, 2, 3);
    arena.adopt(given, 3);
    expect(arena.buffer).toBe(given);
    expect(arena.append(given, 0, 2)).toBe(3);
    expect([...arena.buffer.subarray(0, arena.length)]).toEqual([1, 2, 3, 1, 2]);
    const other = new ByteArena(1000);
    expect(other.append(given, 0, 3)).toBe(0);
    expect(other.buffer.length).toBe(1000);
  });

  it('appends uncopied what it has foreseen, and what comes instead as ever', () => {
    const arena = new ByteArena(64);
    const source = Uint8Array.of(1, 2, 3, 4);
    const held = (): number[] => [...arena.buffer.subarray(0, arena.length)];
    const laid = (change: () => void): number[] => {
      arena.foresee(source, 1, 3);
      expect(arena.buffer.subarray(arena.length, arena.length + 2)).toEqual(source.subarray(1, 3));
      const { length } = arena;
      source[1] = 9;
      change();
      arena.append(source, 1, 3);
      source[1] = 2;
      return held().slice(length);
    };
    expect(laid(() => undefined)).toEqual([2, 3]);
    expect(laid(() => arena.append(source, 0, 1))).toEqual([1, 9, 3]);
    expect(laid(() => arena.append(source, 1, 4))).toEqual([9, 3, 4, 9, 3]);
    expect(laid(() => (arena.length += arena.reserve(1) - arena.length + 1))).toEqual([2, 9, 3]);
    expect(laid(() => arena.reserve(100))).toEqual([9, 3]);
    expect(laid(() => arena.append(Uint8Array.of(5, 6), 0, 2))).toEqual([5, 6, 9, 3]);
    expect(held()).toEqual([2, 3, 1, 9, 3, 9, 3, 4, 9, 3, 2, 9, 3, 9, 3, 5, 6, 9, 3]);
  });

  it('is bounded', () => {
    const arena = new ByteArena(0);
    expect(() => arena.reserve(ARENA_BYTES_MAX + 1)).toThrow('2 GiB');
  });
});
