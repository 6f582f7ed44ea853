/** The filter in front of a delta's tree. */
import { BatchReader, ByteSlot, EngineCode, makeSpaceId, writeSpace } from '@phantom/kv';
import { type ModelOperation, encode } from '@phantom/kv/testing';
import { describe, expect, it } from 'vitest';
import { Delta, Lookup } from '../src/index.js';

const slot = new ByteSlot();

function keyOf(number: number): Uint8Array {
  const key = new Uint8Array(8);
  writeSpace(key, 0, makeSpaceId(EngineCode.Lsm, 1));
  new DataView(key.buffer).setUint32(4, number);
  return key;
}

/** Counts descents into the tree. */
class Watched {
  readonly delta = new Delta();
  finds = 0;
  private seq = 0;

  constructor() {
    const { tree } = this.delta;
    const find = tree.find.bind(tree);
    tree.find = (key, start, end) => {
      this.finds++;
      return find(key, start, end);
    };
  }

  put(from: number, to: number): void {
    const operations = Array.from({ length: to - from }, (_, i): ModelOperation => {
      return { kind: 'put', key: keyOf(from + i), value: Uint8Array.of(1) };
    });
    const batch = new BatchReader().setBatch(encode(operations));
    this.delta.apply(batch, ++this.seq, Number.POSITIVE_INFINITY, EngineCode.Lsm);
  }

  has(number: number): boolean {
    return this.delta.get(keyOf(number), 0, 8, this.seq, slot) === Lookup.Found;
  }

  /** Descents that so many lookups of keys that are not there made; NaN when one of them was. */
  missed(lookups: number): number {
    const before = this.finds;
    for (let i = 0; i < lookups; i++) if (this.has(1_000_000 + i)) return Number.NaN;
    return this.finds - before;
  }
}

describe('the filter of a delta', () => {
  it('is made by lookups, and spares those that come behind', () => {
    const watched = new Watched();
    watched.put(0, 8000);
    expect(watched.delta.bytes).toBeLessThan(8000 * 80);
    const first = watched.missed(3000);
    expect(first).toBeGreaterThan(1000);
    expect(first).toBeLessThan(2200);
    expect(watched.missed(1000)).toBeLessThan(40);
    for (let i = 0; i < 8000; i++) expect(watched.has(i)).toBe(true);
  });

  it('never hides what came since, and takes it in with the lookups', () => {
    const watched = new Watched();
    for (let from = 0; from < 30_000; from += 500) {
      watched.put(from, from + 500);
      for (let i = 0; i < 500; i += 7) expect(watched.has(from + i)).toBe(true);
      expect(watched.missed(150)).toBeLessThanOrEqual(150);
    }
    expect(watched.missed(8000)).toBeLessThanOrEqual(8000);
    expect(watched.missed(400)).toBeLessThan(40);
    for (let i = 0; i < 30_000; i += 11) expect(watched.has(i)).toBe(true);
  });

  it('leaves small deltas alone', () => {
    const watched = new Watched();
    watched.put(0, 100);
    const { bytes } = watched.delta;
    expect(watched.missed(500)).toBe(500);
    expect(watched.delta.bytes).toBe(bytes);
  });
});
