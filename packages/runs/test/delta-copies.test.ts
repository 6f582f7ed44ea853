/** Copies of frozen deltas in shared memory: the same answers, and buffers that are used again. */
import { BatchReader, ByteSlot, EngineCode, makeSpaceId, writeSpace } from '@phantom/kv';
import { type ModelOperation, encode } from '@phantom/kv/testing';
import { describe, expect, it } from 'vitest';
import { Delta, DeltaCopies, type DeltaCopy, Lookup, type Wait } from '../src/index.js';

const MIB = 1024 * 1024;

function keyOf(number: number): Uint8Array {
  const key = new Uint8Array(8);
  writeSpace(key, 0, makeSpaceId(EngineCode.Btree, 1));
  new DataView(key.buffer).setUint32(4, number);
  return key;
}

/** Two versions of each key, and a range removal at the end. */
function frozenDelta(keys: number, valueBytes: number): Delta {
  const delta = new Delta();
  const puts = (fill: number): ModelOperation[] =>
    Array.from({ length: keys }, (_, i) => ({
      kind: 'put',
      key: keyOf(i),
      value: new Uint8Array(valueBytes).fill(i + fill),
    }));
  const removal: ModelOperation = { kind: 'removeRange', lower: keyOf(0), upper: keyOf(1) };
  [puts(0), puts(1), [removal]].forEach((operations, i) => {
    delta.apply(new BatchReader().setBatch(encode(operations)), i + 1, Number.POSITIVE_INFINITY, EngineCode.Btree);
  });
  delta.freeze();
  return delta;
}

function made(steps: Generator<Wait, DeltaCopy>): { copy: DeltaCopy; pauses: number } {
  for (let pauses = 0; ; pauses++) {
    const step = steps.next();
    if (step.done === true) return { copy: step.value, pauses };
  }
}

function firstByte(delta: Delta, number: number, seq: number): number | undefined {
  const slot = new ByteSlot();
  const key = keyOf(number);
  return delta.get(key, 0, key.length, seq, slot) === Lookup.Found ? slot.copy()[0] : undefined;
}

describe('copies of deltas', () => {
  it('answer as the delta does, wherever they are read', () => {
    const delta = frozenDelta(200, 10);
    const { copy } = made(new DeltaCopies().make(delta.descriptor()));
    const { arena, older, tree } = copy.descriptor;
    for (const table of [arena, older, tree.nodes, tree.entries]) expect(table.buffer).toBe(copy.buffer);
    const attached = Delta.attach(structuredClone(copy.descriptor));
    expect(attached.bytes).toBe(delta.bytes);
    for (let i = 0; i < 200; i++) {
      for (const seq of [1, 2, 3]) expect(firstByte(attached, i, seq)).toBe(firstByte(delta, i, seq));
    }
    expect([1, 2, 3].map((seq) => firstByte(attached, 0, seq))).toEqual([0, 1, undefined]);
  });

  it('lie in the same buffer one after another, and never two in one', () => {
    const copies = new DeltaCopies();
    const large = frozenDelta(100, 5000);
    const small = frozenDelta(50, 100);
    for (let i = 0; i < 10; i++) {
      const { copy } = made(copies.make((i % 2 === 0 ? large : small).descriptor()));
      copies.giveBack(copy.buffer);
    }
    expect(copies.buffersMade).toBe(1);
    const first = made(copies.make(small.descriptor())).copy;
    const second = made(copies.make(large.descriptor())).copy;
    expect(second.buffer).not.toBe(first.buffer);
    expect(copies.buffersMade).toBe(2);
    expect(firstByte(Delta.attach(first.descriptor), 7, 2)).toBe(8);
  });

  it('are made in pieces, and given back when somebody stops half way', () => {
    const copies = new DeltaCopies();
    const descriptor = frozenDelta(100, 50_000).descriptor();
    expect(descriptor.arena.length).toBeGreaterThan(8 * MIB);
    const steps = copies.make(descriptor);
    expect(steps.next().done).toBe(false);
    steps.return(undefined as never);
    const { copy, pauses } = made(copies.make(descriptor));
    expect(pauses).toBe(2);
    expect(copies.buffersMade).toBe(1);
    expect(Buffer.compare(copy.descriptor.arena, descriptor.arena)).toBe(0);
  });

  it('keep two buffers at most, the larger ones, and none that is too large', () => {
    const copies = new DeltaCopies();
    const descriptor = frozenDelta(10, 10).descriptor();
    for (const bytes of [4 * MIB, MIB, 2 * MIB]) copies.giveBack(new SharedArrayBuffer(bytes));
    const taken = [1, 2, 3].map(() => made(copies.make(descriptor)).copy.buffer.byteLength);
    expect(taken).toEqual([2 * MIB, 4 * MIB, MIB]);
    expect(copies.buffersMade).toBe(1);
    // Nothing is written to it, so it takes no memory.
    copies.giveBack(new SharedArrayBuffer(512 * MIB));
    made(copies.make(descriptor));
    expect(copies.buffersMade).toBe(2);
  });
});
