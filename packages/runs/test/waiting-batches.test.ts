import { Random, toHex } from '@phantom/base';
import { BatchReader, ByteSlot, EngineCode, type KeyRange, WriteBatch, makeSpaceId, writeSpace } from '@phantom/kv';
import { describe, expect, it } from 'vitest';
import { Delta, type Layer, VersionKind } from '../src/index.js';

function keyOf(space: number, text: string): Uint8Array {
  const key = new Uint8Array(4 + text.length);
  writeSpace(key, 0, makeSpaceId(EngineCode.Btree, space));
  for (let i = 0; i < text.length; i++) key[4 + i] = text.charCodeAt(i);
  return key;
}

const spaceRange = (space: number): KeyRange => ({ lower: keyOf(space, ''), upper: keyOf(space + 1, '') });

function batchOf(operations: readonly (readonly [key: Uint8Array, value: string | undefined])[]): Uint8Array {
  const batch = new WriteBatch();
  for (const [key, value] of operations) {
    if (value === undefined) batch.remove(key, 0, key.length);
    else batch.put(key, 0, key.length, Buffer.from(value), 0, value.length);
  }
  return batch.finish().slice();
}

/** As a recovery gives a batch: it waits. */
function layDown(delta: Delta, bytes: Uint8Array, seq: number, mayRemoveRanges = false): void {
  const reader = new BatchReader().setBatch(bytes.slice());
  reader.isGiven = true;
  reader.mayRemoveRanges = mayRemoveRanges;
  expect(delta.apply(reader, seq, Number.POSITIVE_INFINITY, EngineCode.Btree)).toBe(true);
}

function apply(delta: Delta, bytes: Uint8Array, seq: number): void {
  delta.apply(new BatchReader().setBatch(bytes), seq, Number.POSITIVE_INFINITY, EngineCode.Btree);
}

function read(layer: Layer, key: Uint8Array, seq: number): string {
  const slot = new ByteSlot();
  const lookup = layer.get(key, 0, key.length, seq, slot);
  return `${lookup} ${toHex(slot.copy())}`;
}

function walk(layer: Layer, range: KeyRange, seq: number): string[] {
  const cursor = layer.cursor(range, seq);
  const found: string[] = [];
  while (cursor.next()) found.push(`${toHex(cursor.key.copy())} ${cursor.removed} ${toHex(cursor.value.copy())}`);
  cursor.close();
  return found;
}

describe('batches that wait in a delta', () => {
  it('stay out of its tree for who asks for something else', () => {
    const delta = new Delta();
    layDown(
      delta,
      batchOf([
        [keyOf(7, 'apple'), '3'],
        [keyOf(7, 'pear'), undefined],
      ]),
      1,
    );
    expect(delta.entries).toBe(2);
    expect(delta.isEmpty).toBe(false);
    expect(read(delta, keyOf(7, 'plum'), 1)).toBe('0 ');
    expect(walk(delta, spaceRange(3), 1)).toEqual([]);
    expect(delta.estimate(spaceRange(3))).toEqual({ keys: 0, bytes: 0 });
    expect(delta.estimate(spaceRange(7)).keys).toBe(2);
    expect(delta.tree.count).toBe(0);
    // A range of a space says too little about itself.
    expect(delta.estimate({ lower: keyOf(7, 'p'), upper: keyOf(7, 'q') }).keys).toBe(1);
    expect(delta.tree.count).toBe(2);
  });

  it.each([
    ['a get', (delta: Delta) => expect(read(delta, keyOf(7, 'apple'), 1)).toBe('1 33')],
    ['a scan', (delta: Delta) => expect(walk(delta, spaceRange(7), 1)).toHaveLength(1)],
    ['a scan of everything', (delta: Delta) => void walk(delta, { lower: new Uint8Array(0), upper: undefined }, 1)],
    ['cuts', (delta: Delta) => void delta.cuts(spaceRange(7), 2)],
    ['a key in the middle', (delta: Delta) => expect(delta.keyAtFraction(0.5)).toEqual(keyOf(7, 'apple'))],
    ['a copy for a thread', (delta: Delta) => expect(delta.descriptor().tree.count).toBe(1)],
    ['the next batch', (delta: Delta) => apply(delta, batchOf([[keyOf(7, 'apple'), '4']]), 2)],
    [
      'a flush',
      (delta: Delta) => {
        delta.freeze();
        const versions = delta.versions([]);
        expect(versions.next()).toBe(true);
        expect(versions.kind).toBe(VersionKind.Put);
      },
    ],
  ])('go into its tree for %s', (_name, use) => {
    const delta = new Delta();
    layDown(delta, batchOf([[keyOf(7, 'apple'), '3']]), 1);
    expect(delta.tree.count).toBe(0);
    const before = delta.bytes;
    use(delta);
    expect(delta.tree.count).toBe(1);
    expect(delta.bytes).toBeLessThan(before + 1000);
  });

  it('go into its tree when readers have searched them often enough', () => {
    const delta = new Delta();
    layDown(delta, batchOf([[keyOf(7, 'apple'), '3']]), 1);
    for (let i = 0; i < 100 && delta.tree.count === 0; i++) expect(read(delta, keyOf(7, 'plum'), 1)).toBe('0 ');
    expect(delta.tree.count).toBe(1);
  });

  it('do not wait when a range removal may be among them', () => {
    const delta = new Delta();
    layDown(delta, batchOf([[keyOf(7, 'apple'), '3']]), 1, true);
    expect(delta.tree.count).toBe(1);
  });

  it('are found broken each time, not once', () => {
    const delta = new Delta();
    const bytes = batchOf([
      [keyOf(7, 'apple'), '3'],
      [keyOf(7, 'pear'), '4'],
    ]);
    bytes[bytes.length - 12] = 77;
    layDown(delta, bytes, 1);
    for (let i = 0; i < 2; i++) expect(() => read(delta, keyOf(7, 'apple'), 1)).toThrow(/write batch|key/);
  });

  it('answer as if they were in its tree, whoever asks what in between', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = new Random(seed);
      const waiting = new Delta();
      const plain = new Delta();
      const anyKey = (): Uint8Array => keyOf(1 + random.below(3), String(random.below(20)));
      for (let seq = 1; seq <= 12; seq++) {
        const bytes = batchOf(
          Array.from({ length: 1 + random.below(5) }, () => [
            anyKey(),
            random.below(4) === 0 ? undefined : String(random.below(1000)),
          ]),
        );
        if (random.below(4) === 0) apply(waiting, bytes, seq);
        else layDown(waiting, bytes, seq);
        apply(plain, bytes, seq);
        const key = anyKey();
        const range = random.below(2) === 0 ? spaceRange(1 + random.below(4)) : { lower: key, upper: keyOf(9, '') };
        const at = 1 + random.below(seq);
        if (random.below(2) === 0) expect(read(waiting, key, at)).toBe(read(plain, key, at));
        if (random.below(4) === 0) expect(walk(waiting, range, at)).toEqual(walk(plain, range, at));
        expect(waiting.lastSeq).toBe(plain.lastSeq);
      }
      for (let seq = 1; seq <= 12; seq++) {
        const all = { lower: new Uint8Array(0), upper: undefined };
        expect(walk(waiting, all, seq)).toEqual(walk(plain, all, seq));
      }
      expect(waiting.bytes).toBe(plain.bytes);
    }
  });
});
