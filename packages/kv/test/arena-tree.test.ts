import { Random, compareKeys } from '@phantom/base';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { ArenaTree, ArenaTreeCursor, ByteArena, NONE } from '../src/index.js';

/** As expect, but cheap enough to call a million times. */
function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

const same = (a: Uint8Array, b: Uint8Array | undefined): boolean => b !== undefined && compareKeys(a, b) === 0;

/** A tree with its arena, and a sorted array beside it that must agree. */
class Pair {
  readonly arena: ByteArena;
  readonly tree: ArenaTree;
  readonly model: Uint8Array[] = [];
  readonly order: Uint8Array[] = [];

  constructor() {
    this.arena = new ByteArena(8);
    this.tree = new ArenaTree(this.arena.buffer, { capacity: 1 });
  }

  insert(key: Uint8Array): void {
    const offset = this.arena.append(key, 0, key.length);
    this.tree.setKeys(this.arena.buffer);
    const entry = this.tree.insert(offset, key.length);
    const at = lowerBound(this.model, key);
    const present = at < this.model.length && compareKeys(this.model[at] as Uint8Array, key) === 0;
    must(this.tree.inserted === !present, 'inserted tells the truth');
    if (present) {
      must(same(this.keyOf(entry), key), 'the entry found has the key');
      return;
    }
    must(entry === this.order.length, 'entry ids count up');
    this.tree.setPayload(entry, this.order.length * 3);
    this.order.push(key);
    this.model.splice(at, 0, key);
  }

  truncate(count: number): void {
    const going = new Set(this.order.splice(count));
    for (let i = this.model.length - 1; i >= 0; i--)
      if (going.has(this.model[i] as Uint8Array)) this.model.splice(i, 1);
    this.tree.truncate(count);
    // What is gone from the tree may be overwritten in the arena.
    const end = this.order.length === 0 ? 0 : this.tree.keyEnd(this.order.length - 1);
    this.arena.buffer.fill(0xee, end);
    this.arena.length = end;
  }

  keyOf(entry: number): Uint8Array {
    return this.tree.keys.slice(this.tree.keyStart(entry), this.tree.keyEnd(entry));
  }

  /** Compares everything and returns how many entries there are. */
  check(): number {
    const { tree, model } = this;
    must(tree.count === model.length, 'counts agree');
    const cursor = new ArenaTreeCursor(tree);
    let i = 0;
    for (let more = cursor.first(); more; more = cursor.next())
      must(same(this.keyOf(cursor.entry), model[i++]), 'forward order');
    must(i === model.length, 'forward to the end');
    for (let more = cursor.last(); more; more = cursor.prev())
      must(same(this.keyOf(cursor.entry), model[--i]), 'reverse order');
    must(i === 0, 'back to the start');
    for (const key of model) {
      const entry = tree.find(key, 0, key.length);
      must(entry !== NONE && same(this.keyOf(entry), key), 'every key is found');
      must(same(key, this.order[tree.payload(entry) / 3]), 'payloads stay with their keys');
    }
    return model.length;
  }

  probe(key: Uint8Array): void {
    const { tree, model } = this;
    const at = lowerBound(model, key);
    const exact = at < model.length && compareKeys(model[at] as Uint8Array, key) === 0;
    must((tree.find(key, 0, key.length) !== NONE) === exact, 'find');
    must(tree.isBehindLast(key, 0, key.length) === (at === model.length), 'isBehindLast');
    must(!(exact && tree.isInGap(key, 0, key.length)), 'what is there is in no gap');
    const cursor = new ArenaTreeCursor(tree);
    must(cursor.seek(key, 0, key.length) === at < model.length, 'seek');
    must(at === model.length || same(this.keyOf(cursor.entry), model[at]), 'seek finds the first at or after');
    must(cursor.seekBefore(key, 0, key.length) === at > 0, 'seekBefore');
    must(at === 0 || same(this.keyOf(cursor.entry), model[at - 1]), 'seekBefore finds the last before');
  }
}

function lowerBound(model: readonly Uint8Array[], key: Uint8Array): number {
  let low = 0;
  let high = model.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareKeys(model[middle] as Uint8Array, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

const u32Key = (value: number): Uint8Array =>
  Uint8Array.of(0x10, 0, 0, 7, value >>> 24, value >>> 16, value >>> 8, value);

/** Families of keys that stress prefixes: short ones, zero bytes at the end, long common heads, counters. */
const shapes: Record<string, (random: Random) => Uint8Array> = {
  'uniform keys of 16 bytes': (random) => random.bytes(16),
  'short keys over two letters': (random) =>
    Uint8Array.from({ length: random.below(14) }, () => (random.chance(0.5) ? 0 : 0xff)),
  'zeros and their prefixes': (random) => new Uint8Array(random.below(40)),
  'counters in three tables': (random) => {
    const key = u32Key(random.below(3000));
    key[3] = random.below(3);
    return key;
  },
  'a long common head': (random) => {
    const key = new Uint8Array(40 + random.below(6)).fill(0x61);
    for (let i = 30; i < key.length; i++) key[i] = random.below(3) * 127;
    return key;
  },
  'heads of different lengths': (random) => {
    const head = [0, 3, 9, 30][random.below(4)] as number;
    const key = new Uint8Array(head + 1 + random.below(5)).fill(0x62);
    for (let i = head; i < key.length; i++) key[i] = random.below(256);
    return key;
  },
};

describe('ArenaTree', () => {
  it('is empty at first', () => {
    const pair = new Pair();
    expect(pair.check()).toBe(pair.order.length);
    pair.probe(u32Key(1));
    pair.probe(new Uint8Array(0));
  });

  for (const [name, make] of Object.entries(shapes)) {
    it(`agrees with a sorted array on ${name}`, () => {
      const random = new Random(11);
      const pair = new Pair();
      for (let i = 0; i < 6000; i++) pair.insert(make(random));
      expect(pair.check()).toBe(pair.order.length);
      for (let i = 0; i < 2000; i++) pair.probe(make(random));
    });

    it(`rolls back to any earlier count on ${name}`, () => {
      const random = new Random(5);
      const pair = new Pair();
      for (let round = 0; round < 40; round++) {
        const inserts = random.below(400);
        for (let i = 0; i < inserts; i++) pair.insert(make(random));
        if (random.chance(0.6)) pair.truncate(random.below(pair.order.length + 1));
        expect(pair.check()).toBe(pair.order.length);
        for (let i = 0; i < 50; i++) pair.probe(make(random));
      }
    });
  }

  it('keeps nodes full when keys arrive in ascending order', () => {
    const pair = new Pair();
    for (let i = 0; i < 60 * 60; i++) pair.insert(u32Key(i * 5));
    expect(pair.check()).toBe(pair.order.length);
    expect(pair.tree.bytes / pair.tree.count).toBeLessThan(22);
    for (let i = 0; i < 500; i++) pair.probe(u32Key(i * 3));
  });

  it('keeps nodes nearly full when several tables grow at their ends', () => {
    const pair = new Pair();
    for (let i = 0; i < 3000; i++)
      for (let table = 0; table < 1; table++) pair.insert(Uint8Array.of(1, table, i >> 8, i));
    const before = pair.tree.bytes;
    for (let i = 0; i < 3000; i++) pair.insert(Uint8Array.of(0, 0, i >> 8, i));
    expect(pair.check()).toBe(pair.order.length);
    expect((pair.tree.bytes - before) / 3000).toBeLessThan(24);
  });

  it('puts runs of ascending keys among others without looking for their places', () => {
    const pair = new Pair();
    const descend = vi.spyOn(pair.tree, 'descend');
    let among = 0;
    let inGap = 0;
    for (let digits = 1; digits <= 4; digits++) {
      for (let i = 10 ** (digits - 1); i < 10 ** digits; i++) {
        const key = new TextEncoder().encode(`d${i}`);
        if (pair.tree.isInGap(key, 0, key.length)) inGap++;
        if (!pair.tree.isBehindLast(key, 0, key.length)) among++;
        pair.insert(key);
      }
    }
    // Only where a run passes a shorter number, and where a leaf is full.
    expect(descend.mock.calls.length).toBeLessThan(0.2 * among);
    expect(inGap).toBeGreaterThan(0.8 * among);
    expect(pair.check()).toBe(pair.order.length);
  });

  it.each(Object.entries(shapes))('takes in a tree of %s', (_name, make) => {
    const random = new Random(17);
    for (const own of [0, 1, 70, 400]) {
      const pair = new Pair();
      for (let i = 0; i < own; i++) pair.insert(make(random));
      const cursor = new ArenaTreeCursor(pair.tree);
      const stands = cursor.first() && cursor.next() ? pair.keyOf(cursor.entry) : undefined;
      const other = new Pair();
      for (let i = 0; i < 1500; i++)
        other.insert(i % 3 === 0 && own > 0 ? pair.order[i % pair.order.length]! : make(random));
      const first = pair.tree.count;
      const shift = pair.arena.append(other.arena.buffer, 0, other.arena.length);
      pair.tree.setKeys(pair.arena.buffer);
      const twins: number[] = [];
      pair.tree.graft(other.tree, shift, (held, taken) => {
        must(same(pair.keyOf(held), pair.keyOf(taken)), 'twins have one key');
        twins.push(held);
      });
      for (let i = 0; i < other.order.length; i++)
        must(same(pair.keyOf(first + i), other.order[i]), 'entries are numbered on');
      const keys = new Map([...pair.model, ...other.model].map((key) => [String(key), key]));
      expect(keys.size).toBe(pair.tree.count - twins.length);
      if (stands !== undefined && cursor.next())
        expect(compareKeys(pair.keyOf(cursor.entry), stands)).toBeGreaterThan(0);
      // It is a tree as any other from then on.
      for (let i = 0; i < 300; i++) {
        const key = make(random);
        const offset = pair.arena.append(key, 0, key.length);
        pair.tree.setKeys(pair.arena.buffer);
        pair.tree.insert(offset, key.length);
        must(pair.tree.inserted === !keys.has(String(key)), 'inserted tells the truth');
        keys.set(String(key), key);
      }
      const walk = new ArenaTreeCursor(pair.tree);
      for (const key of [...keys.values()].sort(compareKeys)) {
        must((walk.entry === NONE ? walk.first() : walk.next()) && same(key, pair.keyOf(walk.entry)), 'in order');
        const found = pair.tree.find(key, 0, key.length);
        must(found !== NONE && !twins.includes(found), 'every key is found, where it was taken over');
      }
      expect(walk.next()).toBe(false);
    }
  });

  it('holds descending inserts', () => {
    const pair = new Pair();
    for (let i = 5000; i > 0; i--) pair.insert(u32Key(i * 2));
    expect(pair.check()).toBe(pair.order.length);
    for (let i = 0; i < 500; i++) pair.probe(u32Key(i));
  });

  it('makes room once for what is to come, in any order', () => {
    const pair = new Pair();
    for (let i = 0; i < 100; i++) pair.insert(Buffer.from(`k${i}`));
    pair.tree.makeRoom(2900);
    const { entries, nodes } = pair.tree;
    expect(pair.tree.capacity).toBe(3000);
    for (let i = 100; i < 3000; i++) pair.insert(u32Key(i * 2654435761));
    expect(pair.tree.entries === entries && pair.tree.nodes === nodes).toBe(true);
    pair.tree.makeRoom(0);
    expect(pair.check()).toBe(3000);
  });

  it('agrees with a sorted array on arbitrary keys', () => {
    const key = fc.uint8Array({ maxLength: 9 });
    const command = fc.oneof(
      { weight: 12, arbitrary: key.map((bytes) => ({ kind: 'insert' as const, bytes })) },
      { weight: 6, arbitrary: key.map((bytes) => ({ kind: 'probe' as const, bytes })) },
      {
        weight: 1,
        arbitrary: fc.double({ min: 0, max: 1, noNaN: true }).map((share) => ({ kind: 'truncate' as const, share })),
      },
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 400, size: 'max' }), (commands) => {
        const pair = new Pair();
        for (const step of commands) {
          if (step.kind === 'insert') pair.insert(step.bytes);
          else if (step.kind === 'probe') pair.probe(step.bytes);
          else pair.truncate(Math.floor(step.share * pair.order.length));
        }
        expect(pair.check()).toBe(pair.order.length);
      }),
      { seed: 42, numRuns: 60 },
    );
  });

  it('lets a cursor survive inserts around it, in both directions', () => {
    const random = new Random(3);
    for (const forward of [true, false]) {
      const pair = new Pair();
      for (let i = 0; i < 500; i++) pair.insert(u32Key(random.below(1_000_000)));
      const before = pair.model.slice();
      const cursor = new ArenaTreeCursor(pair.tree);
      const seen: Uint8Array[] = [];
      for (let more = forward ? cursor.first() : cursor.last(); more; more = forward ? cursor.next() : cursor.prev()) {
        seen.push(pair.keyOf(cursor.entry));
        if (pair.tree.count < 3000) for (let i = 0; i < 5; i++) pair.insert(u32Key(random.below(1_000_000)));
      }
      if (!forward) seen.reverse();
      for (let i = 1; i < seen.length; i++)
        expect(compareKeys(seen[i - 1] as Uint8Array, seen[i] as Uint8Array)).toBeLessThan(0);
      const texts = new Set(seen.map(String));
      for (const key of before) expect(texts.has(String(key))).toBe(true);
    }
  });

  it('reads the same through a descriptor', () => {
    const random = new Random(8);
    const pair = new Pair();
    for (let i = 0; i < 3000; i++) pair.insert(random.bytes(6));
    const attached = ArenaTree.attach(pair.arena.buffer, structuredClone(pair.tree.descriptor()));
    const cursor = new ArenaTreeCursor(attached);
    let i = 0;
    for (let more = cursor.first(); more; more = cursor.next())
      expect(pair.keyOf(cursor.entry)).toEqual(pair.model[i++]);
    expect(i).toBe(pair.model.length);
    for (const key of pair.model) expect(attached.find(key, 0, key.length)).not.toBe(NONE);
  });

  it('tells where in the tree a key is, and the way back', () => {
    const pair = new Pair();
    for (let i = 0; i < 10_000; i++) pair.insert(u32Key(i));
    for (const share of [0, 0.1, 0.25, 0.5, 0.9, 1]) {
      const key = u32Key(Math.floor(share * 10_000));
      expect(Math.abs(pair.tree.fractionBelow(key, 0, 8) - share)).toBeLessThan(0.05);
      const there = pair.keyOf(pair.tree.entryAtFraction(share));
      expect(pair.tree.fractionBelow(there, 0, 8)).toBeCloseTo(Math.min(share, 0.9999), 2);
    }
    const ascending = new Pair();
    for (let i = 0; i < 60 * 60 + 1; i++) ascending.insert(u32Key(i));
    expect(ascending.tree.fractionBelow(u32Key(60 * 60), 0, 8)).toBeGreaterThan(0.95);
    expect(new Pair().tree.fractionBelow(u32Key(1), 0, 8)).toBe(0);
  });
});
