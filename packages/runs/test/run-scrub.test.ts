/** A run read piece by piece for its checksums alone, whatever is damaged; and which keys lie where something is. */
import { type Checksums, loadChecksums } from '@phantom/base';
import type { Finding } from '@phantom/kv';
import { MemoryVfs } from '@phantom/vfs/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { BlockCache, Run, RunWriter, VersionKind, unionOf } from '../src/index.js';
import { RUN_BEGINNING, type RunPlace, RunScrubber, locateInRun } from '../src/run-scrub.js';

const PATH = '/data/a.run';
/** Enough for a second partition. */
const ENTRIES = 4000;
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const keyOf = (i: number): string => `${'k'.repeat(40)} ${10_000 + i}`;

let checksums: Checksums;
let whole: MemoryVfs;

beforeAll(async () => {
  checksums = await loadChecksums();
  whole = new MemoryVfs({ losesPower: false });
  whole.makeDir('/data');
  const writer = new RunWriter({
    vfs: whole,
    path: PATH,
    checksums,
    identity: 7,
    seqBase: 0,
    blockBytes: 100,
    compression: 'none',
  });
  for (let i = 0; i < ENTRIES; i++) {
    const key = encode(keyOf(i));
    // They share nothing with each other, so that the index is long.
    const spread = encode(`${String(i).padStart(5, '0')} ${'k'.repeat(60)}`);
    writer.add(spread, 0, spread.length, 1, VersionKind.Put, key, 0, key.length);
  }
  writer.finish();
  await writer.sync();
  writer.close();
});

function opened(vfs: MemoryVfs): Run {
  return new Run({ vfs, path: PATH, checksums, cache: new BlockCache(1 << 20) });
}

function scrubbed(run: Run, bytesMax: number): { bytes: number; findings: Finding[]; steps: number } {
  const scrubber = new RunScrubber();
  const sum = { bytes: 0, findings: [] as Finding[], steps: 0 };
  for (let place: RunPlace | undefined = RUN_BEGINNING; place !== undefined; sum.steps++) {
    const { next, bytes, findings } = scrubber.step(run, place, bytesMax);
    sum.bytes += bytes;
    sum.findings.push(...findings);
    place = next;
  }
  return sum;
}

function damagedAt(at: number): MemoryVfs {
  const vfs = whole.killClone();
  vfs.corrupt(PATH, at, Uint8Array.of((vfs.readFile(PATH)[at] as number) ^ 1));
  return vfs;
}

describe('a run that is scrubbed', () => {
  it('is read whole, in steps of about the size that is asked for, by whoever goes on', () => {
    const run = opened(whole);
    expect(run.partitionCount).toBeGreaterThan(1);
    const inOne = scrubbed(run, Number.POSITIVE_INFINITY);
    expect(inOne.steps).toBe(run.partitionCount);
    expect(inOne.bytes).toBeGreaterThan(run.bytes * 0.9);
    const inMany = scrubbed(run, 10_000);
    expect(inMany.steps).toBeGreaterThan(run.bytes / 20_000);
    expect(inMany.findings).toEqual([]);
    // Somebody else goes on in the middle.
    expect(new RunScrubber().step(run, { partition: 1, block: 3 }, 1).next).toEqual({ partition: 1, block: 4 });
    expect(new RunScrubber().step(run, { partition: 9, block: 0 }, 1)).toEqual({
      next: undefined,
      bytes: 0,
      findings: [],
    });
    run.release();
  });

  it('tells of a bit anywhere, and where its keys are', () => {
    const { length } = whole.readFile(PATH);
    for (let at = 40; at < length; at += 20_011) {
      const vfs = damagedAt(at);
      const run = opened(vfs);
      const { findings } = scrubbed(run, 50_000);
      expect(findings, `at ${at}`).toMatchObject([{ severity: 'corruption', file: PATH }]);
      const { lower, upper } = locateInRun(run, findings[0]?.offset);
      expect(decode(lower) <= decode(upper as Uint8Array)).toBe(true);
      run.release();
    }
  });

  it('tells of damaged ends, and takes keys for those of the whole run where nobody can tell', () => {
    const vfs = whole.killClone();
    const run = opened(vfs);
    vfs.corrupt(PATH, vfs.readFile(PATH).length - 20, new Uint8Array(8).fill(255));
    expect(scrubbed(run, 100_000).findings).toMatchObject([{ severity: 'corruption', file: PATH }]);
    for (const offset of [undefined, 33, 1e9]) {
      const { lower, upper } = locateInRun(run, offset);
      expect([decode(lower).slice(0, 5), decode(upper as Uint8Array).slice(0, 5)]).toEqual(['00000', '03999']);
    }
    const { offset, separator } = run.partitionPlace(1);
    expect(decode(locateInRun(run, offset).lower)).toBe(decode(separator));
    expect(decode(locateInRun(run, run.filterPlace(0).offset).upper as Uint8Array)).toBe(decode(separator));
    const [first, second] = run.places(1);
    expect(decode(locateInRun(run, first?.offset).upper as Uint8Array)).toBe(decode(second?.separator as Uint8Array));
    vfs.corrupt(PATH, offset, new Uint8Array(8).fill(255));
    expect(decode(locateInRun(run, first?.offset).lower).slice(0, 5)).toBe('00000');
    run.release();
  });

  it('is passed over where it is hidden whole, damaged indexes of partitions and all', () => {
    const vfs = whole.killClone();
    const run = opened(vfs);
    const { separator, offset } = run.partitionPlace(1);
    vfs.corrupt(PATH, offset, new Uint8Array(8).fill(255));
    const walked = (lower: Uint8Array, upper: Uint8Array): number => {
      const versions = run.versions(false, undefined, unionOf([{ lower, upper }]));
      let count = 0;
      while (versions.next()) count++;
      versions.close();
      return count;
    };
    const end = encode('1');
    expect(() => walked(encode('00010'), encode('00020'))).toThrow(/checksum/);
    expect(walked(encode('0'), end)).toBe(0);
    const left = walked(separator, end);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(ENTRIES);
    run.release();
  });
});
