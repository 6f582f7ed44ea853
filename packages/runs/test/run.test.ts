import { type Checksums, compareKeys, loadChecksums } from '@phantom/base';
import type { KeyRange } from '@phantom/kv';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { BlockCache, type LayerCursor, type RangeTombstone } from '../src/index.js';
import {
  type ModelEntry,
  type ModelVersion,
  getFrom,
  modelEntries,
  modelGet,
  sortVersions,
  writeModel,
} from './run-model.js';

let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});

const key = fc.array(fc.constantFrom(0, 1, 2, 0xff), { maxLength: 5 }).map((bytes) => Uint8Array.from(bytes));
const seq = fc.integer({ min: 1, max: 20 });
const version = fc.record({
  key,
  seq,
  value: fc.option(fc.uint8Array({ maxLength: 12 }), { nil: undefined }),
});
const versions = fc.array(version, { maxLength: 120 }).map(sortVersions);
const tombstone = fc
  .tuple(key, key, seq)
  .filter(([a, b]) => compareKeys(a, b) !== 0)
  .map(([a, b, at]): RangeTombstone =>
    compareKeys(a, b) < 0 ? { lower: a, upper: b, seq: at } : { lower: b, upper: a, seq: at },
  );
const tombstones = fc.array(tombstone, { maxLength: 4 });
const range = fc.tuple(key, fc.option(key, { nil: undefined })).map(([lower, upper]): KeyRange => ({ lower, upper }));
const moves = fc.array(
  fc.oneof(
    fc.constant({ kind: 'next' as const }),
    fc.constant({ kind: 'prev' as const }),
    key.map((target) => ({ kind: 'seek' as const, target })),
    key.map((target) => ({ kind: 'seekBefore' as const, target })),
  ),
  { maxLength: 40 },
);

function shown(cursor: LayerCursor): ModelEntry {
  return { key: cursor.key.copy(), value: cursor.removed ? undefined : cursor.value.copy() };
}

/** Runs the moves on the cursor and on the sorted entries alike. */
function expectToFollow(
  cursor: LayerCursor,
  entries: readonly ModelEntry[],
  steps: readonly { kind: string; target?: Uint8Array }[],
): void {
  let at: number | undefined;
  for (const { kind, target } of steps) {
    let found: boolean;
    if (kind === 'next') {
      found = cursor.next();
      at = at === undefined ? 0 : Math.min(at + 1, entries.length);
    } else if (kind === 'prev') {
      found = cursor.prev();
      at = at === undefined ? entries.length - 1 : Math.max(at - 1, -1);
    } else if (kind === 'seek') {
      found = cursor.seek(target!, 0, target!.length);
      const index = entries.findIndex((entry) => compareKeys(entry.key, target!) >= 0);
      at = index < 0 ? entries.length : index;
    } else {
      found = cursor.seekBefore(target!, 0, target!.length);
      at = entries.findLastIndex((entry) => compareKeys(entry.key, target!) < 0);
    }
    const expected = entries[at];
    expect(found).toBe(expected !== undefined);
    expect(found ? shown(cursor) : undefined).toEqual(expected);
  }
}

describe('a sorted run', () => {
  it('answers gets as the model does', () => {
    fc.assert(
      fc.property(
        versions,
        tombstones,
        fc.array(key, { maxLength: 20 }),
        fc.constantFrom(1, 40, 16384),
        fc.constantFrom(1 << 20, 0),
        (list, ranges, probes, blockBytes, cacheBytes) => {
          const cache = new BlockCache(cacheBytes);
          const run = writeModel(list, ranges, { checksums, cache, writer: { blockBytes } });
          for (const at of [0, 1, 7, 20, 1000]) {
            for (const probe of [...probes, ...list.map((item) => item.key)]) {
              expect(getFrom(run, probe, at)).toEqual(modelGet(list, ranges, probe, at));
            }
          }
          expect([...run.check()]).toEqual([]);
          run.release();
        },
      ),
      { numRuns: 120, seed: 1 },
    );
  });

  it('is walked in both directions as the model is', () => {
    fc.assert(
      fc.property(
        versions,
        tombstones,
        range,
        moves,
        seq,
        fc.constantFrom(1, 40, 16384),
        (list, ranges, within, steps, at, blockBytes) => {
          const run = writeModel(list, ranges, { checksums, writer: { blockBytes } });
          const cursor = run.cursor(within, at);
          expectToFollow(cursor, modelEntries(list, ranges, within, at), steps);
          cursor.close();
          expect(cursor.next()).toBe(false);
          run.release();
        },
      ),
      { numRuns: 200, seed: 2 },
    );
  });

  it('is said to reach every range in which it has entries, and none beside its keys', () => {
    fc.assert(
      fc.property(versions, range, (list, within) => {
        const run = writeModel(list, [], { checksums });
        const keys = list.map((item) => item.key);
        const isInside = keys.some(
          (at) =>
            compareKeys(at, within.lower) >= 0 && (within.upper === undefined || compareKeys(at, within.upper) < 0),
        );
        const isBeside =
          keys.every((at) => compareKeys(at, within.lower) < 0) ||
          keys.every((at) => within.upper !== undefined && compareKeys(at, within.upper) >= 0);
        // Between two of its keys it may say either.
        const allowed = isInside ? [true] : isBeside ? [false] : [true, false];
        expect(allowed).toContain(run.reaches(within));
        run.release();
      }),
      { numRuns: 100, seed: 3 },
    );
  });

  it('hands a merge the newest version of each key, or all', () => {
    fc.assert(
      fc.property(versions, tombstones, range, fc.constantFrom(1, 40, 16384), (list, ranges, within, blockBytes) => {
        const run = writeModel(list, ranges, { checksums, writer: { blockBytes } });
        const inside = list.filter(
          (item) =>
            compareKeys(item.key, within.lower) >= 0 &&
            (within.upper === undefined || compareKeys(item.key, within.upper) < 0),
        );
        expect(walk(run.versions(true, within))).toEqual(inside);
        const newest = inside.filter(
          (item, i) => i === 0 || compareKeys((inside[i - 1] as ModelVersion).key, item.key) !== 0,
        );
        const standing = newest.filter(
          (item) =>
            !ranges.some(
              (t) => t.seq > item.seq && compareKeys(t.lower, item.key) <= 0 && compareKeys(item.key, t.upper) < 0,
            ),
        );
        expect(walk(run.versions(false, within))).toEqual(standing);
        run.release();
      }),
      { numRuns: 150, seed: 3 },
    );
  });
});

function walk(cursor: ReturnType<ReturnType<typeof writeModel>['versions']>): ModelVersion[] {
  const found: ModelVersion[] = [];
  while (cursor.next()) {
    expect(cursor.firstOfKey).toBe(
      found.length === 0 || compareKeys((found[found.length - 1] as ModelVersion).key, cursor.key.copy()) !== 0,
    );
    found.push({ key: cursor.key.copy(), seq: cursor.seq, value: cursor.kind === 1 ? cursor.value.copy() : undefined });
  }
  expect(cursor.next()).toBe(false);
  cursor.close();
  return found;
}

describe('metadata', () => {
  it('that is longer than what is read with the footer is read whole', () => {
    const numbered = (i: number): Uint8Array => Uint8Array.of(i >> 8, i & 255);
    const ranges = Array.from({ length: 1500 }, (_, i): RangeTombstone => {
      return { lower: numbered(2 * i), upper: numbered(2 * i + 1), seq: 7 };
    });
    const run = writeModel([{ key: numbered(1), seq: 5, value: Uint8Array.of(9) }], ranges, { checksums });
    expect(run.rangeTombstones(20)).toEqual(ranges);
    expect(getFrom(run, numbered(1), 20)).toEqual(
      modelGet([{ key: numbered(1), seq: 5, value: Uint8Array.of(9) }], ranges, numbered(1), 20),
    );
    run.release();
  });
});
