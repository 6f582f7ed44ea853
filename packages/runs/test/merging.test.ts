/** Stacks of runs, merged for readers and for merges, against the model. */
import { type Checksums, commonPrefixBytes, compareKeys, loadChecksums } from '@phantom/base';
import { CursorBatch, type KeyRange, type KvCursor } from '@phantom/kv';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  Lookup,
  type MergeSource,
  MergingCursor,
  MergingVersions,
  type RangeTombstone,
  type Run,
  VersionKind,
  unionOf,
} from '../src/index.js';
import {
  type ModelEntry,
  type ModelVersion,
  covers,
  inRange,
  modelGet,
  sortVersions,
  writeModel,
} from './run-model.js';

let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});

const SEQ_MAX = 1000;
const key = fc.array(fc.constantFrom(0, 1, 2), { maxLength: 4 }).map((bytes) => Uint8Array.from(bytes));

interface ModelLayer {
  readonly versions: readonly ModelVersion[];
  readonly tombstones: readonly RangeTombstone[];
}

/** Layers newest first; each has one seq of its own, falling. */
const layers = fc
  .array(
    fc.record({
      items: fc.array(fc.record({ key, value: fc.option(fc.uint8Array({ maxLength: 9 }), { nil: undefined }) }), {
        maxLength: 30,
      }),
      ranges: fc.array(fc.tuple(key, key), { maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((drawn) =>
    drawn.map(({ items, ranges }, i): ModelLayer => {
      const seq = (drawn.length - i) * 10;
      return {
        versions: sortVersions(items.map((item) => ({ ...item, seq: seq + (item.key.length % 2) }))),
        tombstones: ranges
          .filter(([a, b]) => compareKeys(a, b) < 0)
          .map(([lower, upper]) => ({ lower, upper, seq: seq + 1 })),
      };
    }),
  );
const range = fc.tuple(key, fc.option(key, { nil: undefined })).map(([lower, upper]): KeyRange => ({ lower, upper }));
const moves = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.constant({ kind: 'next' as const, target: new Uint8Array(0) }) },
    { weight: 4, arbitrary: fc.constant({ kind: 'prev' as const, target: new Uint8Array(0) }) },
    { weight: 2, arbitrary: key.map((target) => ({ kind: 'seek' as const, target })) },
    { weight: 2, arbitrary: key.map((target) => ({ kind: 'seekBefore' as const, target })) },
    { weight: 2, arbitrary: fc.constant({ kind: 'fill' as const, target: new Uint8Array(0) }) },
  ),
  { maxLength: 40 },
);

/** What a reader sees of the stack. */
function visible(stack: readonly ModelLayer[], within: KeyRange, seq: number): ModelEntry[] {
  const keys = stack
    .flatMap(({ versions }) => versions.map((version) => version.key))
    .filter((item) => inRange(within, item));
  const distinct = keys
    .sort(compareKeys)
    .filter((item, i) => i === 0 || compareKeys(keys[i - 1] as Uint8Array, item) !== 0);
  return distinct.flatMap((item) => {
    const value = lookUp(stack, item, seq);
    return value === undefined ? [] : [{ key: item, value }];
  });
}

function lookUp(stack: readonly ModelLayer[], item: Uint8Array, seq: number): Uint8Array | undefined {
  for (const { versions, tombstones } of stack) {
    const { lookup, value } = modelGet(versions, tombstones, item, seq);
    if (lookup !== Lookup.Absent) return value;
  }
  return undefined;
}

function openRuns(stack: readonly ModelLayer[]): Run[] {
  return stack.map(({ versions, tombstones }) =>
    writeModel(versions, tombstones, { checksums, writer: { blockBytes: 64 } }),
  );
}

function sources(runs: readonly Run[], within: KeyRange, seq: number): MergeSource[] {
  const above: RangeTombstone[] = [];
  return runs.map((run) => {
    const hidden = above.length === 0 ? undefined : unionOf(above);
    above.push(...run.rangeTombstones(seq));
    return { cursor: run.cursor(within, seq), hidden };
  });
}

function takeBatch(cursor: KvCursor, keyless = false): ModelEntry[] {
  const batch = new CursorBatch(keyless ? 40 : 5);
  batch.keyless = keyless;
  const count = cursor.fill(batch);
  return Array.from({ length: count }, (_, i) => ({
    key: keyless ? new Uint8Array(0) : (batch.keyBuffers[i] as Uint8Array).slice(batch.keyStarts[i], batch.keyEnds[i]),
    value: (batch.valueBuffers[i] as Uint8Array).slice(batch.valueStarts[i], batch.valueEnds[i]),
  }));
}

/** Takes a batch, which begins what is left and is empty only at the end; returns its size. */
function expectToFill(cursor: KvCursor, left: readonly ModelEntry[]): number {
  const keyless = left.length % 2 === 1;
  const taken = takeBatch(cursor, keyless);
  const expected = left.slice(0, taken.length);
  expect(taken).toEqual(keyless ? expected.map(({ value }) => ({ key: new Uint8Array(0), value })) : expected);
  expect(taken.length > 0).toBe(left.length > 0);
  return taken.length;
}

/** Makes the moves on the cursor and on the list and compares after each. */
function expectToFollow(
  cursor: KvCursor,
  entries: readonly ModelEntry[],
  steps: readonly { kind: string; target: Uint8Array }[],
): void {
  let at: number | undefined;
  for (const { kind, target } of steps) {
    let found: boolean;
    if (kind === 'fill') {
      const from = at === undefined ? 0 : at + 1;
      const count = expectToFill(cursor, entries.slice(from));
      at = count === 0 ? entries.length : from + count - 1;
      found = count > 0;
    } else if (kind === 'next') {
      found = cursor.next();
      at = at === undefined ? 0 : Math.min(at + 1, entries.length);
    } else if (kind === 'prev') {
      found = cursor.prev();
      at = at === undefined ? entries.length - 1 : Math.max(at - 1, -1);
    } else if (kind === 'seek') {
      found = cursor.seek(target, 0, target.length);
      const index = entries.findIndex((entry) => compareKeys(entry.key, target) >= 0);
      at = index < 0 ? entries.length : index;
    } else {
      found = cursor.seekBefore(target, 0, target.length);
      at = entries.findLastIndex((entry) => compareKeys(entry.key, target) < 0);
    }
    expect(found ? { key: cursor.key.copy(), value: cursor.value.copy() } : undefined).toEqual(entries[at]);
  }
}

describe('a merging cursor', () => {
  it('shows a stack of layers as one', () => {
    fc.assert(
      fc.property(layers, range, moves, fc.constantFrom(15, 31, SEQ_MAX), (stack, within, steps, seq) => {
        const runs = openRuns(stack);
        const cursor = new MergingCursor(sources(runs, within, seq));
        expectToFollow(cursor, visible(stack, within, seq), steps);
        cursor.close();
        expect(cursor.next()).toBe(false);
        for (const run of runs) run.release();
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it('hands out values without keys over many intervals, blocks and removed entries', () => {
    const keyOf = (i: number): Uint8Array => Uint8Array.of(i >> 8, i & 255);
    const valueOf = (i: number): Uint8Array => Uint8Array.of(i & 255, i >> 8, 7);
    const base = Array.from({ length: 700 }, (_, i) => ({
      key: keyOf(i),
      seq: 10,
      value: i % 11 === 3 || (i >= 90 && i < 140) ? undefined : valueOf(i),
    }));
    const newer = [200, 333, 690].map((i) => ({ key: keyOf(i), seq: 20, value: valueOf(i + 1000) }));
    const stack = [
      { versions: newer, tombstones: [] },
      { versions: base, tombstones: [] },
    ];
    const runs = openRuns(stack);
    for (const within of [
      { lower: new Uint8Array(0), upper: undefined },
      { lower: keyOf(17), upper: keyOf(655) },
    ]) {
      const expected = visible(stack, within, SEQ_MAX).map(({ value }) => value);
      const cursor = new MergingCursor(sources(runs, within, SEQ_MAX));
      const found: (Uint8Array | undefined)[] = [];
      for (let more = true; more;) {
        const taken = takeBatch(cursor, true);
        found.push(...taken.map(({ value }) => value));
        more = taken.length > 0;
        if (more) expect(cursor.value.copy()).toEqual(taken.at(-1)?.value);
      }
      expect(found).toEqual(expected);
      expect(cursor.prev() && cursor.value.copy()).toEqual(expected.at(-1));
      cursor.close();
    }
    for (const run of runs) run.release();
  });

  it('hands out entries that are larger than a block', () => {
    const big = (fill: number): Uint8Array => new Uint8Array(20_000).fill(fill);
    const stack = [
      { versions: [{ key: Uint8Array.of(1), seq: 20, value: big(1) }], tombstones: [] },
      {
        versions: [
          { key: Uint8Array.of(2), seq: 10, value: big(2) },
          { key: Uint8Array.of(3), seq: 10, value: big(3) },
        ],
        tombstones: [],
      },
    ];
    const runs = openRuns(stack);
    const cursor = new MergingCursor(sources(runs, { lower: new Uint8Array(0), upper: undefined }, SEQ_MAX));
    expect(takeBatch(cursor).map(({ value }) => value?.[0])).toEqual([1, 2, 3]);
    expect(cursor.key.copy()).toEqual(Uint8Array.of(3));
    for (const run of runs) run.release();
  });
});

describe('merged versions', () => {
  it('are the newest of each key that no newer layer hides', () => {
    fc.assert(
      fc.property(layers, (stack) => {
        const runs = openRuns(stack);
        const above: RangeTombstone[] = [];
        const sources = runs.map((run) => {
          const hidden = above.length === 0 ? undefined : unionOf(above);
          above.push(...run.rangeTombstones(SEQ_MAX));
          return { versions: run.versions(false), hidden };
        });
        const ends = runs.flatMap((run) => (run.entries === 0 ? [] : [run.smallestKey, run.largestKey]));
        const keys = ends.toSorted(compareKeys);
        const [first = new Uint8Array(0)] = keys;
        const last = keys.at(-1) ?? first;
        const merging = new MergingVersions(sources, commonPrefixBytes(first, 0, first.length, last, 0, last.length));
        const found: ModelVersion[] = [];
        while (merging.next()) {
          const value = merging.kind === VersionKind.Put ? merging.value.copy() : undefined;
          found.push({ key: merging.key.copy(), seq: merging.seq, value });
        }
        merging.close();
        expect(merging.next()).toBe(false);
        expect(found).toEqual(newest(stack));
        for (const run of runs) run.release();
      }),
      { numRuns: 150, seed: 3 },
    );
  });
});

/** Per key the newest version of the highest layer that has one, unless a tombstone hides it. */
function newest(stack: readonly ModelLayer[]): ModelVersion[] {
  const taken: ModelVersion[] = [];
  stack.forEach(({ versions, tombstones }, i) => {
    const above = stack.slice(0, i).flatMap((layer) => layer.tombstones);
    for (const [at, version] of versions.entries()) {
      const isOlder = at > 0 && compareKeys((versions[at - 1] as ModelVersion).key, version.key) === 0;
      const isHidden = tombstones.some((tombstone) => tombstone.seq > version.seq && covers(tombstone, version.key));
      const isShadowed = taken.some((other) => compareKeys(other.key, version.key) === 0);
      if (!isOlder && !isHidden && !isShadowed && !above.some((tombstone) => covers(tombstone, version.key)))
        taken.push(version);
    }
  });
  return taken.sort((a, b) => compareKeys(a.key, b.key));
}
