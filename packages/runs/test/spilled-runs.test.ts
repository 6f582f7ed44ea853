/** Spilled writes against a list of operations: what they say of keys at every limit, over what lies below, and what is left. */
import { type Checksums, compareKeys, loadChecksums, silentLogger } from '@phantom/base';
import { ByteSlot, CursorBatch, EngineCode, type KeyRange, type KvCursor, Written, putBytes } from '@phantom/kv';
import { FaultyVfs, MemoryVfs, counting, failAt } from '@phantom/vfs/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { BlockCache, SpilledRuns, isLoadFile } from '../src/index.js';

let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});

type Operation =
  | { readonly kind: 'put'; readonly key: string; readonly value: string }
  | { readonly kind: 'remove'; readonly key: string }
  | { readonly kind: 'removeRange'; readonly key: string; readonly upper: string };

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const ALL: KeyRange = { lower: new Uint8Array(0), upper: undefined };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (slot: ByteSlot): string => new TextDecoder().decode(slot.copy());
const slot = new ByteSlot();

const letter = fc.constantFrom(...KEYS);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('put'), key: letter, value: fc.string({ maxLength: 6 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove'), key: letter }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(letter, letter)
      .filter(([a, b]) => a < b)
      .map(([key, upper]) => ({ kind: 'removeRange' as const, key, upper })),
  },
);
/** Operations of each run; places count up by one. A number is a place to go back to before the next run. */
const history = fc.array(fc.tuple(fc.array(operation, { minLength: 1, maxLength: 8 }), fc.option(fc.nat(30))), {
  minLength: 1,
  maxLength: 5,
});
const below = fc.dictionary(letter, fc.string({ maxLength: 3 }), { maxKeys: 6, noNullPrototype: true });

function openSpill(vfs = new MemoryVfs(), injected?: FaultyVfs): SpilledRuns {
  if (!vfs.exists('/e')) vfs.makeDir('/e');
  const cache = new BlockCache(1 << 20);
  return new SpilledRuns({
    vfs: injected ?? vfs,
    checksums,
    logger: silentLogger,
    cache,
    directory: '/e',
    name: '1-1-1',
    engine: EngineCode.Btree,
  });
}

/** Adds a run of operations whose first has the place `from`. */
function addRun(spill: SpilledRuns, operations: readonly Operation[], from: number): void {
  const run = spill.begin(from, from + operations.length);
  const points = operations.map((found, i) => ({ ...found, place: from + i }));
  points.sort((a, b) => (a.key === b.key ? b.place - a.place : a.key < b.key ? -1 : 1));
  try {
    for (const point of points) {
      const key = bytes(point.key);
      if (point.kind === 'removeRange') run.removeRange(key, bytes(point.upper), point.place);
      else if (point.kind === 'remove') run.remove(key, 0, key.length, point.place);
      else run.put(key, 0, key.length, point.place, bytes(point.value), 0, bytes(point.value).length);
    }
    run.end();
  } finally {
    run.discard();
  }
}

/** What operations say of a key: its value, null for removed, undefined for nothing. */
function expected(operations: readonly Operation[], key: string): string | null | undefined {
  let found: string | null | undefined;
  for (const operation of operations) {
    if (operation.kind === 'removeRange') {
      if (operation.key <= key && key < operation.upper) found = null;
    } else if (operation.key === key) {
      found = operation.kind === 'put' ? operation.value : null;
    }
  }
  return found;
}

/** The least that a cursor over sorted entries can be. */
class ListCursor implements KvCursor {
  readonly key = new ByteSlot();
  readonly value = new ByteSlot();
  isClosed = false;
  private at = -1;
  private readonly entries: readonly (readonly [string, string])[];

  constructor(entries: readonly (readonly [string, string])[]) {
    this.entries = entries;
  }

  seek(key: Uint8Array, start: number, end: number): boolean {
    const wanted = new TextDecoder().decode(key.subarray(start, end));
    const at = this.entries.findIndex(([found]) => found >= wanted);
    return this.stand(at < 0 ? this.entries.length : at);
  }

  seekBefore(key: Uint8Array, start: number, end: number): boolean {
    const wanted = new TextDecoder().decode(key.subarray(start, end));
    return this.stand(this.entries.findLastIndex(([found]) => found < wanted));
  }

  next(): boolean {
    return this.stand(Math.min(this.at + 1, this.entries.length));
  }

  prev(): boolean {
    return this.stand(this.at < 0 ? this.entries.length - 1 : this.at - 1);
  }

  fill(): number {
    throw new Error('a merge fills by itself');
  }

  close(): void {
    this.isClosed = true;
  }

  private stand(at: number): boolean {
    this.at = Math.max(at, -1);
    const entry = this.entries[at];
    if (entry === undefined) return false;
    this.key.set(bytes(entry[0]), 0, bytes(entry[0]).length);
    this.value.set(bytes(entry[1]), 0, bytes(entry[1]).length);
    return true;
  }
}

function walk(cursor: KvCursor, way: 'next' | 'prev' | 'fill'): string[] {
  const found: string[] = [];
  if (way === 'fill') {
    const batch = new CursorBatch(3);
    while (cursor.fill(batch) > 0) {
      for (let i = 0; i < batch.count; i++) {
        slot.set(batch.keyBuffers[i] as Uint8Array, batch.keyStarts[i] as number, batch.keyEnds[i] as number);
        const key = text(slot);
        slot.set(batch.valueBuffers[i] as Uint8Array, batch.valueStarts[i] as number, batch.valueEnds[i] as number);
        found.push(`${key}=${text(slot)}`);
      }
    }
  } else {
    while (cursor[way]()) found.push(`${text(cursor.key)}=${text(cursor.value)}`);
  }
  cursor.close();
  return way === 'prev' ? found.toReversed() : found;
}

describe('spilled writes', () => {
  it('say at every limit what their operations say, over what lies below', () => {
    fc.assert(
      fc.property(history, below, fc.nat(40), (runs, base, at) => {
        const disk = new MemoryVfs();
        const spill = openSpill(disk);
        let kept: Operation[] = [];
        for (const [operations, back] of runs) {
          addRun(spill, operations, kept.length);
          kept.push(...operations);
          if (back === null || back > kept.length) continue;
          kept = kept.slice(0, back);
          spill.truncate(back);
        }
        const limit = Math.min(at, kept.length + 1);
        const seen = kept.slice(0, limit);
        for (const key of KEYS) {
          const found = spill.lookup(bytes(key), 0, 1, limit, slot);
          const value = found === Written.Put ? text(slot) : found === Written.Removed ? null : undefined;
          expect(value).toBe(expected(seen, key));
        }
        const entries = Object.entries(base).toSorted(([a], [b]) => (a < b ? -1 : 1));
        const shown = KEYS.flatMap((key) => {
          const own = expected(seen, key);
          const value = own === undefined ? base[key] : own;
          return value === undefined || value === null ? [] : [`${key}=${value}`];
        });
        for (const way of ['next', 'prev', 'fill'] as const) {
          const list = new ListCursor(entries);
          if (spill.runs === 0 && way === 'fill') continue;
          const cursor = spill.cursorOver(list, ALL, limit);
          if (way !== 'fill' || cursor !== list) expect(walk(cursor, way)).toEqual(shown);
        }
        const ranges = spill.removedRanges().map(({ lower, upper }) => [lower, upper] as const);
        const left = spill.entries();
        const said = new Map<string, string | null>();
        while (left.next()) said.set(text(left.key), left.isRemoved ? null : text(left.value));
        left.close();
        for (const key of KEYS) {
          const isIn = ranges.some(
            ([lower, upper]) => compareKeys(lower, bytes(key)) <= 0 && compareKeys(bytes(key), upper) < 0,
          );
          expect(said.has(key) ? said.get(key) : isIn ? null : undefined).toBe(expected(kept, key));
          const touched = kept.some((one) =>
            one.kind === 'removeRange' ? one.key <= key && key < one.upper : one.key === key,
          );
          expect(spill.touches({ lower: bytes(key), upper: bytes(`${key}\0`) })).toBe(touched);
        }
        spill.close();
        expect(disk.list('/e')).toEqual([]);
      }),
      { numRuns: 100, seed: 7 },
    );
  });

  it('of runs in the order of their keys tell by keys what came before a place', () => {
    const ascending = fc.uniqueArray(letter, { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.array(ascending, { minLength: 1, maxLength: 4 }), fc.nat(12), fc.nat(12), (runs, back, at) => {
        const disk = new MemoryVfs();
        const spill = openSpill(disk);
        const places: number[] = [];
        let place = 8;
        let kept: Operation[] = [];
        for (const [i, keys] of runs.entries()) {
          const values = keys
            .toSorted()
            .map((key, j) => ({ kind: 'put' as const, key, value: `${i}${'x'.repeat(j)}` }));
          const end = values.reduce((sum, { value }) => sum + putBytes(1, value.length), place);
          const run = spill.begin(place, end, true);
          for (const one of values) {
            const [key, value] = [bytes(one.key), bytes(one.value)];
            run.put(key, 0, 1, place, value, 0, value.length);
            places.push(place);
            kept.push(one);
            place += putBytes(1, value.length);
          }
          run.end();
        }
        places.push(place);
        const kinds = Math.min(back, kept.length);
        spill.truncate(places[kinds] as number);
        kept = kept.slice(0, kinds);
        const limit = Math.min(at, kinds);
        const seen = kept.slice(0, limit);
        const [seenPlace, all] = [places[limit] as number, places[kinds] as number];
        for (const key of KEYS) {
          for (const [most, operations] of [
            [seenPlace, seen],
            [all, kept],
          ] as const) {
            const found = spill.lookup(bytes(key), 0, 1, most, slot);
            expect(found === Written.Put ? text(slot) : undefined).toBe(expected(operations, key));
          }
          const touched = kept.some((one) => one.key === key);
          expect(spill.touches({ lower: bytes(key), upper: bytes(`${key}\0`) })).toBe(touched);
        }
        const shown = (operations: readonly Operation[]): string[] =>
          KEYS.flatMap((key) =>
            expected(operations, key) === undefined ? [] : [`${key}=${expected(operations, key)}`],
          );
        for (const way of ['next', 'prev'] as const)
          expect(walk(spill.cursorOver(new ListCursor([]), ALL, seenPlace), way)).toEqual(shown(seen));
        const ready = spill.takeReady();
        const left = spill.entries();
        const merged: string[] = [];
        while (left.next()) merged.push(`${text(left.key)}=${text(left.value)}`);
        left.close();
        const taken = ready.reduce((sum, { ref }) => sum + ref.entries, 0);
        expect(taken + merged.length).toBe(shown(kept).length);
        for (const run of ready) run.keep();
        spill.close();
        expect(disk.list('/e')).toHaveLength(ready.length);
      }),
      { numRuns: 100, seed: 7 },
    );
  });

  it('leave nothing of a run that the disk refused, under names that the next opening removes', () => {
    for (let n = 0; ; n++) {
      const disk = new MemoryVfs();
      const faulty = new FaultyVfs(disk, counting());
      const spill = openSpill(disk, faulty);
      addRun(spill, [{ kind: 'put', key: 'a', value: 'kept' }], 0);
      expect(disk.list('/e').every(isLoadFile)).toBe(true);
      const fault = failAt(n, 'ENOSPC');
      faulty.injector = fault;
      let refusal: unknown;
      try {
        addRun(spill, [{ kind: 'put', key: 'b', value: 'x'.repeat(100) }], 1);
      } catch (error) {
        refusal = error;
      }
      faulty.injector = counting();
      expect(refusal).toEqual(fault.fired ? expect.objectContaining({ code: '53100' }) : undefined);
      const before = spill.lookup(bytes('a'), 0, 1, 100, slot);
      expect([before, text(slot), spill.runs]).toEqual([Written.Put, 'kept', fault.fired ? 1 : 2]);
      spill.close();
      spill.close();
      if (!fault.fired) break;
    }
  });
});
