/** Merging sorted writes into a tree, again and again, against a map: what is there, how full pages are, what is read. */
import { type Checksums, Random, compareKeys, loadChecksums, toHex } from '@phantom/base';
import { ByteSlot, CursorBatch, type KeyRange } from '@phantom/kv';
import { BlockCache, type KeyIntervals, type VersionCursor, VersionKind, unionOf } from '@phantom/runs';
import { MemoryVfs } from '@phantom/vfs/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { EMPTY_ROOT, type TreeRoot } from '../src/format.js';
import { TreeMerge } from '../src/merge.js';
import { PageWriter } from '../src/page-writer.js';
import { Pager } from '../src/pager.js';
import { treeCuts, treeEstimate, treeGet } from '../src/tree.js';
import { TreeCursor } from '../src/tree-cursor.js';

const PAGE_BYTES = 8192;
const EVERYTHING: KeyRange = { lower: new Uint8Array(0), upper: undefined };
let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});

interface Write {
  readonly key: Uint8Array;
  readonly value: Uint8Array | undefined;
}

/** Writes as a merge wants them. */
class Writes implements VersionCursor {
  readonly key = new ByteSlot();
  readonly value = new ByteSlot();
  readonly seq = 1;
  readonly firstOfKey = true;
  kind: VersionKind = VersionKind.Put;
  private readonly list: readonly Write[];
  private at = 0;

  constructor(list: readonly Write[]) {
    this.list = [...list].sort((a, b) => compareKeys(a.key, b.key));
  }

  next(): boolean {
    const write = this.list[this.at++];
    if (write === undefined) return false;
    this.key.set(write.key, 0, write.key.length);
    this.kind = write.value === undefined ? VersionKind.Remove : VersionKind.Put;
    const value = write.value ?? new Uint8Array(0);
    this.value.set(value, 0, value.length);
    return true;
  }

  close(): void {
    this.at = this.list.length;
  }
}

/** A tree that is merged into, with the map that it must equal. */
class Bench {
  readonly pager: Pager;
  readonly model = new Map<string, Write>();
  root: TreeRoot = EMPTY_ROOT;
  generation = 0;

  constructor(cacheBytes = 4 << 20) {
    const file = new MemoryVfs({ losesPower: false }).open('tree.db', { mode: 'create' });
    const cache = new BlockCache(cacheBytes);
    this.pager = new Pager({ file, checksums, cache, pageBytes: PAGE_BYTES, tree: 42, pageCount: 1 });
  }

  merge(list: readonly Write[], ranges: readonly (readonly [Uint8Array, Uint8Array])[] = []): number {
    const distinct = new Map(list.map((write) => [toHex(write.key), write]));
    const removed: KeyIntervals | undefined =
      ranges.length === 0 ? undefined : unionOf(ranges.map(([lower, upper]) => ({ lower, upper, seq: 1 })));
    const out = new PageWriter(this.pager, ++this.generation, true);
    let looks = 0;
    const pause = (): boolean => looks++ % 2 === 0;
    const { pager, root } = this;
    const merge = new TreeMerge({ pager, root, writes: new Writes([...distinct.values()]), removed, out, pause });
    const run = merge.run();
    let step = run.next();
    while (step.done !== true) step = run.next();
    this.root = step.value;
    pager.retire(this.generation, merge.freed, []);
    for (const [key, { key: bytes }] of this.model) {
      if (removed !== undefined && removed.find(bytes, 0, bytes.length) >= 0) this.model.delete(key);
    }
    for (const [key, write] of distinct) {
      if (write.value === undefined) this.model.delete(key);
      else this.model.set(key, write);
    }
    return out.bytesWritten / PAGE_BYTES;
  }

  sorted(): Write[] {
    return [...this.model.values()].sort((a, b) => compareKeys(a.key, b.key));
  }

  /** How much of what the tree shows, in both directions and by key, differs from the model. */
  differences(): number {
    const expected = this.sorted();
    let differs = Math.abs(this.root.keys - expected.length);
    const cursor = new TreeCursor(this.pager, this.root, EVERYTHING);
    const batch = new CursorBatch(100);
    let at = 0;
    for (let count = cursor.fill(batch); count > 0; count = cursor.fill(batch)) {
      for (let i = 0; i < count; i++, at++) {
        const write = expected[at] as Write;
        const key = (batch.keyBuffers[i] as Uint8Array).subarray(batch.keyStarts[i], batch.keyEnds[i]);
        const value = (batch.valueBuffers[i] as Uint8Array).subarray(batch.valueStarts[i], batch.valueEnds[i]);
        if (compareKeys(key, write.key) !== 0 || compareKeys(value, write.value as Uint8Array) !== 0) differs++;
      }
    }
    differs += Math.abs(at - expected.length);
    const back = new TreeCursor(this.pager, this.root, EVERYTHING);
    for (const write of expected.toReversed()) {
      if (!back.prev() || compareKeys(back.key.copy(), write.key) !== 0) differs++;
    }
    if (back.prev()) differs++;
    const slot = new ByteSlot();
    for (const { key, value } of expected) {
      const found = treeGet(this.pager, this.root, key, 0, key.length, slot);
      if (!found || compareKeys(slot.copy(), value as Uint8Array) !== 0) differs++;
    }
    return differs;
  }

  /** Pages that are neither reached nor free nor before the first. */
  lostPages(): number {
    return this.pager.pageCount - this.root.pages - this.pager.free.pages - 1;
  }
}

function numbered(i: number, tail = 0): Uint8Array {
  return Uint8Array.of(16, 0, 0, 1, i >> 16, i >> 8, i, tail);
}

describe('merging into a tree', () => {
  for (let seed = 1; seed <= 6; seed++) {
    it(`keeps the tree equal to a map, seed ${seed}`, () => {
      const random = new Random(seed);
      const bench = new Bench(seed % 2 === 0 ? 4 << 20 : 64 * 1024);
      const universe = [500, 2000, 6000][seed % 3] as number;
      const head = new Uint8Array([0, 4, 40][seed % 3] as number).fill(7);
      const keyOf = (i: number): Uint8Array => Uint8Array.from([...head, ...numbered(i)]);
      for (let round = 0; round < 10; round++) {
        const list: Write[] = [];
        const style = random.below(4);
        const base = random.below(universe);
        for (let i = random.below(style === 0 ? 20 : 800); i >= 0; i--) {
          const key = keyOf(style === 1 ? base + i : random.below(universe));
          const bytes = random.chance(0.01) ? 3000 + random.below(30_000) : random.below(style === 2 ? 900 : 60);
          const isRemoval = random.chance(style === 3 ? 0.8 : 0.1);
          list.push({ key, value: isRemoval ? undefined : new Uint8Array(bytes).fill(random.below(256)) });
        }
        const ranges: [Uint8Array, Uint8Array][] = [];
        while (random.chance(0.3)) {
          const from = random.below(universe);
          ranges.push([keyOf(from), keyOf(from + random.below(universe))]);
        }
        bench.merge(list, ranges);
        expect(bench.differences()).toBe(0);
        expect(bench.lostPages()).toBe(0);
      }
    });
  }

  for (const headBytes of [0, 60]) {
    it(`edits leaves in one piece, with ${headBytes} bytes in common`, () => {
      const random = new Random(headBytes + 3);
      const bench = new Bench();
      const head = new Uint8Array(headBytes).fill(7);
      const keyOf = (i: number): Uint8Array => Uint8Array.from([...head, ...numbered(i, i & 3)]);
      const write = (): Write => {
        const dice = random.below(20);
        const bytes = dice === 0 ? 4000 + random.below(9000) : dice < 6 ? random.below(700) : random.below(50);
        return { key: keyOf(random.below(4000)), value: dice > 15 ? undefined : new Uint8Array(bytes).fill(dice) };
      };
      bench.merge(Array.from({ length: 3000 }, write));
      for (let round = 0; round < 60; round++) {
        bench.merge(Array.from({ length: 1 + random.below(12) }, write));
        expect(round % 10 === 9 ? bench.differences() : 0).toBe(0);
        expect(bench.lostPages()).toBe(0);
      }
    });
  }

  it('is searched from where a cursor stands as from the root', () => {
    const random = new Random(11);
    const bench = new Bench(16 << 20);
    const value = new Uint8Array(150);
    bench.merge(Array.from({ length: 25_000 }, (_, i) => ({ key: numbered(i * 2), value })));
    expect(bench.root.level).toBe(2);
    const keys = bench.sorted().map(({ key }) => key);
    const near = new TreeCursor(bench.pager, bench.root, { lower: keys[40]!, upper: keys[24_900]! });
    const placeOf = (found: boolean): number => (found ? ((near.key.copy()[5]! << 8) | near.key.copy()[6]!) / 2 : -1);
    let at = 12_000;
    let differs = 0;
    for (let i = 0; i < 3000; i++) {
      const step = [3, 60, 4000, 50_000][random.below(4)] as number;
      at = Math.max(0, Math.min(49_999, at + random.below(step * 2 + 1) - step));
      const probe = numbered(at);
      // The first key inside the range that is not below the probe, and the last one that is.
      const first = Math.max(40, Math.ceil(at / 2));
      const last = Math.min(24_899, Math.ceil(at / 2) - 1);
      if (random.chance(0.3)) differs += Number(placeOf(near.seekBefore(probe, 0, 8)) !== (last >= 40 ? last : -1));
      else differs += Number(placeOf(near.seek(probe, 0, 8)) !== (first < 24_900 ? first : -1));
      const dice = random.below(6);
      if (dice === 0) near.next();
      if (dice === 1) near.prev();
    }
    expect(differs).toBe(0);

    near.seek(numbered(20_000), 0, 8);
    const { cacheHits } = bench.pager;
    for (let i = 1; i <= 1000; i++) near.seek(numbered(20_000 + i * 2), 0, 8);
    // Leaves of 48 entries, each found from the page above it; no page is asked for within a leaf.
    expect(bench.pager.cacheHits - cacheHits).toBeLessThan(30);
  });

  it('packs ascending loads into full pages', () => {
    const bench = new Bench();
    const value = new Uint8Array(100);
    for (let round = 0; round < 10; round++) {
      bench.merge(Array.from({ length: 1000 }, (_, i) => ({ key: numbered(round * 1000 + i), value })));
    }
    expect(bench.differences()).toBe(0);
    const bytes = 10_000 * (8 + 100 + 8);
    expect(bench.root.pages * PAGE_BYTES).toBeLessThan(bytes * 1.05);
    expect(bench.root.level).toBe(1);
  });

  it('rewrites only the leaves that are touched and the way to them', () => {
    const bench = new Bench();
    const value = new Uint8Array(100);
    bench.merge(Array.from({ length: 20_000 }, (_, i) => ({ key: numbered(i * 2), value })));
    const { level, pages } = bench.root;
    expect(pages).toBeGreaterThan(200);
    bench.pager.pagesRead = 0;
    expect(bench.merge([{ key: numbered(8000), value: new Uint8Array(100).fill(1) }])).toBe(level + 1);
    // A full leaf that grows becomes two, and so may every page above it.
    expect(bench.merge([{ key: numbered(9001), value }])).toBeLessThanOrEqual(2 * level + 1);
    expect(bench.differences()).toBe(0);
  });

  it('frees a removed range without reading its leaves', () => {
    const bench = new Bench(64 * 1024);
    const value = new Uint8Array(100);
    bench.merge(Array.from({ length: 30_000 }, (_, i) => ({ key: numbered(i), value })));
    const { pages } = bench.root;
    bench.pager.pagesRead = 0;
    bench.merge([{ key: numbered(15_000), value }], [[numbered(100), numbered(29_900)]]);
    expect(bench.pager.pagesRead).toBeLessThan(12);
    expect(bench.root.pages).toBeLessThan(pages / 50);
    expect(bench.differences()).toBe(0);
    expect(bench.lostPages()).toBe(0);
    bench.merge([], [[numbered(0), numbered(40_000)]]);
    expect(bench.root).toEqual(EMPTY_ROOT);
    expect(bench.lostPages()).toBe(0);
  });

  it('frees overflow pages of what is replaced or removed', () => {
    const bench = new Bench();
    const big = new Uint8Array(50_000).fill(1);
    bench.merge(Array.from({ length: 30 }, (_, i) => ({ key: numbered(i), value: big })));
    const { pages } = bench.root;
    expect(pages).toBeGreaterThan(30 * 6);
    bench.merge([
      { key: numbered(3), value: new Uint8Array(1) },
      { key: numbered(4), value: undefined },
    ]);
    expect(bench.root.pages).toBe(pages - 14);
    bench.merge([], [[numbered(10), numbered(20)]]);
    bench.merge([], [[numbered(0), numbered(99)]]);
    expect(bench.lostPages()).toBe(0);
    expect(bench.root.pages).toBe(0);
  });

  it('joins leaves that are left nearly empty with their neighbours', () => {
    const bench = new Bench();
    const value = new Uint8Array(100);
    const all = Array.from({ length: 20_000 }, (_, i) => numbered(i));
    bench.merge(all.map((key) => ({ key, value })));
    const { pages } = bench.root;
    bench.merge(all.filter((_, i) => i % 10 > 0).map((key) => ({ key, value: undefined })));
    expect(bench.root.pages).toBeLessThan(pages / 8);
    // Holes of many leaves in many places, one merge each.
    for (let hole = 0; hole < 20; hole++) {
      bench.merge(Array.from({ length: 900 }, (_, i) => ({ key: numbered(hole * 1000 + i), value: undefined })));
    }
    expect(bench.differences()).toBe(0);
    expect(bench.root.pages).toBeLessThan(bench.root.keys / 20 + 4);
  });

  it('knows the keys of a range and where to cut it', () => {
    const bench = new Bench();
    expect(treeEstimate(bench.pager, bench.root, EVERYTHING).keys).toBe(0);
    expect(treeCuts(bench.pager, bench.root, EVERYTHING, 4)).toEqual([]);
    bench.merge(Array.from({ length: 20_000 }, (_, i) => ({ key: numbered(i), value: new Uint8Array(60) })));
    const { pager, root } = bench;
    expect(treeEstimate(pager, root, EVERYTHING).keys).toBe(20_000);
    expect(treeEstimate(pager, root, { lower: numbered(777), upper: numbered(1778) }).keys).toBe(1001);
    expect(treeEstimate(pager, root, { lower: numbered(9), upper: numbered(3) }).keys).toBe(0);
    const cuts = treeCuts(pager, root, { lower: numbered(4000), upper: numbered(8000) }, 4);
    expect(cuts).toEqual([numbered(5000), numbered(6000), numbered(7000)]);
    expect(treeCuts(pager, root, { lower: numbered(4000), upper: numbered(4002) }, 10).length).toBeLessThanOrEqual(2);
  });
});
