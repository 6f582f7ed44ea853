/** Pages: what is built is found, and nothing else. */
import { type Checksums, Random, compareKeys, loadChecksums } from '@phantom/base';
import { BlockCache } from '@phantom/runs';
import { MemoryVfs } from '@phantom/vfs/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PageRef } from '../src/format.js';
import { LeafEntry, Page } from '../src/page.js';
import { PageBuilder } from '../src/page-builder.js';
import { PageList, PageRanges } from '../src/page-ranges.js';
import { PageWriter } from '../src/page-writer.js';
import { Pager } from '../src/pager.js';

const NO_BYTES = new Uint8Array(0);
const PAGE_BYTES = 8192;
let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});

function newPager(): Pager {
  const file = new MemoryVfs({ losesPower: false }).open('tree.db', { mode: 'create' });
  return new Pager({ file, checksums, cache: new BlockCache(1 << 20), pageBytes: PAGE_BYTES, tree: 42, pageCount: 1 });
}

/** Keys with long common heads, zero bytes and keys that are heads of others: where searches go wrong. */
const head = fc.constantFrom(
  Uint8Array.of(),
  Uint8Array.of(1),
  Uint8Array.of(1, 0),
  new Uint8Array(40).fill(9),
  new Uint8Array(300).fill(8),
);
const tail = fc.array(fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xff), { maxLength: 9 });
const key = fc.tuple(head, tail).map(([front, back]) => Uint8Array.from([...front, ...back]));
const keys = (maxLength: number): fc.Arbitrary<Uint8Array[]> =>
  fc.array(key, { minLength: 1, maxLength }).map((list) => {
    const sorted = list.sort(compareKeys);
    return sorted.filter((item, i) => i === 0 || compareKeys(sorted[i - 1] as Uint8Array, item) !== 0);
  });

interface Built {
  readonly separator: Uint8Array;
  readonly page: Page;
  readonly ref: PageRef;
}

function build(
  pager: Pager,
  list: readonly Uint8Array[],
  valueBytes: number,
  atRightEdge: boolean,
  bytesMax = PAGE_BYTES,
): Built[] {
  const writer = new PageWriter(pager, 7, false);
  const built: Built[] = [];
  const refs: { separator: Uint8Array; ref: PageRef }[] = [];
  const builder = new PageBuilder(writer, 0, (separator, ref) => refs.push({ separator, ref }));
  builder.beginGroup(NO_BYTES);
  const value = new Uint8Array(valueBytes).fill(5);
  for (const item of list) builder.addEntry(item, 0, item.length, valueBytes * 2, value, 0, valueBytes, 0, bytesMax);
  builder.close(atRightEdge);
  writer.flush();
  for (const { separator, ref } of refs) {
    const page = new Page(PAGE_BYTES);
    pager.read(ref.id, ref.checksumLow, ref.checksumHigh, 0, page);
    built.push({ separator, ref, page });
  }
  return built;
}

describe('a set of pages', () => {
  it('without another one has what only it has', () => {
    const random = new Random(9);
    for (let round = 0; round < 300; round++) {
      const sets = [0, 1].map(() => Array.from({ length: 40 }, (_, page) => page + 1).filter(() => random.chance(0.5)));
      const [left, right] = sets.map((pages) => {
        const list = new PageList();
        for (const page of pages) list.add(page);
        return list.toRanges();
      }) as [PageRanges, PageRanges];
      const rest = left.without(right);
      const found: number[] = [];
      for (let r = 0; r < rest.ranges; r++) for (let n = 0; n < rest.count(r); n++) found.push(rest.start(r) + n);
      expect(found).toEqual((sets[0] as number[]).filter((page) => !(sets[1] as number[]).includes(page)));
      expect(rest.pages).toBe(found.length);
    }
  });
});

describe('leaf pages', () => {
  it('hold what they were given, in order, and search finds it', () => {
    fc.assert(
      fc.property(
        keys(300),
        fc.array(key, { maxLength: 10 }),
        fc.constantFrom(0, 30, 900),
        fc.boolean(),
        (list, probes, valueBytes, edge) => {
          const pager = newPager();
          const built = build(pager, list, valueBytes, edge);
          const found: Uint8Array[] = [];
          const entry = new LeafEntry();
          for (const { page, ref } of built) {
            expect(page.defect()).toBeUndefined();
            expect(ref.keys).toBe(page.count);
            for (let slot = 0; slot < page.count; slot++) {
              const item = page.key(slot);
              found.push(item);
              entry.read(page, slot);
              expect(entry.valueBytes).toBe(valueBytes);
              expect(page.find(item, 0, item.length)).toBe(slot);
              expect(page.findExact(item, 0, item.length)).toBe(slot);
            }
            for (const probe of probes) {
              const at = page.find(probe, 0, probe.length);
              const slot = at < 0 ? ~at : at;
              expect(page.findExact(probe, 0, probe.length)).toBe(Math.max(at, -1));
              expect(slot === 0 || compareKeys(page.key(slot - 1), probe) < 0).toBe(true);
              expect(slot === page.count || Math.sign(compareKeys(page.key(slot), probe)) === (at < 0 ? 1 : 0)).toBe(
                true,
              );
            }
          }
          expect(found).toEqual(list);
          built.slice(1).forEach(({ separator, page }, i) => {
            const before = (built[i] as Built).page;
            expect(compareKeys(before.key(before.count - 1), separator)).toBeLessThan(0);
            expect(compareKeys(separator, page.key(0))).toBeLessThanOrEqual(0);
          });
        },
      ),
      { numRuns: 120, seed: 1 },
    );
  });

  it('are full at the right edge and even elsewhere', () => {
    const list = Array.from({ length: 200 }, (_, i) => Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, i >> 8, i));
    const edge = build(newPager(), list, 100, true).map(({ page }) => page.count);
    const even = build(newPager(), list, 100, false).map(({ page }) => page.count);
    expect(edge.length).toBe(even.length);
    expect(new Set(edge.slice(0, -1)).size).toBe(1);
    expect(edge.at(-1)).toBeLessThan(edge[0] as number);
    expect(Math.abs((even.at(-1) as number) - (even.at(-2) as number))).toBeLessThanOrEqual(1);
  });

  it('leave a long common prefix out, and keep keys whole where it saves little', () => {
    const long = new Uint8Array(60).fill(3);
    const keyed = Array.from({ length: 60 }, (_, i) => Uint8Array.from([...long, i]));
    const [omitting] = build(newPager(), keyed, 0, true);
    expect(omitting?.page.omittedBytes).toBe(60);
    expect(omitting?.page.count).toBe(60);
    const [whole] = build(newPager(), keyed.slice(0, 8), 500, true);
    expect(whole?.page.omittedBytes).toBe(0);
    expect(whole?.page.prefixBytes).toBe(60);
  });
});

describe('inner pages', () => {
  it('name the child in which a key belongs', () => {
    fc.assert(
      fc.property(keys(400), fc.array(key, { minLength: 1, maxLength: 20 }), (separators, probes) => {
        const pager = newPager();
        const writer = new PageWriter(pager, 7, false);
        const refs: { separator: Uint8Array; ref: PageRef }[] = [];
        const builder = new PageBuilder(writer, 1, (separator, ref) => refs.push({ separator, ref }));
        separators.forEach((separator, i) => {
          const child = { id: 100 + i, checksumLow: i, checksumHigh: 7 * i, keys: 3, pages: 2 };
          builder.addChild(i === 0 ? NO_BYTES : separator, child, PAGE_BYTES);
        });
        builder.close(false);
        writer.flush();
        let first = 0;
        for (const { ref } of refs) {
          const page = new Page(PAGE_BYTES);
          pager.read(ref.id, ref.checksumLow, ref.checksumHigh, 1, page);
          expect(page.defect()).toBeUndefined();
          expect(ref).toMatchObject({ keys: page.count * 3, pages: page.count * 2 + 1 });
          for (let slot = 0; slot < page.count; slot++) {
            expect(page.child(slot)).toBe(100 + first + slot);
            expect(page.childChecksumLow(slot)).toBe(first + slot);
            expect(page.childChecksumHigh(slot)).toBe(7 * (first + slot));
            expect(slot === 0 ? separators[first] : page.key(slot)).toEqual(separators[first + slot]);
          }
          for (const probe of [...probes, ...separators]) {
            let expected = 0;
            while (expected + 1 < page.count && compareKeys(separators[first + expected + 1] as Uint8Array, probe) <= 0)
              expected++;
            expect(page.childFor(probe, 0, probe.length)).toBe(expected);
          }
          first += page.count;
        }
        expect(first).toBe(separators.length);
      }),
      { numRuns: 60, seed: 2 },
    );
  });
});

describe('sets of pages', () => {
  it('behave as sets of numbers', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('take' as const), count: fc.integer({ min: 1, max: 4 }) }),
      fc.record({
        kind: fc.constant('free' as const),
        pages: fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { maxLength: 30 }),
      }),
      fc.record({ kind: fc.constant('tail' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const ranges = new PageRanges();
        const model = new Set<number>();
        for (const item of steps) {
          const expected = follow(model, item);
          expect(applied(ranges, item, expected)).toBe(expected.found);
          expect(ranges.pages).toBe(model.size);
          expect(listed(ranges)).toEqual([...model].sort((a, b) => a - b));
        }
      }),
      { numRuns: 200, seed: 3 },
    );
  });

  it('refuse a page that is freed twice', () => {
    const list = new PageList();
    list.add(5);
    list.add(9);
    list.add(5);
    expect(() => list.toRanges()).toThrow('only once');
  });
});

type Step = { kind: 'take'; count: number } | { kind: 'free'; pages: number[] } | { kind: 'tail' };

interface Expected {
  /** What the step answers. */
  readonly found: number;
  /** Pages that were not in the set. */
  readonly fresh: readonly number[];
  /** Behind the last page before the step. */
  readonly end: number;
}

/** Takes the step in the model. */
function follow(model: Set<number>, step: Step): Expected {
  const end = Math.max(0, ...model) + 1;
  if (step.kind === 'free') {
    const fresh = step.pages.filter((page) => !model.has(page));
    for (const page of fresh) model.add(page);
    return { found: 0, fresh, end };
  }
  if (step.kind === 'tail') {
    let start = end;
    while (model.delete(start - 1)) start--;
    return { found: start, fresh: [], end };
  }
  const isFree = (start: number): boolean =>
    Array.from({ length: step.count }, (_, i) => start + i).every((page) => model.has(page));
  const starts = [...model].filter(isFree);
  const found = starts.length === 0 ? 0 : Math.min(...starts);
  for (let i = 0; found > 0 && i < step.count; i++) model.delete(found + i);
  return { found, fresh: [], end };
}

/** Takes the step in the set. */
function applied(ranges: PageRanges, step: Step, expected: Expected): number {
  if (step.kind === 'take') return ranges.take(step.count);
  if (step.kind === 'tail') return ranges.tailPages(expected.end) === 0 ? expected.end : ranges.takeTail(expected.end);
  const list = new PageList();
  for (const page of expected.fresh) list.add(page);
  ranges.addAll(list.toRanges());
  return 0;
}

function listed(ranges: PageRanges): number[] {
  const pages: number[] = [];
  for (let i = 0; i < ranges.ranges; i++) {
    for (let page = 0; page < ranges.count(i); page++) pages.push(ranges.start(i) + page);
  }
  return pages;
}
