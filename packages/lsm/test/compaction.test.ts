/**
 * Compactions against the plainest model: layers of writes as lists, merged by hand. What comes out, with what lies below,
 * shows the same as what went in.
 */
import { type Checksums, Random, compareKeys, loadChecksums, silentLogger, toHex } from '@phantom/base';
import { ByteSlot, type KeyRange } from '@phantom/kv';
import { BlockCache, Job, type JobBody, KeyHash, Lookup, Run, RunWriter, VersionKind } from '@phantom/runs';
import { FaultyVfs, MemoryVfs, failAt, onOperation } from '@phantom/vfs/testing';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type CompactionPlan, type CompactionResult, compact } from '../src/compaction.js';
import { runName } from '../src/format.js';
import type { KeySpan } from '../src/key-span.js';
import { LevelCursor } from '../src/level-cursor.js';
import type { RunEntry } from '../src/manifest-codec.js';
import { RunFile } from '../src/run-file.js';
import type { OutputPort } from '../src/run-output.js';
import { Level, Version } from '../src/version.js';

let checksums: Checksums;
beforeAll(async () => {
  checksums = await loadChecksums();
});

function hashOf(key: Uint8Array): KeyHash {
  const hash = new KeyHash();
  hash.set(key, 0, key.length);
  return hash;
}

interface Entry {
  readonly key: Uint8Array;
  /** Undefined: a removal. */
  readonly value: string | undefined;
}

/** Writes of one moment: what it removed first, then what it wrote. */
interface Moment {
  readonly tombstones: readonly KeySpan[];
  readonly entries: readonly Entry[];
}

const key = fc
  .array(fc.constantFrom(0, 1, 2, 0xff), { minLength: 1, maxLength: 3 })
  .map((list) => Uint8Array.from(list));
const moment = fc.record({
  tombstones: fc.array(
    fc
      .tuple(key, key)
      .filter(([a, b]) => compareKeys(a, b) !== 0)
      .map(([a, b]): KeySpan => (compareKeys(a, b) < 0 ? { lower: a, upper: b } : { lower: b, upper: a })),
    { maxLength: 2 },
  ),
  entries: fc
    .array(fc.record({ key, value: fc.option(fc.string({ maxLength: 8 }), { nil: undefined }) }), { maxLength: 25 })
    .map(sortEntries),
});

function sortEntries(entries: readonly Entry[]): Entry[] {
  const byKey = new Map(entries.map((entry) => [toHex(entry.key), entry]));
  return [...byKey.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
}

class Bench {
  readonly vfs = new MemoryVfs({ losesPower: false });
  readonly port: OutputPort;
  readonly files: RunFile[] = [];
  private readonly cache = new BlockCache(1 << 20);
  private next = 1;

  constructor(vfs: OutputPort['vfs'] = this.vfs) {
    this.vfs.makeDir('engine');
    this.port = { vfs, checksums, logger: silentLogger, directory: 'engine' };
  }

  /** Writes a moment as one run at a seq. */
  write({ tombstones, entries }: Moment, seq: number, level: number): RunFile[] {
    if (tombstones.length + entries.length === 0) return [];
    const number = this.next++;
    const path = `engine/${runName(number)}`;
    const writer = new RunWriter({ vfs: this.vfs, path, checksums, identity: number, seqBase: seq, blockBytes: 60 });
    for (const { key: bytes, value } of entries) {
      const kind = value === undefined ? VersionKind.Remove : VersionKind.Put;
      const text = new TextEncoder().encode(value ?? '');
      writer.add(bytes, 0, bytes.length, seq, kind, text, 0, text.length);
    }
    for (const tombstone of tombstones) writer.addRangeTombstone({ ...tombstone, seq });
    const { bytes } = writer.finish();
    writer.close();
    return [this.open({ number, bytes, identity: number, seqBase: undefined, level, age: number })];
  }

  open(entry: RunEntry): RunFile {
    const { number, bytes, identity } = entry;
    const path = `engine/${runName(number)}`;
    const file = new RunFile(entry, new Run({ vfs: this.vfs, path, checksums, cache: this.cache, bytes, identity }));
    this.files.push(file);
    return file;
  }

  plan(
    layers: readonly (readonly RunFile[])[],
    older: readonly RunFile[],
    more: Partial<CompactionPlan> = {},
  ): CompactionPlan {
    const filled = layers.filter((layer) => layer.length > 0);
    return {
      layers: filled.map((layer) => ({
        runs: layer.map(({ entry }) => entry),
        tombstones: layer.flatMap(({ tombstones }) => tombstones),
      })),
      older: [older],
      below: [],
      seq: 100,
      numberFirst: 1000,
      isTier: false,
      numberCount: 50,
      prefixBytes: 0,
      identityFirst: 1000,
      runBytesMax: 120,
      cuts: [],
      belowBytesMax: Number.POSITIVE_INFINITY,
      style: { blockBytes: 50, filterBitsPerKey: 10, compression: 'none' },
      ...more,
    };
  }

  async compact(plan: CompactionPlan): Promise<CompactionResult> {
    const results: CompactionResult[] = [];
    await new Job(compactInto(plan, this.port, results)).ended;
    return results[0] as CompactionResult;
  }

  openAll(result: CompactionResult, level: number): RunFile[] {
    return result.written.map((run) => this.open({ ...run, seqBase: undefined, level, age: 0 }));
  }

  release(): void {
    for (const { run } of this.files.splice(0)) run.release();
  }
}

function* compactInto(plan: CompactionPlan, port: OutputPort, results: CompactionResult[]): JobBody {
  results.push(yield* compact(plan, port, { monotonicMs: () => performance.now(), sliceMs: 0 }));
}

/** What readers see of moments, newest first. */
function shown(moments: readonly Moment[]): Map<string, string> {
  const map = new Map<string, string>();
  for (const { tombstones, entries } of moments.toReversed()) {
    for (const at of map.keys()) if (tombstones.some((span) => covers(span, at))) map.delete(at);
    for (const { key: bytes, value } of entries) {
      if (value === undefined) map.delete(toHex(bytes));
      else map.set(toHex(bytes), value);
    }
  }
  return map;
}

function covers({ lower, upper }: KeySpan, hex: string): boolean {
  return toHex(lower) <= hex && hex < toHex(upper);
}

/** What a version shows of every key that there could be. */
function read(version: Version): Map<string, string> {
  const map = new Map<string, string>();
  const slot = new ByteSlot();
  for (const first of [0, 1, 2, 0xff]) {
    for (const second of [-1, 0, 1, 2, 0xff]) {
      for (const third of second < 0 ? [-1] : [-1, 0, 1, 2, 0xff]) {
        const bytes = Uint8Array.from([first, second, third].filter((byte) => byte >= 0));
        if (version.get(bytes, 0, bytes.length, hashOf(bytes), 1000, slot) === Lookup.Found) {
          map.set(toHex(bytes), new TextDecoder().decode(slot.copy()));
        }
      }
    }
  }
  return map;
}

function versionOf(levels: Readonly<Record<number, readonly RunFile[]>>): Version {
  return new Version(Array.from({ length: 7 }, (_, number) => new Level(number, levels[number] ?? [])));
}

const sorted = (map: Map<string, string>): [string, string][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

describe('a compaction', () => {
  it('ends runs where it is told to, and cuts range tombstones there', async () => {
    const bench = new Bench();
    const entries = [1, 2, 3, 4, 5].map((i) => ({ key: Uint8Array.of(i), value: `value ${i}` }));
    const tombstones = [{ lower: Uint8Array.of(2, 1), upper: Uint8Array.of(9) }];
    const older = bench.write({ tombstones: [], entries: [{ key: Uint8Array.of(8), value: 'old' }] }, 1, 6);
    const layer = bench.write({ tombstones, entries }, 2, 0);
    const cuts = [Uint8Array.of(2), Uint8Array.of(3), Uint8Array.of(7), Uint8Array.of(8, 0)];
    const result = await bench.compact(bench.plan([layer], older, { cuts, runBytesMax: 100_000 }));
    const runs = bench.openAll(result, 0);
    const keys = ({ run }: RunFile): number[] => [run.smallestKey[0] ?? 0, run.largestKey[0] ?? 0];
    expect(runs.map(keys)).toEqual([
      [1, 1],
      [2, 2],
      [3, 5],
      [0, 0],
    ]);
    expect(runs.map((file) => file.tombstones.map(({ lower, upper }) => [...lower, -1, ...upper]))).toEqual([
      [],
      [],
      [],
      [[8, -1, 8, 0]],
    ]);
    bench.release();
  });

  it('shows what its input showed, over whatever lies below', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(moment, { minLength: 1, maxLength: 4 }),
        moment,
        fc.constantFrom(60, 120, 100_000),
        async (moments, bottom, runBytesMax) => {
          const bench = new Bench();
          const older = bench.write(
            { tombstones: [], entries: bottom.entries.filter(({ value }) => value !== undefined) },
            1,
            6,
          );
          const layers = moments.map((item, i) => bench.write(item, 50 - i, 0));
          const result = await bench.compact(bench.plan(layers, older, { runBytesMax }));
          const written = bench.openAll(result, 5);
          const version = versionOf({ 5: written, 6: older });
          version.levels[5]?.assertOrder();
          const model = shown([
            ...moments,
            { tombstones: [], entries: bottom.entries.filter(({ value }) => value !== undefined) },
          ]);
          expect(sorted(read(version))).toEqual(sorted(model));
          for (const { run } of written) expect([...run.check()]).toEqual([]);
          version.release();
          bench.release();
        },
      ),
      { numRuns: 250, seed: 1 },
    );
  });

  it('leaves nothing but live entries at the bottom, and only what is needed above', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(moment, { minLength: 1, maxLength: 3 }), moment, async (moments, bottom) => {
        const bench = new Bench();
        const layers = moments.map((item, i) => bench.write(item, 50 - i, 0));
        const toBottom = bench.openAll(await bench.compact(bench.plan(layers, [])), 6);
        expect(toBottom.flatMap(({ tombstones }) => tombstones)).toEqual([]);
        expect(toBottom.reduce((sum, { removals }) => sum + removals, 0)).toBe(0);
        expect(toBottom.reduce((sum, { entries }) => sum + entries, 0)).toBe(shown(moments).size);
        const older = bench.write({ tombstones: [], entries: bottom.entries }, 1, 6);
        const plan = { ...bench.plan(layers, older), numberFirst: 2000, identityFirst: 2000 };
        const [span] = older;
        for (const { tombstones } of bench.openAll(await bench.compact(plan), 5)) {
          for (const { lower } of tombstones) {
            expect(span !== undefined && compareKeys(lower, span.upper) < 0).toBe(true);
          }
        }
        bench.release();
      }),
      { numRuns: 120, seed: 2 },
    );
  });

  it('ends runs where the next compaction would have to read too much, but never too short', async () => {
    const bench = new Bench();
    const entries = Array.from({ length: 200 }, (_, i): Entry => ({ key: Uint8Array.of(i), value: 'x'.repeat(20) }));
    const input = bench.write({ tombstones: [], entries }, 5, 0);
    const below = entries.slice(1).map(({ key: upper }, i) => ({ lower: Uint8Array.of(i), upper, bytes: 10 }));
    const count = async (belowBytesMax: number, numberCount: number): Promise<number> => {
      const plan = bench.plan([input], [], { runBytesMax: 8000, below, belowBytesMax, numberCount });
      const { written, bytesRead, bytesWritten } = await bench.compact(plan);
      expect(bytesRead).toBe(input[0]?.bytes);
      expect(bytesWritten).toBe(written.reduce((sum, { bytes }) => sum + bytes, 0));
      return written.length;
    };
    expect(await count(1e9, 50)).toBe(1);
    expect(await count(1000, 50)).toBe(2);
    expect(await count(1, 50)).toBe(8);
    expect(await count(1, 3)).toBe(3);
    bench.release();
  });

  it('leaves no file behind when the disk fails, wherever that is', async () => {
    const moments = [1, 2].map((n): Moment => ({
      tombstones: [{ lower: Uint8Array.of(3), upper: Uint8Array.of(9) }],
      entries: Array.from({ length: 60 }, (_, i) => ({ key: Uint8Array.of(i * n), value: `value ${i}` })),
    }));
    for (let n = 0; ; n++) {
      const bench = new Bench();
      const faulty = new FaultyVfs(bench.vfs, failAt(n, 'EIO'));
      const layers = moments.map((item, i) => bench.write(item, 9 - i, 0));
      const before = bench.vfs.list('engine');
      const failing = new Bench(faulty);
      const injector = failAt(n, 'EIO');
      faulty.injector = onOperation(['open', 'read', 'write', 'sync', 'syncDir'], injector);
      const outcome = await failing.compact(bench.plan(layers, [])).then(
        () => 'done',
        () => 'failed',
      );
      bench.release();
      expect(outcome).toBe(injector.fired ? 'failed' : 'done');
      if (!injector.fired) break;
      expect(bench.vfs.list('engine')).toEqual(before);
      expect(n).toBeLessThan(200);
    }
  });
});

describe('the cursor of a level', () => {
  it('walks its runs as one, from anywhere and back', () => {
    const random = new Random(3);
    const bench = new Bench();
    const entries = Array.from({ length: 90 }, (_, i): Entry => ({ key: Uint8Array.of(i * 2), value: `${i}` }));
    const files: RunFile[] = [];
    for (let at = 0; at < entries.length;) {
      const count = 1 + random.below(12);
      const tombstones = random.chance(0.3) ? [{ lower: Uint8Array.of(at * 2), upper: Uint8Array.of(at * 2, 0) }] : [];
      files.push(...bench.write({ tombstones, entries: entries.slice(at, at + count) }, 5, 6));
      at += count;
    }
    const level = new Level(6, files);
    for (let round = 0; round < 300; round++) {
      const lower = random.chance(0.2) ? new Uint8Array(0) : Uint8Array.of(random.below(200));
      const upper = random.chance(0.2) ? undefined : Uint8Array.of(random.below(200));
      const range: KeyRange = { lower, upper };
      const inside = entries.filter(
        (item) => compareKeys(item.key, lower) >= 0 && (upper === undefined || compareKeys(item.key, upper) < 0),
      );
      const cursor = new LevelCursor(level, range, 5);
      let at: number | undefined;
      for (let step = 0; step < 12; step++) {
        const dice = random.below(4);
        const probe = Uint8Array.of(random.below(200));
        let found: boolean;
        if (dice === 0) {
          found = cursor.seek(probe, 0, 1);
          at = inside.filter((item) => compareKeys(item.key, probe) < 0).length;
        } else if (dice === 1) {
          found = cursor.seekBefore(probe, 0, 1);
          at = inside.filter((item) => compareKeys(item.key, probe) < 0).length - 1;
        } else if (dice === 2) {
          found = cursor.next();
          at = at === undefined ? 0 : Math.min(at + 1, inside.length);
        } else {
          found = cursor.prev();
          at = at === undefined ? inside.length - 1 : Math.max(at - 1, -1);
        }
        expect(found ? cursor.key.copy() : undefined).toEqual(inside[at]?.key);
        expect(found && !cursor.removed ? new TextDecoder().decode(cursor.value.copy()) : undefined).toEqual(
          inside[at]?.value,
        );
      }
      cursor.close();
      cursor.close();
      expect(cursor.next()).toBe(false);
    }
    bench.release();
  });
});
