import { Random, toHex } from '@phantom/base';
import {
  ArenaTree,
  BatchReader,
  ByteSlot,
  EngineCode,
  type KeyRange,
  type Seq,
  WriteBatch,
  makeSpaceId,
  writeSpace,
} from '@phantom/kv';
import { type ModelOperation, encode } from '@phantom/kv/testing';
import { describe, expect, it, vi } from 'vitest';
import { Delta, type Layer, type LayerCursor, Lookup, VersionKind } from '../src/index.js';

const EMPTY_RANGE: KeyRange = { lower: new Uint8Array(0), upper: undefined };

/** As expect, but cheap enough to call a million times. */
function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

function keyOf(text: string, code: EngineCode = EngineCode.Btree): Uint8Array {
  const key = new Uint8Array(4 + text.length);
  writeSpace(key, 0, makeSpaceId(code, 1));
  for (let i = 0; i < text.length; i++) key[4 + i] = text.charCodeAt(i);
  return key;
}

const put = (text: string, value: string): ModelOperation => ({
  kind: 'put',
  key: keyOf(text),
  value: new TextEncoder().encode(value),
});
const remove = (text: string): ModelOperation => ({ kind: 'remove', key: keyOf(text) });
const removeRange = (lower: string, upper: string): ModelOperation => ({
  kind: 'removeRange',
  lower: keyOf(lower),
  upper: keyOf(upper),
});

/** What one layer must say of a key: its last operation at or below a seq, in plain words. */
interface Answer {
  readonly lookup: Lookup;
  readonly value?: Uint8Array;
  /** The key has a version of its own, so a cursor shows it. */
  readonly shown: boolean;
}

/** Every operation with its seq, in order of time; answers by walking all of it. */
class History {
  readonly operations: { seq: Seq; operation: ModelOperation }[] = [];

  answer(key: Uint8Array, seq: Seq): Answer {
    const text = toHex(key);
    let answer: Answer = { lookup: Lookup.Absent, shown: false };
    for (const { seq: at, operation } of this.operations) {
      if (at > seq) break;
      if (operation.kind === 'removeRange') {
        const inside = text >= toHex(operation.lower) && text < toHex(operation.upper);
        if (inside) answer = { lookup: Lookup.Removed, shown: answer.shown };
      } else if (toHex(operation.key) === text) {
        if (operation.kind === 'put') answer = { lookup: Lookup.Found, value: operation.value, shown: true };
        else answer = { lookup: Lookup.Removed, shown: true };
      }
    }
    return answer;
  }

  keys(): Uint8Array[] {
    const keys = new Map<string, Uint8Array>();
    for (const { operation } of this.operations) {
      if (operation.kind !== 'removeRange') keys.set(toHex(operation.key), operation.key);
    }
    return [...keys.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, key]) => key);
  }
}

class Pair {
  readonly delta: Delta;
  readonly history = new History();
  seq: Seq;
  private readonly slot = new ByteSlot();

  constructor(firstSeq = 1, capacityBytes?: number) {
    this.delta = new Delta(capacityBytes === undefined ? {} : { capacityBytes });
    this.seq = firstSeq - 1;
  }

  commit(
    operations: readonly ModelOperation[],
    slice = Number.POSITIVE_INFINITY,
    foreign = false,
    indexed = false,
  ): void {
    const batch = new WriteBatch();
    if (foreign) {
      const key = keyOf('foreign', EngineCode.Lsm);
      batch.put(key, 0, key.length, key, 0, 4);
    }
    const reader = new BatchReader().setBatch(foreign ? join(batch, operations) : encode(operations));
    if (indexed) reader.index = indexOf(reader);
    this.seq++;
    while (!this.delta.apply(reader, this.seq, slice, EngineCode.Btree))
      must(this.delta.lastSeq < this.seq, 'lastSeq moved');
    for (const operation of operations) this.history.operations.push({ seq: this.seq, operation });
  }

  compareGet(layer: Layer, key: Uint8Array, seq: Seq): void {
    const answer = this.history.answer(key, seq);
    const found = layer.get(key, 0, key.length, seq, this.slot);
    must(found === answer.lookup, `get ${toHex(key)} at ${seq}: ${found} instead of ${answer.lookup}`);
    if (answer.value !== undefined)
      must(toHex(this.slot.copy()) === toHex(answer.value), `value of ${toHex(key)} at ${seq}`);
  }

  expected(range: KeyRange, seq: Seq): { key: string; answer: Answer }[] {
    return this.history
      .keys()
      .map((key) => ({ key: toHex(key), answer: this.history.answer(key, seq) }))
      .filter(
        ({ key, answer }) =>
          answer.shown && key >= toHex(range.lower) && (range.upper === undefined || key < toHex(range.upper)),
      );
  }

  compareRange(layer: Layer, range: KeyRange, seq: Seq): number {
    const expected = this.expected(range, seq);
    const cursor = layer.cursor(range, seq);
    for (const entry of expected) {
      must(cursor.next(), `forward: ${entry.key} is missing`);
      compareEntry(cursor, entry);
    }
    must(!cursor.next() && !cursor.next(), 'forward: more than expected');
    for (const entry of expected.toReversed()) {
      must(cursor.prev(), `reverse: ${entry.key} is missing`);
      compareEntry(cursor, entry);
    }
    must(!cursor.prev() && !cursor.prev(), 'reverse: more than expected');
    cursor.close();
    must(!cursor.next(), 'a closed cursor stays where it is');
    return expected.length;
  }
}

/** The tree that a transaction has made over the keys of a batch. */
function indexOf(batch: BatchReader): ArenaTree {
  const tree = new ArenaTree(batch.bytes);
  while (batch.next()) tree.setPayload(tree.insert(batch.keyStart, batch.keyEnd - batch.keyStart), batch.operation);
  batch.rewind();
  return tree;
}

function compareEntry(cursor: LayerCursor, expected: { key: string; answer: Answer }): void {
  const key = toHex(cursor.key.copy());
  must(key === expected.key, `expected ${expected.key}, found ${key}`);
  must(cursor.removed === (expected.answer.lookup === Lookup.Removed), `removed of ${key}`);
  const value = toHex(cursor.value.copy());
  must(value === (expected.answer.value === undefined ? '' : toHex(expected.answer.value)), `value of ${key}`);
}

function join(batch: WriteBatch, operations: readonly ModelOperation[]): Uint8Array {
  for (const operation of operations) {
    if (operation.kind === 'put')
      batch.put(operation.key, 0, operation.key.length, operation.value, 0, operation.value.length);
    else if (operation.kind === 'remove') batch.remove(operation.key, 0, operation.key.length);
    else batch.removeRange(operation.lower, operation.upper);
  }
  return batch.finish().slice();
}

function randomOperations(random: Random, count: number, keys: number): ModelOperation[] {
  const name = (): string => String(random.below(keys)).padStart(random.chance(0.5) ? 4 : 2, '0');
  return Array.from({ length: count }, () => {
    const dice = random.below(20);
    if (dice < 14) return put(name(), 'x'.repeat(random.below(30)));
    if (dice < 18) return remove(name());
    const [a, b] = [name(), name()];
    return a < b ? removeRange(a, b) : removeRange(b, a);
  });
}

/** Checks a flush against every view and every reader to come, by the rules of a layer, which know seqs only. */
function compareFlush(pair: Pair, viewSeqs: readonly Seq[]): number {
  const { delta, history } = pair;
  const versions = new Map<string, { seq: Seq; kind: VersionKind; value: string }[]>();
  const cursor = delta.versions(viewSeqs);
  let lastKey = '';
  let count = 0;
  while (cursor.next()) {
    count++;
    const key = toHex(cursor.key.copy());
    must(cursor.firstOfKey === (key !== lastKey), 'firstOfKey tells the truth');
    must(key >= lastKey, 'keys ascend');
    const list = versions.get(key) ?? [];
    must(
      list.every(({ seq }) => seq > cursor.seq),
      'versions fall',
    );
    list.push({ seq: cursor.seq, kind: cursor.kind, value: toHex(cursor.value.copy()) });
    versions.set(key, list);
    lastKey = key;
  }
  must(!cursor.next(), 'the end stays the end');
  cursor.close();
  for (const [key, list] of versions) must(list.length <= viewSeqs.length + 1, `too many versions of ${key}`);
  for (const view of [...viewSeqs, pair.seq, pair.seq + 5]) {
    const tombstones = delta.rangeTombstones(view);
    for (const key of history.keys()) {
      const text = toHex(key);
      const version = versions.get(text)?.find(({ seq }) => seq <= view);
      const hidden = tombstones.some(
        ({ lower, upper, seq }) => text >= toHex(lower) && text < toHex(upper) && seq > (version?.seq ?? -1),
      );
      let lookup: Lookup = Lookup.Absent;
      if (hidden || version?.kind === VersionKind.Remove) lookup = Lookup.Removed;
      else if (version !== undefined) lookup = Lookup.Found;
      const answer = history.answer(key, view);
      must(lookup === answer.lookup, `flushed ${text} at ${view}: ${lookup} instead of ${answer.lookup}`);
      if (answer.value !== undefined) must(version?.value === toHex(answer.value), `flushed value of ${text}`);
    }
  }
  return count;
}

describe('Delta', () => {
  it('is empty at first', () => {
    const pair = new Pair();
    pair.compareGet(pair.delta, keyOf('a'), 5);
    expect(pair.compareRange(pair.delta, EMPTY_RANGE, 5)).toBe(0);
    expect(pair.delta.isEmpty).toBe(true);
    expect(pair.delta.entries).toBe(0);
    expect(pair.delta.keyAtFraction(0.5)).toBeUndefined();
    expect(pair.delta.rangeTombstones(9)).toEqual([]);
  });

  it('shows each seq its own version', () => {
    const pair = new Pair(100);
    pair.commit([put('a', '1'), put('b', '1')]);
    pair.commit([put('a', '2'), remove('b')]);
    pair.commit([put('a', '3'), put('a', '4')]);
    for (let seq = 99; seq <= 103; seq++) {
      for (const text of ['', 'a', 'aa', 'b', 'c']) pair.compareGet(pair.delta, keyOf(text), seq);
      expect(pair.compareRange(pair.delta, EMPTY_RANGE, seq)).toBe(seq === 99 ? 0 : 2);
    }
    expect([pair.delta.firstSeq, pair.delta.lastSeq, pair.delta.entries]).toEqual([100, 102, 2]);
  });

  it('orders range removals and writes of one batch by their place', () => {
    const pair = new Pair();
    pair.commit([put('a', '1'), put('b', '1'), put('c', '1')]);
    pair.commit([put('b', '2'), removeRange('a', 'c'), put('a', '2'), removeRange('x', 'x')]);
    expect(pair.delta.rangeTombstones(1)).toEqual([]);
    expect(pair.delta.rangeTombstones(2)).toMatchObject([{ lower: keyOf('a'), upper: keyOf('c'), seq: 2 }]);
    for (const seq of [1, 2]) {
      for (const text of ['a', 'aa', 'b', 'c', 'x']) pair.compareGet(pair.delta, keyOf(text), seq);
      pair.compareRange(pair.delta, EMPTY_RANGE, seq);
    }
    pair.delta.freeze();
    expect(compareFlush(pair, [])).toBe(2);
    expect(compareFlush(pair, [1])).toBe(4);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('agrees with its history, seed %i', (seed) => {
    const random = new Random(seed);
    const pair = new Pair(1 + random.below(1000), random.below(2) * 4096);
    const first = pair.seq + 1;
    const probe = (): Uint8Array => keyOf(String(random.below(60)).padStart(random.chance(0.5) ? 4 : 2, '0'));
    for (let round = 0; round < 60; round++) {
      const slice = random.chance(0.3) ? 1 + random.below(3) : Number.POSITIVE_INFINITY;
      pair.commit(randomOperations(random, random.below(8), 60), slice, random.chance(0.3));
      const seq = first - 1 + random.below(pair.seq - first + 2);
      for (let i = 0; i < 5; i++) pair.compareGet(pair.delta, probe(), seq);
      const [a, b] = [probe(), probe()];
      if (random.chance(0.3))
        pair.compareRange(pair.delta, { lower: a, upper: random.chance(0.2) ? undefined : b }, seq);
    }
    pair.delta.freeze();
    for (let i = 0; i < 4; i++) {
      const views = Array.from({ length: random.below(5) }, () => first + random.below(pair.seq - first + 1));
      expect(
        compareFlush(
          pair,
          views.sort((x, y) => x - y),
        ),
      ).toBeGreaterThan(0);
    }
  });

  it.each([1, 2])('takes over the tree of a large batch, seed %i', (seed) => {
    const random = new Random(seed);
    const pair = new Pair(1 + random.below(1000), random.below(2) * 4096);
    const first = pair.seq + 1;
    const graft = vi.spyOn(pair.delta.tree, 'graft');
    const large = (keys: number): ModelOperation[] =>
      randomOperations(random, 3 * keys, keys).filter(({ kind }) => kind !== 'removeRange');
    for (let i = 0; i < 3; i++) pair.commit([...randomOperations(random, 1, 30), put('0005', 'v')]);
    const seen = pair.seq;
    const cursor = pair.delta.cursor(EMPTY_RANGE, seen);
    const expected = pair.expected(EMPTY_RANGE, seen);
    must(cursor.next(), 'there is a first one');
    compareEntry(cursor, expected[0]!);
    pair.commit(large(30), 5, false, true);
    expect(graft).toHaveBeenCalledTimes(1);
    for (const entry of expected.slice(1)) {
      must(cursor.next(), `${entry.key} is missing to a cursor that lived through it`);
      compareEntry(cursor, entry);
    }
    expect(cursor.next()).toBe(false);
    for (let i = 0; i < 5; i++) pair.commit(randomOperations(random, 3, 200));
    // Several times what there is by now, twins and all.
    pair.commit(large(250), 100, false, true);
    expect(graft).toHaveBeenCalledTimes(2);
    // Not worth it: little beside what there is.
    pair.commit(large(30), 100, false, true);
    expect(graft).toHaveBeenCalledTimes(2);
    for (let i = 0; i < 5; i++) pair.commit(randomOperations(random, 5, 250), 3);
    for (const seq of [seen, seen + 1, pair.seq]) {
      for (let i = 0; i < 30; i++) pair.compareGet(pair.delta, keyOf(String(i).padStart(4, '0')), seq);
      pair.compareRange(pair.delta, EMPTY_RANGE, seq);
    }
    pair.delta.freeze();
    for (const views of [[], [first, seen, pair.seq - 6]]) expect(compareFlush(pair, views)).toBeGreaterThan(0);
  });

  it('takes over no tree where that would be a long turn', () => {
    const delta = new Delta();
    const graft = vi.spyOn(delta.tree, 'graft');
    const apply = (prefix: string, keys: number, seq: Seq): void => {
      const batch = new WriteBatch();
      for (let i = 0; i < keys; i++) {
        const key = keyOf(`${prefix}${i}`);
        batch.put(key, 0, key.length, key, 0, 4);
      }
      const reader = new BatchReader().setBatch(batch.finish());
      reader.index = indexOf(reader);
      while (!delta.apply(reader, seq, 1000, EngineCode.Btree)) must(delta.lastSeq < seq, 'in slices');
    };
    for (let i = 0; i < 9; i++) apply(`a${i}`, i === 0 ? 1000 : 990, i + 1);
    expect(graft).toHaveBeenCalledTimes(1);
    graft.mockClear();
    apply('b', 36_000, 10);
    expect(graft).not.toHaveBeenCalled();
    expect(delta.entries).toBe(1000 + 8 * 990 + 36_000);
  });

  it('lets cursors live through batches', () => {
    const random = new Random(21);
    const pair = new Pair();
    for (let i = 0; i < 40; i++) pair.commit(randomOperations(random, 10, 500));
    const { seq } = pair;
    const range = { lower: keyOf('0100'), upper: keyOf('0400') };
    const expected = pair.expected(range, seq);
    const cursor = pair.delta.cursor(range, seq);
    let at = -1;
    for (let i = 0; i < 2000; i++) {
      const dice = random.below(10);
      let found: boolean;
      if (dice < 5) {
        at = Math.min(at + 1, expected.length);
        found = cursor.next();
      } else if (dice < 8 && i > 0) {
        at = Math.max(at - 1, -1);
        found = cursor.prev();
      } else {
        const key = keyOf(String(random.below(500)).padStart(4, '0'));
        const bound = expected.findIndex((entry) => entry.key >= toHex(key));
        const lowerBound = bound < 0 ? expected.length : bound;
        at = dice === 8 ? lowerBound : lowerBound - 1;
        found = dice === 8 ? cursor.seek(key, 0, key.length) : cursor.seekBefore(key, 0, key.length);
      }
      const there = expected[at];
      must(found === (there !== undefined), `step ${i}: found is ${String(found)} at ${at} of ${expected.length}`);
      if (i % 4 === 0) pair.commit(randomOperations(random, 6, 500));
      if (there !== undefined) compareEntry(cursor, there);
    }
    expect(pair.compareRange(pair.delta, range, seq)).toBe(expected.length);
  });

  it('is the same seen from a descriptor', () => {
    const random = new Random(4);
    const pair = new Pair(7, 0);
    for (let i = 0; i < 100; i++) pair.commit(randomOperations(random, 20, 300));
    pair.delta.freeze();
    expect(pair.delta.frozen).toBe(true);
    const descriptor = pair.delta.descriptor();
    const other = Delta.attach(structuredClone(descriptor));
    expect(other.bytes).toBe(pair.delta.bytes);
    for (const seq of [7, 50, pair.seq]) {
      expect(pair.compareRange(other, EMPTY_RANGE, seq)).toBeGreaterThan(0);
      for (const key of pair.history.keys()) pair.compareGet(other, key, seq);
    }
    expect(other.estimate(EMPTY_RANGE)).toEqual(pair.delta.estimate(EMPTY_RANGE));
  });

  it('copies a batch that is its own in one piece', () => {
    const pair = new Pair(1, 0);
    pair.commit([put('a', 'x'.repeat(100)), put('b', 'y'.repeat(100))]);
    const before = pair.delta.bytes;
    pair.commit([put('a', 'x'.repeat(100)), put('b', 'y'.repeat(100))]);
    const batchBytes = encode([put('a', 'x'.repeat(100)), put('b', 'y'.repeat(100))]).length;
    expect(pair.delta.bytes - before).toBe(batchBytes + 2 * 12);
  });

  it('keeps a large batch that it is given as its arena, and what follows behind it', () => {
    const value = new Uint8Array(700_000).fill(7);
    const key = keyOf('a');
    const batch = new WriteBatch();
    batch.put(key, 0, key.length, value, 0, value.length);
    batch.put(keyOf('b'), 0, key.length, value, 0, value.length);
    const bytes = batch.finish();
    const delta = new Delta();
    const slot = new ByteSlot();
    const apply = (reader: BatchReader, seq: Seq): void =>
      void delta.apply(reader, seq, Number.POSITIVE_INFINITY, EngineCode.Btree);
    const given = new BatchReader().setBatch(bytes);
    given.isGiven = true;
    apply(given, 1);
    expect(delta.get(key, 0, key.length, 1, slot)).toBe(Lookup.Found);
    expect(slot.buffer.buffer).toBe(bytes.buffer);
    apply(new BatchReader().setBatch(encode([put('a', 'new')])), 2);
    expect(delta.get(key, 0, key.length, 1, slot)).toBe(Lookup.Found);
    expect(Buffer.compare(slot.copy(), value)).toBe(0);
    expect(delta.get(key, 0, key.length, 2, slot)).toBe(Lookup.Found);
    expect(new TextDecoder().decode(slot.copy())).toBe('new');
  });

  it('copies a large batch that it is not given', () => {
    const value = new Uint8Array(2_000_000);
    const key = keyOf('a');
    const batch = new WriteBatch();
    batch.put(key, 0, key.length, value, 0, value.length);
    const delta = new Delta();
    delta.apply(new BatchReader().setBatch(batch.finish()), 1, 1, EngineCode.Btree);
    batch.reset();
    batch.put(key, 0, key.length, new Uint8Array(2_000_000).fill(1), 0, 2_000_000);
    const slot = new ByteSlot();
    expect(delta.get(key, 0, key.length, 1, slot)).toBe(Lookup.Found);
    expect(slot.buffer[slot.start]).toBe(0);
  });

  it('never grows by more than the worst case', () => {
    const delta = new Delta();
    const before = delta.bytes;
    const batch = new WriteBatch();
    const key = keyOf('');
    for (let i = 0; i < 20_000; i++) {
      key[2] = (i * 7919) >>> 8;
      key[3] = i * 7919;
      batch.remove(key, 0, 4);
    }
    const reader = new BatchReader().setBatch(batch.finish());
    delta.apply(reader, 1, Number.POSITIVE_INFINITY, EngineCode.Btree);
    expect(delta.bytes - before).toBeLessThan(batch.room);
  });

  it('counts nested range removals', () => {
    const pair = new Pair();
    for (let i = 0; i < 100; i++) pair.commit([removeRange(String(i).padStart(3, '0'), String(300 - i))]);
    expect(pair.delta.bytes).toBeGreaterThan(100 * 100 * 4);
    for (let i = 0; i < 300; i += 7)
      for (const seq of [1, 50, 100]) pair.compareGet(pair.delta, keyOf(String(i).padStart(3, '0')), seq);
    expect(pair.delta.rangeTombstones(40)).toHaveLength(40);
  });

  it('estimates ranges and cuts them', () => {
    const pair = new Pair();
    pair.commit(Array.from({ length: 5000 }, (_, i) => put(String(i).padStart(4, '0'), 'value')));
    const { keys, bytes } = pair.delta.estimate({ lower: keyOf('1000'), upper: keyOf('2000') });
    expect(keys).toBeGreaterThan(800);
    expect(keys).toBeLessThan(1200);
    expect(bytes).toBeGreaterThan(8000);
    expect(pair.delta.estimate({ lower: keyOf('2'), upper: keyOf('1') }).keys).toBe(0);
    const cut = pair.delta.keyAtFraction(0.5) as Uint8Array;
    expect(Math.abs(Number(String.fromCharCode(...cut.subarray(4))) - 2500)).toBeLessThan(100);
  });

  it('refuses what would break its order', () => {
    const pair = new Pair();
    pair.commit([put('a', '1')]);
    const reader = new BatchReader().setBatch(encode([put('a', '2'), put('b', '2')]));
    expect(() => pair.delta.versions([])).toThrow('frozen');
    expect(() => pair.delta.apply(reader, 1, 10, EngineCode.Btree)).toThrow('rising');
    pair.delta.apply(reader, 2, 1, EngineCode.Btree);
    expect(() => pair.delta.apply(reader, 3, 1, EngineCode.Btree)).toThrow('complete');
    expect(() => pair.delta.freeze()).toThrow('between batches');
    expect(pair.delta.apply(reader, 2, 1, EngineCode.Btree)).toBe(true);
    pair.delta.freeze();
    expect(() => pair.delta.apply(reader, 3, 1, EngineCode.Btree)).toThrow('frozen');
  });
});
